from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from core.fix.codec import WireMessage, decode, encode
from core.fix.dialect import Dialect, Fields, venue_dialect
from core.fix.fields import entries_of
from core.fix.generic import GenericMessage
from core.fix.message import FixMessage
from core.fix.messages import (
    ADMIN_MESSAGES,
    MESSAGES,
    BusinessMessageReject,
    ExecutionReport,
    Header,
    NewOrderSingle,
    OrderCancelReject,
)
from core.fix.rejects import Rejection, RejectReason
from core.fix.shipped import dictionary
from core.fix.unsent import Unsendable
from tests.helpers.fix import NOW, ORDER, order, report, wire

VENUE = venue_dialect()
HEAD = "34=2|49=MM1|52=20231114-22:13:20.000|56=ROMER"


def message(msg_type: str, body: str, head: str = HEAD) -> WireMessage:
    decoded = decode(encode(wire(f"35={msg_type}|{head}|{body}".rstrip("|"))), 100)
    assert isinstance(decoded, WireMessage)
    return decoded


def fault(msg_type: str, body: str, head: str = HEAD) -> tuple[str, int | None]:
    found = VENUE.parse(message(msg_type, body, head))
    assert isinstance(found, Rejection), found
    return str(found.reason), found.ref_tag_id


def test_an_order_is_read_with_its_header() -> None:
    assert VENUE.parse(message("D", ORDER, HEAD + "|43=N|97=Y|122=20231114-22:13:19")) == (
        Header("MM1", "ROMER", 2, NOW, False, True, NOW - 10**9),
        order("a"),
    )


def test_every_field_of_an_order_has_its_type() -> None:
    body = ORDER + "|59=6|126=20231114-22:13:20.5004|1=acc|58=caf\xe9"
    assert fault("D", body) == ("incorrect_format", 126)
    parsed = VENUE.parse(message("D", body.replace(".5004", ".500")))
    assert isinstance(parsed, tuple)
    assert parsed[1] == order("a", time_in_force="6", expire_time=NOW + 500_000_000, account="acc", text="caf\xe9")


def test_a_report_is_written_ascending_without_what_it_does_not_have() -> None:
    assert VENUE.build(report("E-1")) == wire(
        "6=0|14=0|17=E-1|20=0|37=O-1|39=0|54=1|55=BTC/USDT|60=20231114-22:13:20.000|150=0|151=0"
    )


@pytest.mark.parametrize("kind", [*MESSAGES, *ADMIN_MESSAGES], ids=lambda kind: kind.__name__)
def test_every_typed_message_reads_what_it_writes(kind: type[FixMessage]) -> None:
    samples = {"STRING": "x", "DATA": b"x", "INT": 7, "FLOAT": Decimal("1.50"), "BOOLEAN": True, "UTCTIMESTAMP": NOW}
    samples |= {"CHAR": "x", "UTCDATE": "20231114"}
    values = []
    for field in (entry.field for entry in entries_of(kind)):
        allowed = sorted(VENUE.dictionary.fields[field.tag].values)
        values.append(field.kind.convert(allowed[0]) if allowed and field.tag != 372 else samples[field.kind.name])
    built = kind(*values)
    read = VENUE.parse(message(built.msg_type, VENUE.build(built).decode().replace("\x01", "|")))
    assert read == (Header("MM1", "ROMER", 2, NOW), built)


def test_empty_texts_are_left_out() -> None:
    built = VENUE.build(BusinessMessageReject("D", 3, text="é", business_reject_ref_id=""))
    assert built == wire("58=é|372=D|380=3")


@pytest.mark.parametrize("text", ["a\x0139=2", "5 € → é"])
@pytest.mark.parametrize("more", [(), ((115, "X"),)])
def test_no_character_is_smuggled_in_or_lost(text: str, more: Fields) -> None:
    with pytest.raises(Unsendable):
        VENUE.build(OrderCancelReject("O", "c", "o", "0", "1", text=text), more=more)
    with pytest.raises(Unsendable):
        VENUE.build(OrderCancelReject("O", "c", "o", "0", "1"), more=((58, "€"),))


