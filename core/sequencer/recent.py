"""The newest blocks, from which receipts are given at once, in bounded memory; older ones are in the journal."""

from __future__ import annotations

import msgspec

from core.market.orders import Item, Order
from core.sequencer.block import Block
from core.sequencer.receipt import Receipt, receipt_of


class _Kept(msgspec.Struct):
    block: Block
    places: dict[str, int]
    """Of its orders, by order id."""


class RecentBlocks(msgspec.Struct):
    """At most as many blocks as `keep` is told, by height, with the places of their orders."""

    by_height: dict[int, _Kept] = {}

    def keep(self, block: Block, items: tuple[Item, ...], blocks_max: int) -> None:
        """Take in a block that was sealed, and forget the oldest beyond `blocks_max`."""
        places = {item.order_id: index for index, item in enumerate(items) if isinstance(item, Order)}
        self.by_height[block.header.height] = _Kept(block, places)
        while len(self.by_height) > blocks_max:
            del self.by_height[next(iter(self.by_height))]

    def sign(self, height: int, signature: bytes) -> None:
        """Take in the signature of a block, if it is still here."""
        kept = self.by_height.get(height)
        if kept is not None:
            kept.block = msgspec.structs.replace(kept.block, signature=signature)

    def receipt(self, order_id: str) -> Receipt | None:
        """The receipt of an order in one of the blocks."""
        for kept in reversed(self.by_height.values()):
            index = kept.places.get(order_id)
            if index is not None:
                return receipt_of(kept.block, index)
        return None
