from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core import maker as module
from core.fix.message import FixMessage
from core.fix.messages import (
    BusinessMessageReject,
    ExecutionReport,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelRequest,
    OrderStatusRequest,
)
from core.fix.records import FromPeer, SessionClosed, SessionOpened, ToPeer
from core.kernel.record import Effect, Event, Message, Note, Send, Start, Stop
from core.maker import (
    DropReason,
    Intent,
    IntentDropped,
    MakerSettings,
    MarketMaker,
    Outcome,
    ReportIgnored,
    RequestRejected,
)
from core.market.world import CancelWanted, OrderWanted, ReplaceWanted, StatusWanted
from core.units import SECOND

NOW = 1_000 * SECOND
SETTINGS = MakerSettings(comp_id="MM1", session="ROMER")
WANTED = OrderWanted("ETH-USDC", "sell", Decimal(2), Decimal(2000))


def started() -> MarketMaker:
    maker = MarketMaker("maker", SETTINGS)
    assert maker.handle(NOW, Start()) == []
    return maker


def want(maker: MarketMaker, intent: Intent = WANTED) -> list[Effect]:
    return maker.handle(NOW, Message("world", intent))


def hear(maker: MarketMaker, message: FixMessage) -> list[Effect]:
    return maker.handle(NOW, Message("fix", FromPeer("ROMER", 1, b"", message)))


def sent(effects: list[Effect]) -> Any:
    (effect,) = effects
    assert isinstance(effect, Send)
    assert isinstance(effect.body, ToPeer)
    assert (effect.dst, effect.body.session) == ("fix", "ROMER")
    return effect.body.message


def report(exec_type: str, cl_ord_id: str = "MM1-1", **more: Any) -> ExecutionReport:
    return ExecutionReport(
        order_id="O-1",
        exec_id="E-1",
        exec_trans_type=more.pop("exec_trans_type", "0"),
        exec_type=exec_type,
        ord_status=exec_type,
        symbol="ETH-USDC",
        side="2",
        leaves_qty=Decimal(0),
        cum_qty=Decimal(0),
        avg_px=Decimal(0),
        cl_ord_id=cl_ord_id,
        **more,
    )


def cancel_reject(cl_ord_id: str = "MM1-2", orig: str = "MM1-1") -> OrderCancelReject:
    return OrderCancelReject("O-1", cl_ord_id, orig, "0", "1", 0)


def counts(maker: MarketMaker) -> dict[str, int]:
    return {str(outcome): count for outcome, count in maker.state.counts.items() if count}


def test_a_wanted_order_is_sent_as_a_limit_order_under_its_own_id() -> None:
    maker = started()
    assert sent(want(maker)) == NewOrderSingle(
        cl_ord_id="MM1-1",
        handl_inst="1",
        symbol="ETH-USDC",
        side="2",
        transact_time=NOW,
        ord_type="2",
        order_qty=Decimal(2),
        price=Decimal(2000),
        time_in_force="0",
    )
    assert sent(want(maker)).cl_ord_id == "MM1-2"
    assert counts(maker) == {"sent": 2}


@pytest.mark.parametrize(
    ("lifetime", "immediate", "whole", "time_in_force", "expire_time"),
    [
        (None, False, False, "0", None),
        (SECOND, False, False, "6", NOW + SECOND),
        (None, True, False, "3", None),
        (None, True, True, "4", None),
        (SECOND, True, True, "4", None),
    ],
)
def test_what_the_world_wants_becomes_a_time_in_force(
    lifetime: int | None, immediate: bool, whole: bool, time_in_force: str, expire_time: int | None
) -> None:
    wanted = OrderWanted("ETH-USDC", "buy", Decimal(1), Decimal(5), lifetime, immediate, whole)
    order = sent(want(started(), wanted))
    assert (order.side, order.time_in_force, order.expire_time) == ("1", time_in_force, expire_time)


def test_fills_add_up_by_symbol_and_side() -> None:
    maker = started()
    want(maker)
    hear(maker, report("0"))
    hear(maker, report("1", last_shares=Decimal("0.5")))
    assert "MM1-1" in maker.state.open
    hear(maker, report("2", last_shares=Decimal("1.5")))
    assert counts(maker) == {"sent": 1, "acked": 1, "filled": 1}
    assert maker.state.filled_quantity == {"ETH-USDC": {"sell": Decimal(2)}}
    assert (maker.state.open, maker.state.open_nth) == ({}, {})


@pytest.mark.parametrize(
    ("exec_type", "outcome"), [("8", Outcome.REJECTED), ("4", Outcome.CANCELLED), ("C", Outcome.EXPIRED)]
)
def test_an_order_that_ends_is_dropped_to_a_counter(exec_type: str, outcome: Outcome) -> None:
    maker = started()
    want(maker)
    assert hear(maker, report(exec_type)) == []
    assert counts(maker) == {"sent": 1, outcome: 1}
    assert (maker.state.open, maker.state.open_nth) == ({}, {})


