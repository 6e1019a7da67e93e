// The explorer: asks the HTTP API and shows the answers. No library, no build step.
//
// Every label comes from raw data and is hostile text: it reaches the page as a text node only, and
// becomes part of an address only through encodeURIComponent. The address after # says what is
// shown: #/  #/type/ID  #/entity/ID  #/connect/SOURCE/TARGET/HOPS

import { h, label, s } from "./dom.js";

// ---- small helpers ------------------------------------------------------------------------------

const hashOf = (...parts) => "#/" + parts.map(encodeURIComponent).join("/");
const plural = (n, one, many = one + "s") => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

/** A chance in as many digits as it needs to be told from none. */
function percent(p) {
  if (p >= 0.995) return "> 99 %";
  if (p < 0.001) return "< 0.1 %";
  return p < 0.1 ? `${(p * 100).toFixed(1)} %` : `${Math.round(p * 100)} %`;
}

class Problem extends Error {
  constructor(report) {
    super(report.detail);
    this.report = report;
  }
}

/** Ask the API. Parameters that are null are left out. */
async function ask(route, parameters = {}, signal = undefined) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== null && value !== undefined) query.set(name, value);
  }
  let response;
  try {
    response = await fetch(`/v1/${route}?${query}`, { signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem({ detail: "The service does not answer. Is it still running?" });
  }
  const text = await response.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    throw new Problem({ detail: `The service answered with status ${response.status}.` });
  }
  if (!response.ok) throw new Problem(body);
  return body;
}

// ---- pieces that several views share ------------------------------------------------------------

function entityLink(entity, more = {}) {
  return h(
    "a",
    { href: hashOf("entity", entity.id), class: "entity", title: entity.types.join(", "), ...more },
    label(entity.label),
  );
}

function arrow(relation, forward, between = false) {
  const line = between ? "—" : "";
  const text = forward ? `${line} ${relation.label} →` : `← ${relation.label} ${line}`;
  return h("span", { class: "arrow", title: relation.iri }, label(text));
}

const sourceText = (origin) => `${origin.source.split("/").pop()}, row ${origin.row}`;

function sources(origins) {
  if (!origins.length) return null;
  const shown = origins.slice(0, 3).map(sourceText);
  const more = origins.length > 3 ? ` and ${origins.length - 3} more` : "";
  return h("span", { class: "source", title: origins.map((o) => o.source).join("\n") }, shown.join("; ") + more);
}

/** A path as a chain of entities and relations, with the source of each step behind a click. */
function chain(path) {
  const line = h("div", { class: "chain" }, entityLink(path.steps[0].source));
  for (const step of path.steps) {
    line.append(" ", arrow(step.relation, step.forward, true), " ", entityLink(step.target));
  }
  const steps = path.steps.map((step) =>
    h("li", {}, label(step.source.label), " ", arrow(step.relation, step.forward, true), " ", label(step.target.label), " ", sources(step.origins)),
  );
  return h("div", {}, line, h("details", { class: "sources" }, h("summary", {}, "sources"), h("ol", {}, steps)));
}

const card = (title, ...content) => h("section", { class: "card" }, title ? h("h2", {}, title) : null, ...content);
const note = (text) => h("p", { class: "note" }, text);
const loading = () => h("p", { class: "note loading", role: "status" }, "Loading…");

function failure(error) {
  return h("div", { class: "failure", role: "alert" }, h("strong", {}, error.report?.title ?? "That did not work"), h("p", {}, label(error.message)));
}

/** Show a placeholder, then what the promise brings, or why it failed. */
function later(promise, render) {
  const place = h("div", { "aria-busy": "true" }, loading());
  promise
    .then((answer) => place.replaceChildren(...[render(answer)].flat()))
    .catch((error) => {
      if (error.name !== "AbortError") place.replaceChildren(failure(error));
    })
    .finally(() => place.removeAttribute("aria-busy"));
  return place;
}

// ---- search as you type -------------------------------------------------------------------------

let boxes = 0;

