"""What a venue's journal says, read by handling it again under every checker that a simulation runs under."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from core.auction.auction import Auction
from core.auction.facts import BatchCreated, CommitmentCreated, CommitmentDefaulted, CommitmentSettled
from core.config import VenueConfig, decode_node
from core.fix.messages import ExecutionReport
from core.fix.records import FromPeer
from core.kernel.reader import JournalReader
from core.kernel.record import Effect, Event, Message, Note, Record, TimerFired
from core.kernel.replay import replay
from core.market.orders import OrderFilled
from core.sequencer.facts import BlockSealed, OrderRefused, OrderSequenced
from core.units import Nanos
from core.wiring import CODEC, components
from sim.checkers.every import every_checker
from sim.replay import open_journal


class Auctioned(NamedTuple):
    """When the bids of an auction were to be ranked, and the start of the venue that opened it."""

    deadline: Nanos
    boot: int


class Ranked(NamedTuple):
    """When they were, and in which start."""

    at: Nanos
    boot: int


class Audit:
    """Facts by kind, auctions by height, and the books as they stand at the end.

    Raises FactViolated where a rule of the market was broken, and what a replay raises.
    """

    def __init__(self, folder: Path) -> None:
        self._reader = open_journal(folder)
        config = decode_node(self._reader.header.config)
        assert isinstance(config, VenueConfig)
        self.config = config
        self.opened: dict[int, Auctioned] = {}
        self.ranked: dict[int, list[Ranked]] = {}
        self._facts: dict[type[Record], list[Any]] = {}
        parts = components(config, self._reader.header.seed)
        auction = next(part for part in parts if isinstance(part, Auction))
        self._checkers = every_checker(config, lambda: auction.state.escrow.ledger)
        self.digest = replay(self._reader, parts, CODEC, observer=self._observe, unfinished=True).digest
        self._checkers.finish()
        self.balances = auction.state.escrow.ledger.balances

    @property
    def reader(self) -> JournalReader:
        """Which has read all of it: boots and end."""
        return self._reader

    def facts(self, kind: type[Record]) -> list[Any]:
        """All of a kind, in order."""
        return self._facts.get(kind, [])

    def balance(self, account: str, token: str) -> Decimal:
        """What an account holds at the end."""
        return self.balances.get(account, {}).get(token, Decimal(0))

    def accounts(self, *kinds: str) -> list[str]:
        """The accounts of these kinds that hold something."""
        return [account for account in self.balances if account.partition(":")[0] in kinds]

    def penalties(self) -> Counter[str]:
        """How often each solver has defaulted."""
        return Counter(fact.solver for fact in self.facts(CommitmentDefaulted))

    def told(self) -> dict[str, list[Any]]:
        """Blocks and awards, and what came of them, as a venue's log names them."""
        return {
            "blocks": [[fact.header.height, fact.block_hash.hex()] for fact in self.facts(BlockSealed)],
            "awards": [[fact.commitment_id, fact.order_id, fact.solver] for fact in self.facts(CommitmentCreated)],
            "settled": [fact.commitment_id for fact in self.facts(CommitmentSettled)],
        }

    def _observe(self, node: str, now: Nanos, dst: str, event: Event, effects: list[Effect]) -> None:
        self._checkers(node, now, dst, event, effects)
        boot = len(self._reader.boots)
        if dst == "auction" and isinstance(event, TimerFired) and event.key.startswith("bids:"):
            self.ranked.setdefault(int(event.key.removeprefix("bids:")), []).append(Ranked(now, boot))
        for effect in effects:
            if isinstance(effect, Note):
                self._facts.setdefault(type(effect.fact), []).append(effect.fact)
                if isinstance(effect.fact, BatchCreated):
                    self.opened[effect.fact.height] = Auctioned(effect.fact.bid_deadline, boot)


def orders_of(audit: Audit, owner: str) -> tuple[Counter[str], Counter[str]]:
    """The ClOrdIDs that an owner's accepted and refused orders have, and how often."""
    accepted = Counter(fact.order.cl_ord_id for fact in audit.facts(OrderSequenced) if fact.order.owner == owner)
    refused = Counter(fact.cl_ord_id for fact in audit.facts(OrderRefused) if fact.owner == owner)
    return accepted, refused


def traded_by(audit: Audit, owner: str) -> dict[str, Decimal]:
    """What an owner's fills have brought and cost, by token."""
    orders = {fact.order.order_id: fact.order for fact in audit.facts(OrderSequenced)}
    change: dict[str, Decimal] = {}
    for fill in audit.facts(OrderFilled):
        order = orders[fill.order_id]
        if order.owner == owner:
            change[order.sell_token] = change.get(order.sell_token, Decimal(0)) - fill.input_amount
            change[order.buy_token] = change.get(order.buy_token, Decimal(0)) + fill.output_amount
    return change


def reports_to(folder: Path) -> list[ExecutionReport]:
    """The ExecutionReports that reached the market maker whose journal is in `folder`."""
    found = []
    for delivery in open_journal(folder).deliveries(unfinished=True):
        _, dst, event, _ = CODEC.delivered(delivery)
        if dst == "maker" and isinstance(event, Message) and isinstance(event.body, FromPeer):
            message = event.body.message
            if isinstance(message, ExecutionReport):
                found.append(message)
    return found
