"""The forecast before its judges: error per set and horizon beside the simple methods, and the band's coverage.

The idea: what is judged is the exported file, run as the engine runs it, on rows that training never saw. Besides the
hold-outs there are the same rows with the profile taken away (a first night), invented match nights, and two public
tables of other places that took no part in training.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import pools
import simple_methods
import sources
from augment import forget_profile
from features import HORIZONS
from ramps import ramp_rows
from rows import Rows, Table, feature_matrix, gather, persons
from runtime import run

CHUNK = 20_000


@dataclass
class Verdict:
    """One set's figures; errors in persons per step, one number per horizon."""

    name: str
    kind: str  # hold-out, first night, invented, other place
    rows: int
    errors: dict
    covered: float
    below: float
    above: float

    def beats(self, method: str) -> bool:
        """Smaller error at every horizon."""
        return bool(np.all(self.errors["model"] < self.errors[method]))


def quantiles(model, rows: Rows) -> np.ndarray:
    """[n, 6, 3] in persons."""
    matrix = feature_matrix(rows)
    parts = [run(model, matrix[first : first + CHUNK]) for first in range(0, len(matrix), CHUNK)]
    return persons(np.concatenate(parts).reshape(-1, HORIZONS, 3), rows)


def judge(model, known: dict, folder: Path, seed: int) -> list[Verdict]:
    """Every set."""
    zurich, metro = known["hardbruecke"], known["hangzhou"]
    verdicts = []
    for name, city, series in (
        ("Hardbrücke In, Oct-Dec 2020, 5 min", zurich, range(8)),
        ("Hardbrücke Out, Oct-Dec 2020, 5 min", zurich, range(8, 16)),
        ("Hangzhou, 21-25 Jan 2019, 10 min", metro, range(80)),
    ):
        verdicts += [
            _of_table(model, name, "hold-out", city.table, series, city.until),
            _of_table(model, name + ", no profile", "first night", city.table, series, city.until),
        ]
    doors, _ = sources.calit2(folder)
    bridge = sources.brooklyn(folder)
    verdicts.append(_of_table(model, "CalIt2 doors, 30 min", "other place", doors, range(2), "2005-08-07"))
    verdicts.append(_of_table(model, "Brooklyn Bridge, 60 min", "other place", bridge, range(2), "2017-10-15"))
    verdicts.append(_of_nights(model, seed))
    return sorted(verdicts, key=lambda verdict: ("hold-out", "first night", "invented", "other place").index(verdict.kind))


def _of_table(model, name: str, kind: str, table: Table, series, from_date: str) -> Verdict:
    which, issue = pools.judged_pairs(table, series, from_date)
    rows = gather(table, which, issue)
    methods = simple_methods.forecasts(table, which, issue, rows)
    if kind == "first night":
        # Without history nothing but the last value is left to compare with.
        methods = {"last value": methods["last value"]}
        forget_profile(rows, np.ones(len(rows), bool))
    return _verdict(model, name, kind, rows, methods)


def _of_nights(model, seed: int) -> Verdict:
    rows = ramp_rows(30_000, np.random.default_rng(seed), False)
    last = np.repeat(rows.lags[:, :1], HORIZONS, axis=1)
    usable = ~np.isnan(rows.lags[:, 0])
    return _verdict(model, "invented match nights, 1-10 min", "invented", rows.pick(usable), {"last value": last[usable]})


def _verdict(model, name: str, kind: str, rows: Rows, methods: dict) -> Verdict:
    forecast = quantiles(model, rows)
    known = ~np.isnan(rows.truth)
    low, high = rows.truth < forecast[..., 0], rows.truth > forecast[..., 2]
    errors = {"model": forecast[..., 1], **methods}
    return Verdict(
        name,
        kind,
        len(rows),
        {method: np.nanmean(np.abs(value - rows.truth), axis=0) for method, value in errors.items()},
        float(1.0 - (low | high)[known].mean()),
        float(low[known].mean()),
        float(high[known].mean()),
    )
