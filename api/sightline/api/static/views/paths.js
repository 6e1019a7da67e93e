// Paths as one graph, in layers by steps from the source; across on a desk, downwards on a phone; or free of layers, what is
// linked drawn together. Made of SVG elements, every text a text node. Knows no API.

import { plain, s, shortened } from "../parts/dom.js";
import { nameOf } from "../parts/facts.js";
import { colourOf, typeOf } from "../parts/types.js";
import { toEntity } from "../shell/url.js";

/** @typedef {import("../answers.js").Entity} Entity */
/** @typedef {import("../answers.js").Path} Path */
/** @typedef {{ steps: { relation: import("../answers.js").Ref, forward: boolean }[], paths: Path[] }} Shape */
/** @typedef {{ entity: Entity, layer: number, at: number, x: number, y: number, score: number, shapes: Set<number>, end: boolean, room: number }} Dot */
/** @typedef {{ a: Dot, b: Dot, score: number, shapes: Set<number>, label: string, step: number, keys: Set<string>, way: Slot[] }} Line */
/** A place of a layer: of an entity, or where a line passes between two. @typedef {{ layer: number, at: number, x: number, y: number, score: number, end: boolean, room: number }} Slot */

/** Entities of a layer. */
const MOST = 12;
const MOST_NARROW = 4;
/** Pixels of the widest line, of the shape that is told and of others. */
const WIDEST = 6;
const WIDE = 3;
/** Pixels that a letter of a relation takes, about. */
const LETTER = 6.5;
/** Rounds in which a drawing without layers comes to rest, and pixels between what is linked. */
const ROUNDS = 160;
const NEAR = 104;
/** How far it can be looked into, and what one notch of a wheel does. */
const CLOSEST = 6;
const NOTCH = 1.0015;
/** The room of a line that passes a layer, where an entity has 1. */
const PASSING = 0.45;

/**
 * @param {HTMLElement} place
 * @param {{ shapes: Shape[], chosen: number, source: Entity[], target: Entity[], numbers: number[], phrase: (step: { relation: import("../answers.js").Ref, forward: boolean }) => string, onHover: (id: string | null) => void, free: boolean }} given
 */
