"""Ways out in the words of who asked: a route over HTTP, a tool for an agent.

Knows the notation in which errors name a way out, which is the command line's (``in_words`` in
``sightline.graph.errors``), and what a portal has instead; knows no error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from sightline.insights.kinds import KINDS

#: Commands that something over HTTP stands for, besides those of kinds of answer.
ROUTES = {
    "ingest": "POST /v1/ingest",
    "compile": "POST /v1/compile",
    "train": "POST /v1/training",
    "distill": "POST /v1/training",
    "evaluate": "POST /v1/training",
    "report": "POST /v1/reports",
    "watch": "POST /v1/watch",
    "loads": "GET /v1/stats",
    **{kind.command: kind.route for kind in KINDS if kind.command},
}
#: Tools that stand for commands.
TOOLS = {
    "report": "order_report",
    "loads": "stats",
    **{kind.command: kind.name for kind in KINDS if kind.command},
}
#: Commands, and options, that only who runs the service has.
ELSEWHERE = ("run", "export", "retract", "validate", "verify", *ROUTES)
LOCAL_OPTIONS = ("device", "force", "allow-network")

_WAY = re.compile(r"`sightline ([a-z]+)([^`]*)`|(?<![\w`-])--([a-z][a-z-]*)")
#: The same way out, named again by the next command of a row.
_AGAIN = re.compile(r"(`[^`]+`)(?:(?:,| and) \1)+")
_THERE = " on the machine of the service"


def over_http(said: str) -> str:
    """A sentence for who asks over HTTP."""
    return _told(said, ROUTES)


def for_agents(said: str) -> str:
    """A sentence for who asks by tools."""
    return _told(said, TOOLS)


def _told(said: str, known: Mapping[str, str]) -> str:
    def way(found: re.Match[str]) -> str:
        command, rest, option = found.groups()
        if option:
            return found[0] if option in LOCAL_OPTIONS else f"`{option.replace('-', '_')}`"
        if command in known and not any(f"--{local}" in rest for local in LOCAL_OPTIONS):
            return f"`{known[command]}`"
        return found[0] + _THERE if command in ELSEWHERE else found[0]

    return _AGAIN.sub(r"\1", _WAY.sub(way, said))
