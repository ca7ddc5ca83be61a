"""Trouble that is put into counts: where it may lie, and that the label is where it lies."""

import numpy as np
import pytest

from injections import APART, SHARE_OF_STEPS, inject, noise, noticeable, usual

STEP = 900
WEEK = 7 * 86_400 // STEP


@pytest.fixture(name="clean", scope="module")
def clean_counts() -> np.ndarray:
    rng = np.random.default_rng(1)
    counts = rng.poisson(40.0, (6, 6 * WEEK)).astype(float)
    counts[:, 3 * WEEK : 3 * WEEK + 50] = np.nan
    counts[rng.random(counts.shape) < 0.02] = np.nan
    return counts


@pytest.fixture(name="found", scope="module")
def troubled_counts(clean):
    return inject(clean, 3, STEP, 2 * WEEK, np.random.default_rng(2))


def test_labels_lie_exactly_where_a_count_was_changed_noticeably(clean, found):
    changed = np.nan_to_num(np.abs(found.counts - clean))
    floor = 2.0 * noise(clean, usual(clean, WEEK)) * np.sqrt(np.nan_to_num(clean) + 1.0) + 4.0
    assert (found.label == (changed > floor)).all()
    assert found.label.sum() > 100


def test_the_first_weeks_and_the_gaps_are_left_alone(clean, found):
    assert np.array_equal(found.counts[:, : 2 * WEEK], clean[:, : 2 * WEEK], equal_nan=True)
    assert (np.isnan(found.counts) == np.isnan(clean)).all()
    assert not found.label[np.isnan(clean)].any() and not found.label[:, : 2 * WEEK].any()


def test_counts_stay_whole_and_none_is_below_nobody(found):
    known = found.counts[np.isfinite(found.counts)]
    assert (known >= 0).all() and (known == np.round(known)).all()


def test_trouble_is_rare_enough_for_the_usual_to_be_learnt(clean, found):
    changed = (np.nan_to_num(found.counts) != np.nan_to_num(clean))[:, 2 * WEEK :]
    assert 0.4 * SHARE_OF_STEPS < changed.mean() < 1.3 * SHARE_OF_STEPS


def test_between_two_episodes_of_a_series_its_lags_are_its_own_again(clean, found):
    for before, after in zip(clean, found.counts):
        steps = np.flatnonzero(np.nan_to_num(before) != np.nan_to_num(after))
        apart = np.diff(steps)
        # Within an episode a count may stay by chance or be a gap; from one to the next it is at least APART.
        assert not ((apart > 4) & (apart < APART)).any()


def test_some_trouble_strikes_both_directions_of_a_place_at_once(found):
    both = found.label[:3] & found.label[3:]
    alone = found.label[:3] & ~found.label[3:]
    assert both.sum() > 20 and alone.sum() > 20


def test_a_handful_at_night_is_trouble_to_nobody():
    before = np.array([0.0, 0.0, 100.0, 100.0, np.nan])
    assert noticeable(before, before + [6.0, 7.0, 24.0, 25.0, 99.0], 1.0).tolist() == [False, True, False, True, False]
    assert not noticeable(before, before + [6.0, 7.0, 24.0, 25.0, 99.0], 3.0)[3]


def test_noise_is_a_multiple_of_counting_noise_and_never_below_it():
    rng = np.random.default_rng(4)
    single = rng.poisson(30.0, (1, 20_000)).astype(float)
    groups = 9.0 * rng.poisson(30.0 / 9.0, (1, 20_000))
    silent = np.where(np.arange(20_000) % 2, single, 0.0)
    level = np.full_like(single, 30.0)
    pairs = ((single, level), (groups, level), (silent, np.where(silent > 0, 30.0, 0.0)), (level, level))
    ones, nines, half, still = (float(noise(counts, usual_of)[0, 0]) for counts, usual_of in pairs)
    assert abs(ones - 1.0) < 0.03 and abs(nines - 3.0) < 0.3 and abs(half - ones) < 0.05 and still == 1.0


def test_usual_is_the_mean_of_the_same_slot_and_a_gap_is_no_zero():
    counts = np.tile(np.arange(14.0), 5)[None] + 1.0
    counts[0, 3 + 14] = np.nan
    assert usual(counts, 14)[0, 3 + 28] == 4.0
    # In a single week the days beside it speak.
    assert usual(np.full((1, 14), 6.0), 14)[0, 5] == 6.0
