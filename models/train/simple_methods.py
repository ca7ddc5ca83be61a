"""The simple methods that a model must beat, on the same rows.

The idea: a forecast earns its place only beside what anybody could do without a model. Each method answers for every
row (where it has no answer, the last value stands in, so that all are scored on the same targets).
"""

import numpy as np

from features import DAY, HORIZONS
from rows import Rows, Table, levels

NAMES = ("last value", "same-slot mean", "same slot last week", "mean of last weeks")
WEEKS_BACK = 4


def forecasts(table: Table, series: np.ndarray, issue: np.ndarray, rows: Rows) -> dict:
    """Method → persons per step, [n, 6]."""
    newest = rows.lags[:, 0]
    last = np.repeat(np.where(np.isnan(newest), levels(rows.lags), newest)[:, None], HORIZONS, axis=1)
    weeks = _weeks_before(table, series, issue)
    return {
        "last value": last,
        "same-slot mean": np.where(rows.ahead_seen > 0, rows.ahead_mean, last),
        "same slot last week": np.where(np.isnan(weeks[0]), last, weeks[0]),
        "mean of last weeks": _mean_or(weeks, last),
    }


def _weeks_before(table: Table, series: np.ndarray, issue: np.ndarray) -> np.ndarray:
    """The targets' own slots 1..4 weeks earlier, [week, n, 6], NaN where the table has none."""
    week = 7 * DAY // table.step_seconds
    ahead = issue[:, None] + np.arange(HORIZONS)
    earlier = []
    for back in range(1, WEEKS_BACK + 1):
        steps = ahead - back * week
        inside = (steps >= 0) & (steps < table.counts.shape[1])
        values = table.counts[series[:, None], np.clip(steps, 0, table.counts.shape[1] - 1)]
        earlier.append(np.where(inside, values, np.nan))
    return np.stack(earlier)


def _mean_or(weeks: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    known = (~np.isnan(weeks)).sum(axis=0)
    return np.where(known > 0, np.nansum(weeks, axis=0) / np.maximum(known, 1), otherwise)
