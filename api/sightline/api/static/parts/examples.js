// Questions that this graph can answer, made from it: where each is answered, and how it is shown.

import { once } from "../shell/api.js";
import { rowOf } from "../shell/registry.js";
import { to, toEntity, toType } from "../shell/url.js";
import { h, label, plain, shortened } from "./dom.js";
import { later } from "./states.js";

/** @typedef {{ sort: "connect" | "ask" | "related" | "table" | "similar" | "check", text: string, names: string[], answer: string | null, entities: import("../answers.js").Entity[], relation: import("../answers.js").Ref | null, type: import("../answers.js").Ref | null }} Example */

export const SORTS = { connect: "Connect", ask: "Ask", related: "Related", table: "Table", similar: "Similar", check: "Check" };

/** Where a question is answered; null where there is no view for it. @param {Example} example */
export function linkOf({ sort, entities, relation, type }) {
  const [one, other] = entities;
  if (sort === "check") return rowOf("doctor") ? to("doctor") : null;
  if (sort === "table") return type && relation ? toType(type, { cols: [relation.id], sort: `-${relation.id}` }) : null;
  if (!one) return null;
  if (sort === "connect") return other ? to("connect", null, { a: one.id, b: other.id }) : null;
  if (sort === "ask") return rowOf("ask") && relation ? to("ask", null, { h: one.id, r: relation.id }) : null;
  return toEntity(one, { part: sort === "similar" ? "similar" : "predicted" });
}

/** A text with the names in it set off. @param {string} text @param {string[]} names */
export function emphasised(text, names) {
  /** @type {import("../parts/dom.js").Content[]} */
  const parts = [];
  let rest = text;
  for (const name of names) {
    const at = rest.indexOf(name);
    if (at < 0) continue;
    parts.push(plain(rest.slice(0, at)), h("b", {}, label(shortened(name, 60))));
    rest = rest.slice(at + name.length);
  }
  return [parts, plain(rest)];
}

/** What can be asked in a view that nothing is asked in yet. @param {Example["sort"]} sort */
export const examplesOf = (sort) => later(once("examples"), ({ examples }) => examples.flatMap((/** @type {Example} */ example) => {
  const href = example.sort === sort ? linkOf(example) : null;
  return href ? [h("a", { class: "button", href }, h("span", {}, emphasised(example.text, example.names)))] : [];
}), { rows: 1, failed: () => null });
