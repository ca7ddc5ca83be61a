"""The simple anomaly scores that the model must beat.

The idea: a z-score is what a careful engineer would write in an afternoon: how far is the newest count from what was
expected, in units of its usual deviation, looking back only. Two expectations (the last value, the same-slot mean), two
deviations (learnt per slot, or that of counting noise), and both one- and two-sided. The card shows them all, and the
model is held against the best.
"""

import numpy as np

from rows import Table, profile_before_each_step


def z_scores(table: Table) -> dict:
    """Name → score per (series, step)."""
    counts = table.counts
    before = np.concatenate([np.full((len(counts), 1), np.nan), counts[:, :-1]], axis=1)
    known_mean = np.where(table.seen > 0, table.mean, np.nan)
    scores = {}
    for name, expected in (("last value", before), ("same-slot mean", known_mean)):
        miss = counts - expected
        learnt = _usual_deviation(table, miss)
        for scale, deviation in (("slot deviation", learnt), ("counting noise", np.sqrt(expected + 1.0))):
            z = np.nan_to_num(miss / deviation)
            scores[f"{name}, {scale}, two-sided"] = np.abs(z)
            scores[f"{name}, {scale}, upward"] = z
    return scores


def _usual_deviation(table: Table, miss: np.ndarray) -> np.ndarray:
    """Root of the slot's mean squared miss on earlier days, with one person as floor."""
    squares = Table(table.name, table.step_seconds, table.local_start, miss**2)
    mean, _ = profile_before_each_step(squares)
    return np.sqrt(mean + 1.0)