@pytest.mark.parametrize("exec_type", ["6", "A", "D"])
def test_a_report_that_changes_nothing_counts_nothing(exec_type: str) -> None:
    maker = started()
    want(maker)
    assert hear(maker, report(exec_type)) == []
    assert counts(maker) == {"sent": 1}


def test_a_cancel_names_the_nth_order_sent() -> None:
    maker = started()
    want(maker)
    want(maker, OrderWanted("BTC-USDC", "buy", Decimal(1), Decimal(5)))
    assert sent(want(maker, CancelWanted(2))) == OrderCancelRequest("MM1-2", "MM1-3", "BTC-USDC", "1", NOW)
    want(maker)
    assert sent(want(maker, CancelWanted(3))).orig_cl_ord_id == "MM1-4"


def test_a_replace_names_the_nth_order_and_the_order_goes_on_under_the_new_name() -> None:
    maker = started()
    want(maker)
    request = sent(want(maker, ReplaceWanted(1, Decimal(3), Decimal(7))))
    assert (request.MSG_TYPE, request.orig_cl_ord_id, request.cl_ord_id) == ("G", "MM1-1", "MM1-2")
    assert (request.symbol, request.side, request.ord_type) == ("ETH-USDC", "2", "2")
    assert (request.order_qty, request.price, request.time_in_force) == (Decimal(3), Decimal(7), None)
    for intent in (ReplaceWanted(1, Decimal(4), Decimal(7)), CancelWanted(1)):
        assert want(maker, intent) == [Note(IntentDropped(intent, DropReason.REPLACE_PENDING))]
    assert hear(maker, report("E", "MM1-2", orig_cl_ord_id="MM1-1")) == []
    assert hear(maker, report("5", "MM1-2", orig_cl_ord_id="MM1-1")) == []
    assert (list(maker.state.open), maker.state.open_nth) == (["MM1-2"], {1: "MM1-2"})
    assert sent(want(maker, CancelWanted(1))).orig_cl_ord_id == "MM1-2"
    hear(maker, report("4", "MM1-3", orig_cl_ord_id="MM1-2"))
    assert counts(maker) == {"sent": 1, "cancelled": 1}


@pytest.mark.parametrize(
    "refusal",
    [
        OrderCancelReject("O-1", "MM1-2", "MM1-1", "0", "2"),
        BusinessMessageReject("G", 3, business_reject_ref_id="MM1-2"),
    ],
    ids=["9", "j"],
)
def test_a_replace_that_is_refused_lets_another_be_sent(refusal: FixMessage) -> None:
    maker = started()
    want(maker)
    want(maker, ReplaceWanted(1, Decimal(3), Decimal(7)))
    hear(maker, refusal)
    again = sent(want(maker, ReplaceWanted(1, Decimal(3), Decimal(7))))
    assert (again.orig_cl_ord_id, again.cl_ord_id) == ("MM1-1", "MM1-3")


def test_a_question_names_the_nth_order_alive_or_ended_and_its_answer_changes_nothing() -> None:
    maker = started()
    want(maker)
    assert sent(want(maker, StatusWanted(1))) == OrderStatusRequest("MM1-1", "ETH-USDC", "2")
    before = maker.snapshot()
    assert hear(maker, report("2", exec_trans_type="3", last_shares=Decimal(1))) == []
    assert maker.snapshot() == before
    hear(maker, report("C"))
    assert sent(want(maker, StatusWanted(1))) == OrderStatusRequest("MM1-1", "ETH-USDC", "2")
    assert want(maker, StatusWanted(2)) == [Note(IntentDropped(StatusWanted(2), DropReason.GONE))]


def test_a_question_that_is_refused_ends_no_order() -> None:
    maker = started()
    want(maker)
    want(maker, StatusWanted(1))
    effects = hear(maker, BusinessMessageReject("H", 0, business_reject_ref_id="MM1-1", text="rate_exceeded: ..."))
    assert effects == [Note(RequestRejected("MM1-1", "H", "other", "rate_exceeded: ..."))]
    assert list(maker.state.open) == ["MM1-1"]


def test_ended_orders_that_can_be_asked_about_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ENDED_ORDERS_MAX", 2)
    maker = started()
    for number in (1, 2, 3):
        want(maker)
        hear(maker, report("C", f"MM1-{number}"))
    assert list(maker.state.ended_nth) == [2, 3]


def test_a_cancelled_order_is_found_by_its_own_id_not_the_requests() -> None:
    maker = started()
    want(maker)
    want(maker, CancelWanted(1))
    hear(maker, report("6", "MM1-2", orig_cl_ord_id="MM1-1"))
    hear(maker, report("4", "MM1-2", orig_cl_ord_id="MM1-1"))
    assert counts(maker) == {"sent": 1, "cancelled": 1}


