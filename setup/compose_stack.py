"""The compose file's services as processes of this machine: the same command lines, settings and
files, with only three things translated: a container's path into a folder of the test, a service's
name into the loopback address, and a port into a free one.
"""

import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import urllib.request

from compose_file import ROOT, load, mounts

TOOLS = ROOT / ".tools"
PATIENCE = 90  # seconds that a program may take to get somewhere on a machine busy with other work


class Stack:
    """One translated copy of the compose file, in a folder of its own."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.services, _ = load()
        self.ports = {port: free_port() for port in ("3000", "8030", "9090", "9091", "9092", "9093", "9094")}
        hosts = "|".join([*self.services, "localhost", r"127\.0\.0\.1", r"0\.0\.0\.0"])
        self.address = re.compile(rf"(?<![\w.-])(?:{hosts})?:({'|'.join(self.ports)})\b")
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()

    def local(self, text):
        """Text in which every address leads to this machine."""
        return self.address.sub(lambda found: f"127.0.0.1:{self.ports[found[1]]}", str(text))

    def url(self, port, path):
        return f"http://127.0.0.1:{self.ports[port]}{path}"

    def environment(self, name):
        """The service's settings with paths and addresses of this machine."""
        given = self.services[name].get("environment", {})
        return {key: self.placed(name, self.local(value)) for key, value in given.items()}

    def command(self, name):
        return [self.placed(name, self.local(word)) for word in self.services[name]["command"]]

    def placed(self, name, text):
        """Text in which a path below one of the service's volumes lies in the test's folder."""
        sources = {target: source for source, target, _ in mounts(self.services[name])}

        def place(found):
            target = found[0]
            folder = self.folder / name / target.strip("/").replace("/", "-")
            self.fill(ROOT / sources[target] if sources[target].startswith(".") else None, folder)
            return str(folder)

        targets = "|".join(re.escape(target) for target in sources)
        return re.sub(rf"(?<![\w/.-])(?:{targets})(?=/|$)", place, text) if targets else text

    def fill(self, source, place):
        """A bind mount is copied with its addresses translated; a volume begins empty."""
        if place.exists():
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        if source is None:
            place.mkdir()
        elif source.is_file():
            place.write_text(self.local(source.read_text(encoding="utf-8")), encoding="utf-8")
        else:
            shutil.copytree(source, place)
            for file in [*place.rglob("*.yml"), *place.rglob("*.toml")]:
                file.write_text(self.local(file.read_text(encoding="utf-8")), encoding="utf-8")

    def start(self, name, command, **options):
        """Starts a program in the background; what it prints goes to NAME.log in the test's folder."""
        log = open(self.folder / f"{name}.log", "wb")
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, **options)
        self.processes.append(process)
        return process

    def log(self, name):
        return (self.folder / f"{name}.log").read_text(errors="replace")


class Kafka:
    """The broker of the stack, configured by the very program that the container image runs."""

    CLASS_PATH = f"{TOOLS}/kafka/libs/*"

    def __init__(self, stack):
        self.stack = stack
        self.settings = stack.environment("kafka")
        self.config = stack.folder / "kafka" / "config"

    def configure(self):
        """Turns the environment into server.properties and formats the data folder."""
        folders = [self.stack.folder / "kafka" / name for name in ("image", "mounted", "config")]
        for folder in folders:
            folder.mkdir(parents=True, exist_ok=True)
        flags = ["--default-configs-dir", "--mounted-configs-dir", "--final-configs-dir"]
        words = [word for pair in zip(flags, map(str, folders)) for word in pair]
        run(self.java("kafka.docker.KafkaDockerWrapper", "setup", *words), env=os.environ | self.settings)

    def start(self):
        heap = self.settings["KAFKA_HEAP_OPTS"].split()
        return self.stack.start("kafka", self.java(*heap, "kafka.Kafka", str(self.config / "server.properties")))

    def tool(self, name, *words):
        return run(self.java("-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", name, *words)).stdout

    def java(self, *words):
        return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", self.CLASS_PATH, *words]


def run(command, **options):
    """Runs to the end; a bad end raises with what the program printed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **options)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} ended with {done.returncode}: {(done.stdout + done.stderr)[-2000:]}")
    return done


def get(url):
    with urllib.request.urlopen(url, timeout=5) as answer:
        return answer.read().decode()


def until(what, probe, explain=lambda: ""):
    """Waits until the probe gives something, and gives it."""
    deadline = time.monotonic() + PATIENCE
    last = None
    while time.monotonic() < deadline:
        try:
            found = probe()
            if found:
                return found
        except (OSError, AssertionError) as error:
            last = error
        time.sleep(0.2)
    raise AssertionError(f"waited {PATIENCE} s in vain for {what}; last: {last} {explain()}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
