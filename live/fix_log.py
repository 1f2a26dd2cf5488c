"""Messages out of files: raw FIX logs, with whatever stands between the messages, and journals of nodes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from core.errors import InputError
from core.fix.codec import SOH, Garbled, WireMessage, decode
from core.fix.dictionary import Dictionary
from core.fix.framer import Framer
from core.fix.readable import ReadableMessage, Reader
from core.fix.shipped import SHIPPED, dictionary, venue_dictionary
from core.fix.tags import BEGIN_STRING, DATA_LENGTHS, TEXT
from core.fix.values import ENCODING
from core.kernel.journal import MAGIC
from live.journal.files import open_reader, segment_paths

Lengths: TypeAlias = Mapping[int, int]
_BYTES_MAX: Final = 1 << 20
_FIELDS_MAX: Final = 100_000
_SEPARATOR: Final = re.compile(rb"8=FIX[^|^\x01]{1,8}(\||\^A|<SOH>|\x01)9=")
_STDIN: Final = Path("-")
_CHUNK: Final = 1 << 20
_LINE_END: Final = re.compile(rb"\x01\r?\n")
_LAST_FIELD: Final = re.compile(rb"(\x0110=\d{3})\r?\n?\Z")
_MSG_TYPE_CHARS_MAX: Final = 4
_TIME: Final = re.compile(r"\d{1,8}|\d{8}-[\d:]{0,8}|\d{8}-\d\d:\d\d:\d\d\.\d{0,9}", re.ASCII)


class Found(msgspec.Struct, frozen=True):
    """A message as it was found: `where` in a journal (in or out, component, connection); nothing in a log."""

    where: str
    message: WireMessage
    fault: str = ""
    """Why it is no whole message, if it is none."""


class Printed(msgspec.Struct, frozen=True):
    """A message for people, and the same two things about it."""

    where: str
    fault: str
    message: ReadableMessage

    def __str__(self) -> str:
        notes = [note for note in (self.where, f"garbled: {self.fault}" if self.fault else "") if note]
        return f"[{', '.join(notes)}] {self.message}" if notes else str(self.message)


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages to print: all that pass each test that is given."""

    session: str | None = None
    """A CompID, or `SENDER->TARGET`."""
    msg_type: str | None = None
    """A MsgType or a message's name."""
    tags: tuple[str, ...] = ()
    """Fields that must be there, by tag or name, perhaps with their value after an equals sign."""
    since: str | None = None
    until: str | None = None
    """SendingTimes, or their first characters."""

    def has(self, message: ReadableMessage) -> bool:
        """Whether `message` passes."""
        return (
            self.session in (None, message.sender, message.target, f"{message.sender}->{message.target}")
            and self.msg_type in (None, message.msg_type, message.name)
            and (self.since is None or message.sending_time >= self.since)
            and (self.until is None or message.sending_time < self.until)
            and all(_has_field(message, tag) for tag in self.tags)
        )

    def check(self, dictionaries: Iterable[Dictionary]) -> None:
        """Raises InputError for what no message can have: a name that none of the `dictionaries` knows, no time."""
        dictionaries = list(dictionaries)
        types = {name for known in dictionaries for own in known.messages.values() for name in (own.msg_type, own.name)}
        if self.msg_type is not None and len(self.msg_type) > _MSG_TYPE_CHARS_MAX and self.msg_type not in types:
            raise InputError(f"--type {self.msg_type}: there is no such message", _nearest(self.msg_type, types))
        fields = {own.name for known in dictionaries for own in known.fields.values()}
        for tag in self.tags:
            name = tag.partition("=")[0]
            if not name.isdigit() and name not in fields:
                raise InputError(f"--tag {tag}: there is no field {name!r}", _nearest(name, fields))
        for option, time in (("--since", self.since), ("--until", self.until)):
            if time is not None and not _TIME.fullmatch(time):
                raise InputError(f"{option} {time}: no time", "give 20240229, 20240229-23:59 or 20240229-23:59:59.999")


