// #/doctor?kind=KIND&state=STATE&id=FINDING : what looks wrong, one finding after the other: its evidence,
// its patch, and what is decided about it.

import { ask, post, served } from "../shell/api.js";
import { to } from "../shell/url.js";
import { h, label, number, plain, plural, put, say } from "../parts/dom.js";
import { entityLink, named, verb, walked } from "../parts/facts.js";
import { icon } from "../parts/icons.js";
import { badged, mark, percent } from "../parts/marks.js";
import { fileOf, sourceButton } from "../parts/source.js";
import { empty, failure, partial, skeleton } from "../parts/states.js";
import { download } from "../parts/table.js";

/** @typedef {import("../answers.js").Entity} Entity */
/** @typedef {import("../answers.js").Ref} Ref */
/** @typedef {import("../answers.js").Step} Step */
/** @typedef {import("../answers.js").Fact} Fact */
/** @typedef {{ subject: string, predicate: string, object: string }} Statement */
/** @typedef {"open" | "accepted" | "ignored"} State */
/**
 * @typedef {{ id: string, kind: string, severity: string, certainty: number, why: string, entities: Entity[], relations: Ref[], facts: Step[], extracted: Fact | null,
 *   patch: { sparql: string, retracts: Statement[] } | null, affected: { paths: number, alone: Entity[] } | null, state: State, load: string | null }} Finding
 */
/** @typedef {{ findings: Finding[], total: number, counts: { kind: string, findings: number }[], states: { state: State, findings: number }[], truncated: boolean, reason: string | null }} Diagnosis */

const MOST = 200;
/** Milliseconds until a job is asked for again. */
const AGAIN = 1000;
/** How a kind is called and drawn. @type {Record<string, [string, import("../parts/icons.js").Icon, string]>} */
const KINDS = {
  contradiction: ["Contradiction", "error", "bad"], implausible: ["Suspected error", "error", "bad"], merged: ["Two in one", "error", "bad"],
  "duplicate relation": ["Duplicate relation", "copy", "warn"], split: ["Duplicate", "copy", "warn"], leakage: ["Leakage", "copy", "warn"],
  unlabelled: ["No label", "plus", "plain"], isolated: ["Isolated", "plus", "plain"],
  violation: ["Breaks a shape", "error", "bad"], misread: ["Misread in a text", "error", "warn"],
};
/** @param {string} kind */
const kindOf = (kind) => KINDS[kind] ?? /** @type {[string, import("../parts/icons.js").Icon, string]} */ ([kind, "error", "plain"]);
/** @param {string} kind */
const kindSign = (kind) => { const [name, sign, tone] = kindOf(kind); return h("span", { class: `kind ${tone}` }, icon(sign), name); };

