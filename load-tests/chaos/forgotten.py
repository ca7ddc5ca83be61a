#!/usr/bin/env python3
"""A rebalance that the group's coordinator forgets, and a commit of before it that arrives after it.

    load-tests/chaos/forgotten.py --midan target/release/midan --jars .tools/kafka/libs

Kafka counts a group's generation up in memory when its members have joined, and writes it down when they sync. A proxy before the broker holds the sync and the victim's next
transaction, the broker stands still until its controller fences it, and the coordinator comes back without the rebalance: the same generation is given once more. Then the
transaction is let go. If a shard let itself in again before that was over, it would be taken, and another shard that reads from before it would do its work twice.

Ends with 0 when nothing stands twice, 1 when something does, and 2 when the coordinator did not forget (it depends on the timing; run it again).
"""
import argparse
import asyncio
import collections
import pathlib
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

import chaos

JOIN, SYNC, ADD_PARTITIONS, ADD_OFFSETS, END_TXN, TXN_OFFSETS = 11, 14, 24, 25, 26, 28
ILLEGAL_GENERATION = 22
VICTIM = "a"


class Proxy:
    """Passes requests to the broker and its answers back, and holds what it is told to hold."""

    def __init__(self, port, broker_port, victim):
        self.port, self.broker_port, self.victim = port, broker_port, victim.encode()
        self.holds_sync = self.is_armed = self.holds_transaction = False
        self.joined, self.synced = [], []
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", self.port))
        self.loop.run_forever()

    async def serve(self, reader, writer):
        try:
            from_broker, to_broker = await asyncio.open_connection("127.0.0.1", self.broker_port)
        except OSError:
            writer.close()
            return
        asked = {}
        ways = [asyncio.ensure_future(self.requests(reader, to_broker, asked)), asyncio.ensure_future(self.answers(from_broker, writer, asked))]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        writer.close()
        to_broker.close()

    async def requests(self, reader, writer, asked):
        last = None
        while True:
            head = await reader.readexactly(4)
            body = await reader.readexactly(struct.unpack(">i", head)[0])
            key, _, correlation, client_length = struct.unpack_from(">hhih", body)
            client = body[10:10 + max(client_length, 0)].decode(errors="replace")
            if key in (ADD_PARTITIONS, ADD_OFFSETS, END_TXN, TXN_OFFSETS) and self.victim in body:
                # A transaction is held as a whole, from its first request on.
                if self.is_armed and key == ADD_PARTITIONS and last == END_TXN:
                    self.is_armed, self.holds_transaction = False, True
                last = key
                while self.holds_transaction:
                    await asyncio.sleep(0.01)
            while key == SYNC and self.holds_sync:
                await asyncio.sleep(0.01)
            asked[correlation] = (key, client)
            writer.write(head + body)
            await writer.drain()

    async def answers(self, reader, writer, asked):
        while True:
            head = await reader.readexactly(4)
            body = await reader.readexactly(struct.unpack(">i", head)[0])
            key, client = asked.pop(struct.unpack_from(">i", body)[0], (None, None))
            if key == JOIN:
                error, generation = struct.unpack_from(">hi", body, 8)
                if error == 0:
                    self.joined.append((client, generation))
            elif key == SYNC:
                self.synced.append((client, *struct.unpack_from(">h", body, 8)))
            writer.write(head + body)
            await writer.drain()


class Hidden(chaos.Broker):
    """A broker that tells everybody the proxy's address for its own."""

    def __init__(self, jars, folder):
        self.own_port = chaos.free_port()
        super().__init__(jars, folder)

    def start(self):
        path = self.folder / "server.properties"
        lines = [line.replace(f":{self.port}", f":{self.own_port}") if line.startswith("listeners=") else line for line in path.read_text().splitlines()]
        path.write_text("\n".join(lines) + "\n")
        super().start()


def until(holds, seconds, what):
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            print(f"not seen within {seconds} s: {what}", flush=True)
            return False
        time.sleep(0.02)
    return True


def standing_twice(port, topic):
    """Records with the same partition, key and value, by partition."""
    command = ["kcat", "-b", f"127.0.0.1:{port}", "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-X", "isolation.level=read_committed", "-f", "%p %k %s\n"]
    lines = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.splitlines()
    print(f"{topic}: {len(lines)} records", flush=True)
    return dict(collections.Counter(line.split(b" ", 1)[0].decode() for line, count in collections.Counter(lines).items() if count > 1))


def forget(args, broker, proxy, instances):
    """Lets the coordinator forget a rebalance under a commit; whether it did."""
    instances.create_topics()
    for name in (VICTIM, "b"):
        instances.start(name)
        time.sleep(2)
    feeding = instances.command("feed", "simulate", "--to", "kafka", "--speed", "240", "--from-kick-off=-60", "--minutes=120")
    time.sleep(12)
    before = len(proxy.joined)
    proxy.holds_sync = True
    instances.start("c")
    newest = lambda: max((generation for _, generation in proxy.joined[before:]), default=0)
    members = lambda: {client for client, generation in proxy.joined[before:] if generation == newest()}
    until(lambda: len(members()) >= 3, 20, "three members of one generation")
    forgotten, joins, syncs = newest(), len(proxy.joined), len(proxy.synced)
    proxy.is_armed = True
    until(lambda: proxy.holds_transaction, 5, "a transaction of the victim")
    broker.process.send_signal(signal.SIGSTOP)
    time.sleep(args.still)
    broker.process.send_signal(signal.SIGCONT)
    time.sleep(1)
    proxy.holds_sync = False
    until(lambda: len([error for _, error in proxy.synced[syncs:] if error == 0]) >= 2, 8, "the next assignment")
    time.sleep(0.8)
    proxy.holds_transaction = False
    time.sleep(12)
    feeding.kill()
    for name in list(instances.running):
        instances.kill(name, signal.SIGTERM)
    instances.must("end", "run", "--until-end", "--no-console")
    is_refused = any(error == ILLEGAL_GENERATION for _, error in proxy.synced[syncs:])
    return is_refused and any(generation == forgotten for _, generation in proxy.joined[joins:])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--midan", type=pathlib.Path, default=chaos.ROOT / "target/ci/midan")
    parser.add_argument("--jars", type=pathlib.Path, default=chaos.ROOT / ".tools/kafka/libs")
    parser.add_argument("--session", type=int, default=9, help="the group's session time-out, s")
    parser.add_argument("--still", type=float, default=3.2, help="how long the broker stands still, s")
    args = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="midan-forgotten-"))
    broker = Hidden(args.jars.resolve(), folder)
    instances = chaos.Instances(args.midan.resolve(), broker, folder, "chaos-", args.session)
    proxy = Proxy(broker.port, broker.own_port, f"chaos-midan-chaos-night-{VICTIM}-0")
    try:
        has_forgotten = forget(args, broker, proxy, instances)
        twice = {topic: standing_twice(broker.port, f"chaos-{topic}") for topic in ("midan.zones", "midan.ledger")}
    finally:
        for process in [process for process in instances.started if process.poll() is None]:
            process.kill()
        broker.process.send_signal(signal.SIGCONT)
        broker.kill()
    print(f"stands twice, by partition: {twice}; logs: {folder}")
    if any(twice.values()):
        return 1
    print("the coordinator forgot the rebalance, and nothing stands twice" if has_forgotten else "the coordinator did not forget: run it again")
    return 0 if has_forgotten else 2


if __name__ == "__main__":
    sys.exit(main())
