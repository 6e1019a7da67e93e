// Shows the view that the address names, and gives back what was left: content, scroll, focus. Knows no view.

import { brought, leave } from "./api.js";
import { rowOf } from "./registry.js";
import { bindings } from "./keys.js";
import { put, say, the } from "../parts/dom.js";
import { failure, skeleton } from "../parts/states.js";
import { ready } from "../parts/types.js";
import { changed, placeOf } from "./url.js";

/**
 * What a view gets. `place` is its element; `query` the parameters of the address when it begins.
 * @typedef {object} Context
 * @property {string} about
 * @property {URLSearchParams} query
 * @property {HTMLElement} place
 * @property {(title: string) => void} title sets the title of the document
 * @property {(changes: import("./url.js").Parameters) => void} push changes parameters; back undoes it
 * @property {(changes: import("./url.js").Parameters) => void} replace changes parameters in place, such as where a canvas looks
 * @property {(keys: import("./keys.js").Keys) => void} keys binds single keys while the view is shown
 */

/**
 * What a view may give back: `update` is called when only the parameters change (without it the view
 * is made anew), `leave` when it is put aside, `back` when it is shown again, `end` when it is
 * thrown away.
 * @typedef {{ update?: (query: URLSearchParams) => void, leave?: () => void, back?: () => void, end?: () => void }} Shown
 */
/** @typedef {(context: Context) => Shown | void | Promise<Shown | void>} View */

/** @typedef {{ path: string, query: string, place: HTMLElement, title: string, shown: Shown, keys: import("./keys.js").Keys, scroll: Map<Element, number>, top: number }} Instance */

/** Views that are kept for the way back. */
const KEPT = 10;

/** @type {Map<number, Instance>} by entry of the browser's history */
const entries = new Map();
/** @type {Instance | null} */
let current = null;
let entry = 0;
let last = Date.now();

/** Go to an address. @param {string} href */
export function go(href) {
  if (location.hash === href) return show();
  location.hash = href;
}

/** Change the address without another entry. @param {string} href */
function replaceWith(href) {
  history.replaceState(history.state, "", href);
}

function remember() {
  if (!current) return;
  current.top = scrollY || the("#main").scrollTop;
  current.scroll = new Map([...current.place.querySelectorAll("[data-scroll]")].map((pane) => [pane, pane.scrollTop]));
  current.title = document.title;
}

/** Whether all of a view has come: nothing is awaited in it, which leaving it gives up, and nothing failed. @param {Instance} instance */
const whole = ({ place }) => place.hasChildNodes() && !place.querySelector("[aria-busy], .skeleton, .failed");

function putAside() {
  if (!current) return;
  remember();
  current.shown.leave?.();
  if (!whole(current)) {
    // It is made anew on the way back.
    current.shown.end?.();
    for (const [key, instance] of entries) if (instance === current) entries.delete(key);
  }
  for (const [key, instance] of entries) {
    if (entries.size <= KEPT) break;
    entries.delete(key);
    if (![...entries.values()].includes(instance)) instance.shown.end?.();
  }
}

/** Show what the address names. */
export async function show() {
  const { name, about, query } = placeOf();
  let row = rowOf(name);
  if (!row || (row.needs && !about)) row = /** @type {import("./registry.js").Row} */ (rowOf(""));
  const path = `${row.name}/${about}`;
  entry = history.state?.entry ?? (last += 1);
  history.replaceState({ ...history.state, entry }, "");
  const before = entries.get(entry) ?? (current?.path === path && current.shown.update ? current : null);
  light(row);
  if (before && before === current) {
    entries.set(entry, current);
    renew(current, query);
    return;
  }
  putAside();
  leave();
  if (before) {
    current = before;
    bindings.of(before.keys);
    document.title = before.title;
    put(the("#main"), before.place);
    before.shown.back?.();
    renew(before, query);
    scrollTo(0, before.top);
    the("#main").scrollTop = before.top;
    for (const [pane, top] of before.scroll) pane.scrollTop = top;
    return;
  }
  await begin(row, path, about, query);
}

/** @param {Instance} instance @param {URLSearchParams} query */
function renew(instance, query) {
  if (instance.query === String(query)) return;
  instance.query = String(query);
  instance.shown.update?.(query);
}

/** @param {import("./registry.js").Row} row @param {string} path @param {string} about @param {URLSearchParams} query */
async function begin(row, path, about, query) {
  const place = document.createElement("div");
  place.className = `view v-${row.file}`;
  /** @type {Instance} */
  const instance = { path, query: String(query), place, title: "Sightline", shown: {}, keys: {}, scroll: new Map(), top: 0 };
  const top = history.state?.top ?? 0;
  current = instance;
  entries.set(entry, instance);
  bindings.of(instance.keys);
  document.title = instance.title;
  put(the("#main"), place);
  put(place, skeleton());
  scrollTo(0, 0);
  const here = () => current === instance;
  /** @param {import("./url.js").Parameters} changes */
  const next = (changes) => changed(placeOf(), changes);
  try {
    const [[module]] = await Promise.all([brought(() => Promise.all([row.load(), row.style ? styled(row.file) : null])), ready()]);
    if (!here()) return;
    put(place);
    /** @type {Context} */
    const context = {
      about, query, place,
      title: (title) => {
        instance.title = `${title} · Sightline`;
        if (here()) document.title = instance.title;
      },
      push: (changes) => here() && go(next(changes)),
      replace: (changes) => {
        if (!here()) return;
        replaceWith(next(changes));
        instance.query = String(placeOf().query);
      },
      keys: (keys) => {
        Object.assign(instance.keys, keys);
        if (here()) bindings.of(instance.keys);
      },
    };
    instance.shown = (await module.view(context)) ?? {};
    if (top && here()) scrollTo(0, top);
  } catch (error) {
    if (/** @type {Error} */ (error).name !== "AbortError") put(place, failure(/** @type {Error} */ (error)));
  }
}

/** @type {Map<string, Promise<void>>} */
const styles = new Map();

/** Load a style sheet once; a view without it is readable, so that a failure stops nothing, and is tried again with the next. @param {string} file */
function styled(file) {
  const known = styles.get(file);
  if (known) return known;
  // The page itself names that of the start, and waits for it.
  if (document.querySelector(`link[href="/static/views/${file}.css"]`)) return Promise.resolve();
  const loading = new Promise((/** @type {(value?: any) => void} */ resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = `/static/views/${file}.css`;
    link.onload = () => resolve();
    link.onerror = () => {
      styles.delete(file);
      link.remove();
      resolve();
    };
    document.head.append(link);
  });
  styles.set(file, loading);
  return loading;
}

/** Say in the bar where we are. @param {import("./registry.js").Row} row */
function light(row) {
  document.body.dataset.view = row.file;
  const lit = row.under ?? row.name;
  for (const link of document.querySelectorAll("[data-nav]")) {
    if (/** @type {HTMLElement} */ (link).dataset.nav === lit) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

/** Begin to follow the address. */
export function start() {
  history.scrollRestoration = "manual";
  addEventListener("hashchange", () => {
    show();
    // A reader of the screen hears that the page has changed, unless it is about to type.
    setTimeout(() => {
      if (!/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "") && !current?.place.contains(document.activeElement)) {
        the("#main").focus({ preventScroll: true });
        say(document.title);
      }
    });
  });
  addEventListener("pagehide", () => history.replaceState({ ...history.state, top: scrollY }, ""));
  show();
}
