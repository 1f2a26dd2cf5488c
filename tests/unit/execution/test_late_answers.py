"""Answers that take longer than they are waited for count all the same, and who is silent is asked less often."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest

from core.execution.records import BalancesReported
from core.kernel.record import Message, Record, Reply
from core.market.exchange import (
    EXCHANGE,
    ExchangeBalances,
    ExchangeInstruments,
    ExchangeSessionUp,
    ExchangeStatus,
    RefusalKind,
    TimeInForce,
)
from core.units import SECOND, Nanos
from tests.helpers.execution import SETTINGS, Rig, X, Y, order, refusal, state, trade

NEW, PART, FILLED, EXPIRED = (
    ExchangeStatus.NEW,
    ExchangeStatus.PARTIALLY_FILLED,
    ExchangeStatus.FILLED,
    ExchangeStatus.EXPIRED,
)
ZERO, ONE, TWO = Decimal(0), Decimal(1), Decimal(2)
UNKNOWN = refusal(RefusalKind.UNKNOWN_ORDER)
STEP = SECOND // 10
SLOW = SETTINGS.reply_timeout_ns + 2 * STEP
"""A little longer than answers are waited for."""


def late(rig: Rig, kind: str, answer: Record, span: Nanos, *, after: Nanos = SLOW) -> list[Nanos]:
    """Let `span` pass: every call of that kind that is made meanwhile is answered `after` it. When they were made."""
    made: list[tuple[Nanos, str]] = []
    known, answered = len(rig.calls(kind)), 0
    for _ in range(span // STEP):
        rig.advance(STEP)
        made += [(rig.now, call.call_id) for call in rig.calls(kind)[known:]]
        known = len(rig.calls(kind))
        while answered < len(made) and made[answered][0] + after <= rig.now:
            rig.deliver(Reply(made[answered][1], answer))
            answered += 1
    return [at for at, _ in made]


def pauses(times: list[Nanos]) -> list[int]:
    """Between those, in seconds."""
    return [(later - earlier) // SECOND for earlier, later in pairwise(times)]


# --- what became of an order ---------------------------------------------------------------------


@pytest.mark.parametrize("after", [SLOW, 2 * SLOW, 10 * SLOW])
def test_an_order_that_never_arrived_is_lost_by_the_answer_to_any_question_after_it_could(after: Nanos) -> None:
    """Every answer came when the next question was out already, so none was ever believed."""
    rig = Rig()
    rig.place(order())
    late(rig, "query", UNKNOWN, SETTINGS.receive_window_ns + after, after=after)
    assert rig.ends() == []
    asked = [call.call_id for call in rig.calls("query")]
    rig.deliver(Reply(asked[3], UNKNOWN))
    assert rig.ends() == [("O-1", "lost", TWO)]
    assert len(asked) <= 8


def test_no_such_order_means_nothing_if_the_question_was_asked_too_early_however_late_the_answer() -> None:
    rig = Rig()
    rig.place(order())
    rig.advance(SETTINGS.reply_timeout_ns)
    early = rig.call_id("query")
    rig.advance(600 * SECOND)
    rig.deliver(Reply(early, UNKNOWN))
    assert rig.ends() == []
    rig.reply("query", UNKNOWN)
    assert rig.ends() == [("O-1", "lost", TWO)]


def test_no_such_order_means_nothing_if_the_exchange_has_spoken_of_it_since_the_question() -> None:
    rig = Rig(time_in_force=TimeInForce.GTC, unknown_answers_max=1)
    rig.place(order())
    rig.advance(60 * SECOND)
    old = rig.call_id("query")
    rig.execution_report(NEW, None, "0")
    rig.advance(SETTINGS.live_check_ns)
    rig.deliver(Reply(old, UNKNOWN))
    assert rig.ends() == []
    rig.reply("query", UNKNOWN)
    assert rig.ends() == [("O-1", "lost", TWO)]


def test_an_exchange_that_says_the_same_thing_twice_does_not_insist() -> None:
    rig = Rig()
    rig.place(order())
    rig.execution_report(PART, trade("t1", "0.5"), "0.5")
    rig.advance(60 * SECOND)
    for _ in range(2 * SETTINGS.unknown_answers_max):
        rig.reply("query", UNKNOWN)
    assert rig.ends() == []
    late(rig, "query", UNKNOWN, 300 * SECOND)
    assert rig.ends() == [("O-1", "lost", Decimal("1.5"))]


def test_an_answer_to_a_question_from_before_the_dispute_does_not_insist() -> None:
    rig = Rig()
    rig.place(order())
    rig.advance(2 * SETTINGS.reply_timeout_ns)
    first, second = (call.call_id for call in rig.calls("query"))
    told = state(FILLED, trade("t1", "0.5"), trade("bad", "200"), executed="2")
    rig.deliver(Reply(first, told))
    rig.deliver(Reply(second, told))
    assert rig.ends() == []
    rig.advance(SETTINGS.retry_ns)
    rig.reply("query", state(FILLED, trade("t1", "0.5"), trade("t2", "1.5")))
    assert rig.ends() == [("O-1", "filled", ZERO)]


# --- how often it is asked -----------------------------------------------------------------------


def test_what_is_never_answered_is_asked_less_and_less_often_and_at_once_when_an_answer_would_be_the_last() -> None:
    rig = Rig()
    rig.place(order())
    sent = rig.now
    times = late(rig, "query", UNKNOWN, 200 * SECOND, after=900 * SECOND)
    assert pauses([sent, *times]) == [3, 3, 3, 1, 8, 16, 30, 30, 30, 30, 30]
    assert times[3] == sent + SETTINGS.receive_window_ns + STEP


@pytest.mark.parametrize("kind", [RefusalKind.SERVER, RefusalKind.TIMEOUT])
def test_what_is_refused_later_than_it_is_waited_for_is_asked_less_and_less_often(kind: RefusalKind) -> None:
    rig = Rig()
    rig.place(order())
    times = late(rig, "query", refusal(kind), 300 * SECOND)
    assert pauses(times)[-5:] == [30 + SLOW // SECOND] * 5
    assert len(times) <= 14


def test_an_end_of_which_trades_stay_untold_is_asked_about_less_and_less_often() -> None:
    rig = Rig()
    rig.place(order())
    rig.reply("place", state(FILLED, trade("t1", "1"), executed="2"))
    times = late(rig, "query", state(FILLED, trade("t1", "1"), executed="2"), 300 * SECOND, after=STEP)
    assert pauses(times)[-3:] == [30] * 3
    late(rig, "query", state(FILLED, trade("t1", "1"), trade("t2", "1")), 60 * SECOND, after=STEP)
    assert rig.ends() == [("O-1", "filled", ZERO)]


def test_a_new_session_asks_as_if_for_the_first_time() -> None:
    rig = Rig()
    rig.place(order())
    rig.advance(300 * SECOND)
    rig.down()
    rig.up()
    times = late(rig, "query", UNKNOWN, 10 * SECOND, after=900 * SECOND)
    assert pauses(times) == [3, 4]


def test_a_cancel_that_is_refused_later_than_it_is_waited_for_is_repeated_less_and_less_often() -> None:
    rig = Rig(time_in_force=TimeInForce.GTC)
    rig.place(order())
    rig.reply("place", state(NEW))
    rig.cancel()
    refused = {"cancel": refusal(RefusalKind.SERVER), "query": state(NEW)}
    due: list[tuple[Nanos, str, Record]] = []
    known = dict.fromkeys(refused, 0)
    for _ in range(3000):
        for kind, answer in refused.items():
            due += [(rig.now + SLOW, call.call_id, answer) for call in rig.calls(kind)[known[kind] :]]
            known[kind] = len(rig.calls(kind))
        rig.advance(STEP)
        while due and due[0][0] <= rig.now:
            _, call_id, answer = due.pop(0)
            rig.deliver(Reply(call_id, answer))
    assert 8 <= len(rig.calls("cancel")) <= 14, "in five minutes"


# --- what is traded, and what the account holds ---------------------------------------------------


@pytest.mark.parametrize("question", ["instruments", "balances"])
def test_a_question_that_is_refused_later_than_it_is_waited_for_is_asked_less_and_less_often(question: str) -> None:
    rig = Rig(up=False)
    rig.deliver(Message(EXCHANGE, ExchangeSessionUp()))
    times = late(rig, question, refusal(RefusalKind.UNAVAILABLE), 300 * SECOND)
    assert pauses(times)[-3:] == [30 + SLOW // SECOND] * 3


@pytest.mark.parametrize("after", [SLOW, 5 * SLOW])
def test_instruments_and_balances_are_known_however_slow_the_exchange(after: Nanos) -> None:
    rig = Rig(up=False)
    rig.deliver(Message(EXCHANGE, ExchangeSessionUp()))
    late(rig, "instruments", ExchangeInstruments((X, Y)), 20 * SECOND + after, after=after)
    late(rig, "balances", ExchangeBalances(()), 60 * SECOND + after, after=after)
    assert len(rig.told(BalancesReported)) == 1
    rig.place(order())
    rig.reply("place", state(EXPIRED))
    assert rig.ends() == [("O-1", "expired", TWO)]
