"""Made-up tables of a ramp beside a ball park: home stands of several days, days away, and no calendar.

    python models/train/home_stands.py --out CASES [--seed 3]

writes for each case CASES/<case>/counts.csv, counts.toml and labels.csv, as `inject_events.py` does; `midan replay` and
`judge_findings.py` do the rest. A season is 25 weeks of vehicles by 5, 15, 30 and 60 minutes: working days, Saturdays
and Sundays with a day of their own, good and bad days, slow noise and gaps; three to nine days with a game each and as
many without, in the evening or at midday, after which 20, 30 or 45 vehicles per 5 minutes leave, by how many came.
Nothing but that is labelled.
"""

import argparse
from pathlib import Path

import numpy as np

from inject_events import write

DAYS, SLOTS = 175, 288
# Sunday, 10 April 2005.
START = 1_113_091_200
# Vehicles per 5 minutes at hours of the day.
WORKING = ([0, 2, 4, 5, 6, 7, 9, 12, 15, 17, 18.5, 20, 22, 24], [8, 4, 3, 5, 14, 26, 27, 25, 29, 36, 30, 20, 15, 8])
SATURDAY = ([0, 2, 4, 6, 8, 10, 12, 15, 17, 19, 21, 23, 24], [12, 7, 4, 5, 9, 16, 22, 25, 24, 20, 17, 14, 12])
SUNDAY_SHARE = 0.88
SIZES = {"few": 20.0, "some": 30.0, "many": 45.0}
# How long it takes until all have left, 5-minute slots; the label begins three before the end of a game and ends 18
# after it.
LEAVING = (6.0, 12.0)
LABEL = (-3, 18)


def weekday(day: int) -> int:
    """Monday is 0; the season begins on a Sunday."""
    return (day + 6) % 7


def games(rng: np.random.Generator) -> list[tuple[int, float]]:
    """The last slot of each game of a season, and how many came as a share of the usual."""
    found, day = [], 1
    while day < DAYS:
        stand = int(rng.choice([3, 6, 7, 9]))
        for on in range(day, min(day + stand, DAYS)):
            evening = 19.0 + 10 / 60 + (0.5 if weekday(on) == 4 else 0.0)
            at_midday = {5: 0.5, 6: 1.0}.get(weekday(on), 0.08)
            start = 13.0 + 10 / 60 if rng.random() < at_midday else evening
            length = 2.75 + 0.4 * rng.standard_normal()
            share = rng.uniform(26_000, 55_000) / 40_000
            if rng.random() >= 0.1:
                found.append((int((on * 24 + start + length) * 12), share))
        day += stand + int(rng.choice([3, 6, 7, 9]))
    return found


def season(size: float, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Vehicles in each slot, NaN in a gap, and whether a game empties then."""
    hours = np.arange(SLOTS) / 12
    working, saturday = np.interp(hours, *WORKING), np.interp(hours, *SATURDAY)
    shapes = [working] * 5 + [saturday, SUNDAY_SHARE * saturday]
    slots = DAYS * SLOTS
    slow = np.convolve(rng.standard_normal(slots + SLOTS), np.ones(SLOTS) / np.sqrt(SLOTS), "same")[:slots]
    mean = np.concatenate(
        [shapes[weekday(day)] * np.exp(0.06 * rng.standard_normal()) for day in range(DAYS)]
    ) * np.exp(0.05 * slow)
    label = np.zeros(slots, bool)
    for end, share in games(rng):
        height, lasts = size * share * np.exp(0.2 * rng.standard_normal()), rng.uniform(*LEAVING)
        after = np.arange(-6, 30)
        before_end = 0.25 * np.clip((after + 6) / 6, 0, 1)
        leaving = np.minimum(1, (after + 2) / 4) * np.where(after < lasts, 1.0, np.exp((lasts - after) / 4))
        within = end + after < slots
        mean[(end + after)[within]] += height * np.where(after < 0, before_end, leaving)[within]
        label[end + LABEL[0] : end + LABEL[1]] = True
    counts = rng.poisson(mean * rng.gamma(60.0, 1 / 60, slots)).astype(float)
    for _ in range(14):
        gap = int(rng.integers(0, slots))
        counts[gap : gap + int(rng.choice([1, 3, 12, 60, 288, 500]))] = np.nan
    # Of a game that nobody counted whole nothing can be asked.
    edges = np.flatnonzero(np.diff(np.concatenate([[0], label.astype(int), [0]])))
    for first, last in zip(edges[::2], edges[1::2]):
        label[first:last] &= not np.isnan(counts[first:last]).any()
    return counts, label


def main() -> None:
    """Writes all cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=3)
    args = parser.parse_args()
    rng = np.random.default_rng(args.seed)
    for name, size in SIZES.items():
        counts, label = season(size, rng)
        for minutes in (5, 15, 30, 60):
            steps = minutes // 5
            by_step = counts.reshape(1, -1, steps).sum(axis=2)
            write(f"{name}-{minutes}", START, by_step, label.reshape(-1, steps).any(axis=1), minutes, args.out)


if __name__ == "__main__":
    main()
