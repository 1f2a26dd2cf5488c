"""A whole venue, given bytes: a key is changed under a session that trades, and nothing of it is lost."""

from __future__ import annotations

from typing import Any

import msgspec

from core.config import VenueConfig, decode_custom
from core.fix.codec import encode
from core.fix.timestamps import format_timestamp
from core.identity.checking import CheckBlock, CheckSignature, check
from core.identity.orders import sign_order
from core.kernel.kernel import Kernel
from core.kernel.record import Bytes, Compute, Computed, Connected, Disconnected, Event, Message, Note, Record
from core.sequencer.facts import OrdersVerified
from core.units import MILLISECOND
from core.wiring import components
from tests.helpers.fix import NOW, wire
from tests.helpers.identity import logon, proof, public, signer, stage
from tests.unit.live.test_checks_beside_the_node import VENUE


class Node:
    """A venue with MM1, who signs each order. Its checks wait until they are asked for."""

    def __init__(self) -> None:
        key = {"public": public("MM1").hex(), "proof": proof("MM1").hex(), "signing": "order"}
        config = msgspec.convert(VENUE | {"members": [{"id": "MM1", "key": key}]}, VenueConfig, dec_hook=decode_custom)
        self.kernel = Kernel("venue", components(config, 0))
        self.kernel.boot(NOW)
        self.now = NOW
        self.jobs: list[tuple[str, Compute[Any]]] = []
        self.facts: list[Record] = []
        self.pump()

    def post(self, dst: str, event: Event) -> None:
        self.kernel.agenda.post(self.now, dst, dst, event)

    def pump(self) -> None:
        for src, effect in self.kernel.pump(self.now):
            if isinstance(effect, Compute):
                self.jobs.append((src, effect))
            elif isinstance(effect, Note):
                self.facts.append(effect.fact)

    def answer(self, kind: type[Record]) -> None:
        """What is asked of that kind is answered within the next pump."""
        for src, job in [each for each in self.jobs if isinstance(each[1].problem, kind)]:
            self.jobs.remove((src, job))
            self.post(src, Computed(job.job_id, check(job.problem)))

    def log_on(self, conn: str, key: str, number: int) -> None:
        self.post("fix", Connected(conn, "peer:1"))
        self.post("fix", Bytes(conn, logon(key, sender="MM1", number=number, at=self.now)))
        self.pump()
        self.answer(CheckSignature)

    def order(self, conn: str, number: int, key: str = "MM1") -> None:
        at = format_timestamp(self.now)
        header = f"35=D|34={number}|49=MM1|52={at}|56=ROMER"
        body = f"11=c{number}|21=1|38=0.5|40=2|44=1990|54=2|55=ETHUSDC|60={at}"
        self.post("fix", Bytes(conn, sign_order(encode(wire(f"{header}|{body}")), signer(key))))

    def verified(self) -> list[tuple[int, tuple[int, ...]]]:
        """Of the blocks that were checked how many messages they had, and which were found bad."""
        for _ in range(20):
            self.now += 50 * MILLISECOND
            self.pump()
            self.answer(CheckBlock)
        return [(it.signed, it.refused) for it in self.facts if isinstance(it, OrdersVerified)]


def rotating() -> Node:
    """MM1 is logged on with its key, and another is staged."""
    node = Node()
    node.log_on("old", "MM1", 1)
    node.post("identity", Message("admin", stage("MM1", "new")))
    node.pump()
    for src, job in node.jobs:
        node.post(src, Computed(job.job_id, check(job.problem)))
    node.jobs.clear()
    node.pump()
    return node


def test_an_order_counts_that_arrives_with_the_answer_to_a_logon_with_the_new_key_which_is_turned_away() -> None:
    node = rotating()
    node.log_on("second", "new", 3)
    node.order("old", 2)
    node.pump()
    node.order("old", 3)
    assert node.verified() == [(2, ())]


def test_of_two_logons_that_are_proven_at_a_time_the_first_one_says_whose_the_orders_are() -> None:
    for first, second in (("MM1", "new"), ("new", "MM1")):
        node = rotating()
        node.order("old", 2)
        at = format_timestamp(node.now)
        node.post("fix", Bytes("old", encode(wire(f"35=5|34=3|49=MM1|52={at}|56=ROMER"))))
        node.post("fix", Disconnected("old", "closed by peer"))
        node.pump()
        node.now += MILLISECOND
        for conn, key in (("a", first), ("b", second)):
            node.post("fix", Connected(conn, "peer:1"))
            node.post("fix", Bytes(conn, logon(key, sender="MM1", number=4, at=node.now)))
        node.pump()
        node.answer(CheckSignature)
        node.pump()
        node.order("a", 5, first)
        assert node.verified() == [(2, ())]
