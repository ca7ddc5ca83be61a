"""How replays fared, by venue, kind of zone, kind of day, hour and level: error, coverage, findings, false alarms and misses, each with its 95 % interval.

    breakdown.py RESULTS... --step SECONDS [--ahead STEPS] [--from DATE] [--zone TZ] [--venue FILE]... [--holidays FILE] [--labels CSV [--labels-zone TZ]]

The idea: one figure for all hides the hour and the place in which it is wrong. RESULTS are what `midan replay ... --out RESULTS` left, a venue each; hours are those of `--zone`; the kinds stand
in the venue files (a table's places are all of one kind, "place"), holidays in a mapping or venue file, whether the replay knew of them or not; `--labels` (as for `judge_findings.py`, of one RESULTS) tell what happened, and without them findings are counted and not judged.

    forecasts ─┐                 ┌─ error, coverage      the days are drawn anew 200 times (block bootstrap), for the steps of a day are not independent
    counts    ─┼─► groups ───────┤
    findings  ─┘                 └─ rates and shares     Byar's interval of a Poisson count, Wilson's of a share

The level of a forecast is the quarter of all that was forecast of its direction at its venue; that of a finding or an event the quarter of the venue's forecasts of that step taken together.
"""

import argparse
import csv
import json
import math
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

import judge_findings
from report import Counts, column, lines, within

Z95 = 1.959964
DRAWS = 200
DAY_S = 86_400
LEVELS = ("quietest quarter", "second", "third", "busiest quarter")
DAYS = ("working day", "Saturday", "Sunday", "holiday")


@dataclass
class Group:
    """What fell into one group."""

    error: list = field(default_factory=list)
    inside: list = field(default_factory=list)
    day: list = field(default_factory=list)
    findings: int = 0
    unmatched: int = 0
    events: int = 0
    found: int = 0


@dataclass(frozen=True)
class Replay:
    """One venue's replay: its forecasts one horizon ahead with what came, row by row, and the ANOMALY findings."""

    venue: str
    zone: np.ndarray
    what: np.ndarray
    target: np.ndarray
    quantiles: np.ndarray
    came: np.ndarray
    detected: list
    weeks: float


def poisson(count: int, per: float) -> tuple:
    """Byar's 95 % interval of a rate."""
    low = count * (1 - 1 / (9 * count) - Z95 / (3 * math.sqrt(count))) ** 3 if count else 0.0
    high = (count + 1) * (1 - 1 / (9 * (count + 1)) + Z95 / (3 * math.sqrt(count + 1))) ** 3
    return low / per, high / per


def wilson(hits: int, cases: int) -> tuple:
    """Wilson's 95 % interval of a share."""
    share, spread = hits / cases, Z95**2 / cases
    middle, half = share + spread / 2, Z95 * math.sqrt(share * (1 - share) / cases + spread / (4 * cases))
    return max(0.0, (middle - half) / (1 + spread)), (middle + half) / (1 + spread)


def by_days(values: np.ndarray, days: np.ndarray, rng: np.random.Generator) -> tuple:
    """The 95 % interval of a mean, days drawn anew."""
    _, which = np.unique(days, return_inverse=True)
    sums, counts = np.bincount(which, values), np.bincount(which)
    drawn = rng.integers(0, len(sums), (DRAWS, len(sums)))
    return tuple(np.quantile(sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1), (0.025, 0.975)))


