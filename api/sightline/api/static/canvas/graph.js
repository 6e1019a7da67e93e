// What is drawn: entities, facts between them, and what was left out, gathered step by step. Knows the API; knows no pixel.
//
// The steps are in the address: the entity itself, then what was expanded, in that order. The same steps
// give the same graph and, with `layout.js`, the same picture.

import { ask, tag } from "../shell/api.js";
import { isSymmetric, read } from "../parts/facts.js";

/** @typedef {import("../answers.js").Entity} Entity */
/** @typedef {import("../answers.js").Ref} Ref */
/** @typedef {import("../answers.js").Status} Status */
/** @typedef {import("../answers.js").Origin} Origin */
/** @typedef {{ id: string, relation: string | null }} Step what is expanded: an entity, or one relation of it */
/**
 * @typedef {object} Node
 * @property {string} id
 * @property {Entity} entity
 * @property {number} degree facts in the whole graph
 * @property {string | null} owner what it was expanded from
 * @property {number} x @property {number} y place in the picture; the entity itself is at 0, 0
 * @property {number} r radius in pixels
 * @property {Edge[]} edges
 * @property {boolean} opened
 */
/** @typedef {{ key: string, source: Node, target: Node, relation: Ref, status: Status, chance: number | null, origins: Origin[] }} Edge */
/**
 * The neighbours that one step added by one relation and direction: they share a trunk.
 * @typedef {object} Group
 * @property {string} key
 * @property {Node} owner
 * @property {Ref} relation
 * @property {"out" | "in" | "both"} direction
 * @property {Node[]} nodes
 * @property {Edge[]} edges
 * @property {number} more neighbours left out
 * @property {number} x @property {number} y where its trunk ends
 * @property {{ x: number, y: number } | null} rest where the sign for what was left out stands
 */
/** @typedef {{ nodes: Map<string, Node>, edges: Map<string, Edge>, groups: Group[], titles: Title[], notes: string[], abstain: number | null }} Graph */
/** A name of a part of the picture. @typedef {{ text: string, x: number, y: number }} Title */

/** Entities that a step adds, of one relation, and of one relation of a hub, which opens as groups. */
const STEP = 40;
const EACH = 8;
const OF_HUB = 2;
const HUB = 60;
/** Characters of the ids that are told as drawn: an address has a limit. */
const TOLD = 9000;

/** How a relation reads from what was expanded. @param {{ relation: Ref, direction: "out" | "in" | "both" }} group */
export const phraseOf = ({ relation, direction }) => read(relation, direction !== "in");

/** Answers by question: undo and redo ask nothing again. @type {Map<string, Promise<any>>} */
const answers = new Map();
const KEPT = 200;

/** @param {string} route @param {Record<string, any>} parameters */
function asked(route, parameters) {
  const key = JSON.stringify([tag, route, parameters]);
  const known = answers.get(key);
  if (known) return known;
  const answer = ask(route, parameters);
  answers.set(key, answer);
  answer.catch(() => answers.delete(key));
  if (answers.size > KEPT) answers.delete(answers.keys().next().value ?? "");
  return answer;
}

/** @returns {Graph} */
export const nothing = () => ({ nodes: new Map(), edges: new Map(), groups: [], titles: [], notes: [], abstain: null });

/** As it stands in the address. @param {Step} step */
export const written = ({ id, relation }) => [id, ...(relation ? [relation] : [])].map((part) => part.replace(/[%;]/g, encodeURIComponent)).join(";");

/** @param {string} text @returns {Step} */
export function stepOf(text) {
  const [id = "", relation = null] = text.split(";").map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return { id, relation };
}

/**
 * Do one step: ask for the neighbours and add them. Gives back the groups that came, in the order in which they are
 * to be placed.
 * @param {Graph} graph
 * @param {Step} step
 */
