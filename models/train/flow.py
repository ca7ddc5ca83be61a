"""Builds the flow model: tables, features out of the engine, training, ONNX, manifest, card, and a replay of every hold-out with the new model.

Usage: `flow.py --data DIR --midan BINARY [--seed N] [--without PLACE]... [--out DIR] [--work DIR] [--reference-only]`
       `flow.py --table FILE --map FILE --midan BINARY --out DIR`   (one's own archive: trains on its first four fifths, judges on the rest)
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np

import flow_card
import flow_rows
import flow_tables
import manifest
import recorded
import report
from engine import run
from flow_network import onnx_bytes, train
from network import BATCH

MODELS = Path(__file__).resolve().parents[1]
ROWS_PER_FILE = 400_000
# Two dozen passes over the rows, within these numbers of steps.
PASSES, FEWEST_STEPS, MOST_STEPS = 24, 4_000, 12_000
LICENCES = {
    "hardbruecke": "CC0 as far as known (Stadt Zürich open data)",
    "hangzhou": "Tianchi data set, Zenodo 10.5281/zenodo.3145404; the repository that carries it is MIT",
    "calit2": "CC BY 4.0 (UCI, DOI 10.24432/C5NG78)",
    "brooklyn": "NYC Open Data",
}


def rows_of(midan: Path, place: flow_tables.Place, work: Path, seed: int) -> flow_rows.Rows:
    """The training rows of one table; the features are taken from `work` where an earlier run left them."""
    out = work / place.name
    if not (out / "features.parquet").is_file():
        table, mapping = flow_tables.write(place, work / "tables")
        run(midan, "features", table, mapping, out)
    rows = flow_rows.read(out / "features.parquet", place.step_s, ROWS_PER_FILE, flow_tables.chance(seed, f"{place.name} rows"))
    print(f"  {place.name:<20} {len(rows.features):7d} rows", flush=True)
    return rows


def training_steps(rows: int) -> int:
    """How many steps a network is trained on so many rows."""
    return min(max(PASSES * rows // BATCH, FEWEST_STEPS), MOST_STEPS)


def published(made: manifest.Model, folder: Path, sets: list, spread: np.ndarray, features: Path) -> Path:
    """Writes the model and its manifest; `features` is a file of those that it was trained on."""
    path = folder / f"{made.name}.onnx"
    path.write_bytes(made.content)
    path.with_suffix(".toml").write_text(manifest.flow(made, sets), encoding="utf-8")
    manifest.put_reference(path.with_suffix(".toml"), spread)
    recorded.put(path, recorded.chosen(features))
    return path


def judged(midan: Path, place: flow_tables.Place, model: Path, work: Path) -> list:
    """The report of a replay of the whole table, hold-out only."""
    table, mapping = flow_tables.write(place, work / "whole")
    out = work / f"judged-{place.name}"
    run(midan, "replay", table, mapping, out, "--model", str(model))
    return report.judge(out, float(place.hold_out), place.step_s)


def build(chosen: argparse.Namespace, work: Path) -> None:
    """Everything, on the public places."""
    known = flow_tables.places(chosen.data)
    teaching = [place for place in known if place.name not in chosen.without]
    print("features, out of the engine", flush=True)
    parts = [rows_of(chosen.midan, made, work, chosen.seed) for place in teaching for made in flow_tables.variations(flow_tables.before_hold_out(place))]
    rows = flow_rows.joined(parts)
    if chosen.reference_only:
        manifest.put_reference(chosen.out / "crowd-flow.toml", rows.spread)
        return
    print(f"training on {len(rows.features)} rows", flush=True)
    members = train(rows, training_steps(len(rows.features)), chosen.seed)
    sets = [(place.name, f"{flow_tables.day(place.start)} to {flow_tables.day(place.hold_out)}", LICENCES[place.name]) for place in teaching]
    chosen.out.mkdir(parents=True, exist_ok=True)
    model = published(manifest.Model("crowd-flow", manifest.FLOW_VERSION, onnx_bytes(members), chosen.seed), chosen.out, sets, rows.spread, work / teaching[0].name / "features.parquet")
    print("judging on the hold-outs", flush=True)
    figures = {place.name: judged(chosen.midan, place, model, work) for place in known}
    (work / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    flow_card.write(model, [place.name for place in teaching], figures)


def build_own(chosen: argparse.Namespace, work: Path) -> None:
    """A model of one's own archive."""
    run(chosen.midan, "features", chosen.table, chosen.map, work / "own")
    step_s, until = flow_rows.grid(work / "own" / "features.parquet")
    rng = np.random.default_rng(chosen.seed)
    rows = flow_rows.read(work / "own" / "features.parquet", step_s, ROWS_PER_FILE, rng, until)
    print(f"training on {len(rows.features)} rows", flush=True)
    members = train(rows, training_steps(len(rows.features)), chosen.seed)
    chosen.out.mkdir(parents=True, exist_ok=True)
    model = published(manifest.Model("crowd-flow", manifest.FLOW_VERSION, onnx_bytes(members), chosen.seed), chosen.out, [(chosen.table.name, "its first four fifths", "as the table's")], rows.spread, work / "own" / "features.parquet")
    run(chosen.midan, "replay", chosen.table, chosen.map, work / "judged", "--model", str(model))
    flow_card.write(model, [chosen.table.name], {chosen.table.name: report.judge(work / "judged", float(until), step_s)})


def main() -> None:
    """Reads the arguments."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--data", type=Path, help="folder with zurich_hardbruecke, hangzhou_metro, calit2, brooklyn_bridge")
    arguments.add_argument("--table", type=Path)
    arguments.add_argument("--map", type=Path)
    arguments.add_argument("--midan", type=Path, required=True, help="the binary whose features are learnt from")
    arguments.add_argument("--seed", type=int, default=2030)
    arguments.add_argument("--without", action="append", default=[], help="leave this place out of training")
    arguments.add_argument("--reference-only", action="store_true", help="train nothing: write how the inputs are spread into the manifest that is there")
    arguments.add_argument("--out", type=Path, default=MODELS)
    arguments.add_argument("--work", type=Path)
    chosen = arguments.parse_args()
    step = build if chosen.data else build_own
    if chosen.work:
        chosen.work.mkdir(parents=True, exist_ok=True)
        step(chosen, chosen.work)
        return
    with tempfile.TemporaryDirectory() as folder:
        step(chosen, Path(folder))


if __name__ == "__main__":
    main()
