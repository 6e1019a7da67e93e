// The explorer: asks the HTTP API and shows the answers. No library, no build step.
//
// Every text of an answer comes from raw data and is hostile: it reaches the page as a text node
// only, and becomes part of an address only through encodeURIComponent.

import { leave, served } from "./api.js";
import { put } from "./dom.js";
import { searchBox } from "./search.js";
import { hashOf, here } from "./url.js";
import { connectView } from "./views/connect.js";
import { entityView } from "./views/entity.js";
import { homeView } from "./views/home.js";
import { typeView } from "./views/type.js";

const VIEWS = { type: typeView, entity: entityView, connect: connectView };

const main = document.getElementById("main");

/** Views that were left whole, by entry of the browser's history: going back finds them as they were. */
const left = new Map();
const KEPT = 20;
let entry = null;
let entries = Date.now();

function remember() {
  if (entry === null || main.querySelector("[aria-busy], [role=alert]")) return;
  left.set(entry, { nodes: [...main.childNodes], title: document.title, top: scrollY });
  if (left.size > KEPT) left.delete(left.keys().next().value);
}

function show() {
  remember();
  leave();
  entry = history.state?.entry ?? (entries += 1);
  history.replaceState({ entry }, "");
  const [name, ...about] = here();
  const known = Object.hasOwn(VIEWS, name) && (about.length || name === "connect");
  const before = left.get(entry);
  document.title = before?.title ?? "Sightline";
  put(main, before?.nodes ?? (known ? VIEWS[name](...about) : homeView()));
  scrollTo(0, before?.top ?? 0);
  if (name === "connect") document.getElementById("nav-connect").setAttribute("aria-current", "page");
  else document.getElementById("nav-connect").removeAttribute("aria-current");
  served().then(({ snapshot, model }) => {
    const learnt = model ? `model ${model.slice(0, 12)}` : "no model";
    document.getElementById("foot").textContent = `Snapshot ${snapshot.slice(0, 12)}, ${learnt}`;
  }, () => null);
}

const { box, input } = searchBox("Search entities", "Search entities…", (entity) => {
  input.value = "";
  input.blur();
  location.hash = hashOf("entity", entity.id);
});
document.getElementById("find").append(box);
const typing = () => /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName ?? "");
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !typing() && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    input.focus();
  }
});
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
addEventListener("hashchange", () => {
  show();
  // A reader of the screen hears that the page has changed, unless it is about to type.
  setTimeout(() => { if (!typing()) main.focus({ preventScroll: true }); });
});
history.scrollRestoration = "manual";
show();
