"""How cells become terms: templates with references, typed values, and the maps made of them.

Knows templates and IRIs; knows no file format and no YAML.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from urllib.parse import quote

import polars as pl
from pyoxigraph import NamedNode

from sightline.graph.vocabulary import (
    OBO,
    OBO_LOCAL,
    OBO_PREFIXES,
    RDF_TYPE,
    XSD_STRING,
    Kind,
)
from sightline.ingest.lexical import Written

#: IRIs that need no closer look.
_CHARACTERS = r"([A-Za-z0-9_.~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*"
PLAIN_IRI = (
    rf"^[A-Za-z][A-Za-z0-9+.-]*:(//[A-Za-z0-9.-]+(/{_CHARACTERS})?|[A-Za-z0-9_]{_CHARACTERS})"
    rf"(\?{_CHARACTERS})?(#{_CHARACTERS})?$"
)
#: What ``quote`` leaves as it is beside letters and digits.
_MARKS = {mark: f"%{ord(mark):02X}" for mark in "_.-~"}
#: Columns that every table has: the number of a record, and an IRI for one that nothing names.
ROW, RECORD = "#row", "#record"
#: After the name of a column: the datatypes of its values, where a source tells them.
TYPE = "\0type"
#: The column of objects that are joined.
OBJECT = "\0object"
#: What a language tag looks like.
LANGUAGE = r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*"
#: What ``quote`` escapes, as one table for ASCII.
_ESCAPED = {chr(i): f"%{i:02X}" for i in range(128) if quote(chr(i), safe="") != chr(i)}
#: What it leaves as it is.
_UNRESERVED = bytes(i for i in range(128) if chr(i) not in _ESCAPED)


@dataclass(frozen=True, slots=True)
class Reference:
    """The value of a column inside a template.

    Attributes:
        column: its name, or a path such as ``capital.name`` in JSON.
        prefixes: not None for a cell that may hold a whole IRI or a CURIE of these prefixes
            already, which then stands as it is. The first prefix is the one of minted names; it
            may have no name.
        curies: a CURIE of an unknown prefix is an IRI as well, as where all names are CURIEs; one
            of OBO is the IRI that its ontology has.
    """

    column: str
    prefixes: tuple[tuple[str, str], ...] | None = None
    curies: bool = False


@dataclass(frozen=True, slots=True)
class Varying:
    """Text that stands as it is, another one for each of the maps or statements that are handled
    together.

    Attributes:
        column: where it is.
    """

    column: str


@dataclass(frozen=True, slots=True)
class Template:
    """Constant text and references in turn; ``iri`` templates escape what they refer to.

    Attributes:
        safe: what ``iri`` templates do not escape: ``unicode``, characters beyond ASCII; ``all``,
            nothing is escaped, so that the result is looked at. ``letters`` escapes all but
            letters and digits, as in the label of a blank node.
        base: goes before an IRI taken whole from a cell that is a relative one.
    """

    parts: tuple[str | Reference | Varying, ...]
    iri: bool
    safe: str = ""
    base: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it refers to, each once."""
        names = tuple([part.column for part in self.parts if isinstance(part, Reference)])
        return names if len(names) < 2 else tuple(dict.fromkeys(names))

    @property
    def varying(self) -> tuple[str, ...]:
        """The columns of texts that stand as they are."""
        return tuple(part.column for part in self.parts if isinstance(part, Varying))

    @property
    def whole(self) -> bool:
        """A single reference that is the IRI itself, so it is checked and not escaped."""
        first = self.parts[0] if len(self.parts) == 1 else ""
        return self.iri and isinstance(first, Reference) and first.prefixes is None

    @property
    def taken_whole(self) -> bool:
        """Cells may hold IRIs that were not made here, so the result must be checked."""
        cells = any(isinstance(part, Reference) and part.prefixes for part in self.parts)
        return self.whole or (self.iri and (cells or self.safe == "all"))

    def plain(self, frame: pl.DataFrame) -> set[str]:
        """The columns whose cells it mints and escapes, of which none needs to be escaped."""
        if not self.iri or self.whole or self.safe == "all":
            return set()
        return {column for column in self.columns if _unreserved(frame[column])}

    def render(self, frame: pl.DataFrame, plain: Collection[str] | None = None) -> pl.Series:
        """String ``(n,)``; null where a column it refers to is null.

        Args:
            plain: what ``plain`` says of the frame, where that was asked before.
        """
        plain = self.plain(frame) if plain is None else plain
        if not self.columns and not self.varying:
            return pl.repeat("".join(map(str, self.parts)), frame.height, eager=True)
        parts = [self._part(part, frame, plain) for part in self.parts]
        if len(parts) == 1:
            return frame.select(parts[0])[:, 0]
        return frame.select(pl.concat_str(parts))[:, 0]

    def _part(
        self, part: str | Reference | Varying, frame: pl.DataFrame, plain: Collection[str]
    ) -> pl.Expr:
        if isinstance(part, str):
            return pl.lit(part)
        if isinstance(part, Varying):
            return pl.col(part.column)
        if part.prefixes is not None:
            if part.column in plain:
                return pl.lit(part.prefixes[0][1]) + pl.col(part.column)
            return pl.lit(_minted(frame[part.column], part.prefixes, part.curies))
        if self.iri and not self.whole and self.safe != "all":
            text = frame[part.column]
            if part.column not in plain:
                text = percent_encoded(text, unicode=self.safe == "unicode")
            if self.safe == "letters":
                text = text.str.replace_many(list(_MARKS), list(_MARKS.values()))
            return pl.lit(text)
        if self.base:
            cell = pl.col(part.column)
            absolute = cell.str.contains(r"^[A-Za-z][A-Za-z0-9+.-]*:")
            return pl.when(absolute).then(cell).otherwise(pl.lit(self.base) + cell)
        return pl.col(part.column)


