"""The report by groups: what falls where, and the intervals."""

import json
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import breakdown

HOUR_MS = 3_600_000
# Four weeks from a Monday on, in Zürich the change of the clocks among them (29 March 2026).
START_MS = int(np.datetime64("2026-03-16", "ms").astype(int))


@pytest.fixture
def folder(tmp_path):
    """A venue of two places: at noon UTC the gate has 40 for the 30 that were forecast, which lies beyond the band; all else is as forecast."""
    zones, forecasts = [], []
    for hour in range(4 * 7 * 24):
        begin = START_MS + hour * HOUR_MS
        for zone in ("gate", "hall"):
            forecast = 30 if hour % 24 == 12 else 10
            came = 40 if hour % 24 == 12 and zone == "gate" else forecast
            zones.append({"venue": "v", "kind": "zone", "zone": zone, "revision": 0, "from": begin, "in": came})
            forecasts.append({"zone": zone, "what": "in", "target_from": begin, "h_s": 3600, "q10": forecast - 5.0, "q50": float(forecast), "q90": forecast + 5.0})
    # One finding about the event, at noon of the 20th day, and one about nothing a day later at three.
    findings = [{"code": "ANOMALY", "zone": zone, "detected": START_MS + hour * HOUR_MS, "from": 0, "to": 0} for zone, hour in (("gate", 20 * 24 + 12), ("hall", 21 * 24 + 3))]
    for name, rows in (("zones", zones), ("forecasts", forecasts), ("findings", findings)):
        (tmp_path / f"{name}.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    labels = ["timestamp,is_anomaly"]
    labels += [f"{np.datetime64(START_MS + hour * HOUR_MS, 'ms').item():%Y-%m-%dT%H:%M:%S},{int(hour in (20 * 24 + 12, 25 * 24 + 9))}" for hour in range(4 * 7 * 24)]
    (tmp_path / "labels.csv").write_text("\n".join(labels), encoding="utf-8")
    return tmp_path


def groups(folder, zone="UTC", judged=None, replay=None, holidays=frozenset()):
    replay = replay or breakdown.read(folder, 3600, 1, 0.0)
    kinds = {("v", "gate"): "gate_queue", ("v", "hall"): "station_hall"}
    return breakdown.grouped([replay], kinds, set(holidays), breakdown.Clock(ZoneInfo(zone)), judged or {"findings": None, "events": []})


def mean(group, what):
    return float(np.concatenate(getattr(group, what)).mean())


def test_an_error_is_told_where_and_when_it_is(folder):
    found = groups(folder)
    assert mean(found["kind of zone"]["gate_queue"], "error") == pytest.approx(10 / 24) and mean(found["kind of zone"]["station_hall"], "error") == 0
    assert mean(found["hour"][12], "error") == 5 and mean(found["hour"][12], "inside") == 0.5 and mean(found["hour"][11], "inside") == 1
    assert mean(found["level"][3], "error") > 0 and mean(found["level"][0], "error") == 0


def test_hours_are_those_of_the_clock_on_the_wall(folder):
    found = groups(folder, "Europe/Zurich")["hour"]
    # Noon is one o'clock until the 28th of March and two o'clock from then on.
    assert mean(found[13], "error") == pytest.approx(5 * 13 / 28) and mean(found[14], "error") == pytest.approx(5 * 15 / 28)


def test_holidays_are_a_kind_of_day_of_their_own(folder):
    mapping = folder / "m.toml"
    # Two Thursdays and the Monday of the finding's week.
    mapping.write_text('venue = "v"\n[holidays]\nsunday = ["2026-03-19", 2026-03-26]\nsaturday = "2026-04-06"\n', encoding="utf-8")
    holidays = breakdown.holidays_of(mapping)
    replay, judged = breakdown.against(folder / "labels.csv", ZoneInfo("UTC"), breakdown.read(folder, 3600, 1, 0.0), 0.0)
    found = groups(folder, judged=judged, holidays=holidays)["kind of day"]
    assert {name: len(np.concatenate(group.day)) // 48 for name, group in found.items()} == {0: 17, 1: 4, 2: 4, 3: 3}
    assert (found[3].findings, found[1].findings, found[2].findings, found[0].events) == (1, 0, 1, 1)
    told = "\n".join(breakdown.shown("kind of day", found, {"v": replay.weeks}, False))
    assert [line.split("  ")[0] for line in told.splitlines()[1:]] == ["working day", "Saturday", "Sunday", "holiday"]
    assert breakdown.holidays_of(None) == set()


def test_findings_and_events_are_judged_where_they_fall(folder):
    replay, judged = breakdown.against(folder / "labels.csv", ZoneInfo("UTC"), breakdown.read(folder, 3600, 1, 0.0), 0.0)
    assert judged["findings"] == [True, False] and [is_found for _, is_found in judged["events"]] == [True, False]
    found = groups(folder, judged=judged, replay=replay)
    whole = found["venue"]["v"]
    assert (whole.findings, whole.unmatched, whole.events, whole.found) == (2, 1, 2, 1)
    assert (found["hour"][3].unmatched, found["hour"][9].events, found["hour"][9].found, found["hour"][12].found) == (1, 1, 0, 1)
    assert (found["kind of zone"]["gate_queue"].unmatched, found["kind of zone"]["station_hall"].unmatched) == (0, 1)
    told = "\n".join(breakdown.shown("venue", found["venue"], {"v": replay.weeks}, True))
    assert replay.weeks == pytest.approx(2.0) and "missed 1 of 2" in told and "false alarms a week  0.50" in told


def test_intervals_are_those_of_the_books():
    assert breakdown.poisson(10, 1.0) == pytest.approx((4.79, 18.39), abs=0.02) and breakdown.poisson(0, 1.0) == pytest.approx((0.0, 3.67), abs=0.03)
    assert breakdown.wilson(9, 24) == pytest.approx((0.212, 0.573), abs=0.002)


def test_days_are_drawn_and_not_steps():
    rng = np.random.default_rng(3)
    days = np.repeat(np.arange(50), 24)
    of_day = np.repeat(rng.normal(0, 1, 50), 24)
    low, high = breakdown.by_days(of_day, days, rng)
    assert 0.35 < high - low < 0.75, "a mean of fifty, not of 1,200"
