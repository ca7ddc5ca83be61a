"""How a replay is judged, and what cannot be."""

import sys

import numpy as np
import pytest

import asked
import made
import report
from report import Counts, by_day, judge, quantile_loss, shifted, within


def share(came, low, high) -> float:
    came = np.asarray(came, float)
    inside = within(came, np.full(len(came), low), np.full(len(came), high), np.random.default_rng(1))
    return float(inside.mean())


def test_a_tenth_lies_beyond_each_bound_where_ties_allow_it():
    assert abs(share(np.arange(10_000) % 10, 0, 9) - 0.8) < 0.02
    assert share([5.0] * 100, 1, 9) == 1.0


def test_where_nobody_comes_and_nobody_is_expected_a_value_on_both_bounds_may_be_beyond_either():
    nobody = np.zeros(10_000)
    nobody[:400] = 1.0
    assert abs(share(nobody, 0, 0) - 0.8) < 0.02


def test_the_loss_of_a_quantile_weighs_a_miss_by_its_side():
    came, said = np.array([10.0]), np.array([[8.0], [9.0], [13.0]])
    assert quantile_loss(came, said) == pytest.approx([(0.1 * 2 + 0.5 * 1 + 0.1 * 3) / 3])


def test_losses_are_summed_by_day():
    assert by_day(np.array([0, 3600, 86_400]), np.array([1.0, 2.0, 5.0])) == {0: (3.0, 2), 1: (5.0, 1)}


def test_what_stood_before_a_short_row_is_unknown():
    assert np.array_equal(shifted(np.array([1.0, 2.0]), 5), [np.nan, np.nan], equal_nan=True)
    assert np.array_equal(shifted(np.array([1.0, 2.0]), 1), [np.nan, 1.0], equal_nan=True)


def test_a_replay_is_judged_by_direction_and_horizon_from_a_date_on(tmp_path):
    (told,) = judge(made.results(tmp_path), asked.date("2026-03-30"))
    assert (told["what"], told["steps"], told["n"]) == ("in", 1, 2 * 14 * 24)
    assert told["mae"] == pytest.approx(10 / 48)
    assert told["methods"]["same-slot mean"] == (0.0, 0.0)


def test_days_by_the_clock_on_the_wall_have_a_slot_each():
    begins = np.array([0, 86_400, 2 * 86_400 - 3_600, 3 * 86_400 - 3_600])
    counts = Counts.__new__(Counts)
    counts.first, counts.step_s = 0, report.spacing(begins, None)
    assert (counts.step_s, counts.slots(begins).tolist()) == (86_400, [0, 1, 2, 3])


def refused(monkeypatch, capsys, *words: str) -> str:
    monkeypatch.setattr(sys, "argv", ["report.py", *words])
    with pytest.raises(SystemExit) as ended:
        asked.told(report.main)
    said = capsys.readouterr().err
    assert ended.value.code == 2 and said.startswith("report.py: ") and said.count("\n") == 1, said
    return said


def test_arguments_that_do_not_fit_are_refused_in_a_line(tmp_path, monkeypatch, capsys):
    folder = str(made.results(tmp_path))
    assert "there is no folder nowhere" in refused(monkeypatch, capsys, "nowhere")
    said = refused(monkeypatch, capsys, folder, "--step", "1800")
    assert "the results step by 3600 s; --step 1800 does not fit" in said
    assert "nothing was forecast for 2027-01-01" in refused(monkeypatch, capsys, folder, "--from", "2027-01-01")
    assert '"2026-13-01" is no date' in refused(monkeypatch, capsys, folder, "--from", "2026-13-01")


def test_a_folder_without_results_is_refused_in_a_line(tmp_path, monkeypatch, capsys):
    assert "there is no" in refused(monkeypatch, capsys, str(tmp_path))
    zones, forecasts = (made.results(tmp_path) / name for name in ("zones.ndjson", "forecasts.ndjson"))
    forecasts.write_text("")
    assert "--counts-only" in refused(monkeypatch, capsys, str(tmp_path))
    forecasts.unlink()
    assert f"there is no {forecasts}" in refused(monkeypatch, capsys, str(tmp_path))
    zones.write_text("not json\n")
    assert "cannot be read" in refused(monkeypatch, capsys, str(tmp_path))
    zones.write_text("")
    assert "holds nothing" in refused(monkeypatch, capsys, str(tmp_path))
