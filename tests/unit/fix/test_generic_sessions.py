"""A session whose application takes any message of the dictionary, and sends back what it gets."""

from __future__ import annotations

from typing import Any

import pytest

from core.fix.dialect import Dialect
from core.fix.generic import GenericMessage
from core.fix.records import FromPeer, ToPeer
from core.fix.shipped import dictionary
from core.kernel.record import Effect, Event, Message, Send
from tests.helpers.fix import LOGON, Hand, acceptor_config, parsed

ORDER = "11=id|21=3|40=1|54=1|55=MSFT|60=20231114-22:13:20"
DIALECT = Dialect(dictionary("FIX.4.2"))
UNKNOWN, UNDEFINED = "Invalid tag number", "Tag not defined for this message type"


class Echoing(Hand):
    """An engine whose application sends everything back."""

    def handle(self, event: Event) -> list[Effect]:
        effects = super().handle(event)
        for effect in effects:
            if isinstance(effect, Send) and isinstance(effect.body, FromPeer):
                arrived: FromPeer[Any] = effect.body
                super().handle(Message("app", ToPeer(arrived.session, arrived.message)))
        return effects


@pytest.fixture
def hand() -> Echoing:
    config = acceptor_config(app_messages=("D", "d"), dialect="plain", dialects={"plain": DIALECT})
    echoing = Echoing(config)
    echoing.connect()
    echoing.say("A", LOGON)
    return echoing


@pytest.mark.parametrize(
    ("body", "text", "tag", "code"),
    [
        ("999=HI", UNKNOWN, 999, 0),
        ("0=HI", UNKNOWN, 0, 0),
        ("-1=HI", UNKNOWN, -1, 0),
        ("5000=HI", UNKNOWN, 5000, 0),
        ("55=MSFT", UNDEFINED, 55, 2),
    ],
)
def test_a_field_that_has_no_place_is_refused(hand: Echoing, body: str, text: str, tag: int, code: int) -> None:
    assert hand.say("0", body) == [f"35=3|34=2|45=2|58={text}|371={tag}|372=0|373={code}"]


@pytest.mark.parametrize(
    ("added", "text", "tag", "code"),
    [
        ("167=BOO", "Value is incorrect (out of range) for this tag", 167, "|373=5"),
        ("38=+200.00", "Incorrect data format for value", 38, "|373=6"),
        ("386=3|336=ONE|336=TWO", "Incorrect NumInGroup count for repeating group", 386, ""),
        ("40=2", "Tag appears more than once", 40, ""),
    ],
)
def test_a_field_with_a_fault_is_refused(hand: Echoing, added: str, text: str, tag: int, code: str) -> None:
    assert hand.say("D", f"{ORDER}|{added}") == [f"35=3|34=2|45=2|58={text}|371={tag}|372=D{code}"]


def test_values_come_back_as_they_were_written_and_fields_in_fixs_order(hand: Echoing) -> None:
    assert hand.say("D", "60=20231114-22:13:20|55=MSFT|54=1|40=1|38=002000.00|167=FUT|21=3|11=id") == [
        "35=D|34=2|11=id|21=3|38=002000.00|40=1|54=1|55=MSFT|60=20231114-22:13:20|167=FUT"
    ]


def test_groups_come_back_whole_each_after_its_count(hand: Echoing) -> None:
    assert hand.say("D", f"386=2|336=ONE|336=TWO|{ORDER}") == [
        "35=D|34=2|11=id|21=3|40=1|54=1|55=MSFT|60=20231114-22:13:20|386=2|336=ONE|336=TWO"
    ]


def test_a_group_may_be_empty(hand: Echoing) -> None:
    body = "320=R1|322=R2|323=6|55=TBS|393=0|146=0"
    assert hand.say("d", body) == ["35=d|34=2|55=TBS|146=0|320=R1|322=R2|323=6|393=0"]


def test_header_fields_of_the_applications_concern_come_back(hand: Echoing) -> None:
    assert hand.say("D", ORDER, extra="97=Y") == [f"35=D|34=2|97=Y|{ORDER}"]


def test_a_message_that_was_sent_with_groups_is_sent_again_byte_for_byte(hand: Echoing) -> None:
    (first,) = hand.say("D", f"386=2|336=ONE|336=TWO|{ORDER}")
    kind, number, body = first.split("|", 2)
    assert hand.say("2", "7=2|16=0") == [f"{kind}|{number}|43=Y|122=20231114-22:13:20.000|{body}"]


def test_the_application_gets_the_fields_in_wire_order(hand: Echoing) -> None:
    hand.say("D", ORDER)
    (message,) = hand.received
    assert isinstance(message, GenericMessage)
    assert [tag for tag, _ in message.fields] == [11, 21, 40, 54, 55, 60]


def test_a_sender_sub_id_stands_between_the_sessions_own_fields_and_a_resend_keeps_it_there(hand: Echoing) -> None:
    hand.say("D", ORDER, extra="50=ANN|57=DESK")
    (sent,) = [raw for _, raw in hand.transmitted if b"\x0135=D" in raw]
    assert [tag for tag, _ in parsed(sent).fields()][:9] == [8, 9, 35, 34, 49, 50, 52, 56, 57]
    hand.say("2", "7=2|16=2")
    again = hand.transmitted[-1][1]
    tags = [tag for tag, _ in parsed(again).fields()]
    assert tags[:12] == [8, 9, 35, 34, 43, 49, 50, 52, 56, 57, 122, 11]
    assert b"\x0150=ANN\x01" in again


def test_poss_resend_is_in_its_place_and_there_once(hand: Echoing) -> None:
    message = GenericMessage("D", ((11, "id"),), ((50, "ANN"), (115, "A")))
    for header in (message.header, (*message.header, (97, "Y"))):
        hand.tell("MM1", GenericMessage("D", message.fields, header), poss_resend=True)
        fields = parsed(hand.transmitted[-1][1]).fields()
        assert [tag for tag, _ in fields] == [8, 9, 35, 34, 49, 50, 52, 56, 97, 115, 11, 10]
