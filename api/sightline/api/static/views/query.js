// #/query?q=CONDITIONS&show=?x : what meets several conditions at once; a condition may be "likely", and then
// an answer has a chance.

import { once, post } from "../shell/api.js";
import { modes } from "./ask.js";
import { to } from "../shell/url.js";
import { h, label, number, plain, plural, put } from "../parts/dom.js";
import { entityLink } from "../parts/facts.js";
import { mark, percent } from "../parts/marks.js";
import { sourceButton } from "../parts/source.js";
import { empty, failure, later, partial } from "../parts/states.js";
import { csvButton } from "../parts/table.js";

/** @typedef {import("../answers.js").Entity} Entity */
/** @typedef {import("../answers.js").Fact} Fact */
/** @typedef {{ values: Entity[], probability: number | null, predicted: number[], facts: Fact[] }} Row */
/** @typedef {import("../answers.js").Reliability & { variables: string[], conditions: { text: string, negated: boolean, likely: boolean, alone: number | null, asked: string | null }[], rows: Row[], found: number, next: string | null, note: string | null }} Answers */

const PAGE = 50;

/** A name as the notation takes it. @param {string} text */
const quoted = (text) => (/^[\p{L}\p{N}_]+$/u.test(text) ? text : `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`);
/** A relation of several words stands in <>. @param {string} text */
const relationName = (text) => (/^[\w ]+$/.test(text) ? text : `<${text}>`);

/** Questions that this graph can answer. @returns {Promise<{ name: string, text: string }[]>} */
async function examples() {
  const links = /** @type {import("../parts/pick.js").SchemaLink[]} */ ((await once("schema")).links).filter(({ source, target }) => source && target && source.id !== target.id);
  const made = [];
  const [first] = links;
  if (!first?.source || !first.target) return [];
  const onward = links.find((link) => link.source?.id === first.source?.id && link.relation.id !== first.relation.id);
  const chained = links.find((link) => link.target?.id === first.source?.id);
  if (chained?.source) made.push({ name: "Two steps", text: `?a ${relationName(chained.relation.label)} ?b, ?b ${relationName(first.relation.label)} ?c, ?a a ${quoted(chained.source.label)}` });
  if (onward) made.push({ name: "The same in two ways", text: `?a ${relationName(first.relation.label)} ?x, ?b ${relationName(first.relation.label)} ?x, ?a ${relationName(onward.relation.label)} ?y, ?b ${relationName(onward.relation.label)} ?y, ?a != ?b` });
  if (onward) made.push({ name: "What is not so", text: `?a a ${quoted(first.source.label)}, not ?a ${relationName(onward.relation.label)} ?` });
  made.push({ name: "What is likely", text: `?a a ${quoted(first.source.label)}, likely ?a ${relationName(first.relation.label)} ?x` });
  return made;
}

