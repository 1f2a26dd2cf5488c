"""What an operator may do to a session, at any time."""

from __future__ import annotations

import pytest

from core.fix.records import (
    SEQ_NUM_MAX,
    AddSession,
    AskForHeartbeat,
    DropConnection,
    LogOn,
    LogOut,
    MessageDropped,
    OperationDone,
    OperationRefused,
    RemoveSession,
    ResetNumbers,
    SetAdminFields,
    SetNumbers,
)
from core.fix.recovery import RESEND_REPEATS_MAX
from core.fix.settings import SessionConfig
from core.kernel.record import Connected, Disconnected, Message, Record, Resume
from tests.helpers.fix import LOGON, ORDER, Bench, Hand, acceptor_config, initiator_config, report, stop


def ask(bench: Bench, operation: Record) -> None:
    bench.handle(Message("admin", operation))


def refusals(bench: Bench) -> list[str]:
    return [note.detail for note in bench.notes if isinstance(note, OperationRefused)]


def reasons(bench: Bench) -> list[str]:
    return [reason for _, _, reason in bench.changes]


def test_a_session_that_is_logged_out_stays_down_until_it_may_log_on() -> None:
    hand = Hand.logged_on()
    ask(hand, LogOut("MM1", "closed for today"))
    assert hand.sent()[-1] == "35=5|34=2|58=closed for today"
    hand.say("5")
    hand.connect("c2")
    assert hand.say("A", LOGON) == []
    assert hand.closed[-1] == ("c2", "session_down")
    ask(hand, LogOn("MM1"))
    hand.connect("c3")
    assert hand.say("A", LOGON, n=3)[0] == "35=A|34=3|98=0|108=30"


@pytest.mark.parametrize("text", ["a\x01141=Y", "\u20ac", "x" * 70_000])
def test_a_text_that_cannot_be_sent_logs_nobody_out(text: str) -> None:
    hand = Hand.logged_on()
    ask(hand, LogOut("MM1", text))
    assert len(hand.sent()) == 1
    assert refusals(hand)[0].startswith("its text cannot be sent: ")
    assert hand.say("1", "112=A") == ["35=0|34=2|112=A"]


def test_every_operation_says_that_it_was_carried_out_or_why_not() -> None:
    hand = Hand.logged_on()
    ask(hand, AskForHeartbeat("MM1"))
    ask(hand, SetNumbers("MM1"))
    ask(hand, LogOut("MM9"))
    ask(hand, AddSession(SessionConfig(target_comp_id="MM7")))
    ask(hand, RemoveSession("MM7"))
    assert [note for note in hand.notes if isinstance(note, OperationDone | OperationRefused)] == [
        OperationDone("MM1", "AskForHeartbeat"),
        OperationRefused("MM1", "SetNumbers", "no number is given"),
        OperationRefused("MM9", "LogOut", "there is no such session"),
        OperationDone("MM7", "AddSession"),
        OperationDone("MM7", "RemoveSession"),
    ]


def test_an_initiator_that_is_logged_out_does_not_connect_until_it_may() -> None:
    hand = Hand(initiator_config(), peer="ROMER")
    hand.handle(Disconnected(hand.connects[-1], "refused"))
    ask(hand, LogOut("ROMER"))
    hand.wait(1000)
    assert len(hand.connects) == 1
    ask(hand, LogOn("ROMER"))
    assert len(hand.connects) == 2


def test_an_attempt_to_connect_is_given_up_by_a_log_out() -> None:
    hand = Hand(initiator_config(), peer="ROMER")
    ask(hand, LogOut("ROMER"))
    assert hand.closed == [(hand.connects[-1], "operator")]
    hand.wait(1000)
    assert len(hand.connects) == 1


def test_a_dropped_connection_ends_without_a_word_and_may_come_back() -> None:
    hand = Hand.logged_on()
    ask(hand, DropConnection("MM1"))
    assert hand.sent()[1:] == []
    assert hand.closed == [("c1", "operator")]
    hand.connect("c2")
    assert hand.say("A", LOGON) == ["35=A|34=2|98=0|108=30"]
    hand.handle(Disconnected("c2", "gone"))
    ask(hand, DropConnection("MM1"))
    assert refusals(hand) == ["the session has no connection"]


