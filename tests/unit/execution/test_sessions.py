"""Answers and sessions get lost: what became of an order is asked, until it is known, and never made up."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.execution.facts import (
    ExchangeOrderDoubted,
)
from core.kernel.record import Message, Resume, Stop
from core.market.exchange import (
    ExchangeSessionUp,
    ExchangeStatus,
    QueryExchangeOrder,
    QueryInstruments,
    RefusalKind,
    TimeInForce,
)
from core.units import SECOND
from tests.helpers.execution import SETTINGS, Rig, order, refusal, state, trade

NEW, PART, FILLED = ExchangeStatus.NEW, ExchangeStatus.PARTIALLY_FILLED, ExchangeStatus.FILLED
EXPIRED, CANCELLED, REJECTED = ExchangeStatus.EXPIRED, ExchangeStatus.CANCELLED, ExchangeStatus.REJECTED
ZERO, ONE, TWO = Decimal(0), Decimal(1), Decimal(2)


# --- silence -------------------------------------------------------------------------------------


def test_an_exchange_that_never_answers_cannot_hold_up_other_orders() -> None:
    """Defect 20: locks were held across calls."""
    rig = Rig()
    rig.place(order("O-1"))
    rig.place(order("O-2"), batch="B-2")
    rig.reply("place O-2", state(FILLED, trade("t2", "2")))
    rig.advance(600 * SECOND)
    assert rig.ends() == [("O-2", "filled", ZERO)]
    rig.reply("query O-1", state(EXPIRED, trade("t1", "1")))
    assert rig.ends()[1:] == [("O-1", "expired", ONE)]


@pytest.mark.parametrize("kind", [RefusalKind.TIMEOUT, RefusalKind.NETWORK, RefusalKind.SERVER, RefusalKind.DUPLICATE])
def test_a_refusal_that_does_not_say_what_happened_is_a_question(kind: RefusalKind) -> None:
    rig = Rig()
    rig.place(order())
    rig.reply("place", refusal(kind))
    assert rig.ends() == []
    rig.reply("query", state(FILLED, trade("t1", "2")))
    assert rig.ends() == [("O-1", "filled", ZERO)]


def test_no_such_order_means_nothing_while_the_order_may_still_arrive() -> None:
    rig = Rig()
    rig.place(order())
    sent = rig.now
    rig.advance(SETTINGS.reply_timeout_ns)
    while rig.now <= sent + SETTINGS.receive_window_ns:
        asked = len(rig.calls("query"))
        rig.reply("query", refusal(RefusalKind.UNKNOWN_ORDER))
        assert rig.ends() == []
        while len(rig.calls("query")) == asked:
            rig.advance(SECOND // 10)
    rig.reply("query", refusal(RefusalKind.UNKNOWN_ORDER))
    assert rig.ends() == [("O-1", "lost", TWO)]
    assert rig.now - sent < SETTINGS.receive_window_ns + SECOND


def test_an_order_that_the_exchange_had_is_lost_only_when_it_insists() -> None:
    rig = Rig()
    rig.place(order())
    rig.execution_report(PART, trade("t1", "0.5"), "0.5")
    for _ in range(SETTINGS.unknown_answers_max):
        assert rig.ends() == []
        rig.advance(60 * SECOND)
        rig.reply("query", refusal(RefusalKind.UNKNOWN_ORDER))
    assert rig.ends() == [("O-1", "lost", Decimal("1.5"))]


def test_a_live_order_that_says_nothing_is_asked_about() -> None:
    rig = Rig(time_in_force=TimeInForce.GTC)
    rig.place(order())
    rig.reply("place", state(NEW))
    rig.advance(SETTINGS.live_check_ns)
    rig.reply("query", state(NEW))
    assert len(rig.facts(ExchangeOrderDoubted)) == 1
    rig.advance(SETTINGS.live_check_ns)
    rig.reply("query", state(FILLED, trade("t1", "2")))
    assert rig.ends() == [("O-1", "filled", ZERO)]


def test_a_late_answer_to_a_request_that_was_given_up_still_counts() -> None:
    rig = Rig()
    rig.place(order())
    rig.advance(SETTINGS.reply_timeout_ns)
    assert rig.calls("query")
    rig.reply("place", state(EXPIRED, trade("t1", "1")))
    assert rig.ends() == [("O-1", "expired", ONE)]
    assert rig.reply("query", refusal(RefusalKind.UNKNOWN_ORDER)) == []


# --- sessions ------------------------------------------------------------------------------------


def test_a_gap_in_the_session_cannot_leave_an_order_unreconciled() -> None:
    """Defect 8: after a reconnect nobody asked what had become of orders."""
    rig = Rig()
    rig.place(order("O-1"), order("O-2"), order("O-3"))
    rig.reply("place O-2", state(PART, trade("t1", "0.5")))
    rig.down()
    assert rig.timers == {}
    rig.advance(3600 * SECOND)
    assert (rig.ends(), rig.calls("query")) == ([], [])
    rig.up()
    assert [each.body for each in rig.calls("query")] == [QueryExchangeOrder(f"O-{n}", "XUSDC") for n in (1, 2, 3)]
    rig.reply("query:2:O-1", refusal(RefusalKind.UNKNOWN_ORDER))
    rig.reply("query:2:O-2", state(EXPIRED, trade("t1", "0.5"), trade("t2", "1")))
    rig.reply("query:2:O-3", state(FILLED, trade("t3", "2")))
    assert rig.ends() == [("O-1", "lost", TWO), ("O-2", "expired", Decimal("0.5")), ("O-3", "filled", ZERO)]
    assert rig.fills() == [("t1", Decimal("0.5")), ("t2", ONE), ("t3", TWO)]


def test_an_order_that_finds_no_session_cannot_stay_open_for_ever() -> None:
    """Defect 10: a failed send left the batch registered and its orders engaged for ever."""
    rig = Rig(up=False)
    rig.place(order())
    rig.advance(SETTINGS.wait_ns_max)
    assert rig.ends() == [("O-1", "no_session", TWO)]
    assert (rig.execution.state.orders, rig.execution.state.waiting, rig.timers) == ({}, {}, {})
    rig.up()
    assert rig.calls("place") == []


def test_an_order_that_waits_for_a_session_leaves_with_it() -> None:
    rig = Rig(up=False)
    rig.place(order())
    rig.advance(SECOND)
    rig.up()
    assert len(rig.calls("place")) == 1


def test_after_a_gap_a_refusal_of_a_request_says_nothing_of_the_order() -> None:
    """Whoever took the node up again may have repeated the request."""
    rig = Rig()
    rig.place(order())
    rig.down()
    rig.up()
    assert rig.reply("place", refusal(RefusalKind.ORDER_VALIDATION, "-2010")) == []
    rig.reply("query", state(FILLED, trade("t1", "2")))
    assert rig.ends() == [("O-1", "filled", ZERO)]


def test_a_session_that_comes_up_without_having_gone_is_a_new_one() -> None:
    rig = Rig()
    rig.place(order())
    rig.up()
    assert len(rig.calls("query")) == 1


def test_a_node_that_is_taken_up_again_waits_for_a_session_and_asks() -> None:
    rig = Rig()
    rig.place(order("O-1"), order("O-2"))
    rig.deliver(Stop())
    rig.deliver(Resume())
    rig.place(order("O-3"))
    assert len(rig.calls("place")) == 2
    rig.up()
    assert len(rig.calls("query")) == 2
    assert len(rig.calls("place")) == 3


def test_what_is_traded_is_asked_for_until_the_exchange_says_so() -> None:
    rig = Rig(up=False)
    rig.place(order())
    rig.deliver(Message("exchange", ExchangeSessionUp()))
    rig.advance(SETTINGS.reply_timeout_ns)
    rig.reply("instruments", refusal(RefusalKind.UNAVAILABLE))
    assert rig.calls("place") == []
    rig.advance(2 * SETTINGS.retry_ns - 1)
    assert len(rig.calls("instruments")) == 2
    rig.advance(1)
    assert [each.body for each in rig.calls("instruments")] == [QueryInstruments()] * 3
