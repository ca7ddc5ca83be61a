"""docker-compose.yml as read by everything that checks or runs it: parsed by the compose
specification's own parser, with merge keys applied and `${NAME:?why}` filled in."""

import pathlib
import re

import compose_spec
import yaml

ROOT = pathlib.Path(__file__).resolve().parent.parent
SECRET = "a-secret-of-the-test"


def load(path=ROOT / "docker-compose.yml"):
    """The services as plain dictionaries. Raises where the specification's parser refuses the file."""
    text = re.sub(r"\$\{\w+:\?[^}]*\}", SECRET, path.read_text(encoding="utf-8"))
    options = compose_spec.PyOptions()
    options.apply_merge = True
    options.from_yaml(text).validate()
    document = yaml.safe_load(text)
    return document["services"], document["volumes"]


def mounts(service):
    """(source, target, mode) of each volume; a bind mount's source begins with './'."""
    for entry in service.get("volumes", []):
        source, target, *mode = entry.split(":")
        yield source, target, mode[0] if mode else "rw"
