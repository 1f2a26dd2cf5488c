"""A journal's deliveries, for people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from core.errors import JournalDamaged
from core.kernel.codec import Codec
from core.kernel.record import Computed, Event, Message, Reply
from core.units import Nanos
from live.journal.files import last_before, open_reader
from live.journal.tail import journal_paths


class Shown(msgspec.Struct, frozen=True):
    """One delivery. Events and effects are as Python would write them."""

    seq: int
    now: Nanos
    component: str
    event: str
    effects: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"{self.seq} {self.now} {self.component} <- {self.event}"]
        return "\n".join([*lines, *(f"    -> {effect}" for effect in self.effects)])


def shown(
    folder: Path,
    codec: Codec,
    *,
    component: str | None = None,
    kind: str | None = None,
    first: int = 1,
    last: int | None = None,
) -> Iterator[Shown]:
    """The deliveries from `first` to `last` for one component, or of one type of event, or all.

    Ends quietly where the journal of a running node ends. Raises JournalDamaged at damage, and for a delivery that
    this version cannot read.
    """
    paths = journal_paths(folder)
    reader = open_reader(paths[last_before(paths, first - 1) :])
    for delivery in reader.deliveries(unfinished=True):
        if last is not None and delivery.seq > last:
            return
        if delivery.seq < first:
            continue
        try:
            now, dst, event, effects = codec.delivered(delivery)
        except msgspec.DecodeError as error:
            raise JournalDamaged(reader.name, delivery.offset, f"this version cannot read it: {error}") from None
        if component in (None, dst) and kind in (None, *_kinds(event)):
            yield Shown(delivery.seq, now, dst, repr(event), tuple(map(repr, effects)))


def _kinds(event: Event) -> tuple[str, ...]:
    carried = event.body if isinstance(event, Message | Reply) else event
    carried = carried.result if isinstance(carried, Computed) else carried
    return type(event).__name__, type(carried).__name__
