"""A model of one's own archive: what is too little, when it ships, and that its files speak of that archive alone.

The engine is a script that leaves what the test wants it to have seen.
"""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

import flow
import flow_own
import manifest
from asked import Refused
from flow_own import Archive, compared, enough

DAY = 86_400
# Five weeks of three places by the half hour, one of them held out.
PLENTY = Archive(1800, 1680, 3, 0, 35 * DAY, 28 * DAY, 35, 7)

ENGINE = """#!{python}
import sys
sys.path[:0] = {path!r}
from pathlib import Path
import made
command, out = sys.argv[1], Path(sys.argv[sys.argv.index("--out") + 1])
out.mkdir(parents=True, exist_ok=True)
if command == "features":
    made.features(out / "features.parquet")
    print("rows  3360 read")
else:
    made.results(out, {with_it} if "--model" in sys.argv else {without})
"""


def lines(loss: float, mae: float, by_day: tuple = ()) -> dict:
    """A line of a report; its loss is the same on each of two days, unless they are told."""
    return {"loss": loss, "mae": mae, "loss_by_day": dict(enumerate((of, 1) for of in by_day or (loss, loss)))}


def test_enough_is_enough():
    enough(PLENTY, 5_000, "t.csv")


@pytest.mark.parametrize(
    ("archive", "rows", "why"),
    [
        (replace(PLENTY, days=3), 5_000, r"3 days with counts \(1970-01-01 to 1970-02-04\) where 21 are needed"),
        (replace(PLENTY, held_days=1), 5_000, "1 of them from 1970-01-29 on where 4 are needed"),
        (replace(PLENTY, steps=200), 5_000, "200 steps of 1800 s where 500 are needed"),
        (PLENTY, 19, r"19 rows to learn from \(3 series\) where 2,000 are needed"),
    ],
)
def test_too_little_is_refused_with_what_is_there_and_what_is_needed(archive, rows, why):
    with pytest.raises(Refused, match=rf"t\.csv is too short to train on: {why}.*; take a longer archive"):
        enough(archive, rows, "t.csv")


def test_only_a_smaller_loss_and_no_larger_error_is_better():
    assert compared([(lines(1.0, 2.0), lines(1.1, 2.0)), (lines(3.0, 4.0), lines(3.0, 4.0))]).is_better
    for worse in ((1.0, 2.0), (1.1, 1.9), (0.9, 2.1)):
        verdict = compared([(lines(*worse), lines(1.0, 2.0))])
        assert not verdict.is_better and verdict.words.startswith("It is no better than no model, so it does not ship")


def test_a_difference_that_hangs_on_a_few_days_may_be_chance():
    steady = compared([(lines(0.9, 1.0), lines(1.0, 1.0))]).words
    assert "(-10.00%; -10.00% to -10.00% where its days are drawn anew)" in steady and "chance" not in steady
    odd = [(lines(0.9, 1.0, (1.1,) * 9 + (0.1,)), lines(1.0, 1.0, (1.0,) * 10))]
    assert compared(odd).words.endswith("That may be chance.")


def test_an_out_of_the_shipped_models_is_refused_however_it_is_written(tmp_path):
    (tmp_path / "link").symlink_to(flow_own.MODELS)
    for out in (flow_own.MODELS, flow_own.MODELS / "own", flow_own.MODELS / "train" / "..", tmp_path / "link"):
        with pytest.raises(Refused, match="name a folder of your own"):
            flow_own.own_folder(out)
    assert flow_own.own_folder(tmp_path / "a" / "b").is_dir()


@pytest.fixture(name="asking")
def an_archive(tmp_path, monkeypatch):
    """Answers the words of a call, for an engine whose forecasts are so far off with a model and without."""
    monkeypatch.setattr(flow_own, "training_steps", lambda rows, fewest: 1)
    (tmp_path / "own.csv").write_text("time,gate\n", encoding="utf-8")
    (tmp_path / "own.toml").write_text("", encoding="utf-8")

    def words(with_it: float, without: float, *more: str) -> list:
        midan = tmp_path / "midan"
        path = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
        text = ENGINE.format(python=sys.executable, path=path, with_it=with_it, without=without)
        midan.write_text(text, encoding="utf-8")
        midan.chmod(0o755)
        monkeypatch.setenv("MIDAN_MODELS__LIBRARY", str(midan))
        table, mapping = (str(tmp_path / name) for name in ("own.csv", "own.toml"))
        return ["flow.py", "--midan", str(midan), "--table", table, "--map", mapping, *more]

    return words


