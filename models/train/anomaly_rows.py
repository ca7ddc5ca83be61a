"""Rows out of what `midan features` wrote in anomaly.parquet, each with the step that it judges.

The idea: the file is all there is. A row says of which series it is and when its newest step ended; whether there was
trouble in that step is looked up in what was put into the table. A row whose newest step is a gap is not judged, so
nothing is learnt from it either.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from flow_tables import Place

FEATURE_SET = "midan-features-3"
WIDTH = 30
# Of the rows that are learnt from. Many are quiet: how few false alarms a week there are is told by the rarest of
# those.
TROUBLED_SHARE = 0.2


@dataclass(frozen=True)
class Rows:
    """Features and, for each, direction, place and step of the newest count."""

    features: np.ndarray
    what: np.ndarray
    place: np.ndarray
    step: np.ndarray

    def pick(self, which: np.ndarray) -> "Rows":
        """Those rows only."""
        return Rows(self.features[which], self.what[which], self.place[which], self.step[which])

    def looked_up(self, by_what: dict) -> np.ndarray:
        """What stands in [place, step] arrays, by direction, where these rows point."""
        found = np.empty(len(self.step), next(iter(by_what.values())).dtype)
        for what, grid in by_what.items():
            own = self.what == what
            found[own] = grid[self.place[own], self.step[own]]
        return found


def read(path: Path, place: Place) -> Rows:
    """The rows whose newest count is known."""
    table = pq.read_table(path)
    zones, what = (table[name].to_numpy(zero_copy_only=False).astype(str) for name in ("zone", "what"))
    number = np.array([int(zone[1:]) for zone in zones], np.int64)
    # `issued` is the end of the newest step.
    step = (table["issued"].cast("int64").to_numpy() // 1000 - place.start) // place.step_s - 1
    inside = np.flatnonzero((step >= 0) & (step < next(iter(place.counts.values())).shape[1]))
    features = np.stack([table[f"a{column:02d}"].to_numpy() for column in range(WIDTH)], axis=1).astype(np.float32)
    rows = Rows(features, what, number, step).pick(inside)
    return rows.pick(np.isfinite(rows.looked_up(place.counts)))


def drawn(label: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Which rows are learnt from: all in trouble, and quiet ones until those in trouble are a fifth."""
    troubled, quiet = np.flatnonzero(label), np.flatnonzero(~label)
    wanted = round(len(troubled) * (1.0 - TROUBLED_SHARE) / TROUBLED_SHARE)
    return np.sort(np.concatenate([troubled, rng.choice(quiet, min(wanted, len(quiet)), replace=False)]))
