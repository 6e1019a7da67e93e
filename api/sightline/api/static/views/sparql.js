// #/sparql?q=QUERY : an editor that knows the names of the graph, and the table of what is answered. A query
// ends in one of three ways, each with its word and sign: complete, stopped, refused.

import { ask, once, served } from "../shell/api.js";
import { fetched } from "../shell/token.js";
import { to, toEntity } from "../shell/url.js";
import { copy, h, label, number, plain, plural, put, say } from "../parts/dom.js";
import { nameOf } from "../parts/facts.js";
import { icon } from "../parts/icons.js";
import { relationsBetween, typesOf } from "../parts/pick.js";
import { empty } from "../parts/states.js";
import { csvButton, download } from "../parts/table.js";
import { dot, typeNamed } from "../parts/types.js";

/** @typedef {import("../answers.js").Ref} Ref */
/** @typedef {{ type: string, value: string, datatype?: string, "xml:lang"?: string }} Term */
/** @typedef {{ name: string, text: string }} Example */
/** @typedef {{ insert: string, about: string, count: string }} Offer */

const KEYWORDS = ["SELECT", "DISTINCT", "WHERE", "FILTER", "OPTIONAL", "UNION", "MINUS", "BIND", "VALUES", "GRAPH", "ASK", "CONSTRUCT", "DESCRIBE", "ORDER BY", "GROUP BY", "HAVING", "LIMIT", "OFFSET", "COUNT", "SUM", "MIN", "MAX", "AVG", "SAMPLE", "AS", "DESC", "ASC", "EXISTS", "NOT", "IN", "REGEX", "CONTAINS", "STR", "LANG", "BOUND", "IF", "PREFIX", "BASE", "BY", "GROUP", "ORDER", "FROM", "NAMED", "GROUP_CONCAT", "STRSTARTS", "LCASE", "UCASE"];
const TOKENS = new RegExp(String.raw`(?<comment>#[^\n]*)|(?<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?<variable>[?$]\w+)|(?<name><[^<>\s]*>|[\w-]*:[\w%.-]*[\w-]|[\w-]+:)|(?<keyword>\b(?:${KEYWORDS.filter((word) => !word.includes(" ")).join("|")}|a)\b)`, "giu");
/** Rows that are drawn, and names offered. */
const ROWS = 500;
const OFFERED = 8;

/** A thing as SPARQL writes it: its short id where that is a prefixed name. @param {{ id: string, iri: string }} ref */
const term = ({ id, iri }) => (/^[A-Za-z][\w-]*:[A-Za-z0-9_](?:[\w.-]*[\w-])?$/.test(id) ? id : `<${iri.replace(/[\x00-\x20<>"{}|^`\\]/g, encodeURIComponent)}>`);
/** A variable of a label. @param {{ label: string }} ref @param {string} [other] taken already */
function variable({ label: text }, other) {
  const name = text.normalize("NFKD").replace(/[^A-Za-z0-9]+/g, "_").replace(/^_+|_+$/g, "").toLowerCase().replace(/^(\d)/, "v$1") || "thing";
  return name === other ? `${name}2` : name;
}

/** Queries that this graph can answer. @returns {Promise<Example[]>} */
async function examples() {
  const links = /** @type {import("../parts/pick.js").SchemaLink[]} */ ((await once("schema")).links).filter(({ source, target }) => source && target);
  /** @type {Example[]} */
  const made = [];
  const many = links.find(({ source, target, count }) => source?.id !== target?.id && count > 1) ?? links[0];
  if (many?.source && many.target) {
    const one = variable(many.source);
    const other = variable(many.target, one);
    made.push({ name: `${nameOf(many.source)} by ${nameOf(many.relation)}, counted`, text: `# ${plain(many.source.label)}: how many ${plain(many.target.label)} by “${plain(many.relation.label)}”\nSELECT ?${one} ?name (COUNT(DISTINCT ?${other}) AS ?number)\nWHERE {\n  ?${one} a ${term(many.source)} ;\n    rdfs:label ?name ;\n    ${term(many.relation)} ?${other} .\n}\nGROUP BY ?${one} ?name\nORDER BY DESC(?number)\nLIMIT 12` });
    made.push({ name: `${nameOf(many.source)} with two or more`, text: `# ${plain(many.source.label)} with two or more by “${plain(many.relation.label)}”\nSELECT ?${one} (COUNT(?${other}) AS ?number) (SAMPLE(?${other}) AS ?example)\nWHERE { ?${one} a ${term(many.source)} ; ${term(many.relation)} ?${other} }\nGROUP BY ?${one}\nHAVING (COUNT(?${other}) > 1)\nORDER BY DESC(?number)\nLIMIT 50` });
    const pair = links.find((link) => link.source?.id === many.source?.id && link.relation.id !== many.relation.id && link.target?.id !== link.source?.id);
    if (pair) made.push({ name: `Two that share ${nameOf(many.relation)} and ${nameOf(pair.relation)}`, text: `SELECT ?one ?other ?first ?second\nWHERE {\n  ?one ${term(many.relation)} ?first ; ${term(pair.relation)} ?second .\n  ?other ${term(many.relation)} ?first ; ${term(pair.relation)} ?second .\n  FILTER(STR(?one) < STR(?other))\n}\nLIMIT 50` });
  }
  made.push({ name: "Facts of each load", text: "SELECT ?load (COUNT(*) AS ?facts)\nWHERE { GRAPH ?load { ?s ?p ?o } }\nGROUP BY ?load\nORDER BY DESC(?facts)" });
  made.push({ name: "How often each relation is stated", text: "SELECT ?relation (COUNT(*) AS ?facts)\nWHERE { ?s ?relation ?o }\nGROUP BY ?relation\nORDER BY DESC(?facts)\nLIMIT 50" });
  return made;
}

