"""How the inputs are spread that the flow model is trained on: what its manifest carries, for the watch over drift.

The idea: the parts of a row and the bins of a column are those of `src/inference/drift.rs`, so the running service
holds its last week against these very counts. `tests/fixtures/input-bins.json` holds both sides to the same bins.
"""

import numpy as np

BINS = 14
# Name, columns, where the first bin begins and how wide a bin is.
PARTS = (
    ("signs", range(0, 80), -3.5, 0.5),
    ("correction", range(80, 85), -3.5, 0.5),
    ("plain", range(85, 90), -1.0, 1.0),
    ("spread", range(90, 95), -3.5, 0.5),
    ("scale", range(95, 96), -3.5, 0.5),
    ("level", range(96, 97), -3.5, 0.5),
    ("newest", range(99, 100), -1.0, 1.0),
)


def counted(features: np.ndarray) -> np.ndarray:
    """How many of the rows (rows × columns, all columns shown) fall into each bin, columns × bins."""
    counts = np.zeros((features.shape[1], BINS), np.int64)
    for _, columns, begins, width in PARTS:
        for column in columns:
            values = features[:, column].astype(np.float32)
            # What is below the first bin is in it, and what is above the last likewise.
            bins = np.clip((values - np.float32(begins)) / np.float32(width), 0, BINS - 1).astype(np.int64)
            counts[column] = np.bincount(bins, minlength=BINS)
    return counts
