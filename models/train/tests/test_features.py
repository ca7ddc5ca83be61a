"""The laws of the feature set: no view of the future, a gap is not a zero, a step is judged before it is learnt."""

import math
import random

import numpy as np
import pytest

from features import DAY, Profile, Series, features, is_weekend
from rows import Table, feature_matrix, gather

MONDAY = 4 * DAY  # 1970-01-05
HOUR = 3600


def counts_of(steps: int, seed: int, gaps: float = 0.0) -> list:
    rng = random.Random(seed)
    return [None if rng.random() < gaps else rng.randint(0, 200) for _ in range(steps)]


def issued(counts: list, step_seconds: int = HOUR) -> list:
    series = Series(step_seconds, MONDAY)
    return [series.push(count) for count in counts]


def test_features_do_not_change_with_later_data():
    known, later = counts_of(200, 1), counts_of(60, 2)
    assert issued(known + later)[:200] == issued(known)


def test_a_gap_is_not_a_zero():
    gap = issued([50, 60, None])[-1]
    zero = issued([50, 60, 0])[-1]
    assert gap != zero
    assert gap[21] == 2 / 12 and zero[21] == 3 / 12
    assert gap[12] == pytest.approx(math.log(56))


def test_a_gap_leaves_the_profile_alone():
    profile = Series(HOUR, MONDAY)
    profile.push(10)
    profile.push(None)
    assert profile.profile.look_up(MONDAY) == (10, 1)
    assert profile.profile.look_up(MONDAY + HOUR) == (0.0, 0)


def test_a_step_is_compared_with_what_was_usual_before_it():
    day = [7] * 24
    surprising = issued(day + [99])[-1]
    assert surprising[19] == pytest.approx(math.log(100 / 8))


def test_the_first_occurrence_sets_the_mean_and_later_ones_move_it():
    profile = Profile(HOUR)
    for count, mean in ((8, 8), (16, 12), (0, 8), (8, 8), (20, 11), (11 + 8, 13)):
        profile.absorb(MONDAY, count)
        assert profile.look_up(MONDAY)[0] == pytest.approx(mean)


def test_saturday_and_sunday_have_a_profile_of_their_own():
    assert [is_weekend(MONDAY + day * DAY) for day in range(7)] == [False] * 5 + [True] * 2
    profile = Profile(HOUR)
    profile.absorb(MONDAY, 5)
    assert profile.look_up(MONDAY + 5 * DAY)[1] == 0
    assert profile.look_up(MONDAY + 4 * DAY) == (5, 1)


def test_nothing_known_is_all_zero_but_for_the_clock():
    row = features([None] * 12, Profile(300), MONDAY, 300)
    assert row[:22] == [0.0] * 22
    assert row[22:] == [0.0, 1.0, 0.0, 0.0]


def test_the_level_falls_back_to_older_lags():
    lags = [None, None, None, 30.0, 10.0] + [None] * 7
    row = features(lags, Profile(300), MONDAY, 300)
    assert row[12] == pytest.approx(math.log(21))
    assert row[0] == 0.0 and row[3] == pytest.approx(math.log(31 / 21))


def test_ratios_are_held_within_four():
    assert issued([0, 0, 0, 100_000], 300)[-1][0] <= 4.0
    assert features([0.0, 0.0, 0.0, 1e9] + [None] * 8, Profile(300), MONDAY, 300)[3] == 4.0


@pytest.mark.parametrize("gaps", [0.0, 0.3])
def test_bulk_rows_equal_the_streaming_definition(gaps):
    counts = counts_of(24 * 16, 3, gaps)
    table = Table("test", HOUR, MONDAY, np.array([[np.nan if count is None else count for count in counts]], float))
    issue = np.arange(1, len(counts) + 1)
    rows = gather(table, np.zeros(len(issue), int), issue)
    # The last issue times look past the table's end, where the bulk profile has no slots.
    inside = len(counts) - 6
    bulk = feature_matrix(rows)[:inside]
    assert np.allclose(bulk, np.array(issued(counts))[:inside], atol=1e-6)
