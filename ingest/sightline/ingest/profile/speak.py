"""How much names say that a column refers to a table, and how much values do.

Knows profiled tables; knows no link.
"""

from __future__ import annotations

from sightline.ingest.profile import names
from sightline.ingest.profile.distinct import Found
from sightline.ingest.profile.statistics import Column
from sightline.ingest.profile.tables import Profiled, is_end, owns

#: Keys are numbers without gaps where this share has a successor; so many values of a column show
#: how far it goes.
DENSE, LEAST_DRAWN = 0.98, 50
#: Share of the keys of a table that a column has, where names speak faintly and numbers are dense.
COVERED = 0.3
#: Chance, at most, that a column holds only keys of a table that it has nothing to do with.
BY_CHANCE = 1e-4
#: What a word of the name begins like says something from so many letters on.
HINT = 4
#: How sure a name is that is called as the key is; that has all words of the table.
SAME_NAME, OWN_WORDS = 0.95, 0.9
#: How sure names are that say little: a bare ``id``; ``ShipVia`` beside ``Shippers``.
BARE, HINTED = 0.4, 0.3
#: How sure the name of a table is for an id in it that is not its key, nor called alike.
OTHER_KEY = 0.7
#: How sure it is that an end of edges is a node.
END_OF_NODES = 0.75
#: How sure it is that a manager is one of what its own table holds, if these are no people.
FAINT = 0.45


