"""Nothing is done in the name of who signs each message that they have not signed: each is verified singly."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from core.auction.facts import OrderAdded
from core.errors import KeyRefused
from core.fix.records import FromPeer, SessionOpened
from core.identity.bls import BLS
from core.identity.checking import Signed
from core.identity.orders import order_message
from core.identity.records import MakerAdmitted
from core.kernel.record import Event, Message, Record
from core.market.orders import OrderCancelled, OrderReplaced
from core.sequencer.facts import SEQUENCED, Sequenced, item_of
from core.units import Nanos
from sim.checkers import Checker


class OnlySignedTrade(Checker):
    """Of a market maker that signs each message an order is added, replaced or cancelled on request only by a message
    with a good signature, by the key that it was logged on with when the message came.
    """

    name = "only signed orders trade"

    def __init__(self) -> None:
        self._admitted: dict[str, MakerAdmitted] = {}
        self._opened: dict[str, str] = {}
        """By session, the connection of its last Logon, which may be heard of before who was admitted by it."""
        self._keys: dict[str, bytes] = {}
        self._received: FromPeer[Any] | None = None
        self._signed: dict[tuple[str, str], Signed] = {}

    def receives(self, _now: Nanos, dst: str, event: Event) -> None:
        """Remember who has which key, and what the sequencer is about to place."""
        if dst != "sequencer":
            return
        body = event.body if isinstance(event, Message) else None
        self._received = body if isinstance(body, FromPeer) else None
        if isinstance(body, MakerAdmitted):
            self._admitted[body.session] = body
            if self._opened.get(body.session) == body.conn:
                self._open(body.session)
        elif isinstance(body, SessionOpened):
            self._opened[body.session] = body.conn
            self._open(body.session)

    def _open(self, session: str) -> None:
        admitted = self._admitted.get(session)
        self._keys.pop(session, None)
        if admitted is not None and admitted.signing == "order":
            self._keys[session] = admitted.public_key

    def _on_sequenced(self, fact: Sequenced) -> None:
        item, received = item_of(fact), self._received
        if received is not None and item.owner in self._keys:
            signature = received.message.order_signature or b""
            check = self._keys[item.owner], order_message(received.content_hash), signature
            self._signed[item.order_id, item.cl_ord_id] = check

    def _on_added(self, fact: OrderAdded) -> None:
        self._must_be_good(fact.order.order_id, fact.order.cl_ord_id, "is added")

    def _on_replaced(self, fact: OrderReplaced) -> None:
        self._must_be_good(fact.order_id, fact.cl_ord_id, "is replaced")

    def _on_cancelled(self, fact: OrderCancelled) -> None:
        self._must_be_good(fact.order_id, fact.cl_ord_id, "is cancelled")

    def _must_be_good(self, order_id: str, cl_ord_id: str, what: str) -> None:
        signed = self._signed.pop((order_id, cl_ord_id), None)
        if signed is not None and not _holds(*signed):
            self.violated(f"{order_id} {what} by {cl_ord_id}, whose signature is not good")

    FACTS: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {
        **dict.fromkeys(SEQUENCED, _on_sequenced),
        OrderAdded: _on_added,
        OrderReplaced: _on_replaced,
        OrderCancelled: _on_cancelled,
    }


def _holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        return BLS.verify(public_key, message, signature)
    except KeyRefused:
        return False
