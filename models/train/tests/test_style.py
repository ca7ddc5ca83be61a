"""How the recipe is written: lines of 120 at most, a named function is a `def`, a module begins with its idea."""

import ast
from pathlib import Path

TRAIN = Path(__file__).resolve().parents[1]
MODULES = sorted([*TRAIN.glob("*.py"), *TRAIN.glob("tests/*.py")])


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def test_no_line_is_longer_than_120():
    for path in (*MODULES, TRAIN / "train.sh"):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert not [nth for nth, line in enumerate(lines, 1) if len(line) > 120], path.name


def test_no_lambda_has_a_name():
    for path in MODULES:
        assigned = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.Assign)]
        assert not [node.lineno for node in assigned if isinstance(node.value, ast.Lambda)], path.name


def test_every_module_says_what_it_is():
    assert not [path.name for path in MODULES if not ast.get_docstring(parsed(path))]
