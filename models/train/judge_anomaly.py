"""The anomaly score before its judges: labelled events of a building, and injected trouble in unseen months.

The idea: the labels of CalIt2 take no part in training, so they say whether injected trouble taught anything real. They
are few (24 events after the two weeks that a profile needs), so a second judgement injects trouble into the hold-out
months of the training tables, where the sample is large but the trouble is invented.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

import alarms
import pools
import sources
from augment import forget_profile
from injections import inject
from rows import feature_matrix, gather
from runtime import run
from simple_scores import z_scores

WARM_UP_DAYS = 14
LIMITS = (1, 2, 5)
QUIET_SHARES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)


@dataclass
class Score:
    """One score on the labelled events."""

    precision: float
    recalls: tuple


def scores_of(model, rows) -> np.ndarray:
    """The model's score of each row."""
    return run(model, feature_matrix(rows))[:, 0].astype(np.float64)


def on_labelled_events(model, folder: Path) -> tuple[dict, int]:
    """Name → figures for the model and every simple score, and the number of events. A step's score is the greater of In and Out."""
    doors, labels = sources.calit2(folder)
    first = WARM_UP_DAYS * doors.steps_per_day
    which, issue = np.meshgrid(range(2), np.arange(1, doors.counts.shape[1] + 1), indexing="ij")
    ours = scores_of(model, gather(doors, which.ravel(), issue.ravel())).reshape(2, -1)
    events = alarms.runs(labels[first:], bridge=0)
    figures = {}
    for name, score in {"model": ours, **z_scores(doors)}.items():
        judged = score.max(axis=0)[first:]
        figures[name] = Score(
            alarms.average_precision(judged, labels[first:]),
            alarms.recalls_within(judged, events, LIMITS, doors.step_seconds),
        )
    return figures, len(events)


def on_injected_trouble(model, known: dict, seed: int) -> dict:
    """Set → {score → average precision} where trouble was put into the hold-out months."""
    rng = np.random.default_rng(seed)
    judged = {}
    for name, city in known.items():
        rows = _sample(city, 60_000, rng)
        troubled, label = inject(rows, rng)
        newest, before = troubled.lags[:, 0], troubled.lags[:, 1]
        usual = np.where(troubled.usual_seen > 0, troubled.usual_mean, np.nan)
        simple = {"last value": before, "same-slot mean": usual}
        figures = {"model": alarms.average_precision(scores_of(model, troubled), label)}
        for method, expected in simple.items():
            z = np.abs(np.nan_to_num((newest - expected) / np.sqrt(expected + 1.0)))
            figures[method] = alarms.average_precision(z, label)
        judged[name] = figures
    return judged


def quiet_quantiles(model, known: dict, seed: int) -> dict:
    """With and without a profile: the score above which a given share of quiet hold-out rows lies."""
    found = {}
    for state in ("warm", "cold"):
        rng = np.random.default_rng(seed)
        quiet = []
        for city in known.values():
            rows = _sample(city, 100_000, rng)
            if state == "cold":
                forget_profile(rows, np.ones(len(rows), bool))
            quiet.append(scores_of(model, rows))
        found[state] = [float(np.quantile(np.concatenate(quiet), 1.0 - share)) for share in QUIET_SHARES]
    return found


def _sample(city, count: int, rng: np.random.Generator):
    which, issue = pools.judged_pairs(city.table, city.judged, city.until)
    # Issued one step later, the newest lag is itself a step of the hold-out.
    chosen = rng.integers(0, len(which), count)
    return gather(city.table, which[chosen], issue[chosen] + 1)


def ships(figures: dict) -> bool:
    """Better average precision than every simple score, and no event fewer at any limit."""
    ours = figures["model"]
    others = [score for name, score in figures.items() if name != "model"]
    return all(
        ours.precision > other.precision and all(np.array(ours.recalls) >= np.array(other.recalls)) for other in others
    )
