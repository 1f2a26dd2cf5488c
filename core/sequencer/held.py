"""Sealed batches on their way to the auction. One that has signed messages waits until these are checked, and those
behind it wait with it: the auction gets batches in the order of their blocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

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
from core.sequencer.reasons import Reason

HELD_MAX: Final = 128
"""Batches that wait in all. One more, and the oldest check is given up."""


class HeldBatch(msgspec.Struct):
    """A batch, and what is to be checked of it: by place in the block, the signed messages."""

    batch: Batch
    signed: dict[int, Signed] = {}
    job: str = ""
    """The check that was asked for; empty when nothing has to be checked, or it was."""
    refused: tuple[int, ...] = ()
    """The places of those that the auction does not get, for `reason`."""
    reason: Reason | None = None

    def settle(self, refused: tuple[int, ...], reason: Reason | None) -> None:
        """Its messages are checked, or it is too late for that."""
        self.job, self.signed, self.refused, self.reason = "", {}, refused, reason

    def owners(self, places: Iterable[int]) -> list[str]:
        """Whose messages stand there, one for each."""
        return [self.batch.items[place].owner for place in places]

    def rest(self) -> Batch:
        """What the auction gets."""
        if not self.refused:
            return self.batch
        items = tuple(item for place, item in enumerate(self.batch.items) if place not in self.refused)
        return msgspec.structs.replace(self.batch, items=items)

    def turned_away(self) -> list[OrderFailed | CancelRefused | ReplaceRefused]:
        """What becomes of the others, as the auction would say it."""
        return [_answer(self.batch.items[place], str(self.reason)) for place in self.refused]


def _answer(item: Item, reason: str) -> OrderFailed | CancelRefused | ReplaceRefused:
    if isinstance(item, Order):
        return OrderFailed(item.order_id, reason)
    kind = CancelRefused if isinstance(item, CancelOrder) else ReplaceRefused
    return kind(item.order_id, item.cl_ord_id, reason)
