// #/table/TYPE : the entities of a type; without one, the types.

import { ask, served } from "../shell/api.js";
import { go } from "../shell/router.js";
import { toEntity, toType } from "../shell/url.js";
import { h, number, plural, put } from "../parts/dom.js";
import { entityLink, nameOf, named } from "../parts/facts.js";
import { later } from "../parts/states.js";
import { dataTable } from "../parts/table.js";
import { dot, dotOf, typeNamed } from "../parts/types.js";

const PAGE = 100;

/** @param {import("../shell/router.js").Context} context */
export async function view({ about, place, title }) {
  const { types } = await served();
  if (!about) {
    title("Tables");
    const rows = types.filter(({ type }) => type);
    put(place, h("div", { class: "sheet" }, h("h1", {}, "Tables"), dataTable({
      caption: "Types", rows, open: ({ type }) => type && go(toType(type)),
      columns: [
        { key: "type", title: "type", cell: ({ type }) => type && [dot(typeNamed(type.label)), " ", h("a", { class: "entity bare", href: toType(type) }, named(type))] },
        { key: "entities", title: "entities", number: true, cell: ({ entities }) => number(entities) },
      ],
    })));
    return;
  }
  const found = types.find(({ type }) => type?.id === about);
  if (found?.type) title(nameOf(found.type));
  const list = h("div", {});
  /** @param {string | null} cursor @param {any[]} before */
  const page = (cursor, before) => put(list, later(ask("entities", { type: about, limit: PAGE, cursor }), ({ entities, next }) => {
    const rows = [...before, ...entities];
    return [dataTable({
      caption: "Entities", rows, first: 1, open: (entity) => go(toEntity(entity)),
      columns: [
        { key: "label", title: "label", cell: (entity) => [dotOf(entity), " ", entityLink(entity, { kind: "bare" })] },
        { key: "degree", title: "facts", number: true, cell: (entity) => number(entity.degree) },
      ],
    }), next ? h("button", { type: "button", class: "button", onclick: () => page(next, rows) }, "Show more") : null];
  }, { rows: 10 }));
  put(place, h("div", { class: "sheet" }, h("h1", {}, found?.type ? named(found.type) : about), found ? h("p", { class: "quiet" }, `Type of ${plural(found.entities, "entity", "entities")}`) : null, list));
  page(null, []);
}
