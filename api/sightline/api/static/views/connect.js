// #/connect/SOURCE/TARGET/HOPS : the paths between two entities.

import { ask } from "../api.js";
import { card, h, later, note, number, plural, put } from "../dom.js";
import { arrow, chain, nameOf } from "../facts.js";
import { searchBox } from "../search.js";
import { hashOf } from "../url.js";

/** Paths at first, and at most. */
const SHOWN = 50;
const MOST = 1000;

export function connectView(source, target, hops = "3") {
  const ids = { source, target };
  const go = () => {
    if (ids.source && ids.target) location.hash = hashOf("connect", ids.source, ids.target, length.value);
  };
  const length = h("select", { id: "length", onchange: go }, [...new Set(["1", "2", "3", "4", hops])].map((n) => h("option", { value: n, selected: n === hops }, `up to ${n}`)));
  const end = (which, name, other) => {
    let shown = ids[which] ?? "";
    const { box, input } = searchBox(name, "Search…", (entity) => {
      ids[which] = entity.id;
      input.value = shown = nameOf(entity);
      if (ids.source && ids.target) go();
      else ends[other].input.focus();
    });
    // What was typed but not chosen goes: the field always says what the paths start or end at.
    input.addEventListener("blur", () => (input.value = shown));
    input.value = shown;
    if (shown) {
      ask("entities/-", { id: shown }).then(({ entity }) => {
        shown = nameOf(entity);
        if (document.activeElement !== input) input.value = shown;
      }, () => null);
    }
    return { field: field(input.id, name, box), input };
  };
  const ends = { source: end("source", "From", "target"), target: end("target", "To", "source") };
  const form = h("form", { class: "connect", onsubmit: (event) => event.preventDefault() }, ends.source.field, ends.target.field, field("length", "Steps", length));
  if (!source || !target) setTimeout(() => ends[source ? "target" : "source"].input.focus());
  return [
    h("h1", {}, "How are two entities connected?"),
    h("section", { class: "card" }, form),
    source && target ? paths({ source, target, max_hops: hops }) : null,
  ];
}

const field = (id, name, control) => h("div", { class: "field" }, h("label", { for: id }, name), control);

function paths(question) {
  const place = h("div", {});
  const show = (k) => put(place, later(ask("paths", { ...question, k }), (answer) => found(answer, () => show(MOST))));
  show(SHOWN);
  return place;
}

function found(answer, showMost) {
  document.title = `${nameOf(answer.source)} and ${nameOf(answer.target)} · Sightline`;
  if (!answer.paths.length) {
    return card(null, note(answer.truncated ? `Nothing was found in time: ${answer.reason}.` : "No path of this length joins them. Allow more steps."));
  }
  const list = h("ol", { class: "paths" });
  const show = (paths) => list.replaceChildren(...paths.map((path) =>
    h("li", {}, chain(path), h("small", { class: "score", title: "degree-weighted: paths through hubs count less" }, path.score.toPrecision(2)))));
  show(answer.paths);
  const shapes = kinds(answer, show);
  const shown = answer.paths.length;
  const most = Math.min(answer.found, MOST);
  return [
    card(null, h("p", {}, `${plural(answer.found, "path")}${shown < answer.found ? `, the best ${number(shown)} shown` : ""}. Paths through hubs rank lower.`),
      answer.truncated ? note(`Not everything was searched: ${answer.reason}.`) : null,
      shapes.length > 1 ? h("div", { class: "shapes", role: "group", "aria-label": "Kinds of path" }, shapes) : null),
    h("section", { class: "card" }, list,
      shown < most ? h("button", { type: "button", onclick: showMost }, most < answer.found ? `Show the best ${number(most)}` : `Show all ${number(most)}`) : null),
  ];
}

/** A button per kind of path that shows only these, and says how many of them are there. */
function kinds(answer, show) {
  const buttons = answer.metapaths.flatMap(({ metapath, count }) => {
    const paths = answer.paths.filter((path) => path.metapath === metapath);
    if (!paths.length) return [];
    const shape = paths[0].steps.map((step, i) => [i ? " · " : null, arrow(step.relation, step.forward, true)]);
    const many = paths.length < count ? `${number(paths.length)} of ${number(count)}` : number(count);
    const button = h("button", { type: "button", class: "shape", "aria-pressed": "false" }, shape, h("small", {}, many));
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      for (const other of buttons) other.setAttribute("aria-pressed", String(on && other === button));
      show(on ? paths : answer.paths);
    });
    return [button];
  });
  return buttons;
}
