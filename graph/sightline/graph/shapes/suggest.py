"""Shapes that the facts of a snapshot keep but for few exceptions, as a file to edit.

For each class and property: whether each instance has a value, whether it has one at most, the
datatype or class of the values, and a short list of texts that all of them are from. Of relations,
what mining finds beside: that a value belongs to one alone, and that none leads back. Each is
checked before it is written, so that the support and exceptions beside it are those that
``validate`` finds. Knows facts and shapes as records.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import pyoxigraph as ox
import rdflib

from sightline.graph.mining.constraints import LEAST_SUPPORT, MOST_EXCEPTIONS, Constraints
from sightline.graph.shapes.check import Check
from sightline.graph.shapes.core import SH, XSD, Constraint, Path, Shape
from sightline.graph.shapes.facts import Facts, rows_of
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.vocabulary import (
    DEFAULT_BASE,
    GENID,
    RDF_TYPE,
    SCHEMA_CLASSES,
    SCHEMA_PREDICATES,
    readable_name,
)

#: Classes that are looked at, those with the most instances.
MOST_CLASSES = 200
#: A list of texts is closed where it has at most so many, each on average so often.
MOST_LISTED, LEAST_OFTEN = 12, 10
#: So many cases without an exception show, at 95 %, that 95 of 100 keep it; fewer are a note.
ENOUGH = 59
#: Exceptions that are named.
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A constraint that facts keep.

    Attributes:
        target: which nodes it is about: a local name of SHACL, and an IRI.
        path: in Turtle.
        said: the constraint in Turtle.
        support: nodes or values that could break it; ``exceptions``: those that do.
        examples: some nodes of which it is not true.
    """

    target: tuple[str, str]
    path: str
    said: str
    support: int
    exceptions: int
    examples: tuple[str, ...]

    @property
    def one_way(self) -> bool:
        """That a relation does not lead back: so does one without a direction, each pair of which
        is stated once."""
        return self.target[0] == "targetSubjectsOf"

    @property
    def severity(self) -> str:
        """How grave it is to break it: the less the evidence, the less."""
        if self.exceptions:
            return "Info" if self.one_way else "Warning"
        return "Violation" if self.support >= ENOUGH and not self.one_way else "Info"


@dataclass(frozen=True, slots=True)
class Suggestions:
    """What is suggested, by target; and how many classes of at least ``LEAST_SUPPORT`` instances
    were not looked at."""

    found: tuple[Suggestion, ...]
    left_out: int


def suggest(snapshot: Snapshot) -> Suggestions:
    """Constraints that the facts of a snapshot keep in at least 95 of 100 cases.

    Raises:
        DamagedLoad: a load that the snapshot was compiled from is gone, or damaged.
    """
    facts = Facts.of(snapshot)
    check = Check(facts, ())
    typed = facts.statements.filter(pl.col("predicate") == RDF_TYPE, pl.col("datatype").is_null())
    classes = typed.group_by("object").agg(pl.col("s").n_unique().alias("members"))
    named = ~pl.col("object").is_in(SCHEMA_CLASSES) & ~pl.col("object").str.starts_with(GENID)
    classes = classes.filter(named, pl.col("members") >= LEAST_SUPPORT)
    classes = classes.sort("members", "object", descending=[True, False])
    found: list[Suggestion] = []
    for iri in classes["object"].head(MOST_CLASSES):
        nodes = check.instances(iri)["focus"]
        about = facts.statements.join(nodes.to_frame("s"), on="s", how="semi")
        used = about.filter(~pl.col("predicate").is_in(SCHEMA_PREDICATES))["predicate"]
        for predicate in used.unique().sort():
            found += _of_class(check, iri, nodes, predicate)
    found += _of_relations(check, snapshot)
    return Suggestions(tuple(found), max(0, classes.height - MOST_CLASSES))


def to_turtle(suggestions: Suggestions) -> str:
    """The suggestions as shapes, with support and exceptions as remarks, and a severity."""
    lines = [
        "# Shapes that the facts keep, to edit: take out what is so by chance. Each says in how",
        "# many cases it holds and names exceptions, which are warnings; what fewer than",
        f"# {ENOUGH} cases show, or another reading explains, is a note (sh:Info).",
        f"@prefix sh: <{SH}> .",
    ]
    if suggestions.left_out:
        lines.append(f"# {suggestions.left_out} classes with fewer instances were not looked at.")
    targets = dict.fromkeys(one.target for one in suggestions.found)
    for target in targets:
        kind, iri = target
        name = f"{DEFAULT_BASE}shape:{kind}:{iri}"
        lines += ["", f"{ox.NamedNode(name)} a sh:NodeShape ; sh:{kind} {ox.NamedNode(iri)}"]
        for one in suggestions.found:
            if one.target != target:
                continue
            kept = f"{one.support - one.exceptions:,} of {one.support:,}"
            without = f"; not {', '.join(one.examples)}" if one.examples else ""
            severity = f" ; sh:severity sh:{one.severity}" if one.severity != "Violation" else ""
            once = "; or each pair is stated once, in either direction" if one.one_way else ""
            lines.append(f"  # {kept}{without}{once}")
            lines.append(f"  ; sh:property [ sh:path {one.path} ; {one.said}{severity} ]")
        lines.append("  .")
    return "\n".join(lines) + "\n"


