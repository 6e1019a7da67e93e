"""Names of entities found in texts: which entity a name means, and which are named together.

Knows labels, types and neighbours of a snapshot; learns nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import sparse

from sightline.graph.arrays import Doubles, Flags, Ids
from sightline.graph.extraction.tokens import Hashes, Places, Words, joined
from sightline.graph.snapshot.reader import Snapshot
from sightline.graph.vocabulary import ALTERNATIVE_LABELS, LABEL_PROPERTIES

#: Words of the longest name that is looked for.
LONGEST_NAME = 10
#: A name of fewer letters, or of capitals alone up to the second, stands in texts as it is written.
SHORT, SHORT_CAPITALS = 4, 5
#: Where so much of what a type's capitalised names match has the capital, the rest is dropped.
PROPER = 0.8
#: A name that may mean several things means the best by at least so much.
MARGIN = 0.5
#: Entities of one sentence that are paired.
MOST_TOGETHER = 30
_SEMICOLONS = [ord(c) for c in ";；"]
_ASKS = frozenset("?？؟¿")
_FUNCTION_WORDS = """
a an the and or of in on at by to for from with as is are was were be been it its he she they we you
i his her their our this that these those not no if but so than then there here who what which when
"""


@dataclass(slots=True)
class Told:
    """What was found and left out while texts were linked.

    Attributes:
        names: that are looked for; ``unusable`` are one letter, a number or a function word.
        mentions: names found; ``resolved`` of them might mean several things and mean one by what
            stands around; ``ambiguous`` were left out.
        lower: lower-case words that are capitalised names elsewhere, left out.
    """

    names: int = 0
    unusable: int = 0
    mentions: int = 0
    resolved: int = 0
    ambiguous: int = 0
    lower: int = 0


@dataclass(frozen=True, slots=True)
class Names:
    """Names of entities by the hash of their words.

    Attributes:
        hash: sorted, uint64 ``(K,)``; equal where several entities have a name.
        entity, preferred: whose it is, and whether it is its label.
        exact, written: it must be written so, and the hash of that.
        capital: it begins with a capital.
        longest: words of the longest.
    """

    hash: Hashes
    entity: Ids
    preferred: Flags
    exact: Flags
    written: Hashes
    capital: Flags
    longest: int

    @classmethod
    def of(cls, snapshot: Snapshot, told: Told) -> Names:
        """The labels and further names of all entities of a snapshot."""
        entity, texts, preferred = _texts(snapshot)
        words = Words.of(texts)
        count = np.bincount(words.text, minlength=len(texts))
        first = np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.int64)
        whole, letters = np.zeros(len(texts), np.uint64), np.zeros(len(texts), np.int64)
        for place in range(LONGEST_NAME):
            there = count > place
            here = words.hash[np.where(there, first + place, 0)]
            whole = np.where(there, joined(whole, here) if place else here, whole)
        np.add.at(letters, words.text, words.end - words.start)
        function = set(Words.of(_FUNCTION_WORDS.split()).hash.tolist())
        is_function = np.array([h in function for h in words.hash.tolist()], np.bool_)
        content = np.bincount(words.text[~is_function], minlength=len(texts)) > 0
        named = np.array([any(map(str.isalpha, text)) for text in texts], np.bool_)
        upper = np.array([text.isupper() for text in texts], np.bool_)
        exact = (letters < SHORT) | (upper & (letters <= SHORT_CAPITALS))
        usable = named & (letters > 1) & (count <= LONGEST_NAME) & (content | upper)
        told.names, told.unusable = int(usable.sum()), int((~usable).sum())
        keep = np.flatnonzero(usable)
        written = np.zeros(len(texts), np.uint64)
        written[keep] = words.written(first[keep], first[keep] + count[keep] - 1)
        keep = keep[np.lexsort((entity[keep], whole[keep]))]
        capital = np.zeros(len(texts), np.bool_)
        capital[count > 0] = words.capital[first[count > 0]]
        longest = int(count[keep].max(initial=0))
        return cls(
            hash=whole[keep],
            entity=entity[keep],
            preferred=preferred[keep],
            exact=exact[keep],
            written=written[keep],
            capital=capital[keep],
            longest=longest,
        )


@dataclass(frozen=True, slots=True)
class Mentions:
    """Entities named in sentences, by sentence and place.

    Attributes:
        sentence, entity: int64 and int32 ``(M,)``.
        first, count: the number of the first word in all that are kept, and how many it has.
        word, word_sentence: hashes of the words of sentences that name two entities, and which.
        clause: int64, alike for words with no semicolon between them.
        asked: the sentence of each word asks.
    """

    sentence: Places
    entity: Ids
    first: Places
    count: Places
    word: Hashes
    word_sentence: Places
    clause: Places
    asked: Flags


@dataclass(frozen=True, slots=True)
class _Found:
    """Names in a batch of texts; ``low`` to ``high`` are their places in ``Names``."""

    text: Places
    first: Places
    count: Places
    low: Places
    high: Places


def find(names: Names, words: Words) -> _Found:
    """Every name in texts, of several that overlap the one that begins first, of those the
    longest."""
    parts: list[tuple[Places, ...]] = []
    running = words.hash
    for length in range(1, names.longest + 1):
        if length > 1:
            running = joined(running[:-1], words.hash[length - 1 :])
        low = np.searchsorted(names.hash, running)
        there = low < len(names.hash)
        there[there] = names.hash[low[there]] == running[there]
        at = np.flatnonzero(there)
        at = at[words.text[at] == words.text[at + length - 1]]
        high = np.searchsorted(names.hash, running[at], side="right")
        parts.append((at, np.full(len(at), length), low[at], high))
    at, count, low, high = (np.concatenate(column) for column in zip(*parts))
    owner, _ = _entries(names, words, _Found(words.text[at], at, count, low, high))
    fine = np.bincount(owner, minlength=len(at)) > 0
    at, count, low, high = (column[fine] for column in (at, count, low, high))
    order = np.lexsort((-count, at))
    keep, end = [], -1
    for place, begin, stop in zip(order.tolist(), at[order].tolist(), (at + count)[order].tolist()):
        if begin >= end:
            keep.append(place)
            end = stop
    chosen = np.array(keep, np.int64)
    return _Found(words.text[at[chosen]], at[chosen], *(x[chosen] for x in (count, low, high)))


def _entries(names: Names, words: Words, found: _Found) -> tuple[Places, Places]:
    """Which find and which of ``names``, of those that need not be written so, or are."""
    owner = np.repeat(np.arange(len(found.text)), found.high - found.low)
    entry = _ranges(found.low, found.high)
    written = words.written(found.first, found.first + found.count - 1)
    fine = ~names.exact[entry] | (names.written[entry] == written[owner])
    return owner[fine], entry[fine]


def link(
    snapshot: Snapshot, sentences: Sequence[str], document: Ids, told: Told, batch: int = 4000
) -> Mentions:
    """The entities that sentences name.

    Args:
        document: which document each sentence is in, int32 ``(S,)``.
        told: takes what was left out.
    """
    names = Names.of(snapshot, told)
    if not names.longest or not sentences:
        none = np.zeros(0, np.int64)
        ids, hashes, asks = none.astype(np.int32), none.astype(np.uint64), none.astype(np.bool_)
        return Mentions(none, ids, none, none, hashes, none, none, asks)
    rows: list[tuple[Places, ...]] = []
    kept: list[tuple[Hashes, Places, Places, Flags]] = []
    before = finds = 0
    for start in range(0, len(sentences), batch):
        words = Words.of(sentences[start : start + batch])
        found = find(names, words)
        several = np.bincount(found.text, minlength=batch) > 1
        wanted = several[words.text]
        place = before + np.cumsum(wanted) - 1
        owner, entry = _entries(names, words, found)
        opening = np.concatenate([[True], words.text[1:] != words.text[:-1]])
        of_find = (
            found.text[owner] + start,
            names.entity[entry].astype(np.int64),
            np.where(wanted, place, -1)[found.first[owner]],
            found.count[owner],
            names.preferred[entry].astype(np.int64),
            names.capital[entry].astype(np.int64),
            words.capital[found.first[owner]].astype(np.int64),
            opening[found.first[owner]].astype(np.int64),
            owner + finds,
        )
        rows.append(tuple(column.astype(np.int32) for column in of_find))
        clause = np.cumsum(np.isin(words.points, _SEMICOLONS), dtype=np.int64)[words.start]
        questions = [not _ASKS.isdisjoint(text) for text in sentences[start : start + batch]]
        asked = np.array(questions)[words.text]
        of = words.text[wanted] + start
        kept.append((words.hash[wanted], of, clause[wanted], asked[wanted]))
        before += int(wanted.sum())
        finds += len(found.text)
    columns = [np.concatenate(column) for column in zip(*rows)]
    # An entity may have a name in several spellings; as its label it says more.
    order = np.lexsort((-columns[4], columns[1], columns[8]))
    pair = np.stack([columns[8], columns[1]])[:, order]
    once = np.concatenate([[True], (pair[:, 1:] != pair[:, :-1]).any(axis=0)])
    columns = [column[order[once]] for column in columns] if len(order) else columns
    lower = _common_words(snapshot, columns)
    told.lower = len(np.unique(columns[8][lower]))
    columns = [column[~lower] for column in columns]
    chosen = _resolved(snapshot, columns, document, told)
    sentence, entity, first, count = (column[chosen].astype(np.int64) for column in columns[:4])
    told.mentions = len(chosen)
    all_words = (np.concatenate(column) for column in zip(*kept))
    return Mentions(sentence, entity.astype(np.int32), first, count, *all_words)


def _common_words(snapshot: Snapshot, columns: Sequence[Places]) -> Flags:
    """Finds in lower case of capitalised names of types whose names keep the capital."""
    _, entity, _, _, _, capital, upper, opening, _ = columns
    types = first_type(snapshot)[entity]
    told = (capital == 1) & (opening == 0)
    size = int(types.max(initial=0)) + 1
    seen = np.bincount(types[told], minlength=size)
    kept = np.bincount(types[told & (upper == 1)], minlength=size)
    proper = kept >= PROPER * np.maximum(seen, 1)
    common: Flags = proper[types] & (capital == 1) & (upper == 0)
    return common


def _resolved(snapshot: Snapshot, columns: Sequence[Places], document: Ids, told: Told) -> Places:
    """For each find the row of the entity that it means; none where that cannot be told.

    What speaks for an entity: neighbours that the same document names for certain, a type that has
    facts with the types of these, that the name is its label, and facts that it has.
    """
    sentence, entity, _, _, preferred, _, _, _, find_id = columns
    _, owner, size = np.unique(find_id, return_inverse=True, return_counts=True)
    sure = size[owner] == 1
    if sure.all():
        return np.arange(len(entity))
    s = snapshot
    shape = (s.num_entities, s.num_entities)
    near = sparse.csr_matrix((np.ones(s.num_edges, np.float32), (s.head, s.tail)), shape)
    near = near + near.T
    docs = document[sentence]
    shape = (int(document.max(initial=0)) + 1, s.num_entities)
    ones = np.ones(int(sure.sum()), np.float32)
    named = sparse.csr_matrix((ones, (docs[sure], entity[sure])), shape)
    named.data[:] = 1
    open_rows = np.flatnonzero(~sure)
    around = np.asarray(
        named[docs[open_rows]].multiply(near[entity[open_rows]]).sum(axis=1)
    ).ravel()
    types = first_type(s)
    pairs = sparse.csr_matrix(
        (np.ones(s.num_edges, np.float32), (types[s.head], types[s.tail])),
        (int(types.max(initial=0)) + 1,) * 2,
    )
    pairs = ((pairs + pairs.T) > 0).astype(np.float32)
    kinds = sparse.csr_matrix((ones, (docs[sure], types[entity[sure]])), (shape[0], pairs.shape[0]))
    fitting = np.asarray(
        kinds[docs[open_rows]].multiply(pairs[types[entity[open_rows]]]).sum(axis=1)
    ).ravel()
    score = 2 * np.log1p(around) + 0.5 * (fitting > 0) + 0.75 * preferred[open_rows]
    score = score + 0.25 * np.log1p(s.degree[entity[open_rows]])
    order = np.lexsort((-score, owner[open_rows]))
    group = owner[open_rows][order]
    best = np.concatenate([[True], group[1:] != group[:-1]])
    at = np.flatnonzero(best)
    ahead = score[order[at]] - score[order[np.minimum(at + 1, len(order) - 1)]]
    won = open_rows[order[at[ahead >= MARGIN]]]
    told.resolved, told.ambiguous = len(won), len(at) - len(won)
    return np.sort(np.concatenate([np.flatnonzero(sure), won]))


@dataclass(frozen=True, slots=True)
class Together:
    """Entities named in the same sentences.

    Attributes:
        one, other: int32 ``(P,)``, ``one < other``.
        sentences: that name both.
        pmi: pointwise mutual information in bits: how much more often than by chance.
    """

    one: Ids
    other: Ids
    sentences: Places
    pmi: Doubles


def together(mentions: Mentions, num_sentences: int) -> Together:
    """Which entities sentences name together; sentences that name very many are left out."""
    key = np.unique(np.stack([mentions.sentence, mentions.entity.astype(np.int64)]), axis=1)
    sentence, entity = key
    per = np.bincount(sentence, minlength=num_sentences)
    few = per[sentence] <= MOST_TOGETHER
    column, place = np.unique(entity[few], return_inverse=True)
    ones = np.ones(int(few.sum()), np.int32)
    shape = (num_sentences, len(column))
    matrix = sparse.csr_matrix((ones, (sentence[few], place)), shape)
    both = sparse.triu(matrix.T @ matrix, k=1).tocoo()
    alone = np.bincount(place, minlength=len(column))
    chance = alone[both.row] * alone[both.col] / max(num_sentences, 1)
    pmi = np.log2(both.data / chance) if len(both.data) else np.zeros(0)
    ids = column.astype(np.int32)
    return Together(ids[both.row], ids[both.col], both.data.astype(np.int64), pmi)


def _texts(snapshot: Snapshot) -> tuple[Ids, list[str], Flags]:
    """Whose, what, and whether it is a label: every name, and without what stands in brackets at
    its end, or an article before it."""
    s = snapshot
    wanted = [s.property_iris.find(iri) for iri in (*LABEL_PROPERTIES, *ALTERNATIVE_LABELS)]
    chosen = np.isin(s.attribute_property, [p for p in wanted if p is not None])
    at = np.flatnonzero(chosen)
    owner = np.searchsorted(s.attribute_indptr, at, side="right") - 1
    stated = s.attribute_value.take(at.tolist())
    labels = s.entity_labels.take(range(s.num_entities))
    found: dict[tuple[int, str], bool] = {}
    for entity, text in enumerate(labels):
        found[entity, text] = True
    for entity, text in zip(owner.tolist(), stated):
        found.setdefault((entity, text), False)
    for (entity, text), preferred in list(found.items()):
        bare = text.removeprefix("The ").removeprefix("the ")
        if bare.endswith(")") and " (" in bare:
            bare = bare[: bare.rindex(" (")]
        found.setdefault((entity, bare), preferred)
    keys = list(found)
    return (
        np.array([entity for entity, _ in keys], np.int32),
        [text[:200] for _, text in keys],
        np.array(list(found.values()), np.bool_),
    )


def first_type(snapshot: Snapshot) -> npt.NDArray[np.int64]:
    """int64 ``(N,)``: 1 + the first class of each entity, 0 for none."""
    s = snapshot
    start, end = s.type_indptr[:-1], s.type_indptr[1:]
    none = start == end
    if not len(s.type_class):
        return np.zeros(s.num_entities, np.int64)
    at = np.minimum(start, len(s.type_class) - 1)
    return np.where(none, 0, s.type_class[at].astype(np.int64) + 1)


def _ranges(low: Places, high: Places) -> Places:
    """The numbers from each ``low`` up to its ``high``, behind one another."""
    count = high - low
    before = np.repeat(np.cumsum(count) - count, count)
    places: Places = np.arange(int(count.sum())) - before + np.repeat(low, count)
    return places
