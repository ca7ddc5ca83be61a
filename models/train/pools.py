"""Which rows train and which judge: the splits in one place.

The idea: time splits only. A hold-out starts at a date and nothing issued whose lags or targets reach past that date is
trained on. The last `HORIZONS` issue times before the date are left out for that reason.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import sources
from features import DAY, HORIZONS
from ramps import ramp_rows
from rows import Rows, Table, gather, levels

HOLD_OUT = {"hardbruecke": "2020-10-01", "hangzhou": "2019-01-21"}
# For choosing sizes and shares without looking at the hold-out.
VALIDATION = {"hardbruecke": "2020-08-24", "hangzhou": "2019-01-16"}

# The first week of a table only feeds its profile: in Hangzhou it holds New Year's Day, and a forecast that learns from a
# profile of one holiday learns to distrust profiles.
PROFILE_DAYS = 7
ORDERS = 8

# Source, step as a multiple of the table's own, share of the training rows.
MIXTURE = (
    ("hardbruecke", 1, 0.27),
    ("hardbruecke", 2, 0.06),
    ("hardbruecke", 3, 0.05),
    ("hardbruecke", 6, 0.06),
    ("hardbruecke", 12, 0.08),
    ("hangzhou", 1, 0.09),
    ("hangzhou reordered", 1, 0.16),
    ("hangzhou", 3, 0.03),
    ("hangzhou", 6, 0.05),
    ("ramps", 1, 0.15),
)


@dataclass
class City:
    """A table that trains up to a date and judges from there."""

    table: Table
    judged: range
    until: str

    def training(self, factor: int) -> tuple[Table, int]:
        """The table at a coarser step, sums of its series added, and the first step that is not trained on."""
        own = self.table if factor == 1 else self.table.coarser(factor)
        return own, own.day_index(sources.local(self.until)) - HORIZONS + 1


def reordered(table: Table, end: int, rng: np.random.Generator) -> Table:
    """The training days after the first week in another order, working days and weekends kept apart.

    Twenty days hold one history only: profiles that still remember a holiday and rise day by day. Other orders of
    the same days show profiles of settled weeks. Only training days move, and a day never learns from itself.
    """
    per_day = table.steps_per_day
    days = np.arange(PROFILE_DAYS, end // per_day)
    weekend = (table.local_start // DAY + days + 3) % 7 >= 5
    order = days.copy()
    for kind in (False, True):
        order[weekend == kind] = rng.permutation(days[weekend == kind])
    by_day = table.counts.reshape(len(table.counts), -1, per_day)
    return Table(table.name, table.step_seconds, table.local_start + PROFILE_DAYS * DAY, by_day[:, order].reshape(len(by_day), -1))


def cities(folder: Path, split: dict) -> dict:
    """The two training tables with their splits."""
    zurich = sources.hardbruecke(folder)
    pairs = zurich.counts.reshape(2, 4, 2, -1).sum(axis=2).reshape(8, -1)
    whole = zurich.counts.reshape(2, 8, -1).sum(axis=1)
    # Sums of lines are places too: a concourse, the whole station. They train; only the lines themselves judge.
    places = Table(zurich.name, zurich.step_seconds, zurich.local_start, np.concatenate([zurich.counts, pairs, whole]))
    return {
        "hardbruecke": City(places, range(16), split["hardbruecke"]),
        "hangzhou": City(sources.hangzhou(folder), range(80), split["hangzhou"]),
    }


def training_rows(known: dict, count: int, rng: np.random.Generator, quiet_nights: bool) -> Rows:
    """Rows by the mixture; `quiet_nights` lets a match night fall on a venue whose profile knows only quiet days."""
    parts = []
    for name, factor, share in MIXTURE:
        wanted = int(count * share)
        if name == "ramps":
            parts.append(ramp_rows(wanted, rng, quiet_nights))
            continue
        if name == "hangzhou reordered":
            parts += [_rows_of_another_order(known["hangzhou"], wanted // ORDERS, rng) for _ in range(ORDERS)]
            continue
        table, end = known[name].training(factor)
        first = PROFILE_DAYS * table.steps_per_day
        series, issue = np.nonzero(~np.isnan(table.counts[:, first:end]))
        chosen = rng.integers(0, len(series), wanted)
        parts.append(gather(table, series[chosen], issue[chosen] + first))
    return Rows.join(parts)


def _rows_of_another_order(city: City, wanted: int, rng: np.random.Generator) -> Rows:
    table = reordered(*city.training(1), rng)
    # A slot must have been seen: an empty profile is the business of the cold rows.
    series, issue = np.nonzero(~np.isnan(table.counts) & (table.seen > 0))
    chosen = rng.integers(0, len(series), wanted)
    return gather(table, series[chosen], issue[chosen])


def judged_pairs(table: Table, series, from_date: str, until_date: str = None) -> tuple[np.ndarray, np.ndarray]:
    """Every (series, issue) from a date on whose next step is known."""
    first = table.day_index(sources.local(from_date))
    last = table.day_index(sources.local(until_date)) if until_date else table.counts.shape[1]
    which, issue = np.nonzero(~np.isnan(table.counts[list(series), first:last]))
    return np.asarray(list(series))[which], issue + first


def importance(rows: Rows) -> np.ndarray:
    """Weight of a row in the forecast's loss: busy moments matter more, but not in proportion.

    It is a function of what is known at issue time, never of the target, so the quantiles stay honest.
    """
    expected = np.maximum(levels(rows.lags), np.where(rows.ahead_seen[:, 0] > 0, rows.ahead_mean[:, 0], 0.0))
    weight = np.minimum(np.sqrt(expected + 1.0), 40.0)
    return (weight / weight.mean()).astype(np.float32)
