"""A query of the Translator Reasoner API (TRAPI 1.6) as it comes in, as far as it is understood.

Knows its shape; knows no graph. What is not understood is refused: to leave a constraint out would
answer another question.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from sightline.api.questions import MAX_DEADLINE_MS, Text
from sightline.insights.kind import MAX_K, MAX_NAMES

#: Nodes of one query graph, and edges; results if nothing else is said; steps of a path.
MAX_NODES = 10
RESULTS = 100
Names = Annotated[list[Text] | None, Field(max_length=MAX_NAMES)]
#: What may be there as long as nothing is in it.
Nothing = Annotated[list[Any] | None, Field(max_length=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid")


class QNode(_Part):
    """A node of the question: entities by CURIE or IRI, or whatever is of some categories."""

    ids: Names = Field(None, description="Any of these entities.")
    categories: Names = Field(None, description="Any of these, such as biolink:Disease.")
    set_interpretation: Literal["BATCH"] | None = None
    constraints: Nothing = None
    member_ids: Nothing = None


class QEdge(_Part):
    """An edge of the question, between two of its nodes by their keys."""

    subject: Text
    object: Text
    predicates: Names = Field(None, description="Any of these, such as biolink:treats.")
    knowledge_type: Literal["lookup", "inferred"] | None = Field(
        None, description="inferred: what the graph states, or the model predicts."
    )
    attribute_constraints: Nothing = None
    qualifier_constraints: Nothing = None


class PathConstraint(_Part):
    """What lies between the ends of a path."""

    intermediate_categories: Names = Field(None, description="One node between has one of these.")


class QPath(_Part):
    """Paths between two nodes that are given by id."""

    subject: Text
    object: Text
    predicates: Names = Field(None, description="Each step is of one of these.")
    constraints: Annotated[list[PathConstraint] | None, Field(max_length=1)] = None


class QueryGraph(_Part):
    """Nodes, and edges or one path between them."""

    nodes: dict[str, QNode] = Field(min_length=1, max_length=MAX_NODES)
    edges: dict[str, QEdge] = Field({}, max_length=MAX_NODES)
    paths: dict[str, QPath] = Field({}, max_length=1)


class Message(_Part):
    """What is asked. What was answered elsewhere may come with it, and stays out."""

    query_graph: QueryGraph
    knowledge_graph: dict[str, Any] | None = None
    results: list[Any] | None = None
    auxiliary_graphs: dict[str, Any] | None = None


class QueryParameters(_Part):
    """How long the search may take, and how much is wanted."""

    timeout: Annotated[float, Field(ge=0.1, le=MAX_DEADLINE_MS / 1000, description="Seconds.")] = (
        5.0
    )
    limit: Annotated[int, Field(ge=1, le=MAX_K, description="Results.")] = RESULTS


class TrapiQuery(_Part):
    """A query of TRAPI. ``log_level``, ``submitter`` and ``bypass_cache`` change nothing here."""

    message: Message
    parameters: QueryParameters = QueryParameters()
    log_level: str | None = None
    submitter: str | None = None
    bypass_cache: bool | None = None
    workflow: Nothing = None
