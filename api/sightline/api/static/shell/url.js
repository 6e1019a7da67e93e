// The address after # says what is shown: #/e/entity:KEN?rel=relation:borders. Knows no view.
//
// A part is percent-encoded except for ":" and ","; a list is its items joined with ",", in which a
// comma of an item is encoded once more.

/** @param {string} text */
const encoded = (text) => encodeURIComponent(text).replaceAll("%3A", ":").replaceAll("%2C", ",");

/** @typedef {{ name: string, about: string, query: URLSearchParams }} Place */
/** @typedef {Record<string, string | number | string[] | null | undefined | false>} Parameters */

/**
 * The address of a view: `to("e", "entity:KEN", { rel: "relation:borders" })`. Parameters that are
 * empty are left out.
 * @param {string} name
 * @param {string | null} [about]
 * @param {Parameters} [parameters]
 */
export function to(name, about = null, parameters = {}) {
  const path = `#/${name}${about ? `/${encoded(about)}` : ""}`;
  const query = written(parameters);
  return query ? `${path}?${query}` : path;
}

/** The address of an entity. @param {{ id: string }} entity @param {Parameters} [parameters] */
export const toEntity = (entity, parameters) => to("e", entity.id, parameters);
/** The address of the table of a type. @param {{ id: string }} type @param {Parameters} [parameters] */
export const toType = (type, parameters) => to("table", type.id, parameters);

/** @param {Parameters} parameters */
function written(parameters) {
  return Object.entries(parameters).flatMap(([name, value]) => {
    const text = Array.isArray(value) ? value.map((item) => item.replaceAll(",", "%2C")).join(",") : value;
    return text === null || text === undefined || text === false || text === "" ? [] : [`${encoded(name)}=${encoded(String(text))}`];
  }).join("&");
}

/** The items of a list parameter. @param {URLSearchParams} query @param {string} name */
export const listOf = (query, name) => (query.get(name) ?? "").split(",").filter(Boolean).map((item) => item.replaceAll("%2C", ","));

/** What an address shows; one that cannot be read shows the start. @param {string} [hash] @returns {Place} */
export function placeOf(hash = location.hash) {
  const [path, query = ""] = [hash.split("?", 1)[0] ?? "", hash.slice(hash.indexOf("?") + 1 || hash.length)];
  const [, name = "", ...about] = path.split("/");
  try {
    return { name: decodeURIComponent(name), about: decodeURIComponent(about.join("/")), query: new URLSearchParams(query.replaceAll("+", "%2B")) };
  } catch {
    return { name: "", about: "", query: new URLSearchParams() };
  }
}

/** The address of where we are with some parameters changed; null takes one out. @param {Place} place @param {Parameters} changes */
export function changed({ name, about, query }, changes) {
  return to(name, about, { ...Object.fromEntries(query), ...changes });
}
