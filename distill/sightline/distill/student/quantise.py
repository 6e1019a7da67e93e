"""A student's numbers as they are packed into a file: float32, or int8 with one scale per row.

Knows arrays; knows no file and no model. An int8 number stands for ``number * scale`` of its row,
the largest of a row being 127. Every matrix is packed so; vectors stay float32, they cost nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np
import numpy.typing as npt

from sightline.distill.student.arrays import StudentArrays
from sightline.graph.arrays import Floats

#: Arrays by the name of their field; beside an int8 matrix ``(n, m)`` stands its scale ``(n, 1)``.
Packed = Mapping[str, npt.NDArray[Any]]
SCALE = "_scale"
LARGEST = 127
FIELDS = [field.name for field in fields(StudentArrays)]


def pack(arrays: StudentArrays, *, int8: bool) -> Packed:
    """The arrays under their names, matrices as int8 where that is asked for."""
    packed: dict[str, npt.NDArray[Any]] = {}
    for name in FIELDS:
        array = np.asarray(getattr(arrays, name))
        if int8 and array.ndim == 2:
            packed[name], packed[name + SCALE] = quantise(array)
        else:
            packed[name] = array
    return packed


def unpack(packed: Packed) -> StudentArrays:
    """The float32 arrays that packed numbers stand for."""
    arrays = dict(packed)
    for name in FIELDS:
        if name + SCALE in packed:
            arrays[name] = packed[name] * packed[name + SCALE]
    return StudentArrays(*(arrays[name] for name in FIELDS))


def quantise(matrix: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """The nearest int8 numbers ``(n, m)`` and the scale of each row, float32 ``(n, 1)``."""
    largest = np.abs(matrix).max(axis=1, keepdims=True, initial=0.0)
    # A row of zeros stands for zeros under any scale that can be divided by.
    scale: Floats = np.maximum(largest / LARGEST, np.finfo(np.float32).tiny).astype(np.float32)
    return np.rint(matrix / scale).astype(np.int8), scale