/** A combobox over entities (ARIA 1.2 pattern). `choose(entity)` is called with what was picked. */
function searchBox(name, placeholder, choose) {
  const id = `box${(boxes += 1)}`;
  const list = h("ul", { role: "listbox", id: `${id}-list`, "aria-label": `Matches for ${name}`, hidden: true });
  const input = h("input", {
    type: "search", role: "combobox", id, placeholder, "aria-label": name, autocomplete: "off", spellcheck: "false",
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": `${id}-list`, maxlength: "200",
  });
  const status = h("span", { class: "hidden", role: "status" });
  let found = [];
  let active = -1;
  let pending = null;
  let timer = 0;

  function close() {
    pending?.abort();
    clearTimeout(timer);
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    active = index;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === index)));
    if (index >= 0 && found.length) {
      input.setAttribute("aria-activedescendant", `${id}-${index}`);
      list.children[index].scrollIntoView({ block: "nearest" });
    }
  }

  function pick(entity) {
    close();
    choose(entity, input);
  }

  function show(entities) {
    found = entities;
    const options = entities.map((entity, i) =>
      h("li", { role: "option", id: `${id}-${i}`, onmousedown: (event) => event.preventDefault(), onclick: () => pick(entity) },
        h("span", {}, label(entity.label)), h("small", {}, label(entity.types[0] ?? entity.id))),
    );
    list.replaceChildren(...(options.length ? options : [h("li", { class: "note" }, "Nothing matches.")]));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    status.textContent = entities.length ? `${plural(entities.length, "match", "matches")}` : "Nothing matches.";
    mark(entities.length ? 0 : -1);
  }

  async function search() {
    pending?.abort();
    pending = new AbortController();
    const q = input.value.trim();
    if (!q) return close();
    try {
      show((await ask("entities", { q, limit: 10 }, pending.signal)).entities);
    } catch (error) {
      if (error.name === "AbortError") return;
      list.replaceChildren(h("li", { class: "note" }, error.message));
      list.hidden = false;
    }
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 90);
  });
  input.addEventListener("focus", () => {
    if (input.value.trim() && found.length && document.activeElement === input) input.select();
  });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", async (event) => {
    if (event.key === "Escape") close();
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return search();
      const step = event.key === "ArrowDown" ? 1 : found.length - 1;
      if (found.length) mark((Math.max(active, 0) + step) % found.length);
    }
    if (event.key === "Enter") {
      event.preventDefault();
      if (list.hidden) await search();
      if (found[Math.max(active, 0)] && !list.hidden) pick(found[Math.max(active, 0)]);
    }
  });
  const box = h("div", { class: "combo" }, input, list, status);
  return { box, input };
}

// ---- views --------------------------------------------------------------------------------------

function homeView() {
  const title = h("h1", { tabindex: "-1" }, "What is related, how, and what is missing?");
  const lead = h("p", { class: "lead" }, "Search an entity to see what the data states about it and what the model expects; connect two entities to read the paths between them. Press / to search.");
  return [
    h("div", { class: "hero" }, title, lead),
    later(stats, (served) => {
      const counts = [[served.entities, "entity", "entities"], [served.edges, "fact", "facts"], [served.relations, "relation", "relations"]];
      const numbers = counts.map(([n, one, many]) => h("div", { class: "number" }, h("b", {}, n.toLocaleString("en")), h("span", {}, n === 1 ? one : many)));
      const types = served.types.filter((t) => t.type).map((t) =>
        h("a", { class: "chip", href: hashOf("type", t.type.id) }, label(t.type.label), h("small", {}, t.entities.toLocaleString("en"))));
      return [
        h("div", { class: "numbers" }, numbers),
        card("Browse by type", types.length ? chips(types) : note("The data gives no types. Search by name above.")),
        served.model ? null : card(null, note("There is no trained model yet, so nothing is predicted here. Run `sightline train` and `sightline distill` on this workspace.")),
      ].filter(Boolean);
    }),
  ];
}

/** The first few open, the others behind a click. */
function chips(all) {
  const rest = all.slice(24);
  const more = h("details", {}, h("summary", {}, `${rest.length} more`), h("div", { class: "chips" }, rest));
  return h("div", {}, h("div", { class: "chips" }, all.slice(0, 24)), rest.length ? more : null);
}

function typeView(type) {
  const list = h("ul", { class: "columns" });
  const more = h("button", { type: "button", hidden: true, onclick: () => load() }, "Show more");
  const state = h("div", {});
  let cursor = null;
  async function load() {
    more.disabled = true;
    try {
      const page = await ask("entities", { type, limit: 60, cursor });
      list.append(...page.entities.map((entity) => h("li", {}, entityLink(entity))));
      cursor = page.next;
      more.hidden = cursor === null;
      state.replaceChildren(...(list.children.length ? [] : [note("No entity has this type.")]));
    } catch (error) {
      state.replaceChildren(failure(error));
    }
    more.disabled = false;
  }
  state.append(loading());
  load();
  return [h("p", { class: "kicker" }, "Type"), h("h1", { tabindex: "-1" }, label(type)), card(null, list, state, more)];
}

