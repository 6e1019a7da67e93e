"""What is found, as a message of TRAPI: nodes, edges, paths as auxiliary graphs, results, logs.

Knows how entities and facts are said in TRAPI; knows no question.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from sightline.api.trapi.biolink import ANYTHING, RELATED, Biolink
from sightline.graph.snapshot.statement import Origin
from sightline.insights.ask import Sightline
from sightline.insights.records import EntityRef, Fact, Path, Qualifier, Ref, Status, Step

#: The version of TRAPI, and what this service is called there.
TRAPI, RESOURCE = "1.6.0", "infores:sightline"
#: How a fact is known, and by whom, if it does not say so itself.
_LEVELS: Mapping[Status, tuple[str, str]] = {
    "stated": ("knowledge_assertion", "not_provided"),
    "inferred": ("logical_entailment", "automated_agent"),
    "extracted": ("knowledge_assertion", "text_mining_agent"),
    "predicted": ("prediction", "computational_model"),
}


@dataclass(slots=True)
class Message:
    """A message that is being made; each node, edge and path is in it once.

    Attributes:
        nodes, edges, aux, logs: as TRAPI has them.
        named: by which name the question has an entity.
        predicates, categories: the same of a relation, by IRI, and of a class.
    """

    sight: Sightline
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    edges: dict[str, dict[str, Any]] = field(default_factory=dict)
    aux: dict[str, dict[str, Any]] = field(default_factory=dict)
    logs: list[dict[str, Any]] = field(default_factory=list)
    named: dict[int, str] = field(default_factory=dict)
    predicates: dict[str, str] = field(default_factory=dict)
    categories: dict[int, str] = field(default_factory=dict)
    biolink: Biolink = field(init=False)
    _keys: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.biolink = Biolink(self.sight.snapshot)

    def result(self, bound: Mapping[str, int], *analyses: dict[str, Any]) -> dict[str, Any]:
        """A result: the entity that each node of the question is bound to, and why."""
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
        classes = s.types_of(self.number(ref)).tolist()
        said = [self.biolink.category(c) or self.categories.get(c) for c in classes]
        attributes = []
        if classes:
            types = [self.sight.names.type(c).id for c in classes]
            attributes.append(_attribute("rdf:type", types, "types of the graph"))
        categories = list(dict.fromkeys(filter(None, said))) or [ANYTHING]
        self.nodes[ref.id] = {"name": ref.label, "categories": categories, "attributes": attributes}

    def edge(self, head: EntityRef, relation: Ref, tail: EntityRef, fact: Fact | Step) -> str:
        """The key of an edge, which is made and its ends with it if it is new."""
        known = self._keys.get((head.iri, relation.iri, tail.iri))
        if known is not None:
            return known
        key = self._keys[head.iri, relation.iri, tail.iri] = f"e{len(self.edges)}"
        for end in (head, tail):
            self._node(end)
        s = self.sight.snapshot
        relation_id = s.relation_iris.find(relation.iri)
        assert relation_id is not None
        own = self.biolink.predicate(relation_id) or self.predicates.get(relation.iri)
        if isinstance(fact, Fact):
            status = fact.status
        else:
            edge = self.sight.facts.edge(self.number(head), relation_id, self.number(tail))
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
                support = [self.along(path) for path in fact.support]
                attributes.append(_attribute("biolink:support_graphs", support))
        return key

    def along(self, path: Path) -> str:
        """A path as an auxiliary graph, once."""
        edges = []
        for step in path.steps:
            head, tail = (step.source, step.target) if step.forward else (step.target, step.source)
            edges.append(self.edge(head, step.relation, tail, step))
        key = "path-" + "-".join(edges)
        self.aux.setdefault(key, {"edges": edges, "attributes": []})
        return key

    def number(self, entity: EntityRef) -> int:
        """The id of an entity in the snapshot."""
        found = self.sight.snapshot.entity_iris.find(entity.iri)
        assert found is not None
        return found

    def log(self, code: str, message: str) -> None:
        """Say what was left out."""
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
