from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from core.fix.message import FixMessage
from core.fix.messages import ExecutionReport, OrderCancelReject
from core.fix.records import SessionClosed, SessionOpened, ToPeer
from core.fix.tags import CxlRejReason, ExecType, OrdRejReason, OrdStatus
from core.kernel.record import (
    CancelTimer,
    Effect,
    Event,
    Message,
    Note,
    Record,
    Resume,
    Send,
    SetTimer,
    Start,
    Stop,
    TimerFired,
)
from core.market.orders import (
    Batch,
    CancelOrder,
    CancelRefused,
    Order,
    OrderCancelled,
    OrderExpired,
    OrderFailed,
    OrderFilled,
)
from core.market.world import StorageRestored, StorageShort
from core.merkle import root
from core.sequencer.block import NO_BLOCK, block_hash
from core.sequencer.facts import (
    BlockSealed,
    CancelRequestRefused,
    CancelSequenced,
    OrderRefused,
    OrderSequenced,
)
from core.sequencer.leaf import Leaf, encode_leaf
from core.sequencer.sequencer import Sequencer
from core.units import MILLISECOND, SECOND, Nanos
from tests.helpers.orders import cancel, from_peer, new_order, settings

T0 = 1_000 * SECOND
WINDOW = 500 * MILLISECOND


def started(**changes: Any) -> Sequencer:
    sequencer = Sequencer("sequencer", settings(**changes))
    sequencer.handle(T0, Start())
    return sequencer


def tell(sequencer: Sequencer, now: Nanos, message: FixMessage, owner: str = "MM1") -> list[Effect]:
    return sequencer.handle(now, from_peer(message, owner))


def hear(sequencer: Sequencer, now: Nanos, body: Record) -> list[Effect]:
    return sequencer.handle(now, Message("auction", body))


def facts(effects: list[Effect]) -> list[Any]:
    return [effect.fact for effect in effects if isinstance(effect, Note)]


def told(effects: list[Effect]) -> list[Any]:
    return [e.body.message for e in effects if isinstance(e, Send) and isinstance(e.body, ToPeer)]


def batches(effects: list[Effect]) -> list[Batch]:
    return [e.body for e in effects if isinstance(e, Send) and isinstance(e.body, Batch)]


def sealed(effects: list[Effect]) -> list[BlockSealed]:
    return [fact for fact in facts(effects) if isinstance(fact, BlockSealed)]


def filled(quantity: str, price: str, leaves: str, order_id: str = "O-1") -> OrderFilled:
    amount, at = Decimal(quantity), Decimal(price)
    return OrderFilled(order_id, "F-1", "C-1", "s1", 1, amount, at, amount, amount * at, Decimal(leaves))


def status(report: ExecutionReport) -> tuple[object, ...]:
    return report.exec_type, report.ord_status, report.cum_qty, report.leaves_qty, report.avg_px


# --- orders --------------------------------------------------------------------------------------


def test_an_accepted_order_is_acknowledged_at_once_with_its_global_sequence() -> None:
    effects = tell(started(), T0 + 1, new_order())
    report = ExecutionReport(
        order_id="O-1",
        exec_id="E-1",
        exec_trans_type="0",
        exec_type="0",
        ord_status="0",
        symbol="ETH-USDC",
        side="2",
        leaves_qty=Decimal(2),
        cum_qty=Decimal(0),
        avg_px=Decimal(0),
        cl_ord_id="c1",
        order_qty=Decimal(2),
        price=Decimal(2000),
        transact_time=T0 + 1,
        global_seq=1,
    )
    fact = facts(effects)[0]
    assert isinstance(fact, OrderSequenced)
    assert (fact.global_seq, fact.order.order_id, fact.order.owner, fact.order.created_at) == (1, "O-1", "MM1", T0 + 1)
    assert effects == [SetTimer("window", T0 + WINDOW), Send("fix", ToPeer("MM1", report)), Note(fact)]


def test_a_refused_order_gets_its_reason_and_no_place() -> None:
    sequencer = started()
    effects = tell(sequencer, T0 + 1, new_order(price=Decimal("0.01")))
    (report,) = told(effects)
    assert status(report) == ("8", "8", 0, 0, 0)
    assert (report.ord_rej_reason, report.cl_ord_id) == (OrdRejReason.BROKER_OPTION, "c1")
    assert report.text == "price_off_tick: Price is not a multiple of 0.05"
    why = ("price_off_tick", "Price is not a multiple of 0.05")
    assert facts(effects) == [OrderRefused("MM1", "c1", *why, "ETH-USDC", "sell", Decimal(2), Decimal("0.01"))]
    (accepted,) = told(tell(sequencer, T0 + 2, new_order()))
    assert (accepted.order_id, accepted.exec_id, accepted.global_seq) == ("O-2", "E-2", 1)


