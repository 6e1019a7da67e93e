"""RDF/XML, as ontologies come: recognised by its root, bounded, and in UTF-8 for the parser.

Knows the prolog of an XML document; leaves everything after it to the parser.
"""

from __future__ import annotations

import codecs
import re

import pyoxigraph as ox

from sightline.graph.record.loads import Note
from sightline.graph.vocabulary import RDF
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.formats.rdf import rdf_format
from sightline.ingest.formats.xml_stream import ROOT, root_of
from sightline.ingest.source import Source
from sightline.ingest.streams import BLOCK, HEAD, ByteStream

ENTITY = re.compile(r"""<!ENTITY\s+(%\s+)?(\S+)\s+("[^"]*"|'[^']*')""")
ENCODING = re.compile(rb"""^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z0-9._-]+)["'][^>]*\?>""")
#: Characters of an entity, with those in it; more is taken for a bomb. Namespaces are entities.
LONGEST_ENTITY = 1000
#: Roots of other languages in XML that carry RDF or ontologies.
FOREIGN = {
    "TriX": "TriX; convert it to TriG or N-Quads, for example with `riot`",
    "Ontology": "OWL/XML; convert it to RDF/XML or Turtle, for example with `robot convert`",
}


def _recognises(head: bytes) -> bool:
    return root_of(head) == "RDF" and RDF.encode() in head


def _opened(source: Source, stream: ByteStream, notes: list[Note]) -> _Utf8:
    """The document, after a look at what it begins with. Raises SourceUnreadable."""
    head = stream.read(HEAD)
    root = root_of(head) or ""
    if root in FOREIGN:
        raise SourceUnreadable(source.path, f"it is {FOREIGN[root]}")
    declared = ENCODING.match(head)
    encoding = declared[1].decode() if declared else "utf-8"
    if declared and encoding.lower() not in ("utf-8", "utf8"):
        head = head.replace(declared[0], b'<?xml version="1.0"?>', 1)
    try:
        text = _Utf8(source, stream, head, encoding)
    except LookupError as error:
        reason = f"its encoding {encoding!r} is unknown; save it as UTF-8"
        raise SourceUnreadable(source.path, reason) from error
    if b"<!ENTITY" in head:
        _require_short_entities(source, head)
    return text


def _require_short_entities(source: Source, head: bytes) -> None:
    begin = ROOT.match(head)
    if begin is None:
        reason = f"its DOCTYPE is malformed or longer than {HEAD >> 20} MiB"
        raise SourceUnreadable(source.path, reason)
    found = ENTITY.findall(head[: begin.end()].decode(errors="replace"))
    lengths = {name: 0 for _, name, _ in found}
    for parameter, name, quoted in found:
        value = quoted[1:-1]
        # An entity may name those before it; one that names a later one or itself is an error of
        # the parser's.
        inner = (lengths.get(other, 0) for other in re.findall(r"&([^;#]+);", value))
        lengths[name] = len(value) + sum(inner)
        if parameter or lengths[name] > LONGEST_ENTITY:
            reason = (
                f"its entity {name!r} expands to more than {LONGEST_ENTITY} characters or is a "
                "parameter, as an XML bomb does; write it out if you trust the file"
            )
            raise SourceUnreadable(source.path, reason)


class _Utf8:
    """A stream for the parser, which reads UTF-8 only."""

    def __init__(self, source: Source, stream: ByteStream, head: bytes, encoding: str) -> None:
        self._source = source
        self._stream = stream
        self._name = encoding
        plain = codecs.lookup(encoding).name in ("utf-8", "ascii")
        self._decoder = None if plain else codecs.getincrementaldecoder(encoding)()
        self._waiting = self._encoded(head)

    def read(self, size: int) -> bytes:
        """The next bytes, at most ``size``; none at the end."""
        while not self._waiting:
            block = self._stream.read(BLOCK)
            if not block:
                return b""
            self._waiting = self._encoded(block)
        out, self._waiting = self._waiting[:size], self._waiting[size:]
        return out

    def _encoded(self, block: bytes) -> bytes:
        if self._decoder is None:
            return block
        try:
            return self._decoder.decode(block).encode()
        except UnicodeDecodeError as error:
            reason = f"it is not in {self._name}, as it says"
            raise SourceUnreadable(self._source.path, reason) from error


RDF_XML = rdf_format(ox.RdfFormat.RDF_XML, _recognises, _opened, (".owl", ".xml", ".rdfs"))
