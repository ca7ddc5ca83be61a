"""Builds the anomaly model from the public tables: train, export, judge, and write what is known about it. `flow.py` builds the other.

Usage: `train.sh --data DIR [--seed N]` (the shell script pins threads and packages first).
"""

import argparse
from pathlib import Path

import numpy as np

import cards
import export
import fixture
import injections
import judge_anomaly
import manifest
import pools
from augment import vary
from network import Plan, cross_entropy, fit
from rows import feature_matrix
from runtime import session

MODELS = Path(__file__).resolve().parents[1]
FIXTURE = MODELS.parent / "tests" / "fixtures" / "features-1.json"
ANOMALY_ROWS, ANOMALY_STEPS = 800_000, 8_000


def train_anomaly(known: dict, seed: int) -> dict:
    """Weights of the anomaly score."""
    rng = np.random.default_rng(seed + 1)
    rows = vary(pools.training_rows(known, ANOMALY_ROWS, rng, quiet_nights=False), rng)
    rows, label = injections.inject(rows, rng)
    plan = Plan(hidden=(96, 64), outputs=1, steps=ANOMALY_STEPS, peak_rate=3e-3, seed=seed + 1)
    return fit(plan, cross_entropy, feature_matrix(rows), label, np.ones(len(label), np.float32))


def publish_anomaly(content: bytes, known: dict, folder: Path, seed: int) -> None:
    """Writes, judges and describes the anomaly score."""
    path = MODELS / "crowd-anomaly.onnx"
    digest = export.write(path, content)
    model = session(path)
    labelled, events = judge_anomaly.on_labelled_events(model, folder)
    injected = judge_anomaly.on_injected_trouble(model, known, seed + 200)
    quiet = judge_anomaly.quiet_quantiles(model, known, seed + 300)
    ships = judge_anomaly.ships(labelled)
    described = manifest.anomaly(digest, content, seed, ships, labelled, events, injected, quiet)
    path.with_suffix(".toml").write_text(described, encoding="utf-8")
    head = {"version": manifest.VERSION, "digest": digest, "size": f"{len(content):,}", "seed": seed}
    path.with_suffix(".md").write_text(cards.anomaly_card(head, ships, labelled, events, injected), encoding="utf-8")
    print(f"\ncrowd-anomaly {digest} ships={ships}\n\n{cards.anomaly_tables(labelled, events, injected)}")


def main() -> None:
    """One run from tables to files."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, required=True, help="folder with zurich_hardbruecke, hangzhou_metro, calit2, brooklyn_bridge")
    arguments.add_argument("--seed", type=int, default=2030)
    chosen = arguments.parse_args()
    print("reading the tables", flush=True)
    known = pools.cities(chosen.data, pools.HOLD_OUT)
    print("training crowd-anomaly", flush=True)
    anomaly = train_anomaly(known, chosen.seed)
    print("judging on the hold-outs", flush=True)
    publish_anomaly(export.anomaly_model(anomaly), known, chosen.data, chosen.seed)
    fixture.write(FIXTURE, MODELS)


if __name__ == "__main__":
    main()