@pytest.mark.parametrize("up", [True, False])
def test_numbers_start_over_when_an_operator_says_so(up: bool) -> None:
    hand = Hand.logged_on()
    if not up:
        hand.handle(Disconnected("c1", "gone"))
    done = len(hand.transmitted)
    ask(hand, ResetNumbers("MM1"))
    assert hand.sent(done) == (["35=5|34=2"] if up else [])
    assert reasons(hand)[-1] == "reset_by_operator"
    hand.connect("c2")
    assert hand.say("A", LOGON, n=1) == ["35=A|34=1|98=0|108=30"]


def test_numbers_can_be_set_one_by_one() -> None:
    hand = Hand.logged_on()
    ask(hand, SetNumbers("MM1", next_in=7))
    assert hand.say("1", "112=A", n=7) == ["35=0|34=2|112=A"]
    ask(hand, SetNumbers("MM1", next_out=40))
    assert hand.say("1", "112=B", n=8) == ["35=0|34=40|112=B"]
    assert reasons(hand).count("reset_by_operator") == 2
    for wrong in (0, -3, SEQ_NUM_MAX + 1):
        ask(hand, SetNumbers("MM1", next_out=wrong))
    assert refusals(hand) == [f"numbers are from 1 to {SEQ_NUM_MAX}"] * 3


def test_numbers_that_are_set_in_a_gap_make_the_gap_void() -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER, n=9)
    ask(hand, SetNumbers("MM1", next_in=10))
    assert hand.changes[-1] == ("resync_required", "active", "reset_by_operator")
    assert hand.say("1", "112=A", n=10) == ["35=0|34=3|112=A"]


def test_numbers_that_are_set_let_a_peer_ask_again_as_if_it_had_never_asked() -> None:
    hand = Hand.logged_on("98=0|108=0")
    hand.tell("MM1", report("E-1"))
    for _ in range(RESEND_REPEATS_MAX + 1):
        assert len(hand.say("2", "7=1|16=0")) == 2
    ask(hand, SetNumbers("MM1", next_in=2))
    hand.number = 2
    for _ in range(RESEND_REPEATS_MAX + 1):
        assert len(hand.say("2", "7=1|16=0")) == 2
    assert hand.say("2", "7=1|16=0") == ["35=5|34=3|58=Resend request repeated too often"]


def test_numbers_that_are_given_again_are_not_kept_twice() -> None:
    hand = Hand.logged_on()
    for name in ("E-1", "E-2", "E-3"):
        hand.tell("MM1", report(name))
    ask(hand, SetNumbers("MM1", next_out=3))
    assert list(hand.engine.state.sessions["MM1"].sent) == [2]


def test_numbers_that_are_left_out_leave_nothing_behind() -> None:
    hand = Hand.logged_on(kept_messages_max=3)
    for jump in range(1, 5):
        for name in ("E-1", "E-2", "E-3"):
            hand.tell("MM1", report(name))
        ask(hand, SetNumbers("MM1", next_out=1_000 * jump))
        assert not hand.engine.state.sessions["MM1"].sent
    hand.tell("MM1", report("E-1"))
    ask(hand, SetNumbers("MM1", next_out=4_002))
    assert list(hand.engine.state.sessions["MM1"].sent) == [4_000]