@pytest.mark.parametrize("missing", [11, 21, 55, 54, 60, 40])
def test_an_order_without_a_required_field_is_refused(missing: int) -> None:
    body = "|".join(field for field in ORDER.split("|") if not field.startswith(f"{missing}="))
    assert fault("D", body) == ("required_tag_missing", missing)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (ORDER.replace("38=1.5", "38="), ("tag_without_value", 38)),
        (ORDER + "|7777=", ("tag_without_value", 7777)),
        (ORDER + "|7777=x", ("invalid_tag_number", 7777)),
        (ORDER + "|9001=a|9001=b", ("invalid_tag_number", 9001)),
        (ORDER + "|37=x", ("tag_not_defined", 37)),
        (ORDER + "|386=2|336=A", ("incorrect_group_count", 386)),
        (ORDER.replace("38=1.5", "38=+1.5"), ("incorrect_format", 38)),
        (ORDER.replace("60=2023", "60=23"), ("incorrect_format", 60)),
        (ORDER + "|126=20040415", ("incorrect_format", 126)),
        (ORDER.replace("21=1", "21=4"), ("incorrect_value", 21)),
        (ORDER.replace("40=2", "40=w"), ("incorrect_value", 40)),
        (ORDER + "|59=9", ("incorrect_value", 59)),
        (ORDER + "|40=2", ("repeated_tag", 40)),
        (ORDER + "|10=000", ("repeated_tag", 10)),
        (ORDER + "|34=3", ("tag_out_of_order", 34)),
        ("55=A|" + HEAD + "|11=a", ("tag_out_of_order", 34)),
    ],
)
def test_the_fault_of_an_order_is_named_with_its_tag(body: str, expected: tuple[str, int]) -> None:
    assert fault("D", body, "34=2|49=M|52=20231114-22:13:20|56=R") == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (HEAD.replace("34=2|", ""), ("required_tag_missing", 34)),
        (HEAD.replace("|52=20231114-22:13:20.000", ""), ("required_tag_missing", 52)),
        (HEAD.replace("34=2", "34=two"), ("incorrect_format", 34)),
        (HEAD.replace("34=2", "34="), ("tag_without_value", 34)),
        (HEAD + "|43=X", ("incorrect_format", 43)),
        (HEAD + "|115=", ("tag_without_value", 115)),
        (HEAD + "|56=ROMER", ("repeated_tag", 56)),
    ],
)
def test_the_header_is_held_to_the_same_rules(head: str, expected: tuple[str, int]) -> None:
    assert fault("D", ORDER, head) == expected
    assert fault("5", "", head) == expected


def test_of_two_faults_the_first_in_the_common_order_is_named() -> None:
    wrong_enum_and_missing = ORDER.replace("21=1", "21=4").replace("55=BTC/USDT|", "")
    assert fault("D", wrong_enum_and_missing) == ("required_tag_missing", 55)
    body_before_header = ORDER.replace("38=1.5", "38=x")
    assert fault("D", body_before_header, HEAD + "|43=X") == ("incorrect_format", 43)
    assert fault("D", ORDER.replace("38=1.5", "38=x").replace("21=1", "21=4")) == ("incorrect_value", 21)


def test_types_without_a_typed_message_are_read_as_their_fields() -> None:
    read = VENUE.parse(message("B", "148=h|33=1|58=l", HEAD + "|97=Y|115=x"))
    assert isinstance(read, tuple)
    assert read[1] == GenericMessage("B", ((148, "h"), (33, "1"), (58, "l")), ((97, "Y"), (115, "x")))
    assert [fault(msg_type, "58=x") for msg_type in ("*", "I", "AE", "u", "U1")] == [("invalid_msg_type", None)] * 5


def test_a_generic_message_is_written_in_the_order_of_fix() -> None:
    plain = Dialect(dictionary("FIX.4.2"))
    built = GenericMessage(
        "V",
        ((263, "1"), (262, "r"), (146, "2"), (55, "A"), (65, "x"), (55, "B"), (264, "0"), (267, "1"), (269, "0")),
        ((97, "Y"), (57, "d"), (34, "7"), (43, "Y")),
    )
    assert plain.build(built) == wire("57=d|97=Y|146=2|55=A|65=x|55=B|262=r|263=1|264=0|267=1|269=0")


def test_a_text_of_a_generic_message_cannot_smuggle_fields_in_but_data_holds_anything() -> None:
    built = GenericMessage("B", ((148, "a"), (96, "a\x01b"), (95, "3")))
    assert Dialect(dictionary("FIX.4.2")).build(built) == wire("95=3") + b"96=a\x01b\x01" + wire("148=a")


@pytest.mark.parametrize("reason", RejectReason)
def test_every_reject_reason_has_a_text(reason: RejectReason) -> None:
    rejection = Rejection(reason, 1)
    assert rejection.text
    assert rejection.session_reject_reason("FIX.4.4") in {0, 1, 2, 4, 5, 6, 9, 10, 11, 13, 14, 16, 99}


def test_older_versions_have_no_number_for_some_reasons() -> None:
    rejection = Rejection(RejectReason.INCORRECT_GROUP_COUNT, 386)
    assert [rejection.session_reject_reason(f"FIX.4.{minor}") for minor in range(1, 5)] == [None, None, 16, 16]
    assert Rejection(RejectReason.INVALID_MSG_TYPE).session_reject_reason("FIX.4.1") is None


def test_typed_messages_are_immutable_records_that_travel_as_records_do() -> None:
    for built in (order("a"), report("E-1")):
        kind: type[NewOrderSingle | ExecutionReport] = type(built)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(built), type=kind) == built
