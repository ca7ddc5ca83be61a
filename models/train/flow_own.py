"""A flow model of one's own archive: learnt from its first four fifths, judged on the rest.

The idea: whoever hands over an archive wants to know one thing, whether a model is worth serving there. So an archive
that cannot tell is refused before anything is trained, and a model ships only where the forecasts with it are better
than those without any, on days of which it learnt nothing.

    archive ─► features ─► enough? ─► training ─► replay with it  ─┐
                                  └─────────────► replay without ──┴─► better? ─► manifest and card
"""

import argparse
import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

import asked
import engine
import flow_card
import flow_rows
import manifest
import recorded
import report
from asked import Refused
from engine import MODELS
from flow_network import onnx_bytes, train, training_steps

NAME = "crowd-flow-own"
LICENCE = "that of your data: it was learnt from this table alone"
DAY_S = 86_400
# Each weekday three times: twice to learn from and once, nearly, to be judged by. And of moments and rows so many that
# a network of tens of thousands of weights reads more in them than chance.
LEAST_DAYS, LEAST_HELD_DAYS, LEAST_STEPS, LEAST_ROWS = 21, 4, 500, 2_000
# An archive is small beside the public tables: trained as long on eight thousand rows, a network knows them by heart.
FEWEST_STEPS = 250
DRAWS = 400


@dataclass(frozen=True)
class Archive:
    """What is known of a table by its features; times in seconds, days with counts by the whole table and by what is
    held out."""

    step_s: int
    steps: int
    series: int
    first: int
    last: int
    hold_out: int
    days: int
    held_days: int


@dataclass(frozen=True)
class Verdict:
    """Whether the forecasts with the model are better than those without, and in words."""

    is_better: bool
    words: str


def build(chosen: argparse.Namespace, work: Path) -> None:
    """From an archive to a model that is judged; or to the same model judged anew."""
    engine.library()
    is_there = known(chosen.judge_only, chosen.table) if chosen.judge_only else None
    out = chosen.judge_only.parent if is_there else own_folder(chosen.out)
    archive, rows = learnable(chosen, work)
    held = f"{archive.held_days} of {archive.days} days with counts, of which nothing is learnt"
    print(f"the hold-out starts on {asked.day(archive.hold_out)} (UTC): {held}", flush=True)
    before = chosen.judge_only.with_suffix(".toml").read_text(encoding="utf-8") if is_there else None
    finish = Finish(chosen.table, archive, features_of(work), rows.spread, before)
    made = is_there or trained(archive, rows, chosen)
    if not is_there:
        # Until it is judged it does not ship, and is not lost either.
        finish.write(out, made, "Not judged yet.")
    figures = finish.judged(chosen, made, work)
    verdict = compared(figures)
    model = finish.write(out, manifest.shipping(made, verdict.is_better), verdict.words, figures)
    print(f"\nheld-out report, from {asked.day(archive.hold_out)} (UTC) on: MAE/RMSE in persons per step\n")
    print("\n".join(shown(figures)))
    print(f"\n{verdict.words}\n{last_words(model, verdict, chosen)}")


def features_of(work: Path) -> Path:
    """Where the archive's features are."""
    return work / "own" / "features.parquet"


def learnable(chosen: argparse.Namespace, work: Path) -> tuple[Archive, flow_rows.Rows]:
    """The archive as the engine reads it, and what is learnt from, if it is enough."""
    print("features, out of the engine", flush=True)
    said = engine.run(chosen.midan, "features", chosen.table, chosen.map, work / "own")
    print("".join(f"  {line}\n" for line in said.split("\nfeatures ")[0].splitlines()), end="")
    archive = read(features_of(work))
    rng = np.random.default_rng(chosen.seed)
    rows = flow_rows.read(features_of(work), archive.step_s, flow_rows.MOST_ROWS, rng, archive.hold_out)
    enough(archive, len(rows.features), chosen.table.name)
    return archive, rows


def own_folder(out: Path) -> Path:
    """Where the files go: a folder of one's own, made before anything is waited for."""
    if MODELS in (out.resolve(), *out.resolve().parents):
        raise Refused(f"--out {out}: there the models lie that come with Midan; name a folder of your own")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as why:
        raise Refused(f"--out {out}: no folder can be made there: {why.strerror}") from None
    return out


