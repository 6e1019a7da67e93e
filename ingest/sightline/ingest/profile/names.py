"""What people call tables and columns, and what that says of them.

Knows words; knows no value. Names are read as words in lower case: ``customerId``, ``Customer ID``
and ``customer_id`` are ``customer`` and ``id``.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Container, Iterator, Sequence
from functools import lru_cache
from itertools import takewhile
from urllib.parse import quote

from sightline.ingest.batch import first_of

HEADS = (
    *("head", "subject", "source", "from", "h", "s", "start", "source_id", "head_id", "node1"),
    "spdxelementid",
)
#: The surest first: KGX has an empty or finer ``relation`` beside its ``predicate``.
RELATIONS = (
    *("predicate", "relation", "metaedge", "interaction", "edge_type", "relation_type"),
    *("relationship", "property", "rel", "edge", "r", "p", "type", "label", "relationshiptype"),
)
TAILS = (
    *("tail", "object", "target", "to", "t", "o", "end", "target_id", "tail_id", "node2"),
    "relatedspdxelement",
)
KEYS = (
    *("id", "iri", "uri", "key", "identifier", "code", "abbreviation", "qid", "curie", "mid"),
    "spdxid",
)
LABELS = (
    *("label", "name", "title", "preflabel", "metaedge"),
    *("titel", "bezeichnung", "nom", "nombre", "titre"),
)
#: What people and codes are called that have no other name.
LAST_LABELS = ("login", "username", "user_name", "display")
TYPES = ("resourcetype", "type", "kind", "class", "category")
DESCRIPTIONS = ("description", "definition", "comment", "summary")
ALIASES = ("alias", "aliases", "synonym", "synonyms", "altlabel", "alternative_names", "also")
#: Last words of columns of first and of last names; those of one word alone stand for themselves.
FIRST_NAMES = (
    *(("first", "name"), ("firstname",), ("given", "name"), ("given", "names"), ("givenname",)),
    *(("forename",), ("forenames",), ("fname",), ("name", "first"), ("name", "given")),
    *(("vorname",), ("prenom",), ("prénom",), ("first",), ("given",)),
)
LAST_NAMES = (
    *(("last", "name"), ("lastname",), ("surname",), ("family", "name"), ("familyname",)),
    *(("lname",), ("name", "last"), ("name", "family"), ("nachname",), ("nom",)),
    *(("last",), ("family",)),
)
#: Heads and tails that can be nothing else; ``start`` and ``end`` of a thing can.
PAIRS = (
    *(("head", "tail"), ("subject", "object"), ("source", "target"), ("node1", "node2")),
    *(("head_id", "tail_id"), ("source_id", "target_id")),
    ("spdxelementid", "relatedspdxelement"),
)
#: Names of two columns of which one says what its values are to those of the other.
KIN = (
    *(("child", "parent"), ("descendant", "ancestor"), ("subclass", "superclass")),
    *(("narrower", "broader"), ("hyponym", "hypernym"), ("part", "whole"), ("member", "group")),
    *(("follower", "followee"), ("citing", "cited"), ("employee", "manager")),
)
#: Tables of these names describe relations, not entities.
RELATION_TABLES = ("relations", "relation", "predicates", "properties", "metaedges", "edge_types")
#: Tables of these names say nothing of what their records are.
NODE_TABLES = (
    *("nodes", "node", "entities", "entity", "vertices", "names", "labels", "definitions"),
    *("descriptions", "things", "concepts"),
)
#: Tables of these names hold pairs and say not how the two relate.
PAIRS_OF = frozenset(("edge", "link", "pair", "triple", "relation", "row", "record", "arc", "tie"))
#: The same of tables inside the records of another: the labels of an issue are labels.
GRAPH_TABLES = NODE_TABLES[:5]
#: Last words of columns that name a thing, the surest first.
IDENTIFIERS = (
    *("id", "ids", "uid", "uuid", "guid", "key", "pk", "sk", "iri", "uri", "identifier", "curie"),
)
CODES = (
    *("code", "abbreviation", "symbol", "isbn", "sku", "qid", "mid", "number", "nr", "no", "num"),
    *("ref", "reference", "slug", "iso", "iso2", "iso3", "ticker", "barcode", "ean", "const"),
    *("ssn", "cd"),
)
#: Last words of columns that say when, how much or in which order.
MEASURES = (
    *("date", "time", "timestamp", "at", "on", "year", "month", "day", "hour", "age", "count"),
    *("amount", "price", "cost", "total", "quantity", "qty", "sum", "size", "length", "width"),
    *("height", "weight", "score", "rating", "rank", "rate", "percent", "pct", "share", "ratio"),
    *(
        "lat",
        "lon",
        "lng",
        "latitude",
        "longitude",
        "population",
        "area",
        "value",
        "level",
        "votes",
    ),
    *("duration", "milliseconds", "bytes", "discount", "tax", "salary", "balance", "budget"),
    *("revenue", "stock", "sequence", "position", "order", "temperature", "humidity", "pressure"),
    *("distance", "points", "updated", "created", "modified", "start", "end", "since", "until"),
)
#: Those that say when, in whole numbers.
CALENDAR = frozenset(("year", "month", "day", "hour", "week", "quarter"))
#: Last words of columns that say on which day, or when on it.
WHEN = frozenset(("date", "day", "timestamp", "datetime", "datum", "fecha", "dt"))
#: Words that end as those do and say no day.
NO_DAYS = ("candidate", "mandate", "update")
#: What a record of sums below others is called.
SUMS = ("total", "totals", "grand total", "sum", "summe", "gesamt", "gesamtergebnis", "insgesamt")
#: What a part of a thing refers to that by, without saying what it is.
OWNERS = frozenset(("master", "target", "parent", "object", "owner", "instance", "main", "base"))
#: Before ``id``: the record is that of the other table, as frameworks name what inherits.
POINTER = "ptr"
#: Words of columns that count the parts of a thing.
SEQUENCES = frozenset(("sequence", "seq", "line", "position", "index", "ordinal", "part", "pos"))
#: First words that say which of two things of one kind a column refers to.
DIRECTIONS = (
    *("from", "to", "source", "target", "src", "dst", "dest", "destination", "origin", "start"),
    *("end", "parent", "child", "first", "second", "new", "prev", "previous", "next", "main"),
    *("primary", "secondary", "home", "away", "sender", "receiver", "default", "current"),
)
#: The same after the thing: ``location_dest_id``, ``partner_invoice_id``, ``issue_from_id``.
USES = frozenset((*DIRECTIONS, "invoice", "shipping", "billing", "delivery", "old", "origin", "po"))
#: Columns whose values refer to a record of the same table.
SELF = (
    *("parent", "manager", "supervisor", "boss", "superior", "predecessor", "successor", "reports"),
    *(
        "mentor",
        "root",
        "replaces",
        "previous",
        "next",
        "chief",
        "head",
        "lead",
        "mother",
        "father",
    ),
    *(
        "sponsor",
        "referrer",
        "referred",
        "reply",
        "inherited",
        "fork",
        "forked",
        "derived",
        "duplicate",
    ),
    *("spouse", "husband", "wife", "sibling", "brother", "sister"),
    *("jefe", "vorgesetzter", "vorgesetzte", "padre", "madre"),
    *("prerequisite", "mgr"),
)
#: Columns that say of no thing that they refer to it, and do, as attributes of XML.
REFERENCES = ("ref", "idref", "rid")
#: People in a role, and what tables of people are called.
ROLES = (
    *("manager", "rep", "representative", "supervisor", "boss", "salesperson", "seller", "author"),
    *("creator", "owner", "assignee", "approver", "reviewer", "reporter", "lead", "buyer", "agent"),
    *("teacher", "instructor", "advisor", "driver", "doctor", "salesman", "editor", "requester"),
    *("reports", "head", "chief", "operator", "handler", "by", "contact", "captain", "sender"),
    *("recipient", "follower", "followee", "friend", "director", "actor", "writer", "mentor"),
    *("committer", "assigned", "responsible", "owned", "assigner"),
    *("modifier", "moderator", "uploader", "submitter", "inviter", "maintainer", "organizer"),
    *("physician", "practitioner", "nurse", "surgeon", "therapist", "coach", "trainer", "tutor"),
    *("examiner", "judge", "referee", "clerk", "cashier", "technician", "mechanic", "librarian"),
    *("voter", "poster", "commenter", "winner", "donor", "giver", "borrower", "lender", "tenant"),
    *("producer", "composer", "conductor", "visitor", "performer", "singer", "applicant"),
    *("candidate", "attendee", "participant", "inspector", "pilot", "lawyer", "attorney"),
    *("mgr", "payer", "payee", "host", "guest", "holder", "translator", "photographer", "designer"),
    *("publisher", "merger", "who"),
)
#: Roles of those who keep the data: users where there are any, rather than the persons these are.
KEEPERS = frozenset(("by", "creator", "modifier", "assignee", "uploader", "editor", "moderator"))
USERS = ("user", "account")
#: Those whom managers manage, rather than the users whom these may be.
STAFF = ("employee", "emp", "staff", "personnel", "worker")
#: After the name of a thing: several of these together, of which one stands for all.
GROUPS = frozenset(("group", "parent", "root", "set"))
#: Things that are named by what they are of: the type of a post is no type of a vote.
KINDS_OF = frozenset(
    (*TYPES, "status", "state", "level", "severity", "phase", "mode", "group", "role", "reason")
)
PEOPLE = (
    *(
        "person",
        "employee",
        "emp",
        "staff",
        "user",
        "member",
        "people",
        "worker",
        "account",
        "agent",
    ),
    *("contact", "personnel", "player", "student", "human"),
    *("musician", "artist", "crew", "officer"),
)
#: Who leads is one of the doctors as well, or of the teachers, where these have a table.
LEADERS = frozenset(("head", "chief", "lead", "leader", "manager", "supervisor", "boss", "chair"))
PROFESSIONALS = frozenset(
    (
        *("physician", "doctor", "nurse", "surgeon", "therapist", "practitioner", "teacher"),
        *("instructor", "professor", "lecturer", "researcher", "scientist", "engineer"),
    )
)
#: Other words for what tables are called.
SYNONYMS = (
    *(("vendor", "supplier"), ("client", "customer"), ("carrier", "airline"), ("item", "product")),
    *(("carrier", "shipper"), ("nationality", "country"), ("firm", "company"), ("article", "item")),
    *(("town", "city"), ("writer", "author"), ("film", "movie"), ("dept", "department")),
    *(("capital", "city"), ("treatment", "procedure"), ("year", "season"), ("pcp", "physician")),
)
#: Ids that other systems gave; no table could describe what they refer to.
FOREIGN = (
    *("external", "session", "tax", "legacy", "old", "original", "source", "ext", "tracking"),
    *("transaction", "national", "passport", "imdb", "tmdb", "wikidata", "device", "request"),
    *("correlation", "row", "record", "global", "unique", "vat", "invoice", "confirmation", "ssn"),
)
#: Last words of columns of several values.
LISTS = ("genres", "tags", "keywords", "categories", "names", "ids", "list", *ALIASES)
#: Last words that say that a record of the table is one of the things named before.
RECORDS = (
    *("entity", "header", "hdr", "dictionary", "dim", "dimension", "master", "mst", "mstr", "tbl"),
    "lookup",
)
#: Words around the name of a table that say how it is kept.
SUFFIXES = ("basics", "basic", "info", "details", "table", "export", "dump", "full")
PREFIXES = ("tbl", "tb", "dim", "fact", "fct", "stg", "ref", "lkp", "lookup", "vw", "t", "dbo")
IRREGULAR = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "mice": "mouse",
    "indices": "index",
    "vertices": "vertex",
    "matrices": "matrix",
    "criteria": "criterion",
    "analyses": "analysis",
    "series": "series",
    "species": "species",
    "news": "news",
    "movies": "movie",
    "cookies": "cookie",
    "aliases": "alias",
    "geese": "goose",
    "feet": "foot",
    "buses": "bus",
    "leaves": "leaf",
    "data": "data",
    "media": "media",
    "caches": "cache",
    "axes": "axis",
    "crises": "crisis",
    "theses": "thesis",
    "lenses": "lens",
}
_WORD = re.compile(r"[^\W_]+")
_ID_NUMBER = re.compile(r"(id|key|code)([0-9])")
_ID_FIRST = re.compile(r"id(?!ent|ea|io|ol|le|ade|x)[a-z]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def common_prefix(columns: Sequence[str]) -> str:
    """What all columns begin with, a few letters as in ``l_orderkey``; or nothing."""
    first = columns[0].partition("_")[0] if columns else ""
    start = f"{first}_"
    if not 0 < len(first) <= 3 or len(columns) < 3:
        return ""
    return start if all(c.startswith(start) and len(c) > len(start) for c in columns) else ""


@lru_cache(maxsize=1 << 16)
def words(name: str) -> tuple[str, ...]:
    """The words of a name, in lower case.

    >>> words("ShipTo_AddressID")
    ('ship', 'to', 'address', 'id')
    """
    found = tuple(
        part.lower()
        for word in _WORD.findall(name)
        for part in _HUMP.split(word.replace("IDs", "Ids"))
        if part
    )
    if len(found) > 1 and (again := _ID_NUMBER.fullmatch(found[-1])):
        found = (*found[:-1], *again.groups())
    if len(found) == 1 and len(found[0]) > len("edby") and found[0].endswith("edby"):
        return (found[0][:-2], "by")
    # Written as one: ``customerid``. A word that merely ends so (``paid``) is left whole.
    for end in ("id", "uuid", "key", "code", "number") if found else ():
        stem = found[-1].removesuffix(end)
        if stem != found[-1] and len(stem) > 2 and found[-1] not in _WHOLE:
            return (*found[:-1], stem, end)
    if len(found) == 1 and len(found[0]) > 4 and _ID_FIRST.fullmatch(found[0]):
        return ("id", found[0][2:])
    return found


#: Words that end as ids do and are none.
_WHOLE = (
    *("paid", "said", "unpaid", "valid", "invalid", "void", "avoid", "grid", "solid", "fluid"),
    *("rapid", "acid", "covid", "android", "hybrid", "monkey", "turkey", "hockey", "donkey"),
    *("liquid", "mermaid", "raid", "prepaid", "maid", "arid", "humid", "timid", "vivid", "lipid"),
    *("plasmid", "steroid", "whiskey", "jersey", "orchid", "orcid", "squid", "pyramid", "thyroid"),
    *("barcode", "encode", "decode", "unicode", "opcode", "postcode", "zipcode", "geocode"),
    *("qrcode", "transcode", "outnumber"),
)


def singular(word: str) -> str:
    """One of what a word names: ``companies`` to ``company``."""
    if word in IRREGULAR:
        return IRREGULAR[word]
    if len(word) < 4 or word.endswith(("ss", "us", "is", "as")) or not word.endswith("s"):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "shes", "ches", "xes", "zes", "oes")):
        return word[:-2]
    if word.endswith("uses") and not word.endswith(("ouses", "auses")):
        return word[:-2]  # statuses, viruses; houses and clauses are others
    return word[:-1]


def says_when(name: str) -> bool:
    """Whether a column is called as days and times are."""
    last = words(name)[-1:]
    ends = name.lower().endswith(("date", "timestamp")) and last[0] not in NO_DAYS
    return ends or bool(WHEN.intersection(last))


def thing_words(table: str, shared: Collection[str] = ()) -> tuple[str, ...]:
    """What a record of a table is, in words: ``dim_customers`` to ``customer``.

    Args:
        shared: first words that most tables of a database have.
    """
    found = words(table)
    while len(found) > 1 and (found[0] in PREFIXES or found[0] in shared):
        found = found[1:]
    while len(found) > 1 and found[-1] in (*SUFFIXES, *RECORDS):
        found = found[:-1]
    return (*found[:-1], singular(found[-1])) if found else ("record",)


@lru_cache(maxsize=1 << 16)
def stem(column: str) -> tuple[str, ...]:
    """What a column refers to, in words: ``customer_id`` to ``customer``, ``id`` to nothing."""
    found = words(column)
    if len(found) > 1 and found[-1] == "uid":  # who did it: ``create_uid``
        return (*found[:-1], "user")
    ends: tuple[str, ...] = (*IDENTIFIERS, "code", "fk", "ref", "reference", POINTER)
    ends = (*ends, "no", "nr", "number", "num")
    while found and found[-1] in ends:
        found = found[:-1]
        ends = tuple(end for end in ends if end != "identifier")  # an identifier may have an id
    if len(found) > 1 and found[-1] == "cd":  # but for a disc
        found = found[:-1]
    if found[:2] == ("sk", "id"):
        found = found[1:]
    if found and found[0] in ("fk", "id") and len(found) > 1:
        found = found[1:]
    if found in (("row",), ("record",), ("entity",)):
        return ()
    return (*found[:-1], singular(found[-1])) if found else ()


def unnumbered(found: tuple[str, ...]) -> tuple[str, ...]:
    """Words without a number at the end: ``home player 1``, ``home player1`` to ``home player``."""
    last = found[-1].rstrip("0123456789") if found else ""
    if len(last) > 3:
        found = (*found[:-1], last)
    while len(found) > 1 and found[-1].isdigit():
        found = (*found[:-2], singular(found[-2]))
        while len(found) > 1 and found[-1] in IDENTIFIERS:
            found = found[:-1]
    return found


def alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other)))


def undirected(found: tuple[str, ...]) -> tuple[str, ...]:
    """Words without those that say which of two: ``from stop`` to ``stop``."""
    while len(found) > 1 and found[0] in DIRECTIONS:
        found = found[1:]
    return found


#: The end of the name of the other of two columns that are called alike.
_OTHER = {"1": "2", "2": "1", "a": "b", "b": "a"}


def referred(column: str, others: Container[str]) -> tuple[str, ...]:
    """What a column refers to that no table describes: a protein, for ``protein_a`` beside
    ``protein_b`` and ``protein1`` beside ``protein2``."""
    found = undirected(stem(column))
    begin, other = column[:-1], _OTHER.get(column[-1:].lower(), "")
    if begin and other and (begin + other in others or begin + other.upper() in others):
        last = found[-1].rstrip("12ab").rstrip("_") if len(found[-1]) > 1 else ""
        found = (*found[:-1], last) if last else found[:-1]
    return found


@lru_cache(maxsize=1 << 16)
def is_identifier(column: str) -> bool:
    """Whether a column is called as one that names a thing is."""
    found = words(column)
    if not found:
        return False
    prefixed = found[0] == "code" and len(found) > 1  # ``code_module``
    return prefixed or found[-1] in (*IDENTIFIERS, *CODES) or is_id(column) or column.endswith("ID")


@lru_cache(maxsize=1 << 16)
def is_id(column: str) -> bool:
    """Whether a column is called as one that holds an id of a thing is, rather than a code."""
    found = words(column)
    while len(found) > 1 and found[-1].isdigit():
        found = found[:-1]
    return bool(found) and (
        found[-1] in IDENTIFIERS or found[0] in ("id", "fk") or found[:2] == ("sk", "id")
    )


def roles(called: tuple[str, ...], stem: tuple[str, ...]) -> set[str]:
    """The roles of people that a column names; ``created_by_application`` names none."""
    found = {*called, *stem}.intersection(ROLES)
    return found if stem[-1:] == ("by",) else found - {"by"}


def is_listed(column: str) -> bool:
    """Whether a column is called as one of several values is."""
    return column.lower() in ALIASES or bool(set(words(column)[-1:]) & set(LISTS))


def is_measure(column: str) -> bool:
    """Whether a column is called as one that says when, how much or in which order is."""
    return bool(set(words(column)[-1:]) & set(MEASURES))


def local(found: Sequence[str]) -> str:
    """Words as a part of an IRI."""
    return quote("_".join(found), safe="")


def person(columns: Sequence[str]) -> tuple[tuple[str, ...], str, str] | None:
    """Columns of the first and the last name of one person, after the words before both.

    >>> person(["emp_no", "emp_first_name", "emp_last_name"])
    (('emp',), 'emp_first_name', 'emp_last_name')
    """
    family = dict(_before(columns, LAST_NAMES))
    pairs = ((begin, column) for begin, column in _before(columns, FIRST_NAMES) if begin in family)
    return next(((begin, column, family[begin]) for begin, column in pairs), None)


def _before(
    columns: Sequence[str], ends: Sequence[tuple[str, ...]]
) -> Iterator[tuple[tuple[str, ...], str]]:
    """Columns that end in some words, with the words before these."""
    last = {end[-1] for end in ends}
    for column in columns:
        called = words(column)
        if called and called[-1] in last:
            own = next((end for end in ends if called[-len(end) :] == end), None)
            if own is not None:
                yield called[: -len(own)], column


def numbered(first: str, second: str) -> bool:
    """Whether two columns are called alike but for 1 and 2, or a and b, at the end."""
    one, two = first.lower(), second.lower()
    return len(one) > 1 and one[:-1] == two[:-1] and (one[-1], two[-1]) in (("1", "2"), ("a", "b"))


def synonyms(stem: tuple[str, ...], thing: tuple[str, ...]) -> bool:
    """Whether a column and a table are called by two words for one thing."""
    return any(set(pair) == {stem[-1], thing[-1]} for pair in SYNONYMS)


def are_kin(first: str, second: str) -> bool:
    """Whether two columns are called as two things that stand to each other in one way."""
    pair = tuple(
        "".join(w for w in words(name) if w not in IDENTIFIERS) for name in (first, second)
    )
    return pair in KIN or pair[::-1] in KIN


def triple_columns(columns: Sequence[str]) -> tuple[str, tuple[str, ...], str] | None:
    """Columns called as head, relations and tail are, or None.

    There is no relation where the columns hold pairs; several may be one, the likeliest first.
    """
    head, tail = first_of(columns, HEADS), first_of(columns, TAILS)
    lower = {column.lower(): column for column in reversed(columns)}
    relations = tuple(lower[name] for name in RELATIONS if name in lower)
    if not head or not tail:
        return None
    sure, key = (head.lower(), tail.lower()) in PAIRS, first_of(columns, KEYS)
    if not relations:
        return (head, (), tail) if key is None and (sure or len(columns) == 2) else None
    return (head, relations, tail) if key is None or sure else None
