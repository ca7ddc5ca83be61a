"""What is asked of a script of this folder: arguments, and the words in which they are refused.

The idea: whoever mistypes a folder or a date reads one line that says what is wrong and what to do, and the script
ends with 2. What is none of these is a fault of ours and keeps its traceback.
"""

import argparse
import difflib
import sys
import tomllib
import zoneinfo
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path


class Refused(Exception):
    """What is wrong with what was asked, and what to do, in one line."""


class Arguments(argparse.ArgumentParser):
    """A parser that says what is wrong in one line, and shows a module's docstring as it stands."""

    def __init__(self, description: str):
        super().__init__(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)

    def error(self, message: str) -> None:
        """Ends the script."""
        self.exit(2, f"{self.prog}: {message} (--help says how it is used)\n")


def told(main: Callable) -> None:
    """Runs a script; a refusal is a line on standard error and the exit code 2."""
    try:
        main()
    except Refused as why:
        print(f"{Path(sys.argv[0]).name}: {why}", file=sys.stderr)
        sys.exit(2)


def date(text: str) -> float:
    """A date or time, UTC where it names no offset, as seconds since 1970."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is no date: write it as 2030-06-16') from None
    return (at if at.tzinfo else at.replace(tzinfo=timezone.utc)).timestamp()


def day(at_s: float) -> str:
    """The date of a moment, UTC, as `date` reads it."""
    return datetime.fromtimestamp(at_s, timezone.utc).strftime("%Y-%m-%d")


def zone(text: str) -> zoneinfo.ZoneInfo:
    """An IANA zone."""
    try:
        return zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        near = difflib.get_close_matches(text, zoneinfo.available_timezones())
        nearest = f"; the nearest are {', '.join(near)}" if near else ", such as Europe/Zurich"
        raise argparse.ArgumentTypeError(f'"{text}" is no IANA time zone{nearest}') from None


def positive(text: str) -> int:
    """A whole number above nought."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f'"{text}" is no whole number above 0')
    return int(text)


def seed(text: str) -> int:
    """A whole number from which chance begins."""
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f'"{text}" is no whole number from 0 to {2**32 - 1}')
    return int(text)


def file(text: str) -> Path:
    """A file that is there, and may be read more than once."""
    if not Path(text).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {text}")
    return Path(text)


def folder(text: str) -> Path:
    """A folder that is there."""
    if not Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"there is no folder {text}")
    return Path(text)


def toml(path: Path) -> dict:
    """What a TOML file says."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as why:
        raise Refused(f"{path} cannot be read as TOML: {why}") from None
