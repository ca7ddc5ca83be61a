"""How a replay's forecasts fared: error by horizon beside the simple methods, and whether the bands hold, by level.

Usage: `report.py RESULTS [--from DATE] [--step SECONDS]`, where RESULTS is the folder that `midan replay --table ...`
left. It reads the published forecasts and the published counts, nothing else; a simple method sees what the forecast
saw. The step is read from the results; one that is named must be theirs.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.json as lines_of

import asked
from asked import Refused
from flow_rows import QUANTILES

WEEK_S = 7 * 86_400
DIRECTIONS = ("in", "out", "count")
WHERE = "RESULTS is the folder that `midan replay --table ... --out RESULTS` left"
COUNTS = {"kind": pa.string(), "venue": pa.string(), "zone": pa.string(), "revision": pa.int64(), "from": pa.int64()}
FORECASTS = {"zone": pa.string(), "what": pa.string(), "target_from": pa.int64(), "h_s": pa.int64()}


def lines(path: Path, columns: dict, why_empty: str) -> pa.Table:
    """The named fields of a file of JSON lines."""
    if not path.is_file():
        raise Refused(f"there is no {path}: {WHERE}")
    if path.stat().st_size == 0:
        raise Refused(f"{path} holds nothing: {why_empty}")
    parsing = lines_of.ParseOptions(explicit_schema=pa.schema(columns), unexpected_field_behavior="ignore")
    reading = lines_of.ReadOptions(use_threads=False, block_size=16 << 20)
    try:
        return lines_of.read_json(path, read_options=reading, parse_options=parsing)
    except pa.ArrowInvalid as why:
        raise Refused(f"{path} cannot be read ({str(why).splitlines()[0]}): {WHERE}") from None


def column(table: pa.Table, name: str) -> np.ndarray:
    """A column as numpy, absent figures as NaN."""
    return table[name].to_numpy(zero_copy_only=False)


def spacing(begins: np.ndarray, step_s: int | None) -> int:
    """The length of most steps, s; refuses another one that is asked for."""
    apart, times = np.unique(np.diff(np.unique(begins)), return_counts=True)
    if not len(apart):
        raise Refused("the results are of one step alone, which is too few to judge")
    found = int(apart[times.argmax()])
    if step_s not in (None, found):
        raise Refused(f"the results step by {found} s; --step {step_s} does not fit: leave it out, or write {found}")
    return found


def shifted(row: np.ndarray, by: int) -> np.ndarray:
    """What stood so many slots before."""
    return np.concatenate([np.full(min(by, len(row)), np.nan), row[: max(len(row) - by, 0)]])


class Counts:
    """What came, series by series, on the grid of steps."""

    def __init__(self, folder: Path, step_s: int | None = None):
        columns = COUNTS | {what: pa.float64() for what in DIRECTIONS}
        table = lines(folder / "zones.ndjson", columns, "the replay saw no step of its table to the end")
        keep = (column(table, "kind") == "zone") & (column(table, "revision") == 0)
        if not keep.any():
            raise Refused(f"{folder / 'zones.ndjson'} tells of no place: {WHERE}")
        zone, begins = column(table, "zone")[keep], column(table, "from")[keep] // 1000
        self.venue = str(table["venue"][0])
        self.step_s = spacing(begins, step_s)
        self.first = int(begins.min())
        slots = self.slots(begins)
        self.series = {}
        names, which = np.unique(zone, return_inverse=True)
        for what in DIRECTIONS:
            grid = np.full((len(names), int(slots.max()) + 1), np.nan)
            grid[which, slots] = column(table, what)[keep].astype(float)
            self.series |= {(name, what): row for name, row in zip(names, grid) if np.isfinite(row).any()}

    def slots(self, begins: np.ndarray) -> np.ndarray:
        """The place of each on the grid; a day by the clock on the wall may begin an hour beside it."""
        return (begins - self.first + self.step_s // 2) // self.step_s

    def simple(self, row: np.ndarray, steps: int) -> dict:
        """By method, the forecast for each slot made `steps` steps ahead."""
        week = max(1, WEEK_S // self.step_s)
        hour = max(1, 3_600 // self.step_s)
        weeks = np.stack([shifted(row, week * back) for back in (1, 2, 3, 4)])
        with np.errstate(all="ignore"):
            known = np.isfinite(weeks).sum(axis=0)
            usual = np.where(known > 0, np.nansum(weeks, axis=0) / np.maximum(known, 1), np.nan)
            both = np.isfinite(row) & np.isfinite(usual)
            came, expected = (np.convolve(np.where(both, of, 0.0), np.ones(hour))[: len(row)] for of in (row, usual))
            ratio = ((came + 1.0) / (expected + 1.0)) ** 0.7
        with_ratio = usual * shifted(ratio, steps)
        return {
            "last value": shifted(row, steps),
            "last week": weeks[0],
            "same-slot mean": usual,
            "mean x ratio": with_ratio,
        }


@dataclass(frozen=True)
class Forecasts:
    """What was forecast, row by row: of which place and direction, for the step from when on, how far ahead, s."""

    zone: np.ndarray
    what: np.ndarray
    target: np.ndarray
    ahead: np.ndarray
    quantiles: np.ndarray

    def pick(self, which: np.ndarray) -> "Forecasts":
        """Those rows only."""
        rest = (self.zone, self.what, self.target, self.ahead)
        return Forecasts(*(of[which] for of in rest), self.quantiles[:, which])


def forecasts(folder: Path, since_s: float) -> Forecasts:
    """All that were published for a step from `since_s` on."""
    columns = FORECASTS | {name: pa.float64() for name in ("q10", "q50", "q90")}
    path = folder / "forecasts.ndjson"
    table = lines(path, columns, "nothing was forecast (was it a replay with --counts-only?)")
    of = [column(table, name) for name in ("zone", "what", "target_from", "h_s")]
    of[2] = of[2] // 1000
    first, last = int(of[2].min()), int(of[2].max())
    if last < since_s:
        until = f"the forecasts are for steps from {asked.day(first)} to {asked.day(last)}"
        raise Refused(f"nothing was forecast for {asked.day(since_s)} or later: {until}; choose another --from")
    quantiles = np.stack([column(table, name) for name in ("q10", "q50", "q90")])
    return Forecasts(*of, quantiles).pick(of[2] >= since_s)


def within(came: np.ndarray, low: np.ndarray, high: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Whether each value lies in its band.

    Values on a bound are split at random so that, as far as the ties allow, a tenth lies beyond it; one on both bounds
    may be beyond either, by one draw (randomised PIT).
    """
    below, above = came < low, came > high
    beyond, drawn = below | above, rng.random(len(came))
    outside = beyond.copy()
    for side, tie, draw in ((below, came == low, drawn), (above, came == high, 1.0 - drawn)):
        free = tie & ~beyond
        wanted = 0.1 * len(came) - side.sum()
        outside |= free & (draw < np.clip(wanted / max(free.sum(), 1), 0.0, 1.0))
    return ~outside


