"""How the inputs are spread that the flow model is trained on: what its manifest carries, for the watch over drift.

The idea: the parts of a row and the bins of a column are those of `src/inference/drift.rs`, so the running service holds its last week against these very counts.
`tests/fixtures/input-bins.json` holds both sides to the same bins.
"""

import re
from pathlib import Path

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
CASES = 10_000
BEGINS, ENDS = "# Of 10,000 rows that it was trained on, those in each bin, column by column (src/inference/drift.rs).", "# Here ends the reference."


def counted(features: np.ndarray) -> np.ndarray:
    """How many of the rows (rows × columns, all columns shown) fall into each bin, columns × bins."""
    counts = np.zeros((features.shape[1], BINS), np.int64)
    for _, columns, begins, width in PARTS:
        for column in columns:
            # What is below the first bin is in it, and what is above the last likewise.
            bins = np.clip((features[:, column].astype(np.float32) - np.float32(begins)) / np.float32(width), 0, BINS - 1).astype(np.int64)
            counts[column] = np.bincount(bins, minlength=BINS)
    return counts


def table(counts: np.ndarray) -> str:
    """The manifest's part."""
    rows = int(counts[0].sum())
    lines = [BEGINS, "[reference]", f"rows = {rows}", "", "[reference.parts]"]
    for part, columns, _, _ in PARTS:
        shares = np.round(counts[list(columns)] * (CASES / rows)).astype(int)
        lines += [f"{part} = [", *(f"  [{', '.join(str(share) for share in column)}]," for column in shares), "]"]
    return "\n".join([*lines, ENDS]) + "\n"


def put(manifest: Path, counts: np.ndarray) -> None:
    """Writes the reference into a manifest, in the place of one that is there."""
    text = manifest.read_text(encoding="utf-8")
    before = re.sub(rf"\n{re.escape(BEGINS)}.*?{re.escape(ENDS)}\n", "", text, flags=re.S)
    manifest.write_text(f"{before}\n{table(counts)}", encoding="utf-8")
