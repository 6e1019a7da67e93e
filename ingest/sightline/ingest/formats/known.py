"""The formats that can be read, and how the one of a file is told.

A new format is a module beside this one and its record in ``FORMATS``.
"""

from __future__ import annotations

import re
from pathlib import Path

from sightline.graph.errors import UsageError
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.formats.delimited import CSV, TSV
from sightline.ingest.formats.duckdb_file import DUCKDB
from sightline.ingest.formats.excel import EXCEL
from sightline.ingest.formats.graph_xml import GEXF, GRAPHML
from sightline.ingest.formats.html import HTML
from sightline.ingest.formats.json_document import JSON
from sightline.ingest.formats.json_ld import JSON_LD
from sightline.ingest.formats.json_lines import JSON_LINES
from sightline.ingest.formats.markdown import MARKDOWN
from sightline.ingest.formats.obo_graphs import OBO_GRAPHS
from sightline.ingest.formats.parquet import ARROW, PARQUET
from sightline.ingest.formats.plain_text import TEXT
from sightline.ingest.formats.rdf import N_QUADS, N_TRIPLES, TRIG, TURTLE
from sightline.ingest.formats.rdf_xml import RDF_XML
from sightline.ingest.formats.sparql_results import SPARQL_RESULTS, SPARQL_STATEMENTS
from sightline.ingest.formats.sql import SQLITE
from sightline.ingest.formats.wikidata import WIKIDATA
from sightline.ingest.formats.xml_document import XML
from sightline.ingest.source import Format, StatementFormat, TableFormat

