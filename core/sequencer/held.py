"""Sealed batches on their way to the auction. One that has signed messages waits until these are checked, and those
behind it wait with it: the auction gets batches in the order of their blocks. For what is checked apart it waits for a
moment at most (`core.sequencer.apart`); what comes later goes with a later batch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, TypeAlias

import msgspec

from core.identity.checking import Signed
from core.market.orders import (
    Batch,
    CancelOrder,
    CancelRefused,
    Item,
    Order,
    OrderFailed,
    ReplaceRefused,
)
from core.sequencer.apart import Portion
from core.sequencer.reasons import Reason
from core.units import Nanos

GIVEN_UP_MAX: Final = 128
"""Checks that were given up and are remembered until their answers come; of more the oldest is forgotten."""
TurnedAway: TypeAlias = OrderFailed | CancelRefused | ReplaceRefused


class GivenUp(msgspec.Struct, frozen=True):
    """A check that is waited for no longer. It still goes on, and its answer says who is not to be trusted."""

    places: tuple[tuple[int, int], ...]
    """Block and place of each signed message, in the order in which they are checked,"""
    owners: tuple[str, ...]
    """and whose each is."""
    since: Nanos


class HeldBatch(msgspec.Struct):
    """A batch, and what is checked of it at once: by place in the block, signed messages."""

    batch: Batch
    signed: dict[int, Signed]
    until: Nanos
    """How long it waits for what is checked apart."""
    job: str = ""
    """The check that was asked for; empty when nothing has to be checked, or it was."""
    apart: dict[int, None] = {}
    """The places of what waits apart."""
    refused: dict[int, Reason] = {}
    """The places of those that the auction does not get, and why."""

    def owners(self, places: Iterable[int]) -> list[str]:
        """Whose messages stand there, one for each."""
        return [self.batch.items[place].owner for place in places]

    def part(self, owner: str) -> Portion | None:
        """Let what the owner has here wait apart from now on, but for what is refused. Returns it, if there is any."""
        items = {
            place: item
            for place, item in enumerate(self.batch.items)
            if item.owner == owner and place not in self.refused and place not in self.apart
        }
        if not items:
            return None
        self.apart.update(dict.fromkeys(items))
        signed = {place: self.signed.pop(place) for place in items if place in self.signed}
        return Portion(owner, self.batch.height, self.batch.closed_at, items, signed)

    def take_back(self, portion: Portion, refused: Mapping[int, Reason]) -> None:
        """What waited apart is checked."""
        for place in portion.items:
            del self.apart[place]
        self.refused.update(refused)

    def rest(self) -> Batch:
        """What the auction gets."""
        if not self.refused and not self.apart:
            return self.batch
        left_out = self.refused.keys() | self.apart.keys()
        items = tuple(item for place, item in enumerate(self.batch.items) if place not in left_out)
        return msgspec.structs.replace(self.batch, items=items)

    def turned_away(self) -> list[TurnedAway]:
        """What becomes of those that are refused, in their order, as the auction would say it."""
        return [turned_away(self.batch.items[place], self.refused[place]) for place in sorted(self.refused)]


def turned_away(item: Item, reason: Reason) -> TurnedAway:
    """What becomes of something that the auction does not get, as the auction would say it."""
    if isinstance(item, Order):
        return OrderFailed(item.order_id, reason)
    kind = CancelRefused if isinstance(item, CancelOrder) else ReplaceRefused
    return kind(item.order_id, item.cl_ord_id, reason)
