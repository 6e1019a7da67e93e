// #/report : the reports that were ordered, and the way to order one; #/report/ID : one, followed while it
// is made and read in the page when it is done. &about=A,B&sections=insights,method fills the order form.

import { ask, post } from "../shell/api.js";
import { go } from "../shell/router.js";
import { fetched } from "../shell/token.js";
import { listOf, to, toEntity } from "../shell/url.js";
import { h, label, number, plain, plural, put, say, tell } from "../parts/dom.js";
import { chain, entityLink, isSymmetric, named, otherEnd, phrase, ready, verb, walked } from "../parts/facts.js";
import { icon } from "../parts/icons.js";
import { chance, mark, percent } from "../parts/marks.js";
import { popover } from "../parts/popover.js";
import { searchBox } from "../parts/search.js";
import { sourceButton } from "../parts/source.js";
import { empty, failure, later, skeleton } from "../parts/states.js";
import { dotOf } from "../parts/types.js";

/** @typedef {import("../answers.js").Entity} Entity */
/** @typedef {import("../answers.js").Fact} Fact */
/** @typedef {{ name: string, href: string, bytes: number }} File */
/** @typedef {{ id: string, state: "queued" | "running" | "done" | "failed" | "cancelled", title: string, about: string[], headline: string | null, likely: number | null, created: string, changed: string, done: number, total: number, files: File[], error: string | null }} Report */
/** @typedef {import("../shell/router.js").Context} Context */

const PAGE = 30;
/** Milliseconds until a report is asked for again whose events have stopped. */
const AGAIN = 1000;
/** What a report may hold, in its order. */
const SECTIONS = { findings: "What stands out in the graph", insights: "Likely facts that surprise", plots: "Drawings of the numbers", entities: "Each entity", method: "How it was measured", sources: "Sources" };
const WORDS = { queued: "waiting", running: "being made", done: "ready", failed: "failed", cancelled: "cancelled" };

/** @param {Context} context */
export const view = (context) => (context.about ? one(context) : all(context));

/** @type {Map<string, Promise<Entity>>} */
const known = new Map();
/** The entity of an IRI; its id where the graph does not know it. @param {string} iri */
function entityOf(iri) {
  const found = known.get(iri) ?? ask("entities/-", { id: iri }, new AbortController().signal).then((answer) => answer.entity).catch(() => ({ id: iri, iri, label: iri, types: [] }));
  known.set(iri, found);
  return found;
}

/** @param {string} when ISO 8601 */
function ago(when) {
  const minutes = Math.max(0, (Date.now() - Date.parse(when)) / 60_000);
  if (minutes < 1) return "just now";
  if (minutes < 90) return `${Math.round(minutes)} min ago`;
  return minutes < 36 * 60 ? `${Math.round(minutes / 60)} h ago` : new Date(when).toLocaleDateString("en", { day: "numeric", month: "long", year: "numeric" });
}