def test_a_refused_order_is_stated_with_no_more_terms_than_it_had() -> None:
    effects = tell(started(), T0 + 1, new_order(side="5", order_qty=None, price=None))
    (fact,) = facts(effects)
    assert isinstance(fact, OrderRefused)
    assert (fact.reason, fact.side, fact.quantity, fact.limit_price) == ("unsupported_side", None, None, None)


def test_cl_ord_ids_of_different_owners_do_not_meet() -> None:
    sequencer = started()
    for owner in ("MM1", "MM2"):
        (report,) = told(tell(sequencer, T0 + 1, new_order(), owner))
        assert report.ord_status == "0"
    (report,) = told(tell(sequencer, T0 + 1, new_order(), "MM2"))
    assert report.ord_rej_reason == OrdRejReason.DUPLICATE_ORDER


def test_fills_report_quantities_and_an_average_exact_to_eight_decimals() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order(order_qty=Decimal(3)))
    (report,) = told(hear(sequencer, T0 + 2, filled("1", "2000", "2")))
    assert status(report) == ("1", "1", 1, 2, 2000)
    assert (report.last_shares, report.last_px, report.exec_id) == (1, 2000, "E-2")
    (report,) = told(hear(sequencer, T0 + 3, filled("2", "2000.0000000049", "0")))
    assert status(report) == ("2", "2", 3, 0, 2000)
    assert (report.last_shares, report.last_px) == (2, Decimal("2000.00000000"))


def test_an_average_price_is_rounded_half_to_even() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order(order_qty=Decimal(2)))
    hear(sequencer, T0 + 2, filled("1", "2000.00000001", "1"))
    (report,) = told(hear(sequencer, T0 + 3, filled("1", "2000.00000002", "0")))
    assert str(report.avg_px) == "2000.00000002"


def test_a_speck_sold_for_a_fortune_still_has_a_report() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    fill = filled("0.000000000000000001", "1E+25", "1.999999999999999999")
    (report,) = told(hear(sequencer, T0 + 2, fill))
    assert report.last_px == Decimal("1E+25")


def test_an_order_that_expires_after_a_partial_fill_keeps_what_it_filled() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    hear(sequencer, T0 + 2, filled("0.5", "2001", "1.5"))
    (report,) = told(hear(sequencer, T0 + 3, OrderExpired("O-1", "validity")))
    assert status(report) == ("C", "C", Decimal("0.5"), 0, 2001)
    assert report.text == "validity"


def test_an_order_without_funds_is_rejected_after_all() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    (report,) = told(hear(sequencer, T0 + 2, OrderFailed("O-1", "unfunded")))
    assert status(report) == ("8", "8", 0, 0, 0)
    assert report.text == "unfunded"


def test_of_an_ended_order_only_its_cl_ord_id_is_kept() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    hear(sequencer, T0 + 2, OrderExpired("O-1", "validity"))
    assert sequencer.state.live == {}
    assert sequencer.state.known["MM1"].live == {}
    (report,) = told(tell(sequencer, T0 + 3, new_order()))
    assert report.ord_rej_reason == OrdRejReason.DUPLICATE_ORDER


def test_news_of_an_order_that_never_was_is_our_bug() -> None:
    with pytest.raises(KeyError):
        hear(started(), T0 + 1, OrderExpired("O-1", "validity"))


# --- cancels -------------------------------------------------------------------------------------


def test_a_cancel_is_acknowledged_pending_and_sequenced() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    effects = tell(sequencer, T0 + 2, cancel())
    (report,) = told(effects)
    assert status(report) == ("6", "6", 0, 2, 0)
    assert (report.cl_ord_id, report.orig_cl_ord_id, report.global_seq) == ("x1", "c1", 2)
    assert facts(effects) == [CancelSequenced(2, CancelOrder("O-1", "MM1", "x1"))]


def test_the_cl_ord_id_of_a_cancel_is_used_up() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    tell(sequencer, T0 + 2, cancel())
    (report,) = told(tell(sequencer, T0 + 3, new_order("x1")))
    assert report.ord_rej_reason == OrdRejReason.DUPLICATE_ORDER


