// The explorer: asks the HTTP API and shows the answers. No build step; a view loads when it is shown.
//
// Every text of an answer comes from raw data and is hostile: it reaches the page as a text node
// only, and becomes part of an address only through encodeURIComponent.

import { onCondition, tryNow } from "./shell/api.js";
import { bindings, help, listen } from "./shell/keys.js";
import { VIEWS } from "./shell/registry.js";
import { go, start } from "./shell/router.js";
import { to } from "./shell/url.js";
import { h, put, say, the } from "./parts/dom.js";
import { icon, logo } from "./parts/icons.js";
import { popover } from "./parts/popover.js";
import { searchBox } from "./parts/search.js";

const ALL = /** @type {import("./parts/search.js").Sort[]} */ (["entity", "type", "relation", "action"]);
const { box, input } = searchBox({ name: "Search", placeholder: "Search anything", sorts: ALL, hint: "/" });

/** The search that is in sight: that of the start, where there is one. */
function search() {
  const large = /** @type {HTMLInputElement | null} */ (document.querySelector("main .search.large input"));
  if (!large) the(".bar").classList.add("searching");
  (large ?? input).focus();
}
input.addEventListener("blur", () => the(".bar").classList.remove("searching"));

const themed = () => document.documentElement.dataset.theme === "dark";
function turn() {
  const next = themed() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  try { localStorage.setItem("theme", next); } catch { /* it holds for this page only */ }
  drawTheme();
}
const theme = h("button", { type: "button", class: "icon-button", onclick: turn });
function drawTheme() {
  theme.setAttribute("aria-label", themed() ? "Light colours" : "Dark colours");
  put(theme, icon(themed() ? "moon" : "sun"));
}
new MutationObserver(drawTheme).observe(document.documentElement, { attributeFilter: ["data-theme"] });

const inBar = VIEWS.filter((row) => row.nav);
/** @param {import("./shell/registry.js").Row} row @param {boolean} [withIcon] */
const link = (row, withIcon) => {
  const nav = row.nav ?? row.menu;
  return h("a", { href: to(row.name), "data-nav": row.name }, withIcon && nav ? icon(nav.icon) : null, h("span", {}, nav?.label));
};
const inMenu = VIEWS.filter((row) => row.menu);
/** What opens the rest of the views. @param {import("./shell/registry.js").Row[]} rows @param {import("./parts/dom.js").Content} content @param {string} [kind] */
function menu(rows, content, kind) {
  const button = h("button", { type: "button", class: kind, "aria-label": "More", "aria-expanded": "false", "aria-haspopup": "menu", onclick: () => popover(button, [
    rows.map((row) => link(row, true)), h("a", { href: "/docs" }, icon("terminal"), "API"),
  ], { label: "More views", kind: "menu" }) }, content);
  return button;
}
const helps = h("button", { type: "button", class: "icon-button help", "aria-label": "Keyboard and help", "aria-expanded": "false", onclick: () => help(helps) }, icon("help"));
const finds = h("button", { type: "button", class: "icon-button phone", "aria-label": "Search", onclick: search }, icon("search"));
put(the(".bar"), h("a", { class: "brand", href: "#/" }, logo(), "Sightline"),
  h("nav", { "aria-label": "Views" }, inBar.map((row) => link(row)), menu(inMenu, icon("dots"), "others")),
  h("div", { class: "find", id: "find" }, box), h("div", { class: "tools" }, finds, helps, theme));
drawTheme();

/** On a phone five tabs: four views and the rest behind "More". */
const tabs = inBar.filter((row) => row.nav?.tab).slice(0, 4);
const rest = [...inBar.filter((row) => !tabs.includes(row)), ...inMenu];
put(the(".tabs5"), tabs.map((row) => link(row, true)), menu(rest, [icon("dots"), "More"]));

// How the service is, in one line; what is shown stays.
let counting = 0;
onCondition((now) => {
  clearInterval(counting);
  const line = the("#service");
  line.hidden = now.is === "well";
  the("#main").classList.toggle("stale", now.is === "gone");
  if (now.is === "well") return;
  const since = new Date(now.since).toLocaleTimeString("en", { hour: "2-digit", minute: "2-digit", hour12: false });
  const text = h("span", { class: "grow" });
  const button = h("button", { type: "button", class: "button", onclick: tryNow }, "Now");
  line.className = `service ${now.is === "gone" ? "gone" : "busy"}`;
  put(line, icon(now.is === "gone" ? "error" : "clock"), text, now.is === "slow" ? null : button);
  const tell = () => {
    if (now.is === "slow") text.textContent = `The service is slow: waiting since ${since}, ${Math.round((Date.now() - now.since) / 1000)} s.`;
    else {
      const seconds = Math.max(0, Math.ceil((now.again - Date.now()) / 1000));
      text.textContent = `${now.is === "gone" ? "No answer from the service" : "The service is busy or restarting"} since ${since}. Trying again in ${seconds} s.`;
    }
  };
  tell();
  say(text.textContent ?? "");
  counting = window.setInterval(tell, 1000);
});

bindings.always({
  "/": { does: "search", run: search },
  "?": { does: "this list", run: () => help(helps) },
  g: { does: "start", run: () => go("#/") },
});
listen();
the(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  the("#main").focus();
});
start();
