"""An order ends once, with all its trades told once, whatever the exchange says, repeats, or does not say."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from core.execution.facts import (
    CircuitOpened,
    ExchangeOrderSent,
    ExecutionUnexpected,
    PlacementRepeated,
)
from core.execution.records import (
    AssetOrder,
    AssetOrderEnded,
    AssetOrderFilled,
    AssetOrderPlaced,
    CommissionRateSet,
    ExchangeRulesReported,
)
from core.kernel.record import Call, Message, Stop
from core.market.exchange import (
    EXCHANGE,
    USUAL_LIMITS,
    ExchangeInstruments,
    ExchangeSessionUp,
    ExchangeStatus,
    PlaceExchangeOrder,
    QueryExchangeOrder,
    RateLimit,
    RefusalKind,
    TimeInForce,
)
from core.market.filters import Padding
from core.market.orders import Side
from core.units import EXACT, SECOND
from tests.helpers.execution import SETTINGS, Rig, X, Y, order, refusal, state, trade

NEW, PART, FILLED = ExchangeStatus.NEW, ExchangeStatus.PARTIALLY_FILLED, ExchangeStatus.FILLED
EXPIRED, CANCELLED, REJECTED = ExchangeStatus.EXPIRED, ExchangeStatus.CANCELLED, ExchangeStatus.REJECTED
ZERO, ONE, TWO = Decimal(0), Decimal(1), Decimal(2)


# --- the usual life ------------------------------------------------------------------------------


def test_an_order_is_sent_as_the_filters_allow_and_the_desk_hears_how() -> None:
    rig = Rig()
    effects = rig.place(order(price="100.009", quantity="2.05"))
    (call,) = [each for each in effects if isinstance(each, Call)]
    side: Side = "buy"
    asked = ("XUSDC", side, Decimal("100.00"), Decimal("2.0"), TimeInForce.IOC)
    assert call.body == PlaceExchangeOrder("O-1", *asked, rig.now + SETTINGS.receive_window_ns)
    assert rig.told(AssetOrderPlaced) == [AssetOrderPlaced("O-1", Decimal("100.00"), Decimal("2.0"))]
    assert rig.facts(ExchangeOrderSent) == [ExchangeOrderSent("B-1", "O-1", *asked, 1)]


def test_a_reply_that_tells_all_ends_the_order() -> None:
    rig = Rig()
    rig.place(order())
    rig.reply("place", state(FILLED, trade("t1", "0.5", fee="0.1"), trade("t2", "1.5")))
    first = rig.told(AssetOrderFilled)[0]
    assert first == AssetOrderFilled("B-1", "O-1", "t1", "XUSDC", "buy", Decimal(99), Decimal("0.5"), Decimal("0.1"))
    assert rig.fills() == [("t1", Decimal("0.5")), ("t2", Decimal("1.5"))]
    assert rig.told(AssetOrderEnded) == [AssetOrderEnded("B-1", "O-1", "XUSDC", "filled", ZERO)]
    assert (rig.timers, rig.execution.state.orders) == ({}, {})


def test_the_stream_alone_tells_all_as_well() -> None:
    rig = Rig()
    rig.place(order())
    rig.execution_report(NEW, None, "0")
    rig.execution_report(PART, trade("t1", "0.5"), "0.5")
    rig.execution_report(EXPIRED, None, "0.5")
    assert (rig.fills(), rig.ends()) == ([("t1", Decimal("0.5"))], [("O-1", "expired", Decimal("1.5"))])


def test_what_reply_and_stream_both_tell_is_told_once() -> None:
    rig = Rig()
    rig.place(order())
    rig.execution_report(PART, trade("t1", "0.5"), "0.5")
    rig.execution_report(PART, trade("t1", "0.5"), "0.5")
    rig.reply("place", state(EXPIRED, trade("t1", "0.5"), trade("t2", "1")))
    rig.execution_report(PART, trade("t2", "1"), "1.5")
    rig.execution_report(EXPIRED, None, "1.5")
    assert rig.fills() == [("t1", Decimal("0.5")), ("t2", ONE)]
    assert rig.ends() == [("O-1", "expired", Decimal("0.5"))]
    assert rig.facts(ExecutionUnexpected) == []


def test_an_end_waits_for_the_trades_that_it_counts() -> None:
    rig = Rig()
    rig.place(order())
    rig.reply("place", state(FILLED, executed="2"))
    assert rig.ends() == []
    rig.execution_report(PART, trade("t1", "0.5"), "0.5")
    rig.advance(SETTINGS.retry_ns)
    assert rig.calls("query")[-1].body == QueryExchangeOrder("O-1", "XUSDC")
    rig.reply("query", state(FILLED, trade("t1", "0.5"), trade("t2", "1.5")))
    assert rig.fills() == [("t1", Decimal("0.5")), ("t2", Decimal("1.5"))]
    assert rig.ends() == [("O-1", "filled", ZERO)]


@pytest.mark.parametrize(
    ("status", "reason"),
    [(EXPIRED, "expired"), (CANCELLED, "cancelled"), (REJECTED, "refused:rejected")],
)
def test_every_final_status_ends_an_order(status: ExchangeStatus, reason: str) -> None:
    """Of the reference: what was cancelled or rejected never completed its batch."""
    rig = Rig()
    rig.place(order())
    rig.execution_report(status, None, "0")
    assert rig.ends() == [("O-1", reason, TWO)]


def test_what_was_filled_and_what_was_cancelled_add_up_to_the_last_digit() -> None:
    whole, part = "123.4567890123456789012345678", "0.1234567890123456789012345678"
    rig = Rig()
    rig.place(order(quantity=whole, of=Y))
    rig.reply("place", state(ExchangeStatus.EXPIRED, trade("t1", part)))
    (ended,) = rig.ends()
    assert EXACT.add(ended[2], Decimal(part)) == Decimal(whole)


def test_an_old_message_does_not_bring_back_what_has_ended() -> None:
    rig = Rig()
    rig.place(order())
    rig.reply("place", state(EXPIRED, executed="1"))
    rig.execution_report(NEW, None, "0")
    rig.execution_report(PART, trade("t1", "1"), "1")
    assert rig.ends() == [("O-1", "expired", ONE)]


def test_a_sale_is_an_order_like_any_other() -> None:
    rig = Rig()
    rig.place(order(side="sell", price="98.991", quantity="2.09"))
    assert rig.told(AssetOrderPlaced) == [AssetOrderPlaced("O-1", Decimal("99.00"), TWO)]
    rig.reply("place", state(EXPIRED, trade("t1", "1")))
    assert rig.told(AssetOrderFilled)[0].side == "sell"
    assert rig.ends() == [("O-1", "expired", ONE)]


def test_an_order_that_the_desk_repeats_is_placed_once() -> None:
    rig = Rig()
    rig.place(order())
    rig.place(order())
    rig.reply("place", state(EXPIRED))
    rig.place(order())
    assert len(rig.calls("place")) == len(rig.ends()) == 1
    assert rig.facts(PlacementRepeated) == [PlacementRepeated("O-1")] * 2


# --- commissions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asset", "fee", "left"),
    [("USDC", "0.5", ("0", "")), ("X", "49.5", ("0", "")), ("BNB", "300", ("0", "")), ("KCS", "0", ("0.5", "KCS"))],
)
def test_a_commission_is_told_in_the_quote_currency_or_as_what_it_is(
    asset: str, fee: str, left: tuple[str, str]
) -> None:
    """Of the reference: a commission without a rate counted as none."""
    rig = Rig()
    rig.deliver(Message("desk", CommissionRateSet("BNB", Decimal(600))))
    rig.place(order())
    rig.reply("place", state(FILLED, trade("t1", "2", fee="0.5", asset=asset)))
    (fill,) = rig.told(AssetOrderFilled)
    assert (fill.fee, fill.commission, fill.commission_asset) == (Decimal(fee), Decimal(left[0]), left[1])
    assert fill.withheld == (Decimal("0.5") if asset == "X" else 0)
    assert not fill.taken_symbol


@pytest.mark.parametrize("rated", [True, False])
def test_a_commission_in_an_asset_that_another_symbol_trades_is_told_as_taken_of_that(rated: bool) -> None:
    rig = Rig()
    if rated:
        rig.deliver(Message("desk", CommissionRateSet("Y", Decimal(600))))
    rig.place(order())
    rig.reply("place", state(FILLED, trade("t1", "2", fee="0.5", asset="Y")))
    (fill,) = rig.told(AssetOrderFilled)
    assert (fill.taken, fill.taken_symbol) == (Decimal("0.5"), "YUSDC")
    assert (fill.fee, fill.commission) == ((Decimal(300), Decimal(0)) if rated else (Decimal(0), Decimal("0.5")))


# --- what cannot be sent -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "padding", "why"),
    [
        (order(quantity="0.01"), Padding.NEVER, "notional_too_low"),
        (order(quantity="0.01", side="sell"), Padding.MINIMUM, "notional_too_low"),
        (order(quantity="0"), Padding.MINIMUM, "no_quantity"),
        (order(price="0.001"), Padding.MINIMUM, "no_price"),
    ],
)
def test_an_order_that_no_filter_lets_through_ends_at_once_and_alone(
    wanted: AssetOrder, padding: Padding, why: str
) -> None:
    rig = Rig(padding=padding)
    rig.place(wanted, order("O-2"))
    assert rig.ends() == [("O-1", f"unsendable:{why}", wanted.quantity)]
    assert [each.call_id for each in rig.calls("place")] == ["place:1:O-2"]


def test_a_symbol_that_is_not_traded_ends_its_orders_alone() -> None:
    rig = Rig()
    rig.place(AssetOrder("O-1", "NOUSDC", "buy", ONE, ONE), order("O-2"))
    assert rig.ends() == [("O-1", "unsendable:unknown_symbol", ONE)]
    assert len(rig.calls("place")) == 1


def test_a_buy_below_the_minimum_is_padded_up_to_it() -> None:
    rig = Rig()
    rig.place(order(quantity="0.01", price="10"))
    assert rig.told(AssetOrderPlaced) == [AssetOrderPlaced("O-1", Decimal("10.00"), Decimal("0.5"))]


# --- refusals ------------------------------------------------------------------------------------


def test_one_rejected_order_cannot_stop_the_others() -> None:
    """Defect 7: one rejected exchange order stopped the system."""
    rig = Rig()
    rig.place(order("O-1"), order("O-2"))
    rig.reply("place O-1", refusal(RefusalKind.ORDER_VALIDATION, "-2010"))
    assert rig.ends() == [("O-1", "refused:-2010", TWO)]
    rig.reply("place O-2", state(FILLED, trade("t1", "2")))
    rig.place(order("O-3"))
    assert rig.ends()[1:] == [("O-2", "filled", ZERO)]
    assert rig.calls("place")[-1].call_id.endswith("O-3")


def test_a_full_rate_limit_cannot_stop_anything_for_longer_than_it_is_full() -> None:
    """Defect 7: a rate-limit failure stopped the system."""
    rig = Rig(limits=(RateLimit(2, SECOND),))
    rig.place(*(order(f"O-{n}") for n in range(1, 6)))
    assert len(rig.calls("place")) == 2
    rig.advance(SECOND)
    assert len(rig.calls("place")) == 4
    rig.advance(SECOND)
    assert [each.call_id for each in rig.calls("place")] == [f"place:1:O-{n}" for n in range(1, 6)]
    assert rig.ends() == []


def test_an_order_that_finds_no_room_in_time_ends_and_is_never_sent() -> None:
    rig = Rig(limits=(RateLimit(1, 60 * SECOND),))
    rig.place(order("O-1"))
    rig.place(order("O-2"), batch="B-2")
    rig.reply("place O-1", state(FILLED, trade("t1", "2")))
    rig.advance(SETTINGS.wait_ns_max)
    assert rig.ends()[1:] == [("O-2", "rate_limited", TWO)]
    rig.advance(60 * SECOND)
    assert len(rig.calls("place")) == 1


def test_a_batch_that_is_larger_than_a_limit_has_the_time_that_the_limit_needs() -> None:
    rig = Rig(limits=(RateLimit(2, 10 * SECOND),))
    rig.place(*(order(f"O-{n}") for n in range(5)))
    rig.advance(20 * SECOND)
    assert (len(rig.calls("place")), rig.ends()) == (5, [])


@pytest.mark.parametrize(("most", "placed"), [(None, "1000"), ("1000", "1000"), ("999", None)])
def test_no_filter_raises_an_order_beyond_what_the_desk_can_bear(most: str | None, placed: str | None) -> None:
    rig = Rig()
    coarse = ExchangeInstruments((replace(Y, step=Decimal(1000), quantity_min=Decimal(10)),))
    rig.down()
    rig.deliver(Message(EXCHANGE, ExchangeSessionUp()))
    rig.reply("instruments", coarse)
    rig.place(replace(order(of=Y), quantity_max=None if most is None else Decimal(most)))
    sent = [each.quantity for each in rig.told(AssetOrderPlaced) if each.order_id == "O-1"]
    assert sent == ([] if placed is None else [Decimal(placed)])
    assert rig.ends() == ([] if placed else [("O-1", "unsendable:quantity_too_low", TWO)])


def test_an_order_that_would_be_rounded_up_too_far_is_rounded_down_instead() -> None:
    rig = Rig(padding=Padding.UP)
    rig.place(replace(order(quantity="2.05"), quantity_max=Decimal("2.05")))
    assert [each.quantity for each in rig.told(AssetOrderPlaced)] == [TWO]


def test_the_desk_is_told_what_the_exchange_allows_when_that_is_new() -> None:
    rig = Rig(up=False)
    for limits in (USUAL_LIMITS, USUAL_LIMITS, (replace(USUAL_LIMITS[0], used=7), USUAL_LIMITS[1]), ()):
        rig.limits = limits
        rig.up()
        rig.down()
    assert rig.told(ExchangeRulesReported) == [ExchangeRulesReported((X,)), ExchangeRulesReported((X,), ())]


def test_the_desk_is_told_nothing_of_an_exchange_that_is_as_it_assumes() -> None:
    rig = Rig(up=False)
    rig.deliver(Message(EXCHANGE, ExchangeSessionUp()))
    rig.reply("instruments", ExchangeInstruments((Y,), USUAL_LIMITS))
    assert rig.told(ExchangeRulesReported) == []


def test_an_order_that_was_too_much_is_first_in_line_again() -> None:
    rig = Rig(limits=(RateLimit(2, 10 * SECOND),), wait_ns_max=60 * SECOND)
    rig.place(order("O-1"), order("O-2"), order("O-3"))
    rig.reply("place O-1", refusal(RefusalKind.RATE_LIMIT, "-1015"))
    rig.advance(10 * SECOND)
    sent = [(each.order_id, each.attempt) for each in rig.facts(ExchangeOrderSent)]
    assert sent == [("O-1", 1), ("O-2", 1), ("O-1", 2), ("O-3", 1)]
    assert len(rig.told(AssetOrderPlaced)) == 3


def test_an_exchange_that_takes_what_it_had_said_was_too_much_is_believed() -> None:
    rig = Rig()
    rig.place(order())
    rig.reply("place", refusal(RefusalKind.RATE_LIMIT))
    rig.execution_report(PART, trade("t1", "0.5"), "0.5")
    rig.advance(2 * SECOND)
    assert len(rig.calls("place")) == 1
    rig.execution_report(EXPIRED, None, "0.5")
    assert rig.ends() == [("O-1", "expired", Decimal("1.5"))]


def test_a_symbol_that_is_always_refused_rests_and_no_other_does() -> None:
    rig = Rig()
    for n in range(SETTINGS.refusals_max):
        rig.place(order(f"O-{n}"))
        rig.reply("place", refusal(RefusalKind.TRADING_RESTRICTION, "-2015"))
    opened = CircuitOpened("XUSDC", rig.now + SETTINGS.cooldown_ns, "-2015")
    assert rig.facts(CircuitOpened) == [opened]
    rig.place(order("O-8"), order("O-9", of=Y))
    assert rig.ends()[-1] == ("O-8", "unsendable:circuit_open", TWO)
    assert rig.calls("place")[-1].call_id.endswith("O-9")
    rig.advance(SETTINGS.cooldown_ns)
    rig.place(order("O-10"), order("O-11"))
    assert rig.ends()[-1] == ("O-11", "unsendable:circuit_open", TWO), "one tries, the others wait for what comes of it"
    rig.reply("place O-10", state(EXPIRED))
    rig.place(order("O-12"))
    assert rig.calls("place")[-1].call_id.endswith("O-12")


# --- cancels and stops ---------------------------------------------------------------------------


def test_a_cancel_ends_what_waits_and_asks_for_what_is_live() -> None:
    rig = Rig(limits=(RateLimit(2, 60 * SECOND),), time_in_force=TimeInForce.GTC)
    rig.place(order("O-1"), order("O-2"), order("O-3"))
    rig.reply("place O-1", state(NEW))
    rig.cancel()
    rig.cancel()
    assert rig.ends() == [("O-3", "cancelled", TWO)]
    assert len(rig.calls("cancel")) == 1
    rig.reply("place O-2", state(PART, trade("t2", "0.5")))
    assert [each.call_id for each in rig.calls("cancel")] == ["cancel:2:O-1", "cancel:2:O-2"]
    rig.reply("cancel:2:O-1", state(CANCELLED))
    rig.reply("cancel:2:O-2", state(CANCELLED, trade("t2", "0.5"), trade("t3", "1")))
    assert rig.ends()[1:] == [("O-1", "cancelled", TWO), ("O-2", "cancelled", Decimal("0.5"))]


def test_a_cancel_that_is_lost_or_refused_is_repeated_until_the_order_has_ended() -> None:
    rig = Rig(time_in_force=TimeInForce.GTC)
    rig.place(order())
    rig.reply("place", state(NEW))
    rig.cancel()
    rig.advance(SETTINGS.reply_timeout_ns)
    rig.reply("query", state(NEW))
    assert len(rig.calls("cancel")) == 2
    rig.reply("cancel", refusal(RefusalKind.SERVER))
    rig.advance(2 * SETTINGS.retry_ns)
    rig.reply("query", state(NEW))
    rig.reply("cancel", state(CANCELLED))
    assert rig.ends() == [("O-1", "cancelled", TWO)]


def test_a_cancel_that_is_always_refused_is_repeated_less_and_less_often() -> None:
    rig = Rig(time_in_force=TimeInForce.GTC)
    rig.place(order())
    rig.reply("place", state(NEW))
    rig.cancel()
    waits = []
    for _ in range(7):
        began, asked = rig.now, len(rig.calls("query"))
        rig.reply("cancel", refusal(RefusalKind.TRADING_RESTRICTION))
        while len(rig.calls("query")) == asked:
            rig.advance(SECOND)
        waits.append((rig.now - began) // SECOND)
        rig.reply("query", state(NEW))
    assert waits == [1, 2, 4, 8, 16, 30, 30]


def test_what_cannot_be_cancelled_because_it_is_not_there_is_asked_about_at_once() -> None:
    rig = Rig(time_in_force=TimeInForce.GTC)
    rig.place(order())
    rig.reply("place", state(NEW))
    rig.cancel()
    rig.reply("cancel", refusal(RefusalKind.UNKNOWN_ORDER, "-2011"))
    rig.reply("query", state(EXPIRED, trade("t1", "1")))
    assert rig.ends() == [("O-1", "expired", ONE)]


@pytest.mark.parametrize(
    ("kind", "wait"), [(RefusalKind.SERVER, SETTINGS.retry_ns), (RefusalKind.BAD_REQUEST, SETTINGS.retry_ns_max)]
)
def test_what_an_exchange_will_never_answer_is_asked_seldom(kind: RefusalKind, wait: int) -> None:
    rig = Rig(up=False)
    rig.deliver(Message(EXCHANGE, ExchangeSessionUp()))
    rig.reply("instruments", refusal(kind))
    assert rig.timers["instruments"] == rig.now + wait
    rig.reply("instruments", ExchangeInstruments((X, Y)))
    rig.place(order())
    rig.reply("place", refusal(RefusalKind.TIMEOUT))
    rig.advance(SETTINGS.receive_window_ns + 1)
    rig.reply("query", refusal(kind))
    assert rig.timers["order:O-1"] - rig.now >= wait


def test_a_stop_cannot_abandon_what_is_at_the_exchange() -> None:
    """Defect 7: a shutdown did not wait for batches."""
    rig = Rig(limits=(RateLimit(1, 60 * SECOND),))
    rig.place(order("O-1"), order("O-2"))
    rig.deliver(Stop())
    rig.place(order("O-3"))
    assert rig.ends() == [("O-2", "cancelled", TWO), ("O-3", "cancelled", TWO)]
    rig.advance(SETTINGS.reply_timeout_ns)
    rig.reply("query", state(FILLED, trade("t1", "2")))
    assert rig.ends()[2:] == [("O-1", "filled", ZERO)]


# --- what is remembered --------------------------------------------------------------------------


def test_how_much_is_remembered_of_what_has_ended_is_bounded() -> None:
    rig = Rig(ended_kept_max=3)
    for n in range(10):
        rig.place(order(f"O-{n}"))
        rig.reply("place", state(EXPIRED))
    assert list(rig.execution.state.ended) == ["O-7", "O-8", "O-9"]
