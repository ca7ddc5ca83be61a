"""The anomaly model's card is written byte for byte from what its manifest says."""

from pathlib import Path

import cards
import export
import manifest
from judge_anomaly import Score

SHIPPED = Path(__file__).resolve().parents[2] / "crowd-anomaly.md"


def test_the_shipped_card_is_written_byte_for_byte():
    says = manifest.read(SHIPPED.with_suffix(".toml"))
    content = SHIPPED.with_suffix(".onnx").read_bytes()
    labelled, injected = {}, {}
    for line in says["figures"]:
        name, _, of_injected = line["set"].partition(" hold-out")
        if of_injected:
            injected.setdefault(name, {})[line["score"]] = line["average_precision"]
        else:
            labelled[line["score"]] = Score(line["average_precision"], tuple(line["recall"]))
    digest, size = export.digest(content), f"{len(content):,}"
    head = {"version": says["version"], "digest": digest, "size": size, "seed": says["seed"]}
    card = cards.anomaly_card(head, says["ships"], labelled, 24, injected)
    assert card == SHIPPED.read_text(encoding="utf-8")
