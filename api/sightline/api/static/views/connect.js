// #/connect?a=…&b=…&hops=3&not=…&via=…&must=…&shape=2&order=&draw=&show= : how two sides are connected. A side is one entity,
// several or a type. Left: shapes as sentences with their paths; right: all of them as one graph.

import { ask, queryOf } from "../shell/api.js";
import { listOf } from "../shell/url.js";
import { copy, h, label, number, plain, plural, put, say, shortened, tell } from "../parts/dom.js";
import { examplesOf } from "../parts/examples.js";
import { entityLink, nameOf, named, read, ready as relationsReady, verb, withArticle } from "../parts/facts.js";
import { icon } from "../parts/icons.js";
import { pValue, score } from "../parts/marks.js";
import { popover } from "../parts/popover.js";
import { searchBox } from "../parts/search.js";
import { sourceButton } from "../parts/source.js";
import { empty, later, partial } from "../parts/states.js";
import { csvOf, download } from "../parts/table.js";
import { dot, dotOf, ready, typeNamed, types } from "../parts/types.js";
import { drawPaths } from "./paths.js";

/** @typedef {import("../answers.js").Path} Path */
/** @typedef {import("../answers.js").Entity} Entity */
/** @typedef {{ metapath: string, steps: { relation: import("../answers.js").Ref, forward: boolean }[], score: number, count: number, p_value: number | null, q_value: number | null, note: string, paths: Path[] }} Shape */
/** @typedef {{ source: Entity[], target: Entity[], paths: Path[], metapaths: Shape[], found: number, truncated: boolean, reason: string | null }} Answer */

/** Paths asked for, shown of a shape at first, and how long is searched. */
const ASKED = 400;
const FIRST = 4;
const DEADLINE = 2000;
const LONGER = 10_000;
const MOST = 1000;
const SHAPES = 12;
/** Steps of a path at the most. Where nobody says how many, the service looks as far for the nearest. */
const MOST_HOPS = 6;
/** Choices of how shapes are ordered and how many are drawn. */
const ORDERS = { chance: "Least likely by chance first", score: "Best connected first", length: "Shortest first" };
const DRAWN = { 1: "This shape", 5: "Best 5 shapes", 12: "Best 12 shapes" };

