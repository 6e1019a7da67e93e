// The neighbours of an entity as a drawing.

import { note, plural, s } from "./dom.js";
import { nameOf } from "./facts.js";
import { hashOf } from "./url.js";

const [WIDTH, HEIGHT] = [720, 440];

/** The neighbours on an ellipse around the entity; every node is a link. */
export function drawing(found) {
  const center = found.center.id;
  const others = found.nodes.filter((node) => node.id !== center);
  const place = new Map([[center, [WIDTH / 2, HEIGHT / 2]]]);
  others.forEach((node, i) => {
    const angle = (2 * Math.PI * (i + 0.5)) / others.length - Math.PI / 2;
    place.set(node.id, [WIDTH / 2 + 175 * Math.cos(angle), HEIGHT / 2 + 190 * Math.sin(angle)]);
  });
  const lines = found.edges.map((edge) => {
    const [[x1, y1], [x2, y2]] = [place.get(edge.source), place.get(edge.target)];
    const own = edge.source === center || edge.target === center;
    return s("line", { x1, y1, x2, y2, class: own ? "own" : "cross" }, s("title", {}, nameOf(edge.relation)));
  });
  const dots = found.nodes.map((node) => {
    const [x, y] = place.get(node.id);
    const middle = node.id === center;
    const left = x < WIDTH / 2 - 1;
    return s("a", { href: hashOf("entity", node.id), class: middle ? "center" : "" },
      s("title", {}, `${nameOf(node)} (${plural(node.degree, "fact")})`),
      s("circle", { cx: x, cy: y, r: middle ? 9 : 6 }),
      s("text", { x: x + (middle ? 0 : left ? -10 : 10), y: y + (middle ? 26 : 5), "text-anchor": middle ? "middle" : left ? "end" : "start" }, nameOf(node, 20)));
  });
  const omitted = found.omitted.reduce((sum, item) => sum + item.count, 0);
  return [
    s("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "drawing", role: "group", "aria-label": "Neighbours" }, lines, dots),
    omitted ? note(`${plural(omitted, "more fact leads", "more facts lead")} to neighbours that are not drawn.`) : null,
  ];
}
