// #/type/ID : the entities of a type.

import { ask, served } from "../api.js";
import { card, h, later, more, note } from "../dom.js";
import { entityLink, nameOf, named } from "../facts.js";

/** Entities on one page of the list. */
const PAGE = 60;

export function typeView(id) {
  const title = h("h1", {}, named({ id, label: id }));
  served().then(({ types }) => {
    const type = types.find((count) => count.type?.id === id)?.type ?? { id, label: id };
    title.replaceChildren(named(type));
    document.title = `${nameOf(type)} · Sightline`;
  }, () => null);
  return [h("p", { class: "kicker" }, "Type"), title, card(null, page(id, null))];
}

function page(type, cursor) {
  return later(ask("entities", { type, limit: PAGE, cursor }), ({ entities, next }) => [
    entities.length ? h("ul", { class: "columns" }, entities.map((entity) => h("li", {}, entityLink(entity)))) : note("No entity has this type."),
    next ? more("Show more", () => page(type, next)) : null,
  ]);
}
