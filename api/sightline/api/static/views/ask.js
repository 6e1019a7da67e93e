// #/ask?h=ENTITY&r=RELATION&t=ENTITY : a fact with one gap, completed; &coverage=0.9 as a set;
// &many=LINES : many such facts at once.

import { ask, post } from "../shell/api.js";
import { rowOf } from "../shell/registry.js";
import { to, toEntity } from "../shell/url.js";
import { copy, h, label, number, plain, plural, put, say } from "../parts/dom.js";
import { examplesOf } from "../parts/examples.js";
import { chain, entityLink, named, nameOf, otherEnd, ready, several, verb } from "../parts/facts.js";
import { icon } from "../parts/icons.js";
import { chance, dots, mark, percent } from "../parts/marks.js";
import { entityField, relationField, relationsBetween } from "../parts/pick.js";
import { sourceButton } from "../parts/source.js";
import { empty, failure, later, partial } from "../parts/states.js";
import { csvButton, dataTable } from "../parts/table.js";

/** @typedef {import("../answers.js").Fact} Fact */
/** @typedef {import("../answers.js").Entity} Entity */
/** @typedef {import("../answers.js").Ref} Ref */
/** @typedef {import("../answers.js").Reliability & { predictions: Fact[], known: number | null, possible: number | null, set_size: number | null }} Answer */
/** @typedef {import("../shell/router.js").Context} Context */
/** @typedef {{ head: Entity | null, relation: Ref | null, tail: Entity | null }} Asked */

const K = 20;
/** Known answers that are shown at first. */
const KNOWN = 6;
const COVERAGES = [0.5, 0.8, 0.9, 0.95, 0.99];
/** Questions in one batch. */
const MOST = 100;

/** @param {Context} context */
export async function view(context) {
  const { query, place, title } = context;
  title("Ask");
  if (query.has("many")) return many(context);
  /** Why an end of the address is none. @type {Error | null} */
  let unknown = null;
  /** @param {string} name @returns {Promise<Entity | null>} */
  const entity = async (name) => (query.get(name) ? ask("entities/-", { id: query.get(name) }).then((found) => found.entity, (error) => {
    if (error.name === "AbortError") throw error;
    unknown = error;
    return null;
  }) : null);
  const [head, tail, relation] = await Promise.all([entity("h"), entity("t"), relationOf(query.get("r")), ready()]);
  /** @type {Asked} */
  const asked = { head, relation, tail };
  title(`Ask: ${[head, relation, tail].map((one) => (one ? nameOf(one, 40) : "?")).join(" ")}`);
  const results = h("div", { class: "results" });
  const reasons = h("aside", { class: "pane reasons", "data-scroll": true, "aria-label": "Reasons" });
  const also = h("div", { class: "also" });
  put(place, h("div", { class: "panes" }, h("div", { class: "pane", "data-scroll": true }, h("h1", { class: "hidden" }, "Ask"), form(context, asked), also, results), reasons));
  if (unknown) return void put(results, failure(unknown));
  const given = [head, relation, tail].filter(Boolean).length;
  if (given === 2) return answer(context, asked, results, reasons, also);
  if (given === 3) return judge(context, asked, results, reasons);
  put(reasons, h("div", { class: "about-reasons" }, h("h2", {}, "Reasons stand here"), h("p", { class: "quiet" }, "Choose an answer to see its chance, what in the graph speaks for it, and the rows that this rests on.")));
  put(results, head || tail || relation ? await openings(asked) : begin());
  return undefined;
}

/** @param {string | null} id @returns {Promise<Ref | null>} */
async function relationOf(id) {
  if (!id) return null;
  const uses = await relationsBetween(null, null);
  return uses.find(({ relation }) => relation.id === id || relation.label === id)?.relation ?? { id, iri: id, label: id };
}

