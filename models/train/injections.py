"""Trouble put into counts at known steps: what the anomaly model learns to call unusual.

The idea: labels of real trouble are scarce, and the few there are (CalIt2) are kept for judging. So real counts get
episodes of a surge, a drop or a shift of level, the table is handed to the engine as any other, and the model learns to
tell the steps of an episode from all others. Episodes are few: the engine learns from these counts what is usual, and
what comes daily is usual.

    clean counts ──► episodes ──► table ──► `midan features` ──► rows, and the label of each row's newest step
"""

from dataclasses import dataclass

import numpy as np

# A surge is what CalIt2-like events and crowd trouble look like most often.
KINDS = ("surge times", "surge plus", "drop", "shift")
KIND_CHANCES = (0.3, 0.4, 0.15, 0.15)
A_HANDFUL = 4.0
# Of the steps in which there may be trouble.
SHARE_OF_STEPS = 0.03
LONGEST_S, SHORTEST_S = 4 * 3600, 20 * 60
A_FEW_STEPS, SHORTEST_SHIFT = 8, 3
RISING_SHARE, LONGEST_RISE = 0.4, 12
# Between two episodes of a series: its lags are its own again.
APART = 12
# Trouble at one direction alone, at all directions of a place, and at a third of the places at once.
REACHES, REACH_CHANCES = ("alone", "place", "venue"), (0.5, 0.3, 0.2)


@dataclass(frozen=True)
class Troubled:
    """Counts with episodes in them, [series, step], and the steps at which an episode is to be noticed."""

    counts: np.ndarray
    label: np.ndarray


def usual(counts: np.ndarray, week: int) -> np.ndarray:
    """The mean of the same slot of the week over five weeks, of the day before and after where no other week is there:
    what an episode is measured by."""
    weeks = np.stack([_moved(counts, by * week) for by in (-2, -1, 0, 1, 2)])
    found = np.isfinite(weeks)
    days = np.stack([_moved(counts, by * (week // 7)) for by in (-1, 0, 1)])
    return np.where(found.sum(axis=0) > 1, _mean(weeks), _mean(days))


def _mean(of: np.ndarray) -> np.ndarray:
    known = np.isfinite(of)
    return np.where(known, of, 0.0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)


def _moved(counts: np.ndarray, by: int) -> np.ndarray:
    moved = np.full_like(counts, np.nan)
    if abs(by) < counts.shape[1]:
        moved[:, max(by, 0) : counts.shape[1] + min(by, 0)] = counts[:, max(-by, 0) : counts.shape[1] - max(by, 0)]
    return moved


def noise(clean: np.ndarray, expected: np.ndarray) -> np.ndarray:
    """How far each series lies from its own usual as it is, as a multiple of counting noise and never below it,
    [series, 1].

    People who come in groups, and weather, make more than counting noise; trouble no larger than what happens daily is
    none.
    """
    off = np.abs(clean - expected) / np.sqrt(expected + 1.0)
    # Nights when nobody comes say nothing about the days.
    counted = np.isfinite(off) & (expected >= 1.0)
    mean = np.where(counted, off, 0.0).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
    # Of a normal law, the deviation is 1.25 mean misses.
    return np.maximum(1.25 * mean, 1.0)[:, None]


def inject(clean: np.ndarray, places: int, step_s: int, first: int, rng: np.random.Generator) -> Troubled:
    """Episodes from step `first` on; the series are the directions one after the other, each with all `places`."""
    counts, steps = clean.copy(), clean.shape[1]
    expected, taken = usual(clean, 7 * 86_400 // step_s), np.zeros(clean.shape, bool)
    own = noise(clean, expected)
    aim = SHARE_OF_STEPS * np.isfinite(clean[:, first:]).sum()
    put = tries = 0
    while put < aim and tries < aim:
        tries += 1
        kind = str(rng.choice(KINDS, p=KIND_CHANCES))
        length = _length(kind, step_s, rng)
        begin, series = int(rng.integers(first, steps)), _series(len(clean), places, rng)
        around, within = slice(max(0, begin - APART), begin + length + APART), slice(begin, begin + length)
        if taken[series, around].any() or not np.isfinite(clean[series, begin]).all():
            continue
        strength, size = _strength(min(length, steps - begin), rng), _size(kind, rng)
        for one in series:
            counts[one, within] = _changed(
                kind, clean[one, within], expected[one, within], own[one], strength, size, rng
            )
        taken[series, within] = True
        put += np.isfinite(clean[series, within]).sum()
    return Troubled(counts, noticeable(clean, counts, own))


def noticeable(before: np.ndarray, after: np.ndarray, own: np.ndarray) -> np.ndarray:
    """The step moved by a handful of persons more than its own noise, which is so many times counting noise.

    Without the handful, five people in an empty lobby at night would be trouble, which they are to nobody.
    """
    with np.errstate(invalid="ignore"):
        return np.abs(after - before) > 2.0 * own * np.sqrt(before + 1.0) + A_HANDFUL


def _series(count: int, places: int, rng: np.random.Generator) -> np.ndarray:
    """Whom an episode strikes."""
    reach, place = rng.choice(REACHES, p=REACH_CHANCES), rng.integers(places)
    if reach == "alone":
        return np.array([rng.integers(count)])
    struck = [place] if reach == "place" else rng.choice(places, max(1, places // 3), replace=False)
    return np.flatnonzero(np.isin(np.arange(count) % places, struck))


def _length(kind: str, step_s: int, rng: np.random.Generator) -> int:
    """Steps: as often a few of whatever length as a time on the clock, or fine steps would know short trouble only."""
    few = int(rng.integers(1, A_FEW_STEPS + 1))
    clock = int(np.exp(rng.uniform(np.log(SHORTEST_S), np.log(LONGEST_S))) / step_s)
    length = few if rng.random() < 0.5 else max(1, clock)
    return max(length, SHORTEST_SHIFT) if kind == "shift" else length


def _strength(length: int, rng: np.random.Generator) -> np.ndarray:
    """How strong the trouble is at each of its steps: at once, or rising."""
    rise = int(rng.integers(1, min(length, LONGEST_RISE) + 1)) if rng.random() < RISING_SHARE else 1
    return np.minimum(1.0, np.arange(1, length + 1) / rise)


def _size(kind: str, rng: np.random.Generator) -> float:
    """How large: a factor, usual deviations, a share that is left, a factor."""
    if kind == "surge times":
        return float(np.exp(rng.uniform(np.log(1.5), np.log(8.0))))
    if kind == "surge plus":
        # From clearly more than the usual noise up to a coachload and beyond.
        return float(np.exp(rng.uniform(np.log(2.5), np.log(20.0))))
    if kind == "drop":
        return float(rng.uniform(0.0, 0.5))
    return float(rng.uniform(1.3, 2.0) if rng.random() < 0.6 else rng.uniform(0.4, 0.75))


def _changed(
    kind: str,
    before: np.ndarray,
    expected: np.ndarray,
    own: float,
    strength: np.ndarray,
    size: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """The counts of an episode; a gap stays one."""
    known = np.where(np.isfinite(before), before, 0.0)
    if kind == "surge times":
        after = known + rng.poisson((size - 1.0) * np.maximum(expected, 0.5) * strength)
    elif kind == "surge plus":
        after = known + rng.poisson(size * own * np.sqrt(expected + 1.0) * strength)
    elif kind == "drop":
        after = rng.binomial(known.astype(np.int64), 1.0 - (1.0 - size) * strength)
    else:
        after = np.round(known * size)
    return np.where(np.isfinite(before), after, np.nan)
