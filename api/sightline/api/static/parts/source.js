// Where a fact comes from: a button with the file's name that unfolds the raw rows below it.

import { ask } from "../shell/api.js";
import { copy, h, label, number, plain, plural, put } from "./dom.js";
import { icon } from "./icons.js";
import { layer } from "./popover.js";
import { later } from "./states.js";

/** @typedef {import("../answers.js").Origin} Origin */
/** @typedef {import("../answers.js").RawRecord} RawRecord */

/** Rows that are read at once. */
const ROWS = 8;

/** What a load is called that no file was read for: what was concluded from others. */
const MADE = new Map([["urn:sightline:inferred", "inferred"]]);
/** Whether a load was read from somewhere. @param {{ source: string }} load */
export const isFile = ({ source }) => !MADE.has(source);
/** The name of a file without its folders. @param {string} source */
export const fileOf = (source) => MADE.get(source) ?? plain(source.split(/[\\/]/).pop() || source);

/**
 * A button that unfolds the rows that facts come from, below the line that it stands in: its parent, or the
 * row of its table, unless `below` gives another.
 * @param {Origin[]} origins
 * @param {string[]} [facts] ids that mark which cells made the facts
 * @param {() => Element} [below]
 */
export function sourceButton(origins, facts = [], below) {
  const [first] = origins;
  if (!first) return null;
  const files = new Set(origins.map((origin) => origin.load));
  const rows = new Set(origins.map((origin) => `${origin.load} ${origin.place}`)).size;
  const more = rows > 1 ? ` ${files.size > 1 ? `+${number(rows - 1)}` : number(rows)}` : "";
  /** @type {(() => void) | null} */
  let close = null;
  const button = h("button", {
    type: "button", class: "source", "aria-expanded": "false", title: plain(origins.slice(0, 20).map((origin) => `${fileOf(origin.source)}, ${origin.place}`).join("\n")),
    // It begins with what is seen, so that who speaks to the computer can name it.
    "aria-label": plain(`${fileOf(first.source)}${more}, source: ${first.place}${rows > 1 ? ` and ${plural(rows - 1, "more row")}` : ""}`),
    onclick: () => (close ? close() : open()),
  }, icon("file"), h("span", { class: "clip" }, fileOf(first.source)), more);
  function open() {
    const panel = h("div", { class: "unfolded appear" }, [...files].map((load) => rowsOf(origins.filter((origin) => origin.load === load), () => close?.(), facts)));
    const row = below ? null : button.closest("tr");
    const opened = row ? h("tr", {}, h("td", { colspan: row.cells.length }, panel)) : panel;
    (below?.() ?? row ?? button.parentElement)?.after(opened);
    button.setAttribute("aria-expanded", "true");
    const off = layer(() => close?.());
    close = () => {
      off();
      close = null;
      opened.remove();
      button.setAttribute("aria-expanded", "false");
      button.focus({ preventScroll: true });
    };
  }
  return button;
}

/** The raw rows of one load. @param {Origin[]} origins @param {() => void} close @param {string[]} facts */
function rowsOf(origins, close, facts) {
  const [first] = origins;
  const places = [...new Set(origins.map((origin) => origin.place))];
  const source = first?.source ?? "";
  const body = h("div", {});
  const show = (/** @type {number} */ most) => put(body, later(
    read(first?.load ?? "", places.slice(0, most)),
    (records) => [table(records, facts), places.length > most ? h("footer", {}, h("button", { type: "button", onclick: () => show(most + 4 * ROWS) }, `${number(places.length - most)} more rows`)) : null],
    { rows: 2 }));
  show(ROWS);
  const cite = () => {
    const text = `${fileOf(source)}, ${places.join("; ")} (load ${first?.load})`;
    copy(text);
  };
  const merged = [...new Set(origins.flatMap((origin) => origin.merged_from))];
  return h("section", { class: "rows", "aria-label": `Rows of ${fileOf(source)}` },
    h("header", {}, icon("file"), h("strong", {}, label(fileOf(source))), h("span", { class: "quiet" }, plural(places.length, "row")),
      h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: close }, icon("close"))),
    merged.length ? h("p", { class: "note" }, "Said of ", merged.map((id, i) => [i ? ", " : "", h("code", {}, label(id))]), ", which ", merged.length === 1 ? "was" : "were", " merged into what is shown.") : null,
    body,
    h("footer", {}, h("button", { type: "button", onclick: cite }, icon("copy"), "Copy citation")));
}

/** Read rows, one after the other: a service reads few at once, and turns the rest away. @param {string} load @param {string[]} places */
async function read(load, places) {
  /** @type {RawRecord[]} */
  const records = [];
  for (const at of places) records.push(await ask(`loads/${encodeURIComponent(load)}/rows`, { at }));
  return records;
}

/** Records of one header as one table, others as one each. @param {RawRecord[]} records @param {string[]} facts */
function table(records, facts) {
  /** @type {Map<string, RawRecord[]>} */
  const alike = new Map();
  for (const record of records) {
    const header = JSON.stringify(record.cells.map((cell) => cell.column));
    alike.set(header, [...(alike.get(header) ?? []), record]);
  }
  return [...alike.values()].map((some) => {
    const columns = some[0]?.cells.map((cell) => cell.column) ?? [];
    if (!columns.length) return h("div", { class: "scroll" }, h("table", {}, h("tbody", {}, some.map((record) => h("tr", {}, h("td", {}, place(record)), h("td", {}, label(record.raw)))))));
    return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Rows" }, h("table", {},
      h("thead", {}, h("tr", {}, h("th", {}, h("span", { class: "hidden" }, "row")), columns.map((column) => h("th", { scope: "col" }, label(column))))),
      h("tbody", {}, some.map((record) => {
        const made = new Set(record.facts.filter((fact) => facts.some((id) => [fact.subject, fact.predicate, fact.object].includes(id))).flatMap((fact) => fact.columns));
        return h("tr", {}, h("td", {}, place(record)), record.cells.map((cell) => h("td", { class: made.has(cell.column) ? "made" : null, title: plain(cell.values.join(" | ")) }, label(cell.values.join(" | ")))));
      }))));
  });
}

/** The line or place of a record. @param {RawRecord} record */
const place = (record) => plain(record.place.replace(/^line /, ""));
