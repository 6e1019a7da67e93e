// Line drawings of 20 × 20; decoration only, the word stands beside or in the label.

import { s } from "./dom.js";

const SHAPES = {
  ask: "M4 4.5h12v9H9l-3.5 3v-3H4z",
  check: "m4.5 10.5 3.5 3.5 7.5-8",
  chevron: "m6 8 4 4 4-4",
  clock: "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM10 6v4.2l2.8 1.6",
  close: "m5.5 5.5 9 9m0-9-9 9",
  columns: "M3.5 4h13v12h-13zM8 4v12M12.3 4v12",
  connect: "M5.5 17a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM14.5 8a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5zM7.4 12.6l5.2-5.2",
  copy: "M7.5 7.5h9v9h-9zM12.5 7.5v-4h-9v9h4",
  dots: "M4.5 10h.01M10 10h.01M15.5 10h.01",
  down: "M10 3.5v9m-3.5-3.3L10 12.6l3.5-3.4M4 16.5h12",
  error: "M10 3.5 17.5 16h-15zM10 8.5v3.5m0 2v.01",
  eye: "M2.5 10S5 5 10 5s7.5 5 7.5 5-2.5 5-7.5 5-7.5-5-7.5-5zM10 12.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4z",
  file: "M5 2.8h6l4 4v10.4H5zM11 2.8v4h4M7.5 11h5m-5 3h5",
  filter: "M3.5 5.5h13m-10.5 4.5h8m-5.5 4.5h3",
  fit: "M3.5 7.5v-4h4m5 0h4v4m0 5v4h-4m-5 0h-4v-4",
  graph: "M10 6.8a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4zM4.6 17.4a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4zM15.4 17.4a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4zM9.1 6.6l-3.6 6.6m5.4-6.6 3.6 6.6",
  help: "M10 17.2a7.2 7.2 0 1 0 0-14.4 7.2 7.2 0 0 0 0 14.4zM7.9 8a2.1 2.1 0 1 1 3 1.9c-.6.3-.9.7-.9 1.4m0 2.4v.01",
  home: "m3 9.5 7-6 7 6M5 8v8.5h3.5V12h3v4.5H15V8",
  inspect: "M8.5 14a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM12.6 12.6 17 17M6.3 8.5l1.6 1.6 2.8-3",
  lasso: "M10 3.5c4 0 7 2.2 7 5s-3 5-7 5-7-2.2-7-5 3-5 7-5zM6 13c-1 .6-1.3 1.7-.6 2.4.8.8 2.2.4 2.2-.7M6.8 16c0 .8-.5 1.4-1.3 1.6",
  left: "M16 10H4m4.5-4.5L4 10l4.5 4.5",
  list: "M7 5.5h9.5M7 10h9.5M7 14.5h9.5M3.5 5.5h.01M3.5 10h.01M3.5 14.5h.01",
  minus: "M4.5 10h11",
  moon: "M16 12.2A6.7 6.7 0 0 1 7.8 4a6.7 6.7 0 1 0 8.2 8.2z",
  plus: "M10 4v12M4 10h12",
  redo: "M13 4.5 16.5 8 13 11.5M16 8H8a4 4 0 0 0 0 8h3",
  right: "m8 6 4 4-4 4",
  search: "M8.7 14.2a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM12.8 12.8l4 4",
  spark: "M10 3v3.5M10 13.5V17M3 10h3.5M13.5 10H17M5.5 5.5l2 2m5 5 2 2m0-9-2 2m-5 5-2 2",
  sun: "M10 13a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM10 2.8v1.6m0 11.2v1.6M2.8 10h1.6m11.2 0h1.6M4.9 4.9l1.1 1.1m8 8 1.1 1.1m0-10.2L14 6m-8 8-1.1 1.1",
  swap: "M4 7.5h11m-3-3 3 3-3 3M16 13H5m3 3-3-3 3-3",
  table: "M3.5 4h13v12h-13zM3.5 8h13M8 8v8",
  terminal: "m4 6 4 4-4 4m6 0h6",
  undo: "M7 4.5 3.5 8 7 11.5M4 8h8a4 4 0 0 1 0 8H9",
};

/** @typedef {keyof typeof SHAPES} Icon */

/** @param {Icon} name @param {string} [kind] a class */
export function icon(name, kind) {
  const weight = name === "dots" ? 2.6 : 1.6;
  const shape = s("path", { d: SHAPES[name], fill: "none", stroke: "currentColor", "stroke-width": weight, "stroke-linecap": "round", "stroke-linejoin": "round" });
  return s("svg", { viewBox: "0 0 20 20", width: 18, height: 18, "aria-hidden": "true", class: kind }, shape);
}

/** The sign of Sightline. */
export function logo() {
  const line = { fill: "none", stroke: "currentColor", "stroke-width": 1.8 };
  return s("svg", { viewBox: "0 0 24 24", "aria-hidden": "true" },
    s("path", { ...line, d: "M7.2 15.2 11 8.4m2.2 1.4 2.6 5" }), s("circle", { cx: 12, cy: 7, r: 2.4, fill: "currentColor" }),
    s("circle", { cx: 6.4, cy: 16.8, r: 2.4, fill: "currentColor" }), s("circle", { ...line, cx: 17, cy: 16.8, r: 2 }));
}
