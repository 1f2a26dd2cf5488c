"""The life of one FIX session, from the journal of the node that has it; the node may be running."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import msgspec

from core.errors import InputError
from core.fix.codec import SOH, WireMessage, decode
from core.fix.framer import Framer
from core.fix.session_story import KINDS, RESEND_ASKED, SessionStory, Stated, is_about
from core.fix.tags import BEGIN_SEQ_NO, END_SEQ_NO
from live.journal.files import open_reader
from live.journal.tail import journal_paths

_BYTES_MAX: Final = 1 << 16
_FIELDS_MAX: Final = 1_000
"""More than a ResendRequest has."""
_SPEAKERS: Final = {"Bytes": "the peer", "Transmit": "this side"}


def explain_session(folder: Path, session: str) -> SessionStory:
    """The life of `session`, as its engine calls it. Raises InputError with the nearest names, and JournalDamaged."""
    names: dict[str, None] = {}
    told = []
    for own, stated in _stated(folder):
        names[own] = None
        if own == session or is_about(session, stated.fact):
            told.append(stated)
    if session not in names:
        near = get_close_matches(session, [name for name in names if name], n=5) or sorted(filter(None, names))[:5]
        raise InputError(f"no session `{session}` in {folder}", f"did you mean {', '.join(near)}?" if near else "")
    return SessionStory(session, told)


def _stated(folder: Path) -> Iterator[tuple[str, Stated]]:
    """Each fact of an engine, and each ResendRequest, with its session as far as the connection tells."""
    reader, decoder = open_reader(journal_paths(folder)), msgspec.msgpack.Decoder()
    whose: dict[str, str] = {}
    streams: defaultdict[tuple[str, str], Framer] = defaultdict(Framer)
    for delivery in reader.deliveries(unfinished=True):
        now, component, event, effects = decoder.decode(delivery.payload)
        facts = [effect["fact"] for effect in effects if effect["type"] == "Note" and effect["fact"]["type"] in KINDS]
        conn = event.get("conn", "")
        named = next((fact["session"] for fact in facts if fact["type"] == "SessionChanged"), "")
        if conn and named:
            whose[conn] = named
        for record in (event, *effects):
            for fact in _asked(record, streams):
                yield whose.get(record["conn"], ""), Stated(now, component, fact)
        if event["type"] == "Disconnected":
            streams.pop(("Bytes", conn), None)
            streams.pop(("Transmit", conn), None)
        for fact in facts:
            own = fact.get("session") or whose.get(fact.get("conn", ""), "")
            yield own, Stated(now, component, fact)


def _asked(record: Any, streams: Mapping[tuple[str, str], Framer]) -> Iterator[dict[str, Any]]:
    """The ResendRequests that end in these bytes; they may have begun in bytes before, of the same one of `streams`."""
    kind = record["type"]
    if kind not in _SPEAKERS:
        return
    for raw in streams[kind, record["conn"]].feed(record["data"], _BYTES_MAX):
        if isinstance(raw, bytes) and raw.split(SOH, 3)[2] == b"35=2":
            message = decode(raw, _FIELDS_MAX)
            values = message.values if isinstance(message, WireMessage) else {}
            begin, end = values.get(BEGIN_SEQ_NO, b""), values.get(END_SEQ_NO, b"")
            if begin.isdigit() and end.isdigit():
                yield {"type": RESEND_ASKED, "by": _SPEAKERS[kind], "begin": int(begin), "end": int(end)}
