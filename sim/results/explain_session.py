"""The life of one FIX session of a run, from the notes of its nodes and the messages on the wire."""

from __future__ import annotations

from typing import Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from core.errors import InputError
from core.fix.session_story import KINDS, RESEND_ASKED, SessionStory, Stated, is_about
from sim.results.result import RunResult

_RESEND_REQUEST: Final = "2"


def explain_session(result: RunResult, name: str) -> SessionStory | None:
    """The life of the session that its engine calls `name`, or `node/name`; None if there is no such session.

    Raises InputError if sessions of several nodes have that name.
    """
    facts = _facts(result)
    node, _, session = name.rpartition("/")
    nodes = {
        stated.place.partition("/")[0]: stated
        for stated in facts
        if stated.fact.get("session") == session and node in ("", stated.place.partition("/")[0])
    }
    if not nodes:
        return None
    if len(nodes) > 1:
        raise InputError(f"{len(nodes)} nodes have a session `{session}`", f"say {' or '.join(_ways(nodes, session))}")
    (own,) = nodes
    of_node = [stated for stated in facts if stated.place.startswith(f"{own}/") and is_about(session, stated.fact)]
    told = [*of_node, *_resends(result, own, session, of_node[0].place)]
    return SessionStory(session, sorted(told, key=lambda stated: stated.time))


def sessions(result: RunResult) -> list[str]:
    """What engines call their sessions."""
    return [name for stated in _facts(result) if (name := stated.fact.get("session"))]


def _ways(nodes: dict[str, Stated], session: str) -> list[str]:
    return [f"{node}/{session}" for node in sorted(nodes)]


def _facts(result: RunResult) -> list[Stated]:
    """What the engines of all nodes have stated."""
    notes = result.table("notes")
    kept = notes.filter(pc.is_in(notes["kind"], value_set=pa.array(sorted(KINDS))))
    times = pc.cast(kept["time"], "int64").to_pylist()
    columns = [kept[name].to_pylist() for name in ("node", "component", "kind", "detail")]
    return [
        Stated(time, f"{node}/{component}", {**msgspec.json.decode(detail), "type": kind})
        for time, node, component, kind, detail in zip(times, *columns, strict=True)
    ]


def _resends(result: RunResult, node: str, session: str, place: str) -> list[Stated]:
    """Each ResendRequest between the two; the numbers that it asks for are in the journals."""
    messages = result.table("fix_messages")
    asked = messages.filter(pc.equal(messages["msg_type"], _RESEND_REQUEST))
    times = pc.cast(asked["sent_time"], "int64").to_pylist()
    parties = zip(asked["sender"].to_pylist(), asked["target"].to_pylist(), strict=True)
    found = []
    for time, (sender, target) in zip(times, parties, strict=True):
        if session in (sender, target) and (node in (sender, target) or place.startswith("venue")):
            fact = {"type": RESEND_ASKED, "by": sender, "begin": "the first missing", "end": "the last"}
            found.append(Stated(time, place, fact))
    return found
