"""The flow model's card: for whom, from what, how good, and where it fails, with this build's own figures."""

from pathlib import Path

from flow_network import MEMBERS

WORDS = """# crowd-flow

Version {version} · SHA-256 `{digest}` · {size} bytes · feature set `midan-features-2` (`docs/FEATURES.md`)

Rebuilt by `models/train/train.sh --data DIR`; this page is written by that command. It is a function of the binary that wrote the features, the data and
the seed; another CPU may round differently and then gives another hash.

## What it is for

The count of persons at one place in the 1st, 2nd, 3rd, 6th and 12th step from now, as a median and a band from the 10 % to the 90 % quantile, on whichever step a venue or
table has between a minute and an hour. It corrects what the stream has learnt about the place itself, and it is believed only as far as it has been right there
(`src/forecast/mixture.rs`): where it is wrong, what was learnt in the stream speaks. It is advice beside the rules, never a reason to open or shut a gate by itself.

## Data

Trained on {teaching}, each up to the day before its hold-out, as they are, and the two largest summed to longer steps too. It is the mean of {members} networks, each
trained on these rows from a seed of its own, in one graph.
How the inputs of these rows are spread stands in the manifest (`[reference]`), and the service says how far a venue's are from it (`midan_model_input_psi`).
**No public count of a stadium's gates was available**, so its figures say nothing of a real match.

## Figures

What was published (the model, what was learnt in the stream, and their bands) on the hold-outs, by `midan replay`; MAE / RMSE, persons per step. `within` is the share of
values in the 10-90 band, and in brackets by quarter of the level.

"""

FAILS = """
## Where it fails

- The first day of a place: nothing is usual yet, and the forecast is the last three steps' mean.
- The first days of a regime that was never seen (a closure, a timetable change): the stream follows within days, the model hardly helps meanwhile.
- Events that no count announces: a surge is followed, not foreseen.
"""


def write(model: Path, teaching: list, figures: dict) -> None:
    """Writes the card beside the model."""
    manifest = dict(line.split(" = ", 1) for line in model.with_suffix(".toml").read_text(encoding="utf-8").splitlines() if " = " in line and not line.startswith("name = \"f"))
    text = WORDS.format(version=manifest["version"].strip('"'), digest=manifest["sha256"].strip('"'), size=manifest["bytes"], teaching=", ".join(teaching), members=MEMBERS)
    for name, lines in figures.items():
        methods = list(lines[0]["methods"]) if lines else []
        text += f"\n**{name}**\n\n| | steps | published | {' | '.join(methods)} | within |\n|---|---|---|{'---|' * len(methods)}---|\n"
        for line in lines:
            simple = " | ".join(f"{mae:.2f} / {rmse:.2f}" for mae, rmse in line["methods"].values())
            quarters = " ".join(f"{share:.0f}" for share in line["quarters"])
            text += f"| {line['what']} | {line['steps']} | {line['mae']:.2f} / {line['rmse']:.2f} | {simple} | {line['within']:.1f} % ({quarters}) |\n"
    model.with_suffix(".md").write_text(text + FAILS, encoding="utf-8")
