"""The engine over a table: what both models are trained on, and what they are judged by."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import flow_tables
from asked import Refused

MODELS = Path(__file__).resolve().parents[1]
LIBRARY = Path(__file__).resolve().parents[2] / ".tools" / "onnxruntime" / "libonnxruntime.so"
LIBRARY_KEY = "MIDAN_MODELS__LIBRARY"


def library() -> str:
    """Where the engine finds ONNX Runtime, without which it asks no model: what would be judged is the fallback."""
    named = os.environ.get(LIBRARY_KEY, str(LIBRARY))
    if not Path(named).is_file():
        raise Refused(f"no ONNX Runtime library at {named}: run setup/onnxruntime.sh, or name one in {LIBRARY_KEY}")
    return named


def run(midan: Path, command: str, table: Path, mapping: Path, out: Path, *more: str) -> str:
    """Runs the engine over a table, and answers what it said; what it warned of is shown."""
    words = [str(midan), command, "--table", str(table), "--map", str(mapping), "--out", str(out), *more]
    known = {"MIDAN_MODELS__FOLDER": str(MODELS)} | ({LIBRARY_KEY: str(LIBRARY)} if LIBRARY.is_file() else {})
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=known | os.environ)
    if done.returncode:
        sys.stderr.write(done.stderr)
        raise Refused(f"`midan {command}` on {table} ended with {done.returncode}: what it says stands above")
    sys.stderr.writelines(f"{line}\n" for line in done.stderr.splitlines() if " INFO " not in line)
    return done.stdout


def anomaly_file(midan: Path, place: flow_tables.Place, work: Path) -> Path:
    """The anomaly model's features of a place, taken from `work` where an earlier run of the same binary over the same
    table left them. All else that was written goes: a year at 5 minutes is 2 GB."""
    table, mapping = flow_tables.write(place, work / "tables")
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in (midan, table, mapping))).hexdigest()
    out = work / f"{place.name}-{digest[:16]}"
    kept = out / "anomaly.parquet"
    if not kept.is_file():
        begun = out.with_name(f"{out.name}-begun")
        run(midan, "features", table, mapping, begun)
        out.mkdir(exist_ok=True)
        (begun / kept.name).rename(kept)
        shutil.rmtree(begun)
    table.unlink()
    mapping.unlink()
    return kept
