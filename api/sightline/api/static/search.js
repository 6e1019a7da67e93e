// Search as you type.

import { ask } from "./api.js";
import { h, label, plural } from "./dom.js";
import { named } from "./facts.js";

let boxes = 0;

/** A combobox over entities (ARIA 1.2 pattern). `choose(entity, input)` is called with what was picked. */
export function searchBox(name, placeholder, choose) {
  const id = `box${(boxes += 1)}`;
  // A press on the list, its scroll bar included, leaves the focus where it is.
  const list = h("ul", { role: "listbox", id: `${id}-list`, "aria-label": `Matches for ${name}`, hidden: true, onmousedown: (event) => event.preventDefault() });
  const input = h("input", {
    type: "search", role: "combobox", id, placeholder, "aria-label": name, autocomplete: "off", spellcheck: "false",
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id, maxlength: "200",
  });
  const status = h("span", { class: "hidden", role: "status" });
  let found = [];
  let active = -1;
  let searched = null;
  let pending = null;
  let timer = 0;

  function close() {
    pending?.abort();
    clearTimeout(timer);
    list.hidden = true;
    searched = null;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  }

  function mark(index) {
    active = index;
    [...list.children].forEach((item, i) => item.setAttribute("aria-selected", String(i === index)));
    if (!found.length) return input.removeAttribute("aria-activedescendant");
    input.setAttribute("aria-activedescendant", `${id}-${index}`);
    list.children[index].scrollIntoView({ block: "nearest" });
  }

  function pick(entity) {
    close();
    choose(entity, input);
  }

  function show(entities, otherwise) {
    found = entities;
    const options = entities.map((entity, i) => {
      const twins = entities.filter((other) => other.label === entity.label).length > 1;
      const about = twins || !entity.types.length ? entity.id : entity.types[0];
      return h("li", { role: "option", id: `${id}-${i}`, onclick: () => pick(entity) }, h("span", {}, named(entity)), h("small", {}, label(about)));
    });
    list.replaceChildren(...(options.length ? options : [h("li", { class: "note" }, label(otherwise))]));
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    status.textContent = entities.length ? plural(entities.length, "match", "matches") : otherwise;
    mark(0);
  }

  async function search() {
    const q = input.value.trim();
    if (!q) return close();
    pending?.abort();
    clearTimeout(timer);
    pending = new AbortController();
    try {
      show((await ask("entities", { q, limit: 10 }, pending.signal)).entities, "Nothing matches.");
      searched = q;
    } catch (error) {
      if (error.name !== "AbortError") show([], error.message);
    }
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, 90);
  });
  input.addEventListener("focus", () => input.select());
  input.addEventListener("blur", close);
  input.addEventListener("keydown", async (event) => {
    if (event.key === "Escape" && !list.hidden) {
      event.preventDefault();
      close();
    }
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (list.hidden) return search();
      const step = event.key === "ArrowDown" ? 1 : found.length - 1;
      if (found.length) mark((active + step) % found.length);
    }
    if (event.key === "Enter") {
      event.preventDefault();
      // What is picked is a match of what stands there now, not of what stood there a moment ago.
      if (searched !== input.value.trim()) await search();
      if (searched === input.value.trim() && found.length) pick(found[active]);
    }
  });
  return { box: h("div", { class: "combo" }, input, list, status), input };
}