def names_speak(table: Profiled, column: Column, target: Profiled, key: str) -> float:
    """How much names say that a column refers to the records of a table, between 0 and 1."""
    of_key = target.columns[key]
    called, stem, thing = column.words_called, names.unnumbered(column.stem), target.thing
    main = target.key == (key,)
    if main and not stem[1:] and column.name not in target.key and is_end(table, column):
        if target.generic and target is not table:
            return END_OF_NODES
        if target is table and column.kind == of_key.kind == "text":
            return BARE  # ``source_ref``, and ``target_ref`` beside it
    if column.kind in ("integer", "digits") and not same_kind(column, of_key):
        return 0.0
    if column is of_key:
        return 0.0
    if not main and of_key.called.lower() in names.LABELS and of_key.kind == column.kind == "text":
        return OWN_WORDS if stem == thing else 0.0  # a country by its name
    if not main and of_key.called.lower() in names.LAST_LABELS and column.kind == "text":
        people = thing[-1] in names.PEOPLE and names.roles(called, stem)
        return 0.8 if people else 0.0  # a reporter by the name that a user logs in with
    if not main and called == (*thing, *of_key.words_called):
        return SAME_NAME  # ``country_iso`` is the ``iso`` of a country
    if not main and not names.is_identifier(of_key.called):
        return 0.0
    numbered = called[-1:] in (("number",), ("num",)) and column.kind == "integer"
    if numbered and not set(of_key.words_called[-1:]) & set(names.CODES):
        return 0.0  # ``post_number`` is which post it is, where posts have an ``id``
    if target.supplement and target is not table and _many_each(target):
        return 0.0
    if target is table:
        counter = names.is_id(of_key.called) and not of_key.stem  # ``id`` beside the key
        if called[1:] == of_key.words_called and called[0] in names.SELF:
            return OWN_WORDS  # ``parentCode`` beside ``code``
        if not (main or counter) or column.name in target.key:
            return 0.0
        if (
            called
            and (_counts(called) or names.is_measure(column.called))
            and called[-1] not in names.SELF
            and not names.is_identifier(column.called)
        ):
            return 0.0  # ``lead_time_days``, ``reply_count``
        roles = names.roles(called, stem)
        if roles and {thing[-1], *of_key.words_called} & set(names.PEOPLE):
            return 0.8
        if set(called) & set(names.SELF):
            if roles:
                return FAINT  # the manager of a customer, where no table of people has one
            rest = set(stem).difference(names.SELF, names.DIRECTIONS)
            rest = {word for word in rest if not thing[-1].endswith(word)}
            other = names.is_id(column.called) and rest - set(thing)  # ``root_category_id``
            return 0.55 if other else OWN_WORDS
        if stem[:-1] == thing and stem[-1] in names.GROUPS and names.is_id(column.called):
            return 0.6
        if stem[1:] and stem[-1] == "of":
            return 0.55  # ``episode_of_id``
        own = thing[-1:] if names.is_id(column.called) else thing
        bare = (
            stem == own
            and (names.is_id(column.called) or not names.is_identifier(column.called))
            and (not of_key.stem or of_key.called.lower() in names.LABELS)
            and not target.supplement
        )  # ``location_id`` beside the ``id`` of a location, ``River`` beside the ``Name`` of one
        if bare:
            return 0.6
        if len(stem) > len(own) and stem[-len(own) :] == own:
            return 0.8
        end = "".join(names.undirected(stem))  # ``from_visit`` of ``historyvisits``
        directed = HINT <= len(end) < len("".join(stem))
        return 0.8 if directed and thing[-1].endswith(end) else 0.0
    if not stem and called[:-1] == thing:
        return 1.0  # ``record_id`` of a record, which is what else a row is called
    if not stem and called[:-1] == thing[-1:] and called == of_key.words_called and main:
        return SAME_NAME
    if called == ("uid",) and thing[-1] in names.USERS and not table.statistics.unique(column.name):
        return 0.7
    if not stem:
        if called == of_key.words_called and not table.statistics.unique(column.name):
            inner = len(thing) < len(table.thing) and table.thing[: len(thing)] == thing
            if (main and inner) or (column.codes and of_key.codes and target is not table):
                return SAME_NAME  # ``entity_id`` of ``product_entity_text``, or a ``uuid``
        bare = called == of_key.words_called and main and not table.statistics.unique(column.name)
        return BARE if bare and names.is_id(column.called) else 0.0
    if column.kind == "integer" and not names.is_identifier(column.called) and _counts(called):
        return 0.0
    if of_key.name != of_key.called and called == names.words(of_key.name):
        return 1.0  # ``EMP_NUM`` where all columns of employees begin with ``EMP_``
    said = _things(table, column, stem, target)
    if numbered and said < OWN_WORDS:
        said = 0.0  # ``attemptnumber`` is which attempt it is
    main_or_first = main or comes_first(target, key)
    if (
        called == of_key.words_called
        and of_key.stem
        and (main_or_first or names.is_id(of_key.called))
    ):
        said = max(said, SAME_NAME)
    elif said < OWN_WORDS and of_key.stem and _names_records(of_key, main_or_first):
        said = max(said, 0.85 if stem[-len(of_key.stem) :] == of_key.stem else 0.0)
    if said and names.POINTER in called:
        return SAME_NAME
    if not main and of_key.stem and called != of_key.words_called:
        said = min(said, OTHER_KEY)
    if not said and main:
        said = _loosely(table, column, stem, target)
    elif target.supplement:
        said = min(said, OWN_WORDS)
    return 0.0 if said < OWN_WORDS and _is_about_it(column, target) else said


def _is_about_it(column: Column, target: Profiled) -> bool:
    """Whether the records of a table have such an id themselves: what has a ``group_id`` is in a
    group, and none."""
    if not names.is_id(column.called) or {*column.words_called} & {*names.ROLES, *names.SELF}:
        return False
    others = (c for c in target.columns.values() if (c.name,) != target.key)
    return any(c.words_called == column.words_called for c in others)


def comes_first(target: Profiled, key: str) -> bool:
    """Whether a column is the first of its table, but for the number of the row."""
    columns = [c.name for c in target.columns.values() if c.stem or not names.is_id(c.called)]
    return columns[:1] == [key]


def _names_records(key: Column, main: bool) -> bool:
    return names.is_id(key.called) or (main and key.called.lower() not in names.LABELS)


