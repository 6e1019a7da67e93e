"""How far probabilities can be believed: their expected calibration error. Knows no model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sightline.graph.arrays import Doubles, Flags, Ids


@dataclass(frozen=True, slots=True)
class CalibrationError:
    """Expected calibration error over bins of equal mass, with a 90 % interval.

    Attributes:
        ece: mean over bins of |mean probability - share of true answers|; None without answers.
        low, high: between these the error of all questions lies.
        answers: how many.
        base_rate: share of true ones.
        bins: mean probability and share of true answers of each bin, the least probable first.
    """

    ece: float | None
    low: float | None
    high: float | None
    answers: int
    base_rate: float | None
    bins: tuple[tuple[float, float], ...]


def calibration_error(
    probability: Doubles,
    true: Flags,
    question: Ids,
    *,
    bins: int = 10,
    resamples: int = 500,
    seed: int = 0,
) -> CalibrationError:
    """Measure probabilities float64 ``(n,)`` against bool labels ``(n,)``.

    Chance adds to an error that is a sum of absolute values, and resampling adds as much again, so
    the quantiles of resampled errors lie too high. What is resampled instead is how far the bins'
    signed gaps lie from the measured ones: no error of other questions can differ from the measured
    one by more than the sum of these distances, so the interval is the error plus and minus their
    90 % quantile. It holds the error itself always, and 0 where probabilities are calibrated.

    Args:
        question: int ``(n,)``: which question each answers. Questions are resampled and not
            answers, of which those to one question are not independent.
    """
    n = len(true)
    if not n:
        return CalibrationError(None, None, None, 0, None, ())
    size = np.zeros(int(question.max()) + 1)
    gaps = np.zeros((len(size), bins))
    place = np.empty(n, np.int64)
    place[np.argsort(probability, kind="stable")] = np.arange(n) * bins // n
    np.add.at(gaps, (question, place), probability - true)
    np.add.at(size, question, 1.0)
    asked = np.flatnonzero(size)
    gaps, size = gaps[asked], size[asked]
    measured = gaps.sum(axis=0) / n
    draws = np.random.default_rng(seed).multinomial(
        len(asked), np.full(len(asked), 1 / len(asked)), resamples
    )
    resampled = (draws @ gaps) / (draws @ size)[:, None]
    reach = float(np.quantile(np.abs(resampled - measured).sum(axis=1), 0.9))
    ece = float(np.abs(measured).sum())
    mass = np.bincount(place, minlength=bins)
    sums = [np.bincount(place, what, minlength=bins)[mass > 0] for what in (probability, true)]
    means = tuple(zip(*((one / mass[mass > 0]).tolist() for one in sums)))
    return CalibrationError(ece, max(0.0, ece - reach), ece + reach, n, float(true.mean()), means)