function entityView(id) {
  const content = h("div", {});
  const entity = ask("entities/-", { id });
  content.append(later(entity, (view) => {
    document.title = `${view.entity.label} · Sightline`;
    return [head(view), h("div", { class: "split" }, h("div", {}, facts(view), attributes(view)), h("div", {}, expected(view), around(view), alike(view)))];
  }));
  entity.catch((error) => {
    if (error.report?.status === 404 || error.report?.status === 409) content.append(card("Did you mean one of these?", later(ask("entities", { q: id.slice(0, 200), limit: 10 }), (page) => page.entities.length ? h("ul", {}, page.entities.map((e) => h("li", {}, entityLink(e), " ", h("small", {}, label(`${e.id} ${e.types.join(", ")}`))))) : note("Nothing similar is in the data."))));
  });
  return [content];
}

function head(view) {
  const { entity } = view;
  const web = /^https?:\/\//i.test(entity.iri);
  const iri = web
    ? h("a", { href: entity.iri, rel: "noopener noreferrer", target: "_blank" }, label(entity.iri))
    : label(entity.iri);
  return h(
    "div",
    { class: "head" },
    h("div", { class: "chips" }, view.types.map((type) => h("a", { class: "chip", href: hashOf("type", type.id) }, label(type.label)))),
    h("h1", { tabindex: "-1" }, label(entity.label)),
    view.description ? h("p", { class: "lead" }, label(view.description)) : null,
    h("p", { class: "iri" }, iri),
    h("p", {}, h("a", { class: "button", href: hashOf("connect", entity.id) }, "Connect with another entity")),
  );
}

/** Relations, and facts of one relation, that are open at first. */
const GROUPS = 6;
const SHOWN = 8;

function facts(view) {
  const total = view.degrees.reduce((sum, degree) => sum + degree.count, 0);
  const heading = h("h2", {}, "Stated facts ", h("small", {}, total.toLocaleString("en")));
  const place = h("section", { class: "card" }, heading);
  if (!total) {
    place.append(note("The data states no link from or to it."));
    return place;
  }
  place.append(later(ask("entities/-/related", { id: view.entity.id, predicted: false, k: 300 }), (answer) => {
    if (answer.related.some((item) => item.status === "inferred")) heading.firstChild.data = "Stated and inferred facts ";
    const groups = new Map();
    for (const item of answer.related) {
      const key = `${item.direction} ${item.relation.id}`;
      groups.set(key, [...(groups.get(key) ?? []), item]);
    }
    const count = (item) => view.degrees.find((d) => d.direction === item.direction && d.relation.id === item.relation.id)?.count;
    const blocks = [...groups.values()].map((items) => group(items, count(items[0]) ?? items.length));
    const rest = blocks.splice(GROUPS);
    if (rest.length) blocks.push(h("details", { class: "group" }, h("summary", {}, plural(rest.length, "more relation")), rest));
    if (answer.related.length < total) blocks.push(note(`${answer.related.length} of ${total.toLocaleString("en")} facts are shown.`));
    return blocks;
  }));
  return place;
}

/** Where an inferred fact comes from: what it follows from. */
function because(item) {
  return h("details", { class: "inferred" }, h("summary", {}, "inferred"), label(item.evidence_note ?? ""));
}

/** The facts of one relation, the first few open. */
function group(items, total) {
  const why = (item) => item.evidence_note ? h("span", { class: "source" }, label(item.evidence_note)) : sources(item.origins);
  const row = (item) => h("li", {}, entityLink(item.entity), why(item));
  const rest = items.slice(SHOWN);
  return h(
    "div",
    { class: "group" },
    h("h3", {}, arrow(items[0].relation, items[0].direction === "out"), h("small", {}, total.toLocaleString("en"))),
    h("ul", { class: "facts" }, items.slice(0, SHOWN).map(row)),
    rest.length ? h("details", {}, h("summary", {}, `${rest.length} more`), h("ul", { class: "facts" }, rest.map(row))) : null,
  );
}

function attributes(view) {
  // What the head of the page says already is not said again.
  const said = [view.entity.label, view.description];
  const left = view.attributes.filter((a) => !said.includes(a.value));
  if (!left.length) return null;
  const rows = left.map((a) => [
    h("dt", { title: a.property.iri }, label(a.property.label)),
    h("dd", {}, label(a.value), a.language ? h("small", {}, ` ${a.language}`) : null, sources(a.origins)),
  ]);
  return card("Attributes", h("dl", {}, rows));
}

