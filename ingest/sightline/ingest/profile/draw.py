"""Profiled tables as a mapping: the document that the YAML of ``--mapping`` holds.

Knows the mapping's language and what was decided; decides only what each column's values become.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any
from urllib.parse import quote

from sightline.ingest.profile import names
from sightline.ingest.profile.kinds import NO_UNIT, NUMBERS, TIMES, Kind, written
from sightline.ingest.profile.statistics import Column
from sightline.ingest.profile.tables import Profiled
from sightline.ingest.terms import RECORD, ROW

PAIRED = "relation:related_to"
DATATYPES = {
    "integer": "xsd:integer",
    "decimal": "xsd:decimal",
    "double": "xsd:double",
    "date": "xsd:date",
}
#: Numbers of these names are no quantities.
NO_NUMBERS = (
    "zip",
    "plz",
    "postal",
    "postcode",
    "phone",
    "fax",
    "mobile",
    "code",
    "number",
    "nr",
    "no",
)
#: ``2.1.35`` of these names is no day.
VERSIONS = ("version", "versions", "release", "build", "revision")
#: Names of columns whose values come again and are no thing for that.
NO_THINGS = (
    *("address", "street", "phone", "fax", "email", "mail", "url", "website", "postal", "zip"),
    *(
        "plz",
        "postcode",
        "comment",
        "comments",
        "note",
        "notes",
        "text",
        "message",
        "password",
        "hash",
    ),
    *("first", "last", "middle", "given", "family", "surname", "forename", "firstname", "lastname"),
    *("initials", "suffix", "salutation", "file", "path", "image", "photo", "picture"),
)
#: Values come again so often on average where they are a few things that many records share.
REPEATS = 2
#: Names of tables that say nothing of what a record is.
NO_CLASS = ("data", "file", "export", "table", "sheet", "input", "output", "dump", "csv", "sample")

#: Days in digits alone.
_DAY = re.compile(r"(1[5-9]|2[01])[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])")
_ISO = re.compile(r"[0-9-]{10}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})?")

Item = Any
Meaning = tuple[str, Item]


def draw(
    table: Profiled, categories: Mapping[tuple[str, str], str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The mapping of a table, and what each column means in words.

    Args:
        categories: table and column to what its few values are called in IRIs.
    """
    body, meaning = _drawn(table, categories)
    ids = (*table.key, *table.links, *chain.from_iterable(table.together), *(table.ends or ()))
    floats = [name for name in dict.fromkeys(ids) if table.columns[name].floats]
    return ({"floats": floats, **body} if floats else body), meaning


