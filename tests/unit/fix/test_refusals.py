"""What an application may add to the session's own messages, and how it refuses what it was given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.errors import InputError
from core.fix.records import (
    AddSession,
    FromPeer,
    LogonAttempted,
    LogonJudged,
    MessageDropped,
    MessageRejected,
    OperationRefused,
    RejectBusiness,
    RejectMessage,
    RemoveSession,
    SetAdminFields,
    SetNumbers,
)
from core.fix.settings import SessionConfig
from core.fix.tags import BusinessRejectReason, SessionRejectReason
from core.kernel.record import Connected, Disconnected, Message
from tests.helpers.fix import LOGON, NOW, ORDER, Hand, acceptor_config, initiator_config, order, parsed, report

SECRET = ((95, "5"), (96, "p\x01ss!"), (553, "me"), (554, "pw"))


def initiating(**changes: object) -> Hand:
    hand = Hand(initiator_config(**changes), peer="ROMER")
    hand.conn = hand.connects[-1]
    return hand


def connected(hand: Hand) -> bytes:
    hand.handle(Connected(hand.conn, "venue"))
    return hand.transmitted[-1][1]


def test_logons_have_the_fields_of_the_configuration_in_their_place() -> None:
    raw = connected(initiating(logon_fields=(*SECRET, (50, "ann"), (57, "desk"))))
    assert [tag for tag, _ in parsed(raw).fields()] == [8, 9, 35, 34, 49, 50, 52, 56, 57, 95, 96, 98, 108, 553, 554, 10]
    assert b"\x0195=5\x0196=p\x01ss!\x01" in raw


def test_every_message_has_the_header_fields_of_the_configuration() -> None:
    hand = initiating(header_fields=((50, "ann"), (57, "desk")))
    connected(hand)
    hand.number = 1
    hand.say("A", LOGON)
    hand.tell("ROMER", order("a"))
    hand.tell("ROMER", order("b"), poss_resend=True)
    hand.say("1", "112=x")
    hand.say("2", "7=1|16=0")
    sent = [parsed(raw) for _, raw in hand.transmitted]
    assert [message.msg_type for message in sent] == ["A", "D", "D", "0", "4", "D", "D", "4"]
    for message in sent:
        tags = [tag for tag, _ in message.fields()]
        assert [tag for tag in tags if tag in (49, 50, 52, 56, 57)] == [49, 50, 52, 56, 57]
        assert (message.values[50], message.values[57]) == (b"ann", b"desk")
    assert [tag for tag, _ in sent[2].fields()][:10] == [8, 9, 35, 34, 49, 50, 52, 56, 57, 97]
    assert [tag for tag, _ in sent[6].fields()][:12] == [8, 9, 35, 34, 43, 49, 50, 52, 56, 57, 97, 122]


def test_an_application_says_what_its_logons_and_heartbeats_have_besides() -> None:
    hand = initiating(logon_fields=((553, "old"),))
    hand.handle(Message("app", SetAdminFields("ROMER", "A", ((553, "new"), (554, "pw")))))
    hand.handle(Message("app", SetAdminFields("ROMER", "0", ((58, "alive"), (115, "X")))))
    assert b"\x01108=30\x01553=new\x01554=pw\x01" in connected(hand)
    hand.number = 1
    hand.say("A", LOGON)
    assert hand.say("1", "112=x") == ["35=0|34=2|115=X|58=alive|112=x"]
    hand.restart()
    assert hand.say("1", "112=y") == ["35=0|34=3|115=X|58=alive|112=y"]


@pytest.mark.parametrize(
    ("msg_type", "fields", "why"),
    [
        ("D", ((58, "x"),), "'D' is no message of the session's: those are 0 1 2 3 4 5 A"),
        ("A", ((108, "5"),), "field 108 is not one that can be added"),
        ("A", ((34, "5"),), "field 34 is not one that can be added"),
        ("A", ((553, "a"), (553, "b")), "field 553 is there twice, is empty, or is not one of the header's"),
        ("A", ((553, ""),), "field 553 is there twice, is empty, or is not one of the header's"),
        ("A", ((553, "a\x01b"),), "a value holds SOH, or data is not as long as its length field says"),
        ("A", ((95, "9"),), "field 95 needs field 96 beside it: a length and its data belong together"),
        ("A", ((96, "a"),), "field 96 needs field 95 beside it: a length and its data belong together"),
        ("A", ((354, "1"), (554, "a")), "field 354 needs field 355 beside it: a length and its data belong together"),
        ("A", ((90, "1"), (96, "a")), "field 90 needs field 91 beside it: a length and its data belong together"),
        ("A", ((95, "9"), (96, "a")), "a value holds SOH, or data is not as long as its length field says"),
    ],
)
def test_fields_that_cannot_be_added_are_refused(msg_type: str, fields: tuple[tuple[int, str], ...], why: str) -> None:
    hand = initiating()
    hand.handle(Message("app", SetAdminFields("ROMER", msg_type, fields)))
    assert hand.notes[-1] == OperationRefused("ROMER", "SetAdminFields", why)
    if msg_type == "A":
        with pytest.raises(InputError, match="session 'ROMER': logon_fields: "):
            initiating(logon_fields=fields)


def test_an_answer_goes_back_by_the_way_that_the_message_came_whatever_the_configuration_says() -> None:
    hand = Hand.logged_on(header_fields=((115, "VENUE"), (50, "ann")))
    (answer,) = hand.say("V", "262=a", extra="128=DESK")
    tags = [tag for tag, _ in parsed(hand.transmitted[-1][1]).fields()]
    assert tags.count(115) == 1
    assert "|115=DESK|" in answer
    assert tags.count(50) == 1


# --- refusing --------------------------------------------------------------------------------------


def test_an_application_refuses_a_message_for_a_reason_of_the_sessions() -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER)
    done = len(hand.transmitted)
    reason = SessionRejectReason.VALUE_IS_INCORRECT
    hand.handle(Message("app", RejectMessage("MM1", 2, "D", reason.value, 44, "Too cheap")))
    assert hand.sent(done) == ["35=3|34=2|45=2|58=Too cheap|371=44|372=D|373=5"]
    assert hand.notes[-1] == MessageRejected("MM1", 2, "D", "incorrect_value", "Too cheap")
    assert hand.say("1", "112=A") == ["35=0|34=3|112=A"]


def test_an_application_refuses_a_message_for_a_reason_of_its_business() -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER)
    done = len(hand.transmitted)
    reason = BusinessRejectReason.UNKNOWN_SECURITY
    hand.handle(Message("app", RejectBusiness("MM1", 2, "D", reason.value, "a", "No such pair")))
    assert hand.sent(done) == ["35=j|34=2|45=2|58=No such pair|372=D|379=a|380=2"]
    assert hand.notes[-1] == MessageRejected("MM1", 2, "D", "unknown_security", "No such pair")
    (again,) = hand.say("2", "7=2|16=0")
    assert again.startswith("35=j|34=2|43=Y")


def test_a_refusal_for_a_connection_that_has_ended_waits_if_it_is_one_of_business_and_is_void_otherwise() -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER)
    hand.handle(Disconnected("c1", "gone"))
    hand.handle(Message("app", RejectMessage("MM1", 2, "D", 5)))
    assert hand.notes[-1] == MessageDropped("MM1", "3", "not_logged_on", "it refuses message 2")
    hand.handle(Message("app", RejectBusiness("MM1", 2, "D", 0, "a", "no")))
    hand.connect("c2")
    assert hand.say("A", LOGON)[1] == "35=j|34=3|45=2|58=no|372=D|379=a|380=0"


def test_a_reason_without_a_code_is_other_and_is_sent_where_the_version_has_it() -> None:
    hand = Hand.logged_on()
    hand.handle(Message("app", RejectMessage("MM1", 1, "D", 99)))
    assert hand.sent()[-1] == "35=3|34=2|45=1|372=D"
    assert hand.notes[-1] == MessageRejected("MM1", 1, "D", "other", "")


def test_a_refusal_of_a_message_from_before_a_reset_is_void() -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER)
    hand.handle(Disconnected("c1", "gone"))
    hand.connect("c2")
    hand.say("A", f"{LOGON}|141=Y", number=1)
    done = len(hand.transmitted)
    for refusal in (RejectMessage("MM1", 2, "D", 5), RejectBusiness("MM1", 2, "D", 0, "a", "no")):
        hand.handle(Message("app", refusal))
        assert hand.sent(done) == []
        assert isinstance(hand.notes[-1], MessageDropped)
        assert hand.notes[-1].reason == "reset"


@pytest.mark.parametrize(
    ("refusal", "kind", "why"),
    [
        (RejectMessage("MM1", -2, "D", 5), "3", "RefSeqNum(45) is 1 or more, got -2"),
        (RejectMessage("MM1", 0, "D", 5), "3", "RefSeqNum(45) is 1 or more, got 0"),
        (RejectMessage("MM1", 2, "D", -1), "3", "the reason is 0 or more, got -1"),
        (RejectMessage("MM1", 2, "D", 5, -44), "3", "RefTagID(371) is 1 or more, got -44"),
        (RejectMessage("MM1", 2, "D", 5, text="a\x01b"), "3", "a text holds SOH, which ends a field"),
        (RejectMessage("MM1", 2, "D", 5, text="\u20ac"), "3", "'\u20ac' is not in Latin-1: "),
        (RejectMessage("MM1", 2, "\u20ac", 5), "3", "'\u20ac' is not in Latin-1: "),
        (RejectMessage("MM1", 2, "D", 5, text="x" * 70_000), "3", "it has 70"),
        (RejectBusiness("MM1", -2, "D", 5), "j", "RefSeqNum(45) is 1 or more, got -2"),
        (RejectBusiness("MM1", 2, "D", -5), "j", "the reason is 0 or more, got -5"),
        (RejectBusiness("MM1", 2, "D", 5, "\u20ac"), "j", "'\u20ac' is not in Latin-1: "),
        (RejectBusiness("MM1", 2, "D", 5, "a", "a\x01b"), "j", "a text holds SOH, which ends a field"),
    ],
)
def test_a_refusal_that_no_peer_could_read_is_not_sent(
    refusal: RejectMessage | RejectBusiness, kind: str, why: str
) -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER)
    done = len(hand.transmitted)
    hand.handle(Message("app", refusal))
    assert hand.sent(done) == []
    dropped = hand.notes[-1]
    assert isinstance(dropped, MessageDropped)
    assert (dropped.msg_type, dropped.reason) == (kind, "unsendable")
    assert dropped.detail.startswith(why)
    assert hand.say("1", "112=A") == ["35=0|34=2|112=A"]


def refuse(said: FromPeer[Any], kind: type[RejectMessage | RejectBusiness]) -> Message[Any]:
    refusal = kind(said.session, said.msg_seq_num, "D", 5, text="no", epoch=said.epoch)
    return Message("app", refusal)


def by_logon(hand: Hand) -> None:
    hand.handle(Disconnected("c1", "gone"))
    hand.connect("c2")
    hand.say("A", f"{LOGON}|141=Y", n=1)


def by_operator(hand: Hand) -> None:
    hand.handle(Message("admin", SetNumbers("MM1", next_in=2)))


def by_removal(hand: Hand) -> None:
    for operation in (RemoveSession("MM1"), AddSession(SessionConfig(target_comp_id="MM1"))):
        hand.handle(Message("admin", operation))
        hand.handle(Disconnected("c1", "gone"))
    hand.connect("c2")
    hand.say("A", LOGON, n=1)


@pytest.mark.parametrize("kind", [RejectMessage, RejectBusiness])
@pytest.mark.parametrize("start_over", [by_logon, by_operator, by_removal])
def test_a_late_refusal_never_hits_the_message_that_has_its_number_now(
    start_over: Callable[[Hand], None], kind: type[RejectMessage | RejectBusiness]
) -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER)
    old = hand.told[-1]
    start_over(hand)
    hand.say("D", ORDER, n=2)
    new = hand.told[-1]
    assert (old.msg_seq_num, new.msg_seq_num) == (2, 2)
    done = len(hand.transmitted)
    hand.handle(refuse(old, kind))
    assert hand.sent(done) == []
    assert isinstance(hand.notes[-1], MessageDropped)
    assert hand.notes[-1].reason == "reset"
    hand.restart()
    hand.handle(refuse(new, kind))
    assert "|45=2|" in hand.sent(done)[0]


def test_a_refusal_that_waits_is_void_when_the_number_that_it_is_about_is_given_again() -> None:
    hand = Hand.logged_on()
    hand.say("D", ORDER)
    hand.handle(Disconnected("c1", "gone"))
    hand.handle(refuse(hand.told[-2], RejectBusiness))
    hand.tell("MM1", report("E-1"))
    hand.handle(Message("admin", SetNumbers("MM1", next_in=2)))
    assert [note.msg_type for note in hand.notes if isinstance(note, MessageDropped)] == ["j"]
    hand.connect("c2")
    assert [answer[:5] for answer in hand.say("A", LOGON, n=2)] == ["35=A|", "35=8|"]


def test_who_is_refused_a_logon_may_be_told_why_in_a_logout() -> None:
    hand = Hand(acceptor_config(authenticator="app"))
    hand.connect()
    hand.say("A", LOGON)
    assert isinstance(hand.told[-1], LogonAttempted)
    hand.handle(Message("app", LogonJudged("MM1", "c1", False, "wrong password", "Wrong password")))
    (logout,) = hand.sent()
    assert logout.startswith("35=5|")
    assert logout.endswith("58=Wrong password")
    assert hand.closed == [("c1", "authentication_failed")]
    hand.connect("c2")
    hand.number = 1
    hand.say("A", LOGON)
    hand.handle(Message("app", LogonJudged("MM1", "c2", False, "", "\xe9\u20ac\x01141=Y")))
    assert hand.sent()[-1].endswith("58=\xe9\\u20ac\\x01141=Y")
    hand.connect("c2")
    hand.number = 1
    hand.say("A", LOGON)
    hand.handle(Message("app", LogonJudged("MM1", "c2", True)))
    assert hand.sent(2) == ["35=A|34=1|98=0|108=30"]
    assert hand.now == NOW
    hand.tell("MM1", report("E-1"))
    assert hand.sent()[-1].startswith("35=8|34=2")