/** @param {Context} context @param {Asked} asked */
function form({ push }, { head, relation, tail }) {
  const afresh = { sel: null, k: null };
  // One gap speaks for itself; of several, each says what goes in.
  const hint = (/** @type {string} */ words) => ([head, relation, tail].filter(Boolean).length < 2 ? words : "");
  const button = h("button", { type: "submit", class: "button main" }, "Ask", h("kbd", { class: "desk" }, "↵"));
  return h("form", { class: "ask-form", onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); push({ k: null }); } },
    h("div", { class: "fields" },
      entityField({ name: "Head", hint: hint("who or what"), entity: head, choose: (one) => push({ h: one?.id, ...afresh }) }),
      relationField({ name: "Relation", hint: hint("linked how"), relation, head, tail, choose: (one) => push({ r: one?.id, ...afresh }) }),
      entityField({ name: "Tail", hint: hint("to what"), entity: tail, choose: (one) => push({ t: one?.id, ...afresh }) }),
      button, modes("one")));
}

/** The ways to ask. @param {"one" | "many" | "query"} on */
export function modes(on) {
  /** @param {string} key @param {string} text @param {string} href */
  const way = (key, text, href) => h("a", { class: "chip", href, "aria-current": key === on ? "true" : null }, text);
  return h("nav", { class: "modes", "aria-label": "Ways to ask" }, way("one", "One fact", to("ask")), way("many", "Many at once", to("ask", null, { many: " " })),
    rowOf("query") ? way("query", "Several conditions", to("query")) : null);
}

function begin() {
  return empty({ icon: "ask", title: "A fact with a gap", text: "Fill two of the three fields above; what is left open is what is asked for.", actions: examplesOf("ask") });
}

/** Questions that begin with what is chosen. @param {Asked} asked */
async function openings({ head, relation, tail }) {
  if (relation && !head && !tail) return empty({ icon: "ask", title: `Who ${plain(relation.label)} what?`, text: "Choose a head or a tail, too." });
  const end = /** @type {Entity} */ (head ?? tail);
  const uses = await relationsBetween(head?.types ?? null, tail?.types ?? null);
  if (!uses.length && !(await relationsBetween(null, null)).length) return empty({ icon: "ask", title: "There is nothing to ask", text: "No two entities are linked, so no fact of this graph can have a gap." });
  if (!uses.length) return empty({ title: "No relation fits", text: ["Nothing of the type of ", named(end), " has a fact in this direction. Try it on the other side."], actions: h("a", { class: "button main", href: to("ask", null, head ? { t: end.id } : { h: end.id }) }, "Turn it round") });
  return h("section", { class: "openings" }, h("h2", {}, "What can be asked of ", named(end)),
    h("ul", {}, uses.map(({ relation: one, count, into, from }) => h("li", {}, h("a", { href: to("ask", null, { h: head?.id, r: one.id, t: tail?.id }) },
      mark("predicted", true), h("span", { class: "grow" }, head ? [named(end), " ", h("b", {}, named(one)), " ?"] : ["? ", h("b", {}, named(one)), " ", named(end)]),
      h("span", { class: "quiet" }, label((head ? into : from).map((type) => type.label).slice(0, 3).join(", "))), h("span", { class: "quiet num" }, plural(count, "fact")))))));
}

/** @param {Asked} asked @returns {Record<string, any>} */
const questionOf = ({ head, relation, tail }) => ({ head: head?.id ?? null, relation: relation?.id ?? null, tail: tail?.id ?? null });

/** The sentence of a question, with its gap. @param {Asked} asked */
const sentence = ({ head, relation, tail }) => [head ? named(head) : "?", " ", relation ? named(relation) : "?", " ", tail ? named(tail) : relation && head ? "" : "?"];

