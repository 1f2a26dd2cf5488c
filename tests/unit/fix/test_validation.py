"""What a dictionary refuses, in which order, and what each setting lets pass."""

from __future__ import annotations

import pytest

from core.fix.codec import encode
from core.fix.dialect import Dialect
from core.fix.generic import GenericMessage, view
from core.fix.messages import NewOrderSingle
from core.fix.rejects import Rejection, RejectReason
from core.fix.shipped import dictionary
from core.fix.validation import Validation
from tests.helpers.fix import ORDER, parsed, wire

HEAD = "34=2|49=MM1|52=20231114-22:13:20|56=ROMER"


def judge(msg_type: str, body: str, head: str = HEAD, **policy: bool) -> tuple[str, int | None] | GenericMessage:
    raw = encode(wire("|".join(part for part in (f"35={msg_type}", head, body) if part)))
    read = Dialect(dictionary("FIX.4.2"), Validation(**policy)).parse(parsed(raw))
    if isinstance(read, Rejection):
        return str(read.reason), read.ref_tag_id
    assert isinstance(read[1], GenericMessage)
    return read[1]


def passes(msg_type: str, body: str, head: str = HEAD, **policy: bool) -> bool:
    return isinstance(judge(msg_type, body, head, **policy), GenericMessage)


@pytest.mark.parametrize("tag", [999, 0, -1, 5000])
def test_a_tag_that_is_in_no_dictionary_is_refused(tag: int) -> None:
    assert judge("B", f"148=h|33=1|58=l|{tag}=x") == ("invalid_tag_number", tag)


def test_a_tag_of_another_message_is_refused() -> None:
    assert judge("B", "148=h|33=1|58=l|21=1") == ("tag_not_defined", 21)
    assert judge("B", "148=h|33=1|58=l|269=0") == ("tag_not_defined", 269)


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        ("18=1 2", None),
        ("18=1 2 q", "incorrect_value"),
        ("18=1  2", "incorrect_format"),
        ("167=BOO", "incorrect_value"),
        ("200=202313", "incorrect_format"),
        ("200=202312", None),
        ("205=32", "incorrect_format"),
        ("126=20231114-22:13:20.123456789", None),
        ("126=20231114-22:13:20.1234", "incorrect_format"),
        ("432=20230229", "incorrect_format"),
        ("432=20240229", None),
        ("44=1e3", "incorrect_format"),
        ("81=00", "incorrect_format"),
        ("114=y", "incorrect_format"),
    ],
)
def test_values_are_held_to_their_types_and_enumerations(field: str, reason: str | None) -> None:
    found = judge("D", f"{ORDER}|{field}".replace("|44=64000.25", "" if field.startswith("44") else "|44=64000.25"))
    assert isinstance(found, GenericMessage) if reason is None else found == (reason, int(field.partition("=")[0]))


@pytest.mark.parametrize("count", ["1", "3", "0", "-2"])
def test_a_group_has_as_many_entries_as_its_count_says(count: str) -> None:
    assert judge("D", f"{ORDER}|386={count}|336=A|336=B") == ("incorrect_group_count", 386)


def test_groups_may_be_empty_and_may_be_last_or_first() -> None:
    assert passes("D", f"386=0|{ORDER}")
    assert passes("D", f"386=2|336=A|336=B|{ORDER}")


def test_nested_groups_are_judged_inside_and_out() -> None:
    orders = "66=L|394=1|68=1|73=1|11=a|67=1|386=2|336=A|336=B|55=S|54=1"
    assert passes("E", orders)
    assert judge("E", orders.replace("386=2", "386=3")) == ("incorrect_group_count", 386)
    assert judge("E", orders.replace("54=1", "54=x")) == ("incorrect_value", 54)
    assert judge("E", orders.replace("|55=S", "")) == ("required_tag_missing", 55)
    assert judge("E", orders.replace("336=B", "336=")) == ("tag_without_value", 336)


