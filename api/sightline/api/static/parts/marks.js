// The signs of status, chance and p-value, which are the same in lists, tables, legend and drawings.

import { h, number, s } from "./dom.js";
import { popover } from "./popover.js";

/** @typedef {import("../answers.js").Status} Status */
/** @typedef {import("../answers.js").Reliability} Reliability */

/** Line and dot by status: the pattern of the line, and how the dot is filled. */
const DRAWN = { stated: ["", "full"], inferred: ["1.5 2.5", "half"], predicted: ["4 2.5", "hollow"], extracted: ["6 2 1.5 2", "square"] };

/** The 24 px mark of a status. It says the word unless the word stands beside it (`mute`). @param {Status} status @param {boolean} [mute] */
export function mark(status, mute = false) {
  const [dash, dot] = DRAWN[status];
  const line = s("line", { x1: 8, y1: 6, x2: 24, y2: 6, stroke: "currentColor", "stroke-width": 2, "stroke-dasharray": dash || null });
  const ring = { cx: 5, cy: 6, r: 3.4, stroke: "currentColor", "stroke-width": 1.6, fill: "none" };
  const dots = {
    full: () => s("circle", { cx: 5, cy: 6, r: 4, fill: "currentColor" }),
    half: () => [s("circle", ring), s("path", { d: "M5 2.6a3.4 3.4 0 0 0 0 6.8z", fill: "currentColor" })],
    hollow: () => s("circle", { ...ring, "stroke-dasharray": "2.2 1.6" }),
    square: () => s("rect", { x: 1.8, y: 2.8, width: 6.4, height: 6.4, stroke: "currentColor", "stroke-width": 1.6, fill: "none" }),
  };
  const spoken = mute ? { "aria-hidden": "true" } : { role: "img", "aria-label": status };
  return s("svg", { class: `mark ${status}`, viewBox: "0 0 24 12", width: 24, height: 12, ...spoken }, mute ? null : s("title", {}, status), line, dots[/** @type {"full"} */ (dot)]());
}

/** Say in the bar how many findings of the doctor are open. @param {number} count */
export function badged(count) {
  for (const link of document.querySelectorAll('.bar [data-nav="doctor"]')) {
    link.querySelector(".badge")?.remove();
    if (count) link.append(h("span", { class: "badge" }, number(count)));
  }
}

/** A chance in as many digits as tell it from none. @param {number} p */
export function percent(p) {
  if (p >= 0.995) return "> 99%";
  if (p < 0.001) return "< 0.1%";
  return p < 0.00995 ? `${(p * 100).toFixed(1)}%` : `${Math.round(p * 100)}%`;
}

/**
 * A chance with the line below which it is a guess. Pressed, it says what it means; `more` adds to that.
 * @param {{ probability: number | null, probability_if_any: number | null, abstain: boolean }} fact
 * @param {Reliability} told
 * @param {{ more?: () => import("./dom.js").Content, what?: string }} [options]
 */
export function chance(fact, told, { more, what = "fact" } = {}) {
  const p = fact.probability_if_any ?? fact.probability ?? 0;
  const fill = h("i");
  fill.style.inlineSize = `${Math.max(100 * p, 2)}%`;
  const line = h("b");
  line.style.insetInlineStart = `${100 * (told.abstain_below ?? 0)}%`;
  const button = h("button", {
    type: "button", class: fact.abstain ? "chance guess" : "chance", "aria-expanded": "false", "aria-haspopup": "dialog",
    "aria-label": `${fact.abstain ? "guess, " : ""}chance ${percent(p)}: what it means`,
    onclick: () => popover(button, [meaning(fact, told, what), more?.() ?? null], { label: `A chance of ${percent(p)}`, beside: true }),
  }, h("span", { class: "gauge", "aria-hidden": "true" }, fill, told.abstain_below === null ? null : line), h("span", { class: "percent" }, percent(p)));
  return button;
}

/** One hundred dots, some of them filled. @param {number} p */
export function dots(p) {
  const filled = Math.round(100 * p);
  return h("div", { class: "dots", "aria-hidden": "true" }, Array.from({ length: 100 }, (_, i) => h("i", { class: i < filled ? "on" : null })));
}

/** What a chance means, with the numbers that it rests on. @param {{ probability: number | null, probability_if_any: number | null }} fact @param {Reliability} told @param {string} what */
function meaning(fact, told, what = "fact") {
  const p = fact.probability_if_any ?? fact.probability ?? 0;
  /** @param {string} name @param {string} text */
  const row = (name, text) => [h("dt", {}, name), h("dd", {}, text)];
  return h("div", { class: "meaning" },
    h("h2", {}, `A chance of ${percent(p)} means`),
    h("p", {}, `Of 100 answers that scored and ranked like this one, ${Math.round(100 * p)} were true facts the model had not seen.`),
    dots(p),
    h("dl", { class: "facts-of" },
      told.abstain_below === null ? null : row("Line for a guess", `below ${percent(told.abstain_below)}, the best balance on held-out facts`),
      told.base_rate === null ? null : row("Any answer at all", `${percent(told.base_rate)} are true (base rate)`),
      told.calibration_error === null ? null : row("Off by", `${(100 * told.calibration_error).toFixed(1)} points on average, measured on held-out facts`),
      fact.probability === null || fact.probability_if_any === null ? null : row("With the chance", `that there is one more answer at all: ${percent(fact.probability)}`),
      row("Counts for", "the question that was asked; asked of its other end the fact may have another chance"),
      row("Counts as false", `a ${what} in none of your files, even if true`)));
}

/** A p-value: three bars for 0.05, 0.01 and 0.001, then the number. Never a chance. @param {number | null} p @param {number | null} [q] */
export function pValue(p, q = null) {
  if (p === null) return h("span", { class: "p" }, "no p-value");
  const bars = [0.05, 0.01, 0.001].map((level, i) => s("rect", { class: p <= level ? "on" : null, x: 6.5 * i, y: 9 - 4 * i, width: 5, height: 3 + 4 * i, rx: 1 }));
  const said = p < 0.001 ? "p < 0.001" : `p = ${p.toPrecision(p < 0.01 ? 1 : 2)}`;
  const drawing = s("svg", { viewBox: "0 0 18 12", width: 18, height: 12, "aria-hidden": "true" }, bars);
  if (q === null) return h("span", { class: "p" }, drawing, said);
  const button = h("button", {
    type: "button", class: "p", "aria-expanded": "false",
    onclick: () => popover(button, h("dl", { class: "facts-of" }, h("dt", {}, "p, for this one"), h("dd", {}, p.toPrecision(2)), h("dt", {}, "q, adjusted for all that were tried"), h("dd", {}, q.toPrecision(2)),
      h("dt", {}, "What it is"), h("dd", {}, "how often a shuffled graph with the same degrees connects them as well; not the chance that something is true")), { label: "p-value" }),
  }, drawing, said);
  return button;
}

/** A score from 0 to 1 beside its bar. @param {number} score @param {number} [most] */
export function score(score, most = 1) {
  const fill = h("i");
  fill.style.inlineSize = `${Math.min(100, (100 * score) / (most || 1))}%`;
  return h("span", { class: "score" }, h("span", { class: "gauge", "aria-hidden": "true" }, fill), score.toPrecision(2));
}
