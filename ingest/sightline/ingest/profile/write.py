"""A profile as the YAML that ``--mapping`` reads, with remarks; and as plain values.

Knows profiles; decides nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

import yaml

from sightline.ingest.profile.draw import reference
from sightline.ingest.profile.profile import Profile

HEADER = (
    "# What the columns mean, as `sightline profile` found it out. Correct it and give it to\n"
    "# `sightline run SOURCE... --mapping FILE`. Lines that begin with ! want a look.\n"
    "mappings:\n"
)
_WIDTH = 1 << 30
#: The one of libyaml, where PyYAML was built with it, writes the same ten times as fast.
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_REFERENCE = re.compile(r"\$\((?:[^()\\]|\\.)+\)")
#: CURIEs and references, as most texts are: nothing in them needs an escape.
_PLAIN = re.compile(r"[a-z]+:[A-Za-z0-9_.%/-]+(?:\$\(\w+\))?(?:~[a-z]+)?|\$\(\w+\)", re.ASCII)


def as_yaml(profile: Profile) -> str:
    """The mapping, with what was decided and why."""
    mappings = profile.document["mappings"]
    values = ([name, *_fields(body).values(), *body["po"]] for name, body in mappings.items())
    flows = _flows(list(chain.from_iterable(values)))
    about = {t.name: (t.said, meaning) for t, meaning in zip(profile.tables, profile.meanings)}
    return HEADER + "".join(
        line + "\n"
        for name, body in mappings.items()
        for line in _table(*about.get(name, ([], {})), body, flows)
    )


def _table(
    said: list[tuple[str, bool]],
    meaning: Mapping[str, str],
    body: Mapping[str, Any],
    flows: Iterator[str],
) -> Iterator[str]:
    """The lines of a mapping.

    Args:
        flows: its name, its values and what it says, each as YAML.
    """
    for text, warning in said:
        yield f"  # {'! ' if warning else ''}{_one_line(text)}"
    yield f"  {next(flows)}:"
    for key, flow in zip(_fields(body), flows):
        yield f"    {key}: {flow}"
    if body["po"]:
        yield "    po:"
    by_reference = {reference(column): said for column, said in meaning.items()}
    for item, text in zip(body["po"], flows):
        refers = _REFERENCE.search(str(item))
        remark = by_reference.get(refers[0].replace("\\\\", "\\")) if refers else None
        yield f"      - {text}" + (f"  # {_one_line(remark)}" if remark else "")
    if body["po"]:
        yield ""


def _fields(body: Mapping[str, Any]) -> dict[str, Any]:
    """A mapping without what it says of its records."""
    return {key: value for key, value in body.items() if key != "po"}


def _flows(values: Sequence[Any]) -> Iterator[str]:
    """Each value in a line of YAML. All are written at once: a writer for each has a cost, and a
    table may have thousands of columns, of which most need none."""
    plain = {place: flow for place, value in enumerate(values) if (flow := _plain(value))}
    others = _written([value for place, value in enumerate(values) if place not in plain])
    return (plain[place] if place in plain else next(others) for place in range(len(values)))


def _plain(value: Any) -> str | None:
    """A list of texts as libyaml writes it, where no text needs more than quotes for its colon."""
    if isinstance(value, list) and all(isinstance(x, str) and _PLAIN.fullmatch(x) for x in value):
        return f"[{', '.join(repr(x) if ':' in x else x for x in value)}]"
    return None


def _written(values: Sequence[Any]) -> Iterator[str]:
    if not values:
        return
    text = yaml.dump_all(
        values,
        Dumper=_DUMPER,
        default_flow_style=True,
        explicit_start=True,
        allow_unicode=True,
        sort_keys=False,
        width=_WIDTH,
    )
    for flow in str(text).removeprefix("--- ").split("\n--- "):
        yield flow.rstrip("\n").removesuffix("\n...")


def _one_line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def as_values(profile: Profile) -> list[dict[str, Any]]:
    """What was decided about each table: texts, numbers, lists."""
    return [
        {
            "table": table.name,
            "source": ", ".join(part.source.name for part in table.statistics.files),
            "records": table.statistics.records,
            "role": table.role,
            "thing": " ".join(table.thing),
            "key": list(table.key),
            "columns": [
                {
                    "column": column.name,
                    "kind": column.kind,
                    "values": column.filled,
                    "distinct": column.distinct.count,
                    "meaning": meaning.get(column.name, ""),
                }
                for column in table.columns.values()
            ],
            "links": [
                {
                    "column": column,
                    "table": link.table.name if link.table else None,
                    "refers_to": link.column or None,
                    "found": link.found.found,
                    "of": link.found.of,
                    "exact": link.found.exact,
                    "confidence": link.confidence if link.table else None,
                    "declared": link.declared,
                }
                for column, link in (
                    *table.links.items(),
                    *((", ".join(columns), link) for columns, link in table.together.items()),
                )
            ],
            "notes": [{"text": text, "warning": warning} for text, warning in table.said],
        }
        for table, meaning in zip(profile.tables, profile.meanings)
    ]
