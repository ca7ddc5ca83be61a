"""The manifest beside a model: what the engine must know before it lets the file speak (`src/inference/manifest.rs`).

The idea: plain TOML, written from what was measured, with nothing that depends on the day or the machine, so that
rebuilding the same model gives the same manifest. All that is ever written into one is written here:

    flow, anomaly      the whole text, but for the two blocks below
    put_reference      how the inputs were spread that a flow model was trained on
    put_recorded       a few rows and what the model said of them

`carry_reference` takes the first block out of an older text; `read`, `model_of` and `shipping` are of a model that is
there.
"""

import json
import math
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx

import anomaly_rows
import asked
import flow_reference
import flow_rows
from asked import Refused
from export import IR_VERSION, OPSET, digest
from judge_anomaly import LIMITS, QUIET_SHARES

FLOW_VERSION, ANOMALY_VERSION = "2.1.0", "2.0.0"
COMMAND = "models/train/train.sh --data DIR"
ANOMALY_SETS = (
    (
        "Zürich Hardbrücke people counters 2020",
        "January to September 2020",
        "CC0 as far as known (Stadt Zürich open data)",
    ),
    (
        "Hangzhou metro inflow, January 2019",
        "1 to 20 January 2019",
        "Tianchi data set, Zenodo 10.5281/zenodo.3145404; the repository that carries it is MIT",
    ),
)
# A block that may be written anew stands between two such lines.
REFERENCE = (
    "# Of 10,000 rows that it was trained on, those in each bin, column by column (src/inference/drift.rs).",
    "# Here ends the reference.",
)
RECORDED = ("# Recorded rows, and what the model said of them when it was built.", "# Here end the recorded rows.")
CASES = 10_000


@dataclass(frozen=True)
class Model:
    """A model file and who it is."""

    name: str
    version: str
    content: bytes
    seed: int
    ships: bool = True
    licence: str = "Apache-2.0"
    created_by: str = COMMAND


def flow(model: Model, sets: list, figures: list = (), remark: str = "") -> str:
    """A flow model's manifest; `sets` are name, period and licence of what it learnt from, `remark` is for people."""
    unit = "deviations from the plain forecast, see docs/FEATURES.md"
    layout = "horizon-major: h1q10 h1q50 h1q90 h2q10 ..."
    head = _head(model, flow_rows.FEATURE_SET, flow_rows.STEPS, flow_rows.QUANTILES)
    parts = [
        f"# {remark}\n{head}" if remark else head,
        _input(flow_rows.FEATURE_SET, flow_rows.WIDTH),
        _tensor("output", "quantiles", 3 * flow_rows.HORIZONS, layout=layout, unit=unit),
        *_sets(sets),
        *(_table("[[figures]]", line) for line in figures),
    ]
    return "\n".join(parts)


def anomaly(model: Model, labelled: dict, events: int, injected: dict, quiet: dict) -> str:
    """The anomaly score's manifest. A score looks at no horizon."""
    parts = [
        _head(model, anomaly_rows.FEATURE_SET, (), ()),
        _input(anomaly_rows.FEATURE_SET, anomaly_rows.WIDTH),
        _tensor("output", "score", 1, unit="0..1, higher is more unusual; not a probability"),
        _quiet(quiet),
        *_sets(ANOMALY_SETS),
        *(_of_labelled(name, events, score) for name, score in labelled.items()),
        *(_of_injected(name, score, what) for name, of in injected.items() for score, what in of.items()),
    ]
    return "\n".join(parts)


def put_reference(path: Path, counts: np.ndarray) -> None:
    """Writes how many rows fell into each bin (`flow_reference.counted`), in the place of what is there."""
    rows = int(counts[0].sum())
    lines = ["[reference]", f"rows = {rows}", "", "[reference.parts]"]
    for part, columns, _, _ in flow_reference.PARTS:
        shares = np.round(counts[list(columns)] * (CASES / rows)).astype(int)
        lines += [f"{part} = [", *(f"  [{', '.join(str(share) for share in column)}]," for column in shares), "]"]
    _put(path, REFERENCE, lines)


def put_recorded(path: Path, features: np.ndarray, says: np.ndarray) -> None:
    """Writes rows and what the model says of them, in the place of those that are there."""
    rows = zip(features, says)
    lines = [f"[[recorded]]\nfeatures = {_numbers(row)}\nsays = {_numbers(said)}\n" for row, said in rows]
    _put(path, RECORDED, lines)


