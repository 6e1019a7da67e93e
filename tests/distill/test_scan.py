"""The scan finds exactly what sorting every product would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from sightline.distill.student.quantise import quantise
from sightline.distill.student.scan import BLOCK, ScanTable

D = 8


def sorted_products(
    entity: np.ndarray, query: np.ndarray, k: int, exclude: np.ndarray
) -> list[tuple[int, float]]:
    wide = entity.astype(np.float64)
    read = [wide, *(10.0 * wide * np.roll(wide, shift, axis=1) for shift in (0, 1, 2))]
    parts = np.concatenate(read, axis=1)[:, : len(query)]
    products = (parts @ query.astype(np.float64)).astype(np.float32)
    rows = [row for row in range(len(entity)) if row not in exclude]
    return [(r, products[r]) for r in sorted(rows, key=lambda r: (-products[r], r))[:k]]


def check(entity: np.ndarray, query: np.ndarray, k: int, exclude: np.ndarray) -> None:
    rows, products = ScanTable.of(entity).top_k(query, k, exclude)
    assert rows.dtype == np.int32
    assert products.dtype == np.float32
    assert list(zip(rows.tolist(), products)) == sorted_products(entity, query, k, exclude)


#: Few numbers, exact in any order of summation, so that ties are many and rounding is none.
few = st.sampled_from([-2.0, -1.0, 0.0, 0.25, 1.0, 100.0])
vectors = st.integers(1, 3 * BLOCK).flatmap(
    lambda n: hnp.arrays(np.float32, (n, D), elements=few, fill=few)
)


@given(
    vectors,
    st.sampled_from([D, 4 * D]).flatmap(lambda n: hnp.arrays(np.float32, n, elements=few)),
    st.integers(0, 3 * BLOCK + 1),
    st.sets(st.integers(0, 3 * BLOCK)),
)
def test_ties_end_by_row_whatever_is_left_out(
    entity: np.ndarray, query: np.ndarray, k: int, exclude: set[int]
) -> None:
    check(entity, query, k, np.array(sorted(exclude), np.int32))


@pytest.mark.parametrize("spread", [0.0, 1.0, 5.0])
@pytest.mark.parametrize("width", [64, 256])
@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1, 5000])
def test_the_bound_never_hides_an_answer(size: int, width: int, spread: float) -> None:
    """Also where rows differ in size by many orders, and where all are nearly the same."""
    rng = np.random.default_rng(size)
    entity = rng.standard_normal((size, 64)) * np.exp(spread * rng.standard_normal((size, 1)))
    entity += 3.0
    for query in rng.standard_normal((20, width)).astype(np.float32):
        check(entity.astype(np.float32), query, 10, np.zeros(0, np.int32))


@pytest.mark.parametrize("width", [64, 256])
def test_a_whole_row_is_what_the_numbers_of_a_student_give(width: int) -> None:
    rng = np.random.default_rng(0)
    numbers, step = quantise(rng.standard_normal((BLOCK + 5, 64)).astype(np.float32))
    table = ScanTable.of(numbers * step)
    query = rng.standard_normal(width).astype(np.float32)
    best, products = table.top_k(query, BLOCK + 5, np.zeros(0, np.int32))

    assert table.exact
    assert table.scores(query)[best] == pytest.approx(products, rel=1e-4, abs=1e-3)
    assert not ScanTable.of(rng.standard_normal((5, 64)).astype(np.float32)).exact


def test_the_vectors_themselves_stay_as_they_are() -> None:
    entity = np.ones((3, D), np.float32)
    ScanTable.of(entity).top_k(np.ones(4 * D, np.float32), 1, np.zeros(0, np.int32))
    entity[0] = 2.0

    assert entity.flags.writeable