/** @param {Context} context @param {Asked} asked @param {HTMLElement} results @param {HTMLElement} reasons @param {HTMLElement} also */
async function answer(context, asked, results, reasons, also) {
  const { query, push } = context;
  const { head, relation, tail } = asked;
  const coverage = Number(query.get("coverage")) || null;
  const k = Number(query.get("k")) || K;
  const started = performance.now();
  const end = head ?? tail;
  const gapIs = !relation ? "relation" : head ? "tail" : "head";
  put(results, h("div", { class: "waiting", "aria-busy": "true" }, h("p", { class: "note" }, "Asking the model and the graph …")));
  const wanted = gapIs === "relation" ? { k: 1000 } : coverage ? { coverage } : { k, new_only: true };
  /** @type {[Answer, Fact[]]} */
  let both;
  try {
    both = await Promise.all([
      post("predictions", { ...questionOf(asked), ...wanted, deadline_ms: 4000 }, { safe: true }),
      gapIs === "relation" || coverage ? Promise.resolve([]) : ask("entities/-/related", { id: end?.id, relation: relation?.id, direction: head ? "out" : "in", predicted: false, k: 200 }).then((found) => found.related),
    ]);
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") return;
    put(results, refused(/** @type {any} */ (error), asked));
    return;
  }
  const [told, stated] = both;
  const ms = Math.round(performance.now() - started);
  const facts = told.predictions;
  const known = stated.length ? stated : facts.filter((fact) => fact.status !== "predicted");
  const fresh = facts.filter((fact) => fact.status === "predicted");
  put(also, suggestions(asked, known));
  let shows = new Set((query.get("show") ?? "new,known").split(","));
  let supported = query.get("supported") === "1";
  let folded = query.get("guesses") === "0";
  let selected = query.get("sel");
  const bar = h("div", { class: "tools-row" });
  const body = h("div", { class: "answers", role: "region", "aria-label": "Answers" });
  const at = (/** @type {Fact} */ fact) => (gapIs === "relation" ? fact.relation.id : (gapIs === "tail" ? fact.tail : fact.head).id);
  put(results, bar, told.truncated ? partial(label(`Not everything was asked: ${told.reason}.`)) : null, body);

  const known_ = told.known ?? known.length;
  function drawBar() {
    /** @param {string} key @param {import("../parts/dom.js").Content} content */
    const filter = (key, content) => h("button", { type: "button", class: "chip big", "aria-pressed": String(shows.has(key)), onclick: () => {
      shows = new Set([...["new", "known"].filter((one) => (one === key ? !shows.has(one) : shows.has(one)))]);
      context.replace({ show: shows.size === 2 ? null : [...shows].join(",") || "none" });
      draw();
    } }, content);
    const types = /** @type {string[]} */ ([...new Set(fresh.map((fact) => otherEnd(fact).types[0]).filter(Boolean))]);
    const among = told.possible === null ? plural(facts.length, "relation") : `${number(fresh.length + known_)} of ${number(told.possible + known_)} ${types.length === 1 ? several(types[0] ?? "") : "entities"}`;
    put(bar,
      gapIs === "relation" ? null : h("div", { class: "segment", role: "group", "aria-label": "How many" },
        h("button", { type: "button", "aria-pressed": String(!coverage), onclick: () => push({ coverage: null }) }, "Ranked"),
        h("button", { type: "button", "aria-pressed": String(Boolean(coverage)), onclick: () => push({ coverage: 0.9, k: null }) }, "Answer set")),
      coverage ? h("label", { class: "row cover" }, h("select", { class: "select", "aria-label": "Coverage", onchange: (/** @type {any} */ event) => push({ coverage: event.target.value }) },
        [...new Set([...COVERAGES, coverage])].sort().map((one) => h("option", { value: one, selected: one === coverage }, percent(one).replace("> ", "")))), "sure to hold the true one") : [
        filter("new", [mark("predicted", true), "New ", h("span", { class: "count" }, number(fresh.length))]),
        filter("known", [mark("stated", true), "Known ", h("span", { class: "count" }, number(known_))])],
      h("button", { type: "button", class: "chip big", "aria-pressed": String(supported), onclick: () => { supported = !supported; context.replace({ supported: supported ? 1 : null }); draw(); } }, "Supported only"),
      h("span", { class: "grow" }), h("span", { class: "quiet nowrap" }, coverage ? `${number(told.set_size ?? 0)} in the set of ${number(told.possible ?? 0)}, ${ms} ms` : `${among}, ${ms} ms`),
      csvButton("answers", () => [["head", "relation", "tail", "status", "probability_if_any", "probability", "surprising", "why"],
        ...[...known, ...fresh].map((fact) => [fact.head.label, fact.relation.label, fact.tail.label, fact.status, fact.probability_if_any, fact.probability, fact.surprising, fact.support[0]?.text ?? fact.support_note ?? ""])]));
  }

  /** @type {HTMLElement[]} */
  let lines = [];
  /** @type {Fact[]} */
  let shown = [];
  let allKnown = false;
  function draw() {
    drawBar();
    const some = fresh.filter((fact) => shows.has("new") && (!supported || fact.support.length));
    const likely = some.filter((fact) => !fact.abstain);
    const guesses = some.filter((fact) => fact.abstain);
    const old = shows.has("known") && !coverage ? known : [];
    const few = allKnown ? old : old.slice(0, KNOWN);
    shown = [...few, ...likely, ...(folded ? [] : guesses)];
    lines = [];
    let rank = 0;
    /** @param {Fact} fact */
    const line = (fact) => {
      const predicted = fact.status === "predicted";
      if (predicted) rank += 1;
      const row = h("tr", { tabindex: -1, "aria-selected": "false", onclick: (/** @type {Event} */ event) => { if (!(/** @type {Element} */ (event.target).closest("a, button"))) choose(fact); },
        onkeydown: (/** @type {KeyboardEvent} */ event) => walk(event, fact) },
        h("td", { class: "index" }, predicted ? rank : ""), h("td", { class: "sign" }, mark(fact.status)),
        h("td", { class: "name" }, gapIs === "relation" ? h("a", { class: `entity ${predicted ? "new" : ""}`, href: to("ask", null, { h: fact.head.id, r: fact.relation.id }) }, named(fact.relation)) : entityLink(gapIs === "tail" ? fact.tail : fact.head, { kind: predicted ? "new" : "" })),
        h("td", { class: "how" }, predicted ? chance(fact, told) : h("span", { class: "quiet" }, fact.status)),
        h("td", { class: "num desk" }, predicted && fact.surprising !== null ? signed(fact.surprising) : ""),
        h("td", { class: "why" }, predicted ? because(fact) : sourceButton(fact.origins, [fact.head.iri, fact.tail.iri])));
      lines.push(row);
      return row;
    };
    const parts = [
      few.map(line),
      old.length > few.length ? h("tr", { class: "fold" }, h("td", { colspan: 6 }, h("button", { type: "button", onclick: () => { allKnown = true; draw(); lines[KNOWN]?.focus(); } }, `${number(known_ - few.length)} more that are known`))) : null,
      likely.map(line),
      guesses.length ? h("tr", { class: "fold" }, h("td", { colspan: 6 }, h("div", { class: "row" }, h("span", { class: "grow" }, `below ${percent(told.abstain_below ?? 0)}: little more than guesses`),
        h("button", { type: "button", "aria-expanded": String(!folded), onclick: () => { folded = !folded; context.replace({ guesses: folded ? 0 : null }); draw(); /** @type {HTMLElement | null} */ (body.querySelector(".fold [aria-expanded]"))?.focus(); } }, folded ? `show ${number(guesses.length)}` : "fold")))) : null,
      folded ? null : guesses.map(line),
    ];
    const heading = gapIs === "relation" ? [named(/** @type {Entity} */ (head)), " is to ", named(/** @type {Entity} */ (tail))] : gapIs === "tail" ? [named(/** @type {Entity} */ (head)), " ", label(verb(/** @type {Ref} */ (relation), true))] : [named(/** @type {Ref} */ (relation)), " ", named(/** @type {Entity} */ (tail))];
    put(body, shown.length || guesses.length ? h("table", { class: "data" }, h("caption", { class: "hidden" }, "Answers"), h("thead", {}, h("tr", {}, h("th", {}, h("span", { class: "hidden" }, "rank")), h("th", {}, h("span", { class: "hidden" }, "status")),
      h("th", { scope: "col" }, heading), h("th", { scope: "col", class: "how" }, "chance"), h("th", { scope: "col", class: "num desk" }, "surprise"), h("th", { scope: "col" }, "why"))), h("tbody", {}, parts))
      : empty({ title: fresh.length || known.length ? "Nothing passes the filters" : "No answer makes sense", text: fresh.length || known.length ? "Turn a filter off to see answers." : "By their types, no entity can be one more answer." }),
    !coverage && gapIs !== "relation" && fresh.length >= k && k < 1000 ? h("button", { type: "button", class: "button more", onclick: () => push({ k: Math.min(1000, 5 * k) }) }, "More answers") : null,
    coverage && (told.set_size ?? 0) > fresh.length ? partial(`The set has ${number(told.set_size ?? 0)} answers; the likeliest ${number(fresh.length)} are listed.`) : null);
    const first = shown.findIndex((fact) => at(fact) === selected);
    const lead = first >= 0 ? first : Math.max(0, shown.findIndex((fact) => fact.status === "predicted"));
    if (shown[lead]) select(shown[lead], lead);
    else put(reasons);
  }

  /** @param {Fact} fact @param {number} i */
  function select(fact, i) {
    lines.forEach((row, n) => {
      row.setAttribute("aria-selected", String(n === i));
      row.tabIndex = n === i ? 0 : -1;
    });
    put(reasons, reason(fact, told, relation));
  }

  /** @param {Fact} fact */
  function choose(fact) {
    selected = at(fact);
    context.replace({ sel: selected });
    const i = shown.indexOf(fact);
    select(fact, i);
    if (innerWidth < 900) reasons.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
  }

  /** @param {KeyboardEvent} event @param {Fact} fact */
  function walk(event, fact) {
    const i = shown.indexOf(fact) + (event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0);
    const next = shown[i];
    if (event.target !== lines[shown.indexOf(fact)] || !["ArrowDown", "ArrowUp"].includes(event.key) || !next) return;
    event.preventDefault();
    selected = at(next);
    context.replace({ sel: selected });
    select(next, i);
    lines[i]?.focus();
  }
  context.keys({ ArrowDown: { does: "next answer", run: () => lines.find((row) => row.tabIndex === 0)?.focus() } });
  draw();
  say(`${plural(fresh.length, "new answer")}, ${plural(known_, "known one")}`);
}

