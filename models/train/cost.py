"""What a run of each model costs on this machine.

Usage: `python models/train/cost.py` prints, of 500 runs for 64, 1,000 and 2,000 rows each, the median of the
processor's time, and the median and 99th percentile on the clock.
"""

import time
from pathlib import Path

import numpy as np

import anomaly_rows
import flow_rows
from runtime import run, session

MODELS = Path(__file__).resolve().parents[1]


def main() -> None:
    """Times both models."""
    rng = np.random.default_rng(0)
    for name, width in (("crowd-flow", flow_rows.WIDTH), ("crowd-anomaly", anomaly_rows.WIDTH)):
        model = session(MODELS / f"{name}.onnx")
        for count in (64, 1000, 2000):
            rows = rng.normal(size=(count, width)).astype(np.float32)
            for _ in range(50):
                run(model, rows)
            taken, worked = [], []
            for _ in range(500):
                began, busy = time.perf_counter(), time.process_time()
                run(model, rows)
                taken.append((time.perf_counter() - began) * 1e3)
                worked.append((time.process_time() - busy) * 1e3)
            clock = f"median {np.median(taken):.3f} ms  p99 {np.quantile(taken, 0.99):.3f} ms"
            print(f"{name:14s} N={count:5d}  processor {np.median(worked):.3f} ms  {clock}")


if __name__ == "__main__":
    main()