def test_a_cancelled_order_is_reported_under_the_request() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    tell(sequencer, T0 + 2, cancel())
    (report,) = told(hear(sequencer, T0 + 3, OrderCancelled("O-1", "x1")))
    assert status(report) == ("4", "4", 0, 0, 0)
    assert (report.cl_ord_id, report.orig_cl_ord_id) == ("x1", "c1")


@pytest.mark.parametrize(("filled_before", "ord_status"), [(False, "0"), (True, "1")])
def test_a_cancel_the_auction_refuses_is_rejected_and_the_order_goes_on(filled_before: bool, ord_status: str) -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    if filled_before:
        hear(sequencer, T0 + 1, filled("1", "2000", "1"))
    tell(sequencer, T0 + 2, cancel())
    (reject,) = told(hear(sequencer, T0 + 3, CancelRefused("O-1", "x1", "too_late")))
    assert reject == OrderCancelReject(
        order_id="O-1",
        cl_ord_id="x1",
        orig_cl_ord_id="c1",
        ord_status=ord_status,
        cxl_rej_response_to="1",
        cxl_rej_reason=CxlRejReason.TOO_LATE_TO_CANCEL,
        text="too_late: the auction answered too_late",
        transact_time=T0 + 3,
    )
    (report,) = told(tell(sequencer, T0 + 4, cancel("x2")))
    assert report.ord_status == "6"


def test_a_cancel_of_an_unknown_order_is_rejected_without_a_place() -> None:
    sequencer = started()
    effects = tell(sequencer, T0 + 1, cancel())
    (reject,) = told(effects)
    assert (reject.order_id, reject.ord_status, reject.cxl_rej_reason) == ("NONE", "8", CxlRejReason.UNKNOWN_ORDER)
    text = "no order of that OrigClOrdID"
    assert facts(effects) == [CancelRequestRefused("MM1", "x1", "c1", "unknown_order", text)]
    assert sequencer.state.global_seq == 0


def test_a_cancel_of_an_ended_order_is_rejected_as_too_late() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    hear(sequencer, T0 + 2, OrderExpired("O-1", "validity"))
    (reject,) = told(tell(sequencer, T0 + 3, cancel()))
    told_of = reject.order_id, reject.ord_status, reject.cxl_rej_reason
    assert told_of == ("O-1", OrdStatus.EXPIRED, CxlRejReason.TOO_LATE_TO_CANCEL)


def test_an_owner_cannot_cancel_the_order_of_another() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    (reject,) = told(tell(sequencer, T0 + 2, cancel(), "MM2"))
    assert reject.cxl_rej_reason == CxlRejReason.UNKNOWN_ORDER


def test_a_second_cancel_is_rejected_while_the_first_is_pending() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    tell(sequencer, T0 + 2, cancel())
    (reject,) = told(tell(sequencer, T0 + 3, cancel("x2")))
    assert (reject.order_id, reject.ord_status, reject.cxl_rej_reason) == ("O-1", "6", CxlRejReason.ALREADY_PENDING)


@pytest.mark.parametrize(
    ("ending", "ord_status"),
    [(filled("2", "2000", "0"), "2"), (OrderExpired("O-1", "validity"), "C"), (OrderFailed("O-1", "unfunded"), "8")],
)
def test_a_pending_cancel_is_answered_when_its_order_ends_another_way(ending: Record, ord_status: str) -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    tell(sequencer, T0 + 2, cancel())
    report, reject = told(hear(sequencer, T0 + 3, ending))
    assert report.ord_status == ord_status
    assert (reject.cl_ord_id, reject.orig_cl_ord_id, reject.ord_status) == ("x1", "c1", ord_status)
    assert hear(sequencer, T0 + 4, CancelRefused("O-1", "x1", "unknown_order")) == []


def test_a_fill_while_a_cancel_is_pending_leaves_it_pending() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    tell(sequencer, T0 + 2, cancel())
    (report,) = told(hear(sequencer, T0 + 3, filled("1", "2000", "1")))
    assert status(report) == ("1", "6", 1, 1, 2000)
    assert (report.cl_ord_id, report.orig_cl_ord_id) == ("c1", None)


# --- blocks --------------------------------------------------------------------------------------


