"""Lanes of threads: bounded, short waits, and no thread for an asker who has gone."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from starlette.requests import Request

from sightline.api import lanes
from sightline.api.budget import Budgets
from sightline.api.lanes import Lane
from sightline.graph.errors import Busy
from sightline.graph.progress import Cancelled, stop_if_cancelled

FREE = Budgets(None)


def asker(gone: asyncio.Event) -> Request:
    """A request whose sender is gone when ``gone`` is set."""

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    return Request({"type": "http", "headers": []}, receive)


def endless(begun: threading.Event) -> None:
    begun.set()
    while True:
        stop_if_cancelled()


def test_a_full_queue_turns_away_at_once() -> None:
    lane, gate = Lane("questions", 2, 3, FREE), threading.Event()

    async def crowd() -> list[object]:
        waiting = [asyncio.create_task(lane.run(gate.wait)) for _ in range(5)]
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await lane.run(gate.wait)
        gate.set()
        answers = await asyncio.gather(*waiting)
        assert await lane.run(lambda: "again") == "again"
        return answers

    assert asyncio.run(crowd()) == [True] * 5
    lane.close()


def test_who_waits_for_long_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "PATIENCE", 0.05)
    lane, gate = Lane("questions", 1, 3, FREE), threading.Event()

    async def two() -> None:
        first = asyncio.create_task(lane.run(lambda: gate.wait() and "whole"))
        await asyncio.sleep(0)
        with pytest.raises(Busy):
            await lane.run(gate.wait)
        gate.set()
        assert await first == "whole"  # what has begun is not given up

    asyncio.run(two())
    lane.close()


def test_an_asker_who_has_gone_frees_the_thread_and_the_place_in_the_queue() -> None:
    lane, begun = Lane("questions", 1, 1, FREE), threading.Event()

    async def abandoned() -> str:
        gone = asyncio.Event()
        tasks = [asyncio.create_task(lane.run(lambda: endless(begun), asker(gone)))]
        await asyncio.to_thread(begun.wait)
        tasks.append(asyncio.create_task(lane.run(lambda: endless(begun), asker(gone))))
        await asyncio.sleep(0)
        gone.set()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(error) for error in found] == [Cancelled, Cancelled]
        return await lane.run(lambda: "free")

    assert asyncio.run(abandoned()) == "free"
    lane.close()


def test_work_is_ended_when_its_request_is() -> None:
    lane, begun = Lane("questions", 1, 1, FREE), threading.Event()

    async def stopped() -> str:
        task = asyncio.create_task(lane.run(lambda: endless(begun)))
        await asyncio.to_thread(begun.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await lane.run(lambda: "free")

    assert asyncio.run(stopped()) == "free"
    lane.close()
