"""Augmentation: rows of two cities become rows of venues that nobody has counted yet.

The idea: a live venue is smaller or larger than the training stations, has no profile on its first night, has broken
sensors and its own hours. Each trick acts on raw counts, so the features stay those of some possible series.
"""

import numpy as np

from features import DAY, LAGS
from rows import Rows

COLD_SHARE = 1 / 3
THINNED_SHARE = 0.35
SCALED_SHARE = 0.12
LARGEST_SCALE = 5.0
GAPPY_SHARE = 0.15
SHIFTED_WARM_SHARE = 0.15
SHIFTED_COLD_SHARE = 0.6


def vary(rows: Rows, rng: np.random.Generator) -> Rows:
    """A varied copy: other sizes, cold starts, gaps and other clocks."""
    rows = rows.pick(np.arange(len(rows)))
    _thin(rows, rng)
    _scale(rows, rng)
    cold = rng.random(len(rows)) < COLD_SHARE
    forget_profile(rows, cold)
    _shift_clock(rows, rng, cold)
    _lose_lags(rows, rng)
    return rows


def forget_profile(rows: Rows, cold: np.ndarray) -> None:
    """A venue on its first night: no slot was ever seen."""
    rows.ahead_seen[cold] = 0
    rows.usual_seen[cold] = 0


def _thin(rows: Rows, rng: np.random.Generator) -> None:
    """Keeps each person with the same chance: a smaller gate with the same rhythm."""
    chosen = np.flatnonzero(rng.random(len(rows)) < THINNED_SHARE)
    keep = np.exp(rng.uniform(np.log(0.03), 0.0, len(chosen)))
    for name in ("lags", "truth"):
        counts = getattr(rows, name)
        picked = counts[chosen]
        gap = np.isnan(picked)
        thinned = rng.binomial(np.where(gap, 0, picked).astype(np.int64), keep[:, None])
        counts[chosen] = np.where(gap, np.nan, thinned)
    rows.ahead_mean[chosen] *= keep[:, None]
    rows.usual_mean[chosen] *= keep


def _scale(rows: Rows, rng: np.random.Generator) -> None:
    """A larger place whose people come in groups: the relative noise stays."""
    factor = np.where(rng.random(len(rows)) < SCALED_SHARE, np.exp(rng.uniform(0.0, np.log(LARGEST_SCALE), len(rows))), 1.0)
    rows.lags = np.round(rows.lags * factor[:, None])
    rows.truth = np.round(rows.truth * factor[:, None])
    rows.ahead_mean *= factor[:, None]
    rows.usual_mean *= factor


def _shift_clock(rows: Rows, rng: np.random.Generator, cold: np.ndarray) -> None:
    """Other hours of life, so that the clock alone does not mean a Zürich rush hour."""
    share = np.where(cold, SHIFTED_COLD_SHARE, SHIFTED_WARM_SHARE)
    shifted = rng.random(len(rows)) < share
    steps = rng.integers(0, DAY, len(rows)) // rows.step_seconds
    rows.local_end = np.where(shifted, rows.local_end + (steps * rows.step_seconds).astype(np.int64), rows.local_end)
    rows.weekend = np.where(shifted, rng.random(len(rows)) < 2 / 7, rows.weekend).astype(np.float64)


def _lose_lags(rows: Rows, rng: np.random.Generator) -> None:
    """Single sensors' gaps, and series that have only just begun."""
    chosen = rng.random(len(rows)) < GAPPY_SHARE
    scattered = rng.random(rows.lags.shape) < rng.uniform(0.0, 0.6, len(rows))[:, None]
    begun = rng.integers(1, LAGS + 1, len(rows))
    young = np.arange(LAGS) >= begun[:, None]
    lost = np.where((rng.random(len(rows)) < 0.5)[:, None], scattered, young)
    rows.lags = np.where(chosen[:, None] & lost, np.nan, rows.lags)
