"""Answers a query of TRAPI from the graph and the model, as a message of TRAPI.

Knows how nodes, edges and paths of the question become questions that this graph answers; how what
is found is said is known beside it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sightline.api.trapi.biolink import ANYTHING, RELATED
from sightline.api.trapi.message import TRAPI, Message
from sightline.api.trapi.question import QEdge, QNode, QPath, TrapiQuery
from sightline.graph.errors import UsageError
from sightline.graph.snapshot.errors import UnknownEntity
from sightline.insights.ask import Sightline
from sightline.insights.kind import MAX_K
from sightline.insights.kinds import paths, predictions
from sightline.insights.records import Path

if TYPE_CHECKING:
    from sightline.graph.arrays import Flags

#: Steps of a path.
HOPS = 3
_RESTRICTED = "the query graph has"


def respond(sight: Sightline, asked: TrapiQuery) -> dict[str, Any]:
    """The response to a query: its message, and in ``logs`` what was left out.

    Raises:
        UsageError: the query graph cannot be answered as it stands.
        SightlineError: as the kinds of answer ``paths`` and ``predict`` do.
    """
    return _Answering(sight, asked).response()


@dataclass(slots=True)
class _Answering:
    """One query on its way to the response."""

    sight: Sightline
    asked: TrapiQuery
    start: float = field(default_factory=time.perf_counter)
    out: Message = field(init=False)

    def __post_init__(self) -> None:
        self.out = Message(self.sight)

    def response(self) -> dict[str, Any]:
        graph = self.asked.message.query_graph
        if bool(graph.edges) == bool(graph.paths):
            raise UsageError(
                f"{_RESTRICTED} {'both' if graph.edges else 'neither'} edges and paths; give one"
            )
        between: list[tuple[str, QEdge | QPath]] = [*graph.edges.items(), *graph.paths.items()]
        for key, one in between:
            for end in (one.subject, one.object):
                if end not in graph.nodes:
                    raise UsageError(
                        f"{key:.80} names node {end!r:.80}, which is not among: "
                        + ", ".join(graph.nodes)[:200]
                    )
            if one.subject == one.object:
                raise UsageError(
                    f"{key:.80} leads from node {one.subject:.80} to itself; name two nodes"
                )
        if graph.paths:
            results = self._paths(*next(iter(graph.paths.items())))
        elif any(edge.knowledge_type == "inferred" for edge in graph.edges.values()):
            results = self._predicted()
        else:
            results = self._lookup()
        return {
            "message": {
                "query_graph": self.asked.message.query_graph.model_dump(exclude_unset=True),
                "knowledge_graph": {"nodes": self.out.nodes, "edges": self.out.edges},
                "results": results,
                "auxiliary_graphs": self.out.aux,
            },
            "logs": self.out.logs,
            "status": "Success",
            "description": f"{len(results)} results",
            "schema_version": TRAPI,
        }

    # What the graph states.

    def _lookup(self) -> list[dict[str, Any]]:
        from sightline.api.trapi.lookup import Link, by_way, match
        from sightline.insights.ranking import Candidate, told

        graph, s = self.asked.message.query_graph, self.sight.snapshot
        pinned = {key: self._ids(key, node) for key, node in graph.nodes.items() if node.ids}
        if not pinned:
            raise UsageError(f"{_RESTRICTED} no node with ids; name one entity at least")
        masks = {key: self._mask(node, pinned.get(key)) for key, node in graph.nodes.items()}
        links = {
            key: Link(edge.subject, edge.object, self._relations(edge.predicates))
            for key, edge in graph.edges.items()
        }
        start = min(pinned, key=lambda key: len(pinned[key]))
        loose = set(graph.nodes) - {
            end for link in links.values() for end in (link.subject, link.object)
        }
        if loose:
            raise UsageError(f"node {min(loose):.80} is on no edge; leave it out or connect it")
        found = match(
            self.sight.facts, masks, links, start, self.start + self.asked.parameters.timeout
        )
        if found.cut:
            self.out.log(
                "PartialResults",
                "more ways meet the query graph than there was room or time for; ask more narrowly",
            )
        found, way = by_way(found)
        rows = int(way.searchsorted(len(self._cut(range(way.max(initial=-1) + 1)))))
        best: dict[tuple[int, ...], list[set[int]]] = {}
        for entities, edges in zip(found.nodes[:rows].tolist(), found.edges[:rows].tolist()):
            sets = best.setdefault(tuple(entities), [set() for _ in links])
            for bound, edge in zip(sets, edges):
                bound.add(edge)
        shown = sorted({edge for sets in best.values() for bound in sets for edge in bound})
        ends = [(int(s.head[e]), int(s.relation[e]), int(s.tail[e]), e) for e in shown]
        facts = told(
            self.sight, [Candidate(h, r, t, None, edge=e) for h, r, t, e in ends], ranked=False
        )
        by_edge = {
            e: self.out.edge(fact.head, fact.relation, fact.tail, fact)
            for e, fact in zip(shown, facts)
        }
        return [
            self.out.result(
                dict(zip(masks, entities)),
                {
                    "edge_bindings": {
                        key: [by_edge[e] for e in sorted(bound)] for key, bound in zip(links, sets)
                    }
                },
            )
            for entities, sets in best.items()
        ]

    def _ids(self, key: str, node: QNode) -> list[int]:
        """The entities that a node names; those that the graph does not hold are said."""
        found = []
        for name in node.ids or ():
            try:
                entity = self.sight.entity(name)
            except UnknownEntity:
                self.out.log("UnknownId", f"node {key}: the graph does not hold {name}")
                continue
            self.out.named[entity] = name
            found.append(entity)
        return found

    def _mask(self, node: QNode, among: Sequence[int] | None = None) -> Flags:
        """The entities that a node may be."""
        import numpy as np

        s = self.sight.snapshot
        allowed = np.ones(s.num_entities, np.bool_)
        if among is not None:
            allowed[:] = False
            allowed[list(among)] = True
        wanted = self._classes(node.categories)
        if wanted is not None:
            members = np.zeros(s.num_entities, np.bool_)
            for class_id in wanted:
                members |= s.members(class_id)
            allowed &= members
        return allowed

    def _classes(self, categories: Iterable[str] | None) -> list[int] | None:
        """The classes of some categories; None where anything will do."""
        names = list(categories or ())
        if not names or ANYTHING in names:
            return None
        found = []
        for name in names:
            classes = self.out.biolink.classes(name)
            if not classes:
                self.out.log("UnknownCategory", f"the graph has no type {name}")
            self.out.categories |= dict.fromkeys(classes, name)
            found += classes
        return found

    def _relations(self, predicates: Iterable[str] | None) -> Flags:
        """The directed relations of some predicates, with their inverses read backward."""
        import numpy as np

        s = self.sight.snapshot
        wanted = self._named_relations(predicates)
        if wanted is None:
            return np.ones(2 * s.num_relations, np.bool_)
        return np.isin(s.one_rel, s.one_rel[wanted])

    def _named_relations(self, predicates: Iterable[str] | None) -> list[int] | None:
        names = list(predicates or ())
        if not names or RELATED in names:
            return None
        found = []
        for name in names:
            relations = self.out.biolink.relations(name)
            if not relations:
                self.out.log("UnknownPredicate", f"the graph has no relation {name}")
            self.out.predicates |= {self.sight.snapshot.relation_iris[r]: name for r in relations}
            found += relations
        return found

    # What the model predicts.

    def _predicted(self) -> list[dict[str, Any]]:
        graph = self.asked.message.query_graph
        one = "knowledge_type inferred is answered for one edge of one predicate and one id"
        if len(graph.edges) > 1 or len(graph.nodes) != 2:
            raise UsageError(
                f"{one}; {_RESTRICTED} {len(graph.edges)} edges and {len(graph.nodes)} nodes"
            )
        ((key, edge),) = graph.edges.items()
        ends = {"head": edge.subject, "tail": edge.object}
        pinned = [side for side, end in ends.items() if graph.nodes[end].ids]
        relations = self._named_relations(edge.predicates)
        if len(pinned) != 1 or relations is None or len(edge.predicates or ()) != 1:
            raise UsageError(
                f"{one}; edge {key:.80} has {len(edge.predicates or ())} predicates and "
                f"{len(pinned)} ends with ids"
            )
        known = self._ids(ends[pinned[0]], graph.nodes[ends[pinned[0]]])
        if len(graph.nodes[ends[pinned[0]]].ids or ()) != 1 or len(relations) > 1:
            raise UsageError(f"{one}; give one id, and a predicate that names one relation")
        if not known or not relations:
            return []
        s = self.sight.snapshot
        (free,) = set(ends) - set(pinned)
        fitting = self._mask(graph.nodes[ends[free]])
        question = predictions.PredictionQuestion(
            head=s.entity_iris[known[0]] if free == "tail" else None,
            tail=s.entity_iris[known[0]] if free == "head" else None,
            relation=s.relation_iris[relations[0]],
            k=MAX_K,
            deadline_ms=self._deadline,
        )
        said = predictions.KIND.answer(self.sight, question)
        kept = [
            fact
            for fact in said.predictions
            if not fact.abstain and fitting[self.out.number(getattr(fact, free))]
        ]
        guesses = len(said.predictions) - len(kept)
        if guesses:
            self.out.log(
                "Guesses",
                f"{guesses} answers are left out: of other categories, or guesses of the model",
            )
        results = []
        for fact in self._cut(kept):
            bound = {
                edge.subject: self.out.number(fact.head),
                edge.object: self.out.number(fact.tail),
            }
            binding = self.out.edge(fact.head, fact.relation, fact.tail, fact)
            score = {} if fact.probability is None else {"score": fact.probability}
            results.append(self.out.result(bound, {"edge_bindings": {key: [binding]}, **score}))
        return results

    # Paths.

    def _paths(self, key: str, asked: QPath) -> list[dict[str, Any]]:
        graph, s = self.asked.message.query_graph, self.sight.snapshot
        sides = []
        for end in (asked.subject, asked.object):
            if not graph.nodes[end].ids:
                raise UsageError(
                    f"node {end:.80} is the end of a path and has no ids; name one entity at least"
                )
            fitting = self._mask(graph.nodes[end])
            sides.append([s.entity_iris[e] for e in self._ids(end, graph.nodes[end]) if fitting[e]])
        relations = self._named_relations(asked.predicates)
        between = [c for one in asked.constraints or () for c in one.intermediate_categories or ()]
        kinds = self._classes(between)
        if not all(sides) or relations == [] or kinds == []:
            return []
        question = paths.PathsQuestion(
            tuple(sides[0]),
            tuple(sides[1]),
            max_hops=HOPS,
            k=MAX_K if kinds else self.asked.parameters.limit,
            include=tuple(s.relation_iris[r] for r in relations or ()),
            deadline_ms=self._deadline,
        )
        found = paths.KIND.answer(self.sight, question)
        if found.reason:
            self.out.log("PartialResults" if found.truncated else "NoResults", found.reason)
        kept = [path for path in found.paths if not kinds or self._passes(path, kinds)]
        by_ends: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
        for path in self._cut(kept):
            ends = self.out.number(path.steps[0].source), self.out.number(path.steps[-1].target)
            analysis = {"path_bindings": {key: [{"id": self.out.along(path)}]}, "score": path.score}
            by_ends[ends].append(analysis)
        return [
            self.out.result(dict(zip((asked.subject, asked.object), ends)), *analyses)
            for ends, analyses in by_ends.items()
        ]

    def _passes(self, path: Path, kinds: Sequence[int]) -> bool:
        """Whether something between the ends is of one of some classes."""
        s = self.sight.snapshot
        between = (self.out.number(step.target) for step in path.steps[:-1])
        return any(set(kinds) & set(s.types_of(entity).tolist()) for entity in between)

    @property
    def _deadline(self) -> int:
        return int(self.asked.parameters.timeout * 1000)

    def _cut(self, found: Sequence[Any]) -> Sequence[Any]:
        limit = self.asked.parameters.limit
        if len(found) > limit:
            self.out.log(
                "PartialResults",
                f"{len(found)} were found, and {limit} are given, as parameters.limit says",
            )
        return found[:limit]
