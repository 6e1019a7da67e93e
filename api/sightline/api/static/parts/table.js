// Rows under columns: sorted, chosen, walked through by keys, saved as CSV. Draws what it is given and
// sorts nothing itself: the server does, and the address says how.

import { h, plain, tell } from "./dom.js";
import { icon } from "./icons.js";

/**
 * @template R
 * @typedef {object} Column
 * @property {string} key
 * @property {import("./dom.js").Content} title
 * @property {import("./dom.js").Content} [under] a line below the title: what is in the column
 * @property {boolean} [number] set to the right
 * @property {boolean} [sorts] whether the title sorts
 * @property {(row: R) => import("./dom.js").Content} cell
 * @property {(row: R) => string | number | null} [text] as CSV; default: the text of the cell
 * @property {string} [total] below the rows
 */

/**
 * @template R
 * @param {object} options
 * @param {string} options.caption what a screen reader calls it
 * @param {Column<R>[]} options.columns
 * @param {R[]} options.rows
 * @param {number} [options.first] the number of the first row; without, rows are not numbered
 * @param {string} [options.sort] key of the column sorted by, "-" before it where the largest come first
 * @param {(sort: string) => void} [options.onSort]
 * @param {(row: R) => void} [options.open] Enter
 * @param {(row: R, on: boolean) => void} [options.choose] space, and the box of a row
 * @param {(row: R) => boolean} [options.chosen]
 */
export function dataTable({ caption, columns, rows, first, sort = "", onSort, open, choose, chosen }) {
  const by = sort.replace(/^-/, "");
  const down = sort.startsWith("-");
  /** @param {Column<R>} column */
  const head = (column) => {
    const sorted = column.key === by;
    const title = column.sorts && onSort
      ? h("button", { type: "button", onclick: () => onSort(sorted && down ? column.key : sorted ? `-${column.key}` : column.number ? `-${column.key}` : column.key) }, column.title, sorted ? (down ? " ↓" : " ↑") : null)
      : column.title;
    return h("th", { scope: "col", class: column.number ? "num" : null, "aria-sort": sorted ? (down ? "descending" : "ascending") : null }, title, column.under ? h("div", { class: "under" }, column.under) : null);
  };
  const body = h("tbody", {});
  rows.forEach((row, i) => {
    const line = h("tr", { tabindex: i ? -1 : 0, "aria-selected": choose ? String(chosen?.(row) ?? false) : null },
      first === undefined ? null : h("td", { class: "index" }, i + first),
      columns.map((column) => {
        const cell = column.cell(row);
        const none = cell === null || cell === undefined || cell === "";
        return h("td", { class: [column.number ? "num" : "", none ? "none" : ""].join(" ").trim() || null }, none ? "none stated" : cell);
      }));
    const toggle = () => {
      if (!choose) return;
      const on = line.getAttribute("aria-selected") !== "true";
      line.setAttribute("aria-selected", String(on));
      choose(row, on);
    };
    line.addEventListener("click", (event) => {
      if (!(/** @type {Element} */ (event.target).closest("a, button, input"))) toggle();
    });
    line.addEventListener("keydown", (event) => {
      if (event.target !== line) return;
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        const next = event.key === "ArrowDown" ? line.nextElementSibling : line.previousElementSibling;
        if (!(next instanceof HTMLElement)) return;
        line.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      } else if (event.key === "Enter" && open) open(row);
      else if (event.key === " " && choose) toggle();
      else return;
      event.preventDefault();
    });
    body.append(line);
  });
  return h("table", { class: "data" }, h("caption", { class: "hidden" }, caption),
    h("thead", {}, h("tr", {}, first === undefined ? null : h("th", {}, h("span", { class: "hidden" }, "number")), columns.map(head))), body,
    columns.some((column) => column.total) ? h("tfoot", {}, h("tr", {}, first === undefined ? null : h("td", {}), columns.map((column) => h("td", { class: column.number ? "num" : null }, column.total ?? "")))) : null);
}

/** What a spreadsheet would run as a formula; it gets a ' before it. */
const FORMULA = /^'*[=+\-@\t\r\n\0\uFF1D\uFF0B\uFF0D\uFF20]/;
const NUMBER = /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i;

/** Rows as CSV (RFC 4180), safe to open in a spreadsheet. @param {(string | number | null)[][]} rows */
export function csvOf(rows) {
  return rows.map((row) => row.map((value) => {
    const raw = value === null ? "" : String(value);
    const text = FORMULA.test(raw) && !NUMBER.test(raw) ? `'${raw}` : raw;
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }).join(",")).join("\r\n") + "\r\n";
}

/** Give a file to the reader. @param {string} name @param {string | Blob} content @param {string} [type] */
export function download(name, content, type = "text/csv") {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = h("a", { href: url, download: plain(name).replace(/[^\p{L}\p{N}._-]+/gu, "-") });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A button that saves rows as CSV. @param {string} name @param {() => (string | number | null)[][] | Promise<(string | number | null)[][]>} rows */
export const csvButton = (name, rows) => h("button", { type: "button", class: "button", onclick: async () => download(`${name}.csv`, csvOf(await rows())) }, icon("down"), "CSV");
