"""Horn rules that the facts follow: ``lives_in(X, Y) <- works_at(X, A), located_in(A, Y)``.

Two forms. A *closed* rule joins the two ends of its head by up to three atoms. A rule with
*constants* says what an entity is like whom a fact is true of: ``treats(X, diabetes) <- binds(X,
PPARG)``, or ``<- binds(X, A)`` for whoever binds anything (the cyclic and acyclic rules of
AnyBURL, Meilicke et al. 2019, doi:10.24963/ijcai.2019/435). All entities of a closed rule differ,
so that no fact is a reason for itself; a relation and its inverse are one.

Confidence is the share of the pairs that a body joins which are facts, (support + 1) / (pairs + 2)
by Laplace's rule. The lower end of its interval says how sure a rule is: one that has seen little
is not very sure. Where a body joins too many pairs only some of its first entities are looked at,
and the rule says what share.

Knows arrays; knows no graph, no snapshot and no label.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from sightline.graph.arrays import Doubles, Flags, Floats, Ids, Offsets

#: Most atoms in a body.
LONGEST = 3
#: Quantile of the normal distribution of a two-sided interval of 95 %.
Z = 1.959963984540054

#: Counts.
Counts = npt.NDArray[np.integer]


class Rules(NamedTuple):
    """Mined rules, K of them by head, the surest first, then the shorter.

    Attributes:
        head: ``(K,)`` directed relations: forward in a closed rule.
        body: ``(K, 3)`` directed relations, from the first entity of the head to the second, -1
            behind the last.
        head_end, body_end: ``(K,)``: entities at the ends of head and body of a rule with
            constants; -1 at the head of a closed rule, and at a body that ends anywhere.
        support, pairs: ``(K,)``: facts among what the body joins, and how much that is; counted.
        share: ``(K,)``: of the sources of the body that were looked at.
    """

    head: Ids
    body: Ids
    head_end: Ids
    body_end: Ids
    support: Ids
    pairs: Ids
    share: Floats

    def take(self, order: Offsets | Flags) -> Rules:
        """Some of the rules, in an order."""
        columns: list[Any] = [column[order] for column in self]
        return Rules(*columns)


def confidence(support: Counts, pairs: Counts) -> Doubles:
    """Share of facts by Laplace's rule."""
    return (support + 1.0) / (pairs + 2.0)


def interval(support: Counts, pairs: Counts) -> tuple[Doubles, Doubles]:
    """Wilson's score interval of 95 % around the share of facts."""
    # Integers of 32 bits have no room for the square of 23,171 pairs.
    n = np.maximum(pairs, 1.0)
    share = support / n
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * np.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
