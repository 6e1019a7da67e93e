"""Categories and predicates of Biolink, and what in a graph they name.

A graph that was loaded from KGX has them as they are. In another, a type or relation of the same
name is what a question may mean by one; an answer then says it as it was asked. What has no such
name is a ``biolink:NamedThing`` or ``biolink:related_to``, the roots of Biolink: no name is made
up. Biolink's own hierarchy is known to no graph, so a category stands for itself alone.
"""

from __future__ import annotations

import re

from sightline.graph.snapshot.kept import once_each
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.search import normalise

ANYTHING, RELATED = "biolink:NamedThing", "biolink:related_to"
_STARTS = ("biolink:", "https://w3id.org/biolink/vocab/")
_CATEGORY, _PREDICATE = re.compile(r"[A-Z][a-zA-Z_]*"), re.compile(r"[a-z][a-z_]*")


#: Ids by name.
Names = dict[str, list[int]]


def local(name: str) -> str | None:
    """What Biolink calls something, by its CURIE or IRI; None where it is not Biolink's."""
    return next((name[len(start) :] for start in _STARTS if name.startswith(start)), None)


class Biolink:
    """The types and relations of one graph, by the names that Biolink has for them."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def classes(self, category: str) -> list[int]:
        """The classes that a category names; empty where there is none."""
        return _named(category, _names(self.snapshot)[0])

    def relations(self, predicate: str) -> list[int]:
        """The relations that a predicate names; empty where there is none."""
        return _named(predicate, _names(self.snapshot)[1])

    def category(self, class_id: int) -> str | None:
        """What Biolink calls a class, if it is one of its own."""
        return _own(self.snapshot.class_iris[class_id], _CATEGORY)

    def predicate(self, relation: int) -> str | None:
        """What Biolink calls a relation, if it is one of its own."""
        return _own(self.snapshot.relation_iris[relation], _PREDICATE)


@once_each
def _names(s: Snapshot) -> tuple[Names, Names]:
    """The classes and the relations of a snapshot by name."""
    return (
        _by_name(list(s.class_iris), list(s.class_labels)),
        _by_name(list(s.relation_iris), list(s.relation_labels)),
    )


def _own(iri: str, form: re.Pattern[str]) -> str | None:
    name = local(iri)
    return f"biolink:{name}" if name and form.fullmatch(name) else None


def _words(name: str) -> str:
    """A name in words: those of ``SmallMolecule`` and ``small_molecule`` are small molecule."""
    return normalise(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " "))


def _by_name(iris: list[str], labels: list[str]) -> Names:
    """Ids by IRI of Biolink, and by label in words."""
    found: Names = {}
    for i, (iri, label) in enumerate(zip(iris, labels)):
        name = local(iri)
        found.setdefault(f"biolink:{name}" if name else _words(label), []).append(i)
    return found


def _named(name: str, known: Names) -> list[int]:
    called = local(name)
    exact = known.get(f"biolink:{called}", []) if called else []
    return exact or known.get(_words(called if called is not None else name), [])
