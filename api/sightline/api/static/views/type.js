// #/type/ID : the entities of a type.

import { ask, served } from "../api.js";
import { card, h, later, more, note, plural, put } from "../dom.js";
import { entityLink, nameOf, named } from "../facts.js";

/** Entities on one page of the list. */
const PAGE = 60;

export function typeView(id) {
  const kicker = h("p", { class: "kicker" }, "Type");
  const title = h("h1", {}, named({ id, label: id }));
  served().then(({ types }) => {
    const found = types.find(({ type }) => type?.id === id);
    if (!found) return;
    put(title, named(found.type));
    put(kicker, `Type of ${plural(found.entities, "entity", "entities")}`);
    document.title = `${nameOf(found.type)} · Sightline`;
  }, () => null);
  return [kicker, title, card(null, page(id, null))];
}

function page(type, cursor) {
  return later(ask("entities", { type, limit: PAGE, cursor }), ({ entities, next }) => [
    entities.length ? h("ul", { class: "columns" }, entities.map((entity) => h("li", {}, entityLink(entity)))) : note("No entity has this type."),
    next ? more("Show more", () => page(type, next)) : null,
  ]);
}
