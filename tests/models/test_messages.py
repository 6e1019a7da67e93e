"""Messages of a graph: what is left of them, and their sums by target and directed relation."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sightline.models.data.messages import Messages
from sightline.models.members.network import RelationalConv

ENTITIES, SLOTS = 6, 4


@st.composite
def graphs(draw: st.DrawFn) -> tuple[Messages, torch.Tensor]:
    """Messages, parallel ones and loops included, and which of them are dropped."""
    row = st.integers(0, ENTITIES - 1)
    edges = draw(st.lists(st.tuples(row, st.integers(0, SLOTS - 1), row), max_size=25))
    source, rel, target = np.array(edges, np.int64).reshape(-1, 3).T
    dropped = draw(st.lists(st.booleans(), min_size=len(edges), max_size=len(edges)))
    messages = Messages(
        torch.from_numpy(np.stack([source, target])), torch.from_numpy(rel.copy()), ENTITIES
    )
    return messages, torch.tensor(dropped, dtype=torch.bool)


def plain(conv: RelationalConv, x: torch.Tensor, messages: Messages) -> torch.Tensor:
    """The layer message by message, as its docstring says it."""
    z = conv.down(x)
    heard = [torch.zeros_like(z[0]) for _ in range(ENTITIES)]
    count = [0] * ENTITIES
    for source, rel, target in zip(messages.ends[0], messages.rel, messages.ends[1]):
        heard[target] = heard[target] + z[source] * conv.rel_weight[rel]
        count[target] += 1
    mean = torch.stack([total / max(n, 1) for total, n in zip(heard, count)])
    return x + conv.up(torch.relu(conv.norm(z + mean)))


@settings(max_examples=60)
@given(graphs())
def test_a_layer_and_its_gradients_are_those_of_a_plain_loop(
    case: tuple[Messages, torch.Tensor],
) -> None:
    messages, dropped = case
    left = messages.without(dropped)
    torch.manual_seed(0)
    conv = RelationalConv(8, 4, SLOTS, dropout=0.0)
    torch.nn.init.normal_(conv.up.weight)
    x = torch.randn(ENTITIES, 8, requires_grad=True)
    inputs = [x, conv.down.weight, conv.rel_weight]
    direction = torch.linspace(-1, 1, ENTITIES * 8).reshape(ENTITIES, 8)
    found, wanted = conv(x, left), plain(conv, x, left)

    torch.testing.assert_close(found, wanted, rtol=1e-4, atol=1e-5)
    gradients = [
        torch.autograd.grad((out * direction).sum(), inputs, allow_unused=True)
        for out in (found, wanted)
    ]
    for mine, theirs in zip(*gradients):
        # A directed relation that no message reads has no gradient in the loop, and a zero here.
        theirs = torch.zeros_like(mine) if theirs is None else theirs
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-4)


def test_what_is_left_out_stays_out() -> None:
    ends, rel = torch.tensor([[0, 1, 2], [1, 2, 0]]), torch.tensor([0, 1, 0])
    some = Messages(ends, rel, 3).without(torch.tensor([True, False, False]))
    fewer = some.without(torch.tensor([False, False, True]))

    assert some.ends.tolist() == [[1, 2], [2, 0]]
    assert fewer.ends.tolist() == [[1], [2]]
    assert fewer.rel.tolist() == [1]
    assert fewer.received().tolist() == [0, 0, 1]


@pytest.mark.parametrize("rows", [[0], [5, 2]])
def test_some_rows_are_what_they_are_among_all(rows: list[int]) -> None:
    torch.manual_seed(1)
    ends = torch.randint(ENTITIES, (2, 20))
    messages = Messages(ends, torch.randint(SLOTS, (20,)), ENTITIES)
    conv = RelationalConv(8, 4, SLOTS, dropout=0.0)
    torch.nn.init.normal_(conv.up.weight)
    x = torch.randn(ENTITIES, 8)

    torch.testing.assert_close(conv(x, messages, torch.tensor(rows)), conv(x, messages)[rows])
