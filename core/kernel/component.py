"""The component contract: `handle(now, event) -> effects`. No clock, no socket, no randomness of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Generic, TypeVar

import msgspec

from core.errors import UnhandledEvent
from core.kernel.record import Computed, Effect, Event, Message, Record, Reply
from core.units import Nanos

State = TypeVar("State", bound=msgspec.Struct)
Handler = Callable[[Any, Nanos, Any], None]


class Component(Generic[State]):
    """A plain object that turns one event into a list of effects, and runs to completion.

    Configuration is fixed at construction; everything that changes lives in `state`, one tree of
    plain data that `snapshot` gives and `restore` takes. Dicts in it keep their insertion order
    across both, so iteration is as reproducible as the run itself.

    Subclasses fill `HANDLERS`, keyed by event type, or for `Message`, `Reply` and `Computed` by the
    type of what they carry; the handler always receives the whole event and calls `self.emit`.
    A broken peer is an effect, never an exception: an exception here is our own bug.
    """

    HANDLERS: ClassVar[Mapping[type[Record], Handler]] = {}
    __slots__ = ("_out", "name", "state")

    def __init__(self, name: str, state: State) -> None:
        self.name = name
        self.state = state
        self._out: list[Effect] = []

    def handle(self, now: Nanos, event: Event) -> list[Effect]:
        """Apply one event at `now`; return what must be done, in order.

        Raises UnhandledEvent for a type that `HANDLERS` does not have.
        """
        kind: type = type(event)
        if kind is Message or kind is Reply:
            kind = type(event.body)  # type: ignore[union-attr]  # a type test that mypy cannot follow
        elif kind is Computed:
            kind = type(event.result)  # type: ignore[union-attr]
        handler = self.HANDLERS.get(kind)
        if handler is None:
            raise UnhandledEvent(f"{self.name} ({type(self).__name__}) does not handle {kind.__name__}")
        out: list[Effect] = []
        self._out = out
        handler(self, now, event)
        return out

    def emit(self, effect: Effect) -> None:
        """Add one effect to what the current `handle` returns."""
        self._out.append(effect)

    def snapshot(self) -> bytes:
        """The state in the journal's encoding."""
        return msgspec.msgpack.encode(self.state)

    def restore(self, data: bytes) -> None:
        """Take back a `snapshot`. Raises msgspec.DecodeError when it is not one of this component."""
        self.state = msgspec.msgpack.decode(data, type=type(self.state))
