// #/changes?from=SNAPSHOT&to=SNAPSHOT&about=ENTITY&watched=1 : what came and went, and which predictions moved.

import { ask, leave, post } from "../shell/api.js";
import { listOf, to } from "../shell/url.js";
import { h, label, number, plain, plural, put, tell } from "../parts/dom.js";
import { entityLink, named } from "../parts/facts.js";
import { icon } from "../parts/icons.js";
import { mark, percent } from "../parts/marks.js";
import { empty, failure, later, partial } from "../parts/states.js";
import { csvButton } from "../parts/table.js";

/** Changes of the list on their way. */
let changing = 0;

/** @param {import("../shell/router.js").Context} context */
export async function view(context) {
  const { place, query, push, title } = context;
  title("Changes");
  const watched = query.get("watched") === "1";
  const about = listOf(query, "about");
  /** @type {{ since: string | null, entities: import("../answers.js").Entity[], changes: string | null } | null} */
  const list = watched ? await ask("watch") : null;
  /** What is still asked about the list as it was is given up; the last of quick changes draws what became of it. @param {object} what */
  const change = async (what) => {
    leave();
    changing += 1;
    await post("watch", what, { signal: new AbortController().signal }).catch((error) => tell(error.message));
    changing -= 1;
    if (!changing && place.isConnected) view(context);
  };
  const from = h("input", { class: "field mono", "aria-label": "Older snapshot", placeholder: "the one before", value: query.get("from") ?? "", maxlength: 64 });
  const until = h("input", { class: "field mono", "aria-label": "Newer snapshot", placeholder: "the served one", value: query.get("to") ?? "", maxlength: 64 });
  const results = h("div", {});
  put(place, h("div", { class: "sheet" }, h("h1", {}, "What changed"),
    h("form", { class: "row wrap", onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); push({ from: from.value.trim() || null, to: until.value.trim() || null }); } },
      h("label", { class: "row" }, h("span", { class: "quiet" }, "from"), from), h("label", { class: "row" }, h("span", { class: "quiet" }, "to"), until), h("button", { type: "submit", class: "button main" }, "Compare"),
      h("button", { type: "button", class: "chip", "aria-pressed": String(watched), onclick: () => push({ watched: watched ? null : 1 }) }, "Only what is watched"),
      about.map((id) => h("button", { type: "button", class: "chip on", onclick: () => push({ about: about.filter((one) => one !== id) }) }, "about ", label(id), icon("close")))),
    list?.entities.length ? h("div", { class: "row wrap chips" }, list.entities.map((entity) => h("button", { type: "button", class: "chip on", "aria-label": plain(`Watch no more: ${entity.label}`), onclick: () => change({ remove: [entity.iri] }) }, named(entity), icon("close"))),
      h("button", { type: "button", class: "button", onclick: () => change({ seen: true }) }, "All looked at")) : null, results));
  if (list && !list.entities.length) return void put(results, empty({ icon: "eye", title: "Nothing is watched", text: "Watch entities, by the menu of each, to hear what is new about them.", actions: h("a", { class: "button main", href: to("changes") }, "All changes") }));
  // A list of the workspace may be longer than an address takes.
  const asked = !list ? { about } : list.changes?.endsWith("watched=true") ? { about, watched: true } : { about: [...about, ...list.entities.map(({ iri }) => iri)] };
  put(results, later(ask("diff", { from: query.get("from") ?? list?.since ?? null, to: query.get("to"), ...asked, limit: 50, deadline_ms: 8000 }), drawn, {
    rows: 8, failed: (error) => {
      const type = String(error.report?.type ?? "");
      if (type.endsWith("no-former-snapshot")) return empty({ icon: "clock", title: "There is nothing to compare with yet", text: "This is the first snapshot. After new data and a compile, what changed stands here.", command: "sightline ingest NEW.csv && sightline compile" });
      return failure(error, h("a", { class: "button main", href: to("changes") }, "The last two snapshots"));
    },
  }));
}