def _many_each(target: Profiled) -> bool:
    """``movie_info`` with a ``movie_id`` that comes again describes no movie alone."""
    columns = target.columns.values()
    return any(c.stem == target.thing and not target.statistics.unique(c.name) for c in columns)


def _counts(called: tuple[str, ...]) -> bool:
    """``votes`` and ``attempts`` are how many there are."""
    return names.singular(called[-1]) != called[-1]


def _things(table: Profiled, column: Column, stem: tuple[str, ...], target: Profiled) -> float:
    """What the words of a column and of a table have in common."""
    thing = target.thing
    number = column.kind == "integer" and not names.is_id(column.called)
    if stem == thing or "".join(stem) == "".join(thing):
        return 1.0
    if thing == (*table.thing, *names.undirected(stem)):
        return 1.0  # the current type of an artist is an artist type
    if stem[-len(thing) :] == thing:
        side = names.USES.issuperset(stem[: -len(thing)])  # ``home_team``
        return 0.85 if number and not side else OWN_WORDS  # ``lock_version`` is mostly a number
    if thing[:-1] == stem and thing[-1] in ("name", "title") and not number:
        return 0.85  # ``company_id`` where the table is called ``company_name``
    if stem == table.thing and stem != thing[: len(stem)]:
        return 0.0  # the code of a label is none of a release label
    return _ends_alike(table, column, names.undirected(stem), target)


def _ends_alike(table: Profiled, column: Column, stem: tuple[str, ...], target: Profiled) -> float:
    """What it says that the name of a table ends as a column is called, in words or written as one.

    What the table is called before that tells which of several is meant: that of the column's own
    table (``category_id`` of an ingredient is an ``ingredientcategory``), or of its module.
    """
    thing, end, of_thing = target.thing, "".join(stem), "".join(target.thing)
    number = column.kind == "integer" and not names.is_id(column.called)
    word = len(stem) < len(thing) and thing[-len(stem) :] == stem
    part = HINT <= len(end) < len(of_thing) and of_thing.endswith(end)
    if word or (part and not number):
        within = thing[: len(table.thing)] == table.thing
        if number and stem[-1] in names.KINDS_OF and not owns(table.thing, thing[: -len(stem)]):
            return 0.85 if within else 0.0
        if within or "".join(table.thing).startswith(of_thing[: -len(end)]):
            return OWN_WORDS
        if target.module and end == "".join(thing[1:]):
            return 0.88
        if thing[0] == table.thing[0] and not number:
            return 0.85 if word else 0.8
        return 0.8 if word else 0.75 * names.is_id(column.called)
    common = names.alike(stem[::-1], thing[::-1])
    return 0.8 if common > 1 else 0.0  # ``owner_content_type_id`` of a ``django_content_type``


