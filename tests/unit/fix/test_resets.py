"""When numbers start over without anybody asking, and whose orders are to be cancelled."""

from __future__ import annotations

from typing import Any

import pytest

from core.fix.records import SessionClosed
from core.kernel.record import Connected, Disconnected
from tests.helpers.fix import LOGON, Hand, initiator_config, report, stop


def after(hand: Hand) -> int:
    """The number that the venue gives its next message."""
    return hand.engine.state.sessions["MM1"].next_out


def ended_by_logout(hand: Hand) -> None:
    hand.say("5")


def ended_by_our_logout(hand: Hand) -> None:
    hand.say("0", sender="OTHER")
    hand.say("5")


def ended_by_loss(hand: Hand) -> None:
    hand.handle(Disconnected("c1", "gone"))


def ended_by_low_number(hand: Hand) -> None:
    hand.say("0", n=1)


ENDS = [ended_by_logout, ended_by_our_logout, ended_by_loss, ended_by_low_number]
RESETS = {
    "reset_on_logout": [ended_by_logout, ended_by_our_logout],
    "reset_on_disconnect": ENDS,
    "reset_on_error": [ended_by_our_logout, ended_by_low_number],
}


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("policy", RESETS)
def test_numbers_start_over_after_the_ends_that_the_policy_names(policy: str, end: object) -> None:
    changes: dict[str, Any] = {policy: True}
    hand = Hand.logged_on(**changes)
    hand.tell("MM1", report("E-1"))
    assert callable(end)
    end(hand)
    assert hand.engine.state.sessions["MM1"].status == "connecting"
    resets = [change for change in hand.changes if change[2] == policy]
    assert len(resets) == (end in RESETS[policy])
    assert (after(hand) == 1) == (end in RESETS[policy])


def test_a_fault_in_a_logon_that_anybody_could_have_sent_resets_nothing() -> None:
    hand = Hand.logged_on(reset_on_error=True, reset_on_disconnect=False)
    hand.reconnect("c2")
    hand.say("A", "98=1|108=30")
    hand.connect("c3")
    hand.say("A", LOGON, at=500)
    assert after(hand) == 2


def test_a_logon_whose_number_is_too_low_is_an_error_that_resets() -> None:
    hand = Hand.logged_on(reset_on_error=True)
    hand.reconnect("c2")
    hand.say("A", LOGON, n=1)
    hand.connect("c3")
    assert hand.say("A", LOGON, n=1) == ["35=A|34=1|98=0|108=30"]


def test_an_initiator_that_resets_on_disconnect_says_its_logon_anew_each_time() -> None:
    hand = Hand(initiator_config(reset_on_disconnect=True), peer="ROMER")
    for _ in range(3):
        done = len(hand.transmitted)
        hand.handle(Connected(hand.connects[-1], "venue"))
        assert hand.sent(done) == ["35=A|34=1|98=0|108=30"]
        hand.handle(Disconnected(hand.connects[-1], "gone"))
        hand.wait(4)


@pytest.mark.parametrize("end", ENDS)
def test_orders_are_to_be_cancelled_when_the_peer_leaves_without_a_word(end: object) -> None:
    hand = Hand.logged_on(cancel_on_disconnect=True)
    assert callable(end)
    end(hand)
    closed = hand.told[-1]
    assert isinstance(closed, SessionClosed)
    assert closed.cancel_orders == (end is not ended_by_logout)


def test_orders_are_never_to_be_cancelled_unless_the_counterparty_wants_it() -> None:
    hand = Hand.logged_on()
    stop(hand)
    hand.wait(3)
    assert hand.told[-1] == SessionClosed("MM1", "stopping")
