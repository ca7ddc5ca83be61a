"""How replays fared, by venue, kind of zone, kind of day, hour and level: error, coverage, findings, false alarms and
misses, each with its 95 % interval.

    breakdown.py RESULTS... [--step SECONDS] [--ahead STEPS] [--from DATE] [--zone TZ]
                 [--venue FILE]... [--holidays FILE] [--labels CSV [--labels-zone TZ]]

The idea: one figure for all hides the hour and the place in which it is wrong. RESULTS are what `midan replay ... --out
RESULTS` left, a venue each; hours are those of `--zone`; the kinds stand in the venue files (a table's places are all
of one kind, "place"), holidays in a mapping or venue file, whether the replay knew of them or not; `--labels` (as for
`judge_findings.py`, of one RESULTS) tell what happened, and without them findings are counted and not judged.

    forecasts ─┐                 ┌─ error, coverage      the days are drawn anew 200 times (block bootstrap),
    counts    ─┼─► groups ───────┤                       for the steps of a day are not independent
    findings  ─┘                 └─ rates and shares     Byar's interval of a Poisson count, Wilson's of a share

The level of a forecast is the quarter of all that was forecast of its direction at its venue; that of a finding or an
event the quarter of the venue's forecasts of that step taken together.
"""

import json
import math
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

import asked
import judge_findings
from asked import Refused
from flow_rows import STEPS
from report import WHERE, Counts, Forecasts, forecasts, within

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
    said: Forecasts
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


def read(folder: Path, step_s: int | None, ahead: int, since_s: float) -> Replay:
    """What a replay left."""
    counts = Counts(folder, step_s)
    said = forecasts(folder, since_s)
    said = said.pick(np.rint(said.ahead / counts.step_s) == ahead)
    came, slot = np.full(len(said.target), np.nan), counts.slots(said.target)
    for (name, way), row in counts.series.items():
        own = np.flatnonzero((said.zone == name) & (said.what == way) & (slot < len(row)))
        came[own] = row[slot[own]]
    known = np.isfinite(came)
    if not known.any():
        raise Refused(f"{folder}: from {asked.day(since_s)} on no step that was forecast {ahead} ahead was counted")
    weeks = (said.target.max() + counts.step_s - said.target.min()) / (7 * DAY_S)
    return Replay(counts.venue, said.pick(known), came[known], anomalies(folder / "findings.ndjson", since_s), weeks)


