"""What exchanges, sessions and senders cannot do to a desk: defects 7, 8, 12 and 20 as far as they are about these."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.execution.facts import CircuitOpened, ExchangeOrderSent, ExecutionUnexpected
from core.fix.codec import encode
from core.identity.orders import sign_order
from core.index.records import IndexOrderEnded, Outcome
from core.kernel.record import Message, Stop
from core.market.exchange import (
    EXCHANGE,
    ExchangeExecution,
    ExchangeSessionUp,
    ExchangeStatus,
    QueryExchangeOrder,
    RateLimit,
    RefusalKind,
)
from core.units import SECOND
from sim.exchange_models import ScriptedFill
from tests.helpers.execution import SETTINGS, Rig, X, Y, order, refusal, state, trade
from tests.helpers.fix import ORDER, wire
from tests.helpers.identity import Desk, logon, signer
from tests.helpers.index_desk import golden_settings
from tests.helpers.index_node import IndexNode, still_exchange

D = Decimal
ZERO, ONE, TWO = D(0), D(1), D(2)
PART, FILLED, EXPIRED = ExchangeStatus.PARTIALLY_FILLED, ExchangeStatus.FILLED, ExchangeStatus.EXPIRED
HEADER = "35=D|34=2|49=MM1|52=20231114-22:13:20.000|56=ROMER"


# --- 7: one failure is not everybody's -------------------------------------------------------------


def test_07_a_rejected_order_does_not_keep_others_from_being_sent() -> None:
    rig = Rig()
    rig.place(order("O-1"), order("O-2"))
    rig.reply("place O-1", refusal(RefusalKind.ORDER_VALIDATION, "-2010"))
    rig.reply("place O-2", state(FILLED, trade("t1", "2")))
    rig.place(order("O-3"), batch="B-2")
    rig.reply("place O-3", state(FILLED, trade("t2", "2")))
    assert rig.ends() == [("O-1", "refused:-2010", TWO), ("O-2", "filled", ZERO), ("O-3", "filled", ZERO)]


def test_07_refusals_for_one_symbol_keep_no_order_for_another_from_being_sent() -> None:
    rig = Rig(limits=())
    for number in range(SETTINGS.refusals_max):
        rig.place(order(f"O-{number}"), batch=f"B-{number}")
        rig.reply(f"place O-{number}", refusal(RefusalKind.ORDER_VALIDATION, "-2010"))
    rig.place(order("O-X"), order("O-Y", of=Y), batch="B-X")
    assert [one.symbol for one in rig.facts(CircuitOpened)] == ["XUSDC"]
    sent = [call.call_id.rpartition(":")[2] for call in rig.calls("place")]
    assert "O-Y" in sent
    assert "O-X" not in sent


def test_07_a_rate_limit_holds_orders_up_and_fails_none() -> None:
    rig = Rig(limits=(RateLimit(2, SECOND),))
    rig.place(*(order(f"O-{n}") for n in range(1, 6)))
    assert len(rig.calls("place")) == 2
    rig.advance(2 * SECOND)
    for number in range(1, 6):
        rig.reply(f"place O-{number}", state(FILLED, trade(f"t{number}", "2")))
    assert rig.ends() == [(f"O-{number}", "filled", ZERO) for number in range(1, 6)]


def test_07_an_order_that_the_exchange_counts_as_too_many_is_sent_again() -> None:
    rig = Rig()
    rig.place(order("O-1"), order("O-2"))
    rig.reply("place O-1", refusal(RefusalKind.RATE_LIMIT, "-1003"))
    assert rig.ends() == []
    rig.reply("place O-2", state(FILLED, trade("t1", "2")))
    rig.advance(SETTINGS.rate_pause_ns)
    assert [each.call_id for each in rig.calls("place")][2:] == ["place:2:O-1"]
    rig.reply("place:2:O-1", state(FILLED, trade("t2", "2")))
    assert rig.ends() == [("O-2", "filled", ZERO), ("O-1", "filled", ZERO)]


def test_07_a_stop_sends_nothing_more_and_follows_to_its_end_what_was_sent() -> None:
    rig = Rig(limits=(RateLimit(1, 60 * SECOND),))
    rig.place(order("O-1"), order("O-2"))
    rig.deliver(Stop())
    assert rig.ends() == [("O-2", "cancelled", TWO)]
    rig.advance(SETTINGS.reply_timeout_ns)
    rig.reply("query", state(FILLED, trade("t1", "2")))
    assert rig.ends()[1:] == [("O-1", "filled", ZERO)]


# --- 8: what happens while there is no session -----------------------------------------------------


def test_08_no_order_is_left_unasked_for_when_a_session_comes_back() -> None:
    rig = Rig()
    rig.place(order("O-1"), order("O-2"), order("O-3"))
    rig.reply("place O-2", state(PART, trade("t1", "0.5")))
    rig.down()
    rig.advance(3600 * SECOND)
    assert (rig.ends(), rig.calls("query")) == ([], [])
    rig.up()
    assert [each.body for each in rig.calls("query")] == [QueryExchangeOrder(f"O-{n}", X.symbol) for n in (1, 2, 3)]
    rig.reply("query:2:O-1", refusal(RefusalKind.UNKNOWN_ORDER))
    rig.reply("query:2:O-2", state(EXPIRED, trade("t1", "0.5"), trade("t2", "1")))
    rig.reply("query:2:O-3", state(FILLED, trade("t3", "2")))
    assert rig.ends() == [("O-1", "lost", TWO), ("O-2", "expired", D("0.5")), ("O-3", "filled", ZERO)]
    assert rig.fills() == [("t1", D("0.5")), ("t2", ONE), ("t3", TWO)]


def test_08_an_order_that_nobody_answers_for_is_asked_for_in_time() -> None:
    rig = Rig()
    rig.place(order())
    rig.advance(SETTINGS.reply_timeout_ns)
    rig.reply("query", state(EXPIRED, trade("t1", "1")))
    assert rig.ends() == [("O-1", "expired", ONE)]


def test_08_what_waits_for_a_session_is_sent_when_one_comes() -> None:
    rig = Rig(up=False)
    rig.place(order())
    rig.advance(SECOND)
    rig.up()
    rig.reply("place", state(FILLED, trade("t1", "2")))
    assert rig.ends() == [("O-1", "filled", ZERO)]


def test_08_what_waits_for_a_session_that_comes_back_is_sent_at_once() -> None:
    rig = Rig()
    rig.down()
    rig.place(order())
    assert rig.calls("place") == []
    rig.deliver(Message(EXCHANGE, ExchangeSessionUp()))
    assert len(rig.calls("place")) == 1


# --- 12: who speaks ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change", ["55=BTC/USDC", "54=2", "38=1.6", "44=64000.26", "49=MM2", "34=3", "60=20231114-22:13:21"]
)
def test_12_no_field_of_a_signed_order_can_be_changed(change: str) -> None:
    tag = change.partition("=")[0]
    fields = f"{HEADER}|{ORDER}".split("|")
    changed = [change if field.startswith(f"{tag}=") else field for field in fields]
    assert changed != fields
    one, other = (sign_order(encode(wire("|".join(each))), signer("MM1")) for each in (fields, changed))
    assert one.partition(b"\x0120006=")[2][:96] != other.partition(b"\x0120006=")[2][:96]


def test_12_a_logon_that_is_played_again_lets_nobody_in() -> None:
    desk = Desk()
    desk.register("MM1")
    raw = logon("MM1")
    assert [desk.log_on(raw) for _ in range(3)] == ["admitted", "replayed", "replayed"]


# --- 20: nothing waits for an answer while others wait for it ---------------------------------------


def test_20_an_exchange_that_never_answers_for_an_order_holds_up_no_other() -> None:
    rig = Rig()
    rig.place(order("O-1"))
    rig.place(order("O-2"), batch="B-2")
    rig.place(order("O-3", of=Y), batch="B-3")
    rig.reply("place O-2", state(FILLED, trade("t2", "2")))
    rig.reply("place O-3", state(FILLED, trade("t3", "2")))
    rig.advance(600 * SECOND)
    assert rig.ends() == [("O-2", "filled", ZERO), ("O-3", "filled", ZERO)]
    rig.reply("query O-1", state(EXPIRED, trade("t1", "1")))
    assert rig.ends()[2:] == [("O-1", "expired", ONE)]


def test_20_a_trade_that_the_exchange_tells_of_after_its_order_has_ended_is_booked_once() -> None:
    node = IndexNode(golden_settings(), still_exchange(script=((ScriptedFill(D("0.9"), ONE),),)))
    node.weigh(SECOND)
    node.deposit(2 * SECOND, "900")
    node.order(3 * SECOND, "C-1", "800")
    node.run(60)
    first = next(fact for fact in node.facts(ExchangeOrderSent) if fact.symbol == "AX")
    sent, late = first.quantity, first.quantity / 30
    said = ExchangeExecution(first.order_id, "AX", "buy", EXPIRED, "late", first.price, late, sent - late, sent)
    before = node.desk.state.inventory.holdings["AX"].balance
    for second in (61, 62):
        node.tell(second * SECOND, "execution", said, EXCHANGE)
    node.run(70)
    assert node.desk.state.inventory.holdings["AX"].balance - before == pytest.approx(late)
    lots = [lot for shelf in node.desk.state.stock.house.values() for lot in shelf if lot.lot_id == "late"]
    assert [lot.remaining for lot in lots] == [late]
    assert [fact for fact in node.facts(ExecutionUnexpected) if fact.trade_id == "late"] == []
    assert [fact.outcome for fact in node.facts(IndexOrderEnded)] == [Outcome.MINTED]
    node.audit()