/** @param {any} answer */
function drawn(answer) {
  const { entities, edges, types, attributes, extracted } = answer;
  /** @param {string} name @param {{ added: number, removed: number }} amount */
  const row = (name, { added, removed }) => h("div", {}, h("dt", {}, name), h("dd", {}, h("span", { class: "come" }, `+${number(added)}`), " ", h("span", { class: "gone" }, `−${number(removed)}`)));
  /** @param {any[]} facts @param {"+" | "−"} sign */
  const list = (facts, sign) => facts.map((fact) => h("li", { class: sign === "+" ? "come" : "gone" }, h("span", { class: "sign", "aria-label": sign === "+" ? "added" : "removed" }, sign), label(fact.text ?? `${fact.statement?.subject} ${fact.statement?.predicate} ${fact.statement?.object}`)));
  const nothing = ![entities, edges, types, attributes, extracted].some(({ added, removed }) => added || removed) && !answer.answers.length;
  return [
    h("p", { class: "quiet" }, "From snapshot ", h("code", {}, answer.old.snapshot), " to ", h("code", {}, answer.new.snapshot), "."),
    answer.truncated ? partial(label(`Not everything was compared: ${answer.reason}.`)) : null,
    h("dl", { class: "amounts" }, row("entities", entities), row("links", edges), row("types", types), row("values", attributes), extracted.added || extracted.removed ? row("facts of texts", extracted) : null),
    nothing ? empty({ icon: "check", title: "Nothing changed", text: "The two say the same." }) : null,
    answer.answers.length ? h("section", {}, h("div", { class: "row" }, h("h2", { class: "grow" }, "Answers that changed"), csvButton("changed-answers", () => [["head", "relation", "tail", "change", "before", "after"], ...answer.answers.map((/** @type {any} */ one) => [one.head.label, one.relation.label, one.tail.label, one.change, one.before, one.after])])),
      h("ul", {}, answer.answers.map((/** @type {any} */ one) => h("li", { class: "answer" }, h("span", { class: `change ${one.change}` }, one.change), h("span", { class: "grow" }, entityLink(one.head), " ", h("span", { class: "quiet" }, named(one.relation)), " ", entityLink(one.tail), one.because.length ? h("small", {}, h("br"), label(one.because.join("; "))) : null),
        h("span", { class: "num" }, one.before === null ? "–" : percent(one.before), " → ", one.after === null ? "–" : percent(one.after))))),
      h("p", { class: "note" }, `The models were asked about ${plural(answer.compared, "entity", "entities")}.${answer.noise === null ? "" : ` Where nothing changed around it, 95 of 100 chances move by less than ${percent(answer.noise)}; only larger moves are listed.`}`)) : answer.note ? h("p", { class: "note" }, label(answer.note)) : null,
    answer.added.length || answer.removed.length ? h("section", {}, h("h2", {}, "Facts"), h("ul", { class: "facts" }, list(answer.added, "+"), list(answer.removed, "−")), edges.added + edges.removed + types.added + types.removed + attributes.added + attributes.removed > answer.added.length + answer.removed.length ? h("p", { class: "note" }, "The first 50 of each are listed; sightline changes --limit lists more.") : null) : null,
    extracted.added || extracted.removed ? h("section", {}, h("h2", {}, "Read in texts"), h("ul", { class: "facts" }, readIn(answer.extracted_added, "+"), readIn(answer.extracted_removed, "−")), extracted.added + extracted.removed > answer.extracted_added.length + answer.extracted_removed.length ? h("p", { class: "note" }, "The 50 surest of each are listed; sightline changes --limit lists more.") : null) : null,
    answer.most_changed.length ? h("section", {}, h("h2", {}, "Most changed"), h("ul", {}, answer.most_changed.slice(0, 12).map((/** @type {any} */ one) => h("li", { class: "answer" }, h("span", { class: "grow" }, label(one.label ?? one.id ?? "")), h("span", { class: "come" }, `+${number(one.added ?? 0)}`), h("span", { class: "gone" }, `−${number(one.removed ?? 0)}`))))) : null,
  ];
}

/** Facts of texts that came or went, each with its sentence. @param {import("../answers.js").Fact[]} facts @param {"+" | "−"} sign */
function readIn(facts, sign) {
  return facts.map((fact) => {
    const said = new Map(fact.qualifiers.map((one) => [one.label, one.value]));
    return h("li", { class: sign === "+" ? "come" : "gone" }, h("span", { class: "sign", "aria-label": sign === "+" ? "added" : "removed" }, sign), mark("extracted", true), h("div", { class: "grow" }, h("p", {}, named(fact.head), " ", h("span", { class: "quiet" }, named(fact.relation)), " ", named(fact.tail)), h("p", { class: "quiet" }, label(`“${said.get("sentence")}”`))), h("span", { class: "num" }, percent(Number(said.get("confidence")))));
  });
}