def judge(folder: Path, since_s: float, step_s: int | None = None) -> list:
    """How each direction and horizon fared, from a moment on."""
    counts = Counts(folder, step_s)
    said = forecasts(folder, since_s)
    # A day by the clock on the wall may be an hour shorter or longer.
    ahead = np.rint(said.ahead / counts.step_s).astype(int)
    rng = np.random.default_rng(1)
    told = []
    for direction in DIRECTIONS:
        for steps in np.unique(ahead):
            own = said.pick((said.what == direction) & (ahead == steps))
            found = _beside(counts, own, direction, int(steps))
            if found:
                told.append(line(direction, int(steps), *found, rng))
    if not told:
        raise Refused(f"{folder}: of the steps from {asked.day(since_s)} on none was counted, so nothing can be judged")
    return told


def _beside(counts: Counts, own: Forecasts, direction: str, steps: int) -> tuple | None:
    """Of which step, what came, what was said, and what each simple method would have said; none where none came."""
    target, came, said, methods = [], [], [], {}
    slot = counts.slots(own.target)
    for name in np.unique(own.zone):
        row = counts.series.get((name, direction))
        if row is None:
            continue
        rows = np.flatnonzero((own.zone == name) & (slot < len(row)))
        rows = rows[np.isfinite(row[slot[rows]])]
        target.append(own.target[rows])
        came.append(row[slot[rows]])
        said.append(own.quantiles[:, rows])
        for method, forecast in counts.simple(row, steps).items():
            methods.setdefault(method, []).append(forecast[slot[rows]])
    if not sum(map(len, came)):
        return None
    joined = {method: np.concatenate(forecasts) for method, forecasts in methods.items()}
    return np.concatenate(target), np.concatenate(came), np.concatenate(said, axis=1), joined


