"""Facts checked against shapes of SHACL Core, a constraint of all focus nodes at once.

Everything is a join of columns. What a datatype allows and which of two values is greater is
decided by patterns and numbers where these are sure, and by rdflib, as pySHACL does, where they are
not: once for each value. Knows facts and shapes as records; knows no file.
"""

from __future__ import annotations

import datetime
import operator
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl
import rdflib

from sightline.graph.shapes.core import RDF, RDFS, SH, XSD, Constraint, NotCompiled, Path, Shape
from sightline.graph.shapes.facts import Facts, numbers_of, rows_of
from sightline.graph.vocabulary import GENID, RDF_LANG_STRING

#: ``root``: the node that a shape was asked about; ``focus`` and ``value`` as a result has them;
#: ``path``: of results that name a predicate of their own.
SCHEMA = {"root": pl.UInt64, "focus": pl.UInt64, "value": pl.UInt64, "path": pl.String}
#: What certainly is a value of a datatype: so much of it that no calendar is needed.
SURE = {
    str(XSD.integer): r"^[+-]?[0-9]{1,18}$",
    str(XSD.decimal): r"^[+-]?[0-9]{1,15}(\.[0-9]{1,15})?$",
    str(XSD.double): r"^[+-]?[0-9]{1,15}(\.[0-9]{1,15})?$",
    str(XSD.boolean): "^(true|false)$",
    str(XSD.date): "^[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])$",
    str(XSD.gYear): "^[1-9][0-9]{3}$",
    str(XSD.anyURI): "^https?://[A-Za-z0-9./_~-]*$",
}
NUMBERS = [str(XSD.integer), str(XSD.decimal), str(XSD.double)]
#: Below this difference, as a share of the greater, two numbers are compared as they are written.
CLOSE = 1e-9
COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "minExclusive": operator.gt,
    "minInclusive": operator.ge,
    "maxExclusive": operator.lt,
    "maxInclusive": operator.le,
    "lessThan": operator.lt,
    "lessThanOrEquals": operator.le,
}
#: Types of which rdflib has a value that pySHACL wants for a datatype.
VALUES = {"integer": "int", "float": "float", "decimal": "Decimal", "boolean": "bool"}
VALUES |= {"date": "date", "time": "time", "dateTime": "datetime"}


class OutOfTime(Exception):
    """The time to check shapes was over."""


@dataclass(frozen=True, slots=True)
class Found:
    """What one constraint of a shape does not allow, a row of ``results`` each: ``SCHEMA``."""

    shape: Shape
    constraint: Constraint
    name: str
    results: pl.DataFrame


