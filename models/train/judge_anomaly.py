"""The anomaly score before its judges: labelled events of a building, and injected trouble in unseen months.

The idea: the labels of CalIt2 take no part in training, so they say whether injected trouble taught anything real. They
are few (24 events after the two weeks that a profile needs), so a second judgement injects trouble into the hold-out
months of the training tables, where the sample is large but the trouble is invented. Every table goes through the
engine first.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession

import alarms
import anomaly_rows
import anomaly_tables
import sources
from engine import anomaly_file
from flow_tables import Place
from runtime import run
from simple_scores import z_scores
from sources import DAY, Table

WARM_UP_DAYS = 14
LIMITS = (1, 2, 5)
QUIET_SHARES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001)
# So many rows of each place say what quiet is; cold ones are of the first day of a table that begins on one of so many
# days of the hold-out.
QUIET_ROWS, COLD_STARTS = 100_000, 5
# The z-scores that stand beside the model where trouble is injected.
BESIDE = {
    "last value": "last value, counting noise, two-sided",
    "same-slot mean": "same-slot mean, counting noise, two-sided",
}


@dataclass
class Score:
    """One score on the labelled events."""

    precision: float
    recalls: tuple


@dataclass(frozen=True)
class Judge:
    """A model, and what makes features for it."""

    model: InferenceSession
    midan: Path
    work: Path

    def rows(self, place: Place) -> anomaly_rows.Rows:
        """The engine's rows of a place."""
        return anomaly_rows.read(anomaly_file(self.midan, place, self.work), place)

    def scores(self, rows: anomaly_rows.Rows) -> np.ndarray:
        """The model's score of each row."""
        return run(self.model, rows.features)[:, 0].astype(np.float64)

    def on_labelled_events(self, place: Place, folder: Path) -> tuple[dict, int]:
        """Name → figures for the model and every simple score, and the number of events. A step's score is the greater
        of In and Out."""
        doors, labels = sources.calit2(folder)
        first = WARM_UP_DAYS * doors.steps_per_day
        rows = self.rows(place)
        ours = np.zeros_like(doors.counts)
        ours[(rows.what == "out").astype(int), rows.step] = self.scores(rows)
        events = alarms.runs(labels[first:], bridge=0)
        figures = {}
        for name, score in {"model": ours, **z_scores(doors)}.items():
            judged = score.max(axis=0)[first:]
            figures[name] = Score(
                alarms.average_precision(judged, labels[first:]),
                alarms.recalls_within(judged, events, LIMITS, doors.step_seconds),
            )
        return figures, len(events)

    def on_injected_trouble(self, place: Place, rng: np.random.Generator) -> dict:
        """Score → average precision where trouble was put into the hold-out; as in training, a fifth of the rows are in
        it."""
        first = (place.hold_out - place.start) // place.step_s
        case = anomaly_tables.troubled(replace(place, name=f"{place.name}-judged"), first, rng)
        rows = self.rows(case.place)
        rows = rows.pick(rows.step >= first)
        label = rows.looked_up(case.label)
        chosen = anomaly_rows.drawn(label, rng)
        rows, label = rows.pick(chosen), label[chosen]
        figures = {"model": alarms.average_precision(self.scores(rows), label)}
        simple = {
            what: z_scores(Table(place.name, place.step_s, place.start, counts))
            for what, counts in case.place.counts.items()
        }
        for method, name in BESIDE.items():
            figures[method] = alarms.average_precision(
                rows.looked_up({what: scores[name] for what, scores in simple.items()}), label
            )
        return figures

    def quiet_quantiles(self, places: list, rng: np.random.Generator) -> dict:
        """With and without a profile: the score above which a given share of quiet hold-out rows lies."""
        found = {
            "warm": np.concatenate([self._warm(place, rng) for place in places]),
            "cold": np.concatenate([self._cold(place) for place in places]),
        }
        shares = 1.0 - np.array(QUIET_SHARES)
        return {kind: [float(np.quantile(scores, share)) for share in shares] for kind, scores in found.items()}

    def _warm(self, place: Place, rng: np.random.Generator) -> np.ndarray:
        rows = self.rows(place)
        held = np.flatnonzero(rows.step >= (place.hold_out - place.start) // place.step_s)
        return self.scores(rows.pick(rng.choice(held, min(QUIET_ROWS, len(held)), replace=False)))

    def _cold(self, place: Place) -> np.ndarray:
        day = DAY // place.step_s
        first, last = (place.hold_out - place.start) // DAY, next(iter(place.counts.values())).shape[1] // day
        starts = np.linspace(first, last - 1, COLD_STARTS).astype(int)
        return np.concatenate(
            [
                self.scores(
                    self.rows(anomaly_tables.window(replace(place, name=f"{place.name}-cold-{start}"), start, 1))
                )
                for start in starts
            ]
        )


def ships(figures: dict) -> bool:
    """Better average precision than every simple score, and no event fewer at any limit."""
    ours = figures["model"]
    others = [score for name, score in figures.items() if name != "model"]
    return all(
        ours.precision > other.precision and all(np.array(ours.recalls) >= np.array(other.recalls)) for other in others
    )
