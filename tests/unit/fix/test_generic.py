"""Messages by names: views of their groups, and messages built from nothing."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from core.errors import InputError
from core.fix.dialect import Dialect
from core.fix.generic import GenericMessage, new_message, to_message, view
from core.fix.shipped import dictionary
from tests.helpers.fix import NOW, wire

FIX42 = dictionary("FIX.4.2")
SNAPSHOT = GenericMessage(
    "W", ((262, "r"), (55, "BTC"), (268, "2"), (269, "0"), (270, "1.50"), (269, "1"), (270, "1.6"), (271, "x"))
)


def test_fields_are_found_by_tag_and_by_name_on_their_own_level() -> None:
    body = view(FIX42, SNAPSHOT)
    assert body.text(55) == body.text("Symbol") == body.value("Symbol") == "BTC"
    assert "MDEntryType" not in body
    assert body.value("MDEntryPx") is None
    first, second = body.entries("NoMDEntries")
    assert (first.value("MDEntryPx"), second.text("MDEntryPx")) == (Decimal("1.50"), "1.6")
    assert body.value("NoMDEntries") == 2
    assert SNAPSHOT.get(270) == "1.50"


def test_a_value_of_another_type_or_a_name_that_is_none_is_an_error_that_says_so() -> None:
    body = view(FIX42, SNAPSHOT)
    with pytest.raises(InputError, match=r"MDEntrySize\(271\): no float: b'x' \(it must be a QTY\)"):
        body.entries(268)[1].value("MDEntrySize")
    with pytest.raises(InputError, match="did you mean 'Symbol'"):
        body.text("Symbool")
    with pytest.raises(InputError, match="'Symbol' counts no group here"):
        body.entries("Symbol")


def test_a_message_is_built_by_names_with_nested_groups() -> None:
    body = new_message(FIX42, "NewOrderList")
    body.set("ListID", "L").set("BidType", 3).set("TotNoOrders", 1)
    order = body.add("NoOrders").set("ClOrdID", "a").set("ListSeqNo", 1).set("Symbol", "BTC").set("Side", "1")
    order.set("OrderQty", Decimal("1.50")).set("TransactTime", NOW)
    order.add("NoTradingSessions").set(336, "A")
    order.add("NoTradingSessions").set(336, "B").set(336, "C")
    built = to_message("E", body, [(97, "Y")])
    assert Dialect(FIX42).build(built) == wire(
        "97=Y|66=L|68=1|73=1|11=a|67=1|386=2|336=A|336=C|55=BTC|54=1|60=20231114-22:13:20.000|38=1.50|394=3"
    )
    assert view(FIX42, built).entries(73)[0].entries(386)[1].text(336) == "C"


def test_a_generic_message_travels_as_records_do() -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(SNAPSHOT), type=GenericMessage) == SNAPSHOT
    assert SNAPSHOT.msg_type == "W"
