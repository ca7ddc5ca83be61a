"""The same features in bulk: tables of many series become rows of raw numbers, and rows become feature matrices.

The idea: a *row* keeps the raw lags, profile look-ups and later counts of one series at one moment. Augmentation and
injected anomalies act on these raw numbers, and the features are computed last, so that no trick of training can make
features that the engine could not have computed from some series.

A profile look-up for a step is the slot's mean over the *earlier* days of its type, because within one day no slot
comes twice. That is why the whole profile is one pass over the days.
"""

from dataclasses import dataclass, fields

import numpy as np

from features import CLAMP, DAY, HORIZONS, LAGS, MOST_SEEN, SLOWEST_LEARNING


@dataclass
class Table:
    """Whole local days of counts, [series, step], NaN where a step is missing."""

    name: str
    step_seconds: int
    local_start: int
    counts: np.ndarray
    mean: np.ndarray = None
    seen: np.ndarray = None

    def __post_init__(self):
        if self.mean is None:
            self.mean, self.seen = profile_before_each_step(self)

    @property
    def steps_per_day(self) -> int:
        return DAY // self.step_seconds

    def coarser(self, factor: int) -> "Table":
        """The table at `factor` times the step; a step with a missing part is missing."""
        series, steps = self.counts.shape
        joined = self.counts.reshape(series, steps // factor, factor).sum(axis=2)
        return Table(self.name, self.step_seconds * factor, self.local_start, joined)

    def day_index(self, local_day_start: int) -> int:
        """The step at which a local day starts."""
        return (local_day_start - self.local_start) // self.step_seconds


def profile_before_each_step(table: Table) -> tuple[np.ndarray, np.ndarray]:
    """Mean and occurrences of every step's slot as they stood before that step."""
    per_day = table.steps_per_day
    series, steps = table.counts.shape
    by_day = table.counts.reshape(series, steps // per_day, per_day)
    mean_before = np.zeros_like(by_day)
    seen_before = np.zeros_like(by_day)
    mean = np.zeros((2, series, per_day))
    seen = np.zeros((2, series, per_day))
    for day in range(by_day.shape[1]):
        kind = int((table.local_start // DAY + day + 3) % 7 >= 5)
        mean_before[:, day], seen_before[:, day] = mean[kind], seen[kind]
        counts = by_day[:, day]
        present = ~np.isnan(counts)
        weight = np.maximum(1.0 / (seen[kind] + 1.0), SLOWEST_LEARNING)
        learnt = np.where(seen[kind] == 0, counts, mean[kind] + weight * (counts - mean[kind]))
        mean[kind] = np.where(present, learnt, mean[kind])
        seen[kind] = np.minimum(seen[kind] + present, MOST_SEEN)
    return mean_before.reshape(series, steps), seen_before.reshape(series, steps)


@dataclass
class Rows:
    """Raw numbers of many (series, moment) pairs; counts and means in persons per step."""

    lags: np.ndarray  # [n, 12], newest first, NaN for a gap
    ahead_mean: np.ndarray  # [n, 6]
    ahead_seen: np.ndarray  # [n, 6]
    usual_mean: np.ndarray  # [n], slot of lag 0
    usual_seen: np.ndarray  # [n]
    local_end: np.ndarray  # [n], wall-clock seconds
    weekend: np.ndarray  # [n], 0 or 1
    step_seconds: np.ndarray  # [n]
    truth: np.ndarray  # [n, 6], NaN where unknown

    def __len__(self) -> int:
        return len(self.lags)

    def pick(self, index) -> "Rows":
        """The rows at `index`."""
        return Rows(*(getattr(self, part.name)[index] for part in fields(Rows)))

    @staticmethod
    def join(parts: list) -> "Rows":
        """All rows of all parts."""
        return Rows(*(np.concatenate([getattr(rows, part.name) for rows in parts]) for part in fields(Rows)))


def gather(table: Table, series: np.ndarray, issue: np.ndarray) -> Rows:
    """Rows of `series` issued at the start of step `issue` (the first step still unknown)."""
    ends = table.local_start + issue.astype(np.int64) * table.step_seconds
    lag_steps = issue[:, None] - 1 - np.arange(LAGS)
    ahead_steps = issue[:, None] + np.arange(HORIZONS)
    return Rows(
        lags=_at(table.counts, series, lag_steps, np.nan),
        ahead_mean=_at(table.mean, series, ahead_steps, 0.0),
        ahead_seen=_at(table.seen, series, ahead_steps, 0.0),
        usual_mean=_at(table.mean, series, issue[:, None] - 1, 0.0)[:, 0],
        usual_seen=_at(table.seen, series, issue[:, None] - 1, 0.0)[:, 0],
        local_end=ends,
        weekend=((ends // DAY + 3) % 7 >= 5).astype(np.float64),
        step_seconds=np.full(len(issue), float(table.step_seconds)),
        truth=_at(table.counts, series, ahead_steps, np.nan),
    )


def _at(grid: np.ndarray, series: np.ndarray, steps: np.ndarray, outside: float) -> np.ndarray:
    inside = (steps >= 0) & (steps < grid.shape[1])
    values = grid[series[:, None], np.clip(steps, 0, grid.shape[1] - 1)]
    return np.where(inside, values, outside)


def levels(lags: np.ndarray) -> np.ndarray:
    """The base b of each row."""
    present = ~np.isnan(lags)
    filled = np.where(present, lags, 0.0)
    newest, every = present[:, :3].sum(axis=1), present.sum(axis=1)
    of_newest = filled[:, :3].sum(axis=1) / np.maximum(newest, 1)
    return np.where(newest > 0, of_newest, filled.sum(axis=1) / np.maximum(every, 1))


def log_ratio(values: np.ndarray, base: np.ndarray) -> np.ndarray:
    """ln((v+1)/(b+1)) within ±4."""
    return np.clip(np.log((values + 1.0) / (base + 1.0)), -CLAMP, CLAMP)


def feature_matrix(rows: Rows) -> np.ndarray:
    """The 26 features of each row, float64 inside, float32 out."""
    base = levels(rows.lags)
    present = ~np.isnan(rows.lags)
    angle = 2.0 * np.pi * (rows.local_end % DAY) / DAY
    known = present[:, 0] & (rows.usual_seen > 0)
    newest = np.where(known, rows.lags[:, 0], rows.usual_mean)
    columns = [
        np.where(present, log_ratio(np.where(present, rows.lags, 0.0), base[:, None]), 0.0),
        np.log(base + 1.0)[:, None],
        np.where(rows.ahead_seen > 0, log_ratio(rows.ahead_mean, base[:, None]), 0.0),
        log_ratio(newest, rows.usual_mean)[:, None],
        (np.minimum(rows.ahead_seen[:, :1], 4.0) / 4.0),
        (present.sum(axis=1) / LAGS)[:, None],
        np.sin(angle)[:, None],
        np.cos(angle)[:, None],
        rows.weekend[:, None],
        np.log(rows.step_seconds / 300.0)[:, None],
    ]
    return np.concatenate(columns, axis=1).astype(np.float32)


def targets(rows: Rows) -> np.ndarray:
    """What the forecast is trained on: the later counts in the rows' own unit, NaN where unknown."""
    return log_ratio(rows.truth, levels(rows.lags)[:, None]).astype(np.float32)


def persons(quantiles: np.ndarray, rows: Rows) -> np.ndarray:
    """Forecasts [n, …] back into persons per step."""
    base = levels(rows.lags).reshape(-1, *([1] * (quantiles.ndim - 1)))
    return np.maximum(0.0, np.exp(quantiles.astype(np.float64)) * (base + 1.0) - 1.0)
