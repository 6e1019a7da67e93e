"""JSONPath, as far as it leads to values: keys, indexes and ``[*]``.

Knows paths and values; knows no file and no table.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from typing import Any

from sightline.ingest.source import NoSuchTable

_QUOTED = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
#: A path to records, such as ``$.people[*]``, and a step of one.
PATH = re.compile(rf"\$(\.[^.\[\]*$()]+|\.\*|\[(\*|-?[0-9]+|{_QUOTED})\])*")
STEP = re.compile(
    rf"\.?(?:(?P<all>\*|\[\*\])|\[(?P<index>-?[0-9]+)\]|\[(?P<quoted>{_QUOTED})\]|(?P<key>[^.\[\]]+))"
)

#: A key, an index, or None for every value in an array or an object.
Step = str | int | None
Steps = tuple[Step, ...]


def steps_of(path: str) -> Steps:
    """The steps of a path, with or without its ``$``."""
    found: list[Step] = []
    for step in STEP.finditer(path.removeprefix("$")):
        if step["all"]:
            found.append(None)
        elif step["index"]:
            found.append(int(step["index"]))
        elif step["quoted"]:
            found.append(re.sub(r"\\(.)", r"\1", step["quoted"][1:-1]))
        else:
            found.append(step["key"])
    return tuple(found)


def path_of(steps: Steps) -> str:
    """The text of a path."""
    text = "$"
    for step in steps:
        if step is None:
            text += "[*]"
        elif isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[^.\[\]*$()'\"\\\s]+", step):
            text += f".{step}"
        else:
            text += "['" + re.sub(r"(['\\])", r"\\\1", step) + "']"
    return text


def follow(start: Any, steps: Steps) -> list[tuple[Any, str | None]]:
    """Where a path leads; with each value the key that it has in an object, if a last ``[*]`` led
    into one. A path that ends at an array means its elements.

    Raises:
        NoSuchTable
    """
    found: list[tuple[Any, str | None]] = [(start, None)]
    for step in steps:
        if step is None:
            found = [item for value, _ in found for item in _items(value)]
        elif isinstance(step, int):
            lists = (value for value, _ in found if isinstance(value, list))
            found = [(x[step], None) for x in lists if -len(x) <= step < len(x)]
        else:
            lists = (value if isinstance(value, list) else [value] for value, _ in found)
            objects = [value for value in chain.from_iterable(lists) if isinstance(value, dict)]
            if found and not any(step in value for value in objects):
                names = dict.fromkeys(str(key) for value in objects for key in value if key)
                known = ", ".join(list(names)[:30]) or "none"
                raise NoSuchTable(
                    f"{path_of(steps)} finds nothing: no {step!r} there, only: {known}"
                )
            found = [(value[step], None) for value in objects if step in value]
    return [
        one for pair in found for one in (_items(pair[0]) if isinstance(pair[0], list) else [pair])
    ]


def _items(value: Any) -> list[tuple[Any, str | None]]:
    if isinstance(value, dict):
        return [(item, key) for key, item in value.items() if key is not None]
    return [(item, None) for item in value] if isinstance(value, list) else []


def values_at(record: Any, steps: Sequence[Step]) -> list[Any]:
    """The values inside a record at the end of a path; a key looks into all objects of an array."""
    found = [record]
    for step in steps:
        if isinstance(step, int):
            lists = (value for value in found if isinstance(value, list))
            found = [value[step] for value in lists if -len(value) <= step < len(value)]
            continue
        found = [item for x in found for item in (x if isinstance(x, list) else [x])]
        objects = [value for value in found if isinstance(value, dict)]
        if step is None:
            found = [item for value in objects for item in value.values()] or found
        else:
            found = [value[step] for value in objects if step in value]
    return found
