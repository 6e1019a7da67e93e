// #/entity/ID : what the data states about an entity, and what the model expects.

import { ask, served } from "../api.js";
import { card, fold, h, label, later, more, note, number, plural } from "../dom.js";
import { drawing } from "../drawing.js";
import { arrow, entityLink, nameOf, named, otherEnd, predictions, shortened, sources, typeLink, why } from "../facts.js";
import { hashOf } from "../url.js";

/** Relations, and facts of one relation, that are open at first; facts asked for, and at most. */
const GROUPS = 6;
const SHOWN = 8;
const FACTS = 300;
const MOST = 1000;
/** Characters of a description or another attribute that are open at first. */
const LEAD = 400;

export function entityView(id) {
  const entity = ask("entities/-", { id });
  const content = h("div", {}, later(entity, (view) => {
    document.title = `${nameOf(view.entity)} · Sightline`;
    return [head(view), h("div", { class: "split" },
      h("div", {}, facts(view), attributes(view)), h("div", {}, expected(view), around(view), alike(view)))];
  }));
  entity.catch((error) => {
    if ([404, 409].includes(error.report?.status)) content.append(suggestions(id));
  });
  return [content];
}

function suggestions(id) {
  return card("Did you mean one of these?", later(ask("entities", { q: id.slice(0, 200), limit: 10 }), ({ entities }) => entities.length
    ? h("ul", {}, entities.map((entity) => h("li", {}, entityLink(entity), " ", h("small", {}, label(`${entity.id} ${entity.types.join(", ")}`)))))
    : note("Nothing similar is in the data.")));
}

function head({ entity, types, description }) {
  const iri = /^https?:\/\//i.test(entity.iri)
    ? h("a", { href: entity.iri, rel: "noopener noreferrer", target: "_blank" }, label(entity.iri))
    : label(entity.iri);
  return h("div", { class: "head" },
    h("div", { class: "chips" }, types.map((type) => typeLink(type))),
    h("h1", {}, named(entity)),
    description ? h("p", { class: "lead" }, label(shortened(description, LEAD))) : null,
    h("p", { class: "iri" }, iri),
    h("p", {}, h("a", { class: "button", href: hashOf("connect", entity.id) }, "Connect with another entity")));
}

function facts({ entity, degrees }) {
  const total = degrees.reduce((sum, degree) => sum + degree.count, 0);
  const heading = h("h2", {}, "Stated facts ", h("small", {}, number(total)));
  if (!total) return card(null, heading, note("The data states no link from or to it."));
  return card(null, heading, later(ask("entities/-/related", { id: entity.id, predicted: false, k: FACTS }), ({ related }) => {
    if (related.some((fact) => fact.status === "inferred")) heading.firstChild.data = "Stated and inferred facts ";
    const groups = new Map();
    for (const fact of related) {
      const key = `${fact.direction} ${fact.relation.id}`;
      groups.set(key, [...(groups.get(key) ?? []), fact]);
    }
    const count = ({ direction, relation }) => degrees.find((d) => d.direction === direction && d.relation.id === relation.id)?.count;
    const blocks = [...groups.values()].map((items) => group(entity, items, count(items[0]) ?? items.length));
    const rest = blocks.splice(GROUPS);
    const missing = degrees.length - groups.size;
    return [
      blocks,
      rest.length ? h("details", { class: "group" }, h("summary", {}, plural(rest.length, "more relation")), rest) : null,
      missing > 0 ? note(`${plural(missing, "more relation is", "more relations are")} not shown.`) : null,
    ];
  }));
}

/** The facts of one relation, the first few open, the others behind a click. */
function group(entity, items, total) {
  const [{ relation, direction }] = items;
  const list = (some) => h("ul", { class: "facts" }, some.map((fact) => h("li", {}, entityLink(otherEnd(fact)), why(fact))));
  const open = items.slice(0, SHOWN);
  const rest = `${number(total - open.length)} more`;
  const question = { id: entity.id, relation: relation.id, direction, predicted: false, k: MOST };
  return h("div", { class: "group" },
    h("h3", {}, arrow(relation, direction === "out"), h("small", {}, number(total))),
    list(open),
    open.length === total ? null : items.length === total ? fold(rest, list(items.slice(SHOWN)))
      : more(rest, () => later(ask("entities/-/related", question), ({ related }) => [
        list(related.slice(open.length)),
        related.length < total ? note(`${number(related.length)} of ${number(total)} are shown.`) : null,
      ])));
}

function attributes({ entity, description, attributes }) {
  // What the head of the page says already is not said again.
  const said = [nameOf(entity), shortened(description ?? "", LEAD)];
  const left = attributes.filter(({ value }) => !said.includes(value));
  if (!left.length) return null;
  return card("Attributes", h("dl", {}, left.map(({ property, value, language, origins }) => [
    h("dt", { title: property.iri }, named(property)),
    h("dd", {}, value.length > LEAD ? fold(label(shortened(value, LEAD)), label(value)) : label(value), language ? h("small", {}, ` ${language}`) : null, sources(origins)),
  ])));
}

function expected({ entity, predictable }) {
  const content = predictable
    ? later(ask("entities/-/related", { id: entity.id, known: false, k: 10 }), predictions)
    : later(served(), ({ model }) => note(model
      ? "The model knows neither it nor its relations, so nothing is predicted for it."
      : "There is no trained model yet, so nothing is predicted."));
  return h("section", { class: "card predicted" }, h("h2", {}, "Predicted, not stated"), content);
}

function around({ entity, degrees }) {
  if (!degrees.length) return null;
  return card("Around it", later(ask("entities/-/neighborhood", { id: entity.id, limit: 17 }), drawing));
}

function alike({ entity, known_to_model }) {
  if (!known_to_model) return null;
  return card("Similar", later(ask("entities/-/similar", { id: entity.id, k: 8 }), ({ similar }) => similar.length
    ? h("ul", { class: "similar" }, similar.map((item) =>
      h("li", {}, entityLink(item.entity), h("small", { title: "cosine similarity in the learned space" }, item.similarity.toFixed(2)))))
    : note("Nothing of its type is near it.")));
}
