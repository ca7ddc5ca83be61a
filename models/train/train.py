"""Builds the anomaly model from the public tables: trouble put into them, features out of the engine, training, ONNX,
judges, manifest and card. `flow.py` builds the other.

Usage: `train.py --midan BINARY --data DIR [--seed N] [--out DIR] [--work DIR]`
       `train.py --midan BINARY --data DIR --judge-only FILE`   trains nothing: FILE's figures, recorded rows and card

(`train.sh` names the binary and pins threads and packages.)
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

import anomaly_rows
import anomaly_tables
import asked
import cards
import export
import flow_tables
import judge_anomaly
import manifest
import recorded
import sources
from engine import MODELS, anomaly_file
from network import Plan, cross_entropy, fit
from runtime import session

NAME = "crowd-anomaly"
STEPS = 8_000


def rows_of(midan: Path, case: anomaly_tables.Case, work: Path, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features and labels that are learnt from one table."""
    rows = anomaly_rows.read(anomaly_file(midan, case.place, work), case.place)
    label = rows.looked_up(case.label)
    chosen = anomaly_rows.drawn(label, flow_tables.chance(seed, f"{case.place.name} rows"))
    told = f"{len(label):8d} rows, {label.sum():6d} in trouble, {len(chosen):6d} learnt from"
    print(f"  {case.place.name:<24} {told}", flush=True)
    return rows.features[chosen], label[chosen]


def train(midan: Path, teaching: list, work: Path, seed: int) -> dict:
    """Weights of the anomaly score."""
    parts = [
        rows_of(midan, recipe(), work, seed) for place in teaching for recipe in anomaly_tables.teaching(place, seed)
    ]
    features, label = (np.concatenate(whole) for whole in zip(*parts))
    print(f"training on {len(label)} rows", flush=True)
    plan = Plan(hidden=(96, 64), outputs=1, steps=STEPS, peak_rate=3e-3, seed=seed + 1)
    return fit(plan, cross_entropy, features, label.astype(np.float32), np.ones(len(label), np.float32))


def publish(model: manifest.Model, path: Path, chosen: argparse.Namespace, work: Path) -> None:
    """Judges and describes the anomaly score in `path`: manifest and card are written beside it."""
    known = {place.name: place for place in flow_tables.places(chosen.data)}
    teaching = [known[name] for name in anomaly_tables.VARIATIONS]
    print("judging on the hold-outs", flush=True)
    judge = judge_anomaly.Judge(session(path), chosen.midan, work)
    labelled, events = judge.on_labelled_events(known["calit2"], chosen.data)
    injected = {}
    for place in [*teaching, known["brooklyn"]]:
        injected[place.name] = judge.on_injected_trouble(place, flow_tables.chance(model.seed, f"{place.name} judged"))
    quiet = judge.quiet_quantiles(teaching, flow_tables.chance(model.seed, "quiet"))
    model = manifest.shipping(model, judge_anomaly.ships(labelled))
    described = manifest.anomaly(model, labelled, events, injected, quiet)
    path.with_suffix(".toml").write_text(described, encoding="utf-8")
    recorded.put(path, recorded.chosen(anomaly_file(chosen.midan, teaching[0], work)))
    digest, size = export.digest(model.content), f"{len(model.content):,}"
    head = {"version": model.version, "digest": digest, "size": size, "seed": model.seed}
    card = cards.anomaly_card(head, model.ships, labelled, events, injected)
    path.with_suffix(".md").write_text(card, encoding="utf-8")
    print(f"\n{NAME} {digest} ships={model.ships}\n\n{cards.anomaly_tables(labelled, events, injected)}")


def build(chosen: argparse.Namespace, work: Path) -> None:
    """One run from tables to files."""
    known = {place.name: place for place in flow_tables.places(chosen.data)}
    print("features, out of the engine", flush=True)
    weights = train(chosen.midan, [known[name] for name in anomaly_tables.VARIATIONS], work, chosen.seed)
    model = manifest.Model(NAME, manifest.ANOMALY_VERSION, export.anomaly_model(weights), chosen.seed)
    out = chosen.out or MODELS
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{NAME}.onnx"
    path.write_bytes(model.content)
    publish(model, path, chosen, work)


def judge_anew(chosen: argparse.Namespace, work: Path) -> None:
    """A model that is there, on the present engine: its figures, recorded rows and card."""
    model = manifest.model_of(chosen.judge_only, "score")
    publish(model, chosen.judge_only, chosen, work)


def arguments() -> asked.Arguments:
    """What may be asked."""
    asks = asked.Arguments(__doc__)
    asks.add_argument("--data", type=sources.folder, required=True, help=f"folder with {', '.join(sources.FILES)}")
    asks.add_argument("--midan", type=asked.file, required=True, help="the binary whose features are learnt from")
    asks.add_argument("--seed", type=asked.seed, default=2030)
    asks.add_argument(
        "--judge-only", type=asked.file, metavar="FILE", help="trains nothing: judges the model FILE anew"
    )
    asks.add_argument("--out", type=Path, help="where the files go; models/ by default")
    asks.add_argument("--work", type=Path, help="where features are kept; a later run takes them from there")
    return asks


def main() -> None:
    """Reads the arguments."""
    asks = arguments()
    chosen = asks.parse_args()
    if chosen.judge_only and chosen.out:
        asks.error("--judge-only writes beside its FILE: leave out --out")
    step = judge_anew if chosen.judge_only else build
    if chosen.work:
        step(chosen, chosen.work / "anomaly")
        return
    with tempfile.TemporaryDirectory() as folder:
        step(chosen, Path(folder))


if __name__ == "__main__":
    asked.told(main)
