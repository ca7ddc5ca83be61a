"""The simple anomaly scores that the model must beat.

The idea: a z-score is what a careful engineer would write in an afternoon: how far is the newest count from what was
expected, in units of its usual deviation, looking back only. Two expectations (the last value, the same-slot mean), two
deviations (learnt per slot, or that of counting noise), and both one- and two-sided. The card shows them all, and the
model is held against the best. They are reckoned from the counts themselves and share nothing with the model.
"""

import numpy as np

from sources import DAY, Table

SLOWEST_LEARNING = 0.25


def z_scores(table: Table) -> dict:
    """Name → score per (series, step)."""
    counts = table.counts
    before = np.concatenate([np.full((len(counts), 1), np.nan), counts[:, :-1]], axis=1)
    scores = {}
    for name, expected in (("last value", before), ("same-slot mean", same_slot_mean(table, counts))):
        miss = counts - expected
        # One person is the floor of a deviation.
        learnt = np.sqrt(np.nan_to_num(same_slot_mean(table, miss**2)) + 1.0)
        for scale, deviation in (("slot deviation", learnt), ("counting noise", np.sqrt(expected + 1.0))):
            z = np.nan_to_num(miss / deviation)
            scores[f"{name}, {scale}, two-sided"] = np.abs(z)
            scores[f"{name}, {scale}, upward"] = z
    return scores


def same_slot_mean(table: Table, values: np.ndarray) -> np.ndarray:
    """The exponential mean of each step's slot on earlier days, working days and weekends apart; NaN before the first.

    Within one day no slot comes twice, so one pass over the days is the whole of it.
    """
    by_day = values.reshape(len(values), -1, table.steps_per_day)
    before = np.empty_like(by_day)
    mean = np.full((2, len(values), table.steps_per_day), np.nan)
    seen = np.zeros_like(mean)
    for day in range(by_day.shape[1]):
        # Day 0 of the epoch was a Thursday.
        kind = int((table.local_start // DAY + day + 3) % 7 >= 5)
        before[:, day], today = mean[kind], by_day[:, day]
        weight = np.maximum(1.0 / (seen[kind] + 1.0), SLOWEST_LEARNING)
        learnt = np.where(seen[kind] == 0, today, mean[kind] + weight * (today - mean[kind]))
        mean[kind] = np.where(np.isnan(today), mean[kind], learnt)
        seen[kind] += ~np.isnan(today)
    return before.reshape(values.shape)