def test_of_several_faults_the_first_in_the_common_order_is_named() -> None:
    faults = f"{HEAD}|43=X|115=|21=9|55=S|54=1|60=x|40=2|38=x|38=1|999=1|386=2|336=A|34=3"
    steps = [
        ("tag_out_of_order", 34),
        ("required_tag_missing", 11),
        ("incorrect_format", 43),
        ("tag_without_value", 115),
        ("incorrect_value", 21),
        ("incorrect_format", 38),
        ("repeated_tag", 38),
        ("incorrect_format", 60),
        ("incorrect_group_count", 386),
        ("invalid_tag_number", 999),
    ]
    mended = [
        ("|34=3", ""),
        ("|55", "|11=a|55"),
        ("43=X", "43=Y"),
        ("115=", "115=x"),
        ("21=9", "21=1"),
        ("38=x", "38=2"),
    ]
    mended += [("|38=1|", "|"), ("60=x", "60=20231114-22:13:20"), ("386=2", "386=1"), ("|999=1", "")]
    for step, (old, new) in zip(steps, mended, strict=True):
        assert judge("D", faults, "") == step
        faults = faults.replace(old, new, 1)
    assert passes("D", faults, "")


def test_user_defined_fields_may_be_left_unchecked() -> None:
    assert passes("B", "148=h|33=1|58=l|5000=x|20001=y", validate_user_defined_fields=False)
    assert judge("B", "148=h|33=1|58=l|4999=x", validate_user_defined_fields=False) == ("invalid_tag_number", 4999)


def test_unknown_fields_may_be_allowed_but_not_twice() -> None:
    assert passes("B", "148=h|33=1|58=l|999=x|21=1", allow_unknown_fields=True)
    assert judge("B", "148=h|33=1|58=l|999=x|999=y", allow_unknown_fields=True) == ("repeated_tag", 999)
    assert passes("D", f"{ORDER}|386=3|336=A", allow_unknown_fields=True)


def test_order_and_emptiness_may_be_left_unchecked() -> None:
    assert judge("D", f"{ORDER}|43=Y") == ("tag_out_of_order", 43)
    assert passes("D", f"{ORDER}|43=Y", validate_fields_out_of_order=False)
    assert judge("0", "112=") == ("tag_without_value", 112)
    assert passes("D", f"{ORDER}|58=", validate_fields_have_values=False)


EMPTY = ("58=", "1=", "59=", "18=", "15=", "63=", "110=", "114=", "126=", "200=", "432=", "386=", "354=0|355=")


@pytest.mark.parametrize("field", EMPTY)
def test_an_empty_field_of_any_type_may_pass_and_is_as_if_it_were_not_there(field: str) -> None:
    tag = int(field.rpartition("|")[2][:-1])
    assert judge("D", f"{ORDER}|{field}") == ("tag_without_value", tag)
    generic = judge("D", f"{ORDER}|{field}", validate_fields_have_values=False)
    assert isinstance(generic, GenericMessage)
    assert view(dictionary("FIX.4.2"), generic).value(tag) in (None, "", b"")
    dialect = Dialect(dictionary("FIX.4.2"), Validation(validate_fields_have_values=False), (NewOrderSingle,))
    head = f"35=D|{HEAD}"
    without, empty = (dialect.parse(parsed(encode(wire(f"{head}|{ORDER}{more}")))) for more in ("", f"|{field}"))
    assert isinstance(without, tuple)
    assert empty == without


@pytest.mark.parametrize(
    ("tag", "reason"), [(38, None), (44, None), (11, None), (40, None), (60, ("tag_without_value", 60))]
)
def test_a_typed_message_must_have_those_that_it_cannot_be_without(tag: int, reason: tuple[str, int] | None) -> None:
    dialect = Dialect(dictionary("FIX.4.2"), Validation(validate_fields_have_values=False), (NewOrderSingle,))
    body = "|".join(f"{tag}=" if field.startswith(f"{tag}=") else field for field in ORDER.split("|"))
    read = dialect.parse(parsed(encode(wire(f"35=D|{HEAD}|{body}"))))
    assert ((str(read.reason), read.ref_tag_id) if isinstance(read, Rejection) else None) == reason


def test_a_group_may_have_only_so_many_entries() -> None:
    sessions = "386=3|336=A|336=B|336=C"
    message = parsed(encode(wire(f"35=D|34=2|49=MM1|52=20231114-22:13:20|56=ROMER|{ORDER}|{sessions}")))
    for allowed, unknown in ((3, False), (2, False), (2, True)):
        policy = Validation(group_entries_max=allowed, allow_unknown_fields=unknown)
        read = Dialect(dictionary("FIX.4.2"), policy).parse(message)
        if allowed == 3:
            assert isinstance(read, tuple)
        else:
            assert read == Rejection(RejectReason.INCORRECT_GROUP_COUNT, 386)