/** How far a report is. @param {Report} report */
function progress({ done, total }) {
  const fill = h("i");
  fill.style.inlineSize = `${total ? (100 * done) / total : 0}%`;
  return h("span", { class: "progress", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": total || 1, "aria-valuenow": done, "aria-label": "Progress" }, fill);
}

/** @param {Report} report */
const ended = ({ state }) => state !== "queued" && state !== "running";

/** Hear of every change of a report until it has ended, or its view has; a service that goes away is waited for. @param {Report} report @param {(report: Report) => void} heard @param {AbortSignal} signal */
async function follow(report, heard, signal) {
  let last = report;
  /** @param {Report} now */
  const hear = (now) => { last = now; heard(now); };
  while (!ended(last)) {
    await events(report.id, hear, signal).catch(() => undefined);
    if (signal.aborted || ended(last)) return;
    await new Promise((again) => setTimeout(again, AGAIN));
    hear(await ask(`reports/${encodeURIComponent(report.id)}`, {}, signal));
  }
}

/** @param {string} id @param {(report: Report) => void} heard @param {AbortSignal} signal */
async function events(id, heard, signal) {
  const response = await fetched(`/v1/reports/${encodeURIComponent(id)}/events`, { signal });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = (await reader?.read()) ?? { done: true, value: "" };
    if (done) return;
    const events = (rest + value).split("\n\n");
    rest = events.pop() ?? "";
    for (const event of events) if (event.startsWith("data: ")) heard(JSON.parse(event.slice(6)));
  }
}

/** @param {Context} context */
async function all({ place, query, push, replace, title }) {
  title("Reports");
  /** @type {Entity[]} */
  let about = await Promise.all(listOf(query, "about").map(entityOf));
  const chosen = h("div", { class: "chips" });
  const told = h("div", { role: "status" });
  const list = h("div", {});
  const ending = new AbortController();
  const { box } = searchBox({ name: "Entity for the report", placeholder: "Add an entity", choose: (entity, input) => {
    input.value = "";
    if (!about.some(({ id }) => id === entity.id)) change([...about, entity]);
  } });
  const button = h("button", { type: "button", class: "button main", onclick: order });
  let sections = listOf(query, "sections").filter((name) => name in SECTIONS);
  const held = h("button", { type: "button", class: "button", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => popover(held, Object.entries(SECTIONS).map(([name, text]) => {
    const box = h("input", { type: "checkbox", checked: !sections.length || sections.includes(name), onchange: () => {
      const now = Object.keys(SECTIONS).filter((one) => (one === name ? box.checked : !sections.length || sections.includes(one)));
      // A report of nothing is none: the last one stays.
      if (!now.length) box.checked = true;
      else sections = now.length === Object.keys(SECTIONS).length ? [] : now;
      replace({ sections });
      draw();
    } });
    return h("label", {}, box, h("span", { class: "grow" }, text));
  }), { label: "What it holds", kind: "menu" }) });
  /** @param {Entity[]} next */
  function change(next) {
    about = next;
    replace({ about: about.map(({ id }) => id) });
    draw();
  }
  function draw() {
    put(chosen, about.map((entity) => h("span", { class: "chip on" }, dotOf(entity), named(entity), h("button", { type: "button", class: "off", "aria-label": `Take out ${plain(entity.label)}`, onclick: () => change(about.filter((one) => one !== entity)) }, icon("close")))));
    put(held, "Sections", h("span", { class: "count quiet" }, sections.length ? `${sections.length} of ${Object.keys(SECTIONS).length}` : "all"));
    put(button, about.length ? `Order a report about ${about.length === 1 ? "it" : `these ${number(about.length)}`}` : "Order one about the best connected");
  }
  async function order() {
    button.disabled = true;
    try {
      const report = await post("reports", { about: about.map(({ iri }) => iri), sections: sections.length ? sections : null });
      go(to("report", report.id));
    } catch (error) {
      put(told, failure(/** @type {any} */ (error)));
    }
    button.disabled = false;
  }
  /** @param {string | null} cursor @param {Report[]} before */
  const page = (cursor, before) => put(list, later(ask("reports", { limit: PAGE, cursor }), ({ reports, next }) => {
    const rows = [...before, ...reports];
    if (!rows.length) return empty({ icon: "file", title: "No report yet", text: "A report says what is stated, predicted and surprising about some entities, to read, to print and to process." });
    return [h("ul", { class: "list" }, rows.map((report) => row(report, () => page(null, []), ending.signal))), next ? h("button", { type: "button", class: "button", onclick: () => page(next, rows) }, "Show more") : null];
  }));
  put(place, h("div", { class: "sheet" }, h("h1", {}, "Reports"), h("section", { class: "order" }, h("p", { class: "quiet" }, "Name the entities that it is to be about, up to 100, or none."), h("div", { class: "row wrap" }, h("div", { class: "find" }, box), chosen, held, button), told), list));
  draw();
  page(null, []);
  return { end: () => ending.abort() };
}

/** @param {Report} report @param {() => void} again @param {AbortSignal} signal */
function row(report, again, signal) {
  const line = h("li", {});
  /** @param {Report} now */
  const draw = (now) => {
    const name = h("strong", { class: "clip" }, label(now.headline ?? now.title));
    put(line, h("a", { href: to("report", now.id), class: "row grow" }, icon(now.state === "done" ? "file" : now.state === "failed" ? "error" : "clock"), name,
      now.state === "running" ? [progress(now), h("span", { class: "quiet" }, now.total ? `${number(now.done)} of ${number(now.total)}` : "")] : null),
    h("span", { class: `quiet state-of ${now.state}` }, WORDS[now.state]), h("span", { class: "quiet when" }, ago(now.created)),
    ended(now) ? removal(now, again) : h("button", { type: "button", class: "button", onclick: async () => { await cancel(now.id); again(); } }, "Cancel"));
  };
  draw(report);
  follow(report, draw, signal).catch(() => undefined);
  return line;
}

/** A button that removes a report that has ended, when it is pressed twice. @param {Report} report @param {() => void} again */
function removal({ id, title }, again) {
  const button = h("button", { type: "button", class: "button bare", "aria-label": `Delete the report ${plain(title)}`, onblur: () => { button.textContent = "Delete"; }, onclick: async () => {
    if (button.textContent === "Delete") {
      button.textContent = "Delete its files?";
      say("Press again to delete its files");
      return;
    }
    await cancel(id);
    again();
  } }, "Delete");
  return button;
}

/** @param {string} id */
const cancel = (id) => post(`reports/${encodeURIComponent(id)}`, undefined, { method: "DELETE" }).catch((error) => tell(error.message));

/** @param {Context} context */
async function one({ about: id, place, title }) {
  title("Report");
  const ending = new AbortController();
  const bar = h("div", { class: "crumbs" });
  const paper = h("div", { class: "paper" }, skeleton(8));
  put(place, h("div", { class: "desk-top", "data-scroll": true }, h("div", { class: "column" }, bar, paper)));
  /** @type {Report} */
  const first = await ask(`reports/${encodeURIComponent(id)}`).catch((error) => {
    if (error.report?.status !== 404) throw error;
    put(place, empty({ icon: "file", title: "There is no such report", text: "It was deleted, or made in another workspace.", actions: h("a", { class: "button main", href: to("report") }, "All reports") }));
  });
  if (!first) return undefined;
  /** @param {Report} report */
  function draw(report) {
    const name = report.title;
    title(name);
    const files = h("button", { type: "button", class: "button", "aria-expanded": "false", "aria-haspopup": "menu", onclick: () => popover(files, report.files.map((file) => h("a", { href: file.href, download: file.name }, icon("down"), h("span", { class: "grow" }, file.name), h("span", { class: "quiet" }, size(file.bytes)))), { label: "Files", kind: "menu" }) }, icon("down"), "CSV, Parquet, JSON");
    put(bar, h("a", { href: to("report") }, "Reports"), icon("right"), h("strong", { class: "grow clip" }, label(name)),
      report.state === "done" ? [h("button", { type: "button", class: "button desk", onclick: () => print() }, icon("file"), "Print"), files] : null,
      h("a", { class: "button", href: to("report", null, { about: report.about }) }, "Run again"));
    if (report.state === "done") return put(paper, later(Promise.all([ask(`reports/${encodeURIComponent(report.id)}/files/report.json`), ready()]), ([said]) => read(said, report), { rows: 10 }));
    if (report.state === "failed") return put(paper, empty({ icon: "error", title: "The report could not be made", text: label(report.error ?? ""), actions: h("a", { class: "button main", href: to("report", null, { about: report.about }) }, "Order it again") }));
    if (report.state === "cancelled") return put(paper, empty({ icon: "close", title: "Cancelled", text: "Nothing was written.", actions: h("a", { class: "button main", href: to("report", null, { about: report.about }) }, "Order it again") }));
    return put(paper, h("div", { class: "state", role: "status" }, h("span", { class: "badge-icon" }, icon("clock")), h("h2", {}, report.state === "queued" ? "Waiting for a worker" : report.total ? `${number(report.done)} of ${plural(report.total, "entity", "entities")}` : "Being made"), progress(report),
      h("p", {}, report.state === "queued" ? "sightline serve runs one, unless told --no-worker; else sightline work." : "You can leave this page; the report goes on."), h("div", { class: "actions" }, h("button", { type: "button", class: "button", onclick: () => cancel(id) }, "Cancel"))));
  }
  draw(first);
  follow(first, (report) => { if (report.state !== first.state || report.done) draw(report); }, ending.signal).catch(() => undefined);
  return { end: () => ending.abort() };
}

/** @param {number} bytes */
const size = (bytes) => (bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1000))} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

