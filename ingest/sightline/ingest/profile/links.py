"""Which columns refer to the records of which table: by their values together with their names.

Knows profiled tables. Small whole numbers are values of each other by chance, so that a name must
speak for such a link; texts that are all found speak for themselves.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sightline.graph.arrays import Flags
from sightline.ingest.profile import names
from sightline.ingest.profile.distinct import Found
from sightline.ingest.profile.kinds import AMOUNTS, TIMES
from sightline.ingest.profile.speak import (
    BARE,
    COVERED,
    HINT,
    HINTED,
    OWN_WORDS,
    SAME_NAME,
    abbreviates,
    as_far,
    comes_first,
    covered,
    names_speak,
    same_kind,
    surprising,
)
from sightline.ingest.profile.statistics import Column, may_name
from sightline.ingest.profile.tables import MANY, Profiled, is_end, owns

#: Names that say as much alone speak for a link of which this share of the values is found.
SURE_NAME, SHARE_OF_SURE = 0.75, 0.5
#: Below that, this share must be found.
SHARE_OF_UNSURE = 0.99
#: And so many of a column that is called as ids are.
LEAST_OF_IDS = 5
#: Of so many values of a column this share must be keys of a table, or all are not looked up there.
PROBES, LEAST_PROBES = 8, 0.75
#: The word that so many tables begin with says which part of a program they are of.
LEAST_OF_MODULE = 3
#: How sure a name is that says nothing where that of its table begins as another one's.
OWNER = 0.6
#: A letter and ``id``: ``nid`` of a note, if numbers show that; ``bid`` and ``kid`` are words.
_INITIAL = re.compile(r"[a-z]id", re.IGNORECASE)
#: Letters at the end of names written as one by which they are compared; the marks of people and of
#: ends of edges.
END, PERSON, END_OF = 4, "@", ">"


@dataclass(frozen=True, slots=True)
class Link:
    """A column that refers to the records of a table.

    Attributes:
        table: the one referred to; None where no source describes it.
        column: the one there that has the values.
        found: how many of its values are there.
        name: how much the names speak for it, between 0 and 1.
        declared: the source itself says so.
    """

    table: Profiled | None
    column: str
    found: Found
    name: float
    declared: bool = False

    @property
    def joined(self) -> bool:
        """The records there are named by something else than the values referred to."""
        return self.table is not None and (self.column,) != self.table.key

    @property
    def confidence(self) -> float:
        """Between 0 and 1."""
        if self.declared:
            return 1.0
        return round(0.5 * max(self.name, 0.4) + 0.5 * self.found.share, 2)


def find_links(tables: Sequence[Profiled]) -> None:
    """Give every table its links, those that are declared before those that are found."""
    _name_by_what_others_repeat(tables)
    firsts = Counter(table.thing[0] for table in tables if table.thing[1:])
    for table in tables:
        if table.thing[1:] and firsts[table.thing[0]] >= LEAST_OF_MODULE:
            table.module = table.thing[:1]
    targets = _Targets(tables)
    by_name = {_place(table, table.statistics.table.name): table for table in targets.tables}
    linking = [table for table in tables if table.role not in ("triples", "relations")]
    for (
        table
    ) in linking:  # all of them first: where two tables have a value, one may be the other's
        declared = table.statistics.table.declared
        for foreign in declared.links if declared else ():
            target = by_name.get(_place(table, foreign.table))
            if target is not None and len(foreign.columns) == 1:
                name, referred = foreign.columns[0], foreign.referred[0]
                if name in table.columns and referred in target.columns:
                    found = _found(table.columns[name], target.columns[referred])
                    table.links[name] = Link(target, referred, found, 1.0, declared=True)
    for table in linking:
        declared = table.statistics.table.declared
        for column in table.columns.values():
            if column.name in table.links or (declared and column.name in declared.numbers):
                continue
            link = _best(table, column, targets)
            # A schema that declares some links may forget others, which names must make sure.
            schema = declared and declared.whole and declared.links
            if link is not None and (link.name >= SURE_NAME or not schema):
                table.links[column.name] = link
    _as_others_of_the_name(linking)


def _as_others_of_the_name(tables: Sequence[Profiled]) -> None:
    """Link numbers for which their name does not speak, or not enough, as the columns of that name
    in other tables are linked, if they are all found there too: few do not show how far they go."""
    called: dict[tuple[str, ...], dict[tuple[int, str], Link]] = {}
    for table in tables:
        for name, link in table.links.items():
            if link.name < SURE_NAME:
                to = called.setdefault(table.columns[name].words_called, {})
                to[id(link.table), link.column] = link
    for table in tables:
        for column in table.columns.values():
            to = called.get(column.words_called, {})
            other = _other_end(table, column)
            if other is None and len(to) == 1 and column.name not in table.key:
                other = next(iter(to.values()))
            if other is None or column.name in table.links or column.kind != "integer":
                continue
            if other.table is None or other.table is table:
                continue
            found = _found(column, other.table.columns[other.column])
            if found.found and found.share >= SHARE_OF_UNSURE:
                table.links[column.name] = Link(other.table, other.column, found, 0.0)


def _other_end(table: Profiled, column: Column) -> Link | None:
    """The link of the other of two ends: where one is from, if another is where it goes."""
    if not is_end(table, column):
        return None
    rest = column.words_called[1:]
    others = ((table.columns[name], link) for name, link in table.links.items())
    return next((x for c, x in others if is_end(table, c) and c.words_called[1:] == rest), None)


def _name_by_what_others_repeat(tables: Sequence[Profiled]) -> None:
    """A column of ids that comes again in other tables, and in one differs in every record, names
    the records of that one: admissions are named by ``hadm_id``, whatever that is."""
    called: dict[tuple[str, ...], list[tuple[Profiled, Column]]] = {}
    for table in tables:
        for column in table.columns.values():
            if table.role == "things" and column.filled and names.is_identifier(column.called):
                called.setdefault(column.words_called, []).append((table, column))
    for words, found in called.items():
        named = [(t, c) for t, c in found if t.statistics.unique(c.name)]
        if names.stem("_".join(words)) == () or len(named) != 1 or len(found) < 2:
            continue
        table, column = named[0]
        few = table.statistics.records < MANY or not may_name(column)
        if few or (table.statistics.table.declared and table.statistics.table.declared.key):
            continue
        if table.names and not (comes_first(table, column.name) and _is_alone(table, called)):
            continue
        others = [_found(other, column) for _, other in found if other is not column]
        if all(one.share >= SHARE_OF_SURE for one in others):
            more = [name for name in table.names if name != column.name]
            table.key, table.names = (column.name,), [column.name, *more]


def _is_alone(table: Profiled, called: Mapping[tuple[str, ...], Sized]) -> bool:
    """Whether the key of a table is a number of rows, or called as no column of another table."""
    if len(table.key) != 1:
        return False
    key = table.columns[table.key[0]]
    return not key.stem or len(called.get(key.words_called, ())) < 2


def _place(table: Profiled, name: str) -> tuple[Path, str]:
    """Where a table of its source is."""
    return table.statistics.source.path, name


class _Targets:
    """The tables that columns may refer to, looked up by what names or values have in common: not
    every column is held against every table."""

    def __init__(self, tables: Sequence[Profiled]) -> None:
        self.tables = [table for table in tables if table.role == "things" and table.names]
        self._places = {_place(table, table.statistics.table.name) for table in self.tables}
        self._by_mark: dict[str, list[int]] = {}
        for place, table in enumerate(self.tables):
            for mark in _marks_of(table):
                self._by_mark.setdefault(mark, []).append(place)
        self._pairs = {place for place, t in enumerate(self.tables) if _only_pairs(t)}
        self._things = {table.thing for table in tables}
        self._said_of = {
            id(table): {c.stem[:-1] for c in table.columns.values() if c.stem[-1:] == ("type",)}
            for table in tables
        }
        columns = [column for table in tables for column in table.columns.values()]
        self._columns = {id(column): place for place, column in enumerate(columns)}
        self._holds = self._held(columns)

    def _held(self, columns: Sequence[Column]) -> Flags:
        """``(columns, targets)``: whether some values of the column are keys of the target."""
        probes = [column.distinct.kept()[:PROBES] for column in columns]
        counts = np.array([len(some) for some in probes], np.int64)
        owner = np.repeat(np.arange(len(columns)), counts)
        more = np.array([column.distinct.size > PROBES for column in columns], np.bool_)
        iris = np.array([column.kind == "iri" for column in columns], np.bool_)
        least = np.where(iris, 1, np.where(more, LEAST_PROBES * counts, counts))
        values, place = np.unique(
            np.concatenate([np.zeros(0, np.uint64), *probes]), return_inverse=True
        )
        held = np.zeros((len(columns), len(self.tables)), np.bool_)
        for i, table in enumerate(self.tables):
            if len(table.key) == 1:
                key = table.columns[table.key[0]].distinct
                found = owner[key.holds(values)[place]]
                held[:, i] = np.bincount(found, minlength=len(columns)) >= least
        return held

    def by_name(self, table: Profiled, column: Column) -> list[Profiled]:
        """Those for which the name of a column may speak, in order; its own table among them."""
        if all(other is table for other in self.tables):
            return self.tables
        found = {place for mark in _marks(column) for place in self._by_mark.get(mark, ())}
        return [
            t
            for i, t in enumerate(self.tables)
            if t is table or (i in found and (i not in self._pairs or self._names_pair(column, t)))
        ]

    def _names_pair(self, column: Column, table: Profiled) -> bool:
        """Whether a column is called as a table that only pairs things is, and not as one of the
        things: ``slice_id`` is none of ``dashboard_slices``, where there are dashboards."""
        stem, called = column.stem, column.words_called
        if not stem or stem == table.thing:
            return stem == table.thing
        if any(table.columns[key].words_called == called for key in table.names):
            return True
        if table.thing[: -len(stem)] in self._things:
            return False
        bare, end = _bare(table), "".join(stem)
        return bare.endswith(end) and (len(stem) > 1 or bare == end)

    def of_any(self, table: Profiled, column: Column) -> bool:
        """Whether values are of any table: of an ``object``, or of what another column says, as
        ``owner_type`` does beside ``owner_id``."""
        return column.stem[-1:] == ("object",) or column.stem in self._said_of[id(table)]

    def of_owner(self, table: Profiled, column: Column) -> list[Link]:
        """The link to what the table is about as its name says, if that of the column says
        nothing of any: ``master_id`` of a ``product_translation``; the parent of a part of it."""
        if not names.is_id(column.called) or not set(column.stem) & names.OWNERS:
            return []
        if table.statistics.unique(column.name):
            return []
        whole = column.filled == table.statistics.records  # and no root of a tree
        if not whole and set(column.words_called) & set(names.SELF):
            return []
        own = _bare(table)
        owners = [t for t in self.tables if t is not table and _begins_with(own, t)]
        for target in sorted(owners, key=lambda t: -len(_bare(t))):
            key = target.columns[target.key[0]]
            found = _found(column, key)
            if same_kind(column, key) and _enough(table, column, key, found, OWNER):
                return [Link(target, key.name, found, OWNER)]
        return []

    def by_value(self, column: Column) -> Iterator[Profiled]:
        """Those of which a sample of the column's values are keys, in order; not those whose keys
        are another's, as the source says."""
        for place in np.flatnonzero(self._holds[self._columns[id(column)]]):
            table = self.tables[place]
            if place not in self._pairs and not any(
                self._is_another(table, name) for name in table.key
            ):
                yield table

    def _is_another(self, table: Profiled, key: str) -> bool:
        """Whether a key is declared to be another table's, or that of the object in it."""
        declared = key in table.links and table.links[key].declared
        inner = f"{table.statistics.table.name}.{key.rpartition('.')[0]}".lower()
        return declared or _place(table, inner) in self._places


