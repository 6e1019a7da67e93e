"""The best answers to many questions and what calibration reads of each, compiled: each row of
scores is gone through a few times and nothing as long as it is made.

Knows scores and numbers of answers; knows no curve and no graph.
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np

from sightline.distill.wide import wide

#: Scores looked at together: where none is high enough, all are passed over at once.
CHUNK = 64
#: Compared by one instruction.
LANES = 16
#: 2 to the power of x, -0.5 to 0.5: the terms of its Taylor series, the last 1e-8 at most.
TERMS = tuple(np.float32(math.log(2) ** n / math.factorial(n)) for n in range(8))
LOG2E = np.float32(1 / math.log(2))
#: No float32 number is smaller than 2 to this power and as exact.
LEAST_POWER = np.float32(-126)

_kernel = numba.njit(cache=True, nogil=True, fastmath={"contract"})
#: Adds up in an order of the compiler's, which is the same for all rows.
_reduce = numba.njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})


@_kernel
def log_total(row: Any) -> float:
    """The logarithm of the sum of the exponentials of scores, float32 ``(N,)``: float64."""
    return _log_total(row, _highest(row).max())


@_kernel
def _log_total(row: Any, top: Any) -> float:
    wide()
    if not -math.inf < top < math.inf:
        return float(top)
    total = 0.0
    power, value = np.empty(CHUNK, np.int32), np.empty(CHUNK, np.float32)
    scale = power.view(np.float32)
    for start in range(0, len(row), CHUNK):
        part = row[start : start + CHUNK]
        for i in range(len(part)):
            x = (part[i] - top) * LOG2E
            x = x if x > LEAST_POWER else LEAST_POWER
            whole = np.int32(x - np.float32(0.5))
            x -= np.float32(whole)
            # As a float32 number this is 2 to the power of ``whole``.
            power[i] = (whole + np.int32(127)) << np.int32(23)
            y = TERMS[7]
            y = y * x + TERMS[6]
            y = y * x + TERMS[5]
            y = y * x + TERMS[4]
            y = y * x + TERMS[3]
            y = y * x + TERMS[2]
            y = y * x + TERMS[1]
            value[i] = y * x + TERMS[0]
        total += _summed(value, scale, len(part))
    return float(top) + math.log(total)


@_kernel
def _highest(row: Any) -> Any:
    """The highest score of each chunk: float32."""
    wide()
    found, lanes = np.empty(-(-len(row) // CHUNK), np.float32), np.empty(LANES, np.float32)
    for chunk in range(len(found)):
        part = row[chunk * CHUNK : (chunk + 1) * CHUNK]
        if len(part) < CHUNK:
            found[chunk] = -np.inf
            for value in part:
                found[chunk] = _higher(value, found[chunk])
            break
        for j in range(LANES):
            one = _higher(part[j], part[LANES + j])
            lanes[j] = _higher(one, _higher(part[2 * LANES + j], part[3 * LANES + j]))
        for j in range(LANES // 2):
            lanes[j] = _higher(lanes[j], lanes[LANES // 2 + j])
        for j in range(LANES // 4):
            lanes[j] = _higher(lanes[j], lanes[LANES // 4 + j])
        one, other = _higher(lanes[0], lanes[1]), _higher(lanes[2], lanes[3])
        found[chunk] = _higher(one, other)
    return found


@_kernel
def _higher(one: Any, other: Any) -> Any:
    return one if one > other else other


@_reduce
def _summed(value: Any, scale: Any, count: int) -> Any:
    total = np.float32(0)
    for i in range(count):
        total += value[i] * scale[i]
    return total


@_kernel
def choose(
    scores: Any,
    fits: Any,
    fit_of: Any,
    own: Any,
    stated: Any,
    stated_at: Any,
    without: Any,
    without_at: Any,
    bound: Any,
    k: int,
) -> Any:
    """The best ``k`` answers to each of B questions, best first, ties by number.

    Probability and rank are taken among all answers that are not stated; chosen are those that fit.

    Args:
        scores: float32 ``(B, N)``; what is stated is -inf afterwards.
        fits: bool ``(F, N)``: what makes sense; ``fit_of``: which row is a question's.
        own: the number of who is asked about, who is no answer; -1: has none.
        stated, stated_at: numbers of stated answers, question after question, -1 for one that has
            none, and where those of each begin, ``(B + 1,)``.
        without, without_at: the same of what is not to be chosen.
        bound: float64 ``(B,)``: surprisals; none, ``(0,)``, where nothing is to be counted.

    Returns:
        Numbers int32 and scores float32 ``(B, k)``; log-probabilities and ranks float64 ``(B, k)``;
        int64 ``(B, 3)``: how many were chosen, and of the answers that fit how many there are and
        how many have a surprisal of at most ``bound``; scores of what is stated, NaN for what has
        no number.
    """
    asked, entities = scores.shape
    k = min(k, entities)
    rows, score = np.full((asked, k), entities, np.int32), np.empty((asked, k), np.float32)
    log_probability, rank = np.empty((asked, k)), np.empty((asked, k))
    counts, said = np.zeros((asked, 3), np.int64), np.empty(len(stated), np.float32)
    for q in range(asked):
        row, fit = scores[q], fits[fit_of[q]]
        for i in range(stated_at[q], stated_at[q + 1]):
            said[i] = row[stated[i]] if stated[i] >= 0 else np.float32(np.nan)
        for i in range(stated_at[q], stated_at[q + 1]):
            if stated[i] >= 0:
                row[stated[i]] = -np.inf
        tops = _highest(row)
        total = _log_total(row, tops.max())
        aside = np.append(without[without_at[q] : without_at[q + 1]], own[q])
        aside = aside[aside >= 0]
        kept = row[aside]
        row[aside] = -np.inf
        if len(bound):
            _count(row, fit, total - bound[q], counts[q])
        _choose(row, fit, tops, score[q], rows[q])
        row[aside] = kept
        for j in range(k):
            if score[q, j] == -np.inf:
                break
            counts[q, 0] += 1
            log_probability[q, j] = score[q, j] - total
        _rank(row, tops, score[q, : counts[q, 0]], rank[q])
    return rows, score, log_probability, rank, counts, said


@_kernel
def _count(row: Any, fit: Any, least: float, counts: Any) -> None:
    """How many fitting scores there are, and how many of ``least`` or more."""
    possible = within = 0
    for i in range(len(row)):
        there = fit[i] and row[i] > -np.inf
        possible += there
        within += there and row[i] >= least
    counts[1], counts[2] = possible, within


@_kernel
def _choose(row: Any, fit: Any, tops: Any, score: Any, rows: Any) -> None:
    """The best fitting scores in ``score``, -inf where there are no more, and their places."""
    k = len(score)
    score[:] = -np.inf
    if k == 0:
        return
    # The chunks with the highest scores first: of the others hardly one is looked into then.
    highest, first, left = score.copy(), rows.copy(), tops.copy()
    for chunk in range(len(tops)):
        if tops[chunk] > highest[0]:
            _sink(highest, first, k, tops[chunk], chunk)
    for chunk in first:
        if chunk < len(tops):
            _look(row, fit, chunk, score, rows)
            left[chunk] = -np.inf
    for chunk in range(len(tops)):
        if left[chunk] >= score[0] and left[chunk] > -np.inf:
            _look(row, fit, chunk, score, rows)
    for size in range(k - 1, 0, -1):
        last, place = score[size], rows[size]
        score[size], rows[size] = score[0], rows[0]
        _sink(score, rows, size, last, place)


@_kernel
def _look(row: Any, fit: Any, chunk: int, score: Any, rows: Any) -> None:
    """Take what is better than the worst of a heap, its first, and fits: higher, or as high and of
    a lower place."""
    for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(row))):
        better = row[i] > score[0] or (row[i] == score[0] and i < rows[0])
        if better and fit[i] and -np.inf < row[i] < np.inf:
            _sink(score, rows, len(score), row[i], i)


@_kernel
def _sink(score: Any, rows: Any, size: int, value: Any, place: int) -> None:
    """Put a score where it belongs in a heap of so many, in the place of its first."""
    at = 0
    while True:
        below = 2 * at + 1
        if below >= size:
            break
        other = below + 1
        if other < size and (
            score[other] < score[below]
            or (score[other] == score[below] and rows[other] > rows[below])
        ):
            below = other
        if value < score[below] or (value == score[below] and place > rows[below]):
            break
        score[at], rows[at] = score[below], rows[below]
        at = below
    score[at], rows[at] = value, place


@_kernel
def _rank(row: Any, tops: Any, score: Any, rank: Any) -> None:
    """1 and how many of a row are higher than each of some scores, highest first."""
    count = len(score)
    if count == 0:
        return
    rank[:count] = 0
    rank[0] = 1
    worst = score[count - 1]
    for chunk in range(len(tops)):
        if not tops[chunk] > worst:
            continue
        for i in range(chunk * CHUNK, min((chunk + 1) * CHUNK, len(row))):
            if row[i] > worst:
                # The first that is lower, by bisection.
                low, high = 0, count - 1
                while low < high:
                    middle = (low + high) // 2
                    if score[middle] < row[i]:
                        high = middle
                    else:
                        low = middle + 1
                rank[low] += 1
    for j in range(1, count):
        rank[j] += rank[j - 1]