def built(monkeypatch, words: list) -> None:
    monkeypatch.setattr(sys, "argv", words)
    flow.main()


def test_a_model_that_is_better_than_none_ships_with_files_of_its_own(asking, tmp_path, monkeypatch, capsys):
    built(monkeypatch, asking(0.0, 1.0, "--out", str(tmp_path / "out"), "--name", "doors"))
    said = capsys.readouterr().out
    assert "the hold-out starts on 2026-04-07 (UTC): 6 of 28 days with counts" in said
    assert "It is better than no model: on the hold-out mean quantile loss" in said
    assert said.splitlines()[-1].startswith(f"What to do with {tmp_path}/out/doors.onnx, .toml and .md: check them")
    says = manifest.read(tmp_path / "out" / "doors.toml")
    assert (says["name"], says["file"], says["version"], says["ships"]) == ("doors", "doors.onnx", "2026-04-07", True)
    assert says["created_by"].startswith("models/train/train.sh --table own.csv --map own.toml --out DIR --name doors")
    (learnt,) = says["training_sets"]
    assert learnt["name"] == f"own.csv, SHA-256 {flow_own.sha256(tmp_path / 'own.csv')}"
    assert learnt["period"] == "2026-03-16 to 2026-04-07 (UTC), of rows up to 2026-04-12"
    assert "your data" in says["licence"] and "your data" in learnt["licence"]
    assert (says["figures"][0]["mae_without"] - says["figures"][0]["mae"]) > 0.9 and len(says["recorded"]) == 6
    card = (tmp_path / "out" / "doors.md").read_text(encoding="utf-8")
    assert card.startswith("# doors\n") and "own.csv" in card and "`ships = true`" in card
    assert not any(word in card for word in ("crowd-flow", "ardbr", "angzhou", "--data"))


def test_a_model_that_is_no_better_than_none_is_written_and_does_not_ship(asking, tmp_path, monkeypatch, capsys):
    built(monkeypatch, asking(1.0, 1.0, "--out", str(tmp_path / "out")))
    said = capsys.readouterr().out.splitlines()[-1]
    assert "crowd-flow-own.onnx" in said and "serve none of them" in said
    path = tmp_path / "out" / "crowd-flow-own.toml"
    assert manifest.read(path)["ships"] is False
    assert path.read_text(encoding="utf-8").startswith("# It is no better than no model, so it does not ship: ")
    assert "`ships = false`" in path.with_suffix(".md").read_text(encoding="utf-8")


def test_a_model_is_judged_anew_without_training_and_keeps_what_it_is(asking, tmp_path, monkeypatch):
    built(monkeypatch, asking(0.0, 1.0, "--out", str(tmp_path / "out"), "--seed", "7"))
    model = tmp_path / "out" / "crowd-flow-own.onnx"
    before, content = manifest.read(model.with_suffix(".toml")), model.read_bytes()
    monkeypatch.setattr(flow_own, "train", None)
    built(monkeypatch, asking(2.0, 1.0, "--judge-only", str(model)))
    after = manifest.read(model.with_suffix(".toml"))
    assert after["ships"] is False and after["figures"][0]["mae"] > before["figures"][0]["mae"]
    changed = {key for key in before if before[key] != after[key]}
    assert changed == {"ships", "figures"} and model.read_bytes() == content
    (tmp_path / "own.csv").write_text("time,gate\nmore\n", encoding="utf-8")
    with pytest.raises(Refused, match="it was not trained on"):
        built(monkeypatch, asking(2.0, 1.0, "--judge-only", str(model)))
