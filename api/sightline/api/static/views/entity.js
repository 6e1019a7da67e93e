// #/e/ID : what the graph states about an entity, what the model expects, what is like it; beside it the drawing.
//
// Parameters: facet (a type of neighbours), part (where the list begins), tab=graph on a phone; those of the
// canvas are its own.

import { ask, brought, post, served } from "../shell/api.js";
import { CANVAS, rowOf } from "../shell/registry.js";
import { go } from "../shell/router.js";
import { to, toEntity } from "../shell/url.js";
import { copy, h, label, number, plain, plural, put, shortened, tell } from "../parts/dom.js";
import { chain, entityLink, isSymmetric, nameOf, named, otherEnd, phrase, ready } from "../parts/facts.js";
import { icon } from "../parts/icons.js";
import { chance, mark, percent } from "../parts/marks.js";
import { popover } from "../parts/popover.js";
import { fileOf, isFile, sourceButton } from "../parts/source.js";
import { empty, failure, later, partial } from "../parts/states.js";
import { dot, dotOf, typeNamed } from "../parts/types.js";

/** @typedef {import("../answers.js").Fact} Fact */
/** @typedef {import("../answers.js").Entity} Entity */
/** @typedef {import("../answers.js").Reliability} Reliability */
/** @typedef {{ relation: any, direction: "out" | "in", count: number, facts: Fact[], more: boolean }} Group */

/** Facts asked for at first, and of one relation; names of a row, and their letters; pixels for facets. */
const FACTS = 300;
const MOST = 1000;
const NAMES = 3;
const LETTERS = 36;
const FACETS = 340;
/** Predictions asked for; entities that are alike. */
const PREDICTED = 60;
const SIMILAR = 12;
/** Characters of a description or another attribute. */
const LEAD = 400;
/** Characters of a name from which on it is set smaller. */
const LONG = 60;
const STATS = 4;

/** @param {import("../shell/router.js").Context} context */
export async function view(context) {
  const { about: id, place, title, keys } = context;
  let entity;
  try {
    entity = await ask("entities/-", { id });
  } catch (error) {
    const problem = /** @type {any} */ (error);
    if (problem.name === "AbortError") throw error;
    put(place, h("div", { class: "sheet" }, [404, 409].includes(problem.report?.status) ? meant(id, problem) : failure(problem)));
    return;
  }
  title(nameOf(entity.entity));
  const facts = h("section", { id: "facts", tabindex: -1, "aria-label": "Facts" });
  const predicted = h("section", { id: "predicted", tabindex: -1, "aria-label": "Predicted" });
  const similar = h("section", { id: "similar", tabindex: -1, "aria-label": "Similar" });
  const sources = h("section", { id: "sources", tabindex: -1, "aria-label": "Sources" });
  const list = h("div", { class: "lists", "data-scroll": true }, facts, predicted, similar, sources);
  const drawing = CANVAS ? h("div", { class: "pane ground drawing" }) : null;
  const bar = tabs([["facts", "Facts", total(entity.degrees)], ["predicted", "Predicted", null], ["similar", "Similar", null], ["sources", "Sources", entity.loads.length]], list, drawing, context);
  put(place, h("div", { class: CANVAS ? "panes" : "panes single" }, h("div", { class: "pane left", "data-scroll": true }, head(entity, context), bar.element, list), drawing));

  const shown = stated(context, entity, facts, (count) => bar.count("facts", count));
  expected(entity, predicted, (count) => bar.count("predicted", count));
  alike(entity, similar, (count) => bar.count("similar", count));
  // Where nothing is linked with it, its attributes are what there is to say.
  put(sources, ...(total(entity.degrees) ? described(entity) : []), loads(entity));
  keys({ c: { does: "connect with …", run: () => go(to("connect", null, { a: entity.entity.id })) } });

  const part = context.query.get("part");
  /** What stands above the part has its height when nothing is awaited any more. */
  const begin = () => { if (list.querySelector("[aria-busy]")) setTimeout(begin, 50); else if (part) bar.open(part); };
  if (part) begin();

  /** @type {any} */
  let canvas = null;
  let now = context.query;
  if (CANVAS && drawing) {
    // The view is there before its drawing is; what was changed meanwhile is told then.
    brought(CANVAS).then(async ({ mount }) => {
      canvas = await mount(drawing, {
        entity: entity.entity, state: context,
        onSelect: (one) => point(place, one?.id ?? null),
        onNavigate: (one) => go(toEntity(one)),
      });
      if (now !== context.query) canvas.update?.(now);
    }, (error) => error.name !== "AbortError" && put(drawing, failure(error)));
    place.addEventListener("pointerover", (event) => {
      const over = /** @type {HTMLElement | null} */ (/** @type {Element} */ (event.target).closest("[data-id]"));
      canvas?.highlight?.(over?.dataset.id ?? null);
    });
  }
  return {
    update: (/** @type {URLSearchParams} */ query) => { now = query; shown.update(query); bar.update(query); canvas?.update?.(query); },
    leave: () => canvas?.leave?.(), back: () => canvas?.back?.(), end: () => canvas?.end?.(),
  };
}

