"""What counts as found."""

from zoneinfo import ZoneInfo

from judge_findings import DAY_MS, judge, labelled_events, touching

HOUR = 3_600_000


def test_a_finding_within_a_bin_of_an_event_has_found_it_and_any_other_is_unmatched():
    events = [(10 * HOUR, 12 * HOUR), (30 * HOUR, 31 * HOUR)]
    figures = judge([9 * HOUR, 11 * HOUR, 20 * HOUR, 32 * HOUR + 1], events, HOUR, 0, 7 * DAY_MS)
    assert (figures["found"], figures["unmatched"], figures["unmatched_a_week"]) == (1, 2, 2.0)


def test_what_lies_in_the_warm_up_is_not_judged():
    figures = judge([9 * HOUR], [(8 * HOUR, 9 * HOUR)], HOUR, 10 * HOUR, 7 * DAY_MS)
    assert (figures["events"], figures["findings"], figures["unmatched"]) == (0, 0, 0)


def test_runs_of_labelled_rows_are_events():
    rows = [{"timestamp": f"2005-07-24 0{hour}:00:00", "is_anomaly": flag} for hour, flag in enumerate("0110010")]
    events, step, first, until = labelled_events(rows, ZoneInfo("UTC"))
    assert [(start - first, end - first) for start, end in events] == [(HOUR, 3 * HOUR), (5 * HOUR, 6 * HOUR)]
    assert (step, until - first) == (HOUR, 7 * HOUR)


def test_a_finding_that_came_out_before_an_event_and_lasts_into_it_touches_it():
    events = [(10 * HOUR, 12 * HOUR), (30 * HOUR, 31 * HOUR)]
    figures = touching([(5 * HOUR, 10 * HOUR), (20 * HOUR, 22 * HOUR)], events, HOUR, 0, 7 * DAY_MS)
    assert figures == {"share_touched": 0.5, "apart_a_week": 1.0}
    assert judge([6 * HOUR], events, HOUR, 0, 7 * DAY_MS)["found"] == 0
