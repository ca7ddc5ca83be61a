"""Findings of a replay before their judge: which labelled events were found, and how many findings were about none.

    midan replay --table CalIt2.data --map config/mappings/calit2.toml --out results python
    models/train/judge_findings.py --findings results/findings.ndjson --labels CalIt2-traffic.test.csv --zone
    America/Los_Angeles

An event is found when a finding comes out within it or a bin on either side. Every other finding is unmatched, whatever
it may have been about. `touched` counts as the scores are judged (`alarms.py`): a finding whose interval touches an
event or a bin on either side is about it, also when it came out before. The first two weeks teach what is usual and are
not judged.
"""

import csv
import json
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import asked
from asked import Refused

DAY_MS = 86_400_000
WARM_UP_DAYS = 14


def labelled_events(rows: list, zone: ZoneInfo) -> tuple[list, int, int, int]:
    """Runs of labelled rows as (start, end) in ms, the length of a bin, and where the table starts and ends.

    A local hour that comes twice is read as its first, as the mapping does.
    """
    starts = [int(datetime.fromisoformat(row["timestamp"]).replace(tzinfo=zone).timestamp() * 1_000) for row in rows]
    step = starts[1] - starts[0]
    events = []
    for start, row in zip(starts, rows):
        if row["is_anomaly"] not in ("1", "1.0"):
            continue
        if events and start - events[-1][1] <= 0:
            events[-1] = (events[-1][0], start + step)
        else:
            events.append((start, start + step))
    return events, step, starts[0], starts[-1] + step


def read_labels(path: Path, zone: ZoneInfo) -> tuple[list, int, int, int]:
    """`labelled_events` of a file."""
    try:
        with path.open(encoding="utf-8") as file:
            return labelled_events(list(csv.DictReader(file)), zone)
    except (KeyError, IndexError, TypeError, ValueError) as why:
        needs = (
            "a line of names, the columns timestamp (2030-06-16 18:00:00) and is_anomaly (0 or 1), and two bins or more"
        )
        raise Refused(f"{path} holds no labels ({type(why).__name__}: {why}): it needs {needs}") from None


def matched(detected: list, events: list, step: int) -> tuple[list, list]:
    """Of each finding whether it is about an event, and of each event whether it was found; all in ms."""
    windows = [(start - step, end + step) for start, end in events]
    return [any(start <= at <= end for start, end in windows) for at in detected], [
        any(start <= at <= end for at in detected) for start, end in windows
    ]


def judge(detected: list, events: list, step: int, judged_from: int, until: int) -> dict:
    """Events found, unmatched findings, and both as shares and rates."""
    events = [event for event in events if event[0] >= judged_from]
    detected = [at for at in detected if judged_from <= at <= until]
    about, were_found = matched(detected, events, step)
    found, unmatched = sum(were_found), about.count(False)
    weeks = (until - judged_from) / (7 * DAY_MS)
    return {
        "events": len(events),
        "found": found,
        "share_found": round(found / len(events), 3) if events else None,
        "findings": len(detected),
        "unmatched": unmatched,
        "unmatched_a_week": round(unmatched / weeks, 2),
    }


def touching(intervals: list, events: list, step: int, judged_from: int, until: int) -> dict:
    """The same by the findings' intervals (from, to)."""
    windows = [(start - step, end + step) for start, end in events if start >= judged_from]
    judged = [interval for interval in intervals if judged_from <= interval[1] and interval[0] <= until]
    touched = sum(any(_meet(interval, window) for interval in judged) for window in windows)
    apart = sum(not any(_meet(interval, window) for window in windows) for interval in judged)
    return {
        "share_touched": round(touched / len(windows), 3) if windows else None,
        "apart_a_week": round(apart / ((until - judged_from) / (7 * DAY_MS)), 2),
    }


def _meet(one: tuple, other: tuple) -> bool:
    return one[0] < other[1] and other[0] < one[1]


def main() -> None:
    """Prints the figures of one replay."""
    asks = asked.Arguments(__doc__)
    asks.add_argument("--findings", type=asked.file, required=True)
    asks.add_argument("--labels", type=asked.file, required=True, help="CSV: timestamp (bin's start), is_anomaly")
    asks.add_argument("--zone", type=asked.zone, default="UTC", help="IANA zone of the labels")
    chosen = asks.parse_args()
    events, step, first, until = read_labels(chosen.labels, chosen.zone)
    findings = [json.loads(line) for line in chosen.findings.read_text(encoding="utf-8").splitlines()]
    anomalies = [finding for finding in findings if finding["code"] == "ANOMALY"]
    around = (events, step, first + WARM_UP_DAYS * DAY_MS, until)
    figures = judge([finding["detected"] for finding in anomalies], *around)
    print(json.dumps(figures | touching([(finding["from"], finding["to"]) for finding in anomalies], *around)))


if __name__ == "__main__":
    asked.told(main)