class Check:
    """Checks shapes against facts.

    Args:
        shapes: those that are asked about, for the terms that they name.
        end: when to give up, on the clock ``time.perf_counter``.
    """

    def __init__(self, facts: Facts, shapes: Iterable[Shape], end: float = float("inf")) -> None:
        self.facts = facts
        self.end = end
        self.named = [t for shape in shapes for kind, t in shape.targets if kind == "targetNode"]

    @cached_property
    def terms(self) -> pl.DataFrame:
        """The terms of the facts, and the nodes that shapes are about whether there are such or
        not: the columns of ``Facts.terms``."""
        return pl.concat([self.facts.terms, numbers_of(self.named)], how="diagonal").unique("id")

    def shape(self, shape: Shape) -> list[Found]:
        """What a shape does not allow, of the nodes that it says itself to be about.

        Raises:
            NotCompiled: something that pySHACL would refuse.
            OutOfTime
        """
        return self.nodes(shape, self.targets(shape))

    def targets(self, shape: Shape) -> pl.Series:
        """The nodes that a shape is about: each once."""
        parts = [pl.Series("root", [], pl.UInt64)]
        for kind, target in shape.targets:
            match kind:
                case "targetNode":
                    parts.append(numbers_of([target])["id"].alias("root"))
                case "targetClass":
                    parts.append(self.instances(str(target))["focus"])
                case "targetSubjectsOf":
                    parts.append(self.facts.pairs(str(target))["focus"])
                case _:
                    parts.append(self.facts.pairs(str(target))["value"])
        return pl.concat(part.alias("root") for part in parts).unique()

    def nodes(self, shape: Shape, nodes: pl.Series) -> list[Found]:
        """What a shape does not allow of some nodes, each of which is there once."""
        if shape.deactivated or not len(nodes):
            return []
        values = pl.DataFrame({"focus": nodes, "value": nodes})
        if shape.path is not None:
            values = self.along(shape.path, nodes)
        out: list[Found] = []
        for constraint in shape.constraints:
            if time.perf_counter() > self.end:
                raise OutOfTime
            out += self.constraint(shape, constraint, nodes, values)
        return [found for found in out if found.results.height]

    def failing(self, shape: Shape, nodes: pl.Series) -> pl.Series:
        """Which of some nodes do not conform to a shape."""
        roots = [found.results["root"] for found in self.nodes(shape, nodes.unique())]
        return pl.concat([pl.Series("root", [], pl.UInt64), *roots]).unique()

    def constraint(
        self, shape: Shape, constraint: Constraint, nodes: pl.Series, values: pl.DataFrame
    ) -> Iterator[Found]:
        """What one constraint does not allow.

        Args:
            values: the columns ``focus`` and ``value``.
        """
        kind, asked = constraint.kind, constraint.value
        name = kind[0].upper() + kind[1:]
        if kind == "property":
            for inner in self.nodes(asked, values["value"].unique()):
                back = values.select(root="focus", at="value")
                rows = inner.results.join(back, left_on="root", right_on="at")
                rows = rows.drop("root").rename({"root_right": "root"}).select(*SCHEMA)
                yield Found(inner.shape, inner.constraint, inner.name, rows)
            return
        if kind == "qualifiedValueShape":
            yield from self.qualified(shape, constraint, nodes, values)
            return
        bad: pl.DataFrame
        match kind:
            case "minCount" | "maxCount":
                count = _counted(nodes, values)
                wrong = pl.col("len") < asked if kind == "minCount" else pl.col("len") > asked
                bad = count.filter(wrong).select("focus")
            case "hasValue":
                there = values.filter(pl.col("value") == self.number(asked))
                bad = nodes.to_frame("focus").join(there, on="focus", how="anti")
            case "uniqueLang":
                said = self.said(values)
                tags = said.filter(pl.col("language").is_not_null()).group_by("focus", "language")
                bad = tags.len().filter(pl.col("len") > 1).select("focus")
            case "equals" | "disjoint":
                other = self.along(Path("is", str(asked)), nodes)
                both = ["focus", "value"]
                bad = values.join(other, on=both, how="semi" if kind == "disjoint" else "anti")
                if kind == "equals":
                    bad = pl.concat([bad, other.join(values, on=both, how="anti")])
            case "lessThan" | "lessThanOrEquals":
                bad = self.unordered(kind, values, self.along(Path("is", str(asked)), nodes))
            case "closed":
                said = self.facts.statements.select("predicate", value="s", o="o")
                said = said.filter(~pl.col("predicate").is_in(list(asked)))
                resource = self.number(RDFS.Resource)
                is_resource = (pl.col("predicate") == str(RDF.type)) & (pl.col("o") == resource)
                said = said.join(values.select("value"), on="value", how="semi")
                rows = values.join(said.filter(~is_resource).unique(), on="value")
                bad = rows.select("focus", value="o", path="predicate")
            case _:
                wrong_values = self.wrong(kind, asked, values["value"].unique())
                bad = values.join(wrong_values.to_frame("value"), on="value", how="semi")
        yield Found(shape, constraint, name, _results(bad))

    def wrong(self, kind: str, asked: Any, nodes: pl.Series) -> pl.Series:
        """Which of some values a constraint on each of them does not allow."""
        match kind:
            case "class":
                return _without(nodes, self.instances(str(asked))["focus"])
            case "in":
                return _without(nodes, numbers_of(asked)["id"])
            case "node":
                return self.failing(asked, nodes)
            case "not":
                return _without(nodes, self.failing(asked, nodes))
            case "and" | "or" | "xone":
                failures = [self.failing(shape, nodes) for shape in asked]
                count = pl.concat(failures).value_counts(name="len")
                frame = nodes.to_frame("root").join(count, on="root", how="left")
                failed = pl.col("len").fill_null(0)
                passed = len(asked) - failed
                wrong = {"and": failed > 0, "or": passed == 0, "xone": passed != 1}[kind]
                return frame.filter(wrong)["root"]
        terms = self.texts(nodes)
        literal = pl.col("datatype").is_not_null()
        blank = ~literal & pl.col("text").str.starts_with(GENID)
        match kind:
            case "nodeKind":
                wanted = str(asked).removeprefix(str(SH)).lower()
                allowed = (literal & pl.lit("literal" in wanted)) | (
                    blank & pl.lit("blank" in wanted)
                )
                right = allowed | (~literal & ~blank & pl.lit("iri" in wanted))
            case "datatype":
                return self.ill_typed(str(asked), terms)
            case "minLength":
                right = (pl.col("text").str.len_chars() >= asked) & ~blank | pl.lit(asked == 0)
            case "maxLength":
                right = (pl.col("text").str.len_chars() <= asked) & ~blank
            case "pattern":
                texts = terms.filter(~blank)
                matching = [asked.search(text) is not None for text in texts["text"]]
                return _without(nodes, texts.filter(pl.Series(matching, dtype=pl.Boolean))["id"])
            case "languageIn":
                tag = pl.col("language")
                fits = tag.is_in(asked) | tag.str.split("-").list.first().is_in(asked)
                right = (fits | pl.lit("*" in asked)) & tag.is_not_null()
            case _:
                bound = numbers_of([asked]).rename(lambda name: f"other_{name}")
                return self.not_compared(kind, terms.join(bound, how="cross"))["id"]
        return terms.filter(~right.fill_null(False))["id"]

    def ill_typed(self, datatype: str, terms: pl.DataFrame) -> pl.Series:
        """Which terms are no literal of a datatype, or none that is well formed."""
        of_it = terms.filter(pl.col("datatype") == datatype)
        if datatype == str(RDFS.Datatype):
            raise NotCompiled("rdfs:Datatype is asked for as a datatype")
        if datatype == str(RDFS.Literal):
            return terms.filter(pl.col("datatype").is_null())["id"]
        if datatype not in (str(XSD.string), RDF_LANG_STRING):
            sure = pl.col("text").str.contains(SURE.get(datatype, "^$^"))
            doubtful = of_it.filter(~sure)
            wanted = VALUES.get(datatype.removeprefix(str(XSD)))
            fits = [_well_formed(one, wanted) for one in rows_of(doubtful)]
            fitting = doubtful.filter(pl.Series(fits, dtype=pl.Boolean))["id"]
            of_it = pl.concat([of_it.filter(sure).select("id"), fitting.to_frame("id")])
        return _without(terms["id"], of_it["id"])

    def unordered(self, kind: str, values: pl.DataFrame, other: pl.DataFrame) -> pl.DataFrame:
        """Pairs of a value and one of another property of which the first is not the lesser."""
        pairs = values.join(other.rename({"value": "other_id"}), on="focus").rename({"value": "id"})
        distinct = pairs.select("id", "other_id").unique()
        terms = self.texts(pl.concat([distinct["id"], distinct["other_id"]]).unique())
        blank = pl.col("datatype").is_null() & pl.col("text").str.starts_with(GENID)
        if terms.filter(blank).height:
            raise NotCompiled("blank nodes are compared")
        others = terms.rename(lambda name: f"other_{name}")
        wrong = self.not_compared(kind, distinct.join(terms, on="id").join(others, on="other_id"))
        rows = pairs.join(wrong, on=["id", "other_id"], how="semi")
        return rows.select("focus", value="id")

    def not_compared(self, kind: str, pairs: pl.DataFrame) -> pl.DataFrame:
        """Pairs of terms of which the first does not stand to the second as a constraint wants.

        Args:
            pairs: the columns of ``Facts.terms``, and those of the others as ``other_...``.
        """
        number = pl.lit(True)
        for side in ("", "other_"):
            datatype, text = pl.col(f"{side}datatype"), pl.col(f"{side}text")
            fits = (text.str.contains(SURE[str(XSD.decimal)]) & (datatype != str(XSD.integer))) | (
                text.str.contains(SURE[str(XSD.integer)])
            )
            number &= datatype.is_in(NUMBERS) & fits
        left, right = (
            pl.col(name).cast(pl.Float64, strict=False) for name in ("text", "other_text")
        )
        apart = (left - right).abs() > CLOSE * pl.max_horizontal(left.abs(), right.abs())
        sure = (number & apart).fill_null(False)
        wrong_number: pl.Expr = ~COMPARED[kind](left, right)
        known = pairs.filter(sure & wrong_number)
        doubtful = pairs.filter(~sure)
        others = doubtful.select(
            pl.col(f"other_{n}").alias(n) for n in ("text", "datatype", "language")
        )
        compare = _less if kind.startswith("less") else _bounded
        wrong = [
            not compare(one, other, COMPARED[kind])
            for one, other in zip(rows_of(doubtful), rows_of(others))
        ]
        return pl.concat([known, doubtful.filter(pl.Series(wrong, dtype=pl.Boolean))])

    def qualified(
        self, shape: Shape, constraint: Constraint, nodes: pl.Series, values: pl.DataFrame
    ) -> Iterator[Found]:
        least, most, wanted, *siblings = constraint.value
        found = values["value"].unique()
        fitting = _without(found, self.failing(wanted, found))
        for sibling in siblings:
            fitting = self.failing(sibling, fitting)
        counted = _counted(nodes, values.join(fitting.to_frame("value"), on="value", how="semi"))
        fitting_of = pl.col("len")
        if most is not None:
            bad = counted.filter(fitting_of > most).select("focus")
            yield Found(shape, constraint, "QualifiedMaxCount", _results(bad))
        if least is not None:
            bad = counted.filter(fitting_of < least).select("focus")
            yield Found(shape, constraint, "QualifiedMinCount", _results(bad))

    def along(self, path: Path, nodes: pl.Series) -> pl.DataFrame:
        """The values of a path: the columns ``focus`` and ``value``, each row once."""
        match path.how:
            case "is":
                here = nodes.to_frame("focus")
                return self.facts.pairs(path.iri).join(here, on="focus", how="semi")
            case "inversePath":
                back = self.facts.pairs(path.parts[0].iri).select(focus="value", value="focus")
                return back.join(nodes.to_frame("focus"), on="focus", how="semi")
            case "sequence":
                first, *rest = path.parts
                found = self.along(first, nodes)
                for part in rest:
                    found = self.further(found, part)
                return found
            case "alternativePath":
                return pl.concat(self.along(part, nodes) for part in path.parts).unique()
        itself = pl.DataFrame({"focus": nodes, "value": nodes})
        fresh = self.along(path.parts[0], nodes)
        if path.how == "zeroOrOnePath":
            return pl.concat([itself, fresh]).unique()
        found = fresh if path.how == "oneOrMorePath" else pl.concat([itself, fresh]).unique()
        while fresh.height:
            if time.perf_counter() > self.end:
                raise OutOfTime
            reached = self.further(fresh, path.parts[0])
            fresh = reached.join(found, on=["focus", "value"], how="anti")
            found = pl.concat([found, fresh])
        return found

    def further(self, found: pl.DataFrame, path: Path) -> pl.DataFrame:
        """What a path leads to from the values that others led to."""
        step = self.along(path, found["value"].unique()).rename({"value": "to", "focus": "value"})
        return found.join(step, on="value").select("focus", value="to").unique()

    def instances(self, iri: str) -> pl.DataFrame:
        """The instances of a class and of those below it, as the column ``focus``."""
        back = Path("inversePath", parts=(Path("is", str(RDFS.subClassOf)),))
        start = numbers_of([rdflib.URIRef(iri)])["id"]
        below = self.along(Path("zeroOrMorePath", parts=(back,)), start).select("value")
        of_them = self.facts.pairs(str(RDF.type)).join(below, on="value", how="semi")
        return of_them.select("focus").unique()

    def number(self, node: rdflib.term.Node) -> int:
        """The number of a term."""
        return int(numbers_of([node])["id"][0])

    def texts(self, nodes: pl.Series) -> pl.DataFrame:
        """The terms of numbers."""
        return self.terms.join(nodes.to_frame("id"), on="id", how="semi")

    def said(self, values: pl.DataFrame) -> pl.DataFrame:
        """Values with their terms."""
        return values.join(self.terms, left_on="value", right_on="id")