/** What may have been meant by a name that is nobody's, or several's. @param {string} id @param {Error & { report?: import("../answers.js").Report }} problem */
function meant(id, problem) {
  // What follows the prefix, in words: people mistype ids as they do names.
  const words = id.replace(/^.*[:/#]/, "").replaceAll("_", " ").slice(0, 200);
  const search = h("a", { class: "button", href: to("") }, "Search");
  return later(ask("entities", { q: words || id.slice(0, 200), limit: 8 }), ({ entities }) => {
    if (!entities.length) return failure(problem, search);
    const only = entities.length === 1 ? entities[0] : null;
    const said = problem.report?.status === 409 ? "Several are called" : "Nothing is called";
    return h("div", { class: "state", role: "alert" }, h("span", { class: "badge-icon" }, icon("search")), h("h2", {}, `${said} “`, label(shortened(id, 60)), "”"),
      only ? h("p", {}, "Did you mean ", h("b", {}, named(only)), ` (${plain(only.types.join(", "))})?`) : h("p", {}, "Did you mean one of these?"),
      only ? null : h("ul", { class: "meant" }, entities.map((/** @type {any} */ found) => h("li", {}, h("a", { href: toEntity(found) }, dotOf(found), h("b", {}, named(found)), h("small", {}, label(`${found.types.join(", ")} ${found.id}`)))))),
      h("div", { class: "actions" }, only ? h("a", { class: "button main", href: toEntity(only) }, label(`Open ${nameOf(only)}`)) : null, search));
  });
}

/** @param {{ count: number }[]} degrees */
const total = (degrees) => degrees.reduce((sum, { count }) => sum + count, 0);

/** Points at what stands for an entity in the lists. @param {Element} place @param {string | null} id */
function point(place, id) {
  for (const link of place.querySelectorAll(".pointed")) link.classList.remove("pointed");
  if (id) for (const link of place.querySelectorAll(`[data-id="${CSS.escape(id)}"]`)) link.classList.add("pointed");
}

/** @param {any} answer @param {import("../shell/router.js").Context} context */
function head(answer, context) {
  const { entity, types, description, attributes, loads: from } = answer;
  const [type] = types;
  const copies = h("button", { type: "button", class: "copy", "aria-label": "Copy the id", onclick: () => copy(entity.id) }, icon("copy"));
  const more = h("button", { type: "button", class: "button", "aria-label": "More", "aria-expanded": "false", onclick: () => popover(more, [
    h("a", { href: `/v1/entities/-?${new URLSearchParams({ id: entity.id })}` }, icon("terminal"), "As JSON"),
    type && rowOf("table") ? h("a", { href: to("table", type.id) }, icon("table"), "All of its type") : null,
    h("button", { type: "button", onclick: () => post("watch", { add: [entity.iri] }).then(() => tell("Watched: Changes tells what is new about it"), (error) => tell(error.message)) }, icon("eye"), "Watch it"),
  ], { label: "More about it", kind: "menu" }) }, icon("dots"));
  const aliases = attributes.filter((/** @type {any} */ one) => one.role === "alias").map((/** @type {any} */ one) => one.value);
  const identifiers = attributes.filter(isIdentifier).map((/** @type {any} */ one) => h("span", { class: "code", title: plain(one.property.label) }, label(shortened(one.value, 40))));
  const stats = attributes.filter(isNumber).slice(0, STATS);
  return h("header", { class: "head" },
    h("div", { class: "kicker" }, type ? [dot(typeNamed(type.label)), h("a", { href: to("table", type.id) }, named(type))] : null,
      types.length > 1 ? h("span", { class: "quiet", title: plain(types.map((/** @type {any} */ one) => one.label).join(", ")) }, `+${types.length - 1}`) : null,
      h("span", { class: "quiet" }, `in ${plural(from.filter(isFile).length, "file")}`)),
    h("div", { class: "name-row" }, h("h1", { class: nameOf(entity).length > LONG ? "long" : null }, named(entity)), h("div", { class: "row" },
      h("a", { class: "button", href: to("connect", null, { a: entity.id }) }, icon("connect"), "Connect", h("kbd", { class: "desk" }, "c")),
      rowOf("ask") ? h("a", { class: "button", href: to("ask", null, { h: entity.id }) }, icon("ask"), "Ask") : null, more)),
    description ? h("p", { class: "lead" }, label(shortened(description, LEAD))) : answer.composed ? h("p", { class: "lead", title: "Composed from its facts; no description is stated." }, label(shortened(answer.composed, LEAD))) : null,
    aliases.length ? h("p", { class: "aliases", title: plain(aliases.join(", ")) }, "also ", label(shortened(aliases.slice(0, 4).join(", "), 120)), aliases.length > 4 ? ` +${aliases.length - 4}` : null) : null,
    h("p", { class: "ids" }, identifiers.slice(0, 4), h("span", { class: "code" }, label(shortened(entity.id, 80))), copies),
    mergedFrom(answer.merged_from),
    stats.length ? h("dl", { class: "stats" }, stats.map((/** @type {any} */ one) => h("div", {}, h("dt", {}, named(one.property)), h("dd", {}, label(numeral(one)))))) : null);
}

/** The names that were merged into it, each with how sure that is and why. @param {any[]} merges */
function mergedFrom(merges) {
  if (!merges.length) return null;
  const button = h("button", { type: "button", class: "link", "aria-expanded": "false", "aria-haspopup": "dialog", onclick: () => popover(button, [h("h2", {}, "Merged into one"),
    h("ul", { class: "merges" }, merges.map((one) => h("li", {}, h("div", { class: "row" }, h("code", { class: "grow" }, label(one.id)), h("b", {}, percent(one.probability))),
      h("p", {}, label([one.method === "identified" ? "sources say so" : "by what they say of both", ...one.reasons].join("; "))), sourceButton([one.origin])))),
    h("p", { class: "note" }, "Facts said of these names are shown as its own; their rows say of which name.")], { label: "Merged names" }) }, `Merged from ${plural(merges.length, "other name")}`);
  return h("p", { class: "aliases" }, button);
}

/** @param {any} attribute */
const isNumber = ({ role, datatype, value }) => role === "value" && /#(integer|decimal|double|float|int|long|gYear|date|short|nonNegativeInteger)$/.test(datatype) && value.length < 24;
/** @param {any} attribute */
const isIdentifier = ({ role, value }) => role === "identifier" && value.length <= 40;
/** A number with its thousands parted; four digits stay together, as a year does that nobody called one. @param {any} attribute */
const numeral = ({ datatype, value }) => (/(integer|decimal|double|float|int|long)$/.test(datatype) && Number.isFinite(Number(value)) && Math.abs(Number(value)) < 1e15 ? Number(value).toLocaleString("en", { maximumFractionDigits: 6, useGrouping: "min2" }) : value);

/**
 * The parts of the list, which the scroll lights; on a phone the drawing is one of them.
 * @param {[string, string, number | null][]} parts
 * @param {HTMLElement} list
 * @param {HTMLElement | null} drawing
 * @param {import("../shell/router.js").Context} context
 */
function tabs(parts, list, drawing, context) {
  const counts = new Map(parts.map(([key, , count]) => [key, h("span", { class: "count" }, count === null ? "" : number(count))]));
  const buttons = parts.map(([key, name]) => h("button", { type: "button", "data-tab": key, "aria-selected": String(key === "facts"), role: "tab", onclick: () => enter(key) }, name, counts.get(key)));
  if (drawing) buttons.splice(3, 0, h("button", { type: "button", class: "phone", role: "tab", "data-tab": "graph", "aria-selected": "false", onclick: () => context.push({ tab: "graph" }) }, "Graph"));
  /** @param {string} key */
  const light = (key) => { for (const button of buttons) button.setAttribute("aria-selected", String(button.dataset.tab === key)); };
  /** @param {string} key */
  function open(key) {
    if (context.place.classList.contains("graph-only")) {
      // Seen at once, or there would be nowhere to go to.
      context.place.classList.remove("graph-only");
      context.push({ tab: null });
    }
    const part = list.querySelector(`#${key}`);
    part?.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    held = Date.now();
    light(key);
  }
  /** Go to a part, the keyboard too: the next Tab is in it. @param {string} key */
  function enter(key) {
    open(key);
    /** @type {HTMLElement | null} */ (list.querySelector(`#${key}`))?.focus({ preventScroll: true });
  }
  let held = 0;
  list.addEventListener("scroll", () => {
    if (Date.now() - held < 800) return;
    const top = list.getBoundingClientRect().top + 60;
    const sections = [.../** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll(":scope > section"))];
    const end = list.scrollTop + list.clientHeight >= list.scrollHeight - 2;
    const at = end && list.scrollTop > 0 ? sections.at(-1) : sections.filter((part) => part.getBoundingClientRect().top <= top).at(-1);
    if (at) light(at.id);
  }, { passive: true });
  /** @param {URLSearchParams} query */
  const update = (query) => {
    const graph = query.get("tab") === "graph";
    const left = context.place.classList.contains("graph-only") && !graph;
    context.place.classList.toggle("graph-only", graph);
    if (graph || left) light(graph ? "graph" : "facts");
  };
  update(context.query);
  /** The arrows go along the tabs that are seen. @param {KeyboardEvent} event */
  function along(event) {
    const by = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (!by) return;
    const seen = buttons.filter((button) => button.checkVisibility());
    seen.at((seen.findIndex((button) => button === event.target) + by) % seen.length)?.focus();
    event.preventDefault();
  }
  return { element: h("div", { class: "tabs", role: "tablist", "aria-label": "About it", onkeydown: along }, buttons), update, open, count: (/** @type {string} */ key, /** @type {number} */ n) => { const place = counts.get(key); if (place) place.textContent = number(n); } };
}

/** The facts that are held, a row for each relation and direction. @param {import("../shell/router.js").Context} context @param {any} answer @param {HTMLElement} place @param {(count: number) => void} counted */
function stated(context, answer, place, counted) {
  /** @type {Group[]} */
  let groups = [];
  let facet = context.query.get("facet") ?? "";
  const rows = h("div", { class: "facts" });
  const chips = h("div", { class: "chips facets", role: "group", "aria-label": "Only facts about" });
  const loaded = Promise.all([
    ask("entities/-/related", { id: answer.entity.id, predicted: false, k: FACTS }),
    ready(),
  ]).then(([{ related }]) => {
    groups = grouped(related, answer.degrees);
    counted(groups.reduce((sum, group) => sum + group.count, 0));
    draw();
  });
  const none = h("p", { class: "note" }, "Nothing is linked with it: the data states no fact from it or to it.");
  put(place, later(loaded, () => [groups.length ? [chips, rows] : none, total(answer.degrees) ? null : described(answer)], { rows: 8 }));

  function draw() {
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { facts } of groups) for (const fact of facts) for (const type of otherEnd(fact).types.slice(0, 1)) counts.set(type, (counts.get(type) ?? 0) + 1);
    const sorted = [...counts].sort((one, other) => other[1] - one[1]);
    const known = groups.reduce((sum, { facts }) => sum + facts.length, 0);
    const count = groups.reduce((sum, group) => sum + group.count, 0);
    // As many types as stand on one line, about.
    let width = FACETS;
    const fits = sorted.filter(([name]) => (width -= 6.5 * Math.min(name.length, 32) + 48) > 0).length;
    /** @param {string} name @param {import("../parts/dom.js").Content} text @param {number} n */
    const chip = (name, text, n) => h("button", { type: "button", class: "chip", "aria-pressed": String(facet === name), onclick: () => context.push({ facet: name || null }) }, name ? dot(typeNamed(name)) : null, text, h("span", { class: "count" }, number(n)));
    const shown = sorted.filter(([name], i) => i < fits || name === facet);
    const others = sorted.filter(([name]) => !shown.some(([other]) => other === name));
    const rest = others.length ? h("button", { type: "button", class: "chip", onclick: () => { rest?.replaceWith(...others.map(([name, n]) => chip(name, label(name), n))); } }, `+${others.length}`) : null;
    put(chips, chip("", "All", count), shown.map(([name, n]) => chip(name, label(shortened(name, 32)), n)), rest);
    put(rows, groups.map((group) => row(group, answer.entity.id, facet, draw)),
      known < count ? h("p", { class: "note" }, `${number(known)} of ${number(count)} facts are read; types are counted among these.`) : null);
  }
  return { update: (/** @type {URLSearchParams} */ query) => { facet = query.get("facet") ?? ""; if (groups.length) draw(); } };
}

/** Facts by relation and direction; both directions of a symmetric relation are one. @param {Fact[]} related @param {any[]} degrees @returns {Group[]} */
function grouped(related, degrees) {
  /** @type {Map<string, Group>} */
  const groups = new Map();
  /** @param {any} relation @param {string | null} direction */
  const keyOf = (relation, direction) => `${isSymmetric(relation) ? "out" : direction} ${relation.id}`;
  /** @param {any} relation @param {any} direction @returns {Group} */
  const of = (relation, direction) => {
    const key = keyOf(relation, direction);
    const group = groups.get(key) ?? { relation, direction: isSymmetric(relation) ? "out" : direction, count: 0, facts: [], more: false };
    groups.set(key, group);
    return group;
  };
  for (const { relation, direction, count } of degrees) of(relation, direction).count += count;
  for (const fact of related) {
    const group = of(fact.relation, fact.direction);
    group.facts.push(fact);
    // What was read out of texts is no edge: the degrees do not count it.
    if (fact.status === "extracted") group.count += 1;
  }
  return [...groups.values()];
}

/** One row: the relation, whom it leads to, and where that is written. @param {Group} group @param {string} id @param {string} facet @param {() => void} redraw */
function row(group, id, facet, redraw) {
  const facts = facet ? group.facts.filter((fact) => otherEnd(fact).types.includes(facet)) : group.facts;
  if (facet && !facts.length) return null;
  const missing = facet ? 0 : group.count - group.facts.length;
  const most = group.more ? facts.length : fitting(facts);
  const hidden = Math.max(0, facts.length - most) + missing;
  const [first] = facts;
  const alike = first !== undefined && facts.every((fact) => fact.status === first.status);
  const key = `${group.relation.id} ${group.direction}`;
  const expand = async () => {
    if (missing) {
      const { related } = await ask("entities/-/related", { id, relation: group.relation.id, direction: group.direction, predicted: false, k: MOST });
      const had = new Set(group.facts.map((fact) => otherEnd(fact).id));
      group.facts.push(...related.filter((/** @type {Fact} */ fact) => !had.has(otherEnd(fact).id)));
    }
    group.more = true;
    redraw();
    /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(`[data-group="${CSS.escape(key)}"] > a`))[most]?.focus();
  };
  const origins = facts.flatMap((fact) => fact.origins);
  const note = facts.find((fact) => fact.support_note)?.support_note;
  return h("div", { class: "fact" },
    h("span", { class: "relation" }, alike && first.status !== "stated" ? signOf(first) : null, phrase(group.relation, group.direction)),
    h("span", { class: "names", "data-group": key }, facts.slice(0, most).map((fact, i) => [i ? ", " : null, entityLink(otherEnd(fact)), fact.status !== "stated" && !alike ? [" ", signOf(fact)] : null, confidence(fact)]),
      !facts.length && missing ? h("span", { class: "quiet" }, plural(missing, "entity", "entities")) : null,
      hidden > 0 ? [" ", h("button", { type: "button", class: "pill", "aria-label": `${number(hidden)} more`, onclick: expand }, `+${number(hidden)}`)] : null),
    sourceButton(origins, [id, ...facts.map((fact) => otherEnd(fact).iri), ...facts.map((fact) => fact.relation.iri)]) ?? (note ? h("span", { class: "source clip", title: plain(note) }, label(shortened(note, 60))) : null));
}

/** How many names stand in a row: some, and as far as they fill no second line. @param {Fact[]} facts */
function fitting(facts) {
  let room = LETTERS;
  return Math.max(1, facts.slice(0, NAMES).filter((fact) => (room -= nameOf(otherEnd(fact)).length + 2) >= 0).length);
}

/** The mark of what no file states as such. @param {Fact} fact */
const signOf = (fact) => mark(fact.status);

/** How sure what was read out of a text is, with its sentence. @param {Fact} fact */
function confidence({ status, qualifiers }) {
  if (status !== "extracted") return null;
  const said = new Map(qualifiers.map((one) => [one.label, one.value]));
  return h("small", { title: plain(String(said.get("sentence") ?? "")) }, ` ${percent(Number(said.get("confidence")))}, from a text`);
}

/** What the model expects and no file states. @param {any} answer @param {HTMLElement} place @param {(count: number) => void} counted */
function expected({ entity, predictable }, place, counted) {
  if (!predictable) {
    put(place, later(served(), ({ edges, model }) => {
      counted(0);
      if (!edges) return empty({ icon: "eye", title: "Nothing can be predicted", text: "No two entities are linked, so there is nothing to learn from. Where columns name things of their own, a mapping makes links of them.", command: "sightline profile FILES" });
      return model
        ? empty({ icon: "eye", title: "Nothing is predicted for it", text: "The model knows neither it nor its relations." })
        : empty({ icon: "eye", title: "Nothing is predicted yet", text: "Facts, paths and tables are complete. Train to see what is missing.", command: "sightline train -w WORKSPACE" });
    }));
    return;
  }
  put(place, later(Promise.all([ask("entities/-/related", { id: entity.id, known: false, extracted: false, k: PREDICTED }), ready()]), ([answer]) => {
    const facts = [...answer.related].sort((one, other) => (other.probability_if_any ?? 0) - (one.probability_if_any ?? 0));
    const likely = facts.filter((fact) => !fact.abstain);
    const guesses = facts.filter((fact) => fact.abstain);
    counted(likely.length);
    const line = answer.abstain_below === null ? null : `the line of ${percent(answer.abstain_below)}`;
    const folded = guesses.length ? h("details", { class: "guesses" }, h("summary", {}, mark("predicted", true), `${plural(guesses.length, "guess", "guesses")} below ${percent(answer.abstain_below ?? 0)}`)) : null;
    folded?.addEventListener("toggle", () => folded.childElementCount < 2 && folded.append(h("p", { class: "note" }, "Even if it has one more such fact, each of these is little more than a guess."), h("ol", {}, guesses.map((fact) => prediction(fact, answer)))));
    return [
      h("div", { class: "section-title" }, mark("predicted", true), h("h2", {}, "Predicted, not stated"), line && likely.length ? h("span", { class: "quiet" }, `above ${line}`) : null),
      answer.model && answer.model !== "student" ? h("p", { class: "note" }, label(`By the ${answer.model}.`)) : null,
      likely.length ? h("ol", {}, likely.map((fact) => prediction(fact, answer))) : h("p", { class: "note" }, line ? `Nothing is above ${line}.` : "The model expects nothing that the data does not state."),
      folded, answer.truncated ? partial(label(answer.reason ?? "cut by the deadline")) : null,
    ];
  }));
}

/** @param {Fact} fact @param {Reliability} told */
function prediction(fact, told) {
  const other = otherEnd(fact);
  const paths = fact.support.length ? fact.support : fact.rule?.paths ?? [];
  const [best] = paths;
  const about = fact.direction === "in" ? fact.tail.id : fact.head.id;
  const more = () => [paths.length ? [h("hr"), h("strong", {}, "What the graph says for it"), h("ul", {}, paths.map((path) => h("li", {}, chain(path, about)))), h("p", { class: "note" }, "The model does not see these paths. They are evidence, not its reasons.")] : h("p", { class: "note" }, label(fact.support_note ?? "The graph holds no support for it."))];
  return h("li", { class: "prediction" }, mark("predicted"),
    h("span", {}, h("span", { class: "quiet" }, phrase(fact.relation, fact.direction)), " ", entityLink(other, { kind: "new" })),
    chance(fact, told, { more }),
    best || fact.support_note ? h("span", { class: "because" }, best ? chain(best, about) : null, fact.support_note ? h("small", {}, label(fact.support_note)) : null) : null);
}

/** What lies near it in the learned space. @param {any} answer @param {HTMLElement} place @param {(count: number) => void} counted */
function alike({ entity, known_to_model }, place, counted) {
  if (!known_to_model) {
    counted(0);
    return;
  }
  put(place, later(ask("entities/-/similar", { id: entity.id, k: SIMILAR }), ({ similar, reason }) => {
    counted(similar.length);
    return [h("div", { class: "section-title" }, h("h2", {}, "Similar"), h("span", { class: "quiet" }, "cosine in the learned space")),
      similar.length ? h("ol", { class: "similar-list" }, similar.map((/** @type {any} */ one) => h("li", {}, dotOf(one.entity), entityLink(one.entity, { kind: "bare" }), h("span", { class: "quiet" }, one.similarity.toFixed(2)))))
        : h("p", { class: "note" }, label(reason))];
  }, { failed: (error) => { counted(0); return h("p", { class: "note" }, label(error.message)); } }));
}

/** Attributes that the head does not show. @param {any} answer */
function described({ entity, description, attributes }) {
  const shown = new Set([nameOf(entity), entity.label, description]);
  const first = new Set(attributes.filter(isNumber).slice(0, STATS));
  const left = attributes.filter((/** @type {any} */ one) => !shown.has(one.value) && !isIdentifier(one) && !first.has(one) && one.role !== "alias");
  if (!left.length) return [];
  return [h("div", { class: "section-title" }, h("h2", {}, "Attributes")), h("div", { class: "facts attributes" }, left.map((/** @type {any} */ one) => h("div", { class: "fact" }, h("span", { class: "relation", title: plain(one.property.iri) }, named(one.property)),
      h("span", { class: "names" }, one.value.length > LEAD ? h("details", {}, h("summary", {}, label(shortened(one.value, LEAD))), label(one.value)) : label(numeral(one)), one.language ? h("small", {}, ` ${one.language}`) : null),
      sourceButton(one.origins, [one.property.iri]))))];
}

/** @param {any} answer */
function loads({ loads: from }) {
  return [h("div", { class: "section-title" }, h("h2", {}, "Sources"), h("span", { class: "quiet" }, "files that say something of it")),
    from.length ? h("ul", { class: "loads" }, from.map((/** @type {any} */ one) => h("li", {}, icon("file"), h("span", { class: "grow" }, label(fileOf(one.source))), h("code", { class: "faint" }, one.load.slice(0, 8))))) : h("p", { class: "note" }, "No file says anything of it.")];
}
