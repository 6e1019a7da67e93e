// What the page reads of the API's answers; /openapi.json says all of it. For the type check only.

export type Ref = { id: string; iri: string; label: string };
export type Entity = Ref & { types: string[] };
export type Found = Entity & { degree: number; extracted: number; how: "exact" | "prefix" | "word" | "typo" | null };
export type Origin = { load: string; source: string; row: number; place: string; merged_from: string[] };
export type Qualifier = { key: string; label: string; value: string | number };
export type Status = "stated" | "inferred" | "predicted" | "extracted";
export type Step = { source: Entity; relation: Ref; forward: boolean; target: Entity; origins: Origin[] };
export type Path = { text: string; steps: Step[]; score: number; metapath: string; length: number };
export type Fact = {
  head: Entity; relation: Ref; tail: Entity; direction: "out" | "in" | null; status: Status;
  probability: number | null; probability_if_any: number | null; abstain: boolean;
  surprising: number | null; support: Path[]; support_note: string | null;
  rule: { rule: { text: string; confidence: number; support: number; pairs: number }; paths: Path[]; count: number } | null;
  graph_chance: number | null; origins: Origin[]; qualifiers: Qualifier[];
};
export type Reliability = {
  model: string | null; abstain_below: number | null; base_rate: number | null; calibration_error: number | null;
  guesses: number | null; truncated: boolean; reason: string | null;
};
export type ClassCount = { type: Ref | null; entities: number };
export type Load = { load: string; source: string };
export type Stats = {
  snapshot: string; model: string | null; entities: number; relations: number; edges: number;
  loads: Load[]; types: ClassCount[]; [more: string]: any;
};
export type RawRecord = {
  load: string; source: string; row: number; place: string; key: string[];
  cells: { column: string; values: string[] }[]; raw: string;
  facts: { subject: string; predicate: string; object: string; columns: string[] }[];
};
/** A problem report (RFC 9457). */
export type Report = { title?: string; detail: string; status?: number; [more: string]: any };
