// #/map?rel=RELATION : the types as a drawing, and the relations between them as a table.

import { once, relations } from "../shell/api.js";
import { toType } from "../shell/url.js";
import { h, label, number, plural, put } from "../parts/dom.js";
import { nameOf, named } from "../parts/facts.js";
import { later } from "../parts/states.js";
import { dataTable } from "../parts/table.js";
import { typeMap } from "../parts/typemap.js";
import { dot, typeNamed } from "../parts/types.js";

/** @typedef {import("../parts/typemap.js").Schema} Schema */
/** @typedef {{ relation: import("../answers.js").Ref, edges: number, heads: number, tails: number, cardinality: string, symmetric: boolean, inverse_label: string | null }} Relation */

/** @param {import("../shell/router.js").Context} context */
export function view({ place, query, push, title }) {
  title("Schema");
  const picture = h("div", { class: "pane ground-map" });
  const list = h("div", { class: "pane", "data-scroll": true });
  put(place, h("div", { class: "panes" }, list, picture));
  const asked = Promise.all([once("schema"), relations()]);
  put(picture, later(asked, ([schema]) => typeMap(schema), { rows: 8 }));

  /** @param {URLSearchParams} now */
  function show(now) {
    const chosen = now.get("rel");
    put(list, h("header", { class: "head" }, h("h1", {}, "Schema"), h("p", { class: "quiet" }, "Types, and the relations that run between them.")), later(asked, ([schema, all]) => [
      dataTable({
        caption: "Relations", rows: /** @type {Relation[]} */ (all), open: (row) => push({ rel: row.relation.id === chosen ? null : row.relation.id }),
        chosen: (row) => row.relation.id === chosen, choose: (row) => push({ rel: row.relation.id === chosen ? null : row.relation.id }),
        columns: [
          { key: "relation", title: "relation", cell: (row) => [h("b", {}, named(row.relation)), row.symmetric ? h("span", { class: "quiet" }, " both ways") : row.inverse_label ? h("span", { class: "quiet" }, " inverse: ", label(row.inverse_label)) : null, row.relation.id === chosen ? between(schema, row) : null] },
          { key: "edges", title: "facts", number: true, cell: (row) => number(row.edges) },
          { key: "heads", title: "from", number: true, cell: (row) => number(row.heads) },
          { key: "tails", title: "to", number: true, cell: (row) => number(row.tails) },
          { key: "cardinality", title: "heads : tails", cell: (row) => row.cardinality },
        ],
      }),
      h("p", { class: "note" }, all.length ? `${plural(all.length, "relation")}. Choose one to see between which types it runs.` : "No two entities are linked: there is no relation."),
    ], { rows: 10 }));
  }
  show(query);
  return { update: show };
}

/** Between which types a relation runs. @param {Schema} schema @param {Relation} row */
function between(schema, row) {
  const links = schema.links.filter((link) => link.relation.id === row.relation.id);
  /** @param {import("../answers.js").Ref | null} type */
  const one = (type) => (type ? [dot(typeNamed(type.label)), " ", h("a", { class: "entity bare", href: toType(type) }, nameOf(type, 40))] : "no type");
  return h("ul", { class: "between" }, links.slice(0, 20).map((link) => h("li", {}, one(link.source), " → ", one(link.target), h("span", { class: "quiet" }, ` ${number(link.count)}`))),
    links.length > 20 ? h("li", { class: "quiet" }, `${number(links.length - 20)} more`) : null);
}
