"""Runs what docker-compose.yml would run, without a container engine: each service's own command
line, settings and mounted files, as far as its program can be had on this machine.

Prints a line per test. Prometheus scrapes the metric contract (dashboards/prometheus/metrics.prom), so
that rules and dashboards are judged on every metric there is; the service itself is held to the same list.
"""

import http.server
import json
import os
import pathlib
import re
import sys
import tempfile
import threading
import urllib.error
import urllib.parse
import urllib.request

from compose_file import ROOT, SECRET
from compose_stack import TOOLS, Kafka, Stack, free_port, get, run, until

CONTRACT = ROOT / "dashboards/prometheus/metrics.prom"
PROMETHEUS = ROOT / "dashboards/prometheus"
PROGRAMS = TOOLS / "prometheus"
failures = []


def test(name):
    """Runs the decorated function at once, as one test."""

    def runs(body):
        try:
            body()
            print(f"ok - {name}", flush=True)
        except Exception as error:  # noqa: BLE001 - whatever went wrong is the test's failure
            failures.append(name)
            print(f"not ok - {name}\n    {type(error).__name__}: {error}", flush=True)

    return runs


def names(exposition):
    """Metric names of an exposition: those that stand after TYPE."""
    return set(re.findall(r"^# TYPE (\S+)", exposition, re.M))


class Contract(http.server.BaseHTTPRequestHandler):
    """Answers /metrics with the metric contract, or with a ledger that is off."""

    imbalance = "0"

    def do_GET(self):
        text = re.sub(r"^(midan_ledger_imbalance\{.*\}) 0$", rf"\1 {self.imbalance}", CONTRACT.read_text(), flags=re.M)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


def files():
    """What the files say before anything runs."""

    @test("promtool accepts prometheus.yml and the rules it names")
    def _():
        run([PROGRAMS / "promtool", "check", "config", PROMETHEUS / "prometheus.yml"])
        run([PROGRAMS / "promtool", "check", "rules", "--lint-fatal", PROMETHEUS / "rules/midan.rules.yml"])

    @test("promtool accepts the names and units of all metrics")
    def _():
        run([PROGRAMS / "promtool", "check", "metrics"], input=CONTRACT.read_text())

    @test("every alert is tested both firing and not firing")
    def _():
        rules = (PROMETHEUS / "rules/midan.rules.yml").read_text()
        tests = (PROMETHEUS / "rules/midan.test.yml").read_text()
        for alert in re.findall(r"alert: (\w+)", rules):
            seen = re.findall(rf"alertname: {alert}\n +eval_time: \w+\n +exp_alerts:( \[\])?", tests)
            assert "" in seen and " []" in seen, f"{alert} lacks a test in which it {'fires' if ' []' in seen else 'is quiet'}"

    @test("rules and dashboard name only metrics that exist, and the dashboard shows each")
    def _():
        known = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names(CONTRACT.read_text())}
        rules = (PROMETHEUS / "rules/midan.rules.yml").read_text()
        shown = " ".join([rules, *(expression for _, expression in queries())])
        used = {re.sub(r"_(bucket|sum|count)$", "", name) for name in re.findall(r"\bmidan_[a-z_]+\b", shown)}
        assert used <= known, f"unknown: {sorted(used - known)}"
        assert known <= used, f"shown nowhere: {sorted(known - used)}"

    @test("critical alerts go to the one on call, the others to operations")
    def _():
        for severity, receiver in (("critical", "on-call"), ("warning", "operations")):
            words = ["config", "routes", "test", f"--config.file={PROMETHEUS / 'alertmanager.yml'}"]
            found = run([PROGRAMS / "amtool", *words, "alertname=Any", f"severity={severity}"]).stdout.strip()
            assert found == receiver, f"{severity} goes to {found}"


def queries():
    """(panel, expression) of the Grafana dashboards, for all venues."""
    for file in sorted((ROOT / "dashboards/grafana/dashboards").glob("*.json")):
        for panel in json.loads(file.read_text())["panels"]:
            for target in panel["targets"]:
                yield panel["title"], target["expr"].replace("$venue", ".+")


