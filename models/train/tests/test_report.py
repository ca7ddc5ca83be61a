"""How the bands are judged."""

import numpy as np

from report import within


def share(came, low, high) -> float:
    came = np.asarray(came, float)
    return float(within(came, np.full(len(came), low), np.full(len(came), high), np.random.default_rng(1)).mean())


def test_a_tenth_lies_beyond_each_bound_where_ties_allow_it():
    assert abs(share(np.arange(10_000) % 10, 0, 9) - 0.8) < 0.02
    assert share([5.0] * 100, 1, 9) == 1.0


def test_where_nobody_comes_and_nobody_is_expected_a_value_on_both_bounds_may_be_beyond_either():
    nobody = np.zeros(10_000)
    nobody[:400] = 1.0
    assert abs(share(nobody, 0, 0) - 0.8) < 0.02
