// #/table/TYPE?cols=&sort=&f= : the entities of a type with what they have; without a type, the types.

import { ask, post, served } from "../shell/api.js";
import { rowOf } from "../shell/registry.js";
import { go } from "../shell/router.js";
import { listOf, to, toEntity, toType } from "../shell/url.js";
import { h, label, number, plain, plural, put, s, say, shortened, tell } from "../parts/dom.js";
import { entityLink, nameOf, named, read, ready } from "../parts/facts.js";
import { icon } from "../parts/icons.js";
import { mark, percent } from "../parts/marks.js";
import { popover } from "../parts/popover.js";
import { empty, failure, later, partial } from "../parts/states.js";
import { csvOf, dataTable, download } from "../parts/table.js";
import { dot, dotOf, typeNamed } from "../parts/types.js";

/** @typedef {import("../answers.js").Entity} Entity */
/** @typedef {{ key: string, ref: import("../answers.js").Ref, sort: "attribute" | "out" | "in", filled: number }} Choice */
/** @typedef {Choice & { numeric: boolean, many: boolean, distinct: number, low: number | null, high: number | null, total: number | null, histogram: number[] }} Column */
/** @typedef {{ count: number, values: string[], entities: Entity[], number: number | null }} Cell */
/** @typedef {{ entity: Entity, facts: number, cells: Cell[] }} Row */
/** @typedef {{ type: import("../answers.js").Ref, columns: Column[], available: Choice[], rows: Row[], entities: number, found: number, next: string | null, truncated: boolean, reason: string | null }} Answer */

const PAGE = 100;
/** Rows in a file, and gaps that are asked about at once. */
const WHOLE = 10_000;
const GAPS = 60;

