"""What breaks the shapes that are kept in the workspace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from sightline.graph.mining.plausibility import OutOfTime
from sightline.graph.vocabulary import united
from sightline.insights.checks.grounds import MOST, Grounds, Suspect, plain
from sightline.insights.records import Severity

if TYPE_CHECKING:
    from sightline.graph.shapes.validate import Violation

#: How grave it is to break a shape.
SEVERITY: dict[str, Severity] = {"Violation": "high", "Warning": "medium", "Info": "low"}


def violations(g: Grounds, end: float) -> Iterator[Suspect]:
    """What breaks the shapes that are kept in the workspace."""
    if not g.shapes.is_file():
        return
    from sightline.graph.record.errors import DamagedLoad
    from sightline.graph.shapes import check
    from sightline.graph.shapes.errors import ShapesUnusable
    from sightline.graph.shapes.validate import validate

    try:
        found = validate(g.snapshot, g.shapes, quick=True, end=end)
    except check.OutOfTime as error:
        raise OutOfTime from error
    except ShapesUnusable as error:
        why = f"the shapes that are kept cannot be used: {plain(error.reason)}"
        yield Suspect("violation", "high", 1.0, why)
        return
    except DamagedLoad:
        why = "the shapes that are kept are not checked: a load of this graph is gone or "
        yield Suspect("violation", "high", 1.0, why + "damaged; `sightline verify` names it")
        return
    if found.others:
        names = ", ".join(plain(g.snapshot.curie(name)) for name, _ in found.others)
        why = f"{len(found.others)} of {found.shapes} shapes that are kept are checked by "
        why += f"`sightline validate` alone: {names}"
        yield Suspect("violation", "low", 1.0, why)
    for one in found.results[:MOST]:
        yield _violation(g, one)


def _violation(g: Grounds, one: Violation) -> Suspect:
    s = g.snapshot
    focus, value = (s.entity_iris.find(united(x or "")) for x in (one.focus, one.value))
    relation = s.relation_iris.find(united(one.path or ""))
    if focus is None or value == focus:
        value = None
    why = "{e0}" if focus is not None else plain(s.curie(one.focus))
    why += f" does not keep the shape {plain(s.curie(one.shape))}"
    if one.path is not None:
        why += " in " + ("{r0}" if relation is not None else plain(s.curie(one.path)))
    why += f": {plain(one.message)}"
    if one.value is not None and one.value != one.focus:
        shown = "{e1}" if value is not None else plain(one.value)
        why += f" ({shown})"
    edges: tuple[int, ...] = ()
    if focus is not None and value is not None and relation is not None:
        own = np.arange(*s.out_indptr[[focus, focus + 1]])
        edges = tuple(own[(s.relation[own] == relation) & (s.tail[own] == value)].tolist())
    return Suspect(
        "violation",
        SEVERITY.get(one.severity, "low"),
        1.0,
        why,
        tuple(e for e in (focus, value) if e is not None),
        () if relation is None else (relation,),
        edges=edges,
        detail="\n".join((one.focus, one.shape, one.path or "", one.value or "", one.constraint)),
    )