def _bare(table: Profiled) -> str:
    """What a table is called after the word of its module, as one."""
    return "".join(table.thing[len(table.module) :])


def _begins_with(text: str, table: Profiled) -> bool:
    bare = _bare(table)
    return len(table.key) == 1 and HINT <= len(bare) < len(text) and text.startswith(bare)


def _only_pairs(table: Profiled) -> bool:
    """Whether records hold nothing but a number of their own and ids of other things: nothing is
    said of them that others could refer to."""
    others = [column for column in table.columns.values() if (column.name,) != table.key]
    ids = [c for c in others if names.is_id(c.called) and c.stem and not c.distinct.unique]
    return len(ids) > 1 and len(ids) == len(others)


def _marks(column: Column) -> set[str]:
    """What the name of a column has in common with a table for which it speaks."""
    called, stem = column.words_called, names.unnumbered(column.stem)
    marks = {*stem, "".join(stem)[-END:], "=" + "".join(called)}
    marks |= {"^" + word[:HINT] for word in called if len(word) >= HINT}
    if stem and names.is_id(column.called):
        marks.add("^" + stem[-1][:2])  # how an abbreviation begins
    if {*called, *stem} & {*names.ROLES, *names.LEADERS} or (stem and stem[-1] in names.PEOPLE):
        marks.add(PERSON)
    if called == ("uid",):
        marks |= set(names.USERS)
    if called[:1] and called[0] in names.DIRECTIONS:
        marks.add(END_OF)
    for pair in names.SYNONYMS:
        marks |= set(pair) if stem and stem[-1] in pair else set()
    return marks