/** @param {import("../shell/router.js").Context} context */
export async function view({ place, query, title, push, keys }) {
  title("SPARQL");
  const side = h("aside", { class: "pane side", "data-scroll": true, "aria-label": "Examples and names" });
  const area = h("textarea", { class: "code-area", spellcheck: "false", autocapitalize: "off", autocomplete: "off", wrap: "off", "aria-label": "SPARQL query", role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": "sparql-offers" });
  const painted = h("pre", { class: "painted", "aria-hidden": "true" });
  const numbers = h("pre", { class: "numbers", "aria-hidden": "true" });
  const current = h("div", { class: "current", "aria-hidden": "true" });
  const offers = h("div", { class: "offers", role: "listbox", id: "sparql-offers", "aria-label": "Names", hidden: true });
  const editor = h("div", { class: "editor" }, current, numbers, h("div", { class: "layers" }, painted, area, offers));
  const outcome = h("div", { class: "outcome", role: "status" });
  const actions = h("div", { class: "row" });
  const run = h("button", { type: "button", class: "button main", onclick: start }, icon("right"), "Run", h("kbd", { class: "desk" }, "Ctrl ↵"));
  const tidy = h("button", { type: "button", class: "button", onclick: () => { area.value = formatted(area.value); paint(); } }, "Format");
  const results = h("div", { class: "results", "data-scroll": true });
  put(place, h("div", { class: "panes" }, side, h("div", { class: "pane work" }, h("h1", { class: "hidden" }, "SPARQL"), editor, h("div", { class: "run-row" }, run, tidy, outcome, h("span", { class: "grow" }), actions), results)));

  /** @type {AbortController | null} */
  let running = null;
  let asked = "";
  /** @type {Offer[]} */
  let list = [];
  let active = 0;
  let from = 0;

  function paint() {
    const text = area.value;
    put(painted, coloured(text), "\n");
    const lines = text.split("\n");
    put(numbers, lines.map((_, i) => i + 1).join("\n"));
    area.rows = Math.max(lines.length, 6);
    // It is as wide as its longest line, so that the editor scrolls and not the field in it.
    area.style.minInlineSize = `${Math.max(...lines.map((line) => line.length)) + 2}ch`;
    where();
    changed();
  }
  function where() {
    const line = area.value.slice(0, area.selectionStart).split("\n").length - 1;
    current.style.insetBlockStart = `calc(16px + ${line} * var(--code-line))`;
  }
  function changed() {
    outcome.querySelector(".since")?.remove();
    if (asked && asked !== area.value.trim()) outcome.append(h("span", { class: "quiet since" }, "edited since"));
  }
  /** Set the text without running it. @param {string} text */
  function write(text) {
    area.value = text;
    paint();
  }

  function start() {
    const text = area.value.trim();
    if (running) return stop("You stopped it; the service gave it up.");
    if (text === (query.get("q") ?? "").trim()) return evaluate(text);
    push({ q: text });
    return undefined;
  }

  /** @param {string} why */
  function stop(why) {
    running?.abort();
    running = null;
    finish();
    put(outcome, icon("clock"), h("strong", { class: "stopped" }, "Stopped"), h("span", { class: "quiet" }, why));
    put(results, empty({ icon: "clock", title: "Stopped before it had an answer", text: "Nothing of it is shown: a part would look like the whole. Make its patterns more selective, or add a LIMIT." }));
  }

  function finish() {
    put(run, icon("right"), "Run", h("kbd", { class: "desk" }, "Ctrl ↵"));
    results.removeAttribute("aria-busy");
  }

  /** @param {string} text */
  async function evaluate(text) {
    if (!text) return;
    asked = text;
    const mine = new AbortController();
    running?.abort();
    running = mine;
    put(run, icon("close"), "Cancel");
    const began = performance.now();
    put(outcome, h("span", { class: "quiet" }, "Running …"));
    results.setAttribute("aria-busy", "true");
    put(actions);
    const graph = /^\s*(?:(?:#[^\n]*|PREFIX\s+\S+\s+<[^>]*>|BASE\s+<[^>]*>)\s*)*(CONSTRUCT|DESCRIBE)\b/i.test(text);
    try {
      const response = await fetched("/sparql", { method: "POST", signal: mine.signal, headers: { "Content-Type": "application/sparql-query", Accept: graph ? "text/turtle" : "application/sparql-results+json" }, body: text });
      const body = await response.text();
      if (mine.signal.aborted) return;
      running = null;
      finish();
      const ms = Math.round(performance.now() - began);
      if (!response.ok) return refuse(problem(body, response.status));
      if (graph) {
        put(outcome, icon("check"), h("strong", { class: "complete" }, "Complete"), h("span", { class: "quiet" }, `${number(body.split("\n").length - 1)} lines of Turtle, ${ms} ms`));
        put(actions, h("button", { type: "button", class: "button", onclick: () => download("answer.ttl", body, "text/turtle") }, icon("down"), "Turtle"), curl(text, "text/turtle"));
        put(results, h("pre", { class: "turtle", tabindex: 0 }, plain2(body.slice(0, 200_000))), body.length > 200_000 ? h("p", { class: "note" }, "The first 200,000 characters; the file holds all.") : null);
      } else show(JSON.parse(body), ms, text);
      changed();
      say(outcome.textContent ?? "");
    } catch (error) {
      if (mine.signal.aborted) return;
      running = null;
      finish();
      put(outcome, icon("error"), h("strong", { class: "refused" }, "No answer"), h("span", { class: "quiet" }, "The service is not there; what is shown stays."));
    }
  }

  /** @param {{ type?: string, detail: string, status?: number, line?: number, column?: number }} report */
  function refuse(report) {
    const kind = String(report.type ?? "").split(":").pop() ?? "";
    const stopped = ["query-timeout", "query-out-of-memory", "result-too-large", "query-interrupted", "busy", "unavailable"].includes(kind) || report.status === 503;
    put(outcome, icon(stopped ? "clock" : "error"), h("strong", { class: stopped ? "stopped" : "refused" }, stopped ? "Stopped" : "Refused"), h("span", { class: "quiet clip" }, stopped ? "no part of it is shown" : report.line ? `line ${report.line}, column ${report.column}` : ""));
    put(results, empty({ icon: stopped ? "clock" : "error", title: stopped ? "Stopped before it had an answer" : "The query is not answered", text: label(report.detail), actions: report.line ? h("button", { type: "button", class: "button main", onclick: () => goTo(report.line ?? 1, report.column ?? 1) }, "Go there") : stopped ? h("button", { type: "button", class: "button", onclick: () => { write(`${area.value.replace(/\s*LIMIT\s+\d+\s*$/i, "")}\nLIMIT 100`); area.focus(); } }, "Add LIMIT 100") : null }));
    say(outcome.textContent ?? "");
  }

  /** @param {number} line @param {number} column */
  function goTo(line, column) {
    const at = area.value.split("\n").slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0) + column - 1;
    area.focus();
    area.setSelectionRange(at, at);
    where();
  }

  /** @param {{ head: { vars?: string[] }, boolean?: boolean, results?: { bindings: Record<string, Term>[] } }} answer @param {number} ms @param {string} text */
  function show(answer, ms, text) {
    // Of SELECT * the service says its columns by name; they stand as they are met in the query.
    const at = (/** @type {string} */ name) => text.search(new RegExp(`[?$]${name}(?![\\p{L}\\p{N}_])`, "u"));
    const vars = /\bSELECT\s+((DISTINCT|REDUCED)\s+)?\*/i.test(text) ? (answer.head.vars ?? []).sort((one, other) => at(one) - at(other)) : answer.head.vars ?? [];
    const rows = answer.results?.bindings ?? [];
    put(outcome, icon("check"), h("strong", { class: "complete" }, "Complete"), h("span", { class: "quiet" }, `${answer.boolean === undefined ? plural(rows.length, "row") : "an answer"}, ${ms} ms`));
    put(actions, answer.boolean === undefined ? csvButton("answer", () => [vars, ...rows.map((row) => vars.map((name) => row[name]?.value ?? null))]) : null, curl(text, "text/csv"));
    if (answer.boolean !== undefined) return put(results, empty({ icon: answer.boolean ? "check" : "close", title: answer.boolean ? "Yes" : "No", text: answer.boolean ? "The pattern holds somewhere in the graph." : "Nothing in the graph is so." }));
    if (!rows.length) return put(results, empty({ title: "Complete, and nothing is so", text: "The query was answered in full; no part of the graph fits its patterns. A name that the graph does not hold fits nothing." }));
    const numeric = new Map(vars.map((name) => [name, rows.every((row) => !row[name] || /[#/](integer|decimal|double|float|int|long)$/.test(row[name]?.datatype ?? "")) ? Math.max(...rows.map((row) => Number(row[name]?.value ?? 0))) : null]));
    return put(results, h("table", { class: "data" }, h("caption", { class: "hidden" }, "Answer"), h("thead", {}, h("tr", {}, h("th", {}, h("span", { class: "hidden" }, "row")), vars.map((name) => h("th", { scope: "col", class: numeric.get(name) !== null ? "num" : null }, name)))),
      h("tbody", {}, rows.slice(0, ROWS).map((row, i) => h("tr", {}, h("td", { class: "index" }, i + 1), vars.map((name) => cell(row[name], numeric.get(name) ?? null)))))),
    rows.length > ROWS ? h("p", { class: "note more" }, `The first ${number(ROWS)} of ${number(rows.length)} rows are drawn; the CSV holds all.`) : null);
  }

  /** @param {number} [at] */
  function close(at) {
    offers.hidden = true;
    area.setAttribute("aria-expanded", "false");
    area.removeAttribute("aria-activedescendant");
    if (at !== undefined) area.setSelectionRange(at, at);
  }

  async function offer() {
    const caret = area.selectionStart;
    const word = /(?:[?$]\w*|[\w-]+:[\w.-]*|\w{2,}|<[^<>\s]*)$/u.exec(area.value.slice(0, caret))?.[0] ?? "";
    if (!word) return close();
    const found = await namesLike(word, area.value);
    if (caret !== area.selectionStart || document.activeElement !== area) return undefined;
    list = found.filter(({ insert }) => insert !== word).slice(0, OFFERED);
    if (!list.length) return close();
    from = caret - word.length;
    active = 0;
    put(offers, list.map((one, i) => h("div", { role: "option", id: `offer-${i}`, onmousedown: (/** @type {Event} */ event) => { event.preventDefault(); take(i); } }, h("code", {}, plain(one.insert)), h("span", { class: "quiet clip" }, label(one.about)), h("span", { class: "quiet end" }, one.count))));
    const before = area.value.slice(0, from).split("\n");
    offers.style.insetInlineStart = `calc(${(before.at(-1) ?? "").length}ch * 1)`;
    offers.style.insetBlockStart = `calc(${before.length} * var(--code-line) + 18px)`;
    offers.hidden = false;
    area.setAttribute("aria-expanded", "true");
    point(0);
    return undefined;
  }
  /** @param {number} i */
  function point(i) {
    active = i;
    [...offers.children].forEach((one, n) => one.setAttribute("aria-selected", String(n === i)));
    area.setAttribute("aria-activedescendant", `offer-${i}`);
  }
  /** @param {number} i */
  function take(i) {
    const one = list[i];
    if (!one) return;
    area.setRangeText(one.insert, from, area.selectionStart, "end");
    close();
    paint();
    area.focus();
  }

  let rest = 0;
  area.addEventListener("input", () => { paint(); clearTimeout(rest); rest = window.setTimeout(offer, 60); });
  area.addEventListener("click", () => { where(); close(); });
  area.addEventListener("keyup", where);
  area.addEventListener("blur", () => close());
  area.addEventListener("keydown", (event) => {
    const open = !offers.hidden;
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) start();
    else if (open && (event.key === "ArrowDown" || event.key === "ArrowUp")) point((active + (event.key === "ArrowDown" ? 1 : list.length - 1)) % list.length);
    else if (open && event.key === "Enter") take(active);
    else if (open && event.key === "Escape") close();
    else if (event.key === " " && event.ctrlKey) offer();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  /** Put a name where the caret is. @param {string} text */
  const insert = (text) => {
    area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
    paint();
    area.focus();
  };

  const [made, stats, uses] = await Promise.all([examples(), served(), relationsBetween(null, null)]);
  const buttons = made.map((example) => h("button", { type: "button", onclick: () => { write(example.text); area.focus(); light(); } }, label(example.name)));
  function light() {
    made.forEach((example, i) => buttons[i]?.setAttribute("aria-pressed", String(example.text === area.value)));
  }
  area.addEventListener("input", light);
  put(side, h("h2", {}, "Examples from this graph"), h("div", { class: "list" }, buttons),
    h("h2", {}, "Types"), h("div", { class: "names" }, stats.types.slice(0, 8).flatMap(({ type }) => (type ? [h("button", { type: "button", title: plain(type.label), onclick: () => insert(term(type)) }, dot(typeNamed(type.label)), h("code", { class: "clip" }, plain(term(type))))] : []))),
    h("h2", {}, "Relations"), h("div", { class: "names" }, uses.slice(0, 10).map((use) => h("button", { type: "button", title: plain(use.relation.label), onclick: () => insert(term(use.relation)) }, h("code", { class: "clip grow" }, plain(term(use.relation))), h("span", { class: "quiet" }, number(use.count))))),
    h("p", { class: "note" }, "Prefixes need no declaration. Predictions are in no graph: use ", h("a", { class: "link", href: to("ask") }, "Ask"), "."));
  keys({ Enter: { does: "write a query", run: () => area.focus() } });
  const given = query.get("q");
  write(given ?? made[0]?.text ?? "SELECT * { ?s ?p ?o } LIMIT 20");
  light();
  if (given) evaluate(given.trim());
  else put(results, empty({ icon: "terminal", title: "Run the query to see its answer", text: "Choose an example, or write one; names of the graph are offered while you type." }));
  return {
    update: (/** @type {URLSearchParams} */ now) => {
      query = now;
      const text = now.get("q") ?? made[0]?.text ?? "";
      if (area.value.trim() !== text.trim()) write(text);
      light();
      if (now.get("q")) evaluate(text.trim());
    },
    leave: () => running && stop("You left the page; the service gave it up."),
  };
}

/** @param {Term | undefined} value @param {number | null} most */
function cell(value, most) {
  if (!value) return h("td", { class: "none" }, "unbound");
  if (most !== null) {
    const bar = h("i", { class: "bar-of", "aria-hidden": "true" });
    bar.style.inlineSize = `${most > 0 ? Math.max(0, (130 * Number(value.value)) / most) : 0}px`;
    return h("td", { class: "num" }, most > 0 ? bar : null, Number(value.value).toLocaleString("en"));
  }
  if (value.type === "uri") return h("td", {}, h("a", { class: "entity iri", href: toEntity({ id: value.value }) }, label(value.value.replace(/^urn:sightline:/, ""))));
  return h("td", {}, label(value.value), value["xml:lang"] ? h("small", {}, ` @${plain(value["xml:lang"])}`) : null);
}

/** Text with its parts in colour. @param {string} text */
function coloured(text) {
  const parts = [];
  let last = 0;
  for (const match of text.matchAll(TOKENS)) {
    const [kind] = Object.entries(match.groups ?? {}).find(([, found]) => found !== undefined) ?? [];
    parts.push(text.slice(last, match.index), h("span", { class: `t-${kind}` }, match[0]));
    last = match.index + match[0].length;
  }
  return [...parts, text.slice(last)];
}

/** What a word may become: keywords, variables, types and relations, entities. @param {string} word @param {string} text @returns {Promise<Offer[]>} */
async function namesLike(word, text) {
  const typed = word.toLowerCase();
  if (/^[?$]/.test(word)) return [...new Set(text.match(/[?$]\w+/g) ?? [])].filter((one) => one.startsWith(word) && one !== word).map((insert) => ({ insert, about: "variable", count: "" }));
  const [uses, stats] = await Promise.all([relationsBetween(null, null), served()]);
  const bare = typed.replace(/^[\w-]*:/, "");
  /** @param {Ref} ref */
  const like = (ref) => term(ref).toLowerCase().startsWith(typed) || (!word.includes(":") && ref.label.toLowerCase().includes(typed));
  const found = [
    ...uses.filter(({ relation }) => like(relation)).map(({ relation, from, into, count }) => ({ insert: term(relation), about: `${typesOf(from)} to ${typesOf(into)}`, count: number(count) })),
    ...stats.types.flatMap(({ type, entities }) => (type && like(type) ? [{ insert: term(type), about: "type", count: number(entities) }] : [])),
    ...(word.includes(":") || word.includes("<") ? [] : KEYWORDS.filter((one) => one.toLowerCase().startsWith(typed)).map((insert) => ({ insert, about: "", count: "" }))),
  ];
  if (found.length < OFFERED && bare.length > 1) {
    const { entities } = await ask("entities", { q: bare, limit: 5 }).catch(() => ({ entities: [] }));
    found.push(...entities.map((/** @type {import("../answers.js").Found} */ one) => ({ insert: term(one), about: one.label, count: "" })));
  }
  return found;
}

/** A query with a line for each part and two spaces a level. @param {string} text */
function formatted(text) {
  let level = 0;
  return text.split("\n").map((raw) => {
    const line = raw.trim();
    const closes = (/^[}\])]+/.exec(line)?.[0].length) ?? 0;
    const code = line.replace(/#.*|"(?:[^"\\]|\\.)*"|<[^>]*>/g, "");
    const at = Math.max(0, level - closes);
    level = Math.max(0, level + (code.match(/[{[(]/g)?.length ?? 0) - (code.match(/[}\])]/g)?.length ?? 0));
    return line ? "  ".repeat(at) + line : "";
  }).join("\n").replace(/\n{3,}/g, "\n\n").trim();
}

/** @param {string} body @param {number} status */
function problem(body, status) {
  try {
    return JSON.parse(body);
  } catch {
    return { status, detail: `The service answered with status ${status}.` };
  }
}

/** A text of several lines, without control characters but line ends and tabs. @param {string} text */
const plain2 = (text) => text.split("\n").map((line) => line.split("\t").map(plain).join("\t")).join("\n");

/** @param {string} text @param {string} accept */
function curl(text, accept) {
  const command = `curl ${location.origin}/sparql -H 'Accept: ${accept}' -H 'Content-Type: application/sparql-query' --data-binary '${text.replaceAll("'", "'\\''")}'`;
  return h("button", { type: "button", class: "button bare", onclick: () => copy(command) }, icon("copy"), "curl");
}
