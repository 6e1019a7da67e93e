// A field that shows what is chosen in it and opens what it can be: an entity by search, a relation by
// name and by the types that have it. Used where a question is put together.

import { once } from "../shell/api.js";
import { h, label, number, plain, put } from "./dom.js";
import { nameOf, named } from "./facts.js";
import { icon } from "./icons.js";
import { closeTop, popover } from "./popover.js";
import { searchBox } from "./search.js";
import { dotOf } from "./types.js";

/** @typedef {import("../answers.js").Ref} Ref */
/** @typedef {import("../answers.js").Entity} Entity */
/** @typedef {{ source: Ref | null, relation: Ref, target: Ref | null, count: number }} SchemaLink */

/**
 * A relation as it is used between types.
 * @typedef {{ relation: Ref, count: number, from: Ref[], into: Ref[] }} Use
 */

/**
 * The relations that lead from the types of a head into those of a tail, most used first.
 * @param {string[] | null} head labels of types; null: any
 * @param {string[] | null} tail
 * @returns {Promise<Use[]>}
 */
export async function relationsBetween(head, tail) {
  const links = /** @type {SchemaLink[]} */ ((await once("schema")).links);
  /** @type {Map<string, Use>} */
  const uses = new Map();
  /** @param {Ref | null} type @param {string[] | null} of */
  const fits = (type, of) => !of || !of.length || Boolean(type && of.includes(type.label));
  for (const { source, relation, target, count } of links) {
    if (!fits(source, head) || !fits(target, tail)) continue;
    const use = uses.get(relation.id) ?? { relation, count: 0, from: [], into: [] };
    use.count += count;
    for (const [type, list] of /** @type {[Ref | null, Ref[]][]} */ ([[source, use.from], [target, use.into]])) {
      if (type && !list.some((known) => known.id === type.id)) list.push(type);
    }
    uses.set(relation.id, use);
  }
  return [...uses.values()].sort((a, b) => b.count - a.count);
}

/** The types of a use in words: "River, Lake +2". @param {Ref[]} types */
export const typesOf = (types) => types.slice(0, 2).map((type) => nameOf(type, 24)).join(", ") + (types.length > 2 ? ` +${types.length - 2}` : "");

/** What an empty field is filled with: the gap of a question. */
const gap = () => h("span", { class: "gap-sign" }, "?");

/**
 * @param {{ name: string, hint?: string, value: import("./dom.js").Content, open: (close: () => void) => { content: import("./dom.js").Content, focus?: HTMLElement }, empty: boolean }} options
 */
function field({ name, hint, value, open, empty }) {
  const button = h("button", {
    type: "button", class: empty ? "pick gap" : "pick", "aria-expanded": "false", "aria-haspopup": "dialog", "aria-label": `${name}: ${empty ? "what is asked for" : ""}`,
    onclick: () => {
      const { content, focus } = open(closeTop);
      popover(button, content, { label: name, kind: "picker" });
      focus?.focus();
    },
  }, empty ? [gap(), hint ? h("span", { class: "clip quiet" }, hint) : null] : value, icon("chevron"));
  if (!empty) button.setAttribute("aria-label", plain(`${name}: ${button.textContent}`));
  return button;
}

/** What takes the value out of a field. @param {() => void} clear */
const clearer = (clear) => h("button", { type: "button", class: "pick-clear", onclick: () => { closeTop(); clear(); } }, gap(), "leave this open: it is what is asked for");

/**
 * A field that holds an entity.
 * @param {{ name: string, hint?: string, entity: Entity | null, choose: (entity: Entity | null) => void }} options
 */
export const entityField = ({ name, hint, entity, choose }) => field({
  name, hint, empty: !entity, value: entity ? [dotOf(entity), h("span", { class: "clip" }, named(entity))] : null,
  open: (close) => {
    const { box, input } = searchBox({ name, placeholder: "Name of an entity", choose: (found) => { close(); choose(found); } });
    return { content: [box, entity ? clearer(() => choose(null)) : null], focus: input };
  },
});

/**
 * A field that holds a relation; offered are those between the types of the two ends.
 * @param {{ name: string, hint?: string, relation: Ref | null, head: Entity | null, tail: Entity | null, choose: (relation: Ref | null) => void }} options
 */
export const relationField = ({ name, hint, relation, head, tail, choose }) => field({
  name, hint, empty: !relation, value: relation ? h("span", { class: "clip" }, named(relation)) : null,
  open: (close) => {
    const list = h("div", { class: "pick-list", "data-scroll": true }, h("p", { class: "note" }, "…"));
    const input = h("input", { class: "field", type: "search", placeholder: "Name of a relation", "aria-label": name, autocomplete: "off", spellcheck: "false" });
    /** @param {Use[]} uses */
    const show = (uses) => {
      const typed = input.value.trim().toLocaleLowerCase();
      const found = uses.filter(({ relation: one }) => one.label.toLocaleLowerCase().includes(typed));
      put(list, found.map((use) => h("button", { type: "button", onclick: () => { close(); choose(use.relation); } },
        h("span", { class: "clip grow" }, named(use.relation)), h("span", { class: "quiet" }, label(`${typesOf(use.from)} to ${typesOf(use.into)}`)), h("span", { class: "count" }, number(use.count)))),
      found.length ? null : h("p", { class: "note" }, "No relation of these types is called so."));
    };
    relationsBetween(head?.types ?? null, tail?.types ?? null).then((uses) => {
      show(uses);
      input.addEventListener("input", () => show(uses));
    }, (error) => put(list, h("p", { class: "note" }, label(error.message))));
    input.addEventListener("keydown", (event) => {
      const first = /** @type {HTMLElement | null} */ (list.querySelector("button"));
      if (event.key === "Enter") { event.preventDefault(); first?.click(); }
      if (event.key === "ArrowDown") { event.preventDefault(); first?.focus(); }
    });
    list.addEventListener("keydown", (event) => {
      const at = document.activeElement;
      const next = event.key === "ArrowDown" ? at?.nextElementSibling : event.key === "ArrowUp" ? at?.previousElementSibling ?? input : null;
      if (!(next instanceof HTMLElement)) return;
      event.preventDefault();
      next.focus();
    });
    return { content: [input, list, relation ? clearer(() => choose(null)) : null], focus: input };
  },
});
