"""The conditions of a logical question in ids of a snapshot; what cannot be asked is refused.

Names become ids here. Knows names and literals; walks nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sightline.graph.arrays import Flags
from sightline.graph.errors import NotFound, OutOfRange, SightlineError, UsageError
from sightline.graph.paths.patterns import read_pattern
from sightline.graph.snapshot.errors import UnknownProperty, UnknownRelation
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.vocabulary import mint
from sightline.insights.logic.atoms import ANYTHING, MAX_ATOMS, Atom, is_variable
from sightline.insights.logic.values import having

#: What makes a relation a pattern of relations.
_SIGNS = frozenset("/|^?*+()")
#: A variable by name, an entity by id, or None for anything.
Term = str | int | None


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One condition in ids: exactly one of ``relation``, ``pattern`` and ``allowed`` is given, none
    where head and tail are not to be the same.

    Attributes:
        text: by labels.
        allowed: bool ``(N,)``: entities of a type, or with a value.
    """

    text: str
    head: Term
    tail: Term = None
    relation: int | None = None
    pattern: str | None = None
    allowed: Flags | None = None
    negated: bool = False
    likely: bool = False

    @property
    def differs(self) -> bool:
        """Whether it says that two are not the same."""
        return self.relation is None and self.pattern is None and self.allowed is None

    @property
    def variables(self) -> list[str]:
        """The variables in it, each once."""
        return list(dict.fromkeys(t for t in (self.head, self.tail) if isinstance(t, str)))


def resolve(snapshot: Snapshot, atoms: Sequence[Atom]) -> list[Condition]:
    """The conditions in ids, those that are there twice once.

    Raises:
        OutOfRange: there are too many, or none.
        UsageError: an atom is none, or a variable is in no condition that says what it can be.
        SightlineError: of names, as ``Snapshot.resolve_entity`` and its like raise.
        BadPattern
    """
    if not 1 <= len(atoms) <= MAX_ATOMS:
        raise OutOfRange("the number of conditions", len(atoms), 1, MAX_ATOMS)
    conditions = [_Resolver(snapshot, atom).condition() for atom in dict.fromkeys(atoms)]
    _require_safe(conditions)
    return conditions


def has_meaning(snapshot: Snapshot, link: Atom) -> bool:
    """Whether there are a relation and ends of the names in a link."""
    try:
        resolver = _Resolver(snapshot, link)
        resolver.relation(link.relation or "")  # the cheapest of them
        resolver.condition()
    except SightlineError:
        return False
    return True


def _require_safe(conditions: Iterable[Condition]) -> None:
    """Refuse variables that could be anything: negation says what the graph does not hold."""
    bound = {v for c in conditions if not c.negated and not c.differs for v in c.variables}
    for condition in conditions:
        for variable in condition.variables:
            if variable not in bound:
                raise UsageError(
                    f"{variable} is only in a condition that rules out ({condition.text}), so it "
                    "could be anything; name it in a condition without not or !=, or write ? there "
                    "for anything"
                )
    if not bound:
        raise UsageError("the question has no variable to find; write ?x for what is asked for")


