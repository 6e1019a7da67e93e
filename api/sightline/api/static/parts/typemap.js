// The graph of types as a drawing: a node per type, a line per pair of types with the relation that links
// them most. The same schema gives the same picture. Its list twin is the table view.

import { rowOf } from "../shell/registry.js";
import { to, toType } from "../shell/url.js";
import { h, number, plain, plural, put, s, say, shortened } from "./dom.js";
import { nameOf, named } from "./facts.js";
import { layer } from "./popover.js";
import { colourOf, dot, typeNamed } from "./types.js";

/** @typedef {import("../answers.js").Ref} Ref */
/** @typedef {{ source: Ref | null, relation: Ref, target: Ref | null, count: number }} Link */
/** @typedef {{ types: { type: Ref | null, entities: number }[], links: Link[] }} Schema */
/** @typedef {{ type: Ref, entities: number, x: number, y: number, r: number }} Node */
/** @typedef {{ a: Node, b: Node, links: Link[], count: number }} Line */

const WIDTH = 740;
const HEIGHT = 700;
/** Types that are drawn. */
const NODES = 24;
const ROUNDS = 400;
/** Room at the sides and above, and how much more there is below, where names stand. */
const ASIDE = 62;
const ABOVE = 54;
const LOW = 18;
/** Where more types than this stand around one, every other one stands at this share of the way. */
const RING = 7;
const NEAR = 0.76;

/** @param {Schema} schema */
export function typeMap(schema) {
  const shown = schema.types.flatMap(({ type, entities }) => (type ? [{ type, entities, x: 0, y: 0, r: 0 }] : [])).slice(0, NODES);
  const most = Math.max(...shown.map((node) => node.entities), 1);
  for (const node of shown) node.r = 9 + 17 * Math.sqrt(node.entities / most);
  const byId = new Map(shown.map((node) => [node.type.id, node]));
  const lines = linesOf(schema.links, byId);
  arrange(shown, lines);
  const omitted = schema.types.filter(({ type }) => type).length - shown.length;

  const taken = shown.map((node) => ({ x: node.x, y: node.y + 14, w: Math.max(2 * node.r, 7.2 * nameOf(node.type, 24).length), h: 2 * node.r + 34 }));
  const edges = lines.map((line) => {
    const { path, places } = curve(line);
    const [top] = line.links;
    const text = top ? `${nameOf(top.relation, 28)} ${number(top.count)}${line.links.length > 1 ? ` +${line.links.length - 1}` : ""}` : "";
    const w = 5.6 * text.length + 4;
    // What is written beside a node at the edge stays in the drawing.
    const boxes = places.map(([x, y]) => ({ x: Math.min(Math.max(x, w / 2), WIDTH - w / 2), y, w, h: 15 }));
    const free = boxes.find((box) => !taken.some((other) => Math.abs(other.x - box.x) * 2 < other.w + box.w && Math.abs(other.y - box.y) * 2 < other.h + box.h));
    const { x, y } = free ?? boxes[0] ?? { x: 0, y: 0 };
    if (free) taken.push(free);
    return [s("path", { d: path }), text ? s("text", { x, y: y + 4, class: free ? null : "crowded" }, plain(text)) : null];
  });
  const card = h("div", { class: "type-card appear", hidden: true });
  const nodes = shown.map((node) => {
    const drawn = s("a", { class: `node ${colourOf(typeNamed(node.type.label))}`, href: toType(node.type) }, s("title", {}, `${shortened(node.type.label, 150)}, ${plural(node.entities, "entity", "entities")}`),
      s("circle", { class: "ring", cx: node.x, cy: node.y, r: node.r + 5 }), s("circle", { class: "body", cx: node.x, cy: node.y, r: node.r }),
      s("text", { class: "letters", x: node.x, y: node.y + 4 }, typeNamed(node.type.label)?.letters ?? ""),
      s("text", { class: "name", x: node.x, y: node.y + node.r + 16 }, nameOf(node.type, 24)),
      s("text", { class: "count", x: node.x, y: node.y + node.r + 31 }, number(node.entities)));
    drawn.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      select(node);
    });
    return drawn;
  });

  /** @type {(() => void) | null} */
  let off = null;
  /** @param {Node | null} node */
  function select(node) {
    off?.();
    off = node ? layer(() => select(null)) : null;
    nodes.forEach((drawn, i) => drawn.classList.toggle("selected", shown[i] === node));
    lines.forEach((line, i) => edges[i]?.forEach((drawn) => drawn?.classList.toggle("lit", line.a === node || line.b === node)));
    card.hidden = !node;
    if (!node) return;
    const relations = new Set(schema.links.filter((link) => link.source?.id === node.type.id || link.target?.id === node.type.id).map((link) => link.relation.id)).size;
    put(card, h("header", {}, dot(typeNamed(node.type.label)), h("b", {}, named(node.type)), h("span", { class: "quiet" }, number(node.entities))),
      h("p", {}, plural(relations, "relation")),
      h("div", { class: "row" }, h("a", { class: "button", href: toType(node.type) }, "Table"),
        rowOf("ask") ? h("a", { class: "button", href: to("ask", null, { type: node.type.id }) }, "Ask about") : null));
    say(`${node.type.label}, ${plural(relations, "relation")}`);
  }
  return [
    h("div", { class: "atlas" }, card, s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group", "aria-label": "Types and the relations between them" }, s("g", { class: "links" }, edges.map(([path]) => path), edges.map(([, text]) => text)), nodes)),
    omitted > 0 ? h("p", { class: "note" }, `${plural(omitted, "rarer type is", "rarer types are")} not drawn.`) : null,
  ];
}

