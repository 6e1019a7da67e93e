// What the page asks of the HTTP API, and how the service is: there, slow, restarting, gone. Knows no element.
//
// A GET that finds no service is asked again until it is answered or its view is left: what is shown
// stays, and one line says what is waited for.

import { fetched } from "./token.js";

/** @typedef {import("../answers.js").Report} Report */
/** @typedef {{ is: "well" } | { is: "slow", since: number } | { is: "restarting" | "gone", since: number, again: number }} Condition */

/** Milliseconds after which an answer is called slow; between tries, at most. */
const SLOW = 4000;
const LONGEST = 8000;

let view = new AbortController();
/** @type {Map<string, Promise<any>>} */
const kept = new Map();
/** @type {Condition} */
let condition = { is: "well" };
/** @type {((condition: Condition) => void)[]} */
const listeners = [];
/** @type {Set<() => void>} */
const waiting = new Set();
/** Which snapshot and model answer; empty before the first answer. */
export let tag = "";

/** Give up what the view that is left still waits for. */
export function leave() {
  view.abort();
  view = new AbortController();
}

/** Hear how the service is. @param {(condition: Condition) => void} listener */
export const onCondition = (listener) => listeners.push(listener);

/** Ask again now what waits for the service. */
export function tryNow() {
  for (const go of waiting) go();
}

/** @param {Condition} now */
function become(now) {
  if (now.is === "well" && condition.is === "well") return;
  if (now.is === condition.is && "since" in condition && "since" in now) now = { ...now, since: condition.since };
  condition = now;
  for (const listener of listeners) listener(now);
}

class Problem extends Error {
  /** @param {Report} report */
  constructor(report) {
    super(report.detail);
    this.report = report;
  }
}

/**
 * The parameters of a question; those that are null or undefined are left out, lists are repeated.
 * @param {Record<string, any>} parameters
 */
export function queryOf(parameters) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== null && one !== undefined) query.append(name, String(one));
  }
  return String(query);
}

/**
 * Ask: GET /v1/ROUTE.
 * @param {string} route
 * @param {Record<string, any>} [parameters]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function ask(route, parameters = {}, signal = view.signal) {
  const query = queryOf(parameters);
  return send(`/v1/${route}${query ? `?${query}` : ""}`, {}, signal, true, Number(parameters.deadline_ms ?? 0));
}

/**
 * Ask with a body: POST /v1/ROUTE. Not asked again by itself unless it changes nothing there (`safe`).
 * @param {string} route
 * @param {any} body
 * @param {{ signal?: AbortSignal, safe?: boolean, method?: string }} [options]
 * @returns {Promise<any>}
 */
export async function post(route, body, { signal = view.signal, safe = false, method = "POST" } = {}) {
  const options = { method, headers: { "Content-Type": "application/json" }, body: body === undefined ? undefined : JSON.stringify(body) };
  return send(`/v1/${route}`, options, signal, safe);
}

/** What does not change while one snapshot is served, asked once. @param {string} route */
export function once(route) {
  const known = kept.get(route);
  if (known) return known;
  const asked = ask(route, {}, new AbortController().signal);
  kept.set(route, asked);
  asked.catch(() => kept.delete(route));
  return asked;
}

/** What is served. @returns {Promise<import("../answers.js").Stats>} */
export const served = () => once("stats");

/** All relations, most used first. @returns {Promise<any[]>} */
export async function relations() {
  const all = [];
  for (let cursor = ""; cursor !== null;) {
    const page = await once(`relations?limit=1000${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ""}`);
    all.push(...page.relations);
    cursor = page.next;
  }
  return all;
}

/** @param {string} url @param {RequestInit} options @param {AbortSignal} signal @param {boolean} again @param {number} [granted] milliseconds that it may take */
async function send(url, options, signal, again, granted = 0) {
  for (let pause = 1000; ; pause = Math.min(2 * pause, LONGEST)) {
    const started = Date.now();
    const slow = setTimeout(() => condition.is === "well" && become({ is: "slow", since: started }), SLOW + granted);
    try {
      const response = await fetched(url, { ...options, signal });
      const text = await response.text();
      clearTimeout(slow);
      if (response.status === 503 && again) {
        const seconds = Number(response.headers.get("Retry-After")) || pause / 1000;
        await pausing("restarting", 1000 * Math.min(seconds, 30), signal);
        continue;
      }
      become({ is: "well" });
      notice(response);
      const body = parsed(text);
      if (response.ok) return body;
      throw new Problem(body?.detail ? body : { status: response.status, detail: `The service answered with status ${response.status}.` });
    } catch (error) {
      clearTimeout(slow);
      if (error instanceof Problem || /** @type {Error} */ (error).name === "AbortError") {
        if (condition.is === "slow") become({ is: "well" });
        throw error;
      }
      if (!again) throw new Problem({ title: "No answer", detail: "The service does not answer. What was sent may or may not have arrived; look before you send it again." });
      await pausing("gone", pause, signal);
    }
  }
}

/**
 * Load a part of the page, again and again while there is no service to load it from, until its view is left.
 * @template T
 * @param {() => Promise<T>} load
 * @param {AbortSignal} [signal]
 */
export async function brought(load, signal = view.signal) {
  for (let pause = 1000; ; pause = Math.min(2 * pause, LONGEST)) {
    try {
      const part = await load();
      become({ is: "well" });
      return part;
    } catch (error) {
      // As Chromium and Firefox, and as Safari say it.
      if (!/dynamically imported module|module script/i.test(String(error))) throw error;
      await pausing("gone", pause, signal);
    }
  }
}

/** Where another snapshot or model answers now, what was kept of the former is forgotten. @param {Response} response */
function notice(response) {
  const [, now = tag] = /^"(\w+)-json/.exec(response.headers.get("ETag") ?? "") ?? [];
  if (tag && now !== tag) kept.clear();
  tag = now;
}

/** @param {string} text */
function parsed(text) {
  try {
    return text ? JSON.parse(text) : null;
  } catch {
    return text;
  }
}

/** @param {"restarting" | "gone"} is @param {number} pause @param {AbortSignal} signal */
function pausing(is, pause, signal) {
  become({ is, since: Date.now(), again: Date.now() + pause });
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      waiting.delete(go);
      signal.removeEventListener("abort", left);
    };
    const go = () => { end(); resolve(undefined); };
    const left = () => { end(); reject(new DOMException("left", "AbortError")); };
    const timer = setTimeout(go, pause);
    waiting.add(go);
    signal.addEventListener("abort", left);
  });
}
