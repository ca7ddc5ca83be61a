"""A few recorded rows and what a model says of them: `midan model check` holds the running binary against them.

Usage: `recorded.py MODEL.onnx FEATURES.parquet`, where the second is what `midan features` wrote for that model.

The idea: hash and shapes tell that the file is the right one; only numbers tell that another runtime, build or
processor computes the same from it.
"""

import argparse
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

import manifest
import runtime

ROWS = 6


def chosen(path: Path) -> np.ndarray:
    """Rows of a features file, evenly spread over its second half, where most is known."""
    columns = [name for name in pq.read_schema(path).names if re.fullmatch(r"[af]\d+", name)]
    table = pq.read_table(path, columns=columns)
    rows = np.linspace(len(table) // 2, len(table) - 1, ROWS).astype(int)
    return np.stack([column.to_numpy()[rows] for column in table.itercolumns()], axis=1).astype(np.float32)


def put(model: Path, features: np.ndarray) -> None:
    """Asks the model, and writes the rows into the manifest beside it."""
    manifest.put_recorded(model.with_suffix(".toml"), features, runtime.run(runtime.session(model), features))


def main() -> None:
    """Reads the arguments."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("features", type=Path)
    given = arguments.parse_args()
    put(given.model, chosen(given.features))


if __name__ == "__main__":
    main()
