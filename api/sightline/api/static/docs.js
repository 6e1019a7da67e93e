// The API documentation: /openapi.json as a page, where every route can be tried. Asks nobody else.

import { h, label, the } from "./parts/dom.js";
import { fetched } from "./shell/token.js";

/** @type {Record<string, any>} */
let schemas = {};

/** @param {any} schema */
const named = (schema) => (schema.$ref ? schema.$ref.split("/").pop() : null);
/** @param {any} schema */
const resolve = (schema) => (schema.$ref ? schemas[named(schema)] : schema);

/** A description, in which what stands in backticks is code. @param {string | undefined} text */
const said = (text) => (text ?? "").split(/`+/).map((part, i) => (i % 2 ? h("code", {}, part) : part));

/** A schema in a few words: "integer, 1 to 1000". @param {any} schema @returns {string} */
function words(schema) {
  if (schema.$ref) return named(schema);
  const some = schema.anyOf ?? schema.oneOf;
  if (some) return some.map(words).join(" or ");
  if (schema.enum) return schema.enum.join(" or ");
  if (schema.type === "array") {
    return schema.items ? `list of ${words(schema.items)}` : "list";
  }
  const range = schema.minimum === undefined ? "" : `, ${schema.minimum} to ${schema.maximum}`;
  return (schema.type ?? "anything") + range;
}

/** The fields of a record, and of the records in it behind a click. @param {any} schema @param {any[]} inside @returns {any[]} */
function outline(schema, inside = []) {
  const record = resolve(schema);
  const some = record.anyOf ?? record.oneOf;
  if (some) return some.map((/** @type {any} */ part) => outline(part, inside));
  if (record.type === "array" && record.items) return [outline(record.items, inside)].flat();
  if (!record.properties) return [];
  if (inside.includes(record)) return [];
  const rows = Object.entries(record.properties).map(([name, field]) => {
    const deeper = outline(field, [...inside, record]).flat();
    const line = h("span", {}, h("code", {}, name), h("small", {}, ` ${words(field)} `, said(field.description)));
    return h("li", {}, deeper.length ? h("details", {}, h("summary", {}, line), deeper) : line);
  });
  const about = record.description ? h("p", { class: "note" }, said(record.description)) : null;
  return [h("div", {}, about, h("ul", { class: "outline" }, rows))];
}

/** @param {any} parameter */
function parameterRow(parameter) {
  const { name, schema, required } = parameter;
  const given = schema.default;
  const field = schema.enum || schema.type === "boolean"
    ? h("select", { name }, (schema.enum ?? ["true", "false"]).map((/** @type {string} */ v) => h("option", { selected: v === String(given) }, v)))
    : h("input", { name, placeholder: given ?? "", required, value: required ? schema.examples?.[0] : null });
  field.setAttribute("aria-label", name);
  return h("tr", {},
    h("th", { scope: "row" }, h("code", {}, name), required ? h("small", {}, " required") : null),
    h("td", {}, said(parameter.description), h("small", {}, ` ${words(schema)}`)),
    h("td", {}, field));
}

/** The address that a filled form stands for. @param {string} path @param {any[]} parameters @param {any} form */
function address(path, parameters, form) {
  const query = new URLSearchParams();
  let filled = path;
  for (const parameter of parameters) {
    const value = form.elements[parameter.name === "id" && parameter.in === "query" ? "" : parameter.name]?.value ?? "";
    if (parameter.in === "path") filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(value));
    else if (value !== "" && value !== String(parameter.schema.default)) query.append(parameter.name, value);
  }
  const text = query.toString();
  return text ? `${filled}?${text}` : filled;
}

/** @param {string} method @param {string} path @param {any} about */
function operation(method, path, about) {
  // An id in the path is enough to try a route; that it may stand in the query, too, is said above.
  const parameters = (about.parameters ?? []).filter((/** @type {any} */ p) => !(p.in === "query" && p.name === "id"));
  const body = about.requestBody?.content["application/json"];
  const examples = Object.entries(body?.examples ?? {});
  const text = h("textarea", { rows: "5", "aria-label": "Body", spellcheck: "false" });
  if (body) text.value = JSON.stringify(examples[0]?.[1].value ?? {}, null, 1);
  const curl = h("code", { class: "curl" });
  const shown = h("pre", { class: "answer", hidden: true, tabindex: "0" });
  const form = h("form", {});
  const target = () => address(path, parameters, form);
  function tell() {
    const sent = body ? ` -H 'Content-Type: application/json' -d '${text.value.replaceAll("'", "'\\''")}'` : "";
    curl.textContent = `curl '${location.origin}${target()}'${sent}`;
  }
  /** @param {Event} event */
  async function run(event) {
    event.preventDefault();
    shown.hidden = false;
    shown.textContent = "…";
    /** @type {RequestInit} */
    const options = { method: method.toUpperCase() };
    if (body) Object.assign(options, { body: text.value, headers: { "Content-Type": "application/json" } });
    try {
      const response = await fetched(target(), options);
      const answer = await response.text();
      let pretty = answer;
      try {
        pretty = JSON.stringify(JSON.parse(answer), null, 2);
      } catch { /* no JSON: as it is */ }
      shown.textContent = `${response.status} ${response.headers.get("content-type")}\n\n${pretty}`;
    } catch {
      shown.textContent = "The service does not answer.";
    }
  }
  form.addEventListener("submit", run);
  form.addEventListener("input", tell);
  form.append(
    parameters.length ? h("table", {}, h("tbody", {}, parameters.map(parameterRow))) : "",
    body ? h("div", {}, examples.map(([name, example]) =>
      h("button", { type: "button", class: "button", onclick: () => { text.value = JSON.stringify(example.value, null, 1); tell(); } }, name)), text) : "",
    h("p", {}, h("button", { class: "button main" }, "Try it"), " ", curl), shown);
  tell();
  const [first, ...rest] = (about.description ?? "").split("\n\n");
  const good = about.responses["200"] ?? about.responses["202"] ?? {};
  const content = good.content ?? {};
  const schema = content["application/json"]?.schema;
  return h("details", { class: "operation", id: about.operationId },
    h("summary", {}, h("b", { class: "method" }, method.toUpperCase()), " ", h("code", {}, label(path)), h("span", { class: "about" }, said(first))),
    rest.length ? h("p", {}, said(rest.join(" "))) : null, form,
    h("h3", {}, "Answer"), h("p", { class: "note" }, `${good.description ?? ""} ${Object.keys(content).join(", ")}`),
    schema ? outline(schema) : null);
}

async function start() {
  const main = the("#main");
  const api = await (await fetch("/openapi.json")).json();
  schemas = api.components?.schemas ?? {};
  const operations = Object.entries(api.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, about]) => operation(method, path, about)));
  main.replaceChildren(
    h("h1", {}, `${api.info.title} API`), h("p", { class: "lead" }, said(api.info.description), ` Version ${api.info.version}.`),
    ...operations);
}

start().catch(() => the("#main").append(h("p", { class: "state failed" }, "The service does not answer.")));
