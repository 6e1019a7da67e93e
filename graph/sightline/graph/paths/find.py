"""Ranked paths between two entities.

Knows what a path may be, when to stop and how an answer is made; knows no label and no model. The
search itself is in ``kernels``. A path is node-simple, edges are walked both ways, parallel edges
make distinct paths. Twins (``snapshot.pairs``) are one edge: the first that the filters allow is
walked. Directed relation ``r`` reads relation ``r`` from head to tail, directed relation
``r + num_relations`` from tail to head.

Two questions are answered. *All*: every path is found, shortest first, counted and added to its
metapath. *Best*: where time or memory does not allow that, more of the time goes into the k best
paths, best first, with branch and bound, and a tenth is left for showing them; the counts and
metapath scores are then lower bounds. The kernels run in slices; the clock is read between them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sightline.graph.arrays import Flags, Ids
from sightline.graph.errors import UsageError, require_range
from sightline.graph.paths import kernels
from sightline.graph.paths.chance import chance
from sightline.graph.paths.kernels import MAX_HOPS, MAX_K, Graph, Question, Rules, Space
from sightline.graph.paths.patterns import read_pattern, somewhere
from sightline.graph.progress import stop_if_cancelled
from sightline.graph.snapshot.kept import once_each
from sightline.graph.snapshot.pairs import changes
from sightline.graph.snapshot.reader import Snapshot

MAX_DEADLINE_MS = 60_000
#: Edges looked at between two looks at the clock: a few milliseconds.
SLICE_STEPS = 50_000
#: Edges looked at for many targets at once.
BATCH_STEPS = 200_000
#: Edges looked at per question, so that an answer is bounded on any machine.
MAX_STEPS = 2_000_000_000
#: Memory for one search, as Python and as the kernels hold it.
Scratch = tuple[Space, kernels.Memory]
#: The share of the time that a search may take; in the rest its answer is shown.
SEARCH = 0.9
#: How much lower every round of the search for the best paths looks than the one before.
LOWER = 0.1
_NO_RULES = Rules(
    np.zeros(0, np.bool_),
    np.zeros(0, np.bool_),
    np.zeros(0, np.bool_),
    np.zeros(0, np.int32),
    np.zeros((0, 0), np.int32),
    np.zeros(0, np.int32),
)


@dataclass(frozen=True, slots=True)
class Path:
    """One path of ``n`` edges.

    Attributes:
        entities: ``n + 1`` ids from source to target.
        edges: ``n`` edge ids.
        rels: ``n`` directed relations as walked.
        score: product of the edges' ``path_weight``, in (0, 1], to 12 digits.
    """

    entities: tuple[int, ...]
    edges: tuple[int, ...]
    rels: tuple[int, ...]
    score: float

    def turned(self, num_relations: int) -> Path:
        """The same path from target to source."""
        rels = tuple([(rel + num_relations) % (2 * num_relations) for rel in self.rels[::-1]])
        return Path(self.entities[::-1], self.edges[::-1], rels, self.score)


@dataclass(frozen=True, slots=True)
class Metapath:
    """All paths that walk the same directed relations.

    Attributes:
        rels: as ``Snapshot.one_rel`` numbers them.
        score: degree-weighted path count, the sum of the scores of its paths (DWPC, damping 0.4;
            Himmelstein and Baranzini 2015, doi:10.1371/journal.pcbi.1004259).
        count: number of its paths.
    """

    rels: tuple[int, ...]
    score: float
    count: int


@dataclass(frozen=True, slots=True)
class PathAnswer:
    """Paths and metapaths by score, then length, then ids.

    Attributes:
        paths: the best ``k``; a direct edge is always among them.
        metapaths: the best ``k`` by what was counted.
        found: number of paths counted.
        truncated: not everything was counted: ``found`` and the metapaths are lower bounds, and
            ``reason`` says why, and whether the paths are the best all the same.
    """

    paths: tuple[Path, ...]
    metapaths: tuple[Metapath, ...]
    found: int
    truncated: bool
    reason: str | None


_NO_PATH = PathAnswer((), (), 0, False, None)


def find_paths(
    snapshot: Snapshot,
    source: int,
    target: int,
    *,
    max_hops: int = 3,
    k: int = 10,
    include: Sequence[int] = (),
    anywhere: bool = False,
    exclude: Sequence[int] = (),
    types: Sequence[int] = (),
    edges: Flags | None = None,
    pattern: str | None = None,
    deadline_ms: float = 1000,
) -> PathAnswer:
    """The best paths from ``source`` to ``target`` of at most ``max_hops`` edges.

    Args:
        include: relation ids that may be walked; empty means all.
        anywhere: at least one step is of ``include``, the others are of any relation.
        exclude: relation ids that may not.
        types: class ids; if given, every entity between the ends has one of them.
        edges: bool ``(M,)``: the edges that may be walked; None means all. Degrees, and so scores,
            are those of the whole graph.
        pattern: relations from source to target in SPARQL's notation for property paths, as
            ``patterns`` describes it.
        deadline_ms: what has been found by then is the answer.

    Raises:
        OutOfRange: ``max_hops``, ``k`` or ``deadline_ms`` outside its range, or no such entity.
        BadPattern, UnknownRelation: the pattern cannot be read.
        UsageError: a pattern, and one step of ``include`` anywhere.
        Cancelled: nobody waits for the answer any more.
    """
    start = time.perf_counter()
    require_range("max_hops", max_hops, 1, MAX_HOPS)
    require_range("k", k, 1, MAX_K)
    require_range("deadline_ms", deadline_ms, 1, MAX_DEADLINE_MS)
    require_range("source", source, 0, snapshot.num_entities - 1)
    require_range("target", target, 0, snapshot.num_entities - 1)
    if anywhere and include and pattern is not None:
        raise UsageError("a pattern says every step; ask without it for one step of some relations")
    whole = () if anywhere else include
    rules = _rules(snapshot, whole, exclude, types, pattern)
    if anywhere and include:
        walk = somewhere(include, snapshot.num_relations)
        rels = rules.rels if len(rules.rels) else np.ones(2 * snapshot.num_relations, np.bool_)
        rules = rules._replace(
            rels=rels, symbol=walk.symbol, following=walk.following, need=walk.need
        )
    if edges is not None:
        rules = rules._replace(edges=edges)
    if source == target:
        return _NO_PATH
    question = Question(int(source), int(target), int(max_hops), int(k))
    engine = _engine_of(snapshot)
    scratch = engine.take()
    answer = _Search(engine.graph, rules, *scratch, question, (start, deadline_ms)).answer()
    engine.put_back(scratch)
    return answer


def paths_to_each(
    snapshot: Snapshot,
    source: int,
    targets: Sequence[int],
    *,
    max_hops: int = 3,
    k: int = 10,
    deadline_ms: float = 1000,
    each_ms: float = 1000,
) -> list[tuple[tuple[Path, ...], str | None] | None]:
    """The ``paths`` and ``reason`` that ``find_paths`` answers for each target, for less: what is
    around the source is gathered once.

    Args:
        deadline_ms: for all of them; those that are not searched by then are None.
        each_ms: for one of them.

    Raises:
        OutOfRange, Cancelled: as ``find_paths``.
    """
    start = time.perf_counter()
    require_range("max_hops", max_hops, 1, MAX_HOPS)
    require_range("k", k, 1, MAX_K)
    for entity in (source, *targets):
        require_range("target", entity, 0, snapshot.num_entities - 1)
    answers: list[tuple[tuple[Path, ...], str | None] | None] = []
    while len(answers) < len(targets):
        stop_if_cancelled()
        if 1000 * (time.perf_counter() - start) > deadline_ms - 1:
            return answers + [None] * (len(targets) - len(answers))
        answers += _quickly(snapshot, source, targets[len(answers) :], max_hops, k)
        if len(answers) < len(targets):  # the next one takes longer than most
            limit = min(each_ms, max(1, deadline_ms - 1000 * (time.perf_counter() - start)))
            target = targets[len(answers)]
            answer = find_paths(snapshot, source, target, max_hops=max_hops, k=k, deadline_ms=limit)
            answers.append((answer.paths, answer.reason))
    return answers


def _quickly(
    snapshot: Snapshot, source: int, targets: Sequence[int], max_hops: int, k: int
) -> list[tuple[tuple[Path, ...], None]]:
    """The best paths to the first so many targets that take little work."""
    n = len(targets)
    rows, scores = np.empty((n, k, kernels.WIDTH), np.int32), np.empty((n, k))
    found = rows, scores, np.empty(n, np.int64), np.empty(n, np.bool_)
    question, ends = (int(source), -1, int(max_hops), int(k)), np.array(targets, np.int64)
    engine = _engine_of(snapshot)
    scratch = engine.take()
    done = kernels.begin_each(scratch[1], question, ends, found, BATCH_STEPS)
    engine.put_back(scratch)
    answers = []
    for target, row, score, held, direct in zip(targets[:done], *(a.tolist() for a in found)):
        paths = [_path_of(*path) for path in zip(row[:held], score)]
        if direct and not any(len(path.edges) == 1 for path in paths):
            paths[-1:] = find_paths(snapshot, source, target, max_hops=1, k=1).paths
        answers.append((tuple(paths), None))
    return answers


def warm(snapshot: Snapshot) -> None:
    """Compile, or load from the cache, what path questions run; then no user waits for it."""
    if snapshot.num_entities < 2:
        return
    engine = _engine_of(snapshot)
    scratch = engine.take()
    question = Question(0, snapshot.num_entities - 1, 1, 1)
    search = _Search(engine.graph, _NO_RULES, *scratch, question, (time.perf_counter(), 60_000))
    search.answer()
    search.count(kernels.FULL)
    search.improve([])
    engine.put_back(scratch)
    paths_to_each(snapshot, 0, [1])
    between = np.flatnonzero(snapshot.head != snapshot.tail)
    if snapshot.manifest["copies"] and len(between):
        edge = snapshot.fact_of[between[0]]
        rel = int(snapshot.one_rel[snapshot.relation[edge]])
        chance(snapshot, int(snapshot.head[edge]), int(snapshot.tail[edge]), [rel])


class _Engine:
    """A snapshot's arrays for the kernels, and memory for as many searches as ever ran at once."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.graph = Graph(
            **{name: np.asarray(getattr(snapshot, name)) for name in Graph._fields[:-3]},
            degree=(np.diff(snapshot.out_indptr) + np.diff(snapshot.in_indptr)).astype(np.int32),
            twin=_twins(snapshot),
            num_relations=snapshot.num_relations,
        )
        self._max_degree = int(self.graph.degree.max())
        self._spare: list[Scratch] = []

    def take(self) -> Scratch:
        try:
            return self._spare.pop()
        except IndexError:
            space = kernels.new_space(len(self.graph.degree), self._max_degree)
            return space, kernels.new_memory(self.graph, space)

    def put_back(self, scratch: Scratch) -> None:
        self._spare.append(scratch)


