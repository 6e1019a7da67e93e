// #/settings : how this browser shows the page. Kept here, never sent.

import { served } from "../shell/api.js";
import { h, number, plural, put } from "../parts/dom.js";

/** @param {string} name @param {string} otherwise */
const kept = (name, otherwise) => { try { return localStorage.getItem(name) ?? otherwise; } catch { return otherwise; } };
/** @param {string} name @param {string | null} value */
function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(name);
    else localStorage.setItem(name, value);
  } catch { /* it holds for this page only */ }
}

/** @param {import("../shell/router.js").Context} context */
export async function view({ place, title }) {
  title("Settings");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  /** @param {string} legend @param {string} name @param {string} now @param {[string, string][]} ways @param {(value: string) => void} set */
  const choice = (legend, name, now, ways, set) => h("fieldset", {}, h("legend", {}, legend), h("div", { class: "segment" }, ways.map(([value, text]) => h("label", {}, h("input", { type: "radio", name, value, checked: now === value, onchange: () => set(value) }), h("span", {}, text)))));
  const keys = h("input", { type: "checkbox", checked: kept("keys", "on") !== "off", onchange: () => keep("keys", keys.checked ? "on" : "off") });
  put(place, h("div", { class: "sheet" }, h("h1", {}, "Settings"), h("p", { class: "quiet" }, "Kept in this browser; nothing of it is sent."),
    choice("Colours", "theme", kept("theme", "system"), [["system", "As the system"], ["light", "Light"], ["dark", "Dark"]], (value) => {
      keep("theme", value === "system" ? null : value);
      document.documentElement.dataset.theme = value === "system" ? (dark.matches ? "dark" : "light") : value;
    }),
    choice("Rows", "density", kept("density", "normal"), [["normal", "Normal"], ["close", "Close together"]], (value) => {
      keep("density", value === "normal" ? null : value);
      document.documentElement.dataset.density = value;
    }),
    h("fieldset", {}, h("legend", {}, "Keyboard"), h("label", { class: "row" }, keys, "Single keys act outside of fields"), h("p", { class: "note" }, "Turn them off if you speak to your computer. ? lists them.")),
    h("section", {}, h("h2", {}, "What is served"), h("dl", { class: "facts-of" }, await served().then((stats) => [["Snapshot", stats.snapshot], ["Model", stats.model ?? "none"], ["Entities", number(stats.entities)], ["Facts", number(stats.edges)], ["Loads", plural(stats.loads.length, "load")]].map(([name, text]) => [h("dt", {}, name), h("dd", {}, h("code", {}, text))]), () => null)), h("p", {}, h("a", { class: "link", href: "/docs" }, "The HTTP API")))));
}
