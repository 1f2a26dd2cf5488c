"""A small market for tests of what handles orders: one pair, its settings, and messages that fit it."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from core.fix.message import FixMessage
from core.fix.messages import NewOrderSingle, OrderCancelRequest
from core.fix.records import FromPeer
from core.kernel.record import Message
from core.market.orders import Pair, Token
from core.sequencer.settings import SequencerSettings
from core.units import MILLISECOND, SECOND

ETH_USDC = Pair("ETH-USDC", Token("ETH", 18), Token("USDC", 6), Decimal("0.05"), Decimal("0.001"), Decimal(1000))
SETTINGS = SequencerSettings(
    pairs=(ETH_USDC,),
    batch_messages=3,
    batch_window=500 * MILLISECOND,
    empty_windows_per_block=0,
    order_lifetime=3 * SECOND,
)


def settings(**changes: Any) -> SequencerSettings:
    """`SETTINGS` with something changed."""
    return msgspec.structs.replace(SETTINGS, **changes)


def new_order(cl_ord_id: str = "c1", **changes: Any) -> NewOrderSingle:
    """A sell of 2 ETH at 2000 USDC each, Day, with something changed."""
    message = NewOrderSingle(
        cl_ord_id=cl_ord_id,
        handl_inst="1",
        symbol="ETH-USDC",
        side="2",
        transact_time=0,
        ord_type="2",
        order_qty=Decimal(2),
        price=Decimal(2000),
    )
    return msgspec.structs.replace(message, **changes)


def cancel(cl_ord_id: str = "x1", orig: str = "c1") -> OrderCancelRequest:
    """A request to cancel the order `orig`."""
    return OrderCancelRequest(orig, cl_ord_id, "ETH-USDC", "2", 0)


def from_peer(message: FixMessage, owner: str = "MM1", seq: int = 1) -> Message[FromPeer[Any]]:
    """`message` as the engine hands it over."""
    raw_hash = sha256(f"{owner}/{seq}/{message!r}".encode()).digest()
    return Message("fix", FromPeer(owner, seq, raw_hash, message))
