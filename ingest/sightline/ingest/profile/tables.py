"""What a table is a table of: things, triples, pairs, relations; and which columns name a record.

Knows the statistics of one table; what its columns refer to in others is known by ``links``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal

from sightline.ingest.profile import names, parts
from sightline.ingest.profile.kinds import (
    AMOUNTS,
    NUMBERS,
    PATTERNS,
    THOUSANDS,
    TIMES,
    Kind,
    written,
)
from sightline.ingest.profile.statistics import Column, Statistics, may_name

if TYPE_CHECKING:
    from sightline.ingest.profile.links import Link

Role = Literal["things", "triples", "relations", "edges"]
#: Records from which values that all differ do not do so by chance.
MANY = 20
#: A table may have so many columns that tell all records apart; the likeliest keys are looked at.
MOST_NAMES = 8
#: Words before ``name`` in columns that hold no whole name of the thing.
PARTS_OF_NAMES = frozenset(
    ("first", "last", "middle", "given", "family", "sur", "file", "user", "nick", "maiden")
)
#: Last words of columns that hold the name of a thing.
LAST_OF_NAMES = (("name",), ("title",), ("label",))
#: Share of the names in one column of two that come again in the other, where both are ends.
COMMON_ENDS = 0.2


@dataclass(slots=True)
class Profiled:
    """A table and what was decided about it.

    Attributes:
        name: of its mapping; no other has it.
        thing: what a record is, in words.
        kind: their class in words, where it is called otherwise than they are.
        module: the word before it, if several tables begin so.
        generic: the table's name says nothing of what its records are.
        supplement: its name says that it adds to what another table says: ``title_info``.
        role: ``edges`` are things without a key that link two others.
        triple: head, relation and tail of triples; the relation is None in pairs.
        names: columns that each tell all records apart, the likeliest key first.
        key: the columns that name the records; none where nothing does.
        raw: its keys are names without a table, as the ends of triples are.
        same_as: its records are those of that table.
        links: what its columns refer to.
        together: what several of its columns refer to together.
        about: columns that say something of the link that another one is.
        held: the column that says in which records its own are, which refer to them.
        ends: the two columns that ``edges`` link.
        label: the column that labels the records.
        whole_name: the columns of a person's first and last name, where no column has both.
        type_column: the column of their types.
        said: what was decided, in sentences; True with those that a person should look at.
    """

    statistics: Statistics
    name: str
    thing: tuple[str, ...]
    kind: tuple[str, ...] = ()
    module: tuple[str, ...] = ()
    generic: bool = False
    supplement: bool = False
    role: Role = "things"
    triple: tuple[str, str | None, str] | None = None
    names: list[str] = field(default_factory=list)
    key: tuple[str, ...] = ()
    raw: bool = False
    same_as: Profiled | None = None
    links: dict[str, Link] = field(default_factory=dict)
    together: dict[tuple[str, ...], Link] = field(default_factory=dict)
    about: dict[str, tuple[str, ...]] = field(default_factory=dict)
    held: str | None = None
    ends: tuple[str, str] | None = None
    label: str | None = None
    whole_name: tuple[str, str] | None = None
    type_column: str | None = None
    said: list[tuple[str, bool]] = field(default_factory=list)

    @property
    def columns(self) -> dict[str, Column]:
        """Its columns by name."""
        return self.statistics.columns

    def say(self, text: str, warning: bool = False) -> None:
        """Keep a sentence about it."""
        self.said.append((text, warning))


def begin(statistics: Statistics, name: str, shared: Sequence[str]) -> Profiled:
    """What a table is, for all that can be told from itself.

    Args:
        shared: first words that most tables have.
    """
    called = called_of(statistics)
    found = Profiled(statistics, name, names.thing_words(called, shared))
    found.supplement = names.words(called)[-1:] != names.words(called)[:1] and bool(
        set(names.words(called)[-1:]) & set(names.SUFFIXES)
    )
    before = len(names.common_prefix(list(statistics.columns)))
    for column in statistics.columns.values():
        column.called = column.name[before:]
    declared = statistics.table.declared
    inner = declared is not None and not declared.whole and bool(declared.links)
    generic = names.GRAPH_TABLES if inner else names.NODE_TABLES
    found.generic = bool(set(names.words(called)[-1:]) & set(generic))
    _group_thousands(found)
    _sums(found)
    triple = _triple(statistics)
    if triple is not None:
        found.role, found.triple = "triples", triple
        return found
    if called.lower() in names.RELATION_TABLES and called.lower() != "properties":
        found.role = "relations"
    declared_key = declared.key if declared else ()
    pair = two_of_a_kind(found) or ()
    unique = (c for c in found.columns if c not in pair and statistics.unique(c))
    scores = {column: _score(found, column) for column in unique}
    likely = sorted(scores, key=lambda column: -scores[column])[:MOST_NAMES]
    found.names = [column for column in likely if scores[column]]
    name_parts(found)
    found.key = declared_key or tuple(found.names[:1]) or group_key(found)
    if len(found.key) == 1 and _score(found, found.key[0]) < LEAST_OF_ITS_OWN and not declared_key:
        # The id of something else may differ in few records; together with others it stays right.
        ids = [c for c in found.columns if names.is_id(c) and may_name(found.columns[c])]
        filled = [c for c in ids if found.columns[c].filled == statistics.records]
        if len(filled) > 1:
            # Nothing else refers to its records by the id of something else.
            found.key, found.names = tuple(filled), []
    return found


def _group_thousands(found: Profiled) -> None:
    """``41.285`` is 41285 where other columns of the table write ``8.700.000`` or ``1,5``, and
    ``41,285`` where others write ``1,200.5`` or ``1.5``."""
    columns = found.columns.values()
    if "decimal-comma" in {written(column.kind, column.sample) for column in columns}:
        unsure = [c for c in columns if c.kind == "decimal" and _all_of(THOUSANDS, c)]
        kind: Kind = "comma"
    elif any(column.kind == "point" or _has_point(column) for column in columns):
        point = re.compile(PATTERNS["point"])
        told = [c for c in columns if c.kind == "comma" and written("comma", c.sample) is None]
        unsure, kind = [column for column in told if _all_of(point, column)], "point"
    else:
        return
    for column in unsure:
        column.kind = kind
        example = next(value for value in column.sample if "." in value or "," in value)
        found.say(
            f"{example} in {found.name}.{column.name} is taken for thousands, as "
            "other columns of the table are written",
            True,
        )


def _sums(found: Profiled) -> None:
    """Say that the last record is called as sums of the others are, where all can be seen."""
    column = next(iter(found.columns.values()), None)
    if column is None or len(column.sample) != column.filled or column.filled < 3:
        return
    last = column.sample[-1]
    numbers = any(c.kind in NUMBERS for c in found.columns.values())
    if numbers and last.lower().rstrip(":") in names.SUMS and last not in column.sample[:-1]:
        found.say(
            f"the last record of {found.name} is called {last}: if it holds the sums of the "
            "others, take it out of the file, for it is read as one more of them",
            True,
        )


def _all_of(pattern: re.Pattern[str], column: Column) -> bool:
    return all(map(pattern.fullmatch, column.sample))


def _has_point(column: Column) -> bool:
    """Whether its values have decimal points, and not before thousands."""
    return column.kind == "decimal" and not _all_of(THOUSANDS, column)


def called_of(statistics: Statistics) -> str:
    """What the table is called, in the letters of its file where it is the only one there."""
    if statistics.parts:
        return parts.thing(statistics)
    if statistics.table.name != statistics.source.stem:
        return statistics.table.name
    name = statistics.source.name
    return name[: -len(PurePath(name).suffix) or None]


#: Score of a column that names the records of its own table, rather than some other thing.
LEAST_OF_ITS_OWN = 20


def _score(found: Profiled, name: str) -> int:
    """How well a column of values that all differ names the records; 0 if it does not."""
    column, first = found.columns[name], name == next(iter(found.columns))
    name = column.called
    called, stem = names.words(name), names.stem(name)
    number = column.kind in NUMBERS
    lower = name.lower()
    if not may_name(column) or is_end(found, column):
        return 0
    if number and names.is_measure(name) and not names.is_id(name):
        # A year names nothing but a year, or a season; a score one of a table of scores.
        if not first or (stem != ("year",) and stem != found.thing):
            return 0
        return 60 if owns(found.thing, stem) or names.synonyms(stem, found.thing) else 0
    if column.kind == "text" and names.says_when(name):
        return 0  # however that is written
    if lower in names.TYPES and not owns(found.thing, stem):
        return 0  # the one record of a file may be the only one of its type
    if names.is_identifier(name) or lower in names.KEYS:
        if len(called) == 1 and called[0] in names.IDENTIFIERS:
            return 95
        own = owns(found.thing, stem)
        if own and names.is_id(name):
            return 100
        if own or lower in names.KEYS:
            return 70
        if first:
            return 60 if stem else 45
        return 15 if names.is_id(name) else 40
    if lower in names.LABELS or called[-1:] in LAST_OF_NAMES:
        return 30
    if number:
        # ``tid`` and ``molregno`` come first, and labels after them
        if not first:
            return 0
        # Counters name records less than texts do, numbers that somebody gave more.
        return 45 if lower.endswith(("id", "no", "nr")) else 22 if column.density > 0.9 else 28
    if column.words > 4 or not (first or found.statistics.records >= MANY or _leads(found, column)):
        return 0
    return 35 if first else 25


def _leads(found: Profiled, column: Column) -> bool:
    """Whether a column of texts is the first one and says of no record what kind it is: the few
    values of any other differ by chance."""
    names_kind = names.KINDS_OF.intersection(column.words_called[-1:])
    texts = (c for c in found.columns.values() if c.kind not in (*NUMBERS, *TIMES))
    leading = (c.name for c in texts if not names.says_when(c.called))
    return not names_kind and next(leading, None) == column.name


def is_end(found: Profiled, column: Column) -> bool:
    """Whether it names one of two things, and another column the other: ``from_node, to_node``."""
    direction, rest = column.words_called[:1], column.words_called[1:]
    if not direction or direction[0] not in names.DIRECTIONS or column.stem == found.thing:
        return False
    others = (one.words_called for one in found.columns.values() if one is not column)
    return any(other[1:] == rest and other[0] in names.DIRECTIONS for other in others if other)


def two_of_a_kind(found: Profiled) -> tuple[str, str] | None:
    """Two columns that are called alike but for a number or a letter, of which one has values of
    the other: ``protein_a``, ``protein_b``."""
    columns = list(found.columns.values())
    for one, other in pairwise(columns):
        alike = names.numbered(one.name, other.name) and one.kind == other.kind == "text"
        if alike and other.distinct.found_in(one.distinct).found:
            return one.name, other.name
    return None


def owns(thing: tuple[str, ...], stem: tuple[str, ...]) -> bool:
    """Whether what a column refers to is what the records of its own table are."""
    if not stem:
        return False
    return stem == thing[-len(stem) :] or "".join(stem) in ("".join(thing), thing[-1])


def group_key(
    found: Profiled, links: Collection[str] = (), others: Sequence[Profiled] = ()
) -> tuple[str, ...]:
    """The smallest group of columns that tells the records apart: an id and a number in it first,
    as a trip passes its stops; then ids and links; or a code and what it is a code in. What was
    measured tells them apart by chance, and what another table repeats together does not."""
    ids = {column for column in found.columns if names.is_id(column)} | set(links)
    whole = {
        c.name
        for c in found.columns.values()
        if c.filled == found.statistics.records and not _is_measured(c)
    }
    codes = ids | {column for column in found.columns if names.is_identifier(column)}
    groups = [g for g in found.statistics.groups if codes.intersection(g) and whole.issuperset(g)]

    elsewhere = [{c.words_called for c in t.columns.values()} for t in others if t is not found]

    def by_chance(group: tuple[str, ...]) -> tuple[bool | int, ...]:
        counted = any(names.SEQUENCES.intersection(names.words(name)) for name in group)
        own = len(ids.intersection(group))
        called = {found.columns[name].words_called for name in group}
        repeated = sum(called <= other for other in elsewhere)
        return not own, -repeated, len(group), not counted, -own

    return min(groups, key=by_chance, default=())


def _is_measured(column: Column) -> bool:
    """Whether it says how much, rather than when or in which order."""
    counted = {*names.SEQUENCES, *names.CALENDAR}
    return (
        column.kind in NUMBERS
        and names.is_measure(column.called)
        and not counted.intersection(column.words_called)
    )


def _triple(statistics: Statistics) -> tuple[str, str | None, str] | None:
    """Head, relation and tail, by their names and their values."""
    columns = statistics.columns
    if statistics.source.split and len(columns) >= 3:
        head, relation, tail = list(columns)[:3]
        return head, relation, tail
    called = names.triple_columns(list(columns))
    if called is None:
        return _pair(statistics) or _from_to(statistics) or _numbered(statistics)
    head, relations, tail = called
    sure = (head.lower(), tail.lower()) in names.PAIRS
    ends = columns[head], columns[tail]
    if any(end.kind in TIMES or not end.filled for end in ends):
        return None
    if any(end.kind in NUMBERS for end in ends) and not (
        sure and all(end.kind in ("integer", "text", "digits") for end in ends)
    ):
        together = ends[0].kind == ends[1].kind == "integer" and len(columns) == 2
        if not together or not ends[0].distinct.found_in(ends[1].distinct).found:
            return None
    filled = [r for r in relations if columns[r].filled and r not in (head, tail)]
    filled = [r for r in filled if columns[r].kind not in (*TIMES, *AMOUNTS)]
    again = [r for r in filled if not columns[r].distinct.unique or (sure and _few(statistics))]
    again = [r for r in again if r.lower() not in ("label", "p", "r") or columns[r].kind == "text"]
    if relations and not again:
        if not sure or filled:
            return None if not sure else (head, filled[0], tail)
        return head, None, tail
    return head, again[0] if again else None, tail


def _few(statistics: Statistics) -> bool:
    return statistics.records < MANY


def _pair(statistics: Statistics) -> tuple[str, None, str] | None:
    """Two columns of which the names in one come again in the other."""
    if len(statistics.columns) != 2 or statistics.table.name in names.RELATION_TABLES:
        return None
    first, second = statistics.columns.values()
    if first.kind != second.kind:
        return None
    kin = names.are_kin(first.name, second.name)
    if not kin and (first.name, second.name) != ("id", "label"):
        keys = statistics.unique(first.name) or statistics.unique(second.name)
        if keys or first.many or second.many or first.kind != "text":
            return None  # with names, only what names no record is an end
    common = second.distinct.found_in(first.distinct).found
    least = min(first.distinct.count, second.distinct.count)
    same = sum(a == b for a, b in zip(first.sample, second.sample))
    if common and common >= COMMON_ENDS * least and same * 3 <= len(first.sample):
        return first.name, None, second.name
    return None


def _from_to(statistics: Statistics) -> tuple[str, None, str] | None:
    """``from`` and ``to`` of names that come again, in either of the two, beside other columns."""
    lower = {name.lower(): column for name, column in statistics.columns.items()}
    for pair in (("from", "to"), ("start", "end"), ("origin", "destination"), ("origin", "dest")):
        ends = [lower[name] for name in pair if name in lower]
        if len(ends) < 2 or any(e.kind not in ("text", "digits") or e.words > 4 for e in ends):
            continue
        again = not all(statistics.unique(end.name) for end in ends)
        if again and ends[1].distinct.found_in(ends[0].distinct).found:
            return ends[0].name, None, ends[1].name
    return None


def _numbered(statistics: Statistics) -> tuple[str, None, str] | None:
    """``protein1, protein2`` and numbers about the two: they are the ends of edges."""
    columns = list(statistics.columns.values())
    if len(columns) < 2:
        return None
    first, second, *others = columns
    if not names.numbered(first.name, second.name) or first.kind != second.kind:
        return None
    ends = all(c.filled == statistics.records and not c.many for c in (first, second))
    if not ends or first.kind in TIMES or not all(c.kind in NUMBERS for c in others if c.filled):
        return None
    return first.name, None, second.name


def name_parts(found: Profiled) -> None:
    """Find the columns that label the records and say of which type they are, but for links."""
    names_of = {
        column.called: name
        for name, column in reversed(found.columns.items())
        if name not in found.links and column.filled
    }
    lower = {called.lower(): name for called, name in names_of.items()}

    def first(wanted: Sequence[str]) -> str | None:
        return next((lower[name] for name in wanted if name in lower), None)

    types = names.TYPES if found.generic or found.role == "relations" else names.TYPES[:4]
    found.type_column = first(types)
    found.label, found.whole_name = first(names.LABELS), None
    named, labelled = first(("name",)), first(("label",))
    unique = found.statistics.unique
    if named and labelled and unique(named) and not unique(labelled):
        found.label = named
    whole = _whole_name(found, names_of)
    if whole and (found.label is None or found.label != first(("name", "label"))):
        found.label, found.whole_name = None, whole
    elif found.label is None:
        # The name of a customer in an order, beside the customer's id, is no name of the order.
        others = {found.columns[link].stem for link in found.links} - {()}
        words = {name: found.columns[name].words_called for name in names_of.values()}
        own = [
            name
            for name, called in words.items()
            if called[-1:] in LAST_OF_NAMES and called[:-1] not in others and _is_name(found, name)
        ]
        own.reverse()
        thing = [c for c in own if words[c][:-1] in _own_words(found)]
        # ``country`` of countries says which one each is.
        named_so = [
            name
            for name, called in words.items()
            if called == found.thing
            and found.columns[name].kind == "text"
            and unique(name)
            and name not in found.key
        ]
        last = (
            name
            for name in names_of.values()
            if found.columns[name].called.lower() in names.LAST_LABELS and name not in found.key
        )
        found.label = next(iter((*thing, *own, *named_so, *last)), None)


def _whole_name(found: Profiled, names_of: Mapping[str, str]) -> tuple[str, str] | None:
    """The columns of a record's own first and last name."""
    texts = [called for called, name in names_of.items() if found.columns[name].kind == "text"]
    person = names.person(texts[::-1])
    if person is None:
        return None
    before, first, last = person
    if before and before[0][:2] != found.thing[-1][:2]:
        return None  # the customer of an order is not the order
    return names_of[first], names_of[last]


def _own_words(found: Profiled) -> tuple[tuple[str, ...], ...]:
    return found.thing, found.thing[-1:]


def _is_name(found: Profiled, name: str) -> bool:
    column = found.columns[name]
    things = found.columns[found.key[0]].distinct.count if len(found.key) == 1 else column.filled
    return (
        not PARTS_OF_NAMES.intersection(column.words_called)
        and column.kind == "text"
        and column.distinct.count * 2 > min(column.filled, things)
    )
