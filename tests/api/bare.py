"""An application that is there at once, for tests of the processes around it."""

from __future__ import annotations

from typing import Any


def application() -> Any:
    return _answer


async def _answer(scope: Any, receive: Any, send: Any) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})
