"""The simple scores look back only."""

import numpy as np

from simple_scores import same_slot_mean, z_scores
from sources import DAY, Table

HOUR = 3600
MONDAY = 4 * DAY  # 1970-01-05


def table(counts: np.ndarray) -> Table:
    return Table("test", HOUR, MONDAY, counts)


def test_the_mean_of_a_slot_is_that_of_earlier_days_of_its_kind():
    counts = np.repeat([8.0, 16.0, 0.0, 8.0, 20.0, 500.0, 500.0, 19.0], 24)[None]
    means = same_slot_mean(table(counts), counts)[0, ::24]
    assert np.isnan(means[0]) and means[1:5].tolist() == [8.0, 12.0, 8.0, 8.0]
    # Saturday knows no working day, and Monday no Sunday.
    assert np.isnan(means[5]) and means[6] == 500.0 and means[7] == 11.0


def test_a_gap_teaches_nothing():
    counts = np.repeat([8.0, np.nan, 4.0], 24)[None]
    assert same_slot_mean(table(counts), counts)[0, 50] == 8.0


def test_scores_do_not_change_with_later_counts():
    counts = np.random.default_rng(1).poisson(20.0, (2, 24 * 20)).astype(float)
    later = counts.copy()
    later[:, 24 * 15 :] += 7.0
    for name, score in z_scores(table(counts)).items():
        assert np.array_equal(score[:, : 24 * 15], z_scores(table(later))[name][:, : 24 * 15]), name