def _marks_of(table: Profiled) -> set[str]:
    """What a table has in common with the names of columns that speak for it."""
    joined, last = "".join(table.thing), table.thing[-1]
    marks = {*table.thing, joined[-END:], "^" + joined[:1], "^" + last[:HINT]}
    marks |= {"^" + text[0] + letter for text in (joined, last) for letter in text[1:]}
    for key in table.names:
        column = table.columns[key]
        if names.is_identifier(column.called) or table.key == (key,):
            marks |= {*column.stem, "=" + "".join(column.words_called)}
            marks.add("=" + "".join(names.words(key)))
    if last in (*names.PEOPLE, *names.PROFESSIONALS, "profile") or table.whole_name:
        marks.add(PERSON)
    if table.generic:
        marks.add(END_OF)
    return marks


def _found(column: Column, other: Column) -> Found:
    return column.distinct.found_in(other.distinct)


def _best(table: Profiled, column: Column, targets: _Targets) -> Link | None:
    if not column.filled or column.kind in (*TIMES, *AMOUNTS, "boolean"):
        return None
    if column.kind == "text" and column.mean_length > 60:
        return None
    flags = set(column.sample) <= {"0", "1"} and not names.is_id(column.called)
    asks = column.words_called[:1] in (("is",), ("has",))  # ``is_fork``
    if flags and (asks or not set(column.words_called) & set(names.SELF)):
        return None
    is_key = table.key == (column.name,)
    if is_key and table.same_as:
        return None
    by_name = targets.by_name(table, column)
    called_so = any(one.thing == column.stem for one in by_name if one is not table)
    own = owns(table.thing, column.stem) or (_begins(table, column) and not called_so)
    if is_key and own and not table.supplement and names.POINTER not in column.words_called:
        return None
    found = list(_candidates(table, column, by_name, True))
    if is_key:
        found = [link for link in found if _may_be_key(column, link)]
    if not is_key and (not found or all(one.table is table for one in found)):
        found = targets.of_owner(table, column) or found
    if not found and (column.codes or not is_key) and not targets.of_any(table, column):
        found = list(_candidates(table, column, targets.by_value(column), False))
    found = _described(table, column, found)
    best = max(found, key=lambda link: _worth(table, column, link), default=None)
    if best is None or best.name >= SURE_NAME:
        return best
    # Without a sure name only the one table that has all values can be meant.
    rivals = [link for link in found if link.name == best.name]
    if len({id(_root(link)) for link in rivals}) > 1:
        rivals = [link for link in rivals if _is_other_end(table, column, link)]
        best = rivals[0] if rivals else None
    return best if len({id(_root(link)) for link in rivals}) == 1 else None


