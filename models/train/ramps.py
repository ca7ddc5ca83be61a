"""Synthetic match nights: smooth arrival and egress curves from nothing to hundreds a minute and back.

The idea: the public tables know rush hours, not a stadium's gates opening. A night is one bell (a Beta density over
one to five hours, or a fast egress) on a quiet base, counted with over-dispersed noise. Mostly there is no profile; for
some nights the profile is that of quiet days, which the forecast must learn to distrust when the lags say otherwise.
These curves are invented: they teach sane behaviour on a ramp and are no evidence about real stadiums.
"""

import numpy as np

from features import DAY
from rows import Rows, Table, gather

STEPS = (60, 120, 300, 300, 300, 600)
QUIET_PROFILE_SHARE = 0.25


def night_table(step_seconds: int, nights: int, rng: np.random.Generator, quiet_nights: bool) -> Table:
    """One local day per series, each with one match on it; `quiet_nights` gives some a profile of quiet days."""
    steps = DAY // step_seconds
    at = (np.arange(steps) + 0.5) * step_seconds / 3600.0
    rate = _arrivals(at, nights, rng) * step_seconds / 3600.0
    base = np.exp(rng.uniform(np.log(0.05), np.log(30.0), nights)) * step_seconds / 300.0
    base = np.where(rng.random(nights) < 0.5, 0.0, base)
    rate += base[:, None]
    spread = np.exp(rng.uniform(np.log(15.0), np.log(2000.0), nights))[:, None]
    pulses = _pulses(steps, step_seconds, nights, rng)
    noisy = rng.gamma(spread, 1.0, rate.shape) / spread * pulses
    counts = rng.poisson(rate * noisy).astype(np.float64)
    quiet = rng.random(nights) < (QUIET_PROFILE_SHARE if quiet_nights else 0.0)
    seen = np.where(quiet, rng.integers(1, 40, nights), 0)[:, None] * np.ones_like(counts)
    mean = np.where(quiet, base, 0.0)[:, None] * rng.gamma(6.0, 1 / 6.0, counts.shape)
    local_start = int(rng.integers(18_000, 25_000)) * DAY
    return Table("ramps", step_seconds, local_start, counts, mean, seen)


def _arrivals(at: np.ndarray, nights: int, rng: np.random.Generator) -> np.ndarray:
    """Persons per hour of each night's bell, [night, step]."""
    total = np.exp(rng.uniform(np.log(150.0), np.log(60_000.0), nights))
    egress = rng.random(nights) < 0.35
    hours = np.where(egress, rng.uniform(0.5, 2.0, nights), rng.uniform(1.5, 5.0, nights))
    rise = np.where(egress, rng.uniform(1.3, 2.5, nights), rng.uniform(2.0, 6.0, nights))
    fall = np.where(egress, rng.uniform(2.5, 6.0, nights), rng.uniform(1.6, 4.0, nights))
    starts = rng.uniform(8.0, 23.5 - hours)
    share = np.clip((at - starts[:, None]) / hours[:, None], 0.0, 1.0)
    fine = np.linspace(0.0, 1.0, 401)[None]
    bell = share ** (rise[:, None] - 1) * (1 - share) ** (fall[:, None] - 1)
    whole = (fine ** (rise[:, None] - 1) * (1 - fine) ** (fall[:, None] - 1)).mean(axis=1)
    return total[:, None] * bell / whole[:, None] / hours[:, None]


def _pulses(steps: int, step_seconds: int, nights: int, rng: np.random.Generator) -> np.ndarray:
    """Trains: at some nights arrivals come in waves of 5 to 20 minutes."""
    period = rng.uniform(300.0, 1200.0, nights)[:, None]
    depth = np.where(rng.random(nights) < 0.4, rng.uniform(0.1, 0.6, nights), 0.0)[:, None]
    phase = rng.uniform(0.0, 2 * np.pi, nights)[:, None]
    seconds = np.arange(steps) * step_seconds
    return 1.0 + depth * np.sin(2 * np.pi * seconds / period + phase)


def ramp_rows(count: int, rng: np.random.Generator, quiet_nights: bool) -> Rows:
    """Rows of many nights, most of them while people move."""
    parts = []
    for step_seconds in STEPS:
        wanted = count // len(STEPS)
        table = night_table(step_seconds, max(8, wanted // 60), rng, quiet_nights)
        busy = table.counts > 0
        # An hour before and after is kept too: the first people through the gate are what a forecast must catch.
        reach = max(1, 1800 // step_seconds)
        near = busy.copy()
        for shift in (reach, -reach):
            near |= np.roll(busy, shift, axis=1)
        series, issue = np.nonzero(near)
        chosen = rng.integers(0, len(series), wanted)
        parts.append(gather(table, series[chosen], issue[chosen]))
    return Rows.join(parts)
