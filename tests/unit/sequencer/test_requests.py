"""Requests to replace an order, questions about one, and cancels for a lost session."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.fix.messages import OrderStatusRequest
from core.fix.records import RejectBusiness, SessionClosed, SessionOpened, ToPeer
from core.fix.tags import CxlRejReason, OrdRejReason
from core.identity.records import MakerAdmitted, Permissions
from core.kernel.record import Effect, Message, Note, Record, Send, Start, TimerFired
from core.market.orders import (
    Batch,
    CancelOrder,
    CancelRefused,
    OrderCancelled,
    OrderExpired,
    OrderFilled,
    OrderReplaced,
    ReplaceOrder,
    ReplaceRefused,
)
from core.sequencer.facts import CancelSequenced, ReplaceRequestRefused, ReplaceSequenced, StatusRequestRefused
from core.sequencer.leaf import Acknowledgement, acknowledgement, decode_acknowledgement, encode_acknowledgement
from core.sequencer.receipt import decode_receipt, verify_receipt
from core.sequencer.sequencer import Sequencer
from core.units import MILLISECOND, SECOND
from tests.helpers.orders import cancel, from_peer, new_order, replace, settings

T0 = 1_000 * SECOND
WINDOW = 500 * MILLISECOND
REPLACED = OrderReplaced("O-1", "r1", Decimal(3), Decimal(2100), Decimal(3), Decimal(3), Decimal(6300))


def with_order(**changes: Any) -> Sequencer:
    sequencer = Sequencer("sequencer", settings(**changes))
    sequencer.handle(T0, Start())
    sequencer.handle(T0 + 1, from_peer(new_order()))
    return sequencer


def tell(sequencer: Sequencer, message: Any, owner: str = "MM1") -> list[Effect]:
    return sequencer.handle(T0 + 2, from_peer(message, owner))


def hear(sequencer: Sequencer, body: Record) -> list[Effect]:
    return sequencer.handle(T0 + 3, Message("auction", body))


def told(effects: list[Effect]) -> list[Any]:
    return [e.body.message for e in effects if isinstance(e, Send) and isinstance(e.body, ToPeer)]


def facts(effects: list[Effect]) -> list[Any]:
    return [effect.fact for effect in effects if isinstance(effect, Note)]


def filled(quantity: str, leaves: str) -> OrderFilled:
    amount = Decimal(quantity)
    return OrderFilled("O-1", "F-1", "C-1", "s1", 1, amount, Decimal(2000), amount, amount * 2000, Decimal(leaves))


def question(cl_ord_id: str = "c1", order_id: str | None = None) -> OrderStatusRequest:
    return OrderStatusRequest(cl_ord_id, "ETH-USDC", "2", order_id)


# --- replacing -----------------------------------------------------------------------------------


def test_a_replace_is_acknowledged_pending_and_has_its_own_place() -> None:
    effects = tell(with_order(), replace())
    (report,) = told(effects)
    assert (report.exec_type, report.ord_status, report.cl_ord_id, report.orig_cl_ord_id) == ("E", "E", "r1", "c1")
    assert (report.order_qty, report.price, report.global_seq) == (2, 2000, 2)
    wanted = ReplaceOrder("O-1", "MM1", "r1", Decimal("3.000"), Decimal("2100.00"))
    assert facts(effects) == [ReplaceSequenced(2, wanted)]
    encoded = encode_acknowledgement(acknowledgement(2, wanted))
    assert decode_acknowledgement(encoded) == Acknowledgement(2, "replace", "O-1", "r1")


def test_a_replaced_order_goes_on_under_the_name_of_the_request() -> None:
    sequencer = with_order()
    tell(sequencer, replace())
    (report,) = told(hear(sequencer, REPLACED))
    assert (report.exec_type, report.ord_status, report.cl_ord_id, report.orig_cl_ord_id) == ("5", "5", "r1", "c1")
    assert (report.order_qty, report.price, report.leaves_qty) == (3, 2100, 3)
    (report,) = told(tell(sequencer, replace("r2", "r1")))
    assert (report.ord_status, report.orig_cl_ord_id) == ("E", "r1")


def test_fills_count_for_more_than_a_replace() -> None:
    sequencer = with_order()
    hear(sequencer, filled("1", "1"))
    tell(sequencer, replace())
    terms = OrderReplaced("O-1", "r1", Decimal(3), Decimal(2100), Decimal(2), Decimal(2), Decimal(4200))
    (report,) = told(hear(sequencer, terms))
    assert (report.exec_type, report.ord_status, report.cum_qty, report.leaves_qty) == ("5", "1", 1, 2)


def test_the_old_name_of_a_replaced_order_is_used_up_and_names_nothing() -> None:
    sequencer = with_order()
    tell(sequencer, replace())
    hear(sequencer, REPLACED)
    (reject,) = told(tell(sequencer, cancel(orig="c1")))
    assert reject.text == "too_late: the order has ended or goes by another ClOrdID"
    (report,) = told(tell(sequencer, new_order("c1")))
    assert report.ord_rej_reason == OrdRejReason.DUPLICATE_ORDER


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"orig": "c9"}, "unknown_order"),
        ({"cl_ord_id": "c1"}, "duplicate_cl_ord_id"),
        ({"side": "1"}, "unsupported_change"),
        ({"symbol": "BTC-USDC"}, "unsupported_change"),
        ({"ord_type": "1"}, "unsupported_change"),
        ({"time_in_force": "3"}, "unsupported_change"),
        ({"expire_time": T0}, "unsupported_change"),
        ({"order_qty": None}, "missing_quantity"),
        ({"order_qty": Decimal("0.0005")}, "quantity_off_lot"),
        ({"price": Decimal("2100.01")}, "price_off_tick"),
        ({"order_qty": Decimal(1)}, "quantity_filled"),
    ],
)
def test_a_replace_that_cannot_be_gets_no_place(change: dict[str, Any], reason: str) -> None:
    sequencer = with_order()
    hear(sequencer, filled("1", "1"))
    effects = tell(sequencer, replace(**change))
    (reject,) = told(effects)
    assert (reject.cxl_rej_response_to, reject.text.split(":")[0]) == ("2", reason)
    (fact,) = facts(effects)
    assert isinstance(fact, ReplaceRequestRefused)
    assert (fact.reason, sequencer.state.global_seq) == (reason, 1)


@pytest.mark.parametrize(("first", "reason"), [(cancel(), "cancel_pending"), (replace("r0"), "replace_pending")])
@pytest.mark.parametrize("second", [cancel("x2"), replace("r2")])
def test_one_request_is_pending_at_a_time(first: Any, second: Any, reason: str) -> None:
    sequencer = with_order()
    tell(sequencer, first)
    (reject,) = told(tell(sequencer, second))
    assert (reject.cxl_rej_reason, reject.text.split(":")[0]) == (CxlRejReason.ALREADY_PENDING, reason)


@pytest.mark.parametrize(("filled_before", "ord_status"), [(False, "0"), (True, "1")])
def test_a_replace_the_auction_refuses_is_rejected_and_the_order_is_as_it_was(
    filled_before: bool, ord_status: str
) -> None:
    sequencer = with_order()
    if filled_before:
        hear(sequencer, filled("1", "1"))
    tell(sequencer, replace())
    (reject,) = told(hear(sequencer, ReplaceRefused("O-1", "r1", "too_late")))
    assert (reject.cl_ord_id, reject.orig_cl_ord_id, reject.ord_status) == ("r1", "c1", ord_status)
    assert (reject.cxl_rej_response_to, reject.text) == ("2", "too_late: the auction answered too_late")
    assert sequencer.state.live["O-1"].order.quantity == 2


def test_a_pending_replace_is_answered_when_its_order_ends() -> None:
    sequencer = with_order()
    tell(sequencer, replace())
    report, reject = told(hear(sequencer, filled("2", "0")))
    assert (report.ord_status, reject.ord_status, reject.cxl_rej_response_to) == ("2", "2", "2")
    assert hear(sequencer, ReplaceRefused("O-1", "r1", "unknown_order")) == []


# --- questions -----------------------------------------------------------------------------------


def test_a_question_is_answered_with_a_status_and_changes_nothing() -> None:
    sequencer = with_order()
    before = sequencer.snapshot()
    (report,) = told(tell(sequencer, question()))
    assert (report.exec_trans_type, report.exec_id, report.exec_type, report.ord_status) == ("3", "0", "0", "0")
    assert (report.order_id, report.global_seq, report.block_height, report.receipt) == ("O-1", 1, None, None)
    assert sequencer.snapshot() == before


def test_an_order_in_a_block_comes_with_its_whole_receipt() -> None:
    sequencer = with_order()
    sequencer.handle(T0 + WINDOW, TimerFired("window", T0 + WINDOW))
    (report,) = told(sequencer.handle(T0 + WINDOW + 1, from_peer(question())))
    assert (report.block_height, report.leaf_index) == (1, 0)
    receipt = decode_receipt(report.receipt.encode())
    assert verify_receipt(receipt) == ""
    assert decode_acknowledgement(receipt.acknowledgement).order_id == "O-1"


@pytest.mark.parametrize(("ending", "ord_status"), [(filled("2", "0"), "2"), (OrderExpired("O-1", "validity"), "C")])
def test_an_order_that_has_ended_is_remembered_for_a_while(ending: Record, ord_status: str) -> None:
    sequencer = with_order()
    hear(sequencer, ending)
    for asked in (question(), question("whatever", "O-1")):
        (report,) = told(tell(sequencer, asked))
        assert (report.exec_type, report.ord_status, report.leaves_qty) == (ord_status, ord_status, 0)
        (unknown,) = told(tell(sequencer, asked, "MM2"))
        assert unknown.order_id == "NONE"


def test_an_order_is_found_by_its_order_id_too() -> None:
    (report,) = told(tell(with_order(), question("whatever", "O-1")))
    assert (report.cl_ord_id, report.ord_status) == ("c1", "0")


@pytest.mark.parametrize(("owner", "cl_ord_id", "order_id"), [("MM1", "c9", None), ("MM2", "c1", "O-1")])
def test_of_an_unknown_order_nothing_is_said(owner: str, cl_ord_id: str, order_id: str | None) -> None:
    (report,) = told(tell(with_order(), question(cl_ord_id, order_id), owner))
    assert (report.exec_trans_type, report.order_id, report.ord_status) == ("3", "NONE", "8")
    assert report.ord_rej_reason == OrdRejReason.UNKNOWN_ORDER


def test_a_question_that_is_not_permitted_is_no_news_of_the_order() -> None:
    sequencer = with_order()
    admitted = MakerAdmitted("MM1", "MM1", b"", Permissions(msg_types=("D",)), "logon")
    sequencer.handle(T0 + 2, Message("identity", admitted))
    sequencer.handle(T0 + 2, Message("fix", SessionOpened("MM1")))
    sent, stated = tell(sequencer, question())
    assert isinstance(sent, Send)
    text = "msg_type_not_permitted: MsgType H is not permitted"
    assert stated == Note(StatusRequestRefused("MM1", "c1", "msg_type_not_permitted", "MsgType H is not permitted"))
    assert sent.body == RejectBusiness("MM1", 1, "H", 0, "c1", text)


def test_who_is_admitted_is_bound_by_it_also_where_its_logon_was_heard_of_first() -> None:
    sequencer = with_order()
    sequencer.handle(T0 + 2, Message("fix", SessionOpened("MM1")))
    admitted = MakerAdmitted("MM1", "MM1", b"", Permissions(msg_types=("D",)), "logon")
    sequencer.handle(T0 + 2, Message("identity", admitted))
    sent, _ = tell(sequencer, question())
    assert isinstance(sent, Send)
    assert isinstance(sent.body, RejectBusiness)


# --- lost sessions -------------------------------------------------------------------------------

LOST = SessionClosed("MM1", "connection_lost", cancel_orders=True)


def lose(sequencer: Sequencer) -> list[Effect]:
    return sequencer.handle(T0 + 4, Message("fix", LOST))


def test_orders_outlive_a_session_unless_their_owner_wants_otherwise() -> None:
    sequencer = with_order()
    assert sequencer.handle(T0 + 4, Message("fix", SessionClosed("MM1", "connection_lost"))) == []


def test_the_orders_of_a_lost_session_are_cancelled_each_with_a_place_of_its_own() -> None:
    sequencer = with_order(batch_messages=10)
    tell(sequencer, new_order("c2"))
    tell(sequencer, new_order("c1"), "MM2")
    effects = lose(sequencer)
    cancels = [CancelOrder(order_id, "MM1", "", standing=True) for order_id in ("O-1", "O-2")]
    assert facts(effects) == [CancelSequenced(4, cancels[0]), CancelSequenced(5, cancels[1])]
    assert told(effects) == []
    effects = sequencer.handle(T0 + WINDOW, TimerFired("window", T0 + WINDOW))
    (batch,) = [e.body for e in effects if isinstance(e, Send) and isinstance(e.body, Batch)]
    assert list(batch.items[3:]) == cancels
    encoded = encode_acknowledgement(acknowledgement(4, cancels[0]))
    assert decode_acknowledgement(encoded).kind == "cancel_on_disconnect"


def test_a_cancel_that_nobody_asked_for_is_reported_as_the_order() -> None:
    sequencer = with_order()
    lose(sequencer)
    assert lose(sequencer) == []
    (report,) = told(hear(sequencer, OrderCancelled("O-1", "")))
    assert (report.exec_type, report.cl_ord_id, report.orig_cl_ord_id) == ("4", "c1", None)
    assert report.text == "the session was lost"


def test_what_was_pending_when_the_session_was_lost_is_answered_and_the_order_still_leaves() -> None:
    sequencer = with_order(batch_messages=10)
    tell(sequencer, cancel())
    lose(sequencer)
    (reject,) = told(hear(sequencer, CancelRefused("O-1", "x1", "too_late")))
    assert reject.ord_status == "6"
    (report,) = told(hear(sequencer, OrderCancelled("O-1", "")))
    assert report.ord_status == "4"


def test_a_lost_session_overtakes_a_pending_replace() -> None:
    sequencer = with_order(batch_messages=10)
    tell(sequencer, replace())
    lose(sequencer)
    (report,) = told(hear(sequencer, REPLACED))
    assert (report.exec_type, report.ord_status) == ("5", "6")
    (report,) = told(hear(sequencer, OrderCancelled("O-1", "")))
    assert (report.ord_status, report.cl_ord_id) == ("4", "r1")


def test_a_batch_that_the_cancels_fill_is_sealed_on_the_way() -> None:
    sequencer = with_order(batch_messages=2)
    tell(sequencer, new_order("c2"))
    tell(sequencer, new_order("c3"))
    batches = [e.body for e in lose(sequencer) if isinstance(e, Send) and isinstance(e.body, Batch)]
    assert [len(batch.items) for batch in batches] == [2, 2]