/** @param {import("../shell/router.js").Context} context */
export async function view(context) {
  const { about, place, title } = context;
  if (!about) {
    title("Tables");
    put(place, await overview());
    return;
  }
  /** @type {Map<string, Entity>} entities that were chosen */
  const chosen = new Map();
  /** @type {Answer | null} */
  let shown = null;
  /** @type {Row[]} */
  let rows = [];
  let query = context.query;
  const bar = h("div", { class: "toolbar" });
  const body = h("div", { class: "grid", "data-scroll": true });
  const foot = h("footer", { class: "foot" });
  put(place, h("div", { class: "sheet-table" }, bar, body, foot));

  /** @param {string | null} cursor @param {number} [limit] @returns {Promise<Answer>} */
  const page = (cursor, limit = PAGE) => ask("types/-/table", { id: about, columns: listOf(query, "cols"), sort: query.get("sort"), filter: listOf(query, "f"), limit, cursor });

  /** @param {URLSearchParams} now */
  function load(now) {
    query = now;
    put(foot);
    put(body, later(Promise.all([page(null), ready()]), ([answer]) => {
      shown = answer;
      rows = answer.rows;
      title(nameOf(answer.type));
      drawBar(answer);
      return drawn(answer);
    }, { rows: 12, failed: (error) => failure(error, query.has("f") || query.has("sort") || query.has("cols") ? h("a", { class: "button main", href: toType({ id: about }) }, "The whole table") : null, h("a", { class: "button", href: to("table") }, "All tables")) }));
  }

  /** @param {Answer} answer */
  function drawn(answer) {
    drawFoot(answer);
    if (!rows.length) return empty({ icon: "filter", title: "No row is left", text: `None of ${plural(answer.entities, "entity", "entities")} meets all that is asked.`, actions: h("button", { type: "button", class: "button main", onclick: () => context.push({ f: null }) }, "Take the filters off") });
    return [answer.truncated ? partial(label(answer.reason ?? "")) : null, dataTable({
      caption: nameOf(answer.type), rows, first: 1, sort: query.get("sort") ?? "label", onSort: (sort) => context.push({ sort: sort === "label" ? null : sort }),
      open: (row) => go(toEntity(row.entity)), chosen: (row) => chosen.has(row.entity.id),
      choose: (row, on) => {
        if (on) chosen.set(row.entity.id, row.entity);
        else chosen.delete(row.entity.id);
        say(plural(chosen.size, "row") + " chosen");
        drawBar(answer);
      },
      columns: [
        { key: "label", title: "label", under: plural(answer.found, "row"), sorts: true, cell: (row) => h("span", { class: "node" }, dotOf(row.entity), entityLink(row.entity)) },
        ...answer.columns.map((column, i) => ({
          key: column.key, title: h("span", { title: plain(column.ref.iri) }, label(shortened(read(column.ref, column.sort !== "in"), 40))), under: inside(column), number: column.numeric || column.many, sorts: true,
          cell: (/** @type {Row} */ row) => cell(column, /** @type {Cell} */ (row.cells[i]), `-${column.key}` === query.get("sort")),
        })),
      ],
    })];
  }

  /** @param {Answer} answer */
  function drawBar(answer) {
    const type = typeNamed(answer.type.label);
    const types = h("button", { type: "button", class: "select type", "aria-expanded": "false", onclick: async () => {
      const all = (await served()).types.filter((one) => one.type);
      popover(types, all.map((one) => one.type && h("a", { href: toType(one.type) }, dot(typeNamed(one.type.label)), h("span", { class: "grow" }, named(one.type)), h("span", { class: "quiet" }, number(one.entities)))), { label: "Types", kind: "menu" });
    } }, dot(type), named(answer.type), h("span", { class: "quiet" }, number(answer.entities)), icon("chevron"));
    const filters = listOf(query, "f");
    const chips = filters.map((text) => h("button", { type: "button", class: "chip on", "aria-label": plain(`Take off: ${text}`), onclick: () => context.push({ f: filters.filter((other) => other !== text) }) }, label(spoken(text, answer)), icon("close")));
    const adds = h("button", { type: "button", class: "chip", "aria-expanded": "false", onclick: () => filtering(adds, answer, (text) => context.push({ f: [...filters, text] })) }, icon("plus"), "Filter");
    const columns = h("button", { type: "button", class: "button", "aria-expanded": "false", onclick: () => choosing(columns, answer, (cols) => context.push({ cols })) }, "Columns", h("span", { class: "pill" }, `${answer.columns.length} of ${answer.available.length}`));
    const gaps = h("button", { type: "button", class: "button", "aria-pressed": "false", onclick: () => fill(gaps) }, mark("predicted", true), "Fill gaps");
    const set = [...chosen.keys()];
    put(bar, h("h1", { class: "hidden" }, named(answer.type)), types, chips, adds, h("span", { class: "quiet found" }, plural(answer.found, "row")), h("span", { class: "grow" }),
      set.length ? h("span", { class: "set" }, h("b", {}, `${number(set.length)} chosen`),
        rowOf("set") ? h("a", { class: "button", href: to("set", null, { e: set }) }, "In common") : null,
        rowOf("connect") ? h("a", { class: "button", href: to("connect", null, { a: set }) }, icon("connect"), "Connect") : null,
        h("button", { type: "button", class: "button", "aria-label": "Choose none", onclick: () => { chosen.clear(); for (const row of body.querySelectorAll("[aria-selected=true]")) row.setAttribute("aria-selected", "false"); drawBar(answer); } }, icon("close"))) : null,
      columns, answer.columns.some((column) => column.sort !== "attribute") ? gaps : null,
      h("button", { type: "button", class: "button", onclick: save }, icon("down"), "CSV"));
  }

  /** @param {Answer} answer */
  function drawFoot(answer) {
    const sums = answer.columns.filter((column) => column.total !== null && !isYear(column)).slice(0, 2);
    put(foot, h("span", {}, rows.length ? `rows 1 to ${number(rows.length)} of ${number(answer.found)}` : ""),
      sums.map((column) => h("span", {}, "sum of ", label(nameOf(column.ref, 30)), ` ${number(column.total ?? 0)}`)),
      answer.next ? h("button", { type: "button", class: "link", onclick: more }, `${number(Math.min(PAGE, answer.found - rows.length))} more`) : null,
      h("span", { class: "hints desk" }, h("kbd", {}, "↑"), h("kbd", {}, "↓"), " move ", h("kbd", {}, "↵"), " open ", h("kbd", {}, "space"), " add to set"));
  }

  async function more() {
    if (!shown?.next) return;
    const next = await page(shown.next).catch((error) => tell(error.message));
    if (!next) return;
    rows = [...rows, ...next.rows];
    shown = { ...next, rows };
    const top = body.scrollTop;
    put(body, drawn(shown));
    body.scrollTop = top;
  }

  async function save() {
    const all = await page(null, WHOLE).catch((error) => tell(error.message));
    if (!all) return;
    const heads = ["id", "label", ...all.columns.map((column) => column.ref.label)];
    const lines = all.rows.map((row) => [row.entity.id, row.entity.label, ...row.cells.map((one) => (one.count === 0 ? null : one.count === 1 && one.number !== null ? one.values[0] ?? null : [...one.values, ...(one.count > one.values.length ? ["…"] : [])].join("; ")))]);
    download(`${all.type.label}.csv`, csvOf([heads, ...lines]));
    if (all.next) tell(`The file holds the first ${number(WHOLE)} of ${number(all.found)} rows`);
  }

  /** Predict what is not stated in the rows in sight. @param {HTMLButtonElement} button */
  async function fill(button) {
    if (!shown) return;
    const lines = [...body.querySelectorAll("tbody tr")];
    /** @type {{ question: any, cell: Element }[]} */
    const gaps = [];
    rows.forEach((row, i) => shown?.columns.forEach((column, j) => {
      const cells = lines[i]?.querySelectorAll("td");
      const one = cells?.[j + 2];
      if (column.sort === "attribute" || column.many || row.cells[j]?.count || !one || gaps.length >= GAPS) return;
      gaps.push({ cell: one, question: column.sort === "out" ? { head: row.entity.id, relation: column.ref.id, k: 1, new_only: true } : { tail: row.entity.id, relation: column.ref.id, k: 1, new_only: true } });
    }));
    if (!gaps.length) return tell("No gap is in sight");
    button.disabled = true;
    const asked = await post("predictions", { questions: gaps.map(({ question }) => question) }, { safe: true }).catch((error) => tell(error.message));
    button.disabled = false;
    if (document.activeElement === document.body) button.focus();
    if (!asked) return;
    let filled = 0;
    asked.answers.forEach((/** @type {any} */ answer, /** @type {number} */ i) => {
      const [fact] = answer.predictions ?? [];
      const gap = gaps[i];
      if (!fact || fact.abstain || !gap) return;
      filled += 1;
      put(gap.cell, h("span", { class: "filled" }, mark("predicted"), entityLink(gap.question.head ? fact.tail : fact.head, { kind: "new" }), h("span", { class: "chance" }, percent(fact.probability_if_any ?? 0))));
      gap.cell.classList.remove("none");
    });
    button.setAttribute("aria-pressed", "true");
    tell(`${plural(filled, "gap")} filled, ${number(gaps.length - filled)} would be guesses`);
  }

  load(context.query);
  context.keys({ ArrowDown: { does: "into the rows", run: () => /** @type {HTMLElement | null} */ (body.querySelector("tbody tr[tabindex='0']"))?.focus() } });
  return { update: load };
}

