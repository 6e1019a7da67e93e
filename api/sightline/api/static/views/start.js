// #/ : search, what this graph can answer, what stands out in it, the last reports, and a map of its types.

import { ask, once, served } from "../shell/api.js";
import { rowOf } from "../shell/registry.js";
import { to, toEntity, toType } from "../shell/url.js";
import { h, label, number, plain, plural, put } from "../parts/dom.js";
import { emphasised, linkOf, SORTS } from "../parts/examples.js";
import { typeChip, walked } from "../parts/facts.js";
import { icon } from "../parts/icons.js";
import { badged, mark } from "../parts/marks.js";
import { isFile } from "../parts/source.js";
import { searchBox } from "../parts/search.js";
import { empty, failure, later, partial } from "../parts/states.js";
import { typeMap } from "../parts/typemap.js";

/** Findings that are open at first, types on a phone, reports. */
const FINDINGS = 3;
const TYPES = 8;
const REPORTS = 3;
/** Milliseconds that the doctor gets at first, and at the most: what it found is kept, and it goes on from there. */
const CHECK = 1000;
const CHECKS = 16_000;

/** @param {import("../shell/router.js").Context} context */
export function view({ place }) {
  const { box } = searchBox({ name: "Search entities, types and relations", placeholder: "An entity, a type, or a relation", sorts: ["entity", "type", "relation", "action"], kind: "large", hint: "/" });
  const lead = h("p", { class: "lead" }, " ");
  const checked = h("span", { class: "answer" }, "looking …");
  const map = h("section", { class: "pane ground-map", "aria-label": "What is in it" });
  const left = h("div", { class: "pane", "data-scroll": true }, h("div", { class: "hero" },
    h("h1", {}, "What is related, how,", h("br"), "and what is missing?"), lead, box,
    questions(checked), findings(() => check(checked)), reports(), h("section", { class: "phone in-graph" })));
  put(place, h("div", { class: "panes" }, left, map));
  const kinds = left.querySelector(".in-graph");
  served().then((stats) => {
    put(lead, ...sized(stats));
    const types = stats.types.flatMap(({ type, entities }) => (type ? [typeChip(type, entities)] : []));
    if (kinds) put(kinds, h("div", { class: "title" }, h("h2", {}, "In this graph"), rowOf("map") ? h("a", { class: "quiet", href: to("map") }, "Schema map") : null), h("div", { class: "chips" }, types.slice(0, TYPES)));
    put(map, atlas(stats));
  }, (error) => put(lead, failure(error)));
}

/** @param {import("../answers.js").Stats} stats */
function sized({ entities, edges, loads, model, inferred = 0, hits_at_10 = null }) {
  const facts = inferred ? `${number(edges - inferred)} stated facts` : `${number(edges)} stated facts`;
  const learnt = !edges ? " No two entities are linked, so nothing can be connected or predicted." : !model ? " Nothing is predicted yet: no model is trained." : hits_at_10 === null ? "" : ` The model finds ${Math.round(100 * hits_at_10)}% of held-out facts in its first ten answers.`;
  return [`${plural(entities, "entity", "entities")} and ${facts} from ${plural(loads.filter(isFile).length, "file")}.`, h("span", { class: "desk-only" }, learnt)];
}

/** The map of the types, with the signs that it uses. @param {import("../answers.js").Stats} stats */
function atlas(stats) {
  const { types, edges, inferred = 0, snapshot, model } = stats;
  const typed = types.filter(({ type }) => type).length;
  if (!typed) return empty({ icon: "graph", title: "The data gives no types", text: "Entities are found by name all the same." });
  const learnt = model ? `model ${model.slice(0, 8)}` : "no model";
  return [
    h("div", { class: "title" }, h("h2", {}, "What is in it"), h("span", { class: "quiet" }, `${plural(typed, "type")}, ${plural(stats.relations, "relation")}. Click one to list it`), rowOf("graph") ? h("a", { class: "quiet", href: to("graph") }, "Whole graph") : null),
    later(once("schema"), (schema) => typeMap(schema), { rows: 8 }),
    h("footer", { class: "legend" }, h("span", {}, mark("stated", true), `stated ${number(edges - inferred)}`), h("span", {}, mark("inferred", true), `inferred ${number(inferred)}`),
      model ? h("span", {}, mark("predicted", true), "predicted on request") : null, h("code", {}, `snapshot ${snapshot.slice(0, 8)} · ${learnt}`)),
  ];
}