def _results(bad: pl.DataFrame) -> pl.DataFrame:
    """Rows of ``focus``, and ``value`` and ``path`` where there are any, as in ``SCHEMA``."""
    absent = [
        pl.lit(None, t).alias(n) for n, t in SCHEMA.items() if n not in (*bad.columns, "root")
    ]
    return bad.with_columns(*absent, root="focus").select(*SCHEMA)


def _counted(nodes: pl.Series, values: pl.DataFrame) -> pl.DataFrame:
    """How many values each node has: ``focus`` and ``len``."""
    count = values.group_by("focus").len()
    return nodes.to_frame("focus").join(count, on="focus", how="left").fill_null(0)


def _without(all_of: pl.Series, some: pl.Series) -> pl.Series:
    frame = all_of.to_frame("id").join(some.to_frame("id"), on="id", how="anti")
    return frame["id"]


def _well_formed(literal: Any, wanted: str | None) -> bool:
    """Whether pySHACL takes a literal of the datatype for a value of it."""
    if getattr(literal, "ill_typed", None) is True:
        return False
    kinds = {base.__name__ for base in type(literal.value).__mro__}
    return wanted is None or wanted in kinds


def _bounded(one: Any, other: Any, holds: Callable[[Any, Any], bool]) -> bool:
    """Whether a value stands to a bound as it should, by pySHACL's rules."""
    if not isinstance(one, rdflib.Literal):
        return False
    if isinstance(one.value, str) != isinstance(other.value, str):
        return False
    try:
        by_value = type(one.value) in (datetime.datetime, datetime.time)
        if one.eq(other) or (by_value and one.value == other.value):
            return holds(0, 0)
        greater = one.value > other.value if by_value else one > other
    except (TypeError, NotImplementedError, ArithmeticError):
        return False
    return holds(1 if greater else -1, 0)


def _less(one: Any, other: Any, holds: Callable[[Any, Any], bool]) -> bool:
    """Whether a value stands to another as it should, by pySHACL's rules."""
    sides = [_comparable(side) for side in (one, other)]
    if isinstance(sides[0], rdflib.Literal) != isinstance(sides[1], rdflib.Literal):
        return False
    try:
        return holds(*sides)
    except (TypeError, NotImplementedError, ArithmeticError):
        return False


def _comparable(side: Any) -> Any:
    if not isinstance(side, rdflib.Literal):
        return str(side)
    return side.value if isinstance(side.value, str) else side
