// The views: one row each. A row is all that the shell knows of a view; its module loads when it is shown.
//
//   name    the first part of the address: #/NAME/ABOUT?…
//   load    brings the module, which exports `view`
//   style   whether views/FILE.css lies beside the module; loaded with it
//   nav     how the bar of the desk and the tabs of the phone name it; without, neither does
//   menu    how "More" names it, where neither does
//   under   the name of the row whose entry in the bar is lit while it is shown
//   needs   whether the address must say what it is about

/** @typedef {import("./router.js").View} View */
/** @typedef {import("../answers.js").Entity} Entity */
/** @typedef {{ highlight?: (id: string | null) => void, update?: (query: URLSearchParams) => void, leave?: () => void, back?: () => void, end?: () => void }} Drawing */
/** @typedef {{ entity: Entity | null, state: import("./router.js").Context, onSelect: (entity: Entity | null) => void, onNavigate: (entity: Entity) => void }} Mounted */
/** @typedef {(container: HTMLElement, options: Mounted) => Drawing | Promise<Drawing>} Mount */
/** @typedef {{ label: string, icon: import("../parts/icons.js").Icon, tab?: boolean }} Nav */
/** @typedef {{ name: string, file: string, load: () => Promise<{ view: View }>, style?: boolean, nav?: Nav, menu?: Nav, under?: string, needs?: boolean }} Row */

/** @type {Row[]} */
export const VIEWS = [
  { name: "", file: "start", load: () => import("../views/start.js"), style: true, nav: { label: "Explore", icon: "home", tab: true } },
  { name: "e", file: "entity", load: () => import("../views/entity.js"), style: true, under: "", needs: true },
  { name: "connect", file: "connect", load: () => import("../views/connect.js"), style: true, nav: { label: "Connect", icon: "connect", tab: true } },
  { name: "ask", file: "ask", load: () => import("../views/ask.js"), style: true, nav: { label: "Ask", icon: "ask", tab: true } },
  { name: "table", file: "table", load: () => import("../views/table.js"), style: true, nav: { label: "Tables", icon: "table", tab: true } },
  { name: "map", file: "map", load: () => import("../views/map.js"), style: true, under: "table" },
  { name: "doctor", file: "doctor", load: () => import("../views/doctor.js"), style: true, nav: { label: "Doctor", icon: "inspect" } },
  { name: "report", file: "report", load: () => import("../views/report.js"), style: true, nav: { label: "Reports", icon: "file" } },
  { name: "sparql", file: "sparql", load: () => import("../views/sparql.js"), style: true, nav: { label: "SPARQL", icon: "terminal" } },
  { name: "query", file: "query", load: () => import("../views/query.js"), style: true, under: "ask", menu: { label: "Several conditions", icon: "filter" } },
  { name: "set", file: "set", load: () => import("../views/set.js"), style: true, under: "table", menu: { label: "In common", icon: "list" } },
  { name: "changes", file: "changes", load: () => import("../views/changes.js"), style: true, under: "", menu: { label: "Changes", icon: "clock" } },
  { name: "insights", file: "insights", load: () => import("../views/insights.js"), style: true, under: "", menu: { label: "Insights", icon: "spark" } },
  { name: "communities", file: "communities", load: () => import("../views/communities.js"), style: true, under: "", menu: { label: "Communities", icon: "graph" } },
  { name: "graph", file: "graph", load: () => import("../views/graph.js"), under: "", menu: { label: "Whole graph", icon: "spark" } },
  { name: "settings", file: "settings", load: () => import("../views/settings.js"), style: true, under: "", menu: { label: "Settings", icon: "columns" } },
];

/** @param {string} name */
export const rowOf = (name) => VIEWS.find((row) => row.name === name);

/** What draws a neighbourhood, or the whole graph where no entity is given, loaded with the first drawing; null: there is none, and lists say all. @type {null | (() => Promise<{ mount: Mount }>)} */
export const CANVAS = () => import("../canvas/mount.js");
