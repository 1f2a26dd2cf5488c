"""How a venue speaks FIX with each of its members: what it has for all, what a member has differently, the defaults.

A member's session is made of three layers; a key counts from the first that has it. Dictionaries and time zones are
part of the configuration, so that a journal replays wherever it is taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, Final

import msgspec

from core.config import DictionaryText, Duration, MemberConfig, ScheduleConfig, SessionOptions, VenueConfig, Weekday
from core.errors import RomerError
from core.faults import Fault, KeyPath, unknown
from core.fix.dialect import Dialect
from core.fix.dictionary import Dictionary, build
from core.fix.dictionary_text import read_text
from core.fix.messages import MESSAGES
from core.fix.schedule import Schedule, Zone
from core.fix.settings import HEARTBEAT_SECONDS_MAX, SessionConfig
from core.fix.shipped import venue_dictionary
from core.fix.tags import ORDER_SIGNATURE
from core.fix.validation import Validation
from core.identity.orders import SIGNED_TYPES
from core.units import SECOND, format_duration

VERSION: Final = "FIX.4.2"
"""What the venue speaks, by the dictionary that comes with Romer or by another one."""
WEEKDAYS: Final[tuple[Weekday, ...]] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UTC: Final = "UTC"
_OF_SESSION: Final = frozenset(info.name for info in msgspec.structs.fields(SessionConfig))
_OF_VALIDATION: Final = frozenset(info.name for info in msgspec.structs.fields(Validation))
_BOUNDS: Final = {"heartbeat_interval_min": 0, "heartbeat_interval_max": HEARTBEAT_SECONDS_MAX * SECOND}
_SPANS: Final = ("logout_timeout", "latency_max", "resend_timeout", "heartbeat_interval_max")
"""Of no length they make a session impossible."""


def session_of(config: VenueConfig, member: MemberConfig) -> SessionConfig:
    """The session of a member of a venue that has no `session_faults`."""
    chosen = _chosen(config, member)
    schedule = chosen.pop("schedule", None)
    comp_id = chosen.pop("target_comp_id", member.id)
    return SessionConfig(
        target_comp_id=comp_id,
        session=member.id if comp_id != member.id else "",
        schedule=_schedule(schedule, config) if schedule is not None else None,
        dialect=_dialect_name(chosen),
        **{name: _plain(value) for name, value in chosen.items() if name in _OF_SESSION},
    )


def dialects_of(config: VenueConfig) -> Mapping[str, Dialect]:
    """What its sessions speak, by the names that they give it; sessions that speak alike share it."""
    found = {}
    for member in config.members:
        chosen = _chosen(config, member)
        if name := _dialect_name(chosen):
            text = config.dictionaries.get(chosen.get("dictionary", VERSION))
            found[name] = _dialect(text, Validation(**_strictness(chosen)))
    return found


def session_faults(config: VenueConfig) -> Iterator[Fault]:
    """What keeps its sessions from being as they are configured. The fault of a default is at the default."""
    yield from _dictionary_faults(config)
    shared: KeyPath = ("fix", "session")
    yield from _option_faults(shared, config.fix.session, config)
    yield from _bound_faults(shared, config.fix.session, _given(config.fix.session))
    owners: dict[tuple[str, str], str] = {}
    for index, member in enumerate(config.members):
        path: KeyPath = ("members", index, "session")
        yield from _option_faults(path, member.session, config)
        yield from _bound_faults(path, member.session, _chosen(config, member))
        yield from _signing_faults(path, member, config)
        comp_ids = member.session.target_comp_id or member.id, member.session.sender_comp_id or config.fix.comp_id
        for comp_id in comp_ids:
            if "\x01" in comp_id or max(comp_id, default="") > "\xff":
                yield Fault(path, f'"{comp_id}" is no CompID', "a CompID has Latin-1 characters")
        owner = owners.setdefault(comp_ids, member.id)
        if owner != member.id:
            yield Fault(path, f'"{owner}" has the CompIDs {comp_ids[0]} and {comp_ids[1]} too')


# --- what a session is made of -------------------------------------------------------------------


def _chosen(config: VenueConfig, member: MemberConfig) -> dict[str, Any]:
    """The keys that the venue or the member sets, with their values."""
    return {**_given(config.fix.session), **_given(member.session)}


def _given(options: SessionOptions) -> dict[str, Any]:
    values = {info.name: getattr(options, info.name) for info in msgspec.structs.fields(options)}
    return {name: value for name, value in values.items() if value is not None}


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, Duration) else value


def _strictness(chosen: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in chosen.items() if name in _OF_VALIDATION}


def _dialect_name(chosen: Mapping[str, Any]) -> str:
    """Empty for the venue's own."""
    flags = [f"{name}={value}" for name, value in sorted(_strictness(chosen).items())]
    dictionary = chosen.get("dictionary", VERSION)
    return " ".join([dictionary, *flags]) if flags or dictionary != VERSION else ""


