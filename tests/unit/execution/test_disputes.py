"""A real trade reaches the desk whenever it is heard of, and one that cannot be never does."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from core.execution.facts import ExecutionUnexpected
from core.execution.records import AssetOrderFilled, BalancesReported, BalancesWanted
from core.kernel.record import Message
from core.market.exchange import (
    EXCHANGE,
    Balance,
    ExchangeBalances,
    ExchangeInstruments,
    ExchangeSessionUp,
    ExchangeStatus,
    ExchangeTrade,
    RateLimit,
    TimeInForce,
)
from core.units import SECOND
from tests.helpers.execution import SETTINGS, Rig, X, Y, order, state, trade

PART, FILLED, EXPIRED = ExchangeStatus.PARTIALLY_FILLED, ExchangeStatus.FILLED, ExchangeStatus.EXPIRED
ZERO, ONE, TWO = Decimal(0), Decimal(1), Decimal(2)


def test_a_trade_that_is_heard_of_after_its_order_has_ended_reaches_the_desk_once() -> None:
    rig = Rig()
    rig.place(order())
    rig.execution_report(EXPIRED, None, "0")
    for _ in range(2):
        rig.execution_report(PART, trade("t9", "0.7", fee="0.1"), "0.7")
    rig.reply("place", state(EXPIRED, trade("t9", "0.7"), trade("t10", "0.2")))
    assert rig.ends() == [("O-1", "expired", TWO)]
    assert rig.fills() == [("t9", Decimal("0.7")), ("t10", Decimal("0.2"))]
    assert rig.told(AssetOrderFilled)[0].batch_id == "B-1"
    assert rig.facts(ExecutionUnexpected) == []


def test_what_is_only_counted_after_the_end_is_stated_and_asked_for_once() -> None:
    rig = Rig()
    rig.place(order())
    rig.reply("place", state(EXPIRED, trade("t1", "1")))
    for _ in range(2):
        rig.execution_report(EXPIRED, None, "1.5")
    assert [(each.quantity, each.why) for each in rig.facts(ExecutionUnexpected)] == [
        (Decimal("0.5"), "it has ended with less filled")
    ]
    assert len(rig.calls("query")) == 1
    rig.reply("query", state(EXPIRED, trade("t1", "1"), trade("t2", "0.5")))
    assert rig.fills() == [("t1", ONE), ("t2", Decimal("0.5"))]


@pytest.mark.parametrize("ended", [False, True])
def test_trades_that_no_order_can_account_for_are_stated_and_change_nothing(ended: bool) -> None:
    rig = Rig(limits=(RateLimit(1, 60 * SECOND),))
    rig.place(order(), order("O-2"))
    if ended:
        rig.reply("place", state(EXPIRED, trade("t1", "1")))
        rig.advance(SETTINGS.wait_ns_max)
    rig.execution_report(PART, trade("t5", "0.5"), "0.5", order_id="another's")
    rig.execution_report(PART, trade("t6", "0.5"), "0.5", order_id="O-2")
    found = [(each.client_id, each.trade_id) for each in rig.facts(ExecutionUnexpected)]
    assert found == [("another's", "t5"), ("O-2", "t6")]
    assert len(rig.fills()) == ended


IMPOSSIBLE = {
    "quantity": ExchangeTrade("bad", Decimal(99), Decimal(200), ZERO, "USDC"),
    "price": ExchangeTrade("bad", Decimal("100.01"), ONE, ZERO, "USDC"),
    "nothing for it": ExchangeTrade("bad", ZERO, ONE, ZERO, "USDC"),
    "negative": ExchangeTrade("bad", Decimal(99), -ONE, ZERO, "USDC"),
    "price NaN": ExchangeTrade("bad", Decimal("NaN"), ONE, ZERO, "USDC"),
    "quantity NaN": ExchangeTrade("bad", Decimal(99), Decimal("NaN"), ZERO, "USDC"),
    "quantity sNaN": ExchangeTrade("bad", Decimal(99), Decimal("sNaN"), ZERO, "USDC"),
    "commission": ExchangeTrade("bad", Decimal(99), ONE, Decimal("Infinity"), "USDC"),
    "commission beyond sums": ExchangeTrade("bad", Decimal(99), ONE, Decimal("9E+999999"), "X"),
    "quantity beyond sums": ExchangeTrade("bad", Decimal(99), Decimal("1E-90"), ZERO, "USDC"),
}


@pytest.mark.parametrize("bad", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_trade_that_cannot_be_is_disputed_and_the_order_asked_about(bad: ExchangeTrade) -> None:
    """And the exchange takes it back: what it lists under the same id then is believed."""
    rig = Rig()
    rig.place(order())
    rig.reply("place", state(FILLED, bad, executed="2"))
    rig.execution_report(PART, bad, "NaN")
    assert (rig.fills(), rig.ends(), len(rig.facts(ExecutionUnexpected))) == ([], [], 1)
    rig.advance(SETTINGS.retry_ns)
    rig.reply("query", state(FILLED, trade("bad", "2")))
    assert (rig.fills(), rig.ends()) == ([("bad", TWO)], [("O-1", "filled", ZERO)])


@pytest.mark.parametrize("bad", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_trade_that_cannot_be_is_never_booked_however_the_exchange_insists(bad: ExchangeTrade) -> None:
    rig = Rig()
    rig.place(order())
    rig.reply("place", state(FILLED, trade("t1", "0.5"), bad, executed="2"))
    rig.advance(SETTINGS.retry_ns)
    rig.reply("query", state(FILLED, trade("t1", "0.5"), bad, executed="2"))
    rig.execution_report(FILLED, bad, "2")
    assert rig.fills() == [("t1", Decimal("0.5"))]
    assert rig.ends() == [("O-1", "disputed", Decimal("1.5"))]
    assert len(rig.facts(ExecutionUnexpected)) == 1
    assert rig.timers == {}


def test_a_disputed_trade_of_a_live_order_leaves_it_to_trade() -> None:
    rig = Rig(time_in_force=TimeInForce.GTC)
    rig.place(order())
    rig.execution_report(PART, IMPOSSIBLE["price"], "1")
    assert rig.timers == {"order:O-1": rig.now + SETTINGS.retry_ns}
    rig.advance(SETTINGS.retry_ns)
    rig.reply("query", state(PART, IMPOSSIBLE["price"]))
    assert rig.timers == {"order:O-1": rig.now + SETTINGS.live_check_ns}
    rig.execution_report(FILLED, trade("t1", "2"), "2")
    assert rig.ends() == [("O-1", "filled", ZERO)]


@pytest.mark.parametrize(("free", "locked"), [("NaN", "0"), ("0", "Infinity"), ("1E+60", "1E-30"), ("1E-90", "1")])
def test_balances_that_are_not_in_numbers_are_asked_for_again(free: str, locked: str) -> None:
    rig = Rig()
    rig.deliver(Message("desk", BalancesWanted()))
    rig.reply("balances", ExchangeBalances((Balance("X", Decimal(free), Decimal(locked)),)))
    assert len(rig.told(BalancesReported)) == 1, "that of the session"
    rig.advance(SETTINGS.reply_timeout_ns)
    rig.reply("balances", ExchangeBalances((Balance("X", ONE),)))
    assert [one.quantity for one in rig.told(BalancesReported)[-1].assets] == [ONE, ZERO]


@pytest.mark.parametrize("step", ["NaN", "1E-90", "9E+999999"])
def test_an_instrument_whose_filters_are_not_amounts_is_not_traded_and_others_are(step: str) -> None:
    unsound = replace(X, step=Decimal(step))
    rig = Rig(up=False)
    rig.deliver(Message(EXCHANGE, ExchangeSessionUp()))
    rig.reply("instruments", ExchangeInstruments((unsound, replace(Y, tick=-ONE))))
    rig.place(order(), order("O-2", of=Y))
    assert [reason for _, reason, _ in rig.ends()] == ["unsendable:unknown_symbol"] * 2
    rig.reply("instruments", ExchangeInstruments((unsound, Y)))
    rig.place(order("O-3"), order("O-4", of=Y))
    assert [each.call_id for each in rig.calls("place")] == ["place:1:O-4"]


@pytest.mark.parametrize("ended", [False, True])
def test_a_trade_id_that_another_order_of_the_symbol_and_side_has_is_disputed(ended: bool) -> None:
    rig = Rig()
    rig.place(order(), order("O-2"), order("O-3", side="sell", price="99"), order("O-4", of=Y))
    rig.execution_report(*((FILLED, trade("7", "2"), "2") if ended else (PART, trade("7", "1"), "1")))
    for _ in range(2):
        rig.reply("place O-2", state(FILLED, trade("7", "2")))
    assert [(each.client_id, each.why) for each in rig.facts(ExecutionUnexpected)] == [("O-2", "it is a trade of O-1")]
    rig.reply("place O-3", state(FILLED, trade("7", "2")))
    rig.reply("place O-4", state(FILLED, trade("7", "2")))
    assert [each.order_id for each in rig.told(AssetOrderFilled)] == ["O-1", "O-3", "O-4"]
    rig.advance(SETTINGS.retry_ns)
    rig.reply("query O-2", state(FILLED, trade("8", "2")))
    assert ("O-2", "filled", ZERO) in rig.ends()


def test_a_trade_id_is_remembered_as_long_as_its_order() -> None:
    rig = Rig(ended_kept_max=2)
    for n in range(5):
        rig.place(order(f"O-{n}"))
        rig.reply("place", state(FILLED, trade(f"t{n}", "2")))
    assert list(rig.execution.state.traded.values()) == list(rig.execution.state.ended) == ["O-3", "O-4"]
    rig.place(order("O-5"))
    rig.reply("place", state(FILLED, trade("t0", "2")))
    assert rig.fills()[-1] == ("t0", TWO)


def test_a_sale_below_its_limit_is_disputed() -> None:
    rig = Rig()
    rig.place(order(side="sell", price="99.01"))
    rig.reply("place", state(FILLED, trade("t1", "2")))
    assert (rig.fills(), [each.why for each in rig.facts(ExecutionUnexpected)]) == ([], ["the limit was 99.01"])


def test_an_execution_of_another_symbol_is_not_taken_for_that_order() -> None:
    rig = Rig()
    rig.place(order(of=Y))
    rig.execution_report(FILLED, trade("t1", "2"), "2")
    assert (rig.fills(), len(rig.facts(ExecutionUnexpected))) == ([], 1)


def test_an_execution_of_an_order_that_was_never_sent_is_not_its_own() -> None:
    rig = Rig(limits=(RateLimit(1, 60 * SECOND),))
    rig.place(order("O-2"))
    rig.place(order("O-1"), batch="B-2")
    rig.execution_report(FILLED, trade("t1", "2"), "2")
    assert (rig.fills(), len(rig.facts(ExecutionUnexpected))) == ([], 1)
    rig.advance(SETTINGS.wait_ns_max)
    assert rig.ends() == [("O-1", "rate_limited", TWO)]
