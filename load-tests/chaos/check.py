#!/usr/bin/env python3
"""Compares what stands on the output topics of two runs, with a client that is not Midan's.

    check.py --brokers HOST:PORT CALM_PREFIX CHAOS_PREFIX

Reads with kcat (committed records only) and knows nothing of Midan's code: an error in Midan's own reader cannot hide here. What is compared is what
DESIGN says: keys and values, not positions. Zones, alarms and the ledger in order by key; late and quarantined lines by source; the state by the last
value of each key; alerts by alarm and change, repeats collapsed, which must be the same bytes as what they repeat. Every row of the ledger must
balance. Exits with 0 if nothing differs; the first differences are named.
"""
import argparse
import collections
import hashlib
import json
import re
import subprocess
import sys

ORDERED = ["midan.zones", "midan.alarms", "midan.ledger"]
BY_SOURCE = ["midan.late", "midan.quarantine"]
FATES = ["windowed", "revised", "late", "duplicate", "quarantined", "ignored"]


def read(brokers, topic):
    """Yields (partition, key, value, headers); the value is None for a tombstone."""
    command = ["kcat", "-b", brokers, "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-X", "isolation.level=read_committed",
               "-f", "%p %K %S %h\n%k%s\n"]
    output = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout
    at = 0
    while at < len(output):
        end = output.index(b"\n", at)
        partition, key_length, length, headers = output[at:end].split(b" ", 3)
        key_length, length = max(int(key_length), 0), int(length)
        key = output[end + 1:end + 1 + key_length]
        start = end + 1 + key_length
        value = output[start:start + length] if length >= 0 else None
        yield int(partition), key, value, dict(pair.split("=", 1) for pair in headers.decode().split(",") if "=" in pair)
        at = start + max(length, 0) + 1


def outcome(brokers, prefix):
    """Everything that is compared: {(topic, what): value}, and the faults of this run alone."""
    found, faults = {}, []
    lines = collections.defaultdict(list)
    for topic in ORDERED:
        for partition, key, value, _ in read(brokers, prefix + topic):
            lines[topic, key.decode()].append(value)
            if topic == "midan.ledger":
                faults += unbalanced(prefix, json.loads(value))
    for topic in BY_SOURCE:
        for _, _, value, _ in read(brokers, prefix + topic):
            lines[topic, json.loads(value).get("source") or ""].append(value)
    for place, values in lines.items():
        found[place] = values
    state = {}
    for _, key, value, _ in read(brokers, prefix + "midan.state"):
        if key == b"~owner":
            continue
        if value is None:
            state.pop(key, None)
        else:
            state[key] = value
    for key, value in state.items():
        found["midan.state", key.decode()] = [value]
    repeats = 0
    for _, key, value, headers in read(brokers, prefix + "midan.alerts"):
        if key.startswith(b"heartbeat/"):
            continue
        place = ("midan.alerts", key.decode() + " change " + headers["midan-change"])
        if place in found:
            repeats += 1
            if found[place] != [value]:
                faults.append(f"{prefix}{place[0]}: {place[1]} was sent again with other bytes")
        found[place] = [value]
    return found, faults, repeats


def unbalanced(prefix, row):
    records = row["read"] - row["decoded"] - row["undecodable"] - row["command"]
    observations = row["observations"] - sum(row[fate] for fate in FATES)
    if records or observations:
        yield f"{prefix}midan.ledger: {row['topic']}[{row['partition']}] pane {row['pane']} is off by {records} records, {observations} observations"


def digest(found):
    whole = hashlib.sha256()
    for place in sorted(found):
        for value in found[place]:
            whole.update(repr(place).encode() + hashlib.sha256(value).digest())
    return whole.hexdigest()


def differences(calm, chaos):
    for place in sorted(calm.keys() | chaos.keys()):
        wanted, got = calm.get(place, []), chaos.get(place, [])
        if wanted != got:
            first = next((i for i, pair in enumerate(zip(wanted, got)) if pair[0] != pair[1]), min(len(wanted), len(got)))
            yield f"{place[0]} {place[1]}: {len(got)} records instead of {len(wanted)}, the first that differs is #{first}"
            if place[0] != "midan.state":
                for name, values in [("calm", wanted), ("chaos", got)]:
                    yield f"  {name}: {values[first][:300].decode(errors='replace') if first < len(values) else '(none)'}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--brokers", required=True)
    parser.add_argument("calm")
    parser.add_argument("chaos")
    args = parser.parse_args()
    calm, calm_faults, _ = outcome(args.brokers, args.calm)
    chaos, chaos_faults, repeats = outcome(args.brokers, args.chaos)
    counts = collections.Counter()
    for (topic, _), values in calm.items():
        counts[topic] += len(values)
    print("compared: " + ", ".join(f"{count} of {topic}" for topic, count in sorted(counts.items())) + f"; {repeats} alerts came twice")
    print(f"calm  {digest(calm)}\nchaos {digest(chaos)}")
    if not counts["midan.zones"]:
        print("nothing to compare")
        return 1
    problems = calm_faults + chaos_faults + list(differences(calm, chaos))
    for problem in problems[:40]:
        print(problem)
    if problems:
        print(f"{len(problems)} lines of differences")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
