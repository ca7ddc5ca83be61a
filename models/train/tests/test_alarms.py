"""Counting alarms: a run is one alarm, a long run is not a free pass, and a tie is not split."""

import numpy as np
import pytest

from alarms import average_precision, recalls_within, runs, tally

HALF_HOUR = 1800


def test_a_run_with_a_hole_is_one_alarm():
    assert runs(np.array([0, 1, 0, 1, 0, 0, 1], bool)) == [(1, 3), (6, 6)]


def test_an_alarm_beside_an_event_finds_it_and_another_is_unmatched():
    score = np.zeros(336)
    score[[10, 100]] = 1.0
    at = tally(score, [(11, 12), (200, 201)], 0.5, HALF_HOUR)
    assert (at.recall, at.unmatched_per_week) == (0.5, 1.0)


def test_flagging_everything_is_not_one_matched_alarm():
    at = tally(np.ones(336), [(11, 12)], 0.5, HALF_HOUR)
    assert at.recall == 1.0 and at.unmatched_per_week > 20


def test_recall_keeps_to_the_limit():
    score = np.linspace(0.0, 1.0, 336)
    assert recalls_within(score, [(0, 1)], (1, 5), HALF_HOUR) == (0.0, 0.0)


def test_average_precision_of_a_perfect_and_of_a_constant_score():
    label = np.array([0, 1, 0, 1], bool)
    assert average_precision(label.astype(float), label) == pytest.approx(1.0)
    assert average_precision(np.zeros(4), label) == pytest.approx(0.5)
