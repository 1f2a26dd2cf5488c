"""A small market for tests of what handles orders: one pair, its settings, and messages that fit it."""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Any

import msgspec

from core.fix.message import FixMessage
from core.fix.messages import NewOrderSingle, OrderCancelReplaceRequest, OrderCancelRequest
from core.fix.records import FromPeer
from core.kernel.record import Message
from core.market.orders import Order, Pair, Token
from core.sequencer.known import KnownIds
from core.sequencer.reported import ReportedOrder
from core.sequencer.settings import SequencerSettings
from core.sequencer.validate import Rules, validate
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


def replace(cl_ord_id: str = "r1", orig: str = "c1", **changes: Any) -> OrderCancelReplaceRequest:
    """A request to make the order `orig` a sell of 3 ETH at 2100 USDC each, with something changed."""
    message = OrderCancelReplaceRequest(
        orig_cl_ord_id=orig,
        cl_ord_id=cl_ord_id,
        handl_inst="1",
        symbol="ETH-USDC",
        side="2",
        transact_time=0,
        ord_type="2",
        order_qty=Decimal(3),
        price=Decimal(2100),
    )
    return msgspec.structs.replace(message, **changes)


def reported(cl_ord_id: str = "c1", order_id: str = "O-1", owner: str = "MM1") -> ReportedOrder:
    """What a sequencer keeps of the order that `new_order` asks for."""
    order = validate(
        new_order(cl_ord_id),
        Rules({"ETH-USDC": ETH_USDC}, 3 * SECOND),
        KnownIds(),
        order_id=order_id,
        owner=owner,
        now=0,
    )
    assert isinstance(order, Order)
    return ReportedOrder(order)


def from_peer(message: FixMessage, owner: str = "MM1", seq: int = 1) -> Message[FromPeer[Any]]:
    """`message` as the engine hands it over."""
    raw_hash = sha256(f"{owner}/{seq}/{message!r}".encode()).digest()
    return Message("fix", FromPeer(owner, seq, raw_hash, message))