/** @param {import("../shell/router.js").Context} context */
export async function view(context) {
  const { place, push, title } = context;
  let query = new URLSearchParams(context.query);
  title("Connect");
  const [, relations] = await Promise.all([ready(), relationsReady()]);
  /** @type {Map<string, Entity>} */
  const known = new Map();
  let deadline = DEADLINE;

  const form = h("div", { class: "form" });
  const results = h("div", { class: "results" });
  const drawing = h("div", { class: "pane ground drawing" });
  put(place, h("div", { class: "panes" }, h("div", { class: "pane left", "data-scroll": true }, form, results), drawing));

  const ends = () => ({ a: listOf(query, "a"), b: listOf(query, "b") });
  const question = () => ({
    source: ends().a, target: ends().b, max_hops: query.get("hops"), exclude: listOf(query, "not"), types: listOf(query, "via"),
    include: listOf(query, "must"), include_mode: listOf(query, "must").length ? "any" : null, k: ASKED, deadline_ms: deadline,
  });
  /** @param {{ relation: import("../answers.js").Ref, forward: boolean }} step */
  const phrase = ({ relation, forward }) => read(relation, forward);

  let asked = "";
  async function show() {
    drawForm();
    const { a, b } = ends();
    if (!a.length || !b.length) {
      asked = "";
      put(results, h("div", { class: "start" }, h("h1", {}, "How are they connected?"), h("p", { class: "quiet" }, "Choose two sides. Each may be an entity, several, or a type."), examplesOf("connect")));
      put(drawing, empty({ icon: "connect", title: "Nothing to draw yet", text: "The drawing shows every path between the two sides." }));
      return;
    }
    const key = JSON.stringify(question());
    // What is awaited is drawn as the address says then.
    if (key === asked) return results.querySelector("[aria-busy]") ? undefined : answered(answer);
    asked = key;
    const began = performance.now();
    put(results, later(ask("paths", question()), (found) => {
      [answer, took] = [found, performance.now() - began];
      queueMicrotask(() => answered(found));
      return null;
    }, { rows: 8 }));
  }
  /** @type {Answer} */
  let answer = { source: [], target: [], paths: [], metapaths: [], found: 0, truncated: false, reason: null };
  let took = 0;

  /** @param {Answer} found */
  function answered(found) {
    for (const one of [...found.source, ...found.target]) known.set(one.id, one);
    const [left, right] = [sideName(ends().a), sideName(ends().b)];
    title(`${plain(left)} and ${plain(right)}`);
    const shapes = ordered(found, query.get("order") ?? "chance");
    const wait = h("button", { type: "button", class: "button", onclick: () => { deadline = LONGER; show(); } }, `Search ${LONGER / 1000} s`);
    const shorter = Number(query.get("hops") ?? 3) > 1 ? h("button", { type: "button", class: "button", onclick: () => push({ hops: Number(query.get("hops") ?? 3) - 1, shape: null }) }, "Fewer steps") : null;
    const farther = found.reason && shapes.length ? partial(label(`${found.reason[0]?.toUpperCase()}${found.reason.slice(1)}: the nearest are shown.`)) : null;
    const cut = found.truncated ? partial(label(`Not everything was searched: ${found.reason}.`), deadline < LONGER ? wait : null, shorter) : farther;
    if (!shapes.length) {
      put(results, h("h1", { class: "hidden" }, label(`How ${left} and ${right} are connected`)), cut, empty({ icon: "connect", title: `No path of up to ${plural(Number(query.get("hops") ?? MOST_HOPS), "step")}`, text: "Nothing that may be walked joins the two sides.", actions: [
        Number(query.get("hops") ?? MOST_HOPS) < MOST_HOPS ? h("button", { type: "button", class: "button", onclick: () => push({ hops: Number(query.get("hops")) + 1, shape: null }) }, "Allow one more step") : null,
        ["not", "via", "must"].some((name) => query.has(name)) ? h("button", { type: "button", class: "button", onclick: () => push({ not: null, via: null, must: null, shape: null }) }, "Without conditions") : null] }));
      put(drawing, null);
      return;
    }
    const chosen = Math.min(Number(query.get("shape") ?? 1) || 1, shapes.length) - 1;
    const order = h("select", { class: "plain-select", "aria-label": "Order", onchange: () => push({ order: order.value === "chance" ? null : order.value, shape: null }) },
      Object.entries(ORDERS).map(([value, text]) => h("option", { value, selected: value === (query.get("order") ?? "chance") }, text)));
    const list = h("ol", { class: "shapes" });
    const most = Math.max(...shapes.map((shape) => shape.score));
    const rows = (/** @type {number} */ upto) => put(list, shapes.slice(0, upto).map((shape, i) => row(shape, i, i === chosen, most, left, right)),
      shapes.length > upto ? h("li", { class: "more" }, h("button", { type: "button", class: "link", onclick: () => rows(shapes.length) }, `${plural(shapes.length - upto, "more shape")}`)) : null);
    rows(Math.max(SHAPES, chosen + 1));
    const at = document.activeElement?.closest("[data-shape]")?.getAttribute("data-shape");
    put(results, h("h1", { class: "hidden" }, label(`How ${left} and ${right} are connected`)), cut, h("div", { class: "summary" }, h("b", {}, plural(found.found, "path")), h("span", { class: "quiet" }, ` in ${plural(shapes.length, "shape")}`, h("span", { class: "desk" }, `, ${number(Math.round(took))} ms`)), order), list);
    // The list is made anew: who was in it by keyboard stays there.
    if (at) /** @type {HTMLElement | null} */ (list.querySelector(`[data-shape="${at}"] .sentence`))?.focus({ preventScroll: true });
    draw(shapes, chosen);
    say(`${plural(found.found, "path")} in ${plural(shapes.length, "shape")}`);
  }

  /** A side in words. @param {string[]} ids */
  function sideName(ids) {
    const [first = ""] = ids;
    const type = types().find((one) => one.id === first);
    if (ids.length > 1) return `${number(ids.length)} ${ids.every((id) => !types().some((one) => one.id === id)) ? "entities" : "groups"}`;
    return type ? `any ${type.label}` : nameOf(known.get(first) ?? { id: first, label: first }, 60);
  }

  /** A path leads from one of a set. @param {string[]} ids @param {string} name */
  const oneOf = (ids, name) => (ids.length > 1 ? `one of ${name}` : name);

  /** @param {Shape} shape @param {number} i @param {boolean} open @param {number} most @param {string} left @param {string} right */
  function row(shape, i, open, most, left, right) {
    const button = h("button", { type: "button", class: "sentence", "aria-expanded": String(open), onclick: () => push({ shape: open ? null : i + 1 }) }, sentence(shape, oneOf(ends().a, left), oneOf(ends().b, right)));
    const p = shape.p_value === null ? untested(shape) : pValue(shape.p_value, shape.q_value);
    const all = open ? h("ul", { class: "paths" }) : null;
    if (all) fillPaths(all, shape, FIRST);
    const item = h("li", { class: open ? "shape open" : "shape", "data-shape": i }, button,
      h("div", { class: "numbers" }, p, score(shape.score, most), h("span", { class: "count quiet" }, plural(shape.count, "path")), icon(open ? "chevron" : "right")), all);
    item.addEventListener("pointerenter", () => picture?.mark({ shape: i }));
    item.addEventListener("pointerleave", () => picture?.mark(null));
    return item;
  }

  /** Why a shape has no p-value. @param {Shape} shape */
  function untested(shape) {
    const [kind = "", ...why] = shape.note.split(": ");
    const button = h("button", { type: "button", class: "p", "aria-expanded": "false", "aria-haspopup": "dialog", onclick: () => popover(button, [h("h2", {}, kind === "not tested" ? "Not tested" : "Not testable"), h("p", {}, label(why.join(": ") || shape.note))], { label: "Why there is no p-value" }) },
      kind === "not tested" ? "not tested" : "not testable");
    return button;
  }

  /** "Switzerland borders ● a country that is crossed by ● a river that flows into the Danube". @param {Shape} shape @param {string} left @param {string} right */
  function sentence(shape, left, right) {
    const between = shape.steps.slice(0, -1).map((_, i) => typeBetween(shape, i));
    return [h("b", {}, label(left)), shape.steps.map((step, i) => {
      const type = between[i];
      const last = i === shape.steps.length - 1;
      const said = verb(step.relation, step.forward);
      // What has no name against its direction reads in it, where that is a verb: "something that Nepal is a member of".
      const onward = verb(step.relation, true);
      if (last && i && said.startsWith("←") && onward !== nameOf(step.relation)) return [" ", h("b", {}, label(right)), " ", label(onward)];
      return [" ", label(said), " ", last ? h("b", {}, label(right)) : [h("span", { class: "between" }, dot(typeNamed(type ?? "")), label(type ? withArticle(type) : "something")), " that"]];
    })];
  }

  /** The type that all entities at a place of a shape have, as far as they are known. @param {Shape} shape @param {number} i */
  function typeBetween(shape, i) {
    const [first, ...rest] = shape.paths.map((path) => path.steps[i]?.target.types ?? []);
    return (first ?? []).find((type) => rest.every((some) => some.includes(type)));
  }

  /** @param {HTMLElement} list @param {Shape} shape @param {number} upto */
  function fillPaths(list, shape, upto) {
    const rest = shape.count - Math.min(upto, shape.paths.length);
    put(list, shape.paths.slice(0, upto).map((path) => {
      const item = h("li", { "data-ids": path.steps.map((step) => step.target.id).join(" ") }, h("div", { class: "line" },
        h("span", { class: "grow nodes" }, middle(path)), h("span", { class: "quiet" }, path.score.toPrecision(2)),
        sourceButton(path.steps.flatMap((step) => step.origins), path.steps.flatMap((step) => [step.source.id, step.relation.id, step.target.id]))));
      item.addEventListener("pointerenter", (event) => { event.stopPropagation(); picture?.mark({ path }); });
      item.addEventListener("pointerleave", () => picture?.mark(null));
      return item;
    }), rest > 0 ? h("li", {}, h("button", { type: "button", class: "link", onclick: () => moreOf(list, shape, upto) }, `${plural(rest, "more path")} of this shape`)) : null);
  }

  /** What a path passes; of one step, its ends. @param {Path} path */
  function middle(path) {
    const entities = path.steps.length > 1 && ends().a.length === 1 && ends().b.length === 1 && answer.source.length === 1 && answer.target.length === 1
      ? path.steps.slice(0, -1).map((step) => step.target) : [...path.steps.slice(0, 1).map((step) => step.source), ...path.steps.map((step) => step.target)];
    return entities.map((entity, i) => [i ? h("span", { class: "sep", "aria-hidden": "true" }, "›") : null, h("span", { class: "node" }, dotOf(entity), entityLink(entity, { kind: "bare" }))]);
  }

  /** More paths of one shape; those that the answer lacks are asked for by their steps. @param {HTMLElement} list @param {Shape} shape @param {number} upto */
  async function moreOf(list, shape, upto) {
    if (shape.paths.length < Math.min(shape.count, upto + 20)) {
      const each = shape.steps.map(({ relation, forward }) => `${forward ? "" : "^"}<${relation.iri}>`);
      try {
        const found = await ask("paths", { ...question(), include: null, include_mode: null, k: MOST, pattern: each.join("/"), max_hops: shape.steps.length });
        const seen = new Set(shape.paths.map((path) => JSON.stringify(path.steps.map((step) => [step.source.id, step.relation.id, step.target.id]))));
        shape.paths.push(...found.paths.filter((/** @type {Path} */ path) => path.length === shape.steps.length && !seen.has(JSON.stringify(path.steps.map((step) => [step.source.id, step.relation.id, step.target.id])))));
      } catch (error) {
        if (/** @type {Error} */ (error).name !== "AbortError") tell(/** @type {Error} */ (error).message);
      }
    }
    fillPaths(list, shape, upto + 20);
  }

  /** @type {ReturnType<typeof drawPaths> | null} */
  let picture = null;
  /** @param {Shape[]} shapes @param {number} chosen */
  function draw(shapes, chosen) {
    const many = Number(query.get("draw") ?? 5);
    const drawn = many === 1 ? [shapes[chosen] ?? shapes[0]] : [...new Set([shapes[chosen], ...shapes.slice(0, many)])];
    const shown = /** @type {Shape[]} */ (drawn.filter(Boolean));
    const area = h("div", { class: "picture" });
    const choose = h("select", { class: "plain-select", "aria-label": "What is drawn", onchange: () => push({ draw: choose.value === "5" ? null : choose.value }) }, Object.entries(DRAWN).map(([value, text]) => h("option", { value, selected: Number(value) === many }, text)));
    const only = query.get("show") === "list";
    const mode = h("div", { class: "segment", role: "group", "aria-label": "How it is shown" }, [["", "Layers"], ["free", "Free"], ["list", "List only"]].map(([value, text]) => h("button", { type: "button", "aria-pressed": String((query.get("show") ?? "") === value), onclick: () => push({ show: value || null }) }, text)));
    const save = h("button", { type: "button", class: "icon-button", "aria-label": "Save", title: "Save", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => popover(save, [
      h("button", { type: "button", onclick: () => picture && download("paths.svg", picture.svg(), "image/svg+xml") }, "SVG, the drawing"),
      h("button", { type: "button", onclick: () => download("paths.csv", csvOf([["score", "shape", "path", "sources"], ...answer.paths.map((path) => [path.score, path.metapath, path.text, path.steps.flatMap((step) => step.origins.map((origin) => `${origin.source}, ${origin.place}`)).join("; ")])])) }, "CSV, all paths"),
    ], { label: "Save as", kind: "menu" }) }, icon("down"));
    const address = `/v1/paths?${queryOf({ ...question(), deadline_ms: null })}`;
    const copies = h("button", { type: "button", class: "icon-button", "aria-label": "Copy the question as an address", title: plain(address.slice(0, 300)), onclick: () => copy(location.origin + address) }, icon("copy"));
    const legend = h("div", { class: "float legend" });
    place.classList.toggle("list-only", only);
    put(drawing, area, h("div", { class: "float modes" }, mode), h("div", { class: "float tools" }, choose, h("i", { class: "rule" }), h("button", { type: "button", class: "icon-button", "aria-label": "Fit", title: "Fit (f)", onclick: () => picture?.fit() }, icon("fit")), save), legend);
    picture = drawPaths(area, { shapes: shown, chosen: many === 1 ? 0 : shown.indexOf(/** @type {Shape} */ (shapes[chosen])), source: answer.source, target: answer.target, phrase, numbers: shown.map((shape) => shapes.indexOf(shape)), onHover: point, free: query.get("show") === "free" });
    const met = [...new Set(shown.flatMap((shape) => shape.paths.flatMap((path) => path.steps.flatMap((step) => [step.source, step.target]))).map((entity) => entity.types.find((one) => typeNamed(one)) ?? ""))].filter(Boolean);
    put(legend, met.slice(0, 5).map((type) => h("span", { class: "type" }, dot(typeNamed(type)), label(shortened(type, 24)))), met.length > 5 ? h("span", { class: "quiet desk" }, `${met.length - 5} more`) : null, h("i", { class: "rule" }),
      h("span", { class: "type width-key" }, h("i", { class: "thin" }), h("i", { class: "thick" }), "width: path score through this fact"),
      picture.left ? h("span", { class: "quiet" }, `${plural(picture.left, "entity", "entities")} not drawn`) : null,
      h("span", { class: "api quiet desk" }, "GET /v1/paths"), copies);
  }

  /** Mark in the list what the pointer is at in the drawing. @param {string | null} id */
  function point(id) {
    for (const item of results.querySelectorAll("[data-ids]")) item.classList.toggle("pointed", id !== null && (/** @type {HTMLElement} */ (item).dataset.ids ?? "").split(" ").includes(id));
    for (const link of results.querySelectorAll("[data-id]")) link.classList.toggle("pointed", /** @type {HTMLElement} */ (link).dataset.id === id);
  }

  function drawForm() {
    const { a, b } = ends();
    const hops = query.get("hops") ?? "3";
    const swap = h("button", { type: "button", class: "icon-button swap", "aria-label": "Swap the sides", title: "Swap the sides", onclick: () => push({ a: b, b: a, shape: null }) }, icon("swap"));
    const steps = menu(h("button", { type: "button", class: "chip on" }, hops === "1" ? "1 step" : `Up to ${hops} steps`, icon("chevron")), () => [1, 2, 3, 4, 5, 6].map((n) => h("button", { type: "button", onclick: () => push({ hops: n === 3 ? null : n, shape: null }) }, n === 1 ? "1 step" : `Up to ${n} steps`)), "Steps");
    /** The conditions of one sort, whose word adds another; without one, what adds the first. @param {string} name @param {string} word @param {(id: string) => import("../parts/dom.js").Content} said @param {() => import("../parts/dom.js").Content} choices @param {string} what @param {import("../parts/dom.js").Content} first */
    const chips = (name, word, said, choices, what, first) => (listOf(query, name).length ? listOf(query, name).map((id) => h("span", { class: "chip" }, menu(h("button", { type: "button", class: "word", title: "One more" }, word), choices, what), " ", h("b", {}, said(id)),
      h("button", { type: "button", class: "off", "aria-label": `Without this condition: ${word}`, onclick: () => push({ [name]: listOf(query, name).filter((one) => one !== id), shape: null }) }, icon("close"))))
      : menu(h("button", { type: "button", class: "chip" }, first), choices, what));
    /** @param {string} id */
    const relation = (id) => named(relations.get(id)?.relation ?? { id, label: id });
    /** @param {string} name */
    const add = (name) => (/** @type {string} */ id) => push({ [name]: [...new Set([...listOf(query, name), id])], shape: null });
    /** @param {(id: string) => void} choose */
    const ofRelations = (choose) => [...relations.values()].map((one) => h("button", { type: "button", onclick: () => choose(one.relation.id) }, h("span", { class: "grow clip" }, named(one.relation)), h("span", { class: "quiet" }, number(one.edges))));
    const ofTypes = () => types().map((type) => h("button", { type: "button", onclick: () => add("via")(type.id) }, dot(type), h("span", { class: "grow clip" }, named(type)), h("span", { class: "quiet" }, number(type.entities))));
    const typeOfId = (/** @type {string} */ id) => named(types().find((one) => one.id === id) ?? { id, label: id });
    put(form, h("form", { class: "ends", onsubmit: (/** @type {Event} */ event) => event.preventDefault() }, side("a", "From", a), swap, side("b", "To", b)),
      h("div", { class: "conditions" }, steps, chips("not", "Not", relation, () => ofRelations(add("not")), "Do not walk", "Not …"),
        chips("via", "Via", typeOfId, ofTypes, "Entities between have this type", ["Via any type", icon("chevron")]),
        chips("must", "Uses", relation, () => ofRelations(add("must")), "At least one step is of this relation", [icon("plus"), "Must use…"])));
  }

  /** @param {HTMLButtonElement} button @param {() => import("../parts/dom.js").Content} content @param {string} name */
  function menu(button, content, name) {
    button.setAttribute("aria-haspopup", "dialog");
    button.setAttribute("aria-expanded", "false");
    if (!button.textContent) button.setAttribute("aria-label", name);
    button.addEventListener("click", () => popover(button, [h("p", { class: "note" }, name), content()], { label: name, kind: "menu" }));
    return button;
  }

  /** One side: what it holds, and a field that adds to it. @param {"a" | "b"} which @param {string} name @param {string[]} ids */
  function side(which, name, ids) {
    const put_ = (/** @type {string} */ id) => push({ [which]: [...new Set([...ids, id])], shape: null });
    const { box, input } = searchBox({ name, placeholder: ids.length ? "or also …" : name === "From" ? "From entity or type" : "To entity or type", sorts: ["entity", "type"],
      choose: (entity) => { known.set(entity.id, entity); put_(entity.id); }, chooseRef: (ref) => put_(ref.id) });
    /** @param {string} id @returns {HTMLElement} */
    const chip = (id) => {
      const type = types().find((one) => one.id === id);
      const entity = known.get(id);
      const made = h("span", { class: "held" }, type ? dot(type) : entity ? dotOf(entity) : null, h("b", { class: "clip" }, type ? ["any ", named(type)] : named(entity ?? { id, label: id })),
        h("span", { class: "quiet clip" }, label(type ? plural(type.entities, "entity", "entities") : entity?.types[0] ?? "")),
        h("button", { type: "button", class: "off", "aria-label": plain(`Take out ${entity ? nameOf(entity) : id}`), onclick: () => push({ [which]: ids.filter((one) => one !== id), shape: null }) }, icon("close")));
      // Only this chip is drawn again when its name is known: somebody may type beside it.
      if (!type && !entity) ask("entities/-", { id }).then(({ entity: one }) => { known.set(id, one); made.replaceWith(chip(id)); }, () => null);
      return made;
    };
    const held = ids.map(chip);
    if (!ids.length && (which === "a" || ends().a.length)) setTimeout(() => input.isConnected && !document.querySelector(".popover") && input.focus({ preventScroll: true }));
    const adding = h("div", { class: "adding", hidden: ids.length > 0 }, box);
    const more = ids.length ? h("button", { type: "button", class: "off add", "aria-label": `${name}: one more`, title: "One more", onclick: () => { adding.hidden = false; input.focus(); } }, icon("plus")) : null;
    return h("div", { class: `side ${ids.length ? "full" : ""}`, role: "group", "aria-label": name }, held, more, adding);
  }

  context.keys({ s: { does: "swap the sides", run: () => push({ a: ends().b, b: ends().a, shape: null }) }, f: { does: "fit the drawing", run: () => picture?.fit() } });
  await show();
  return {
    update: (/** @type {URLSearchParams} */ next) => {
      query = new URLSearchParams(next);
      show();
    },
  };
}

/** The shapes with their paths, in an order; direct facts always come first. @param {Answer} answer @param {string} order @returns {Shape[]} */
function ordered({ metapaths, paths }, order) {
  /** @type {Map<string, Path[]>} */
  const of = new Map();
  for (const path of paths) of.set(path.metapath, [...(of.get(path.metapath) ?? []), path]);
  const shapes = metapaths.map((shape) => ({ ...shape, paths: of.get(shape.metapath) ?? [] }));
  const direct = (/** @type {Shape} */ shape) => (shape.steps.length === 1 ? 0 : 1);
  const by = {
    chance: (/** @type {Shape} */ a, /** @type {Shape} */ b) => (a.p_value ?? 2) - (b.p_value ?? 2) || b.score - a.score,
    score: (/** @type {Shape} */ a, /** @type {Shape} */ b) => b.score - a.score,
    length: (/** @type {Shape} */ a, /** @type {Shape} */ b) => a.steps.length - b.steps.length || b.score - a.score,
  }[order] ?? (() => 0);
  return shapes.sort((a, b) => direct(a) - direct(b) || by(a, b));
}
