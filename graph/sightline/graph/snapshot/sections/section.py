"""What every part of a snapshot knows to do: build, write, map and check its own files.

Knows files of arrays and of strings; knows no graph.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import GenericAlias
from typing import TYPE_CHECKING, Any, ClassVar, get_args

import numpy as np
import numpy.typing as npt

from sightline.graph.storage.strings import StringTable

if TYPE_CHECKING:
    from sightline.graph.snapshot.inputs import Inputs

#: The name of a file, and the array or the strings in it.
File = tuple[str, npt.NDArray[Any] | Iterable[str]]


class Section:
    """A part of a snapshot.

    What a subclass annotates as an array or a ``StringTable`` are its files: ``build`` gives one
    for each, and ``map`` makes each an attribute of the snapshot.

    Attributes:
        folder: of the snapshot.
        manifest: of the snapshot.
        loads: the loads that it was compiled from: id, source, role and tables.
        num_entities: N.
    """

    #: What is done while it is written.
    title: ClassVar[str]
    #: How long that takes beside others, roughly.
    share: ClassVar[int] = 1
    #: What has to be asked for that there are these files, and is in the manifest if it was.
    wanted: ClassVar[str | None] = None
    #: What the manifest counts where there are these files; None: there always are.
    counted: ClassVar[str | None] = None

    folder: Path
    manifest: Mapping[str, Any]
    loads: list[dict[str, Any]]
    num_entities: int

    @classmethod
    def is_in(cls, manifest: Mapping[str, Any]) -> bool:
        """Whether a snapshot has this part."""
        wanted = cls.wanted is None or bool(manifest[cls.wanted])
        return wanted and (cls.counted is None or cls.counted in manifest["counts"])

    @classmethod
    def build(cls, inputs: Inputs, manifest: dict[str, Any]) -> Iterator[File]:
        """The files, one after the other; ``manifest`` takes what belongs in none of them."""
        yield from ()

    @classmethod
    def write(cls, inputs: Inputs, folder: Path, manifest: dict[str, Any]) -> None:
        """Write the files of a new snapshot."""
        for name, values in cls.build(inputs, manifest):
            if isinstance(values, np.ndarray):
                np.save(folder / f"{name}.npy", np.ascontiguousarray(values))
            else:
                StringTable.write(folder, name, values)

    @classmethod
    def map(cls, snapshot: Section) -> None:
        """Map the files into memory, as attributes of the snapshot."""
        for name, dtype in _files(cls).items():
            if dtype is None:
                setattr(snapshot, name, StringTable.open(snapshot.folder, name))
                continue
            mapped = np.load(snapshot.folder / f"{name}.npy", mmap_mode="r")
            if mapped.dtype != dtype:
                raise ValueError(f"{name}.npy holds {mapped.dtype} where {dtype} is expected")
            # As a plain array: every slice of a memmap costs microseconds.
            setattr(snapshot, name, mapped.view(np.ndarray))

    def check(self) -> None:
        """Look whether the files fit each other, at a cost that does not grow with the graph."""


def require_lengths(length: int, *names: str, of: Section) -> None:
    """Raise a ValueError where a file has another length."""
    for name in names:
        if len(getattr(of, name)) != length:
            raise ValueError(f"{name} has {len(getattr(of, name))} entries, not {length}")


def indptr(ids: npt.NDArray[np.int32], size: int) -> npt.NDArray[np.int64]:
    """Where each of ``size`` ids begins and ends in the sorted ``ids``: int64 ``(size + 1,)``."""
    out = np.zeros(size + 1, np.int64)
    np.cumsum(np.bincount(ids, minlength=size), out=out[1:])
    return out


def _files(section: type[Section]) -> dict[str, np.dtype[Any] | None]:
    """Type of each array of a section; None for strings."""
    found: dict[str, np.dtype[Any] | None] = {}
    for name, hint in inspect.get_annotations(section, eval_str=True).items():
        if hint is StringTable:
            found[name] = None
        elif isinstance(hint, GenericAlias) and hint.__origin__ is np.ndarray:
            (scalar,) = get_args(hint.__args__[1])
            found[name] = np.dtype(scalar)
    return found