@dataclass(frozen=True, slots=True)
class Join:
    """Objects that are the subjects of another table, where its records agree with this one's.

    Attributes:
        parent: the name of the other table's map.
        child: what is compared of this table.
        keys: what is compared of the other, in the same order.
        digest: of ``found``.
        found: a column for each key, and ``OBJECT``; None until the other table was read.
    """

    parent: str
    child: tuple[Template, ...]
    keys: tuple[Template, ...]
    digest: str = ""
    found: pl.DataFrame | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Value:
    """The object of statements.

    Attributes:
        datatype, language: of a literal; both None for an IRI.
        split: separator of a cell that holds several values.
        written: how the cells write what becomes a lexical form of the datatype.
        qualifiers: names and values of what such a statement says about itself.
        datatype_of, language_of: what a record says that they are.
        natural: the datatype is what the cell's value has in its source, where that tells.
        graph: the named graph of the statements; None for that of the source.
        join: the objects are the subjects of another table, which ``template`` makes there.
    """

    template: Template
    datatype: str | None = None
    language: str | None = None
    split: str | None = None
    written: Written | None = None
    qualifiers: tuple[tuple[str, Value], ...] = ()
    datatype_of: Template | None = None
    language_of: Template | None = None
    natural: bool = False
    graph: Template | None = None
    join: Join | None = None

    @property
    def needed(self) -> tuple[str, ...]:
        """The columns without which it makes no statement."""
        if not (self.join or self.datatype_of or self.language_of or self.graph):
            return self.template.columns
        made_of = self.join.child if self.join else (self.template,)
        others = (self.datatype_of, self.language_of, self.graph)
        return tuple(c for one in (*made_of, *filter(None, others)) for c in one.columns)

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column it refers to."""
        return self.needed + tuple(c for _, v in self.qualifiers for c in v.columns)


@dataclass(frozen=True)
class TableMap:
    """What one mapping says about each record of a table.

    Attributes:
        statements: predicate and object of each statement about the subject.
        complete: every column that statements are made of must have a value, as in a table of
            triples; a bad value then rejects the record.
        nulls: cells that are no value.
        floats: columns of whole numbers that are written ``17.0`` and mean ``17``.
        once: it is about the values of some columns, which come again: each is told of where it
            comes first. A record without a value is none that lacks a subject.
        each: several values of a column that the subject is made of make several subjects.
        several: separator of a cell that holds several of these values.
    """

    name: str
    subject: Template
    statements: tuple[tuple[Template, Value], ...]
    complete: bool = False
    nulls: tuple[str, ...] = ()
    floats: tuple[str, ...] = ()
    once: bool = False
    several: str | None = None
    each: bool = False

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """Every column that its statements are made of, each once; not what qualifies them."""
        said = ((*p.columns, *value.needed) for p, value in self.statements)
        return tuple(dict.fromkeys((*self.subject.columns, *chain.from_iterable(said))))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Every column it refers to, each once."""
        said = ((*predicate.columns, *value.columns) for predicate, value in self.statements)
        return tuple(
            dict.fromkeys((*self.subject.columns, *chain.from_iterable(said), *self.floats))
        )

    @cached_property
    def wanted(self) -> tuple[str, ...]:
        """The columns to read: those it refers to, and the datatypes of their values."""
        natural = (c + TYPE for _, v in self.statements if v.natural for c in v.template.columns)
        return tuple(dict.fromkeys((*self.columns, *natural)))


