"""What a report is to hold: its sections, in their order, and how much of each.

Knows the names of sections and their limits; asks nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sightline.insights.errors import BadSections

#: Limits of each section, by name: what is taken without one, and the most.
SECTIONS: Mapping[str, Mapping[str, tuple[int, int]]] = {
    "findings": {"limit": (5, 50)},
    "insights": {"limit": (15, 100)},
    "plots": {"communities": (8, 50)},
    "entities": {
        "predicted": (10, 100),
        "stated": (20, 100),
        "extracted": (10, 100),
        "similar": (8, 50),
    },
    "method": {},
    "sources": {},
}

#: The sections of a report in their order, each with its limits.
Sections = Mapping[str, Mapping[str, int]]


def limits_of_entities(chosen: Sections) -> Mapping[str, int]:
    """How much is asked about each entity: what no section shows is not asked."""
    most = {limit: default for limit, (default, _) in SECTIONS["entities"].items()}
    # A report may have been ordered before there was a limit.
    return {**most, **chosen.get("entities", {"stated": 0, "extracted": 0, "similar": 0})}


def read_sections(path: Path) -> Sections:
    """The sections that a YAML file names.

    Raises:
        BadSections
    """
    from sightline.graph.storage.plain_yaml import Values, read_yaml

    return sections_of(read_yaml(path, Values, lambda why: BadSections(f"{path.name}: {why}")))


def sections_of(asked: object) -> Sections:
    """The sections of ``{"sections": [...]}`` or of the list alone: names, or ``{name: {limit:
    number}}``; None: all of them.

    Raises:
        BadSections
    """
    if isinstance(asked, dict):
        for key in asked:
            if key != "sections":
                raise BadSections(_unknown("key", key, ["sections"]))
        asked = asked.get("sections", [])
    if asked is None:
        asked = list(SECTIONS)
    if not isinstance(asked, list):
        raise BadSections(f"sections is a {_kind(asked)}, and has to be a list")
    found: dict[str, Mapping[str, int]] = {}
    for place, item in enumerate(asked, 1):
        name, limits = _named(place, item)
        if name in found:
            raise BadSections(f"section {place} is {name!r} again; leave one of them out")
        found[name] = _limits(name, limits)
    if not found:
        raise BadSections("the list of sections is empty; leave it out for all of them")
    return found


def _named(place: int, item: object) -> tuple[str, object]:
    """Name and limits of one item of the list."""
    if isinstance(item, dict) and len(item) == 1:
        ((name, limits),) = item.items()
    else:
        name, limits = item, None
    if not isinstance(name, str):
        form = "a name, or a name with its limits: `entities: {stated: 5}`"
        raise BadSections(f"section {place} is a {_kind(item)}, and has to be {form}")
    if name not in SECTIONS:
        raise BadSections(f"section {place}: " + _unknown("section", name, list(SECTIONS)))
    return name, {} if limits is None else limits


def _limits(name: str, given: object) -> Mapping[str, int]:
    known = SECTIONS[name]
    if not isinstance(given, dict):
        form = ", ".join(f"{limit}: {default}" for limit, (default, _) in known.items())
        way_out = f"write `{name}: {{{form}}}`" if known else "it takes none"
        raise BadSections(f"the limits of {name} are a {_kind(given)}; {way_out}")
    for limit, value in given.items():
        if limit not in known:
            raise BadSections(f"{name}: " + _unknown("limit", limit, list(known)))
        most = known[limit][1]
        if type(value) is not int or not 0 <= value <= most:
            said = f"{name}: {limit} is {value!r:.40}; allowed are whole numbers from 0 to {most}"
            raise BadSections(said)
    return {limit: given.get(limit, default) for limit, (default, _) in known.items()}


def _unknown(what: str, name: object, known: list[str]) -> str:
    near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    there = f"there are: {', '.join(known)}" if known else "there is none"
    return f"there is no {what} {str(name)[:40]!r}; {hint}{there}"


def _kind(value: Any) -> str:
    kinds = {dict: "mapping", list: "list", str: "text", type(None): "gap"}
    return kinds.get(type(value), "number or date")