export async function expand(graph, step) {
  const known = graph.nodes.get(step.id);
  if (graph.nodes.size && !known) return [];
  const told = [...graph.nodes.keys()].filter((id) => id !== step.id);
  let length = 0;
  const exclude = told.reverse().filter((id) => (length += encodeURIComponent(id).length + 9) < TOLD);
  const each = step.relation ? STEP : known && known.degree > HUB ? OF_HUB : EACH;
  const answer = await asked("entities/-/neighborhood", {
    id: step.id, rank: "relevance", limit: STEP + 1, per_relation: each, predicted: !known, extracted: true,
    relations: step.relation, exclude: exclude.reverse(),
  });
  return take(graph, step, answer);
}

/** @param {Graph} graph @param {Step} step @param {any} answer */
function take(graph, step, answer) {
  const first = !graph.nodes.size;
  /** @type {Set<Node>} */
  const came = new Set();
  for (const { degree, ...entity } of answer.nodes) {
    if (graph.nodes.has(entity.id)) continue;
    const node = { id: entity.id, entity, degree, owner: step.id, x: 0, y: 0, r: first ? 9 : 6.5, edges: [], opened: false };
    graph.nodes.set(entity.id, node);
    came.add(node);
  }
  const owner = /** @type {Node} */ (graph.nodes.get(answer.center.id));
  if (first) Object.assign(owner, { r: 20, owner: null });
  else owner.r = Math.max(owner.r, 9);
  owner.opened = true;
  came.delete(owner);
  for (const { source, relation, target, status, probability_if_any, origins } of answer.edges) {
    const key = [source, relation.id, target].join(" ");
    const ends = [graph.nodes.get(source), graph.nodes.get(target)];
    if (graph.edges.has(key) || !ends[0] || !ends[1]) continue;
    const edge = { key, source: ends[0], target: ends[1], relation, status, chance: probability_if_any, origins };
    graph.edges.set(key, edge);
    ends[0].edges.push(edge);
    if (ends[0] !== ends[1]) ends[1].edges.push(edge);
  }
  if (answer.reason) graph.notes.push(answer.reason);
  graph.abstain = answer.abstain_below ?? graph.abstain;
  return grouped(graph, owner, step, came, answer.omitted);
}

/** @param {Graph} graph @param {Node} owner @param {Step} step @param {Set<Node>} came @param {any[]} omitted */
function grouped(graph, owner, step, came, omitted) {
  /** @type {Map<string, Group>} */
  const groups = new Map();
  /** @param {Ref} relation @param {"out" | "in"} way @param {string} [alone] */
  const of = (relation, way, alone = "") => {
    const direction = isSymmetric(relation) ? "both" : way;
    const key = [owner.id, relation.id, direction, alone].join(" ");
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { key, owner, relation, direction, nodes: [], edges: [], more: 0, x: 0, y: 0, rest: null }));
    return group;
  };
  const placed = new Set();
  for (const edge of owner.edges) {
    const direction = edge.source === owner ? "out" : "in";
    const other = direction === "out" ? edge.target : edge.source;
    if (!came.has(other) || placed.has(other)) continue;
    placed.add(other);
    const group = of(edge.relation, direction, edge.status === "predicted" || edge.status === "extracted" ? other.id : "");
    group.nodes.push(other);
    group.edges.push(edge);
  }
  for (const { relation, direction, count } of omitted) of(relation, direction).more += count;
  // What was left out by an earlier step is told by this one now.
  graph.groups = graph.groups.filter((group) => {
    if (group.owner !== owner || (step.relation && group.relation.id !== step.relation)) return true;
    group.more = 0;
    group.rest = null;
    return group.nodes.length > 0;
  });
  const ordered = [...groups.values()].sort((a, b) => (a.relation.label < b.relation.label ? -1 : a.relation.label > b.relation.label ? 1 : a.key < b.key ? -1 : 1));
  graph.groups.push(...ordered);
  return ordered;
}

/** The other end of a fact. @param {Edge} edge @param {Node} node */
export const other = (edge, node) => (edge.source === node ? edge.target : edge.source);
