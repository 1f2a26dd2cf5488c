"""A peer that sends too much is told so, message by message."""

from __future__ import annotations

from tests.helpers.fix import LOGON, ORDER, Hand


def test_messages_beyond_the_limit_of_a_second_are_refused_and_counted() -> None:
    hand = Hand.logged_on(LOGON, app_messages_per_second_max=2)
    assert [hand.say("D", ORDER) for _ in range(2)] == [[], []]
    text = "More than 2 messages in a second"
    assert hand.say("D", ORDER) == [f"35=j|34=2|45=4|58={text}|372=D|379=a|380=0"]
    hand.wait(1)
    assert hand.say("D", ORDER) == []
    assert len(hand.received) == 3


def test_the_sessions_own_messages_and_duplicates_have_no_limit() -> None:
    hand = Hand.logged_on(LOGON, app_messages_per_second_max=1)
    for _ in range(5):
        hand.say("0")
    hand.say("D", ORDER, n=12)
    for number in range(7, 12):
        hand.say("D", ORDER, n=number, extra="43=Y|122=20231114-22:13:20")
    assert len(hand.received) == 6