def read(folder: Path, step_s: int, ahead: int, since_s: float) -> Replay:
    """What a replay left."""
    counts = Counts(folder, step_s)
    names = lines(folder / "zones.ndjson", {"venue": pa.string()})
    columns = {"zone": pa.string(), "what": pa.string(), "target_from": pa.int64(), "h_s": pa.int64(), "q10": pa.float64(), "q50": pa.float64(), "q90": pa.float64()}
    table = lines(folder / "forecasts.ndjson", columns)
    target = column(table, "target_from") // 1000
    chosen = (column(table, "h_s") == ahead * step_s) & (target >= since_s)
    zone, what, target = column(table, "zone")[chosen], column(table, "what")[chosen], target[chosen]
    came, slot = np.full(len(target), np.nan), (target - counts.first) // step_s
    for (name, way), row in counts.series.items():
        own = np.flatnonzero((zone == name) & (what == way) & (slot < len(row)))
        came[own] = row[slot[own]]
    known = np.isfinite(came)
    quantiles = np.stack([column(table, name)[chosen] for name in ("q10", "q50", "q90")])
    findings = [json.loads(line) for line in (folder / "findings.ndjson").read_text(encoding="utf-8").splitlines()]
    anomalies = [(finding["detected"] // 1000, finding["zone"]) for finding in findings if finding["code"] == "ANOMALY" and finding["detected"] // 1000 >= since_s]
    weeks = (target.max() + step_s - target.min()) / (7 * DAY_S)
    return Replay(str(names["venue"][0]), zone[known], what[known], target[known], quantiles[:, known], came[known], anomalies, weeks)


def quarters(values: np.ndarray) -> np.ndarray:
    """The quarter of each, 0 the lowest."""
    return np.argsort(np.argsort(values, kind="stable"), kind="stable") * 4 // max(len(values), 1)


class Clock:
    """The hour and the day on the wall."""

    def __init__(self, zone: ZoneInfo):
        self.zone = zone
        self.offsets = {}

    def local(self, at_s: np.ndarray) -> np.ndarray:
        """Seconds of local time; the offset is looked up once an hour."""
        hours, which = np.unique(at_s // 3600, return_inverse=True)
        offset = lambda hour: np.datetime64(int(hour) * 3600, "s").item().replace(tzinfo=ZoneInfo("UTC")).astimezone(self.zone).utcoffset().total_seconds()
        return at_s + np.array([offset(hour) for hour in hours], np.int64)[which]


def kind_of_day(day: np.ndarray, holidays: set) -> np.ndarray:
    """The place in `DAYS` of days since 1970-01-01, a Thursday."""
    weekday = (day + 3) % 7
    return np.where(np.isin(day, list(holidays)), 3, np.maximum(weekday - 4, 0))


def grouped(replays: list, kinds: dict, holidays: set, clock: Clock, judged: dict) -> dict:
    """By "venue", "kind of zone", "kind of day", "hour" and "level", the groups by their names."""
    found = {by: {} for by in ("venue", "kind of zone", "kind of day", "hour", "level")}
    rng = np.random.default_rng(1)
    group = lambda by, name: found[by].setdefault(name, Group())
    for replay in replays:
        low, middle, high = replay.quantiles
        inside, error, local = within(replay.came, low, high, rng), np.abs(replay.came - middle), clock.local(replay.target)
        level = np.zeros(len(middle), int)
        for what in np.unique(replay.what):
            own = replay.what == what
            level[own] = quarters(middle[own])
        names = {
            "venue": np.full(len(middle), replay.venue), "kind of zone": np.array([kinds.get((replay.venue, zone), "place") for zone in replay.zone]),
            "kind of day": kind_of_day(local // DAY_S, holidays), "hour": local % DAY_S // 3600, "level": level,
        }
        for by, of_row in names.items():
            for name in np.unique(of_row):
                own, into = of_row == name, group(by, name)
                into.error.append(error[own]), into.inside.append(inside[own]), into.day.append(local[own] // DAY_S)
        steps, which = np.unique(replay.target, return_inverse=True)
        of_step = quarters(np.bincount(which, middle))

        def told(at_s: int, zone: str | None) -> list:
            """The groups of a moment; an event is of no zone."""
            place = max(int(np.searchsorted(steps, at_s, side="right")) - 1, 0)
            kind = [group("kind of zone", kinds.get((replay.venue, zone), "place"))] if zone else []
            local = clock.local(np.array([at_s]))
            of_day = group("kind of day", int(kind_of_day(local // DAY_S, holidays)[0]))
            return [group("venue", replay.venue), of_day, group("hour", int(local[0] % DAY_S // 3600)), group("level", int(of_step[place])), *kind]

        for (at_s, zone), is_matched in zip(replay.detected, judged["findings"] or [None] * len(replay.detected)):
            for into in told(at_s, zone):
                into.findings += 1
                into.unmatched += is_matched is False
        for at_s, is_found in judged["events"]:
            for into in told(at_s, None):
                into.events += 1
                into.found += is_found
    return found


def against(labels: Path, zone: ZoneInfo, replay: Replay, since_s: float) -> tuple[Replay, dict]:
    """Which findings are about a labelled event, and which events were found, as `judge_findings` counts; the replay is cut to what is judged."""
    with labels.open(encoding="utf-8") as file:
        events, step, first, until = judge_findings.labelled_events(list(csv.DictReader(file)), zone)
    begin = max(first + judge_findings.WARM_UP_DAYS * judge_findings.DAY_MS, int(since_s * 1000))
    detected = [(at_s, place) for at_s, place in replay.detected if begin <= at_s * 1000 <= until]
    events = [(start, end) for start, end in events if start >= begin]
    about, were_found = judge_findings.matched([at_s * 1000 for at_s, _ in detected], events, step)
    rows = (replay.target * 1000 >= begin) & (replay.target * 1000 < until)
    cut = Replay(replay.venue, replay.zone[rows], replay.what[rows], replay.target[rows], replay.quantiles[:, rows], replay.came[rows], detected, (until - begin) / (7 * judge_findings.DAY_MS))
    return cut, {"findings": about, "events": [(start // 1000, is_found) for (start, _), is_found in zip(events, were_found)]}


def shown(by: str, groups: dict, weeks: dict, is_judged: bool) -> list:
    """The lines of one table; `weeks` by venue. A rate is of a venue's week."""
    rng = np.random.default_rng(2)
    rows = []
    for name in sorted(groups, key=lambda name: (isinstance(name, str), name)):
        group = groups[name]
        title = LEVELS[name] if by == "level" else DAYS[name] if by == "kind of day" else f"{name:02d}" if by == "hour" else str(name)
        cells = [f"{title:<18}"]
        if group.error:
            error, inside, day = (np.concatenate(part).astype(float) for part in (group.error, group.inside, group.day))
            between = by_days(error, day, rng), by_days(inside, day, rng)
            cells += [f"n {len(error):8d}", f"MAE {error.mean():9.3f} ({between[0][0]:.3f} to {between[0][1]:.3f})", f"in the band {inside.mean():4.0%} ({between[1][0]:.0%} to {between[1][1]:.0%})"]
        lasted = weeks[name] if by == "venue" else sum(weeks.values())
        rate = lambda count: f"{count / lasted:5.2f} ({poisson(count, lasted)[0]:.2f} to {poisson(count, lasted)[1]:.2f})"
        cells.append(f"findings a week {rate(group.findings)}")
        if is_judged:
            # An event of a calendar of labels is of no kind of zone.
            cells.append(f"false alarms a week {rate(group.unmatched)}")
            if group.events:
                low, high = wilson(group.events - group.found, group.events)
                cells.append(f"missed {group.events - group.found} of {group.events} ({low:.0%} to {high:.0%})")
        rows.append("  ".join(cells))
    return [f"by {by}", *rows, ""]


def kinds_of(files: list) -> dict:
    """(venue, zone) → kind, out of venue files."""
    found = {}
    for path in files:
        venue = tomllib.loads(path.read_text(encoding="utf-8"))
        found.update({(venue["id"], zone["id"]): zone["kind"] for zone in venue.get("zones", [])})
    return found


def holidays_of(path: Path | None) -> set:
    """The days since 1970-01-01 that a mapping or venue file calls holidays."""
    told = tomllib.loads(path.read_text(encoding="utf-8")).get("holidays", {}) if path else {}
    listed = lambda dates: dates if isinstance(dates, list) else [dates]
    return {int(np.datetime64(str(date), "D").astype(int)) for dates in told.values() for date in listed(dates)}


def main() -> None:
    """Reads the arguments and prints the five tables."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("results", type=Path, nargs="+")
    arguments.add_argument("--step", type=int, required=True, help="length of a step, s")
    arguments.add_argument("--ahead", type=int, default=1, help="which horizon, steps: 1, 2, 3, 6 or 12")
    arguments.add_argument("--from", dest="since", default="1970-01-01", help="first target that counts, UTC date")
    arguments.add_argument("--zone", default="UTC", help="IANA zone of the hours")
    arguments.add_argument("--venue", type=Path, action="append", default=[], help="a venue file, for the kinds of its zones")
    arguments.add_argument("--holidays", type=Path, help="a mapping or venue file, for its [holidays]")
    arguments.add_argument("--labels", type=Path, help="CSV with timestamp (start of the bin, local) and is_anomaly, of the one RESULTS")
    arguments.add_argument("--labels-zone", help="IANA zone of the labels; else --zone")
    chosen = arguments.parse_args()
    since_s = np.datetime64(chosen.since, "s").astype(float)
    replays = [read(folder, chosen.step, chosen.ahead, since_s) for folder in chosen.results]
    judged = {"findings": None, "events": []}
    if chosen.labels:
        if len(replays) > 1:
            arguments.error("--labels: they are of one RESULTS, and there are several")
        replay, judged = against(chosen.labels, ZoneInfo(chosen.labels_zone or chosen.zone), replays[0], since_s)
        replays = [replay]
    tables = grouped(replays, kinds_of(chosen.venue), holidays_of(chosen.holidays), Clock(ZoneInfo(chosen.zone)), judged)
    weeks = {replay.venue: replay.weeks for replay in replays}
    for by, groups in tables.items():
        print("\n".join(shown(by, groups, weeks, chosen.labels is not None)))


if __name__ == "__main__":
    main()
