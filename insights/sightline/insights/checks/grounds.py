"""What every check of a graph rests on, and what it finds.

Knows the snapshot and what nearly all its facts keep; checks nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np

from sightline.graph.arrays import Doubles, Ids
from sightline.graph.mining.constraints import Constraints
from sightline.graph.mining.plausibility import Plausibility, plausibility
from sightline.graph.storage.workspace import SHAPES
from sightline.insights.records import FindingKind, Severity

if TYPE_CHECKING:
    from sightline.graph.snapshot.reader import Snapshot

#: Suspects of one kind that are kept, the likeliest.
MOST = 1000
#: Share that is taken to be wrong, before anything else is known about one, of the facts that break
#: what nearly all others keep: more than of all facts.
ERROR_RATE = 0.02
#: Something is named from this chance to be wrong; from the other on that is none of the small.
LEAST_CERTAINTY, NOT_SMALL = 0.1, 0.3
#: A contradiction is a grave one from this certainty.
SURE = 0.7
#: Facts that are shown as evidence.
SHOWN = 5
#: Characters of a text of a shape, or of a value that breaks one.
SAID = 200


@dataclass(frozen=True, slots=True)
class Suspect:
    """Something that looks wrong, in ids.

    Attributes:
        certainty: chance that it is wrong, 0 to 1.
        why: format of the sentence; ``{e0}`` and ``{r0}``, ``{c0}`` stand for the labels of
            entities, relations and classes.
        edges: the evidence.
        wrong: edges that the patch takes back; none where the graph does not say what is wrong.
        same: relations or entities that a patch would make one, and whether the second is read
            the other way.
        lacks: the entity lacks the class, which a patch would state.
        detail: tells suspects of one kind about the same things apart.
        read: number of the fact of a text that it is about, which no edge states.
    """

    kind: FindingKind
    severity: Severity
    certainty: float
    why: str
    entities: tuple[int, ...] = ()
    relations: tuple[int, ...] = ()
    classes: tuple[int, ...] = ()
    edges: tuple[int, ...] = ()
    wrong: tuple[int, ...] = ()
    same: Literal["entities", "relations", "inverse relations"] | None = None
    lacks: bool = False
    detail: str = ""
    read: int | None = None

    def id_in(self, s: Snapshot) -> str:
        """12 hex digits of what it names, the same in every snapshot that holds it."""
        parts = [self.kind, self.detail]
        parts += [s.entity_iris[e] for e in self.entities]
        parts += [s.relation_iris[r] for r in self.relations]
        parts += [s.class_iris[c] for c in self.classes]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


class Grounds:
    """What checks read.

    Args:
        constraints: what the facts keep; asked for when it is needed.
    """

    def __init__(self, snapshot: Snapshot, constraints: Callable[[], Constraints]) -> None:
        self.snapshot = snapshot
        self._constraints = constraints
        self.judged: Plausibility | None = None
        self.shapes = snapshot.folder.parents[1] / SHAPES

    @property
    def constraints(self) -> Constraints:
        """What nearly all facts keep."""
        return self._constraints()

    def judge(self, end: float) -> Plausibility:
        """How plausible each fact is; known to all checks from then on.

        Raises:
            OutOfTime
        """
        if self.judged is None:
            self.judged = plausibility(self.snapshot, end, self.read)
        return self.judged

    @cached_property
    def read(self) -> Ids:
        """Head, relation and tail of the facts of texts: ``(3, X)``."""
        s = self.snapshot
        if not s.num_extracted:
            return np.zeros((3, 0), np.int32)
        return np.stack([s.extracted_head, s.extracted_relation, s.extracted_tail])

    def wrongness(self, edges: Ids) -> Doubles:
        """The chance of edges that break a constraint to be wrong, NaN where nothing is known."""
        out = np.full(len(edges), np.nan)
        judged = self.judged
        if judged is not None and len(judged.edge):
            fact = self.snapshot.fact_of[edges]
            at = np.minimum(np.searchsorted(judged.edge, fact), len(judged.edge) - 1)
            known = judged.edge[at] == fact
            out[known] = wrongness(judged.chance[at[known]])
        return out

    @cached_property
    def same_relations(self) -> list[tuple[int, int, bool, int, int]]:
        """Pairs of relations that state the same pairs: the two, whether the second is read the
        other way, shared pairs, and pairs of the smaller one."""
        from scipy import sparse

        s = self.snapshot
        between = s.head != s.tail
        count = np.bincount(s.relation[between], minlength=s.num_relations)
        n = np.int64(s.num_entities)
        forward = s.head[between] * n + s.tail[between]
        backward = s.tail[between] * n + s.head[between]
        _, pair = np.unique(np.concatenate([forward, backward]), return_inverse=True)
        shape = (int(pair.max(initial=-1)) + 1, s.num_relations)
        ones = np.ones(len(forward), np.int64)
        there, back = (
            sparse.csr_array((ones, (side, s.relation[between])), shape)
            for side in np.split(pair, 2)
        )
        twins = s.one_rel[: s.num_relations], s.one_rel[s.num_relations :]
        out = []
        for inverse, shared in ((False, there.T @ there), (True, there.T @ back)):
            found = sparse.triu(shared, k=1).tocoo()
            for one, other, both in zip(found.row.tolist(), found.col.tolist(), found.data):
                if twins[0][one] == twins[int(inverse)][other]:
                    continue  # an ontology says so
                least = int(min(count[one], count[other]))
                out.append((one, other, inverse, int(both), least))
        return out


def wrongness(chance: Doubles) -> Doubles:
    """Chance that a fact is wrong that breaks what nearly all others keep, by the chance that it is
    a stated one and none with an end exchanged."""
    false = ERROR_RATE * (1 - chance)
    wrong: Doubles = false / (false + (1 - ERROR_RATE) * chance)
    return wrong


def plain(text: str) -> str:
    """A text as part of a sentence that is a format."""
    return " ".join(text.split())[:SAID].replace("{", "{{").replace("}", "}}")
