"""Entities of Wikidata as JSON: the lines of a dump, and what its service answers.

Knows statements of Wikibase and their values; what qualifies a link stays with it. As in the dumps
of truthy statements, only those of the best rank are taken.

Source: https://doc.wikimedia.org/Wikibase/master/php/docs_topics_json.html
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date
from itertools import chain
from typing import Any, NamedTuple

import polars as pl

from sightline.graph.record.loads import Note
from sightline.graph.record.statements import QUALIFIER, QUALIFIERS, TERMS
from sightline.graph.vocabulary import (
    RDF_LANG_STRING,
    RDF_TYPE,
    RDFS_LABEL,
    SCHEMA,
    SKOS,
    XSD,
    XSD_STRING,
)
from sightline.ingest.batch import Batch, Rejected
from sightline.ingest.errors import SourceSyntaxError, SourceUnreadable
from sightline.ingest.source import Source, StatementFormat
from sightline.ingest.streams import MAX_DOCUMENT
from sightline.ingest.terms import LANGUAGE

ENTITY, DIRECT = "http://www.wikidata.org/entity/", "http://www.wikidata.org/prop/direct/"
WKT = "http://www.opengis.net/ont/geosparql#wktLiteral"
#: The property of what a thing is an instance of: its types, beside the links.
INSTANCE_OF = "P31"
TEXTS = {
    "labels": RDFS_LABEL,
    "lemmas": RDFS_LABEL,
    "descriptions": SCHEMA + "description",
    "aliases": SKOS + "altLabel",
}
RANKS = ("preferred", "normal")
#: Statements of a batch, about.
STATEMENTS_PER_BATCH = 50_000
_BEFORE = b"\xef\xbb\xbf \r\n\t["
_ID = re.compile(r"[QPL][1-9][0-9]*(-[FS][1-9][0-9]*)?")
_OWN = re.compile(
    rb'"mainsnak"\s*:|"(labels|lemmas)"\s*:\s*\{\s*"[a-z-]+"\s*:\s*\{\s*"language"\s*:'
)
_TYPED = re.compile(rb'"type"\s*:\s*"(item|property|lexeme)"|"datatype"\s*:\s*"wikibase-')
_NAMED = re.compile(rb'"id"\s*:\s*"[QPL][1-9][0-9]*"')
_TIME = re.compile(r"([+-])0*([0-9]{4,})-([0-9]{2})-([0-9]{2})T00:00:00Z")
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")


Qualifiers = list[dict[str, str | None]]


class Object(NamedTuple):
    """A value; ``datatype`` is None for an IRI."""

    value: str
    datatype: str | None = None
    language: str | None = None


class Stated(NamedTuple):
    """A statement of the entity in a row, with what qualifies it."""

    row: int
    subject: str
    predicate: str
    object: Object
    qualifiers: Qualifiers | None


def _recognises(head: bytes) -> bool:
    begins = head.lstrip(_BEFORE).startswith(b"{")
    return begins and all(pattern.search(head) for pattern in (_OWN, _TYPED, _NAMED))


def _statements(source: Source, sha256: str, base: str, notes: list[Note]) -> Iterator[Batch]:
    """A row is an entity, counted from 1."""
    left: Counter[str] = Counter()
    found, texts, rejected = list[Stated](), dict[int, str](), list[Rejected]()
    at = 0
    for row, (entity, text, at) in enumerate(_entities(source), 1):
        try:
            found += [Stated(row, *one) for one in list(_said(entity, left))]
            texts[row] = text
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            reason = f"it is no entity of Wikidata ({type(error).__name__}: {str(error)[:100]})"
            rejected.append(Rejected(row, reason, text))
        if len(found) >= STATEMENTS_PER_BATCH:
            yield _batch(found, texts, rejected, at)
            found, texts, rejected = [], {}, []
    if found or rejected:
        yield _batch(found, texts, rejected, at)
    if said := ", ".join(f"{count:,} {what}" for what, count in left.items() if count):
        notes.append(Note(f"left out: {said}"))


def _batch(
    found: list[Stated], texts: dict[int, str], rejected: list[Rejected], position: int
) -> Batch:
    terms = [(one.subject, one.predicate, *one.object) for one in found]
    frame = pl.DataFrame(terms, dict.fromkeys(TERMS, pl.String), orient="row")
    hashes = frame.hash_rows()
    frame = frame.with_columns(graph=pl.lit(None, pl.String))
    if any(one.qualifiers for one in found):
        kind = pl.List(pl.Struct(dict.fromkeys(QUALIFIER, pl.String)))
        qualifiers = pl.Series(QUALIFIERS, [one.qualifiers for one in found], kind)
        frame = frame.with_columns(qualifiers)
    rows = pl.Series([one.row for one in found], dtype=pl.UInt32)
    return Batch(frame, rows, hashes, lambda i: texts[found[i].row], rejected, position)


def _entities(source: Source) -> Iterator[tuple[Any, str, int]]:
    """The entities of a dump, line by line, or of a document, with their text and the bytes read.

    Raises:
        SourceSyntaxError, SourceUnreadable
    """
    with source.open() as stream:
        blocks = stream.line_blocks()
        first = next(blocks, b"")
        line = first.lstrip(_BEFORE).partition(b"\n")[0].strip().rstrip(b",]")
        try:
            by_line = "entities" not in json.loads(line)
        except ValueError:
            by_line = False
        if by_line:
            for raw in chain.from_iterable(x.split(b"\n") for x in chain([first], blocks)):
                text = raw.lstrip(_BEFORE).rstrip(b" \t\r,]").decode(errors="replace")
                if text:
                    yield _parsed(text), text, stream.position
            return
        data = bytearray(first)
        for block in blocks:
            data += block
            if len(data) > MAX_DOCUMENT:
                reason = f"it is larger than {MAX_DOCUMENT >> 20} MiB; write an entity a line"
                raise SourceUnreadable(source.path, reason)
        try:
            document = json.loads(data.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise SourceUnreadable(source.path, "it is no UTF-8; save it as UTF-8") from error
        except json.JSONDecodeError as error:
            raise SourceSyntaxError(source.path, error.lineno, f"no JSON: {error.msg}") from error
        except RecursionError as error:
            raise SourceUnreadable(source.path, "it is nested too deep") from error
        held = document.get("entities", document) if isinstance(document, dict) else document
        if isinstance(held, dict):
            held = [held] if "id" in held else list(held.values())
        for one in held:
            yield one, json.dumps(one, ensure_ascii=False), stream.position


def _parsed(text: str) -> Any:
    """A line; None where it is no JSON."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _said(
    entity: dict[str, Any], left: Counter[str]
) -> Iterator[tuple[str, str, Object, Qualifiers | None]]:
    """What an entity states: subject, predicate, object and what qualifies it."""
    name = _checked(entity["id"])
    subject = ENTITY + name
    for key, predicate in TEXTS.items():
        for texts in (entity.get(key) or {}).values():
            for text in texts if isinstance(texts, list) else [texts]:
                said = _text(text["value"], text["language"])
                yield subject, predicate, said, None
                if name.startswith("P") and predicate == RDFS_LABEL:
                    yield DIRECT + name, predicate, said, None
    left["links to pages of wikis"] += len(entity.get("sitelinks") or ())
    for key, statements in (entity.get("claims") or {}).items():
        ranks = {one.get("rank", "normal") for one in statements}
        best = next((rank for rank in RANKS if rank in ranks), None)
        for one in statements:
            if one.get("rank", "normal") != best:
                left["statements of a lower rank"] += 1
                continue
            if (value := _value(one["mainsnak"])) is None:
                left["statements without a value"] += 1
                continue
            qualifiers = list(_qualifiers(one))
            if value.datatype is not None:
                left["qualifiers of values that are no links"] += len(qualifiers)
                qualifiers = []
            yield subject, DIRECT + _checked(key), value, qualifiers or None
            if key == INSTANCE_OF and value.datatype is None:
                yield subject, RDF_TYPE, value, None