def _is_other_end(table: Profiled, column: Column, link: Link) -> bool:
    """Whether records are pairs, and the other end is what a link refers to: ``product_id`` and
    ``related_id``."""
    if link.name or len(table.key) != 2 or column.name not in table.key or link.table is None:
        return False
    others = (table.columns[name].stem for name in table.key if name != column.name)
    return any(other == link.table.thing for other in others)


def _begins(table: Profiled, column: Column) -> bool:
    """Whether a column is called as its own table begins: ``hd_demo_sk`` of household
    demographics."""
    last = column.stem[-1:]
    return bool(last) and len(last[0]) > 2 and table.thing[-1].startswith(last[0])


def _described(table: Profiled, column: Column, links: list[Link]) -> list[Link]:
    """Without links to records that refer to those of another link: ``company_id`` of a warehouse
    is of a company, and a member is a user where there are users."""
    named = [x for x in links if x.table and x.table is not table and x.table.key == (x.column,)]
    users = [x for x in links if x.table and x.table.thing[-1] in names.USERS]
    users = [x for x in users if not any(_refers(x, other) for other in users)]
    if users and names.KEEPERS.intersection(column.words_called):
        return users
    links = [link for link in links if not any(_refers(link, other) for other in named)] or links
    named = [link for link in named if link in links]
    meant = [x for x in named if x.table and owns(x.table.thing, column.stem)]
    if meant:
        return [link for link in links if link in meant or link.table is table or link in named]
    staff = [x for x in named if x.table and x.table.thing[-1] in names.STAFF]
    return staff if staff and names.LEADERS.intersection(column.stem) else links


