"""Logon, both ways: what opens a session, what is turned away, and where the numbers start."""

from __future__ import annotations

import pytest

from core.fix import outbound
from core.fix.logon import IDLE_RESETS_MAX
from core.fix.records import InputIgnored, MessageDropped, SessionClosed, SessionOpened
from core.kernel.record import Bytes, Connected
from core.units import SECOND
from tests.helpers.fix import LOGON, ORDER, Hand, Pair, acceptor_config, initiator_config, order, report, wire


def turned_away(hand: Hand) -> list[str]:
    return [str(note.reason) for note in hand.notes if isinstance(note, InputIgnored)]


def initiator(**changes: object) -> Hand:
    """An initiator whose connection has just opened; its Logon is out."""
    hand = Hand(initiator_config(**changes), peer="ROMER")
    hand.conn = hand.connects[-1]
    hand.handle(Connected(hand.conn, "venue"))
    hand.number = 1
    return hand


def test_an_acceptor_answers_a_logon_with_the_peers_heartbeat_interval() -> None:
    hand = Hand(acceptor_config())
    hand.connect()
    assert hand.say("A", "98=0|108=17") == ["35=A|34=1|98=0|108=17"]
    assert hand.told == [SessionOpened("MM1", "c1")]
    assert hand.changes == [
        ("connecting", "logon_received", "logon_received"),
        ("logon_received", "active", "logon_accepted"),
    ]


def test_an_initiator_logs_on_as_soon_as_it_is_connected() -> None:
    hand = Hand(initiator_config(), peer="ROMER")
    assert hand.transmitted == []
    hand = initiator()
    assert hand.sent() == ["35=A|34=1|98=0|108=30"]
    assert hand.say("A", LOGON) == []
    assert hand.told == [SessionOpened("ROMER", "MM1-ROMER-1")]


def test_a_heartbeat_interval_is_rounded_up_to_whole_seconds() -> None:
    assert initiator(heartbeat_interval=1).sent() == ["35=A|34=1|98=0|108=1"]
    assert initiator(heartbeat_interval=0).sent() == ["35=A|34=1|98=0|108=0"]


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ({"sender": "STRANGER"}, "unknown_comp_id"),
        ({"target": "NOBODY"}, "unknown_comp_id"),
        ({"begin": "FIX.3.9"}, "wrong_begin_string"),
    ],
)
def test_a_logon_that_names_no_session_is_turned_away_in_silence(header: dict[str, str], reason: str) -> None:
    hand = Hand(acceptor_config())
    hand.connect()
    assert hand.say("A", LOGON, **header) == []
    assert hand.closed == [("c1", reason)]
    assert turned_away(hand) == [reason]
    assert hand.told == []


@pytest.mark.parametrize("msg_type", ["0", "D", "5", "2", "*"])
def test_a_first_message_that_is_no_logon_ends_the_connection(msg_type: str) -> None:
    hand = Hand(acceptor_config())
    hand.connect()
    assert hand.say(msg_type) == []
    assert hand.closed == [("c1", "not_logon")]


def test_garbled_bytes_before_the_logon_end_the_connection() -> None:
    hand = Hand(acceptor_config())
    hand.connect()
    assert hand.say_raw(wire("8=FIX.4.2|9=20|35=A|34=1|49=MM1|56=ROMER|98=0|108=30|10=000")) == []
    assert hand.closed == [("c1", "body_length")]


@pytest.mark.parametrize(
    "body", ["98=0", "108=30", "98=0|108=x", "98=1|108=30", "98=9|108=30", "98=0|108=-1", "98=0|108=86401", "98=|108=3"]
)
def test_a_logon_that_cannot_be_accepted_ends_the_connection_in_silence(body: str) -> None:
    hand = Hand(acceptor_config())
    hand.connect()
    assert hand.say("A", body) == []
    assert hand.closed == [("c1", "invalid_logon")]
    assert hand.told == []
    hand.connect("c2")
    assert hand.say("A", LOGON, n=1) == ["35=A|34=1|98=0|108=30"]


@pytest.mark.parametrize("seconds", [-121, 121, -(10**8)])
def test_a_logon_from_another_time_ends_the_connection_in_silence(seconds: int) -> None:
    hand = Hand(acceptor_config())
    hand.connect()
    assert hand.say("A", LOGON, at=seconds) == []
    assert hand.closed == [("c1", "sending_time_accuracy")]


def test_a_second_connection_of_a_session_is_turned_away_and_the_first_goes_on() -> None:
    hand = Hand.logged_on()
    hand.connect("c2")
    assert hand.say("A", LOGON, n=1) == []
    assert hand.closed == [("c2", "duplicate_identity")]
    hand.conn, hand.number = "c1", 2
    assert hand.say("1", "112=STILL") == ["35=0|34=2|112=STILL"]


def test_a_lost_connection_frees_its_session_and_the_numbers_go_on() -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER, n=9)
    hand.reconnect("c2")
    assert hand.engine.state.sessions["MM1"].early == {}
    assert hand.told[-1] == SessionClosed("MM1", "connection_lost")
    assert hand.say("A", LOGON) == ["35=A|34=3|98=0|108=30"]


