"""What must be known of a SPARQL query before the engine reads it.

Whether a query is sound, and how much it costs, is for the engine and its process to say. Here is
only what they do not tell: which form the query has, and so what its result may be written in;
whether it names its own graphs, which the union of all graphs would hide; and which prefixes it
takes from the workspace.

Knows tokens, not grammar. Evaluates nothing.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

from sightline.graph.rdf.errors import QuerySyntaxError, QueryTooLong

#: Bytes of a query.
MAX_TEXT = 256 << 10

Form = Literal["SELECT", "ASK", "CONSTRUCT", "DESCRIBE"]

#: Texts, IRIs, comments and escaped characters of names.
_NO_KEYWORD = re.compile(
    r"""
    "{3} (?:"{0,2}(?:[^"\\]|\\.))* "{3} | " (?:[^"\\\r\n]|\\.)* "
  | \'{3} (?:\'{0,2}(?:[^\'\\]|\\.))* \'{3} | \' (?:[^\'\\\r\n]|\\.)* \'
  | <[^<>"{}|^`\\\x00-\x20]*> | \#[^\r\n]* | \\.
    """,
    re.VERBOSE | re.DOTALL,
)
_FORM = re.compile(rf"(?<![\w.:?$@-])({'|'.join(get_args(Form))})(?![\w:-])", re.IGNORECASE)
_FROM = re.compile(r"(?<![\w.:?$@-])from(?![\w.:-])", re.IGNORECASE)
_DECLARED = re.compile(r"prefix\s*([\w.-]*):", re.IGNORECASE)
_PREFIX = re.compile(r"(?<![\w.:?$@-])([^\W\d_][\w.-]*|):")


@dataclass(frozen=True, slots=True)
class Query:
    """A query that the engine may read.

    Attributes:
        has_dataset: it names its graphs itself (FROM).
        borrowed: prefixes of the workspace that it may use.
    """

    text: str
    form: Form
    has_dataset: bool
    borrowed: tuple[str, ...]


def read_query(text: str, prefixes: Collection[str] = ()) -> Query:
    """What a query is.

    Args:
        prefixes: those that need not be declared.

    Raises:
        QueryTooLong
        QuerySyntaxError: it is no query at all.
    """
    if (size := len(text.encode(errors="replace"))) > MAX_TEXT:
        raise QueryTooLong(size, MAX_TEXT)
    bare = _bare(text)
    found = _FORM.search(bare)
    if found is None:
        reason = "it is no SELECT, ASK, CONSTRUCT or DESCRIBE, and the graph is read-only here"
        raise QuerySyntaxError(text, 0, reason)
    borrowed = tuple(name for name in prefixes if f"{name}:" in text)
    return Query(text, found[1].upper(), _FROM.search(bare) is not None, borrowed)  # type: ignore[arg-type]


def undeclared_prefix(query: Query) -> re.Match[str] | None:
    """The first prefix in a query that it does not declare and the workspace does not know."""
    bare = _bare(query.text)
    known = {*_DECLARED.findall(bare), *query.borrowed}
    return next((use for use in _PREFIX.finditer(bare) if use[1] not in known), None)


def _bare(text: str) -> str:
    """The text with blanks in place of what holds no keyword."""
    return _NO_KEYWORD.sub(lambda piece: " " * len(piece[0]), text)
