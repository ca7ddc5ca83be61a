"""A made-up season: games lie where the labels say, gaps are no games, and a seed makes the same season."""

import numpy as np

from home_stands import DAYS, LABEL, SLOTS, season


def test_a_season_has_its_games_and_each_has_a_label_and_a_surge():
    counts, label = season(45.0, np.random.default_rng(3))
    assert counts.shape == label.shape == (DAYS * SLOTS,)
    starts = np.flatnonzero(np.diff(label.astype(int)) == 1) + 1
    assert 50 < len(starts) < 110
    lasts = LABEL[1] - LABEL[0]
    same_hour = [
        (start, start + offset)
        for start in starts
        for offset in (-7 * SLOTS, 7 * SLOTS)
        if 0 <= start + offset < len(label) - lasts
    ]
    surges = [
        np.nansum(counts[one : one + lasts]) / np.nansum(counts[other : other + lasts])
        for one, other in same_hour
        if not label[other : other + lasts].any()
    ]
    assert len(surges) > 20 and np.median(surges) > 1.7


def test_a_game_that_nobody_counted_whole_has_no_label_and_a_seed_makes_one_season():
    counts, label = season(20.0, np.random.default_rng(4))
    again, _ = season(20.0, np.random.default_rng(4))
    assert np.isnan(counts).any() and not np.isnan(counts[label]).any()
    assert np.array_equal(counts, again, equal_nan=True)
