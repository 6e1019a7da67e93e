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
        detail: tells suspects of one kind about the same things apart.
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
    detail: str = ""

    def id_in(self, s: Snapshot) -> str:
        """12 hex digits of what it names, the same in every snapshot that holds it."""
        parts = [self.kind, self.detail]
        parts += [s.entity_iris[e] for e in self.entities]
        parts += [s.relation_iris[r] for r in self.relations]
        parts += [s.class_iris[c] for c in self.classes]
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


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
            self._judged = plausibility(self.snapshot, end)
        return self._judged

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
            yield from self._broken(constraint, broken, sure, blamed)

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
                case "asymmetric":
                    why = f"{{e0}} —{{r0}}→ {{e1}} is stated both ways, where {kept} are not"
                case _:
                    end, place = ("head", 0) if c.kind == "domain" else ("tail", 1)
                    types = " or ".join(f"{{c{i}}}" for i in range(len(c.classes)))
                    # It may well be one: only its type is missing.
                    why = f"{{e0}} —{{r0}}→ {{e1}}: its {end} {{e{place}}} is not stated to be "
                    why += f"of the type {types}, as that of {kept} facts is"
            if c.declared:
                why = why.partition(", where")[0].partition(", which")[0].partition(", as")[0]
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
                both / most,
                why,
                relations=(one, other),
                edges=tuple(examples),
                same="inverse relations" if inverse else "relations",
            )

    def _split(self, end: float) -> Iterator[Suspect]:
        """Entities of one name and type that have neighbours in common."""
        s = self.snapshot
        namesakes: dict[str, list[int]] = {}
        for entity, text in enumerate(s.entity_labels):
            namesakes.setdefault(normalise(text), []).append(entity)
        for name, group in namesakes.items():
            if not name or not 1 < len(group) <= MOST_NAMESAKES:
                continue
            if time.perf_counter() > end:
                raise OutOfTime
            around = [self._around(e) for e in group]
            types = [set(s.types_of(e).tolist()) for e in group]
            for i in range(len(group)):
                for j in range(i + 1, len(group)):
                    shared = len(around[i] & around[j])
                    few = min(len(around[i]), len(around[j]))
                    alike = types[i] & types[j] or not (types[i] or types[j])
                    if not shared or not alike:
                        continue
                    why = "{e0} and {e1} have one name"
                    why += ", one type" if types[i] & types[j] else ""
                    why += f" and share {shared} of {few} neighbours; they may be one thing"
                    certainty = (shared + 1) / (few + 2)
                    two = group[i], group[j]
                    edges = self._to(two, min(around[i] & around[j]))
                    yield Suspect(
                        "split", "medium", certainty, why, two, edges=edges, same="entities"
                    )

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
        alike = {(r, r, True) for r in np.flatnonzero(_both_ways(s)).tolist()}
        alike |= {(r, r, False) for r in range(s.num_relations)}
        for one, other, inverse, both, least in self._same_relations:
            if both >= LEAST_PAIRS and both >= SAME_PAIRS * least:
                alike |= {(one, other, inverse), (other, one, inverse)}
        n, r_all = np.int64(s.num_entities), np.int64(max(1, s.num_relations))
        stated = (s.head * n + s.tail) * r_all + s.relation
        rank = np.argsort(stated)
        stated = np.append(stated[rank], -1)
        for role in ("valid", "test"):
            triples = s.held_out(role)
            if not len(triples):
                continue
            head, relation, tail = triples.T
            for one, other, inverse in sorted(alike):
                asked = np.flatnonzero(relation == one)
                ends = (tail, head) if inverse else (head, tail)
                key = (ends[0][asked] * n + ends[1][asked]) * r_all + other
                at = np.searchsorted(stated[:-1], key)
                edges = rank[at[stated[at] == key]]
                if not len(edges):
                    continue
                how = ", read the other way," if inverse else ""
                held_out = "validation" if role == "valid" else role
                why = (
                    f"{len(edges):,} of {len(asked):,} {held_out} facts of {{r0}} can be read off "
                )
                why += f"the graph: {{r1}}{how} states the same pair"
                shown = tuple(edges[:SHOWN].tolist())
                yield Suspect(
                    "leakage",
                    "medium",
                    len(edges) / len(asked),
                    why,
                    relations=(one, other),
                    edges=shown,
                    detail=f"{role} {how}",
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
        for e, c in zip(entity_of[lacking].tolist(), s.type_class[lacking].tolist()):
            why = "{e0} has no label, where " + f"{with_label[c]:,} of {members[c]:,} {{c0}} do"
            certainty = float(with_label[c] / members[c])
            yield Suspect("unlabelled", "low", certainty, why, (e,), classes=(c,))
        bare = ~typed & ~has & (np.diff(s.attribute_indptr) == 0) & (np.diff(s.out_indptr) == 0)
        if typed.mean() >= NEARLY_ALL:
            for e in np.flatnonzero(bare).tolist():
                edges = tuple(s.in_edge[s.in_indptr[e] : s.in_indptr[e + 1]][:SHOWN].tolist())
                why = "{e0} is only pointed at: it has no label, no type and no fact of its own"
                certainty = float(typed.mean())
                yield Suspect("unlabelled", "low", certainty, why, (e,), edges=edges)

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
            why = f"{len(alone):,} of {s.num_entities:,} entities have no fact, such as {{e0}}"
            yield Suspect("isolated", "low", 1.0, why, tuple(alone[:SHOWN].tolist()))
        rank = np.argsort(part, kind="stable")
        bounds = np.append(0, np.cumsum(size))
        apart = np.flatnonzero((size > 1) & (size < size.max()))
        for p in apart[np.argsort(size[apart], kind="stable")][:MOST].tolist():
            members = rank[bounds[p] : bounds[p + 1]]
            why = f"{{e0}} and what it is linked with, {size[p]:,} entities, hang together with "
            why += "nothing else"
            certainty = 1 - float(size[p] / size.max())
            edges = tuple(expand_csr(s.out_indptr, members)[1][:SHOWN].tolist())
            yield Suspect(
                "isolated", "low", certainty, why, tuple(members[:SHOWN].tolist()), edges=edges
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


def _both_ways(s: Snapshot) -> Ids:
    """Whether each relation is symmetric."""
    same: Ids = s.one_rel[: s.num_relations] == s.one_rel[s.num_relations :]
    return same


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
