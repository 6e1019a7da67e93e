"""The kinds of answer, each in a module of its own. The portals offer what this tuple lists."""

from __future__ import annotations

from typing import Any

from sightline.insights.kind import Kind
from sightline.insights.kinds import (
    changes,
    communities,
    doctor,
    enrich,
    entity,
    examples,
    explain,
    inductive,
    insights,
    merges,
    neighborhood,
    overview,
    paths,
    predictions,
    query,
    related,
    relations,
    schema,
    search,
    similar,
    stats,
    surprising,
    table,
)

KINDS: tuple[Kind[Any, Any], ...] = (
    insights.KIND,
    surprising.KIND,
    search.KIND,
    entity.KIND,
    related.KIND,
    similar.KIND,
    neighborhood.KIND,
    paths.KIND,
    enrich.KIND,
    communities.KIND,
    overview.KIND,
    predictions.KIND,
    explain.KIND,
    inductive.KIND,
    query.KIND,
    relations.KIND,
    schema.KIND,
    table.KIND,
    examples.KIND,
    doctor.KIND,
    merges.KIND,
    stats.KIND,
    changes.KIND,
)