async function overview() {
  const { types } = await served();
  const rows = types.filter(({ type }) => type);
  const bare = types.find(({ type }) => !type)?.entities;
  return h("div", { class: "sheet" }, h("h1", {}, "Tables"), rows.length ? dataTable({
    caption: "Types", rows, open: ({ type }) => type && go(toType(type)),
    columns: [
      { key: "type", title: "type", cell: ({ type }) => type && h("span", { class: "node" }, dot(typeNamed(type.label)), h("a", { class: "entity bare", href: toType(type) }, named(type))) },
      { key: "entities", title: "entities", number: true, cell: ({ entities }) => number(entities) },
    ],
  }) : empty({ icon: "table", title: "The data gives no types", text: "Entities are found by name all the same." }),
  bare && rows.length ? h("p", { class: "note" }, `${plural(bare, "entity has", "entities have")} no type: search by name.`) : null);
}

/** Whether numbers are years: whole, and of times that people write of. @param {Column} column */
const isYear = ({ numeric, low, high }) => numeric && low !== null && high !== null && low >= 1000 && high <= 2200 && Number.isInteger(low) && Number.isInteger(high);

/** A line on what is in a column. @param {Column} column */
function inside(column) {
  if (column.many) return "facts";
  if (isYear(column)) return `${column.low} to ${column.high}`;
  if (column.numeric && column.histogram.length) {
    const most = Math.max(...column.histogram, 1);
    // By the root, so that few are seen beside many.
    const tall = (/** @type {number} */ count) => Math.max(1.5, 13 * Math.sqrt(count / most));
    return s("svg", { class: "histogram", viewBox: "0 0 100 14", role: "img", "aria-label": `${number(column.low ?? 0)} to ${number(column.high ?? 0)}` },
      column.histogram.map((count, i) => (count ? s("rect", { x: 5 * i, y: 14 - tall(count), width: 4, height: tall(count) }) : null)));
  }
  return `${number(column.distinct)} different${column.distinct === column.filled && column.filled > 1 && column.sort !== "attribute" ? ", 1:1" : ""}`;
}