export function drawPaths(place, { shapes, chosen, source, target, numbers, phrase, onHover, free }) {
  const narrow = (place.clientWidth || innerWidth) < 600;
  const { dots, lines, layers, left } = gathered(shapes, chosen, source, target, narrow ? MOST_NARROW : MOST, phrase);
  const width = Math.max(320, place.clientWidth || 860);
  const height = Math.max(narrow ? 70 * layers : 420, place.clientHeight || 700);
  arrange(dots, lines, layers, width, height, narrow);
  if (free) loosen(dots, lines, width, height);
  const most = Math.max(...lines.map((line) => line.score), 1e-9);
  /** @type {Map<Line, SVGElement>} */
  const drawnLines = new Map();
  /** @type {Map<Dot, SVGElement>} */
  const drawnDots = new Map();
  const lit = (/** @type {{ shapes: Set<number> }} */ one) => one.shapes.has(chosen);
  for (const line of [...lines].sort((a, b) => Number(lit(a)) - Number(lit(b)))) {
    const said = `${nameOf(line.a.entity, 80)} ${line.label} ${nameOf(line.b.entity, 80)}`;
    drawnLines.set(line, s("path", { d: free ? straight(line) : curve(line, narrow), class: lit(line) ? "line lit" : "line", "stroke-width": (1 + ((lit(line) ? WIDEST : WIDE) - 1) * Math.sqrt(line.score / most)).toFixed(2) }, s("title", {}, plain(said))));
  }
  const heads = narrow || free ? [] : Array.from({ length: layers - 1 }, (_, i) => s("text", { class: "layer", x: xOf(i + 1, layers, width), y: 78 }, `${i + 1} ${i ? "steps" : "step"}`));
  const labels = stepLabels(lines.filter(lit), dots).map((line) => {
    const { x, y } = middleOf(line);
    const text = shortened(line.label, narrow ? 24 : 36);
    const half = Math.min(width / 2, 4 + LETTER * text.length / 2);
    return s("text", { class: "relation", x: Math.min(Math.max(x, half), width - half), y }, text);
  });
  for (const one of dots) {
    const alone = one.end && dots.filter((other) => other.layer === one.layer).length < 4;
    const r = narrow ? (alone ? 14 : 9) : alone ? 17 : 11;
    const type = typeOf(one.entity);
    const node = s("a", { class: `place ${lit(one) || one.end ? "" : "dim"} ${alone ? "end" : ""} ${colourOf(type)}`, href: toEntity(one.entity), transform: `translate(${one.x.toFixed(1)} ${one.y.toFixed(1)})`, "data-id": one.entity.id }, s("title", {}, plain(`${nameOf(one.entity)}, ${one.entity.types[0] ?? ""}`)),
      one.end ? s("circle", { class: "ring", r: r + 3.5 }) : null, s("circle", { class: "body", r }), s("text", { class: "letters", y: 4 }, type?.letters ?? ""), s("text", { class: "name", y: r + (narrow ? 13 : 18) }, nameOf(one.entity, narrow ? Math.max(6, Math.floor(width / dots.filter((other) => other.layer === one.layer).length / (alone ? 8.4 : 6.8))) : 24)));
    node.addEventListener("pointerenter", () => { mark({ id: one.entity.id }); onHover(one.entity.id); });
    node.addEventListener("pointerleave", () => { mark(null); onHover(null); });
    node.addEventListener("focus", () => onHover(one.entity.id));
    drawnDots.set(one, node);
  }
  const drawing = s("svg", { viewBox: `0 0 ${width} ${height}`, width, height, class: "path-graph", role: "group", "aria-label": "All paths as one graph; the list says the same" }, heads, [...drawnLines.values()], labels, [...drawnDots.values()]);
  place.replaceChildren(drawing);
  const whole = { x: 0, y: 0, width, height };
  const fit = narrow ? () => {} : looking(drawing, whole);

  /** Mark a shape, a path or what passes an entity. @param {{ shape?: number, path?: Path, id?: string } | null} what */
  function mark(what) {
    drawing.classList.toggle("marking", what !== null);
    const keys = new Set(what?.path?.steps.map((step) => keyOf(step.source, step.target)) ?? []);
    const shape = what?.shape === undefined ? -1 : numbers.indexOf(what.shape);
    /** @type {Set<Dot>} */
    const met = new Set();
    for (const [line, element] of drawnLines) {
      const on = what !== null && (what.path ? [...line.keys].some((key) => keys.has(key)) : what.id ? line.a.entity.id === what.id || line.b.entity.id === what.id : line.shapes.has(shape));
      element.classList.toggle("marked", on);
      if (on) met.add(line.a).add(line.b);
    }
    for (const [one, element] of drawnDots) element.classList.toggle("marked", met.has(one));
  }
  return { mark, left, fit, svg: () => standalone(drawing, whole) };
}

/** @param {Entity} a @param {Entity} b */
const keyOf = (a, b) => JSON.stringify([a.id, b.id]);

