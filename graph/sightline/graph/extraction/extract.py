"""Facts that texts state, extracted over a workspace, as a load of its own.

They lie in the named graph ``EXTRACTED_GRAPH``, are listed and retracted like any other load, and
carry the sentence, the method and the confidence. They belong to the facts and texts they were made
from: when others are active, compiling extracts anew and takes the old load out. No sentence ever
becomes a stated fact, and held-out facts of a benchmark are never looked at.

Knows loads; how names are found and relations read is in ``linking`` and ``relations``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import polars as pl

from sightline.graph.errors import require_range
from sightline.graph.extraction import linking, llm, relations
from sightline.graph.extraction.candidates import Candidates, candidates
from sightline.graph.extraction.errors import NoText
from sightline.graph.extraction.linking import Mentions, Together, Told, together
from sightline.graph.extraction.llm import BUDGET, DEADLINE_S, Endpoint, require_allowed
from sightline.graph.extraction.relations import Extracted
from sightline.graph.extraction.sentences import cleaned, sentences
from sightline.graph.progress import Progress, silent
from sightline.graph.record.errors import NothingLoaded
from sightline.graph.record.loads import (
    Counts,
    Load,
    LoadWriter,
    Role,
    active_loads,
    digest_of,
    load_id,
    now,
    take_out,
)
from sightline.graph.record.statements import (
    EVIDENCE,
    QUALIFIERS,
    scan_statements,
    statement_schema,
)
from sightline.graph.snapshot.build import draft
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.storage.artifact import is_intact, read_manifest
from sightline.graph.storage.workspace import ANSWERS, Workspace
from sightline.graph.vocabulary import (
    CONFIDENCE,
    EXTRACTED_GRAPH,
    METHOD,
    SUPPORTING_TEXT,
    TEXT,
    XSD,
    XSD_STRING,
)

#: Changes whenever texts are read otherwise, so that what was extracted before is extracted again.
VERSION = 6
#: Of which loads extracted facts are made.
INPUTS: tuple[Role, ...] = ("facts", "inferred", "merges", "retractions", "text")
PRECISION = 0.65
DISTANT = "distant supervision"
#: Beside the statements and ``EVIDENCE``: who is named, and who together; new names.
MENTIONS, TOGETHER, NAMES = (f"{name}.parquet" for name in ("mentions", "together", "names"))
#: Pairs and names that are kept, the most frequent first.
MOST_KEPT = 100_000
#: A new name is in so many sentences.
SEEN = 2
_NAME = re.compile(
    r"(?<=[^\W\d_] )[^\W\d_a-z]\w+(?:[ -](?:(?:of|the|de|la|and) )?[^\W\d_a-z]\w+){0,5}"
)


@dataclass(frozen=True, slots=True)
class Options:
    """How texts are read.

    Attributes:
        precision: least share of facts among what is taken, on pairs that were not learnt from.
        properties: IRIs of properties whose values are read as texts.
        llm, model: an OpenAI-compatible endpoint that reads relations, and the name of its model;
            empty: the graph's own facts teach how to.
        budget: tokens that the model may cost.
    """

    precision: float = PRECISION
    properties: tuple[str, ...] = ()
    llm: str = ""
    model: str = ""
    budget: int = BUDGET

    @property
    def text(self) -> str:
        """All of it, as a load keeps it."""
        said = asdict(self)
        if not self.llm:
            del said["llm"], said["model"], said["budget"]
        return json.dumps({"version": VERSION, **said}, sort_keys=True)

    @property
    def method(self) -> str:
        """How relations are read, in words."""
        return f"language model {self.model}" if self.llm else DISTANT

    @classmethod
    def of(cls, load: Load) -> Options:
        """Those that a load was extracted with."""
        said = json.loads(load.mapping)
        del said["version"]
        return cls(**{**said, "properties": tuple(said["properties"])})


def extract(
    workspace: Workspace,
    options: Options | None = None,
    *,
    network: bool = False,
    deadline_s: float = DEADLINE_S,
    offline: bool = False,
    progress: Progress = silent,
) -> Load:
    """Write what the texts state and the graph lacks, in place of what was extracted before.

    What was extracted from the same facts and texts in the same way is not extracted again.

    Args:
        network: sentences may be sent to an endpoint that is not on this machine.
        deadline_s: seconds for which an endpoint is asked.
        offline: no endpoint is asked; only its former answers are taken.

    Raises:
        OutOfRange, NothingLoaded, NotWritable, DiskFull, WorkspaceLocked
        NoText: there is no text to read; nothing was changed.
        NetworkForbidden, EndpointFailed: nothing was changed; answers are kept.
    """
    options = options or Options()
    endpoint = None
    if options.llm:
        endpoint = Endpoint(options.llm, options.model, options.budget, deadline_s, network)
        if not offline:
            require_allowed(options.llm, network)
    require_range("precision", options.precision, 0.0, 1.0)
    with workspace.lock():
        loads = active_loads(workspace)
        if not any(load.role == "facts" for load in loads):
            raise NothingLoaded(workspace.path)
        if not options.properties and not any(load.role == "text" for load in loads):
            raise NoText(workspace.path)
        name = extracted_id(loads, options)
        if is_intact(workspace.loads_folder / name):
            workspace.set_retracted(name, False)
        else:
            _write(workspace, name, loads, options, endpoint, offline, progress)
        take_out(workspace, loads, "extracted", name)
        return Load.read(workspace.loads_folder / name)


def renew(workspace: Workspace, progress: Progress = silent) -> bool:
    """Extract anew where facts were extracted, and from others than what is active now; whether it
    was. Where no text is left, what was extracted goes."""
    loads = active_loads(workspace)
    extracted = [load for load in loads if load.role == "extracted"]
    if not extracted:
        return False
    options = Options.of(extracted[0])
    if [load.id for load in extracted] == [extracted_id(loads, options)]:
        return False
    try:
        extract(workspace, options, offline=True, progress=progress)
    except NoText:
        take_out(workspace, loads, "extracted")
    return True


def extracted_id(loads: Sequence[Load], options: Options) -> str:
    """The id of the load of what the texts among ``loads`` state."""
    return load_id(digest_of(loads, INPUTS), options.text, "", "extracted")


def about(load: Load) -> dict[str, Any]:
    """What extracting found, left out and measured: the part of the manifest that says so."""
    found: dict[str, Any] = read_manifest(load.folder)["extraction"]
    return found


def preview(load: Load, most: int = 20) -> list[tuple[str, str, str]]:
    """The surest facts of a load in words, with confidence and sentence."""
    found = pl.read_parquet(load.folder / EVIDENCE, n_rows=most)
    return [
        (fact, f"{confidence:.0%}", sentence)
        for fact, confidence, sentence in found.select("fact", "confidence", "sentence").iter_rows()
    ]


def _write(
    workspace: Workspace,
    name: str,
    loads: Sequence[Load],
    options: Options,
    endpoint: Endpoint | None,
    offline: bool,
    progress: Progress,
) -> None:
    started = now()
    used = [load for load in loads if load.role in INPUTS]
    for load in used:
        load.verify()
    progress("extract", 0, 4, "reading texts")
    read = _sentences(used, options.properties)
    texts = read["text"].to_list()
    document = read["document"].rle_id().cast(pl.Int32).to_numpy()
    progress("extract", 1, 4, "compiling what is known")
    with draft(workspace, [load for load in used if load.role != "text"]) as snapshot:
        told = Told()
        progress("extract", 2, 4, "finding names")
        mentions = linking.link(snapshot, texts, document, told)
        pairs = together(mentions, len(texts))
        progress("extract", 3, 4, "reading relations")
        possible = candidates(snapshot, mentions)
        asked: dict[str, Any] = {}
        if endpoint is None:
            found = relations.extract(snapshot, possible, document, options.precision)
        else:
            answers = workspace.path / ANSWERS
            found, said = llm.read(
                *(snapshot, possible, texts, endpoint, answers),
                offline=offline,
                precision=options.precision,
                progress=progress,
            )
            asked = {one.name: getattr(said, one.name) for one in fields(said)}
        statements = _statements(snapshot, found, read, options.method)
        evidence = (
            read[found.sentence.tolist()]
            .select("load", "row")
            .with_columns(
                statement=pl.Series(range(1, len(statements) + 1), dtype=pl.UInt32),
                confidence=pl.Series(found.confidence),
                sentences=pl.Series(found.sentences),
                sentence=read["text"].gather(found.sentence.tolist()),
                fact=pl.Series(_said(snapshot, found), dtype=pl.String),
            )
        )
        measured = _about(snapshot, told, len(texts), mentions, possible, found)
        named, both = _named(snapshot, mentions, read), _both(snapshot, pairs)
        new = _new_names(texts, snapshot)
    count = statements.height
    measured |= {"method": options.method, "new_names": new.height}
    if asked:
        measured["asked"] = asked
    with LoadWriter(workspace, name, EXTRACTED_GRAPH) as writer:
        writer.write(statements)
        for file, frame in (
            (EVIDENCE, evidence),
            (MENTIONS, named),
            (TOGETHER, both),
            (NAMES, new),
        ):
            writer.write_beside(file, frame)
        writer.commit(
            sha256=hashlib.sha256(name.encode()).hexdigest(),
            role="extracted",
            counts=Counts(len(texts), len(texts), 0, 0, count),
            media_type="application/vnd.apache.parquet",
            started=started,
            mapping=options.text,
            derived_from=[load.id for load in used],
            about={"extraction": measured},
        )
    progress("extract", 4, 4, "done")


def _sentences(loads: Sequence[Load], properties: Sequence[str]) -> pl.DataFrame:
    """Id of the load, row, document and text of every sentence."""
    schema = {"load": pl.String, "row": pl.UInt32, "document": pl.String, "text": pl.String}
    parts = [pl.DataFrame(schema=schema)]
    is_text = pl.col("predicate") == TEXT
    for index, frame in scan_statements(loads, "text"):
        rows = frame.filter(is_text).select(
            pl.lit(loads[index].id).alias("load"), "row", document="subject", text="object"
        )
        parts.append(rows.collect())
    for index, frame in scan_statements(loads, "facts") if properties else ():
        chosen = pl.col("predicate").is_in(list(properties)) & pl.col("datatype").is_not_null()
        values = frame.filter(chosen).select("row", "subject", "object").collect()
        rows_of = [
            (loads[index].id, row, subject, cleaned(text[start:end]))
            for row, subject, text in values.iter_rows()
            for start, end in sentences(text)
        ]
        parts.append(pl.DataFrame(rows_of, schema=schema, orient="row"))
    return pl.concat(parts)


def _statements(
    snapshot: Snapshot, found: Extracted, read: pl.DataFrame, method: str
) -> pl.DataFrame:
    s = snapshot
    texts = read["text"].gather(found.sentence.tolist()).to_list()
    count = len(found.head)

    def said(text: str, confidence: float) -> list[dict[str, str | None]]:
        of = [
            (CONFIDENCE, f"{confidence:.4f}", XSD + "decimal"),
            (SUPPORTING_TEXT, text, XSD_STRING),
            (METHOD, method, XSD_STRING),
        ]
        return [{"key": k, "value": v, "datatype": d, "language": None} for k, v, d in of]

    frame = pl.DataFrame(
        {
            "subject": s.entity_iris.take(found.head.tolist()),
            "predicate": s.relation_iris.take(found.relation.tolist()),
            "object": s.entity_iris.take(found.tail.tolist()),
            "datatype": [None] * count,
            "language": [None] * count,
            "graph": [EXTRACTED_GRAPH] * count,
            "row": range(1, count + 1),
        },
        schema=statement_schema(),
    )
    if not count:
        return frame
    qualifiers = [said(*one) for one in zip(texts, found.confidence.tolist())]
    return frame.with_columns(pl.Series(QUALIFIERS, qualifiers))


def _said(snapshot: Snapshot, found: Extracted) -> list[str]:
    """Facts by labels: ``Ankara —located in→ Turkey``."""
    s = snapshot
    labels = (
        s.entity_labels.take(found.head.tolist()),
        s.relation_labels.take(found.relation.tolist()),
        s.entity_labels.take(found.tail.tolist()),
    )
    return [f"{head} —{relation}→ {tail}" for head, relation, tail in zip(*labels)]


def _about(
    snapshot: Snapshot,
    told: Told,
    sentences_read: int,
    mentions: Mentions,
    possible: Candidates,
    found: Extracted,
) -> dict[str, Any]:
    taken = Counter(found.relation.tolist())
    return {
        "sentences": sentences_read,
        "linking": asdict(told) | {"entities": len(np.unique(mentions.entity))},
        "candidates": len(possible.head),
        "candidates_cut": possible.cut,
        "denied": possible.denied,
        "already_answered": found.single,
        "relations": [
            {
                "relation": snapshot.relation_iris[one.relation],
                "label": snapshot.relation_labels[one.relation],
                "extracted": taken[one.relation],
                **{name: value for name, value in asdict(one).items() if name != "relation"},
            }
            for one in found.judged
        ],
    }


def _named(snapshot: Snapshot, mentions: Mentions, read: pl.DataFrame) -> pl.DataFrame:
    """Which entity each sentence names, and how often."""
    places = {"sentence": mentions.sentence, "entity": mentions.entity}
    grouped = pl.DataFrame(places).group_by("sentence", "entity", maintain_order=True)
    counted = grouped.len("times")
    ids = counted["entity"].unique()
    iris = pl.Series(snapshot.entity_iris.take(ids.to_list()), dtype=pl.String)
    of = read.select("load", "row")[counted["sentence"]]
    return of.with_columns(counted["entity"].replace_strict(ids, iris), counted["times"])


def _both(snapshot: Snapshot, pairs: Together) -> pl.DataFrame:
    """Entities that sentences name together, the most often first."""
    order = np.lexsort((pairs.other, pairs.one, -pairs.pmi, -pairs.sentences))[:MOST_KEPT]
    return pl.DataFrame(
        {
            "one": snapshot.entity_iris.take(pairs.one[order].tolist()),
            "other": snapshot.entity_iris.take(pairs.other[order].tolist()),
            "sentences": pairs.sentences[order],
            "pmi": pairs.pmi[order],
        },
        schema={"one": pl.String, "other": pl.String, "sentences": pl.Int64, "pmi": pl.Float64},
    )


def _new_names(texts: Sequence[str], snapshot: Snapshot) -> pl.DataFrame:
    """Capitalised words within sentences that name nothing in the graph, in several sentences."""
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(set(_NAME.findall(text)))
        if len(counts) > 10 * MOST_KEPT:
            counts = Counter(dict(counts.most_common(MOST_KEPT)))
    index = snapshot.search_index
    found = [
        (name, count)
        for name, count in counts.most_common(MOST_KEPT)
        if count >= SEEN and not len(index.exact(name))
    ]
    return pl.DataFrame(found, {"name": pl.String, "sentences": pl.Int64}, orient="row")