def test_a_logon_with_a_gap_is_answered_before_the_gap_is_asked_for() -> None:
    hand = Hand(acceptor_config())
    hand.connect()
    assert hand.say("A", LOGON, n=5) == ["35=A|34=1|98=0|108=30", "35=2|34=2|7=1|16=0"]
    assert hand.changes[-2:] == [
        ("logon_received", "active", "logon_accepted"),
        ("active", "resync_required", "sequence_gap"),
    ]
    assert hand.say("4", "36=5|123=Y", n=1, extra="43=Y") == []
    assert hand.changes[-1] == ("resync_required", "active", "gap_filled")
    assert hand.say("1", "112=A", n=6) == ["35=0|34=3|112=A"]


def test_a_logon_with_a_number_used_before_is_told_so_and_the_connection_ends() -> None:
    hand = Hand.logged_on()
    hand.reconnect("c2")
    text = "MsgSeqNum too low, expecting 2 but received 1"
    assert hand.say("A", LOGON, n=1) == [f"35=5|34=2|58={text}"]
    assert hand.closed == [("c2", "sequence_too_low")]
    assert hand.told == [SessionOpened("MM1", "c1"), SessionClosed("MM1", "connection_lost")]


def test_a_logon_that_asks_for_it_resets_both_directions() -> None:
    hand = Hand.logged_on()
    hand.tell("MM1", report("E-1"))
    hand.reconnect("c2")
    assert hand.say("A", LOGON + "|141=Y", n=1) == ["35=A|34=1|98=0|108=30|141=Y"]
    assert ("logon_received", "logon_received", "reset_by_logon") in hand.changes
    assert hand.say("2", "7=1|16=0", n=2) == ["35=4|34=1|43=Y|122=20231114-22:13:20.000|36=2|123=Y"]


def test_a_logged_on_session_is_reset_by_a_logon_that_asks_for_it() -> None:
    hand = Hand.logged_on()
    hand.tell("MM1", report("E-1"))
    assert hand.say("A", "98=0|108=5|141=Y", n=1) == ["35=A|34=1|98=0|108=5|141=Y"]
    assert hand.changes[-1] == ("active", "active", "reset_by_logon")
    assert hand.say("1", "112=A", n=2) == ["35=0|34=2|112=A"]
    assert hand.told == [SessionOpened("MM1", "c1")]


def test_a_reset_in_a_gap_makes_the_gap_void() -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER, n=9)
    hand.say("D", ORDER, n=2, extra="43=Y")
    assert hand.say("A", LOGON + "|141=Y", n=1) == ["35=A|34=1|98=0|108=30|141=Y"]
    assert hand.changes[-1] == ("resync_required", "active", "reset_by_logon")
    assert hand.engine.state.sessions["MM1"].early == {}
    assert "35=5" not in "".join(hand.waited(65))


def test_a_second_logon_without_reset_ends_the_connection() -> None:
    hand = Hand.logged_on()
    assert hand.say("A", LOGON) == []
    assert hand.closed == [("c1", "unexpected_logon")]


def test_a_session_configured_so_starts_over_at_every_logon() -> None:
    hand = Hand(acceptor_config(reset_on_logon=True))
    hand.connect()
    for conn in ("c2", "c3"):
        assert hand.say("A", LOGON, n=1) == ["35=A|34=1|98=0|108=30"]
        hand.reconnect(conn)
    assert [reason for _, _, reason in hand.changes].count("reset_on_logon") == 2


def test_an_initiator_configured_so_asks_its_peer_to_start_over() -> None:
    hand = initiator(reset_on_logon=True)
    assert hand.sent() == ["35=A|34=1|98=0|108=30|141=Y"]
    assert hand.say("A", LOGON + "|141=Y", n=1) == []
    assert [reason for _, _, reason in hand.changes].count("reset_on_logon") == 1
    assert hand.say("1", "112=A", n=2) == ["35=0|34=2|112=A"]


def test_an_initiator_follows_a_peer_that_resets_unasked() -> None:
    hand = initiator()
    assert hand.say("A", LOGON + "|141=Y", n=1) == ["35=A|34=1|98=0|108=30|141=Y"]
    assert hand.told == [SessionOpened("ROMER", "MM1-ROMER-1")]


@pytest.mark.parametrize(
    ("msg_type", "body", "reason"),
    [
        ("5", "58=go away", "logon_refused"),
        ("3", "45=1", "logon_refused"),
        ("0", "", "not_logon"),
        ("A", "98=0", "invalid_logon"),
    ],
)
def test_an_initiator_that_is_not_let_in_closes_and_tries_again(msg_type: str, body: str, reason: str) -> None:
    hand = initiator()
    assert hand.say(msg_type, body) == []
    assert hand.closed == [(hand.conn, reason)]
    assert hand.told == []
    hand.wait(0.9)
    assert len(hand.connects) == 1
    hand.wait(0.1)
    assert len(hand.connects) == 2


