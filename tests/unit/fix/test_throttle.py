"""A peer that sends too much is told so, message by message."""

from __future__ import annotations

from core.fix.records import MessageRejected
from tests.helpers.fix import LOGON, ORDER, Hand, Pair, acceptor_config, initiator_config, order, report


def test_messages_beyond_the_limit_of_a_second_are_refused_and_counted() -> None:
    hand = Hand.logged_on(LOGON, app_messages_per_second_max=2)
    assert [hand.say("D", ORDER) for _ in range(2)] == [[], []]
    text = "More than 2 messages in a second"
    assert hand.say("D", ORDER) == [f"35=j|34=2|45=4|58={text}|372=D|379=a|380=0"]
    hand.wait(1)
    assert hand.say("D", ORDER) == []
    assert len(hand.received) == 3
    assert hand.notes[-1] == MessageRejected("MM1", 4, "D", "rate_exceeded", text)


def test_no_second_has_more_messages_than_the_limit_whenever_it_begins() -> None:
    hand = Hand.logged_on(LOGON, app_messages_per_second_max=10)
    hand.wait(0.9)
    passed = [hand.say("D", ORDER) == [] for _ in range(10)]
    hand.wait(0.2)
    passed += [hand.say("D", ORDER) == [] for _ in range(10)]
    hand.wait(0.8)
    passed += [hand.say("D", ORDER) == [] for _ in range(10)]
    assert passed == [True] * 10 + [False] * 10 + [True] * 10


def test_what_waited_for_a_gap_was_counted_when_it_came() -> None:
    hand = Hand.logged_on(LOGON, app_messages_per_second_max=2)
    lost = hand.compose("D", ORDER)
    for _ in range(20):
        hand.say("D", ORDER)
        hand.wait(0.5)
    hand.wait(0.5)
    assert hand.say_raw(lost) == []
    assert len(hand.received) == 21
    assert hand.say("D", ORDER) == []
    assert hand.say("D", ORDER)[0].endswith("|380=0")


def test_what_refuses_a_message_is_not_refused_in_turn() -> None:
    hand = Hand.logged_on(LOGON, app_messages_per_second_max=1, app_messages=("D", "j"))
    for _ in range(4):
        assert hand.say("j", "372=8|380=0|45=1") == []
    assert [message.msg_type for message in hand.received] == ["j"] * 4
    text = "Required tag missing"
    assert hand.say("j", "372=8|380=0|45=1", without="49") == [f"35=3|34=2|45=6|58={text}|371=49|372=j|373=1"]


def test_two_sides_with_too_much_to_say_do_not_refuse_each_others_refusals() -> None:
    limit = {"app_messages_per_second_max": 2}
    pair = Pair(initiator_config(**limit), acceptor_config(**limit))
    for number in range(10):
        pair.maker.tell("ROMER", order(f"a{number}"))
        pair.venue.tell("MM1", report(f"E-{number}"))
    pair.settle(100)
    assert (len(pair.venue.received), len(pair.maker.received)) == (2, 2 + 8)


def test_the_sessions_own_messages_and_duplicates_have_no_limit() -> None:
    hand = Hand.logged_on(LOGON, app_messages_per_second_max=1)
    for _ in range(5):
        hand.say("0")
    hand.say("D", ORDER, n=12)
    for number in range(7, 12):
        hand.say("D", ORDER, n=number, extra="43=Y|122=20231114-22:13:20")
    assert len(hand.received) == 6
