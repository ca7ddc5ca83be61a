"""The manifest beside a model: what the engine must know before it lets the file speak.

The idea: plain TOML, written from what was measured, with nothing that depends on the day or the machine, so that
rebuilding the same model gives the same manifest.
"""

import math

import onnx

from anomaly_rows import FEATURE_SET, WIDTH
from export import IR_VERSION, OPSET
from judge_anomaly import LIMITS, QUIET_SHARES

VERSION = "2.0.0"
COMMAND = "models/train/train.sh --data DIR"

TRAINING_SETS = (
    ("Zürich Hardbrücke people counters 2020", "January to September 2020", "CC0 as far as known (Stadt Zürich open data)"),
    ("Hangzhou metro inflow, January 2019", "1 to 20 January 2019", "Tianchi data set, Zenodo 10.5281/zenodo.3145404; the repository that carries it is MIT"),
)


def _toml(value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(_toml(part) for part in value) + "]"
    return str(value)


def _table(heading: str, entries: dict) -> str:
    lines = [heading] if heading else []
    return "\n".join(lines + [f"{key} = {_toml(value)}" for key, value in entries.items()]) + "\n"


def _common(name: str, digest: str, content: bytes, seed: int, ships: bool) -> str:
    return _table("", {
        "name": name,
        "version": VERSION,
        "file": f"{name}.onnx",
        "sha256": digest,
        "bytes": len(content),
        "ships": ships,
        "feature_set": FEATURE_SET,
        "opset": OPSET,
        "ir_version": IR_VERSION,
        "parameters": sum(math.prod(constant.dims) for constant in onnx.load_from_string(content).graph.initializer),
        # A score looks at no horizon.
        "horizons": [],
        "quantiles": [],
        "licence": "Apache-2.0",
        "created_by": COMMAND,
        "seed": seed,
    }) + "\n" + _table("[input]", {
        "name": "features", "type": "float32", "shape": ["N", WIDTH], "unit": f"{FEATURE_SET}, see docs/FEATURES.md",
    })


def _sets() -> str:
    return "\n".join(
        _table("[[training_sets]]", {"name": name, "period": period, "licence": licence}) for name, period, licence in TRAINING_SETS
    )


def anomaly(digest: str, content: bytes, seed: int, ships: bool, labelled: dict, events: int, injected: dict, quiet: dict) -> str:
    """The anomaly score's manifest."""
    parts = [
        _common("crowd-anomaly", digest, content, seed, ships),
        _table("[output]", {"name": "score", "type": "float32", "shape": ["N", 1], "unit": "0..1, higher is more unusual; not a probability"}),
        "# Score above which the given share of quiet hold-out rows lies, in settled places (warm) and on the first day of a table (cold).\n"
        + _table("[quiet]", {
            "share_above": list(QUIET_SHARES),
            "warm": [round(value, 5) for value in quiet["warm"]],
            "cold": [round(value, 5) for value in quiet["cold"]],
        }),
        _sets(),
    ]
    for name, score in labelled.items():
        parts.append(_table("[[figures]]", {
            "set": f"CalIt2, {events} labelled events", "score": name, "average_precision": round(score.precision, 3),
            "unmatched_alarms_per_week": list(LIMITS), "recall": [round(value, 3) for value in score.recalls],
        }))
    for name, figures in injected.items():
        for score, precision in figures.items():
            parts.append(_table("[[figures]]", {
                "set": f"{name} hold-out, injected trouble", "score": score, "average_precision": round(precision, 3),
            }))
    return "\n".join(parts)
