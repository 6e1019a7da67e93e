"""XML documents: elements as the objects and arrays of JSON, in which ``shapes`` finds tables.

Knows elements; what becomes of records is known by ``json_document``.

Attributes and children are fields. A child that comes several times in some element is an array in
all of that path. An element with text alone is that text; beside fields, the text is the field
``value``. Names of another namespace than that of the root keep their prefix.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from sightline.graph.record.loads import Note
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.formats.json_document import tables_in_document
from sightline.ingest.formats.paths import PATH
from sightline.ingest.formats.rdf_xml import FOREIGN
from sightline.ingest.formats.xml_stream import events, root_of
from sightline.ingest.source import Selection, Source, Table, TableFormat
from sightline.ingest.streams import MAX_DOCUMENT

#: Attributes that say how to read a document, not what it says.
SCHEMA_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
#: Text beside fields.
TEXT = "value"
#: Bytes that an element takes beside its text, about.
OVERHEAD = 64

Way = tuple[str, ...]


def _tables(source: Source, selection: Selection) -> Iterator[Table]:
    reader = _Reader(source)
    document = reader.document()
    for place, table in enumerate(tables_in_document(source, document, selection)):
        if place == 0:
            table.notes.extend(reader.notes())
        yield table


class _Reader:
    """Makes a value of a document."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._many: set[Way] = set()
        self._prefixes: dict[str, str] = {}
        self._own = ""
        self._mixed = 0

    def document(self) -> Any:
        """The value of the root. Raises SourceSyntaxError, SourceUnreadable."""
        root, size = None, 0
        for what, item in events(self._source, ("start", "end", "start-ns")):
            if what == "start-ns":
                self._prefixes.setdefault(item[1], item[0])
            elif what == "start":
                root = item if root is None else root
            else:
                size += OVERHEAD + len(item.text or "")
                if size > MAX_DOCUMENT:
                    reason = f"it is larger than {MAX_DOCUMENT >> 20} MiB; cut it into several"
                    raise SourceUnreadable(self._source.path, reason)
        assert root is not None
        name = root.tag.rpartition("}")[2]
        if name in FOREIGN or name.lower() == "html":
            what = FOREIGN.get(name, "an HTML page; download the data itself")
            raise SourceUnreadable(self._source.path, f"it is {what}")
        self._own = root.tag.rpartition("}")[0]
        return self._united(self._value(root, ()), ())

    def notes(self) -> Iterator[Note]:
        """What was left out."""
        if self._mixed:
            yield Note(f"{self._mixed} texts with markup in them are taken without the markup")

    def _value(self, element: Any, way: Way) -> Any:
        """The text of an element, or its fields, each with all of its values."""
        fields: dict[str, list[Any]] = {
            self._name(key): [value]
            for key, value in element.items()
            if not key.startswith(SCHEMA_INSTANCE)
        }
        text = (element.text or "").strip()
        if any((child.tail or "").strip() for child in element):
            self._mixed += 1
            text = re.sub(r"\s+", " ", "".join(element.itertext())).strip()
        else:
            for child in element:
                name = self._name(child.tag)
                values = fields.setdefault(name, [])
                values.append(self._value(child, (*way, name)))
                if len(values) > 1:
                    self._many.add((*way, name))
        if text and fields:
            fields[TEXT if TEXT not in fields else f"{TEXT} (text)"] = [text]
        return fields or text

    def _united(self, value: Any, way: Way) -> Any:
        """The value, with an array only where a path has several values."""
        if isinstance(value, str):
            return value
        return {
            name: [self._united(one, (*way, name)) for one in values]
            if (*way, name) in self._many
            else self._united(values[0], (*way, name))
            for name, values in value.items()
        }

    def _name(self, tag: str) -> str:
        namespace, _, name = tag.rpartition("}")
        prefix = self._prefixes.get(namespace[1:])
        return f"{prefix}:{name}" if prefix and namespace not in ("", self._own) else name


XML = TableFormat(
    name="XML",
    endings=(".xml",),
    media_type="application/xml",
    recognises=lambda head: root_of(head) is not None,
    tables=_tables,
    formulations=("jsonpath",),
    selector=PATH,
)
