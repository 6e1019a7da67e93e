"""Whether the first line of a table names its columns, and what columns without names are called.

Knows cells and what kinds of values there are; knows no bytes. A header is told by the kinds of
values: a word above numbers is a name, a number above numbers is none, unless years stand beside
each other. Only where all is text do names that people give to columns count.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from sightline.ingest.formats.nulls import ALWAYS, Kind, kind_of

#: Names that columns have and that little else is called.
NAMES = frozenset(
    (
        *("head", "subject", "source", "from", "start", "source_id", "head_id", "node1"),
        *("tail", "object", "target", "to", "end", "target_id", "tail_id", "node2"),
        *("relation", "predicate", "metaedge", "property", "rel", "edge", "relationship"),
        *("edge_type", "relation_type", "interaction", "type", "kind", "class", "category"),
        *("id", "iri", "uri", "key", "identifier", "code", "abbreviation", "qid", "curie", "mid"),
        *("label", "name", "title", "preflabel", "description", "definition", "comment"),
        *("summary", "alias", "aliases", "synonym", "synonyms", "value", "date", "year", "age"),
    )
)
#: What people call two or three kinds of things that a table puts beside each other: names where
#: they stand together and nowhere below.
THINGS = frozenset(
    (
        *("parent", "child", "ancestor", "descendant", "broader", "narrower", "member", "group"),
        *("person", "employee", "manager", "boss", "friend", "follower", "followee"),
        *("user", "item"),
        *("student", "teacher", "course", "author", "paper", "book", "movie", "film", "actor"),
        *("artist", "song", "album", "customer", "product", "company", "department", "team"),
        *("player", "city", "country", "state", "region", "capital", "continent", "language"),
        *("gene", "protein", "disease", "drug", "compound", "chemical", "pathway", "phenotype"),
        *("tissue", "organ", "cell", "species", "taxon", "organism", "variant", "symptom", "term"),
        *("word", "synonym", "hyponym", "hypernym", "antonym", "part", "whole", "cause", "effect"),
        *("sender", "receiver", "buyer", "seller", "role", "genre", "tag", "since"),
    )
)
#: Names of one letter are names only if all of them are these.
LETTERS = (["h", "r", "t"], ["s", "p", "o"])
#: What names of columns end in.
ENDINGS = re.compile(r"(?i)[ _.-](id|name|code|type|date|no|nr|key)$|[a-z](Id|ID|Name|Code|Type)$")
#: Columns of a file without a header, by their number.
HEADERLESS = {2: ("id", "label"), 3: ("head", "relation", "tail")}
#: Columns of the files of MovieLens, between ``::`` and without a header, as it describes them.
MOVIELENS = {
    "ratings": ("UserID", "MovieID", "Rating", "Timestamp"),
    "users": ("UserID", "Gender", "Age", "Occupation", "Zip-code"),
    "movies": ("MovieID", "Title", "Genres"),
}
#: Columns of annotations in the form of the Gene Ontology, GAF 2.0 to 2.2, which have no header.
GAF = (
    *("DB", "DB_Object_ID", "DB_Object_Symbol", "Qualifier", "GO_ID", "Reference"),
    *("Evidence_Code", "With_From", "Aspect", "DB_Object_Name", "DB_Object_Synonym"),
    *("DB_Object_Type", "Taxon", "Date", "Assigned_By", "Annotation_Extension"),
    "Gene_Product_Form_ID",
)
#: How its files begin, and how many columns they have.
GAF_MARK, GAF_WIDTHS = "!gaf-version: 2", (15, 16, 17)
#: Records of which the relations that differ all are none.
FEW = 5
PAIR, WEIGHTED = ("head", "tail"), ("head", "tail", "weight")
#: So many columns show whether there are names above them.
LOOKED_AT = 1000
#: Share of the values of a column that make its kind.
MOST = 0.9
_YEAR = re.compile("(1[5-9]|20)[0-9]{2}")
_SHAPES = ((re.compile("[A-Z]+"), "A"), (re.compile("[a-z]+"), "a"), (re.compile("[0-9]+"), "9"))


def is_header(names: Sequence[str], rows: Sequence[Sequence[str]], tabs: bool) -> bool:
    """Whether the first line of a file names its columns.

    Args:
        names: its cells.
        rows: the next records; cells that are not there are none.
        tabs: most data sets that are published between tabs have no header.
    """
    names = [name.strip() for name in names[:LOOKED_AT]]
    columns = [[row[i].strip() for row in rows if i < len(row)] for i in range(len(names))]
    lower = [name.lower() for name in names]
    again = [bool(name) and name in values for name, values in zip(names, columns)]
    if lower in LETTERS or (len(names) == 3 and all(name in NAMES for name in lower)):
        return sum(again) < 2
    if len(names) <= 3 and any(again):
        return False
    votes = _votes(names, columns)
    if -1 in votes and _are_years(names, votes):
        return True
    if sum(votes):
        return sum(votes) > 0
    small = len(names) <= 3 and tabs
    if any(name in NAMES or (not small and ENDINGS.search(name)) for name in (*lower, *names)):
        return True
    if any(again):
        return False
    below = {value for values in columns for value in values}
    if set(lower) <= NAMES | THINGS and not below.intersection(names):
        return True
    if len(rows) > 2 and any(_stands_out(name, values) for name, values in zip(names, columns)):
        return True
    if len(names) == 3 and len(rows) > 2:
        # In triples a relation comes again; a column of values that all differ is something else.
        return not tabs or len(set(columns[1])) == len(columns[1])
    return not tabs or len(names) not in (2, 3)


def are_names(names: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """Whether the kinds of values below some cells show that these are names."""
    cells = [name.strip() for name in names[:LOOKED_AT]]
    columns = [[row[i].strip() for row in rows if i < len(row)] for i in range(len(cells))]
    votes = _votes(cells, columns)
    return -1 not in votes and sum(votes) > 0


def two_lines(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str] | None:
    """The names of columns of which the second line of the header says more: ``2022`` and ``2023``
    below ``Population`` and nothing, ``km2`` below ``Area``; None where there is one line.

    Such a line lacks what each record has first, and stands below all that the first line leaves
    open.
    """
    if len(rows) < 3 or not names[0].strip():
        return None
    more = [cell.strip() for cell in rows[0]] + [""] * (len(names) - len(rows[0]))
    open_places = [i for i, name in enumerate(names) if not name.strip()]
    if more[0] or not open_places or not all(more[i] for i in open_places):
        return None
    if not all(row and row[0].strip() for row in rows[1:4]):
        return None
    group, out = "", []
    for name, cell in zip(names, more):
        group = name.strip() or group
        out.append(f"{group} {cell}".strip())
    return out


def _votes(names: Sequence[str], columns: Sequence[Sequence[str]]) -> list[int]:
    return [_vote(name, values) for name, values in zip(names, columns)]


def _vote(name: str, values: Sequence[str]) -> int:
    """1 for a name above values of another kind, -1 for a value like those below it."""
    kinds = [kind_of(value) for value in values if value and value not in ALWAYS]
    kind: Kind = max(set(kinds), key=lambda one: kinds.count(one), default="text")
    if kind == "text" or kinds.count(kind) < MOST * len(kinds) or not name or name in ALWAYS:
        return 0
    own = kind_of(name)
    return -1 if own == kind else 1 if own == "text" else 0


def _are_years(names: Sequence[str], votes: Sequence[int]) -> bool:
    """Whether the numbers among some names are years, one after the other."""
    numbers = [name for name, vote in zip(names, votes) if vote == -1]
    if len(numbers) < 2 or not all(map(_YEAR.fullmatch, numbers)):
        return False
    numbers = [name for name in names if _YEAR.fullmatch(name)]  # some have no value below
    steps = {int(later) - int(year) for year, later in pairwise(numbers)}
    return len(steps) == 1 and steps.pop() != 0


def shape(text: str) -> str:
    """A text with its runs of capitals, of letters and of digits told by one of them."""
    for run, sign in _SHAPES:
        text = run.sub(sign, text)
    return text


def _stands_out(name: str, values: Sequence[str]) -> bool:
    """Whether all values look like codes of one form, and the name does not."""
    shapes = {shape(value) for value in values if value}
    form = next(iter(shapes), "")
    codes = len(shapes) == 1 and ("9" in form or form == "A") and len(form) < 8
    return codes and bool(name) and shape(name) != form


def headerless(records: Sequence[Sequence[str]], width: int) -> tuple[str, ...]:
    """What the columns of a table without a header are called; empty names are numbered later."""
    whole = [[cell.strip() for cell in record] for record in records if len(record) == width]
    columns = list(zip(*whole)) or [()] * width
    if width == 2:
        # An id has one label; a name that comes again in the other column is an end of edges.
        first, second = map(set, columns)
        ends = len(first) < len(columns[0]) or bool(_others(first, second, whole))
        return PAIR if ends or _alike(*columns) else HEADERLESS[2]
    if width == 3 and all(kind_of(cell) == "number" for cell in columns[2]):
        first, middle = map(set, columns[:2])
        if len(middle) > 1 and (_others(first, middle, whole) or _alike(*columns[:2])):
            return WEIGHTED
    if width == 3 and len(whole) >= FEW and all(len(set(c)) == len(whole) for c in columns[:2]):
        return (*HEADERLESS[2], "")  # a relation would come again; this is an id and a name
    return HEADERLESS.get(width, ("",) * width)


def _others(first: set[str], second: set[str], rows: Sequence[Sequence[str]]) -> set[str]:
    """Values of both columns that are not only beside themselves."""
    return {v for v in first & second if any(v in row[:2] and row[0] != row[1] for row in rows)}


def _alike(first: Sequence[str], second: Sequence[str]) -> bool:
    """Whether the values of two columns are codes of one form."""
    shapes = {shape(value) for value in (*first, *second)}
    return len(shapes) == 1 and "9" in shapes.pop()
