"""Counts tests: reads what each runner printed and closes with 'N passed, N failed'.

    tally.py add RESULTS NAME EXIT SECONDS LOG     one suite has ended
    tally.py close RESULTS [RESULTS ...]           the sum; exits 1 when anything failed

A suite is believed only as far as its exit code and its own count agree: one that ended badly without
naming a failure counts as one failure, and so does one that ended well without having run a test.
"""

import json
import pathlib
import re
import sys
from dataclasses import asdict, dataclass

COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, passed=0, failed=0, skipped=0):
        self.passed += int(passed or 0)
        self.failed += int(failed or 0)
        self.skipped += int(skipped or 0)


def cargo(line, count):
    found = re.match(r"test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored", line)
    if found:
        count.add(*found.groups())


def vitest(line, count):
    found = re.match(r"\s*Tests\s+(.*\(\d+\))\s*$", line)
    if found:
        count.add(**{word: number for number, word in re.findall(r"(\d+) (passed|failed|skipped)", found[1])})


def pytest(line, count):
    found = re.match(r"=*\s*((?:\d+ \w+,? ?)+)in [\d.]+s", line)
    if found:
        words = {word: int(number) for number, word in re.findall(r"(\d+) (\w+)", found[1])}
        failed = words.get("failed", 0) + words.get("error", 0) + words.get("errors", 0)
        count.add(words.get("passed"), failed, words.get("skipped"))


def tap(line, count):
    found = re.match(r"(ok|not ok) (?:\d+ )?- (.*)", line)
    if found and "# SKIP" in found[2]:
        count.add(skipped=1)
    elif found:
        count.add(passed=found[1] == "ok", failed=found[1] == "not ok")


def plain(line, count):
    found = re.match(r"(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$", line)
    if found:
        count.add(*found.groups())


def unittest(text, count):
    for ran, verdict in re.findall(r"^Ran (\d+) tests? in .*\n\n(.*)$", text, re.M):
        words = {word: int(number) for word, number in re.findall(r"(\w+)=(\d+)", verdict)}
        failed, skipped = words.get("failures", 0) + words.get("errors", 0), words.get("skipped", 0)
        count.add(int(ran) - failed - skipped, failed, skipped)


BY_LINE = [cargo, vitest, pytest, tap, plain]
BY_TEXT = [unittest]


def counted(text, exit_code):
    """The tests that a runner's output tells of, made to agree with how the runner ended."""
    count = Count()
    text = COLOUR.sub("", text)
    for line in text.splitlines():
        for reader in BY_LINE:
            reader(line, count)
    for reader in BY_TEXT:
        reader(text, count)
    if count.failed == 0 and (exit_code != 0 or count.passed + count.skipped == 0):
        count.failed = 1
    return count


def add(results, name, exit_code, seconds, log):
    count = counted(pathlib.Path(log).read_text(errors="replace"), int(exit_code))
    entry = {"name": name, "seconds": int(seconds), "log": log} | asdict(count)
    with open(results, "a", encoding="utf-8") as out:
        out.write(json.dumps(entry) + "\n")


def close(paths):
    """Prints a line per suite, then the sum. No suite at all is a failure too."""
    entries = [json.loads(line) for path in paths for line in read_lines(path)]
    for entry in entries:
        words = "{passed} passed, {failed} failed, {skipped} skipped in {seconds} s".format(**entry)
        where = f"  (see {entry['log']})" if entry["failed"] else ""
        print(f"[midan] {entry['name']:<28} {words}{where}")
    total = {key: sum(entry[key] for entry in entries) for key in ("passed", "failed", "skipped")}
    skipped = f", {total['skipped']} skipped" if total["skipped"] else ""
    print(f"{total['passed']} passed, {total['failed']} failed{skipped}")
    return 1 if total["failed"] or not entries else 0


def read_lines(path):
    path = pathlib.Path(path)
    return path.read_text(encoding="utf-8").splitlines() if path.exists() else []


if __name__ == "__main__":
    if sys.argv[1] == "add":
        add(*sys.argv[2:7])
    else:
        sys.exit(close(sys.argv[2:]))