/** The union of the paths: every entity once, at its fewest steps. @param {Shape[]} shapes @param {number} chosen @param {Entity[]} source @param {Entity[]} target @param {number} most @param {(step: any) => string} phrase */
function gathered(shapes, chosen, source, target, most, phrase) {
  const longest = Math.max(1, ...shapes.map((shape) => shape.steps.length));
  const [from, to] = [new Set(source.map((one) => one.id)), new Set(target.map((one) => one.id))];
  /** @type {Map<string, Dot>} */
  const dots = new Map();
  /** @type {Map<string, Line>} */
  const lines = new Map();
  /** @param {Entity} entity @param {number} step @param {number} i @param {number} worth */
  const at = (entity, step, i, worth) => {
    const layer = from.has(entity.id) ? 0 : to.has(entity.id) ? longest : step;
    let one = dots.get(entity.id);
    if (!one) dots.set(entity.id, (one = { entity, layer, at: 0, x: 0, y: 0, score: 0, shapes: new Set(), end: from.has(entity.id) || to.has(entity.id), room: 1 }));
    // Where the shape that is told passes it, else at its fewest steps.
    if (i === chosen && !one.shapes.has(i)) one.layer = layer;
    else if (i === chosen || !one.shapes.has(chosen)) one.layer = Math.min(one.layer, layer);
    one.score += worth + (i === chosen ? 1e6 : 0);
    one.shapes.add(i);
    return one;
  };
  shapes.forEach((shape, i) => shape.paths.forEach((path) => path.steps.forEach((step, n) => {
    const [a, b] = [at(step.source, n, i, path.score), at(step.target, n + 1, i, path.score)];
    const key = keyOf(step.source, step.target);
    let line = lines.get(key);
    if (!line) lines.set(key, (line = { a, b, score: 0, shapes: new Set(), label: phrase(step), step: n, keys: new Set([key]), way: [a, b] }));
    line.score += path.score;
    line.shapes.add(i);
    if (i === chosen) Object.assign(line, { label: phrase(step), step: n });
  })));
  // Too many of one layer: the best stay.
  /** @type {Map<number, Dot[]>} */
  const layers = new Map();
  for (const one of dots.values()) layers.set(one.layer, [...(layers.get(one.layer) ?? []), one]);
  /** @type {Set<Dot>} */
  const kept = new Set([...layers.values()].flatMap((some) => some.sort((a, b) => b.score - a.score).slice(0, most)));
  const rest = [...dots.values()].filter((one) => kept.has(one));
  return { dots: rest, lines: [...lines.values()].filter((line) => kept.has(line.a) && kept.has(line.b)), layers: longest + 1, left: dots.size - rest.length };
}

/** @param {number} layer @param {number} layers @param {number} width */
const xOf = (layer, layers, width) => 106 + (layer * (width - 212)) / Math.max(1, layers - 1);

/** What a line passes on its way: a place in each layer between its ends. On a phone there is no room for them. @param {Line} line @param {boolean} narrow @returns {Slot[]} */
function wayOf({ a, b, score }, narrow) {
  const [first, last] = a.layer <= b.layer ? [a, b] : [b, a];
  const between = narrow ? 0 : Math.max(0, last.layer - first.layer - 1);
  return [first, ...Array.from({ length: between }, (_, i) => ({ layer: first.layer + i + 1, at: 0, x: 0, y: 0, score, end: false, room: PASSING })), last];
}

/** Order each layer so that lines cross little (barycentre), then give each its place. @param {Dot[]} dots @param {Line[]} lines @param {number} layers @param {number} width @param {number} height @param {boolean} narrow */
function arrange(dots, lines, layers, width, height, narrow) {
  for (const line of lines) line.way = wayOf(line, narrow);
  const slots = [.../** @type {Slot[]} */ (dots).toSorted((a, b) => b.score - a.score), ...lines.flatMap((line) => line.way.slice(1, -1))];
  const rows = Array.from({ length: layers }, (_, layer) => slots.filter((one) => one.layer === layer));
  /** @type {Map<Slot, Slot[]>} */
  const beside = new Map(slots.map((one) => [one, []]));
  for (const { way } of lines) {
    way.forEach((one, i) => { for (const other of [way[i - 1], way[i + 1]]) if (other && other.layer !== one.layer && !other.end) beside.get(one)?.push(other); });
    // What joins the two sides at once goes straight.
    if (way[0]?.end && way.at(-1)?.end) for (const one of way.slice(1, -1)) beside.set(one, [{ ...one, at: 0.5 }]);
  }
  /** @param {Slot[]} row */
  function number(row) {
    const [first, last] = [row[0]?.room ?? 0, row.at(-1)?.room ?? 0];
    const all = row.reduce((sum, one) => sum + one.room, 0) - (first + last) / 2;
    let before = -first / 2;
    for (const one of row) {
      one.at = row.length === 1 ? 0.5 : (before + one.room / 2) / all;
      before += one.room;
    }
  }
  rows.forEach(number);
  for (let round = 0; round < 6; round += 1) {
    for (const row of rows) {
      const wanted = new Map(row.map((one) => {
        const others = beside.get(one) ?? [];
        return [one, others.length ? others.reduce((sum, other) => sum + other.at, 0) / others.length : one.at];
      }));
      row.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0));
      number(row);
    }
  }
  const [start, end] = narrow ? [46, width - 46] : [122, height - 116];
  for (const one of slots) {
    const along = narrow ? 30 + (one.layer * (height - 80)) / Math.max(1, layers - 1) : xOf(one.layer, layers, width);
    const across = start + one.at * (end - start);
    [one.x, one.y] = narrow ? [across, along] : [along, across];
  }
}

