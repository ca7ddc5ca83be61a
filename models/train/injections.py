"""Injected trouble: what the anomaly model learns to call unusual.

The idea: labels of real trouble are scarce, and the few there are (CalIt2) are kept for judging. So quiet rows get a
surge, a drop or a shift of level put into their newest steps, and the model learns to tell them from the untouched
ones. The injection ends at the newest step: the question is always "is something unusual going on *now*?".
"""

import numpy as np

from features import LAGS
from rows import Rows, levels

INJECTED_SHARE = 0.35
# A surge is what CalIt2-like events and crowd trouble look like most often.
KINDS = ("surge times", "surge plus", "drop", "shift")
A_HANDFUL = 4.0
KIND_CHANCES = (0.3, 0.4, 0.15, 0.15)


def inject(rows: Rows, rng: np.random.Generator) -> tuple[Rows, np.ndarray]:
    """A copy with trouble in about a third of the rows, and the label of each row."""
    count = len(rows)
    rows = rows.pick(np.arange(count))
    kind = rng.choice(len(KINDS), count, p=KIND_CHANCES)
    touched = (rng.random(count) < INJECTED_SHARE) & ~np.isnan(rows.lags[:, 0])
    weight = _shape(rng, kind, count)
    before = np.where(np.isnan(rows.lags), 0.0, rows.lags)
    usual = np.where(rows.usual_seen > 0, rows.usual_mean, levels(rows.lags))[:, None]
    after = np.select(
        [kind[:, None] == place for place in range(len(KINDS))],
        [
            _surge_times(rng, before, usual, weight),
            before + rng.poisson(_plus(rng, usual) * weight),
            _fewer(rng, before, weight),
            _shifted(rng, before, weight),
        ],
    )
    changed = np.where(touched[:, None], after, before)
    label = touched & (np.abs(changed - before).sum(axis=1) > 0) & _noticeable(before, changed)
    rows.lags = np.where(np.isnan(rows.lags), np.nan, changed)
    return rows, label.astype(np.float32)


def _shape(rng: np.random.Generator, kind: np.ndarray, count: int) -> np.ndarray:
    """How strong the trouble is at each lag: begun 1 to 12 steps ago, at once or rising."""
    longest = np.where(kind == 3, LAGS, 8)
    shortest = np.where(kind == 3, 3, 1)
    begun = rng.integers(shortest, longest + 1)[:, None]
    age = np.arange(LAGS)[None]
    rising = (rng.random(count) < 0.4)[:, None]
    strength = np.where(rising, (begun - age) / begun, 1.0)
    return np.where(age < begun, strength, 0.0)


def _surge_times(rng, before, usual, weight):
    factor = np.exp(rng.uniform(np.log(1.5), np.log(8.0), (len(before), 1)))
    return before + rng.poisson((factor - 1.0) * np.maximum(usual, 0.5) * weight)


def _plus(rng, usual):
    """Extra persons a step, from clearly more than the usual noise up to a coachload and beyond."""
    deviations = np.exp(rng.uniform(np.log(2.5), np.log(20.0), (len(usual), 1)))
    return deviations * np.sqrt(usual + 1.0)


def _fewer(rng, before, weight):
    kept = rng.uniform(0.0, 0.5, (len(before), 1))
    chance = 1.0 - (1.0 - kept) * weight
    return rng.binomial(before.astype(np.int64), np.clip(chance, 0.0, 1.0))


def _shifted(rng, before, weight):
    factor = np.where(rng.random((len(before), 1)) < 0.6, rng.uniform(1.3, 2.0, (len(before), 1)), rng.uniform(0.4, 0.75, (len(before), 1)))
    return np.round(before * (1.0 + (factor - 1.0) * (weight > 0)))


def _noticeable(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The newest step moved by a handful of persons more than its own counting noise.

    Without the handful, five people in an empty lobby at night would be trouble, which they are to nobody.
    """
    return np.abs(after[:, 0] - before[:, 0]) > 2.0 * np.sqrt(before[:, 0] + 1.0) + A_HANDFUL