def _refers(link: Link, other: Link) -> bool:
    """Whether the records of one link name those of another in a column of their own."""
    if link.table is None or other.table is None or link.table is other.table:
        return False
    if link.name > max(other.name, SURE_NAME):
        return False
    own = [c for c in link.table.columns.values() if (c.name,) != link.table.key]
    return any(names.is_id(c.called) and c.stem == other.table.thing[-1:] for c in own)


def _may_be_key(column: Column, link: Link) -> bool:
    """Whether records may be those of the other table: numbers from 1 on are counters else."""
    assert link.table is not None
    of_key = link.table.columns[link.column]
    if link.name >= OWN_WORDS and names.is_id(column.called) and link.found.share == 1:
        counts = column.distinct.count, of_key.distinct.count
        if counts[0] == counts[1] >= MANY:
            return True  # ``slot_revision_id``, where there are as many slots as revisions
    return link.name >= SAME_NAME or (link.name > 0 and surprising(column, of_key, link.found))


def _root(link: Link) -> Profiled | None:
    table, column, passed = link.table, link.column, set[int]()
    while table and (further := table.links.get(column)) and id(table) not in passed:
        passed.add(id(table))  # foreign keys may go round
        table, column = further.table, further.column
    return table


def _worth(table: Profiled, column: Column, link: Link) -> tuple[float | bool, ...]:
    target = link.table
    assert target is not None
    return (
        round(link.name * 2 + link.found.share, 2),
        target.key == (link.column,),
        target.thing[-1:] == column.stem[-1:],
        not target.supplement,
        names.alike(target.thing, table.thing),
        -len(target.thing),
        # The few that a part of all are, such as the sales people among the employees.
        -target.columns[link.column].distinct.count,
        link.column not in target.links,  # rather the things than what else is said of them
        target.label is not None,
        len(target.columns),
    )


def _candidates(
    table: Profiled, column: Column, targets: Iterable[Profiled], named: bool
) -> Iterator[Link]:
    """Links for which names speak, or those for which values alone do."""
    for target in targets:
        if target is table and (not target.key or column.name in target.key):
            continue
        if target is not table and (target.same_as or target) is (table.same_as or table):
            continue  # the same things in another place
        for key in target.names:
            name = names_speak(table, column, target, key)
            if bool(name) != named:
                continue
            if not named and not _values_can_speak(table, column, target, key):
                continue
            of_key = target.columns[key]
            found = _found(column, of_key)
            if target is not table and not _goes_up(table, column, target, key, found):
                continue
            if _enough(table, column, of_key, found, name):
                yield Link(target, key, found, name)


def _enough(table: Profiled, column: Column, key: Column, found: Found, name: float) -> bool:
    """Whether values bear out what names say; the less these say the more values have to."""
    if column.kind == key.kind == "iri":
        return found.found > 0  # no two things have one, and not every one need be described
    if column.words_called[-1:] == ("reference",) and column.codes and key.codes:
        return found.share >= SHARE_OF_SURE  # ``Patient/p1`` is no other thing's name
    if name >= SURE_NAME:
        if found.share < SHARE_OF_SURE or _counts_up(column, key):
            return False
        if name >= OWN_WORDS or names.is_identifier(column.called) or column.kind != "integer":
            return True
        if found.share < SHARE_OF_UNSURE:
            return False
        if names.is_measure(column.called):  # ``position``
            return surprising(column, key, found) or as_far(column, key)
        return _telling(column, key, found)  # ``grade`` is mostly a number
    if found.share < SHARE_OF_UNSURE:
        return False
    if name == HINTED:
        return column.kind == "integer" and covered(key, found) == 1
    if name == BARE and column.kind == "integer":
        return found.found >= MANY and (surprising(column, key, found) or covered(key, found) > 0.5)
    if name:
        some = found.found >= LEAST_OF_IDS and names.is_id(column.called)
        return some or _telling(column, key, found)
    if column.called.lower() in names.REFERENCES and key.kind == "text":
        return True
    return (found.of >= 3 or column.codes) and (
        surprising(column, key, found)
        or (not table.statistics.unique(column.name) and as_far(column, key))
    )


