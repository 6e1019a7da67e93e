// The 2D layer: trunks and their labels, dashes with chances, codes, signs for what is not drawn, names. Every text is
// filled as text. Knows the look; knows neither API nor address.

import { plain } from "../parts/dom.js";
import { nameOf } from "../parts/facts.js";
import { percent } from "../parts/marks.js";
import { colourOf, typeOf } from "../parts/types.js";

/** @typedef {import("./graph.js").Node} Node */
/** @typedef {import("./graph.js").Edge} Edge */
/** @typedef {import("./graph.js").Group} Group */
/** @typedef {import("./stage.js").Stage} Stage */
/** @typedef {{ x: number, y: number, w: number, h: number }} Box */
/** @typedef {{ nodes: Node[], edges: Edge[], groups: Group[], titles: import("./graph.js").Title[], centre: Node | null, lit: Node | null, chosen: Set<Node>, pinned: Set<string>, labels: number, phrase: (group: Group) => string, lasso: { x: number, y: number }[] }} Shown */

/** @type {Record<string, number[]>} */
export const DASHES = { stated: [], inferred: [1.5, 4], predicted: [6, 4], extracted: [8, 3, 1.5, 3] };
/** The colours of lines: what no table states as such stands apart. */
const LINES = /** @type {Record<string, string>} */ ({ inferred: "inferred", predicted: "predicted", extracted: "ink-3" });
/** @param {string} status */
export const colourOfLine = (status) => tint(LINES[status] ?? "edge");
/** Labels of a large picture, and the room of one. */
const FAR_LABELS = 60;
const ROOM = [90, 28];
const LONG = 24;
/** Pixels below which a picture is narrow. */
export const NARROW = 600;
/** How far a line bends to stand beside another, as a part of its length. */
const BOW = 0.16;
/** How near the names of parts are still written. */
const NAMED_TO = 2;

/** @type {Record<string, string>} */
let colours = {};
/** @type {HTMLElement | null} */
let probe = null;