/** @param {import("../shell/router.js").Context} context */
export async function view({ place, query, title, push, replace, keys }) {
  title("Doctor");
  const kind = query.get("kind");
  const state = /** @type {State | "all" | null} */ (query.get("state"));
  const list = h("div", { class: "pane", "data-scroll": true });
  const detail = h("aside", { class: "pane detail", "data-scroll": true, "aria-label": "The finding" });
  put(place, h("div", { class: "panes" }, list, detail));
  put(list, h("div", { class: "head" }, h("h1", {}, "Looking …"), h("p", { class: "quiet" }, "Every fact is compared with all others; the first time takes a while."), skeleton(8)));
  /** @type {Diagnosis} */
  let answer;
  try {
    answer = await ask("doctor", { kind, state, limit: MOST });
  } catch (error) {
    if (/** @type {Error} */ (error).name !== "AbortError") put(list, failure(/** @type {Error} */ (error), h("button", { type: "button", class: "button main", onclick: () => push({ kind: null, state: null, id: null }) }, "All findings")));
    return;
  }
  const stats = await served();
  let { findings } = answer;
  const counted = new Map(answer.counts.map((count) => [count.kind, count.findings]));
  const states = new Map(answer.states.map((count) => [count.state, count.findings]));
  /** @type {Set<string>} */
  const marked = new Set();
  let selected = Math.max(0, findings.findIndex(({ id }) => id === query.get("id")));
  const gone = query.get("id") && !findings.some(({ id }) => id === query.get("id"));
  let busy = false;
  /** @type {HTMLElement[]} */
  let lines = [];
  const body = h("tbody", {});
  const top = h("div", {});
  /** What was said last: of a decision, or why it was refused. */
  const told = h("div", { role: "status" });

  function drawTop() {
    const all = [...counted.values()].reduce((sum, one) => sum + one, 0);
    const word = state === "all" || !state ? "" : `${state} `;
    const chip = (/** @type {string | null} */ key, /** @type {string} */ text, /** @type {number} */ count) =>
      h("button", { type: "button", class: "chip", "aria-pressed": String(kind === key), onclick: () => push({ kind: key, id: null }) }, text, h("span", { class: "count" }, number(count)));
    const badge = !state && !kind ? all : null;
    if (badge !== null) badged(badge);
    put(top,
      h("div", { class: "row top" }, h("div", { class: "grow" }, h("h1", {}, plural(kind ? counted.get(kind) ?? 0 : all, `${word}finding`)),
        h("p", { class: "quiet" }, `in ${number(stats.edges)} facts. Nothing is changed until you accept it.`)),
        h("div", { class: "row" }, h("button", { type: "button", class: "button", onclick: save }, icon("down"), "Patch"), h("button", { type: "button", class: "button", onclick: () => location.reload() }, "Check again"))),
      h("div", { class: "row filters" }, h("div", { class: "chips grow" }, chip(null, "All", all), [...counted].map(([key, count]) => chip(key, kindOf(key)[0], count))),
        h("div", { class: "quiet states" }, /** @type {State[]} */ (["open", "accepted", "ignored"]).map((one, i) => [i ? ", " : "",
          h("button", { type: "button", "aria-pressed": String((state ?? "open") === one), onclick: () => push({ state: one === "open" ? null : one, id: null }) }, `${one} ${number(states.get(one) ?? 0)}`)]))),
      answer.truncated ? partial(label(`Not everything was looked at: ${answer.reason}. Checking again goes on from there.`)) : null, told);
  }

  /** Save the patches of what is ticked, else of all. */
  function save() {
    const some = findings.filter(({ id, patch }) => patch && (!marked.size || marked.has(id)));
    download("patch.ru", some.map(({ why, patch }) => `# ${plain(why)}\n${patch?.sparql}`).join(" ;\n\n") + "\n", "application/sparql-update");
  }

  function draw() {
    drawTop();
    selected = Math.min(selected, findings.length - 1);
    lines = findings.map((finding, i) => {
      const box = h("input", { type: "checkbox", "aria-label": `Tick: ${plain(finding.why)}`, checked: marked.has(finding.id), onchange: () => { if (box.checked) marked.add(finding.id); else marked.delete(finding.id); } });
      const [name, rest] = told_(finding);
      const [origin] = (finding.extracted ? [finding.extracted] : finding.facts).flatMap((fact) => fact.origins);
      return h("tr", { tabindex: -1, "aria-selected": "false", onclick: (/** @type {Event} */ event) => { if (!(/** @type {Element} */ (event.target).closest("a, button, input"))) select(i); },
        onkeydown: (/** @type {KeyboardEvent} */ event) => { if (event.target === lines[i] && (event.key === "ArrowDown" || event.key === "ArrowUp")) { event.preventDefault(); step(event.key === "ArrowDown" ? 1 : -1); } } },
        h("td", { class: "tick" }, box), h("td", { class: "what" }, h("strong", {}, name), h("div", { class: "quiet" }, rest)),
        h("td", { class: "kindly" }, kindSign(finding.kind)), h("td", { class: "num" }, sure(finding.certainty)),
        h("td", { class: "desk from" }, origin ? h("span", { class: "source" }, icon("file"), h("span", { class: "clip" }, fileOf(origin.source))) : null));
    });
    put(body, lines);
    put(list, h("div", { class: "head" }, top), findings.length ? h("table", { class: "data" }, h("caption", { class: "hidden" }, "Findings"), h("thead", {}, h("tr", {}, h("th", {}, h("span", { class: "hidden" }, "tick")), h("th", { scope: "col" }, "finding"), h("th", { scope: "col", class: "kindly" }, "kind"), h("th", { scope: "col", class: "num" }, "sure"), h("th", { scope: "col", class: "desk" }, "source"))), body)
      : empty({ icon: "check", title: state && state !== "open" ? `No finding is ${state}` : "Nothing looks wrong", text: kind ? "Not of this kind." : "No fact contradicts what nearly all others keep, and none is without anything that speaks for it.", actions: kind || state ? h("a", { class: "button main", href: to("doctor") }, "All findings") : null }),
    answer.total > findings.length && findings.length === MOST ? h("p", { class: "note more" }, `The first ${MOST} of ${number(answer.total)} are listed; sightline doctor --limit lists more.`) : null);
    if (findings.length) select(selected, false);
    else put(detail);
  }

  /** @param {number} i @param {boolean} [said] */
  function select(i, said = true) {
    const finding = findings[i];
    if (!finding) return;
    selected = i;
    lines.forEach((row, n) => {
      row.setAttribute("aria-selected", String(n === i));
      row.tabIndex = n === i ? 0 : -1;
    });
    if (said) replace({ id: finding.id });
    lines[i]?.scrollIntoView({ block: "nearest" });
    put(detail, shown(finding, decide, compile));
    if (said && innerWidth < 900) detail.scrollIntoView({ block: "start" });
  }

  /** @param {number} by */
  function step(by) {
    const next = Math.min(Math.max(selected + by, 0), findings.length - 1);
    select(next);
    lines[next]?.focus({ preventScroll: true });
  }

  /** @param {"accept" | "ignore" | "reopen"} how */
  async function decide(how) {
    const finding = findings[selected];
    if (!finding || busy || (how === "accept" && !finding.patch?.retracts.length)) return;
    busy = true;
    try {
      const { finding: now, next } = await post(`doctor/${finding.id}:${how}`, undefined);
      states.set(finding.state, (states.get(finding.state) ?? 1) - 1);
      states.set(now.state, (states.get(now.state) ?? 0) + 1);
      if (state !== "all") counted.set(finding.kind, (counted.get(finding.kind) ?? 1) - 1);
      findings = state === "all" ? findings.map((one) => (one === finding ? now : one)) : findings.filter((one) => one !== finding);
      marked.delete(finding.id);
      const undo = h("button", { type: "button", class: "button", onclick: async () => {
        await post(`doctor/${finding.id}:reopen`, undefined).then(() => { replace({ id: finding.id }); location.reload(); }, (error) => put(told, refusal(error)));
      } }, "Undo");
      const text = how === "accept" ? ["Accepted as load ", h("code", {}, now.load), ". It counts once the graph is compiled anew, here or by ", h("code", {}, next), "."] : how === "ignore" ? "Ignored: it is listed no more." : "Listed again.";
      put(told, h("div", { class: "notice done" }, icon("check"), h("span", { class: "grow" }, text), how === "reopen" ? null : undo, how === "accept" ? h("button", { type: "button", class: "button", onclick: compile }, "Compile now") : null));
      say(told.textContent ?? "");
      replace({ id: findings[Math.min(selected, findings.length - 1)]?.id ?? null });
      draw();
      lines[selected]?.focus({ preventScroll: true });
    } catch (error) {
      put(told, refusal(/** @type {any} */ (error)));
    } finally {
      busy = false;
    }
  }

  /** Have the graph compiled with what was accepted; other decisions may be taken meanwhile. */
  async function compile() {
    try {
      let job = await post("compile", undefined);
      const text = h("span", { class: "grow" });
      put(told, h("div", { class: "notice" }, icon("clock"), text));
      while (job.state === "queued" || job.state === "running") {
        text.textContent = `Compiling: ${job.state === "queued" ? "waiting for a worker" : plain(job.stage ?? "begun")}. This page may be left.`;
        await new Promise((again) => setTimeout(again, AGAIN));
        job = await ask(`jobs/${encodeURIComponent(job.id)}`);
      }
      if (job.state !== "done") throw new Error(`The graph was not compiled: ${job.error ?? job.state}`);
      put(told, h("div", { class: "notice done" }, icon("check"), h("span", { class: "grow" }, "Compiled: the graph is without what was accepted."), h("button", { type: "button", class: "button", onclick: () => location.reload() }, "Check again")));
      say(told.textContent ?? "");
    } catch (error) {
      if (/** @type {Error} */ (error).name !== "AbortError") put(told, refusal(/** @type {any} */ (error)));
    }
  }

  keys({
    j: { does: "next finding", run: () => step(1) }, k: { does: "finding before", run: () => step(-1) },
    a: { does: "accept the patch", run: () => decide("accept") }, i: { does: "ignore", run: () => decide(findings[selected]?.state === "open" ? "ignore" : "reopen") },
  });
  draw();
  if (gone) put(told, h("div", { class: "notice" }, icon("clock"), h("span", { class: "grow" }, "The finding of this address is not in this list: it was decided about, or the graph has changed."), h("a", { class: "button", href: to("doctor", null, { state: "all", id: query.get("id") }) }, "Look in all")));
}