def test_a_block_is_sealed_at_the_end_of_its_window() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    tell(sequencer, T0 + 2, cancel())
    effects = sequencer.handle(T0 + WINDOW, TimerFired("window", T0 + WINDOW))
    (block,), (batch,) = sealed(effects), batches(effects)
    order, asked = batch.items
    assert isinstance(order, Order)
    assert (batch.height, batch.closed_at, order.order_id) == (1, T0 + WINDOW, "O-1")
    assert asked == CancelOrder("O-1", "MM1", "x1")
    assert (block.trigger, block.lateness, block.block_hash) == ("window", 0, block_hash(block.header))
    messages: list[FixMessage] = [new_order(), cancel()]
    raw_hashes = [from_peer(message).body.raw_hash for message in messages]
    leaves = [Leaf(n, T0 + n, "MM1", raw_hash) for n, raw_hash in enumerate(raw_hashes, 1)]
    header = block.header
    assert header.message_root == root([encode_leaf(leaf) for leaf in leaves])
    assert (header.height, header.previous_hash, header.message_count) == (1, NO_BLOCK, 2)
    assert (header.opened_at, header.closed_at) == (T0, T0 + WINDOW)


def test_a_full_batch_is_sealed_at_once_and_the_timer_disarmed() -> None:
    sequencer = started(batch_messages=2)
    tell(sequencer, T0 + 1, new_order("c1"))
    effects = tell(sequencer, T0 + 2, new_order("c2"))
    assert [block.trigger for block in sealed(effects)] == ["full"]
    assert [len(batch.items) for batch in batches(effects)] == [2]
    assert effects[-1] == CancelTimer("window")
    report, batch = effects[0], effects[-2]
    assert isinstance(report, Send)
    assert isinstance(batch, Send)
    assert (report.dst, batch.dst) == ("fix", "auction")


def test_after_a_full_batch_the_window_ends_when_it_would_have() -> None:
    sequencer = started(batch_messages=1)
    tell(sequencer, T0 + 1, new_order("c1"))
    assert tell(sequencer, T0 + 2, new_order("c2"))[0] == SetTimer("window", T0 + WINDOW)


def test_a_late_wake_up_is_told_and_pushes_no_later_window() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order("c1"))
    late = T0 + WINDOW + 70 * MILLISECOND
    (block,) = sealed(sequencer.handle(late, TimerFired("window", T0 + WINDOW)))
    assert (block.lateness, block.header.closed_at) == (70 * MILLISECOND, late)
    assert tell(sequencer, late + 1, new_order("c2"))[0] == SetTimer("window", T0 + 2 * WINDOW)


def test_a_message_at_the_end_of_the_window_belongs_to_the_next_block_even_before_the_timer() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order("c1"))
    effects = tell(sequencer, T0 + WINDOW, new_order("c2"))
    assert [len(batch.items) for batch in batches(effects)] == [1]
    assert SetTimer("window", T0 + 2 * WINDOW) in effects
    assert sealed(sequencer.handle(T0 + WINDOW, TimerFired("window", T0 + WINDOW))) == []


def test_blocks_form_a_chain_without_a_gap_in_time() -> None:
    sequencer = started(batch_messages=1)
    (first,) = sealed(tell(sequencer, T0 + 1, new_order("c1")))
    (second,) = sealed(tell(sequencer, T0 + 7 * WINDOW, new_order("c2")))
    assert (second.header.height, second.header.previous_hash) == (2, first.block_hash)
    assert second.header.opened_at == first.header.closed_at


def test_empty_windows_are_skipped_without_a_timer() -> None:
    sequencer = Sequencer("sequencer", settings())
    assert sequencer.handle(T0, Start()) == []


def test_an_empty_block_is_sealed_after_the_configured_number_of_empty_windows() -> None:
    sequencer = Sequencer("sequencer", settings(empty_windows_per_block=3))
    due = T0 + 3 * WINDOW
    assert sequencer.handle(T0, Start()) == [SetTimer("window", due)]
    effects = sequencer.handle(due, TimerFired("window", due))
    (block,), (batch,) = sealed(effects), batches(effects)
    assert (block.trigger, block.header.message_count, block.header.message_root) == ("empty", 0, root([]))
    assert batch == Batch(1, due, ())
    assert effects[-1] == SetTimer("window", due + 3 * WINDOW)


def test_a_message_ends_the_count_of_empty_windows() -> None:
    sequencer = started(empty_windows_per_block=3)
    effects = tell(sequencer, T0 + WINDOW + 1, new_order())
    assert effects[0] == SetTimer("window", T0 + 2 * WINDOW)
    effects = sequencer.handle(T0 + 2 * WINDOW, TimerFired("window", T0 + 2 * WINDOW))
    assert [block.trigger for block in sealed(effects)] == ["window"]
    assert effects[-1] == SetTimer("window", T0 + 5 * WINDOW)


# --- winding down, peers, state ------------------------------------------------------------------


