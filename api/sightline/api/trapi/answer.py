"""Answers a query of TRAPI from the graph and the model, as a message of TRAPI.

Knows how nodes, edges and paths of the question become questions that this graph answers, and how
what is found is said in TRAPI.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sightline.api.trapi.biolink import ANYTHING, RELATED, Biolink
from sightline.api.trapi.question import QEdge, QNode, QPath, TrapiQuery
from sightline.graph.errors import UsageError
from sightline.graph.snapshot.errors import UnknownEntity
from sightline.graph.snapshot.statement import Origin
from sightline.insights.ask import Sightline
from sightline.insights.kind import MAX_K
from sightline.insights.kinds import paths, predictions
from sightline.insights.records import EntityRef, Fact, Path, Qualifier, Ref, Status, Step

if TYPE_CHECKING:
    from sightline.graph.arrays import Flags

#: The version of TRAPI, and what this service is called there.
TRAPI, RESOURCE = "1.6.0", "infores:sightline"
#: Steps of a path.
HOPS = 3
#: How a fact is known, and by whom, if it does not say so itself.
_LEVELS: Mapping[Status, tuple[str, str]] = {
    "stated": ("knowledge_assertion", "not_provided"),
    "inferred": ("logical_entailment", "automated_agent"),
    "extracted": ("knowledge_assertion", "text_mining_agent"),
    "predicted": ("prediction", "computational_model"),
}
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
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: dict[str, dict[str, Any]] = field(default_factory=dict)
    aux: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: list[dict[str, Any]] = field(default_factory=list)
    #: By which name the question has an entity, a relation by IRI, and a class by id.
    named: dict[int, str] = field(default_factory=dict)
    predicates: dict[str, str] = field(default_factory=dict)
    categories: dict[int, str] = field(default_factory=dict)
    biolink: Biolink = field(init=False)
    start: float = field(default_factory=time.perf_counter)
    keys: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.biolink = Biolink(self.sight.snapshot)

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
                "knowledge_graph": {"nodes": self.nodes, "edges": self.edges},
                "results": results,
                "auxiliary_graphs": self.aux,
            },
            "logs": self.logs,
            "status": "Success",
            "description": f"{len(results)} results",
            "schema_version": TRAPI,
        }

    # What the graph states.

    def _lookup(self) -> list[dict[str, Any]]:
        from sightline.api.trapi.lookup import Link, match
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
            self._log(
                "PartialResults",
                "more ways meet the query graph than there was room or time for; ask more narrowly",
            )
        ways: dict[tuple[int, ...], list[set[int]]] = {}
        for entities, edges in zip(found.nodes.tolist(), found.edges.tolist()):
            sets = ways.setdefault(tuple(entities), [set() for _ in links])
            for bound, edge in zip(sets, edges):
                bound.add(edge)
        best = sorted(ways.items(), key=lambda way: (-sum(map(len, way[1])), way[0]))
        best = self._cut(best)
        shown = sorted({edge for _, sets in best for bound in sets for edge in bound})
        rows = [(int(s.head[e]), int(s.relation[e]), int(s.tail[e]), e) for e in shown]
        facts = told(
            self.sight, [Candidate(h, r, t, None, edge=e) for h, r, t, e in rows], ranked=False
        )
        by_edge = {
            e: self._edge(fact.head, fact.relation, fact.tail, fact)
            for e, fact in zip(shown, facts)
        }
        return [
            self._result(
                dict(zip(masks, entities)),
                {
                    "edge_bindings": {
                        key: [by_edge[e] for e in sorted(bound)] for key, bound in zip(links, sets)
                    }
                },
            )
            for entities, sets in best
        ]

    def _ids(self, key: str, node: QNode) -> list[int]:
        """The entities that a node names; those that the graph does not hold are said."""
        found = []
        for name in node.ids or ():
            try:
                entity = self.sight.entity(name)
            except UnknownEntity:
                self._log("UnknownId", f"node {key}: the graph does not hold {name}")
                continue
            self.named[entity] = name
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
            classes = self.biolink.classes(name)
            if not classes:
                self._log("UnknownCategory", f"the graph has no type {name}")
            self.categories |= dict.fromkeys(classes, name)
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
            relations = self.biolink.relations(name)
            if not relations:
                self._log("UnknownPredicate", f"the graph has no relation {name}")
            self.predicates |= {self.sight.snapshot.relation_iris[r]: name for r in relations}
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
            if not fact.abstain and fitting[self._id(getattr(fact, free))]
        ]
        guesses = len(said.predictions) - len(kept)
        if guesses:
            self._log(
                "Guesses",
                f"{guesses} answers are left out: of other categories, or guesses of the model",
            )
        results = []
        for fact in self._cut(kept):
            bound = {edge.subject: self._id(fact.head), edge.object: self._id(fact.tail)}
            binding = self._edge(fact.head, fact.relation, fact.tail, fact)
            score = {} if fact.probability is None else {"score": fact.probability}
            results.append(self._result(bound, {"edge_bindings": {key: [binding]}, **score}))
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
            self._log("PartialResults" if found.truncated else "NoResults", found.reason)
        kept = [path for path in found.paths if not kinds or self._passes(path, kinds)]
        by_ends: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
        for path in self._cut(kept):
            ends = self._id(path.steps[0].source), self._id(path.steps[-1].target)
            analysis = {"path_bindings": {key: [{"id": self._along(path)}]}, "score": path.score}
            by_ends[ends].append(analysis)
        return [
            self._result(dict(zip((asked.subject, asked.object), ends)), *analyses)
            for ends, analyses in by_ends.items()
        ]

    def _passes(self, path: Path, kinds: Sequence[int]) -> bool:
        """Whether something between the ends is of one of some classes."""
        s = self.sight.snapshot
        between = (self._id(step.target) for step in path.steps[:-1])
        return any(set(kinds) & set(s.types_of(entity).tolist()) for entity in between)

    def _along(self, path: Path) -> str:
        """A path as an auxiliary graph, once."""
        edges = []
        for step in path.steps:
            head, tail = (step.source, step.target) if step.forward else (step.target, step.source)
            edges.append(self._edge(head, step.relation, tail, step))
        key = "path-" + "-".join(edges)
        self.aux.setdefault(key, {"edges": edges, "attributes": []})
        return key

    # What is found, in TRAPI.

    @property
    def _deadline(self) -> int:
        return int(self.asked.parameters.timeout * 1000)

    def _id(self, entity: EntityRef) -> int:
        found = self.sight.snapshot.entity_iris.find(entity.iri)
        assert found is not None
        return found

    def _cut(self, found: list[Any]) -> list[Any]:
        limit = self.asked.parameters.limit
        if len(found) > limit:
            self._log(
                "PartialResults",
                f"{len(found)} were found, and {limit} are given, as parameters.limit says",
            )
        return found[:limit]

    def _result(self, bound: Mapping[str, int], *analyses: dict[str, Any]) -> dict[str, Any]:
        nodes = {}
        for key, entity in bound.items():
            ref = self.sight.names.entity(entity)
            self._node(ref)
            binding: dict[str, Any] = {"id": ref.id, "attributes": []}
            name = self.named.get(entity)
            if name not in (None, ref.id):
                binding["query_id"] = name
            nodes[key] = [binding]
        for analysis in analyses:
            analysis["resource_id"] = RESOURCE
            for key, edges in analysis.get("edge_bindings", {}).items():
                analysis["edge_bindings"][key] = [{"id": edge, "attributes": []} for edge in edges]
        return {"node_bindings": nodes, "analyses": list(analyses)}

    def _node(self, ref: EntityRef) -> None:
        if ref.id in self.nodes:
            return
        s = self.sight.snapshot
        classes = s.types_of(self._id(ref)).tolist()
        said = [self.biolink.category(c) or self.categories.get(c) for c in classes]
        attributes = []
        if classes:
            types = [self.sight.names.type(c).id for c in classes]
            attributes.append(_attribute("rdf:type", types, "types of the graph"))
        categories = list(dict.fromkeys(filter(None, said))) or [ANYTHING]
        self.nodes[ref.id] = {"name": ref.label, "categories": categories, "attributes": attributes}

    def _edge(self, head: EntityRef, relation: Ref, tail: EntityRef, fact: Fact | Step) -> str:
        """The key of an edge, which is made and its ends with it if it is new."""
        known = self.keys.get((head.iri, relation.iri, tail.iri))
        if known is not None:
            return known
        key = self.keys[head.iri, relation.iri, tail.iri] = f"e{len(self.edges)}"
        for end in (head, tail):
            self._node(end)
        s = self.sight.snapshot
        number = s.relation_iris.find(relation.iri)
        assert number is not None
        own = self.biolink.predicate(number) or self.predicates.get(relation.iri)
        if isinstance(fact, Fact):
            status = fact.status
        else:
            edge = self.sight.facts.edge(self._id(head), number, self._id(tail))
            status = self.sight.names.status(edge)
        attributes, sources = _provenance(status, fact.qualifiers, fact.origins)
        if own != relation.id:
            attributes.append(_attribute("biolink:original_predicate", relation.id, relation.label))
        self.edges[key] = {
            "subject": head.id,
            "predicate": own or RELATED,
            "object": tail.id,
            "sources": sources,
            "attributes": attributes,
        }
        if isinstance(fact, Fact) and status == "predicted":
            attributes += [
                _attribute(name, value)
                for name, value in (
                    ("sightline:probability", fact.probability),
                    ("sightline:probability_if_any", fact.probability_if_any),
                )
            ]
            if fact.support:
                support = [self._along(path) for path in fact.support]
                attributes.append(_attribute("biolink:support_graphs", support))
        return key

    def _log(self, code: str, message: str) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self.logs.append({"timestamp": now, "level": "WARNING", "code": code, "message": message})


def _attribute(kind: str, value: object, name: str | None = None) -> dict[str, Any]:
    said = {"attribute_type_id": kind, "value": value}
    return said if name is None else {**said, "original_attribute_name": name}


def _provenance(
    status: Status, qualifiers: Sequence[Qualifier], origins: Sequence[Origin]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Attributes and sources of a fact: what its source says of it, and its rows."""
    by_name: dict[str, list[Any]] = defaultdict(list)
    for one in qualifiers:
        by_name[one.key].append(one.value)
    level, agent = _LEVELS[status]
    primary: list[str] = []
    attributes = []
    for key, values in by_name.items():
        name, said = key.rpartition(":")[2], list(dict.fromkeys(values))
        if name == "knowledge_level" and len(said) == 1:
            level = said[0]
        elif name == "agent_type" and len(said) == 1:
            agent = said[0]
        elif name == "primary_knowledge_source":
            primary = [str(value) for value in said]
        else:
            kind = f"biolink:{name}" if name == "publications" else key
            attributes.append(
                _attribute(kind, said if name == "publications" or len(said) > 1 else said[0])
            )
    attributes += [
        _attribute("biolink:knowledge_level", level),
        _attribute("biolink:agent_type", agent),
    ]
    rows = [f"/v1/loads/{quote(one.load)}/rows?at={quote(one.place, safe='')}" for one in origins]
    attributes += [
        {**_attribute("prov:wasDerivedFrom", str(origin)), "value_url": row}
        for origin, row in zip(origins, rows)
    ]
    if not primary:
        return attributes, [{"resource_id": RESOURCE, "resource_role": "primary_knowledge_source"}]
    sources: list[dict[str, Any]] = [
        {"resource_id": primary[0], "resource_role": "primary_knowledge_source"},
        {
            "resource_id": RESOURCE,
            "resource_role": "aggregator_knowledge_source",
            "upstream_resource_ids": primary[:1],
        },
    ]
    return attributes, sources
