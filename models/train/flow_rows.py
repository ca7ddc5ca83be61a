"""Training rows out of what `midan features` wrote.

The idea: the file is all there is. What is to be forecast is what came in later rows of the same series; plain forecast
and unit are read back from the features, so the target is in the very unit in which the engine reads the answer:
deviations from the plain forecast.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

import flow_reference

FEATURE_SET = "midan-features-2"
WIDTH = 105
STEPS = (1, 2, 3, 6, 12)
QUANTILES = (0.1, 0.5, 0.9)
HORIZONS = len(STEPS)
SIGNS = 16
CORRECTION = HORIZONS * SIGNS
SIZE = CORRECTION + HORIZONS
SHARED = SIZE + 2 * HORIZONS
LOG_SCALE, LOG_SIZE, LOG_LAST = SHARED, SHARED + 2, SHARED + 4
# Columns that tell how large a count is and when: they serve the target, and the model is not shown them.
HIDDEN = (LOG_SIZE, LOG_LAST)
FARTHEST = 12.0
# Of one features file.
MOST_ROWS = 400_000


@dataclass(frozen=True)
class Rows:
    """What a network is trained on: features, targets in deviations (NaN where unknown), weights by horizon, and how
    the inputs are spread (`flow_reference`)."""

    features: np.ndarray
    target: np.ndarray
    weight: np.ndarray
    spread: np.ndarray


def read(path: Path, step_s: int, most: int, rng: np.random.Generator, until: float = np.inf) -> Rows:
    """At most `most` rows of a features file, whose targets lie before `until`."""
    table = pq.read_table(path, columns=["zone", "what", "issued", f"f{LOG_LAST:03d}"])
    names = (table[name].to_numpy(zero_copy_only=False).astype(str) for name in ("zone", "what"))
    _, series = np.unique(np.char.add(*names), return_inverse=True)
    issued = table["issued"].cast("int64").to_numpy() // 1000
    slot = (issued - issued.min()) // step_s
    last = table[f"f{LOG_LAST:03d}"].to_numpy()
    came = np.full((series.max() + 1, slot.max() + 1 + STEPS[-1]), np.nan)
    came[series, slot] = np.where(last < 0, np.nan, np.round(np.exp(last.astype(float)) - 1.0))
    known = np.flatnonzero(np.isfinite(came[series, slot + 1]) & (issued + STEPS[-1] * step_s < until))
    chosen = np.sort(rng.choice(known, min(most, len(known)), replace=False))
    whole = pq.read_table(path, columns=[f"f{place:03d}" for place in range(WIDTH)])
    features = np.stack([whole[place].to_numpy()[chosen] for place in range(WIDTH)], axis=1).astype(np.float32)
    plain = np.exp(features[:, SIZE : SIZE + HORIZONS].astype(float)) - 1.0
    unit = np.exp(features[:, LOG_SCALE].astype(float))[:, None] * np.sqrt(np.maximum(plain, 0.0) + 1.0)
    later = np.stack([came[series[chosen], slot[chosen] + steps] for steps in STEPS], axis=1)
    target = np.clip((later - plain) / unit, -FARTHEST, FARTHEST)
    target[features[:, SIZE : SIZE + HORIZONS] < 0] = np.nan
    # An error counts as it does in persons, against the size of its series.
    size = np.exp(features[:, LOG_SIZE].astype(float))[:, None]
    weight = np.minimum(np.sqrt((np.maximum(plain, 0.0) + 1.0) / size), 3.0)
    target, weight = target.astype(np.float32), weight.astype(np.float32)
    return Rows(hidden(features), target, weight, flow_reference.counted(features))


def hidden(features: np.ndarray) -> np.ndarray:
    """The features without the columns that the model is not shown."""
    shown = features.copy()
    shown[:, HIDDEN] = 0.0
    return shown


def joined(parts: list) -> Rows:
    """All rows of several files."""
    whole = (np.concatenate([getattr(part, name) for part in parts]) for name in ("features", "target", "weight"))
    return Rows(*whole, sum(part.spread for part in parts))
