"""The tables that the flow model is trained and judged on, written as anybody would hand them to `midan`.

The idea: a place is told by its table and mapping alone, so training reads places exactly as a stranger's table is
read. Beside each public table stand its sums over longer steps, so that steps from 5 minutes to an hour and counts from
a handful to thousands are there. A table for training ends where its hold-out begins: what is judged is never seen.
"""

import zlib
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

import numpy as np

import sources

MAPPING = """venue = "{name}"
time_zone = "{zone}"
step = "{step_m}m"
absent = "gap"

[time]
columns = ["time"]
format = "epoch_s"

[long]
sensor = "place"
{columns}
"""


@dataclass(frozen=True)
class Place:
    """One public place: its counts by direction, and where its hold-out begins."""

    name: str
    zone: str
    step_s: int
    start: int
    # By direction ("in", "out", "count"): [places, steps], NaN where nobody knows.
    counts: dict
    hold_out: int


def places(folder: Path) -> list:
    """The public places."""
    local, metro, (door, _) = sources.local, sources.hangzhou(folder), sources.calit2(folder)
    station, bridge = sources.hardbruecke(folder), sources.brooklyn(folder)
    lines = {"in": station.counts[:8], "out": station.counts[8:]}
    doors, ways = ({"in": table.counts[:1], "out": table.counts[1:]} for table in (door, bridge))
    return [
        Place("hardbruecke", "UTC", 300, station.local_start, lines, local("2020-10-01")),
        Place("hangzhou", "UTC", 600, metro.local_start, {"in": metro.counts}, local("2019-01-21")),
        Place("calit2", "UTC", 1800, door.local_start, doors, local("2005-10-05")),
        Place("brooklyn", "UTC", 3600, bridge.local_start, ways, local("2018-05-01")),
    ]


def before_hold_out(place: Place) -> Place:
    """What training may see of a place."""
    steps = (place.hold_out - place.start) // place.step_s
    return replace(place, counts={what: counts[:, :steps] for what, counts in place.counts.items()})


def summed(place: Place, steps: int) -> Place:
    """Sums over so many steps; a step with a gap is a gap."""

    def of(counts: np.ndarray) -> np.ndarray:
        whole = counts.shape[1] // steps * steps
        return counts[:, :whole].reshape(len(counts), -1, steps).sum(axis=2)

    step_s = place.step_s * steps
    counts = {what: of(counts) for what, counts in place.counts.items()}
    return replace(place, name=f"{place.name}-{step_s // 60}m", step_s=step_s, counts=counts)


def chance(seed: int, name: str) -> np.random.Generator:
    """The same numbers for the same seed and name, whatever else is built."""
    return np.random.default_rng([seed, zlib.crc32(name.encode())])


def variations(place: Place) -> list:
    """A place and what is made of it."""
    longer = {"hardbruecke": (3, 12), "hangzhou": (3, 6)}.get(place.name, ())
    return [place, *(summed(place, steps) for steps in longer)]


def write(place: Place, folder: Path) -> tuple[Path, Path]:
    """Writes table and mapping; answers where they are."""
    folder.mkdir(parents=True, exist_ok=True)
    table, mapping = folder / f"{place.name}.csv", folder / f"{place.name}.toml"
    whats = list(place.counts)
    stacked = np.stack([place.counts[what] for what in whats])
    with open(table, "w", encoding="utf-8") as text:
        text.write(",".join(["time", "place", *whats]) + "\n")
        for step in range(stacked.shape[2]):
            at = place.start + step * place.step_s
            for number in range(stacked.shape[1]):
                figures = stacked[:, number, step]
                if np.isfinite(figures).all():
                    text.write(f"{at},p{number:03d},{','.join(str(int(figure)) for figure in figures)}\n")
    columns = "\n".join(f'{what} = "{what}"' for what in whats)
    told = MAPPING.format(name=place.name, zone=place.zone, step_m=place.step_s // 60, columns=columns)
    mapping.write_text(told, encoding="utf-8")
    return table, mapping


def day(seconds: int) -> str:
    """A date, for cards."""
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%-d %B %Y")
