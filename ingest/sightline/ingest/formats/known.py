"""The formats that can be read, and how the one of a file is told.

A new format is a module beside this one and its record in ``FORMATS``.
"""

from __future__ import annotations

from pathlib import Path

from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.formats.delimited import CSV, TSV
from sightline.ingest.formats.excel import EXCEL
from sightline.ingest.formats.json_document import JSON
from sightline.ingest.formats.json_ld import JSON_LD
from sightline.ingest.formats.json_lines import JSON_LINES
from sightline.ingest.formats.parquet import PARQUET
from sightline.ingest.formats.rdf import N_QUADS, N_TRIPLES, TRIG, TURTLE
from sightline.ingest.formats.rdf_xml import RDF_XML
from sightline.ingest.formats.sql import SQLITE
from sightline.ingest.source import Format, StatementFormat, TableFormat

#: In the order in which they are tried. Of those that may be meant the last is taken where none
#: recognises the content: text that is nothing else is a table.
FORMATS: tuple[Format, ...] = (
    *(EXCEL, SQLITE, PARQUET, JSON_LD, JSON_LINES, JSON),
    *(TURTLE, TRIG, N_TRIPLES, N_QUADS, RDF_XML, CSV, TSV),
)
#: First characters of RDF texts.
RDF_STARTS = tuple(bytes([start]) for start in b"<_@{[(#")
#: First bytes of files that people rename to .csv.
UNREADABLE = {
    b"PK\x03\x04": "a zip archive; unpack it",
    b"%PDF": "a PDF document",
    b"\xd0\xcf\x11\xe0": "an old Word or PowerPoint file; export it as text",
    b"\x89PNG": "a PNG image",
    b"BZh": "bzip2; unpack it or use gzip",
    b"\x28\xb5\x2f\xfd": "zstandard; unpack it or use gzip",
    b"\xff\xfe": "UTF-16 text; save it as UTF-8",
    b"\xfe\xff": "UTF-16 text; save it as UTF-8",
}


def endings() -> list[str]:
    """Every ending of a file name that some format has."""
    return list(dict.fromkeys(ending for format in FORMATS for ending in format.endings))


def formulations() -> dict[str, list[TableFormat]]:
    """What a mapping may say after ``~``, and the formats that it then means."""
    found: dict[str, list[TableFormat]] = {}
    for format in FORMATS:
        if isinstance(format, TableFormat):
            for name in format.formulations:
                found.setdefault(name, []).append(format)
    return found


def recognise(path: Path, ending: str, head: bytes) -> Format:
    """The format of a file, told by its first bytes if they can be nothing else, then by its name.

    Args:
        ending: of its name, in lower case and without that of gzip.

    Raises:
        SourceUnreadable: it is in no known format.
    """
    for format in FORMATS:
        if format.binary and format.recognises(head):
            return format
    named = [format for format in FORMATS if ending in format.endings]
    meant = named or [format for format in FORMATS if not format.binary]
    found = next((format for format in meant if format.recognises(head)), meant[-1])
    rdf = isinstance(found, StatementFormat) and head.lstrip().startswith(RDF_STARTS)
    if not rdf:  # whose literals may hold any character
        _require_text(path, head)
    if found.binary:
        raise SourceUnreadable(path, f"it is no {found.name}")
    return found


def _require_text(path: Path, head: bytes) -> None:
    for magic, what in UNREADABLE.items():
        if head.startswith(magic):
            raise SourceUnreadable(path, f"it is {what}")
    # A stray NUL spoils its own record; many of them mean that this is no text at all.
    sample = head[:65536]
    odd = len(sample.translate(None, bytes(range(9, 14)) + bytes(range(32, 256))))
    if b"\0" in sample and odd * 20 > len(sample):
        raise SourceUnreadable(path, "it is binary, not text")
