"""Leave to compile a function with the widest instructions there are. Knows a compiler."""

from __future__ import annotations

from typing import Any

import numba
from numba import types
from numba.extending import intrinsic


def _widened(typing: Any) -> Any:
    """Let a function use the widest instructions there are: the compiler leaves out those of 512
    bits where a processor runs a little slower with them, though twice as much is done by each."""

    def attributed(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        # llvmlite checks names against a list that this one is not on.
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.none(), attributed


#: Where nothing is compiled there is nothing to say.
_PLAIN = numba.config.DISABLE_JIT  # type: ignore[attr-defined]  # which is set when it is loaded
wide: Any = (lambda: None) if _PLAIN else intrinsic(_widened)
