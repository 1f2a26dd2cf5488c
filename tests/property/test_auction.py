"""Random lives of an auction: whatever arrives and whenever, value is conserved and every promise is kept once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st

from core.auction.auction import Auction
from core.auction.facts import CommitmentCreated
from core.auction.states import CommitmentState, OrderState
from core.kernel.record import Effect, Event
from core.market.ledger import WORLD
from core.market.orders import OrderCancelled, OrderExpired, OrderFailed, OrderFilled
from core.solver.protocol import Deposit, WithdrawBid
from core.units import MONEY
from sim.checkers import Checkers
from sim.checkers.conservation import Conservation
from sim.checkers.orders import FillsWithinLimits, NothingAfterTheEnd, OneCommitment
from tests.helpers.auction import PAIR, Rig, bid, cancel, order, with_settings

Step: TypeAlias = Callable[[Rig], object]

POOR = with_settings(
    members={"MM1": {"ETH": Decimal(15), "USDC": Decimal(20_000)}, "MM2": {"ETH": Decimal(5)}},
    capital={"s1": {"ETH": Decimal(3), "USDC": Decimal(7000)}, "s2": {"USDC": Decimal(5000)}, "s3": {}},
    bonds={"s1": Decimal(25), "s2": Decimal(15), "s3": Decimal(100)},
)
"""So little of everything that orders fail, bids are unfunded, and bonds run out."""

ORDER_IDS = [f"O-{n}" for n in range(1, 9)]
SOLVERS = ["s1", "s2", "s3", "s9", "s1", "s2"]


class WatchedRig(Rig):
    """A rig under the checkers of the simulator, and a full audit of state after every event."""

    def __init__(self) -> None:
        self.checkers: Checkers | None = None
        self.height = 0
        self.ordered = 0
        super().__init__(POOR)
        ledger = Conservation(lambda: self.auction.ledger)
        self.checkers = Checkers(
            [ledger, OneCommitment(), FillsWithinLimits({PAIR.symbol: PAIR.lot}), NothingAfterTheEnd()]
        )
        self.checkers("venue", 0, "auction", self._start, self.effects)

    def deliver(self, event: Event) -> list[Effect]:
        effects = super().deliver(event)
        if self.checkers is None:
            self._start = event
        else:
            self.checkers("venue", self.now, "auction", event, effects)
        audit(self.auction)
        return effects


def audit(auction: Auction) -> None:
    """Everything that must hold between any two events."""
    state = auction.state
    totals: dict[str, Decimal] = {}
    for account, tokens in state.escrow.ledger.balances.items():
        for token, amount in tokens.items():
            assert amount > 0 or account == WORLD, f"{account} {token} {amount}"
            totals[token] = totals.get(token, Decimal(0)) + amount
            kind, _, of = account.partition(":")
            assert kind != "order" or of in state.orders
            assert kind != "escrow" or state.commitments.live[of].state is CommitmentState.ESCROWED
    assert not any(totals.values())
    owed: dict[tuple[str, str], Decimal] = {}
    for made in state.commitments.live.values():
        if made.state is CommitmentState.AWARDED:
            key = (made.solver, made.buy_token)
            owed[key] = owed.get(key, Decimal(0)) + made.min_output
    for solver, claims in state.escrow.owed.items():
        for token, amount in claims.items():
            assert amount == owed.get((solver, token), Decimal(0))
            assert auction.ledger.balance(f"solver:{solver}", token) >= amount
    committed = [made.order_id for made in state.commitments.live.values()]
    assert len(committed) == len(set(committed))
    assert set(committed) == {i for i, live in state.orders.items() if live.state is OrderState.COMMITTED}
    in_auction = [order_id for book in state.books.values() for order_id in book.orders]
    assert sorted(in_auction) == sorted(i for i, o in state.orders.items() if o.state is OrderState.IN_AUCTION)


def pass_time(span: int) -> Step:
    return lambda rig: rig.advance(rig.now + span)


@st.composite
def batches(draw: st.DrawFn) -> Step:
    wanted = draw(
        st.lists(
            st.tuples(
                st.sampled_from(["sell", "buy"]),
                st.sampled_from(["0.5", "1", "2.0005"]),
                st.sampled_from(["1999.99", "2000", "2000.01"]),
                st.sampled_from(["MM1", "MM2"]),
                st.booleans(),
                st.sampled_from([False, False, False, True]),
                st.integers(100, 2000),
            ),
            max_size=4,
        )
    )
    gone = draw(st.lists(st.tuples(st.sampled_from(ORDER_IDS), st.sampled_from(["MM1", "MM2"])), max_size=1))

    def step(rig: Rig) -> object:
        assert isinstance(rig, WatchedRig)
        rig.height += 1
        items = []
        for side, quantity, price, owner, partial, immediate, life in wanted:
            rig.ordered += 1
            fresh = order(
                f"O-{rig.ordered}",
                "buy" if side == "buy" else "sell",
                quantity,
                price,
                owner=owner,
                partial=partial,
                immediate=immediate,
                valid_until=rig.now + life,
            )
            items.append(fresh)
        return rig.batch(rig.height, *items, *(cancel(order_id, owner) for order_id, owner in gone))

    return step


@st.composite
def bidding(draw: st.DrawFn) -> Step:
    """Bid for orders of an auction that runs, or now and then for others."""
    solver = draw(st.sampled_from(SOLVERS))
    share = draw(st.sampled_from([1, 1, 1, 2, 3]))
    premium = Decimal(draw(st.integers(-1, 20))) / 1000
    life = draw(st.integers(100, 2000))
    astray = draw(st.integers(0, 9)) == 0
    ids = draw(st.lists(st.sampled_from(ORDER_IDS), min_size=1, max_size=4))

    def step(rig: Rig) -> object:
        assert isinstance(rig, WatchedRig)
        state = rig.auction.state
        if not (astray or state.books):
            return None
        height = rig.height if astray else min(state.books)
        wanted = ids if astray else list(state.books[height].orders)[: len(ids)]
        bids = []
        for number, order_id in enumerate(wanted):
            of = state.orders[order_id].order if order_id in state.orders else order(order_id)
            unit = PAIR.lot if of.side == "sell" else Decimal("0.01")
            taken = of.input_amount if share == 1 else (of.input_amount / share).quantize(unit, context=MONEY)
            rate = MONEY.divide(of.min_output, max(of.input_amount, unit)) * (1 + premium)
            bid_id = f"{len(rig.effects)}.{number}"
            bids.append(bid(bid_id, f"{rate:.12f}", order_id=order_id, max_input=str(taken), valid_till=rig.now + life))
        return rig.place(solver, *bids, height=height)

    return step


def withdrawing(solver: str, order_id: str) -> Step:
    def step(rig: Rig) -> object:
        assert isinstance(rig, WatchedRig)
        return rig.said(solver, WithdrawBid(rig.height, order_id))

    return step


def depositing(number: int, solver: str | None, extra: int) -> Step:
    """Pay a commitment that was made, by its own solver if `solver` is None, exactly if `extra` is 0."""

    def step(rig: Rig) -> object:
        made = rig.facts(CommitmentCreated)
        if not made:
            return None
        owed = made[-1 - number % len(made)]
        return rig.said(solver or owed.solver, Deposit(owed.commitment_id, owed.min_output + extra))

    return step


def paying_all(rig: Rig) -> None:
    """Every solver pays what it owes."""
    for owed in list(rig.auction.state.commitments.live.values()):
        rig.said(owed.solver, Deposit(owed.commitment_id, owed.min_output))


STEPS = st.one_of(
    batches(),
    bidding(),
    bidding(),
    bidding(),
    st.integers(0, 20).map(pass_time),
    st.integers(20, 120).map(pass_time),
    st.just(paying_all),
    st.just(paying_all),
    st.builds(depositing, st.integers(0, 5), st.sampled_from([None, *SOLVERS]), st.integers(-1, 1)),
    st.builds(withdrawing, st.sampled_from(SOLVERS), st.sampled_from(ORDER_IDS)),
)


@given(st.lists(STEPS, min_size=20, max_size=60), st.booleans())
def test_value_is_conserved_promises_are_single_and_every_order_ends(steps: list[Step], stopped: bool) -> None:
    rig = WatchedRig()
    for step in steps:
        step(rig)
    if stopped:
        rig.stop()
    rig.advance(rig.now + 10_000)
    state = rig.auction.state
    assert (rig.timers, state.orders, state.books, state.commitments.live) == ({}, {}, {}, {})
    assert rig.checkers is not None
    rig.checkers.finish()
    ends = [fact.order_id for fact in rig.facts(OrderFilled) if not fact.leaves_quantity]
    ends += [fact.order_id for fact in rig.facts(OrderExpired)]
    ends += [fact.order_id for fact in rig.facts(OrderCancelled)]
    ends += [fact.order_id for fact in rig.facts(OrderFailed)]
    assert sorted(ends) == sorted(f"O-{n}" for n in range(1, rig.ordered + 1))


@given(st.lists(STEPS, min_size=15, max_size=40), st.lists(STEPS, min_size=5, max_size=20))
def test_an_auction_that_was_put_down_and_taken_up_goes_on_as_if_it_had_not(
    before: list[Step], after: list[Step]
) -> None:
    rig = WatchedRig()
    for step in before:
        step(rig)
    saved = rig.auction.snapshot()
    mark, now, timers, height, ordered = len(rig.effects), rig.now, dict(rig.timers), rig.height, rig.ordered
    for step in after:
        step(rig)
    rig.advance(now + 20_000)

    twin = WatchedRig()
    twin.checkers = Checkers([])
    twin.auction = Auction("auction", POOR)
    twin.auction.restore(saved)
    twin.effects, twin.now, twin.timers = rig.effects[:mark], now, timers
    twin.height, twin.ordered = height, ordered
    for step in after:
        step(twin)
    twin.advance(now + 20_000)
    assert twin.effects == rig.effects
    assert twin.auction.snapshot() == rig.auction.snapshot()
