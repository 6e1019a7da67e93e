"""Which device learns, how memory is kept, and what failures are called. Knows no model."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from sightline.graph.errors import UsageError
from sightline.models.errors import OutOfDeviceMemory

#: glibc's ``mallopt``: nothing is mapped on its own, and up to 2 GB of freed memory is kept; after,
#: what the library does on its own. (M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD)
PARAMETERS = (-4, -1, -2)
KEEP, USUAL = (0, 2**31 - 1, 1 << 28), (65536, 1 << 25, 1 << 17)


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
    """Keep freed memory for the next step, and turn a failed allocation into one clear error.

    By default the C library gives large blocks back to the system at once and has them cleared and
    mapped again a moment later: up to half the time of a step on a graph of 40,000 entities. Where
    the library is not glibc nothing is changed.
    """
    library, names = ctypes.CDLL(None), ("mallopt", "malloc_trim")
    mallopt, trim = (getattr(library, name, lambda *_: None) for name in names)
    for parameter, value in zip(PARAMETERS, KEEP):
        mallopt(parameter, value)
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # The CPU allocator has no error class of its own.
        named = isinstance(error, (MemoryError, torch.OutOfMemoryError))
        if not named and "can't allocate memory" not in str(error):
            raise
        raise OutOfDeviceMemory(str(device)) from error
    finally:
        for parameter, value in zip(PARAMETERS, USUAL):
            mallopt(parameter, value)
        trim(0)
