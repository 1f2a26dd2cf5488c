"""What a venue file names and its configuration has in full: FIX dictionaries, and the time zones of schedules.

A journal's header holds the configuration, so that the journal replays on a machine that has neither the files nor
the same tz database.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import msgspec

from core.errors import InputError
from core.faults import Fault, KeyPath, shown
from core.fix.dictionary import Source, build
from core.fix.dictionary_text import field_words, message_words
from core.fix.shipped import source
from core.sessions import VERSION
from live.fix_files import load_source
from live.zones import compile_zone

_UTC: Final = "UTC"


def with_dictionaries(data: dict[str, Any], folder: Path) -> Iterator[Fault]:
    """Put each dictionary's text where its path is, and find those that cannot be used."""
    venue = _table(data, "venue")
    dictionaries = _table(venue, "dictionaries")
    for name, file in list(dictionaries.items()):
        path: KeyPath = ("venue", "dictionaries", name)
        try:
            found = _read(file, folder)
        except InputError as error:
            found = source(VERSION)  # so that nothing else is found wrong with it
            yield Fault(path, error.message, error.hint)
        dictionaries[name] = _text(found)


def with_zones(data: dict[str, Any]) -> Iterator[Fault]:
    """Add the table of every time zone that a schedule names; those that there are not are left out."""
    venue = _table(data, "venue")
    if "zones" in venue:
        yield Fault(("venue", "zones"), "schedules name their time zones themselves", "leave it out")
    members = venue.get("members")
    options = [_table(_table(venue, "fix"), "session")]
    options += [_table(member, "session") for member in members] if isinstance(members, list) else []
    zones = {}
    for name in dict.fromkeys(str(_table(each, "schedule").get("time_zone", _UTC)) for each in options):
        with suppress(InputError):  # of the schedule's own
            zones[name] = msgspec.to_builtins(compile_zone(name))
    zones.pop(_UTC, None)
    if zones or "zones" in venue:
        venue["zones"] = zones


def _table(data: object, key: str) -> dict[str, Any]:
    """The table at `key`; an empty one where there is none, or something else."""
    found = data.get(key) if isinstance(data, dict) else None
    return found if isinstance(found, dict) else {}


def _read(file: object, folder: Path) -> Source:
    if not isinstance(file, str):
        raise InputError(f"expected the path of a dictionary in QuickFIX's format, got {shown(file)}")
    found = load_source(str(folder / file))
    build(found)
    return found


def _text(written: Source) -> dict[str, str]:
    fields, messages = " ".join(field_words(written)), " ".join(message_words(written))
    return {"begin_string": written.begin_string, "fields": fields, "messages": messages}
