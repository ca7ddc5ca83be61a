"""A few recorded rows and what the model says of them, in its manifest: `midan model check` holds the running binary against them.

Usage: `recorded.py MODEL.onnx FEATURES.parquet`, where the second is what `midan features` wrote for that model.

The idea: hash and shapes tell that the file is the right one; only numbers tell that another runtime, build or processor computes the same from it.
"""

import argparse
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

import runtime

ROWS = 6
BEGINS, ENDS = "# Recorded rows, and what the model said of them when it was built.", "# Here end the recorded rows."


def chosen(path: Path) -> np.ndarray:
    """Rows of a features file, evenly spread over its second half, where most is known."""
    columns = [name for name in pq.read_schema(path).names if re.fullmatch(r"[af]\d+", name)]
    table = pq.read_table(path, columns=columns)
    rows = np.linspace(len(table) // 2, len(table) - 1, ROWS).astype(int)
    return np.stack([column.to_numpy()[rows] for column in table.itercolumns()], axis=1).astype(np.float32)


def table(features: np.ndarray, says: np.ndarray) -> str:
    """The manifest's part."""
    numbers = lambda row: f"[{', '.join(str(np.float32(value)) for value in row)}]"
    parts = [f"[[recorded]]\nfeatures = {numbers(row)}\nsays = {numbers(said)}\n" for row, said in zip(features, says)]
    return "\n".join([BEGINS, *parts, ENDS]) + "\n"


def put(model: Path, features: np.ndarray) -> None:
    """Writes the rows into the manifest beside the model, in the place of those that are there."""
    manifest = model.with_suffix(".toml")
    text = manifest.read_text(encoding="utf-8")
    before = re.sub(rf"\n{re.escape(BEGINS)}.*?{re.escape(ENDS)}\n", "", text, flags=re.S)
    manifest.write_text(f"{before}\n{table(features, runtime.run(runtime.session(model), features))}", encoding="utf-8")


def main() -> None:
    """Reads the arguments."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("model", type=Path)
    arguments.add_argument("features", type=Path)
    given = arguments.parse_args()
    put(given.model, chosen(given.features))


if __name__ == "__main__":
    main()
