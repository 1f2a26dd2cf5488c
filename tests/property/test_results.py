"""Whatever an auction states, the tables tell the same: they agree with its state and with each other."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core.auction.states import CommitmentState
from core.kernel.record import Effect, Event, Message, Note, Record
from core.market.orders import Batch, Order
from core.sequencer.facts import BlockSealed, OrderSequenced
from sim.results.explain import as_text, explain
from sim.results.facts import Noted
from sim.results.result import RunResult
from tests.helpers.auction import BID_WINDOW, bid, order
from tests.helpers.blocks import header as empty
from tests.property.test_auction import STEPS, Step, WatchedRig
from tests.unit.results.stories import manifest


class RecordedRig(WatchedRig):
    """A rig whose facts are kept as a run keeps them, with those of the sequencer before each batch."""

    def __init__(self) -> None:
        self.notes: list[Noted] = []
        super().__init__()

    def deliver(self, event: Event) -> list[Effect]:
        if isinstance(event, Message) and isinstance(event.body, Batch):
            self._sequence(event.body)
        effects = super().deliver(event)
        for effect in effects:
            if isinstance(effect, Note):
                self._note("auction", effect.fact)
        return effects

    def _sequence(self, batch: Batch) -> None:
        for item in batch.items:
            if isinstance(item, Order):
                self._note("sequencer", OrderSequenced(len(self.notes), item))
        header = empty(batch.height, opened_at=0, closed_at=batch.closed_at, message_count=len(batch.items))
        self._note("sequencer", BlockSealed(header, bytes(32), "window", 0))

    def _note(self, component: str, fact: Record) -> None:
        self.notes.append(Noted(len(self.notes) + 1, self.now, "venue", component, fact))


def lived(steps: list[Step]) -> RecordedRig:
    """An auction with two awards out, and then whatever happens."""
    rig = RecordedRig()
    rig.height, rig.ordered = 1, 2
    rig.batch(1, order("O-1"), order("O-2", quantity="0.5", owner="MM2"))
    rig.place("s1", bid("a", "2010"), bid("b", "2002", order_id="O-2", max_input="0.5"))
    rig.place("s2", bid("c", "2005"), bid("d", "2004", order_id="O-2", max_input="0.25"))
    rig.advance(BID_WINDOW)
    for step in steps:
        step(rig)
    return rig


@settings(max_examples=40, deadline=None)
@given(st.lists(STEPS, min_size=10, max_size=40))
def test_tables_agree_with_the_auction(steps: list[Step]) -> None:
    rig = lived(steps)
    result = RunResult.of(manifest(), rig.notes)
    orders, commitments, escrow = (result.table(name).to_pylist() for name in ("orders", "commitments", "escrow"))

    state = rig.auction.state
    assert {row["order_id"] for row in orders if row["status"] == "open"} == set(state.orders)
    for row in orders:
        assert row["surplus_quote"] >= 0
        assert row["filled_quantity"] <= row["quantity"]
        assert (row["ended_time"] is None) == (row["status"] == "open")
    unpaid = [row["commitment_id"] for row in commitments if row["status"] == "awarded"]
    assert unpaid == [key for key, made in state.commitments.live.items() if made.state is CommitmentState.AWARDED]
    assert _balances(escrow) == {
        (account, token): amount
        for account, tokens in rig.auction.ledger.balances.items()
        for token, amount in tokens.items()
    }


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, min_size=10, max_size=40))
def test_every_bid_has_one_fate_and_every_order_a_story(steps: list[Step]) -> None:
    rig = lived(steps)
    result = RunResult.of(manifest(), rig.notes)
    counted = Counter(
        (row["height"], row["solver"], row["bid_id"])
        for row in result.table("bids").to_pylist()
        if row["status"] != "rejected"
    )
    assert all(times == 1 for times in counted.values())
    assert result.table("bids")["won"].to_pylist().count(True) == result.table("commitments").num_rows
    for order_id in result.table("orders")["order_id"].to_pylist():
        assert order_id in as_text(explain(result, order_id))


def _balances(escrow: list[dict[str, Any]]) -> dict[tuple[str, str], Decimal]:
    held: dict[tuple[str, str], Decimal] = {}
    for move in escrow:
        for account, change in ((move["src"], -move["amount"]), (move["dst"], move["amount"])):
            key = (account, move["token"])
            held[key] = held.get(key, Decimal(0)) + change
    return {key: amount for key, amount in held.items() if amount}
