"""What a session refuses, in the words of other engines."""

from __future__ import annotations

import pytest

from core.fix.dialect import Dialect
from core.fix.records import InputIgnored
from core.fix.shipped import dictionary
from core.fix.validation import Validation
from core.kernel.record import Bytes, Connected
from tests.helpers.fix import LOGON, ORDER, Hand, acceptor_config, initiator_config

VALUE = "58=Value is incorrect (out of range) for this tag"
REQUEST = "262=x|263=0|264=1|267=1|269=0|146=1|55=A"
"""The body of a MarketDataRequest, which is a message of FIX 4.2 that no application here takes."""


@pytest.mark.parametrize(
    ("msg_type", "body", "answer"),
    [
        ("*", "", "45=2|58=Invalid MsgType|372=*|373=11"),
        ("D", ORDER.replace("|55=BTC/USDT", ""), "45=2|58=Required tag missing|371=55|372=D|373=1"),
        ("1", "", "45=2|58=Required tag missing|371=112|372=1|373=1"),
        ("D", ORDER.replace("11=a", "11="), "45=2|58=Tag specified without a value|371=11|372=D|373=4"),
        ("D", ORDER.replace("21=1", "21=4"), f"45=2|{VALUE}|371=21|372=D|373=5"),
        ("D", ORDER.replace("38=1.5", "38=+1.5"), "45=2|58=Incorrect data format for value|371=38|372=D|373=6"),
        ("D", ORDER + "|40=2", "45=2|58=Tag appears more than once|371=40|372=D"),
        ("D", ORDER + "|34=2", "45=2|58=Tag specified out of required order|371=34|372=D"),
    ],
)
def test_a_malformed_message_is_rejected_and_takes_its_number(msg_type: str, body: str, answer: str) -> None:
    hand = Hand.logged_on()
    assert hand.say(msg_type, body) == [f"35=3|34=2|{answer}"]
    assert hand.say("1", "112=A") == ["35=0|34=3|112=A"]
    assert hand.received == []


def test_a_malformed_message_out_of_order_is_rejected_and_takes_no_number() -> None:
    hand = Hand.logged_on()
    assert hand.say("1", "", n=7) == ["35=3|34=2|45=7|58=Required tag missing|371=112|372=1|373=1"]
    assert hand.say("1", "112=A", n=2) == ["35=0|34=3|112=A"]


@pytest.mark.parametrize(
    ("missing", "msg_type", "answer"),
    [
        ("56", "0", "35=3|34=2|45=2|58=Required tag missing|371=56|372=0|373=1"),
        ("49", "0", "35=3|34=2|45=2|58=Required tag missing|371=49|372=0|373=1"),
        ("56", "D", "35=j|34=2|45=2|58=Conditionally Required Field Missing (56)|372=D|379=a|380=5"),
    ],
)
def test_a_message_without_a_comp_id_is_refused_without_ending_the_session(
    missing: str, msg_type: str, answer: str
) -> None:
    hand = Hand.logged_on()
    assert hand.say(msg_type, ORDER if msg_type == "D" else "", without=missing) == [answer]
    assert hand.say("1", "112=A", n=3) == ["35=0|34=3|112=A"]


@pytest.mark.parametrize("header", [{"sender": "WT"}, {"target": "DLSI"}, {"sender": "WT", "target": "DLSI"}])
def test_wrong_comp_ids_are_rejected_and_end_the_session(header: dict[str, str]) -> None:
    hand = Hand.logged_on()
    assert hand.say("D", ORDER, **header) == ["35=3|34=2|45=2|58=CompID problem|372=D|373=9", "35=5|34=3"]
    assert hand.received == []
    assert hand.say("5") == []
    assert hand.closed == [("c1", "logged_out")]
    assert hand.told[-1].reason == "comp_id_problem"


@pytest.mark.parametrize("seconds", [-121, 121])
def test_a_wrong_sending_time_is_rejected_and_ends_the_session(seconds: int) -> None:
    hand = Hand.logged_on()
    assert hand.say("0", at=seconds) == [
        "35=3|34=2|45=2|58=SendingTime accuracy problem|372=0|373=10",
        "35=5|34=3",
    ]
    assert hand.say("5") == []
    assert hand.is_closed


@pytest.mark.parametrize("seconds", [-120, 120])
def test_a_sending_time_at_the_limit_passes(seconds: int) -> None:
    assert Hand.logged_on().say("0", at=seconds) == []


def test_the_limit_of_the_sending_time_can_be_set() -> None:
    assert Hand.logged_on(latency_max=10**9).say("0", at=-2)[-1] == "35=5|34=3"


def test_another_version_of_fix_ends_the_session() -> None:
    hand = Hand.logged_on()
    assert hand.say("1", "112=A", begin="FIX.4.1") == ["35=5|34=2|58=Incorrect BeginString"]
    assert not hand.is_closed
    assert hand.say("5") == []
    assert hand.closed == [("c1", "logged_out")]


