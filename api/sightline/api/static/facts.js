// How entities, relations, facts, paths and their sources look, wherever they appear.

import { fold, h, label, note, number, plain, plural } from "./dom.js";
import { hashOf } from "./url.js";

/** Characters of a name that are shown. */
const LONG = 160;
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

export function shortened(text, longest) {
  const characters = [...plain(text)];
  return characters.length > longest ? `${characters.slice(0, longest - 1).join("")}…` : characters.join("");
}

/** The label of an entity, relation, type or property; its id where there is nothing to be seen. */
export const nameOf = (thing, longest = LONG) => shortened(VISIBLE.test(thing.label) ? thing.label : thing.id, longest);

export const named = (thing) => label(nameOf(thing));

export function entityLink(entity) {
  return h("a", { href: hashOf("entity", entity.id), class: "entity", title: entity.types.join(", ") }, named(entity));
}

export function typeLink(type, ...more) {
  return h("a", { class: "chip", href: hashOf("type", type.id) }, named(type), ...more);
}

/** A relation as it is read. Only its name may run from right to left, never the arrow. */
export function arrow(relation, forward, between = false) {
  const [before, after] = forward ? [between && "— ", " →"] : ["← ", between && " —"];
  return h("span", { class: "arrow", title: relation.iri }, before || null, named(relation), after || null);
}

const sourceText = (origin) => plain(`${origin.source.split("/").pop()}, ${origin.place}`);

/** The first sources; the others where the pointer rests. */
export function sources(origins) {
  if (!origins.length) return null;
  const all = origins.map(sourceText);
  const rest = all.length > 3 ? ` and ${number(all.length - 3)} more` : "";
  return h("span", { class: "source", title: all.join("\n") }, all.slice(0, 3).join("; ") + rest);
}

/** A path as a chain of entities and relations, with the source of each step behind a click. */
export function chain(path) {
  const line = h("div", { class: "chain" }, entityLink(path.steps[0].source));
  for (const step of path.steps) {
    line.append(" ", arrow(step.relation, step.forward, true), " ", entityLink(step.target));
  }
  const steps = path.steps.map((step) =>
    h("li", {}, named(step.source), " ", arrow(step.relation, step.forward, true), " ", named(step.target), " ", sources(step.origins)));
  const origins = fold("sources", h("ol", {}, steps));
  origins.className = "sources";
  return h("div", {}, line, origins);
}

/** What a fact links the entity asked about with. */
export const otherEnd = ({ direction, head, tail }) => (direction === "out" ? tail : head);

/** Why a fact is held: its sources, or the facts it follows from. */
export function why({ support_note, origins }) {
  return support_note ? h("span", { class: "source" }, label(support_note)) : sources(origins);
}

/** A chance in as many digits as it needs to be told from none. */
function percent(p) {
  if (p >= 0.995) return "> 99 %";
  if (p < 0.001) return "< 0.1 %";
  return p < 0.0995 ? `${(p * 100).toFixed(1)} %` : `${Math.round(p * 100)} %`;
}

/** The predictions of an answer, likeliest first, guesses behind a click. */
export function predictions({ related, abstain_below, model, reason }) {
  if (!related.length) return note("The model expects nothing that the data does not state.");
  const list = (facts) => h("ol", { class: "predictions" }, facts.map(prediction));
  const guesses = related.filter((fact) => fact.abstain);
  const others = related.filter((fact) => !fact.abstain);
  const below = percent(abstain_below);
  return [
    note(`Predicted by: ${model}.${reason ? ` Not everything was asked: ${reason}.` : ""}`),
    others.length ? list(others) : null,
    guesses.length ? fold(`${others.length ? "and " : ""}${plural(guesses.length, "guess", "guesses")} below ${below}`,
      note(`Even if there is one more answer, the chance of each is below ${below}, and the model is not to be relied on.`), list(guesses)) : null,
  ];
}

function prediction(fact) {
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("i"));
  bar.firstChild.style.inlineSize = `${Math.max(fact.probability * 100, 2)}%`;
  const given = `${percent(fact.probability_if_any)} if there is one more answer`;
  return h("li", {},
    h("div", { class: "guess" }, h("span", {}, arrow(fact.relation, fact.direction !== "in"), " ", entityLink(otherEnd(fact))),
      h("span", { class: "chance", title: given }, bar, percent(fact.probability))),
    fact.support.length ? fold(plural(fact.support.length, "path supports it", "paths support it"), fact.support.map(chain)) : null,
    fact.support_note ? note(label(fact.support_note)) : null);
}
