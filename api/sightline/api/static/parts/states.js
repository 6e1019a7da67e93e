// What stands where an answer is awaited, is empty, was cut, or did not come.

import { h, label, plain, put } from "./dom.js";
import { icon } from "./icons.js";

/** The shape of an answer, from 100 ms on. @param {number} [rows] */
export const skeleton = (rows = 6) => h("div", { class: "skeleton", role: "status", "aria-label": "Loading" }, Array.from({ length: rows }, () => h("i")));

/**
 * Nothing to show: why, and the nearest way on.
 * @param {{ icon?: import("./icons.js").Icon, title: string, text?: import("./dom.js").Content, command?: string, actions?: import("./dom.js").Content }} said
 */
export function empty({ icon: sign = "list", title, text, command, actions }) {
  return h("div", { class: "state" }, h("span", { class: "badge-icon" }, icon(sign)), h("h2", {}, title),
    text ? h("p", {}, text) : null, command ? h("pre", {}, command) : null, actions ? h("div", { class: "actions" }, actions) : null);
}

/** An answer that was cut: what is missing, and what can be done. @param {import("./dom.js").Content} text @param {...import("./dom.js").Content} actions */
export function partial(text, ...actions) {
  return h("div", { class: "notice", role: "status" }, icon("clock"), h("span", { class: "grow" }, text), actions);
}

/** What went wrong, in the service's words, with the way out. @param {Error & { report?: import("../answers.js").Report }} error @param {...import("./dom.js").Content} actions */
export function failure(error, ...actions) {
  const { title, status } = error.report ?? {};
  if (!error.report) console.error(error);
  // The page begins by asking for a token.
  if (status === 401) actions.push(h("button", { type: "button", class: "button main", onclick: () => location.reload() }, "Sign in"));
  return h("div", { class: "state failed", role: "alert" }, h("span", { class: "badge-icon" }, icon("error")),
    h("h2", {}, plain(title ?? "That did not work")), h("p", {}, label(error.report ? error.message : "The page itself failed here; loading it again may help."), status ? h("code", { class: "faint" }, ` ${status}`) : null),
    actions.length ? h("div", { class: "actions" }, actions) : null);
}

/**
 * Show a skeleton, then what the promise brings, or why it failed; nothing, where something else was put there
 * meanwhile: an answer to what is no longer asked never draws.
 * @template T
 * @param {Promise<T>} promise
 * @param {(answer: T) => import("./dom.js").Content} render
 * @param {{ rows?: number, failed?: (error: any) => import("./dom.js").Content }} [options]
 */
export function later(promise, render, { rows = 4, failed = failure } = {}) {
  const place = h("div", { "aria-busy": "true" }, skeleton(rows));
  /** @param {import("./dom.js").Content} content */
  const show = (content) => put(place, content).removeAttribute("aria-busy");
  promise.then((answer) => place.parentNode && show(render(answer))).catch((error) => {
    if (place.parentNode && error.name !== "AbortError") show(failed(error));
  });
  return place;
}
