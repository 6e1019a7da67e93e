// Search as you type: entities, types and relations by name, and what can be done with the first of them.

import { ask, relations, served } from "../shell/api.js";
import { rowOf } from "../shell/registry.js";
import { go } from "../shell/router.js";
import { to, toEntity, toType } from "../shell/url.js";
import { h, label, number, plain, plural, say } from "./dom.js";
import { nameOf, named } from "./facts.js";
import { icon } from "./icons.js";
import { layer } from "./popover.js";
import { dot, dotOf, typeNamed } from "./types.js";

/** @typedef {import("../answers.js").Found} Found */
/** @typedef {import("../answers.js").Ref} Ref */
/** @typedef {"entity" | "type" | "relation" | "action"} Sort */
/** @typedef {{ sort: Sort, key: string, draw: () => import("./dom.js").Content, entity?: Found, ref?: Ref, text: string, run: () => void }} Item */

/** Milliseconds of rest before a question is asked. */
const REST = 60;
const TITLES = { entity: "Entities", type: "Types", relation: "Relations", action: "Do" };

let boxes = 0;

/** A name with what was typed marked in it. @param {string} name @param {string} typed */
function matched(name, typed) {
  const text = plain(name);
  const at = text.toLocaleLowerCase().indexOf(typed.toLocaleLowerCase());
  if (at < 0 || !typed) return h("bdi", {}, text);
  return h("bdi", {}, text.slice(0, at), h("mark", {}, text.slice(at, at + typed.length)), text.slice(at + typed.length));
}

/**
 * A combobox (ARIA 1.2 pattern).
 * @param {object} options
 * @param {string} options.name what a screen reader calls it
 * @param {string} options.placeholder
 * @param {Sort[]} [options.sorts] what is offered; only entities call `choose` otherwise than to go there
 * @param {string} [options.type] only entities of this type
 * @param {(entity: Found, input: HTMLInputElement) => void} [options.choose] instead of going to the entity
 * @param {(ref: Ref, sort: Sort, input: HTMLInputElement) => void} [options.chooseRef] instead of going to the type or relation
 * @param {string} [options.kind] a class: "large"
 * @param {string} [options.hint] a key that leads here
 */
export function searchBox({ name, placeholder, sorts = ["entity"], type, choose, chooseRef, kind = "", hint }) {
  const id = `search-${(boxes += 1)}`;
  // A press on the list, its scroll bar included, leaves the focus where it is.
  const list = h("div", { role: "listbox", id: `${id}-list`, "aria-label": `Matches for ${name}`, class: "suggestions", hidden: true, onmousedown: (/** @type {Event} */ event) => event.preventDefault() });
  const input = h("input", {
    type: "search", role: "combobox", id, placeholder, "aria-label": name, autocomplete: "off", spellcheck: "false",
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id, maxlength: "200",
  });
  /** @type {Item[]} */
  let items = [];
  let active = -1;
  /** @type {string | null} */
  let searched = null;
  /** @type {AbortController | null} */
  let pending = null;
  let timer = 0;
  /** @type {(() => void) | null} */
  let off = null;

  function close() {
    pending?.abort();
    clearTimeout(timer);
    off?.();
    off = null;
    list.hidden = true;
    searched = null;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  /** @param {number} index */
  function pointAt(index) {
    active = index;
    for (const option of list.querySelectorAll("[role=option]")) option.setAttribute("aria-selected", String(option.id === `${id}-${index}`));
    if (!items.length) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", `${id}-${index}`);
    document.getElementById(`${id}-${index}`)?.scrollIntoView({ block: "nearest" });
  }

  /** @param {Item | undefined} item */
  function pick(item) {
    if (!item) return;
    close();
    if (item.sort === "entity" && item.entity && choose) return choose(item.entity, input);
    if (item.ref && chooseRef) return chooseRef(item.ref, item.sort, input);
    input.value = "";
    input.blur();
    item.run();
  }

  /** @param {Item[]} found @param {string} otherwise */
  function show(found, otherwise) {
    items = found;
    list.replaceChildren();
    /** @type {Sort | null} */
    let group = null;
    items.forEach((item, i) => {
      if (item.sort !== group && sorts.length > 1) list.append(h("div", { class: "group", role: "presentation" }, TITLES[item.sort]));
      group = item.sort;
      list.append(h("div", { role: "option", id: `${id}-${i}`, "aria-selected": "false", onclick: () => pick(items[i]) }, item.draw()));
    });
    if (!items.length) list.append(h("div", { class: "group" }, label(otherwise)));
    else list.append(h("footer", { "aria-hidden": "true" }, h("span", {}, h("kbd", {}, "↑"), h("kbd", {}, "↓"), "choose"), h("span", {}, h("kbd", {}, "↵"), "open")));
    list.hidden = false;
    off ??= layer(close);
    input.setAttribute("aria-expanded", "true");
    say(items.length ? plural(items.length, "match", "matches") : otherwise);
    pointAt(0);
  }

  async function search() {
    const q = input.value.trim();
    if (!q) return close();
    pending?.abort();
    clearTimeout(timer);
    pending = new AbortController();
    try {
      const [entities, others] = await Promise.all([
        sorts.includes("entity") ? ask("entities", { q, type, limit: sorts.length > 1 ? 6 : 10 }, pending.signal) : { entities: [] },
        refsLike(q, sorts),
      ]);
      const found = entities.entities.map((/** @type {Found} */ entity) => entityItem(entity, q, entities.entities));
      const actions = sorts.includes("action") ? actionsFor(entities.entities[0], others[0]) : [];
      show([...found, ...others, ...actions], "Nothing matches.");
      searched = q;
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") show([], /** @type {Error} */ (error).message);
    }
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = window.setTimeout(search, REST);
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", async (event) => {
    if (event.key === "Enter") {
      event.preventDefault();
      if (searched !== input.value.trim()) await search();
      if (!list.hidden) pick(items[active]);
    } else if (event.key === "Escape" && list.hidden && input.value === "") {
      input.blur();
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && !list.hidden && items.length) {
      event.preventDefault();
      pointAt((active + (event.key === "ArrowDown" ? 1 : items.length - 1)) % items.length);
    }
  });
  const box = h("div", { class: `search ${kind}` }, h("div", { class: "box" }, icon("search"), input, hint ? h("kbd", { "aria-hidden": "true", class: "desk" }, hint) : null), list);
  return { box, input };
}