def _twins(snapshot: Snapshot) -> Ids:
    """The twin before each edge, -1 for none: int32 ``(M,)``; empty if no edge has one."""
    if not len(snapshot.twin_edge):
        return snapshot.twin_edge
    order = np.argsort(snapshot.twin_of, kind="stable")
    edge, fact = snapshot.twin_edge[order], snapshot.twin_of[order]
    before = np.full(snapshot.num_edges, -1, np.int32)
    before[edge] = np.where(changes(fact), fact, np.roll(edge, 1))
    return before


_engine_of = once_each(_Engine)


def _rules(
    snapshot: Snapshot,
    include: Sequence[int],
    exclude: Sequence[int],
    types: Sequence[int],
    pattern: str | None,
) -> Rules:
    rules = _NO_RULES
    if len(include) or len(exclude):
        relations = np.full(snapshot.num_relations, not len(include))
        relations[list(include)] = True
        relations[list(exclude)] = False
        rules = rules._replace(rels=np.tile(relations, 2))
    if len(types):
        classes = np.zeros(len(snapshot.class_iris), np.bool_)
        classes[list(types)] = True
        rules = rules._replace(classes=classes)
    if pattern is not None:
        walk = read_pattern(pattern, snapshot)
        rels = (walk.symbol > 0) & (rules.rels if len(rules.rels) else True)
        rules = rules._replace(
            rels=rels, symbol=walk.symbol, following=walk.following, need=walk.need
        )
    return rules


