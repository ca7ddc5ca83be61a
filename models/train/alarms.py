"""Scoring of a score: does it find the labelled events, and how often does it cry wolf?

The idea: what a control room feels is alarms, not steps. A run of flagged steps is one alarm; it is matched when it
touches a labelled event (one step of tolerance on either side), and everything else is an unmatched alarm. Scores are
compared at the same number of unmatched alarms a week, each with the threshold that just keeps to it. A run that lasts
is cut every six hours: otherwise a score that flags everything would be one single alarm that matches every event.
"""

from dataclasses import dataclass

import numpy as np

from sources import DAY

TOLERANCE = 1
LONGEST_ALARM_SECONDS = 6 * 3600
# More than a fifth of all steps flagged is no alarm system any more.
THRESHOLD_QUANTILES = np.linspace(0.8, 1.0, 500)


def runs(flags: np.ndarray, bridge: int = 1) -> list[tuple[int, int]]:
    """Runs of flagged steps as (first, last); a hole of up to `bridge` steps does not end a run."""
    found = []
    for step in np.flatnonzero(flags):
        if found and step - found[-1][1] <= bridge + 1:
            found[-1] = (found[-1][0], step)
        else:
            found.append((step, step))
    return found


@dataclass
class Tally:
    """Alarms at one threshold."""

    recall: float
    unmatched_per_week: float


def tally(score: np.ndarray, events: list, threshold: float, step_seconds: int) -> Tally:
    """Events found and unmatched alarms a week at a threshold."""
    alarms = _cut(runs(score >= threshold), LONGEST_ALARM_SECONDS // step_seconds)
    starts, ends = np.array(alarms, dtype=int).reshape(-1, 2, 1).transpose(1, 0, 2)
    begins, closes = np.array(events, dtype=int).T
    touching = (starts <= closes + TOLERANCE) & (ends >= begins - TOLERANCE)
    found, unmatched = touching.any(axis=0).sum(), (~touching.any(axis=1)).sum()
    weeks = len(score) * step_seconds / (7 * DAY)
    return Tally(found / len(events), unmatched / weeks)


def _cut(alarms: list, longest: int) -> list:
    return [
        (start, min(start + longest - 1, last)) for first, last in alarms for start in range(first, last + 1, longest)
    ]


def recalls_within(score: np.ndarray, events: list, limits: tuple, step_seconds: int) -> tuple:
    """For each limit the best share of events found with at most so many unmatched alarms a week."""
    thresholds = np.unique(np.quantile(score, THRESHOLD_QUANTILES))
    tallies = [tally(score, events, threshold, step_seconds) for threshold in thresholds]
    return tuple(
        float(max((at.recall for at in tallies if at.unmatched_per_week <= limit), default=0.0)) for limit in limits
    )


def average_precision(score: np.ndarray, label: np.ndarray) -> float:
    """Area under precision over recall, step by step; equal scores count together."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(label[order])
    last_of_tie = np.append(np.diff(score[order]) != 0, True)
    precision = hits[last_of_tie] / (np.flatnonzero(last_of_tie) + 1)
    gained = np.diff(np.concatenate([[0.0], hits[last_of_tie] / label.sum()]))
    return float((precision * gained).sum())