#: In the order in which they are tried. Of those that may be meant the last is taken where none
#: recognises the content: text that is nothing else is a table.
FORMATS: tuple[Format, ...] = (
    *(EXCEL, SQLITE, DUCKDB, PARQUET, ARROW, OBO_GRAPHS, SPARQL_STATEMENTS, SPARQL_RESULTS),
    *(WIKIDATA, JSON_LD, JSON_LINES, JSON, TURTLE, TRIG),
    *(GRAPHML, GEXF, RDF_XML, XML, N_TRIPLES, N_QUADS),
    *(HTML, MARKDOWN, TEXT, CSV, TSV),
)
#: First characters of RDF texts.
RDF_STARTS = tuple(bytes([start]) for start in b"<_@{[(#")
#: First bytes of files that people rename to .csv.
UNREADABLE = {
    b"%PDF": "a PDF document; export its tables as CSV",
    b"\xd0\xcf\x11\xe0": "an old Word or PowerPoint file; export it as text",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"7z\xbc\xaf": "a 7-Zip archive; unpack it, or make a zip of it",
    b"Rar!": "a RAR archive; unpack it, or make a zip of it",
    b"$HDT": "HDT; convert it to N-Triples with hdt2rdf",
    b"MATLAB 5.0": "a MATLAB file; save its table with writetable as CSV",
    b"\x89HDF": "HDF5, as MATLAB 7.3 and others write; save its tables as CSV or Parquet",
    b"CDF": "NetCDF; save its tables as CSV or Parquet",
    b"FEA1": "Feather of version 1; save it again as Feather or Parquet",
    b"ORC": "ORC; convert it to Parquet",
    b"Obj\x01": "Avro; convert it to Parquet or JSON Lines",
    b"RDX": "R data; save its table with write.csv",
    b"$FL2": "an SPSS file; save it as CSV",
    b"<stata_dta>": "a Stata file; save it as CSV",
    b"\x80\x04\x95": "a Python pickle, which is never opened; save its table as CSV or Parquet",
    b"\x93NUMPY": "a NumPy array; save it as CSV or Parquet",
}
#: A time, then how grave it is or who says it, as logs of programs and of syslog have them.
LOG = (
    rb"\[?\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:?\d\d)?\]?\s+(\S+[\s.])?"
    rb"\[?(?i:trace|debug|info|notice|warn|warning|error|severe|fatal|critical)\b"
    rb"|(<\d+>)?[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \S+ [^\s:,;]+: "
)
#: Beginnings of texts in formats that are not read.
UNREADABLE_TEXT = {
    rb"(?i)<!doctype html|<html": "an HTML page, as a login or error page saved by that name is; "
    "download the data itself",
    rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<TriX\b": "TriX; convert it to TriG or N-Quads",
    rb"\d+\|[ta]\|.*\n": "PubTator; convert its annotations to a table, or to BioC JSON",
    rb">\S+.*\n[A-Za-z*\s-]+$": "FASTA sequences, which hold no relations",
    rb"(strict\s+)?(di)?graph\b[^{\n]*\{": "a Graphviz drawing; save the graph as GraphML or CSV",
    rb"(Creator.*\n)?\s*graph\s*\[": "GML; convert it to GraphML",
    rb"\*(Vertices|Network)\b": "Pajek; convert it to GraphML or an edge list",
    rb"%%MatrixMarket": "a matrix of Matrix Market; save it as an edge list",
    rb'\{"type":\s*"node",\s*"id":\s*"[^"]*",\s*"(labels|properties)":': "the JSON of "
    "Neo4j's APOC; export it as CSV with apoc.export.csv.all",
    rb"format-version:.*\n": "OBO text; convert it to RDF/XML or OBO Graphs JSON with robot",
    rb"(Prefix\(.*\n\s*)*Ontology\(": "OWL in functional syntax; convert it to Turtle with robot",
    rb"(Prefix: .*\n\s*)*Ontology: ": "OWL in Manchester syntax; convert it to Turtle with robot",
    rb"@(article|book|inproceedings|misc|incollection|phdthesis)\s*\{": "BibTeX; export it as CSV",
    rb"[TERAMN#]\d+\t(\S+ \d+ \d+|\S+ \S+:[TE]\d+)": "annotations of BRAT; convert them to a "
    "table of entities and one of relations",
    rb"##gff-version|##gvf-version": "GFF; save the columns and attributes that you need as CSV",
    rb"##fileformat=VCF": "VCF; save the columns and fields that you need as CSV",
    rb"(#.*\n)*1\t\S+(\t[^\t\n]*){8}\n": "sentences in CoNLL-U; save what they state as a table",
    rb">\S+\|\S*[^\n]*\n[A-Z*-]+\n": "FASTA sequences, which hold no relations",
    rb"TY  - ": "RIS references; export them as CSV",
    rb"((--.*|/\*[^*]*\*/;?)\s*)*(?i:(create|drop|alter|lock) (table|database|schema)|insert into|"
    rb"pragma |set [\w@.]+ ?=|use `|start transaction|begin( transaction)?;)": "an SQL dump; load "
    "it into a database and name that",
    rb"\S+ \S+ \S+ \[\d\d/[A-Z][a-z]{2}/\d{4}:": "the log of a web server; save it as CSV or "
    "JSON Lines",
    LOG: "the log of a program; save it as CSV or JSON Lines",
    rb"0 HEAD\s*\n": "GEDCOM; export the persons and families as CSV",
    rb"(?i:begin:vcard)": "vCards; export the contacts as CSV",
    rb"(?i:begin:vcalendar)": "a calendar; export its events as CSV",
    rb"(version: 1\s+)?dn:? \S": "LDIF; export the entries as CSV",
    rb"\{\\rtf": "a text document; export its tables as CSV",
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


def by_name(name: str) -> Format:
    """The format that ``--format`` names.

    Raises:
        UsageError: there is none of that name.
    """
    ended = {end[1:]: format for format in reversed(FORMATS) for end in format.endings}
    found = ended | {format.name.lower(): format for format in FORMATS}
    if name.lower() not in found:
        raise UsageError(f"no format is called {name!r}; --format knows {', '.join(found)}")
    return found[name.lower()]


def recognise(path: Path, ending: str, head: bytes) -> Format:
    """The format of a file, told by its first bytes if they can be nothing else, then by its name.

    Args:
        ending: of its name, in lower case and without that of its compression.

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
    begin = head[:4096].lstrip()
    for pattern, what in UNREADABLE_TEXT.items():
        if re.match(pattern, begin):
            raise SourceUnreadable(path, f"it is {what}")
    # A stray NUL spoils its own record; many of them mean that this is no text at all.
    sample = head[:65536]
    odd = len(sample.translate(None, bytes(range(9, 14)) + bytes(range(32, 256))))
    if b"\0" in sample and odd * 20 > len(sample):
        raise SourceUnreadable(path, "it is binary, not text")
