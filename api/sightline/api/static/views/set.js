// #/set?e=A,B,C&type=TYPE : what entities have in common that others have not.

import { post } from "../shell/api.js";
import { rowOf } from "../shell/registry.js";
import { go } from "../shell/router.js";
import { listOf, to } from "../shell/url.js";
import { h, label, number, plain, plural, put } from "../parts/dom.js";
import { arrow, chain, entityLink, named, ready } from "../parts/facts.js";
import { icon } from "../parts/icons.js";
import { pValue } from "../parts/marks.js";
import { empty, later, partial } from "../parts/states.js";
import { csvButton } from "../parts/table.js";
import { dotOf } from "../parts/types.js";

/** @typedef {import("../answers.js").Entity} Entity */
/** @typedef {import("../answers.js").Path} Path */
/** @typedef {{ kind: string, text: string, steps: { relation: import("../answers.js").Ref, forward: boolean }[], target: Entity | null, count: number, expected: number, background_count: number, fold: number, p_value: number, q_value: number, members: Entity[], paths: Path[], alike: any[], folded: number }} Shared */

/** @param {import("../shell/router.js").Context} context */
export async function view({ place, query, push, title }) {
  title("In common");
  const given = listOf(query, "e");
  const twoSteps = query.get("steps") === "2";
  const area = h("textarea", { class: "field", rows: given.length > 8 ? 8 : 5, "aria-label": "Entities, one a line", spellcheck: "false", placeholder: "One entity a line: a name or an id. Paste a column of a spreadsheet." });
  area.value = given.join("\n");
  const file = h("input", { type: "file", accept: ".txt,.csv,.tsv,text/plain", class: "hidden", id: "set-file", onchange: async () => { area.value = (await file.files?.[0]?.text()) ?? ""; } });
  const names = () => [...new Set(area.value.split(/\r?\n/).map((line) => (line.split("\t")[0] ?? "").trim().replace(/^"(.*)"$/, "$1")).filter(Boolean))];
  const results = h("div", { class: "results" });
  put(place, h("div", { class: "sheet" }, h("h1", {}, "What these have in common"), h("p", { class: "quiet" }, "More often than others of their type, tested against chance."),
    h("form", { onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); push({ e: names() }); } }, area,
      h("div", { class: "row wrap" }, h("button", { type: "submit", class: "button main" }, "Compare"), h("label", { class: "button", for: "set-file" }, icon("file"), "From a file"), file,
        h("button", { type: "button", class: "chip", "aria-pressed": String(twoSteps), onclick: () => push({ steps: twoSteps ? null : 2 }) }, "Two steps away, too"))), results));
  if (!given.length) return void put(results, empty({ icon: "list", title: "No entity yet", text: ["Paste names above, or choose rows in a ", h("a", { class: "link", href: to("table") }, "table"), "."] }));
  put(results, later(Promise.all([post("sets:enrich", { entities: given, k: 40, two_steps: twoSteps, type: query.get("type") ?? undefined, deadline_ms: 8000 }, { safe: true }), ready()]), ([answer]) => {
    const most = Math.max(...answer.shared.map((/** @type {Shared} */ one) => one.fold), 1);
    return [
      h("div", { class: "chips members" }, answer.entities.slice(0, 40).map((/** @type {Entity} */ entity) => h("span", { class: "chip" }, dotOf(entity), entityLink(entity, { kind: "bare" }))), answer.entities.length > 40 ? h("span", { class: "quiet" }, `and ${number(answer.entities.length - 40)} more`) : null),
      h("p", { class: "quiet" }, label(`Compared with ${answer.background.text}.`), ` ${number(answer.significant)} of ${plural(answer.tests, "test")} are significant.`),
      answer.outside.length || answer.unresolved.length ? partial([answer.unresolved.length ? [`${plural(answer.unresolved.length, "name")} not found: `, answer.unresolved.slice(0, 5).map((/** @type {any} */ one, /** @type {number} */ i) => [i ? "; " : "", label(one.name), one.nearest[0] ? [" (", label(one.nearest[0]), "?)"] : null]), ". "] : null, answer.outside.length ? `${plural(answer.outside.length, "entity is", "entities are")} not of that type and left out.` : null]) : null,
      answer.truncated ? partial(label(`Not everything was tested: ${answer.reason}.`)) : null,
      answer.notes.map((/** @type {string} */ text) => h("p", { class: "note" }, label(text))),
      answer.shared.length ? [h("div", { class: "row tools-row" }, h("h2", { class: "grow" }, "In common"), rowOf("report") ? h("a", { class: "button", href: to("report", null, { about: answer.entities.slice(0, 100).map((/** @type {Entity} */ one) => one.id) }) }, "Report about them") : null,
        csvButton("in-common", () => [["what", "count", "background_count", "expected", "fold", "p_value", "q_value"], ...answer.shared.map((/** @type {Shared} */ one) => [one.text, one.count, one.background_count, one.expected, one.fold, one.p_value, one.q_value])])),
      h("ul", { class: "shared" }, answer.shared.map((/** @type {Shared} */ one) => item(one, answer.entities.length, most)))]
        : empty({ title: "Nothing stands out", text: "What they share, others of their type share as often.", actions: twoSteps ? null : h("button", { type: "button", class: "button main", onclick: () => push({ steps: 2 }) }, "Look two steps away") }),
      answer.more_like_these?.length ? h("section", {}, h("h2", {}, "More like these"), h("div", { class: "chips" }, answer.more_like_these.map((/** @type {any} */ one) => h("button", { type: "button", class: "chip", title: "Add to the list", onclick: () => go(to("set", null, { e: [...given, one.entity.id], steps: twoSteps ? 2 : null })) }, dotOf(one.entity), named(one.entity), icon("plus"))))) : null,
    ];
  }, { rows: 8 }));
  return undefined;
}

/** @param {Shared} one @param {number} all @param {number} most */
function item(one, all, most) {
  const fill = h("i");
  fill.style.inlineSize = `${(100 * one.count) / all}%`;
  const who = one.members.slice(0, 6);
  return h("li", {}, h("details", {}, h("summary", {}, h("span", { class: "grow" }, h("strong", {}, one.target && one.steps.length ? [one.steps.map((step) => [arrow(step.relation, step.forward), " "]), named(one.target)] : label(one.text)), one.folded ? h("small", {}, ` and ${plural(one.folded, "thing that says", "things that say")} the same`) : null),
    h("span", { class: "share" }, h("span", { class: "gauge", "aria-hidden": "true" }, fill), `${number(one.count)} of ${number(all)}`), h("span", { class: "quiet fold-of" }, `${one.fold >= 10 ? Math.round(one.fold) : one.fold.toFixed(1)} × chance`), h("span", { class: "p-of" }, pValue(one.p_value))),
  h("div", { class: "inside" }, h("p", { class: "quiet" }, `${number(one.background_count)} have it in all; by chance ${one.expected < 0.1 ? "less than 0.1" : one.expected.toFixed(1)} of these would. q = ${one.q_value.toPrecision(2)}, adjusted for all tests.`),
    h("p", {}, who.map((entity, i) => [i ? ", " : "", entityLink(entity)]), one.members.length > who.length ? ` and ${number(one.members.length - who.length)} more` : null),
    one.paths.map((path) => h("p", {}, chain(path))), one.alike.length ? h("p", { class: "quiet" }, "The same: ", label(one.alike.map((/** @type {any} */ other) => plain(other.text ?? String(other))).join("; "))) : null)));
}
