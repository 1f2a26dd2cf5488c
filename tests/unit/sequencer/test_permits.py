"""What a market maker may not do besides what nobody may."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.fix.messages import NewOrderSingle, OrderCancelRequest
from core.identity.records import MakerAdmitted, Permissions, PermissionsChanged
from core.sequencer.permits import Permit
from core.units import SECOND
from tests.helpers.fix import NOW, order


def permit(**permissions: Any) -> Permit:
    """Of MM1, who has logged on with a key."""
    return Permit(MakerAdmitted("MM1", "MM1", b"key", Permissions(**permissions), "logon"))


def cancel() -> OrderCancelRequest:
    return OrderCancelRequest("a-1", "a-2", "BTC/USDT", "1", NOW)


def said(given: Permit, message: NewOrderSingle | OrderCancelRequest, now: int = NOW) -> str:
    refusal = given.objection(message, now)
    return refusal.reason if refusal is not None else ""


def test_without_permissions_the_rules_of_the_venue_are_all_there_is() -> None:
    assert said(permit(), order("a-1")) == said(Permit(), order("a-1")) == ""


@pytest.mark.parametrize(
    ("permissions", "reason"),
    [
        ({"msg_types": ("F",)}, "msg_type_not_permitted"),
        ({"msg_types": ("D", "F")}, ""),
        ({"symbols": ("ETH/USDT",)}, "symbol_not_permitted"),
        ({"symbols": ("BTC/USDT",)}, ""),
        ({"order_quantity_max": Decimal("1.4")}, "quantity_not_permitted"),
        ({"order_quantity_max": Decimal("1.5")}, ""),
    ],
)
def test_an_order_has_to_be_permitted(permissions: dict[str, Any], reason: str) -> None:
    assert said(permit(**permissions), order("a-1")) == reason


def test_an_order_without_a_quantity_is_for_others_to_refuse() -> None:
    assert said(permit(order_quantity_max=Decimal(1)), order("a-1", order_qty=None)) == ""


def test_symbol_and_size_do_not_bind_a_cancel_and_its_type_does() -> None:
    assert said(permit(symbols=(), order_quantity_max=Decimal(0)), cancel()) == ""
    assert said(permit(msg_types=("D",)), cancel()) == "msg_type_not_permitted"


def test_no_second_whenever_it_begins_has_more_messages_than_are_permitted() -> None:
    given = permit(messages_per_second_max=10)
    late = NOW - NOW % SECOND + SECOND * 9 // 10
    times = [late] * 10 + [late + SECOND // 5] * 10 + [late + SECOND] * 10
    assert [said(given, cancel(), now) for now in times] == [""] * 10 + ["rate_exceeded"] * 10 + [""] * 10


def test_who_sends_too_fast_all_the_time_still_gets_through_as_much_as_it_may() -> None:
    given = permit(messages_per_second_max=5)
    passed = [now for now in range(NOW, NOW + 4 * SECOND, SECOND // 20) if said(given, cancel(), now) == ""]
    assert len(passed) == 20


def test_messages_of_all_kinds_count_in_the_second_that_follows() -> None:
    given = permit(messages_per_second_max=2, msg_types=("D",))
    assert [said(given, it) for it in (order("a-1"), cancel(), order("a-3"))] == [
        "",
        "msg_type_not_permitted",
        "rate_exceeded",
    ]
    assert said(given, order("a-4"), NOW + SECOND) == ""


def test_who_is_barred_may_do_nothing_until_it_is_admitted_again_and_has_not_a_fresh_second() -> None:
    given = permit(messages_per_second_max=1)
    assert said(given, order("a-1")) == ""
    given.barred = "MM1 is suspended"
    refusal = given.objection(order("a-2"), NOW)
    assert refusal is not None
    assert (refusal.reason, refusal.text) == ("not_admitted", "MM1 is suspended")
    assert given.admitted is not None
    given.coming = given.admitted
    assert said(given, order("a-3")) == "not_admitted"
    given.open()
    assert said(given, order("a-3")) == "rate_exceeded"
    assert said(given, order("a-4"), NOW + SECOND) == ""


def test_who_was_about_to_log_on_when_it_was_barred_is_not_let_in_by_that() -> None:
    given = permit()
    given.coming = given.admitted
    given.bar("MM1 is suspended")
    given.open()
    assert said(given, order("a-1")) == "not_admitted"


def test_permissions_that_change_bind_the_next_message_and_the_last_second_counts() -> None:
    given = permit()
    assert [said(given, order(f"a-{n}")) for n in range(3)] == ["", "", ""]
    given.change(PermissionsChanged("MM1", Permissions(messages_per_second_max=3)))
    assert said(given, order("a-4")) == "rate_exceeded"
    given.change(PermissionsChanged("MM1", Permissions(symbols=("ETH/USDT",))))
    assert said(given, order("a-5")) == "symbol_not_permitted"
    given.change(PermissionsChanged("MM1", Permissions()))
    assert said(given, order("a-6")) == ""


def test_permissions_that_change_also_bind_who_is_about_to_log_on() -> None:
    given = permit()
    given.coming = given.admitted
    given.change(PermissionsChanged("MM1", Permissions(msg_types=())))
    given.open()
    assert said(given, order("a-1")) == "msg_type_not_permitted"
    given.open()
    assert said(given, order("a-2")) == "msg_type_not_permitted", "opened by nobody who was announced"


def test_permissions_of_another_or_of_who_came_without_a_key_change_nothing() -> None:
    fewer = Permissions(msg_types=())
    for given, name in ((permit(), "MM2"), (Permit(), "MM1")):
        given.change(PermissionsChanged(name, fewer))
        assert said(given, order("a-1")) == ""


def test_permissions_that_change_let_nobody_in_who_is_barred() -> None:
    given = permit()
    given.barred = "MM1 is suspended"
    given.change(PermissionsChanged("MM1", Permissions()))
    assert said(given, order("a-1")) == "not_admitted"
