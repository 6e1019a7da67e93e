// The drawing as files: a picture, a drawing for vector programs, a graph and a table. Texts of the data are escaped for
// each: markup in XML, formulas in tables.

import { csvOf, download } from "../parts/table.js";
import { plain } from "../parts/dom.js";
import { nameOf } from "../parts/facts.js";
import { percent } from "../parts/marks.js";
import { colourOfLine, colourOfNode, DASHES, isNew, tint } from "./paint.js";

/** @typedef {import("./graph.js").Node} Node */
/** @typedef {import("./graph.js").Edge} Edge */
/** @typedef {{ nodes: Node[], edges: Edge[] }} Drawn */

/** Text in XML. What XML 1.0 cannot hold becomes a space. @param {string} text */
const xml = (text) => plain(text).replace(/[^\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, " ").replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** @param {Drawn} drawn @param {string} name */
export function csv({ edges }, name) {
  const rows = [["source", "source label", "relation", "relation label", "target", "target label", "status", "probability", "sources"], ...edges.map((edge) => [
    edge.source.id, edge.source.entity.label, edge.relation.id, edge.relation.label, edge.target.id, edge.target.entity.label, edge.status, edge.chance,
    edge.origins.map((origin) => `${origin.source}, ${origin.place}`).join("; ")])];
  download(`${name}.csv`, csvOf(rows));
}

/** @param {Drawn} drawn @param {string} name */
export function graphml({ nodes, edges }, name) {
  const keys = [["label", "node", "string"], ["iri", "node", "string"], ["types", "node", "string"], ["degree", "node", "int"], ["x", "node", "double"], ["y", "node", "double"],
    ["relation", "edge", "string"], ["relation_iri", "edge", "string"], ["status", "edge", "string"], ["probability", "edge", "double"]];
  /** @param {string} key @param {string | number | null} value */
  const data = (key, value) => (value === null ? "" : `<data key="${key}">${xml(String(value))}</data>`);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>', '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">',
    ...keys.map(([id, of, type]) => `<key id="${id}" for="${of}" attr.name="${id}" attr.type="${type}"/>`), '<graph edgedefault="directed">',
    ...nodes.map((node) => `<node id="${xml(node.id)}">${data("label", node.entity.label)}${data("iri", node.entity.iri)}${data("types", node.entity.types.join("; "))}${data("degree", node.degree)}${data("x", node.x)}${data("y", node.y)}</node>`),
    ...edges.map((edge, i) => `<edge id="e${i}" source="${xml(edge.source.id)}" target="${xml(edge.target.id)}">${data("relation", edge.relation.label)}${data("relation_iri", edge.relation.iri)}${data("status", edge.status)}${data("probability", edge.chance)}</edge>`),
    "</graph>", "</graphml>"];
  download(`${name}.graphml`, lines.join("\n"), "application/graphml+xml");
}

/** @param {Drawn} drawn @param {string} name */
export function svg({ nodes, edges }, name) {
  const [left, right] = [Math.min(...nodes.map((node) => node.x)) - 140, Math.max(...nodes.map((node) => node.x)) + 160];
  const [top, bottom] = [Math.min(...nodes.map((node) => node.y)) - 60, Math.max(...nodes.map((node) => node.y)) + 60];
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${left} ${top} ${right - left} ${bottom - top}" font-family="Inter, sans-serif" font-size="12">`,
    `<rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}" fill="${tint("ground")}"/>`,
    ...edges.map((edge) => {
      const dash = DASHES[edge.status]?.length ? ` stroke-dasharray="${DASHES[edge.status]?.join(" ")}"` : "";
      const said = `${nameOf(edge.source.entity)} ${nameOf(edge.relation)} ${nameOf(edge.target.entity)}, ${edge.status}${edge.chance === null ? "" : `, ${percent(edge.chance)}`}`;
      return `<line x1="${edge.source.x}" y1="${edge.source.y}" x2="${edge.target.x}" y2="${edge.target.y}" stroke="${colourOfLine(edge.status)}" stroke-width="1.3"${dash}><title>${xml(said)}</title></line>`;
    }),
    ...nodes.map((node) => {
      const fill = isNew(node) ? `fill="${tint("ground")}" stroke="${colourOfNode(node)}" stroke-dasharray="2.6 2" stroke-width="2"` : `fill="${colourOfNode(node)}" stroke="${tint("node-ring")}"`;
      const side = node.x < -30 ? `x="${node.x - node.r - 5}" text-anchor="end"` : node.x > 30 ? `x="${node.x + node.r + 5}"` : `x="${node.x}" text-anchor="middle"`;
      const y = Math.abs(node.x) > 30 ? node.y + 4 : node.y + (node.y < 0 ? -node.r - 6 : node.r + 14);
      return `<circle cx="${node.x}" cy="${node.y}" r="${node.r}" ${fill}/><text ${side} y="${y}" fill="${tint("ink")}">${xml(nameOf(node.entity))}</text>`;
    }),
    "</svg>"];
  download(`${name}.svg`, lines.join("\n"), "image/svg+xml");
}

/** The picture as it is on the screen, on its ground. @param {import("./stage.js").Stage} stage @param {string} name */
export function png(stage, name) {
  const made = document.createElement("canvas");
  [made.width, made.height] = [stage.above.width, stage.above.height];
  const c = /** @type {CanvasRenderingContext2D} */ (made.getContext("2d"));
  c.fillStyle = tint("ground");
  c.fillRect(0, 0, made.width, made.height);
  // WebGL keeps no picture after a frame: draw it again, and copy it at once.
  if (stage.large) stage.sigma?.render();
  for (const layer of stage.layers.querySelectorAll("canvas")) if (stage.large || layer === stage.above) c.drawImage(layer, 0, 0, made.width, made.height);
  made.toBlob((blob) => blob && download(`${name}.png`, blob, "image/png"));
}
