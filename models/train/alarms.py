"""Scoring of a score: does it find the labelled events, and how often does it cry wolf?

The idea: what a control room feels is alarms, not steps. A run of flagged steps is one alarm; it is matched when it
touches a labelled event (one step of tolerance on either side), and everything else is an unmatched alarm. Scores are
compared at the same number of unmatched alarms a week, each with the threshold that just keeps to it. A run that lasts
is cut every six hours: otherwise a score that flags everything would be one single alarm that matches every event.
"""

from dataclasses import dataclass

import numpy as np

from features import DAY

TOLERANCE = 1
LONGEST_ALARM_SECONDS = 6 * 3600


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
    touched = lambda alarm, event: alarm[0] <= event[1] + TOLERANCE and alarm[1] >= event[0] - TOLERANCE
    found = sum(any(touched(alarm, event) for alarm in alarms) for event in events)
    unmatched = sum(not any(touched(alarm, event) for event in events) for alarm in alarms)
    weeks = len(score) * step_seconds / (7 * DAY)
    return Tally(found / len(events), unmatched / weeks)


def _cut(alarms: list, longest: int) -> list:
    return [(start, min(start + longest - 1, last)) for first, last in alarms for start in range(first, last + 1, longest)]


def recall_within(score: np.ndarray, events: list, limit: float, step_seconds: int) -> float:
    """The best share of events found with at most `limit` unmatched alarms a week."""
    best = 0.0
    for threshold in np.unique(np.quantile(score, np.linspace(0.5, 1.0, 1500))):
        at = tally(score, events, threshold, step_seconds)
        if at.unmatched_per_week <= limit:
            best = max(best, at.recall)
    return best


def average_precision(score: np.ndarray, label: np.ndarray) -> float:
    """Area under precision over recall, step by step; equal scores count together."""
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(label[order])
    last_of_tie = np.append(np.diff(score[order]) != 0, True)
    precision = hits[last_of_tie] / (np.flatnonzero(last_of_tie) + 1)
    gained = np.diff(np.concatenate([[0.0], hits[last_of_tie] / label.sum()]))
    return float((precision * gained).sum())
