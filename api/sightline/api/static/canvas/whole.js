// The whole graph, or the best connected part of it: communities as discs beside those that they have most to do with, in
// each the best connected apart from one another. Pure but for the question, and without chance: the same graph, the same picture on
// the same screen.

import { ask } from "../shell/api.js";
import { number, plural } from "../parts/dom.js";
import { nothing } from "./graph.js";

/** @typedef {import("./graph.js").Node} Node */
/** @typedef {{ nodes: Node[], x: number, y: number, r: number, links: Map<Disc, number> }} Disc */

/** Entities that are asked for at most. */
const MOST = 5000;
/** Pixels between entities of a community, and at most where there are few; between communities. */
const APART = 15;
const FEW = 90;
const BETWEEN = 26;
/** Half a turn of sunflower seeds. */
const GOLDEN = Math.PI * (3 - Math.sqrt(5));
/** Entities of a community that stand apart from one another. */
const SPREAD = 12;
/** Communities with a smaller share of the entities shown, or fewer of them, stand together and have no name. */
const SHARE = 1 / 300;
const NAMED = 6;

/** @param {number} wide how much wider than high the picture is to be @returns {Promise<import("./graph.js").Graph>} */
export async function wholeGraph(wide) {
  const answer = await ask("overview", { limit: MOST, deadline_ms: 8000 });
  const graph = nothing();
  const apart = Math.min(FEW, Math.max(APART, 600 / Math.sqrt(answer.entities.length || 1)));
  /** @type {Map<number, Disc>} */
  const discs = new Map();
  /** @type {Map<number, number>} */
  const sizes = new Map();
  for (const { community } of answer.entities) sizes.set(community, (sizes.get(community) ?? 0) + 1);
  const least = Math.max(NAMED, SHARE * answer.entities.length);
  const discOf = (/** @type {number} */ community) => ((sizes.get(community) ?? 0) < least ? 0 : community);
  /** @type {Node[]} */
  const nodes = answer.entities.map((/** @type {any} */ { degree, community, ...entity }) => {
    /** @type {Node} */
    const node = { id: entity.id, entity, degree, owner: null, x: 0, y: 0, r: Math.min(12, Math.max(apart / 9, 2.2 + 0.75 * Math.sqrt(degree))), edges: [], opened: false };
    graph.nodes.set(node.id, node);
    const disc = discs.get(discOf(community)) ?? /** @type {Disc} */ ({ nodes: [], x: 0, y: 0, r: 0, links: new Map() });
    disc.nodes.push(node);
    discs.set(discOf(community), disc);
    return node;
  });
  const inferred = new Set(answer.inferred);
  const of = (/** @type {number} */ at) => /** @type {Disc} */ (discs.get(discOf(answer.entities[at].community)));
  answer.source.forEach((/** @type {number} */ s, /** @type {number} */ i) => {
    const [t, relation] = [answer.target[i], answer.relations[answer.relation[i]]];
    const [source, target] = [/** @type {Node} */ (nodes[s]), /** @type {Node} */ (nodes[t])];
    const key = [source.id, relation.id, target.id].join(" ");
    /** @type {import("./graph.js").Edge} */
    const edge = { key, source, target, relation, status: inferred.has(i) ? "inferred" : "stated", chance: null, origins: [] };
    graph.edges.set(key, edge);
    source.edges.push(edge);
    if (source !== target) target.edges.push(edge);
    const [a, b] = [of(s), of(t)];
    if (a === b) return;
    a.links.set(b, (a.links.get(b) ?? 0) + 1);
    b.links.set(a, (b.links.get(a) ?? 0) + 1);
  });
  arrange([...discs.values()], wide, apart);
  for (const { number: n, central } of answer.communities) {
    const disc = discs.get(n);
    if (disc) graph.titles.push({ text: central, x: disc.x, y: disc.y });
  }
  const share = (/** @type {number} */ some, /** @type {number} */ all, /** @type {string} */ one, /** @type {string} */ many) => (some < all ? `${number(some)} of ${plural(all, one, many)}` : plural(all, one, many));
  graph.notes.push([share(nodes.length, answer.all_entities, "entity", "entities"), share(answer.source.length, answer.all_facts, "fact", "facts"), plural(answer.communities.length, "community", "communities")].join(", "));
  if (answer.truncated) graph.notes.push(answer.reason);
  return graph;
}

/** Place the largest first, each as near to what it has most to do with as there is room. @param {Disc[]} discs @param {number} wide @param {number} apart */
function arrange(discs, wide, apart) {
  /** @type {Disc[]} */
  const placed = [];
  for (const disc of discs.sort((a, b) => b.nodes.length - a.nodes.length)) {
    disc.r = apart * Math.sqrt(disc.nodes.length);
    let [x, y, all] = [0, 0, 0];
    for (const [other, count] of disc.links) if (placed.includes(other)) [x, y, all] = [x + count * other.x, y + count * other.y, all + count];
    const [cx, cy] = all ? [x / all, y / all] : [0, 0];
    const step = Math.max(16, disc.r / 2);
    for (let i = 0; ; i += 1) {
      const far = step * Math.sqrt(i);
      [disc.x, disc.y] = [cx + Math.sqrt(wide) * far * Math.cos(i * GOLDEN), cy + (far / Math.sqrt(wide)) * Math.sin(i * GOLDEN)];
      if (placed.every((other) => Math.hypot(other.x - disc.x, other.y - disc.y) > other.r + disc.r + BETWEEN)) break;
    }
    placed.push(disc);
    // The best connected, whose names are written, are spread over the disc: every so many places stands one of them.
    const every = Math.max(1, Math.floor(disc.nodes.length / SPREAD));
    const places = disc.nodes.map((_, i) => i).sort((a, b) => (a % every) - (b % every) || a - b);
    disc.nodes.forEach((node, nth) => {
      const i = places[nth] ?? nth;
      const far = apart * Math.sqrt(i + 0.5);
      [node.x, node.y] = [disc.x + far * Math.cos(i * GOLDEN), disc.y + far * Math.sin(i * GOLDEN)];
    });
  }
}
