"""Kernels that are compiled while a question is answered, once on a machine, or loaded, once in a
process: no deadline counts it, and that they are compiled is said.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numba.core.event import Event

    from sightline.insights.ask import Sightline
    from sightline.insights.kind import Kind

COMPILING = (
    "compiling what this question is answered by: up to a minute, once on this machine "
    "(`sightline warm` does it for all kinds of question)"
)
SERVING = (
    "compiling what answers are made by: a minute or more, once on this machine, in which nobody "
    "is answered (`sightline warm` does it before)"
)

#: What was cut before it came to a kernel compiles that the next time.
TRIES = 4
#: Share of a deadline that kernels must have taken for the question to be asked again: each time
#: may take all of it, and there is always one more to load.
SHARE = 0.25


def answered(kind: Kind[Any, Any], sight: Sightline, question: Any) -> Any:
    """The answer to a question. Where kernels were compiled or loaded for a good part of its
    deadline, which may have cut it meanwhile, it is asked again.

    Raises:
        SightlineError: as the kind does.
    """
    from numba.core.event import install_timer

    deadline = getattr(question, "deadline_ms", None)
    said = False

    def say() -> None:
        nonlocal said
        if not said:
            print(COMPILING, file=sys.stderr)
        said = True

    for _ in range(TRIES):
        began = time.monotonic()
        readied: list[float] = []
        with counting(say), install_timer("numba:compiler_lock", readied.append):
            answer = kind.answer(sight, question)
        took = time.monotonic() - began
        # What is cut may have had a part of the time.
        if (
            deadline is None
            or sum(readied) <= SHARE * deadline / 1000
            or took < deadline / 1000 / 2
        ):
            break
    return answer


@contextmanager
def counting(first: Callable[[], None] = lambda: None) -> Iterator[list[str]]:
    """Names of the kernels that are compiled meanwhile; what the disk holds is not compiled.

    Args:
        first: called before the first of them.
    """
    from numba.core import event

    names: list[str] = []

    class Compiling(event.Listener):
        def on_start(self, event: Event) -> None:
            if not names:
                first()
            names.append(event.data["dispatcher"].py_func.__qualname__)

        def on_end(self, event: Event) -> None:
            pass

    listener = Compiling()
    event.register("numba:compile", listener)  # type: ignore[no-untyped-call]
    try:
        yield names
    finally:
        event.unregister("numba:compile", listener)  # type: ignore[no-untyped-call]
