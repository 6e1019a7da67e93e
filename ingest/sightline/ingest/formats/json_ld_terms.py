"""Which keys of a JSON-LD document its contexts give a meaning: the parser passes over the others.

Knows how contexts add up; leaves what a key means to the parser.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sightline.graph.record.loads import Note
from sightline.ingest.batch import few_of

#: Keys that are named in the note; of more, only how many they are.
MOST_NAMED = 10
#: The keyword whose value is data in JSON, whatever its keys.
JSON = "@json"


@dataclass(frozen=True, slots=True)
class Terms:
    """What an active context says of keys.

    Attributes:
        defined: term to definition.
        every: any word has a meaning, as under ``@vocab``.
    """

    defined: Mapping[str, Any] = field(default_factory=dict)
    every: bool = False

    def within(self, context: Any) -> Terms:
        """These terms and those of a context: one, several in turn, or null, which forgets all."""
        if isinstance(context, list):
            terms = self
            for one in context:
                terms = terms.within(one)
            return terms
        if not isinstance(context, dict):
            return Terms()
        own = {key: value for key, value in context.items() if not key.startswith("@")}
        every = context.get("@vocab", self.every)
        return Terms({**self.defined, **own}, every is not None and every is not False)

    def keyword(self, key: str) -> str:
        """The keyword that a key is or stands for; empty for none."""
        said = self.defined.get(key)
        iri = said.get("@id") if isinstance(said, dict) else said
        found = iri if isinstance(iri, str) else key
        return found if found.startswith("@") else ""

    def mean(self, key: str) -> bool:
        """Whether a key that is no keyword means something."""
        if key in self.defined:
            said = self.defined[key]
            return said is not None and not (isinstance(said, dict) and said.get("@id", "") is None)
        return self.every or (":" in key and not key.startswith("_:"))

    def of(self, key: str) -> dict[str, Any]:
        """What is said of the values of a key."""
        said = self.defined.get(key)
        return said if isinstance(said, dict) else {}


def without_meaning(document: Any) -> list[Note]:
    """What is left out of a document, in a warning; none where every key has a meaning."""
    found: Counter[str] = Counter()
    _look(document, Terms(), found)
    if not found:
        return []
    named = few_of((f"{key[:40]} ({count:,})" for key, count in found.most_common()), MOST_NAMED)
    values = "1 value" if found.total() == 1 else f"{found.total():,} values"
    text = (
        f"left out: {values} under keys to which no context gives a meaning: "
        f"{named}; define them in @context, or set @vocab"
    )
    return [Note(text, warning=True)]


def _look(value: Any, terms: Terms, found: Counter[str]) -> None:
    """Count the keys of a value and of what is in it that mean nothing."""
    if isinstance(value, list):
        for one in value:
            _look(one, terms, found)
        return
    if not isinstance(value, dict):
        return
    if "@context" in value:
        terms = terms.within(value["@context"])
    terms = _of_types(value, terms)
    for key, inner in value.items():
        if word := terms.keyword(key):
            if word in ("@graph", "@included", "@reverse", "@nest", "@set", "@list"):
                _look(inner, terms, found)
        elif not terms.mean(key):
            found[key] += 1
        elif (said := terms.of(key)).get("@type") != JSON:
            scoped = terms.within(said["@context"]) if "@context" in said else terms
            _look(_held(inner, said.get("@container")), scoped, found)


def _of_types(value: Mapping[str, Any], terms: Terms) -> Terms:
    """The terms for an object and what is in it, to which its types may add some: the parser lets
    them hold within, as JSON-LD 1.1 does only on demand."""
    for key, names in value.items():
        if terms.keyword(key) == "@type":
            for name in sorted(_texts(names)):
                if "@context" in terms.of(name):
                    terms = terms.within(terms.of(name)["@context"])
    return terms


def _texts(value: Any) -> Sequence[str]:
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, str)]


def _held(value: Any, container: Any) -> Any:
    """The values in a map whose keys are languages, ids, types or the like."""
    kinds = set(_texts(container)) & {"@language", "@index", "@id", "@type", "@graph"}
    maps = kinds - {"@graph"}
    return list(value.values()) if maps and isinstance(value, dict) else value
