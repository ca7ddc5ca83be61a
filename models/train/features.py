"""What a model sees of one series at one moment: the feature set `midan-features-1`.

The idea: one streaming definition, small enough to be read beside `docs/FEATURES.md` and beside the engine's own
implementation. It looks back only: a `Series` is fed step by step, and the features issued at T are a function of the
steps that ended at or before T. A missing step is `None` and is never a zero.

    step ends ──► features(T) from 12 lags and the profile as it stood ──► profile absorbs the step

Training builds the same numbers in bulk (`rows.py`); a test holds the two equal.
"""

import math
from dataclasses import dataclass, field

FEATURE_SET = "midan-features-1"
WIDTH = 26
LAGS = 12
HORIZONS = 6
CLAMP = 4.0
DAY = 86_400
SLOWEST_LEARNING = 0.25
MOST_SEEN = 255


def is_weekend(local_seconds: int) -> bool:
    """Saturday or Sunday on the wall clock; day 0 of the epoch was a Thursday."""
    return (local_seconds // DAY + 3) % 7 >= 5


def clamped_log_ratio(value: float, base: float) -> float:
    """ln((value+1)/(base+1)), held within ±4 so that one absurd count cannot drown the rest."""
    return min(CLAMP, max(-CLAMP, math.log((value + 1.0) / (base + 1.0))))


@dataclass
class Profile:
    """An exponential mean per (day type, step of day)."""

    step_seconds: int
    mean: dict = field(default_factory=dict)
    seen: dict = field(default_factory=dict)

    def _slot(self, local_start: int) -> tuple[bool, int]:
        return is_weekend(local_start), local_start % DAY // self.step_seconds

    def look_up(self, local_start: int) -> tuple[float, int]:
        """The mean of the slot in which a step starts, and how often the slot was seen."""
        slot = self._slot(local_start)
        return self.mean.get(slot, 0.0), self.seen.get(slot, 0)

    def absorb(self, local_start: int, count: float) -> None:
        """Takes one complete step in; the first occurrence sets the mean."""
        slot = self._slot(local_start)
        mean, seen = self.look_up(local_start)
        weight = max(1.0 / (seen + 1), SLOWEST_LEARNING)
        self.mean[slot] = count if seen == 0 else mean + weight * (count - mean)
        self.seen[slot] = min(seen + 1, MOST_SEEN)


def level(lags: list) -> float:
    """The base b of every ratio: the mean of the newest three lags, of all of them where those are missing, or 0."""
    for window in (lags[:3], lags):
        present = [count for count in window if count is not None]
        if present:
            return sum(present) / len(present)
    return 0.0


def features(lags: list, profile: Profile, local_end: int, step_seconds: int) -> list[float]:
    """The 26 features at T = `local_end`, from the lags (newest first) and the profile before it absorbs lag 0."""
    base = level(lags)
    ratios = [0.0 if count is None else clamped_log_ratio(count, base) for count in lags]
    ahead = [profile.look_up(local_end + step * step_seconds) for step in range(HORIZONS)]
    ahead_ratios = [clamped_log_ratio(mean, base) if seen else 0.0 for mean, seen in ahead]
    usual, usual_seen = profile.look_up(local_end - step_seconds)
    surprise = 0.0 if lags[0] is None or usual_seen == 0 else clamped_log_ratio(lags[0], usual)
    present = sum(count is not None for count in lags)
    angle = 2.0 * math.pi * (local_end % DAY) / DAY
    return [
        *ratios,
        math.log(base + 1.0),
        *ahead_ratios,
        surprise,
        min(ahead[0][1], 4) / 4.0,
        present / LAGS,
        math.sin(angle),
        math.cos(angle),
        1.0 if is_weekend(local_end) else 0.0,
        math.log(step_seconds / 300.0),
    ]


@dataclass
class Series:
    """One count per step, fed in time order."""

    step_seconds: int
    local_start: int
    profile: Profile = None
    lags: list = field(default_factory=lambda: [None] * LAGS)

    def __post_init__(self):
        self.profile = self.profile or Profile(self.step_seconds)

    def push(self, count) -> list[float]:
        """Takes the next complete step (`None` for a gap) and returns the features at its end."""
        local_end = self.local_start + self.step_seconds
        self.lags = [count, *self.lags[: LAGS - 1]]
        issued = features(self.lags, self.profile, local_end, self.step_seconds)
        # Absorbing comes last: a step is compared with what was usual before it.
        if count is not None:
            self.profile.absorb(self.local_start, count)
        self.local_start = local_end
        return issued
