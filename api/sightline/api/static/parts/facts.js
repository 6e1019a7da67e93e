// How entities, relations, facts and paths read, wherever they appear.

import { relations } from "../shell/api.js";
import { toEntity, toType } from "../shell/url.js";
import { h, label, number, plain, shortened } from "./dom.js";
import { dot, dotOf, typeNamed } from "./types.js";

/** @typedef {import("../answers.js").Entity} Entity */
/** @typedef {import("../answers.js").Ref} Ref */
/** @typedef {import("../answers.js").Fact} Fact */
/** @typedef {import("../answers.js").Path} Path */

/** Characters of a name that are shown. */
const LONG = 160;
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

/** The label of an entity, relation, type or property; its id where there is nothing to be seen. @param {{ id: string, label: string }} thing @param {number} [longest] */
export const nameOf = (thing, longest = LONG) => shortened(VISIBLE.test(thing.label) ? thing.label : thing.id, longest);
/** @param {{ id: string, label: string }} thing */
export const named = (thing) => label(nameOf(thing));

/** A link to an entity. @param {Entity} entity @param {{ kind?: string, withDot?: boolean }} [options] */
export function entityLink(entity, { kind = "", withDot = false } = {}) {
  const link = h("a", { href: toEntity(entity), class: `entity ${kind}`, title: plain(entity.types.join(", ")), "data-id": entity.id }, named(entity));
  return withDot ? h("span", { class: "node" }, dotOf(entity), link) : link;
}

/** A type as a chip that opens its table. @param {{ id: string, label: string }} type @param {number} [count] */
export function typeChip(type, count) {
  return h("a", { class: "chip", href: toType(type) }, dot(typeNamed(type.label)), named(type), count === undefined ? null : h("span", { class: "count" }, number(count)));
}

/** What relations are: whether both ways say the same, and how the other way reads. @type {Map<string, { relation: Ref, edges: number, symmetric: boolean, inverse_label: string | null }>} */
let ways = new Map();

/** Read what relations are, most used first; without a service their inverses have no names. @returns {Promise<typeof ways>} */
export const ready = () => relations().then((all) => (ways = new Map(all.map((one) => [one.relation.id, one]))), () => ways);

/** Whether a relation says the same both ways. @param {Ref} relation */
export const isSymmetric = (relation) => ways.get(relation.id)?.symmetric ?? false;

/** How a relation is called against its direction; null where nothing says so. @param {Ref} relation @returns {string | null} */
function inverseOf(relation) {
  const known = ways.get(relation.id);
  if (known?.symmetric) return nameOf(relation);
  return known?.inverse_label ? nameOf({ id: relation.id, label: known.inverse_label }) : null;
}

/** A relation read from one end, in plain words. @param {Ref} relation @param {boolean} forward */
export const read = (relation, forward) => (forward ? nameOf(relation) : inverseOf(relation) ?? `← ${nameOf(relation)}`);

/** What says how or where something is, in English, without its verb. */
const STATE = /^(in|on|at|within|near|under|part of|member of|kind of|located|based|born|made|named|written|published|produced|directed|founded|independent)\b/;

/** A relation as a verb of a sentence: one whose other way is called "is the capital of" is something that is had. @param {Ref} relation @param {boolean} forward */
export function verb(relation, forward) {
  const name = read(relation, forward);
  if (forward && ways.get(relation.id)?.inverse_label === `is the ${relation.label} of`) return `has the ${name}`;
  if (!STATE.test(name)) return name;
  return /^(member|kind) of\b/.test(name) ? `is a ${name}` : `is ${name}`;
}

/** A relation as it is walked; only its name may run from right to left, never the arrow. @param {Ref} relation @param {boolean} forward */
export function arrow(relation, forward) {
  const name = forward ? nameOf(relation) : inverseOf(relation);
  return h("span", { class: "arrow", title: plain(relation.iri) }, name === null ? ["← ", named(relation)] : [label(name), " →"]);
}

/** A text of the service with its facts as they are read here: "Kenya —borders→ Uganda" is "Kenya borders → Uganda". @param {string} text */
export const walked = (text) => h("bdi", {}, plain(text).split(/(—[^—→]+→|←[^—←]+—)/).map((part, i) => (i % 2 ? h("span", { class: "arrow" }, part.startsWith("←") ? `← ${part.slice(1, -1)}` : `${part.slice(1, -1)} →`) : part)));

/** How a relation reads from an entity. @param {Ref} relation @param {"out" | "in" | null} direction */
export function phrase(relation, direction) {
  const name = direction === "in" ? inverseOf(relation) : nameOf(relation);
  return name === null ? h("span", { class: "arrow" }, "← ", named(relation)) : label(name);
}

/**
 * A path as a chain: ● Kenya borders → ● Uganda member of → ● East African Community. It is read from its other end
 * where that is `from`.
 * @param {Path} path @param {string} [from]
 */
export function chain(path, from) {
  const back = from !== undefined && path.steps.at(-1)?.target.id === from && path.steps[0]?.source.id !== from;
  const steps = back ? path.steps.map((step) => ({ ...step, source: step.target, target: step.source, forward: !step.forward })).reverse() : path.steps;
  const [first] = steps;
  return h("span", { class: "path" }, first ? entityLink(first.source, { withDot: true }) : null,
    steps.map((step) => [" ", arrow(step.relation, step.forward), " ", entityLink(step.target, { withDot: true })]));
}

/** What a fact links the entity asked about with. @param {Fact} fact */
export const otherEnd = (fact) => (fact.direction === "in" ? fact.head : fact.tail);

/** A type in a sentence; what is not a common word stays as it is. @param {string} type */
function word(type) {
  const text = plain(type);
  return /^\p{Lu}\p{Ll}+( \p{Ll}+)*$/u.test(text) ? text.charAt(0).toLowerCase() + text.slice(1) : text;
}

/** "a country", "an organisation". @param {string} type */
export const withArticle = (type) => `${/^[aeiou]/i.test(word(type)) ? "an" : "a"} ${word(type)}`;

/** "countries", "organisations"; what is not one common word is called entities. @param {string} type */
export function several(type) {
  const one = word(type);
  if (!/^\p{Ll}+$/u.test(one)) return "entities";
  return /[^aeiou]y$/.test(one) ? `${one.slice(0, -1)}ies` : /(s|x|z|ch|sh)$/.test(one) ? `${one}es` : `${one}s`;
}
