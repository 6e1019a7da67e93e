// The drawing of a neighbourhood: what is drawn, filters, history, pointer, keys and lists. All that it shows is in the
// address: open, hide, pin, norel, notype, show, by, at.

import { listOf, to } from "../shell/url.js";
import { rowOf } from "../shell/registry.js";
import { h, label, number, plain, plural, put, say } from "../parts/dom.js";
import { nameOf, named, ready as relationsReady } from "../parts/facts.js";
import { icon } from "../parts/icons.js";
import { mark, percent } from "../parts/marks.js";
import { layer, popover } from "../parts/popover.js";
import { sourceButton } from "../parts/source.js";
import { failure } from "../parts/states.js";
import { dot, dotOf, ready, typeNamed, typeOf, types } from "../parts/types.js";
import * as files from "./export.js";
import { expand, nothing, other, phraseOf, stepOf, written } from "./graph.js";
import { around, beyond, trunk } from "./layout.js";
import { wholeGraph } from "./whole.js";
import { colourOfNode, isNew, NARROW, paint, readTheme, tint } from "./paint.js";
import { Stage } from "./stage.js";

/** @typedef {import("./graph.js").Node} Node */
/** @typedef {import("./graph.js").Edge} Edge */
/** @typedef {import("./graph.js").Group} Group */
/** @typedef {import("../answers.js").Status} Status */

/** The parameters of the address that undo takes back. */
const OWN = ["open", "hide", "pin", "norel", "notype", "show", "by"];
/** What stands side by side around the entity. */
const SECTORS = { "": "By relation", type: "By type" };
/** @type {Status[]} */
const STATUSES = ["stated", "inferred", "predicted", "extracted"];
/** A relation with more of all edges, and so many times what each would have, starts hidden where there are many edges. */
const FLOOD = { share: 0.15, times: 2, edges: 1000 };
/** Options of the list that a screen reader reads. */
const LISTED = 400;
/** Types in the legend. */
const TYPES = 6;
const WHOLE = { top: 76, right: 40, bottom: 72, left: 40 };
const EDGE = { top: 84, right: 185, bottom: 92, left: 185 };
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] };

let mounted = 0;

