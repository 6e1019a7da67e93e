// #/communities?resolution=2&k=10 : groups that have more to do with each other than with the rest.

import { ask } from "../shell/api.js";
import { rowOf } from "../shell/registry.js";
import { to } from "../shell/url.js";
import { h, label, number, plural, put } from "../parts/dom.js";
import { entityLink, typeChip, walked } from "../parts/facts.js";
import { empty, later, partial } from "../parts/states.js";

/** @param {import("../shell/router.js").Context} context */
export function view({ place, query, push, title }) {
  title("Communities");
  const resolution = Number(query.get("resolution")) || 1;
  const k = Number(query.get("k")) || 10;
  /** @param {string} text @param {number} value */
  const way = (text, value) => h("button", { type: "button", "aria-pressed": String(resolution === value), onclick: () => push({ resolution: value === 1 ? null : value }) }, text);
  put(place, h("div", { class: "sheet" }, h("div", { class: "row wrap" }, h("h1", { class: "grow" }, "Communities"), h("div", { class: "segment", role: "group", "aria-label": "Size" }, way("Larger", 0.5), way("As they are", 1), way("Smaller", 2))),
    h("p", { class: "quiet" }, "Groups of entities that have more to do with each other than with the rest, the largest first."),
    later(ask("communities", { k, resolution, deadline_ms: 9000 }), (answer) => [
      answer.truncated ? partial(label(`Not finished: ${answer.reason}.`)) : null,
      h("p", { class: "quiet" }, `${plural(answer.found, "community", "communities")}, modularity ${answer.modularity.toFixed(2)}${answer.alone ? `; ${plural(answer.alone, "entity is", "entities are")} in none` : ""}.`),
      answer.communities.length ? h("ol", {}, answer.communities.map((/** @type {any} */ one) => h("li", {}, h("h2", {}, label(one.name)), h("div", { class: "row wrap" }, h("span", { class: "quiet" }, plural(one.entities, "entity", "entities")), one.types.map((/** @type {any} */ type) => (type.type ? typeChip(type.type, type.entities) : null))),
        h("p", {}, h("span", { class: "quiet" }, "central "), one.central.map((/** @type {any} */ entity, /** @type {number} */ i) => [i ? ", " : "", entityLink(entity, { withDot: true })]), rowOf("set") ? [" ", h("a", { class: "link", href: to("set", null, { e: one.central.map((/** @type {any} */ entity) => entity.id) }) }, "compare")] : null),
        one.in_common.length ? h("ul", { class: "common" }, one.in_common.map((/** @type {any} */ common) => h("li", {}, h("span", { class: "grow" }, walked(common.text)), h("span", { class: "quiet" }, `${number(common.count)} of all ${number(common.background_count)}, ${common.fold.toFixed(1)} × as often`)))) : null)))
        : empty({ icon: "graph", title: "No groups", text: "The graph holds no links between entities, or all of it is one group." }),
      answer.found > k ? h("button", { type: "button", class: "button", onclick: () => push({ k: Math.min(1000, 5 * k) }) }, "More communities") : null,
      answer.bridges.length ? h("section", {}, h("h2", {}, "What joins them"), h("ul", {}, answer.bridges.map((/** @type {any} */ one) => h("li", { class: "bridge" }, entityLink(one.entity, { withDot: true }), h("span", { class: "quiet grow" }, `with ${plural(one.communities, "community", "communities")}: `, one.links.map((/** @type {any} */ link, /** @type {number} */ i) => [i ? "; " : "", label(link.name), ` (${number(link.facts)})`])))))) : null,
    ], { rows: 10 })));
}