#: What the columns of a batch mean to a workspace with these prefixes, those of the four kinds of
#: minted names among them.
Maps = Callable[[Sequence[str], Mapping[str, str]], tuple[TableMap, ...]]


def is_iri(text: str) -> bool:
    """Whether a text is an absolute IRI (RFC 3987)."""
    try:
        NamedNode(text)
    except ValueError:
        return False
    return True


def iri(text: str) -> Template:
    """A constant IRI."""
    return Template((text,), iri=True)


def iri_in(column: str) -> Template:
    """The IRI that a cell holds whole."""
    return Template((Reference(column),), iri=True)


def named(
    column: str, kind: Kind, prefixes: Mapping[str, str], *, curies: bool = False
) -> Template:
    """The IRI of a cell that holds a raw name, or an IRI or CURIE already."""
    known = ((kind, prefixes[kind]), *prefixes.items())
    return Template((Reference(column, known, curies),), iri=True)


def literal_of(column: str) -> Value:
    """A column's value as a text."""
    return Value(Template((Reference(column),), iri=False), XSD_STRING)


def type_of(class_iri: Template) -> tuple[Template, Value]:
    """The statement that the subject is of a class."""
    return iri(RDF_TYPE), Value(class_iri)


def percent_encoded(values: pl.Series, *, unicode: bool = False) -> pl.Series:
    """Escape everything but unreserved ASCII, as ``urllib.parse.quote(value, safe="")`` does.

    Args:
        unicode: leave what is not ASCII as it is, as IRIs may.
    """
    plain = values.str.replace_many(list(_ESCAPED), list(_ESCAPED.values()))
    foreign = values.str.contains(r"[^\x00-\x7f]").fill_null(False)
    if unicode or not foreign.any():
        return plain
    texts = values.filter(foreign).unique()
    encoded = values.replace(texts, pl.Series([quote(text, safe="") for text in texts]))
    return encoded.zip_with(foreign, plain)


def _unreserved(values: pl.Series) -> bool:
    """Whether all characters are ASCII that stands in an IRI as it is, as in most tables."""
    # All texts as one: to look at each by itself costs three times as much.
    return not values.str.join("").item().encode().translate(None, _UNRESERVED)


def _minted(
    values: pl.Series, prefixes: tuple[tuple[str, str], ...], curies: bool = False
) -> pl.Series:
    """Names to IRIs under the first prefix; IRIs and CURIEs of known prefixes stand."""
    minted = (prefixes[0][1] + percent_encoded(values)).rename(values.name)
    if not values.str.contains(":", literal=True).any():
        return minted
    names = "|".join(re.escape(name) for name, _ in prefixes if name)
    curie = values.str.extract_groups(rf"^({names}):(\S+)$").struct.unnest()
    curie.columns = ["prefix", "local"]
    start = curie["prefix"].replace_strict(dict(prefixes), default=None, return_dtype=pl.String)
    expanded = start + curie["local"]
    stands = r"^[A-Za-z][A-Za-z0-9+.-]*:\S+$" if curies else r"^(https?://|urn:)"
    if curies:
        obo = rf"^({'|'.join(OBO_PREFIXES)}):({OBO_LOCAL})$"
        of_obo = values.str.replace(obo, f"{OBO}${{1}}_${{2}}")
        expanded = expanded.zip_with(expanded.is_not_null() | (of_obo == values), of_obo)
    whole = values.str.contains(stands).fill_null(False) & ~(curies & expanded.is_not_null())
    minted = expanded.zip_with(expanded.is_not_null(), minted)
    return values.zip_with(whole, minted)
