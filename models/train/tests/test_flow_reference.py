"""The reference of a manifest."""

import json
import tomllib
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


def test_a_reference_takes_the_place_of_the_one_before(tmp_path):
    manifest = tmp_path / "m.toml"
    manifest.write_text('name = "m"\n\n[input]\nname = "features"\n', encoding="utf-8")
    rng = np.random.default_rng(3)
    flow_reference.put(manifest, flow_reference.counted(rng.normal(3.0, 1.0, (500, 105))))
    counts = flow_reference.counted(rng.normal(0.0, 1.0, (1000, 105)))
    flow_reference.put(manifest, counts)
    read = tomllib.loads(manifest.read_text(encoding="utf-8"))
    assert (read["name"], read["input"]["name"], read["reference"]["rows"]) == ("m", "features", 1000)
    signs = np.array(read["reference"]["parts"]["signs"])
    assert signs.shape == (80, flow_reference.BINS) and (signs == counts[:80] * 10).all()
