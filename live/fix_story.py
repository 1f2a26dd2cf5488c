"""The life of one FIX session, from the journal of the node that has it; the node may be running."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

import msgspec

from core.errors import InputError
from core.fix.session_story import KINDS, RESEND_ASKED, SessionStory, Stated, is_about
from live.journal.files import open_reader
from live.journal.tail import journal_paths

_RESEND: Final = re.compile(rb"\x0135=2\x01.*?\x017=(\d+)\x0116=(\d+)\x01", re.DOTALL)


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
    for delivery in reader.deliveries(unfinished=True):
        now, component, event, effects = decoder.decode(delivery.payload)
        facts = [effect["fact"] for effect in effects if effect["type"] == "Note" and effect["fact"]["type"] in KINDS]
        conn = event.get("conn", "")
        named = next((fact["session"] for fact in facts if fact["type"] == "SessionChanged"), "")
        if conn and named:
            whose[conn] = named
        asked = [_asked(event, "the peer"), *(_asked(effect, "this side") for effect in effects)]
        for record, fact in ((record, fact) for record, fact in asked if fact is not None):
            yield whose.get(record["conn"], ""), Stated(now, component, fact)
        for fact in facts:
            own = fact.get("session") or whose.get(fact.get("conn", ""), "")
            yield own, Stated(now, component, fact)


def _asked(record: Any, by: str) -> tuple[Any, dict[str, Any] | None]:
    """The ResendRequest that bytes carry, if they carry one."""
    match = _RESEND.search(record["data"]) if record["type"] in ("Bytes", "Transmit") else None
    if match is None:
        return record, None
    return record, {"type": RESEND_ASKED, "by": by, "begin": int(match[1]), "end": int(match[2])}
