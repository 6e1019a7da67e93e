"""What tables are to each other: the same things said in two tables, tables that only link two
others, names that triples share with tables of nodes.

Knows profiled tables and their links.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from sightline.ingest.formats.shapes import ROW, needs
from sightline.ingest.profile import names
from sightline.ingest.profile.distinct import Found
from sightline.ingest.profile.kinds import NUMBERS, TIMES
from sightline.ingest.profile.links import SURE_NAME, Link, find_links
from sightline.ingest.profile.statistics import Column, may_name, together
from sightline.ingest.profile.tables import (
    MANY,
    Profiled,
    group_key,
    is_end,
    name_parts,
    two_of_a_kind,
)
from sightline.ingest.profile.together import find_together

#: Numbers that people give to pairs of things.
GIVEN = ("rating", "rate", "score", "stars", "grade", "vote", "weight")
#: Records that have so many fields in common are of one kind, whatever ids they have.
SURELY_ALIKE = 6
#: Columns that hold the address of what a record is about.
ADDRESSES = ("url", "href")
#: Columns that say when a record was written.
KEPT_BOOK = (
    "update",
    "updated",
    "modified",
    "created",
    "timestamp",
    "rowguid",
    "inserted",
    "loaded",
)
#: A table of links may have so many columns of its own and stay one.
OWN_COLUMNS = 8
#: Share of the records that have both ends, in a table that holds nothing but links.
MOSTLY_LINKS = 0.9
#: Share of the ends of triples that a table of nodes names, or of its names that are ends.
SHARED_NAMES = 0.5


def relate(tables: Sequence[Profiled]) -> None:
    """Decide what the tables are to each other."""
    for table in tables:
        _pairs_of_described_things(table, tables)
    _one_kind(tables)
    find_links(tables)
    for table in tables:
        name_parts(table)
        _key_that_is_referred_to(table, tables)
    for table in tables:
        _inside(table, tables)
    _call_what_is_inside(tables)
    for table in tables:
        if table.role == "things":
            _values_of_pairs(table)
            _links_without_a_table(table)
            if not table.key or table.key in table.statistics.groups:
                table.key = group_key(table, set(table.links), tables)
            _stands_for_another(table, tables)
            _same_things(table)
    find_together(tables)
    referred = {
        id(link.table)
        for table in tables
        for link in (*table.links.values(), *table.together.values())
    }
    for table in tables:
        if table.role == "things" and id(table) not in referred:
            _only_links(table)
    _names_of_triples(tables)
    _codebooks(tables)


def _pairs_of_described_things(table: Profiled, tables: Sequence[Profiled]) -> None:
    """``course_id, prereq_id`` and ``Country1, Country2`` are links where a table of courses or
    countries has a record of each; alone they are the ends of edges between names."""
    if table.role != "triples" or table.triple is None or table.triple[1] is not None:
        return
    ends = [table.columns[name] for name in (table.triple[0], table.triple[2])]
    ids = len(table.columns) == 2 and all(names.is_id(e.called) and e.stem for e in ends)
    for other in tables:
        if other.role != "things" or len(other.key) != 1 or other.generic:
            continue
        if not ids and any(names.unnumbered(end.stem) != other.thing for end in ends):
            continue
        key = other.columns[other.key[0]]
        if all(end.distinct.found_in(key.distinct).share == 1 for end in ends):
            table.role, table.triple = "things", None
            return


def _key_that_is_referred_to(table: Profiled, tables: Sequence[Profiled]) -> None:
    """A table is named by the column that most others refer to; its values in others are looked up.

    Several values of a record are not, nor numbers that one of the two writes ``17.0``.
    """
    links = [(one, c, x) for one in tables for c, x in one.links.items() if x.table is table]
    if not links or len(table.key) != 1:
        return
    declared = table.statistics.table.declared
    numbers = declared.numbers if declared else ()
    counts = Counter(link.column for _, _, link in links if link.column not in numbers)
    best = max(
        counts, key=lambda column: (counts[column], (column,) == table.key), default=table.key[0]
    )
    if counts[table.key[0]] < counts[best]:
        table.key = (best,)
    by_key = {id(one) for one, _, link in links if not link.joined}
    for one, column, link in links:
        if link.joined and id(one) in by_key and not link.declared:
            del one.links[column]  # a copy of what the record that is referred to says
            continue
        cells = one.columns[column], table.columns[link.column]
        if link.joined and (cells[0].many or any(cell.floats for cell in cells)):
            del one.links[column]
            one.say(
                f"{column} has values of {table.name}.{link.column} ({evidence(link.found)}), but "
                f"{table.name} is named by {table.key[0]}: it stays a text and is no link",
                True,
            )


def _inside(table: Profiled, tables: Sequence[Profiled]) -> None:
    """Records in an array of another one refer to it. Where they have ids that come again they are
    the same things each time, and what differs is about where they are."""
    declared = table.statistics.table.declared
    if declared is None or declared.whole or not declared.links:
        return
    outer = declared.links[0].columns[0]
    if outer not in table.links:
        table.say(
            f"{outer} says in which of {declared.links[0].table} each record is, but nothing names "
            "these: it is no link",
            True,
        )
    own = _own_key(table)
    needed = needs(table.statistics.table.name) and table.same_as is not None
    own = ("name",) if needed else own
    if not own or (len(table.key) == 1 and len(own) == 1 and table.key != own):
        return
    table.key = own
    if len(own) > 1:
        table.thing = table.thing[-1:]  # one code wherever it stands
    things = together(table.statistics, own).count
    others = (c for c in table.columns.values() if c.filled and not c.many and c.name not in own)
    differ = [
        c.name
        for c in others
        if c.name not in (outer, *declared.numbers)
        and (needed or together(table.statistics, (*own, c.name)).count > things)
    ]
    name_parts(table)
    if outer in table.links and differ:
        table.about[outer] = tuple(differ)
    # Things that are in several places are linked to by the name of the place: an assignee.
    places = len(own) > 1 or table.same_as or any(other.same_as is table for other in tables)
    if places and outer in table.links and not table.links[outer].joined:
        table.held = outer


def _call_what_is_inside(tables: Sequence[Profiled]) -> None:
    """The user of an issue is a user, if no other table is called so."""
    things = [table for table in tables if table.role == "things" and table.same_as is None]
    called = Counter(table.thing[-1] for table in things)
    for table in things:
        declared = table.statistics.table.declared
        inner = declared is not None and not declared.whole
        if inner and called[table.thing[-1]] == 1:
            table.kind = table.thing[-1:]


def _own_key(table: Profiled) -> tuple[str, ...]:
    """The columns that name records inside others wherever these are: an id or an address, a code
    in a system (FHIR R5, 2.1.28.0.6), or a name that comes again."""
    whole = [
        c for c in table.columns.values() if c.filled == table.statistics.records and not c.many
    ]
    for column in whole:
        address = column.kind == "iri" and column.called.lower() in ADDRESSES
        if address or (names.is_id(column.called) and not column.stem):
            return (column.name,)
    coded = [c.name for c in whole if c.called.lower() in ("system", "code")]
    if len(coded) == 2:
        return tuple(coded)
    named = [c for c in whole if c.called.lower() == "name" and c.kind == "text"]
    declared = table.statistics.table.declared
    if named and named[0].words <= 5 and not named[0].distinct.unique:
        # Things in it may refer to it by number.
        return () if declared and ROW in declared.numbers else (named[0].name,)
    return ()


def _one_kind(tables: Sequence[Profiled]) -> None:
    """Records inside others that have the same fields, and some of the same ids, are things of one
    kind wherever they are: who writes an issue and who is assigned to it are users."""
    found: list[tuple[Profiled, Column, set[str]]] = []
    for table in tables:
        declared = table.statistics.table.declared
        if table.role != "things" or declared is None or declared.whole:
            continue
        outer = {name for link in declared.links for name in link.columns}
        if outer and needs(table.statistics.table.name) and "name" in table.columns:
            place = table.statistics.source.path, declared.links[0].table
            of = (t for t in tables if (t.statistics.source.path, t.statistics.table.name) == place)
            table.key, table.same_as = ("name",), next(of, None)
            continue  # what a package needs are packages
        own = _own_key(table)
        if len(own) != 1 or not names.is_id(own[0]):
            continue
        key = table.columns[own[0]]
        fields = set(table.columns).difference(outer, declared.numbers)
        for first, of_first, others in found:
            common = len(fields & others)
            alike = common > 2 and common * 5 >= 4 * len(fields | others)
            some = common >= SURELY_ALIKE or key.distinct.found_in(of_first.distinct).found
            if (alike and some) or (fields == others and _say_the_same(table, first, fields)):
                table.key, table.same_as, first.key = own, first, (of_first.name,)
                table.say(
                    f"its records are those of {first.name}, whose fields they have: "
                    f"{evidence(key.distinct.found_in(of_first.distinct))}"
                )
                break
        else:
            found.append((table, key, fields))


def _say_the_same(table: Profiled, other: Profiled, fields: set[str]) -> bool:
    """Whether records of the same ids have the same in all of a few fields, several times."""
    columns = sorted(fields)
    if len(columns) != 2 or any(one.columns[c].many for one in (table, other) for c in columns):
        return False
    found = together(table.statistics, columns).found_in(together(other.statistics, columns))
    key = (c for c in columns if names.is_id(c))
    ids = [table.columns[c].distinct.found_in(other.columns[c].distinct).found for c in key]
    return found.found > 1 and ids == [found.found]


def _values_of_pairs(table: Profiled) -> None:
    """A user, a film and a rating: two columns that tell the records apart together, beside a
    number that people give to pairs, are links, whatever they are called; so are two names, such
    as a gene and a disease, beside numbers and times alone."""
    numbers = [name for name, column in table.columns.items() if column.kind in NUMBERS]
    given = [name for name in numbers if set(names.words(name)) & set(GIVEN)]
    texts = [c.name for c in table.columns.values() if c.kind not in (*NUMBERS, *TIMES, "empty")]
    names_only = len(texts) == 2 and all(table.columns[name].words <= 4 for name in texts)
    ends = two_of_a_kind(table)
    if table.key or table.links or not (given or ends or (names_only and table.label is None)):
        return
    no_ends = {
        name
        for name, column in table.columns.items()
        if column.kind in TIMES or set(names.words(name)) & {*GIVEN, *KEPT_BOOK, "time", "date"}
    }
    pairs = [g for g in table.statistics.groups if len(g) == 2 and not no_ends & set(g)]
    pairs = pairs if given else [g for g in pairs if set(g) == set(texts)]
    pairs = [ends] if ends else pairs
    for name in min(
        pairs, key=lambda pair: sorted(map(list(table.columns).index, pair)), default=()
    ):
        column = table.columns[name]
        table.links[name] = Link(None, "", Found(0, column.distinct.count, True), 0.5)


def _links_without_a_table(table: Profiled) -> None:
    """Ids of things that no source describes are links nevertheless, but for those of pairs, about
    which they say something."""
    if not table.key and two_of_a_kind(table):
        return
    for name, column in table.columns.items():
        stem = names.stem(name)
        if name in table.links or not stem or not names.is_id(name) or not column.filled:
            continue
        if stem in (table.thing, table.thing[-1:]) or set(stem) & set(names.FOREIGN):
            continue
        if not may_name(column) and not column.many:
            continue
        alone = column.distinct.unique and column.filled == table.statistics.records
        ids = bool(table.key) and column.codes and names.is_id(table.key[0])
        many = ids or table.statistics.records >= MANY
        if table.key == (name,) or (alone and many and not is_end(table, column)):
            continue
        if column.codes and _another_name(table, column):
            continue
        table.links[name] = Link(None, "", Found(0, column.distinct.count, True), 0.5)


def _another_name(table: Profiled, column: Column) -> bool:
    """Whether each record of an id that comes again has a code of its own there: its other id."""
    if len(table.key) != 1 or not names.is_id(table.key[0]):
        return False
    key = table.columns[table.key[0]]
    if key.distinct.unique or key.distinct.count != column.distinct.count:
        return False
    return together(table.statistics, (key.name, column.name)).count == key.distinct.count


def _stands_for_another(table: Profiled, tables: Sequence[Profiled]) -> None:
    """An object in a record that has an id and a type and nothing else stands for the record of
    another table that has the two: ``{"type": "people", "id": "9"}``."""
    declared, kind = table.statistics.table.declared, table.type_column
    inner = declared is not None and not declared.whole and not declared.links
    if not inner or kind is None or len(table.key) != 1 or table.key[0] in table.links:
        return
    key = table.columns[table.key[0]]
    if any(c.filled and c.name not in (key.name, kind) for c in table.columns.values()):
        return
    for other in tables:
        if other is table or other.role != "things" or len(other.key) != 1 or not other.type_column:
            continue
        found, types = (
            one.distinct.found_in(two.distinct)
            for one, two in (
                (key, other.columns[other.key[0]]),
                (table.columns[kind], other.columns[other.type_column]),
            )
        )
        if found.share == types.share == 1 and other.label:
            table.links[key.name] = Link(other, other.key[0], found, SURE_NAME)
            return


def _same_things(table: Profiled) -> None:
    """A key that refers to the key of another table: both say something of the same things."""
    link = table.links.get(table.key[0]) if len(table.key) == 1 else None
    if link and link.table and not link.joined and (link.name >= SURE_NAME or link.declared):
        declared = table.statistics.table.declared
        if _names_both_ends(table) or (declared and not declared.whole and link.declared):
            return
        del table.links[table.key[0]]
        if _says_so_itself(link.table, table):
            return
        table.same_as = link.table
        for name, other in table.links.items():
            if other.table is table:  # the parent of one is a record of the table that has all
                found = table.columns[name].distinct.found_in(
                    link.table.columns[link.column].distinct
                )
                table.links[name] = replace(
                    other, table=link.table, column=link.column, found=found
                )
        table.say(
            f"its records are those of {link.table.name}: {table.name}.{table.key[0]} = "
            f"{link.table.name}.{link.column}, {evidence(link.found)}"
        )


def _says_so_itself(other: Profiled, table: Profiled) -> bool:
    """Whether the records of ``other`` are those of ``table`` already, or the fewer of two tables
    whose keys refer to one another."""
    link = other.links.get(other.key[0]) if len(other.key) == 1 else None
    if link and link.table is table and other.statistics.records < table.statistics.records:
        return True
    same: Profiled | None = other
    while same is not None and same is not table:
        same = same.same_as
    return same is table


def _names_both_ends(table: Profiled) -> bool:
    """``playlist_track`` says in its name what it links."""
    ends = [_end_words(name, link) for name, link in table.links.items()]
    return len(ends) == 2 and all(set(end) <= set(table.thing) for end in ends)


def _end_words(name: str, link: Link) -> tuple[str, ...]:
    return link.table.thing if link.table else names.undirected(names.stem(name))


def _only_links(table: Profiled) -> None:
    """Two links and next to nothing else: the record is a link between the two."""
    if (
        len(table.links) != 2
        or table.same_as
        or table.together
        or any(link.joined for link in table.links.values())
        or any(table.columns[c].many for c in table.links)
    ):
        return
    if len(table.key) == 1 and not _names_both_ends(table):
        return
    others = [name for name in table.columns if name not in table.links]
    filled = [name for name in others if table.columns[name].filled]
    whole = min(table.columns[name].filled for name in table.links)
    if filled and whole < MOSTLY_LINKS * table.statistics.records:
        return  # what else the others say would be lost
    if table.label is not None or any(table.columns[name].mean_length > 60 for name in filled):
        return
    if sum(not set(names.words(name)) & set(KEPT_BOOK) for name in filled) > OWN_COLUMNS:
        return
    first, second = (name for name in table.columns if name in table.links)
    table.role, table.ends = "edges", (first, second)


def _names_of_triples(tables: Sequence[Profiled]) -> None:
    """Tables whose keys are the ends of triples share the names of these."""
    triples = [table for table in tables if table.triple]
    for table in tables:
        if table.role not in ("things", "relations") or len(table.key) != 1:
            continue
        key = table.columns[table.key[0]]
        # IRIs are names of their own, whatever table they are in.
        table.raw = table.generic or table.role == "relations" or key.kind == "iri"
        for other in triples:
            assert other.triple is not None
            for end in (other.triple[0], other.triple[2]):
                ends = other.columns[end].distinct
                shares = ends.found_in(key.distinct).share, key.distinct.found_in(ends).share
                same = (key.kind == "integer") == (other.columns[end].kind == "integer")
                if same and max(shares) >= SHARED_NAMES:
                    table.raw = True
    raw = [
        t for t in tables if t.raw and t.role == "things" and t.columns[t.key[0]].kind == "integer"
    ]
    for table in raw:
        for other in raw:
            if other is table or other.thing == table.thing:
                continue
            ids = table.columns[table.key[0]].distinct.found_in(
                other.columns[other.key[0]].distinct
            )
            if ids.found:
                table.raw = table.generic
                table.say(
                    f"{ids.found} of its ids are ids of {other.name} too, and edges name both by "
                    "numbers alone: say with a mapping which table each end of an edge refers to",
                    True,
                )
                break


def _codebooks(tables: Sequence[Profiled]) -> None:
    """Say which table holds what the codes in another one stand for: one column of it names columns
    there, and the column after it has their values."""
    for book in tables:
        for about, codes in pairwise(book.columns.values()):
            if about.kind != "text" or about.filled > len(about.sample):
                continue
            named = set(about.sample)
            for table in tables:
                if table is book or not named <= table.columns.keys():
                    continue
                columns = [column for name, column in table.columns.items() if name in named]
                if all(
                    c.filled and c.distinct.found_in(codes.distinct).share == 1 for c in columns
                ):
                    table.say(
                        f"{book.name} says what the codes in {', '.join(c.name for c in columns)} "
                        "stand for; they are read as codes nevertheless: put its labels in their "
                        "place before loading",
                        True,
                    )


def evidence(found: Found) -> str:
    """How many values were found, in words."""
    about = "" if found.exact else "about "
    scale = "" if found.exact else " (of a sample)"
    return f"{about}{found.found:,} of {found.of:,} values found{scale}"