function expected(view) {
  const place = h("section", { class: "card predicted" }, h("h2", {}, "Predicted, not stated"));
  if (!view.known_to_model) {
    place.append(later(stats, ({ model }) => note(model
      ? "The model was trained before this entity existed, so nothing is predicted for it."
      : "There is no trained model yet, so nothing is predicted.")));
    return place;
  }
  place.append(later(ask("entities/-/related", { id: view.entity.id, known: false, k: 10 }), (answer) => {
    if (!answer.related.length) return note("The model expects nothing that the data does not state.");
    return h("ol", { class: "predictions" }, answer.related.map(prediction));
  }));
  return place;
}

function prediction(item) {
  const bar = h("span", { class: "bar", "aria-hidden": "true" }, h("i"));
  bar.firstChild.style.inlineSize = `${Math.max(item.probability * 100, 2)}%`;
  const why = item.evidence.length
    ? h("details", {}, h("summary", {}, plural(item.evidence.length, "path supports", "paths support"), " it"), item.evidence.map(chain))
    : note(`Support: ${item.evidence_note ?? "none"}.`);
  return h(
    "li",
    {},
    h("div", { class: "guess" }, h("span", {}, arrow(item.relation, item.direction === "out"), " ", entityLink(item.entity)), h("span", { class: "chance" }, bar, percent(item.probability))),
    item.abstain ? h("p", { class: "note" }, "Little more than a guess: below the chance from which the model can be relied on.") : null,
    why,
  );
}

function alike(view) {
  if (!view.known_to_model) return null;
  return card("Similar", later(ask("entities/-/similar", { id: view.entity.id, k: 8 }), (answer) =>
    answer.similar.length
      ? h("ul", { class: "similar" }, answer.similar.map((item) => h("li", {}, entityLink(item.entity), h("small", { title: "cosine similarity in the learned space" }, item.similarity.toFixed(2)))))
      : note("Nothing of its type is near it.")));
}

function around(view) {
  if (!view.degrees.length) return null;
  return card("Around it", later(ask("entities/-/neighborhood", { id: view.entity.id, limit: 17 }), drawing));
}

/** The neighbours on an ellipse around the entity; every node is a link. */
function drawing(found) {
  const [width, height] = [720, 440];
  const others = found.nodes.filter((node) => node.id !== found.center.id);
  const place = new Map([[found.center.id, [width / 2, height / 2]]]);
  others.forEach((node, i) => {
    const angle = (2 * Math.PI * (i + 0.5)) / others.length - Math.PI / 2;
    place.set(node.id, [width / 2 + 175 * Math.cos(angle), height / 2 + 190 * Math.sin(angle)]);
  });
  const lines = found.edges.map((edge) => {
    const [[x1, y1], [x2, y2]] = [place.get(edge.source), place.get(edge.target)];
    const own = edge.source === found.center.id || edge.target === found.center.id;
    return s("line", { x1, y1, x2, y2, class: own ? "own" : "cross" }, s("title", {}, edge.relation.label));
  });
  const short = (text) => (text.length > 22 ? `${text.slice(0, 21)}…` : text);
  const dots = found.nodes.map((node) => {
    const [x, y] = place.get(node.id);
    const center = node.id === found.center.id;
    const side = center ? "middle" : x < width / 2 - 1 ? "end" : "start";
    const shift = center ? 0 : x < width / 2 - 1 ? -10 : 10;
    return s("a", { href: hashOf("entity", node.id), class: center ? "center" : "" },
      s("title", {}, `${node.label} (${plural(node.degree, "fact")})`),
      s("circle", { cx: x, cy: y, r: center ? 9 : 6 }),
      s("text", { x: x + shift, y: y + (center ? 26 : 5), "text-anchor": side }, short(node.label)));
  });
  const omitted = found.omitted.reduce((sum, item) => sum + item.count, 0);
  return [
    s("svg", { viewBox: `0 0 ${width} ${height}`, class: "drawing", role: "group", "aria-label": "Neighbours" }, lines, dots),
    omitted ? note(`${plural(omitted, "more neighbour")} not drawn.`) : null,
  ].filter(Boolean);
}

