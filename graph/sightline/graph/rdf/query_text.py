"""What a SPARQL query asks for, told from its text before any engine reads it.

Knows tokens, not grammar: where strings, IRIs and comments are, how deeply brackets nest, which
form the query has, and whether it would leave this machine. Evaluates nothing.

The engine's parser works without a lexer: it takes keywords without a space before or after
(``1SERVICEex:x{``), and decides by context whether ``<`` begins an IRI or compares. A text in which
the two readings could hide something from the checks here is refused, with the way to write it.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from sightline.graph.rdf.errors import QueryRefused, QuerySyntaxError, QueryTooDeep, QueryTooLong

#: Bytes of a query.
MAX_TEXT = 256 << 10
#: Brackets within brackets.
MAX_DEPTH = 100

Form = Literal["SELECT", "ASK", "CONSTRUCT", "DESCRIBE"]

_ESCAPE = r"""\\(?:[tbnrf"'\\]|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8})"""
_PLX = r"""%[0-9A-Fa-f]{2}|\\[_~.\-!$&'()*+,;=/?#@%]"""
_LOCAL = rf"(?:[\w:]|{_PLX})(?:[\w:\-]|{_PLX})*(?:\.+(?:[\w:\-]|{_PLX})+)*"
#: In the order in which they are tried. Each reads on from where the last one ended, so the time
#: is linear in the text.
_TOKEN = re.compile(
    rf"""
    (?P<space> [ \t\r\n]+ | \#[^\r\n]* )
  | (?P<string> "{{3}} (?:"{{0,2}}(?:[^"\\]|{_ESCAPE}))* "{{3}}
              | '{{3}} (?:'{{0,2}}(?:[^'\\]|{_ESCAPE}))* '{{3}}
              | "(?!"") (?:[^"\\\r\n]|{_ESCAPE})* "
              | '(?!'') (?:[^'\\\r\n]|{_ESCAPE})* ' )
  | (?P<iri> <[^<>"{{}}|^`\x00-\x20]*> )
  | (?P<variable> [?$]\w+ )
  | (?P<name> (?P<prefix>_|[^\W\d_][\w.\-]*|): (?P<local>{_LOCAL})? )
  | (?P<word> [^\W\d][\w.\-]* | \d\w* )
  | (?P<language> @[A-Za-z]+(?:-[A-Za-z0-9]+)* )
  | (?P<open> [(\[{{] )
  | (?P<close> [)\]}}] )
  | (?P<broken> ["'] )
  | (?P<other> \\. | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
#: After one of these ``<`` may compare.
_OPERANDS = {"string", "iri", "variable", "name", "word", "language", "close", ">"}
#: What a token is replaced by, so that what is left holds keywords and no text of the user's.
_BLANK = {"space": " ", "string": '"', "iri": "<>", "variable": "?", "language": "@"}

_FORM = re.compile(
    r"(?<![\w.:-])(select|ask|construct|describe|insert|delete|load|clear|drop|create|add|move"
    r"|copy|with)(?![\w:-])",
    re.IGNORECASE,
)
_FROM = re.compile(r"(?<![\w.:-])from(?![\w.:-])", re.IGNORECASE)
_SERVICE = re.compile(r"service\s*(?:silent\s*)?[^\s{}]*\s*\{", re.IGNORECASE)
_DECLARED = re.compile(r"prefix\s*([\w.-]*):", re.IGNORECASE)
_CODEPOINT = re.compile(r"\\u([0-9A-Fa-f]{4})|\\U([0-9A-Fa-f]{8})")


@dataclass(frozen=True, slots=True)
class Query:
    """A query that may be evaluated.

    Attributes:
        has_dataset: it names its graphs itself (FROM).
        borrowed: prefixes that it uses and does not declare.
    """

    text: str
    form: Form
    has_dataset: bool
    borrowed: tuple[str, ...]


def read_query(text: str, prefixes: Collection[str] = ()) -> Query:
    """Check a query and say what it is.

    Args:
        prefixes: those that need not be declared.

    Raises:
        QueryTooLong, QueryTooDeep, QuerySyntaxError
        QueryRefused: an update, or a query that asks another service.
    """
    if (size := len(text.encode(errors="replace"))) > MAX_TEXT:
        raise QueryTooLong(size, MAX_TEXT)
    scan = _Scan(text)
    decoded = _CODEPOINT.sub(_character, text)
    if decoded != text:
        # Should an engine decode first, as the specification has it: nothing may hide there.
        with suppress(QuerySyntaxError):
            _Scan(decoded)
    found = _FORM.search(scan.live)
    if found is None:
        raise QuerySyntaxError(text, 0, "it is no SELECT, ASK, CONSTRUCT or DESCRIBE")
    form = found[1].upper()
    if form not in ("SELECT", "ASK", "CONSTRUCT", "DESCRIBE"):
        raise QueryRefused(f"{form} would change the graph, which is read-only here")
    borrowed = scan.undeclared()
    for prefix, start in borrowed.items():
        if prefix not in prefixes:
            raise QuerySyntaxError(text, start, f"the prefix {prefix}: is not declared")
    has_dataset = _FROM.search(scan.outer) is not None
    return Query(text, form, has_dataset, tuple(borrowed))  # type: ignore[arg-type]


class _Scan:
    """One pass over the tokens.

    Attributes:
        live: the text without strings, IRIs, comments, variables and local names.
        outer: that part of it that no bracket encloses.
        prefixes: those used, with the place of their first use.

    Raises:
        QuerySyntaxError, QueryTooDeep, QueryRefused
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._stack: list[str] = []
        self._before = ""
        self.prefixes: dict[str, int] = {}
        live, outer = [], []
        for token in _TOKEN.finditer(text):
            kind, piece = str(token.lastgroup), token[0]
            if kind == "iri":
                self._check_iri(piece, token.start())
            elif kind == "name":
                # Engines differ on how much a local name takes after its first dot.
                piece = f"{token['prefix']}:{(token['local'] or '').partition('.')[2]}"
                self.prefixes.setdefault(token["prefix"], token.start())
            elif kind == "broken":
                raise QuerySyntaxError(text, token.start(), "a quoted text is not closed")
            self._nest(kind, piece, token.start())
            live.append(_BLANK.get(kind, piece))
            if not self._stack:
                outer.append(live[-1])
            if kind != "space":
                self._before = piece if kind == "other" else kind
        if self._stack:
            raise QuerySyntaxError(text, len(text), f"a {self._stack[-1]} is not closed")
        self.live, self.outer = "".join(live), "".join(outer)
        if _SERVICE.search(self.live):
            raise QueryRefused("SERVICE would ask another server, which this one never does")

    def undeclared(self) -> dict[str, int]:
        """Prefixes without a declaration; blank nodes have none."""
        declared = {*_DECLARED.findall(self.live), "_"}
        return {name: start for name, start in self.prefixes.items() if name not in declared}

    def _nest(self, kind: str, piece: str, start: int) -> None:
        if kind == "open":
            self._stack.append(piece)
            if len(self._stack) > MAX_DEPTH:
                raise QueryTooDeep(MAX_DEPTH)
        elif kind == "close" and (not self._stack or self._stack.pop() != _PAIRS[piece]):
            raise QuerySyntaxError(self._text, start, f"this {piece} closes nothing")

    def _check_iri(self, iri: str, start: int) -> None:
        """Refuse what may be an IRI, or a comparison in which a bracket or a text begins."""
        adjacent = self._text[start - 1 : start] == "<"
        compares = self._stack[-1:] == ["("] and self._before in _OPERANDS
        if not adjacent and not compares:
            return
        if not re.match(r"<[A-Za-z][\w+.-]*://", iri) and re.search(r"[#'()\[\]\\]", iri):
            reason = "this < may compare or begin an IRI; put spaces around a comparison"
            raise QuerySyntaxError(self._text, start, reason)


def _character(escape: re.Match[str]) -> str:
    code = int(escape[1] or escape[2], 16)
    return chr(code) if code < 0x110000 else escape[0]
