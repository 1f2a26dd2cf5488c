"""An initiator that does not get through: it waits longer, and tries elsewhere."""

from __future__ import annotations

from core.fix.records import PeerComplained
from core.kernel.record import Connect, Connected, Disconnected, Effect, Event, TimerFired
from core.units import SECOND
from tests.helpers.fix import LOGON, Hand, initiator_config


class Dialling(Hand):
    """An initiator, and when and where it has tried to connect."""

    def __init__(self, **changes: object) -> None:
        self.tried: list[tuple[int, str]] = []
        super().__init__(initiator_config(**changes), peer="ROMER")

    def handle(self, event: Event) -> list[Effect]:
        effects = super().handle(event)
        started = self.now - 1_700_000_000 * SECOND
        self.tried += [(started // SECOND, effect.address) for effect in effects if isinstance(effect, Connect)]
        return effects

    def refused(self) -> None:
        self.handle(Disconnected(self.connects[-1], "refused"))

    def let_in(self) -> None:
        self.conn = self.connects[-1]
        self.handle(Connected(self.conn, "venue"))
        self.say("A", LOGON, n=self.engine.state.sessions["ROMER"].next_in)


def test_the_pause_before_connecting_again_doubles_up_to_its_limit() -> None:
    hand = Dialling(reconnect_interval_max=4 * SECOND)
    for expected in (1, 2, 4, 4):
        hand.refused()
        hand.wait(expected - 0.001)
        count = len(hand.connects)
        hand.wait(0.001)
        assert len(hand.connects) == count + 1


def test_each_attempt_goes_to_the_next_address_and_the_pause_grows_with_each_round() -> None:
    hand = Dialling(addresses=("a", "b", "c"))
    for expected in (1, 1, 1, 2, 2, 2, 4):
        hand.refused()
        hand.wait(expected - 0.001)
        count = len(hand.connects)
        hand.wait(0.001)
        assert len(hand.connects) == count + 1
    assert [address for _, address in hand.tried] == ["a", "b", "c", "a", "b", "c", "a", "b"]


def test_a_session_that_was_up_comes_back_to_the_address_where_it_was() -> None:
    hand = Dialling(addresses=("a", "b"))
    hand.refused()
    hand.wait(1)
    hand.let_in()
    hand.handle(Disconnected(hand.conn, "gone"))
    hand.wait(1)
    assert [address for _, address in hand.tried] == ["a", "b", "b"]


def test_a_peer_that_refuses_the_logon_is_left_for_the_next_address_and_its_words_are_kept() -> None:
    hand = Dialling(addresses=("a", "b"))
    hand.conn, hand.number = hand.connects[-1], 1
    hand.handle(Connected(hand.conn, "venue"))
    hand.say("5", "58=who are you")
    assert hand.closed == [(hand.conn, "logon_refused")]
    assert PeerComplained("ROMER", "5", 0, "who are you") in hand.notes
    hand.wait(1)
    assert hand.tried[-1] == (1, "b")


def test_a_timer_that_rings_early_does_not_connect() -> None:
    hand = Dialling()
    hand.refused()
    hand.handle(TimerFired("session:ROMER", hand.now))
    assert len(hand.connects) == 1


def test_an_address_that_does_not_answer_is_given_up_for_the_next_one() -> None:
    hand = Dialling(addresses=("black hole", "b"))
    hand.wait(5 + 1)
    assert hand.closed == [(hand.connects[0], "connect_timeout")]
    assert hand.tried == [(0, "black hole"), (6, "b")]
    hand.let_in()
    assert hand.changes[-1][1] == "active"
    hand.wait(4)
    assert len(hand.closed) == 1


def test_how_long_an_address_may_take_is_a_setting() -> None:
    hand = Dialling(addresses=("a", "b"), connect_timeout=2 * SECOND)
    hand.wait(3)
    assert hand.tried == [(0, "a"), (3, "b")]


def test_a_connection_that_opens_after_it_was_given_up_is_closed_and_nothing_else() -> None:
    hand = Dialling(addresses=("a", "b"))
    hand.wait(5)
    hand.handle(Connected(hand.connects[0], "late"))
    assert hand.closed == [(hand.connects[0], "connect_timeout")] * 2
    assert hand.sent() == []
    hand.wait(1)
    hand.let_in()
    assert hand.changes[-1][1] == "active"


def test_a_refused_connection_is_no_time_out() -> None:
    hand = Dialling(addresses=("a", "b"))
    hand.refused()
    hand.wait(1)
    assert [address for _, address in hand.tried] == ["a", "b"]
    assert hand.closed == []
