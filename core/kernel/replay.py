"""Exact replay: a journal's inputs into fresh components, with no clock and no network.

Every delivery is handled again and its frame encoded again; the first frame that is not byte for
byte what the journal holds stops the replay and shows both sides.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import localcontext
from typing import Any

import msgspec

from core.errors import ReplayDiverged
from core.kernel.codec import Codec, encode
from core.kernel.component import Component
from core.kernel.journal import Crash, Delivered, Journal
from core.kernel.kernel import Observer, Snapshot, sent_to_nobody
from core.kernel.reader import Delivery, JournalReader
from core.kernel.record import Effect, Event, Send
from core.units import MONEY, Nanos


class Replayed(msgspec.Struct, frozen=True):
    """What a replay found: whose journal, how many deliveries, and the digest both sides share.

    `crash` is the error that ended the run and came again, or empty.
    """

    node: str
    count: int
    digest: str
    crash: str = ""


def replay(
    reader: JournalReader,
    components: Iterable[Component[Any]],
    codec: Codec,
    *,
    since: Snapshot | None = None,
    observer: Observer | None = None,
    unfinished: bool = False,
) -> Replayed:
    """Replay the whole journal, or from a snapshot only what came after it; without an end only if `unfinished`.

    An event that crashed the node must crash it again, unless it was quarantined. Raises JournalDamaged where the
    journal is not whole and ReplayDiverged at the first difference.
    """
    node = reader.header.node
    by_name = {component.name: component for component in components}
    journal = Journal(node)
    if since is not None:
        journal.resume(since.chain)
        for name, state in since.components.items():
            by_name[name].restore(state)
    seen = journal.count
    with localcontext(MONEY):
        for delivery in reader.deliveries(unfinished=unfinished):
            if delivery.seq <= seen:
                continue
            now, dst, event, effects = redo(node, by_name, codec, delivery)
            journal.absorb(delivery.payload)
            if observer is not None:
                observer(node, now, dst, event, effects)
        if reader.crash is not None:
            _crash_again(node, reader.crash, by_name, codec, journal.count + 1)
    if reader.end is not None and reader.end.digest != journal.digest():
        raise ReplayDiverged(journal.count, f"{node}: the end", reader.end.digest, journal.digest())
    return Replayed(node, journal.count, journal.digest(), reader.crash.error if reader.crash else "")


def redo(node: str, components: dict[str, Component[Any]], codec: Codec, delivery: Delivery) -> Delivered:
    """Handle a recorded delivery again. Raises ReplayDiverged unless it gives what it gave then, byte for byte."""
    try:
        now, dst, event, recorded = codec.delivered(delivery)
    except msgspec.DecodeError as error:
        unread = f"{len(delivery.payload)} bytes at {delivery.offset}"
        raise ReplayDiverged(delivery.seq, node, unread, f"this version cannot read them: {error}") from None
    effects = _handle(components, now, dst, event)
    if isinstance(effects, str) or encode((now, dst, event, effects)) != delivery.payload:
        where = f"{node}/{dst} <- {event!r} at {now}"
        raise ReplayDiverged(delivery.seq, where, *_first_difference(recorded, effects))
    return now, dst, event, effects


def _crash_again(node: str, crash: Crash, components: dict[str, Component[Any]], codec: Codec, seq: int) -> None:
    event = codec.events.decode(crash.event)
    effects = _handle(components, crash.now, crash.dst, event)
    failure = effects if isinstance(effects, str) else _refused(node, crash.dst, components, effects)
    if failure != f"raised {crash.error}":
        raise ReplayDiverged(
            seq, f"{crash.dst} <- {event!r} at {crash.now}", f"raised {crash.error}", failure or str(effects)
        )


def _refused(node: str, src: str, components: dict[str, Component[Any]], effects: list[Effect]) -> str:
    """Why a kernel does not take effects that a component gave, if it does not."""
    for effect in effects:
        if isinstance(effect, Send) and effect.dst not in components:
            return f"raised {sent_to_nobody(node, src, effect)!r}"
    try:
        encode(effects)
    except Exception as error:
        return f"raised {error!r}"
    return ""


def _handle(components: dict[str, Component[Any]], now: Nanos, dst: str, event: Event) -> list[Effect] | str:
    if dst not in components:
        return f"no component `{dst}` on this node"
    try:
        return components[dst].handle(now, event)
    except Exception as error:
        return f"raised {error!r}"


def _first_difference(recorded: list[Effect], replayed: list[Effect] | str) -> tuple[str, str]:
    if isinstance(replayed, str):
        return f"{len(recorded)} effects: {recorded!r}", replayed
    for index, (old, new) in enumerate(zip(recorded, replayed, strict=False)):
        if encode(old) != encode(new):
            return f"effect {index}: {old!r}", f"effect {index}: {new!r}"
    shared = min(len(recorded), len(replayed))
    return f"{shared} effects, then {recorded[shared:]!r}", f"{shared} effects, then {replayed[shared:]!r}"