def test_a_logout_in_another_version_of_fix_is_a_logout() -> None:
    hand = Hand.logged_on()
    assert hand.say("5", begin="FIX.4.1") == ["35=5|34=2"]
    assert hand.is_closed


def test_a_message_type_that_the_application_does_not_take_is_refused_as_business() -> None:
    hand = Hand.logged_on()
    report = "37=id|17=id|20=0|150=0|39=0|55=WLRI|54=1|151=100|14=0|6=0.0"
    assert hand.say("8", report) == ["35=j|34=2|45=2|58=Unsupported Message Type|372=8|380=3"]
    assert hand.say("V", REQUEST) == ["35=j|34=3|45=3|58=Unsupported Message Type|372=V|380=3"]
    assert hand.say("8", report + "|31=x") == ["35=j|34=4|45=4|58=Unsupported Message Type|372=8|380=3"]
    assert hand.say("8", report.replace("|14=0", ""))[0].startswith("35=3|34=5")


def test_a_business_reject_is_sent_again_like_any_application_message() -> None:
    hand = Hand.logged_on()
    hand.say("V", REQUEST, extra="115=JCD|128=CS")
    assert hand.sent()[-1] == "35=j|34=2|115=CS|128=JCD|45=2|58=Unsupported Message Type|372=V|380=3"
    (again,) = hand.say("2", "7=2|16=0")
    assert again.startswith("35=j|34=2|43=Y|115=CS|122=20231114-22:13:20.000|128=JCD|45=2")


def test_a_business_reject_that_nobody_wants_is_not_answered_with_another() -> None:
    hand = Hand.logged_on()
    assert hand.say("j", "45=2|372=8|380=3") == []
    assert isinstance(hand.notes[-1], InputIgnored)
    assert hand.notes[-1].reason == "business_rejected"
    assert hand.say("1", "112=A") == ["35=0|34=2|112=A"]


@pytest.mark.parametrize("body", ["45=1", "45=x", "", "45=1|373=z|58="])
def test_a_reject_is_never_answered_well_formed_or_not(body: str) -> None:
    hand = Hand.logged_on()
    assert hand.say("3", body) == []
    assert hand.say("1", "112=A") == ["35=0|34=2|112=A"]


@pytest.mark.parametrize(
    ("routing", "answer"),
    [
        ("115=JCD", "128=JCD|"),
        ("128=JCD", "115=JCD|"),
        ("115=JCD|116=CS|144=CHI", "128=JCD|129=CS|145=CHI|"),
        ("128=JCD|129=CS|145=CHI", "115=JCD|116=CS|144=CHI|"),
    ],
)
def test_a_reject_goes_back_the_way_the_message_came(routing: str, answer: str) -> None:
    hand = Hand.logged_on()
    assert hand.say("D", ORDER.replace("40=2", "40=w"), extra=routing) == [
        f"35=3|34=2|{answer}45=2|{VALUE}|371=40|372=D|373=5"
    ]


def test_empty_routing_is_a_fault_and_is_not_sent_back() -> None:
    hand = Hand.logged_on()
    assert hand.say("D", ORDER, extra="115=JCD|116=") == [
        "35=3|34=2|128=JCD|45=2|58=Tag specified without a value|371=116|372=D|373=4"
    ]


def test_an_initiators_application_gets_reports_and_business_rejects() -> None:
    hand = Hand(initiator_config(), peer="ROMER")
    hand.conn, hand.number = hand.connects[-1], 1
    hand.handle(Connected(hand.conn, "venue"))
    hand.say("A", LOGON)
    assert hand.say("j", "372=D|380=4") == []
    assert hand.say("9", "37=O|11=c|41=o|39=0|434=1|102=1") == []
    assert [message.MSG_TYPE for message in hand.received] == ["j", "9"]
    assert hand.say("D", ORDER)[0].startswith("35=j")


def test_a_message_with_two_numbers_counts_by_the_first() -> None:
    hand = Hand.logged_on()
    again = "45=2|58=Tag appears more than once|371=34|372=1"
    assert hand.say("1", "112=x", extra="34=99") == [f"35=3|34=2|{again}"]
    assert hand.say("1", "112=y") == ["35=0|34=3|112=y"]


def test_an_empty_value_comes_back_where_it_is_allowed() -> None:
    lax = Dialect(dictionary("FIX.4.4"), Validation(validate_fields_have_values=False))
    hand = Hand(acceptor_config(dialect="lax", dialects={"lax": lax}))
    hand.connect()
    hand.say("A", LOGON, begin="FIX.4.4")
    hand.handle(Bytes("c1", hand.compose("1", "112=", begin="FIX.4.4")))
    assert hand.transmitted[-1][1].endswith(b"\x01112=\x01" + hand.transmitted[-1][1][-7:])
    assert hand.say("1", "112=x", begin="FIX.4.4") == ["35=0|34=3|112=x"]
    assert hand.say("2", "7=1|16=", begin="FIX.4.4") == [
        "35=3|34=4|45=4|58=Tag specified without a value|371=16|372=2|373=4"
    ]
