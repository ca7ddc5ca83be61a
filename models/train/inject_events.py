"""Tables with invented events in real counts, for tuning the watch where labels are scarce.

    python models/train/inject_events.py --data DIR --out CASES [--seed 1]

writes for each case CASES/<case>/counts.csv, counts.toml (its mapping) and labels.csv; `midan replay` and
`judge_findings.py` do the rest. Surges (added, multiplied, ramps, in and then out), shortfalls and whole odd days, a
quarter to twice the busy level, 20 minutes to 4 hours, about two a week from the third week on. What really happened in
those months is not labelled and counts as unmatched.
"""

import argparse
import csv
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np

import sources
from sources import DAY

WARM_UP_DAYS = 14
SMALLEST, LARGEST = 0.25, 2.0
KINDS = {"add": 0.26, "in_out": 0.14, "multiply": 0.14, "drop": 0.13, "ramp": 0.28, "day": 0.05}
MAPPING = """venue = "{case}"
time_zone = "UTC"
step = "{minutes}m"
absent = "gap"

[time]
columns = ["time"]
stamp = "from"

[long]
sensor_is = "place"
{values}
"""


def inject(counts: np.ndarray, minutes: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The counts (series × steps, from a midnight on) with events in them, and the label of each step."""
    counts, label = counts.astype(float), np.zeros(counts.shape[1], bool)
    busy, day = np.nanquantile(counts, 0.97, axis=1), 1440 // minutes
    apart = 360 // minutes
    for _ in range(int(2.7 * counts.shape[1] / day / 7)):
        start = int(rng.integers(WARM_UP_DAYS * day, counts.shape[1] - day))
        length = max(1, int(np.exp(rng.uniform(np.log(20), np.log(240))) / minutes))
        kind = str(rng.choice(list(KINDS), p=list(KINDS.values())))
        if kind == "day":
            start, length = start // day * day, day
        elif kind == "ramp":
            length = max(length, 60 // minutes)
        by_day = 7 <= start % day * minutes // 60 <= 21 or kind == "day"
        if not by_day or label[max(0, start - apart) : start + length + apart].any():
            continue
        size = np.exp(rng.uniform(np.log(SMALLEST), np.log(LARGEST)))
        _put(kind, counts[:, start : start + length], size * busy, size, rng)
        label[start : start + length] = True
    return np.floor(counts), label


def _put(kind: str, part: np.ndarray, persons: np.ndarray, size: float, rng: np.random.Generator) -> None:
    """Changes `part` (series × steps) in place: `persons` a step and series are the event's height, `size` is what it
    is relative to the busy level."""
    series, length = part.shape
    if kind == "day":
        part *= rng.choice([0.5, 0.65, 1.6, 2.0])
    elif kind == "multiply":
        part *= 1.0 + 1.5 * size
    elif kind == "drop":
        part *= rng.uniform(0.0, 0.4)
    elif kind == "in_out" and series == 2:
        some = max(1, length // 3)
        part[0, :some] += rng.poisson(1.5 * persons[0], some)
        part[1, -some:] += rng.poisson(1.5 * persons[1], some)
    else:
        both_ends = np.minimum(np.arange(1, length + 1), np.arange(length, 0, -1))
        height = np.minimum(1.0, both_ends / (0.5 * length)) if kind == "ramp" else np.ones(length)
        for one in range(series):
            if series == 1 or rng.random() < 0.7:
                part[one] += rng.poisson(persons[one] * height)


def cases(folder: Path):
    """Name, local start in wall-clock seconds, counts (series × steps) and minutes of a step."""
    table = sources.hardbruecke(folder)
    station = table.counts.reshape(2, 8, -1)
    for minutes, first_day, lines in ((5, 60, (0, 3, 5, 7)), (15, 100, (1, 2, 4, 6)), (60, 130, (1, 2, 4, 6))):
        for line in lines:
            counts = station[:, line, first_day * 288 : (first_day + 182) * 288]
            start = table.local_start + first_day * DAY
            yield f"hardbruecke-{minutes}-{line}", start, counts.reshape(2, -1, minutes // 5).sum(axis=2), minutes
    table = sources.hangzhou(folder)
    for metro in range(0, 80, 8):
        yield f"hangzhou-{metro}", table.local_start, table.counts[metro : metro + 1], 10
    table = sources.brooklyn(folder)
    yield "brooklyn", table.local_start, table.counts, 60


def write(case: str, start: int, counts: np.ndarray, label: np.ndarray, minutes: int, out: Path) -> None:
    """One case as a table, its mapping and its labels."""
    (out / case).mkdir(parents=True, exist_ok=True)
    names = ["in", "out"] if len(counts) == 2 else ["count"]
    first = datetime.fromtimestamp(start, timezone.utc).replace(tzinfo=None)
    times = [
        (first + timedelta(minutes=minutes * step)).isoformat(timespec="minutes") for step in range(counts.shape[1])
    ]
    with open(out / case / "counts.csv", "w", newline="", encoding="utf-8") as text:
        rows = csv.writer(text)
        rows.writerow(["time", *names])
        known = ~np.isnan(counts).any(axis=0)
        rows.writerows([time, *counts[:, step].astype(int)] for step, time in enumerate(times) if known[step])
    values = "\n".join(f'{name} = "{name}"' for name in names)
    (out / case / "counts.toml").write_text(MAPPING.format(case=case, minutes=minutes, values=values), encoding="utf-8")
    with open(out / case / "labels.csv", "w", newline="", encoding="utf-8") as text:
        rows = csv.writer(text)
        rows.writerow(["timestamp", "is_anomaly"])
        rows.writerows([time, int(odd)] for time, odd in zip(times, label))


def main() -> None:
    """Writes all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    for case, start, counts, minutes in cases(args.data):
        write(case, start, *inject(counts, minutes, rng), minutes, args.out)


if __name__ == "__main__":
    main()