def _loosely(table: Profiled, column: Column, stem: tuple[str, ...], target: Profiled) -> float:
    """What abbreviations, words written as one and roles of people say."""
    thing, is_id = target.thing, names.is_id(column.called)
    if is_id and len(stem) > 1 and names.USES.issuperset(stem[1:]) and stem[0] == thing[-1]:
        return 0.7
    role = bool(names.roles(column.words_called, stem))
    if (
        not role
        and thing[-1:] != stem[-1:]
        and any(
            c.stem[-1:] == stem[-1:] and names.is_id(c.called)
            for c in target.columns.values()
            if c.name not in target.key
        )
    ):
        return 0.0  # ``repo_labels`` with a ``repo_id`` are of repos, and none
    joined, of_thing = "".join(stem), "".join(thing)
    if len(of_thing) > 3 and joined.endswith(of_thing):
        return 0.8
    if names.is_measure(column.called) and not is_id:
        return 0.0
    number = column.kind == "integer" and column.words_called[-1] in ("code", "num", "no", "nr")
    if is_id or (number and not owns(table.thing, stem)):  # ``lang_code`` is 7
        last = stem[-1]
        if len(last) > 2 and stem[:-1] == thing[:-1] != () and thing[-1].startswith(last):
            return 0.8
        if len(thing) > 1 and last == thing[-1] and last in names.KINDS_OF and stem[:-1]:
            return 0.0
        short = (len(last) > 2 or len(joined) == 1) and not (role and len(last) > HINT)
        if short and last[0] == of_thing[0] and abbreviates(last, of_thing):
            return 0.6
        if len(last) > 2 and last[0] == thing[-1][0] and abbreviates(last, thing[-1]):
            return 0.6
        if len(thing) > 1 and last == thing[-1] and len(stem) > 1:
            return 0.6
        if len(thing) > 1 and last == thing[-2][0] + thing[-1]:
            return 0.75  # ``ctype_id`` of a content type
        two = len(last) == 2 and len(stem) == 1 and last[0] == thing[-1][0]
        if two and abbreviates(last, thing[-1]):
            return 0.5  # ``db_id`` of a database
        if thing[: len(stem)] == stem:
            return 0.5
        if thing[-1] in names.KINDS_OF and stem[-1:] == thing[-2:-1]:
            return 0.6  # ``unit_package_id`` is of a package type
    if names.synonyms(stem, thing) and not (
        is_id and owns(table.thing, stem)
    ):  # ``item_id`` of the items of an order
        return 0.7
    if thing[-1] in names.PEOPLE and (role or stem[-1] in names.PEOPLE):
        done_by = stem[-1:] == ("by",) and stem[-2:-1] and stem[-2].endswith("ed")
        if thing[-1] == "member" and thing[1:]:
            return FAINT  # those of a zone are mostly no people
        return OWN_WORDS if done_by else 0.5
    if role and (thing == ("profile",) or target.whole_name):
        return FAINT  # where no table is called after people
    if thing[-1] in names.PROFESSIONALS and stem[-1] in names.LEADERS:
        return 0.5
    last = thing[-1]
    if not is_id and len(thing) == 1 and not owns(table.thing, stem):
        starts = (word for word in column.words_called if len(word) >= HINT)
        if any(last.startswith(word) and len(last) - len(word) <= 3 for word in starts):
            return HINTED
    return 0.0


def abbreviates(short: str, text: str) -> bool:
    """Whether a text has the letters of a shorter one in their order."""
    if len(text) > len(short) * (2 if len(short) > HINT else 4):
        return False  # a long text has most letters in some order
    letters = iter(text)
    return all(letter in letters for letter in short)


def same_kind(one: Column, other: Column) -> bool:
    """Whether both hold numbers, or neither."""
    numbers = ("integer", "digits")
    return (one.kind in numbers) == (other.kind in numbers)


def surprising(column: Column, key: Column, found: Found) -> bool:
    """Whether so many values would hardly all be keys if the column were of something else.

    Numbers from 1 on without a gap are keys of each other; codes and numbers with gaps are not.
    """
    if key.kind == "integer":
        density = key.density
    elif column.codes:
        density = 0.009 if column.mean_length < 12 else 1e-5
    else:
        density = {0: 1.0, 1: 0.5, 2: 0.3}.get(round(min(column.mean_length, 3)), 0.04)
    return bool(density**found.found < BY_CHANCE)


def as_far(column: Column, key: Column) -> bool:
    """Whether numbers that come again go as far as keys from 1 on do, and no farther: the largest
    of ``n`` keys drawn from ``N`` is mostly less than ``2 N / n`` below the last."""
    if key.kind != "integer" or column.kind != "integer" or key.density < DENSE:
        return False
    numbers = {int(value) for value in column.sample}
    last = min(map(int, key.sample)) + key.distinct.count - 1
    if len(numbers) < LEAST_DRAWN:
        return False
    return 0 <= last - max(numbers) <= 2 * key.distinct.count / len(numbers)


def covered(key: Column, found: Found) -> float:
    """Share of the keys that the values are."""
    return found.found / max(key.distinct.count, 1)
