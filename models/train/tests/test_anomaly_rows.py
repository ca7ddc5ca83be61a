"""Rows out of a features file: each is joined to the step that it judges."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from anomaly_rows import TROUBLED_SHARE, WIDTH, drawn, read
from flow_tables import Place

STEP, START, STEPS = 600, 1_600_000_200, 40


@pytest.fixture(name="place")
def two_places() -> Place:
    counts = {what: np.arange(2.0 * STEPS).reshape(2, STEPS) + more for what, more in (("in", 0.0), ("out", 1000.0))}
    counts["out"][1, 7] = np.nan
    return Place("two", "UTC", STEP, START, counts, START)


@pytest.fixture(name="file")
def features_file(tmp_path, place):
    """What the engine would write, rows in any order: the first feature is the newest count, so that a test can tell
    which step a row is of."""
    rows = [
        (f"p{number:03d}", what, step, grid[number, step])
        for what, grid in place.counts.items()
        for number in range(2)
        for step in range(STEPS)
    ]
    # The engine may judge a step after the table's last.
    rows.append(("p000", "in", STEPS, 5.0))
    rows = [rows[nth] for nth in np.random.default_rng(1).permutation(len(rows))]
    zone, what, step, count = zip(*rows)
    columns = {
        "zone": pa.array(zone),
        "what": pa.array(what),
        "issued": pa.array([(START + (at + 1) * STEP) * 1000 for at in step]).cast(pa.timestamp("ms", "UTC")),
    }
    columns |= {
        f"a{nth:02d}": pa.array(np.nan_to_num(np.array(count) + nth).astype(np.float32)) for nth in range(WIDTH)
    }
    pq.write_table(pa.table(columns), tmp_path / "anomaly.parquet")
    return tmp_path / "anomaly.parquet"


def test_a_row_is_joined_to_its_newest_step(place, file):
    rows = read(file, place)
    assert (rows.features[:, 0] == rows.looked_up(place.counts)).all()
    assert (rows.features[:, 29] == rows.features[:, 0] + 29).all()


def test_gaps_and_steps_beyond_the_table_are_left_out(place, file):
    rows = read(file, place)
    assert len(rows.step) == 4 * STEPS - 1
    assert not ((rows.what == "out") & (rows.place == 1) & (rows.step == 7)).any()


def test_a_label_is_of_its_direction_place_and_step(place, file):
    label = {what: np.zeros((2, STEPS), bool) for what in place.counts}
    label["out"][0, 9] = True
    rows = read(file, place)
    assert rows.features[rows.looked_up(label), 0].tolist() == [1009.0]


def test_the_draw_holds_all_trouble_and_is_balanced():
    label = np.zeros(10_000, bool)
    label[::100] = True
    chosen = drawn(label, np.random.default_rng(1))
    assert label[chosen].sum() == 100 and len(np.unique(chosen)) == len(chosen)
    assert label[chosen].mean() == pytest.approx(TROUBLED_SHARE, abs=0.002)


def test_a_draw_of_few_quiet_rows_takes_them_all():
    assert len(drawn(np.array([True] * 8 + [False] * 2), np.random.default_rng(1))) == 10