/** @param {Column} column @param {Cell} one @param {boolean} barred */
function cell(column, one, barred) {
  if (!one.count) return column.many ? "0" : null;
  if (column.many) return number(one.count);
  if (column.numeric && one.number !== null) {
    const text = isYear(column) ? String(one.number) : one.number.toLocaleString("en", { maximumFractionDigits: 6 });
    if (!barred || !column.high) return text;
    const bar = h("i", { class: "measure" });
    bar.style.inlineSize = `${Math.max(0, (100 * one.number) / column.high)}%`;
    return [text, bar];
  }
  const names = one.entities.length ? one.entities.map((entity, i) => [i ? ", " : null, entityLink(entity)]) : one.values.map((value, i) => [i ? "; " : null, label(value.length > 120 ? `${value.slice(0, 119)}…` : value)]);
  return [names, one.count > one.values.length ? h("span", { class: "quiet" }, ` +${one.count - one.values.length}`) : null];
}

const WORDS = { "~": "contains", "=": "is", ">=": "at least", "<=": "at most" };

/** A filter in words: "in region contains Africa". @param {string} text @param {Answer} answer */
function spoken(text, answer) {
  const [, column = "", how = "", value = ""] = /^(.+?)\s*(>=|<=|=|~)\s*(.+)$/s.exec(text) ?? [];
  const known = answer.available.find((one) => one.key === column);
  return how ? `${known ? nameOf(known.ref, 40) : column} ${WORDS[/** @type {"~"} */ (how)]} ${value}` : text;
}

/** @param {HTMLElement} anchor @param {Answer} answer @param {(text: string) => void} add */
function filtering(anchor, answer, add) {
  const column = h("select", { class: "field", "aria-label": "Column" }, h("option", { value: "label" }, "label"), answer.available.map((one) => h("option", { value: one.key }, shortened(read(one.ref, one.sort !== "in"), 40))));
  const how = h("select", { class: "field", "aria-label": "How" }, Object.entries(WORDS).map(([sign, word]) => h("option", { value: sign }, word)));
  const value = h("input", { class: "field", "aria-label": "Value", required: true, maxlength: "200" });
  const close = popover(anchor, h("form", { class: "filter", onsubmit: (/** @type {Event} */ event) => {
    event.preventDefault();
    close();
    add(`${column.value}${how.value}${value.value.trim()}`);
  } }, column, how, value, h("button", { class: "button main" }, "Filter")), { label: "Filter" });
  column.focus();
}

/** @param {HTMLElement} anchor @param {Answer} answer @param {(columns: string[]) => void} use */
function choosing(anchor, answer, use) {
  const on = new Set(answer.columns.map((column) => column.key));
  const boxes = answer.available.map((one) => h("label", {}, h("input", { type: "checkbox", value: one.key, checked: on.has(one.key) }), h("span", { class: "grow" }, label(read(one.ref, one.sort !== "in"))), h("span", { class: "quiet" }, number(one.filled))));
  const list = h("div", {}, boxes);
  const close = popover(anchor, [list, h("div", { class: "row" }, h("button", { type: "button", class: "button main", onclick: () => {
    const keys = [.../** @type {NodeListOf<HTMLInputElement>} */ (list.querySelectorAll("input:checked"))].map((box) => box.value);
    close();
    // Those that were there keep their order.
    use([...[...on].filter((key) => keys.includes(key)), ...keys.filter((key) => !on.has(key))]);
  } }, "Show"))], { label: "Columns", kind: "menu" });
}
