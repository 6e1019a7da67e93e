// What floats over the page beside the thing that opened it: one layer at a time closes by Esc, a press
// outside, or its own buttons, and gives the focus back. Never modal.

import { h } from "./dom.js";

/** @type {(() => void)[]} */
const layers = [];

/** Put a layer on top; Esc calls `close`. Returns what takes it off. @param {() => void} close */
export function layer(close) {
  layers.push(close);
  return () => {
    const at = layers.indexOf(close);
    if (at >= 0) layers.splice(at, 1);
  };
}

/** Close the topmost layer; whether there was one. */
export function closeTop() {
  const close = layers.pop();
  close?.();
  return Boolean(close);
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !event.defaultPrevented && closeTop()) event.preventDefault();
});

/**
 * Open a panel beside an element; a second call for the same element closes it.
 * @param {Element} anchor
 * @param {import("./dom.js").Content} content
 * @param {{ label: string, kind?: string, beside?: boolean }} options
 */
export function popover(anchor, content, { label, kind = "", beside = false }) {
  if (anchor.getAttribute("aria-expanded") === "true") {
    closeTop();
    return () => {};
  }
  const panel = h("div", { class: `popover appear ${kind}`, role: "dialog", "aria-label": label, tabindex: -1 }, content);
  document.body.append(panel);
  anchor.setAttribute("aria-expanded", "true");
  const a = anchor.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = panel;
  const left = beside ? a.right + 12 : Math.min(a.left, innerWidth - width - 8);
  const below = beside ? a.top - height / 2 : a.bottom + 6;
  const top = below + height > innerHeight - 8 ? (beside ? innerHeight - height - 8 : a.top - height - 6) : below;
  panel.style.left = `${Math.max(8, Math.min(left, innerWidth - width - 8))}px`;
  panel.style.top = `${Math.max(8, top)}px`;
  const off = layer(close);
  /** @param {Event} event */
  const outside = (event) => {
    if (!panel.contains(/** @type {Node} */ (event.target)) && !anchor.contains(/** @type {Node} */ (event.target))) close(false);
  };
  function close(back = true) {
    off();
    removeEventListener("pointerdown", outside, true);
    removeEventListener("hashchange", gone);
    anchor.setAttribute("aria-expanded", "false");
    panel.remove();
    if (back && anchor instanceof HTMLElement) anchor.focus({ preventScroll: true });
  }
  const gone = () => close(false);
  addEventListener("pointerdown", outside, true);
  addEventListener("hashchange", gone);
  const first = kind.includes("menu") ? panel.querySelector("a, button, input") : panel;
  /** @type {HTMLElement} */ (first ?? panel).focus({ preventScroll: true });
  return close;
}
