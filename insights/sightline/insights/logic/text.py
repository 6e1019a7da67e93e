"""Logical questions as text: conditions with commas between them.

    ?d treats ?x, likely ?d binds ?g, ?g a Gene, ?g <located in>/part_of "chromosome 6",
    ?x prevalence >= 100, not ?d treats "Alzheimer's disease", ?d != ?e

A condition is head, relation and tail. ``?name`` is a variable, ``?`` anything; names of several
words stand in quotes or in ``<>``, but what is between head and tail may have several words as it
is. Where there is nothing of such names, other ways to part the words are tried. Knows the
notation; knows no graph: which names there are it is told.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations

from sightline.insights.errors import BadQuery
from sightline.insights.logic.atoms import ANYTHING, Atom, is_variable

#: `<` opens a name where no blank, digit or sign follows that a comparison has there.
_TOKEN = re.compile(
    r"""
    (?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')
    |(?P<bracketed><[^<>\s,]+>|<[^<>\s\d=.+"'-][^<>]*>)
    |(?P<sign>!=|<=|>=|=|<|>)
    |(?P<comma>,)
    |(?P<bare>(?!')(?:[^\s,"<>=!]|<[^<>\s,]+>)+)
    |(?P<other>\S)
    """,
    re.VERBOSE,
)
#: Words and quoted names of one condition that are parted in other ways.
_PARTED = 12
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    start: int
    end: int

    @property
    def name(self) -> str:
        """What it names, without quotes; what only looks like a variable is marked as a name."""
        if self.kind != "quoted":
            return self.text
        inner = re.sub(r"\\(.)", r"\1", self.text[1:-1])
        return f"<{inner}>" if inner.startswith("?") else inner

    def says(self, *words: str) -> bool:
        """Whether it is one of some bare words."""
        return self.kind == "bare" and self.text.lower() in words


def atoms_of(text: str, meant: Callable[[Atom], bool] = lambda _: True) -> tuple[Atom, ...]:
    """The conditions of a question.

    Args:
        meant: whether there are things of the names in a condition.

    Raises:
        BadQuery: at which character, and what was expected there; or words without quotes can be
            parted in several ways.
    """
    return tuple(_Condition(text, tokens).meant(meant) for tokens in _parts(text))


def _parts(text: str) -> Iterator[list[_Token]]:
    """The tokens of each condition, with an end."""
    part: list[_Token] = []
    for match in _TOKEN.finditer(text):
        token = _Token(str(match.lastgroup), match.group(), match.start(), match.end())
        if token.kind == "other":
            closing = "its closing quote" if token.text in "\"'" else "a name or a comma"
            raise BadQuery(text, token.start + 1, closing)
        if token.kind != "comma":
            part.append(token)
        elif not part:
            raise BadQuery(text, token.start + 1, "a condition before the comma")
        else:
            yield [*part, _Token("end", "", token.start, token.start)]
            part = []
    if not part:
        raise BadQuery(text, len(text) + 1, "a condition")
    yield [*part, _Token("end", "", len(text), len(text))]


class _Condition:
    """Reads one condition."""

    def __init__(self, text: str, tokens: list[_Token]) -> None:
        self.text = text
        self.tokens = tokens
        self.negated = self.likely = False

    def meant(self, meant: Callable[[Atom], bool]) -> Atom:
        """What it says as it is written; where there is nothing of such names, the one other way
        to part its words that has a meaning."""
        first = self.read()
        others = self._others() if first.relation is not None and not meant(first) else []
        found = [atom for atom in others if meant(atom)]
        if len(found) > 1:
            ways = " or ".join(f'"{a.head}" "{a.relation}" "{a.tail}"' for a in found[:3])
            raise self._expected(self.tokens[0], f"quotes that say which is meant: {ways}")
        return found[0] if found else first

    def _others(self) -> list[Atom]:
        """Other ways to part the words of a link: at blanks, so a `+` stays with its name."""
        *words, _ = self.tokens
        n = len(words)
        if n > _PARTED:
            return []
        blanks = [i for i in range(1, n) if words[i - 1].end < words[i].start]
        return [
            self._atom(words[:i], relation=self._slice(words[i:j]), tail=self._slice(words[j:]))
            for i, j in combinations(blanks, 2)
            if (i, j) != (1, n - 1)
        ]

    def read(self) -> Atom:
        while len(self.tokens) > 2 and self.tokens[0].says("not", "likely"):
            if self.tokens.pop(0).text.lower() == "not":
                self.negated = True
            else:
                self.likely = True
        head, *rest, end = self.tokens
        if self.negated and self.likely:
            raise self._expected(head, "one of not and likely: not is what the graph does not say")
        if head.kind == "sign":
            raise self._expected(head, "a variable or a name before the sign")
        sign = next((i for i, token in enumerate(rest) if token.kind == "sign"), None)
        if sign is not None:
            return self._comparison(head, rest[:sign], rest[sign], rest[sign + 1 :], end)
        if rest and rest[0].says("a", "rdf:type"):
            return self._type(head, rest[1:], end)
        if len(rest) < 2:
            missing = (
                "a relation and what it leads to" if not rest else "what the relation leads to"
            )
            raise self._expected(end, missing)
        return self._link(head, rest[:-1], rest[-1])

    def _link(self, head: _Token, between: list[_Token], tail: _Token) -> Atom:
        for token in between:
            if is_variable(token.text):
                raise self._expected(between[between.index(token)], "a comma, or a relation")
        return self._atom([head], relation=self._slice(between), tail=tail.name)

    def _type(self, head: _Token, named: list[_Token], end: _Token) -> Atom:
        if not named or named[0].text == ANYTHING or is_variable(named[0].text):
            what = "the name of a type; types have no variables"
            raise self._expected(named[0] if named else end, what)
        return self._atom([head], type=self._slice(named))

    def _comparison(
        self, head: _Token, named: list[_Token], sign: _Token, value: list[_Token], end: _Token
    ) -> Atom:
        if not value:
            raise self._expected(end, f"a value after {sign.text}")
        if not named:
            if sign.text != "!=" or len(value) > 1:
                raise self._expected(sign, "a property before the sign, or two names with !=")
            return self._atom([head], sign=sign.text, tail=value[0].name)
        if is_variable(value[0].text):
            raise self._expected(
                value[0], "a number, a date or a text; only != takes two variables"
            )
        said: int | float | str = self._slice(value)
        if len(value) == 1 and value[0].kind == "bare" and _NUMBER.fullmatch(value[0].text):
            said = float(value[0].text)
            said = int(said) if said.is_integer() and abs(said) < 2**53 else said
        return self._atom([head], property=self._slice(named), sign=sign.text, value=said)

    def _slice(self, tokens: list[_Token]) -> str:
        """What some tokens say together, as it was written."""
        if len(tokens) == 1:
            return tokens[0].name
        return self.text[tokens[0].start : tokens[-1].end]

    def _atom(self, head: list[_Token], **parts: object) -> Atom:
        return Atom(self._slice(head), negated=self.negated, likely=self.likely, **parts)  # type: ignore[arg-type]

    def _expected(self, token: _Token, what: str) -> BadQuery:
        return BadQuery(self.text, token.start + 1, what)
