// Answers from an exported student in the browser; nothing is sent anywhere.
// The model is read from ./model, or from the folder that ?model= names; a question that the
// address holds (#entity=Kenya&relation=urn:sightline:relation:member_of&asks=tail) is asked at once.

import * as ort from "./node_modules/onnxruntime-web/dist/ort.wasm.bundle.min.mjs";

const BEST = 10;
const SUGGESTED = 5000;
// More threads need headers that a plain file server does not send; one is enough here.
ort.env.wasm.numThreads = 1;

const folder = new URL(new URLSearchParams(location.search).get("model") ?? "model", location.href);
const at = (id) => document.getElementById(id);
const form = at("question");

async function bytes(name) {
  const answer = await fetch(`${folder}/${name}`);
  if (!answer.ok) throw new Error(`${name} is not there: put an export into ${folder.pathname}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** The bytes of a file, if they are those that were exported. */
async function checked(name, manifest) {
  const content = await bytes(name);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const hex = Array.from(digest, (b) => b.toString(16).padStart(2, "0")).join("");
  if (hex !== manifest.files[name].sha256) throw new Error(`${name} is not what was exported`);
  return content;
}

const json = (content) => JSON.parse(new TextDecoder().decode(content));

async function open() {
  const manifest = json(await bytes("manifest.json"));
  const names = json(await checked("vocabulary.json", manifest));
  const session = await ort.InferenceSession.create(await checked("student-int8.onnx", manifest));
  return { names, session };
}

/** The row with this IRI, or the only one with this label. */
function find(column, wanted) {
  const row = column.iri.indexOf(wanted);
  if (row >= 0) return row;
  const first = column.label.indexOf(wanted);
  if (first >= 0 && first === column.label.lastIndexOf(wanted)) return first;
  throw new Error(`“${wanted}” names ${first < 0 ? "nothing" : "several"}: give an IRI`);
}

/** Chance that an answer is a true fact, if what is known is at minus infinity. */
function probability(scores, row, rel, curve) {
  const top = scores.reduce((a, b) => Math.max(a, b));
  const total = scores.reduce((sum, s) => sum + Math.exp(s - top), 0);
  const rank = scores.reduce((n, s) => n + (s > scores[row]), 1);
  const logProbability = scores[row] - top - Math.log(total);
  const logit = curve.slope * logProbability - curve.rank_slope * Math.log(rank);
  return 1 / (1 + Math.exp(-(logit + curve.intercept + curve.rel_offset[rel])));
}

async function answers({ names, session }, { entity, relation, asks, known }) {
  const forward = find(names.relation, relation);
  const rel = asks === "head" ? forward + names.relation.iri.length : forward;
  const one = (value) => new ort.Tensor("int64", BigInt64Array.of(BigInt(value)), [1]);
  const asked = { head: one(find(names.entity, entity)), rel: one(rel) };
  const scores = Float32Array.from((await session.run(asked)).scores.data);
  for (const name of known.split("\n").map((s) => s.trim()).filter(Boolean)) {
    scores[find(names.entity, name)] = -Infinity;
  }
  const rows = Array.from(scores.keys()).filter((row) => scores[row] > -Infinity);
  rows.sort((a, b) => scores[b] - scores[a] || a - b);
  return rows.slice(0, BEST).map((row) => ({
    label: names.entity.label[row],
    iri: names.entity.iri[row],
    probability: probability(scores, row, rel, names.calibration),
  }));
}

// Labels are text of strangers: they are set as text and never as HTML.
const element = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

function show(found, abstainBelow) {
  const rows = found.map(({ label, iri, probability: p }) => {
    const row = document.createElement("tr");
    row.append(element("td", p.toFixed(4)), element("td", label), element("td", iri));
    row.className = p < abstainBelow ? "guess" : "";
    return row;
  });
  at("answers").tBodies[0].replaceChildren(...rows);
  at("answers").hidden = false;
}

async function ask(model) {
  const started = performance.now();
  try {
    const found = await answers(model, Object.fromEntries(new FormData(form)));
    show(found, model.names.calibration.abstain_below);
    at("status").textContent = `Answered in ${(performance.now() - started).toFixed(1)} ms.`;
  } catch (error) {
    at("answers").hidden = true;
    at("status").textContent = error.message;
  }
}

function fill({ names }) {
  const option = (text) => Object.assign(document.createElement("option"), { value: text });
  at("entities").append(...names.entity.label.slice(0, SUGGESTED).map(option));
  const { label, iri } = names.relation;
  at("relation").append(...label.map((text, row) => new Option(text, iri[row])));
  form.hidden = false;
  at("status").textContent = `${names.entity.iri.length} entities; ask.`;
}

try {
  const model = await open();
  fill(model);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.hash = new URLSearchParams(new FormData(form));
  });
  const fromAddress = () => {
    const asked = new URLSearchParams(location.hash.slice(1));
    if (!asked.has("entity")) return;
    for (const [name, value] of asked) if (form.elements[name]) form.elements[name].value = value;
    ask(model);
  };
  addEventListener("hashchange", fromAddress);
  fromAddress();
} catch (error) {
  at("status").textContent = error.message;
}