/** @param {number} bits */
const signed = (bits) => `${bits < 0 ? "−" : "+"}${Math.abs(bits).toFixed(1)}`;

/** What speaks for a prediction, in a few words. @param {Fact} fact */
function because({ support, rule, support_note }) {
  const [best] = support;
  if (!best) return h("span", { class: "quiet" }, label(rule ? "a rule" : support_note ?? "no support found"));
  const via = best.steps[0]?.target;
  return h("span", { class: "quiet" }, best.steps.length > 1 && via ? ["via ", named(via), ", "] : null, plural(support.length, "path"));
}

/** Why an answer is held, beside the list. @param {Fact} fact @param {import("../answers.js").Reliability} told @param {Ref | null} relation */
function reason(fact, told, relation) {
  const predicted = fact.status === "predicted";
  const title = h("h2", { class: "claim" }, named(fact.head), " ", h("span", { class: "verb" }, label(verb(fact.relation, true))), " ", named(fact.tail));
  const head = h("p", { class: "row kind" }, mark(fact.status, true), predicted ? (fact.abstain ? "predicted, a guess" : "predicted, not stated") : fact.status);
  const buttons = h("div", { class: "row wrap ways" },
    h("a", { class: "button", href: toEntity(fact.head, { open: fact.tail.id, show: "stated,predicted" }) }, icon("graph"), "Draw"),
    rowOf("connect") ? h("a", { class: "button", href: to("connect", null, { a: fact.head.id, b: fact.tail.id }) }, icon("connect"), "Connect") : null,
    h("span", { class: "grow" }), curl("predictions", { head: fact.head.id, relation: fact.relation.id, tail: null, new_only: true }));
  if (!predicted) {
    const rows = h("div", { class: "origins" });
    put(rows, fact.origins.length ? h("p", {}, sourceButton(fact.origins, [fact.head.iri, fact.tail.iri])) : null, fact.support_note ? h("p", { class: "quiet" }, label(fact.support_note)) : null);
    return [head, title, h("h3", {}, "Where it is stated"), rows, buttons];
  }
  const p = fact.probability_if_any ?? fact.probability ?? 0;
  const more = fact.probability !== null && fact.probability_if_any !== null;
  return [head, title,
    h("div", { class: "big-chance" }, h("strong", { class: fact.abstain ? "guess" : "" }, percent(p)), h("p", { class: "quiet" },
      more && relation ? ["if there is one more such fact.", h("br"), `${percent(fact.probability ?? 0)} with the chance that there is one.`] : "that it is true")),
    dots(p), h("p", { class: "note" }, `Of 100 answers like this one, ${Math.round(100 * p)} were true facts that the model had not seen.`, fact.abstain ? ` Below ${percent(told.abstain_below ?? 0)} it is little more than a guess.` : ""),
    h("p", { class: "note" }, "So it is as an answer of ", named(fact.direction === "in" ? fact.tail : fact.head), ". ", h("a", { class: "link", href: to("ask", null, { h: fact.head.id, r: fact.relation.id, t: fact.tail.id }) }, "Asked of either end")),
    h("h3", {}, "What the graph says for it"),
    fact.support.length ? h("ul", { class: "supports" }, fact.support.map((path) => h("li", {}, chain(path)))) : h("p", { class: "quiet" }, label(fact.support_note ?? "No path speaks for it.")),
    fact.support.length && fact.support_note ? h("p", { class: "note" }, label(fact.support_note)) : null,
    h("h3", {}, "What else speaks"),
    h("dl", { class: "speaks" },
      fact.surprising === null ? null : [h("dt", {}, `${Math.abs(fact.surprising).toFixed(1)} bits ${fact.surprising < 0 ? "below" : "above"} popularity alone`), h("dd", {}, fact.surprising >= 2 ? "surprising" : fact.surprising > 0 ? "a little more" : "popularity explains it")],
      fact.rule ? [h("dt", {}, label(fact.rule.rule.text)), h("dd", {}, `rule, right ${percent(fact.rule.rule.confidence)} of ${number(fact.rule.rule.pairs)}`)] : null,
      fact.graph_chance === null ? null : [h("dt", {}, "Rules of the graph alone"), h("dd", {}, percent(fact.graph_chance))],
      told.calibration_error === null ? null : [h("dt", {}, "Average error of a chance"), h("dd", {}, `${(100 * told.calibration_error).toFixed(1)} points`)]),
    buttons];
}

