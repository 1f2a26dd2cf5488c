"""The cues of a changed run: the recorded ones, less what is said anew, later where somebody is farther away."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final

from msgspec.structs import replace

from core.kernel.record import Bytes, Computed, Reply
from core.sequencer.signing import BlockSignature
from core.units import Nanos
from sim.whatif.answers import RECORDED
from sim.whatif.recording import Recording
from sim.whatif.speech import DOOR, Speech
from sim.whatif.tape import Cue

_FIX: Final = "fix"
_SENDER: Final = re.compile(rb"\x0149=([^\x01]*)\x01")


def participants(recording: Recording, speech: Speech) -> dict[str, str]:
    """Whose each recorded connection was, as far as its first bytes say."""
    owners = dict(speech.solver_of)
    for cue in recording.cues:
        if cue.dst == _FIX and isinstance(cue.event, Bytes) and cue.event.conn not in owners:
            sender = _SENDER.search(cue.event.data)
            if sender is not None:
                owners[cue.event.conn] = sender[1].decode("latin-1")
    return owners


def script(
    recording: Recording, speech: Speech, *, delays: Mapping[str, Nanos], replaced: Collection[str]
) -> list[Cue]:
    """What a changed run is given as it was, and nothing of those who are replaced: all but bids and deposits, what
    the venue had computed, which it has computed anew, and the signatures under its blocks, which are of other blocks.
    """
    owners = participants(recording, speech)
    cues = []
    for index, recorded in enumerate(recording.cues):
        if isinstance(recorded.event, Computed) or _is_signature(recorded):
            continue
        is_spoken = recorded.dst == DOOR and isinstance(recorded.event, Bytes)
        for cue in speech.other.get(index, ()) if is_spoken else (recorded,):
            conn: str = getattr(cue.event, "conn", "")
            owner = owners.get(conn, "")
            if owner in replaced:
                continue
            later = delays.get(owner, 0)
            event = replace(cue.event, conn=RECORDED + conn) if conn else cue.event
            cues.append(Cue(cue.at + later, 0 if later else cue.after, cue.dst, event))
    return sorted(cues, key=lambda cue: cue.at)


def _is_signature(cue: Cue) -> bool:
    return isinstance(cue.event, Reply) and isinstance(cue.event.body, BlockSignature)
