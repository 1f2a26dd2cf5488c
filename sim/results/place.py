"""Where results go: a directory of runs, in which each result appears whole under its name, or not at all.

Several processes may write below one directory. Each works in a directory of its own, and only whole results are
moved to where they belong, so whoever finishes last has the place and nobody ever loses what was not replaced.
"""

from __future__ import annotations

import shutil
from errno import EEXIST, ENOTEMPTY
from pathlib import Path
from secrets import token_hex
from typing import Final

from core.errors import InputError

UNFINISHED: Final = "unfinished"
FAILED: Final = "failed"
_REPLACED: Final = "replaced"


def start(runs: Path) -> Path:
    """A new directory below `runs`, with the rights that the user's umask leaves, for a result to be written to."""
    place = runs / f"{UNFINISHED}-{token_hex(4)}"
    place.mkdir(parents=True)
    return place


def publish(written: Path, place: Path) -> None:
    """Move the directory `written` to `place`, instead of an equal result that is there already.

    Safe for several processes that publish to one place at the same time. Raises InputError, and leaves
    `written` as it is, when it cannot be moved there.
    """
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        while not _take(written, place):
            _clear(place)
    except OSError as error:
        raise InputError(f"{place}: {error.strerror}", f"the result is whole, in {written}") from None


def give_up(place: Path, evidence: str) -> None:
    """Keep a directory whose run failed if there is `evidence` in it, under a name that says so."""
    if abandon(place, evidence):
        place.rename(place.with_name(place.name.replace(UNFINISHED, FAILED, 1)))


def abandon(place: Path, evidence: str) -> bool:
    """Remove a directory that nothing more comes to, unless there is `evidence` in it; say whether it is left."""
    if (place / evidence).exists():
        return True
    place.rmdir()
    return False


def _take(written: Path, place: Path) -> bool:
    try:
        written.rename(place)
    except OSError as error:
        if error.errno in (EEXIST, ENOTEMPTY):
            return False
        raise
    return True


def _clear(place: Path) -> None:
    """Move what is at `place` out of the way at once, and only then remove it: others may want the place as well."""
    aside = place.with_name(f"{_REPLACED}-{token_hex(4)}")
    try:
        place.rename(aside)
    except FileNotFoundError:
        return  # somebody else was faster
    shutil.rmtree(aside, ignore_errors=True)
