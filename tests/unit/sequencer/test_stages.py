"""Five stages, from bytes to the answer: syntax, required fields, message type, values, business.

Each table is one stage: a sentence, what is wrong with a message, and what its sender is told. The same rules are
looked at one by one where they are made (tests/unit/fix/test_validation.py, test_validate.py, test_permits.py).
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from core.fix.records import InputIgnored, MessageRejected
from core.identity.records import MakerBarred, Permissions, PermissionsChanged
from core.market.world import StorageRestored, StorageShort
from core.sequencer.facts import (
    CancelRequestRefused,
    OrderRefused,
    OrderSequenced,
    ReplaceRequestRefused,
    StatusRequestRefused,
)
from core.units import SECOND
from tests.helpers.front import BODIES, ORDER, TIME, Fields, Front

REQUIRED = {
    "D": (11, 21, 55, 54, 60, 40),
    "F": (41, 11, 55, 54, 60),
    "G": (41, 11, 21, 55, 54, 60, 40),
    "H": (11, 55, 54),
}


def resealed(raw: bytes) -> bytes:
    """A message whose CheckSum is right again."""
    body = raw[: raw.rindex(b"10=")]
    return body + b"10=%03d\x01" % (sum(body) % 256)


# --- 1: syntax -----------------------------------------------------------------------------------

GARBLED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a CheckSum that is wrong": (lambda raw: raw[:-4] + b"%03d\x01" % ((int(raw[-4:-1]) + 1) % 256), "check_sum"),
    "a CheckSum of two digits": (lambda raw: raw[:-4] + b"07\x01", "check_sum"),
    "a BodyLength that is too small": (
        lambda raw: resealed(raw.replace(b"\x019=1", b"\x019=", 1)),
        "body_length",
    ),
    "MsgType not third": (
        lambda raw: resealed(raw.replace(b"\x0135=D\x0134=2\x01", b"\x0134=2\x0135=D\x01")),
        "first_fields",
    ),
    "a tag that is no number": (lambda raw: resealed(raw.replace(b"\x0121=", b"\x012x=")), "bad_tag"),
    "a field without an equals sign": (lambda raw: resealed(raw.replace(b"\x0121=1", b"\x012111")), "bad_tag"),
}


@pytest.mark.parametrize(("spoil", "reason"), GARBLED.values(), ids=GARBLED)
def test_stage_1_what_is_no_message_is_not_answered_but_counted_and_keeps_its_number_free(
    spoil: Callable[[bytes], bytes], reason: str
) -> None:
    front = Front()
    good = front.compose("D", ORDER)
    bad = spoil(good)
    assert bad != good
    assert front.say_raw(bad) == []
    assert [fact.reason for fact in front.facts(InputIgnored)] == [reason]
    (answer,) = front.say_raw(good)
    assert answer[150] == "0"


# --- 2: required fields --------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "tag"), [(kind, tag) for kind, tags in REQUIRED.items() for tag in (52, *tags)])
def test_stage_2_a_missing_field_is_a_reject_that_names_it(kind: str, tag: int) -> None:
    front = Front()
    (answer,) = front.say(kind, without=tag)
    told = {35: "3", 45: "2", 371: str(tag), 372: kind, 373: "1", 58: "Required tag missing"}
    assert answer.items() >= told.items()
    assert [fact.reason for fact in front.facts(MessageRejected)] == ["required_tag_missing"]


@pytest.mark.parametrize("tag", [49, 56])
def test_stage_2_a_message_of_nobody_is_refused_as_a_matter_of_business(tag: int) -> None:
    front = Front()
    (answer,) = front.say("D", without=tag)
    assert answer.items() >= {35: "j", 45: "2", 372: "D", 380: "5", 379: "c1"}.items()
    assert [fact.reason for fact in front.facts(MessageRejected)] == ["conditionally_required_field_missing"]


# --- 3: message type -----------------------------------------------------------------------------

UNSUPPORTED: dict[str, tuple[str, Fields, Fields, str]] = {
    "FIX 4.2 has no such type": ("ZZ", ORDER, {35: "3", 372: "ZZ", 373: "11"}, "invalid_msg_type"),
    "a quote is not taken": (
        "S",
        {117: "q1", 55: "ETHUSDC"},
        {35: "j", 372: "S", 380: "3"},
        "unsupported_message_type",
    ),
    "a report is for the venue to send": (
        "8",
        {37: "O", 17: "E", 20: "0", 150: "0", 39: "0", 55: "X", 54: "1", 151: "0", 14: "0", 6: "0", 11: "c1"},
        {35: "j", 372: "8", 380: "3", 379: "c1"},
        "unsupported_message_type",
    ),
}


@pytest.mark.parametrize(("kind", "body", "told", "reason"), UNSUPPORTED.values(), ids=UNSUPPORTED)
def test_stage_3_a_type_that_is_not_taken_is_refused_by_its_name(
    kind: str, body: Fields, told: Fields, reason: str
) -> None:
    front = Front()
    (answer,) = front.say(kind, body)
    assert answer.items() >= ({45: "2"} | told).items()
    assert [fact.reason for fact in front.facts(MessageRejected)] == [reason]


STATUS_OF_SECURITY: Fields = {324: "q1", 55: "ETHUSDC", 263: "0"}


@pytest.mark.parametrize("is_known", [False, True], ids=["of a new shape", "of a shape that was seen"])
@pytest.mark.parametrize(
    "wrong",
    [{263: "Z"}, {263: ""}, {9999: "1"}, {44: "x"}, {44: "1"}],
    ids=lambda wrong: str(next(iter(wrong.items()))),
)
def test_stage_3_comes_before_stage_4(wrong: Fields, *, is_known: bool) -> None:
    front = Front()
    if is_known:
        front.say("e", STATUS_OF_SECURITY)
    (answer,) = front.say("e", STATUS_OF_SECURITY | wrong)
    assert answer.items() >= {35: "j", 372: "e", 380: "3"}.items()
    assert {fact.reason for fact in front.facts(MessageRejected)} == {"unsupported_message_type"}


def test_stage_2_comes_before_stage_3() -> None:
    (answer,) = Front().say("e", STATUS_OF_SECURITY | {263: "Z"}, without=324)
    assert answer.items() >= {35: "3", 371: "324", 373: "1"}.items()


# --- 4: values -----------------------------------------------------------------------------------

VALUES: dict[str, tuple[dict[int, str], str, int, int, str]] = {
    "a Side that FIX has not": ({54: "Z"}, "", 54, 5, "incorrect_value"),
    "an OrdType that FIX has not": ({40: "~"}, "", 40, 5, "incorrect_value"),
    "a TimeInForce that FIX has not": ({59: "9"}, "", 59, 5, "incorrect_value"),
    "a HandlInst that FIX has not": ({21: "4"}, "", 21, 5, "incorrect_value"),
    "an OrderQty that is no number": ({38: "many"}, "", 38, 6, "incorrect_format"),
    "a Price with an exponent": ({44: "1e3"}, "", 44, 6, "incorrect_format"),
    "a TransactTime that is no time": ({60: "yesterday"}, "", 60, 6, "incorrect_format"),
    "an ExpireTime on a day that there is not": ({126: "20240230-10:00:00"}, "", 126, 6, "incorrect_format"),
    "a ClOrdID without value": ({11: ""}, "", 11, 4, "tag_without_value"),
    "a tag that FIX has not": ({}, "4999=x", 4999, 0, "invalid_tag_number"),
    "a tag of another message": ({}, "41=c0", 41, 2, "tag_not_defined"),
}


@pytest.mark.parametrize(("change", "more", "tag", "number", "reason"), VALUES.values(), ids=VALUES)
def test_stage_4_a_value_that_cannot_be_is_a_reject_that_names_its_field(
    change: Fields, more: str, tag: int, number: int, reason: str
) -> None:
    front = Front()
    (answer,) = front.say("D", ORDER | change, more=more)
    assert answer.items() >= {35: "3", 45: "2", 371: str(tag), 372: "D", 373: str(number)}.items()
    assert [fact.reason for fact in front.facts(MessageRejected)] == [reason]


# --- 5: business ---------------------------------------------------------------------------------

REFUSED_ORDERS: dict[str, tuple[Fields, str, str]] = {
    "a Symbol that is not traded": ({55: "BTCUSDC"}, "1", "unknown_symbol"),
    "a Side that is neither Buy nor Sell": ({54: "5"}, "0", "unsupported_side"),
    "an OrdType that is not Limit": ({40: "1"}, "0", "unsupported_ord_type"),
    "a TimeInForce at the opening": ({59: "2"}, "0", "unsupported_time_in_force"),
    "a good-till-date order without date": ({59: "6"}, "0", "missing_expire_time"),
    "a good-till-date order that is over": ({59: "6", 126: TIME}, "4", "expired"),
    "no OrderQty": ({38: "-"}, "0", "missing_quantity"),
    "an OrderQty of zero": ({38: "0"}, "0", "quantity_not_positive"),
    "an OrderQty below zero": ({38: "-1"}, "0", "quantity_not_positive"),
    "an OrderQty off the lot": ({38: "0.00005"}, "0", "quantity_off_lot"),
    "an OrderQty above the pair's maximum": ({38: "1000.0001"}, "3", "quantity_too_large"),
    "no Price": ({44: "-"}, "0", "missing_price"),
    "a Price of zero": ({44: "0"}, "0", "price_not_positive"),
    "a Price off the tick": ({44: "1990.005"}, "0", "price_off_tick"),
    "a Price that nobody could count": ({44: "9" * 28}, "3", "price_too_large"),
    "a ClOrdID of a live order": ({11: "live"}, "6", "duplicate_cl_ord_id"),
    "a ClOrdID that is too long": ({11: "c" * 65}, "0", "invalid_cl_ord_id"),
}


@pytest.mark.parametrize(("change", "code", "reason"), REFUSED_ORDERS.values(), ids=REFUSED_ORDERS)
def test_stage_5_an_order_that_breaks_a_rule_is_rejected_by_a_report(change: Fields, code: str, reason: str) -> None:
    front = Front()
    front.open_order()
    body = {tag: value for tag, value in (ORDER | change).items() if value != "-"}
    (answer,) = front.say("D", body)
    told = {35: "8", 39: "8", 150: "8", 103: code, 11: body[11], 151: "0", 14: "0", 20: "0"}
    assert answer.items() >= told.items()
    assert answer[58].startswith(f"{reason}: ")
    assert [fact.reason for fact in front.facts(OrderRefused)] == [reason]


REFUSED_REQUESTS: dict[str, tuple[str, Fields, str, str]] = {
    "a cancel of an order that there is not": ("F", {41: "c9"}, "1", "unknown_order"),
    "a cancel with a ClOrdID of before": ("F", {11: "live"}, "2", "duplicate_cl_ord_id"),
    "a replace of an order that there is not": ("G", {41: "c9"}, "1", "unknown_order"),
    "a replace with another Symbol": ("G", {55: "BTCUSDC"}, "2", "unsupported_change"),
    "a replace with another Side": ("G", {54: "1"}, "2", "unsupported_change"),
    "a replace with another OrdType": ("G", {40: "1"}, "2", "unsupported_change"),
    "a replace off the tick": ("G", {44: "1990.005"}, "2", "price_off_tick"),
    "a replace off the lot": ("G", {38: "0.00005"}, "2", "quantity_off_lot"),
    "a replace above the pair's maximum": ("G", {38: "1001"}, "2", "quantity_too_large"),
}


@pytest.mark.parametrize(("kind", "change", "code", "reason"), REFUSED_REQUESTS.values(), ids=REFUSED_REQUESTS)
def test_stage_5_a_request_that_breaks_a_rule_is_rejected_as_a_request(
    kind: str, change: Fields, code: str, reason: str
) -> None:
    front = Front()
    front.open_order()
    (answer,) = front.say(kind, BODIES[kind] | change)
    assert answer.items() >= {35: "9", 102: code, 434: "1" if kind == "F" else "2"}.items()
    assert answer[58].startswith(f"{reason}: ")
    assert [fact.reason for fact in front.facts(CancelRequestRefused, ReplaceRequestRefused)] == [reason]


def test_stage_5_a_question_about_an_order_that_there_is_not_is_answered_with_a_rejected_status() -> None:
    front = Front()
    (answer,) = front.say("H")
    assert answer.items() >= {35: "8", 20: "3", 37: "NONE", 39: "8", 150: "8", 103: "5", 11: "live"}.items()
    assert answer[58].startswith("unknown_order: ")
    assert [fact.reason for fact in front.facts(StatusRequestRefused)] == ["unknown_order"]


def reasons(front: Front) -> list[str]:
    """Of everything that the sequencer has refused."""
    kinds = OrderRefused, CancelRequestRefused, ReplaceRequestRefused, StatusRequestRefused
    return [str(fact.reason) for fact in front.facts(*kinds)]


PERMITTED: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "message types bind everything": (
        {"msg_types": ("D",)},
        {"F": "msg_type_not_permitted", "G": "msg_type_not_permitted", "H": "msg_type_not_permitted"},
    ),
    "symbols bind what is new": ({"symbols": ()}, {"D": "symbol_not_permitted", "G": "symbol_not_permitted"}),
    "the largest order binds what is new": (
        {"order_quantity_max": Decimal("0.4")},
        {"D": "quantity_not_permitted", "G": "quantity_not_permitted"},
    ),
    "the rate binds everything": (
        {"messages_per_second_max": 1},
        dict.fromkeys("DFGH", "rate_exceeded"),
    ),
}


@pytest.mark.parametrize(("permissions", "refused"), PERMITTED.values(), ids=PERMITTED)
@pytest.mark.parametrize("kind", BODIES)
def test_stage_5_what_is_not_permitted_is_refused_each_kind_in_its_way(
    kind: str, permissions: dict[str, Any], refused: dict[str, str]
) -> None:
    front = Front(Permissions())
    front.open_order()
    front.tell("sequencer", PermissionsChanged("MM1", Permissions(**permissions)))
    (answer,) = front.say(kind)
    reason = refused.get(kind)
    assert reasons(front) == ([reason] if reason else [])
    if reason:
        assert answer[35] == {"D": "8", "F": "9", "G": "9", "H": "j"}[kind]
        assert answer[58].startswith(f"{reason}: ")


def test_stage_5_whoever_is_barred_hears_so_whatever_it_sends() -> None:
    front = Front(Permissions())
    front.open_order()
    front.tell("sequencer", MakerBarred("MM1", "MM1", "suspended"))
    answers = [front.say(kind)[0] for kind in BODIES]
    assert [answer[35] for answer in answers] == ["8", "9", "9", "j"]
    assert {answer[58] for answer in answers} == {"not_admitted: MM1 is suspended"}


# --- what counts -----------------------------------------------------------------------------------


def test_every_message_that_reaches_stage_5_counts_in_its_second_and_no_other_does() -> None:
    front = Front(Permissions(messages_per_second_max=3))
    front.say("D", without=11)
    front.say("ZZ", ORDER)
    front.say("D", ORDER | {38: "many"})
    front.say_raw(front.compose("D", ORDER)[:-4] + b"000\x01")
    front.number -= 1
    front.say("D", ORDER | {38: "0"})
    front.tell("sequencer", StorageShort("full"))
    front.say("D")
    front.tell("sequencer", StorageRestored())
    front.say("H")
    front.say("D")
    assert reasons(front) == ["quantity_not_positive", "storage_full", "unknown_order", "rate_exceeded"]
    front.now += SECOND
    assert front.say("D")[0][150] == "0"


def test_a_refused_order_leaves_its_cl_ord_id_free_and_an_accepted_one_does_not() -> None:
    front = Front()
    front.say("D", ORDER | {38: "0"})
    front.say("D")
    front.say("D")
    assert reasons(front) == ["quantity_not_positive", "duplicate_cl_ord_id"]
    assert len(front.facts(OrderSequenced)) == 1


def test_an_instruction_that_is_not_carried_out_is_refused_on_the_wire_and_what_only_informs_is_not() -> None:
    front = Front()
    refused = front.say("D", ORDER | {110: "0.1"})[0]
    assert (refused[150], refused[103], refused[58]) == (
        "8",
        "0",
        "unsupported_field: MinQty(110) is not honoured here: send the order without it",
    )
    informs = {1: "desk", 47: "A", 58: "hello", 77: "O", 109: "client", 167: "FOR", 203: "1", 63: "0", 15: "USDC"}
    assert front.say("D", ORDER | informs)[0][150] == "0"