/** Why a decision was not taken. @param {Error & { report?: any }} error */
function refusal(error) {
  const status = error.report?.status;
  const text = status === 401 || status === 403 ? "This needs the role admin; everything here can be read all the same." : error.message;
  return h("div", { class: "notice failed", role: "alert" }, icon("error"), h("span", { class: "grow" }, label(text)));
}

/** @param {number} p */
const sure = (p) => (p > 0.99 ? (p >= 0.9995 ? "100%" : `${(100 * p).toFixed(1)}%`) : percent(p));

/** A finding in a line, and why in another. @param {Finding} finding @returns {import("../parts/dom.js").Content[]} */
function told_({ why, facts, kind, extracted }) {
  if (extracted) return [[named(extracted.head), " ", label(verb(extracted.relation, true)), " ", named(extracted.tail)], label(why.slice(why.indexOf(": ") + 2))];
  const [fact] = facts;
  const cut = why.search(/: |, where |, which |, against /);
  const rest = cut < 0 ? "" : why.slice(cut + 2);
  if (fact && facts.length === 1 && (kind === "implausible" || kind === "contradiction")) {
    const [head, tail] = fact.forward ? [fact.source, fact.target] : [fact.target, fact.source];
    return [[named(head), " ", label(verb(fact.relation, true)), " ", named(tail)], label(rest || why)];
  }
  return [walked(cut < 0 ? why : why.slice(0, cut)), walked(rest)];
}