def watching(stack):
    """Prometheus and Alertmanager, from a scrape to a call."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", stack.ports["8030"]), Contract)
    threading.Thread(target=server.serve_forever, daemon=True).start()

    def ask(path, **words):
        return json.loads(get(stack.url("9090", path) + "?" + urllib.parse.urlencode(words)))["data"]

    @test("Prometheus starts with the very file that is mounted")
    def _():
        port = free_port()
        flags = [f"--config.file={PROMETHEUS / 'prometheus.yml'}", f"--storage.tsdb.path={stack.folder / 'untranslated'}"]
        process = stack.start("untranslated", [PROGRAMS / "prometheus", *flags, f"--web.listen-address=127.0.0.1:{port}"])
        until("/-/ready", lambda: get(f"http://127.0.0.1:{port}/-/ready"))
        process.terminate()

    @test("Alertmanager and Prometheus start with their command lines and find each other")
    def _():
        stack.start("alertmanager", [PROGRAMS / "alertmanager", *stack.command("alertmanager")])
        command = stack.command("prometheus")
        quicken(stack.folder / "prometheus")
        stack.start("prometheus", [PROGRAMS / "prometheus", *command])
        until("Alertmanager", lambda: get(stack.url("9093", "/-/ready")))
        until("Prometheus", lambda: get(stack.url("9090", "/-/ready")))
        until("Alertmanager to be found", lambda: ask("/api/v1/alertmanagers")["activeAlertmanagers"])
        flags = ask("/api/v1/status/flags")
        assert flags["storage.tsdb.retention.time"] == "30d", flags["storage.tsdb.retention.time"]

    @test("the service's metrics are scraped")
    def _():
        until("the target to be up", lambda: up(ask))

    @test("every rule evaluates")
    def _():
        rules = until("all rules", lambda: evaluated(ask))
        ill = {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"}
        assert not ill, ill

    @test("every panel of the dashboard shows something")
    def _():
        def empty():
            return sorted({title for title, query in queries() if not ask("/api/v1/query", query=query)["result"]})

        until("all panels to have data", lambda: not empty(), lambda: f"empty: {empty()}")

    @test("an event unaccounted for reaches the one on call")
    def _():
        Contract.imbalance = "1"
        alert = until("the alert", lambda: alerts(stack, "MidanLedgerImbalance"))[0]
        assert [receiver["name"] for receiver in alert["receivers"]] == ["on-call"], alert

    @test("a service that is down silences what it no longer reports")
    def _():
        down = json.dumps([{"labels": {"alertname": "MidanDown", "severity": "critical"}}]).encode()
        post(stack.url("9093", "/api/v2/alerts"), down)
        until("the silence", lambda: [a for a in alerts(stack, "MidanLedgerImbalance") if a["status"]["inhibitedBy"]])

    server.shutdown()


def quicken(folder):
    """Every ten seconds becomes every two, in the test's copy."""
    (file,) = folder.rglob("prometheus.yml")
    file.write_text(file.read_text().replace(": 10s", ": 2s").replace(": 5s", ": 2s"))


def up(ask):
    targets = ask("/api/v1/targets")["activeTargets"]
    return targets and all(target["health"] == "up" for target in targets)


def evaluated(ask):
    rules = [rule for group in ask("/api/v1/rules")["groups"] for rule in group["rules"]]
    return [] if any(rule["health"] == "unknown" for rule in rules) else rules


def alerts(stack, name):
    found = json.loads(get(stack.url("9093", "/api/v2/alerts")))
    return [alert for alert in found if alert["labels"]["alertname"] == name]


def post(url, body):
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        return answer.read().decode()


def log_of_record(stack):
    """Kafka with the environment of the compose file, then Midan on it."""
    kafka = Kafka(stack)
    inside, outside = (f"127.0.0.1:{stack.ports[port]}" for port in ("9092", "9094"))

    @test("Kafka starts from its environment as the image would read it")
    def _():
        kafka.configure()
        kafka.start()
        until("the broker", lambda: "Kafka Server started" in stack.log("kafka"))

    @test("Kafka answers its health check, inside and from this machine")
    def _():
        program, *words = [stack.local(word) for word in stack.services["kafka"]["healthcheck"]["test"][1:]]
        assert program.endswith("/kafka-topics.sh"), program
        kafka.tool("org.apache.kafka.tools.TopicCommand", *words)
        kafka.tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", outside, "--list")

    @test("Kafka runs with every setting it was given, and knows each")
    def _():
        words = ["--bootstrap-server", inside, "--entity-type", "brokers", "--entity-name", "1", "--describe", "--all"]
        told = kafka.tool("kafka.admin.ConfigCommand", *words)
        running = dict(re.findall(r"^\s+([a-z.]+)=(.*?) sensitive=", told, re.M))
        for key, value in kafka.settings.items():
            if key.startswith("KAFKA_") and key != "KAFKA_HEAP_OPTS":
                name = key.removeprefix("KAFKA_").lower().replace("_", ".")
                assert running.get(name) == value, f"{name} is {running.get(name)}, not {value}"

    midan = os.environ.get("MIDAN_BIN", "")
    if not os.access(midan, os.X_OK):
        print("ok - Midan makes its topics and runs on this broker # SKIP no program in MIDAN_BIN", flush=True)
        return
    environment = os.environ | stack.environment("midan")

    @test("Midan makes its topics")
    def _():
        run([midan, *stack.command("topics")], env=environment, cwd=ROOT)
        listed = kafka.tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", inside, "--list")
        assert {"feeds.sensors", "midan.alerts", "midan.state"} <= set(listed.split()), listed

    @test("Midan runs on this broker and answers its health check")
    def _():
        process = stack.start("midan", [midan, *stack.command("midan")], env=environment, cwd=ROOT)
        dockerfile = (ROOT / "Dockerfile").read_text()
        health = [stack.local(word) for word in json.loads(re.search(r"HEALTHCHECK[^\[]*(\[.*\])", dockerfile)[1])]
        assert health[0] == "midan", health
        ready = [midan, *health[1:]]
        until("readiness", lambda: run(ready, env=environment, cwd=ROOT), lambda: stack.log("midan")[-2000:])
        assert process.poll() is None, stack.log("midan")[-2000:]

    @test("Midan exposes only metrics of the contract, and asks for its token")
    def _():
        told = names(get(stack.url("8030", "/metrics")))
        known = names(CONTRACT.read_text())
        own = {name for name in told if name.startswith("midan_")}
        assert own and own <= known, f"not in dashboards/prometheus/metrics.prom: {sorted(own - known)}"
        get(stack.url("8030", f"/api/v1/status?token={SECRET}"))
        try:
            get(stack.url("8030", "/api/v1/status"))
        except urllib.error.HTTPError as error:
            assert error.code == 401, error.code
        else:
            raise AssertionError("the API answers without a token")


if __name__ == "__main__":
    files()
    for part in (watching, log_of_record):
        with tempfile.TemporaryDirectory(prefix="midan-compose-") as folder, Stack(pathlib.Path(folder)) as running:
            part(running)
    sys.exit(bool(failures))