/** What this graph can be asked, made from it; only what there is a view for. @param {HTMLElement} checked what the doctor has found */
function questions(checked) {
  const place = h("section", { "aria-label": "Questions this graph can answer" });
  put(place, h("div", { class: "title" }, h("h2", {}, "Questions this graph can answer")), later(once("examples"), ({ examples }) => {
    const lines = examples.flatMap((/** @type {import("../parts/examples.js").Example} */ example) => {
      const href = linkOf(example);
      return href ? [h("li", {}, h("a", { href }, h("span", { class: "sort" }, SORTS[example.sort]), h("span", {}, emphasised(example.text, example.names)), example.sort === "check" ? checked : example.answer ? h("span", { class: "answer" }, label(example.answer)) : null))] : [];
    });
    return lines.length ? h("ul", { class: "questions" }, lines) : h("p", { class: "note" }, "There is nothing to ask yet.");
  }, { rows: 6 }));
  return place;
}

/** What stands out, without a question. @param {() => void} then what is asked when the service is free again */
function findings(then) {
  const place = h("section", { "aria-label": "What stands out" });
  const asked = ask("insights", { deadline_ms: 4000 });
  asked.then(then, (error) => error.name === "AbortError" || then());
  put(place, h("div", { class: "title" }, h("h2", {}, "What stands out")), later(asked, (answer) => {
    if (!answer.insights.length) return h("p", { class: "note" }, "Nothing stands out.");
    const lines = answer.insights.map(finding);
    const list = h("ul", { class: "findings" }, lines.slice(0, FINDINGS));
    const rest = lines.length - FINDINGS;
    const more = rest > 0 ? h("button", { type: "button", class: "link", onclick: () => { list.append(...lines.slice(FINDINGS)); more?.remove(); lines[FINDINGS]?.querySelector("a")?.focus(); } }, `${number(rest)} more`) : null;
    return [list, more, answer.truncated ? partial(label(answer.reason)) : null];
  }, { rows: 3 }));
  return place;
}

/** How many findings of the doctor are open, at the question for them while it looks, and in the bar. Leaving the view ends it. @param {HTMLElement} answer */
async function check(answer) {
  try {
    for (let given = CHECK; given <= CHECKS; given *= 2) {
      const { counts, truncated } = await ask("doctor", { limit: 1, deadline_ms: given });
      const open = counts.reduce((/** @type {number} */ sum, /** @type {{ findings: number }} */ { findings }) => sum + findings, 0);
      put(answer, truncated ? `${number(open)} so far${2 * given > CHECKS ? "" : ", looking …"}` : plural(open, "finding"));
      if (!truncated) return badged(open);
    }
  } catch { put(answer); }
}

/** @param {{ sort: string, text: string, why: string, entities: import("../answers.js").Entity[] }} finding */
function finding({ sort, text, why, entities }) {
  const [one, other] = entities;
  const href = sort === "unexpected connection" && one && other ? to("connect", null, { a: one.id, b: other.id }) : one ? toEntity(one) : null;
  const content = [h("span", { class: "sort" }, sort), h("span", { class: "grow" }, walked(text), h("small", {}, walked(why)))];
  return h("li", {}, href ? h("a", { href }, content) : h("div", {}, content));
}

/** The last reports that were ordered. */
function reports() {
  const place = h("section", { "aria-label": "Reports", hidden: true });
  ask("reports", { limit: REPORTS }).then(({ reports }) => {
    if (!reports.length) return;
    place.hidden = false;
    put(place, h("div", { class: "title" }, h("h2", {}, "Reports"), rowOf("report") ? h("a", { class: "quiet", href: to("report") }, "All reports") : null),
      h("ul", { class: "reports" }, reports.map(reported)));
  }, () => null);
  return place;
}

/** @param {any} report */
function reported(report) {
  const done = report.state === "done";
  const content = [icon(done ? "file" : "clock"), h("span", { class: "grow clip" }, label(report.title)), h("span", { class: "quiet" }, done ? `${plural(report.likely ?? 0, "fact")} may be missing` : plain(report.state))];
  return h("li", {}, rowOf("report") ? h("a", { href: to("report", report.id) }, content) : h("a", { href: `/v1/reports/${encodeURIComponent(report.id)}/files/report.html` }, content));
}