/** @param {Finding} finding @param {(how: "accept" | "ignore" | "reopen") => void} decide @param {() => void} compile */
function shown(finding, decide, compile) {
  const [name] = told_(finding);
  const wrong = new Set((finding.patch?.retracts ?? []).map((one) => `${one.subject} ${one.predicate} ${one.object}`));
  const cures = wrong.size > 0;
  const open = finding.state === "open";
  return [
    h("div", { class: "inside" }, h("p", {}, kindSign(finding.kind)), h("h2", { class: "claim" }, name),
      finding.extracted || finding.facts.length ? h("ul", { class: "facts" }, finding.extracted ? h("li", {}, h("div", { class: "row" }, mark("extracted"), h("span", { class: "grow" }, entityLink(finding.extracted.head, { kind: "bare" }), " ", h("span", { class: "quiet" }, named(finding.extracted.relation)), " ", entityLink(finding.extracted.tail, { kind: "bare" })),
        h("span", { class: "verdict drop" }, "drop"), sourceButton(finding.extracted.origins, [finding.extracted.head.iri, finding.extracted.tail.iri]))) : null, finding.facts.map((fact) => {
        const [head, tail] = fact.forward ? [fact.source, fact.target] : [fact.target, fact.source];
        const drops = wrong.has(`${head.iri} ${fact.relation.iri} ${tail.iri}`);
        return h("li", {}, h("div", { class: "row" }, mark("stated"), h("span", { class: "grow" }, entityLink(head, { kind: "bare" }), " ", h("span", { class: "quiet" }, named(fact.relation)), " ", entityLink(tail, { kind: "bare" })),
          cures ? h("span", { class: drops ? "verdict drop" : "verdict keep" }, drops ? "drop" : "keep") : null, sourceButton(fact.origins, [head.iri, tail.iri])));
      })) : h("ul", { class: "facts" }, finding.entities.slice(0, 6).map((entity) => h("li", {}, entityLink(entity, { withDot: true })))),
      h("h3", {}, "Evidence"), h("p", {}, walked(finding.why.endsWith(".") ? finding.why : `${finding.why}.`)),
      h("p", { class: "quiet" }, `${sure(finding.certainty)} sure, as far as the graph says. ${finding.severity === "high" ? "This is a grave one." : ""}`),
      h("h3", {}, "Suggested patch"), finding.patch ? patch(finding) : h("p", { class: "quiet" }, "The graph does not say which of it is wrong. Look at the rows, and mend the source."),
      finding.affected ? h("p", { class: "quiet" }, `${plural(finding.affected.paths, "path")} of two steps ${finding.affected.paths === 1 ? "goes" : "go"} with this. `, finding.affected.alone.length ? [named(/** @type {Entity} */ (finding.affected.alone[0])), finding.affected.alone.length > 1 ? ` and ${number(finding.affected.alone.length - 1)} more are` : " is", " left without a fact. "] : null, "The file itself stays as it is; the patch is a load that can be retracted.") : null),
    h("div", { class: "row decide" }, open ? [
      h("button", { type: "button", class: "button main", disabled: !cures, title: cures ? null : "Taking statements back does not mend this", onclick: () => decide("accept") }, "Accept patch", h("kbd", { class: "desk" }, "a")),
      h("button", { type: "button", class: "button", onclick: () => decide("ignore") }, "Ignore", h("kbd", { class: "desk" }, "i"))] : [
      h("span", { class: "quiet grow" }, finding.state === "accepted" ? "Accepted: gone once the graph is compiled anew" : "Ignored"),
      finding.state === "accepted" ? h("button", { type: "button", class: "button main", onclick: compile }, "Compile now") : null,
      h("button", { type: "button", class: "button", onclick: () => decide("reopen") }, "List again", h("kbd", { class: "desk" }, "i"))],
    h("span", { class: "grow" }), h("span", { class: "row desk" }, h("kbd", {}, "j"), h("kbd", {}, "k"))),
  ];
}