def test_an_initiator_asks_for_what_it_missed() -> None:
    hand = initiator()
    assert hand.say("A", LOGON, n=4) == ["35=2|34=2|7=1|16=0"]


def test_an_initiator_waits_for_the_answer_to_its_logon_for_a_while() -> None:
    hand = initiator()
    hand.wait(9.9)
    assert hand.closed == []
    hand.wait(0.1)
    assert hand.closed == [(hand.conn, "logon_timeout")]
    assert len(hand.connects) == 1
    hand.wait(1)
    assert len(hand.connects) == 2


def test_two_sides_that_take_each_others_answers_for_resets_do_not_reset_for_ever() -> None:
    pair = Pair()
    raw = Hand(acceptor_config()).compose("A", f"{LOGON}|141=Y", n=1)
    pair.venue.handle(Bytes(pair.venue_conn, raw))
    pair.settle(50)
    assert "reset_loop" in [reason for bench in (pair.maker, pair.venue) for _, _, reason in bench.changes]
    pair.wait(5)
    assert pair.maker.changes[-1] == ("logon_sent", "active", "logon_accepted")


def test_resets_with_something_in_between_are_no_loop() -> None:
    hand = Hand.logged_on()
    for _ in range(3 * IDLE_RESETS_MAX):
        assert hand.say("A", f"{LOGON}|141=Y", n=1) == ["35=A|34=1|98=0|108=30|141=Y"]
        hand.say("0", n=2)
    for _ in range(IDLE_RESETS_MAX):
        assert len(hand.say("A", f"{LOGON}|141=Y", n=1)) == 1
    assert hand.say("A", f"{LOGON}|141=Y", n=1)[0].startswith("35=A|34=1")
    assert hand.say("A", f"{LOGON}|141=Y", n=1) == ["35=5|34=2|58=ResetSeqNumFlag repeated too often"]


def test_a_connection_that_says_nothing_is_closed_after_the_logon_timeout() -> None:
    hand = Hand(acceptor_config())
    hand.connect()
    hand.say_raw(b"8=FIX.4.2\x01")
    hand.wait(9.9)
    assert hand.closed == []
    hand.wait(0.1)
    assert hand.closed == [("c1", "logon_timeout")]


def test_what_the_application_says_before_the_logon_goes_out_right_after_it() -> None:
    hand = Hand(acceptor_config())
    hand.tell("MM1", report("E-1"))
    hand.tell("MM1", report("E-2"))
    assert hand.transmitted == []
    hand.connect()
    answers = hand.say("A", LOGON)
    assert [answer.split("|")[:2] for answer in answers] == [["35=A", "34=1"], ["35=8", "34=2"], ["35=8", "34=3"]]
    assert ["17=E-1" in answers[1], "17=E-2" in answers[2]] == [True, True]


def test_what_waits_for_the_first_logon_survives_a_reset_of_the_numbers() -> None:
    hand = Hand(initiator_config(), peer="ROMER")
    hand.tell("ROMER", order("a"))
    hand.conn, hand.number = hand.connects[-1], 1
    hand.handle(Connected(hand.conn, "venue"))
    answers = hand.say("A", LOGON + "|141=Y")
    assert [answer[:10] for answer in answers] == ["35=A|34=1|", "35=D|34=2|"]


def test_what_waits_for_a_logon_is_bounded() -> None:
    hand = Hand(acceptor_config(waiting_messages_max=2))
    for number in range(3):
        hand.tell("MM1", report(f"E-{number}"))
    assert hand.notes == [MessageDropped("MM1", "8", "queue_full")]
    hand.connect()
    assert len(hand.say("A", LOGON)) == 3


def test_what_waits_for_a_logon_is_bounded_in_bytes_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "BYTES_MAX", 300)
    hand = Hand(acceptor_config())
    for number in range(9):
        hand.tell("MM1", report(f"E-{number}"))
    state = hand.engine.state.sessions["MM1"]
    assert state.pending_bytes == sum(len(waiting.body) for waiting in state.pending) <= 300
    assert hand.notes == [MessageDropped("MM1", "8", "queue_full")] * (9 - len(state.pending))
    hand.connect()
    hand.say("A", LOGON)
    assert (state.pending, state.pending_bytes) == ([], 0)


@pytest.mark.parametrize(("interval", "is_taken"), [(0, False), (4, False), (5, True), (60, True), (61, False)])
def test_a_heartbeat_interval_may_have_bounds(interval: int, is_taken: bool) -> None:
    hand = Hand(acceptor_config(heartbeat_interval_min=5 * SECOND, heartbeat_interval_max=60 * SECOND))
    hand.connect()
    answer = hand.say("A", f"98=0|108={interval}")
    assert (answer, hand.closed) == (
        ([f"35=A|34=1|98=0|108={interval}"], []) if is_taken else ([], [("c1", "invalid_logon")])
    )
