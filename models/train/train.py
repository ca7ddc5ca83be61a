"""Builds the anomaly model from the public tables: trouble put into them, features out of the engine, training, ONNX, judges, manifest and card. `flow.py` builds the other.

Usage: `train.sh --data DIR [--seed N] [--out DIR] [--work DIR]` (the shell script names the binary and pins threads and packages).
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

import anomaly_rows
import anomaly_tables
import cards
import export
import flow_tables
import judge_anomaly
import manifest
import recorded
from engine import anomaly_file
from network import Plan, cross_entropy, fit
from runtime import session

MODELS = Path(__file__).resolve().parents[1]
STEPS = 8_000


def rows_of(midan: Path, case: anomaly_tables.Case, work: Path, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels that are learnt from one table."""
    rows = anomaly_rows.read(anomaly_file(midan, case.place, work), case.place)
    label = rows.looked_up(case.label)
    chosen = anomaly_rows.drawn(label, flow_tables.chance(seed, f"{case.place.name} rows"))
    print(f"  {case.place.name:<24} {len(label):8d} rows, {label.sum():6d} in trouble, {len(chosen):6d} learnt from", flush=True)
    return rows.features[chosen], label[chosen]


def train(midan: Path, teaching: list, work: Path, seed: int) -> dict:
    """Weights of the anomaly score."""
    parts = [rows_of(midan, recipe(), work, seed) for place in teaching for recipe in anomaly_tables.teaching(place, seed)]
    features, label = (np.concatenate(whole) for whole in zip(*parts))
    print(f"training on {len(label)} rows", flush=True)
    plan = Plan(hidden=(96, 64), outputs=1, steps=STEPS, peak_rate=3e-3, seed=seed + 1)
    return fit(plan, cross_entropy, features, label.astype(np.float32), np.ones(len(label), np.float32))


def publish(content: bytes, known: dict, chosen: argparse.Namespace, work: Path) -> None:
    """Writes, judges and describes the anomaly score."""
    chosen.out.mkdir(parents=True, exist_ok=True)
    path = chosen.out / "crowd-anomaly.onnx"
    path.write_bytes(content)
    judge = judge_anomaly.Judge(session(path), chosen.midan, work)
    teaching = [known[name] for name in anomaly_tables.VARIATIONS]
    chance = lambda name: flow_tables.chance(chosen.seed, name)
    labelled, events = judge.on_labelled_events(known["calit2"], chosen.data)
    injected = {place.name: judge.on_injected_trouble(place, chance(f"{place.name} judged")) for place in [*teaching, known["brooklyn"]]}
    quiet = judge.quiet_quantiles(teaching, chance("quiet"))
    ships = judge_anomaly.ships(labelled)
    model = manifest.Model("crowd-anomaly", manifest.ANOMALY_VERSION, content, chosen.seed, ships)
    described = manifest.anomaly(model, labelled, events, injected, quiet)
    path.with_suffix(".toml").write_text(described, encoding="utf-8")
    recorded.put(path, recorded.chosen(anomaly_file(chosen.midan, teaching[0], work)))
    digest = export.digest(content)
    head = {"version": model.version, "digest": digest, "size": f"{len(content):,}", "seed": chosen.seed}
    path.with_suffix(".md").write_text(cards.anomaly_card(head, ships, labelled, events, injected), encoding="utf-8")
    print(f"\ncrowd-anomaly {digest} ships={ships}\n\n{cards.anomaly_tables(labelled, events, injected)}")


def build(chosen: argparse.Namespace, work: Path) -> None:
    """One run from tables to files."""
    known = {place.name: place for place in flow_tables.places(chosen.data)}
    print("features, out of the engine", flush=True)
    weights = train(chosen.midan, [known[name] for name in anomaly_tables.VARIATIONS], work, chosen.seed)
    print("judging on the hold-outs", flush=True)
    publish(export.anomaly_model(weights), known, chosen, work)


def main() -> None:
    """Reads the arguments."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, required=True, help="folder with zurich_hardbruecke, hangzhou_metro, calit2, brooklyn_bridge")
    arguments.add_argument("--midan", type=Path, required=True, help="the binary whose features are learnt from")
    arguments.add_argument("--seed", type=int, default=2030)
    arguments.add_argument("--out", type=Path, default=MODELS)
    arguments.add_argument("--work", type=Path, help="where tables and features are kept; a later run takes them from there")
    chosen = arguments.parse_args()
    if chosen.work:
        build(chosen, chosen.work / "anomaly")
        return
    with tempfile.TemporaryDirectory() as folder:
        build(chosen, Path(folder))


if __name__ == "__main__":
    main()