@pytest.mark.parametrize("empty_windows", [0, 1])
def test_stop_seals_what_is_pending_and_leaves_no_timer(empty_windows: int) -> None:
    sequencer = started(empty_windows_per_block=empty_windows)
    tell(sequencer, T0 + 1, new_order())
    effects = sequencer.handle(T0 + 2, Stop())
    assert [(block.trigger, block.lateness) for block in sealed(effects)] == [("stop", 0)]
    assert [len(batch.items) for batch in batches(effects)] == [1]
    assert effects[-1] == CancelTimer("window")


def test_stop_with_nothing_pending_seals_nothing() -> None:
    assert started().handle(T0 + 2, Stop()) == []


def test_after_stop_orders_and_cancels_are_refused_and_fills_still_reported() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    sequencer.handle(T0 + 2, Stop())
    (report,) = told(tell(sequencer, T0 + 3, new_order("c2")))
    assert (report.ord_status, report.ord_rej_reason) == ("8", OrdRejReason.EXCHANGE_CLOSED)
    (reject,) = told(tell(sequencer, T0 + 3, cancel()))
    assert (reject.order_id, reject.cxl_rej_reason) == ("O-1", CxlRejReason.BROKER_OPTION)
    (report,) = told(hear(sequencer, T0 + 4, filled("2", "2000", "0")))
    assert report.ord_status == "2"


def test_orders_outlive_their_session() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order())
    assert sequencer.handle(T0 + 2, Message("fix", SessionClosed("MM1", "peer_logout"))) == []
    assert sequencer.handle(T0 + 3, Message("fix", SessionOpened("MM1"))) == []
    assert list(sequencer.state.live) == ["O-1"]


def test_a_restored_sequencer_goes_on_as_if_never_stopped() -> None:
    original = started(empty_windows_per_block=2)
    tell(original, T0 + 1, new_order("c1"))
    tell(original, T0 + 2, cancel("x1", "c1"))
    hear(original, T0 + 3, filled("0.3", "2000.1", "1.7"))
    tell(original, T0 + 4, new_order("c2"), "MM2")
    tell(original, T0 + 5, new_order("c3"), "MM2")
    restored = Sequencer("sequencer", settings(empty_windows_per_block=2))
    restored.restore(original.snapshot())
    assert msgspec.to_builtins(restored.state) == msgspec.to_builtins(original.state)
    due = original.state.batch.due
    assert due is not None
    events: list[tuple[Nanos, Event]] = [
        (T0 + 6, from_peer(new_order("c2"), "MM2")),
        (T0 + 7, Message("auction", OrderCancelled("O-1", "x1"))),
        (T0 + 8, from_peer(new_order("c1"))),
        (due, TimerFired("window", due)),
        (due + 1, Message("auction", filled("2", "2000", "0", "O-2"))),
        (due + 2, Stop()),
    ]
    for now, event in events:
        assert original.handle(now, event) == restored.handle(now, event)
    assert original.snapshot() == restored.snapshot()


def test_a_resumed_sequencer_takes_orders_again_in_the_windows_it_had() -> None:
    sequencer = started(empty_windows_per_block=2)
    anchor = sequencer.state.batch.anchor
    sequencer.handle(T0 + 5, Stop())
    later = T0 + 10 * WINDOW + 7
    armed = [effect for effect in sequencer.handle(later, Resume()) if isinstance(effect, SetTimer)]
    assert [(effect.at - anchor) % WINDOW for effect in armed] == [0]
    assert later + WINDOW < armed[0].at <= later + 2 * WINDOW
    (report,) = told(tell(sequencer, later + 1, new_order("c1")))
    assert report.exec_type == ExecType.NEW


def test_while_the_disk_is_short_new_orders_are_refused_and_cancels_are_not() -> None:
    sequencer = started()
    tell(sequencer, T0 + 1, new_order("c1"))
    hear(sequencer, T0 + 2, StorageShort("no room"))
    (refused,) = told(tell(sequencer, T0 + 3, new_order("c2")))
    assert (refused.ord_status, refused.ord_rej_reason) == (OrdStatus.REJECTED, OrdRejReason.EXCHANGE_CLOSED)
    assert refused.text == "storage_full: the venue has no room to record new orders"
    (pending,) = told(tell(sequencer, T0 + 4, cancel("k1", "c1")))
    assert pending.ord_status == OrdStatus.PENDING_CANCEL
    hear(sequencer, T0 + 5, StorageRestored())
    (report,) = told(tell(sequencer, T0 + 6, new_order("c3")))
    assert report.exec_type == ExecType.NEW