/** A button that copies how to ask the same without the page. @param {string} route @param {any} body */
function curl(route, body) {
  const text = `curl -H 'Content-Type: application/json' ${location.origin}/v1/${route} -d '${JSON.stringify(Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null))).replaceAll("'", "'\\''")}'`;
  return h("button", { type: "button", class: "button bare", onclick: () => copy(text) }, icon("copy"), "curl");
}

/** Questions beside this one. @param {Asked} asked @param {Fact[]} known */
function suggestions({ head, relation, tail }, known) {
  const [one] = known;
  /** @param {string} href @param {...import("../parts/dom.js").Content} content */
  const chip = (href, ...content) => h("a", { class: "chip", href }, h("span", { class: "clip" }, content));
  const other = one && relation ? (head ? one.tail : one.head) : null;
  const list = [
    relation && head && other ? chip(to("ask", null, { r: relation.id, t: other.id }), "? ", named(relation), " ", named(other)) : null,
    relation && tail && other ? chip(to("ask", null, { h: other.id, r: relation.id }), named(other), " ", named(relation), " ?") : null,
    other && head ? chip(to("ask", null, { h: head.id, t: other.id }), named(head), " ? ", named(other)) : null,
    relation && head ? chip(to("ask", null, { h: head.id }), "All that can be asked of ", named(head)) : null,
    !relation && head ? chip(to("ask", null, { h: head.id }), "All that can be asked of ", named(head)) : null,
  ].filter(Boolean);
  return list.length ? [h("span", { class: "quiet" }, "Also"), list] : null;
}