/** @type {import("../shell/registry.js").Mount} */
export function mount(container, { entity, state, onSelect, onNavigate }) {
  const id = `canvas-${(mounted += 1)}`;
  const style = new URL("./canvas.css", import.meta.url).href;
  if (!document.querySelector(`link[href="${style}"]`)) document.head.append(h("link", { rel: "stylesheet", href: style }));
  const list = h("div", { class: "hidden twin" });
  const place = h("div", { class: "stage", tabindex: 0, role: "listbox", "aria-label": `${entity ? `Drawing around ${nameOf(entity)}` : "Drawing of the whole graph"}; arrows move, Enter opens`, "aria-describedby": `${id}-hint` }, list);
  const crumbs = h("div", { class: "crumbs" });
  const tools = h("div", { class: "float tools" });
  const legend = h("div", { class: "float legend" });
  const card = h("div", { class: "node-card", hidden: true });
  const notes = h("div", { class: "canvas-notes", role: "status" });
  const history = h("div", { class: "float history" }, crumbs);
  put(container, h("div", { class: "canvas" }, place, history, tools, legend, card, notes, h("span", { class: "hidden", id: `${id}-hint` }, "e expands, h hides, p pins, f fits, z undoes; question mark lists all keys")));

  let graph = nothing();
  /** @type {string[]} */
  let done = [];
  let query = new URLSearchParams(state.query);
  let turn = 0;
  let sectors = query.get("by") ?? "";
  /** @type {import("./paint.js").Shown} */
  const shown = { nodes: [], edges: [], groups: [], titles: [], centre: null, lit: null, chosen: new Set(), pinned: new Set(), labels: 1, phrase: phraseOf, lasso: [] };
  /** @type {Node | null} */
  let selected = null;
  let hovered = /** @type {Node | null} */ (null);
  let looked = query.has("at");
  /** Whether the view was left before all was drawn. */
  let left = false;
  let lassoing = false;
  /** @type {(() => void) | null} */
  let offCard = null;
  /** As many types as there is room for: less before the style sheet and the fonts are there, or where the window shrinks. */
  let fillLegend = () => {};
  /** @type {Record<string, string | null>[]} */
  const past = [];
  /** @type {Record<string, string | null>[]} */
  const future = [];

  readTheme(container);
  const stage = new Stage(place, (c, s) => paint(c, s, shown));
  stage.onRest = () => {
    if (looked) state.replace({ at: place_() });
    placeCard();
  };
  stage.onResize = () => {
    if (!looked && shown.nodes.length) fit();
    fillLegend();
  };
  const theme = new MutationObserver(() => restyle());
  theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  const dark = matchMedia("(prefers-color-scheme: dark)");
  dark.addEventListener("change", restyle);
  document.fonts?.ready.then(() => { stage.draw(); fillLegend(); });

  function restyle() {
    readTheme(container);
    if (stage.large) stage.show(scene());
    else stage.draw();
  }

  const scene = () => ({ nodes: shown.nodes, edges: shown.edges, colour: colourOfNode, line: () => tint("edge"), faint: () => tint("edge-faint") });
  const place_ = () => [stage.camera.x.toFixed(0), stage.camera.y.toFixed(0), stage.camera.k.toFixed(3)].join(",");
  const own = () => Object.fromEntries(OWN.map((name) => [name, query.get(name)]));
  const name = entity ? plain(nameOf(entity, 60)) : "graph";

  /** Change the address; undo takes it back. @param {Record<string, any>} changes */
  function change(changes) {
    past.push(own());
    future.length = 0;
    state.push(changes);
  }
  /** @param {Record<string, string | null>[]} from @param {Record<string, string | null>[]} into */
  function step(from, into) {
    const before = from.pop();
    if (!before) return say("Nothing to take back");
    into.push(own());
    state.push(before);
  }

  /** Bring the drawing to what the address says. */
  async function sync() {
    const mine = (turn += 1);
    left = false;
    const steps = entity ? [written({ id: entity.id, relation: null }), ...listOf(query, "open")] : [];
    if (done.some((text, i) => steps[i] !== text) || sectors !== (query.get("by") ?? "")) {
      graph = nothing();
      done = [];
      sectors = query.get("by") ?? "";
    }
    /** @type {Node[]} */
    const came = [];
    await Promise.all([ready(), relationsReady()]);
    if (mine !== turn) return;
    try {
      if (!entity && !graph.nodes.size) {
        put(notes, h("p", { class: "reading" }, "Reading the graph …"));
        graph = await wholeGraph(innerWidth / innerHeight);
      }
      if (mine !== turn) return;
      for (const text of steps.slice(done.length)) {
        const next = stepOf(text);
        const before = graph.groups.find((group) => group.owner.id === next.id && group.relation.id === next.relation && group.rest)?.rest;
        const groups = await expand(graph, next);
        if (mine !== turn) return;
        done.push(text);
        arrange(next, groups, before ?? null);
        came.push(...groups.flatMap((group) => group.nodes));
      }
    } catch (error) {
      left = /** @type {Error} */ (error).name === "AbortError";
      if (left) return;
      if (!graph.nodes.size) {
        put(notes);
        put(place, failure(/** @type {Error} */ (error)));
      } else put(notes, label(/** @type {Error} */ (error).message));
      return;
    }
    for (const text of listOf(query, "pin")) {
      const [pinned = "", x, y] = text.split("@");
      const node = graph.nodes.get(pinned);
      if (node && x && y) Object.assign(node, { x: Number(x) || 0, y: Number(y) || 0 });
    }
    for (const group of graph.groups) trunk(group, group.owner, group.owner.id === entity?.id ? 0.45 : 0.5);
    refresh();
    const at = (query.get("at") ?? "").split(",").map(Number);
    if (looked && at.length === 3 && at.every(Number.isFinite) && (at[2] ?? 0) > 0) {
      stage.camera = { x: at[0] ?? 0, y: at[1] ?? 0, k: at[2] ?? 1 };
      stage.rest();
    } else {
      fit();
    }
    if (steps.length > 1 && came.length) grow(came);
  }

  /** @param {import("./graph.js").Step} next @param {Group[]} groups @param {{ x: number, y: number } | null} rest */
  function arrange(next, groups, rest) {
    const owner = graph.nodes.get(next.id);
    if (!owner) return;
    if (!owner.owner) {
      if (!next.relation) return around(sectors === "type" ? groups.toSorted(byType) : groups, stage.width < NARROW);
    }
    const from = rest ? { x: 2 * owner.x - rest.x, y: 2 * owner.y - rest.y } : graph.nodes.get(owner.owner ?? "") ?? { x: 0, y: 0 };
    const standing = [...graph.nodes.values()].filter((node) => !groups.some((group) => group.nodes.includes(node)));
    const signs = graph.groups.flatMap((group) => (group.rest && !groups.includes(group) ? [group.rest] : []));
    beyond(groups, owner, from, [...standing, ...signs], rest ? Math.hypot(rest.x - owner.x, rest.y - owner.y) : undefined);
  }

  /** New nodes move from what they were expanded from to their place. @param {Node[]} nodes */
  function grow(nodes) {
    const lasts = parseFloat(getComputedStyle(container).getPropertyValue("--move")) || 0;
    if (!lasts || stage.large) return;
    const ways = nodes.map((node) => ({ node, to: { x: node.x, y: node.y }, from: graph.nodes.get(node.owner ?? "") ?? node }));
    const start = performance.now();
    const tick = () => {
      const share = Math.min(1, (performance.now() - start) / lasts);
      const eased = 1 - (1 - share) ** 3;
      for (const { node, to: end, from } of ways) Object.assign(node, { x: from.x + eased * (end.x - from.x), y: from.y + eased * (end.y - from.y) });
      stage.draw();
      if (share < 1) requestAnimationFrame(tick);
      else for (const { node, to: end } of ways) Object.assign(node, end);
    };
    tick();
  }

  /** What the filters leave. */
  function refresh() {
    const hidden = new Set(listOf(query, "hide"));
    const norel = withoutRelations();
    const notype = new Set(listOf(query, "notype"));
    const statuses = query.has("show") ? listOf(query, "show") : STATUSES;
    const centre = graph.nodes.get(entity?.id ?? "") ?? null;
    const may = new Set([...graph.nodes.values()].filter((node) => node === centre || (!hidden.has(node.id) && !notype.has(typeOf(node.entity)?.label ?? ""))));
    shown.edges = [...graph.edges.values()].filter((edge) => may.has(edge.source) && may.has(edge.target) && !norel.has(edge.relation.id) && statuses.includes(edge.status));
    const joined = new Set(shown.edges.flatMap((edge) => [edge.source, edge.target]));
    shown.nodes = [...may].filter((node) => node === centre || joined.has(node) || !entity);
    shown.groups = graph.groups.filter((group) => may.has(group.owner) && !norel.has(group.relation.id));
    shown.titles = graph.titles;
    shown.centre = centre;
    shown.pinned = new Set(listOf(query, "pin").map((text) => text.split("@")[0] ?? ""));
    // Steps taken back make the nodes anew: what is selected stays so.
    const again = (/** @type {Node} */ node) => shown.nodes.find((one) => one.id === node.id) ?? null;
    shown.chosen = new Set([...shown.chosen].map(again).filter((node) => node !== null));
    hovered = null;
    const kept = selected && again(selected);
    if (kept !== selected) {
      selected = kept;
      if (!kept) onSelect(null);
    }
    shown.lit = selected;
    stage.show(scene());
    furnish(norel, statuses);
    options();
    drawCard();
  }

  function withoutRelations() {
    if (query.has("norel")) return new Set(listOf(query, "norel"));
    const all = [...graph.edges.values()];
    if (all.length < FLOOD.edges) return new Set();
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const { relation } of all) counts.set(relation.id, (counts.get(relation.id) ?? 0) + 1);
    const flood = all.length * Math.max(FLOOD.share, FLOOD.times / counts.size);
    return new Set([...counts].filter(([, count]) => count > flood).map(([relation]) => relation));
  }

  function fit() {
    const signs = shown.groups.flatMap((group) => (group.rest ? [group.rest] : []));
    const narrow = stage.width < NARROW;
    stage.fit([...shown.nodes, ...signs], !entity ? WHOLE : narrow ? { top: 86, right: 90, bottom: 84, left: 90 } : EDGE);
  }

  /** Bars and legend. @param {Set<string>} norel @param {string[]} statuses */
  function furnish(norel, statuses) {
    const open = listOf(query, "open").filter((text) => graph.nodes.has(stepOf(text).id));
    put(crumbs, entity ? h("span", { class: "crumb" }, named(entity)) : [h("span", { class: "crumb last" }, "Whole graph"), h("span", { class: "crumb" }, graph.notes[0])], open.slice(-3).map((text, i, some) => [
      h("span", { class: "sep", "aria-hidden": "true" }, open.length > 3 && !i ? "…" : "›"),
      h("span", { class: i === some.length - 1 ? "crumb last" : "crumb" }, "+ ", label(crumb(stepOf(text))))]));
    put(history, crumbs,
      button("undo", "Undo", "z", () => step(past, future), !past.length), button("redo", "Redo", "Z", () => step(future, past), !future.length));
    /** @type {Map<string, { relation: import("../answers.js").Ref, count: number }>} */
    const relations = new Map();
    for (const { relation } of graph.edges.values()) relations.set(relation.id, { relation, count: (relations.get(relation.id)?.count ?? 0) + 1 });
    const filter = h("button", { type: "button", class: "tool", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => menu() }, icon("filter"), h("span", { class: "wide" }, "Relations"), h("span", { class: "count" }, norel.size ? `${relations.size - norel.size} of ${relations.size}` : number(relations.size)));
    const menu = () => popover(filter, [
      h("p", { class: "note" }, norel.size && !query.has("norel") ? "Relations with over 15% of all facts start hidden." : "Facts of these relations are drawn."),
      [...relations.values()].sort((a, b) => b.count - a.count).map(({ relation, count }) => {
        const box = h("input", { type: "checkbox", checked: !norel.has(relation.id), onchange: () => {
          const off = new Set(withoutRelations());
          if (box.checked) off.delete(relation.id);
          else off.add(relation.id);
          change({ norel: off.size ? [...off] : null });
        } });
        return h("label", {}, box, h("span", { class: "grow clip" }, named(relation)), h("span", { class: "quiet" }, number(count)));
      })], { label: "Relations that are drawn", kind: "menu" });
    const save = h("button", { type: "button", class: "icon-button", "aria-label": "Save the drawing", title: "Save the drawing", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => popover(save, [
      ["PNG, a picture", () => files.png(stage, name)], ["SVG, for vector programs", () => files.svg(shown, name)],
      ["GraphML, a graph", () => files.graphml(shown, name)], ["CSV, a table of facts", () => files.csv(shown, name)],
    ].map(([text, run]) => h("button", { type: "button", onclick: run }, String(text))), { label: "Save as", kind: "menu" }) }, icon("down"));
    const loop = button("lasso", "Select with a lasso (or Shift and drag)", "", () => {
      lassoing = !lassoing;
      loop.setAttribute("aria-pressed", String(lassoing));
      place.classList.toggle("lassoing", lassoing);
    });
    loop.setAttribute("aria-pressed", String(lassoing));
    const by = h("button", { type: "button", class: "tool desk", "aria-haspopup": "dialog", "aria-expanded": "false", onclick: () => popover(by, Object.entries(SECTORS).map(([value, text]) => h("button", { type: "button", "aria-pressed": String(value === sectors), onclick: () => change({ by: value || null }) }, text)), { label: "What stands side by side", kind: "menu" }) }, icon("graph"), SECTORS[sectors === "type" ? "type" : ""], icon("chevron"));
    put(tools, filter, entity ? by : null, h("i", { class: "rule" }), loop, button("fit", "Fit", "f", () => { looked = false; state.replace({ at: null }); query.delete("at"); fit(); }), save);
    /** @type {Map<string, number>} */
    const types = new Map();
    for (const node of graph.nodes.values()) if (node.id !== entity?.id) {
      const type = typeOf(node.entity)?.label ?? "";
      types.set(type, (types.get(type) ?? 0) + 1);
    }
    const off = new Set(listOf(query, "notype"));
    const chips = [...types].sort((a, b) => b[1] - a[1]).map(([type, count]) => h("button", {
      type: "button", class: "type", "aria-pressed": String(!off.has(type)), title: off.has(type) ? "Draw these" : "Draw without these", onclick: () => {
        if (off.has(type)) off.delete(type);
        else off.add(type);
        change({ notype: off.size ? [...off] : null });
      } }, dot(typeNamed(type)), h("span", {}, label(type ? nameOf({ id: type, label: type }, 28) : "no type")), h("span", { class: "quiet" }, number(count))));
    let room = 0;
    const rest = h("button", { type: "button", class: "type more", "aria-expanded": "false", "aria-haspopup": "dialog", onclick: () => popover(rest, chips.slice(room), { label: "More types", kind: "menu" }) }, "");
    const status = STATUSES.filter((one) => [...graph.edges.values()].some((edge) => edge.status === one)).map((one) => h("button", {
      type: "button", class: "type status", "aria-pressed": String(statuses.includes(one)), title: one === "extracted" ? "Draw what is read out of texts, or not" : `Draw what is ${one}, or not`, onclick: () => toggleStatus(one),
    }, mark(one, true), one, h("span", { class: "quiet" }, number([...graph.edges.values()].filter((edge) => edge.status === one).length))));
    const row = h("div", { class: "types" });
    put(legend, row, h("i", { class: "rule" }), status, h("i", { class: "rule" }),
      button("minus", "Zoom out", "", () => zoom(1 / 1.3)), button("plus", "Zoom in", "", () => zoom(1.3)));
    fillLegend = () => {
      for (room = TYPES; room >= 0; room -= 1) {
        rest.textContent = `${chips.length - room} ${room ? "more" : "types"}`;
        put(row, chips.slice(0, room), chips.length > room ? rest : null);
        if (row.scrollWidth <= row.clientWidth) break;
      }
    };
    fillLegend();
    const hidden = graph.nodes.size - shown.nodes.length;
    put(notes, graph.notes.length > (entity ? 0 : 1) ? label(graph.notes.at(-1) ?? "") : null,
      hidden ? h("button", { type: "button", class: "chip", onclick: () => change({ hide: null, norel: null, notype: null, show: null }) }, `${plural(hidden, "entity", "entities")} hidden: show all`) : null);
  }

  /** What a step of the history is called. @param {import("./graph.js").Step} step */
  function crumb({ id: one, relation }) {
    const group = relation && graph.groups.find((some) => some.owner.id === one && some.relation.id === relation);
    return group ? phraseOf(group) : nameOf(graph.nodes.get(one)?.entity ?? { id: one, label: one }, 24);
  }

  /** @param {Status} one */
  function toggleStatus(one) {
    const now = query.has("show") ? listOf(query, "show") : [...STATUSES];
    const next = STATUSES.filter((status) => (status === one ? !now.includes(status) : now.includes(status)));
    change({ show: next.length === STATUSES.length ? null : next.length ? next : ["none"] });
  }

  /** @param {number} factor */
  function zoom(factor) {
    looked = true;
    stage.zoomBy(factor);
  }

  /** The list twin: what a screen reader finds in the drawing. */
  function options() {
    put(list, shown.nodes.slice(0, LISTED).map((node) => h("div", { role: "option", id: idOf(node), "aria-selected": String(node === selected) }, said(node))));
    place.setAttribute("aria-activedescendant", selected ? idOf(selected) : "");
  }
  /** @param {Node} node */
  const idOf = (node) => `${id}-${shown.nodes.indexOf(node)}`;

  /** "Kagera River, River, predicted, flows through Kenya, 41%". @param {Node} node */
  function said(node) {
    const edges = node.edges.filter((edge) => shown.edges.includes(edge));
    const edge = edges.find((one) => other(one, node).id === (node.owner ?? "")) ?? edges[0];
    const how = edge ? [edge.status, `${nameOf(edge.source.entity, 60)} ${nameOf(edge.relation, 60)} ${nameOf(edge.target.entity, 60)}`, edge.chance === null ? "" : percent(edge.chance)] : [];
    return plain([nameOf(node.entity, 80), node.entity.types[0] ?? "", ...how, plural(node.degree, "fact")].filter(Boolean).join(", "));
  }

  /** @param {Node | null} node @param {boolean} [tell] */
  function select(node, tell = true) {
    selected = node;
    shown.lit = hovered ?? selected;
    stage.draw();
    options();
    drawCard();
    // On a phone the card is at the foot of the drawing, which may end below the tabs.
    if (node && stage.width < NARROW) card.scrollIntoView({ block: "nearest" });
    if (tell) onSelect(node?.entity ?? null);
    if (node) say(said(node));
  }

  function drawCard() {
    offCard?.();
    offCard = null;
    const many = [...shown.chosen];
    card.hidden = !selected && !many.length;
    if (card.hidden) return;
    offCard = layer(() => { shown.chosen.clear(); select(null); });
    if (many.length) {
      put(card, h("header", {}, h("strong", {}, plural(many.length, "entity", "entities")), h("span", { class: "quiet" }, "selected")),
        h("div", { class: "actions" }, act("Hide", "h", () => hide()), act("Only these", "", () => change({ hide: shown.nodes.filter((node) => !shown.chosen.has(node) && node !== shown.centre).map((node) => node.id) })),
          act("Save CSV", "", () => files.csv({ nodes: many, edges: shown.edges.filter((edge) => shown.chosen.has(edge.source) || shown.chosen.has(edge.target)) }, name)),
          many.length < 50 && rowOf("connect") ? h("a", { class: "button", href: to("connect", null, { a: many.map((node) => node.id) }) }, "Connect") : null));
      return placeCard();
    }
    const node = /** @type {Node} */ (selected);
    const facts = node.edges.filter((edge) => shown.edges.includes(edge)).sort((a, b) => Number(b.status === "predicted") - Number(a.status === "predicted"));
    const row = (/** @type {Edge} */ edge) => h("li", {}, mark(/** @type {Status} */ (edge.status)), h("span", { class: "grow" },
      label(phraseOf({ relation: edge.relation, direction: edge.source === node ? "out" : "in" })), " ", named(other(edge, node).entity)),
      edge.chance === null ? sourceButton(edge.origins, [edge.source.id, edge.relation.id, edge.target.id]) : h("b", { class: "predicted-number" }, percent(edge.chance)));
    const why = entity && isNew(node) && rowOf("connect") ? h("a", { class: "link", href: to("connect", null, { a: entity.id, b: node.id }) }, "Paths that speak for it") : null;
    put(card, h("header", {}, dotOf(node.entity), h("strong", { class: "clip" }, named(node.entity)), h("span", { class: "quiet" }, label([node.entity.types[0], plural(node.degree, "fact")].filter(Boolean).join(", ")))),
      h("ul", {}, facts.slice(0, 3).map(row), facts.length > 3 ? h("li", { class: "quiet" }, `${facts.length - 3} more drawn`) : null), why,
      h("div", { class: "actions" },
        node === shown.centre ? null : act("Open", "Enter", () => onNavigate(node.entity)),
        !entity ? null : !opened(node) && node.degree > node.edges.length ? act("Expand", "e", () => expandNode(node)) : opened(node) && node !== shown.centre ? act("Collapse", "E", () => collapse(node)) : null,
        act(shown.pinned.has(node.id) ? "Unpin" : "Pin", "p", () => pin(node)), node === shown.centre ? null : act("Hide", "h", () => hide())));
    placeCard();
  }
  /** @param {string} text @param {string} key @param {() => void} run */
  const act = (text, key, run) => h("button", { type: "button", class: "button", onclick: run }, text, key ? h("kbd", { class: "desk", "aria-hidden": "true" }, key === "Enter" ? "↵" : key) : null);
  /** @param {Node} node */
  const opened = (node) => node === shown.centre || listOf(query, "open").some((text) => stepOf(text).id === node.id);

  function placeCard() {
    if (card.hidden) return;
    const [first] = shown.chosen;
    const node = selected ?? first;
    if (!node) return;
    const at = stage.toScreen(node);
    const [w, high] = [card.offsetWidth, card.offsetHeight];
    // Where it covers the fewest nodes.
    const places = shown.nodes.slice(0, LISTED).map((one) => stage.toScreen(one));
    let best = { left: 8, top: 8, covers: Infinity };
    for (const [x, y] of [[22, -24], [-22 - w, -24], [22, 24 - high], [-22 - w, 24 - high], [-w / 2, 26], [-w / 2, -26 - high]]) {
      const [left, top] = [clamp(at.x + (x ?? 0), stage.width - w), clamp(at.y + (y ?? 0), stage.height - high - 68)];
      const itself = at.x > left && at.x < left + w && at.y > top && at.y < top + high ? 100 : 0;
      const covers = itself + places.filter((one) => one.x > left - 8 && one.x < left + w + 8 && one.y > top - 8 && one.y < top + high + 8).length;
      if (covers < best.covers) best = { left, top, covers };
    }
    card.style.left = `${best.left}px`;
    card.style.top = `${best.top}px`;
  }
  /** @param {number} value @param {number} most */
  const clamp = (value, most) => Math.max(8, Math.min(value, most - 8));

  /** @param {Node} node */
  function expandNode(node) {
    // All is drawn already: what more there is of it is in its own drawing.
    if (!entity) return onNavigate(node.entity);
    if (opened(node)) return say(`${nameOf(node.entity, 60)} is expanded`);
    change({ open: [...listOf(query, "open"), written({ id: node.id, relation: null })] });
  }
  /** @param {Node} node */
  function collapse(node) {
    const gone = new Set([node.id]);
    const kept = listOf(query, "open").filter((text) => {
      const { id: one } = stepOf(text);
      if (!gone.has(one) && !gone.has(graph.nodes.get(one)?.owner ?? "")) return true;
      gone.add(one);
      return false;
    });
    change({ open: kept.length ? kept : null });
  }
  /** @param {Group} group */
  function expandGroup(group) {
    const open = listOf(query, "open");
    const text = written({ id: group.owner.id, relation: group.relation.id });
    change({ open: [...open, text] });
  }
  function hide() {
    const nodes = shown.chosen.size ? [...shown.chosen] : selected ? [selected] : [];
    const ids = nodes.filter((node) => node !== shown.centre).map((node) => node.id);
    if (!ids.length) return;
    shown.chosen.clear();
    select(null);
    change({ hide: [...new Set([...listOf(query, "hide"), ...ids])] });
    say(`${plural(ids.length, "entity", "entities")} hidden`);
  }
  /** @param {Node} node */
  function pin(node) {
    const others = listOf(query, "pin").filter((text) => text.split("@")[0] !== node.id);
    const next = shown.pinned.has(node.id) ? others : [...others, `${node.id}@${Math.round(node.x)}@${Math.round(node.y)}`];
    change({ pin: next.length ? next : null });
  }

  /** @param {"undo" | "redo" | "fit" | "lasso" | "minus" | "plus"} sign @param {string} text @param {string} key @param {() => void} run @param {boolean} [off] */
  function button(sign, text, key, run, off = false) {
    return h("button", { type: "button", class: "icon-button", "aria-label": text, title: key ? `${text} (${key})` : text, onclick: run, disabled: off }, icon(sign));
  }

  /** Go to the neighbour in a direction, else to the nearest of all there. @param {[number, number]} way */
  function move([dx, dy]) {
    const from = selected ?? shown.centre ?? shown.nodes[0];
    if (!from) return;
    if (!selected) return select(from);
    const near = new Set(from.edges.filter((edge) => shown.edges.includes(edge)).map((edge) => other(edge, from)));
    const best = (/** @type {Iterable<Node>} */ nodes) => {
      let found = /** @type {Node | null} */ (null);
      let least = Infinity;
      for (const node of nodes) {
        const [x, y] = [node.x - from.x, node.y - from.y];
        const [ahead, aside] = [x * dx + y * dy, Math.abs(x * dy) + Math.abs(y * dx)];
        if (node === from || ahead <= 0 || aside > 2 * ahead) continue;
        const cost = ahead + 2 * aside;
        if (cost < least) [found, least] = [node, cost];
      }
      return found;
    };
    const next = best(near) ?? best(shown.nodes);
    if (!next) return say("Nothing lies that way");
    select(next);
    const at = stage.toScreen(next);
    if (at.x < 40 || at.y < 60 || at.x > stage.width - 40 || at.y > stage.height - 80) {
      Object.assign(stage.camera, { x: next.x, y: next.y });
      looked = true;
      stage.rest();
    }
  }

  place.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const way = ARROWS[event.key];
    if (way) move(way);
    else if (event.key === "Enter" && selected && selected !== shown.centre) onNavigate(selected.entity);
    else return;
    event.preventDefault();
  });
  place.addEventListener("focus", () => { const first = shown.centre ?? shown.nodes[0]; if (!selected && first && place.matches(":focus-visible")) select(first, false); });

  state.keys({
    d: { does: "into the drawing", run: () => place.focus() },
    e: { does: "expand what is selected in the drawing", run: () => selected && expandNode(selected) },
    E: { does: "collapse it", run: () => selected && collapse(selected) },
    h: { does: "hide what is selected", run: hide },
    p: { does: "pin it where it is", run: () => selected && pin(selected) },
    f: { does: "fit the drawing", run: () => { looked = false; state.replace({ at: null }); query.delete("at"); fit(); } },
    l: { does: "names on and off", run: () => { shown.labels = 1 - shown.labels; stage.draw(); } },
    1: { does: "stated facts on and off", run: () => toggleStatus("stated") },
    2: { does: "inferred facts on and off", run: () => toggleStatus("inferred") },
    3: { does: "predicted facts on and off", run: () => toggleStatus("predicted") },
    4: { does: "facts of texts on and off", run: () => toggleStatus("extracted") },
    z: { does: "undo in the drawing", run: () => step(past, future) },
    Z: { does: "redo", run: () => step(future, past) },
  });

  pointer();
  function pointer() {
    /** @type {Map<number, { x: number, y: number }>} */
    const down = new Map();
    /** @type {{ node: Node | null, x: number, y: number, moved: boolean, loop: boolean } | null} */
    let grip = null;
    const at = (/** @type {MouseEvent} */ event) => {
      const box = place.getBoundingClientRect();
      return { x: event.clientX - box.left, y: event.clientY - box.top };
    };
    const signAt = (/** @type {{ x: number, y: number }} */ point) => shown.groups.find((group) => group.more && group.rest && Math.hypot(stage.toScreen(group.rest).x - point.x, stage.toScreen(group.rest).y - point.y) < 16);
    place.addEventListener("pointerdown", (event) => {
      if (event.button) return;
      const point = at(event);
      down.set(event.pointerId, point);
      place.setPointerCapture(event.pointerId);
      const loop = lassoing || event.shiftKey;
      grip = { node: loop ? null : stage.nodeAt(point), ...point, moved: false, loop };
      if (loop) shown.lasso = [point];
    });
    place.addEventListener("pointermove", (event) => {
      const point = at(event);
      const before = down.get(event.pointerId);
      if (!before || !grip) {
        const over = stage.moving ? null : stage.nodeAt(point);
        place.style.cursor = over || signAt(point) ? "pointer" : "";
        if (over !== hovered) {
          hovered = over;
          shown.lit = hovered ?? selected;
          place.title = over ? plain(nameOf(over.entity)) : "";
          onSelect((hovered ?? selected)?.entity ?? null);
          stage.draw();
        }
        return;
      }
      if (down.size === 2) {
        const [one] = [...down].filter(([key]) => key !== event.pointerId).map(([, value]) => value);
        if (one) zoomAround(Math.hypot(point.x - one.x, point.y - one.y) / Math.max(1, Math.hypot(before.x - one.x, before.y - one.y)), one);
        down.set(event.pointerId, point);
        grip.moved = true;
        return;
      }
      if (!grip.moved && Math.hypot(point.x - grip.x, point.y - grip.y) < 4) return;
      grip.moved = true;
      down.set(event.pointerId, point);
      if (grip.loop) {
        shown.lasso.push(point);
        stage.draw();
      } else if (grip.node && grip.node !== shown.centre && !stage.large) {
        Object.assign(grip.node, stage.toPicture(point));
        for (const group of shown.groups) if (group.nodes.includes(grip.node)) trunk(group, group.owner, group.owner === shown.centre ? 0.45 : 0.5);
        card.hidden = true;
        stage.draw();
      } else {
        card.hidden = true;
        looked = true;
        stage.pan(point.x - before.x, point.y - before.y);
      }
    });
    const up = (/** @type {PointerEvent} */ event) => {
      const point = down.get(event.pointerId);
      down.delete(event.pointerId);
      if (!grip || !point) return;
      const { node, moved, loop } = grip;
      if (down.size) return;
      grip = null;
      if (event.type === "pointercancel") return;
      if (loop) {
        const inside = shown.nodes.filter((one) => within(stage.toScreen(one), shown.lasso));
        shown.lasso = [];
        selected = null;
        shown.chosen = new Set(inside);
        drawCard();
        stage.draw();
        say(`${plural(inside.length, "entity", "entities")} selected`);
        return;
      }
      if (moved) {
        if (node && node !== shown.centre && !stage.large) {
          shown.pinned.delete(node.id);
          pin(node);
        }
        card.hidden = !selected && !shown.chosen.size;
        placeCard();
        return;
      }
      shown.chosen.clear();
      const sign = node ? null : signAt(at(event));
      if (sign) expandGroup(sign);
      else select(node);
    };
    place.addEventListener("pointerup", up);
    place.addEventListener("pointercancel", up);
    place.addEventListener("pointerleave", () => {
      if (!hovered || down.size) return;
      hovered = null;
      shown.lit = selected;
      stage.draw();
    });
    place.addEventListener("dblclick", (event) => {
      const node = stage.nodeAt(at(event));
      if (node) expandNode(node);
      else zoomAround(1.6, at(event));
    });
    place.addEventListener("wheel", (event) => {
      event.preventDefault();
      zoomAround(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), at(event));
    }, { passive: false });
  }
  /** @param {number} factor @param {{ x: number, y: number }} point */
  function zoomAround(factor, point) {
    looked = true;
    card.hidden = true;
    stage.zoomBy(factor, point);
    card.hidden = !selected && !shown.chosen.size;
  }

  sync();
  return {
    highlight: (one) => {
      hovered = one ? graph.nodes.get(one) ?? null : null;
      shown.lit = hovered ?? selected;
      stage.draw();
    },
    update: (next) => {
      query = new URLSearchParams(next);
      looked = query.has("at");
      sync();
    },
    back: () => {
      stage.resize();
      if (left) sync();
    },
    end: () => {
      theme.disconnect();
      dark.removeEventListener("change", restyle);
      offCard?.();
      stage.end();
    },
  };
}

/** Relations whose first neighbours are of one type side by side, the most frequent type first. @param {Group} a @param {Group} b */
function byType(a, b) {
  const order = types();
  const [one, other] = [a, b].map(({ nodes: [first] }) => order.findIndex((type) => first && type === typeOf(first.entity)));
  return (one ?? 0) - (other ?? 0);
}

/** Whether a point lies in a polygon. @param {{ x: number, y: number }} point @param {{ x: number, y: number }[]} polygon */
function within({ x, y }, polygon) {
  let inside = false;
  polygon.forEach((a, i) => {
    const b = polygon.at(i - 1) ?? a;
    if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) inside = !inside;
  });
  return inside;
}