@lru_cache(maxsize=64)
def _dialect(text: DictionaryText | None, validation: Validation) -> Dialect:
    return Dialect(_dictionary(text) if text is not None else venue_dictionary(), validation, MESSAGES)


@lru_cache(maxsize=64)
def _dictionary(text: DictionaryText) -> Dictionary:
    return build(read_text(text.begin_string, text.fields, text.messages))


def _schedule(config: ScheduleConfig, venue: VenueConfig) -> Schedule:
    day = {name: number for number, name in enumerate(WEEKDAYS)}
    return Schedule(
        start_time=int(config.start_time),
        end_time=int(config.end_time),
        start_day=day[config.start_day] if config.start_day else None,
        end_day=day[config.end_day] if config.end_day else None,
        weekdays=tuple(sorted({day[name] for name in config.weekdays})),
        zone=Zone() if config.time_zone == _UTC else venue.zones[config.time_zone],
    )


# --- what is wrong with it -----------------------------------------------------------------------


def _dictionary_faults(config: VenueConfig) -> Iterator[Fault]:
    for name, text in config.dictionaries.items():
        path: KeyPath = ("dictionaries", name)
        if name == VERSION:
            yield Fault(path, "is the name of a dictionary that comes with Romer", "call it otherwise")
        if text.begin_string != VERSION:
            yield Fault(path, f"is of {text.begin_string}: orders and reports are those of {VERSION}")
            continue
        try:
            missing = [kind for kind in map(_msg_type, MESSAGES) if kind not in _dictionary(text).messages]
        except (RomerError, ValueError, KeyError) as error:
            yield Fault(path, f"cannot be used: {error}")
            continue
        if missing:
            yield Fault(path, f"lacks messages that the venue takes or sends: MsgType {', '.join(missing)}")


def _signing_faults(path: KeyPath, member: MemberConfig, config: VenueConfig) -> Iterator[Fault]:
    """Whoever signs orders needs a dictionary that has their signature; one that cannot be read has its own fault."""
    name = _chosen(config, member).get("dictionary", VERSION)
    if member.key is None or member.key.signing != "order" or name not in config.dictionaries:
        return
    with suppress(RomerError, ValueError, KeyError):
        known = _dictionary(config.dictionaries[name]).messages
        if lacking := [kind for kind in sorted(SIGNED_TYPES) if ORDER_SIGNATURE not in known[kind].body.members]:
            problem = f'"{name}" has no OrderSignature({ORDER_SIGNATURE}) in {", ".join(lacking)}'
            yield Fault((*path, "dictionary"), problem, f"{member.id} signs each order: add it, with its length")


def _msg_type(message: Any) -> str:
    return str(message.MSG_TYPE)


def _option_faults(path: KeyPath, options: SessionOptions, config: VenueConfig) -> Iterator[Fault]:
    known = (VERSION, *config.dictionaries)
    if options.dictionary is not None and options.dictionary not in known:
        yield unknown((*path, "dictionary"), "dictionary", options.dictionary, known, ("dictionaries",))
    for name in _SPANS:
        if getattr(options, name) == 0:
            yield Fault((*path, name), "must be above zero, got 0s")
    if options.schedule is not None:
        yield from _schedule_faults((*path, "schedule"), options.schedule, config)


def _schedule_faults(path: KeyPath, schedule: ScheduleConfig, config: VenueConfig) -> Iterator[Fault]:
    if (schedule.start_day is None) != (schedule.end_day is None):
        there, missing = ("start_day", "end_day") if schedule.start_day else ("end_day", "start_day")
        yield Fault((*path, there), f"there is no {missing}")
    if schedule.weekdays and (schedule.start_day or schedule.end_day):
        yield Fault((*path, "weekdays"), "give either weekdays, or start_day and end_day")
    if schedule.time_zone != _UTC and schedule.time_zone not in config.zones:
        hint = 'give a name of the tz database, such as "Europe/Berlin"; a scenario knows UTC alone'
        yield Fault((*path, "time_zone"), f'there is no time zone "{schedule.time_zone}"', hint, (("zones",),))


def _bound_faults(path: KeyPath, options: SessionOptions, chosen: Mapping[str, Any]) -> Iterator[Fault]:
    """The bounds of HeartBtInt, where `options` has one of them."""
    own = [name for name in _BOUNDS if getattr(options, name) is not None]
    if not own:
        return
    least, most = (chosen.get(name, default) for name, default in _BOUNDS.items())
    if most > HEARTBEAT_SECONDS_MAX * SECOND:
        yield Fault((*path, own[-1]), f"HeartBtInt is at most {HEARTBEAT_SECONDS_MAX}s, got {format_duration(most)}")
    elif least > most:
        yield Fault((*path, own[0]), f"no HeartBtInt is from {format_duration(least)} to {format_duration(most)}")
