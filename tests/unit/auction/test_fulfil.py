"""From the award to the fill: deposits, defaults, reassignment, and claims that may be repeated."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.auction import commitments
from core.auction.escrow import PENALTIES
from core.auction.facts import (
    BidRejected,
    CommitmentCreated,
    CommitmentDefaulted,
    CommitmentSettled,
    DepositReturned,
    EscrowDeposited,
    OrderReassigned,
    OrderReopened,
)
from core.kernel.record import Effect, Message, SetTimer
from core.market.orders import OrderExpired, OrderFilled
from core.solver.protocol import Awarded, BatchOpened, Defaulted, DepositRefused, Settled, SolverArrived
from core.units import SECOND
from tests.helpers.auction import (
    BID_WINDOW,
    FULFIL_WINDOW,
    GRACE,
    LIFETIME,
    Rig,
    bid,
    noted,
    order,
    reported,
    told,
    with_settings,
)

DEADLINE = BID_WINDOW + FULFIL_WINDOW
DUE = DEADLINE + GRACE


def awarded(*, partial: str = "2", immediate: bool = False, solvers: tuple[str, ...] = ("s1",)) -> Rig:
    """One order, sold to the first of `solvers`, each of which bid less than the one before."""
    bench = Rig()
    bench.batch(1, order(immediate=immediate))
    for behind, solver in enumerate(solvers):
        bench.place(solver, bid("b1", str(2100 - behind), max_input=partial))
    bench.advance(BID_WINDOW)
    return bench


def refusal(effects: list[Effect]) -> str:
    [fact] = noted(effects, DepositReturned)
    [(solver, answer)] = told(effects, DepositRefused)
    assert (solver, answer.commitment_id, answer.amount) == (fact.solver, fact.commitment_id, fact.amount)
    assert answer.reason == fact.reason
    return fact.reason


def test_the_winner_is_told_what_it_owes_and_until_when() -> None:
    bench = awarded()
    made = CommitmentCreated("C-1", 1, "O-1", "s1", "b1", Decimal(2), Decimal("4200.00"), DEADLINE, 1)
    assert bench.facts(CommitmentCreated) == [made]
    award = Awarded("C-1", 1, "O-1", "b1", "ETH", "USDC", Decimal(2), Decimal("4200.00"), DEADLINE)
    assert told(bench.effects, Awarded) == [("s1", award)]
    assert bench.timers == {"commitment:C-1": DUE}


def test_a_paid_commitment_settles_at_deadline_plus_grace_and_fills_the_order() -> None:
    bench = awarded()
    effects = bench.deposit("s1", "C-1", "4200")
    assert noted(effects, EscrowDeposited) == [EscrowDeposited("C-1", "s1", "USDC", Decimal("4200.00"))]
    assert bench.balance("escrow:C-1", "USDC") == 4200
    bench.advance(DUE - 1)
    assert not bench.facts(OrderFilled)
    bench.advance(DUE)
    filled = OrderFilled(
        "O-1", "F-1", "C-1", "s1", 1, Decimal(2), Decimal(2100), Decimal(2), Decimal("4200.00"), Decimal(0)
    )
    assert bench.facts(OrderFilled) == reported(bench.effects) == [filled]
    assert bench.facts(CommitmentSettled) == [CommitmentSettled("C-1", "O-1", "s1", Decimal(2), Decimal("4200.00"))]
    assert told(bench.effects, Settled) == [("s1", Settled("C-1", Decimal(2), Decimal("4200.00")))]
    balances = [bench.balance(a, t) for a in ("user:MM1", "solver:s1") for t in ("ETH", "USDC")]
    assert balances == [998, 1_004_200, 102, 195_800]
    assert bench.auction.state.orders == {}


def test_a_buyer_gets_back_what_the_better_price_left_over() -> None:
    bench = Rig()
    bench.batch(1, order(side="buy"))
    bench.place("s1", bid("b1", "0.00052", max_input="4000"))
    bench.advance(BID_WINDOW)
    bench.deposit("s1", "C-1", "2")
    bench.advance(DUE)
    [filled] = bench.facts(OrderFilled)
    assert (filled.quantity, filled.price, filled.input_amount) == (Decimal(2), Decimal("1923.08"), Decimal("3846.16"))
    assert bench.balance("user:MM1", "USDC") == 1_000_000 - Decimal("3846.16")


def test_a_deposit_above_what_is_owed_debits_what_is_owed() -> None:
    bench = awarded()
    bench.deposit("s1", "C-1", "5000")
    assert bench.balance("escrow:C-1", "USDC") == 4200


def test_a_deposit_in_the_grace_counts_and_at_its_end_is_late() -> None:
    bench = awarded()
    bench.now = DUE - 1
    assert noted(bench.deposit("s1", "C-1", "4200"), EscrowDeposited)
    bench = awarded()
    bench.now = DUE
    assert refusal(bench.deposit("s1", "C-1", "4200")) == "late"


def test_a_deposit_after_the_default_is_late_too() -> None:
    bench = awarded()
    bench.advance(DUE)
    assert refusal(bench.deposit("s1", "C-1", "4200")) == "late"


def test_short_foreign_and_groundless_deposits_are_refused_and_move_nothing() -> None:
    bench = awarded()
    before = bench.auction.snapshot()
    assert refusal(bench.deposit("s1", "C-1", "4199.99")) == "short"
    assert refusal(bench.deposit("s2", "C-1", "4200")) == "foreign"
    assert refusal(bench.deposit("s1", "C-9", "4200")) == "unknown_commitment"
    assert bench.auction.snapshot() == before


def test_repeating_a_deposit_moves_nothing_and_gets_the_same_answer() -> None:
    bench = awarded()
    bench.deposit("s1", "C-1", "4200")
    before = bench.auction.snapshot()
    assert bench.deposit("s1", "C-1", "4200.00") == []
    assert refusal(bench.deposit("s1", "C-1", "4201")) == "repeated"
    assert bench.auction.snapshot() == before
    bench.advance(DUE)
    before = bench.auction.snapshot()
    assert told(bench.deposit("s1", "C-1", "4200"), Settled) == [("s1", Settled("C-1", Decimal(2), Decimal("4200.00")))]
    assert refusal(bench.deposit("s1", "C-1", "4201")) == "repeated"
    assert bench.auction.snapshot() == before


def test_only_so_many_ended_commitments_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commitments, "RECENT_MAX", 1)
    bench = Rig()
    bench.batch(1, order("O-1"), order("O-2"))
    bench.place("s1", bid("b1", "2000"), bid("b2", "2000", order_id="O-2"))
    bench.advance(BID_WINDOW)
    bench.deposit("s1", "C-1", "4000")
    bench.deposit("s1", "C-2", "4000")
    bench.advance(DUE)
    assert refusal(bench.deposit("s1", "C-1", "4000")) == "unknown_commitment"
    assert told(bench.deposit("s1", "C-2", "4000"), Settled)


def test_a_default_costs_the_penalty_and_the_next_best_bid_takes_over_with_a_new_deadline() -> None:
    bench = awarded(solvers=("s1", "s2"))
    bench.advance(DUE)
    assert bench.facts(CommitmentDefaulted) == [CommitmentDefaulted("C-1", "O-1", "s1", Decimal(10))]
    assert told(bench.effects, Defaulted) == [("s1", Defaulted("C-1", Decimal(10)))]
    assert [bench.balance(account, "USDC") for account in ("bond:s1", PENALTIES)] == [15, 10]
    second = bench.facts(CommitmentCreated)[1]
    assert (second.solver, second.attempt, second.deadline) == ("s2", 2, DUE + FULFIL_WINDOW)
    assert bench.facts(OrderReassigned) == [OrderReassigned("O-1", "s1", "s2", 2)]
    assert refusal(bench.deposit("s1", "C-1", "4200")) == "late"
    bench.deposit("s2", "C-2", "4198")
    bench.advance(LIFETIME)
    assert [filled.solver for filled in bench.facts(OrderFilled)] == ["s2"]


def test_when_every_winner_defaults_the_order_is_auctioned_again() -> None:
    bench = awarded(solvers=("s1", "s2"))
    bench.advance(DUE + FULFIL_WINDOW + GRACE)
    assert bench.facts(OrderReopened) == [OrderReopened("O-1", "defaults")]
    assert bench.timers == {"order:O-1": LIFETIME}


def test_when_every_winner_defaults_an_immediate_order_expires() -> None:
    bench = awarded(immediate=True)
    bench.advance(DUE)
    assert bench.facts(OrderExpired) == [OrderExpired("O-1", "defaults")]


def test_after_its_validity_a_defaulted_order_goes_to_nobody() -> None:
    bench = Rig()
    bench.batch(1, order(valid_until=DUE))
    bench.place("s1", bid("b1", "2100"))
    bench.place("s2", bid("b1", "2000"))
    bench.advance(DUE)
    assert bench.facts(OrderExpired) == [OrderExpired("O-1", "validity")]
    assert len(bench.facts(CommitmentCreated)) == 1


def test_a_bond_covers_every_unpaid_commitment_so_that_no_default_is_free() -> None:
    bench = Rig()
    bench.batch(1, order("O-1"), order("O-2"), order("O-3"), order("O-4"))
    bench.place("s1", *(bid(f"b{n}", "2000", order_id=f"O-{n}") for n in (1, 2, 3, 4)))
    bench.advance(DUE)
    assert [fact.penalty for fact in bench.facts(CommitmentDefaulted)] == [10, 10]
    assert [fact.reason for fact in bench.facts(BidRejected)] == ["unbonded", "unbonded"]
    bench.batch(2)
    assert noted(bench.place("s1", bid("c1", "2000"), height=2), BidRejected)[0].reason == "unbonded"


def test_a_solver_that_cannot_fund_all_it_won_gets_the_older_orders_and_the_rest_falls_to_the_next() -> None:
    bench = Rig(with_settings(capital={"s1": {"USDC": Decimal(5000)}, "s2": {"USDC": Decimal(5000)}}))
    bench.batch(1, order("O-1"), order("O-2"))
    bench.place("s1", bid("b1", "2100"), bid("b2", "2100", order_id="O-2"))
    bench.place("s2", bid("b2", "2000", order_id="O-2"))
    bench.advance(BID_WINDOW)
    assert [(made.order_id, made.solver) for made in bench.facts(CommitmentCreated)] == [("O-1", "s1"), ("O-2", "s2")]
    [rejected] = bench.facts(BidRejected)
    assert (rejected.solver, rejected.bid_id, rejected.reason) == ("s1", "b2", "unfunded")


def test_a_default_frees_the_capital_it_had_claimed() -> None:
    bench = awarded()
    assert bench.auction.state.escrow.free("s1", "USDC") == 195_800
    bench.advance(DUE)
    assert bench.auction.state.escrow.free("s1", "USDC") == 200_000


def test_a_part_fill_leaves_the_rest_open_for_the_next_batch() -> None:
    bench = awarded(partial="0.5")
    bench.deposit("s1", "C-1", "1050")
    bench.advance(DUE)
    [filled] = bench.facts(OrderFilled)
    assert (filled.quantity, filled.leaves_quantity) == (Decimal("0.5"), Decimal("1.5"))
    assert bench.facts(OrderReopened) == [OrderReopened("O-1", "part_filled")]
    bench.batch(2)
    bench.place("s2", bid("b1", "2000", max_input="1.5"), height=2)
    bench.advance(DUE + BID_WINDOW)
    bench.deposit("s2", "C-2", "3000")
    bench.advance(LIFETIME)
    assert [fill.leaves_quantity for fill in bench.facts(OrderFilled)] == [Decimal("1.5"), Decimal(0)]
    assert bench.facts(CommitmentCreated)[1].attempt == 1


def test_a_buy_that_trades_in_parts_does_so_in_whole_lots() -> None:
    bench = Rig()
    bench.batch(1, order(side="buy"))
    for height in (1, 2):
        bench.place("s1", bid("b1", "0.0005", max_input="1399.99"), height=height)
        bench.advance(bench.now + BID_WINDOW)
        bench.deposit("s1", f"C-{height}", "0.699")
        bench.advance(bench.now + FULFIL_WINDOW + GRACE)
        bench.batch(height + 1)
    assert [fill.quantity for fill in bench.facts(OrderFilled)] == [Decimal("0.699"), Decimal("0.699")]
    assert bench.facts(OrderFilled)[1].input_amount == 1398


def test_the_rest_of_an_immediate_order_expires() -> None:
    bench = awarded(partial="0.5", immediate=True)
    bench.deposit("s1", "C-1", "1050")
    bench.advance(DUE)
    assert bench.facts(OrderExpired) == [OrderExpired("O-1", "part_filled")]
    assert bench.balance("user:MM1", "ETH") == Decimal("999.5")


def test_a_rest_too_small_to_pay_for_expires() -> None:
    bench = Rig()
    bench.batch(1, order(side="buy", quantity="1.001", price="5"))
    bench.place("s1", bid("b1", "0.2003", max_input="4.99"))
    bench.advance(BID_WINDOW)
    bench.deposit("s1", "C-1", "0.999")
    bench.advance(DUE)
    assert [fill.leaves_quantity for fill in bench.facts(OrderFilled)] == [Decimal("0.002")]
    assert bench.facts(OrderExpired) == [OrderExpired("O-1", "part_filled")]
    assert bench.balance("user:MM1", "USDC") == Decimal("999995.01")


def test_several_auctions_and_commitments_run_at_once_each_to_its_own_deadline() -> None:
    bench = awarded()
    bench.batch(2, order("O-2"))
    bench.place("s2", bid("b1", "2000", order_id="O-2"), height=2)
    assert bench.timers == {"commitment:C-1": DUE, "bids:2": 2 * BID_WINDOW}
    bench.deposit("s1", "C-1", "4200")
    bench.advance(2 * BID_WINDOW)
    assert bench.timers == {"commitment:C-2": 2 * BID_WINDOW + FULFIL_WINDOW + GRACE}
    assert [fill.order_id for fill in bench.facts(OrderFilled)] == ["O-1"]


def test_a_solver_that_comes_back_is_told_again_what_it_still_owes_and_what_it_may_bid_for() -> None:
    bench = awarded(solvers=("s1", "s2"))
    opened = told(bench.batch(2, order("O-2")), BatchOpened)
    [(_, owed)] = told(bench.effects, Awarded)
    again = bench.deliver(Message("solvers", SolverArrived("s1")))
    assert told(again, BatchOpened) == [("s1", opened[0][1])]
    assert told(again, Awarded) == [("s1", owed)]
    assert told(bench.deliver(Message("solvers", SolverArrived("s2"))), Awarded) == []


def test_a_solver_that_comes_back_again_and_again_is_told_once_a_second() -> None:
    bench = Rig(with_settings(bid_window=10 * SECOND))
    bench.batch(1, order())
    come_back = Message("solvers", SolverArrived("s1"))
    assert len(told(bench.deliver(come_back), BatchOpened)) == 1
    bench.advance(SECOND // 2)
    for _ in range(3):
        assert bench.deliver(come_back) == [SetTimer("again:s1", SECOND)]
    assert len(told(bench.deliver(Message("solvers", SolverArrived("s2"))), BatchOpened)) == 1
    before = len(told(bench.effects, BatchOpened))
    bench.advance(5 * SECOND)
    assert [solver for solver, _ in told(bench.effects, BatchOpened)[before:]] == ["s1"]
    assert len(told(bench.deliver(come_back), BatchOpened)) == 1


def test_a_solver_that_comes_back_hears_nothing_of_what_it_has_paid_or_is_too_late_for() -> None:
    bench = awarded()
    bench.deposit("s1", "C-1", "4200")
    assert bench.deliver(Message("solvers", SolverArrived("s1"))) == []
    bench.advance(DUE)
    assert bench.deliver(Message("solvers", SolverArrived("s1"))) == []