def _nearest(name: str, known: Iterable[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"did you mean {near[0]}?" if near else "its letter or tag, or the --dictionary that has the name"


def _has_field(message: ReadableMessage, wanted: str) -> bool:
    field, equals, value = wanted.partition("=")
    return any(field in (str(own.tag), own.name) and (not equals or own.value == value) for own in message.fields)


def readable_messages(path: Path, wanted: Wanted, known: Dictionary | None = None) -> Iterator[Printed]:
    """The messages of a FIX log or a journal that are wanted, by the dictionary `known` or by their versions' own.

    Raises InputError for what cannot be read or wanted, and JournalDamaged.
    """
    wanted.check([known] if known is not None else [*map(dictionary, SHIPPED), venue_dictionary()])
    readers: dict[str, Reader] = {}
    is_empty = True
    for found in messages_in(path, known):
        is_empty = False
        begin_string = found.message.raw[2 : found.message.raw.find(SOH)].decode(ENCODING)
        reader = readers.get(begin_string) or readers.setdefault(
            begin_string, Reader(known or _dictionary_of(begin_string))
        )
        message = reader.readable(found.message)
        if wanted.has(message):
            yield Printed(found.where, found.fault, message)
    if is_empty:
        raise InputError(f"no FIX message found in {path}", "messages begin with 8=FIX, and 9= and 35= come next")


def _dictionary_of(begin_string: str) -> Dictionary:
    return dictionary(begin_string) if begin_string in SHIPPED and begin_string != BEGIN_STRING else venue_dictionary()


def messages_in(path: Path, known: Dictionary | None = None) -> Iterator[Found]:
    """The messages of a FIX log, `-` for standard input, or of a journal: its directory or one of its segments.

    Data fields that only a dictionary of one's own has are those of `known`.

    Raises InputError for what cannot be read, and JournalDamaged.
    """
    lengths = known.data_lengths if known is not None else DATA_LENGTHS
    if path == _STDIN:
        yield from _in_log(path, lengths)
        return
    if path.is_dir():
        segments = segment_paths(path)
        if not segments:
            raise InputError(f"{path}: no journal in this directory", "give a FIX log, or a node's journal directory")
        yield from _in_journal(segments, lengths)
        return
    try:
        with path.open("rb") as file:
            start = file.read(len(MAGIC))
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    is_journal = start == MAGIC or path.suffix == ".zst"
    yield from _in_journal([path], lengths) if is_journal else _in_log(path, lengths)


def _in_log(path: Path, lengths: Lengths) -> Iterator[Found]:
    """A log may separate fields by SOH, or as people do who want to read it: by `|`, `^A` or `<SOH>`.

    The last field of a message may lack its separator at the end of a line.
    """
    framer, separator = Framer(), SOH
    is_found = False
    with sys.stdin.buffer if path == _STDIN else path.open("rb") as file:
        for piece in iter(lambda: file.readline(_CHUNK), b""):
            match = None if is_found else _SEPARATOR.search(piece)
            if match:
                separator, is_found = match[1], True
            data = piece if separator == SOH else _LINE_END.sub(SOH, piece.replace(separator, SOH))
            yield from _framed(framer, _LAST_FIELD.sub(rb"\1" + SOH, data), "", lengths)
    if framer.buffer.startswith(b"8="):
        yield Found("", _unreadable(framer.buffer), "cut_off")


def _in_journal(paths: list[Path], lengths: Lengths) -> Iterator[Found]:
    framers: dict[tuple[str, str], Framer] = {}
    decoder = msgspec.msgpack.Decoder()
    for delivery in open_reader(paths).deliveries(unfinished=True):
        _now, component, event, effects = decoder.decode(delivery.payload)
        for way, record in (("in", event), *(("out", effect) for effect in effects)):
            if _carries_bytes(record):
                framer = framers.setdefault((way, record["conn"]), Framer())
                yield from _framed(framer, record["data"], f"{way} {component} {record['conn']}", lengths)


def _carries_bytes(record: Any) -> bool:
    return isinstance(record, dict) and record.get("type") in ("Bytes", "Transmit")


def _framed(framer: Framer, data: bytes, where: str, lengths: Lengths) -> Iterator[Found]:
    for item in framer.feed(data, _BYTES_MAX):
        raw, fault = (item.raw, str(item.reason)) if isinstance(item, Garbled) else (item, "")
        message = decode(raw, _FIELDS_MAX, lengths) if raw else None
        if isinstance(message, WireMessage):
            yield Found(where, message, fault)
        elif isinstance(message, Garbled):
            yield Found(where, _unreadable(raw), str(message.reason))


def _unreadable(raw: bytes) -> WireMessage:
    """What is left of a message whose fields cannot be told apart: its bytes, as if they were its Text."""
    return WireMessage(raw, "?", {TEXT: raw.replace(SOH, b"|")})
