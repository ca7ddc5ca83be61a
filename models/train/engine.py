"""The engine over a table: what both models are trained on, and what they are judged by."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import flow_tables


def run(midan: Path, command: str, table: Path, mapping: Path, out: Path, *more: str) -> None:
    """Runs the engine over a table."""
    subprocess.run([str(midan), command, "--table", str(table), "--map", str(mapping), "--out", str(out), *more], check=True, stdout=subprocess.DEVNULL)


def anomaly_file(midan: Path, place: flow_tables.Place, work: Path) -> Path:
    """The anomaly model's features of a place, taken from `work` where an earlier run of the same binary over the same table left them. All else that was written goes: a year at 5 minutes is 2 GB."""
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
