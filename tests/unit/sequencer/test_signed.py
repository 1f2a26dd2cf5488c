"""Orders that are signed one by one: what is asked at the door, what is checked behind it, and what becomes of whom."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from core.fix.tags import CxlRejReason, OrdRejReason
from core.identity.checking import OrdersChecked
from core.kernel.record import Computed, Message, Restarted, Stop, TimerFired
from core.market.orders import CancelRefused, OrderCancelled, OrderExpired, OrderFailed, ReplaceRefused
from core.sequencer.facts import BlockSealed, CulpritsFound, OrderRefused, OrdersVerified
from core.sequencer.held import GIVEN_UP_MAX
from core.sequencer.known import REMEMBERED
from core.sequencer.sequencer import Sequencer
from core.sequencer.trust import DISTRUST, UNCHECKED_MAX
from core.units import MILLISECOND, SECOND
from tests.helpers.orders import cancel, from_peer, replace, settings
from tests.helpers.signed import T0, Venue, admission, order, signed_by

WINDOW = 500 * MILLISECOND
TIMEOUT = 10 * SECOND


def with_orders(*places: str) -> Venue:
    """A venue whose first block has these orders of MM1, of which those that begin with `bad` are not signed well."""
    venue = Venue("MM1", batch_messages=len(places))
    for cl_ord_id in places:
        bad = {"order_qty": Decimal(3)} if cl_ord_id.startswith("bad") else {}
        venue.handle(signed_by("MM1", order(cl_ord_id), **bad))
    return venue


def time_out(venue: Venue, height: str = "1") -> None:
    """The check of a block is overdue."""
    venue.now = venue.timers.pop(height)
    venue.handle(TimerFired(height, venue.now))


# --- at the door ---------------------------------------------------------------------------------


def test_orders_and_requests_without_a_signature_are_refused_and_questions_need_none() -> None:
    venue = Venue("MM1")
    for message in (order("c1"), cancel("x1", "c0"), replace("r1", "c0")):
        venue.handle(from_peer(message))
    assert venue.texts == {"c1": "unsigned_order", "x1": "unsigned_order", "r1": "unsigned_order"}
    report, cancel_reject, replace_reject = venue.reports
    assert report.ord_rej_reason == OrdRejReason.BROKER_OPTION
    assert cancel_reject.cxl_rej_reason == replace_reject.cxl_rej_reason == CxlRejReason.BROKER_OPTION
    assert not venue.sequencer.state.batch.leaves


@pytest.mark.parametrize("size", [1, 95, 97])
def test_what_is_not_as_long_as_a_signature_gets_no_place(size: int) -> None:
    venue = Venue("MM1")
    venue.handle(signed_by("MM1", order("c1"), order_signature=b"x" * size))
    assert venue.texts == {"c1": "bad_order_signature"}


def test_those_who_sign_logons_alone_need_no_signature_and_one_of_theirs_is_not_looked_at() -> None:
    venue = Venue(batch_messages=2)
    venue.handle(from_peer(order("c1")))
    venue.handle(from_peer(order("c2", order_signature=b"any")))
    assert venue.traded == [(1, ["c1", "c2"])]
    assert not venue.jobs


def test_an_order_from_the_future_is_refused() -> None:
    venue = Venue("MM1", transact_time_ahead_max=SECOND)
    venue.handle(signed_by("MM1", order("c1", transact_time=T0 + SECOND)))
    venue.handle(signed_by("MM1", order("c2", transact_time=T0 + SECOND + 1)))
    assert venue.texts == {"c2": "early_transact_time"}


def test_an_order_that_was_refused_does_not_count_later_either() -> None:
    venue = Venue("MM1")
    message = signed_by("MM1", order("c1", order_qty=None))
    venue.handle(message)
    venue.handle(message)
    assert [it.reason for it in venue.said(OrderRefused)] == ["missing_quantity", "duplicate_cl_ord_id"]
    venue.handle(from_peer(order("c2")))
    venue.handle(signed_by("MM1", order("c2")))
    assert venue.texts["c2"] == "unsigned_order"
    assert venue.reports[-1].ord_status == "0", "who cannot sign uses up no ClOrdID of who can"


def test_an_order_whose_name_is_forgotten_is_too_old_to_come_again() -> None:
    venue = Venue("MM1")
    first = signed_by("MM1", order("first"))
    venue.handle(first)
    (order_id,) = venue.sequencer.state.live
    venue.hear(OrderExpired(order_id, "validity"))
    known = venue.sequencer.known("MM1")
    for n in range(3 * REMEMBERED):
        known.newest = max(known.newest, T0 + n)
        known.remember(f"c{n}")
    assert "first" not in known
    venue.handle(first)
    assert venue.texts["first"] == "stale_transact_time"
    venue.now += SECOND
    venue.handle(signed_by("MM1", order("next", transact_time=venue.now)))
    assert venue.reports[-1].ord_status == "0"


# --- behind it -----------------------------------------------------------------------------------


def test_a_good_order_is_acknowledged_at_once_and_traded_when_its_block_is_checked() -> None:
    venue = with_orders("c1", "c2")
    assert [(it.ord_status, it.global_seq) for it in venue.reports] == [("0", 1), ("0", 2)]
    assert len(venue.said(BlockSealed)) == 1, "a block waits for no check"
    assert len(venue.jobs) == 1, "one check for all"
    assert venue.traded == []
    venue.now += 3 * MILLISECOND
    venue.solve()
    assert venue.traded == [(1, ["c1", "c2"])]
    assert venue.said(OrdersVerified) == [OrdersVerified(1, 2, (), 3 * MILLISECOND)]
    assert "1" not in venue.timers


def test_culprits_are_rejected_with_a_reason_and_the_others_trade_on() -> None:
    venue = with_orders("c1", "bad2", "c3", "bad4")
    venue.solve()
    assert venue.traded == [(1, ["c1", "c3"])]
    assert venue.said(OrdersVerified)[0].refused == (1, 3)
    assert venue.said(OrderFailed) == [OrderFailed(f"O-{n}", "bad_order_signature") for n in (2, 4)]
    assert venue.texts == {"bad2": "bad_order_signature", "bad4": "bad_order_signature"}
    assert {it.text for it in venue.reports if it.text} == {
        "bad_order_signature: the signature is not the key's, of this message"
    }
    assert [(it.ord_status, it.block_height, it.leaf_index) for it in venue.reports[-2:]] == [("8", 1, 1), ("8", 1, 3)]


def test_a_culprit_among_requests_leaves_the_order_as_it_was() -> None:
    venue = Venue("MM1", batch_messages=2)
    venue.handle(signed_by("MM1", order("c1")))
    venue.handle(signed_by("MM1", order("c2")))
    venue.solve()
    venue.handle(signed_by("MM1", cancel("x1", "c1"), transact_time=T0))
    venue.handle(signed_by("MM1", replace("r1", "c2", transact_time=T0), order_qty=Decimal(4)))
    assert [it.ord_status for it in venue.reports[-2:]] == ["6", "E"]
    venue.solve()
    assert venue.traded[1:] == [(2, [])]
    assert venue.said(CancelRefused) == [CancelRefused("O-1", "x1", "bad_order_signature")]
    assert venue.said(ReplaceRefused) == [ReplaceRefused("O-2", "r1", "bad_order_signature")]
    rejects = venue.reports[-2:]
    assert [(it.ord_status, it.cxl_rej_reason, it.text) for it in rejects] == [
        ("0", CxlRejReason.BROKER_OPTION, "bad_order_signature: the signature is not the key's, of this message")
    ] * 2


def test_a_request_about_a_culprit_learns_that_the_order_has_ended() -> None:
    venue = Venue("MM1", batch_messages=2)
    venue.handle(signed_by("MM1", order("bad"), order_qty=Decimal(3)))
    venue.handle(signed_by("MM1", msg_at(cancel("x1", "bad"))))
    venue.solve()
    assert venue.traded == [(1, ["x1"])]
    assert venue.texts == {"bad": "bad_order_signature", "x1": "too_late"}
    before = len(venue.reports)
    venue.hear(CancelRefused("O-1", "x1", "unknown_order"))
    assert len(venue.reports) == before


def msg_at(message: Any) -> Any:
    """The same with a TransactTime."""
    return type(message)(**{name: getattr(message, name) for name in message.__struct_fields__} | {"transact_time": T0})


def test_whose_key_it_is_says_the_logon_before_the_order() -> None:
    venue = Venue("MM1", batch_messages=2)
    venue.handle(signed_by("MM1", order("before")))
    venue.admit("MM1", "MM1.new")
    venue.handle(signed_by("MM1.new", order("after"), owner="MM1"))
    venue.solve()
    assert venue.traded == [(1, ["before", "after"])]
    venue.handle(Message("identity", admission("MM1", "MM1")))
    venue.handle(signed_by("MM1.new", order("still"), owner="MM1"))
    venue.handle(signed_by("MM1.new", order("as before"), owner="MM1"))
    venue.solve()
    assert venue.traded[1:] == [(2, ["still", "as before"])], "who is about to log on is not logged on yet"
    venue.admit("MM1", "MM1.new")
    venue.handle(signed_by("MM1", order("old")))
    venue.handle(signed_by("MM2", order("another's"), owner="MM1"))
    venue.solve()
    assert venue.traded[2:] == [(3, [])]


def test_who_does_not_sign_each_waits_with_the_block_and_is_not_checked() -> None:
    venue = Venue("MM1", batch_messages=2)
    venue.handle(from_peer(order("plain"), "MM2"))
    venue.handle(signed_by("MM1", order("bad"), order_qty=Decimal(3)))
    (job,) = venue.jobs
    assert len(job.problem.signed) == 1
    venue.solve()
    assert venue.traded == [(1, ["plain"])]


def test_places_are_those_of_the_block_whatever_its_order() -> None:
    venue = Venue("MM1", batch_messages=3, ordering=settings().ordering.__class__("price_time"))
    for cl_ord_id, price in (("c1", 2002), ("bad", 2001), ("c3", 2000)):
        changed = {"order_qty": Decimal(3)} if cl_ord_id == "bad" else {}
        venue.handle(signed_by("MM1", order(cl_ord_id, price=Decimal(price)), **changed))
    venue.solve()
    assert venue.traded == [(1, ["c3", "c1"])]


# --- waiting -------------------------------------------------------------------------------------


def test_blocks_reach_the_auction_in_their_order_whenever_their_checks_come() -> None:
    venue = Venue("MM1", batch_messages=1)
    venue.handle(signed_by("MM1", order("c1")))
    venue.handle(from_peer(order("c2"), "MM2"))
    venue.handle(signed_by("MM1", order("c3")))
    assert venue.traded == []
    venue.solve(1)
    assert venue.traded == []
    venue.solve()
    assert venue.traded == [(1, ["c1"]), (2, ["c2"]), (3, ["c3"])]


def test_a_check_is_asked_for_once_and_its_answer_is_nothing_when_it_comes_too_late() -> None:
    venue = with_orders("c1", "c2")
    (asked,) = venue.jobs
    time_out(venue)
    assert venue.jobs == [asked], "a second one behind it would only take longer"
    assert venue.texts == {"c1": "unchecked_signature", "c2": "unchecked_signature"}
    venue.handle(Computed(asked.job_id, OrdersChecked((0, 1))))
    assert venue.traded == [(1, [])]


def test_a_check_has_its_whole_time_again_after_a_restart_however_long_the_node_was_down() -> None:
    venue = with_orders("c1", "bad2")
    venue.now += 60 * SECOND
    venue.handle(Restarted())
    assert venue.timers["1"] == venue.now + TIMEOUT
    venue.solve()
    assert venue.traded == [(1, ["c1"])]
    venue.handle(Restarted())
    assert "1" not in venue.timers


def test_what_is_never_checked_is_refused_and_the_others_go_on() -> None:
    venue = Venue("MM1", batch_messages=2)
    venue.handle(signed_by("MM1", order("c1")))
    venue.handle(from_peer(order("plain"), "MM2"))
    time_out(venue)
    assert venue.now == T0 + TIMEOUT
    assert venue.traded == [(1, ["plain"])]
    assert venue.texts == {"c1": "unchecked_signature"}
    assert venue.said(OrdersVerified) == [OrdersVerified(1, 1, (0,), TIMEOUT, "unchecked_signature")]
    assert venue.timers == {}


def test_who_has_too_many_messages_unchecked_is_refused_and_nobody_else_is() -> None:
    venue = Venue("MM1", "MM2", batch_messages=UNCHECKED_MAX // 2 + 1)
    flood = signed_by("MM1", order("c")).body
    for n in range(UNCHECKED_MAX + 1):
        message = msgspec.structs.replace(flood.message, cl_ord_id=f"c{n}")
        venue.handle(Message("fix", msgspec.structs.replace(flood, message=message)))
    venue.handle(from_peer(order("plain"), "MM3"))
    venue.handle(signed_by("MM2", order("honest")))
    venue.handle(signed_by("MM2", msg_at(cancel("x1", "honest"))))
    assert venue.texts == {f"c{UNCHECKED_MAX}": "checks_behind"}


def test_who_was_found_out_is_refused_until_all_it_has_sent_is_checked_and_a_while_longer() -> None:
    venue = Venue("MM1", "MM2", batch_messages=2)
    venue.handle(signed_by("MM1", order("bad"), order_qty=Decimal(3)))
    venue.handle(signed_by("MM1", order("c2")))
    venue.handle(signed_by("MM1", order("c3")))
    venue.handle(signed_by("MM2", order("honest")))
    venue.solve()
    venue.now += DISTRUST
    venue.handle(signed_by("MM1", order("c4")))
    assert venue.texts == {"bad": "bad_order_signature", "c4": "signatures_distrusted"}, "c3 is not checked yet"
    venue.solve()
    venue.handle(signed_by("MM1", order("c5")))
    venue.handle(signed_by("MM2", order("honest, too")))
    assert "c5" not in venue.texts
    venue.solve_all()
    assert venue.traded == [(1, ["c2"]), (2, ["c3", "honest"]), (3, ["c5", "honest, too"])]


def test_nobody_is_distrusted_for_what_another_has_signed_in_the_same_block() -> None:
    venue = Venue("MM1", "MM2", batch_messages=2)
    venue.handle(signed_by("MM1", order("bad"), order_qty=Decimal(3)))
    venue.handle(signed_by("MM2", order("honest")))
    venue.solve()
    assert list(venue.sequencer.state.trust.distrusted) == ["MM1"]
    assert venue.sequencer.state.trust.unchecked == {}
    venue.handle(signed_by("MM2", order("next")))
    assert venue.texts == {"bad": "bad_order_signature"}


def test_who_is_found_out_late_is_not_trusted_either_and_is_named() -> None:
    venue = Venue("MM1", "MM2", batch_messages=3)
    venue.handle(signed_by("MM2", order("honest")))
    venue.handle(from_peer(order("plain"), "MM3"))
    venue.handle(signed_by("MM1", order("bad"), order_qty=Decimal(3)))
    time_out(venue)
    assert venue.texts == {"honest": "unchecked_signature", "bad": "unchecked_signature"}
    assert venue.sequencer.state.trust.distrusted == {}
    snapshot = venue.sequencer.snapshot()
    venue.sequencer = Sequencer("sequencer", venue.sequencer.settings)
    venue.sequencer.restore(snapshot)
    venue.now += SECOND
    venue.solve()
    assert venue.said(CulpritsFound) == [CulpritsFound(1, (2,), SECOND)]
    assert venue.sequencer.state.trust.distrusted == {"MM1": venue.now + DISTRUST}
    assert venue.sequencer.state.given_up == {}
    for name in ("MM1", "MM2"):
        venue.handle(signed_by(name, order(f"next of {name}")))
    assert "next of MM2" not in venue.texts
    assert venue.texts["next of MM1"] == "signatures_distrusted"


def test_a_late_answer_without_culprits_says_nothing_and_one_that_nobody_remembers_neither() -> None:
    venue = with_orders("c1")
    (asked,) = venue.jobs
    time_out(venue)
    venue.solve()
    venue.handle(Computed(asked.job_id, OrdersChecked((0,))))
    assert venue.said(CulpritsFound) == []
    assert venue.sequencer.state.trust.distrusted == {}
    assert venue.sequencer.state.given_up == {}


def test_of_checks_that_were_given_up_only_the_newest_are_remembered() -> None:
    venue = Venue("MM1", batch_messages=1)
    for n in range(GIVEN_UP_MAX + 1):
        venue.handle(signed_by("MM1", order(f"c{n}")))
        time_out(venue, str(n + 1))
    given_up = venue.sequencer.state.given_up.values()
    assert [it.places for it in given_up] == [((height, 0),) for height in range(2, GIVEN_UP_MAX + 2)]


def test_a_check_that_is_under_way_at_a_stop_is_waited_for() -> None:
    venue = Venue("MM1")
    venue.handle(signed_by("MM1", order("c1")))
    venue.handle(Stop())
    assert venue.traded == []
    venue.solve()
    assert venue.traded == [(1, ["c1"])]


def test_what_waits_survives_a_snapshot() -> None:
    venue = with_orders("c1", "bad2")
    restored = Sequencer("sequencer", settings(batch_messages=2))
    restored.restore(venue.sequencer.snapshot())
    assert restored.state == venue.sequencer.state
    venue.sequencer = restored
    venue.solve()
    assert venue.traded == [(1, ["c1"])]


def test_an_order_that_ended_while_its_cancel_was_checked_is_no_surprise() -> None:
    venue = Venue("MM1", batch_messages=1)
    venue.handle(signed_by("MM1", order("c1")))
    venue.solve()
    venue.handle(signed_by("MM1", msg_at(cancel("x1", "c1")), symbol="X"))
    venue.hear(OrderCancelled("O-1", ""))
    venue.solve()
    assert venue.said(CancelRefused) == [CancelRefused("O-1", "x1", "bad_order_signature")]
