// #/graph : the whole graph, or the best connected part of it, in its communities. Its parameters are those of the drawing.

import { brought } from "../shell/api.js";
import { CANVAS } from "../shell/registry.js";
import { go } from "../shell/router.js";
import { toEntity } from "../shell/url.js";
import { h, put } from "../parts/dom.js";

/** @param {import("../shell/router.js").Context} context */
export async function view(context) {
  const { place, title } = context;
  title("Whole graph");
  const drawing = h("div", { class: "pane ground whole" });
  put(place, h("h1", { class: "hidden" }, "Whole graph"), drawing);
  const { mount } = await brought(/** @type {NonNullable<typeof CANVAS>} */ (CANVAS));
  return mount(drawing, { entity: null, state: context, onSelect: () => {}, onNavigate: (one) => go(toEntity(one)) });
}