function connectView(source, target, hops = "3") {
  const chosen = { source: source ? { id: source, label: source } : null, target: target ? { id: target, label: target } : null };
  const go = () => {
    if (chosen.source && chosen.target) location.hash = hashOf("connect", chosen.source.id, chosen.target.id, length.value);
  };
  const end = (which, name) => {
    const { box, input } = searchBox(name, "Search…", (entity) => {
      chosen[which] = entity;
      input.value = entity.label;
      if (chosen.source && chosen.target) go();
      else (which === "source" ? to : from).input.focus();
    });
    if (chosen[which]) {
      input.value = chosen[which].label;
      ask("entities/-", { id: chosen[which].id }).then((view) => (input.value = view.entity.label), () => null);
    }
    return { box: h("div", { class: "field" }, h("label", { for: input.id }, name), box), input };
  };
  const from = end("source", "From");
  const to = end("target", "To");
  const length = h("select", { id: "length", onchange: go }, ["1", "2", "3", "4"].map((n) => h("option", { value: n, selected: n === hops }, `up to ${n}`)));
  const form = h("form", { class: "connect", onsubmit: (event) => event.preventDefault() }, from.box, to.box, h("div", { class: "field" }, h("label", { for: "length" }, "Steps"), length));
  const parts = [h("h1", { tabindex: "-1" }, "How are two entities connected?"), h("section", { class: "card" }, form)];
  if (source && target) {
    parts.push(later(ask("paths", { source, target, max_hops: hops, k: 50 }), found));
  } else {
    setTimeout(() => (source ? to : from).input.focus());
  }
  return parts;
}

function found(answer) {
  document.title = `${answer.source.label} and ${answer.target.label} · Sightline`;
  if (!answer.paths.length) {
    return card(null, note(answer.truncated ? `Nothing was found in time: ${answer.reason}.` : "No path of this length joins them. Allow more steps."));
  }
  const list = h("ol", { class: "paths" });
  const show = (shape) => list.replaceChildren(...answer.paths.filter((p) => shape === null || p.metapath === shape).map((path) =>
    h("li", {}, chain(path), h("small", { class: "score", title: "degree-weighted: paths through hubs count less" }, path.score.toPrecision(2)))));
  const shown = new Set(answer.paths.map((path) => path.metapath));
  const shapes = answer.metapaths.filter((shape) => shown.has(shape.metapath)).map((shape) => {
    const button = h("button", { type: "button", class: "shape", "aria-pressed": "false" }, label(shape.metapath), h("small", {}, shape.count.toLocaleString("en")));
    button.addEventListener("click", () => {
      const on = button.getAttribute("aria-pressed") !== "true";
      for (const other of button.parentElement.children) other.setAttribute("aria-pressed", "false");
      button.setAttribute("aria-pressed", String(on));
      show(on ? shape.metapath : null);
    });
    return button;
  });
  show(null);
  const all = answer.found === answer.paths.length;
  const cut = answer.truncated ? note(`Not everything was searched: ${answer.reason}.`) : null;
  return [
    card(null, h("p", {}, `${plural(answer.found, "path")}${all ? "" : `, the best ${answer.paths.length} shown`}. Paths through hubs rank lower.`), cut,
      shapes.length > 1 ? h("div", { class: "shapes", role: "group", "aria-label": "Kinds of path" }, shapes) : null),
    h("section", { class: "card" }, list),
  ];
}

/** What is served; asked once. */
const stats = ask("stats");
stats.catch(() => null);

// ---- where we are -------------------------------------------------------------------------------

const VIEWS = { type: typeView, entity: entityView, connect: connectView };

function route() {
  let parts;
  try {
    parts = location.hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  } catch {
    parts = [""];
  }
  const [name, ...rest] = parts.filter((part) => part !== "");
  const view = Object.hasOwn(VIEWS, name) && (rest.length || name === "connect") ? VIEWS[name] : homeView;
  document.title = "Sightline";
  const main = document.getElementById("main");
  main.replaceChildren(...view(...rest));
  document.getElementById("nav-connect").toggleAttribute("aria-current", name === "connect");
  return main;
}

function start() {
  const { box, input } = searchBox("Search entities", "Search entities…", (entity, field) => {
    field.value = "";
    field.blur();
    location.hash = hashOf("entity", entity.id);
  });
  document.getElementById("find").append(box);
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      input.focus();
    }
  });
  addEventListener("hashchange", () => {
    const main = route();
    scrollTo(0, 0);
    // A reader of the screen hears that the page has changed, unless it is about to type.
    setTimeout(() => { if (!/^(INPUT|SELECT)$/.test(document.activeElement?.tagName ?? "")) main.focus({ preventScroll: true }); });
  });
  stats.then((served) => {
    const model = served.model ? `model ${served.model.slice(0, 12)}` : "no model";
    document.getElementById("foot").textContent = `Snapshot ${served.snapshot.slice(0, 12)}, ${model}`;
  }, () => null);
  route();
}

start();