class _Resolver:
    """Turns one atom into a condition."""

    def __init__(self, snapshot: Snapshot, atom: Atom) -> None:
        self.snapshot = snapshot
        self.atom = atom

    def condition(self) -> Condition:
        a = self.atom
        parts = (a.relation, a.type, a.property)
        if sum(part is not None for part in parts) > 1 or (not any(parts) and a.sign is None):
            raise UsageError(
                f"the condition on {a.head!r:.80} must have one of relation, type and property, or "
                "the sign != and a tail"
            )
        if a.negated and a.likely:
            raise UsageError("not says what the graph does not state; leave likely out there")
        if a.relation is not None:
            return self._link(a.relation)
        if a.likely:
            raise UsageError(f"only links can be likely, and the condition on {a.head} is none")
        if a.type is not None:
            return self._type(a.type)
        return self._differs() if a.property is None else self._value(a.property)

    def _link(self, name: str) -> Condition:
        a, s = self.atom, self.snapshot
        if a.tail is None or a.sign is not None or a.value is not None:
            raise UsageError(f"a condition with a relation ({name:.80}) has a head and a tail only")
        head, tail = self._term(a.head), self._term(a.tail)
        said = self._said(a.head, head), self._said(a.tail, tail)
        relation = self.relation(name)
        if relation is None:
            read_pattern(name, s)
            if a.likely:
                raise UsageError(
                    f"the model predicts single links, no pattern such as {name:.80}; leave likely "
                    "out, or write a condition for each link"
                )
            text = f"{said[0]} —{name}→ {said[1]}"
            return self._made(text, head=head, tail=tail, pattern=name)
        if a.likely and head == tail and head is not None:
            raise UsageError("the model predicts no link from anything to itself; leave likely out")
        label = s.relation_labels[relation]
        text = f"{said[0]} —{label}→ {said[1]}"
        return self._made(text, head=head, tail=tail, relation=relation)

    def relation(self, name: str) -> int | None:
        """The relation of a name; None where the name is a pattern: it has signs, and no relation
        is called exactly so."""
        s = self.snapshot
        try:
            found = s.resolve_relation(name)
        except UnknownRelation:
            if not _SIGNS & set(name):
                self._refuse_property(name)
                raise
            return None
        bare = name.strip().removeprefix("<").removesuffix(">")
        iris = bare, s.iri(bare), mint(s.base, "relation", bare)
        exact = s.relation_labels[found] == bare or s.relation_iris[found] in iris
        return found if exact or not _SIGNS & set(bare) else None

    def _type(self, name: str) -> Condition:
        a, s = self.atom, self.snapshot
        if a.tail is not None or a.sign is not None or a.value is not None:
            raise UsageError(f"a condition with a type ({name:.80}) has a head only")
        class_id, head = s.resolve_class(name), self._term(a.head)
        text = f"{self._said(a.head, head)} is a {s.class_labels[class_id]}"
        return self._made(text, head=head, allowed=s.members(*s.classes_below(class_id)))

    def _value(self, name: str) -> Condition:
        a, s = self.atom, self.snapshot
        if a.sign is None or a.value is None or a.tail is not None:
            raise UsageError(
                f"a condition with a property ({name:.80}) has a head, a sign and a value"
            )
        try:
            prop = s.resolve_property(name)
        except UnknownProperty:
            self._refuse_relation(name)
            raise
        head = self._term(a.head)
        text = f"{self._said(a.head, head)} {s.property_labels[prop]} {a.sign} {a.value}"
        return self._made(text, head=head, allowed=having(s, prop, a.sign, a.value))

    def _differs(self) -> Condition:
        a = self.atom
        if a.sign != "!=" or a.tail is None or a.value is not None or a.negated:
            raise UsageError("a condition without relation, type and property says head != tail")
        head, tail = self._term(a.head), self._term(a.tail)
        if head is None or tail is None:
            raise UsageError("? is anything, so nothing can be unlike it; name both sides of !=")
        return self._made(
            f"{self._said(a.head, head)} != {self._said(a.tail, tail)}", head=head, tail=tail
        )

    def _made(self, text: str, **parts: object) -> Condition:
        a = self.atom
        how = "not " if a.negated else "likely " if a.likely else ""
        return Condition(how + text, negated=a.negated, likely=a.likely, **parts)  # type: ignore[arg-type]

    def _term(self, name: str) -> Term:
        if name == ANYTHING:
            return None
        return name if is_variable(name) else self.snapshot.resolve_entity(name)

    def _said(self, name: str, term: Term) -> str:
        return self.snapshot.entity_labels[term] if isinstance(term, int) else name

    def _refuse_property(self, name: str) -> None:
        """Say so where something was meant as a relation that has values."""
        try:
            label = self.snapshot.property_labels[self.snapshot.resolve_property(name)]
        except NotFound:
            return
        raise UsageError(
            f"{label} has values and links no entities; compare it with one: ?x {label} > 10, or "
            f'?x {label} = "..."'
        )

    def _refuse_relation(self, name: str) -> None:
        """Say so where something was meant as a property that links entities."""
        try:
            label = self.snapshot.relation_labels[self.snapshot.resolve_relation(name)]
        except NotFound:
            return
        raise UsageError(f"{label} links entities and has no values; write ?x <{label}> ?y")
