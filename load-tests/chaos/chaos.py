#!/usr/bin/env python3
"""Three instances under load on a real Kafka, and everything is killed again and again.

    load-tests/chaos/chaos.py --midan target/ci/midan --jars .tools/kafka/libs [--kills 100] [--seed 1] [--speed 72]

A night is fed twice, to topics of two prefixes of one broker. One service reads the first to its end undisturbed. Of the second three instances read while it is being
fed, and a seed says what happens to them: kill -9, SIGSTOP for longer than the session time-out, kill -9 of the broker, a broker that is fenced, a clean stop; each
comes back. In the end `check.py` compares what stands. The engines decide by the records alone (`--by-records`), commands are placed by pane, and the
models have no deadline: so both runs must leave the same bytes.
"""
import argparse
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PARTITIONS = 6
SESSION_S = 6


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Broker:
    """One node out of a folder of jars; a kill -9 leaves its folder, and it starts on it again."""

    def __init__(self, jars, folder):
        self.folder, self.port = folder / "kafka", free_port()
        controller = free_port()
        self.folder.mkdir()
        self.java = ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{jars}/*"]
        (self.folder / "server.properties").write_text(f"""process.roles=broker,controller
node.id=1
controller.quorum.bootstrap.servers=127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{self.port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs={self.folder}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
broker.session.timeout.ms=1500
broker.heartbeat.interval.ms=300
auto.create.topics.enable=false
""")
        self.run("kafka.tools.StorageTool", "format", "-t", "bWlkYW4tdGVzdC1rYWZrYQ", "-c", str(self.folder / "server.properties"), "--standalone").wait()
        self.process = None
        self.start()

    def run(self, *arguments):
        log = open(self.folder / "broker.log", "ab")
        return subprocess.Popen([*self.java, *arguments], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

    def start(self):
        self.process = self.run("kafka.Kafka", str(self.folder / "server.properties"))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stagger(self, times, still_s, moving_s):
        """Stands still again and again for longer than its session, so that its controller fences it: in between it answers its clients with an empty list of brokers."""
        for _ in range(times):
            self.process.send_signal(signal.SIGSTOP)
            time.sleep(still_s)
            self.process.send_signal(signal.SIGCONT)
            time.sleep(moving_s)


class Instances:
    """Services of one prefix."""

    def __init__(self, midan, broker, folder, prefix, session_s):
        self.midan, self.broker, self.folder, self.prefix, self.session_s = midan, broker, folder, prefix, session_s
        self.running, self.started = {}, []

    def settings(self, name):
        path = self.folder / f"{self.prefix}{name}.toml"
        path.write_text(f"""[world]
folder = "{ROOT}/config"
[kafka]
bootstrap_servers = "127.0.0.1:{self.broker.port}"
group = "{self.prefix}night"
instance = "{name}"
topic_prefix = "{self.prefix}"
partitions = {PARTITIONS}
[kafka.properties]
"session.timeout.ms" = "{self.session_s * 1000}"
"heartbeat.interval.ms" = "500"
[commands]
placement = "by_pane"
[models]
folder = "{ROOT}/models"
library = "{os.environ.get('MIDAN_ONNXRUNTIME', ROOT / '.tools/onnxruntime/libonnxruntime.so')}"
deadline = "none"
[telemetry]
level = "info"
""")
        return path

    def command(self, name, *arguments):
        log = open(self.folder / f"{self.prefix}{name}.log", "ab")
        # Relative paths of the defaults are those of the repository.
        process = subprocess.Popen([str(self.midan), "--config", str(self.settings(name)), *arguments], stdout=log, stderr=log, cwd=ROOT)
        self.started.append(process)
        return process

    def must(self, name, *arguments, within_s=900):
        code = self.command(name, *arguments).wait(timeout=within_s)
        if code != 0:
            sys.exit(f"midan {' '.join(arguments)} ended with {code}; see {self.folder}/{self.prefix}{name}.log")

    def create_topics(self):
        """The broker may still be starting, so the call is made again for a while."""
        deadline = time.monotonic() + 90
        while self.command("topics", "topics", "create").wait(timeout=120) != 0:
            if time.monotonic() > deadline:
                sys.exit(f"the topics could not be created; see {self.folder}/{self.prefix}topics.log")

    def start(self, name):
        self.running[name] = self.command(name, "run", "--by-records", "--no-console")

    def kill(self, name, how=signal.SIGKILL):
        process = self.running.pop(name)
        process.send_signal(how)
        return process.wait(timeout=90)


def faults(chance, count):
    """What goes wrong, in order: each kind once, if there is room, and most often a kill."""
    kinds = ["kill", "stop", "leave", "broker", "fenced"]
    planned = (kinds + chance.choices(kinds, [70, 10, 12, 6, 2], k=count))[:count]
    chance.shuffle(planned)
    return planned


def disturb(what, chance, told, instances, broker, away, now, stopped):
    """One thing goes wrong; what is away comes back later. Whether there was somebody whom it could happen to."""
    names = [name for name in instances.running if name not in stopped]
    if what == "broker":
        broker.kill()
        time.sleep(chance.uniform(0, 2))
        broker.start()
    elif what == "fenced":
        broker.stagger(8, chance.uniform(1.8, 2.6), chance.uniform(0.2, 0.6))
    elif not names:
        return False
    elif what == "stop":
        name = chance.choice(names)
        instances.running[name].send_signal(signal.SIGSTOP)
        stopped[name] = now + instances.session_s + 3
    else:
        name = chance.choice(names)
        instances.kill(name, signal.SIGKILL if what == "kill" else signal.SIGTERM)
        away[name] = now + chance.uniform(0, 1.5 * instances.session_s)
    told[what] = told.get(what, 0) + 1
    return True


def chaos(args, broker, folder, instances):
    chance = random.Random(args.seed)
    instances.create_topics()
    names = ["a", "b", "c"]
    for name in names:
        instances.start(name)
    feeding = instances.command("feed", "simulate", "--to", "kafka", "--speed", str(args.speed), *args.night)
    away, stopped, told, planned = {}, {}, {}, faults(chance, args.kills)
    next_fault = time.monotonic() + 5
    while feeding.poll() is None or planned or away or stopped:
        now = time.monotonic()
        for name in [name for name, due in away.items() if due <= now]:
            del away[name]
            instances.start(name)
        for name in [name for name, due in stopped.items() if due <= now]:
            del stopped[name]
            instances.running[name].send_signal(signal.SIGCONT)
        for name, process in list(instances.running.items()):
            if process.poll() is not None:
                sys.exit(f"instance {name} ended by itself with {process.returncode}; see {folder}/chaos-{name}.log")
        if now >= next_fault and planned:
            if disturb(planned[0], chance, told, instances, broker, away, now, stopped):
                planned.pop(0)
            next_fault = time.monotonic() + chance.uniform(0.3, 2 * args.every - 0.3)
        time.sleep(0.05)
    if feeding.returncode != 0:
        sys.exit(f"the feed ended with {feeding.returncode}; see {folder}/chaos-feed.log")
    print("done to them: " + ", ".join(f"{count} × {what}" for what, count in sorted(told.items())), flush=True)
    for name in list(instances.running):
        code = instances.kill(name, signal.SIGTERM)
        if code != 0:
            sys.exit(f"instance {name} did not stop in good order: {code}; see {folder}/chaos-{name}.log")
    instances.must("end", "run", "--until-end", "--no-console")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--midan", type=pathlib.Path, default=ROOT / "target/ci/midan")
    parser.add_argument("--jars", type=pathlib.Path, default=ROOT / ".tools/kafka/libs")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--every", type=float, default=3.0, help="seconds from one fault to the next, on average")
    parser.add_argument("--session", type=int, default=SESSION_S, help="the group's session time-out, s")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", default="400", help="event time per wall time of the feed")
    parser.add_argument("--venue", action="append", default=[], help="venues that play")
    parser.add_argument("--from-kick-off", help="minutes of the night's first record after the first kick-off; before it where negative")
    parser.add_argument("--minutes", help="minutes of the night that are fed")
    parser.add_argument("--keep", action="store_true", help="keep the folder with logs")
    args = parser.parse_args()
    args.midan = args.midan.resolve()
    args.night = [part for venue in args.venue for part in ("--venue", venue)]
    args.night += [f"{option}={value}" for option, value in (("--from-kick-off", args.from_kick_off), ("--minutes", args.minutes)) if value is not None]
    folder = pathlib.Path(tempfile.mkdtemp(prefix="midan-chaos-"))
    broker = Broker(args.jars.resolve(), folder)
    both = calm, disturbed = [Instances(args.midan, broker, folder, prefix, args.session) for prefix in ("calm-", "chaos-")]
    code = 1
    try:
        began = time.monotonic()
        calm.create_topics()
        calm.must("feed", "simulate", "--to", "kafka", "--speed", "max", *args.night)
        calm.must("one", "run", "--until-end", "--no-console")
        print(f"undisturbed: {time.monotonic() - began:.0f} s", flush=True)
        began = time.monotonic()
        chaos(args, broker, folder, disturbed)
        print(f"disturbed: {time.monotonic() - began:.0f} s", flush=True)
        code = subprocess.run([sys.executable, HERE / "check.py", "--brokers", f"127.0.0.1:{broker.port}", "calm-", "chaos-"], check=False).returncode
    finally:
        for process in [process for instances in both for process in instances.started if process.poll() is None]:
            process.kill()
        broker.kill()
        if args.keep or code != 0:
            print(f"logs: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    print("the bytes are the same" if code == 0 else f"FAILED: seed {args.seed}")
    return code


if __name__ == "__main__":
    sys.exit(main())
