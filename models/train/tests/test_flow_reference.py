"""The reference of a manifest."""

import json
from pathlib import Path

import numpy as np

import flow_reference

FIXTURE = Path(__file__).resolve().parents[3] / "tests" / "fixtures" / "input-bins.json"


def test_the_bins_are_those_of_the_engine():
    fixture = json.loads(FIXTURE.read_text(encoding="utf-8"))
    rows = np.repeat(np.array(fixture["values"], np.float32)[:, None], 105, axis=1)
    counts = flow_reference.counted(rows)
    for part, columns, _, _ in flow_reference.PARTS:
        assert all(counts[column].tolist() == fixture["bins"][part] for column in columns), part
