"""Ids become labels here, and nowhere else.

Knows the string tables of a snapshot; knows no ranking and no model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from sightline.graph.mining.rules import Rules, confidence, interval
from sightline.graph.paths.find import Path as FoundPath
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.snapshot.statement import Origin
from sightline.graph.vocabulary import readable_name
from sightline.insights.records import (
    ClassCount,
    DegreeCount,
    Direction,
    EntityRef,
    LoadRef,
    Merge,
    Path,
    Qualifier,
    Ref,
    Rule,
    Status,
    Step,
)

if TYPE_CHECKING:
    from sightline.graph.arrays import Ids
    from sightline.graph.snapshot.sections.qualifiers import Qualifier as Said
    from sightline.graph.snapshot.statement import Statement

#: Records of entities and relations that are kept: an answer names most of its own many times.
CACHED = 8192
#: Stands among the ids of a snapshot for an entity that it does not hold.
NOBODY = -1
_NEW = EntityRef("_:new", "_:new", "the new entity", ())


class Names:
    """Turns ids of one snapshot into records."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        #: The entity with its label and the labels of its types.
        self.entity: Callable[[int], EntityRef] = lru_cache(CACHED)(self._entity)
        #: The relation of a directed relation, whichever way it is read.
        self.relation: Callable[[int], Ref] = lru_cache(CACHED)(self._relation)
        #: An edge of a path, walked by a directed relation.
        self.step: Callable[[int, int], Step] = lru_cache(CACHED)(self._step)
        #: A mined rule: ``(X, lives in, Y) ← (X, works at, A), (A, located in, Y)``.
        self.rule: Callable[[int], Rule] = lru_cache(CACHED)(self._rule)
        #: A directed relation as it is walked: ``—capital→`` or ``←capital—``.
        self.arrow: Callable[[int], str] = lru_cache(CACHED)(self._arrow)
        #: The relations of a path: ``—official language→ · ←official language—``.
        self.metapath: Callable[[tuple[int, ...]], str] = lru_cache(CACHED)(self._metapath)

    def _entity(self, entity: int) -> EntityRef:
        if entity == NOBODY:
            return _NEW
        s = self.snapshot
        iri = s.entity_iris[entity]
        types = tuple(s.class_labels.take(s.types_of(entity)))
        return EntityRef(s.curie(iri), iri, s.entity_labels[entity], types)

    def _relation(self, rel: int) -> Ref:
        s = self.snapshot
        relation = rel % s.num_relations
        iri = s.relation_iris[relation]
        return Ref(s.curie(iri), iri, s.relation_labels[relation])

    def direction(self, rel: int) -> Direction:
        """``in`` for a directed relation that is read from tail to head."""
        return "out" if rel < self.snapshot.num_relations else "in"

    def type(self, class_id: int) -> Ref:
        """A class."""
        s = self.snapshot
        iri = s.class_iris[class_id]
        return Ref(s.curie(iri), iri, s.class_labels[class_id])

    def degrees(self, rels: Ids, counts: npt.NDArray[np.integer]) -> tuple[DegreeCount, ...]:
        """How many under each of some directed relations."""
        return tuple(
            DegreeCount(self.relation(int(rel)), self.direction(int(rel)), int(count))
            for rel, count in zip(rels, counts)
        )

    def loads(self) -> tuple[LoadRef, ...]:
        """The loads that the snapshot was compiled from."""
        return tuple(LoadRef(load["id"], load["source"]) for load in self.snapshot.loads)

    def class_counts(self) -> tuple[ClassCount, ...]:
        """Entities per type, most first, those without one last; of several types: in each."""
        s = self.snapshot
        counts = np.bincount(s.type_class, minlength=len(s.class_iris))
        order = np.argsort(-counts, kind="stable")
        found = [ClassCount(self.type(int(c)), int(counts[c])) for c in order if counts[c]]
        bare = int((np.diff(s.type_indptr) == 0).sum())
        return (*found, *([ClassCount(None, bare)] if bare else []))

    def status(self, edge: int | None) -> Status:
        """Whether a fact is stated or inferred by its edge, or predicted where it has none."""
        if edge is None:
            return "predicted"
        return "inferred" if self.snapshot.edge_inferred[edge] else "stated"

    def origins(self, edge: int) -> tuple[Origin, ...]:
        """Where an edge comes from, then where its fact is stated the other way round."""
        return tuple(o for e in self._statings(edge) for o in self.snapshot.origins(e))

    def qualifiers(self, edge: int) -> tuple[Qualifier, ...]:
        """What the statements of an edge say about themselves, in the order of ``origins``."""
        if not self.snapshot.qualified:
            return ()
        return tuple(
            self._qualifier(said)
            for e in self._statings(edge)
            for said in self.snapshot.qualifiers(e)
        )

    def _qualifier(self, said: Said) -> Qualifier:
        key = self.property(said.property)
        value = self.snapshot.curie(str(said.value)) if said.datatype is None else said.value
        return Qualifier(key.id, key.label, value, said.datatype, said.language, said.origin)

    def _statings(self, edge: int) -> list[int]:
        """An edge, and those that state its fact the other way round."""
        s = self.snapshot
        others = [twin for twin in s.twins(edge) if twin != edge and not s.edge_inferred[twin]]
        return [edge, *others]

    def merged_from(self, entity: int, most: int | None = None) -> tuple[Merge, ...]:
        """The names that an entity had beside its own, the least certain first, or ``most`` of
        them."""
        s = self.snapshot
        return tuple(
            Merge(
                id=s.curie(one.iri),
                iri=one.iri,
                same_as=s.curie(one.same),
                probability=one.probability,
                method=one.method,
                reasons=one.reasons,
                origin=one.origin,
            )
            for one in s.merges_into(entity, most)
        )

    def because(self, edges: Iterable[int]) -> dict[int, str]:
        """Why inferred edges hold; stated ones are left out.

        The text reads ``inferred (prp-symp) from: borders —type→ SymmetricProperty; Peru —borders→
        Chile``, with the rule's name in the OWL 2 RL profile.
        """
        inferred = [edge for edge in edges if self.snapshot.edge_inferred[edge]]
        if not inferred:
            return {}
        # Reads Parquet, so only what needs it pays for loading polars.
        from sightline.graph.reasoning.reason import explain_edges

        return {
            edge: f"inferred ({why.rule}) from: " + "; ".join(map(self.said, why.premises))
            for edge, why in explain_edges(self.snapshot, inferred).items()
        }

    def said(self, statement: Statement) -> str:
        """A statement by labels: ``Peru —borders→ Chile``."""
        target = f'"{statement.object}"' if statement.datatype else self._label(statement.object)
        return f"{self._label(statement.subject)} —{self._label(statement.predicate)}→ {target}"

    def _label(self, iri: str) -> str:
        s = self.snapshot
        for iris, labels in (
            (s.entity_iris, s.entity_labels),
            (s.relation_iris, s.relation_labels),
            (s.class_iris, s.class_labels),
            (s.property_iris, s.property_labels),
        ):
            found = iris.find(iri)
            if found is not None:
                return labels[found]
        return readable_name(iri)

    def property(self, property_id: int) -> Ref:
        """A property that holds literals."""
        s = self.snapshot
        iri = s.property_iris[property_id]
        return Ref(s.curie(iri), iri, s.property_labels[property_id])

    def path(self, path: FoundPath) -> Path:
        """A path as text and as steps, each with the origins of its edge.

        The text reads ``Portugal —official language→ Portuguese ←official language— Timor-Leste``.
        """
        steps = tuple(map(self.step, path.edges, path.rels))
        text = self.entity(path.entities[0]).label
        for rel, step in zip(path.rels, steps):
            text += f" {self.arrow(rel)} {step.target.label}"
        return Path(text, steps, path.score, self.metapath(path.rels), len(steps))

    def _rule(self, rule: int) -> Rule:
        from sightline.graph.mining.reasons import coverage

        rules = self.snapshot.rules
        assert rules is not None
        support, pairs = rules.support[rule : rule + 1], rules.pairs[rule : rule + 1]
        low, high = interval(support, pairs)
        return Rule(
            text=self._said_as_rule(rules, rule),
            confidence=float(confidence(support, pairs)[0]),
            low=float(low[0]),
            high=float(high[0]),
            support=int(support[0]),
            pairs=int(pairs[0]),
            head_coverage=coverage(self.snapshot, rule),
            sampled=float(np.round(rules.share[rule], 6)),
        )

    def _said_as_rule(self, rules: Rules, rule: int) -> str:
        body = [rel for rel in rules.body[rule].tolist() if rel >= 0]
        end = int(rules.head_end[rule])
        target = "Y" if end < 0 else self._named(end)
        last = "Y" if end < 0 else self._named(int(rules.body_end[rule]))
        between = ["X", *"AB"[: len(body) - 1], last]
        said = [self._atom(rel, *ends) for rel, *ends in zip(body, between, between[1:])]
        return f"{self._atom(int(rules.head[rule]), 'X', target)} ← {', '.join(said)}"

    def _named(self, entity: int) -> str:
        return "A" if entity < 0 else self.entity(entity).label

    def _atom(self, rel: int, source: str, target: str) -> str:
        one, other = (source, target) if self.direction(rel) == "out" else (target, source)
        return f"({one}, {self.relation(rel).label}, {other})"

    def _step(self, edge: int, rel: int) -> Step:
        s = self.snapshot
        ends = self.entity(s.head.data[edge]), self.entity(s.tail.data[edge])
        forward = self.direction(rel) == "out"
        source, target = ends if forward else ends[::-1]
        said = self.origins(edge), self.qualifiers(edge)
        return Step(source, self.relation(rel), forward, target, *said)

    def _metapath(self, rels: tuple[int, ...]) -> str:
        """The relations of a path: ``—official language→ · ←official language—``.

        A relation and its inverse are one, and so are both directions of a symmetric one.
        """
        return " · ".join(map(self.arrow, self.snapshot.one_rel[list(rels)].tolist()))

    def _arrow(self, rel: int) -> str:
        label = self.relation(rel).label
        return f"—{label}→" if self.direction(rel) == "out" else f"←{label}—"