def _qualifiers(statement: dict[str, Any]) -> Iterator[dict[str, str | None]]:
    for key, snaks in (statement.get("qualifiers") or {}).items():
        for said in filter(None, map(_value, snaks)):
            yield dict(zip(QUALIFIER, (DIRECT + _checked(key), *said)))


def _checked(name: str) -> str:
    if not _ID.fullmatch(name):
        raise ValueError(f"{name[:40]!r} is no id")
    return name


def _text(value: str, language: str) -> Object:
    if re.fullmatch(LANGUAGE, language):
        return Object(value, RDF_LANG_STRING, language.lower())
    return Object(value, XSD_STRING)


def _value(snak: dict[str, Any]) -> Object | None:
    """The value of a snak; None where it is unknown or none."""
    if snak["snaktype"] != "value":
        return None
    kind, value = snak["datavalue"]["type"], snak["datavalue"]["value"]
    if kind == "wikibase-entityid":
        letter = {"property": "P", "lexeme": "L"}.get(value.get("entity-type"), "Q")
        return Object(ENTITY + _checked(value.get("id") or f"{letter}{value['numeric-id']}"))
    if kind == "monolingualtext":
        return _text(value["text"], value["language"])
    if kind == "quantity":
        amount = str(value["amount"])
        number = _DECIMAL.fullmatch(amount) is not None
        return Object(amount.removeprefix("+"), XSD + "decimal" if number else XSD_STRING)
    if kind == "globecoordinate":
        return Object(f"Point({value['longitude']} {value['latitude']})", WKT)
    if kind == "time":
        return _time(value["time"], int(value["precision"]))
    return Object(str(value), XSD_STRING)


def _time(text: str, precision: int) -> Object:
    """A day, a month or a year; a text where it is less precise, or no day of the calendar."""
    found = _TIME.fullmatch(text)
    if found is None or precision < 9:
        return Object(text, XSD_STRING)
    sign, year, month, day = found.groups()
    year = ("-" if sign == "-" else "") + year
    if precision == 9:
        return Object(year, XSD + "gYear")
    if precision == 10 and "01" <= month <= "12":
        return Object(f"{year}-{month}", XSD + "gYearMonth")
    try:
        date(2000 + int(year) % 400, int(month), int(day))  # of any year, also before the first
    except ValueError:
        return Object(text, XSD_STRING)
    return Object(f"{year}-{month}-{day}", XSD + "date")


WIKIDATA = StatementFormat(
    name="wikidata",
    endings=(".json", ".jsonl", ".ndjson"),
    media_type="application/vnd.wikidata+json",
    recognises=_recognises,
    statements=_statements,
    rows="row",
)