def read(path: Path) -> Archive:
    """What a features file tells of its table."""
    newest = f"f{flow_rows.LOG_LAST:03d}"
    table = pq.read_table(path, columns=["zone", "what", "issued", newest])
    issued = table["issued"].cast("int64").to_numpy() // 1000
    moments = np.unique(issued)
    if len(moments) < 2:
        raise Refused("the table has fewer than two steps with a count: nothing can be learnt from it")
    step_s = int(np.median(np.diff(moments)))
    hold_out = int(moments[0] + 0.8 * (moments[-1] - moments[0])) // DAY_S * DAY_S
    # A row is issued at the end of its newest step.
    days = np.unique((issued[table[newest].to_numpy() >= 0] - 1) // DAY_S)
    series = len(table.group_by(["zone", "what"]).aggregate([]))
    held = int((days >= hold_out // DAY_S).sum())
    first, last = int(moments[0]) - step_s, int(moments[-1])
    return Archive(step_s, len(moments), series, first, last, hold_out, len(days), held)


def enough(archive: Archive, rows: int, name: str) -> None:
    """Refuses an archive from which nothing can be learnt, or on which nothing can be judged."""
    span = f"{asked.day(archive.first)} to {asked.day(archive.last - 1)}"
    needs = (
        (archive.days, LEAST_DAYS, f"days with counts ({span})", "each weekday three times, to learn it and be judged"),
        (archive.held_days, LEAST_HELD_DAYS, f"of them from {asked.day(archive.hold_out)} on", "to judge on"),
        (archive.steps, LEAST_STEPS, f"steps of {archive.step_s} s", "places at one moment are alike"),
        (rows, LEAST_ROWS, f"rows to learn from ({archive.series} series)", "else a network learns chance by heart"),
    )
    lacks = [f"{found} {what} where {least:,} are needed ({why})" for found, least, what, why in needs if found < least]
    if lacks:
        todo = "take a longer archive, and until then forecast without a model of your own"
        raise Refused(f"{name} is too short to train on: {'; '.join(lacks)}; {todo}")


def trained(archive: Archive, rows: flow_rows.Rows, chosen: argparse.Namespace) -> manifest.Model:
    """A new model; its version is the day up to which it has learnt."""
    print(f"training on {len(rows.features)} rows", flush=True)
    content = onnx_bytes(train(rows, training_steps(len(rows.features), FEWEST_STEPS), chosen.seed))
    words = f"--table {chosen.table.name} --map {chosen.map.name} --out DIR --name {chosen.name} --seed {chosen.seed}"
    command = f"models/train/train.sh {words}"
    return manifest.Model(chosen.name, asked.day(archive.hold_out), content, chosen.seed, False, LICENCE, command)


def known(path: Path, table: Path) -> manifest.Model:
    """A model that is there, of this very table: on another one it may have learnt what it is to be judged on."""
    made = manifest.model_of(path, "quantiles")
    sets = manifest.read(path.with_suffix(".toml")).get("training_sets", [])
    if not any(sha256(table) in of["name"] for of in sets):
        raise Refused(f"--judge-only {path}: it was not trained on {table}; judge it on the table that its card names")
    return made


def sha256(path: Path) -> str:
    """The hash of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@dataclass(frozen=True)
class Finish:
    """What is needed beside a model to judge it and to write its files; `before` is the manifest that it had."""

    table: Path
    archive: Archive
    features: Path
    spread: np.ndarray
    before: str | None

    def judged(self, chosen: argparse.Namespace, made: manifest.Model, work: Path) -> list:
        """Pairs of lines, with the model and without any, by direction and horizon."""
        print("judging on the hold-out: with the model, and without any", flush=True)
        tried = self.write(work / "tried", manifest.shipping(made, True), "")
        sides = []
        for name, words in (("with", ["--model", str(tried)]), ("without", ["--no-models"])):
            engine.run(chosen.midan, "replay", chosen.table, chosen.map, work / name, *words)
            sides.append(report.judge(work / name, float(self.archive.hold_out)))
            shutil.rmtree(work / name)
        return list(zip(*sides, strict=True))

    def write(self, folder: Path, made: manifest.Model, remark: str, figures: list = ()) -> Path:
        """Writes model and manifest, and once there are figures the card."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{made.name}.onnx"
        path.write_bytes(made.content)
        archive, digest = self.archive, sha256(self.table)
        start, until, last = (asked.day(at) for at in (archive.first, archive.hold_out, archive.last - 1))
        sets = [(f"{self.table.name}, SHA-256 {digest}", f"{start} to {until} (UTC), of rows up to {last}", LICENCE)]
        lines = [of_manifest(f"{self.table.name} from {until} (UTC)", *pair) for pair in figures]
        path.with_suffix(".toml").write_text(manifest.flow(made, sets, lines, remark), encoding="utf-8")
        if self.before is None:
            manifest.put_reference(path.with_suffix(".toml"), self.spread)
        else:
            manifest.carry_reference(self.before, path.with_suffix(".toml"))
        recorded.put(path, recorded.chosen(self.features))
        if figures:
            flow_card.write_own(path, self.facts(digest), figures, f"{remark} `ships = {str(made.ships).lower()}`.")
        return path

    def facts(self, digest: str) -> dict:
        """What the card says of the table."""
        archive = self.archive
        return {
            "what": f"{archive.series} series in steps of {archive.step_s} s",
            "table": self.table.name,
            "table_sha256": digest,
            "first": asked.day(archive.first),
            "last": asked.day(archive.last - 1),
            "hold_out": asked.day(archive.hold_out),
            "days": archive.held_days,
        }


def of_manifest(name: str, ours: dict, without: dict) -> dict:
    """A line of the manifest's figures."""
    measured = ("mae", "rmse", "loss", "within")
    figures = {key: round(ours[key], 4) for key in measured}
    figures |= {f"{key}_without": round(without[key], 4) for key in measured}
    return {"set": name, "what": ours["what"], "steps": ours["steps"], "rows": ours["n"], **figures}


def compared(figures: list) -> Verdict:
    """Better is a smaller mean loss of the quantiles, and no larger mean absolute error, over all directions and
    horizons."""
    mean = {key: [float(np.mean([line[key] for line in side])) for side in zip(*figures)] for key in ("loss", "mae")}
    (loss, loss_without), (mae, mae_without) = mean["loss"], mean["mae"]
    is_better = loss < loss_without and mae <= mae_without
    low, high = by_other_days(figures)
    interval = f"{low:+.2%} to {high:+.2%} where its days are drawn anew"
    told = (
        f"mean quantile loss {loss:.4f} persons with it and {loss_without:.4f} without"
        f" ({ratio(loss, loss_without):+.2%}; {interval}),"
        f" mean absolute error {mae:.4f} and {mae_without:.4f} ({ratio(mae, mae_without):+.2%})"
    )
    said = "It is better than no model" if is_better else "It is no better than no model, so it does not ship"
    chance = " That may be chance." if low < 0 < high else ""
    return Verdict(is_better, f"{said}: on the hold-out {told}, over all directions and horizons.{chance}")


def ratio(with_it: float, without: float) -> float:
    """How much more, as a share; below nought it is less."""
    return with_it / without - 1.0 if without else 0.0


def by_other_days(figures: list) -> tuple:
    """The 95 % interval of how much more loss there is with the model, days drawn anew (block bootstrap)."""
    days = sorted({day for ours, _ in figures for day in ours["loss_by_day"]})
    sums = np.array([[[of["loss_by_day"].get(day, (0.0, 0)) for day in days] for of in pair] for pair in figures])
    drawn = np.random.default_rng(1).integers(0, len(days), (DRAWS, len(days)))
    # By line, side, draw: the mean loss; then the mean of all lines.
    losses = sums[..., 0][..., drawn].sum(axis=-1) / np.maximum(sums[..., 1][..., drawn].sum(axis=-1), 1)
    ours, without = losses.mean(axis=0)
    return tuple(np.quantile(ours / np.maximum(without, 1e-9) - 1.0, (0.025, 0.975)))


def shown(figures: list) -> list:
    """The held-out report, a line per direction and horizon."""
    heads = ["with it", "without", *figures[0][0]["methods"], "band with", "without"]
    lines = ["  what steps" + "".join(f"{head:>15}" for head in heads) + "      n"]
    for ours, without in figures:
        errors = [(line["mae"], line["rmse"]) for line in (ours, without)] + list(ours["methods"].values())
        cells = [f"{mae:.2f}/{rmse:.2f}" for mae, rmse in errors] + [
            f"{line['within']:.1f} %" for line in (ours, without)
        ]
        row = "".join(f"{cell:>15}" for cell in cells)
        lines.append(f"{ours['what']:>6} {ours['steps']:>5}{row} {ours['n']:>6}")
    return lines


def last_words(model: Path, verdict: Verdict, chosen: argparse.Namespace) -> str:
    """What to do with the files."""
    three = f"{model.with_suffix('')}.onnx, .toml and .md"
    if not verdict.is_better:
        alone = "forecast without it (the engine refuses a manifest with `ships = false`)"
        return f"What to do: look at {three}, serve none of them, {alone}; a longer archive may do better."
    again = f"midan replay --table {chosen.table} --map {chosen.map} --model {model}"
    check = f"check them (`midan model check {model}`), try them (`{again}`)"
    serve = "copy .onnx and .toml into the service's models.folder and order `midan model swap FILE --operator ID`"
    return f"What to do with {three}: {check}; to serve them {serve}."
