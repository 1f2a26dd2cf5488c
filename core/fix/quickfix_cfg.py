"""Reads QuickFIX's settings files: `[DEFAULT]`, then one `[SESSION]` for each counterparty.

    [DEFAULT]
    ConnectionType=acceptor
    SocketAcceptPort=9878
    StartTime=00:00:00
    EndTime=00:00:00
    [SESSION]
    BeginString=FIX.4.2
    SenderCompID=ISLD
    TargetCompID=TW42

A pure function from text. What lies in other files, dictionaries and time zones, is given by the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from core.errors import InputError
from core.fix.dialect import Dialect
from core.fix.dictionary import Dictionary
from core.fix.message import FixMessage
from core.fix.quickfix_names import (
    HEADER_KEYS,
    KNOWN,
    OF_INITIATORS,
    ONLY,
    OTHER_KEYS,
    SESSION_KEYS,
    VALIDATION_KEYS,
    WITHOUT_EFFECT,
    WITHOUT_PLACE,
    Key,
    clock,
    nearest,
)
from core.fix.schedule import Schedule, Zone
from core.fix.settings import MESSAGE_BYTES_MAX, EngineConfig, SessionConfig
from core.fix.validation import Validation

_SPELLING: Final = {name.lower(): name for name in KNOWN}
_ROLES: Final = ("acceptor", "initiator")
_NUMBERED: Final = re.compile(r"(SocketConnectHost|SocketConnectPort|LogonTag)(\d{0,3})", re.IGNORECASE)


class Given(NamedTuple):
    """What a settings file does not say by itself: the application, and how to get what lies in other files.

    `dictionary` takes a BeginString or the path in DataDictionary, `zone` a name; both raise InputError. `roles` and
    `versions` are those that it can be: for another one `why_not` says why.
    """

    app: str
    app_messages: tuple[str, ...]
    dictionary: Callable[[str], Dictionary]
    zone: Callable[[str], Zone]
    typed: tuple[type[FixMessage], ...] = ()
    roles: tuple[str, ...] = _ROLES
    versions: tuple[str, ...] = ()
    """Empty is all."""
    why_not: str = ""
    has_added_fields: bool = True
    """Whether sessions may have fields of their own in their headers and Logons."""


class Imported(NamedTuple):
    """The engines of a settings file, at most one of each role; `doors` are where the acceptor listens.

    `remarks` name settings that have no effect here, and say why.
    """

    engines: tuple[EngineConfig, ...]
    doors: tuple[str, ...]
    remarks: tuple[str, ...]


class Line(NamedTuple):
    """A setting and where it stands."""

    number: int
    name: str
    text: str


Section = dict[str, Line]


def read_cfg(text: str, given: Given, file: str = "settings") -> Imported:
    """The engines that a settings file describes. Raises InputError that names every problem, one a line."""
    problems: list[str] = []
    sections = list(_sections(text, problems))
    reader = _Reader(given, problems)
    sessions = [reader.session(line, section) for line, section in sections]
    if not sections and not problems:
        problems.append("line 1: there is no [SESSION]")
    if problems:
        raise InputError("\n".join(f"{file}: {problem}" for problem in dict.fromkeys(problems)))
    return reader.imported([session for session in sessions if session is not None])


def _sections(text: str, problems: list[str]) -> Iterator[tuple[int, Section]]:
    """Each session's settings, with the line where it begins; the defaults are in them."""
    defaults: Section = {}
    found: list[tuple[int, Section]] = []
    current: Section | None = None
    for number, raw in enumerate(text.lstrip("\ufeff").splitlines(), start=1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if line.upper() in ("[DEFAULT]", "[SESSION]"):
            current = defaults if line.upper() == "[DEFAULT]" else {}
            if current is not defaults:
                found.append((number, current))
        elif line.startswith("[") or "=" not in line or current is None:
            problems.append(f"line {number}: expected [DEFAULT], [SESSION] or a setting below it, got {line[:60]!r}")
        else:
            _take(Line(number, *(part.strip() for part in line.split("=", 1))), current, problems)
    return ((number, {**defaults, **section}) for number, section in found)


def _take(line: Line, section: Section, problems: list[str]) -> None:
    match = _NUMBERED.fullmatch(line.name)
    base = match[1].lower() if match else line.name.lower()
    if base not in _SPELLING:
        problems.append(f"line {line.number}: there is no setting {line.name[:60]!r}: {nearest(line.name)}")
        return
    name = _SPELLING[base] + (match[2] if match else "")
    section[name] = Line(line.number, name, line.text)


class _Session(NamedTuple):
    role: str
    config: SessionConfig
    dialect: tuple[str, Dialect]
    door: str


class _Reader:
    def __init__(self, given: Given, problems: list[str]) -> None:
        self.given, self.problems = given, problems
        self.remarks: dict[str, None] = {}
        self.dialects: dict[str, Dialect] = {}
        self.comp_ids: dict[tuple[str, str, str], int] = {}

    def session(self, line: int, section: Section) -> _Session | None:
        """One session; None if it has problems."""
        before = len(self.problems)
        for name, given in section.items():
            self._check_other(name, given)
        keys = self._keys(section, SESSION_KEYS)
        values = {name: self._value(section, name, read) for name, read in OTHER_KEYS.items() if name in section}
        role = str(values.get("ConnectionType", "")).lower()
        if role not in self.given.roles:
            why = f": {self.given.why_not}" if role in _ROLES else ""
            self._wrong(section, "ConnectionType", line, f"expected {' or '.join(self.given.roles)}{why}")
        for name in ("BeginString", "SenderCompID", "TargetCompID"):
            if not (name in section and section[name].text):
                self._wrong(section, name, line, "every session needs one")
        addresses = self._addresses(section)
        if role == "initiator" in self.given.roles and not addresses:
            self._wrong(section, "SocketConnectHost", line, "an initiator needs it, and SocketConnectPort")
        if role == "acceptor":
            self._remark_initiators(section)
        schedule = self._schedule(section, values)
        dialect = self._dialect(section)
        self._check_alone(line, section)
        keys |= self._added(section, dialect[1]) if dialect is not None else {}
        if len(self.problems) > before or dialect is None:
            return None
        keys |= _consequences(keys, values)
        name = f"{keys['sender_comp_id']}->{keys['target_comp_id']}"
        qualifier = values.get("SessionQualifier")
        config = SessionConfig(
            **keys,
            session=f"{name}:{qualifier}" if qualifier else name,
            addresses=addresses,
            schedule=schedule,
            dialect=dialect[0],
        )
        return _Session(role, config, dialect, self._door(values))

    def imported(self, sessions: list[_Session]) -> Imported:
        """The engines of all sessions."""
        engines = []
        for role in _ROLES:
            own = [session for session in sessions if session.role == role]
            if own:
                engine = EngineConfig(
                    role=role,
                    comp_id=own[0].config.sender_comp_id,
                    sessions=tuple(session.config for session in own),
                    app=self.given.app,
                    app_messages=self.given.app_messages,
                    dialects=dict(session.dialect for session in own),
                    logon_timeout=max(session.config.logon_timeout for session in own),
                )
                engines.append(engine)
        doors = dict.fromkeys(session.door for session in sessions if session.role == "acceptor" and session.door)
        return Imported(tuple(engines), tuple(doors), tuple(self.remarks))

    def _check_other(self, name: str, line: Line) -> None:
        if name in ONLY and line.text.upper() not in ONLY[name][0]:
            allowed, why = ONLY[name]
            self._problem(line, f"expected {' or '.join(sorted(allowed))}: {why}")
        elif name in WITHOUT_PLACE:
            self._problem(line, f"there is no such thing here: {WITHOUT_PLACE[name]}")
        elif name in WITHOUT_EFFECT:
            self.remarks[f"{name} has no effect: {WITHOUT_EFFECT[name]}"] = None

    def _remark_initiators(self, section: Section) -> None:
        for name in section:
            match = _NUMBERED.fullmatch(name)
            base = match[1] if match else name
            if base in OF_INITIATORS:
                self.remarks[f"{base} has no effect: {OF_INITIATORS[base]}"] = None

    def _check_alone(self, line: int, section: Section) -> None:
        """Sessions are told apart by their CompIDs."""
        names = ("ConnectionType", "SenderCompID", "TargetCompID")
        role, sender, target = (section[name].text if name in section else "" for name in names)
        first = self.comp_ids.setdefault((role.lower(), sender, target), line)
        if first != line and sender and target:
            what = f"the session of line {first} has these CompIDs too, and sessions are told apart by them"
            self._wrong(section, "TargetCompID", line, what)

    def _keys(self, section: Section, known: Mapping[str, Key]) -> dict[str, Any]:
        given = {key.name: self._value(section, name, key.read) for name, key in known.items() if name in section}
        return {name: value for name, value in given.items() if value is not None}

    def _value(self, section: Section, name: str, read: Callable[[str], Any]) -> Any:
        try:
            return read(section[name].text)
        except ValueError as error:
            self._problem(section[name], str(error))
            return None

    def _addresses(self, section: Section) -> tuple[str, ...]:
        """Hosts and ports with the same number at their end, in the order of these numbers."""
        pairs = []
        for name in section:
            match = _NUMBERED.fullmatch(name)
            if match is None or match[1] != "SocketConnectHost":
                continue
            own_port = f"SocketConnectPort{match[2]}"
            if own_port not in section:
                self._problem(section[name], f"there is no {own_port}")
            elif self._value(section, own_port, OTHER_KEYS["SocketConnectPort"]) is not None:
                pairs.append((int(match[2] or 0), f"{section[name].text}:{section[own_port].text}"))
        return tuple(address for _, address in sorted(pairs))

    def _added(self, section: Section, dialect: Dialect) -> dict[str, Any]:
        """Fields of Logons in the order of their numbers, and those of every header."""
        names = sorted((name for name in section if name.startswith("LogonTag")), key=lambda name: int(name[8:] or 0))
        fields = [self._value(section, name, OTHER_KEYS["LogonTag"]) for name in names]
        header = tuple([(tag, section[name].text) for name, tag in HEADER_KEYS.items() if name in section])
        if not (fields or header) or None in fields:
            return {}
        if not self.given.has_added_fields:
            line = next(section[name] for name in reversed(section) if name in (*names, *HEADER_KEYS))
            self._problem(line, f"there is no such thing here: {self.given.why_not}")
            return {}
        for kind, added, given in (("A", tuple(fields), names), ("", header, [*HEADER_KEYS])):
            fault = dialect.fault_of_added(kind, added, MESSAGE_BYTES_MAX)
            if fault:
                self._problem(next(section[name] for name in reversed(given) if name in section), fault)
        return {"logon_fields": tuple(fields), "header_fields": header}

    def _schedule(self, section: Section, values: Mapping[str, Any]) -> Schedule | None:
        if values.get("NonStopSession"):
            return None
        if not ("StartTime" in section or "EndTime" in section):
            self._check_always_up(section)
            return None
        for name, other in (
            ("StartTime", "EndTime"),
            ("EndTime", "StartTime"),
            ("StartDay", "EndDay"),
            ("EndDay", "StartDay"),
        ):
            if name in section and other not in section:
                self._problem(section[name], f"there is no {other}")
                return None
        if "StartDay" in section and "Weekdays" in section:
            self._problem(section["Weekdays"], "give either Weekdays, or StartDay and EndDay")
        times, zones = [], []
        for name in ("StartTime", "EndTime"):
            time, _, zone = section[name].text.partition(" ")
            times.append(self._value({name: section[name]._replace(text=time)}, name, clock))
            zones.append(zone.strip() or values.get("TimeZone") or "UTC")
        if zones[0] != zones[1]:
            self._problem(section["EndTime"], "StartTime and EndTime must be in one time zone")
        try:
            zone_of = Zone() if zones[0] == "UTC" else self.given.zone(zones[0])
        except InputError as error:
            self._problem(section.get("TimeZone", section["StartTime"]), str(error))
            return None
        if None in times:
            return None
        return Schedule(
            start_time=times[0],
            end_time=times[1],
            start_day=values.get("StartDay"),
            end_day=values.get("EndDay"),
            weekdays=values.get("Weekdays") or (),
            zone=zone_of,
        )

    def _check_always_up(self, section: Section) -> None:
        """Without times a session is always up, which is not what days were given for."""
        for name in ("Weekdays", "StartDay", "EndDay"):
            if name in section:
                self._problem(section[name], "there is no StartTime and no EndTime")
        if "TimeZone" in section:
            self.remarks["TimeZone has no effect: there is no StartTime, so the session is always up"] = None

    def _dialect(self, section: Section) -> tuple[str, Dialect] | None:
        """The dialect that the session speaks, shared with others that speak the same; and its name."""
        line = section.get("DataDictionary") or section.get("BeginString")
        flags = self._keys(section, VALIDATION_KEYS)
        if line is None:
            return None
        name = " ".join([line.text, *(f"{flag}={value}" for flag, value in sorted(flags.items()))])
        if name not in self.dialects:
            try:
                dictionary = self.given.dictionary(line.text)
            except InputError as error:
                self._problem(line, str(error))
                return None
            self.dialects[name] = Dialect(dictionary, Validation(**flags), self.given.typed)
        begin_string = section.get("BeginString")
        spoken = self.dialects[name].begin_string
        if begin_string is not None and begin_string.text != spoken:
            self._problem(begin_string, f"the dictionary is of {spoken}")
        elif self.given.versions and spoken not in self.given.versions:
            self._problem(line, f"expected {' or '.join(self.given.versions)}: {self.given.why_not}")
        return name, self.dialects[name]

    def _door(self, values: Mapping[str, Any]) -> str:
        host = values.get("SocketAcceptHost") or values.get("SocketAcceptAddress") or "0.0.0.0"  # noqa: S104  # as QuickFIX
        return f"{host}:{values['SocketAcceptPort']}" if values.get("SocketAcceptPort") else ""

    def _wrong(self, section: Section, name: str, line: int, what: str) -> None:
        self._problem(section.get(name, Line(line, name, "")), what)

    def _problem(self, line: Line, what: str) -> None:
        given = f", got {line.text[:60]!r}" if line.text else ""
        self.problems.append(f"line {line.number}: {line.name}: {what}{given}")


def _consequences(keys: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """What some settings mean for others."""
    found = {"kept_messages_max": 0} if values.get("PersistMessages") is False else {}
    if "reconnect_interval" in keys:
        found["reconnect_interval_max"] = keys["reconnect_interval"]
    return found