def _counts_up(column: Column, key: Column) -> bool:
    """Whether a number that is not called an id has the first few of many keys alone: ``comment``
    of a page is 1, 2 or 3 where there are a thousand comments."""
    if column.kind != "integer" or names.is_identifier(column.called):
        return False
    few = column.distinct.count * 10
    last = max(map(int, column.sample), default=0)
    return few < 100 and key.distinct.count > few < column.filled and last <= few // 10


def _telling(column: Column, key: Column, found: Found) -> bool:
    return found.found >= MANY or covered(key, found) >= COVERED or surprising(column, key, found)


def _goes_up(table: Profiled, column: Column, target: Profiled, key: str, found: Found) -> bool:
    """Of two tables with the same names, the one that describes them is referred to."""
    if not table.statistics.unique(column.name):
        return True
    of_key = target.columns[key]
    if key in target.key and column.name in table.key and _siblings(table, target):
        return False
    if column.kind == "integer" and column.words_called == of_key.words_called:
        others = {*target.thing, "".join(target.thing)}
        if not others >= set(column.stem) and len(table.columns.keys() & target.columns) > 3:
            return False  # each version of a record has a ``history_id`` of its own
    back = target.columns[key].distinct.found_in(column.distinct)
    if back.share < 1 or not found.found:
        return True

    def rank(one: Profiled, column: Column) -> tuple[bool | int, ...]:
        exactly = not column.stem or column.stem == one.thing
        own = exactly + (exactly or owns(one.thing, column.stem) or _short_for(column, one))
        is_key, labelled = one.key == (column.name,), one.label is not None
        size = column.distinct.count, len(one.columns)
        return not one.supplement, own, is_key, labelled, *size

    return rank(target, target.columns[key]) > rank(table, column)


def _short_for(column: Column, table: Profiled) -> bool:
    """``pub_id`` of a publisher; ``patient_id`` of a patient mapping is the patient's."""
    if column.stem == table.thing[: len(column.stem)]:
        return False
    joined, of_thing = "".join(column.stem), "".join(table.thing)
    return len(joined) > 1 and of_thing.startswith(joined[0]) and abbreviates(joined, of_thing)


def _siblings(one: Profiled, other: Profiled) -> bool:
    """Most columns are called alike: each counts its own records."""
    common = set(one.columns) & set(other.columns)
    return len(common) > 2 and len(common) * 2 > len(set(one.columns) | set(other.columns))


def _values_can_speak(table: Profiled, column: Column, target: Profiled, key: str) -> bool:
    """Whether values that are all found would say something without a name."""
    if target.key != (key,) or not same_kind(column, target.columns[key]):
        return False
    if column.name in table.key and table.statistics.unique(column.name) and not column.codes:
        return False
    if column.kind == target.columns[key].kind == "iri":
        return True
    if column.kind == "integer":
        foreign = set(column.stem).intersection(names.FOREIGN)
        # What has such a column itself is about the same thing, and not that thing.
        beside = any(
            c.words_called == column.words_called and (c.name,) != target.key
            for c in target.columns.values()
            if target is not table
        )
        named = (names.is_id(column.called) and column.stem) or _INITIAL.fullmatch(column.called)
        end = is_end(table, column) and not names.is_measure(column.called)
        return bool(named or end) and not (foreign or beside)
    if target is table:
        refers = column.many or names.is_identifier(column.called)  # a list of codes
        return refers and not table.statistics.unique(column.name)
    ends = column.words_called[-1:] + target.columns[key].words_called[-1:]
    return not set(ends) & set(names.LABELS)
