"""Cards: that of the shipped model is written byte for byte from its figures, and one's own speaks of its own data."""

import re
from pathlib import Path

import flow_card

SHIPPED = Path(__file__).resolve().parents[2] / "crowd-flow.md"


def figures(text: str) -> dict:
    """What stands in a card's tables, place by place."""
    found = {}
    for name, table in re.findall(r"\n\*\*([a-z0-9]+)\*\*\n\n((?:\|.*\n)+)", text):
        heads, _, *rows = ([cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines())
        found[name] = [line(heads, row) for row in rows]
    return found


def line(heads: list, row: list) -> dict:
    pairs = [tuple(float(number) for number in cell.split(" / ")) for cell in row[2:-1]]
    within, quarters = re.fullmatch(r"([\d.]+) % \((.*)\)", row[-1]).groups()
    return {
        "what": row[0],
        "steps": int(row[1]),
        "mae": pairs[0][0],
        "rmse": pairs[0][1],
        "methods": dict(zip(heads[3:-1], pairs[1:])),
        "within": float(within),
        "quarters": [float(share) for share in quarters.split()],
    }


def test_the_shipped_card_is_written_byte_for_byte(tmp_path):
    text = SHIPPED.read_text(encoding="utf-8")
    model = tmp_path / "crowd-flow.onnx"
    model.with_suffix(".toml").write_bytes(SHIPPED.with_suffix(".toml").read_bytes())
    teaching = re.search(r"Trained on (.*?), each up", text).group(1).split(", ")
    flow_card.write(model, teaching, figures(text))
    assert len(figures(text)) == 4 and model.with_suffix(".md").read_text(encoding="utf-8") == text
