"""The public tables, read into whole local days of counts.

The idea: each reader knows one table's quirks and nothing else does. Clocks are wall clocks: a table without a zone
keeps its local slots, so the two days of the year when the clock changes stay 24 hours long (one 02h, or none).
"""

import argparse
import csv
import gzip
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

import asked

DAY = 86_400
FILES = (
    "zurich_hardbruecke/frequenzen_hardbruecke_2020.csv.gz",
    "hangzhou_metro/inflow_wide.csv.gz",
    "calit2/CalIt2-traffic.test.csv",
    "brooklyn_bridge/brooklyn_bridge_hourly.csv.gz",
)


@dataclass(frozen=True)
class Table:
    """Whole local days of counts, [series, step], NaN where a step is missing."""

    name: str
    step_seconds: int
    local_start: int
    counts: np.ndarray

    @property
    def steps_per_day(self) -> int:
        """How many steps a day has."""
        return DAY // self.step_seconds


def folder(text: str) -> Path:
    """A folder that holds all public tables, for `asked.Arguments`."""
    found = asked.folder(text)
    lacks = [name for name in FILES if not (found / name).is_file()]
    if lacks:
        raise argparse.ArgumentTypeError(f'{text} lacks {", ".join(lacks)} (docs/MODELS.md, "Rebuilding")')
    return found


def local(text: str) -> int:
    """Wall-clock seconds of an ISO time without a zone."""
    return int(datetime.fromisoformat(text).replace(tzinfo=timezone.utc).timestamp())


def hardbruecke(folder: Path) -> Table:
    """Zürich Hardbrücke 2020, 5 min: the 8 lines In, then the 8 lines Out. A row that is not there means zero."""
    start = local("2020-01-01")
    lines, counts = [], np.zeros((2, 8, 366 * 288))
    with gzip.open(folder / "zurich_hardbruecke" / "frequenzen_hardbruecke_2020.csv.gz", "rt") as text:
        for row in csv.DictReader(text):
            if row["Name"] not in lines:
                lines.append(row["Name"])
            step = (local(row["Timestamp"]) - start) // 300
            counts[:, lines.index(row["Name"]), step] = int(row["In"]), int(row["Out"])
    return Table("hardbruecke", 300, start, counts.reshape(16, -1))


def hangzhou(folder: Path) -> Table:
    """Hangzhou metro, January 2019, 10 min, 80 stations; 00:00-06:00 is outside the table and so missing."""
    start = local("2019-01-01")
    with gzip.open(folder / "hangzhou_metro" / "inflow_wide.csv.gz", "rt") as text:
        rows = list(csv.reader(text))[1:]
    counts = np.full((len(rows[0]) - 1, 25 * 144), np.nan)
    for row in rows:
        counts[:, (local(row[0]) - start) // 600] = [float(value) for value in row[1:]]
    return Table("hangzhou", 600, start, counts)


def calit2(folder: Path) -> tuple[Table, np.ndarray]:
    """CalIt2 building doors, 30 min, In and Out, and for each step whether an event is labelled."""
    with open(folder / "calit2" / "CalIt2-traffic.test.csv", encoding="utf-8") as text:
        rows = list(csv.reader(text))[1:]
    start = local(rows[0][0])
    counts = np.array([[float(row[1]) for row in rows], [float(row[2]) for row in rows]])
    if start % DAY or counts.shape[1] % 48:
        raise ValueError("CalIt2: the table is expected to hold whole days")
    return Table("calit2", 1800, start, counts), np.array([row[3] == "1" for row in rows])


def brooklyn(folder: Path) -> Table:
    """Brooklyn Bridge pedestrians by direction, hourly, October 2017 to July 2018; an hour that is not there is
    missing."""
    start = local("2017-10-01")
    counts = np.full((2, 304 * 24), np.nan)
    with gzip.open(folder / "brooklyn_bridge" / "brooklyn_bridge_hourly.csv.gz", "rt") as text:
        for row in csv.DictReader(text):
            hour = datetime.strptime(row["hour_beginning"], "%m/%d/%Y %I:%M:%S %p")
            step = (local(hour.isoformat()) - start) // 3600
            counts[:, step] = float(row["Towards Manhattan"]), float(row["Towards Brooklyn"])
    return Table("brooklyn", 3600, start, counts)
