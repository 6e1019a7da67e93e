"""``sightline.toml``: the few things that a user may set for a workspace.

Knows the file's keys and their defaults; knows no command and no environment.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from sightline.graph.storage.artifact import replacing
from sightline.graph.storage.errors import SettingsError
from sightline.graph.vocabulary import (
    DEFAULT_BASE,
    LABEL_PROPERTIES,
    default_prefixes,
    expand,
    united,
)

FILE = "sightline.toml"

TEMPLATE = """\
# Settings of this Sightline workspace. Everything here may be edited; after a change of [graph]
# run `sightline compile`. A removed line falls back to its default.

[graph]
# Raw names become IRIs that begin so: BASEentity:NAME, BASErelation:NAME, BASEclass:NAME.
base = {base}
# Properties that hold a label, in order of preference; the built-in list follows them.
label_properties = []
# Relations that are no edges: not walked by paths, not learned. IRIs or CURIEs.
ignored_relations = []

[serve]
# What `sightline serve` does unless its options say otherwise: port = 8080, access_log = true.

[prefixes]
# Short names for IRIs: prefix = "https://example.org/"
{prefixes}"""

#: Keys of [serve], which are options of ``sightline serve``, and what they hold.
SERVE: Mapping[str, type] = {
    "host": str,
    "port": int,
    "workers": int,
    "worker": bool,
    "allow_host": list,
    "allow_origin": list,
    "open": bool,
    "budget": float,
    "report_room": float,
    "access_log": bool,
}
_TYPES = {str: "text", int: "whole number", float: "number", bool: "true or false", list: "list"}


@dataclass(frozen=True, slots=True)
class Settings:
    """What ``sightline.toml`` says.

    Attributes:
        base: raw names become IRIs under this base.
        prefixes: prefix to IRI, defaults included.
        label_properties: IRIs, in order of preference.
        ignored_relations: IRIs of predicates that never become edges.
        serve: how the workspace is served, by name of ``SERVE``; what is not said is not there.
    """

    base: str = DEFAULT_BASE
    prefixes: Mapping[str, str] = field(default_factory=default_prefixes)
    label_properties: tuple[str, ...] = LABEL_PROPERTIES
    ignored_relations: tuple[str, ...] = ()
    serve: Mapping[str, Any] = field(default_factory=dict)

    def digest_text(self) -> str:
        """What of the settings changes a snapshot, as stable text."""
        parts = (self.base, *self.label_properties, "|", *self.ignored_relations, "|")
        return "\n".join([*parts, *(f"{k}={v}" for k, v in sorted(self.prefixes.items()))])


def read_settings(path: Path) -> Settings:
    """Read ``sightline.toml``.

    Raises:
        SettingsError: no TOML, an unknown key, or a value of the wrong type.
    """
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(path, f"cannot be read: {error}") from error
    _only_known(path, document, {"graph", "prefixes", "serve"}, "table")
    if "graph" not in document:
        raise SettingsError(path, "[graph] is missing; was the file cut short?")
    graph = _table(path, document, "graph")
    _only_known(path, graph, {"base", "label_properties", "ignored_relations"}, "key of [graph]")
    base = graph.get("base", DEFAULT_BASE)
    if not isinstance(base, str) or not base:
        raise SettingsError(path, "graph.base must be a text such as 'https://example.org/'")
    prefixes = default_prefixes(base) | _table(path, document, "prefixes")
    if not all(isinstance(iri, str) and iri for iri in prefixes.values()):
        raise SettingsError(path, "every prefix must be a text")
    labels = _iris(path, graph, "label_properties", prefixes)
    serve = _table(path, document, "serve")
    _only_known(path, serve, set(SERVE), "key of [serve]")
    for key, value in serve.items():
        if type(value) is not SERVE[key] and not (SERVE[key] is float and type(value) is int):
            raise SettingsError(path, f"serve.{key} must be a {_TYPES[SERVE[key]]}")
    return Settings(
        base=base,
        prefixes=prefixes,
        label_properties=tuple(dict.fromkeys((*labels, *LABEL_PROPERTIES))),
        ignored_relations=_iris(path, graph, "ignored_relations", prefixes),
        serve=serve,
    )


def write_template(path: Path, base: str = DEFAULT_BASE, prefixes: Mapping[str, str] = {}) -> None:
    """Write a commented ``sightline.toml`` for a new workspace.

    Raises:
        NotWritable, DiskFull
    """
    # A text of JSON is a text of TOML.
    quoted = partial(json.dumps, ensure_ascii=False)
    lines = "".join(f"{quoted(k)} = {quoted(v)}\n" for k, v in sorted(prefixes.items()))
    with replacing(path) as temporary:
        text = TEMPLATE.format(base=quoted(base), prefixes=lines)
        temporary.write_text(text, encoding="utf-8")


def _only_known(path: Path, found: Mapping[str, Any], known: set[str], what: str) -> None:
    unknown = sorted(set(found) - known)
    if unknown:
        raise SettingsError(path, f"unknown {what} {unknown[0]!r}; known are {sorted(known)}")


def _table(path: Path, document: Mapping[str, Any], name: str) -> dict[str, Any]:
    table = document.get(name, {})
    if not isinstance(table, dict):
        raise SettingsError(path, f"[{name}] must be a table")
    return table


def _iris(
    path: Path, table: Mapping[str, Any], key: str, prefixes: Mapping[str, str]
) -> tuple[str, ...]:
    values = table.get(key, [])
    if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
        raise SettingsError(path, f"graph.{key} must be a list of texts")
    return tuple(united(expand(v, prefixes) or v) for v in values)
