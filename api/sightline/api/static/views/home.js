// #/ : what there is.

import { served } from "../api.js";
import { card, fold, h, later, note, number, plural } from "../dom.js";
import { typeLink } from "../facts.js";

/** Types that are open at first. */
const SHOWN = 24;

export function homeView() {
  return [
    h("div", { class: "hero" }, h("h1", {}, "What is related, how, and what is missing?"),
      h("p", { class: "lead" }, "Search an entity to see what the data states about it and what the model expects; connect two entities to read the paths between them. Press / to search.")),
    later(served(), (stats) => [
      h("div", { class: "numbers" }, tile(stats.entities, "entity", "entities"), tile(stats.edges, "fact", "facts"), tile(stats.relations, "relation", "relations")),
      card("Browse by type", types(stats.types)),
      stats.model ? null : card(null, note("There is no trained model yet, so nothing is predicted here. Run `sightline train` and `sightline distill` on this workspace.")),
    ]),
  ];
}

function tile(n, one, many) {
  return h("div", { class: "number" }, h("b", {}, number(n)), h("span", {}, n === 1 ? one : many));
}

function types(counts) {
  const chips = counts.filter(({ type }) => type).map(({ type, entities }) => typeLink(type, h("small", {}, number(entities))));
  if (!chips.length) return note("The data gives no types. Search by name above.");
  const rest = chips.splice(SHOWN);
  const untyped = counts.find(({ type }) => !type)?.entities;
  return [
    h("div", { class: "chips" }, chips),
    rest.length ? fold(`${rest.length} more`, h("div", { class: "chips" }, rest)) : null,
    untyped ? note(`${plural(untyped, "entity has", "entities have")} no type: search by name.`) : null,
  ];
}
