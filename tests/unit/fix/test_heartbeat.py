"""Time: heartbeats, test requests, and the end of a silent peer."""

from __future__ import annotations

from core.fix.records import ToPeer
from core.kernel.record import Message, SetTimer, TimerFired
from tests.helpers.fix import Hand, report

SIX = "98=0|108=6"


def times(hand: Hand, seconds: int) -> dict[float, list[str]]:
    """What is written at which tenth of a second from now."""
    found = {}
    for tenth in range(1, seconds * 10 + 1):
        sent = hand.waited(0.1)
        if sent:
            found[tenth / 10] = sent
    return found


def test_a_heartbeat_follows_each_interval_of_own_silence() -> None:
    hand = Hand.logged_on(SIX)
    assert times(hand, 7) == {6.0: ["35=0|34=2"]}
    hand.say("0")
    assert times(hand, 6) == {5.0: ["35=0|34=3"]}


def test_anything_that_is_sent_counts_as_a_heartbeat() -> None:
    hand = Hand.logged_on(SIX)
    hand.wait(5)
    hand.tell("MM1", report("E-1"))
    hand.say("0")
    assert times(hand, 6) == {6.0: ["35=0|34=3"]}


def test_a_silent_peer_is_asked_whether_it_lives_and_then_given_up() -> None:
    hand = Hand.logged_on(SIX)
    assert times(hand, 14) == {6.0: ["35=0|34=2"], 7.2: ["35=1|34=3|112=TEST"]}
    assert hand.waited(0.399_999_999) == []
    assert hand.closed == []
    assert hand.waited(0.000_000_001) == []
    assert hand.closed == [("c1", "heartbeat_timeout")]
    assert hand.told[-1].reason == "heartbeat_timeout"


def test_a_peer_that_answers_the_question_lives_on() -> None:
    hand = Hand.logged_on(SIX)
    hand.wait(8)
    assert hand.say("0", "112=TEST") == []
    assert times(hand, 7) == {5.2: ["35=0|34=4"]}
    assert hand.closed == []


def test_garbled_bytes_are_no_sign_of_life() -> None:
    hand = Hand.logged_on(SIX)
    for _ in range(15):
        hand.wait(1)
        hand.say_raw(b"noise")
    assert hand.is_closed


def test_a_test_request_is_answered_with_its_id() -> None:
    hand = Hand.logged_on()
    assert hand.say("1", "112=HELLO") == ["35=0|34=2|112=HELLO"]


def test_without_a_heartbeat_interval_nobody_is_asked_and_nobody_given_up() -> None:
    hand = Hand.logged_on("98=0|108=0")
    assert hand.waited(100_000) == []
    assert hand.closed == []


def test_a_timer_that_rings_too_early_does_nothing_but_ring_again() -> None:
    hand = Hand.logged_on(SIX)
    for seconds in (1, 8, 4):
        hand.wait(seconds)
        effects = hand.handle(TimerFired("session:MM1", hand.now))
        assert [type(effect) for effect in effects] == [SetTimer]
    assert hand.closed == []


def test_a_busy_session_does_not_touch_its_timer() -> None:
    hand = Hand.logged_on()
    for _ in range(20):
        hand.wait(1)
        hand.say("1", "112=A")
    assert hand.timers == {"session:MM1": min(hand.timers.values())}
    effects = hand.handle(Message("app", ToPeer("MM1", report("E-1"))))
    assert not any(isinstance(effect, SetTimer) for effect in effects)