/** Read the colours of the theme anew. @param {HTMLElement} place */
export function readTheme(place) {
  const style = getComputedStyle(place);
  colours = Object.fromEntries(["ground", "surface", "ink", "ink-2", "ink-3", "line", "accent", "edge", "edge-strong", "edge-faint", "predicted", "inferred", "node-ring", "node-letter", "node-letter-dark", "font"].map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  probe = place;
  for (let i = 1; i <= 12; i += 1) colours[`type-${i}`] = style.getPropertyValue(`--type-${i}`).trim();
  colours["type-other"] = style.getPropertyValue("--type-other").trim();
}

/** A colour of the theme. @param {string} name */
export const tint = (name) => colours[name] ?? "#888";
/** The font, as the page has it. @param {number} weight @param {number} size */
const font = (weight, size) => `${weight} ${size}px ${colours.font || (probe && getComputedStyle(probe).fontFamily) || "sans-serif"}`;

/** @param {Node} node */
const typeClass = (node) => colourOf(typeOf(node.entity)).split(" ");
/** @param {Node} node */
export const colourOfNode = (node) => tint(typeClass(node)[0] ?? "type-other");
/** @param {Node} node */
const letterOf = (node) => tint(typeClass(node).length > 1 ? "node-letter-dark" : "node-letter");

/** Whether only a prediction joins an entity with what it was drawn for. @param {Node} node */
export function isNew(node) {
  const own = node.edges.filter((edge) => edge.source.id === node.owner || edge.target.id === node.owner);
  return own.length > 0 && own.every((edge) => edge.status === "predicted");
}

/** @param {CanvasRenderingContext2D} c @param {Stage} stage @param {Shown} shown */
export function paint(c, stage, shown) {
  const places = new Map(shown.nodes.map((node) => [node, stage.toScreen(node)]));
  c.lineCap = "round";
  c.textBaseline = "middle";
  const middle = shown.centre && places.get(shown.centre);
  /** @type {Box[]} */
  const taken = shown.centre && middle ? [around(middle, shown.centre.r * stage.zoom)] : [];
  let name = () => {};
  if (!stage.large) {
    plainEdges(c, shown, places);
    name = trunks(c, stage, shown, places, new Set(shown.edges), taken);
  }
  apart(c, stage, shown, places, taken);
  name();
  litEdges(c, stage, shown, places, taken);
  if (stage.large) {
    rings(c, stage, shown, places);
    farLabels(c, stage, shown, places, taken);
  } else {
    for (const node of shown.nodes) disc(c, stage, shown, node, /** @type {Box} */ (places.get(node)));
    signs(c, stage, shown, places, taken);
    labels(c, stage, shown, places, taken);
  }
  if (shown.lasso.length > 1) lasso(c, shown.lasso);
}

/** @typedef {Map<Node, { x: number, y: number }>} Places */

/** Facts between neighbours, faint, in one stroke. @param {CanvasRenderingContext2D} c @param {Shown} shown @param {Places} places */
function plainEdges(c, shown, places) {
  const inTrunks = new Set(shown.groups.flatMap((group) => group.edges));
  const between = shown.edges.filter((edge) => !inTrunks.has(edge) && edge.status === "stated");
  c.strokeStyle = tint("edge-faint");
  c.lineWidth = 0.8;
  // Many of them are a ground that the trunks stand out from.
  c.globalAlpha = Math.max(0.4, Math.min(1, 24 / between.length));
  c.beginPath();
  for (const edge of between) {
    const [a, b] = [places.get(edge.source), places.get(edge.target)];
    if (!a || !b) continue;
    c.moveTo(a.x, a.y);
    c.lineTo(b.x, b.y);
  }
  c.stroke();
  c.globalAlpha = 1;
}

/** The edges of one relation share a trunk with one label, whose place is kept; what it gives back writes them. @param {CanvasRenderingContext2D} c @param {Stage} stage @param {Shown} shown @param {Places} places @param {Set<Edge>} visible @param {Box[]} taken */
function trunks(c, stage, shown, places, visible, taken) {
  /** @type {[string, number, number][]} */
  const texts = [];
  for (const group of shown.groups) {
    const from = places.get(group.owner);
    const edges = group.edges.filter((edge) => visible.has(edge) && edge.status === "stated");
    if (!from || (!edges.length && !group.more)) continue;
    const rest = group.more && group.rest ? stage.toScreen(group.rest) : null;
    const ends = edges.map((edge) => places.get(edge.source === group.owner ? edge.target : edge.source)).filter((end) => end !== undefined);
    if (rest) ends.push(rest);
    if (!ends.length) continue;
    const near = group.owner === shown.centre;
    c.strokeStyle = tint("edge");
    if (ends.length === 1 || !near) {
      c.lineWidth = 1.3;
      c.beginPath();
      for (const end of ends) {
        c.moveTo(from.x, from.y);
        c.lineTo(end.x, end.y);
      }
      c.stroke();
      const [end] = ends;
      if (near && end) texts.push([shown.phrase(group), from.x + 0.55 * (end.x - from.x), from.y + 0.55 * (end.y - from.y)]);
      continue;
    }
    const hub = stage.toScreen(group);
    c.lineWidth = 2.6;
    c.beginPath();
    c.moveTo(from.x, from.y);
    c.lineTo(hub.x, hub.y);
    c.stroke();
    c.lineWidth = 1.3;
    c.beginPath();
    for (const end of ends) {
      // Leaves the trunk in its direction, then bends to its end.
      const bend = { x: hub.x + 0.35 * (hub.x - from.x), y: hub.y + 0.35 * (hub.y - from.y) };
      c.moveTo(hub.x, hub.y);
      c.quadraticCurveTo(bend.x, bend.y, end.x, end.y);
    }
    c.stroke();
    texts.push([`${shown.phrase(group)} ${group.nodes.filter((node) => places.has(node)).length + group.more}`, hub.x, hub.y]);
  }
  if (stage.camera.k < 0.45) return () => {};
  c.font = font(480, 11.5);
  const kept = texts.flatMap(([text, x, y]) => {
    const words = short(text, 34);
    const box = { x: x - c.measureText(words).width / 2 - 3, y: y - 8, w: c.measureText(words).width + 6, h: 16 };
    if (taken.some((other) => overlap(box, other))) return [];
    taken.push(box);
    return [{ words, x, y }];
  });
  return () => {
    c.font = font(480, 11.5);
    c.textAlign = "center";
    for (const { words, x, y } of kept) halo(c, words, x, y, tint("ink-2"), 6);
  };
}

/** What is inferred, predicted or read out of a text: dotted, dashed with its chance, or dashes and dots. @param {CanvasRenderingContext2D} c @param {Stage} stage @param {Shown} shown @param {Places} places @param {Box[]} taken */
function apart(c, stage, shown, places, taken) {
  let i = 0;
  for (const edge of shown.edges) {
    if (edge.status === "stated") continue;
    const [a, b] = [places.get(edge.source), places.get(edge.target)];
    if (!a || !b) continue;
    c.setLineDash(DASHES[edge.status] ?? []);
    c.strokeStyle = colourOfLine(edge.status);
    c.lineWidth = 1.5;
    // Beside a stated fact of the same two it takes a way of its own, or it would make that one look like it.
    const bow = edge.source.edges.some((other) => other.status === "stated" && (other.source === edge.target || other.target === edge.target)) ? BOW : 0;
    c.beginPath();
    c.moveTo(a.x, a.y);
    c.quadraticCurveTo((a.x + b.x) / 2 + bow * (b.y - a.y), (a.y + b.y) / 2 - bow * (b.x - a.x), b.x, b.y);
    c.stroke();
    c.setLineDash([]);
    if (edge.chance === null || stage.camera.k < 0.4) continue;
    const share = edge.source === shown.centre ? 0.68 - 0.06 * (i++ % 3) : 0.32 + 0.06 * (i++ % 3);
    const [x, y] = [a.x + share * (b.x - a.x), a.y + share * (b.y - a.y)];
    c.font = font(640, 11.5);
    c.textAlign = "center";
    halo(c, percent(edge.chance), x, y, tint("predicted"), 6);
    taken.push({ x: x - 16, y: y - 8, w: 32, h: 16 });
  }
}

/** The facts of what the pointer or the keyboard is at, with their relations. @param {CanvasRenderingContext2D} c @param {Stage} stage @param {Shown} shown @param {Places} places @param {Box[]} taken */
function litEdges(c, stage, shown, places, taken) {
  const node = shown.lit;
  if (!node || node === shown.centre) return;
  const edges = node.edges.filter((edge) => edge.status === "stated" && places.has(edge.source) && places.has(edge.target)).slice(0, 200);
  c.strokeStyle = tint("edge-strong");
  c.lineWidth = edges.length > 8 ? 1 : 1.8;
  for (const edge of edges) {
    const [a, b] = [places.get(edge.source), places.get(edge.target)];
    if (!a || !b) continue;
    c.beginPath();
    c.moveTo(a.x, a.y);
    c.lineTo(b.x, b.y);
    c.stroke();
    if (edges.length > 12) continue;
    const [x, y] = [(a.x + b.x) / 2, (a.y + b.y) / 2];
    c.font = font(540, 11.5);
    c.textAlign = "center";
    const words = short(nameOf(edge.relation), 30);
    halo(c, words, x, y, tint("ink"), 6);
    taken.push({ x: x - c.measureText(words).width / 2, y: y - 8, w: c.measureText(words).width, h: 16 });
  }
}

/** @param {CanvasRenderingContext2D} c @param {Stage} stage @param {Shown} shown @param {Node} node @param {{ x: number, y: number }} at */
function disc(c, stage, shown, node, at) {
  const r = node.r * stage.zoom;
  const colour = colourOfNode(node);
  circle(c, at, r + 1.5);
  c.fillStyle = tint("node-ring");
  c.fill();
  circle(c, at, r);
  if (isNew(node)) {
    c.fillStyle = tint("ground");
    c.fill();
    // Round ends would close the gaps.
    c.lineCap = "butt";
    c.setLineDash([(2 * Math.PI * (r - 1)) / 22, (2 * Math.PI * (r - 1)) / 22]);
    c.strokeStyle = colour;
    c.lineWidth = 2;
    circle(c, at, r - 1);
    c.stroke();
    c.setLineDash([]);
    c.lineCap = "round";
  } else {
    c.fillStyle = colour;
    c.fill();
    const type = typeOf(node.entity);
    if (r >= 7 && type) {
      c.font = font(640, node === shown.centre ? 13 * stage.zoom : 8.5 * stage.zoom);
      c.textAlign = "center";
      c.fillStyle = letterOf(node);
      c.fillText(type.letters, at.x, at.y + 0.5);
    }
  }
  if (node === shown.centre) ring(c, at, r + 3, tint("ink"), 1.8);
  if (shown.pinned.has(node.id)) ring(c, at, r + 2.5, tint("ink-2"), 1.2);
  if (node === shown.lit || shown.chosen.has(node)) ring(c, at, r + 4, tint("accent"), 2);
}

/** What of a large picture is marked. @param {CanvasRenderingContext2D} c @param {Stage} stage @param {Shown} shown @param {Places} places */
function rings(c, stage, shown, places) {
  for (const node of [...shown.chosen, shown.centre, shown.lit]) {
    const at = node && places.get(node);
    if (node && at) ring(c, at, node.r * stage.zoom + 3, tint(node === shown.centre ? "ink" : "accent"), 2);
  }
}

/** "+55": neighbours that are not drawn; and the signs of what a step left out. @param {CanvasRenderingContext2D} c @param {Stage} stage @param {Shown} shown @param {Places} places @param {Box[]} taken */
function signs(c, stage, shown, places, taken) {
  c.textAlign = "center";
  for (const group of shown.groups) {
    if (!group.more || !group.rest || !places.has(group.owner)) continue;
    const at = stage.toScreen(group.rest);
    const [type] = group.nodes;
    const colour = type ? colourOfNode(type) : tint("edge-strong");
    c.font = font(560, 9 * stage.zoom);
    const r = Math.max(11 * stage.zoom, c.measureText(`+${group.more}`).width / 2 + 5);
    circle(c, at, r);
    c.fillStyle = tint("ground");
    c.fill();
    ring(c, at, r, colour, 1.6);
    ring(c, at, r - 3, colour, 1);
    c.fillStyle = tint("ink-2");
    c.fillText(`+${group.more}`, at.x, at.y + 0.5);
    taken.push({ x: at.x - r, y: at.y - r, w: 2 * r, h: 2 * r });
    if (stage.camera.k < 0.5 || group.owner === shown.centre) continue;
    c.font = font(440, 11.5);
    halo(c, short(shown.phrase(group), LONG), at.x, at.y + r + 9, tint("ink-2"), 4);
    taken.push({ x: at.x - 40, y: at.y + r + 1, w: 80, h: 16 });
  }
  if (stage.camera.k < 0.6) return;
  c.font = font(480, 10);
  for (const node of shown.nodes) {
    const more = node.degree - node.edges.length;
    const at = places.get(node);
    if (!at || node.r < 9 || node.opened || more < 1) continue;
    const text = `+${more.toLocaleString("en")}`;
    const w = c.measureText(text).width + 9;
    const [x, y] = [at.x + node.r * stage.zoom * 0.55, at.y - node.r * stage.zoom - 7.5];
    if (taken.some((other) => overlap({ x, y, w, h: 14 }, other))) continue;
    c.beginPath();
    c.roundRect(x, y, w, 14, 7);
    c.fillStyle = tint("surface");
    c.fill();
    c.strokeStyle = tint("line");
    c.lineWidth = 1;
    c.stroke();
    c.fillStyle = tint("ink-2");
    c.fillText(text, x + w / 2, y + 7.5);
    taken.push({ x, y, w, h: 14 });
  }
}

/** Names beside their nodes, outwards, where nothing is in the way. @param {CanvasRenderingContext2D} c @param {Stage} stage @param {Shown} shown @param {Places} places @param {Box[]} taken */
function labels(c, stage, shown, places, taken) {
  if (shown.labels === 0) return;
  /** @type {Box[]} */
  const discs = [...places].map(([node, at]) => around(at, node.r * stage.zoom));
  const first = (/** @type {Node} */ node) => (node === shown.centre ? 3 : node === shown.lit || shown.chosen.has(node) ? 2 : node.opened ? 1 : 0);
  for (const node of [...shown.nodes].sort((a, b) => first(b) - first(a) || b.r - a.r || b.degree - a.degree)) {
    const at = /** @type {{ x: number, y: number }} */ (places.get(node));
    if (at.x < -60 || at.y < -30 || at.x > stage.width + 60 || at.y > stage.height + 30) continue;
    const centre = node === shown.centre;
    const must = first(node) > 1;
    if (!must && stage.camera.k < 0.32) continue;
    c.font = centre ? font(640, 14) : font(540, 12.5);
    const text = short(nameOf(node.entity), must ? 40 : stage.width < NARROW ? 12 : LONG);
    const [w, r] = [c.measureText(text).width, node.r * stage.zoom + 6];
    const angle = Math.atan2(node.y, node.x);
    const [right, left, over, under] = [[r, 0, 0], [-r - w, 0, 0], [-w / 2, -r - 6, 1], [-w / 2, r + 6, 1]];
    const sides = centre ? [under] : Math.abs(Math.cos(angle)) < 0.32 ? (angle < 0 ? [over, right, left, under] : [under, right, left, over]) : Math.cos(angle) > 0 ? [right, over, under, left] : [left, over, under, right];
    for (const side of sides) {
      const [dx = 0, dy = 0] = /** @type {number[]} */ (side);
      const box = { x: at.x + dx - 2, y: at.y + dy - 8, w: w + 4, h: 16 };
      const free = box.x >= 0 && box.x + box.w <= stage.width && !taken.some((other) => overlap(box, other)) && !discs.some((other) => overlap(box, other));
      if (!free && !(must && side === sides.at(-1))) continue;
      taken.push(box);
      c.textAlign = "left";
      halo(c, text, box.x + 2, at.y + dy, tint("ink"), 4);
      break;
    }
  }
}

/** @type {WeakMap<Node[], Node[]>} */
const ordered = new WeakMap();

/** What was expanded, then the best connected; sorted once. @param {Node[]} nodes */
function byDegree(nodes) {
  const known = ordered.get(nodes) ?? [...nodes].sort((a, b) => Number(b.opened) - Number(a.opened) || b.degree - a.degree);
  ordered.set(nodes, known);
  return known;
}

/** Of a large picture: what was expanded by name, then by degree, one in each 90 × 28 px; from afar 60 of them. @param {CanvasRenderingContext2D} c @param {Stage} stage @param {Shown} shown @param {Places} places @param {Box[]} taken */
function farLabels(c, stage, shown, places, taken) {
  if (shown.labels === 0) return;
  c.textAlign = "center";
  if (stage.camera.k < NAMED_TO) for (const { text, ...at } of shown.titles) {
    const { x, y } = stage.toScreen(at);
    c.font = font(640, 14.5);
    const words = short(text, LONG);
    const w = c.measureText(words).width;
    const box = { x: x - w / 2, y: y - 9, w, h: 18 };
    if (taken.some((other) => overlap(box, other))) continue;
    taken.push(box);
    halo(c, words, x, y, tint("ink"), 5);
  }
  const cells = new Set();
  const most = stage.camera.k < 0.5 ? FAR_LABELS : Infinity;
  let count = 0;
  const marked = new Set([shown.lit, shown.centre, ...shown.chosen].filter((node) => node !== null));
  c.textAlign = "center";
  for (const node of new Set([...marked, ...byDegree(shown.nodes)])) {
    if (count >= most) break;
    const at = places.get(node);
    if (!at || at.x < 0 || at.y < 0 || at.x > stage.width || at.y > stage.height) continue;
    const cell = `${Math.floor(at.x / (ROOM[0] ?? 1))} ${Math.floor(at.y / (ROOM[1] ?? 1))}`;
    if (cells.has(cell) && !marked.has(node)) continue;
    c.font = node.opened ? font(640, 14.5) : font(500, 11.5);
    const text = short(nameOf(node.entity), LONG);
    const w = c.measureText(text).width;
    const y = at.y + (node.opened ? 0 : node.r * stage.zoom + 9);
    const box = { x: at.x - w / 2, y: y - 8, w, h: 16 };
    if (taken.some((other) => overlap(box, other)) && !marked.has(node)) continue;
    cells.add(cell);
    taken.push(box);
    halo(c, text, at.x, y, tint("ink"), 4);
    count += 1;
  }
}

/** @param {CanvasRenderingContext2D} c @param {{ x: number, y: number }[]} points */
function lasso(c, points) {
  c.beginPath();
  points.forEach(({ x, y }, i) => (i ? c.lineTo(x, y) : c.moveTo(x, y)));
  c.closePath();
  c.globalAlpha = 0.12;
  c.fillStyle = tint("accent");
  c.fill();
  c.globalAlpha = 1;
  c.strokeStyle = tint("accent");
  c.setLineDash([4, 3]);
  c.lineWidth = 1.5;
  c.stroke();
  c.setLineDash([]);
}

/** @param {CanvasRenderingContext2D} c @param {{ x: number, y: number }} at @param {number} r */
function circle(c, at, r) {
  c.beginPath();
  c.arc(at.x, at.y, Math.max(0.5, r), 0, 2 * Math.PI);
}

/** @param {CanvasRenderingContext2D} c @param {{ x: number, y: number }} at @param {number} r @param {string} colour @param {number} width */
function ring(c, at, r, colour, width) {
  circle(c, at, r);
  c.strokeStyle = colour;
  c.lineWidth = width;
  c.stroke();
}

/** @param {CanvasRenderingContext2D} c @param {string} text @param {number} x @param {number} y @param {string} colour @param {number} width */
function halo(c, text, x, y, colour, width) {
  c.lineJoin = "round";
  c.lineWidth = width;
  c.strokeStyle = tint("ground");
  c.strokeText(text, x, y);
  c.fillStyle = colour;
  c.fillText(text, x, y);
}

/** @param {string} text @param {number} most */
export function short(text, most) {
  const letters = [...plain(text)];
  return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : letters.join("");
}

/** @param {{ x: number, y: number }} at @param {number} r @returns {Box} */
const around = ({ x, y }, r) => ({ x: x - r, y: y - r, w: 2 * r, h: 2 * r });
/** @param {Box} a @param {Box} b */
const overlap = (a, b) => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;
