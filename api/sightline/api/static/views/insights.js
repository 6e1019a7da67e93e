// #/insights : what stands out, without a question, and the way on from each.

import { ask } from "../shell/api.js";
import { rowOf } from "../shell/registry.js";
import { to, toEntity } from "../shell/url.js";
import { h, label, put } from "../parts/dom.js";
import { entityLink, walked } from "../parts/facts.js";
import { empty, later, partial } from "../parts/states.js";

/** @typedef {import("../answers.js").Entity} Entity */
/** @typedef {{ sort: string, text: string, why: string, command: string, entities: Entity[] }} Insight */

/** Where a finding leads, by its sort. @param {Insight} found @returns {[string, string] | null} */
function onward({ sort, entities, command }) {
  const [one, other] = entities;
  if (sort === "likely error" && rowOf("doctor")) return ["Open in Doctor", to("doctor", null, { kind: /--kind (\w+)/.exec(command)?.[1] ?? null })];
  if ((sort === "likely missing fact" || sort === "fact of a text") && one && other) return ["Why", to("ask", null, { h: one.id, t: other.id })];
  if (sort === "unexpected connection" && one && other) return ["Connect", to("connect", null, { a: one.id, b: other.id })];
  if (sort === "in common" && rowOf("set")) return ["Compare", to("set", null, { e: entities.map(({ id }) => id) })];
  if (sort === "bridge" && rowOf("communities")) return ["Communities", to("communities")];
  if (sort === "change" && rowOf("changes")) return ["Changes", to("changes")];
  return one ? ["Open", toEntity(one)] : null;
}

/** @param {import("../shell/router.js").Context} context */
export function view({ place, query, push, title }) {
  title("Insights");
  const limit = Number(query.get("limit")) || 10;
  put(place, h("div", { class: "sheet" }, h("h1", {}, "What stands out"), h("p", { class: "quiet" }, "Of every sort the strongest, then of each the second; without a question."),
    later(ask("insights", { limit }), (answer) => [
      answer.truncated ? partial(label(`Not everything was looked at: ${answer.reason}.`)) : null,
      answer.insights.length ? h("ol", {}, answer.insights.map((/** @type {Insight} */ one) => {
        const way = onward(one);
        return h("li", {}, h("span", { class: "sort" }, one.sort), h("div", { class: "grow" }, h("p", { class: "text" }, walked(one.text)), h("p", { class: "quiet" }, walked(one.why)),
          h("p", { class: "who" }, one.entities.slice(0, 6).map((entity, i) => [i ? ", " : "", entityLink(entity)]), one.entities.length > 6 ? ` and ${one.entities.length - 6} more` : null)), way ? h("a", { class: "button", href: way[1] }, way[0]) : null);
      })) : empty({ icon: "check", title: "Nothing stands out", text: "No fact looks wrong, none seems to be missing, and nothing is connected more than chance would." }),
      limit < 50 && answer.found > answer.insights.length ? h("button", { type: "button", class: "button", onclick: () => push({ limit: 50 }) }, "More") : null,
      answer.nothing.length ? h("section", {}, h("h2", {}, "Looked for, and not found"), h("ul", { class: "nothing" }, answer.nothing.map((/** @type {string} */ text) => h("li", { class: "quiet" }, label(text))))) : null,
    ], { rows: 10 })));
}
