// Single keys, the list of them, and layers that Esc closes. Knows no view.
//
// Single keys act only outside fields and without Ctrl, Alt or Meta; the list has a switch that turns
// them off for good, for those who speak to their computer.

import { h, the } from "../parts/dom.js";
import { popover } from "../parts/popover.js";

/** @typedef {{ does: string, run: (event: KeyboardEvent) => void, hidden?: boolean }} Binding */
/** By the key as KeyboardEvent.key says it. @typedef {Record<string, Binding>} Keys */

/** @type {Keys} */
const always = {};
/** @type {Keys} */
let here = {};

export const bindings = {
  /** Keys that act everywhere. @param {Keys} keys */
  always: (keys) => Object.assign(always, keys),
  /** The keys of the view that is shown. @param {Keys} keys */
  of: (keys) => { here = keys; },
};

const off = () => { try { return localStorage.getItem("keys") === "off"; } catch { return false; } };

/** Whether what is typed goes into a field. @param {EventTarget | null} target */
const inField = (target) => target instanceof HTMLElement && (/^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) || target.isContentEditable);

/** @type {Record<string, string>} */
const SIGNS = { ArrowUp: "↑", ArrowDown: "↓", ArrowLeft: "←", ArrowRight: "→", Enter: "↵", Escape: "Esc", " ": "space" };

/** A key as it is shown: "E" is ⇧ e. @param {string} key */
function keycap(key) {
  const shifted = /^[A-Z]$/.test(key);
  return [shifted ? h("kbd", {}, "⇧") : null, h("kbd", {}, SIGNS[key] ?? key.toLowerCase())];
}

/** The list of keys that act here. @param {Element} anchor */
export function help(anchor) {
  const rows = Object.entries({ ...always, ...here }).filter(([, { hidden }]) => !hidden);
  const box = h("input", { type: "checkbox", checked: !off(), onchange: () => localStorage.setItem("keys", box.checked ? "on" : "off") });
  popover(anchor, [
    h("h2", {}, "Keyboard"),
    h("dl", { class: "keys-list" }, rows.map(([key, { does }]) => [h("dt", {}, keycap(key)), h("dd", {}, does)]),
      h("dt", {}, keycap("Escape")), h("dd", {}, "close one layer")),
    h("label", { class: "row" }, box, "single keys act"),
  ], { label: "Keyboard" });
}

/** Seconds in which what acted may be drawn anew. */
const DRAWN = 5;

/** What a control is called, without its numbers. @param {Element} control */
const called = (control) => (control.getAttribute("aria-label") ?? control.textContent ?? "").replace(/[\d,.]+/g, "");

/**
 * Keep the keyboard where it was when a button is drawn anew: it goes to the only one that is called the same.
 * @param {MouseEvent} event
 */
function stay({ target }) {
  const button = target instanceof Element ? target.closest("button") : null;
  if (!button || button !== document.activeElement) return;
  const name = called(button);
  const watch = new MutationObserver(() => {
    if (button.isConnected || the("#main").querySelector("[aria-busy], .skeleton")) return;
    watch.disconnect();
    if (document.activeElement !== document.body && document.activeElement !== the("#main")) return;
    const same = [...document.querySelectorAll("button")].filter((one) => called(one) === name);
    (same.length === 1 && same[0] ? same[0] : the("#main")).focus({ preventScroll: true });
  });
  watch.observe(the("#main"), { childList: true, subtree: true, attributeFilter: ["aria-busy"] });
  setTimeout(() => watch.disconnect(), 1000 * DRAWN);
}

export function listen() {
  document.addEventListener("click", stay, true);
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || inField(event.target)) return;
    const bound = here[event.key] ?? always[event.key];
    if (!bound || (off() && event.key !== "?")) return;
    // What has the focus and answers to the key itself, keeps it.
    const focused = document.activeElement;
    if ((event.key === "Enter" || event.key === " ") && focused && focused !== document.body && focused !== the("#main") && focused.matches("a, button, summary")) return;
    event.preventDefault();
    bound.run(event);
  });
}
