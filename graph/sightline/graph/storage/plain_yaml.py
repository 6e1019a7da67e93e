"""YAML files that people write: read with a bound, nothing in them stands for something else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from yaml.composer import Composer
from yaml.constructor import BaseConstructor
from yaml.parser import Parser

from sightline.graph.errors import SightlineError

#: Bytes of a file.
MAX_BYTES = 1 << 20


class _Strict(Parser, Composer, BaseConstructor):
    """No alias: a few could stand for gigabytes. No key twice."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(None, None, "aliases are not supported", mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        keys = [key.value for key, _ in node.value]
        for place, key in enumerate(keys):
            if key in keys[:place]:
                mark = node.value[place][0].start_mark
                raise yaml.MarkedYAMLError(None, None, f"key {key!r} comes twice", mark)
        return super().construct_mapping(node, deep)


class Texts(_Strict, yaml.BaseLoader):
    """Texts, lists and tables."""


class Values(_Strict, yaml.SafeLoader):
    """Numbers, dates, truth values and nothing besides."""


def read_yaml(
    path: Path, loader: type[Texts | Values], error: Callable[[str], SightlineError]
) -> Any:
    """What a file says; None where it says nothing.

    Args:
        error: makes the error that is raised, of the reason.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise error(f"it is larger than {MAX_BYTES >> 20} MiB")
        return yaml.load(path.read_text("utf-8-sig"), loader)  # never a loader that makes objects
    except OSError as problem:
        raise error(f"cannot be read: {problem.strerror}; check the path") from problem
    except UnicodeDecodeError as problem:
        raise error("it is not UTF-8 text") from problem
    except RecursionError as problem:
        raise error("it is nested too deeply") from problem
    except yaml.MarkedYAMLError as problem:
        line = f"line {problem.problem_mark.line + 1}: " if problem.problem_mark else ""
        raise error(f"{line}no YAML ({problem.problem})") from problem
    except yaml.YAMLError as problem:
        raise error(f"no YAML ({str(problem).splitlines()[0]})") from problem
    except ValueError as problem:  # a number of thousands of digits, a date that is none
        raise error(f"a value in it cannot be read ({str(problem).partition(':')[0]})") from problem
