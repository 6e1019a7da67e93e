// Elements made node by node: whatever text goes in stays text. Knows no answer of the API.

const SVG = "http://www.w3.org/2000/svg";

/** An element. Properties that start with "on" are listeners, the others are attributes. */
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** An element of a drawing. */
export function s(tag, properties = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

/** Show this in a place, instead of what it holds. */
export function put(place, ...content) {
  place.replaceChildren();
  return fill(place, {}, content);
}

/** A text without control characters, and without those that turn the text around it. */
export const plain = (text) => text.replace(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/gu, " ");

/** A text from the data, kept apart from what is around it whichever direction it is written in. */
export const label = (text) => h("bdi", {}, plain(text));

export const number = (n) => n.toLocaleString("en");
export const plural = (n, one, many = one + "s") => `${number(n)} ${n === 1 ? one : many}`;
export const card = (title, ...content) => h("section", { class: "card" }, title ? h("h2", {}, title) : null, ...content);
export const note = (...text) => h("p", { class: "note" }, ...text);
export const fold = (summary, ...content) => h("details", {}, h("summary", {}, summary), ...content);

export function failure(error) {
  return h("div", { class: "failure", role: "alert" }, h("strong", {}, error.report?.title ?? "That did not work"), h("p", {}, label(error.message)));
}

/** Show a placeholder, then what the promise brings, or why it failed. */
export function later(promise, render) {
  const place = h("div", { "aria-busy": "true" }, h("p", { class: "note loading", role: "status" }, "Loading…"));
  const show = (content) => put(place, content).removeAttribute("aria-busy");
  promise.then((answer) => show(render(answer))).catch((error) => {
    if (error.name !== "AbortError") show(failure(error));
  });
  return place;
}

/** A button that makes way for what it brings. */
export function more(text, bring) {
  const button = h("button", { type: "button", class: "shape" }, text);
  button.addEventListener("click", () => {
    const place = bring();
    button.replaceWith(place);
    place.tabIndex = -1;
    place.focus({ preventScroll: true });
  });
  return button;
}
