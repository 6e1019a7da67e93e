// Elements made node by node: whatever text goes in stays text. Knows no answer of the API.

const SVG = "http://www.w3.org/2000/svg";

/** What goes into an element; lists may hold lists. @typedef {string | number | Node | null | undefined | false | ReadonlyArray<any>} Content */
/** @typedef {Record<string, any>} Properties */

/**
 * An element. Properties that start with "on" are listeners, the others are attributes; one that is
 * null, undefined or false is left out.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag
 * @param {Properties} properties
 * @param {...Content} children
 * @returns {HTMLElementTagNameMap[T]}
 */
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/**
 * An element of a drawing.
 * @template {keyof SVGElementTagNameMap} T
 * @param {T} tag
 * @param {Properties} properties
 * @param {...Content} children
 * @returns {SVGElementTagNameMap[T]}
 */
export function s(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

/**
 * @template {Element} E
 * @param {E} element
 * @param {Properties} properties
 * @param {Content[]} children
 */
function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of /** @type {any[]} */ (children).flat(Infinity)) {
    if (child !== null && child !== undefined && child !== false) element.append(child instanceof Node ? child : String(child));
  }
  return element;
}

/**
 * Show this in a place, instead of what it holds.
 * @template {Element} E
 * @param {E} place
 * @param {...Content} content
 * @returns {E}
 */
export function put(place, ...content) {
  place.replaceChildren();
  return fill(place, {}, content);
}

/** The one element of a selector. @param {string} selector @returns {HTMLElement} */
export const the = (selector) => /** @type {HTMLElement} */ (document.querySelector(selector));

/** A text without control characters, and without those that turn the text around it. @param {string} text */
export const plain = (text) => text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, " ");

/** A text from the data, kept apart from what is around it whichever direction it is written in. @param {string} text */
export const label = (text) => h("bdi", {}, plain(text));

/** @param {string} text @param {number} longest */
export function shortened(text, longest) {
  const characters = [...plain(text)];
  return characters.length > longest ? `${characters.slice(0, longest - 1).join("")}…` : characters.join("");
}

/** @param {number} n */
export const number = (n) => n.toLocaleString("en");
/** "3 facts", "1 fact". @param {number} n @param {string} one @param {string} [many] */
export const plural = (n, one, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;

/** What a screen reader says of a change; `the live region`. @param {string} text */
export function say(text) {
  the("#live").textContent = text;
}

/** Milliseconds that a note stays. */
const STAYS = 5000;

/** A note that everybody gets, seen and said: what was done, or why not. @param {string} text */
export function tell(text) {
  say(text);
  document.querySelector(".toast")?.remove();
  const toast = h("div", { class: "toast appear", "aria-hidden": "true" }, text);
  document.body.append(toast);
  setTimeout(() => toast.remove(), STAYS);
}

/** Put a text where it can be pasted; pages of other machines may not without TLS. @param {string} text */
export const copy = (text) => (navigator.clipboard?.writeText(text) ?? Promise.reject()).then(() => tell("Copied"), () => tell("The browser does not let the page copy"));
