"""Judges docker-compose.yml and the Dockerfile by what a parser alone cannot know: that each name in
them stands for something in the repository, that nothing listens beyond this machine, and that no
image moves by itself.

Prints one line per fault and exits 1 when there is any. The parser itself refuses unknown keys.
"""

import json
import re
import sys
import tomllib
from fnmatch import fnmatch

import yaml
from compose_file import ROOT, load, mounts


def faults():
    services, volumes = load()
    for name, service in services.items():
        yield from images(name, service)
        yield from ports(name, service)
        yield from folders(name, service, volumes)
        yield from dependencies(name, service, services)
    yield from addresses(services)
    yield from grafana(services["grafana"])
    yield from copies()
    yield from embedded()
    yield from targets()


def images(name, service):
    image = service["image"]
    if not re.search(r":v?\d+\.\d+\.\d+$", image):
        yield f"{name}: image {image} is not pinned to a version; write NAME:MAJOR.MINOR.PATCH"


def ports(name, service):
    for port in service.get("ports", []):
        if not port.startswith("127.0.0.1:"):
            yield f"{name}: port {port} is open to the network; write 127.0.0.1:{port}"


def folders(name, service, volumes):
    for source, target, mode in mounts(service):
        if not source.startswith("."):
            if source not in volumes:
                yield f"{name}: volume {source} is not declared; there are {', '.join(volumes)}"
        elif not (ROOT / source).exists():
            yield f"{name}: {source}, mounted at {target}, is not in the repository"
        elif mode != "ro":
            yield f"{name}: {source} is mounted writable; write {source}:{target}:ro"


def dependencies(name, service, services):
    wanted = service.get("depends_on", {})
    for other in wanted:
        if other not in services:
            yield f"{name}: depends on {other}; there are {', '.join(services)}"
        elif isinstance(wanted, dict) and wanted[other]["condition"] == "service_healthy":
            if "healthcheck" not in services[other]:
                yield f"{name}: waits for {other} to be healthy, which has no healthcheck"


def addresses(services):
    """A host that a mounted file or an environment names must be a service."""
    prometheus = yaml.safe_load((ROOT / "dashboards/prometheus/prometheus.yml").read_text())
    source = yaml.safe_load((ROOT / "dashboards/grafana/provisioning/datasources/prometheus.yml").read_text())
    blocks = prometheus["scrape_configs"] + prometheus["alerting"]["alertmanagers"]
    named = [target for block in blocks for entry in block["static_configs"] for target in entry["targets"]]
    named += [entry["url"].removeprefix("http://") for entry in source["datasources"]]
    named += [services["midan"]["environment"]["MIDAN_KAFKA__BOOTSTRAP_SERVERS"]]
    for address in named:
        host, _, port = address.partition(":")
        if host not in services:
            yield f"{address}: no service has this name; there are {', '.join(services)}"
        elif port not in listened(services[host]):
            yield f"{address}: {host} does not listen there"


def listened(service):
    words = [str(value) for value in service.get("environment", {}).values()]
    words += [word for word in service.get("command", []) if "listen" in word] + service.get("ports", [])
    return set(re.findall(r":(\d+)\b", " ".join(words)))


def grafana(service):
    """Grafana cannot be run here; what it would be told must at least fit together."""
    provisioning = ROOT / "dashboards/grafana/provisioning"
    targets = [target for _, target, _ in mounts(service)]
    for provider in yaml.safe_load((provisioning / "dashboards/midan.yml").read_text())["providers"]:
        if provider["options"]["path"] not in targets:
            yield f"grafana: dashboards are looked for in {provider['options']['path']}, which is not mounted"
    sources = yaml.safe_load((provisioning / "datasources/prometheus.yml").read_text())["datasources"]
    uids = {source["uid"] for source in sources}
    for file in sorted((ROOT / "dashboards/grafana/dashboards").glob("*.json")):
        for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]:
            if panel["datasource"]["uid"] not in uids:
                yield f"{file.name}: panel {panel['title']} reads {panel['datasource']['uid']}, which is not provisioned"


def copied(dockerfile, stage):
    """What a stage of the image's build copies from the repository."""
    inside = False
    for line in dockerfile.splitlines():
        if line.startswith("FROM "):
            inside = stage is None or line.endswith(f" AS {stage}")
        if inside and line.startswith("COPY ") and "--from=" not in line:
            yield from line.split()[1:-1]


def copies():
    """What the image build copies from the repository must be there, and not be ignored."""
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    for source in copied((ROOT / "Dockerfile").read_text(encoding="utf-8"), None):
        if not (ROOT / source).exists():
            yield f"Dockerfile: {source} is not in the repository"
        if is_kept_out(source, ignored):
            yield f"Dockerfile: {source} is kept out by .dockerignore"


def is_kept_out(source, ignored):
    """By the last rule that fits, as the builder decides."""
    out = False
    for rule in ignored:
        if fnmatch(source, rule.removeprefix("!")) or fnmatch(source, rule.removeprefix("!") + "/*"):
            out = not rule.startswith("!")
    return out


def embedded():
    """What the program takes into itself when it is compiled must be copied into the stage that compiles it, or come from another stage."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    there = set(copied(dockerfile, "binary")) | set(re.findall(r"COPY --from=\S+ \S+ \./(\S+)", dockerfile))
    for file in sorted((ROOT / "src").rglob("*.rs")):
        if file.stem.endswith("tests") or "tests" in file.parts:
            continue
        text = file.read_text(encoding="utf-8")
        paths = re.findall(r'#\[folder = "([^"]+)"\]', text)
        included = re.findall(r'include_(?:str|bytes|dir)!\(\s*"([^"]+)"', text)
        paths += [str((file.parent / path).resolve().relative_to(ROOT)) for path in included]
        for path in paths:
            if not any(path == source or path.startswith(f"{source}/") for source in there):
                yield f"Dockerfile: {path} is compiled into the program by {file.relative_to(ROOT)}, and the stage `binary` does not copy it"


def targets():
    """Cargo looks for a test or bench without a path, and the image's build copies neither."""
    manifest = tomllib.loads((ROOT / "Cargo.toml").read_text(encoding="utf-8"))
    for kind in ("test", "bench", "example"):
        for target in manifest.get(kind, []):
            if "path" not in target:
                yield f"Cargo.toml: [[{kind}]] {target['name']} needs its path, or `docker build` fails"


if __name__ == "__main__":
    found = list(faults())
    print("\n".join(found) or "docker-compose.yml and Dockerfile name only what is there")
    sys.exit(bool(found))
