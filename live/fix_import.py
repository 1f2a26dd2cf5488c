"""`romer-live fix import`: the acceptor of a QuickFIX settings file, as a venue file.

What all sessions share stands in `[venue.fix.session]`, what one has differently beside its member. A settings file
says nothing of a market, so the venue gets one pair and an auction to begin with.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, count
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from core.config import Clock, SessionOptions, encode_custom
from core.errors import InputError
from core.fix.dictionary import Dictionary
from core.fix.messages import MESSAGES
from core.fix.quickfix_cfg import Given, Imported, read_cfg
from core.fix.schedule import Schedule
from core.fix.settings import SessionConfig
from core.fix.shipped import SHIPPED
from core.fix.validation import Validation
from core.sessions import VERSION, WEEKDAYS
from core.units import format_duration
from live.fix_files import load_dictionary, near, read_settings
from live.venue_file import judge
from live.zones import compile_zone

_WHY_NOT: Final = "a venue waits for its members, and its orders and reports are those of FIX.4.2"
_UNFIT: Final = re.compile(r"[^A-Za-z0-9_.-]")
_NAME_CHARS_MAX: Final = 32
_SPANS: Final = frozenset(["latency_max", "logout_timeout"])
_DEFAULTS: Final = {
    info.name: info.default for kind in (SessionConfig, Validation) for info in msgspec.structs.fields(kind)
}
VENUE: Final = "venue"
"""The venue's own name."""
_MARKET: Final = """\

# The market. A settings file says nothing of it: write your own.

[venue.sequencer]
batch_window = "500ms"

[venue.auction]
bond_token = "USDC"
default_penalty = "100"

[[venue.pairs]]
symbol = "ETHUSDC"
base = { id = "ETH", decimals = 8 }
quote = { id = "USDC", decimals = 6 }
tick = "0.01"
lot = "0.0001"
quantity_max = "1000"
"""

Options = dict[str, Any]
"""Keys of a session as a venue file has them."""


class Venue(NamedTuple):
    """The text of a venue file, and what is to be said about the settings that it was made of."""

    text: str
    remarks: tuple[str, ...]


def import_cfg(file: Path, folder: Path) -> Venue:
    """The venue file, for `folder`, of a QuickFIX settings file.

    Raises InputError that names every setting that cannot be kept, with its line and what there is instead.
    """
    paths: dict[Dictionary, str] = {}

    def dictionary(name: str) -> Dictionary:
        found = load_dictionary(near(file, name))
        paths[found] = "" if near(file, name) in SHIPPED else os.path.relpath(near(file, name), folder)
        return found

    given = Given(
        "sequencer",
        (),
        dictionary,
        compile_zone,
        MESSAGES,
        roles=("acceptor",),
        versions=(VERSION,),
        why_not=_WHY_NOT,
        has_added_fields=False,
    )
    imported = read_cfg(read_settings(file), given, str(file))
    text = _Writer(imported, paths).text(file.name)
    _, problems = judge(tomllib.loads(text), folder)
    if problems:
        raise InputError("\n".join(f"{file}: as a venue: {problem}" for problem in problems))
    return Venue(text, imported.remarks)


class _Writer:
    def __init__(self, imported: Imported, paths: Mapping[Dictionary, str]) -> None:
        (self.engine,) = imported.engines
        self.door = _one_door(imported)
        self.paths = paths
        files = sorted({path for path in paths.values() if path})
        self.names = dict(zip(files, _names([Path(path).stem for path in files], (VERSION,)), strict=True))

    def text(self, source: str) -> str:
        """The whole file."""
        engine = self.engine
        (comp_id,) = _names([engine.comp_id], ())
        options = [self._options(session) for session in engine.sessions]
        shared = {key: value for key, value in options[0].items() if all(one.get(key) == value for one in options)}
        lines = [f"# Made of {json.dumps(source)} by `romer-live fix import`."]
        lines += _table("listen", {"fix": self.door} if self.door else {})
        lines += ["", "[venue]", "solvers = []"]
        lines += _table("venue.doors", {"logon_timeout": format_duration(engine.logon_timeout)})
        lines += _table("venue.fix", {"comp_id": comp_id})
        lines += _session("venue.fix.session", shared)
        lines += _table("venue.dictionaries", {name: path for path, name in self.names.items()})
        ids = _names([session.target_comp_id for session in engine.sessions], (VENUE, comp_id))
        for own, name, session in zip(options, ids, engine.sessions, strict=True):
            differing = {key: value for key, value in own.items() if key not in shared}
            differing |= {"target_comp_id": session.target_comp_id} if session.target_comp_id != name else {}
            differing |= {"sender_comp_id": session.sender_comp_id} if session.sender_comp_id != comp_id else {}
            lines += ["", "[[venue.members]]", f"id = {_value(name)}"]
            lines += _session("venue.members.session", differing)
        return "\n".join(lines) + "\n" + _MARKET

    def _options(self, session: SessionConfig) -> Options:
        """What a session has differently from the defaults."""
        dialect = self.engine.dialects[session.dialect]
        policy = msgspec.structs.asdict(dialect.validator.policy)
        given = {**msgspec.structs.asdict(session), **policy, "dictionary": None, "schedule": None}
        options = {key: given[key] for key in SessionOptions.__struct_fields__ if given[key] != _DEFAULTS.get(key)}
        options = {key: format_duration(value) if key in _SPANS else value for key, value in options.items()}
        path = self.paths[dialect.dictionary]
        options |= {"dictionary": self.names[path]} if path else {}
        return options | ({"schedule": _schedule(session.schedule)} if session.schedule is not None else {})


def _one_door(imported: Imported) -> str:
    if len(imported.doors) > 1:
        raise InputError(
            f"the sessions are accepted on {' and '.join(imported.doors)}, and a venue has one FIX door",
            "give all of them one SocketAcceptPort",
        )
    return "".join(imported.doors)


def _names(wanted: Sequence[str], taken: Iterable[str]) -> list[str]:
    """A name like each of the wanted ones, which need not be names, that nothing else has."""
    used, names = set(taken), []
    for text in wanted:
        stem = _UNFIT.sub("-", text).lstrip("_.-")[:_NAME_CHARS_MAX] or "member"
        tries = chain([stem], (f"{stem[: _NAME_CHARS_MAX - 5]}-{number}" for number in count(2)))
        name = next(each for each in tries if each not in used)
        used.add(name)
        names.append(name)
    return names


def _schedule(schedule: Schedule) -> Options:
    days = {"start_day": schedule.start_day, "end_day": schedule.end_day}
    return {
        "start_time": encode_custom(Clock(schedule.start_time)),
        "end_time": encode_custom(Clock(schedule.end_time)),
        **{key: WEEKDAYS[day] for key, day in days.items() if day is not None},
        **({"weekdays": [WEEKDAYS[day] for day in schedule.weekdays]} if schedule.weekdays else {}),
        "time_zone": schedule.zone.name,
    }


def _session(title: str, options: Options) -> list[str]:
    plain = {key: value for key, value in options.items() if key != "schedule"}
    return [*_table(title, plain), *_table(f"{title}.schedule", options.get("schedule", {}))]


def _table(title: str, values: Options) -> list[str]:
    """A table of TOML; nothing for nothing."""
    if not values:
        return []
    return ["", f"[{title}]", *(f"{_key(key)} = {_value(value)}" for key, value in values.items())]


def _key(name: str) -> str:
    return name if _UNFIT.search(name) is None and "." not in name else _value(name)


def _value(value: object) -> str:
    """A text, number, truth or list of them: written in JSON, it is TOML."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
