"""What a graph holds, in the words of TRAPI: its meta knowledge graph.

Says what answers say: names of Biolink where the graph has them, and its roots for the rest. Knows
the types of a graph and how facts run between them; knows no question.
"""

from __future__ import annotations

from typing import Any

from sightline.api.trapi.biolink import ANYTHING, RELATED, Biolink
from sightline.graph.snapshot.kept import once_each
from sightline.graph.snapshot.reader import Snapshot
from sightline.insights.ask import Sightline
from sightline.insights.kinds.schema import SchemaQuestion, schema
from sightline.insights.records import Ref


def meta(sight: Sightline) -> dict[str, Any]:
    """A ``MetaKnowledgeGraph`` of TRAPI 1.6.

    A kind of fact can be looked up; where a model is served, what is likely can be asked, too.
    """
    s, biolink = sight.snapshot, Biolink(sight.snapshot)

    def category(type_: Ref | None) -> str:
        class_id = None if type_ is None else s.class_iris.find(type_.iri)
        return ANYTHING if class_id is None else biolink.category(class_id) or ANYTHING

    def predicate(relation: Ref) -> str:
        relation_id = s.relation_iris.find(relation.iri)
        return RELATED if relation_id is None else biolink.predicate(relation_id) or RELATED

    ways = ["lookup", *(["inferred"] if sight.model is not None else [])]
    links = {
        (category(link.source), predicate(link.relation), category(link.target)): None
        for link in schema(sight, SchemaQuestion()).links
    }
    edges = [
        {"subject": head, "predicate": relation, "object": tail, "knowledge_types": ways}
        for head, relation, tail in links
    ]
    return {"nodes": _nodes(s), "edges": edges}


@once_each
def _nodes(s: Snapshot) -> dict[str, Any]:
    """The categories of a snapshot's entities, and the prefixes of their ids. It looks at every
    entity."""
    biolink = Biolink(s)
    of_class = [biolink.category(class_id) or ANYTHING for class_id in range(len(s.class_iris))]
    prefixes: dict[str, set[str]] = {}
    for entity, iri in enumerate(s.entity_iris):
        prefix = s.curie(iri).partition(":")[0]
        for name in [of_class[c] for c in s.types_of(entity).tolist()] or [ANYTHING]:
            prefixes.setdefault(name, set()).add(prefix)
    return {name: {"id_prefixes": sorted(some)} for name, some in sorted(prefixes.items())}