/** Why a question was refused, with the way on. @param {Error & { report?: any }} error @param {Asked} asked */
function refused(error, asked) {
  const type = String(error.report?.type ?? "");
  if (type.endsWith("no-model")) return empty({ icon: "eye", title: "Nothing is predicted yet", text: "Facts, paths and tables are complete. Train to see what is missing.", command: "sightline train" });
  const turned = asked.head ? { h: null, t: asked.head.id, r: asked.relation?.id } : { h: asked.tail?.id, t: null, r: asked.relation?.id };
  return failure(error, type.endsWith("does-not-apply") ? [h("a", { class: "button main", href: to("ask", null, turned) }, "Turn it round"), h("a", { class: "button", href: to("ask", null, asked.head ? { h: asked.head.id } : { t: asked.tail?.id }) }, "What can be asked")] : null);
}

/** A fact without a gap: does it hold, and why. @param {Context} context @param {Asked} asked @param {HTMLElement} results @param {HTMLElement} reasons */
function judge(context, asked, results, reasons) {
  put(reasons, h("div", { class: "about-reasons" }, h("h2", {}, "Nothing is left open"), h("p", { class: "quiet" }, "Leave a field open to ask for what stands there.")));
  put(results, later(post("explain", { ...questionOf(asked), deadline_ms: 4000 }, { safe: true }), (/** @type {any} */ found) => {
    const rows = h("p", {}, sourceButton(found.origins, [found.head.iri, found.tail.iri]));
    /** What the model says, asked of one end. @param {{ probability: number | null, probability_if_any: number | null, abstain: boolean } | null} said @param {...import("../parts/dom.js").Content} asked */
    const says = (said, ...asked) => !said || said.probability === null || said.probability_if_any === null ? null : h("div", { class: "big-chance" }, h("strong", { class: said.abstain ? "guess" : "" }, percent(said.probability_if_any)),
      h("p", { class: "quiet" }, "says the model, asked ", asked, ", if there is one more answer.", h("br"), `${percent(said.probability)} with the chance that there is one.`));
    return h("section", { class: "judged" }, h("p", { class: "row kind" }, found.status === "unknown" ? "stated nowhere" : [mark(found.status, true), found.status]), h("h2", { class: "claim" }, sentence(asked)),
      says(found, named(found.head), " ", named(found.relation), " ?"), says(found.from_tail, "? ", named(found.relation), " ", named(found.tail)),
      found.note ? h("p", { class: "note" }, label(found.note)) : null,
      found.origins.length ? [h("h3", {}, "Where it is stated"), rows] : null,
      found.premises ? [h("h3", {}, "What it follows from"), h("p", {}, label([found.premises].flat().map((/** @type {any} */ one) => one.text ?? one).join("; ")))] : null,
      h("h3", {}, found.reasons.length ? "Rules of the graph that give it" : "No rule of the graph gives it"),
      h("ul", { class: "supports" }, found.reasons.map((/** @type {any} */ one) => h("li", {}, h("div", { class: "row" }, h("code", { class: "grow" }, label(one.rule.text)), h("span", { class: "quiet" }, `right ${percent(one.rule.confidence)} of ${number(one.rule.pairs)}`)), one.paths[0] ? h("div", {}, chain(one.paths[0])) : null))),
      found.graph_chance === null ? null : h("p", { class: "quiet" }, `Together the rules say ${percent(found.graph_chance)}; the model is not asked for that.`));
  }, { failed: (error) => refused(error, asked) }));
}