def carry_reference(older: str, path: Path) -> None:
    """Writes the reference of an older manifest, where it has one."""
    found = _block(REFERENCE).search(older)
    if found:
        _put(path, REFERENCE, found.group(1).splitlines())


def read(path: Path) -> dict:
    """What a manifest says."""
    return asked.toml(path)


def model_of(path: Path, output: str) -> Model:
    """The model of a file, by the manifest beside it, if that is of this very file, of what it is to say (its output),
    and of today's features."""
    says = read(path.with_suffix(".toml"))
    keys = ("name", "version", "file", "sha256", "feature_set", "seed", "ships", "licence", "created_by")
    lacks = [key for key in keys if key not in says]
    if lacks:
        raise Refused(f"{path.with_suffix('.toml')} lacks {', '.join(lacks)}: it is no manifest of a model")
    name, version, file, sha256, feature_set, *rest = (says[key] for key in keys)
    if says.get("output", {}).get("name") != output:
        raise Refused(f"{path} says something else: a flow model's output is `quantiles`, an anomaly model's `score`")
    content = path.read_bytes()
    if sha256.lower() != digest(content) or file != path.name or file != f"{name}.onnx":
        raise Refused(f"{path} is not the file of the manifest beside it: its name or its SHA-256 is another")
    if feature_set not in (flow_rows.FEATURE_SET, anomaly_rows.FEATURE_SET):
        raise Refused(f"{path} was trained on {feature_set}, which this engine does not compute: train it anew")
    return Model(name, version, content, *rest)


def shipping(model: Model, ships: bool) -> Model:
    """The same, shipping or not."""
    return replace(model, ships=ships)


def _head(model: Model, feature_set: str, horizons: tuple, quantiles: tuple) -> str:
    constants = onnx.load_from_string(model.content).graph.initializer
    entries = {
        "name": model.name,
        "version": model.version,
        "file": f"{model.name}.onnx",
        "sha256": digest(model.content),
        "bytes": len(model.content),
        "ships": model.ships,
        "feature_set": feature_set,
        "opset": OPSET,
        "ir_version": IR_VERSION,
        "parameters": sum(math.prod(constant.dims) for constant in constants),
        "horizons": horizons,
        "quantiles": quantiles,
        "licence": model.licence,
        "created_by": model.created_by,
        "seed": model.seed,
    }
    return _table("", entries)


def _input(feature_set: str, width: int) -> str:
    return _tensor("input", "features", width, unit=f"{feature_set}, see docs/FEATURES.md")


def _tensor(place: str, name: str, width: int, **more: str) -> str:
    return _table(f"[{place}]", {"name": name, "type": "float32", "shape": ["N", width], **more})


def _sets(sets: list) -> list:
    return [_table("[[training_sets]]", dict(zip(("name", "period", "licence"), of))) for of in sets]


def _quiet(quiet: dict) -> str:
    remark = (
        "# Score above which the given share of quiet hold-out rows lies, in settled places (warm)"
        " and on the first day of a table (cold).\n"
    )
    scores = {kind: [round(value, 5) for value in quiet[kind]] for kind in ("warm", "cold")}
    return remark + _table("[quiet]", {"share_above": QUIET_SHARES, **scores})


def _of_labelled(name: str, events: int, score) -> str:
    entries = {
        "set": f"CalIt2, {events} labelled events",
        "score": name,
        "average_precision": round(score.precision, 3),
        "unmatched_alarms_per_week": LIMITS,
        "recall": [round(value, 3) for value in score.recalls],
    }
    return _table("[[figures]]", entries)


def _of_injected(name: str, score: str, precision: float) -> str:
    entries = {"set": f"{name} hold-out, injected trouble", "score": score, "average_precision": round(precision, 3)}
    return _table("[[figures]]", entries)


def _put(path: Path, block: tuple, lines: list) -> None:
    begins, ends = block
    before = _block(block).sub("", path.read_text(encoding="utf-8"))
    path.write_text("\n".join([before, begins, *lines, ends]) + "\n", encoding="utf-8")


def _block(block: tuple) -> re.Pattern:
    begins, ends = (re.escape(line) for line in block)
    return re.compile(rf"\n{begins}\n(.*?){ends}\n", re.S)


def _numbers(row: np.ndarray) -> str:
    return f"[{', '.join(str(np.float32(value)) for value in row)}]"


def _table(heading: str, entries: dict) -> str:
    lines = [heading] if heading else []
    return "\n".join(lines + [f"{key} = {_toml(value)}" for key, value in entries.items()]) + "\n"


def _toml(value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return str(value)
