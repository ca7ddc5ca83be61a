"""A flow model's card: for whom, from what, how good, and where it fails, with this build's own figures.

The idea: the card of the model that comes with Midan and that of a model of one's own archive are of one form, and
each speaks of nothing but its own data.
"""

from pathlib import Path

import manifest
from flow_network import MEMBERS

HEAD = """# {name}

Version {version} · SHA-256 `{sha256}` · {bytes} bytes · feature set `{feature_set}` (`docs/FEATURES.md`)

"""

SHIPPED_BY = """Rebuilt by `models/train/train.sh --data DIR`; this page is written by that command. \
It is a function of the binary that wrote the features, the data and
the seed; another CPU may round differently and then gives another hash.

"""

OWN_BY = """Made by `{created_by}`; this page is written by that command. The files are a function of the binary that
wrote the features, the data and the seed; another CPU may round differently and then gives another hash.

"""

PURPOSE = """## What it is for

The count of persons at one place in the 1st, 2nd, 3rd, 6th and 12th step from now, as a median and a band from the \
10 % to the 90 % quantile, on whichever step a venue or
table has between a minute and an hour. It corrects what the stream has learnt about the place itself, and it is \
believed only as far as it has been right there
(`src/forecast/mixture.rs`): where it is wrong, what was learnt in the stream speaks. \
It is advice beside the rules, never a reason to open or shut a gate by itself.

"""

SHIPPED_DATA = """## Data

Trained on {teaching}, each up to the day before its hold-out, as they are, and the two largest summed to longer \
steps too. It is the mean of {members} networks, each
trained on these rows from a seed of its own, in one graph.
How the inputs of these rows are spread stands in the manifest (`[reference]`), and the service says how far a \
venue's are from it (`midan_model_input_psi`).
**No public count of a stadium's gates was available**, so its figures say nothing of a real match.

"""

OWN_DATA = """## Data

Trained on {what} of the table `{table}` (SHA-256 `{table_sha256}`), which reaches from {first} to {last}: on what lies
before {hold_out} (UTC), the first four fifths. It is the mean of {members} networks, each trained on these rows from a
seed of its own, in one graph. It knows this table alone; the licence of table and model is that of your data.
How the inputs of these rows are spread stands in the manifest (`[reference]`), and the service says how far a venue's
are from it (`midan_model_input_psi`).

"""

SHIPPED_FIGURES = """## Figures

What was published (the model, what was learnt in the stream, and their bands) on the hold-outs, by `midan replay`; \
MAE / RMSE, persons per step. `within` is the share of
values in the 10-90 band, and in brackets by quarter of the level.

"""

OWN_FIGURES = """## Figures

On what lies from {hold_out} (UTC) on, {days} days with counts of which nothing was learnt, by `midan replay`:
MAE / RMSE, persons per step. *With it* is what was published with this model, *without* what was published without any
(`--no-models`): what is learnt in the stream alone. `within` is the share of values in the 10-90 band.

{verdict}

"""

FAILS = """
## Where it fails

- The first day of a place: nothing is usual yet, and the forecast is the last three steps' mean.
- The first days of a regime that was never seen (a closure, a timetable change): the stream follows within days, \
the model hardly helps meanwhile.
- Events that no count announces: a surge is followed, not foreseen.
"""


def write(model: Path, teaching: list, figures: dict) -> None:
    """Writes the card of the model that comes with Midan, beside it."""
    says = manifest.read(model.with_suffix(".toml"))
    text = HEAD.format(**says) + SHIPPED_BY + PURPOSE
    text += SHIPPED_DATA.format(teaching=", ".join(teaching), members=MEMBERS) + SHIPPED_FIGURES
    for name, lines in figures.items():
        text += f"\n**{name}**\n\n{_table(['published'], [[line] for line in lines])}"
    model.with_suffix(".md").write_text(text + FAILS, encoding="utf-8")


def write_own(model: Path, archive: dict, figures: list, verdict: str) -> None:
    """Writes the card of a model of one's own archive; `figures` are pairs of lines, with it and without."""
    says = manifest.read(model.with_suffix(".toml"))
    text = HEAD.format(**says) + OWN_BY.format(**says) + PURPOSE + OWN_DATA.format(members=MEMBERS, **archive)
    text += OWN_FIGURES.format(verdict=verdict, **archive) + _table(["with it", "without"], figures)
    model.with_suffix(".md").write_text(text + FAILS, encoding="utf-8")


def _table(heads: list, rows: list) -> str:
    """Of each row so many lines of a report as there are heads; the last columns are of the first."""
    methods = list(rows[0][0]["methods"]) if rows else []
    columns = ["", "steps", *heads, *methods, "within"]
    lines = [_cells(columns).replace("|  |", "| |", 1), "|" + "---|" * len(columns) + "\n"]
    return "".join(lines + [_cells(_figures(row)) for row in rows])


def _figures(row: list) -> list:
    first = row[0]
    quarters = " ".join(f"{share:.0f}" for share in first["quarters"])
    errors = [*((line["mae"], line["rmse"]) for line in row), *first["methods"].values()]
    within = f"{first['within']:.1f} % ({quarters})"
    return [first["what"], first["steps"], *(f"{mae:.2f} / {rmse:.2f}" for mae, rmse in errors), within]


def _cells(cells: list) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |\n"
