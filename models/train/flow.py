"""Builds the flow model: tables, features out of the engine, training, ONNX, manifest, card, and a replay of every
hold-out with the new model.

Usage: `flow.py --midan BINARY --data DIR [--without PLACE]... [--seed N] [--out DIR] [--work DIR]`
       `flow.py --midan BINARY --data DIR --reference-only [--out DIR]`   trains nothing: how the inputs are spread
       `flow.py --midan BINARY --data DIR --judge-only FILE`              trains nothing: FILE's card and recorded rows
       `flow.py --midan BINARY --table FILE --map FILE --out DIR [--name NAME]`   of one's own archive (`flow_own.py`)
       `flow.py --midan BINARY --table FILE --map FILE --judge-only FILE`         the same, judged anew
"""

import argparse
import json
import re
import shutil
import tempfile
from pathlib import Path

import asked
import engine
import flow_card
import flow_own
import flow_rows
import flow_tables
import manifest
import recorded
import report
import sources
from asked import Refused
from flow_network import onnx_bytes, train, training_steps

NAME = "crowd-flow"
LICENCES = {
    "hardbruecke": "CC0 as far as known (Stadt Zürich open data)",
    "hangzhou": "Tianchi data set, Zenodo 10.5281/zenodo.3145404; the repository that carries it is MIT",
    "calit2": "CC BY 4.0 (UCI, DOI 10.24432/C5NG78)",
    "brooklyn": "NYC Open Data",
}


def features_of(midan: Path, place: flow_tables.Place, work: Path) -> Path:
    """The features of one table, taken from `work` where an earlier run left them."""
    out = work / place.name
    if not (out / "features.parquet").is_file():
        table, mapping = flow_tables.write(place, work / "tables")
        engine.run(midan, "features", table, mapping, out)
    return out / "features.parquet"


def rows_of(midan: Path, place: flow_tables.Place, work: Path, seed: int) -> flow_rows.Rows:
    """The training rows of one table."""
    chance = flow_tables.chance(seed, f"{place.name} rows")
    rows = flow_rows.read(features_of(midan, place, work), place.step_s, flow_rows.MOST_ROWS, chance)
    print(f"  {place.name:<20} {len(rows.features):7d} rows", flush=True)
    return rows


def learnt_from(chosen: argparse.Namespace, teaching: list, work: Path) -> flow_rows.Rows:
    """The training rows of all places and of what is made of them."""
    print("features, out of the engine", flush=True)
    tables = [made for place in teaching for made in flow_tables.variations(flow_tables.before_hold_out(place))]
    return flow_rows.joined([rows_of(chosen.midan, made, work, chosen.seed) for made in tables])


def judged(midan: Path, place: flow_tables.Place, model: Path, work: Path) -> list:
    """The report of a replay of the whole table, hold-out only."""
    table, mapping = flow_tables.write(place, work / "whole")
    out = work / f"judged-{place.name}"
    engine.run(midan, "replay", table, mapping, out, "--model", str(model))
    told = report.judge(out, float(place.hold_out), place.step_s)
    # A year at 5 minutes is 2 GB.
    shutil.rmtree(out)
    print("\n".join([place.name, *map(report.shown, told)]), flush=True)
    return told


def describe(chosen: argparse.Namespace, known: list, taught: list, model: Path, work: Path) -> None:
    """Writes recorded rows and, from a replay of every hold-out, the card."""
    first = next(place for place in known if place.name == taught[0])
    features = features_of(chosen.midan, flow_tables.before_hold_out(first), work)
    recorded.put(model, recorded.chosen(features))
    print("judging on the hold-outs", flush=True)
    figures = {place.name: judged(chosen.midan, place, model, work) for place in known}
    (work / "figures.json").write_text(json.dumps(figures, indent=1), encoding="utf-8")
    flow_card.write(model, taught, figures)


def build(chosen: argparse.Namespace, work: Path) -> None:
    """Everything, on the public places."""
    engine.library()
    known = flow_tables.places(chosen.data)
    teaching = [place for place in known if place.name not in chosen.without]
    rows = learnt_from(chosen, teaching, work)
    print(f"training on {len(rows.features)} rows", flush=True)
    content = onnx_bytes(train(rows, training_steps(len(rows.features)), chosen.seed))
    out = chosen.out or engine.MODELS
    out.mkdir(parents=True, exist_ok=True)
    model = out / f"{NAME}.onnx"
    model.write_bytes(content)
    sets = [(place.name, span(place), LICENCES[place.name]) for place in teaching]
    made = manifest.Model(NAME, manifest.FLOW_VERSION, content, chosen.seed)
    model.with_suffix(".toml").write_text(manifest.flow(made, sets), encoding="utf-8")
    manifest.put_reference(model.with_suffix(".toml"), rows.spread)
    describe(chosen, known, [place.name for place in teaching], model, work)