/** A finished report. @param {any} said what report.json says @param {Report} report */
function read(said, report) {
  const told = { abstain_below: said.model?.abstain_below ?? null, base_rate: said.model?.base_rate ?? null, calibration_error: said.model?.calibration_error ?? null, model: said.model?.name ?? null, guesses: null, truncated: false, reason: null };
  const test = said.model?.test ?? {};
  const hits = (test.student ?? test.foundation)?.hits_at_10 ?? null;
  const stated = said.sections.reduce((/** @type {number} */ sum, /** @type {any} */ one) => sum + one.facts, 0);
  /** @param {string} big @param {string} small */
  const figure = (big, small) => h("div", {}, h("dt", {}, small), h("dd", {}, big));
  const insights = said.surprising;
  return h("article", {},
    h("p", { class: "dated" }, `Report, ${new Date(report.changed).toLocaleDateString("en-GB", { day: "numeric", month: "long", year: "numeric" })}`),
    h("h1", {}, label(said.headline)),
    h("p", { class: "lead" }, said.model ? `The model expects ${plural(said.likely, "fact")} above its line of ${percent(told.abstain_below ?? 0)}.${insights.length ? " First come those that the graph’s rules and paths speak for, beyond what popularity explains." : ""}` : label(said.note ?? "No model is served, so nothing is predicted.")),
    h("dl", { class: "figures" }, figure(number(stated), "facts stated"), said.model ? figure(number(said.likely), "likely, not stated") : null, hits === null ? null : figure(`${Math.round(100 * hits)}%`, "of held-out facts in the top 10"), told.calibration_error === null ? null : figure(`${(100 * told.calibration_error).toFixed(1)} points`, "average error of a chance")),
    insights.length ? [h("h2", {}, "Insights"), h("ol", { class: "insights" }, insights.map((/** @type {Fact} */ fact, /** @type {number} */ i) => h("li", {}, h("span", { class: "rank" }, i + 1),
      h("div", { class: "grow" }, h("p", { class: "sentence" }, claim(fact)), h("p", { class: "quiet" }, reason(fact))), h("div", { class: "measure" }, chance(fact, told), fact.surprising === null ? null : h("small", {}, `${Math.abs(fact.surprising).toFixed(1)} bits ${fact.surprising < 0 ? "below" : "above"} popularity`)))))] : null,
    said.findings?.insights.length ? [h("h2", {}, "What stands out in the graph"), h("ul", { class: "insights" }, said.findings.insights.map((/** @type {any} */ one) => h("li", {}, h("div", { class: "grow" }, h("p", {}, walked(one.text)), h("p", { class: "quiet" }, walked(`${one.sort}; ${one.why}`))))))] : null,
    h("p", { class: "legend" }, h("span", {}, mark("stated", true), "a file says so"), h("span", {}, mark("inferred", true), "a rule says so"), said.stats.extracted ? h("span", {}, mark("extracted", true), "only a text says so") : null, h("span", {}, mark("predicted", true), "only the model says so"), h("a", { class: "end", href: "#", onclick: (/** @type {Event} */ event) => { event.preventDefault(); document.getElementById("method")?.scrollIntoView(); } }, "Chances: see the last part")),
    // Of a report without the part on each entity, what is stated of them was not asked.
    said.sections.filter((/** @type {any} */ one) => one.stated.length || !one.facts).map((/** @type {any} */ one) => section(one, told)),
    h("section", { id: "method" }, h("h2", {}, "How it was measured"),
      said.model ? [h("p", {}, "A chance says: of 100 answers that scored and ranked like this one, so many were true facts that the model had not seen. An answer below the line is little more than a guess. What is in none of the files counts as false, even if it is true."),
        h("dl", { class: "facts-of" }, [["Model", `${said.model.name}, ${said.model.id}`], ["Line for a guess", percent(told.abstain_below ?? 0)], ["Base rate", told.base_rate === null ? "not known" : percent(told.base_rate)],
          ...Object.entries(test).map(([who, values]) => [who, `MRR ${(/** @type {any} */ (values).mrr ?? 0).toFixed(3)}, in the first ten ${percent(/** @type {any} */ (values).hits_at_10 ?? 0)}, on facts held out`])].map(([name, text]) => [h("dt", {}, name), h("dd", {}, label(text ?? ""))]))] : h("p", {}, "No model is served."),
      h("p", { class: "quiet" }, `Of ${plural(said.stats.entities, "entity", "entities")} and ${plural(said.stats.edges, "fact")}; snapshot `, h("code", {}, said.stats.snapshot), ".")));
}

