"""Messages of an application that are not sent, each with its reason; what no peer could read never gets a number."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

import pytest

from core.fix.dialect import Dialect
from core.fix.fields import Field
from core.fix.generic import GenericMessage
from core.fix.message import FixMessage
from core.fix.messages import Logout
from core.fix.records import MessageDropped
from core.fix.schedule import Schedule
from core.fix.shipped import dictionary
from core.fix.states import Status
from core.fix.values import INT, STRING
from core.kernel.record import Disconnected, Record
from core.units import SECOND
from tests.helpers.fix import LOGON, Hand, Pair, acceptor_config, initiator_config, order, report

PLAIN: dict[str, Any] = {
    "app_messages": ("C", "D"),
    "dialect": "plain",
    "dialects": {"plain": Dialect(dictionary("FIX.4.2"))},
}
MAIL = ((164, "t"), (94, "0"), (147, "s"), (33, "1"), (58, "line"))


FOREIGN = "is not in Latin-1: give another encoding's bytes as a character each"


class Bond(Record, frozen=True):
    symbol: Annotated[str, Field(55, STRING)]


class Bonds(FixMessage, frozen=True):
    MSG_TYPE: ClassVar[str] = "C"

    entries: Annotated[tuple[Bond, ...], Field(146, INT, entry=Bond)]


def mail(*fields: tuple[int, str], kind: str = "C", header: tuple[tuple[int, str], ...] = ()) -> GenericMessage:
    return GenericMessage(kind, (*MAIL, *fields), header)


UNSENDABLE: list[tuple[FixMessage, str]] = [
    (Logout("bye"), "messages of type 5 are the session's to send"),
    (mail(kind="A"), "messages of type A are the session's to send"),
    (mail(kind=""), "'' is no MsgType"),
    (mail(kind="C\x0134=7"), "'C\\x0134=7' is no MsgType"),
    (mail(kind="C=D"), "'C=D' is no MsgType"),
    (mail(kind="C D"), "'C D' is no MsgType"),
    (mail((95, "99"), (96, "short")), "a value holds SOH, or data is not as long as its length field says"),
    (mail((95, "3"), (96, "short")), "a value holds SOH, or data is not as long as its length field says"),
    (mail((96, "a\x01b")), "a value holds SOH, or data is not as long as its length field says"),
    (mail((148, "a\x0135=A")), "a value holds SOH, or data is not as long as its length field says"),
    (mail(header=((50, "a\x01b"),)), "a value holds SOH, or data is not as long as its length field says"),
    (mail((34, "7")), "field 34 is not one of the body's"),
    (mail((115, "X")), "field 115 is not one of the body's"),
    (mail((10, "000")), "field 10 is not one of the body's"),
    (mail(header=((43, "Y"),)), "field 43 is not one of the header's"),
    (mail(header=((58, "x"),)), "field 58 is not one of the header's"),
    (order("a", text="a\x0139=2"), "a text holds SOH, which ends a field"),
    (order("a", transact_time="now"), "a value is not of its field's type"),
    (order("a", text="caf\xe9 \u20ac 5"), f"'\u20ac' {FOREIGN}"),
    (mail((148, "caf\xe9 \u20ac\U0001f600")), f"'\u20ac\U0001f600' {FOREIGN}"),
    (mail(header=((50, "\u0142"),)), f"'\u0142' {FOREIGN}"),
    (Bonds(entries=(Bond("a\x01b"),)), "a text holds SOH, which ends a field"),
    (Bonds(entries=(Bond("\u20ac"),)), f"'\u20ac' {FOREIGN}"),
    (mail((355, "x" * 70_000)), "it has 70"),
    (mail(*((6_000 + n, "x") for n in range(990))), "it has 995 fields, and fields_max is 1000"),
    (mail((10**12, "x")), "1000000000000 is no tag: these go from 1 to 999999999"),
]


@pytest.mark.parametrize(("message", "why"), UNSENDABLE, ids=lambda it: it if isinstance(it, str) else "")
def test_what_cannot_be_sent_takes_no_number_and_is_not_kept(message: FixMessage, why: str) -> None:
    hand = Hand.logged_on(**PLAIN)
    done = len(hand.transmitted)
    hand.tell("MM1", message)
    assert hand.sent(done) == []
    (dropped,) = [fact for fact in hand.notes if isinstance(fact, MessageDropped)]
    assert (dropped.session, dropped.msg_type, dropped.reason) == ("MM1", message.msg_type, "unsendable")
    assert dropped.detail.startswith(why)
    state = hand.engine.state.sessions["MM1"]
    assert (state.next_out, state.sent, state.pending, state.status) == (2, {}, [], Status.ACTIVE)


@pytest.mark.parametrize(
    "message",
    [
        mail(kind="U1"),
        mail((95, "3"), (96, "a\x01b")),
        mail((96, "abc")),
        mail((5_001, "mine")),
        mail((148, "caf\xe9")),
        mail((354, "3"), (355, "\xe2\x82\xac"), header=((347, "UTF-8"),)),
        mail(header=((50, "ann"), (90, "3"), (91, "\x01\x01\x01"))),
    ],
)
def test_what_can_be_read_is_sent_even_if_no_dictionary_has_it(message: FixMessage) -> None:
    hand = Hand.logged_on(**PLAIN)
    hand.tell("MM1", message)
    assert hand.engine.state.sessions["MM1"].next_out == 3
    assert [fact for fact in hand.notes if isinstance(fact, MessageDropped)] == []


def test_after_a_message_that_no_peer_could_read_the_next_one_arrives() -> None:
    pair = Pair(initiator_config(**PLAIN), acceptor_config(**PLAIN))
    pair.venue.tell("MM1", mail((95, "99"), (96, "short")))
    pair.venue.tell("MM1", mail())
    pair.settle()
    assert [message.msg_type for message in pair.maker.received] == ["C"]
    assert pair.maker.changes[-1][1] == "active"


# --- what waits for a logon ------------------------------------------------------------------------


def waiting(**changes: Any) -> Hand:
    """A session that was up, with two reports that wait."""
    hand = Hand.logged_on(**changes)
    hand.handle(Disconnected("c1", "gone"))
    hand.tell("MM1", report("E-1"))
    hand.tell("MM1", report("E-2"))
    return hand


def dropped(hand: Hand) -> list[tuple[str, str]]:
    return [(fact.msg_type, fact.reason) for fact in hand.notes if isinstance(fact, MessageDropped)]


def test_what_waits_is_sent_after_the_logon_in_order() -> None:
    hand = waiting()
    hand.connect("c2")
    answers = hand.say("A", LOGON)
    assert [answer.split("|")[:2] for answer in answers] == [["35=A", "34=2"], ["35=8", "34=3"], ["35=8", "34=4"]]
    assert dropped(hand) == []


def test_a_reset_by_the_peers_logon_drops_what_waits_and_says_so() -> None:
    hand = waiting()
    hand.connect("c2")
    assert hand.say("A", f"{LOGON}|141=Y", n=1) == ["35=A|34=1|98=0|108=30|141=Y"]
    assert dropped(hand) == [("8", "reset"), ("8", "reset")]


def test_a_reset_at_every_logon_drops_what_waits() -> None:
    hand = waiting(reset_on_logon=True)
    hand.connect("c2")
    assert hand.say("A", LOGON, n=1) == ["35=A|34=1|98=0|108=30"]
    assert dropped(hand) == [("8", "reset"), ("8", "reset")]


def test_what_was_sent_after_a_reset_at_the_end_belongs_to_the_new_session() -> None:
    hand = waiting(reset_on_disconnect=True, reset_on_logon=True)
    hand.connect("c2")
    assert len(hand.say("A", LOGON, n=1)) == 3
    assert dropped(hand) == []


def test_what_was_sent_before_the_first_logon_waits_for_it() -> None:
    hand = Hand(acceptor_config(reset_on_logon=True))
    hand.tell("MM1", report("E-1"))
    hand.connect()
    assert len(hand.say("A", LOGON)) == 2


def test_a_new_window_of_the_schedule_drops_what_waits_from_the_old_one() -> None:
    day = Schedule(start_time=8 * 3600, end_time=7 * 3600)
    hand = waiting(schedule=day)
    hand.wait(24 * 3600)
    assert dropped(hand) == [("8", "reset"), ("8", "reset")]
    hand.connect("c2")
    assert len(hand.say("A", LOGON, n=1)) == 1


def test_a_queue_that_is_full_drops_what_is_too_much() -> None:
    hand = Hand(acceptor_config(waiting_messages_max=1))
    hand.tell("MM1", report("E-1"))
    hand.tell("MM1", report("E-2"))
    assert dropped(hand) == [("8", "queue_full")]
    assert hand.now % SECOND == 0
