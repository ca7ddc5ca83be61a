"""Results as a replay leaves them, for the tests: a venue of two places, four weeks by the hour."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

import flow_rows

HOUR_MS = 3_600_000
# From a Monday on, in Zürich the change of the clocks is among them (29 March 2026).
START_MS = int(np.datetime64("2026-03-16", "ms").astype(int))
HOURS = 4 * 7 * 24


def results(folder: Path, off: float = 0.0) -> Path:
    """At noon UTC the gate has 40 for the 30 that were forecast, which lies beyond the band; all else is as forecast,
    or as much off as is said."""
    zones, forecasts = [], []
    for hour in range(HOURS):
        begin = START_MS + hour * HOUR_MS
        for zone in ("gate", "hall"):
            forecast = 30 if hour % 24 == 12 else 10
            came = 40 if hour % 24 == 12 and zone == "gate" else forecast
            zones.append({"venue": "v", "kind": "zone", "zone": zone, "revision": 0, "from": begin, "in": came})
            quantiles = {"q10": forecast - 5.0 + off, "q50": forecast + off, "q90": forecast + 5.0 + off}
            forecasts.append({"zone": zone, "what": "in", "target_from": begin, "h_s": 3600, **quantiles})
    # One finding about the event, at noon of the 20th day, and one about nothing a day later at three.
    findings = [finding("gate", 20 * 24 + 12), finding("hall", 21 * 24 + 3)]
    for name, rows in (("zones", zones), ("forecasts", forecasts), ("findings", findings)):
        (folder / f"{name}.ndjson").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder


def finding(zone: str, hour: int) -> dict:
    """One that came out so many hours after the start."""
    return {"code": "ANOMALY", "zone": zone, "detected": START_MS + hour * HOUR_MS, "from": 0, "to": 0}


def features(path: Path) -> None:
    """What the engine would show a flow model, five places in these hours: numbers by chance, ten persons a step."""
    rng = np.random.default_rng(1)
    zones = np.repeat([f"p{place}" for place in range(5)], HOURS)
    ends = np.tile(START_MS + HOUR_MS * np.arange(1, HOURS + 1), 5)
    columns = {"zone": pa.array(zones), "what": pa.array(["in"] * len(zones))}
    columns["issued"] = pa.array(ends).cast(pa.timestamp("ms", "UTC"))
    for place in range(flow_rows.WIDTH):
        columns[f"f{place:03d}"] = pa.array(rng.normal(0.0, 1.0, len(zones)).astype(np.float32))
    for place in (*range(flow_rows.SIZE, flow_rows.SIZE + flow_rows.HORIZONS), flow_rows.LOG_SIZE, flow_rows.LOG_LAST):
        columns[f"f{place:03d}"] = pa.array(np.full(len(zones), np.log(11.0), np.float32))
    pq.write_table(pa.table(columns), path)