@pytest.mark.parametrize("nth", [0, 1, 2])
def test_a_cancel_of_an_order_that_is_gone_or_never_was_is_dropped(nth: int) -> None:
    maker = started()
    want(maker)
    hear(maker, report("C"))
    assert want(maker, CancelWanted(nth)) == [Note(IntentDropped(CancelWanted(nth), DropReason.GONE))]


def test_a_second_cancel_is_dropped_until_the_first_is_answered() -> None:
    maker = started()
    want(maker)
    want(maker, CancelWanted(1))
    assert want(maker, CancelWanted(1)) == [Note(IntentDropped(CancelWanted(1), DropReason.CANCEL_PENDING))]
    assert hear(maker, cancel_reject()) == []
    assert sent(want(maker, CancelWanted(1))).cl_ord_id == "MM1-3"


def test_a_cancel_reject_for_an_order_that_just_ended_is_no_news() -> None:
    maker = started()
    want(maker)
    want(maker, CancelWanted(1))
    hear(maker, report("2"))
    assert hear(maker, cancel_reject()) == []


def test_a_business_reject_ends_the_order_it_names_and_its_reason_is_stated() -> None:
    maker = started()
    want(maker)
    want(maker)
    effects = hear(maker, BusinessMessageReject("D", 4, business_reject_ref_id="MM1-1", text="closed on Sundays"))
    assert effects == [Note(RequestRejected("MM1-1", "D", "application_not_available", "closed on Sundays"))]
    assert counts(maker) == {"sent": 2, "rejected": 1}
    assert (list(maker.state.open), maker.state.open_nth) == (["MM1-2"], {2: "MM1-2"})


def test_a_business_reject_of_a_cancel_lets_another_be_sent() -> None:
    maker = started()
    want(maker)
    want(maker, CancelWanted(1))
    effects = hear(maker, BusinessMessageReject("F", 3, business_reject_ref_id="MM1-2"))
    assert effects == [Note(RequestRejected("MM1-2", "F", "unsupported_message_type", ""))]
    assert counts(maker) == {"sent": 1}
    assert sent(want(maker, CancelWanted(1))).cl_ord_id == "MM1-3"


@pytest.mark.parametrize(
    ("message", "cl_ord_id"),
    [
        (report("2", "MM1-9", last_shares=Decimal(1)), "MM1-9"),
        (report("2", exec_trans_type="1", last_shares=Decimal(1)), "MM1-1"),
        (BusinessMessageReject("D", 4), ""),
    ],
)
def test_what_is_not_about_an_open_order_changes_nothing(message: FixMessage, cl_ord_id: str) -> None:
    maker = started()
    want(maker)
    before = maker.snapshot()
    assert hear(maker, message) == [Note(ReportIgnored(cl_ord_id, message.MSG_TYPE))]
    assert maker.snapshot() == before


def test_open_orders_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "OPEN_ORDERS_MAX", 2)
    maker = started()
    want(maker)
    want(maker)
    assert want(maker) == [Note(IntentDropped(WANTED, DropReason.TOO_MANY_OPEN))]
    hear(maker, report("C"))
    assert sent(want(maker)).cl_ord_id == "MM1-3"


def test_after_stop_nothing_new_is_sent_and_answers_still_count() -> None:
    maker = started()
    want(maker)
    assert maker.handle(NOW, Stop()) == []
    assert want(maker) == [Note(IntentDropped(WANTED, DropReason.STOPPING))]
    assert want(maker, CancelWanted(1)) == [Note(IntentDropped(CancelWanted(1), DropReason.STOPPING))]
    hear(maker, report("C"))
    assert counts(maker) == {"sent": 1, "expired": 1}


def test_orders_outlive_their_session() -> None:
    maker = started()
    want(maker)
    before = maker.snapshot()
    assert maker.handle(NOW, Message("fix", SessionClosed("ROMER", "peer_logout"))) == []
    assert maker.handle(NOW, Message("fix", SessionOpened("ROMER"))) == []
    assert maker.snapshot() == before


def test_a_restored_maker_goes_on_as_if_never_stopped() -> None:
    original, restored = started(), MarketMaker("maker", SETTINGS)
    want(original)
    want(original)
    want(original, CancelWanted(2))
    hear(original, report("1", last_shares=Decimal("0.5")))
    restored.restore(original.snapshot())
    events: list[Event] = [
        Message("world", WANTED),
        Message("world", CancelWanted(1)),
        Message("world", CancelWanted(2)),
        Message("fix", FromPeer("ROMER", 1, b"", report("2", last_shares=Decimal("1.5")))),
        Message("fix", FromPeer("ROMER", 2, b"", report("4", "MM1-3", orig_cl_ord_id="MM1-2"))),
        Stop(),
    ]
    for event in events:
        assert original.handle(NOW, event) == restored.handle(NOW, event)
    assert original.snapshot() == restored.snapshot()
