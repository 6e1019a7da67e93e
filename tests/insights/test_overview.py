"""The whole graph to be drawn, and what is left out of a larger one."""

from __future__ import annotations

from typing import Any

import pytest

from sightline.insights.kinds import overview
from tests.insights.conftest import World
from tests.insights.test_communities import ROWS


def ask(world: World, **asked: Any) -> overview.Overview:
    answer: overview.Overview = world.ask(overview, deadline_ms=60_000, **asked)
    return answer


def test_a_small_graph_is_whole(world_of: Any) -> None:
    found = ask(world_of(ROWS, None))
    assert len(found.entities) == found.all_entities == 24
    assert len(found.source) == found.all_facts == 42
    assert not found.truncated
    by_name = {one.id.rpartition(":")[2]: one for one in found.entities}
    assert by_name["firma"].degree == 11
    assert by_name["pa0"].community == by_name["firma"].community != by_name["pb0"].community
    assert by_name["lonely"].community == 0
    assert [(one.number, one.central, one.entities) for one in found.communities] in (
        [(1, "firma", 12), (2, "firmb", 11)],
        [(1, "firmb", 12), (2, "firma", 11)],
    )
    facts = {
        (found.entities[s].label, found.relations[r].label, found.entities[t].label)
        for s, r, t in zip(found.source, found.relation, found.target, strict=True)
    }
    assert ("pa0", "works at", "firma") in facts
    assert ("pa9", "knows", "pa0") in facts


@pytest.mark.parametrize(("limit", "facts", "kept"), [(4, 100, 3), (24, 3, 3)])
def test_what_is_left_out_is_said(world_of: Any, limit: int, facts: int, kept: int) -> None:
    found = ask(world_of(ROWS, None), limit=limit, facts=facts)
    assert len(found.entities) == limit
    assert {"firma", "firmb"} <= {one.label for one in found.entities}
    assert len(found.source) == kept
    assert found.truncated
    left_out = 20 if limit == 4 else 39
    assert found.reason is not None
    assert f"{left_out} " in found.reason
    assert "left out" in found.reason