def anomalies(path: Path, since_s: float) -> list:
    """When, s, and where something was found to stand out."""
    try:
        findings = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as why:
        raise Refused(f"{path} cannot be read ({why}): {WHERE}") from None
    found = [(finding["detected"] // 1000, finding["zone"]) for finding in findings if finding["code"] == "ANOMALY"]
    return [(at_s, zone) for at_s, zone in found if at_s >= since_s]


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
        return at_s + np.array([self._offset(int(hour) * 3600) for hour in hours], np.int64)[which]

    def _offset(self, at_s: int) -> float:
        return datetime.fromtimestamp(at_s, self.zone).utcoffset().total_seconds()


def kind_of_day(day: np.ndarray, holidays: set) -> np.ndarray:
    """The place in `DAYS` of days since 1970-01-01, a Thursday."""
    weekday = (day + 3) % 7
    return np.where(np.isin(day, list(holidays)), 3, np.maximum(weekday - 4, 0))


class Groups:
    """By "venue", "kind of zone", "kind of day", "hour" and "level", the groups by their names."""

    def __init__(self, kinds: dict, holidays: set, clock: Clock):
        self.kinds, self.holidays, self.clock = kinds, holidays, clock
        self.found = {by: {} for by in ("venue", "kind of zone", "kind of day", "hour", "level")}
        self.rng = np.random.default_rng(1)

    def take(self, replay: Replay, judged: dict) -> None:
        """Puts what a replay forecast and found, and the events that are known of, where they belong."""
        self._take_forecasts(replay)
        steps, which = np.unique(replay.said.target, return_inverse=True)
        of_step = quarters(np.bincount(which, replay.said.quantiles[1]))

        def around(at_s: int, zone: str | None) -> list:
            place = max(int(np.searchsorted(steps, at_s, side="right")) - 1, 0)
            return self._of_moment(replay.venue, at_s, zone, int(of_step[place]))

        about = judged["findings"] or [None] * len(replay.detected)
        for (at_s, zone), is_matched in zip(replay.detected, about):
            for into in around(at_s, zone):
                into.findings += 1
                into.unmatched += is_matched is False
        for at_s, is_found in judged["events"]:
            for into in around(at_s, None):
                into.events += 1
                into.found += is_found

    def _take_forecasts(self, replay: Replay) -> None:
        said, (low, middle, high) = replay.said, replay.said.quantiles
        inside, error = within(replay.came, low, high, self.rng), np.abs(replay.came - middle)
        local = self.clock.local(said.target)
        level = np.zeros(len(middle), int)
        for what in np.unique(said.what):
            own = said.what == what
            level[own] = quarters(middle[own])
        names = {
            "venue": np.full(len(middle), replay.venue),
            "kind of zone": np.array([self._kind(replay.venue, zone) for zone in said.zone]),
            "kind of day": kind_of_day(local // DAY_S, self.holidays),
            "hour": local % DAY_S // 3600,
            "level": level,
        }
        for by, of_row in names.items():
            for name in np.unique(of_row):
                own, into = of_row == name, self._group(by, name)
                into.error.append(error[own])
                into.inside.append(inside[own])
                into.day.append(local[own] // DAY_S)

    def _of_moment(self, venue: str, at_s: int, zone: str | None, level: int) -> list:
        """The groups of a moment; an event is of no zone."""
        local = self.clock.local(np.array([at_s]))
        of_day = int(kind_of_day(local // DAY_S, self.holidays)[0])
        kind = [self._group("kind of zone", self._kind(venue, zone))] if zone else []
        return [
            self._group("venue", venue),
            self._group("kind of day", of_day),
            self._group("hour", int(local[0] % DAY_S // 3600)),
            self._group("level", level),
            *kind,
        ]

    def _kind(self, venue: str, zone: str) -> str:
        return self.kinds.get((venue, zone), "place")

    def _group(self, by: str, name) -> Group:
        return self.found[by].setdefault(name, Group())


def against(labels: Path, zone: ZoneInfo, replay: Replay, since_s: float) -> tuple[Replay, dict]:
    """Which findings are about a labelled event, and which events were found, as `judge_findings` counts; the replay is
    cut to what is judged."""
    events, step, first, until = judge_findings.read_labels(labels, zone)
    begin = max(first + judge_findings.WARM_UP_DAYS * judge_findings.DAY_MS, int(since_s * 1000))
    rows = (replay.said.target * 1000 >= begin) & (replay.said.target * 1000 < until)
    if not rows.any():
        told = f"{asked.day(first / 1000)} to {asked.day(until / 1000)}"
        raise Refused(f"{labels} tells of {told}, and no forecast from {asked.day(begin / 1000)} on lies in that")
    detected = [(at_s, place) for at_s, place in replay.detected if begin <= at_s * 1000 <= until]
    events = [(start, end) for start, end in events if start >= begin]
    about, were_found = judge_findings.matched([at_s * 1000 for at_s, _ in detected], events, step)
    weeks = (until - begin) / (7 * judge_findings.DAY_MS)
    cut = replace(replay, said=replay.said.pick(rows), came=replay.came[rows], detected=detected, weeks=weeks)
    found = [(start // 1000, is_found) for (start, _), is_found in zip(events, were_found)]
    return cut, {"findings": about, "events": found}


def shown(by: str, groups: dict, weeks: dict, is_judged: bool) -> list:
    """The lines of one table; `weeks` by venue. A rate is of a venue's week."""
    rng = np.random.default_rng(2)
    rows = []
    for name in sorted(groups, key=lambda name: (isinstance(name, str), name)):
        lasted = weeks[name] if by == "venue" else sum(weeks.values())
        cells = [f"{title(by, name):<18}", *errors(groups[name], rng), *rates(groups[name], lasted, is_judged)]
        rows.append("  ".join(cells))
    return [f"by {by}", *rows, ""]


def title(by: str, name) -> str:
    """How a group is named."""
    of = {"level": LEVELS, "kind of day": DAYS}
    if by in of:
        return of[by][name]
    return f"{name:02d}" if by == "hour" else str(name)


def errors(group: Group, rng: np.random.Generator) -> list:
    """How its forecasts fared."""
    if not group.error:
        return []
    error, inside, day = (np.concatenate(part).astype(float) for part in (group.error, group.inside, group.day))
    (least, most), (fewest, all_but) = by_days(error, day, rng), by_days(inside, day, rng)
    return [
        f"n {len(error):8d}",
        f"MAE {error.mean():9.3f} ({least:.3f} to {most:.3f})",
        f"in the band {inside.mean():4.0%} ({fewest:.0%} to {all_but:.0%})",
    ]


def rates(group: Group, weeks: float, is_judged: bool) -> list:
    """Its findings, and where events are known those about none, and what was missed."""
    cells = [f"findings a week {rate(group.findings, weeks)}"]
    if is_judged:
        # An event of a calendar of labels is of no kind of zone.
        cells.append(f"false alarms a week {rate(group.unmatched, weeks)}")
    if is_judged and group.events:
        missed = group.events - group.found
        low, high = wilson(missed, group.events)
        cells.append(f"missed {missed} of {group.events} ({low:.0%} to {high:.0%})")
    return cells


def rate(count: int, weeks: float) -> str:
    """So many a week, with the interval."""
    low, high = poisson(count, weeks)
    return f"{count / weeks:5.2f} ({low:.2f} to {high:.2f})"


def kinds_of(files: list) -> dict:
    """(venue, zone) → kind, out of venue files."""
    found = {}
    for path in files:
        venue = asked.toml(path)
        if "id" not in venue:
            raise Refused(f"--venue {path}: it has no `id`, so it is no venue file (a mapping needs none)")
        found |= {(venue["id"], zone.get("id")): zone.get("kind", "place") for zone in venue.get("zones", [])}
    return found


def holidays_of(path: Path | None) -> set:
    """The days since 1970-01-01 that a mapping or venue file calls holidays."""
    told = asked.toml(path).get("holidays", {}) if path else {}
    dates = [date for of in told.values() for date in (of if isinstance(of, list) else [of])]
    try:
        return {int(np.datetime64(str(date), "D").astype(int)) for date in dates}
    except ValueError as why:
        raise Refused(f"--holidays {path}: {why}") from None


def arguments() -> asked.Arguments:
    """What may be asked."""
    asks = asked.Arguments(__doc__)
    asks.add_argument("results", type=asked.folder, nargs="+")
    asks.add_argument("--step", type=asked.positive, help="length of a step, s; by default that of the results")
    asks.add_argument("--ahead", type=int, default=1, choices=STEPS, help="which horizon, steps")
    asks.add_argument("--from", dest="since", type=asked.date, default=0.0, help="first target that counts, UTC")
    asks.add_argument("--zone", type=asked.zone, default="UTC", help="IANA zone of the hours")
    asks.add_argument(
        "--venue", type=asked.file, action="append", default=[], help="venue file: the kinds of its zones"
    )
    asks.add_argument("--holidays", type=asked.file, help="a mapping or venue file, for its [holidays]")
    asks.add_argument("--labels", type=asked.file, help="CSV of the one RESULTS: timestamp (bin's start), is_anomaly")
    asks.add_argument("--labels-zone", type=asked.zone, help="IANA zone of the labels; else --zone")
    return asks


def main() -> None:
    """Reads the arguments and prints the five tables."""
    asks = arguments()
    chosen = asks.parse_args()
    if chosen.labels and len(chosen.results) > 1:
        asks.error("--labels: they are of one RESULTS, and there are several")
    replays = [read(folder, chosen.step, chosen.ahead, chosen.since) for folder in chosen.results]
    judged = {"findings": None, "events": []}
    if chosen.labels:
        replay, judged = against(chosen.labels, chosen.labels_zone or chosen.zone, replays[0], chosen.since)
        replays = [replay]
    groups = Groups(kinds_of(chosen.venue), holidays_of(chosen.holidays), Clock(chosen.zone))
    for replay in replays:
        groups.take(replay, judged)
    weeks = {replay.venue: replay.weeks for replay in replays}
    for by, found in groups.found.items():
        print("\n".join(shown(by, found, weeks, chosen.labels is not None)))


if __name__ == "__main__":
    asked.told(main)