/** A predicted fact as a sentence; its end that is not stated has a dashed line. @param {Fact} fact */
const claim = (fact) => [entityLink(fact.head, { kind: fact.direction === "in" ? "new" : "bare" }), " ", h("span", { class: "verb" }, label(verb(fact.relation, true))), " ", entityLink(fact.tail, { kind: fact.direction === "in" ? "bare" : "new" })];

/** What speaks for it. @param {Fact} fact */
function reason(fact) {
  const [path] = fact.support;
  if (path) return [chain(path), fact.support.length > 1 ? `, and ${plural(fact.support.length - 1, "more path")}` : null];
  return label(fact.rule ? `By the rule ${fact.rule.rule.text}.` : fact.support_note ?? "No support found.");
}

/** What an extracted fact says of itself. @param {Fact} fact @param {string} name */
const saidOf = (fact, name) => String(fact.qualifiers.find((one) => one.label === name)?.value ?? "");

/** One entity. @param {any} part @param {import("../answers.js").Reliability} told */
function section({ view: about, stated, extracted = [], predicted, similar, facts, note }, told) {
  /** @type {Map<string, Fact[]>} */
  const groups = new Map();
  for (const fact of /** @type {Fact[]} */ (stated)) {
    const key = isSymmetric(fact.relation) ? fact.relation.id : `${fact.relation.id} ${fact.direction}`;
    groups.set(key, [...(groups.get(key) ?? []), fact]);
  }
  const ranked = [.../** @type {Fact[]} */ (predicted)].sort((one, other) => (other.probability_if_any ?? 0) - (one.probability_if_any ?? 0));
  const [likely, guesses] = [ranked.filter((fact) => !fact.abstain), ranked.filter((fact) => fact.abstain)];
  /** @param {Fact} fact */
  const foretold = (fact) => h("li", {}, mark("predicted", true), h("div", { class: "grow" }, h("p", {}, phrase(fact.relation, fact.direction), " ", entityLink(otherEnd(fact), { kind: "new" })), h("p", { class: "quiet" }, reason(fact))), h("div", { class: "measure" }, chance(fact, told)));
  return h("section", {}, h("h2", {}, h("a", { href: toEntity(about.entity) }, named(about.entity))), h("p", { class: "quiet" }, `${about.entity.types.map(plain).join(", ")}${about.entity.types.length ? ", " : ""}${plural(facts, "fact")}${facts > stated.length ? `, of which ${number(stated.length)} are listed` : ""}.`),
    h("dl", { class: "stated" }, [...groups.values()].map((group) => {
      const [one] = group;
      if (!one) return null;
      return h("div", {}, h("dt", {}, phrase(one.relation, one.direction)), h("dd", {}, h("span", { class: "names" }, group.map((fact, i) => [i ? ", " : "", entityLink(otherEnd(fact))])), sourceButton(group.flatMap((fact) => fact.origins))));
    })),
    extracted.length ? [h("h3", {}, "Read in texts, in no table"), h("ul", { class: "insights" }, extracted.map((/** @type {Fact} */ fact) => h("li", {}, mark("extracted", true), h("div", { class: "grow" }, h("p", {}, phrase(fact.relation, fact.direction), " ", entityLink(otherEnd(fact))), h("p", { class: "quiet" }, label(`“${saidOf(fact, "sentence")}”`))), h("div", { class: "measure" }, percent(Number(saidOf(fact, "confidence"))), sourceButton(fact.origins)))))] : null,
    predicted.length ? [h("h3", {}, "Predicted, not stated"), likely.length ? h("ul", { class: "insights" }, likely.map(foretold)) : h("p", { class: "quiet" }, "Nothing above the line."),
      guesses.length ? h("details", { class: "guesses" }, h("summary", {}, mark("predicted", true), `${plural(guesses.length, "guess", "guesses")}${told.abstain_below === null ? "" : ` below ${percent(told.abstain_below)}`}`), h("ul", { class: "insights" }, guesses.map(foretold))) : null] : null,
    note ? h("p", { class: "note" }, label(note)) : null,
    similar.length ? h("p", { class: "quiet" }, "Most similar: ", similar.map((/** @type {any} */ one, /** @type {number} */ i) => [i ? ", " : "", entityLink(one.entity)]), ".") : null);
}

