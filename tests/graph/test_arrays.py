"""What is asked of arrays everywhere."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from scipy import sparse

from sightline.graph.arrays import reached


def matrix(rows: list[int], columns: list[int], shape: tuple[int, int]) -> sparse.csr_array:
    return sparse.csr_array((np.ones(len(rows), np.bool_), (rows, columns)), shape)


@pytest.mark.parametrize("seed", range(5))
def test_what_is_reached_is_what_some_walk_leads_to(seed: int) -> None:
    """In graphs with circles and nodes that nothing leads to."""
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, 12, (2, 4 + 3 * seed)).tolist()
    start = matrix([0, 0, 1], [0, 5, 7], (3, 12))
    graph = nx.DiGraph(list(zip(*ends)))
    graph.add_nodes_from(range(12))

    def after(*nodes: int) -> set[int]:
        return {n for node in nodes for n in (node, *nx.descendants(graph, node))}

    found = reached(start, matrix(*ends, (12, 12)))
    rows = [set(found[[i]].indices.tolist()) for i in range(3)]
    assert rows == [after(0, 5), after(7), set()]


def test_a_chain_of_a_hundred_thousand_steps_takes_as_many_numbers() -> None:
    size = 100_000
    chain = matrix(list(range(size)), list(range(1, size + 1)), (size + 1, size + 1))
    assert reached(matrix([0], [0], (1, size + 1)), chain).nnz == size + 1
    everything = sparse.csr_array(sparse.eye_array(size + 1, dtype=np.bool_))
    assert 1_000_000 < reached(everything, chain, most=1_000_000).nnz < 4_000_000
