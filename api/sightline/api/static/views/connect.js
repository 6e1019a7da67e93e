// #/connect?a=ID&b=ID&hops=3 : the paths between two entities.

import { ask } from "../shell/api.js";
import { h, label, number, plural, put } from "../parts/dom.js";
import { chain, nameOf } from "../parts/facts.js";
import { score } from "../parts/marks.js";
import { searchBox } from "../parts/search.js";
import { sourceButton } from "../parts/source.js";
import { empty, later, partial } from "../parts/states.js";

/** Paths at first, and at most. */
const SHOWN = 50;
const MOST = 1000;

/** @param {import("../shell/router.js").Context} context */
export function view({ place, query, push, title }) {
  const ids = { a: query.get("a"), b: query.get("b") };
  const hops = query.get("hops") ?? "3";
  /** @param {"a" | "b"} which @param {string} name */
  const end = (which, name) => {
    let shown = ids[which] ?? "";
    const { box, input } = searchBox({ name, placeholder: name, choose: (entity) => push({ [which]: entity.id }) });
    input.addEventListener("blur", () => { input.value = shown; });
    input.value = shown;
    if (shown) ask("entities/-", { id: shown }).then(({ entity }) => { if (document.activeElement !== input) input.value = shown = nameOf(entity); }, () => null);
    return { box, input };
  };
  const ends = { a: end("a", "From"), b: end("b", "To") };
  const length = h("select", { class: "select", "aria-label": "Steps", onchange: () => push({ hops: length.value }) }, [...new Set(["1", "2", "3", "4", hops])].map((n) => h("option", { value: n, selected: n === hops }, `Up to ${n} steps`)));
  title("Connect");
  put(place, h("div", { class: "sheet" }, h("h1", {}, "How are two entities connected?"), h("form", { class: "ends", onsubmit: (/** @type {Event} */ event) => event.preventDefault() }, ends.a.box, ends.b.box, length),
    ids.a && ids.b ? paths({ source: ids.a, target: ids.b, max_hops: hops }, title) : null));
  if (!ids.a || !ids.b) setTimeout(() => ends[ids.a ? "b" : "a"].input.focus());
}

/** @param {Record<string, any>} question @param {(title: string) => void} title */
function paths(question, title) {
  const place = h("div", {});
  /** @param {number} k */
  const show = (k) => put(place, later(ask("paths", { ...question, k }), (answer) => {
    title(`${nameOf(answer.source[0])} and ${nameOf(answer.target[0])}`);
    if (!answer.paths.length) return empty({ icon: "connect", title: `No path of up to ${question.max_hops} steps`, text: answer.truncated ? label(answer.reason) : "Allow more steps." });
    const most = Math.min(answer.found, MOST);
    return [h("p", { class: "quiet" }, `${plural(answer.found, "path")}. Paths through hubs rank lower.`), answer.truncated ? partial(label(answer.reason)) : null,
      h("ol", { class: "paths" }, answer.paths.map((/** @type {any} */ path) => h("li", {}, h("span", { class: "grow" }, chain(path)), score(path.score, answer.paths[0].score),
        sourceButton(path.steps.flatMap((/** @type {any} */ step) => step.origins))))),
      answer.paths.length < most ? h("button", { type: "button", class: "button", onclick: () => show(most) }, `Show ${number(most)}`) : null];
  }, { rows: 8 }));
  show(SHOWN);
  return place;
}