def span(place: flow_tables.Place) -> str:
    """From when to when a place is learnt from."""
    return f"{flow_tables.day(place.start)} to {flow_tables.day(place.hold_out)}"


def spread_anew(chosen: argparse.Namespace, work: Path) -> None:
    """How the inputs are spread, into the manifest that is there."""
    path = (chosen.out or engine.MODELS) / f"{NAME}.toml"
    asked.toml(path)
    teaching = [place for place in flow_tables.places(chosen.data) if place.name not in chosen.without]
    manifest.put_reference(path, learnt_from(chosen, teaching, work).spread)


def judge_anew(chosen: argparse.Namespace, work: Path) -> None:
    """A model that is there, on the present engine: its recorded rows and its card."""
    engine.library()
    path = chosen.judge_only
    manifest.model_of(path, "quantiles")
    known = flow_tables.places(chosen.data)
    names = [of["name"] for of in manifest.read(path.with_suffix(".toml")).get("training_sets", [])]
    taught = [place.name for place in known if place.name in names]
    if not taught:
        raise Refused(f"--judge-only {path}: it was trained on no public table; judge it with --table and --map")
    describe(chosen, known, taught, path, work)


def arguments() -> asked.Arguments:
    """What may be asked."""
    asks = asked.Arguments(__doc__)
    of_what = asks.add_mutually_exclusive_group(required=True)
    of_what.add_argument("--data", type=sources.folder, help=f"folder with {', '.join(sources.FILES)}")
    of_what.add_argument("--table", type=asked.file, help="one's own archive")
    asks.add_argument("--map", type=asked.file, help="the archive's mapping (docs/TABLES.md)")
    asks.add_argument("--name", help=f"of a model of one's own, {flow_own.NAME} by default")
    asks.add_argument("--midan", type=asked.file, required=True, help="the binary whose features are learnt from")
    asks.add_argument("--seed", type=asked.seed, default=2030)
    asks.add_argument("--without", action="append", default=[], choices=LICENCES, help="leave it out of training")
    untrained = asks.add_mutually_exclusive_group()
    untrained.add_argument("--reference-only", action="store_true", help="how the inputs are spread, and nothing else")
    untrained.add_argument("--judge-only", type=asked.file, metavar="FILE", help="judges the model FILE anew")
    asks.add_argument("--out", type=Path, help="where the files go; by default, with --data, models/")
    asks.add_argument("--work", type=Path, help="where features are kept; with --data they are taken from there again")
    return asks


def fitting(asks: asked.Arguments, chosen: argparse.Namespace) -> argparse.Namespace:
    """The arguments, if they go together."""
    if chosen.table and not chosen.map:
        asks.error("--table needs --map FILE, which says what its columns mean (docs/TABLES.md)")
    if chosen.table and not (chosen.out or chosen.judge_only):
        asks.error("--table needs --out DIR, a folder of your own: models/ is for the models that come with Midan")
    if chosen.judge_only and (chosen.out or chosen.name or chosen.without):
        asks.error("--judge-only writes beside its FILE and trains nothing: leave out --out, --name and --without")
    if chosen.table and (chosen.without or chosen.reference_only):
        asks.error("--without and --reference-only are of --data")
    if chosen.data and (chosen.map or chosen.name):
        asks.error("--map and --name are of --table")
    if len(set(chosen.without)) == len(LICENCES):
        asks.error("--without: no place is left to learn from")
    chosen.name = chosen.name or flow_own.NAME
    if not re.fullmatch(r"[a-z0-9][a-z0-9._-]*", chosen.name) or chosen.name in (NAME, "crowd-anomaly"):
        asks.error(f'--name "{chosen.name}": small letters, digits and "-._", and not the name of a shipped model')
    return chosen


def main() -> None:
    """Reads the arguments."""
    asks = arguments()
    chosen = fitting(asks, asks.parse_args())
    step = spread_anew if chosen.reference_only else judge_anew if chosen.judge_only else build
    step = flow_own.build if chosen.table else step
    if chosen.work:
        chosen.work.mkdir(parents=True, exist_ok=True)
        step(chosen, chosen.work)
        return
    with tempfile.TemporaryDirectory() as folder:
        step(chosen, Path(folder))


if __name__ == "__main__":
    asked.told(main)