def _of_class(check: Check, iri: str, nodes: pl.Series, predicate: str) -> Iterator[Suggestion]:
    """What the values of a property keep for the instances of a class."""
    path = Path("is", predicate)
    values = check.along(path, nodes)
    candidates: list[tuple[Constraint, str, int]] = []
    having = values["focus"].n_unique()
    candidates.append((Constraint("minCount", 1), "sh:minCount 1", len(nodes)))
    if having >= ENOUGH or _one_elsewhere(check, predicate, nodes):
        candidates.append((Constraint("maxCount", 1), "sh:maxCount 1", having))
    terms = check.said(values)
    kinds = terms["datatype"].value_counts(sort=True)
    datatype = kinds["datatype"][0]
    if datatype is not None:
        said = f"sh:datatype {ox.NamedNode(datatype)}"
        candidates.append((Constraint("datatype", rdflib.URIRef(datatype)), said, values.height))
        if datatype == str(XSD.string) and (few := _listed(terms)):
            texts = " ".join(str(ox.Literal(str(text))) for text in few)
            candidates.append((Constraint("in", few), f"sh:in ( {texts} )", values.height))
    elif (kind := _class_of(check, values)) is not None:
        said = f"sh:class {ox.NamedNode(kind)}"
        candidates.append((Constraint("class", rdflib.URIRef(kind)), said, values.height))
    else:
        candidates.append((Constraint("nodeKind", SH.IRI), "sh:nodeKind sh:IRI", values.height))
    for constraint, said, support in candidates:
        where = ("targetClass", iri), str(ox.NamedNode(predicate)), said
        yield from _kept(check, constraint, path, nodes, support, where)


def _of_relations(check: Check, snapshot: Snapshot) -> Iterator[Suggestion]:
    """What mining finds of relations, and no class says."""
    for mined in Constraints(snapshot).found:
        if mined.relation is None or mined.kind not in ("inverse functional", "asymmetric"):
            continue
        iri = snapshot.relation_iris[mined.relation]
        back = Path("inversePath", parts=(Path("is", iri),))
        pairs = check.facts.pairs(iri)
        if mined.kind == "asymmetric":
            constraint, said = Constraint("disjoint", rdflib.URIRef(iri)), "sh:disjoint"
            said, target = f"{said} {ox.NamedNode(iri)}", "targetSubjectsOf"
            nodes = pairs["focus"].unique()
        else:
            constraint, said, target = Constraint("maxCount", 1), "sh:maxCount 1", "targetObjectsOf"
            nodes = pairs["value"].unique()
        where = (target, iri), f"[ sh:inversePath {ox.NamedNode(iri)} ]", said
        yield from _kept(check, constraint, back, nodes, len(nodes), where)


def _one_elsewhere(check: Check, predicate: str, nodes: pl.Series) -> bool:
    """Whether what is none of some nodes has one value of a property, too, as a rule: few cases
    show nothing where the property has several values."""
    pairs = check.facts.pairs(predicate)
    others = pairs.filter(~pl.col("focus").is_in(nodes.implode())).group_by("focus").len()
    return int((others["len"] > 1).sum()) <= MOST_EXCEPTIONS * others.height


def _kept(
    check: Check,
    constraint: Constraint,
    path: Path,
    nodes: pl.Series,
    support: int,
    where: tuple[tuple[str, str], str, str],
) -> Iterator[Suggestion]:
    """A constraint where it is kept: as many exceptions as ``validate`` would list."""
    shape = Shape("", path, (), (constraint,), "Warning", None, False)
    broken = pl.concat(
        [pl.Series("focus", [], pl.UInt64)]
        + [found.results["focus"] for found in check.nodes(shape, nodes)]
    )
    if support < LEAST_SUPPORT or len(broken) > MOST_EXCEPTIONS * support:
        return
    texts = check.texts(broken.unique())["text"].sort().head(SHOWN)
    examples = tuple(_remark(text) for text in texts)
    yield Suggestion(*where, support, len(broken), examples)


def _listed(terms: pl.DataFrame) -> tuple[rdflib.term.Node, ...]:
    """The few texts that values are from; none where there are many."""
    seldom = MOST_EXCEPTIONS * terms.height / MOST_LISTED
    texts = terms.filter(pl.col("datatype") == str(XSD.string)).group_by("text").len()
    texts = texts.filter(pl.col("len") > seldom).sort("text")
    if not texts.height or texts.height > MOST_LISTED:
        return ()
    if terms.height < LEAST_OFTEN * texts.height:
        return ()
    rows = texts.select("text", datatype=pl.lit(str(XSD.string)), language=pl.lit(None, pl.String))
    return tuple(rows_of(rows))


def _class_of(check: Check, values: pl.DataFrame) -> str | None:
    """The class that most values are of; of equal ones that with the fewest members."""
    types = check.facts.pairs(RDF_TYPE).rename({"focus": "value", "value": "class"})
    found = values.join(types, on="value").group_by("class").len()
    if not found.height:
        return None
    members = types.group_by("class").len("members")
    best = found.join(members, on="class").sort("len", "members", descending=[True, False]).head(1)
    text: str = check.texts(best["class"])["text"][0]
    plain = text not in SCHEMA_CLASSES and not text.startswith(GENID)
    return text if plain and best["len"][0] >= (1 - MOST_EXCEPTIONS) * values.height else None


def _remark(text: str) -> str:
    """A text in a remark, where a line would end it."""
    return " ".join(readable_name(text).split())[:60]