def test_what_is_added_leaves_room_for_the_message() -> None:
    limit = 2_000
    hand = Hand.logged_on(message_bytes_max=limit)
    ask(hand, SetAdminFields("MM1", "1", ((58, "x" * (limit // 4)),)))
    ask(hand, SetAdminFields("MM1", "1", ((58, "x" * (limit // 4 - len("58=|"))),)))
    assert refusals(hand) == ["they have 504 bytes, and may have 500, a quarter of message_bytes_max"]
    assert hand.notes[-1] == OperationDone("MM1", "SetAdminFields")


def test_a_peer_that_does_not_answer_an_operators_question_is_given_up() -> None:
    hand = Hand.logged_on("98=0|108=6")
    ask(hand, AskForHeartbeat("MM1"))
    assert hand.sent()[-1] == "35=1|34=2|112=TEST"
    hand.wait(14.4)
    assert hand.closed == [("c1", "heartbeat_timeout")]
    ask(hand, AskForHeartbeat("MM1"))
    assert refusals(hand) == ["the session is not logged on"]


def test_a_session_that_is_added_is_there_at_once_and_after_a_restart() -> None:
    hand = Hand(acceptor_config(), peer="MM2")
    ask(hand, AddSession(SessionConfig(target_comp_id="MM2")))
    hand.restart()
    hand.connect()
    assert hand.say("A", LOGON) == ["35=A|34=1|98=0|108=30"]


def test_an_initiator_connects_a_session_that_is_added() -> None:
    hand = Hand(initiator_config())
    ask(hand, AddSession(SessionConfig(target_comp_id="OTHER", addresses=("other/fix",))))
    assert hand.connects[-1] == "MM1-OTHER-1"
    ask(hand, AddSession(SessionConfig(target_comp_id="NOWHERE")))
    ask(hand, AddSession(SessionConfig(target_comp_id="ODD", addresses=("x",), dialect="klingon")))
    assert refusals(hand) == [
        "addresses: an initiator needs one to connect to",
        "dialect: there is no dialect 'klingon': there is none",
    ]


def test_one_counterparty_has_one_session() -> None:
    hand = Hand(acceptor_config())
    ask(hand, AddSession(SessionConfig(target_comp_id="MM1")))
    ask(hand, AddSession(SessionConfig(target_comp_id="MM1", session="again")))
    assert refusals(hand) == ["there is a session of that name or with these CompIDs"] * 2


def test_one_counterparty_may_have_sessions_with_several_of_our_comp_ids() -> None:
    hand = Hand(acceptor_config())
    ask(hand, AddSession(SessionConfig(target_comp_id="MM1", sender_comp_id="DESK2", session="DESK2->MM1")))
    hand.connect()
    raw = hand.compose("A", LOGON, target="DESK2")
    hand.say_raw(raw)
    assert b"\x0149=DESK2\x01" in hand.transmitted[-1][1]
    assert hand.told[-1].session == "DESK2->MM1"


def test_a_session_that_is_removed_says_goodbye_first_and_is_unknown_then() -> None:
    hand = Hand.logged_on()
    ask(hand, RemoveSession("MM1"))
    assert hand.sent()[-1] == "35=5|34=2"
    assert hand.told[-1].session == "MM1"
    hand.say("5")
    assert hand.told[-1].reason == "removed"
    assert hand.engine.state.sessions == {}
    assert hand.timers == {}
    hand.restart()
    hand.tell("MM1", report("too late"))
    assert hand.notes[-1] == MessageDropped("MM1", "8", "removed")
    hand.connect("c2")
    hand.say("A", LOGON)
    assert hand.closed[-1] == ("c2", "unknown_comp_id")
    ask(hand, AddSession(SessionConfig(target_comp_id="MM1")))
    hand.connect("c3")
    assert hand.say("A", LOGON, n=1) == ["35=A|34=1|98=0|108=30"]


def test_a_session_without_a_connection_is_removed_at_once() -> None:
    hand = Hand(initiator_config())
    hand.handle(Disconnected(hand.connects[-1], "refused"))
    ask(hand, RemoveSession("ROMER"))
    assert hand.engine.state.sessions == {}
    hand.wait(100)
    assert len(hand.connects) == 1


@pytest.mark.parametrize("kind", [LogOn, LogOut, DropConnection, ResetNumbers, SetNumbers, AskForHeartbeat])
def test_what_is_asked_of_a_session_that_does_not_exist_is_refused(kind: type[Record]) -> None:
    hand = Hand(acceptor_config())
    ask(hand, kind("MM9"))
    ask(hand, RemoveSession("MM9"))
    assert refusals(hand) == ["there is no such session"] * 2


def test_a_node_that_is_stopping_neither_logs_on_nor_resets() -> None:
    hand = Hand.logged_on()
    stop(hand)
    for operation in (LogOn("MM1"), ResetNumbers("MM1"), SetNumbers("MM1", next_in=3)):
        ask(hand, operation)
    assert len(refusals(hand)) == 3
    ask(hand, AddSession(SessionConfig(target_comp_id="MM2")))
    assert refusals(hand)[-1] == "the node is stopping"


def test_a_node_that_is_up_again_takes_connections_and_opens_them() -> None:
    hand = Hand.logged_on()
    stop(hand)
    hand.say("5")
    hand.handle(Resume())
    assert hand.changes[-1] == ("terminated", "connecting", "resumed")
    hand.connect("c2")
    assert hand.say("A", LOGON) == ["35=A|34=3|98=0|108=30"]
    maker = Hand(initiator_config(), peer="ROMER")
    stop(maker)
    maker.handle(Resume())
    maker.handle(Connected(maker.connects[-1], "venue"))
    assert maker.sent() == ["35=A|34=1|98=0|108=30"]