/** Let go of the layers: what is linked draws together, all else apart, the two sides stay. From the layers on and without chance, so that the same paths give the same picture. @param {Dot[]} dots @param {Line[]} lines @param {number} width @param {number} height */
function loosen(dots, lines, width, height) {
  const within = (/** @type {number} */ value, /** @type {number} */ most, /** @type {number} */ edge) => Math.min(most - edge, Math.max(edge, value));
  for (const line of lines) line.way = [line.a, line.b];
  for (let round = 0; round < ROUNDS; round += 1) {
    /** @type {Map<Dot, { x: number, y: number }>} */
    const push = new Map(dots.map((one) => [one, { x: 0, y: 0 }]));
    /** @param {Dot} a @param {Dot} b @param {(far: number) => number} force */
    const between = (a, b, force) => {
      const [x, y] = [b.x - a.x, b.y - a.y];
      const far = Math.max(1, Math.hypot(x, y));
      const by = force(far) / far;
      for (const [one, sign] of /** @type {[Dot, number][]} */ ([[a, 1], [b, -1]])) {
        const sum = /** @type {{ x: number, y: number }} */ (push.get(one));
        sum.x += sign * by * x;
        sum.y += sign * by * y;
      }
    };
    dots.forEach((a, i) => { for (const b of dots.slice(i + 1)) between(a, b, (far) => -(NEAR * NEAR) / far); });
    for (const { a, b } of lines) between(a, b, (far) => (far * far) / (3 * NEAR));
    const most = 30 * (1 - round / ROUNDS);
    for (const one of dots) {
      if (one.end && one.at === 0.5) continue;
      const { x, y } = /** @type {{ x: number, y: number }} */ (push.get(one));
      const far = Math.max(1, Math.hypot(x, y));
      one.x = within(one.x + (x / far) * Math.min(far, most), width, 106);
      one.y = within(one.y + (y / far) * Math.min(far, most), height, 116);
    }
  }
}

/** Let a drawing be dragged, and looked into with the wheel. What is given back shows all of it again. @param {SVGSVGElement} drawing @param {{ x: number, y: number, width: number, height: number }} whole */
function looking(drawing, whole) {
  let seen = { ...whole };
  let from = /** @type {{ x: number, y: number } | null} */ (null);
  const show = (/** @type {typeof whole} */ next) => {
    seen = next;
    drawing.setAttribute("viewBox", viewBoxOf(seen));
  };
  drawing.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = drawing.getBoundingClientRect();
    const by = Math.min(whole.width, Math.max(whole.width / CLOSEST, seen.width * NOTCH ** event.deltaY)) / seen.width;
    const [x, y] = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
    show({ x: seen.x + x * seen.width * (1 - by), y: seen.y + y * seen.height * (1 - by), width: seen.width * by, height: seen.height * by });
  }, { passive: false });
  drawing.addEventListener("pointerdown", (event) => {
    if (event.button || /** @type {Element} */ (event.target).closest("a")) return;
    from = { x: event.clientX, y: event.clientY };
    drawing.setPointerCapture(event.pointerId);
  });
  drawing.addEventListener("pointermove", (event) => {
    if (!from) return;
    const scale = seen.width / drawing.getBoundingClientRect().width;
    show({ ...seen, x: seen.x - (event.clientX - from.x) * scale, y: seen.y - (event.clientY - from.y) * scale });
    from = { x: event.clientX, y: event.clientY };
  });
  for (const kind of ["pointerup", "pointercancel"]) drawing.addEventListener(kind, () => { from = null; });
  return () => show({ ...whole });
}

