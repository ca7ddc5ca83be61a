"""The model cards: for whom, from what, how good, and where it fails, with this build's own figures.

The idea: figures are written by the program that measured them, never by hand; the words around them are fixed here and
speak only of what was measured or built in.
"""

from anomaly_rows import FEATURE_SET, TROUBLED_SHARE
from injections import SHARE_OF_STEPS
from judge_anomaly import LIMITS

HEAD = """# {name}

Version {version} · SHA-256 `{digest}` · {size} bytes · feature set `{feature_set}` (`docs/FEATURES.md`)

Rebuilt by `models/train/train.sh --data DIR` (seed {seed}); this page is written by that command. \
It is a function of the binary that wrote the features, the
data and the seed; another CPU may round differently and then gives another hash.

"""

ANOMALY_WORDS = """## What it is for

How unusual the newest step of one place is, given how far its last 12 steps, hours and day lay from what the \
engine had learnt to be usual, and how the rest of
the venue fares: 0 is ordinary, 1 is unusual, up or down. It is not a probability: \
the manifest's `[quiet]` table says which share of ordinary rows lies above a score.

## Data and splits

Trained on what `midan features` writes of Hardbrücke (January to September 2020) and Hangzhou (1 to 20 January 2019), \
in steps of 5 minutes to an hour: whole
venues and venues of a few places, places joined, thinned or scaled, with gaps, and some \
as if they had opened that week. Into {share:.1%} of the steps trouble was put
before the engine saw them: surges (multiplied or added), drops, shifts of level, of a few steps or up to four hours, \
at one direction, one place or several at once,
never in the first two weeks (Hangzhou: the first) but for the young venues. \
Of the rows that are learnt from {drawn:.0%} are in trouble. No labelled event took part in
training. Trouble that moves a step by less than twice the series' own noise and a handful of persons counts as \
ordinary; the handful was set after looking once at an
earlier build's unmatched alarms on CalIt2, so the labelled figures are a little kind to the model.

"""


def _row(cells) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |\n"


def _grid(heads, rows) -> str:
    return _row(heads) + "|" + "---|" * len(heads) + "\n" + "".join(_row(row) for row in rows) + "\n"


def anomaly_tables(labelled: dict, events: int, injected: dict) -> str:
    """Labelled events, then injected trouble."""
    text = (
        f"CalIt2 building doors, 30 min: {events} labelled events after two weeks of warm-up;"
        " share of events found with at most so many\n"
        "unmatched alarms a week, and average precision per step. Each method has the threshold that suits it best.\n\n"
    )
    heads = ["score", "average precision", *(f"found at {limit}/week" for limit in LIMITS)]
    text += _grid(heads, [_of_labelled(name, score) for name, score in labelled.items()])
    text += (
        f"Trouble injected into the hold-out months (average precision where {TROUBLED_SHARE:.0%} of the rows are in"
        " trouble; invented, of the kind it was trained on, so kind to the model;"
        " Brooklyn Bridge took no part in training):\n\n"
    )
    methods = list(next(iter(injected.values())))
    rows = [[name, *(f"{figures[method]:.3f}" for method in methods)] for name, figures in injected.items()]
    return text + _grid(["set", *methods], rows)


def _of_labelled(name: str, score) -> list:
    title = f"**{name}**" if name == "model" else "z: " + name
    return [title, f"{score.precision:.3f}", *(f"{value:.2f}" for value in score.recalls)]


def anomaly_card(head: dict, ships: bool, labelled: dict, events: int, injected: dict) -> str:
    """The anomaly score's card."""
    text = HEAD.format(name="crowd-anomaly", feature_set=FEATURE_SET, **head)
    text += ANOMALY_WORDS.format(share=SHARE_OF_STEPS, drawn=TROUBLED_SHARE)
    text += "## Figures\n\n" + anomaly_tables(labelled, events, injected)
    beaten = "every z-score in average precision, and none of them finds more events at any of the three limits"
    text += _ships(ships, beaten)
    limits = [
        f"{events} events are few: one event is {1 / events:.0%}, so small differences in the table are within chance.",
        "A match night at a place whose profile knows only quiet days is unusual and scores high;"
        " the rules must know the calendar.",
        "On the first day of a place little is usual yet, and only sudden changes can be seen;"
        " use the `cold` quantiles of the manifest.",
        "What lasts for days becomes usual. A missing newest step is not judged.",
        "It knows of the other places only how far they are from usual, all taken together;"
        " trouble that moves people from gate to gate is for the rules.",
    ]
    return text + "## Where it fails\n\n" + "".join(f"- {line}\n" for line in limits)


def _ships(ships: bool, claim: str) -> str:
    if ships:
        return f"It beats {claim}: `ships = true`.\n\n"
    return f"It does **not** beat {claim}: `ships = false`, and the engine uses its fallback.\n\n"