def values_of(
    table: Profiled, categories: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The things that few values of a column are, each with its mapping."""
    for name, column in table.columns.items():
        thing = categories.get((table.name, name))
        if thing is None or name == table.type_column:
            continue
        body: dict[str, Any] = {"s": f"entity:{thing}/{reference(name)}", "once": "true"}
        if column.separator:
            body["split"] = column.separator
        yield name, body | {"po": [["a", _class_called(thing)], ["rdfs:label", reference(name)]]}


def held_by(table: Profiled) -> tuple[str, dict[str, Any]] | None:
    """The links from records to the things inside them, which others may hold too, as a mapping of
    their own: an issue has an assignee."""
    link = table.links[table.held] if table.held else None
    if link is None or link.table is None or not table.held:
        return None
    fields = table.statistics.table.name.split(".")
    field = fields[-2 if len(table.key) > 1 and len(fields) > 2 else -1]  # ``code.coding``
    words = names.words(field)
    relation = f"relation:{names.local((*words[:-1], names.singular(words[-1])))}"
    po, _ = _edge(table, relation, f"{subject(table)}~iri", table.about.get(table.held, ()))
    return table.held, {"s": subject(link.table, (table.held,)), "complete": "true", "po": [po]}


def _drawn(
    table: Profiled, categories: Mapping[tuple[str, str], str]
) -> tuple[dict[str, Any], dict[str, str]]:
    if table.role == "triples":
        return _triples(table)
    if table.role == "edges":
        return _edges(table)
    items: list[Item] = []
    meaning: dict[str, str] = {}
    for item in _class(table):
        items.append(item)
    about = set(chain.from_iterable(table.about.values()))
    for name, column in table.columns.items():
        if name in about:
            continue
        said, item = _column(table, name, column, categories)
        meaning[name] = said
        if name == table.held and name in table.about:
            meaning |= _edge(table, "", "", table.about[name])[1]
        if item is not None and name in table.about:
            predicate, iri = (item["p"], item["o"]) if isinstance(item, dict) else item
            item, more = _edge(table, predicate, iri, table.about[name])
            meaning |= more
        if item is not None:
            items.append(item)
    for columns, link in table.together.items():
        if link.table is not None:
            relation = f"relation:{names.local(link.table.thing)}"
            items.append(_link_to(relation, subject(link.table, columns)))
    items += _made_label(table)
    return {"s": subject(table), "po": items}, meaning


def subject(table: Profiled, columns: Sequence[str] = ()) -> str:
    """The IRI of its records.

    Args:
        columns: those that hold the keys, in another table; its own where none are given.
    """
    if table.same_as is not None:
        return subject(table.same_as, columns or table.key)
    columns = columns or table.key
    if table.role == "relations" and columns:
        return f"relation:{reference(columns[0])}~name"
    if not columns:
        return reference(RECORD)
    if table.raw:
        return f"entity:{reference(columns[0])}~name"
    return f"entity:{names.local(table.thing)}/" + "/".join(map(reference, columns))


_ESCAPED = str.maketrans({sign: "\\" + sign for sign in "()\\"})


def reference(column: str) -> str:
    """``$(column)``, with its parentheses escaped."""
    return f"$({column.translate(_ESCAPED)})"


def _triples(table: Profiled) -> tuple[dict[str, Any], dict[str, str]]:
    assert table.triple is not None
    head, relation, tail = table.triple
    predicate = f"relation:{reference(relation)}~name" if relation is not None else _paired(table)
    if relation is None and names.are_kin(head, tail):
        predicate = f"relation:{names.local(names.stem(tail))}"
    filled = [column.name for column in table.columns.values() if column.filled]
    others = [name for name in filled if name not in (head, relation, tail)]
    meaning = {head: "head of the edges", tail: "tail of the edges"}
    if relation is not None:
        meaning[relation] = "relation of the edges"
    po, about = _edge(table, predicate, f"entity:{reference(tail)}~name", others)
    body = {"s": f"entity:{reference(head)}~name", "complete": "true", "po": [po]}
    meaning |= about
    return body, {name: meaning.get(name, "empty") for name in table.columns}


def _paired(table: Profiled) -> str:
    """How the ends of pairs relate: those of ``routes.csv`` by a route, if it is called so."""
    last = names.words(table.name)[-1:]
    several = bool(last) and table.thing[-1] != last[0]
    told = several and not table.generic and table.thing[-1] not in names.PAIRS_OF
    return f"relation:{names.local(table.thing)}" if told else PAIRED


def _edges(table: Profiled) -> tuple[dict[str, Any], dict[str, str]]:
    assert table.ends is not None
    first, second = table.ends
    relation = f"relation:{names.local(table.thing)}"
    no_others = (*table.ends, *_numbers(table))
    others = [c.name for c in table.columns.values() if c.filled and c.name not in no_others]
    iri = end(table, second)
    po, about = _edge(table, relation, iri if iri.endswith("~name") else f"{iri}~iri", others)
    body = {"s": end(table, first), "complete": "true", "po": [po]}
    meaning = {first: "one end of the links", second: "the other end of the links"}
    meaning |= about
    return body, {name: meaning.get(name, "empty") for name in table.columns}


def _edge(
    table: Profiled, predicate: str, iri: Item, others: Sequence[str]
) -> tuple[Item, dict[str, str]]:
    """A link with what the other columns say about it, and what these mean."""
    if not others:
        return [predicate, iri], {}
    said, meaning = {}, {}
    for name in others:
        kind, item = _value(name, table.columns[name])
        about = _property(name, table.columns[name], item)
        said[about] = item if set(item) > {"value"} else item["value"]
        meaning[name] = f"about the link: {kind}"
    return {"p": predicate, "o": iri, "q": said}, meaning


def end(table: Profiled, column: str) -> str:
    """The IRI of what a column refers to."""
    link = table.links[column]
    if link.table is not None:
        return subject(link.table, (column,))
    if table.columns[column].kind == "iri":
        return f"entity:{reference(column)}~name"
    return f"entity:{names.local(names.referred(column, table.columns))}/{reference(column)}"


def _link_to(relation: str, iri: str, column: Column | None = None) -> Item:
    text = iri if iri.endswith("~name") else f"{iri}~iri"
    if column is not None and column.separator:
        return {"p": relation, "o": {"value": text, "split": column.separator}}
    return [relation, text]


def _class(table: Profiled) -> Iterator[Item]:
    if table.role == "relations":
        yield ["a", "rdf:Property"]
    elif not table.generic and not _same_kind(table) and _has_class(table):
        inner = table.same_as is not None and table.key[0] not in table.links and _is_inner(table)
        yield ["a", class_of(table.same_as if inner and table.same_as else table)]


def _is_inner(table: Profiled) -> bool:
    declared = table.statistics.table.declared
    return declared is not None and not declared.whole


def _has_class(table: Profiled) -> bool:
    return len("".join(table.thing)) > 1 and table.thing[-1] not in NO_CLASS


def _same_kind(table: Profiled) -> bool:
    """``title_ratings`` says something of titles; ``employees`` are persons of a kind."""
    other = table.same_as
    return other is not None and table.thing[: len(other.thing)] == other.thing


def class_of(table: Profiled) -> str:
    """The class of its records."""
    return _class_called(names.local(table.kind or table.thing))


def _class_called(thing: str) -> str:
    return f"class:{thing[:1].upper()}{thing[1:]}"


def _column(
    table: Profiled, name: str, column: Column, categories: Mapping[tuple[str, str], str]
) -> tuple[str, Item | None]:
    lower, label = name.lower(), table.label
    value = reference(name)
    if not column.filled:
        return "empty", None
    if name == label:
        return "label", _said("rdfs:label", value, column)
    if name == table.held:
        return "where it is, from which it is linked", None
    if name in table.links:
        return _link(table, name, column)
    if name in _numbers(table):
        return "number of a record", None
    if table.key == (name,):
        if table.raw:
            return "key", None
        return "key", [("rdfs:label" if _reads_as_label(table) else "skos:notation"), value]
    few = column.kind == "text" and (_comes_again(column) or column.filled <= 20 or table.generic)
    if name == table.type_column and few and table.role == "things" and column.words <= 5:
        return "type", _link_to("a", f"class:{value}~name", column)
    if lower in names.DESCRIPTIONS:
        return "description", _said("schema:description", value, column)
    if lower in names.ALIASES:
        return "other names", _said("skos:altLabel", value, column)
    thing = categories.get((table.name, name))
    if thing is not None:
        iri = f"entity:{thing}/{value}"
        relation = f"relation:{names.local(names.words(name))}"
        said = f"link to one of {column.distinct.count:,} things ({', '.join(_shown(column))})"
        return said, _link_to(relation, iri, column)
    return _literal(name, column)


def _numbers(table: Profiled) -> tuple[str, ...]:
    declared = table.statistics.table.declared
    return declared.numbers if declared else ()


def _reads_as_label(table: Profiled) -> bool:
    """A key of words is a label where there is no other."""
    column = table.columns[table.key[0]]
    return (
        table.label is None
        and table.same_as is None
        and column.kind == "text"
        and not names.is_identifier(column.name)
    )


def _link(table: Profiled, name: str, column: Column) -> tuple[str, Item]:
    link = table.links[name]
    stem = names.stem(name) or names.words(name)
    there = names.words(link.column)
    if len(stem) > len(there) and stem[-len(there) :] == there:
        stem = stem[: -len(there)]  # the ``iso`` of a country is of a country
        stem = (*stem[:-1], names.singular(stem[-1]))
    said = f"link to {link.table.name}" if link.table else "link to things that no file describes"
    relation = f"relation:{names.local(stem)}"
    if link.table is not None and link.joined:
        sides = [["str1", reference(name)], ["str2", reference(link.column)]]
        found = {
            "mapping": link.table.name,
            "condition": {"function": "equal", "parameters": sides},
        }
        return f"{said} by its {link.column}", {"p": relation, "o": found}
    return said, _link_to(relation, end(table, name), column)


def _literal(name: str, column: Column) -> tuple[str, Item]:
    said, value = _value(name, column)
    predicate, text = _property(name, column, value), value["value"]
    if set(value) == {"value"}:
        return said, [predicate, text]
    if set(value) == {"value", "datatype"}:
        return said, [predicate, text, value["datatype"]]
    return said, {"p": predicate, "o": value}


def _property(name: str, column: Column, value: Mapping[str, str]) -> str:
    """The property that a column becomes, with the unit of its numbers where its name does not
    say that."""
    unit = "".join(column.unit) if "format" in value else ""
    if unit and unit not in re.split(r"[\s()\[\],_]+", name):
        name = f"{name} ({unit})"
    return "property:" + quote(name, safe="")


def _value(name: str, column: Column) -> tuple[str, dict[str, str]]:
    """What the values are, in words and as a literal of the mapping."""
    value = {"value": reference(name)}
    kind: Kind = "decimal" if column.floats else column.kind
    said = {"integer": "whole number", "digits": "code", "iri": "address", "comma": "text"}.get(
        kind, "date" if kind == "other date" else kind
    )
    called = set(names.words(name))
    form = written(column.kind, column.sample)
    if (
        column.kind == "integer"
        and names.says_when(name)
        and all(map(_DAY.fullmatch, column.sample))
    ):
        form, said = "%Y%m%d", "date"
    if column.unit != NO_UNIT and column.kind in NUMBERS:
        return _amount(column, form)
    if column.separator:
        value["split"] = column.separator
    if column.kind in NUMBERS and called & set(NO_NUMBERS):
        return said, value
    if column.kind == "other date" and called & set(VERSIONS):
        return "text", value
    if form:
        value["format"] = form
        said = "number" if form.startswith("decimal") else said
        return f"{said} written as {column.sample[0]}", value
    datatype = DATATYPES.get(kind)
    if column.kind == "integer" and called & {"year", "born", "founded"} and _years(column):
        datatype, said = "xsd:gYear", "year"
    if column.kind == "boolean":
        datatype = "xsd:boolean"
    if column.kind == "datetime" and all(map(_ISO.fullmatch, column.sample)):
        datatype = "xsd:dateTime"
    if datatype is not None:
        value["datatype"] = datatype
    return said, value


def _amount(column: Column, form: str | None) -> tuple[str, dict[str, str]]:
    """Numbers with a unit; texts where one can be read in two ways."""
    value = {"value": reference(column.name)}
    if form is None and column.kind == "comma":
        return "text", value
    before, after = column.unit
    value["format"] = f"{before} {form or 'decimal-point'} {after}".strip()
    return f"number written as {f'{before} {column.sample[0]} {after}'.strip()}", value


def _years(column: Column) -> bool:
    return all(len(text) == 4 and "1000" <= text <= "2200" for text in column.sample)


def _said(predicate: str, value: str, column: Column, datatype: str | None = None) -> Item:
    if not column.separator:
        return [predicate, value]
    typed = {"datatype": datatype} if datatype else {}
    return {"p": predicate, "o": {"value": value, "split": column.separator, **typed}}


def _comes_again(column: Column) -> bool:
    values = max(column.filled, len(column.sample)) if column.many else column.filled
    return column.distinct.count * REPEATS <= values and column.distinct.count > 1


def categories(tables: Sequence[Profiled]) -> dict[tuple[str, str], str]:
    """Columns of few values that are things, with what these are called in IRIs.

    ``city`` and ``billing_city`` are of the same things where they have values in common.
    """
    taken = {names.local(t.thing) for t in tables if t.role == "things" and not t.raw}
    by_last: dict[str, list[tuple[Profiled, Column]]] = {}
    for table in tables:
        for name, column in table.columns.items():
            if _is_category(table, name, column):
                by_last.setdefault(names.singular(names.words(name)[-1]), []).append(
                    (table, column)
                )
    found = {}
    for last, columns in by_last.items():
        for table, column in columns:
            others = [other for _, other in columns if other.name != column.name]
            whole = names.local(names.stem(column.name) or names.words(column.name))
            shared = any(_common(column, other) for other in others)
            thing = quote(last, safe="") if shared else whole
            if thing in taken:  # a table of things that these are not
                thing = names.local((*table.thing, *names.words(column.name)))
            found[table.name, column.name] = thing
    return found


def _common(one: Column, other: Column) -> bool:
    found = one.distinct.found_in(other.distinct).found
    return found * 3 >= min(one.distinct.count, other.distinct.count)


def _is_category(table: Profiled, name: str, column: Column) -> bool:
    """Few values that are no numbers and come again are things that records share."""
    if column.kind != "text" or table.role != "things" or not _comes_again(column):
        return False
    named = (*table.links, *table.key, table.label, *(table.whole_name or ()))
    if name in named or not names.words(name):
        return False
    if len(table.key) == 1 and not column.many:  # a thing in several records says it in each
        things = table.columns[table.key[0]].distinct.count
        if column.distinct.count * REPEATS > things:
            return False
    called = set(names.words(name))
    if called & set(NO_THINGS) or (names.is_measure(name) and column.kind in TIMES):
        return False
    return column.mean_length <= 40 and column.words <= 5


def _shown(column: Column) -> list[str]:
    return list(dict.fromkeys(column.sample))[:3]


def _made_label(table: Profiled) -> list[Item]:
    """A label for things that have none and whose keys are mere numbers."""
    if table.role != "things" or table.label is not None or table.raw or table.same_as:
        return []
    called = " ".join(table.thing)
    if table.whole_name:
        return [["rdfs:label", " ".join(map(reference, table.whole_name))]]
    if not table.key:
        return [["rdfs:label", f"{called} {reference(ROW)}"]]
    if len(table.key) == 1 and table.columns[table.key[0]].kind not in ("integer", "digits"):
        return []
    return [["rdfs:label", f"{called} {' '.join(map(reference, table.key))}"]]
