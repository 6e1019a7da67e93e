// Types by colour and by two letters, the same everywhere. Most frequent first: twelve colours, then grey.

import { served } from "../shell/api.js";
import { h } from "./dom.js";

/** @typedef {{ id: string, label: string, colour: string, letters: string, entities: number }} Type */

const COLOURS = 12;
/** Colours on which dark letters are the ones that can be read. */
const DARK_LETTERS = new Set([2, 3, 6, 11]);

/** @type {Map<string, Type>} by label, as answers name the types of an entity */
let known = new Map();
/** @type {unknown} */
let of = null;

/** Read the types of what is served. @param {import("../answers.js").Stats} stats */
function learn(stats) {
  if (of === stats) return;
  of = stats;
  known = new Map();
  const taken = new Set();
  for (const { type, entities } of stats.types) {
    if (!type) continue;
    const at = known.size + 1;
    const dark = at > COLOURS || DARK_LETTERS.has(at);
    const colour = `type-${at > COLOURS ? "other" : at}${dark ? " letter-dark" : ""}`;
    const letters = lettersOf(type.label, taken);
    taken.add(letters);
    known.set(type.label, { id: type.id, label: type.label, colour, letters, entities });
  }
}

/** Two letters that no type before it has. @param {string} name @param {Set<string>} taken */
function lettersOf(name, taken) {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter(Boolean);
  const [first = "?"] = words;
  const letters = [...first];
  const start = (letters[0] ?? "?").toUpperCase();
  const pairs = [start + (letters[1] ?? ""), words.length > 1 ? start + [...(words.at(-1) ?? "")][0]?.toUpperCase() : "", ...letters.slice(2).map((letter) => start + letter)];
  return pairs.find((pair) => pair && !taken.has(pair)) ?? pairs[0] ?? "?";
}

/** The types that are served, most frequent first. */
export const types = () => [...known.values()];
/** The type that an entity is drawn by: its first that is known. @param {{ types: string[] }} entity */
export const typeOf = (entity) => known.get(entity.types.find((name) => known.has(name)) ?? "");
/** @param {string} label */
export const typeNamed = (label) => known.get(label);
/** The classes that set --type and --letter. @param {Type | undefined} type */
export const colourOf = (type) => type?.colour ?? "type-other letter-dark";

/** The dot of a type. @param {Type | undefined} type */
export const dot = (type) => h("span", { class: `dot ${colourOf(type)}`, "aria-hidden": "true" });
/** The dot of an entity. @param {{ types: string[] }} entity */
export const dotOf = (entity) => dot(typeOf(entity));

/** Wait until types are known; without a service they are not. */
export const ready = () => served().then(learn, () => undefined);
