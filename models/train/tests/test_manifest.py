"""Manifests: those of the shipped models are written byte for byte, and a block takes the place of the one before."""

from pathlib import Path

import numpy as np
import pytest

import flow_reference
import manifest
from judge_anomaly import Score

MODELS = Path(__file__).resolve().parents[2]


def shipped(name: str) -> tuple[manifest.Model, dict, str]:
    """The model, what its manifest says, and the very text."""
    path = MODELS / f"{name}.toml"
    says = manifest.read(path)
    model = manifest.Model(name, says["version"], path.with_suffix(".onnx").read_bytes(), says["seed"], says["ships"])
    return model, says, path.read_text(encoding="utf-8")


def put_recorded(path: Path, says: dict) -> None:
    rows = [np.array([row[key] for row in says["recorded"]], np.float32) for key in ("features", "says")]
    manifest.put_recorded(path, *rows)


def test_the_flow_models_manifest_is_written_byte_for_byte(tmp_path):
    model, says, text = shipped("crowd-flow")
    sets = [tuple(of.values()) for of in says["training_sets"]]
    path = tmp_path / "crowd-flow.toml"
    path.write_text(manifest.flow(model, sets), encoding="utf-8")
    rows = says["reference"]["rows"]
    counts = np.zeros((105, flow_reference.BINS))
    for part, columns, _, _ in flow_reference.PARTS:
        counts[list(columns)] = np.array(says["reference"]["parts"][part]) * rows / manifest.CASES
    manifest.put_reference(path, counts)
    put_recorded(path, says)
    assert path.read_text(encoding="utf-8") == text


def test_the_anomaly_models_manifest_is_written_byte_for_byte(tmp_path):
    model, says, text = shipped("crowd-anomaly")
    labelled, injected = {}, {}
    for line in says["figures"]:
        name, _, of_injected = line["set"].partition(" hold-out")
        if of_injected:
            injected.setdefault(name, {})[line["score"]] = line["average_precision"]
        else:
            labelled[line["score"]] = Score(line["average_precision"], tuple(line["recall"]))
    path = tmp_path / "crowd-anomaly.toml"
    path.write_text(manifest.anomaly(model, labelled, 24, injected, says["quiet"]), encoding="utf-8")
    put_recorded(path, says)
    assert path.read_text(encoding="utf-8") == text


@pytest.fixture(name="path")
def a_manifest(tmp_path) -> Path:
    path = tmp_path / "m.toml"
    path.write_text('name = "m"\n\n[input]\nname = "features"\n', encoding="utf-8")
    return path


def test_a_reference_takes_the_place_of_the_one_before(path):
    rng = np.random.default_rng(3)
    manifest.put_reference(path, flow_reference.counted(rng.normal(3.0, 1.0, (500, 105))))
    counts = flow_reference.counted(rng.normal(0.0, 1.0, (1000, 105)))
    manifest.put_reference(path, counts)
    read = manifest.read(path)
    assert (read["name"], read["input"]["name"], read["reference"]["rows"]) == ("m", "features", 1000)
    signs = np.array(read["reference"]["parts"]["signs"])
    assert signs.shape == (80, flow_reference.BINS) and (signs == counts[:80] * 10).all()


def test_recorded_rows_take_the_place_of_those_before_and_leave_the_reference(path):
    manifest.put_recorded(path, np.ones((6, 3)), np.ones((6, 1)))
    manifest.put_reference(path, flow_reference.counted(np.zeros((10, 105))))
    manifest.put_recorded(path, np.full((2, 3), 0.1), np.zeros((2, 1)))
    read = manifest.read(path)
    assert [row["says"] for row in read["recorded"]] == [[0.0], [0.0]] and read["reference"]["rows"] == 10
    assert read["recorded"][0]["features"] == [0.1, 0.1, 0.1]
