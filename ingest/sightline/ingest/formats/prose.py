"""Texts: what is read of them, sentence by sentence, whatever their markup.

A format of texts gives paragraphs in which markup is blanked out, so that every character stays
where it was: the row of a sentence is the character at which it begins. Knows paragraphs; the
markup is known by the formats.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl

from sightline.graph.extraction.sentences import LONGEST, cleaned, sentences
from sightline.graph.record.loads import Note
from sightline.graph.record.statements import QUALIFIERS
from sightline.graph.vocabulary import (
    ARTICLE_SECTION,
    DOCUMENT,
    TEXT,
    TEXT_END,
    XSD,
    XSD_STRING,
)
from sightline.ingest.batch import Batch
from sightline.ingest.source import Source, StatementFormat

#: Characters read at a time, and those of the longest paragraph.
BLOCK = 1 << 20
LONGEST_PARAGRAPH = 1 << 16
#: Sentences of a batch.
BATCH = 20_000
#: More characters than this with a row that 32 bits hold.
MOST_CHARACTERS = 2**32 - 2


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a text, or a part of one that is very long.

    Attributes:
        start: characters before it.
        position: bytes of the file that were read.
    """

    start: int
    text: str
    position: int


@dataclass(frozen=True, slots=True)
class Paragraph:
    """What belongs together; NULs stand where markup was. ``level`` of a heading, else 0."""

    start: int
    text: str
    position: int
    level: int = 0


def text_format(
    name: str,
    endings: tuple[str, ...],
    media_type: str,
    recognises: Callable[[bytes], bool],
    paragraphs: Callable[[Iterator[Line]], Iterator[Paragraph]],
) -> StatementFormat:
    """The format of texts with some markup."""

    def read(source: Source, sha256: str, base: str, notes: list[Note]) -> Iterator[Batch]:
        return _batches(paragraphs(_lines(source)), f"{DOCUMENT}{sha256[:16]}", notes)

    return StatementFormat(
        name=name,
        endings=endings,
        media_type=media_type,
        recognises=recognises,
        legacy=True,
        role="text",
        statements=read,
        rows="character",
    )


def blanked(text: str, pattern: re.Pattern[str]) -> str:
    """The text with NULs for what a pattern finds, but for the group ``kept``, if it has one."""

    def blank(found: re.Match[str]) -> str:
        if not pattern.groupindex or found["kept"] is None:
            return "\0" * len(found[0])
        before = found.start("kept") - found.start()
        return "\0" * before + found["kept"] + "\0" * (found.end() - found.end("kept"))

    return pattern.sub(blank, text)


def _lines(source: Source) -> Iterator[Line]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    start, left = 0, ""
    with source.open() as stream:
        while start < MOST_CHARACTERS:
            block = stream.read(BLOCK)
            text = left + decoder.decode(block, final=not block)
            # Of a blank and of the parts of a line end none is cut from the other.
            stop = len(text) if not block else max(text.rfind("\n"), text.rfind(" ")) + 1
            if block and not stop and len(text) > LONGEST_PARAGRAPH:
                stop = len(text)
            at = 0
            for line in text[:stop].splitlines(keepends=True):
                for cut in range(0, len(line), LONGEST_PARAGRAPH):
                    part = line[cut : cut + LONGEST_PARAGRAPH]
                    yield Line(start + at + cut, part, stream.position)
                at += len(line)
            start, left = start + stop, text[stop:]
            if not block:
                return


def _batches(paragraphs: Iterator[Paragraph], document: str, notes: list[Note]) -> Iterator[Batch]:
    path: list[str] = []
    rows: list[tuple[int, str, str, str]] = []
    cut, headless, position = 0, True, 0
    for paragraph in paragraphs:
        position = paragraph.position
        if paragraph.level:
            heading = cleaned(paragraph.text)[:200]
            path = [*path[: paragraph.level - 1], heading]
            headless = False
        for start, end in sentences(paragraph.text):
            cut += end - start > LONGEST - 20 and paragraph.text[end - 1] not in ".!?。！？"
            text = cleaned(paragraph.text[start:end])
            if text:
                row = paragraph.start + start + 1
                section = " / ".join(filter(None, path))
                rows.append((row, text, section, str(paragraph.start + end)))
        if len(rows) >= BATCH:
            yield _batch(rows, document, position)
            rows = []
    if rows:
        yield _batch(rows, document, position)
    if cut:
        notes.append(
            Note(f"{cut:,} sentences go on for more than {LONGEST:,} characters and were cut", True)
        )
    if position and headless:
        notes.append(Note("it has no heading: its sentences are in no section"))


def _batch(rows: list[tuple[int, str, str, str]], document: str, position: int) -> Batch:
    texts = pl.Series([text for _, text, _, _ in rows], dtype=pl.String)

    def said(section: str, end: str) -> list[dict[str, Any]]:
        of = [(TEXT_END, end, XSD + "integer")]
        of += [(ARTICLE_SECTION, section, XSD_STRING)] if section else []
        return [{"key": k, "value": v, "datatype": d, "language": None} for k, v, d in of]

    frame = pl.DataFrame(
        {
            "subject": pl.repeat(document, len(rows), dtype=pl.String, eager=True),
            "predicate": pl.repeat(TEXT, len(rows), dtype=pl.String, eager=True),
            "object": texts,
            "datatype": pl.repeat(XSD_STRING, len(rows), dtype=pl.String, eager=True),
            "language": pl.repeat(None, len(rows), dtype=pl.String, eager=True),
            "graph": pl.repeat(None, len(rows), dtype=pl.String, eager=True),
            QUALIFIERS: [said(section, end) for _, _, section, end in rows],
        }
    )
    places = pl.Series([row for row, _, _, _ in rows], dtype=pl.UInt32)
    return Batch(frame, places, texts.hash(), texts.__getitem__, position=position)
