"""The report by groups: what falls where, and the intervals."""

import sys
from zoneinfo import ZoneInfo

import numpy as np
import pytest

import asked
import breakdown
import made
from made import HOUR_MS, START_MS


@pytest.fixture
def folder(tmp_path):
    """The results, and labels of an event at noon of the 20th day and of one at nine of the 25th."""
    made.results(tmp_path)
    labels = ["timestamp,is_anomaly"]
    for hour in range(made.HOURS):
        at = np.datetime64(START_MS + hour * HOUR_MS, "ms").item()
        labels.append(f"{at:%Y-%m-%dT%H:%M:%S},{int(hour in (20 * 24 + 12, 25 * 24 + 9))}")
    (tmp_path / "labels.csv").write_text("\n".join(labels), encoding="utf-8")
    return tmp_path


def groups(folder, zone="UTC", judged=None, replay=None, holidays=frozenset()):
    replay = replay or read(folder)
    kinds = {("v", "gate"): "gate_queue", ("v", "hall"): "station_hall"}
    found = breakdown.Groups(kinds, set(holidays), breakdown.Clock(ZoneInfo(zone)))
    found.take(replay, judged or {"findings": None, "events": []})
    return found.found


def read(folder):
    return breakdown.read(folder, 3600, 1, 0.0)


def against(folder):
    return breakdown.against(folder / "labels.csv", ZoneInfo("UTC"), read(folder), 0.0)


def mean(group, what):
    return float(np.concatenate(getattr(group, what)).mean())


def test_an_error_is_told_where_and_when_it_is(folder):
    found = groups(folder)
    kinds, hours = found["kind of zone"], found["hour"]
    assert mean(kinds["gate_queue"], "error") == pytest.approx(10 / 24) and mean(kinds["station_hall"], "error") == 0
    assert (mean(hours[12], "error"), mean(hours[12], "inside"), mean(hours[11], "inside")) == (5, 0.5, 1)
    assert mean(found["level"][3], "error") > 0 and mean(found["level"][0], "error") == 0


def test_hours_are_those_of_the_clock_on_the_wall(folder):
    found = groups(folder, "Europe/Zurich")["hour"]
    # Noon is one o'clock until the 28th of March and two o'clock from then on.
    assert mean(found[13], "error") == pytest.approx(5 * 13 / 28) and mean(found[14], "error") == pytest.approx(
        5 * 15 / 28
    )


def test_holidays_are_a_kind_of_day_of_their_own(folder):
    mapping = folder / "m.toml"
    # Two Thursdays and the Monday of the finding's week.
    days = 'sunday = ["2026-03-19", 2026-03-26]\nsaturday = "2026-04-06"\n'
    mapping.write_text(f'venue = "v"\n[holidays]\n{days}', encoding="utf-8")
    holidays = breakdown.holidays_of(mapping)
    replay, judged = against(folder)
    found = groups(folder, judged=judged, holidays=holidays)["kind of day"]
    assert {name: len(np.concatenate(group.day)) // 48 for name, group in found.items()} == {0: 17, 1: 4, 2: 4, 3: 3}
    assert (found[3].findings, found[1].findings, found[2].findings, found[0].events) == (1, 0, 1, 1)
    told = "\n".join(breakdown.shown("kind of day", found, {"v": replay.weeks}, False))
    assert [line.split("  ")[0] for line in told.splitlines()[1:]] == ["working day", "Saturday", "Sunday", "holiday"]
    assert breakdown.holidays_of(None) == set()


def test_findings_and_events_are_judged_where_they_fall(folder):
    replay, judged = against(folder)
    assert judged["findings"] == [True, False] and [is_found for _, is_found in judged["events"]] == [True, False]
    found = groups(folder, judged=judged, replay=replay)
    whole = found["venue"]["v"]
    assert (whole.findings, whole.unmatched, whole.events, whole.found) == (2, 1, 2, 1)
    hours, kinds = found["hour"], found["kind of zone"]
    assert (hours[3].unmatched, hours[9].events, hours[9].found, hours[12].found) == (1, 1, 0, 1)
    assert (kinds["gate_queue"].unmatched, kinds["station_hall"].unmatched) == (0, 1)
    told = "\n".join(breakdown.shown("venue", found["venue"], {"v": replay.weeks}, True))
    assert replay.weeks == pytest.approx(2.0)
    assert "missed 1 of 2" in told and "false alarms a week  0.50" in told


def test_intervals_are_those_of_the_books():
    assert breakdown.poisson(10, 1.0) == pytest.approx((4.79, 18.39), abs=0.02)
    assert breakdown.poisson(0, 1.0) == pytest.approx((0.0, 3.67), abs=0.03)
    assert breakdown.wilson(9, 24) == pytest.approx((0.212, 0.573), abs=0.002)


def test_days_are_drawn_and_not_steps():
    rng = np.random.default_rng(3)
    days = np.repeat(np.arange(50), 24)
    of_day = np.repeat(rng.normal(0, 1, 50), 24)
    low, high = breakdown.by_days(of_day, days, rng)
    assert 0.35 < high - low < 0.75, "a mean of fifty, not of 1,200"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (["--step", "1800"], "the results step by 3600 s; --step 1800 does not fit"),
        (["--step", "0"], "no whole number above 0"),
        (["--from", "2027-01-01"], "nothing was forecast for 2027-01-01 or later: the forecasts are for steps from"),
        (["--from", "soon"], '"soon" is no date'),
        (["--ahead", "3"], "no step that was forecast 3 ahead was counted"),
        (["--zone", "Europe/Zurik"], "the nearest are Europe/Zurich"),
        (["--zone", "Europe"], "no IANA time zone"),
        (["--venue", "none.toml"], "there is no file none.toml"),
        (["--labels", "FOLDER/zones.ndjson"], "holds no labels"),
        (["--holidays", "FOLDER/zones.ndjson"], "cannot be read as TOML"),
        (["--labels", "FOLDER/labels.csv", "--from", "2026-04-30"], "nothing was forecast for 2026-04-30"),
        (["FOLDER", "--labels", "FOLDER/labels.csv"], "they are of one RESULTS"),
    ],
)
def test_what_is_asked_wrong_is_refused_in_a_line(folder, monkeypatch, capsys, more, why):
    words = [word.replace("FOLDER", str(folder)) for word in more]
    monkeypatch.setattr(sys, "argv", ["breakdown.py", str(folder), *words])
    with pytest.raises(SystemExit) as ended:
        asked.told(breakdown.main)
    said = capsys.readouterr().err
    assert ended.value.code == 2 and why in said and said.count("\n") == 1, said


def test_the_step_is_that_of_the_results(folder, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["breakdown.py", str(folder)])
    breakdown.main()
    told = capsys.readouterr().out
    assert told.startswith("by venue\nv ") and "by level\nquietest quarter" in told