/** One line for every pair of types, most facts first. @param {Link[]} links @param {Map<string, Node>} byId */
function linesOf(links, byId) {
  /** @type {Map<string, Line>} */
  const lines = new Map();
  for (const link of links) {
    const [a, b] = [byId.get(link.source?.id ?? ""), byId.get(link.target?.id ?? "")];
    if (!a || !b) continue;
    const key = [a.type.id, b.type.id].sort().join(" ");
    const line = lines.get(key) ?? { a, b, links: [], count: 0 };
    line.links.push(link);
    line.count += link.count;
    lines.set(key, line);
  }
  return [...lines.values()].sort((one, other) => other.count - one.count);
}

/** Places by repulsion and springs from a fixed beginning. @param {Node[]} nodes @param {Line[]} lines */
function arrange(nodes, lines) {
  /** @param {Node} node */
  const degree = (node) => lines.filter((line) => line.a === node || line.b === node).length;
  const order = [...nodes].sort((one, other) => degree(other) - degree(one));
  order.forEach((node, i) => {
    const angle = 2.4 * i;
    const far = i ? 0.25 + 0.2 * Math.sqrt(i / order.length) : 0;
    node.x = far * Math.cos(angle);
    node.y = far * Math.sin(angle);
  });
  const k = 0.62 / Math.sqrt(nodes.length || 1);
  for (let round = 0; round < ROUNDS; round += 1) {
    const heat = 0.08 * (1 - round / ROUNDS);
    const moves = new Map(nodes.map((node) => [node, { x: -0.02 * node.x, y: -0.02 * node.y }]));
    /** @param {Node} one @param {Node} other @param {number} force */
    const push = (one, other, force) => {
      const [dx, dy] = [one.x - other.x, one.y - other.y];
      const d = Math.hypot(dx, dy) || 1e-3;
      const [m, n] = [moves.get(one), moves.get(other)];
      if (!m || !n) return;
      m.x += (dx / d) * force; m.y += (dy / d) * force;
      n.x -= (dx / d) * force; n.y -= (dy / d) * force;
    };
    for (let i = 0; i < nodes.length; i += 1) for (let j = 0; j < i; j += 1) {
      const [one, other] = [/** @type {Node} */ (nodes[i]), /** @type {Node} */ (nodes[j])];
      const d = Math.hypot(one.x - other.x, one.y - other.y) || 1e-3;
      push(one, other, (k * k) / d);
    }
    for (const { a, b } of lines) if (a !== b) push(a, b, -(Math.hypot(a.x - b.x, a.y - b.y) ** 2) / k / 2);
    for (const [node, move] of moves) {
      const length = Math.hypot(move.x, move.y) || 1;
      node.x += (move.x / length) * Math.min(length, heat);
      node.y += (move.y / length) * Math.min(length, heat);
    }
  }
  // The best linked in the middle, the others around it in the order in which the springs left them, evenly: what is well
  // linked among itself is no knot. Where there are many, every other one stands nearer, so that names have room.
  const [hub, ...others] = order;
  if (!hub) return;
  const turned = others.map((node) => ({ node, angle: Math.atan2(node.y - hub.y, node.x - hub.x) })).sort((one, other) => one.angle - other.angle);
  const first = turned[0]?.angle ?? 0;
  Object.assign(hub, { x: WIDTH / 2, y: HEIGHT / 2 - LOW });
  turned.forEach(({ node }, i) => {
    const turn = first + (2 * Math.PI * i) / turned.length;
    const far = turned.length > RING && i % 2 ? NEAR : 1;
    node.x = WIDTH / 2 + far * (WIDTH / 2 - ASIDE) * Math.cos(turn);
    node.y = HEIGHT / 2 - LOW + far * (HEIGHT / 2 - ABOVE) * Math.sin(turn);
  });
}

/** The way of a line, and where its text may stand, the best place first. @param {Line} line @returns {{ path: string, places: [number, number][] }} */
function curve({ a, b }) {
  if (a === b) {
    const out = Math.sign(a.x - WIDTH / 2 || 1);
    const [x, y, r] = [a.x, a.y, a.r];
    return { path: `M${x} ${y - r}C${x + out * 8} ${y - r - 34} ${x + out * (r + 40)} ${y - r - 8} ${x + out * r} ${y}`, places: [[x + out * (r + 34), y - r - 18], [x + out * (r + 52), y - r + 4]] };
  }
  const bend = 0.06;
  const [cx, cy] = [(a.x + b.x) / 2 - bend * (b.y - a.y), (a.y + b.y) / 2 + bend * (b.x - a.x)];
  /** @param {number} t @returns {[number, number]} */
  const at = (t) => [(1 - t) ** 2 * a.x + 2 * t * (1 - t) * cx + t * t * b.x, (1 - t) ** 2 * a.y + 2 * t * (1 - t) * cy + t * t * b.y];
  return { path: `M${a.x} ${a.y}Q${cx} ${cy} ${b.x} ${b.y}`, places: [0.5, 0.42, 0.58, 0.34, 0.66, 0.27, 0.73].map(at) };
}