/** @param {import("../shell/router.js").Context} context */
export async function view({ place, query, push, title }) {
  title("Several conditions");
  const text = (query.get("q") ?? "").trim();
  const show = query.get("show");
  const made = await examples();
  const area = h("textarea", { class: "field mono", rows: 4, "aria-label": "Conditions", spellcheck: "false", placeholder: made[0]?.text ?? "?a borders ?b, ?b a Country" });
  area.value = text.replaceAll(/,\s*(?=(?:[^"]*"[^"]*")*[^"]*$)/g, ",\n");
  const submit = () => push({ q: area.value.split("\n").map((line) => line.trim().replace(/,$/, "")).filter(Boolean).join(", ") || null, show: null });
  area.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    submit();
  });
  const results = h("div", { class: "results" });
  put(place, h("div", { class: "sheet" }, h("div", { class: "row wrap between" }, h("h1", {}, "Several conditions"), modes("query")),
    h("p", { class: "quiet" }, "One condition a line. ", h("code", {}, "?x"), " is what is asked for, ", h("code", {}, "?"), " is anything; names of several words stand in quotes. ", h("code", {}, "not"), " says what is not stated, ", h("code", {}, "likely"), " what may be predicted instead."),
    h("form", { onsubmit: (/** @type {Event} */ event) => { event.preventDefault(); submit(); } }, area,
      h("div", { class: "row wrap" }, h("button", { type: "submit", class: "button main" }, "Ask", h("kbd", { class: "desk" }, "Ctrl ↵")), h("span", { class: "quiet" }, "For example"), made.map((one) => h("a", { class: "chip", href: to("query", null, { q: one.text }) }, one.name)))), results));
  if (!text) return put(results, empty({ icon: "filter", title: "What meets several conditions at once", text: "Choose an example above to see how it reads." })) && undefined;
  /** @param {string | null} cursor @param {Row[]} before */
  const page = (cursor, before) => {
    const began = performance.now();
    return post("query", { text, ...(show ? { show: show.split(",") } : {}), limit: PAGE, ...(cursor ? { cursor } : {}), deadline_ms: 8000 }, { safe: true }).then((answer) => drawn(answer, before, Math.round(performance.now() - began)));
  };
  /** @param {Answers} answer @param {Row[]} before @param {number} ms */
  function drawn(answer, before, ms) {
    const rows = [...before, ...answer.rows];
    const chances = rows.some((row) => row.probability !== null);
    const more = answer.next ? h("button", { type: "button", class: "button", onclick: async () => { more?.setAttribute("disabled", ""); put(results, await page(answer.next, rows)); } }, "More answers") : null;
    return [
      h("ul", { class: "conditions" }, answer.conditions.map((one, i) => h("li", {}, h("span", { class: "quiet" }, i + 1), mark(one.likely ? "predicted" : "stated", true), h("span", { class: "grow" }, label(one.text)), h("span", { class: "quiet" }, one.alone === null ? "" : `${number(one.alone)} alone`)))),
      h("div", { class: "row tools-row" }, h("strong", {}, plural(answer.found, "answer")), h("span", { class: "quiet grow" }, `${answer.truncated ? "found so far, " : ""}${ms} ms`),
        csvButton("answers", () => [[...answer.variables, "probability"], ...rows.map((row) => [...row.values.map((value) => value.label), row.probability])])),
      answer.truncated ? partial(label(`Not all answers: ${answer.reason}.`)) : null, answer.note && rows.length ? h("p", { class: "note" }, label(answer.note)) : null,
      rows.length ? h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Answers" }, h("table", { class: "data" }, h("caption", { class: "hidden" }, "Answers"), h("thead", {}, h("tr", {}, h("th", {}, h("span", { class: "hidden" }, "number")), answer.variables.map((name) => h("th", { scope: "col" }, h("code", {}, plain(name)))), chances ? h("th", { scope: "col" }, "chance") : null, h("th", { scope: "col" }, "rests on"))),
        h("tbody", {}, rows.map((row, i) => {
          const sources = row.facts.flatMap((fact) => fact.origins);
          return h("tr", {}, h("td", { class: "index" }, i + 1), row.values.map((value) => h("td", {}, entityLink(value, { withDot: true }))),
            chances ? h("td", {}, row.probability === null ? h("span", { class: "quiet" }, "stated") : h("b", { class: "predicted-number" }, percent(row.probability))) : null,
            h("td", { class: "why" }, row.predicted.length ? h("span", { class: "row" }, mark("predicted"), h("span", { class: "quiet" }, `condition ${row.predicted.join(", ")}`)) : sources.length ? sourceButton(sources) : null));
        }))), more)
        : empty({ title: "Nothing meets all of it", text: label(answer.note ?? "Each condition may be met alone; together none is."), actions: answer.conditions.length > 1 ? h("a", { class: "button main", href: to("query", null, { q: text.split(/,\s*(?=(?:[^"]*"[^"]*")*[^"]*$)/).slice(0, -1).join(", ") }) }, "Leave the last one out") : null }),
    ];
  }
  put(results, later(page(null, []), (content) => content, { failed: (error) => failure(error, error.report?.position === undefined ? null : h("button", { type: "button", class: "button main", onclick: () => { area.value = text; area.focus(); area.setSelectionRange(error.report.position, error.report.position); } }, "Go there")) }));
  return undefined;
}