/** @param {{ x: number, y: number, width: number, height: number }} seen */
const viewBoxOf = ({ x, y, width, height }) => [x, y, width, height].map((value) => +value.toFixed(1)).join(" ");

/** @param {Line} line */
const straight = ({ a, b }) => `M${a.x.toFixed(1)} ${a.y.toFixed(1)}L${b.x.toFixed(1)} ${b.y.toFixed(1)}`;

/** @param {Line} line @param {boolean} narrow */
function curve({ a, b, way }, narrow) {
  const n = (/** @type {number} */ value) => value.toFixed(1);
  if (a.layer === b.layer) {
    // The farther it goes, the wider it bows: it passes what stands between.
    const bow = -Math.min(64, 24 + 0.12 * Math.abs(narrow ? a.x - b.x : a.y - b.y));
    const [across, along] = narrow ? [0, bow] : [bow, 0];
    return `M${n(a.x)} ${n(a.y)}C${n(a.x + across)} ${n(a.y + along)} ${n(b.x + across)} ${n(b.y + along)} ${n(b.x)} ${n(b.y)}`;
  }
  return way.map((to, i) => {
    const from = way[i - 1];
    if (!from) return `M${n(to.x)} ${n(to.y)}`;
    const [x, y] = [(from.x + to.x) / 2, (from.y + to.y) / 2];
    return narrow ? `C${n(from.x)} ${n(y)} ${n(to.x)} ${n(y)} ${n(to.x)} ${n(to.y)}` : `C${n(x)} ${n(from.y)} ${n(x)} ${n(to.y)} ${n(to.x)} ${n(to.y)}`;
  }).join("");
}

/** @param {Line} line */
const middleOf = ({ a, b, way: [from = a, to = b] }) => ({ x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 + 4 });

/** One label for each step of the chosen shape, on its widest line with room for it. @param {Line[]} lines @param {Dot[]} dots @returns {Line[]} */
function stepLabels(lines, dots) {
  /** @type {Map<number, Line>} */
  const best = new Map();
  for (const line of [...lines].sort((a, b) => b.score - a.score)) {
    const { x, y } = middleOf(line);
    const near = line.a.layer === line.b.layer || dots.some((one) => Math.abs(one.x - x) < 78 && Math.abs(one.y + 8 - y) < 30) || [...best.values()].some((other) => Math.abs(middleOf(other).x - x) < 90 && Math.abs(middleOf(other).y - y) < 18);
    if (!best.has(line.step) && !near) best.set(line.step, line);
  }
  return [...best.values()];
}

/** The drawing as a file of its own, all of it: what the style sheet says is written into it. @param {SVGSVGElement} drawing @param {{ x: number, y: number, width: number, height: number }} whole */
function standalone(drawing, whole) {
  const copy = /** @type {SVGSVGElement} */ (drawing.cloneNode(true));
  copy.setAttribute("viewBox", viewBoxOf(whole));
  const [now, then] = [drawing, copy].map((root) => [...root.querySelectorAll("*")]);
  (now ?? []).forEach((element, i) => {
    const style = getComputedStyle(element);
    for (const name of ["fill", "stroke", "stroke-width", "stroke-linejoin", "paint-order", "opacity", "font-family", "font-size", "font-weight", "text-anchor"]) then?.[i]?.setAttribute(name, style.getPropertyValue(name));
  });
  for (const link of copy.querySelectorAll("a")) link.removeAttribute("href");
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  return `<?xml version="1.0" encoding="UTF-8"?>\n${new XMLSerializer().serializeToString(copy)}`;
}
