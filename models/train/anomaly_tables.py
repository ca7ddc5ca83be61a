"""The tables that the anomaly model is trained and judged on: the flow model's places in other sizes, with gaps, and
with trouble in them.

The idea: a venue is smaller or larger than the training stations, has broken sensors, and is young once. Each trick
acts on the counts of a whole table, which then goes through the engine like any other, so that no trick of training can
make features that the engine could not have computed. What is put into a table is known step by step, and that is the
label.
"""

from dataclasses import dataclass, replace

import numpy as np

import flow_tables
from flow_tables import Place
from injections import inject
from sources import DAY

# The engine learns what is usual before there is trouble. Hangzhou has but three weeks.
QUIET_DAYS = {"hardbruecke": 14, "hangzhou": 7}
# Step as a multiple of the place's own, and how many variations with all its places, with a few of them, and young:
# fine steps have rows enough in few.
VARIATIONS = {
    "hardbruecke": ((1, 1, 5, 4), (3, 4, 10, 6), (6, 4, 10, 6), (12, 6, 16, 8)),
    "hangzhou": ((1, 8, 10, 4), (3, 8, 8, 4), (6, 10, 8, 4)),
}
# A venue of a few places: one with a single door has nobody but the other direction beside it.
MOST_OF_A_FEW = 4
# A young venue: so long, and trouble after its first twelve steps; the model must not learn that a young place is never
# in any.
YOUNG_DAYS, YOUNG_FIRST = 8, 12
THINNED_SHARE, SCALED_SHARE, JOINED_SHARE = 0.6, 0.2, 0.25
THINNEST, LARGEST_SCALE = 0.03, 5.0
MOST_GAPS, LONGEST_OUTAGE = 0.04, 24


@dataclass(frozen=True)
class Case:
    """A place as it is written, and by direction the steps at which there is trouble."""

    place: Place
    label: dict


def teaching(place: Place, seed: int) -> list:
    """The recipes of all tables for training that are made of a place: called one after the other, since all at once
    are large."""
    before = flow_tables.before_hold_out(place)

    def made(steps: int, kind: str, number: int) -> Case:
        coarse = flow_tables.summed(before, steps)
        name = f"{coarse.name}-{kind}-{number}"
        rng = flow_tables.chance(seed, name)
        first = QUIET_DAYS[place.name] * DAY // coarse.step_s
        if kind == "young":
            coarse, first = cut(coarse, rng), YOUNG_FIRST
        if kind == "few":
            coarse = a_few(coarse, rng)
        return troubled(gappy(resized(replace(coarse, name=name), rng), rng), first, rng)

    plans = [
        (steps, kind, number)
        for steps, *many in VARIATIONS[place.name]
        for kind, times in zip(("all", "few", "young"), many)
        for number in range(times)
    ]
    return [lambda plan=plan: made(*plan) for plan in plans]


def troubled(place: Place, first: int, rng: np.random.Generator) -> Case:
    """Trouble from step `first` on."""
    whats, number = list(place.counts), len(next(iter(place.counts.values())))
    found = inject(np.concatenate([place.counts[what] for what in whats]), number, place.step_s, first, rng)

    def of(stacked: np.ndarray) -> dict:
        return {what: stacked[nth * number : (nth + 1) * number] for nth, what in enumerate(whats)}

    return Case(replace(place, counts=of(found.counts)), of(found.label))


def a_few(place: Place, rng: np.random.Generator) -> Place:
    """A venue that has but a few of the places."""
    number = len(next(iter(place.counts.values())))
    chosen = rng.choice(number, int(rng.integers(1, MOST_OF_A_FEW + 1)), replace=False)
    return replace(place, counts={what: counts[chosen] for what, counts in place.counts.items()})


def cut(place: Place, rng: np.random.Generator) -> Place:
    """Some days of a place, as if it had opened then."""
    days = next(iter(place.counts.values())).shape[1] * place.step_s // DAY
    return window(place, int(rng.integers(0, days - YOUNG_DAYS)), YOUNG_DAYS)


def window(place: Place, first_day: int, days: int) -> Place:
    """So many days of a place, from one on."""
    day = DAY // place.step_s
    steps = slice(first_day * day, (first_day + days) * day)
    counts = {what: own[:, steps] for what, own in place.counts.items()}
    return replace(place, start=place.start + first_day * DAY, counts=counts)


def resized(place: Place, rng: np.random.Generator) -> Place:
    """Places of other sizes with the same rhythm: some joined in pairs, and each as it is, thinned or scaled."""
    counts = place.counts
    number = len(next(iter(counts.values())))
    if number > 1 and rng.random() < JOINED_SHARE:
        # Sums of lines are places too: a concourse, a whole station.
        order = rng.permutation(number // 2 * 2).reshape(2, -1)
        counts = {what: own[order[0]] + own[order[1]] for what, own in counts.items()}
        number = order.shape[1]
    kind = rng.choice(3, number, p=(THINNED_SHARE, SCALED_SHARE, 1.0 - THINNED_SHARE - SCALED_SHARE))
    keep = np.where(kind == 0, np.exp(rng.uniform(np.log(THINNEST), 0.0, number)), 1.0)[:, None]
    # A larger place whose people come in groups: the relative noise stays.
    factor = np.where(kind == 1, np.exp(rng.uniform(0.0, np.log(LARGEST_SCALE), number)), 1.0)[:, None]

    def of(own: np.ndarray) -> np.ndarray:
        # Each person is kept with the same chance: a smaller gate.
        kept = rng.binomial(np.nan_to_num(own).astype(np.int64), np.broadcast_to(keep, own.shape))
        return np.where(np.isfinite(own), np.round(kept * factor), np.nan)

    return replace(place, counts={what: of(own) for what, own in counts.items()})


def gappy(place: Place, rng: np.random.Generator) -> Place:
    """Single rows that never came, and sensors that were off for a while; all directions of a place at once, as they
    share its sensor."""
    shape = next(iter(place.counts.values())).shape
    lost = rng.random(shape) < rng.uniform(0.0, MOST_GAPS / 2, shape[0])[:, None]
    for one in lost:
        for begin in np.flatnonzero(rng.random(shape[1]) < MOST_GAPS / 2 / (LONGEST_OUTAGE / 2)):
            one[begin : begin + int(rng.integers(1, LONGEST_OUTAGE + 1))] = True
    return replace(place, counts={what: np.where(lost, np.nan, counts) for what, counts in place.counts.items()})
