"""What train.sh, flow.py and train.py refuse: in one line, with 2, and before anything is run."""

import subprocess
import sys
from pathlib import Path

import pytest

import asked
import engine
import flow
import train
from asked import Refused

TRAIN = Path(__file__).resolve().parents[1]
OWN = ["--table", "HERE/t.csv", "--map", "HERE/t.toml"]
SHIPPED = str(TRAIN.parent / "crowd-flow.onnx")


@pytest.fixture(name="refusal")
def what_is_said(tmp_path, monkeypatch, capsys):
    for name in ("t.csv", "t.toml", "midan"):
        (tmp_path / name).write_text("", encoding="utf-8")
    monkeypatch.setenv("MIDAN_MODELS__LIBRARY", str(tmp_path / "midan"))

    def of(script, words: list) -> str:
        words = [word.replace("HERE", str(tmp_path)) for word in words]
        monkeypatch.setattr(sys, "argv", ["it.py", "--midan", str(tmp_path / "midan"), *words])
        with pytest.raises(SystemExit) as ended:
            asked.told(script.main)
        said = capsys.readouterr().err
        assert ended.value.code == 2 and said.count("\n") == 1, said
        return said

    return of


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ([], "one of the arguments --data --table is required"),
        (["--table", "HERE/none.csv"], "there is no file"),
        (["--table", "HERE/t.csv", "--out", "HERE/o"], "--table needs --map FILE"),
        (OWN, "--table needs --out DIR, a folder of your own"),
        ([*OWN, "--out", str(TRAIN.parent)], "there the models lie that come with Midan"),
        ([*OWN, "--out", "HERE/t.csv"], "no folder can be made there"),
        ([*OWN, "--out", "HERE/o", "--name", "crowd-flow"], "not the name of a shipped model"),
        ([*OWN, "--out", "HERE/o", "--name", "../x"], "small letters, digits"),
        ([*OWN, "--out", "HERE/o", "--seed", "-1"], "no whole number from 0"),
        ([*OWN, "--out", "HERE/o", "--reference-only"], "are of --data"),
        ([*OWN, "--judge-only", SHIPPED], "it was not trained on"),
        ([*OWN, "--judge-only", "HERE/t.csv"], "it is no manifest of a model"),
        ([*OWN, "--judge-only", SHIPPED, "--reference-only"], "not allowed with argument"),
        ([*OWN, "--judge-only", SHIPPED, "--out", "HERE/o"], "--judge-only writes beside its FILE"),
        (["--data", "HERE/none"], "there is no folder"),
        (["--data", "HERE"], "lacks zurich_hardbruecke/frequenzen_hardbruecke_2020.csv.gz, hangzhou_metro"),
    ],
)
def test_flow_refuses(refusal, words, why):
    assert why in refusal(flow, words)


def test_train_refuses(refusal):
    assert "there is no folder" in refusal(train, ["--data", "HERE/none"])
    assert "lacks zurich_hardbruecke" in refusal(train, ["--data", "HERE"])


def test_without_a_library_nothing_is_begun(monkeypatch):
    monkeypatch.setenv("MIDAN_MODELS__LIBRARY", "/nowhere.so")
    with pytest.raises(Refused, match="no ONNX Runtime library at /nowhere.so: run setup/onnxruntime.sh"):
        engine.library()


def test_an_engine_that_fails_is_told_with_what_it_says(tmp_path, capfd):
    midan = tmp_path / "midan"
    midan.write_text("#!/bin/sh\necho 'midan: t.toml:1: no venue' >&2\nexit 1\n", encoding="utf-8")
    midan.chmod(0o755)
    with pytest.raises(Refused, match="`midan features` on t.csv ended with 1: what it says stands above"):
        engine.run(midan, "features", Path("t.csv"), Path("t.toml"), tmp_path)
    assert "t.toml:1: no venue" in capfd.readouterr().err


def shell(*words: str, **more: str) -> subprocess.CompletedProcess:
    environment = {"PATH": "/usr/bin:/bin", **more}
    return subprocess.run([TRAIN / "train.sh", *words], capture_output=True, text=True, env=environment, check=False)


def test_the_shell_script_refuses_before_it_installs_anything():
    for words, why in (
        ([], "nothing to learn from: name --data DIR, or --table FILE"),
        (["--out", "o"], "nothing to learn from"),
        (["--data", "d", "--table=t"], "name one"),
        (["--data=d"], "no binary at /nowhere"),
    ):
        done = shell(*words, MIDAN="/nowhere")
        assert done.returncode == 2 and why in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_the_shell_script_says_how_it_is_used():
    done = shell("--help")
    assert done.returncode == 0 and "train.sh --data DIR --judge-only FILE" in done.stdout
    assert "#" not in done.stdout and "set -" not in done.stdout
