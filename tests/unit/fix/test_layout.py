from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from core.fix.codec import WireMessage, decode, encode
from core.fix.layout import LAYOUTS, Layout, layout_of
from core.fix.messages import BusinessMessageReject, ExecutionReport, Header, NewOrderSingle, OrderCancelReject
from core.fix.rejects import Rejection, RejectReason
from tests.helpers.fix import NOW, ORDER, order, report, wire

HEAD = "34=2|49=MM1|52=20231114-22:13:20.000|56=ROMER"


def message(msg_type: str, body: str, head: str = HEAD) -> WireMessage:
    decoded = decode(encode(wire(f"35={msg_type}|{head}|{body}".rstrip("|"))), 100)
    assert isinstance(decoded, WireMessage)
    return decoded


def fault(msg_type: str, body: str, head: str = HEAD) -> tuple[str, int | None]:
    layout = layout_of(msg_type)
    assert layout is not None
    found = layout.parse(message(msg_type, body, head))
    assert isinstance(found, Rejection), found
    return str(found.reason), found.ref_tag_id


def test_an_order_is_read_with_its_header() -> None:
    assert LAYOUTS["D"].parse(message("D", ORDER, HEAD + "|43=N|97=Y|122=20231114-22:13:19")) == (
        Header("MM1", "ROMER", 2, NOW, False, True, NOW - 10**9),
        order("a"),
    )


def test_every_field_of_an_order_has_its_type() -> None:
    body = ORDER + "|59=6|126=20231114-22:13:20.5004|1=acc|58=caf\xe9"
    assert fault("D", body) == ("incorrect_format", 126)
    parsed = LAYOUTS["D"].parse(message("D", body.replace(".5004", ".500")))
    assert isinstance(parsed, tuple)
    assert parsed[1] == order("a", time_in_force="6", expire_time=NOW + 500_000_000, account="acc", text="caf\xe9")


def test_a_report_is_written_ascending_without_what_it_does_not_have() -> None:
    assert LAYOUTS["8"].build(report("E-1")) == wire(
        "6=0|14=0|17=E-1|20=0|37=O-1|39=0|54=1|55=BTC/USDT|60=20231114-22:13:20.000|150=0|151=0"
    )


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_message_type_reads_what_it_writes(layout: Layout) -> None:
    samples = {"STRING": "x", "INT": 7, "FLOAT": Decimal("1.50"), "BOOLEAN": True, "UTCTIMESTAMP": NOW}
    values = [
        next(iter(field.values)).value if field.values else samples[field.kind.name]
        for field in (entry.field for entry in layout.entries)
    ]
    built = layout.kind(*values)
    read = layout.parse(message(layout.kind.MSG_TYPE, layout.build(built).decode().replace("\x01", "|")))
    assert read == (Header("MM1", "ROMER", 2, NOW), built)


def test_empty_texts_are_left_out_and_soh_cannot_be_smuggled_in() -> None:
    built = LAYOUTS["j"].build(BusinessMessageReject("D", 3, text="a\x0139=2", business_reject_ref_id=""))
    assert built == wire("58=a 39=2|372=D|380=3")


def test_characters_beyond_latin_1_are_written_as_question_marks() -> None:
    assert (
        LAYOUTS["9"]
        .build(OrderCancelReject("O", "c", "o", "0", "1", text="5 € → é"))
        .endswith(wire("58=5 ? ? é|434=1"))
    )


@pytest.mark.parametrize("missing", [11, 21, 55, 54, 60, 40])
def test_an_order_without_a_required_field_is_refused(missing: int) -> None:
    body = "|".join(field for field in ORDER.split("|") if not field.startswith(f"{missing}="))
    assert fault("D", body) == ("required_tag_missing", missing)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (ORDER.replace("38=1.5", "38="), ("tag_without_value", 38)),
        (ORDER + "|7777=", ("tag_without_value", 7777)),
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
    assert fault("G", "", head) == expected


def test_of_two_faults_the_first_in_the_common_order_is_named() -> None:
    wrong_enum_and_missing = ORDER.replace("21=1", "21=4").replace("55=BTC/USDT|", "")
    assert fault("D", wrong_enum_and_missing) == ("required_tag_missing", 55)
    body_before_header = ORDER.replace("38=1.5", "38=x")
    assert fault("D", body_before_header, HEAD + "|43=X") == ("incorrect_format", 43)
    assert fault("D", ORDER.replace("38=1.5", "38=x").replace("21=1", "21=4")) == ("incorrect_value", 21)


def test_unknown_fields_are_ignored_even_when_repeated() -> None:
    assert isinstance(LAYOUTS["D"].parse(message("D", ORDER + "|9001=a|9001=b")), tuple)


def test_types_of_fix_4_2_without_a_typed_message_are_known_by_their_header() -> None:
    for msg_type in ("G", "V", "U1", "UABC"):
        layout = layout_of(msg_type)
        assert layout is not None
        assert isinstance(layout.parse(message(msg_type, "58=x")), tuple)
    assert [layout_of(msg_type) for msg_type in ("*", "I", "AE", "", "u")] == [None] * 5


@pytest.mark.parametrize("reason", RejectReason)
def test_every_reject_reason_has_a_text(reason: RejectReason) -> None:
    rejection = Rejection(reason, 1)
    assert rejection.text
    assert rejection.session_reject_reason in {None, 1, 4, 5, 6, 9, 10, 11}


def test_typed_messages_are_immutable_records_that_travel_as_records_do() -> None:
    for built in (order("a"), report("E-1")):
        kind: type[NewOrderSingle | ExecutionReport] = type(built)
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(built), type=kind) == built
