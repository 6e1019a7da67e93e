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


def pack(arrays: StudentArrays, *, int8: bool) -> Packed:
    """The arrays under their names, matrices as int8 where that is asked for."""
    packed: dict[str, npt.NDArray[Any]] = {}
    for field in fields(arrays):
        array = np.asarray(getattr(arrays, field.name))
        if int8 and array.ndim == 2:
            packed[field.name], packed[field.name + SCALE] = quantise(array)
        else:
            packed[field.name] = array
    return packed


def unpack(packed: Packed) -> StudentArrays:
    """The float32 arrays that packed numbers stand for."""
    return StudentArrays(*(dequantised(packed, field.name) for field in fields(StudentArrays)))


def dequantised(packed: Packed, name: str) -> Floats:
    """One array as float32."""
    array: Floats = packed[name].astype(np.float32, copy=False)
    return array * packed[name + SCALE] if name + SCALE in packed else array


def quantise(matrix: Floats) -> tuple[npt.NDArray[np.int8], Floats]:
    """The nearest int8 numbers ``(n, m)`` and the scale of each row, float32 ``(n, 1)``."""
    largest = np.abs(matrix).max(axis=1, keepdims=True, initial=0.0)
    # A row of zeros stands for zeros under any scale that can be divided by.
    scale: Floats = np.maximum(largest / LARGEST, np.finfo(np.float32).tiny).astype(np.float32)
    return np.rint(matrix / scale).astype(np.int8), scale
