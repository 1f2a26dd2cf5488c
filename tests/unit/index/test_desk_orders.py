"""Orders at the desk: what is accepted, changed, cancelled, netted, and how each ends exactly once."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from msgspec import structs

from core.collateral.records import CollateralAwaited, CollateralRefused
from core.index.invoices import MintInvoice
from core.index.reasons import EndReason, OrderRefusal, RequestRefusal
from core.index.records import (
    IndexOrderAccepted,
    IndexOrderAmended,
    IndexOrderEnded,
    IndexOrderNetted,
    IndexOrderRejected,
    IndexRequestRefused,
    IndexTokensDeposited,
    NewIndexOrder,
    Outcome,
)
from core.index.states import IndexBatchState, IndexOrderState
from core.market.orders import Side
from core.units import EXACT, SECOND, decimals
from tests.helpers.index_desk import ALICE, BOB, DeskRig, golden_settings, ready_rig

D = Decimal


@pytest.fixture
def rig() -> DeskRig:
    return ready_rig()


def ended(rig: DeskRig) -> list[tuple[str, Outcome, str]]:
    """Every last word."""
    return [(fact.client_order_id, fact.outcome, fact.reason) for fact in rig.facts(IndexOrderEnded)]


def refusals(rig: DeskRig) -> list[str]:
    """Why changes were refused."""
    return [fact.reason for fact in rig.facts(IndexRequestRefused)]


@pytest.mark.parametrize(
    ("amount", "side", "symbol", "reason"),
    [
        ("0", "buy", "IX", OrderRefusal.INVALID_AMOUNT),
        ("-5", "buy", "IX", OrderRefusal.INVALID_AMOUNT),
        ("-5", "sell", "IX", OrderRefusal.INVALID_AMOUNT),
        ("NaN", "buy", "IX", OrderRefusal.INVALID_AMOUNT),
        ("Infinity", "buy", "IX", OrderRefusal.INVALID_AMOUNT),
        ("1.0000001", "buy", "IX", OrderRefusal.TOO_MUCH_PRECISION),
        ("1E-30", "sell", "IX", OrderRefusal.TOO_MUCH_PRECISION),
        ("100." + "0" * 33 + "4", "buy", "IX", OrderRefusal.TOO_MUCH_PRECISION),
        ("0.5" + "0" * 38 + "1", "sell", "IX", OrderRefusal.TOO_MUCH_PRECISION),
        ("1E+30", "buy", "IX", OrderRefusal.TOO_LARGE),
        ("5", "buy", "IY", OrderRefusal.INVALID_SYMBOL),
    ],
)
def test_what_cannot_be_an_order_is_rejected_with_the_reason(
    rig: DeskRig, amount: str, side: Side, symbol: str, reason: OrderRefusal
) -> None:
    rig.order("C-1", amount, side, symbol=symbol)
    (rejected,) = rig.facts(IndexOrderRejected)
    assert (rejected.reason, rejected.client_order_id) == (reason, "C-1")
    assert rejected.text
    assert not rig.desk.state.orders.live


@pytest.mark.parametrize("client_id", ["", "x" * 65])
def test_an_id_has_a_length(rig: DeskRig, client_id: str) -> None:
    rig.tell(NewIndexOrder(ALICE, client_id, "IX", "buy", D(5)))
    assert [fact.reason for fact in rig.facts(IndexOrderRejected)] == [OrderRefusal.INVALID_ID]


def test_a_token_has_eighteen_decimals(rig: DeskRig) -> None:
    rig.order("C-1", "1.000000000000000001", "sell")
    assert len(rig.facts(IndexOrderAccepted)) == 1


def test_an_id_is_refused_while_its_order_lives_and_for_ever_after(rig: DeskRig) -> None:
    rig.order("C-1", "500")
    rig.order("C-1", "500")
    rig.run(60)
    assert ended(rig) == [("C-1", Outcome.MINTED, EndReason.FILLED)]
    rig.order("C-1", "500")
    assert [fact.reason for fact in rig.facts(IndexOrderRejected)] == [OrderRefusal.DUPLICATE_ID] * 2
    rig.order("C-1", "500", user=BOB)
    assert [fact.user for fact in rig.facts(IndexOrderAccepted)] == [ALICE, BOB]


def test_a_user_has_several_active_orders(rig: DeskRig) -> None:
    for number in (1, 2, 3):
        rig.order(f"C-{number}", "300")
    rig.run(10)
    rig.exchange.paused = True
    rig.run(1)
    assert len(rig.desk.state.orders.live) <= 3
    rig.resume_exchange()
    rig.run(60)
    assert [each[0] for each in ended(rig)] == ["C-1", "C-2", "C-3"]


def test_a_user_has_no_more_open_orders_than_he_may() -> None:
    rig = ready_rig(structs.replace(golden_settings(), orders_per_user_max=1))
    rig.order("C-1", "300")
    rig.order("C-2", "300")
    assert [fact.reason for fact in rig.facts(IndexOrderRejected)] == [OrderRefusal.TOO_MANY_ORDERS]


def test_an_order_that_nothing_was_done_for_is_cancelled_at_once(rig: DeskRig) -> None:
    rig.order("C-1", "300")
    rig.cancel("C-1")
    assert ended(rig) == [("C-1", Outcome.CANCELLED, EndReason.REQUESTED)]
    assert rig.collateral.held == {}


def test_an_order_on_its_way_is_cancelled_when_its_collateral_has_arrived(rig: DeskRig) -> None:
    rig.collateral.paused = True
    rig.order("C-1", "300")
    rig.run(11)
    rig.cancel("C-1")
    assert ended(rig) == []
    assert rig.desk.state.orders.live["I-1"].state is IndexOrderState.LEAVING
    rig.resume_collateral()
    assert ended(rig) == [("C-1", Outcome.CANCELLED, EndReason.REQUESTED)]
    assert rig.collateral.returned == {"I-1": D(300)}


def test_an_order_whose_deposit_is_missing_is_cancelled_without_waiting_for_it(rig: DeskRig) -> None:
    rig.collateral.paused = True
    rig.order("C-1", "300")
    rig.run(11)
    rig.tell(CollateralAwaited("I-1"), "collateral")
    rig.cancel("C-1")
    assert rig.collateral.stopped == ["I-1"]
    rig.tell(CollateralRefused("I-1", "route", "cancelled", D(3)), "collateral")
    assert ended(rig) == [("C-1", Outcome.CANCELLED, EndReason.REQUESTED)]
    assert rig.facts(IndexOrderEnded)[0].refund == 0


def test_an_order_that_is_too_old_stops_waiting_for_its_deposit_too() -> None:
    rig = ready_rig(structs.replace(golden_settings(), order_expiry_ns=60 * SECOND))
    rig.collateral.paused = True
    rig.order("C-1", "300")
    rig.run(61)
    assert rig.collateral.stopped == ["I-1"]


def test_only_what_still_waits_for_collateral_is_stopped(rig: DeskRig) -> None:
    rig.order("C-1", "300")
    rig.cancel("C-1")
    rig.order("C-2", "800")
    rig.exchange.paused = True
    rig.run(11)
    rig.cancel("C-2")
    assert rig.collateral.stopped == []


def test_a_cancel_while_engaged_mints_what_is_filled_and_refunds_the_rest(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.exchange.script = lambda _, order: [(order.quantity / 2, order.price)]
    rig.order("C-1", "1000")
    rig.run(11)
    rig.cancel("C-1")
    assert ended(rig) == []
    rig.resume_exchange()
    rig.run(1)
    assert ended(rig) == [("C-1", Outcome.CANCELLED, EndReason.REQUESTED)]
    (invoice,), (last,) = rig.facts(MintInvoice), rig.facts(IndexOrderEnded)
    assert last.filled_quantity == invoice.filled_quantity == rig.chain.balance("IX", ALICE) > D("0.4")
    assert last.refund == rig.collateral.returned["I-1"] == D(1000) - invoice.amount_paid > 490


def test_a_cancel_while_engaged_with_nothing_filled_refunds_everything(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.exchange.script = lambda _, order: []
    rig.order("C-1", "1000")
    rig.run(11)
    rig.cancel("C-1")
    rig.resume_exchange()
    rig.run(1)
    assert rig.collateral.returned == {"I-1": D(1000)}
    assert rig.facts(MintInvoice) == []
    assert [fact.refund for fact in rig.facts(IndexOrderEnded)] == [1000]


def refunds(rig: DeskRig) -> list[tuple[Decimal, Decimal, Decimal]]:
    """What went back of each order, what that cost, and what was credited."""
    return [(fact.refund, fact.refund_fee, fact.credited) for fact in rig.facts(IndexOrderEnded)]


def test_a_refund_is_what_has_come_back_and_its_cost_is_told(rig: DeskRig) -> None:
    rig.set_book("AZ", (), ())
    rig.collateral.refund_fee = D("12.5")
    rig.order("C-1", "1000")
    rig.run(11)
    rig.cancel("C-1")
    assert refunds(rig) == [(D("987.5"), D("12.5"), D(0))]
    assert rig.collateral.returned == {"I-1": D("987.5")}


def test_what_cannot_be_sent_back_is_told_to_be_credited(rig: DeskRig) -> None:
    rig.set_book("AZ", (), ())
    rig.order("C-1", "1000")
    rig.run(11)
    rig.collateral.sends_home = False
    rig.cancel("C-1")
    assert refunds(rig) == [(D(0), D(0), D(1000))]


def test_what_is_too_little_to_be_sent_back_is_told_to_be_credited(rig: DeskRig) -> None:
    rig.exchange.script = lambda _, order: [(order.quantity, order.price * D("0.97"))]
    rig.order("C-1", "1000")
    rig.run(60)
    (invoice,) = rig.facts(MintInvoice)
    assert 0 < 1000 - invoice.amount_paid < rig.settings.refund_min
    assert refunds(rig) == [(D(0), D(0), 1000 - invoice.amount_paid)]


def test_what_cannot_be_cancelled_is_refused(rig: DeskRig) -> None:
    rig.cancel("C-1")
    rig.exchange.paused = True
    rig.order("C-1", "1000")
    rig.run(11)
    rig.cancel("C-1")
    rig.cancel("C-1")
    rig.resume_exchange()
    rig.run(60)
    rig.cancel("C-1")
    assert refusals(rig) == [
        RequestRefusal.UNKNOWN_ORDER,
        RequestRefusal.ALREADY_LEAVING,
        RequestRefusal.TOO_LATE,
    ]


def test_an_order_that_cannot_trade_expires_with_everything_refunded(rig: DeskRig) -> None:
    rig.set_book("AZ", (), ())
    rig.order("C-1", "1000")
    rig.run(700)
    assert ended(rig) == [("C-1", Outcome.EXPIRED, EndReason.TOO_OLD)]
    assert rig.collateral.returned == {"I-1": D(1000)}


def test_an_order_that_stops_trading_half_way_expires_with_its_half_minted(rig: DeskRig) -> None:
    def half(_: int, order: object) -> list[tuple[Decimal, Decimal]]:
        rig.exchange.script = lambda _, order: []
        return [(D("2.4"), D(100))]

    rig.exchange.script = half
    rig.order("C-1", "1000")
    rig.exchange.script = lambda nth, order: [(order.quantity / 4, order.price)] if nth <= 2 else []
    rig.run(700)
    assert ended(rig) == [("C-1", Outcome.EXPIRED, EndReason.TOO_OLD)]
    (invoice,) = rig.facts(MintInvoice)
    assert rig.collateral.returned["I-1"] == 1000 - invoice.amount_paid


def test_an_order_is_amended_up_before_it_is_funded_and_down_after(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.amend("C-1", "1500")
    rig.set_book("AZ", (), ())
    rig.run(11)
    rig.amend("C-1", "1600")
    rig.amend("C-1", "400")
    rig.amend("C-1", "-1")
    rig.amend("C-1", "1.23456789")
    assert [(fact.amount, fact.removed) for fact in rig.facts(IndexOrderAmended)] == [
        (D(1500), D(0)),
        (D(400), D(1100)),
    ]
    assert refusals(rig) == [
        RequestRefusal.FUNDS_MOVED,
        RequestRefusal.INVALID_AMOUNT,
        RequestRefusal.TOO_MUCH_PRECISION,
    ]
    rig.cancel("C-1")
    rig.run(1)
    assert rig.collateral.returned == {"I-1": D(1500)}


def test_an_order_cannot_be_amended_below_what_is_in_use(rig: DeskRig) -> None:
    rig.exchange.paused = True
    rig.order("C-1", "1000")
    rig.run(11)
    rig.amend("C-1", "10")
    assert refusals(rig) == [RequestRefusal.IN_USE]


def test_what_is_amended_away_comes_back_with_the_mint(rig: DeskRig) -> None:
    rig.set_book("AZ", (), ())
    rig.order("C-1", "1000")
    rig.run(11)
    rig.amend("C-1", "400")
    rig.set_book("AZ", *ready_rig().books["AZ"])
    rig.run(60)
    (invoice,) = rig.facts(MintInvoice)
    assert ended(rig)[0][1] is Outcome.MINTED
    assert rig.collateral.returned["I-1"] == 1000 - invoice.amount_paid >= 600


def test_the_invoice_of_an_amended_order_is_of_what_it_was_amended_to(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.amend("C-1", "400")
    rig.run(60)
    (invoice,) = rig.facts(MintInvoice)
    spent = rig.desk.state.orders.ended["I-1"].spent
    assert (invoice.total_amount, invoice.amount_remaining) == (rig.facts(IndexOrderAmended)[-1].amount, 400 - spent)
    assert invoice.fill_rate == spent / 400


def test_an_order_that_leaves_ends_though_its_exchange_orders_stay_in_the_book(rig: DeskRig) -> None:
    rig.exchange.stays = True
    rig.exchange.script = lambda _, order: [(order.quantity / 4, order.price)]
    rig.order("C-1", "800")
    rig.order("C-1", "800", user=BOB)
    rig.run(20)
    rig.cancel("C-1")
    assert rig.exchange.cancelled == ["B-1"]
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == []
    rig.run(1)
    assert [(fact.user, fact.outcome) for fact in rig.facts(IndexOrderEnded)] == [(ALICE, Outcome.CANCELLED)]
    rig.run(700)
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.CANCELLED, Outcome.MINTED]


def test_a_batch_is_cancelling_until_the_exchange_has_said_the_last_of_its_orders(rig: DeskRig) -> None:
    rig.exchange.stays = True
    rig.exchange.script = lambda _, order: []
    rig.order("C-1", "800")
    rig.run(20)
    batch = rig.desk.state.batches.running["B-1"]
    states = [batch.state]
    ends = rig.exchange.standing.pop("B-1")
    rig.cancel("C-1")
    states.append(batch.state)
    rig.tell(rig.exchange.trade("B-1", rig.exchange.orders[0], D("0.1"), D(100)), "execution")
    for ended in ends:
        rig.tell(ended, "execution")
    states.append(batch.state)
    assert states == [IndexBatchState.TRADING, IndexBatchState.CANCELLING, IndexBatchState.COMPLETED]
    assert rig.desk.state.batches.running == {}


def test_opposite_orders_of_one_user_meet_newest_first(rig: DeskRig) -> None:
    price = D("8.275862068965517241379310344") * 95 + D("0.6735751295336787564766839378") * D("297.5")
    rig.order("C-1", "1000")
    rig.order("C-2", "2000")
    rig.order("C-3", "2", "sell")
    met = [(fact.client_order_id, fact.against, fact.amount) for fact in rig.facts(IndexOrderNetted)]
    assert [each[:2] for each in met] == [("C-2", "I-3"), ("C-3", "I-2")]
    assert met[0][2] == pytest.approx(2 * price)
    assert ended(rig) == [("C-3", Outcome.CANCELLED, EndReason.NETTED)]
    assert rig.desk.state.orders.live["I-2"].remaining == pytest.approx(2000 - 2 * price)
    assert rig.desk.state.orders.live["I-1"].remaining == 1000


def test_what_netting_leaves_of_an_order_is_whole_units_that_collateral_can_be_moved_in(rig: DeskRig) -> None:
    rig.order("C-1", "2000")
    rig.order("C-2", "0.123456789012345678", "sell")
    met, sold = rig.facts(IndexOrderNetted)
    assert (sold.client_order_id, sold.amount) == ("C-2", D("0.123456789012345678"))
    left = rig.desk.state.orders.live["I-1"].remaining
    assert left == 2000 - met.amount
    assert decimals(left) <= rig.settings.collateral_decimals


def test_what_meets_is_whole_units_and_all_of_it_is_accounted_for(rig: DeskRig) -> None:
    rig.exchange.script = lambda nth, order: [(order.quantity / 3, order.price)] if nth <= 2 else []
    rig.order("C-1", "1999.999999")
    rig.run(15)
    older = rig.desk.state.orders.live["I-1"]
    assert decimals(older.idle) > rig.settings.collateral_decimals
    rig.order("C-2", "0.123456789012345678", "sell")
    met, _ = rig.facts(IndexOrderNetted)
    assert decimals(met.amount) <= rig.settings.collateral_decimals
    assert older.removed == met.amount
    parts = (older.remaining, older.engaged, older.carried, older.spent, older.removed)
    with localcontext(EXACT):
        assert abs(sum(parts) - older.original) < D("1e-20")


def test_what_the_last_batch_left_over_of_an_order_is_netted_too(rig: DeskRig) -> None:
    rig.exchange.script = lambda _, order: []
    rig.order("C-1", "1000")
    rig.run(12)
    older = rig.desk.state.orders.live["I-1"]
    assert older.carried > 999
    rig.order("C-2", "0.3", "sell")
    met, _ = rig.facts(IndexOrderNetted)
    assert met.amount > 290
    assert older.idle == 1000 - met.amount
    assert ended(rig) == [("C-2", Outcome.CANCELLED, EndReason.NETTED)]


def test_what_the_last_batch_left_over_of_an_order_is_amended_away(rig: DeskRig) -> None:
    rig.exchange.script = lambda _, order: []
    rig.order("C-1", "1000")
    rig.run(12)
    rig.amend("C-1", "400")
    assert [(fact.amount, fact.removed) for fact in rig.facts(IndexOrderAmended)] == [(D(400), D(600))]
    assert rig.desk.state.orders.live["I-1"].idle == 400
    rig.cancel("C-1")
    assert rig.collateral.returned == {"I-1": D(1000)}


def test_an_opposite_order_that_is_larger_flips_and_goes_on_with_the_rest(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.order("C-2", "2000")
    rig.order("C-3", "5", "sell")
    assert ended(rig) == [("C-2", Outcome.CANCELLED, EndReason.NETTED), ("C-1", Outcome.CANCELLED, EndReason.NETTED)]
    flipped = rig.desk.state.orders.live["I-3"]
    assert (flipped.original, flipped.remaining + flipped.removed) == (D(5), D(5))
    assert D("1.9") < flipped.remaining < D("2.2")


def test_orders_of_different_users_do_not_meet_before_the_market(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.order("C-1", "1", "sell", user=BOB)
    assert rig.facts(IndexOrderNetted) == []


def test_a_stop_ends_every_order_and_takes_no_more(rig: DeskRig) -> None:
    rig.order("C-1", "1000")
    rig.run(11)
    rig.order("C-2", "1000")
    rig.quote("Q-1", "5")
    rig.stop()
    rig.order("C-3", "1000")
    rig.run(5)
    assert {each[0] for each in ended(rig)} == {"C-1", "C-2"}
    assert [fact.reason for fact in rig.facts(IndexOrderRejected)] == [OrderRefusal.STOPPING]


def test_ended_orders_are_kept_up_to_a_number() -> None:
    rig = ready_rig(structs.replace(golden_settings(), ended_orders_max=2))
    for number in range(5):
        rig.order(f"C-{number}", "300")
        rig.cancel(f"C-{number}")
    assert list(rig.desk.state.orders.ended) == ["I-4", "I-5"]
    rig.order("C-0", "300")
    assert [fact.reason for fact in rig.facts(IndexOrderRejected)] == [OrderRefusal.DUPLICATE_ID]


def test_the_desk_ticks_only_while_there_is_work(rig: DeskRig) -> None:
    assert "tick" not in rig.timers
    rig.order("C-1", "300")
    assert rig.timers["tick"] == rig.now + 10 * SECOND
    rig.run(60)
    assert set(rig.timers) <= {"books", "value"}


@pytest.mark.parametrize("tokens", ["12345678901.123456789012345678", "999999999999.999999999999999999"])
def test_opposite_wishes_of_any_size_meet_to_the_last_decimal(tokens: str) -> None:
    rig = ready_rig(structs.replace(golden_settings(), order_amount_max=D(10) ** 18))
    rig.order("C-1", "1000")
    rig.order("C-2", tokens, "sell")
    left = rig.desk.state.orders.live["I-2"]
    assert EXACT.add(left.remaining, left.removed) == D(tokens)
    assert 0 < left.removed < 2
    rig.order("C-3", "999999999999999999")
    assert [fact.reason for fact in rig.facts(IndexOrderEnded)] == [EndReason.NETTED] * 2


def test_an_order_of_any_size_is_amended_to_the_last_decimal() -> None:
    rig = ready_rig(structs.replace(golden_settings(), order_amount_max=D(10) ** 15))
    rig.order("C-1", "123456789012.123456789012345678", "sell")
    for amount in ("999999999999.999999999999999999", "0.000000000000000001"):
        rig.amend("C-1", amount)
        order = rig.desk.state.orders.live["I-1"]
        assert order.remaining == D(amount)


def test_tokens_in_custody_are_counted_exactly_however_many_there_are(rig: DeskRig) -> None:
    rig.after = lambda: None  # the chain knows nothing of these
    for number, amount in enumerate(("12345678901", "0.000000000000000001")):
        rig.tell(IndexTokensDeposited(BOB, "IX", number, D(amount)), "chain")
    assert rig.desk.state.custody.balance(BOB, "IX") == D("12345678901.000000000000000001")
