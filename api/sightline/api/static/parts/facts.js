// How entities, relations, facts and paths read, wherever they appear.

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

/** A relation as it is walked; only its name may run from right to left, never the arrow. @param {Ref} relation @param {boolean} forward */
export function arrow(relation, forward) {
  return h("span", { class: "arrow", title: plain(relation.iri) }, forward ? null : "← ", named(relation), forward ? " →" : null);
}

/**
 * How a relation reads from an entity: its own name forward; backward the name of its inverse, where it has one.
 * @param {Ref & { inverse_label?: string | null }} relation @param {"out" | "in" | null} direction
 */
export function phrase(relation, direction) {
  if (direction !== "in") return named(relation);
  return relation.inverse_label ? label(relation.inverse_label) : h("span", { class: "arrow" }, "← ", named(relation));
}

/** A path as a chain: ● Kenya borders → ● Uganda member of → ● East African Community. @param {Path} path */
export function chain(path) {
  const [first] = path.steps;
  return h("span", { class: "path" }, first ? entityLink(first.source, { withDot: true }) : null,
    path.steps.map((step) => [" ", arrow(step.relation, step.forward), " ", entityLink(step.target, { withDot: true })]));
}

/** What a fact links the entity asked about with. @param {Fact} fact */
export const otherEnd = (fact) => (fact.direction === "in" ? fact.head : fact.tail);