/** @param {Found} entity @param {string} q @param {Found[]} all @returns {Item} */
function entityItem(entity, q, all) {
  const twins = all.filter((other) => other.label === entity.label).length > 1;
  const about = [twins || !entity.types.length ? entity.id : entity.types[0], entity.how === "typo" ? "similar spelling" : entity.how && !plain(entity.label).toLocaleLowerCase().includes(q.toLocaleLowerCase()) && entity.id !== q ? "by another name" : null].filter(Boolean).join(", ");
  return {
    sort: "entity", key: entity.id, entity, text: entity.label, run: () => go(toEntity(entity)),
    draw: () => [dotOf(entity), h("span", { class: "name" }, matched(nameOf(entity), q)), h("span", { class: "about" }, plain(about)), h("span", { class: "end" }, plural(entity.degree + entity.extracted, "fact"))],
  };
}

/** Types and relations whose name holds what was typed. @param {string} q @param {Sort[]} sorts @returns {Promise<Item[]>} */
async function refsLike(q, sorts) {
  const typed = q.toLocaleLowerCase();
  /** @param {Ref} ref */
  const like = (ref) => ref.label.toLocaleLowerCase().includes(typed) || ref.id.toLocaleLowerCase() === typed;
  /** @type {Item[]} */
  const items = [];
  if (sorts.includes("type")) {
    for (const { type, entities } of (await served()).types) {
      if (type && like(type)) {
        items.push({ sort: "type", key: type.id, ref: type, text: type.label, run: () => go(toType(type)), draw: () => [dot(typeNamed(type.label)), h("span", { class: "name" }, matched(nameOf(type), q)), h("span", { class: "end" }, plural(entities, "entity", "entities"))] });
      }
    }
  }
  if (sorts.includes("relation")) {
    for (const { relation, edges } of await relations()) {
      if (like(relation)) {
        items.push({ sort: "relation", key: relation.id, ref: relation, text: relation.label, run: () => go(to("map", null, { rel: relation.id })), draw: () => [icon("right"), h("span", { class: "name" }, matched(nameOf(relation), q)), h("span", { class: "end" }, plural(edges, "fact"))] });
      }
    }
  }
  return items.slice(0, 5);
}

/** What can be done with what was found first; only what there is a view for. @param {Found | undefined} entity @param {Item | undefined} other @returns {Item[]} */
function actionsFor(entity, other) {
  /** @type {Item[]} */
  const items = [];
  /** @param {string} key @param {import("./icons.js").Icon} sign @param {import("./dom.js").Content} text @param {string} href */
  const add = (key, sign, text, href) => items.push({ sort: "action", key, text: key, run: () => go(href), draw: () => [icon(sign), h("span", { class: "name" }, text)] });
  if (entity && rowOf("connect")) add("connect", "connect", ["Connect ", h("b", {}, named(entity)), " with …"], to("connect", null, { a: entity.id }));
  if (entity && rowOf("ask")) add("ask", "ask", ["Ask what else is linked with ", h("b", {}, named(entity))], to("ask", null, { h: entity.id }));
  const type = other?.sort === "type" ? other.ref : typeNamed(entity?.types[0] ?? "");
  if (type && rowOf("table")) {
    const many = typeNamed(type.label)?.entities ?? 0;
    add("table", "table", ["Table of all ", number(many), ": ", h("b", {}, named(type))], toType(type));
  }
  return items;
}
