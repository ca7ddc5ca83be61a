"""The parity fixture: short series, their features and the anomaly model's answers, for the engine's own tests.

The idea: two implementations of one feature set drift apart unless the same numbers judge both. Three series, one per
difficulty: a profile over ten days, a match night without profile, and gaps down to total silence.
"""

import json
import math
import random
import re
from pathlib import Path

import numpy as np

from features import FEATURE_SET, Series
from runtime import run, session
from sources import local


def _hourly(rng: random.Random) -> list:
    """Ten days with two daily peaks, quieter on Saturday and Sunday; the first is a Friday."""
    shape = [2, 1, 0, 0, 1, 6, 30, 90, 140, 80, 50, 45, 60, 55, 50, 60, 95, 150, 110, 60, 35, 20, 12, 5]
    return [int(rng.gauss(1.0, 0.12) * shape[hour] * (0.4 if day in (1, 2, 8, 9) else 1.0)) for day in range(10) for hour in range(24)]


def _night(rng: random.Random) -> list:
    """Five-minute counts of an arrival: nothing, a bell up to hundreds, nothing."""
    bell = [900 * (place / 36) ** 3 * (1 - place / 36) * 3.2 for place in range(37)]
    return [0, 0, 0] + [int(max(0.0, rng.gauss(mean, math.sqrt(mean + 0.01)))) for mean in bell] + [0, 0, 0, 0]


def _gappy(rng: random.Random) -> list:
    """Ten-minute counts with holes, one of them longer than all lags."""
    counts = [rng.randint(20, 60) for _ in range(60)]
    holes = {4, 5, 9, 20, 30, 31, 32, *range(38, 52)}
    return [None if place in holes else count for place, count in enumerate(counts)]


def cases() -> list:
    """Name, step, local start, counts, and after how many steps features are issued."""
    rng = random.Random(2030)
    return [
        ("profile over ten days, hourly", 3600, "2030-06-07T00:00:00", _hourly(rng), (1, 25, 103, 104, 200, 226, 240)),
        ("match night without profile, 5 min", 300, "2030-06-12T17:00:00", _night(rng), (2, 6, 20, 34, 44)),
        ("gaps, 10 min, over midnight to Saturday", 600, "2030-06-14T20:00:00", _gappy(rng), (1, 6, 10, 33, 42, 51, 54)),
    ]


def write(path: Path, models: Path) -> None:
    """Runs every case and writes the fixture."""
    anomaly = session(models / "crowd-anomaly.onnx")
    written = []
    for name, step_seconds, start, counts, wanted in cases():
        series = Series(step_seconds, local(start))
        issued = {place: series.push(count) for place, count in enumerate(counts, start=1)}
        rows = []
        for after in wanted:
            matrix = np.array([issued[after]], dtype=np.float64).astype(np.float32)
            rows.append({
                "after_steps": after,
                "features": [round(value, 9) for value in issued[after]],
                "score": round(float(run(anomaly, matrix)[0, 0]), 6),
            })
        written.append({"name": name, "step_seconds": step_seconds, "utc_offset_s": 0, "local_start": start, "counts": counts, "rows": rows})
    document = {
        "feature_set": FEATURE_SET,
        "written_by": "models/train/train.sh; null is a gap; `after_steps` steps are complete at the issue time",
        "tolerance": {"features": 1e-6, "score": 1e-4},
        "series": written,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_compact(document), encoding="utf-8")


def _compact(document: dict) -> str:
    """One line per list of numbers, so that a change shows in a diff."""
    innermost = re.compile(r"\[([^\[\]{}]*)\]")
    return innermost.sub(lambda found: "[" + " ".join(found[1].split()) + "]", json.dumps(document, indent=1)) + "\n"
