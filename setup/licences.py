"""Checks, without the network, what the dependencies are: licences, sources, yanked versions.

Crates are judged by deny.toml, npm packages by npm-licences.toml. One line per fault; exits 1 when
there is any. It cannot see advisories: docs/decisions/0001-offline-supply-chain.md says what is done
about them.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tomllib

ROOT = pathlib.Path(__file__).resolve().parent.parent
CONSOLE = ROOT / "dashboards/console"


def is_allowed(expression, allowed):
    """Judges an SPDX expression: of OR one side must be allowed, of AND both. An old '/' means OR."""
    words = re.findall(r"\(|\)|[^\s()]+", re.sub(r"\s*/\s*", " OR ", expression))
    verdict, rest = either(words, allowed)
    return verdict and not rest


def either(words, allowed):
    verdict, words = both(words, allowed)
    while words[:1] == ["OR"]:
        other, words = both(words[1:], allowed)
        verdict = verdict or other
    return verdict, words


def both(words, allowed):
    verdict, words = one(words, allowed)
    while words[:1] == ["AND"]:
        other, words = one(words[1:], allowed)
        verdict = verdict and other
    return verdict, words


def one(words, allowed):
    if not words:
        return False, []
    if words[0] == "(":
        verdict, rest = either(words[1:], allowed)
        return verdict and rest[:1] == [")"], rest[1:]
    if words[1:2] == ["WITH"]:
        return " ".join(words[:3]) in allowed, words[3:]
    return words[0] in allowed, words[1:]


def crates(policy):
    """Each crate of this machine's build: its licence, and that it comes from the one registry."""
    host = re.search(r"host: (\S+)", output("rustc", "-vV"))[1]
    words = ("--format-version", "1", "--locked", "--filter-platform", host)
    packages = json.loads(output("cargo", "metadata", *words))["packages"]
    for wish in [wish for package in packages if not package["source"] for wish in package["dependencies"]]:
        if wish["req"] == "*":
            yield f"{wish['name']}: Cargo.toml takes any version; name one"
    found = [package for package in packages if package["source"]]
    registries = {crate["source"] for crate in found if crate["source"].startswith("registry+")}
    if len(registries) > 1:
        yield f"crates come from more than one registry: {', '.join(sorted(registries))}"
    for crate in found:
        name = f"{crate['name']} {crate['version']}"
        if not crate["source"].startswith("registry+"):
            yield f"{name}: comes from {crate['source']}, not from a registry"
        if not is_allowed(crate["license"] or "", policy["licenses"]["allow"]):
            yield f"{name}: licence {crate['license'] or crate['license_file']} is not in deny.toml"
    print(f"{len(found)} crates of {host}: licences and sources read")


def yanked():
    """Each version of Cargo.lock against the copy of the registry's index that cargo keeps."""
    index = index_of_registry()
    locked = [p for p in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"] if "checksum" in p]
    unknown = 0
    for package in locked:
        entry = index.get(package["name"], {}).get(package["version"])
        if entry is None:
            unknown += 1
        elif entry["yanked"]:
            yield f"{package['name']} {package['version']}: was yanked; run: cargo update -p {package['name']}"
        elif entry["cksum"] != package["checksum"]:
            yield f"{package['name']} {package['version']}: its checksum in Cargo.lock is not the registry's"
    print(f"{len(locked) - unknown} of {len(locked)} locked crates: not yanked as of cargo's copy of the index")
    if unknown == len(locked):
        yield "cargo keeps no readable copy of the index: the check for yanked crates saw nothing"


def index_of_registry():
    """{crate: {version: entry}} out of cargo's cache files: NUL-separated pairs of version and JSON."""
    home = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    index = {}
    for file in home.glob("registry/index/*/.cache/**/*"):
        if not file.is_file():
            continue
        for part in file.read_bytes().split(b"\0"):
            if part.startswith(b"{"):
                entry = json.loads(part)
                index.setdefault(entry["name"], {})[entry["vers"]] = entry
    return index


def npm(policy):
    """Each installed npm package, by its own package.json and not by what the lock file says of it."""
    packages = json.loads((CONSOLE / "package-lock.json").read_text())["packages"]
    read = 0
    for path, locked in packages.items():
        manifest = CONSOLE / path / "package.json"
        if not path or not manifest.exists():
            continue
        allowed = policy["shipped"] + (policy["tools"] if locked.get("dev") else [])
        licence = json.loads(manifest.read_text()).get("license") or "none"
        read += 1
        if not is_allowed(licence if isinstance(licence, str) else licence.get("type", ""), allowed):
            yield f"{path}: licence {licence} is not in setup/npm-licences.toml"
        if "integrity" not in locked:
            yield f"{path}: package-lock.json has no hash of it"
    print(f"{read} npm packages: licences and hashes read")
    if read == 0:
        yield "no npm package is installed: run setup/console.sh first"


def output(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def main():
    deny = tomllib.loads((ROOT / "deny.toml").read_text())
    console = tomllib.loads((ROOT / "setup/npm-licences.toml").read_text())
    faults = [*crates(deny), *yanked(), *npm(console)]
    print("\n".join(faults) or "every dependency is what it may be")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
