"""How a replay's forecasts fared: error by horizon beside the simple methods, and whether the bands hold, level by level.

Usage: `report.py RESULTS [--from DATE] [--step SECONDS]`, where RESULTS is what `midan replay ... --out RESULTS` left. It reads the
published forecasts and the published counts, nothing else; a simple method sees what the forecast saw.
"""

import argparse
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.json as lines_of

WEEK_S = 7 * 86_400


def lines(path: Path, columns: dict) -> pa.Table:
    """The named fields of a file of JSON lines."""
    parsing = lines_of.ParseOptions(explicit_schema=pa.schema(columns), unexpected_field_behavior="ignore")
    return lines_of.read_json(path, read_options=lines_of.ReadOptions(use_threads=False, block_size=16 << 20), parse_options=parsing)


def column(table: pa.Table, name: str) -> np.ndarray:
    """A column as numpy, absent figures as NaN."""
    return table[name].to_numpy(zero_copy_only=False)


class Counts:
    """What came, series by series, on the grid of steps."""

    def __init__(self, folder: Path, step_s: int):
        columns = {"kind": pa.string(), "zone": pa.string(), "revision": pa.int64(), "from": pa.int64(), "in": pa.float64(), "out": pa.float64(), "count": pa.float64()}
        table = lines(folder / "zones.ndjson", columns)
        keep = (column(table, "kind") == "zone") & (column(table, "revision") == 0)
        zone, begins = column(table, "zone")[keep], column(table, "from")[keep] // 1000
        self.step_s = step_s
        self.first = int(begins.min())
        slots = (begins - self.first) // step_s
        self.series = {}
        names, which = np.unique(zone, return_inverse=True)
        for what in ("in", "out", "count"):
            figures = column(table, what)[keep].astype(float)
            grid = np.full((len(names), int(slots.max()) + 1), np.nan)
            grid[which, slots] = figures
            for name, row in zip(names, grid):
                if np.isfinite(row).any():
                    self.series[name, what] = row

    def simple(self, row: np.ndarray, steps: int) -> dict:
        """By method, the forecast for each slot made `steps` steps ahead."""
        shifted = lambda by: np.concatenate([np.full(by, np.nan), row[:-by]]) if by < len(row) else np.full_like(row, np.nan)
        week = WEEK_S // self.step_s
        hour = max(1, 3_600 // self.step_s)
        weeks = np.stack([shifted(week * back) for back in (1, 2, 3, 4)])
        with np.errstate(all="ignore"):
            known = np.isfinite(weeks).sum(axis=0)
            usual = np.where(known > 0, np.nansum(weeks, axis=0) / np.maximum(known, 1), np.nan)
            both = np.isfinite(row) & np.isfinite(usual)
            came, expected = (np.convolve(np.where(both, of, 0.0), np.ones(hour))[: len(row)] for of in (row, usual))
            ratio = ((came + 1.0) / (expected + 1.0)) ** 0.7
        back = np.concatenate([np.full(steps, np.nan), ratio[:-steps]])
        return {"last value": shifted(steps), "last week": weeks[0], "same-slot mean": usual, "mean x ratio": usual * back}


def within(came: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Whether each value lies in its band. Values on a bound are split at random so that, as far as the ties allow, a tenth lies beyond it; one on both bounds may be beyond either, by one draw (randomised PIT)."""
    below, above = came < low, came > high
    beyond, drawn = below | above, rng.random(len(came))
    outside = beyond.copy()
    for side, tie, draw in ((below, came == low, drawn), (above, came == high, 1.0 - drawn)):
        free = tie & ~beyond
        wanted = 0.1 * len(came) - side.sum()
        outside |= free & (draw < np.clip(wanted / max(free.sum(), 1), 0.0, 1.0))
    return ~outside


def judge(folder: Path, since_s: float, step_s: int) -> list:
    """Prints a line per direction and horizon, and answers them."""
    told = []
    counts = Counts(folder, step_s)
    columns = {"zone": pa.string(), "what": pa.string(), "target_from": pa.int64(), "h_s": pa.int64(), "q10": pa.float64(), "q50": pa.float64(), "q90": pa.float64()}
    table = lines(folder / "forecasts.ndjson", columns)
    target = column(table, "target_from") // 1000
    zone, what, ahead = column(table, "zone"), column(table, "what"), column(table, "h_s")
    slot = (target - counts.first) // step_s
    quantiles = np.stack([column(table, name) for name in ("q10", "q50", "q90")])
    rng = np.random.default_rng(1)
    for direction in [word for word in ("in", "out", "count") if any(of == word for _, of in counts.series)]:
        for seconds in np.unique(ahead):
            came, said, methods = [], [], {}
            chosen = (what == direction) & (ahead == seconds) & (target >= since_s)
            for name in np.unique(zone[chosen]):
                row = counts.series.get((name, direction))
                if row is None:
                    continue
                rows = np.flatnonzero(chosen & (zone == name))
                rows = rows[slot[rows] < len(row)]
                truth = row[slot[rows]]
                known = np.isfinite(truth)
                came.append(truth[known])
                said.append(quantiles[:, rows][:, known])
                for method, forecast in counts.simple(row, int(seconds) // step_s).items():
                    methods.setdefault(method, []).append(forecast[slot[rows]][known])
            told.append(line(direction, int(seconds) // step_s, np.concatenate(came), np.concatenate(said, axis=1), methods, rng))
            print(shown(told[-1]), flush=True)
    return told


def off(forecast: np.ndarray, came: np.ndarray) -> tuple:
    """Mean absolute and root mean square error, where there is a forecast."""
    error = (forecast - came)[np.isfinite(forecast)]
    return (float(np.abs(error).mean()), float(np.sqrt((error**2).mean()))) if len(error) else (float("nan"), float("nan"))


def line(direction: str, steps: int, came: np.ndarray, said: np.ndarray, methods: dict, rng: np.random.Generator) -> dict:
    """How one direction and horizon fared."""
    low, middle, high = said
    mae, rmse = off(middle, came)
    quarters = np.argsort(np.argsort(middle, kind="stable"), kind="stable") * 4 // max(len(middle), 1)
    share = lambda rows: float(within(came[rows], low[rows], high[rows], rng).mean() * 100)
    return {
        "what": direction, "steps": steps, "n": len(came), "mae": mae, "rmse": rmse,
        "methods": {method: off(np.concatenate(forecasts), came) for method, forecasts in methods.items()},
        "within": share(slice(None)), "quarters": [share(quarters == quarter) for quarter in range(4)],
        "below": float((came < low).mean() * 100), "above": float((came > high).mean() * 100),
    }


def shown(told: dict) -> str:
    """One line of the report."""
    simple = "  ".join(f"{method} {mae:.2f}/{rmse:.2f}" for method, (mae, rmse) in told["methods"].items())
    quarters = " ".join(f"{share:.0f}" for share in told["quarters"])
    bands = f"within {told['within']:.1f} % ({quarters}); below {told['below']:.1f}, above {told['above']:.1f}"
    return f"{told['what']:>5} {told['steps']:>3} steps  {told['mae']:8.3f} / {told['rmse']:8.3f}  {simple}  {bands}  n {told['n']}"


def main() -> None:
    """Reads the arguments."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("results", type=Path)
    arguments.add_argument("--from", dest="since", default="1970-01-01", help="first target that counts, UTC date")
    arguments.add_argument("--step", type=int, required=True, help="length of a step, s")
    chosen = arguments.parse_args()
    judge(chosen.results, np.datetime64(chosen.since, "s").astype(float), chosen.step)


if __name__ == "__main__":
    main()
