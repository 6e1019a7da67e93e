"""Which device learns, and what its failures are called. Knows torch; knows no model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from sightline.graph.errors import OutOfDeviceMemory, UsageError


def choose_device(name: str) -> torch.device:
    """The device for ``auto``, ``cpu`` or ``cuda``; ``auto`` takes an accelerator where one is.

    Raises:
        UsageError: the name is none of these, or CUDA is asked for where there is none.
    """
    if name not in ("auto", "cpu", "cuda"):
        raise UsageError(f"device {name[:40]!r} is unknown; choose auto, cpu or cuda")
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise UsageError("device 'cuda' is not available on this machine; use --device cpu or auto")
    return torch.device("cuda" if available and name != "cpu" else "cpu")


@contextmanager
def memory_guard(device: torch.device) -> Iterator[None]:
    """Turn a failed allocation inside the block into one clear error.

    Raises:
        OutOfDeviceMemory
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise OutOfDeviceMemory(str(device), "the model and one batch do not fit") from error
    except RuntimeError as error:
        # The CPU allocator has no error class of its own.
        if "can't allocate memory" not in str(error):
            raise
        raise OutOfDeviceMemory(str(device), "the model and one batch do not fit") from error
