"""The YAML mapping: what the columns of tables mean, said by the user with the keys of YARRRML.

Knows the mapping's syntax and prefixes; knows the names of sources and no record. Every error names
the file, the mapping in it, and the way out. The file is data: only texts, lists and tables are
read from it, so that a country code ``NO`` stays a text.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, cached_property, partial
from itertools import chain
from pathlib import Path
from typing import Any

from sightline.graph.storage.plain_yaml import Texts, read_yaml
from sightline.graph.vocabulary import RDF_LANG_STRING, RDF_TYPE, XSD, XSD_STRING
from sightline.ingest.batch import few_of
from sightline.ingest.errors import MappingError
from sightline.ingest.formats import known
from sightline.ingest.lexical import LEXICAL, Written
from sightline.ingest.source import Format, Source
from sightline.ingest.streams import without_packing
from sightline.ingest.terms import (
    LANGUAGE,
    RECORD,
    ROW,
    Join,
    Reference,
    TableMap,
    Template,
    Value,
    iri,
    is_iri,
)

#: Fields of the maps that the first version did not have.
LATER = {"written", "qualifiers", "nulls", "curies", "floats", "once", "several"}
LATER |= {"safe", "base", "datatype_of", "language_of", "natural", "graph", "join", "each"}
#: Keys of a mapping, of a predicate with objects, and of an object, with their short forms.
MAPPING_KEYS = {"sources": "sources", "source": "sources", "po": "po", "predicateobjects": "po"}
MAPPING_KEYS |= dict.fromkeys(("s", "subject", "subjects"), "s")
MAPPING_KEYS |= {key: key for key in ("complete", "null", "floats", "once", "split")}
MAPPING_KEYS |= dict.fromkeys(("graph", "graphs"), "graphs")
PO_KEYS = dict.fromkeys(("p", "predicate", "predicates"), "p")
PO_KEYS |= dict.fromkeys(("o", "object", "objects"), "o") | dict.fromkeys(("q", "qualifiers"), "q")
PO_KEYS |= dict.fromkeys(("graph", "graphs"), "graphs")
JOIN_KEYS = {"mapping": "mapping"} | dict.fromkeys(("condition", "conditions"), "conditions")
OBJECT_KEYS = {key: key for key in ("value", "datatype", "language", "type", "split", "format")}
#: What ends plain text or a reference, or is counted in one: an escape, ``$(``, a parenthesis.
MARK = re.compile(r"\\[$()\\]|\$[({]|[()]")
#: One reference and nothing else.
PLAIN = re.compile(r"\$\(([^$()\\]+)\)")
PREFIX = re.compile(r"([A-Za-z][\w.-]*):")
#: The predicate that ``a`` stands for.
A = iri(RDF_TYPE)
#: Names that an error lists.
MOST_NAMED = 30
#: Schemes whose IRIs have no ``//``; any other name before a colon is a prefix.
SCHEMES = ("urn", "mailto", "tag", "did", "info", "doi", "tel", "data")


@dataclass(frozen=True, slots=True)
class MappedTable:
    """A mapping and the sources it is for.

    Attributes:
        pattern: file name or glob.
        formats: what its sources may be.
        selected: which of the source's tables, such as ``$.people[*]`` in JSON; None where that is
            left open.
    """

    pattern: str
    formats: tuple[Format, ...]
    selected: str | None
    table: TableMap

    def fits(self, source: Source) -> bool:
        """Whether the source bears its name."""
        return source.path.with_name(source.name).match(self.pattern)


@dataclass(frozen=True)
class MappingFile:
    """A mapping that was read and found sound."""

    path: Path
    tables: tuple[MappedTable, ...]

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        """Places of the tables by the name of their files; under the empty one those of globs."""
        found: dict[str, list[int]] = {"": []}
        for place, table in enumerate(self.tables):
            last = table.pattern.rpartition("/")[2]
            found.setdefault("" if set("*?[") & set(last) else last, []).append(place)
        return found

    def _fitting(self, source: Source) -> tuple[MappedTable, ...]:
        places = sorted([*self._by_name.get(source.name, ()), *self._by_name[""]])
        return tuple(t for t in map(self.tables.__getitem__, places) if t.fits(source))

    def error(self, mapped: MappedTable, reason: str) -> MappingError:
        """An error that names the file and the mapping in it."""
        return MappingError(self.path, f"{mapped.table.name}: {reason}")

    def tables_of(self, source: Source) -> tuple[MappedTable, ...]:
        """The mappings of a source; none where it is read automatically.

        Raises:
            MappingError: the source has another format than the mapping says.
        """
        found = self._fitting(source)
        for mapped in found:
            if source.format not in mapped.formats:
                names = ", ".join(f"~{formulation}" for formulation in known.formulations())
                reason = f"source {str(source.origin)!r} is {source.format.name}, not what ~ says"
                raise self.error(mapped, f"{reason}; known are {names}")
        return found

    def require_use(self, sources: Sequence[Source]) -> None:
        """Check that it fits at least one source.

        Raises:
            MappingError
        """
        if not any(map(self._fitting, sources)):
            wanted = few_of(dict.fromkeys(table.pattern for table in self.tables), MOST_NAMED)
            names = few_of((str(source.origin) for source in sources), MOST_NAMED)
            raise MappingError(
                self.path,
                f"it is for {wanted}, and none of the sources is ({names}); "
                "correct the names under `sources:`",
            )

    def require_columns(
        self, source: Source, tables: Iterable[MappedTable], columns: Sequence[str]
    ) -> None:
        """Check that a source has every column that its mappings name.

        Raises:
            MappingError: naming the nearest column, and all.
        """
        there = {*columns, ROW, RECORD}
        for mapped in tables:
            for column in mapped.table.columns:
                if column not in there:
                    reason = f"{str(source.origin)!r} has no column {column!r}"
                    raise self.error(mapped, f"{reason}; {_nearest(column, columns)}")


def canonical(tables: Iterable[MappedTable]) -> str:
    """What the mappings say, as text that depends on nothing else.

    What an older Sightline could not say is left out where it is not said, so that a source that
    was loaded then is the same load today.
    """

    nameless = ((mapped.selected, replace(mapped.table, name="")) for mapped in tables)
    return json.dumps(list(nameless), ensure_ascii=False, default=_fields)


def _fields(value: Any) -> dict[str, Any]:
    """The fields of a map or a part of one."""
    first, later = _names(value.__class__)
    found = {name: getattr(value, name) for name in first}
    for name in later:
        if item := getattr(value, name):
            found[name] = item
    return found


@cache
def _names(kind: Any) -> tuple[list[str], list[str]]:
    """The fields of a kind of part, and those after them that the first version did not have."""
    names = [name for name in kind.__dataclass_fields__ if name != "found"]  # it has a digest
    return [name for name in names if name not in LATER], [name for name in names if name in LATER]


def read_mapping(path: Path, prefixes: Mapping[str, str]) -> MappingFile:
    """Read a mapping file.

    Args:
        prefixes: of the workspace; those in the file go before them.

    Raises:
        MappingError
    """
    return mapping_of(read_yaml(path, Texts, partial(MappingError, path)), path, prefixes)


def mapping_of(read: Any, path: Path, prefixes: Mapping[str, str]) -> MappingFile:
    """The mapping that a document of texts, lists and tables says.

    Args:
        path: what errors call it.
        prefixes: of the workspace; those in the document go before them.

    Raises:
        MappingError
    """
    check = _Mapping(path, "", prefixes, {})
    document = check.table(read)
    check.keys(document, {"prefixes": "prefixes", "mappings": "mappings"})
    own = check.table(document.get("prefixes") or {}, "prefixes")
    if not all(isinstance(value, str) for value in own.values()):
        raise check.error("every prefix must be a text such as 'https://example.org/'")
    mappings = check.table(document.get("mappings") or {}, "mappings")
    if not mappings:
        raise check.error("it has no `mappings:`")
    terms = {**prefixes, **own}
    tables = [
        mapped
        for name, body in mappings.items()
        for mapped in _Mapping(path, str(name), terms, mappings).tables(body)
    ]
    return MappingFile(path, tuple(tables))


@dataclass(frozen=True, slots=True)
class _Mapping:
    """Reads one mapping; an error names it by its ``place``, which is empty for the whole file."""

    path: Path
    place: str
    prefixes: Mapping[str, str]
    mappings: Mapping[str, Any]
    datatypes: dict[str, str] = field(default_factory=dict)

    def error(self, reason: str) -> MappingError:
        return MappingError(self.path, f"{self.place}: {reason}" if self.place else reason)

    def table(self, value: Any, what: str = "the file") -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.error(f"{what} must be a table of `key: value`")
        return value

    def text(self, value: Any, what: str) -> str:
        if not isinstance(value, str) or not value:
            raise self.error(f"{what} must be a text, and is {str(value)[:60]!r}")
        return value

    def keys(self, found: Mapping[str, Any], known: Mapping[str, str]) -> dict[str, Any]:
        """The table under the long names of its keys."""
        out: dict[str, Any] = {}
        for key, value in found.items():
            if key not in known:
                raise self.error(f"unknown key {str(key)[:60]!r}; {_nearest(str(key), known)}")
            if known[key] in out:
                raise self.error(f"key {key!r} says again what another key says")
            out[known[key]] = value
        return out

    def tables(self, body: Any) -> list[MappedTable]:
        keys = self.keys(self.table(body, "the mapping"), MAPPING_KEYS)
        for needed in ("sources", "s"):
            if not keys.get(needed):
                raise self.error(f"it has no `{needed}:`")
        graphs = self.graphs(keys)
        statements = tuple(
            statement
            for item in _listed(keys.get("po") or [])
            for statement in self.po(item, graphs)
        )
        subjects = [self.iri(self.text(s, "a subject")) for s in _listed(keys["s"])]
        nulls = tuple(self.text(token, "a token") for token in _listed(keys.get("null", [])))
        floats = tuple(self.text(name, "a column") for name in _listed(keys.get("floats", [])))
        once = self.flag(keys, "once")
        split = self.text(keys["split"], "split") if "split" in keys else None
        if split and not once:
            raise self.error("`split:` of a mapping needs `once: true`")
        sources = [self.source(source) for source in _listed(keys["sources"])]
        said = (self.flag(keys, "complete"), nulls, floats, once, split)
        return [
            MappedTable(*source, TableMap(self.place, subject, statements, *said))
            for source in sources
            for subject in subjects
        ]

    def flag(self, keys: Mapping[str, Any], key: str) -> bool:
        """What a key says that is true or false; false where it is not there."""
        value = keys.get(key, "false")
        if value not in ("true", "false"):
            raise self.error(f"`{key}:` is true or false, not {str(value)[:60]!r}")
        return bool(value == "true")

    def source(self, value: Any) -> tuple[str, tuple[Format, ...], str | None]:
        """Pattern, formats and table of ``name~formulation`` or ``[name~formulation, table]``."""
        parts = _listed(value)
        name, tilde, formulation = self.text(parts[0] if parts else "", "a source").rpartition("~")
        if not tilde:
            name, formulation = formulation, ""
        formulations = known.formulations()
        if formulation and formulation not in formulations:
            raise self.error(f"unknown ~{formulation}; {_nearest(formulation, formulations)}")
        formats = formulations.get(formulation) or list(chain(*formulations.values()))
        selected = self.text(parts[1], "an iterator") if len(parts) > 1 else None
        if selected is not None:
            several = [form for form in formats if form.selector]
            formats = [f for f in several if f.selector and f.selector.fullmatch(selected)]
            if several and not formats:
                raise self.error(
                    f"iterator {selected[:60]!r} cannot be read; write a path such as $.people[*]"
                )
        if not name or len(parts) > 2 or not formats:
            raise self.error(
                "a source is a name such as people.csv~csv, or a name and a path such as "
                "[doc.json~jsonpath, '$.people[*]']"
            )
        return without_packing(name), tuple(formats), selected

    def graphs(self, keys: Mapping[str, Any]) -> list[Template]:
        """Named graphs that statements are made in."""
        return [self.iri(self.text(g, "a graph")) for g in _listed(keys.get("graphs") or [])]

    def po(self, item: Any, graphs: Sequence[Template]) -> list[tuple[Template, Value]]:
        """Predicates with objects, of the short form (a list) or the long one (a table)."""
        kind: Any = ""
        qualifiers: tuple[tuple[str, Value], ...] = ()
        if isinstance(item, dict):
            keys = self.keys(item, PO_KEYS)
            predicates, objects = keys.get("p"), keys.get("o")
            qualifiers = self.qualifiers(keys.get("q") or {})
            graphs = [*graphs, *self.graphs(keys)]
        elif isinstance(item, list) and len(item) in (2, 3):
            predicates, objects = item[:2]
            kind = item[2] if len(item) == 3 else ""
        else:
            raise self.error(
                f"under `po:` write [predicate, object] or {{p: predicate, o: object}}, "
                f"not {str(item)[:60]!r}"
            )
        if not predicates or not objects:
            raise self.error("under `po:` a predicate or its object is missing")
        out = []
        for name in _listed(predicates):
            text = self.text(name, "a predicate")
            predicate = A if text == "a" else self.iri(text.removesuffix("~iri"))
            for o in _listed(objects):
                value = self.value(o, kind, predicate)
                if qualifiers and (value.datatype or predicate == A):
                    raise self.error(f"only links can have qualifiers, and {text!r} makes none")
                if qualifiers:
                    value = replace(value, qualifiers=qualifiers)
                each = [replace(value, graph=graph) for graph in graphs] or [value]
                out += [(predicate, one) for one in each]
        return out

    def qualifiers(self, found: Any) -> tuple[tuple[str, Value], ...]:
        """What statements say about themselves: a table of IRI or CURIE to object."""
        said = []
        for key, item in self.table(found, "`q:`").items():
            name = self.iri(key)
            if name.columns:
                raise self.error(f"the name of a qualifier is fixed, and {key[:60]!r} is not")
            said.append((str(name.parts[0]), self.value(item, "", name)))
        return tuple(said)

    def value(self, item: Any, kind: Any, predicate: Template) -> Value:
        """An object: a text, a list of text and datatype or language, or a table."""
        keys: dict[str, Any] = {}
        if isinstance(item, dict) and "mapping" in item:
            return self.joined(self.keys(item, JOIN_KEYS))
        if isinstance(item, dict):
            keys = self.keys(item, OBJECT_KEYS)
        elif isinstance(item, list) and len(item) in (1, 2):
            keys["value"] = item[0]
            kind = item[1] if len(item) == 2 else kind
        else:
            keys["value"] = item
        text = self.text(keys.get("value"), "an object")
        split = self.text(keys["split"], "split") if "split" in keys else None
        term_type = keys.get("type", "")
        if term_type not in ("", "iri", "literal"):
            raise self.error(f"unknown type {str(term_type)[:60]!r}; known are iri and literal")
        made = text.endswith(("~iri", "~name")) or term_type == "iri"
        if predicate == A or made:
            if "format" in keys:
                raise self.error("`format:` is for literals, and this is a link")
            return Value(self.iri(text.removesuffix("~iri")), split=split)
        if "language" in keys:
            kind = f"{keys['language']}~lang"
        kind = keys.get("datatype") or kind
        written = None
        if "format" in keys:
            try:
                written = Written.of(self.text(keys["format"], "format"))
            except ValueError as error:
                raise self.error(str(error)) from error
            kind = kind or written.datatypes[0]
        value = self.literal(text, kind)
        if written and value.datatype not in written.datatypes:
            names = ", ".join(f"xsd:{name.removeprefix(XSD)}" for name in written.datatypes)
            raise self.error(f"format {written.text!r} makes {names}, not {str(kind)[:60]!r}")
        return replace(value, split=split, written=written) if split or written else value

    def joined(self, keys: Mapping[str, Any]) -> Value:
        """The subjects of another mapping's records that agree with this one's."""
        name = self.text(keys["mapping"], "`mapping:`")
        if name not in self.mappings:
            raise self.error(f"there is no mapping {name!r}; {_nearest(name, self.mappings)}")
        body = self.keys(self.table(self.mappings[name], name), MAPPING_KEYS)
        other = replace(self, place=name)
        subjects = _listed(body.get("s") or [])
        if len(subjects) != 1:
            raise self.error(f"{name!r} has {len(subjects)} subjects; it is joined by one")
        subject = other.iri(other.text(subjects[0], "a subject"))
        conditions = _listed(keys.get("conditions") or [])
        sides = [self.sides(condition) for condition in conditions]
        if not sides:
            raise self.error(
                f"the join with {name!r} needs a condition such as "
                "{function: equal, parameters: [[str1, $(here)], [str2, $(there)]]}"
            )
        child, keyed = zip(*sides)
        return Value(subject, join=Join(name, child, keyed))

    def sides(self, condition: Any) -> tuple[Template, Template]:
        """What a condition compares: of this mapping, and of the other."""
        found = self.table(condition, "a condition")
        if found.get("function") != "equal":
            raise self.error(f"function {str(found.get('function'))[:60]!r}; only `equal` is known")
        sides = {}
        for parameter in _listed(found.get("parameters") or []):
            name, text = (*_listed(parameter), "", "")[:2]
            sides[name] = Template(self.parts(self.text(text, "a parameter")), iri=False)
        if set(sides) != {"str1", "str2"}:
            raise self.error("a condition compares [str1, $(here)] with [str2, $(there)]")
        return sides["str1"], sides["str2"]

    def literal(self, text: str, kind: Any) -> Value:
        """A literal; ``kind`` is a datatype, ``LANGUAGE~lang``, or empty for plain text."""
        template = Template(self.parts(text), iri=False)
        if not kind:
            found = PREFIX.match(text)
            if found and found[1] in self.prefixes and template.columns:
                raise self.error(
                    f"{text!r} would be a text; write {text}~iri for a link to it, or give it the "
                    "datatype xsd:string"
                )
            return Value(template, XSD_STRING)
        kind = self.text(kind, "a datatype or language")
        if kind.endswith("~lang"):
            language = kind.removesuffix("~lang")
            if (tag := Template(self.parts(language), iri=False)).columns:
                return Value(template, RDF_LANG_STRING, language_of=tag)
            if not re.fullmatch(LANGUAGE, language):
                raise self.error(f"{language[:60]!r} is no language; write one such as fr~lang")
            return Value(template, RDF_LANG_STRING, language.lower())
        if "$(" in kind:
            return Value(template, XSD_STRING, datatype_of=self.iri(kind))
        if kind not in self.datatypes:
            self.datatypes[kind] = self.datatype(kind)
        return Value(template, self.datatypes[kind])

    def datatype(self, text: str) -> str:
        template = self.iri(text)
        name = "".join(str(part) for part in template.parts)
        local = name.removeprefix(XSD)
        if template.columns or (local != name and local not in LEXICAL):
            raise self.error(f"unknown datatype {text!r}; {_nearest(local, LEXICAL)}")
        return name

    def iri(self, text: str) -> Template:
        """The template of an IRI or CURIE, with references or without.

        ``entity:$(id)~name`` is a raw name under ``entity:``, or an IRI or a CURIE that stands.
        """
        raw, text = text.endswith("~name"), text.removesuffix("~name")
        found = PREFIX.match(text)
        if found and found[1] in self.prefixes and not text[found.end() :].startswith("//"):
            text = self.prefixes[found[1]] + text[found.end() :]
        elif found and found[1] not in SCHEMES and not text[found.end() :].startswith("//"):
            raise self.error(
                f"unknown prefix {found[1]!r} in {text!r}; declare it under `prefixes:`, or "
                f"{_nearest(found[1], self.prefixes)}"
            )
        elif not found and not text.startswith("$("):
            raise self.error(
                f"{text[:60]!r} is no IRI; write a whole one, or a prefix before it such as "
                f"entity:{text[:60]}"
            )
        parts = self.parts(text)
        # A reference gives escaped text, or a whole IRI that is looked at when it is there.
        example = "".join(part if isinstance(part, str) else "x" for part in parts)
        if not isinstance(parts[0], Reference) and not is_iri(example):
            raise self.error(
                f"{text[:60]!r} is no IRI; write others than letters and digits as %XX"
            )
        if not raw:
            return Template(parts, iri=True)
        if len(parts) == 2 and isinstance(parts[0], str) and isinstance(parts[1], Reference):
            prefixes = (("", parts[0]), *self.prefixes.items())
            return Template((replace(parts[1], prefixes=prefixes),), iri=True)
        raise self.error(f"{text[:60]!r}: ~name follows a prefix and one reference to a column")

    def parts(self, text: str) -> tuple[str | Reference, ...]:
        """Text and references in turn.

        A name may hold parentheses in pairs; one with a backslash before it counts for nothing, and
        neither does a dollar sign.
        """
        if found := PLAIN.fullmatch(text):  # as most are
            return (Reference(self.column(found[1], text)),)
        if "$" not in text and "\\" not in text:
            return (text,) if text else ()
        out: list[str | Reference] = []
        piece, depth, begun, end = "", 0, 0, 0
        for mark in MARK.finditer(text):
            piece, end = piece + text[end : mark.start()], mark.end()
            what = mark[0]
            if what.startswith("\\"):
                piece += what[1:]
            elif depth == 0 and what == "$(":
                out += [piece] if piece else []
                piece, depth, begun = "", 1, mark.start()
            elif depth == 0 and what == "${":
                raise self.error(f"{text[:60]!r}: write $(column), or \\$ for the sign itself")
            elif depth == 1 and what == ")":
                out.append(Reference(self.column(piece, text)))
                piece, depth = "", 0
            else:
                piece += what
                depth += (what in ("(", "$(")) - (what == ")") if depth else 0
        if depth:
            raise self.error(
                f"reference {text[begun : begun + 60]!r} has no end; close it with ), and write "
                "\\( or \\) for a parenthesis that has no other half"
            )
        piece += text[end:]
        return tuple([*out, piece] if piece else out)

    def column(self, name: str, text: str) -> str:
        """The column of a reference. ``[*]`` changes nothing: a column holds all values."""
        column = name.strip()
        if "[" in column or column.startswith("$"):
            column = re.sub(r"^\$(\.|(?=\[))", "", column.replace("[*]", ""))
        if not column:
            raise self.error(f"{text[:60]!r} has a reference to no column")
        return column


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return (f"nearest: {near[0]}; " if near else "") + f"known are {few_of(names, MOST_NAMED)}"
