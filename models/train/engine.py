"""The engine over a table: what both models are trained on, and what they are judged by."""

import subprocess
from pathlib import Path

import flow_tables


def run(midan: Path, command: str, table: Path, mapping: Path, out: Path, *more: str) -> None:
    """Runs the engine over a table."""
    subprocess.run([str(midan), command, "--table", str(table), "--map", str(mapping), "--out", str(out), *more], check=True, stdout=subprocess.DEVNULL)


def anomaly_file(midan: Path, place: flow_tables.Place, work: Path) -> Path:
    """The anomaly model's features of a place, taken from `work` where an earlier run left them. All else that was written goes: a year at 5 minutes is 2 GB."""
    out = work / place.name
    kept = out / "anomaly.parquet"
    if not kept.is_file():
        table, mapping = flow_tables.write(place, work / "tables")
        run(midan, "features", table, mapping, out)
        for written in [table, mapping, *out.iterdir()]:
            if written != kept:
                written.unlink()
    return kept
