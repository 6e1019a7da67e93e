"""GraphML and GEXF: where nodes, edges and what is said of them are in such XML.

Knows these two vocabularies; what nodes and edges become is known by ``drawn``.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from sightline.graph.exchange.flat import Meaning
from sightline.graph.record.loads import Note
from sightline.graph.vocabulary import XSD
from sightline.ingest.errors import SourceUnreadable
from sightline.ingest.formats.drawn import TABLES, UNDIRECTED, Record, tables_of
from sightline.ingest.formats.xml_stream import events, local, root_of
from sightline.ingest.source import NoSuchTable, Selection, Source, Table, TableFormat
from sightline.ingest.streams import MAX_RECORD

#: Attributes that say how an element is drawn or that a direction is usual, not what it is.
DIRECTIONS = ("directed", "undirected", "mutual")
#: Types of values that are numbers.
NUMBERS = {
    **dict.fromkeys(("int", "integer", "long"), XSD + "integer"),
    **dict.fromkeys(("float", "double"), XSD + "double"),
}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How a language calls what it declares and says.

    Attributes:
        directed: the attribute of the graph that says which direction edges have.
        declared: the element that declares what nodes or edges may say, and its attributes: which
            of both, its id, its name. GEXF says the first on the element around it.
        said: the element of a node that says it, and its attributes: the id of what is said, and
            the value; None where that is the text.
    """

    directed: str
    declared: tuple[str, str, str, str]
    said: tuple[str, str, str | None]


GRAPHML_WORDS = Vocabulary("edgedefault", ("key", "for", "id", "attr.name"), ("data", "key", None))
GEXF_WORDS = Vocabulary(
    "defaultedgetype", ("attribute", "class", "id", "title"), ("attvalue", "for", "value")
)


@dataclass(slots=True)
class _Declared:
    """What nodes or edges may say: name, type, and the value of those that do not say it."""

    name: str
    type: str
    default: str | None


def _tables(words: Vocabulary, source: Source, selection: Selection) -> Iterator[Table]:
    if selection.table not in (None, *TABLES):
        raise NoSuchTable(f"no table {selection.table!r}, only: nodes, edges")
    notes: list[Note] = []
    directed, declared, meaning = _declarations(source, words)
    if directed == "undirected" or (directed is None and words is GEXF_WORDS):
        notes.append(UNDIRECTED)
    nodes, edges = (
        _records(
            source, words, name, {k: d for (of, k), d in declared.items() if of != other}, notes
        )
        for name, other in (("node", "edge"), ("edge", "node"))
    )
    kinds: dict[str, set[str | None]] = {}
    for (of, _), one in declared.items():
        if of != "node":
            kinds.setdefault(one.name, set()).add(NUMBERS.get(one.type))
    datatypes = {name: kind for name, (kind, *others) in kinds.items() if kind and not others}
    for table in tables_of(source, nodes, edges, notes, datatypes, meaning):
        if selection.table in (None, table.name):
            yield table


def _declarations(
    source: Source, words: Vocabulary
) -> tuple[str | None, dict[tuple[str, str], _Declared], Meaning | None]:
    """Which direction edges have; what nodes, edges or all (``""``) may say; and what that means in
    a graph that Sightline exported."""
    found: dict[tuple[str, str], _Declared] = {}
    element, of, key, name = words.declared
    directed, around, meaning = None, "", None
    for what, one in _elements(source, ("graph", "attributes", element)):
        if what == "start":
            around = one.get(of, around)
            if local(one) == "graph" and directed is None:
                directed = one.get(words.directed)
        elif local(one) == "graph" and meaning is None:
            texts = (part.text or "" for part in one if local(part) == words.said[0])
            meaning = next(filter(None, map(Meaning.read, texts)), None)
        elif local(one) == element:
            meant = one.get(of, around)
            default = next((part.text for part in one if local(part) == "default"), None)
            kind = one.get("attr.type") or one.get("type") or ""
            declared = _Declared(one.get(name) or one.get(key) or "", kind, default)
            found[meant if meant in ("node", "edge") else "", one.get(key, "")] = declared
    return directed, found, meaning


def _records(
    source: Source,
    words: Vocabulary,
    name: str,
    declared: dict[str, _Declared],
    notes: list[Note],
) -> Iterator[Record]:
    element, key, value = words.said
    usual = {one.name: one.default for one in declared.values() if one.default is not None}
    again = drawn = 0
    for what, one in _elements(source, (name,)):
        if what == "start":
            continue
        own = {k: v for k, v in one.items() if "}" not in k}
        if own.get("type") in DIRECTIONS:
            del own["type"]
        record: Record = {}
        for data in one.iter():
            if local(data) == element and data.get(key) in declared:
                said = declared[data.get(key, "")].name
                text = "".join(data.itertext()) if value is None else data.get(value, "")
                said = f"{said} (attribute)" if said in own else said
                again += said in record
                record[said] = text.strip()
        drawn += any(local(part) in ("color", "position", "size", "shape") for part in one)
        yield usual | own | record
    if again:
        text = (
            f"{again} values of {name}s that have several over time are left out but for the last"
        )
        notes.append(Note(text, warning=True))
    if drawn:
        notes.append(Note(f"how {drawn} {name}s are drawn (colour, size, place) is left out"))


def _elements(source: Source, names: Collection[str]) -> Iterator[tuple[str, Any]]:
    """Where the elements of some names begin and end; what is over is forgotten."""
    inside: list[Any] = []
    held = 0
    for what, element in events(source):
        wanted = local(element) in names
        if what == "start":
            inside.append(element)
            if wanted:
                yield what, element
            continue
        inside.pop()
        if wanted:
            yield what, element
        held += len(element.text or "") + 100 * (1 + len(element.attrib))
        if local(element) in ("key", "attributes", "node", "edge") and inside:
            inside[-1].remove(element)
            held = 0
        elif held > 2 * MAX_RECORD:
            raise SourceUnreadable(
                source.path, f"a node or edge is longer than {MAX_RECORD >> 20} MiB"
            )


def _named(name: str) -> Callable[[bytes], bool]:
    return lambda head: root_of(head) == name


GRAPHML = TableFormat(
    name="GraphML",
    endings=(".graphml", ".xml"),
    media_type="application/graphml+xml",
    recognises=_named("graphml"),
    tables=partial(_tables, GRAPHML_WORDS),
    formulations=("graphml",),
)
GEXF = TableFormat(
    name="GEXF",
    endings=(".gexf", ".xml"),
    media_type="application/gexf+xml",
    recognises=_named("gexf"),
    tables=partial(_tables, GEXF_WORDS),
    formulations=("gexf",),
)