def off(forecast: np.ndarray, came: np.ndarray) -> tuple:
    """Mean absolute and root mean square error, where there is a forecast."""
    error = (forecast - came)[np.isfinite(forecast)]
    return (float(np.abs(error).mean()), float(np.sqrt((error**2).mean()))) if len(error) else (math.nan, math.nan)


def quantile_loss(came: np.ndarray, said: np.ndarray) -> np.ndarray:
    """The mean loss of the three quantiles, row by row: the median's is half its absolute error."""
    levels = np.array(QUANTILES)[:, None]
    miss = came - said
    return np.maximum(levels * miss, (levels - 1.0) * miss).mean(axis=0)


def by_day(target: np.ndarray, losses: np.ndarray) -> dict:
    """Sum and number of the losses of each day, UTC."""
    days, which = np.unique(target // 86_400, return_inverse=True)
    sums = zip(np.bincount(which, losses).tolist(), np.bincount(which).tolist())
    return dict(zip(days.tolist(), sums))


def line(direction: str, steps: int, target, came: np.ndarray, said: np.ndarray, methods: dict, rng) -> dict:
    """How one direction and horizon fared."""
    losses = quantile_loss(came, said)
    low, middle, high = said
    mae, rmse = off(middle, came)
    quarters = np.argsort(np.argsort(middle, kind="stable"), kind="stable") * 4 // max(len(middle), 1)

    def share(rows) -> float:
        inside = within(came[rows], low[rows], high[rows], rng)
        return float(inside.mean() * 100) if len(inside) else math.nan

    return {
        "what": direction,
        "steps": steps,
        "n": len(came),
        "mae": mae,
        "rmse": rmse,
        "loss": float(losses.mean()),
        "loss_by_day": by_day(target, losses),
        "methods": {method: off(forecast, came) for method, forecast in methods.items()},
        "within": share(slice(None)),
        "quarters": [share(quarters == quarter) for quarter in range(4)],
        "below": float((came < low).mean() * 100),
        "above": float((came > high).mean() * 100),
    }


def shown(told: dict) -> str:
    """One line of the report."""
    simple = "  ".join(f"{method} {mae:.2f}/{rmse:.2f}" for method, (mae, rmse) in told["methods"].items())
    quarters = " ".join(f"{share:.0f}" for share in told["quarters"])
    beyond = f"below {told['below']:.1f}, above {told['above']:.1f}"
    bands = f"within {told['within']:.1f} % ({quarters}); {beyond}"
    fared = f"{told['mae']:8.3f} / {told['rmse']:8.3f}"
    return f"{told['what']:>5} {told['steps']:>3} steps  {fared}  {simple}  {bands}  n {told['n']}"


def main() -> None:
    """Reads the arguments."""
    arguments = asked.Arguments(__doc__)
    arguments.add_argument("results", type=asked.folder)
    arguments.add_argument("--from", dest="since", type=asked.date, default=0.0, help="first target that counts, UTC")
    arguments.add_argument("--step", type=asked.positive, help="length of a step, s; by default that of the results")
    chosen = arguments.parse_args()
    print("\n".join(shown(told) for told in judge(chosen.results, chosen.since, chosen.step)))


if __name__ == "__main__":
    asked.told(main)