/** Many questions, a line each. @param {Context} context */
async function many({ query, place, push, title }) {
  title("Ask many at once");
  const given = (query.get("many") ?? "").trim();
  const area = h("textarea", { class: "field mono", rows: 7, "aria-label": "Questions, one a line", spellcheck: "false", placeholder: "Kenya | member of | ?\n? | capital | Nairobi\nKenya | ? | Uganda" });
  area.value = given;
  const file = h("input", { type: "file", accept: ".txt,.csv,.tsv,text/plain,text/csv,text/tab-separated-values", class: "hidden", id: "many-file", onchange: async () => { area.value = (await file.files?.[0]?.text()) ?? ""; } });
  const results = h("div", { class: "results" });
  put(place, h("div", { class: "sheet" }, h("div", { class: "row wrap between" }, h("h1", {}, "Ask many at once"), modes("many")),
    h("p", { class: "quiet" }, "One question a line: head, relation and tail with | or a tab between them, and ? for what is asked for. Columns of a spreadsheet can be pasted."),
    h("form", { class: "many-form", onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); push({ many: area.value.trim() || " " }); } }, area,
      h("div", { class: "row wrap" }, h("button", { type: "submit", class: "button main" }, "Ask"), h("label", { class: "button", for: "many-file" }, icon("file"), "From a file"), file)), results));
  if (!given) return;
  const lines = given.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
  const questions = lines.slice(0, MOST).map((line) => {
    const [head = "", relation = "", tail = ""] = line.split(line.includes("\t") ? "\t" : line.includes("|") ? "|" : ",").map((part) => part.trim().replace(/^"(.*)"$/, "$1"));
    const open = (/** @type {string} */ text) => (text === "?" || text === "" ? null : text);
    return { head: open(head), relation: open(relation), tail: open(tail), k: 3, new_only: true };
  });
  put(results, lines.length > MOST ? partial(`${number(lines.length)} lines; the first ${MOST} are asked.`) : null,
    later(post("predictions", { questions }, { safe: true }), ({ answers }) => {
      const rows = questions.map((question, i) => ({ question, answer: answers[i], line: lines[i] ?? "" }));
      /** @param {any} row */
      const best = (row) => row.answer.predictions?.[0];
      return [h("div", { class: "tools-row" }, h("span", { class: "grow quiet" }, `${plural(rows.filter((row) => best(row)).length, "answer")} to ${plural(rows.length, "question")}`),
        csvButton("answers", () => [["head", "relation", "tail", "status", "probability_if_any", "probability", "problem"], ...rows.flatMap(({ question, answer }) => (answer.predictions ? answer.predictions.map((/** @type {Fact} */ fact) => [fact.head.label, fact.relation.label, fact.tail.label, fact.status, fact.probability_if_any, fact.probability, ""]) : [[question.head, question.relation, question.tail, "", null, null, answer.problem.detail]]))])),
      dataTable({ caption: "Answers", rows, first: 1, columns: [
        { key: "question", title: "question", cell: ({ question }) => h("a", { class: "entity bare", href: to("ask", null, { h: question.head, r: question.relation, t: question.tail }) }, label([question.head ?? "?", question.relation ?? "?", question.tail ?? "?"].join(" · "))) },
        { key: "answer", title: "likeliest new answer", cell: (row) => { const fact = best(row); return fact ? h("span", { class: "row" }, mark("predicted"), question_gap(row.question, fact)) : h("span", { class: "quiet" }, label(row.answer.problem?.detail ?? "none that makes sense")); } },
        { key: "chance", title: "chance", cell: (row) => { const fact = best(row); return fact ? chance(fact, row.answer) : " "; } },
        { key: "then", title: "then", cell: (row) => h("span", { class: "quiet" }, label((row.answer.predictions ?? []).slice(1).map((/** @type {Fact} */ fact) => (row.question.tail ? (row.question.head ? fact.relation : fact.head) : fact.tail).label).join(", ") || " ")) },
      ] })];
    }, { rows: 6 }));
}

/** The part of an answer that was asked for. @param {{ head: string | null, tail: string | null }} question @param {Fact} fact */
const question_gap = (question, fact) => (question.tail ? (question.head ? h("b", {}, named(fact.relation)) : entityLink(fact.head, { kind: "new" })) : entityLink(fact.tail, { kind: "new" }));