/** What a patch takes back, or the update for where the data comes from. @param {Finding} finding */
function patch({ patch: cure, facts }) {
  if (!cure) return null;
  if (!cure.retracts.length) return h("div", { class: "patch" }, h("header", {}, "SPARQL Update, for where the data comes from"), h("pre", {}, plain(cure.sparql)));
  const gone = new Set(cure.retracts.map((one) => `${one.subject} ${one.predicate} ${one.object}`));
  const [origin] = facts.filter((fact) => gone.has(`${fact.source.iri} ${fact.relation.iri} ${fact.target.iri}`)).flatMap((fact) => fact.origins);
  const kept = facts.filter((fact) => !gone.has(`${fact.source.iri} ${fact.relation.iri} ${fact.target.iri}`));
  return h("div", { class: "patch" }, h("header", {}, label(origin ? `retract, load ${origin.load.slice(0, 8)} ${origin.place}` : "retract")),
    cure.retracts.map((one) => h("div", { class: "minus" }, h("span", { "aria-label": "minus" }, "- "), label([one.subject, one.predicate, one.object].map(short).join(" ")))),
    kept.slice(0, 4).map((fact) => h("div", {}, "  ", label([fact.source, fact.relation, fact.target].map((one) => one.id).join(" ")))));
}

/** @param {string} iri */
const short = (iri) => iri.replace(/^urn:sightline:/, "");
