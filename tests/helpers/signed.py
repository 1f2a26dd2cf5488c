"""Signed orders, and a sequencer with an auction that only listens, whose checks are done when they are asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import msgspec

from core.fix.messages import NewOrderSingle, OrderCancelReplaceRequest, OrderCancelRequest
from core.fix.records import FromPeer, SessionOpened, ToPeer
from core.identity.checking import BlockChecked, CheckBlock, CheckOrders, OrdersChecked, check
from core.identity.orders import order_message
from core.identity.records import MakerAdmitted, Permissions
from core.kernel.record import (
    CancelTimer,
    Compute,
    Computed,
    Event,
    Message,
    Note,
    Record,
    Send,
    SetTimer,
    Start,
    TimerFired,
)
from core.market.orders import Batch, Item
from core.sequencer.sequencer import Sequencer
from core.units import SECOND, Nanos
from tests.helpers.identity import public, signer
from tests.helpers.orders import new_order, settings

T0 = 1_000 * SECOND
SignedMessage = NewOrderSingle | OrderCancelRequest | OrderCancelReplaceRequest


def admission(maker: str = "MM1", key: str = "", **permissions: Any) -> MakerAdmitted:
    """A market maker is logged on who signs each message with the key of that name, by default its own."""
    return MakerAdmitted(maker, maker, public(key or maker), Permissions(**permissions), "order")


def signed_by(key: str, message: SignedMessage, **changes: Any) -> Message[FromPeer[Any]]:
    """A message that was signed with the key of that name, as the engine hands it over; and then changed on its way."""
    owner = changes.pop("owner", key)
    content_hash = sha256(repr(msgspec.structs.replace(message, **changes)).encode()).digest()
    signature = signer(key)(order_message(sha256(repr(message).encode()).digest()))
    sent = msgspec.structs.replace(message, **{"order_signature": signature} | changes)
    return Message("fix", FromPeer(owner, 1, sha256(repr(sent).encode()).digest(), sent, content_hash=content_hash))


GOOD, BAD = b"g" * 96, b"b" * 96
"""What `pretend` takes for good and bad signatures: quicker than the arithmetic, where many are needed."""


def pretended(owner: str, message: SignedMessage, signature: bytes = GOOD) -> Message[FromPeer[Any]]:
    """A message with one of those."""
    sent = msgspec.structs.replace(message, order_signature=signature)
    said = sha256(f"{owner} {message.cl_ord_id}".encode()).digest()
    return Message("fix", FromPeer(owner, 1, said, sent, content_hash=said))


def pretend(problem: CheckBlock | CheckOrders) -> BlockChecked | OrdersChecked:
    """What a check finds. Of several bad ones of a key in a block it names none."""
    culprits = tuple(place for place, it in enumerate(problem.signed) if it[2] == BAD)
    if isinstance(problem, CheckOrders):
        return OrdersChecked(culprits)
    bad = Counter(problem.signed[place][0] for place in culprits)
    keys = [it[0] for it in problem.signed]
    named = tuple(place for place in culprits if bad[keys[place]] == 1)
    return BlockChecked(named, tuple(place for place, key in enumerate(keys) if bad[key] > 1))


def order(cl_ord_id: str, **changes: Any) -> NewOrderSingle:
    """An order that says when it was made."""
    return new_order(cl_ord_id, **{"transact_time": T0} | changes)


class Venue:
    """A sequencer at `now` whose signers are logged on, and what it has said."""

    def __init__(self, *signers: str, **changes: Any) -> None:
        self.sequencer = Sequencer("sequencer", settings(**changes))
        self.now: Nanos = T0
        self.jobs: list[Compute[Any]] = []
        self.timers: dict[str, Nanos] = {}
        self.reports: list[Any] = []
        self.facts: list[Record] = []
        self.batches: list[Batch] = []
        self.handle(Start())
        for maker in signers:
            self.admit(maker)

    def handle(self, event: Event) -> None:
        """Hand it one event, and what it sends itself; sort the rest."""
        for effect in self.sequencer.handle(self.now, event):
            if isinstance(effect, Compute):
                self.jobs.append(effect)
            elif isinstance(effect, SetTimer):
                self.timers[effect.key] = effect.at
            elif isinstance(effect, CancelTimer):
                self.timers.pop(effect.key, None)
            elif isinstance(effect, Note):
                self.facts.append(effect.fact)
            elif isinstance(effect, Send):
                self._sent(effect)

    def admit(self, maker: str, key: str = "") -> None:
        """A market maker logs on."""
        self.handle(Message("identity", admission(maker, key)))
        self.handle(Message("fix", SessionOpened(maker)))

    def _sent(self, sent: Send[Any]) -> None:
        if sent.dst == "sequencer":
            self.handle(Message("sequencer", sent.body))
        elif isinstance(sent.body, Batch):
            self.batches.append(sent.body)
        elif isinstance(sent.body, ToPeer):
            self.reports.append(sent.body.message)

    def hear(self, body: Record) -> None:
        """The auction says something."""
        self.handle(Message("auction", body))

    def solve(self, job: int = 0, by: Callable[[Any], Any] = check) -> None:
        """Do one of the checks that wait, by default the oldest."""
        asked = self.jobs.pop(job)
        self.handle(Computed(asked.job_id, by(asked.problem)))

    def solve_all(self, by: Callable[[Any], Any] = check) -> None:
        """Do all of them, and those that are asked for then."""
        while self.jobs:
            self.solve(by=by)

    def ring(self, timer: str) -> None:
        """Let the time of a timer come."""
        self.now = max(self.now, self.timers.pop(timer))
        self.handle(TimerFired(timer, self.now))

    def said(self, *kinds: type[Record]) -> list[Any]:
        """The facts of those kinds."""
        return [fact for fact in self.facts if isinstance(fact, kinds)]

    @property
    def texts(self) -> dict[str, str]:
        """The codes of the last refusals of orders and requests, by their ClOrdIDs."""
        return {it.cl_ord_id: it.text.partition(":")[0] for it in self.reports if it.text}

    @property
    def traded(self) -> list[tuple[int, list[str]]]:
        """What the auction got: heights, and ClOrdIDs."""

        def name(item: Item) -> str:
            return item.cl_ord_id

        return [(batch.height, [name(item) for item in batch.items]) for batch in self.batches]
