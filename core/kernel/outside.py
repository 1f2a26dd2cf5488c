"""What a node has open to the outside world: a driver that takes the node up again has to end it or ask again."""

from __future__ import annotations

from typing import Final

import msgspec

from core.kernel.codec import Codec
from core.kernel.record import (
    Call,
    Close,
    Compute,
    Computed,
    Connect,
    Connected,
    Disconnected,
    Event,
    Outward,
    Reply,
    Resume,
    Stop,
)

EVENTS: Final = frozenset({Connected, Disconnected, Computed, Reply, Stop, Resume})
"""Those that `given` wants to hear of."""
EFFECTS: Final = frozenset({Connect, Close, Compute, Call})
"""Those that `asked` wants to hear of."""


class OutsideState(msgspec.Struct, frozen=True):
    """An `Outside`, as a snapshot holds it."""

    connections: dict[str, str]
    asked: tuple[tuple[str, msgspec.Raw], ...]
    stopped: tuple[str, ...]


class Outside:
    """Follows the events that a node is given and the effects that leave it."""

    __slots__ = ("_asked", "connections", "stopped")

    def __init__(self) -> None:
        self.connections: dict[str, str] = {}
        """Open, or being opened, and whose component's."""
        self.stopped: dict[str, None] = {}
        """Components that were given `Stop` and no `Resume` since."""
        self._asked: dict[tuple[str, str, str], tuple[str, Outward]] = {}

    def unanswered(self) -> list[tuple[str, Outward]]:
        """Each `Compute` and `Call` without an answer, and the component that asked; in the order of asking."""
        return list(self._asked.values())

    def given(self, dst: str, event: Event) -> None:
        """A component was given one of EVENTS."""
        if isinstance(event, Connected):
            self.connections[event.conn] = dst
        elif isinstance(event, Disconnected):
            self.connections.pop(event.conn, None)
        elif isinstance(event, Computed):
            self._asked.pop((dst, "compute", event.job_id), None)
        elif isinstance(event, Reply):
            self._asked.pop((dst, "call", event.call_id), None)
        elif isinstance(event, Stop):
            self.stopped[dst] = None
        else:
            self.stopped.pop(dst, None)

    def asked(self, src: str, effect: Outward) -> None:
        """A component asked for one of EFFECTS."""
        if isinstance(effect, Connect):
            self.connections[effect.conn] = src
        elif isinstance(effect, Close):
            self.connections.pop(effect.conn, None)
        elif isinstance(effect, Compute):
            self._asked[src, "compute", effect.job_id] = src, effect
        elif isinstance(effect, Call):
            self._asked[src, "call", effect.call_id] = src, effect

    def snapshot(self) -> OutsideState:
        """Plain data."""
        asked = tuple((src, msgspec.Raw(msgspec.msgpack.encode([effect]))) for src, effect in self._asked.values())
        return OutsideState(dict(self.connections), asked, tuple(self.stopped))

    def restore(self, state: OutsideState, codec: Codec) -> None:
        """Take back a `snapshot`. Raises msgspec.DecodeError for a record that the codec lacks."""
        self.connections, self.stopped, self._asked = dict(state.connections), dict.fromkeys(state.stopped), {}
        for src, raw in state.asked:
            (effect,) = codec.effects.decode(raw)
            assert isinstance(effect, Compute | Call)
            self.asked(src, effect)