@dataclass(frozen=True, slots=True)
class _Search:
    """One question. ``clock``: when it was asked, by ``perf_counter``; milliseconds it may take."""

    _graph: Graph
    _rules: Rules
    _space: Space
    _memory: kernels.Memory
    _question: Question
    _clock: tuple[float, float]

    def answer(self) -> PathAnswer:
        """Count all paths; where that is too much, look for the best ones."""
        status = self._begin(self._question)
        cut = self.count(status) if status else None
        state = self._space.state
        found, direct = int(state[kernels.FOUND]), state[kernels.DIRECT] > 0
        if cut is None and not found:
            return _NO_PATH
        paths, metapaths = self._paths(), self._metapaths()
        if cut is not None:
            paths, best = self.improve(paths)
            cut += "; the paths are the best all the same" if best else ""
        if direct and not any(len(path.edges) == 1 for path in paths):
            self._begin(self._question._replace(max_hops=1, k=1))
            paths[-1:] = self._paths()
        return PathAnswer(tuple(paths), metapaths, found, cut is not None, cut)

    def count(self, status: int) -> str | None:
        """Go on counting until half of the time is over. Returns what was too little, if so."""
        limit = None
        while status == kernels.PAUSED and not (limit := self._limit(0.5)):
            status = self._explore()
        if status == kernels.FULL:
            limit = f"the limit of {kernels.MAX_METAPATHS:,} metapaths"
        length = self._space.state[kernels.LENGTH]
        kernels.rank(self._graph, self._space, self._question.k)
        if limit:
            return f"{limit} cut the count at length {length}"
        kernels.reset(self._space)
        return None

    def improve(self, paths: list[Path]) -> tuple[list[Path], bool]:
        """Use the rest of the time to find better paths than these.

        Looks for paths of at least some score, then of lower and lower scores, so that what is
        found first is good. Returns the best k, and whether there can be none better.
        """
        space, k = self._space, self._question.k
        enough = min((path.score for path in paths), default=0.0) if len(paths) == k else 0.0
        found, done = {path.edges: path for path in paths}, False
        kernels.guide(space)
        while kernels.settle(self._graph, self._rules, space, SLICE_STEPS) and not self._limit():
            pass
        floor = space.worth[kernels.HOPE]
        while not done and not self._limit():
            floor *= LOWER
            kernels.restart(space, max(floor, enough))
            while (status := self._explore()) and not self._limit():
                pass
            found |= {path.edges: path for path in self._paths()}
            done = not status and (space.state[kernels.PATHS] == k or not space.state[kernels.CUT])
        kernels.reset(space)
        best = sorted(found.values(), key=lambda path: (-path.score, len(path.edges), path.edges))
        return best[:k], bool(done)

    def _begin(self, question: Question) -> int:
        return int(kernels.begin(self._memory, tuple(self._rules), tuple(question), SLICE_STEPS))

    def _explore(self) -> int:
        graph, rules, space, question = self._graph, self._rules, self._space, self._question
        return int(kernels.explore(graph, rules, space, question, SLICE_STEPS))

    def _limit(self, share: float = SEARCH) -> str | None:
        """The limit that is reached, if one is: a share of the time, or the number of steps."""
        stop_if_cancelled()
        if self._past(share):
            return f"the deadline of {self._clock[1]:g} ms"
        if self._space.state[kernels.STEPS] > MAX_STEPS:
            return f"the limit of {MAX_STEPS:,} steps"
        return None

    def _past(self, share: float) -> bool:
        start, deadline_ms = self._clock
        return 1000 * (time.perf_counter() - start) > share * deadline_ms

    def _paths(self) -> list[Path]:
        top, order = self._space.paths, self._space.paths.order[: self._space.state[kernels.PATHS]]
        return [_path_of(*row) for row in zip(top.rows[order].tolist(), top.score[order].tolist())]

    def _metapaths(self) -> tuple[Metapath, ...]:
        top, counts = self._space.metapaths, self._space.counts
        order = top.order[: self._space.state[kernels.BEST_METAPATHS]]
        return tuple(
            Metapath(tuple(row[1 : 1 + row[0]]), score, int(counts[row[-1]]))
            for row, score in zip(top.rows[order].tolist(), top.score[order].tolist())
        )


def _path_of(row: list[int], score: float) -> Path:
    """The path in a row of ``kernels``."""
    n, columns = row[0], (kernels.ENTITIES, kernels.EDGES, kernels.RELS)
    entities, edges, rels = (tuple(row[at : at + n]) for at in columns)
    return Path((*entities, row[kernels.ENTITIES + n]), edges, rels, score)
