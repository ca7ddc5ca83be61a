"""What is made of a place for training."""

from dataclasses import replace

import numpy as np
import pytest

import anomaly_tables
import flow_tables
from sources import DAY

STEP = 1800
DAYS, HELD = 60, 50


@pytest.fixture(name="place")
def station() -> flow_tables.Place:
    rng = np.random.default_rng(1)
    counts = {what: rng.poisson(50.0, (8, DAYS * DAY // STEP)).astype(float) for what in ("in", "out")}
    counts["out"][:, HELD * DAY // STEP :] = 9_999.0
    return flow_tables.Place("hardbruecke", "UTC", STEP, 100 * DAY, counts, (100 + HELD) * DAY)


@pytest.fixture(name="small", autouse=True)
def few_variations(monkeypatch):
    monkeypatch.setattr(anomaly_tables, "VARIATIONS", {"hardbruecke": ((1, 2, 2, 2), (2, 1, 1, 1))})


def shape(case) -> tuple:
    return next(iter(case.place.counts.values())).shape


def test_nothing_of_the_hold_out_is_shown(place):
    for recipe in anomaly_tables.teaching(place, 1):
        case = recipe()
        assert case.place.start + shape(case)[1] * case.place.step_s <= place.hold_out
        assert np.nanmax(case.place.counts["out"]) < 9_999.0


def test_the_first_two_weeks_are_quiet_but_in_a_young_venue(place):
    for recipe in anomaly_tables.teaching(place, 1):
        case = recipe()
        first = anomaly_tables.YOUNG_FIRST if "young" in case.place.name else 14 * DAY // case.place.step_s
        assert not any(label[:, :first].any() for label in case.label.values()), case.place.name
        assert not any(label[np.isnan(case.place.counts[what])].any() for what, label in case.label.items())
        assert (
            shape(case)[1] * case.place.step_s
            == (anomaly_tables.YOUNG_DAYS if "young" in case.place.name else HELD) * DAY
        )


def test_the_same_seed_makes_the_same_table_and_another_another(place):
    first, again, other = (anomaly_tables.teaching(place, seed)[0]() for seed in (1, 1, 2))
    assert np.array_equal(first.place.counts["in"], again.place.counts["in"], equal_nan=True)
    assert first.place.counts["in"].shape != other.place.counts["in"].shape or not np.array_equal(
        first.place.counts["in"], other.place.counts["in"], equal_nan=True
    )


def test_a_gap_is_one_of_all_directions(place):
    gaps = [np.isnan(counts) for counts in anomaly_tables.gappy(place, np.random.default_rng(3)).counts.values()]
    assert (gaps[0] == gaps[1]).all() and 0.005 < gaps[0].mean() < 0.08


def test_places_keep_their_rhythm_in_another_size(place):
    silent = replace(
        place,
        counts={
            what: np.where(np.arange(counts.shape[1]) % 48 < 10, 0.0, counts) for what, counts in place.counts.items()
        },
    )
    sizes = []
    for seed in range(8):
        counts = anomaly_tables.resized(silent, np.random.default_rng(seed)).counts["in"]
        assert (counts[:, np.arange(counts.shape[1]) % 48 < 10] == 0.0).all()
        sizes += list(counts.mean(axis=1))
    assert min(sizes) < 8.0 and max(sizes) > 80.0
