"""Results as a replay leaves them, for the tests: a venue of two places, four weeks by the hour."""

import json
from pathlib import Path

import numpy as np

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
