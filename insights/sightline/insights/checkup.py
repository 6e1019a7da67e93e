"""What looks wrong with a graph: contradictions, doubles, implausible facts, loose ends.

Every check reads arrays and gives suspects in ids; a suspect becomes a record when it is shown.
Knows the snapshot; knows no model and no portal.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Literal

import numpy as np

from sightline.graph.arrays import Doubles, Ids, expand_csr
from sightline.graph.mining.constraints import MOST_EXCEPTIONS, Constraint, Constraints
from sightline.graph.mining.plausibility import (
    LEAST_FACTS,
    OutOfTime,
    Plausibility,
    plausibility,
    warm,
)
from sightline.graph.snapshot.pairs import changes
from sightline.graph.snapshot.search import normalise
from sightline.graph.storage.workspace import SHAPES
from sightline.graph.vocabulary import LABEL_PROPERTIES, RDFS_LABEL, united
from sightline.insights.records import FindingKind, Severity

if TYPE_CHECKING:
    from pathlib import Path

    from sightline.graph.shapes.validate import Violation
    from sightline.graph.snapshot.reader import Snapshot

#: The check that all others may ask.
IMPLAUSIBLE = "implausible facts"
#: The check of the shapes that are kept, which may change while a snapshot is served.
KEPT = "shapes that are kept"
#: Suspects of one kind that are kept, the likeliest.
MOST = 1000
#: Share that is taken to be wrong, before anything else is known about one, of the facts that break
#: what nearly all others keep: more than of all facts.
ERROR_RATE = 0.02
#: Facts are named as implausible from this chance to be wrong; from the other on none is small.
LEAST_CERTAINTY, NOT_SMALL = 0.1, 0.3
#: Facts of texts are named from this chance to be misread, by their confidence and what the graph
#: says of them.
MISREAD = 0.5
#: Relations are one where they share this part of their pairs, of at least so many.
SAME_PAIRS, LEAST_PAIRS = 0.8, 10
#: Entities of one name are compared with each other up to so many.
MOST_NAMESAKES = 20
#: What nearly all others of a type have is missing where one has not.
NEARLY_ALL = 0.9
#: A contradiction is a grave one from this certainty.
SURE = 0.7
#: Facts that are shown as evidence.
SHOWN = 5
#: Characters of a text of a shape, or of a value that breaks one.
SAID = 200
#: How grave it is to break a shape.
SEVERITY: dict[str, Severity] = {"Violation": "high", "Warning": "medium", "Info": "low"}


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


@dataclass(frozen=True, slots=True)
class Foreign:
    """An edge an end of which lacks the types that a constraint asks for, and how sure that is."""

    edge: int
    constraint: Constraint
    sure: float


class Checkup:
    """The checks of one snapshot; what a check found is kept.

    Args:
        constraints: what its facts keep; asked for when it is needed.
    """

    def __init__(self, snapshot: Snapshot, constraints: Callable[[], Constraints]) -> None:
        self.snapshot = snapshot
        self._constraints = constraints
        self._lock = threading.Lock()
        self._done: dict[str, list[Suspect]] = {}
        self._judged: Plausibility | None = None
        self._shapes = snapshot.folder.parents[1] / SHAPES
        self._checked: tuple[int, int] | None = None
        if snapshot.num_edges >= LEAST_FACTS:
            warm()

    def suspects(self, end: float) -> tuple[list[Suspect], list[str]]:
        """Everything that looks wrong, the worst first, and what was not looked at.

        Args:
            end: when to give up, on the clock ``time.perf_counter``.
        """
        checks: dict[str, Callable[[float], Iterator[Suspect]]] = {
            IMPLAUSIBLE: self._implausible,
            "contradictions": self._contradictions,
            "facts of texts": self._misread,
            "duplicate relations": self._duplicates,
            "split entities": self._split,
            "leakage": self._leakage,
            "labels": self._unlabelled,
            "isolated parts": self._isolated,
            KEPT: self._violations,
        }
        missed: list[str] = []
        found: list[Suspect] = []
        with self._lock:
            if (stamp := _stamp(self._shapes)) != self._checked:
                self._checked = stamp
                self._done.pop(KEPT, None)
            for name, check in checks.items():
                kept = self._done.get(name)
                if kept is None:
                    # The dearest comes first, as others ask what it found; it leaves them time.
                    now = time.perf_counter()
                    until = now + (end - now) / 2 if name == IMPLAUSIBLE else end
                    try:
                        if now > end:
                            raise OutOfTime
                        kept = sorted(check(until), key=lambda x: -x.certainty)[:MOST]
                    except OutOfTime:
                        missed.append(name)
                        continue
                    if IMPLAUSIBLE not in missed:
                        self._done[name] = kept
                found += kept
        rank = {"high": 0, "medium": 1, "low": 2}
        found.sort(key=lambda x: (rank[x.severity], -x.certainty, x.kind, x.edges, x.entities))
        return _once(found), missed

    @property
    def too_few(self) -> str | None:
        """Why no fact is called implausible, where that is for want of facts."""
        facts = int((self.snapshot.fact_of == np.arange(self.snapshot.num_edges)).sum())
        if facts >= LEAST_FACTS:
            return None
        why = f"{facts} facts are too few to learn from, {LEAST_FACTS} would do"
        return f"{IMPLAUSIBLE} were not looked for: {why}"

    def _judge(self, end: float) -> Plausibility:
        if self._judged is None:
            self._judged = plausibility(self.snapshot, end, self._read)
        return self._judged

    @cached_property
    def _read(self) -> Ids:
        """Head, relation and tail of the facts of texts: ``(3, X)``."""
        s = self.snapshot
        if not s.num_extracted:
            return np.zeros((3, 0), np.int32)
        return np.stack([s.extracted_head, s.extracted_relation, s.extracted_tail])

    def _wrongness(self, edges: Ids) -> Doubles:
        """The chance of edges that break a constraint to be wrong, NaN where nothing is known."""
        out = np.full(len(edges), np.nan)
        judged = self._judged
        if judged is not None and len(judged.edge):
            fact = self.snapshot.fact_of[edges]
            at = np.minimum(np.searchsorted(judged.edge, fact), len(judged.edge) - 1)
            known = judged.edge[at] == fact
            out[known] = wrongness(judged.chance[at[known]])
        return out

    def _implausible(self, end: float) -> Iterator[Suspect]:
        judged = self._judge(end)
        wrong = judged.wrong
        for i in np.argsort(-wrong, kind="stable")[:MOST].tolist():
            if wrong[i] < LEAST_CERTAINTY:
                return
            edge = int(judged.edge[i])
            between, alike = int(judged.between[i]), judged.alike[i]
            why = "{e0} —{r0}→ {e1} has little to speak for it: "
            why += f"{between or 'no'} {'entity lies' if between == 1 else 'entities lie'} between "
            why += f"the two, and others share {alike[0]:.0%} of what {{e0}} is linked with "
            why += f"and {alike[1]:.0%} of what {{e1}} is"
            s = self.snapshot
            ends = int(s.head[edge]), int(s.tail[edge])
            relation = (int(s.relation[edge]),)
            certainty = float(wrong[i])
            severity: Severity = "medium" if certainty >= NOT_SMALL else "low"
            yield Suspect(
                "implausible", severity, certainty, why, ends, relation, (), (edge,), (edge,)
            )

    def _contradictions(self, end: float) -> Iterator[Suspect]:
        """Facts, and entities, that break what all others keep."""
        blamed: set[int] = set()
        untyped: dict[tuple[int, tuple[int, ...]], list[Foreign]] = {}
        # Those that one fact breaks alone come first: they tell which of several is wrong.
        several = ("functional", "inverse functional", "asymmetric")
        for constraint in sorted(self._constraints().found, key=lambda c: c.kind in several):
            if not constraint.exceptions or constraint.kind == "symmetric":
                continue
            broken = self._constraints().breaking(constraint)
            # The more exceptions there are, the less each is one.
            more = (constraint.exceptions - 1) / (MOST_EXCEPTIONS * constraint.support)
            sure = constraint.confidence * (1.0 if constraint.declared else 1 - more / 2)
            if constraint.relation is None:
                for entity in islice(broken.tolist(), MOST):
                    why = "{e0} is both {c0} and {c1}, which "
                    why += (
                        "an ontology declares to be disjoint"
                        if constraint.declared
                        else f"share {constraint.exceptions} of {constraint.support} entities"
                    )
                    why += "; it may be two things in one"
                    yield Suspect("merged", "high", sure, why, (entity,), (), constraint.classes)
                continue
            if constraint.kind in ("domain", "range"):
                ends = self.snapshot.head if constraint.kind == "domain" else self.snapshot.tail
                for edge in broken.tolist():
                    one = Foreign(edge, constraint, sure)
                    untyped.setdefault((int(ends[edge]), constraint.classes), []).append(one)
                    blamed.add(edge)
                continue
            yield from self._broken(constraint, broken, sure, blamed)
        for (entity, classes), facts in untyped.items():
            yield self._untyped(entity, classes, facts)

    def _untyped(self, entity: int, classes: tuple[int, ...], facts: Sequence[Foreign]) -> Suspect:
        """What lacks the type that others at the same end of its relations have.

        One fact may be wrong as well as its type may be missing; of several it is the type.
        """
        s = self.snapshot
        types = " or ".join(f"{{c{i}}}" for i in range(len(classes)))
        best = max(facts, key=lambda one: one.sure)
        c = best.constraint
        edges = tuple(dict.fromkeys(one.edge for one in facts))
        relations = tuple(dict.fromkeys(int(s.relation[edge]) for edge in edges))
        end, place = ("head", 0) if c.kind == "domain" else ("tail", 1)
        kept = f"{c.support - c.exceptions:,} of {c.support:,}"
        alone = len(edges) == 1
        if alone:
            why = f"{{e0}} —{{r0}}→ {{e1}}: its {end} {{e{place}}} is not stated to be of the type "
            why += types
            ends: tuple[int, ...] = (int(s.head[edges[0]]), int(s.tail[edges[0]]))
            usual = f", as that of {kept} facts is"
        else:
            ends = (entity,)
            why = f"{{e0}} is not stated to be of the type {types}; {len(edges):,} facts say that "
            why += "it is"
            best_at = relations.index(int(s.relation[best.edge]))
            usual = f": so is the {end} of {kept} facts of {{r{best_at}}}"
        if c.declared:
            usual = f", against what an ontology declares ({c.kind})"
        certainty = best.sure
        if alone and not c.declared:
            wrong = float(self._wrongness(np.array(edges, np.int32)).max())
            certainty *= 1.0 if np.isnan(wrong) else (3 + wrong) / 4
        return Suspect(
            "contradiction",
            "high" if alone and certainty >= SURE else "medium",
            certainty,
            why + usual,
            ends,
            relations,
            classes,
            edges[:SHOWN],
            edges if alone else (),
            lacks=not alone and len(classes) == 1,
            detail=c.kind if alone else "type",
        )

    def _misread(self, end: float) -> Iterator[Suspect]:
        """Facts of texts that break what others keep, or that the graph says too much against."""
        s, read = self.snapshot, self._read
        seen: set[int] = set()
        for c in self._constraints().found if s.num_extracted else ():
            for i in self._constraints().broken_by(c, *read).tolist():
                # It is right if it is an exception and was read right.
                certainty = 1 - (1 - c.confidence) * float(s.extracted_confidence[i])
                if i not in seen and certainty >= MISREAD:
                    seen.add(i)
                    why, edges = self._against(c, *read[:, i].tolist())
                    yield self._misreading(i, certainty, why, c.classes, edges)
        judged = self._judged
        if judged is None or not len(judged.asked):
            return
        sure = np.clip(s.extracted_confidence, 1e-4, 1 - 1e-4)
        wrong = 1 / (1 + sure / (1 - sure) * np.exp(judged.asked))  # NaN where nothing was learnt
        for i in np.flatnonzero(wrong >= MISREAD).tolist():
            if i not in seen:
                why = (
                    f"it was read with {sure[i]:.0%} confidence, and what else is linked so is not "
                )
                why += "linked as these are"
                yield self._misreading(i, float(wrong[i]), why)

    def _against(
        self, c: Constraint, head: int, relation: int, tail: int
    ) -> tuple[str, tuple[int, ...]]:
        """Why a new fact breaks a constraint, and the edges that it stands against."""
        s = self.snapshot
        kept = f"{c.support - c.exceptions:,} of {c.support:,}"
        said = "an ontology declares it" if c.declared else f"{kept} keep to that"
        own, back = (np.arange(*s.out_indptr[[end, end + 1]]) for end in (head, tail))
        into = s.in_edge[slice(*s.in_indptr[[tail, tail + 1]])]
        edges = own[:0]
        match c.kind:
            case "functional":
                edges = own[s.relation[own] == relation]
                why = f"{{e0}} has another {{r0}}, and things have one: {said}"
            case "inverse functional":
                edges = into[s.relation[into] == relation]
                why = f"{{e1}} is the {{r0}} of another, and things are it of one: {said}"
            case "irreflexive":
                why = f"nothing is its own {{r0}}: {said}"
            case "asymmetric":
                edges = back[(s.relation[back] == relation) & (s.tail[back] == head)]
                why = f"the reverse is stated, and {{r0}} leads one way: {said}"
            case _:
                end, place = ("head", 0) if c.kind == "domain" else ("tail", 1)
                types = " or ".join(f"{{c{i}}}" for i in range(len(c.classes)))
                why = f"its {end} {{e{place}}} is not stated to be of the type {types}: {said}"
        return why, tuple(edges[:SHOWN].tolist())

    def _misreading(
        self,
        i: int,
        certainty: float,
        why: str,
        classes: tuple[int, ...] = (),
        edges: tuple[int, ...] = (),
    ) -> Suspect:
        head, relation, tail = self._read[:, i].tolist()
        sentence = _plain(self.snapshot.extracted_text[i])
        why = f"{{e0}} —{{r0}}→ {{e1}} may be misread: {why} (“{sentence}”)"
        ends, of = (head, tail), (relation,)
        return Suspect("misread", "medium", certainty, why, ends, of, classes, edges, read=i)

    def _broken(
        self, c: Constraint, broken: Ids, sure: float, blamed: set[int]
    ) -> Iterator[Suspect]:
        s = self.snapshot
        assert c.relation is not None
        kept = f"{c.support - c.exceptions:,} of {c.support:,}"
        groups: Sequence[Ids]
        if c.kind in ("functional", "inverse functional"):
            anchor = (s.head if c.kind == "functional" else s.tail)[broken]
            groups = np.split(broken, np.flatnonzero(changes(anchor))[1:])
        elif c.kind == "asymmetric":
            low, high = (np.minimum, np.maximum)
            pair = np.lexsort((high(s.head, s.tail)[broken], low(s.head, s.tail)[broken]))
            groups = np.split(broken[pair], range(2, len(broken), 2))
        else:
            groups = np.split(broken, range(1, len(broken)))
        for group in groups[:MOST]:
            if not len(group):
                continue
            edges = group.tolist()
            head, tail = int(s.head[edges[0]]), int(s.tail[edges[0]])
            ends: tuple[int, ...] = (head, tail)
            match c.kind:
                case "functional":
                    why = f"{{e0}} has {len(edges)} values of {{r0}}, where {kept} have one"
                    ends = (head, *s.tail[group].tolist())
                case "inverse functional":
                    why = f"{{e0}} is the {{r0}} of {len(edges)}, where {kept} are it of one"
                    ends = (tail, *s.head[group].tolist())
                case "irreflexive":
                    why = f"{{e0}} —{{r0}}→ {{e0}} leads to itself, which {kept} facts do not"
                    ends = (head,)
                case _:
                    why = f"{{e0}} —{{r0}}→ {{e1}} is stated both ways, where {kept} are not"
            if c.declared:
                why = why.partition(", where")[0].partition(", which")[0]
                why += f", against what an ontology declares ({c.kind})"
            which = self._which(group, blamed)
            blamed.update(which)
            # What else is known of the facts counts as much as how rare the exception is.
            wrong = float(self._wrongness(group).max())
            certainty = sure
            if not np.isnan(wrong) and not c.declared and c.kind != "irreflexive":
                certainty *= (1 + wrong) / 2 if len(group) > 1 else (3 + wrong) / 4
            yield Suspect(
                "contradiction",
                "high" if certainty >= SURE else "medium",
                certainty,
                why,
                ends,
                (c.relation,),
                c.classes,
                tuple(edges),
                which,
                detail=c.kind,
            )

    def _which(self, edges: Ids, blamed: set[int]) -> tuple[int, ...]:
        """Of facts that cannot all hold the one that is likeliest wrong, where any is."""
        known = blamed.intersection(edges.tolist())
        if len(edges) == 1 or len(known) == 1:
            return tuple(known or edges.tolist())
        wrong = self._wrongness(edges)
        if np.isnan(wrong).any() or wrong.max() == np.sort(wrong)[-2]:
            return ()
        return (int(edges[np.argmax(wrong)]),)

    @cached_property
    def _same_relations(self) -> list[tuple[int, int, bool, int, int]]:
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

    def _duplicates(self, end: float) -> Iterator[Suspect]:
        s = self.snapshot
        count = np.bincount(s.relation, minlength=s.num_relations)
        for one, other, inverse, both, _ in self._same_relations:
            most = int(max(count[one], count[other]))
            if both < LEAST_PAIRS or both < SAME_PAIRS * most:
                continue
            how = "read the other way" if inverse else "too"
            why = f"{{r0}} and {{r1}} say the same: {both:,} of {most:,} facts are stated by the "
            why += f"other {how}"
            examples = np.flatnonzero(s.relation == one)[:SHOWN].tolist()
            yield Suspect(
                "duplicate relation",
                "medium",
                (both + 1) / (most + 2),
                why,
                relations=(one, other),
                edges=tuple(examples),
                same="inverse relations" if inverse else "relations",
            )

    def _split(self, end: float) -> Iterator[Suspect]:
        """Entities of one name and type that have neighbours in common, those of a name together.

        A neighbour counts by how few others have it. What has one value of a relation, as nearly
        all have, and another one than its namesake, is another thing.
        """
        s = self.snapshot
        namesakes: dict[str, list[int]] = {}
        for entity, text in enumerate(s.entity_labels):
            namesakes.setdefault(normalise(text), []).append(entity)
        weight = 1 - np.log(np.maximum(s.degree, 1)) / np.log(max(2, s.num_entities))
        functional = {
            int(c.relation)
            for c in self._constraints().found
            if c.kind == "functional" and c.relation is not None
        }
        for name, group in namesakes.items():
            if not name or not 1 < len(group) <= MOST_NAMESAKES:
                continue
            if time.perf_counter() > end:
                raise OutOfTime
            around = [self._around(e) for e in group]
            types = [set(s.types_of(e).tolist()) for e in group]
            values = [self._values(e, functional) for e in group]
            part = list(range(len(group)))
            pairs = []
            for i in range(len(group)):
                for j in range(i + 1, len(group)):
                    alike = types[i] & types[j] or not (types[i] or types[j])
                    differ = any(values[j].get(r, v) != v for r, v in values[i].items())
                    both = sorted(around[i] & around[j])
                    if not both or not alike or differ:
                        continue
                    few = min(weight[list(around[i])].sum(), weight[list(around[j])].sum())
                    certainty = float(weight[both].sum() / (few + 1))
                    if certainty < LEAST_CERTAINTY:
                        continue
                    pairs.append((certainty, i, j, both))
                    one, other = sorted((part[i], part[j]))
                    part = [one if p == other else p for p in part]
            for root in sorted({part[i] for _, i, _, _ in pairs}):
                own = [pair for pair in pairs if part[pair[1]] == root]
                certainty = min(pair[0] for pair in own)
                _, i, j, both = max(own)
                members = [group[m] for m in range(len(group)) if part[m] == root]
                # Those shown first are the likest.
                members = list(dict.fromkeys((group[i], group[j], *members)))
                why = "{e0} and "
                why += "{e1} have" if len(members) == 2 else f"{len(members) - 1} others have"
                why += " one name" + (", one type" if types[i] & types[j] else "")
                few = min(len(around[i]), len(around[j]))
                why += f" and share {len(both)} of {few} neighbours"
                why += "; they may be one thing" if len(members) == 2 else " or fewer; some may be"
                why += "" if len(members) == 2 else " one thing"
                rarest = max(both, key=lambda x: weight[x])
                yield Suspect(
                    "split",
                    "medium" if certainty >= NOT_SMALL else "low",
                    certainty,
                    why,
                    tuple(members),
                    edges=self._to(members[:2], rarest),
                    same="entities",
                )

    def _values(self, entity: int, relations: set[int]) -> dict[int, int]:
        """The value of each of some relations that an entity has one of."""
        s = self.snapshot
        span = slice(s.out_indptr[entity], s.out_indptr[entity + 1])
        found: dict[int, list[int]] = {}
        for relation, tail in zip(s.relation[span].tolist(), s.tail[span].tolist()):
            if relation in relations:
                found.setdefault(relation, []).append(tail)
        return {relation: tails[0] for relation, tails in found.items() if len(tails) == 1}

    def _around(self, entity: int) -> set[int]:
        s = self.snapshot
        out = s.tail[s.out_indptr[entity] : s.out_indptr[entity + 1]]
        into = s.in_head[s.in_indptr[entity] : s.in_indptr[entity + 1]]
        return {*out.tolist(), *into.tolist()} - {entity}

    def _to(self, entities: Sequence[int], other: int) -> tuple[int, ...]:
        """An edge between each of some entities and another one."""
        s = self.snapshot
        found = []
        for entity in entities:
            for one, two in ((entity, other), (other, entity)):
                span = slice(s.out_indptr[one], s.out_indptr[one + 1])
                found += (s.out_indptr[one] + np.flatnonzero(s.tail[span] == two))[:1].tolist()
        return tuple(found)

    def _leakage(self, end: float) -> Iterator[Suspect]:
        """Held-out facts that a relation of the same meaning gives away."""
        s = self.snapshot
        alike = {(r, r, True) for r in np.flatnonzero(s.symmetric).tolist()}
        alike |= {(r, r, False) for r in range(s.num_relations)}
        for one, other, inverse, both, least in self._same_relations:
            if both >= LEAST_PAIRS and both >= SAME_PAIRS * least:
                alike |= {(one, other, inverse), (other, one, inverse)}
        n, r_all = np.int64(s.num_entities), np.int64(max(1, s.num_relations))
        stated = (s.head * n + s.tail) * r_all + s.relation
        rank = np.argsort(stated)
        stated = np.append(stated[rank], -1)
        triples = {role: s.held_out(role).T for role in ("valid", "test")}
        for one, other, inverse in sorted(alike):
            given: dict[str, int] = {}
            asked: dict[str, int] = {}
            shown: list[int] = []
            for role, (head, relation, tail) in triples.items():
                of_it = np.flatnonzero(relation == one)
                ends = (tail, head) if inverse else (head, tail)
                key = (ends[0][of_it] * n + ends[1][of_it]) * r_all + other
                at = np.searchsorted(stated[:-1], key)
                edges = rank[at[stated[at] == key]]
                shown += edges[:SHOWN].tolist()
                if len(of_it):
                    given[role], asked[role] = len(edges), len(of_it)
            number, of = sum(given.values()), sum(asked.values())
            certainty = (number + 1) / (of + 2)
            if not number or certainty < LEAST_CERTAINTY:
                continue
            names = {"valid": "validation", "test": "test"}
            counted = (f"{given[x]:,} of {asked[x]:,} {names[x]} facts" for x in given)
            how = ", read the other way," if inverse else ""
            why = " and ".join(counted)
            why += f" of {{r0}} can be read off the graph: {{r1}}{how} states the same pair"
            yield Suspect(
                "leakage",
                "medium" if number >= LEAST_PAIRS and certainty >= SURE / 2 else "low",
                certainty,
                why,
                relations=(one, other),
                edges=tuple(shown[:SHOWN]),
                detail=how,
            )

    def _unlabelled(self, end: float) -> Iterator[Suspect]:
        """Entities without a label where nearly all of their type have one; labels of two."""
        s = self.snapshot
        iris = {*LABEL_PROPERTIES, RDFS_LABEL}
        labelling = np.array([iri in iris for iri in s.property_iris], np.bool_)
        if not labelling.any():
            return
        owner = np.repeat(np.arange(s.num_entities), np.diff(s.attribute_indptr))
        has = np.zeros(s.num_entities, np.bool_)
        has[owner[labelling[s.attribute_property]]] = True
        typed = np.diff(s.type_indptr) > 0
        entity_of = np.repeat(np.arange(s.num_entities), np.diff(s.type_indptr))
        members = np.bincount(s.type_class, minlength=len(s.class_iris))
        with_label = np.bincount(s.type_class[has[entity_of]], minlength=len(s.class_iris))
        usual = (members >= 10) & (with_label >= NEARLY_ALL * members)
        lacking = np.flatnonzero(usual[s.type_class] & ~has[entity_of])
        seen = np.zeros(s.num_entities, np.bool_)
        for c in np.unique(s.type_class[lacking]).tolist():
            own = entity_of[lacking[s.type_class[lacking] == c]]
            own = own[~seen[own]]
            seen[own] = True
            if not len(own):
                continue
            why = "{e0} has no label, where " + f"{with_label[c]:,} of {members[c]:,} {{c0}} do"
            if len(own) > 1:
                why = f"{len(own):,} of {members[c]:,} {{c0}} have no label, such as {{e0}}"
            certainty = float((with_label[c] + 1) / (members[c] + 2))
            few = tuple(own[:SHOWN].tolist())
            yield Suspect("unlabelled", "low", certainty, why, few, classes=(c,))
        bare = ~typed & ~has & (np.diff(s.attribute_indptr) == 0) & (np.diff(s.out_indptr) == 0)
        alone = np.flatnonzero(bare)
        if typed.mean() >= NEARLY_ALL and len(alone):
            why = "{e0} is only pointed at: it has no label, no type and no fact of its own"
            if len(alone) > 1:
                why = f"{len(alone):,} entities are only pointed at, such as {{e0}}: they have no "
                why += "label, no type and no fact of their own"
            few = tuple(alone[:SHOWN].tolist())
            into = (s.in_edge[s.in_indptr[e] : s.in_indptr[e + 1]][:1] for e in few)
            edges = tuple(int(edge) for found in into for edge in found)
            yield Suspect("unlabelled", "low", float(typed.mean()), why, few, edges=edges)

    def _isolated(self, end: float) -> Iterator[Suspect]:
        """Parts that no path leads to from the largest, and entities without a fact."""
        from scipy import sparse

        s = self.snapshot
        if not s.num_edges:
            return
        shape = (s.num_entities, s.num_entities)
        links = sparse.csr_array((np.ones(s.num_edges, np.bool_), (s.head, s.tail)), shape)
        _, part = sparse.csgraph.connected_components(links, directed=False)
        size = np.bincount(part)
        if size.max() * 2 <= s.num_entities:
            return  # a graph of many parts has none that is apart
        alone = np.flatnonzero(np.diff(s.out_indptr) + np.diff(s.in_indptr) == 0)
        if len(alone):
            # Where many have none, that is how the graph is.
            why = f"{len(alone):,} of {s.num_entities:,} entities have no fact, such as {{e0}}"
            few = tuple(alone[:SHOWN].tolist())
            yield Suspect("isolated", "low", 1 - len(alone) / s.num_entities, why, few)
        rank = np.argsort(part, kind="stable")
        bounds = np.append(0, np.cumsum(size))
        apart = np.flatnonzero((size > 1) & (size < size.max()))
        if not len(apart):
            return
        apart = apart[np.argsort(-size[apart], kind="stable")]
        members = rank[bounds[apart[0]] : bounds[apart[0] + 1]]
        most = int(size[apart[0]])
        why = f"{{e0}} and what it is linked with, {most:,} entities, hang together with nothing "
        why += "else"
        if len(apart) > 1:
            why = f"{len(apart):,} parts of {int(size[apart].min()):,} to {most:,} entities hang "
            why += "together with nothing else; the largest is {e0} and what it is linked with"
        certainty = 1 - float(size[apart].sum() / s.num_entities)
        edges = tuple(expand_csr(s.out_indptr, members)[1][:SHOWN].tolist())
        yield Suspect(
            "isolated",
            "low",
            certainty,
            why,
            tuple(members[:SHOWN].tolist()),
            edges=edges,
            detail="parts",
        )

    def _violations(self, end: float) -> Iterator[Suspect]:
        """What breaks the shapes that are kept in the workspace."""
        if not self._shapes.is_file():
            return
        from sightline.graph.record.errors import DamagedLoad
        from sightline.graph.shapes import check
        from sightline.graph.shapes.errors import ShapesUnusable
        from sightline.graph.shapes.validate import validate

        try:
            found = validate(self.snapshot, self._shapes, quick=True, end=end)
        except check.OutOfTime as error:
            raise OutOfTime from error
        except ShapesUnusable as error:
            why = f"the shapes that are kept cannot be used: {_plain(error.reason)}"
            yield Suspect("violation", "high", 1.0, why)
            return
        except DamagedLoad:
            why = "the shapes that are kept are not checked: a load of this graph is gone or "
            yield Suspect("violation", "high", 1.0, why + "damaged; `sightline verify` names it")
            return
        if found.others:
            names = ", ".join(_plain(self.snapshot.curie(name)) for name, _ in found.others)
            why = f"{len(found.others)} of {found.shapes} shapes that are kept are checked by "
            why += f"`sightline validate` alone: {names}"
            yield Suspect("violation", "low", 1.0, why)
        for one in found.results[:MOST]:
            yield self._violation(one)

    def _violation(self, one: Violation) -> Suspect:
        s = self.snapshot
        focus, value = (s.entity_iris.find(united(x or "")) for x in (one.focus, one.value))
        relation = s.relation_iris.find(united(one.path or ""))
        if focus is None or value == focus:
            value = None
        why = "{e0}" if focus is not None else _plain(s.curie(one.focus))
        why += f" does not keep the shape {_plain(s.curie(one.shape))}"
        if one.path is not None:
            why += " in " + ("{r0}" if relation is not None else _plain(s.curie(one.path)))
        why += f": {_plain(one.message)}"
        if one.value is not None and one.value != one.focus:
            shown = "{e1}" if value is not None else _plain(one.value)
            why += f" ({shown})"
        edges: tuple[int, ...] = ()
        if focus is not None and value is not None and relation is not None:
            own = np.arange(*s.out_indptr[[focus, focus + 1]])
            edges = tuple(own[(s.relation[own] == relation) & (s.tail[own] == value)].tolist())
        return Suspect(
            "violation",
            SEVERITY.get(one.severity, "low"),
            1.0,
            why,
            tuple(e for e in (focus, value) if e is not None),
            () if relation is None else (relation,),
            edges=edges,
            detail="\n".join(
                (one.focus, one.shape, one.path or "", one.value or "", one.constraint)
            ),
        )


def wrongness(chance: Doubles) -> Doubles:
    """Chance that a fact is wrong that breaks what nearly all others keep, by the chance that it is
    a stated one and none with an end exchanged."""
    false = ERROR_RATE * (1 - chance)
    wrong: Doubles = false / (false + (1 - ERROR_RATE) * chance)
    return wrong


def _plain(text: str) -> str:
    """A text as part of a sentence that is a format."""
    return " ".join(text.split())[:SAID].replace("{", "{{").replace("}", "}}")


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file does; None where there is none."""
    try:
        about = path.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size


def _once(found: list[Suspect]) -> list[Suspect]:
    """Suspects without those that would take back what one before them does."""
    seen: set[tuple[int, ...]] = set()
    kept = []
    for suspect in found:
        if suspect.wrong not in seen:
            kept.append(suspect)
        if suspect.wrong:
            seen.add(suspect.wrong)
    return kept
