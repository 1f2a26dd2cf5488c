from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from core.fix.tags import CxlRejReason, OrdRejReason
from core.market.orders import Order
from core.sequencer.known import KnownIds
from core.sequencer.reasons import Reason, Refusal
from core.sequencer.reported import ReportedOrder
from core.sequencer.validate import LIVE_ORDERS_MAX, Rules, validate, validate_cancel, validate_replace
from core.units import SECOND
from tests.helpers.orders import ETH_USDC, cancel, new_order, reported
from tests.helpers.orders import replace as replace_request

NOW = 1_000 * SECOND
RULES = Rules({"ETH-USDC": ETH_USDC}, 3 * SECOND)


def judged(known: KnownIds | None = None, **changes: Any) -> Order | Refusal:
    return validate(new_order(**changes), RULES, known or KnownIds(), order_id="O-1", owner="MM1", now=NOW)


def accepted(**changes: Any) -> Order:
    order = judged(**changes)
    assert isinstance(order, Order)
    return order


def refused(known: KnownIds | None = None, **changes: Any) -> tuple[Reason, int]:
    refusal = judged(known, **changes)
    assert isinstance(refusal, Refusal)
    assert refusal.text
    return refusal.reason, refusal.ord_rej_reason


def test_a_good_sell_becomes_an_order_with_its_limit() -> None:
    assert judged() == Order(
        order_id="O-1",
        owner="MM1",
        cl_ord_id="c1",
        symbol="ETH-USDC",
        side="sell",
        quantity=Decimal(2),
        limit_price=Decimal(2000),
        sell_token="ETH",
        buy_token="USDC",
        input_amount=Decimal(2),
        min_output=Decimal(4000),
        created_at=NOW,
        valid_until=NOW + 3 * SECOND,
        partially_fillable=True,
        immediate=False,
    )


def test_a_good_buy_gives_at_most_what_its_limit_costs() -> None:
    order = accepted(side="1", order_qty=Decimal("0.001"), price=Decimal("2000.05"))
    assert (order.side, order.sell_token, order.buy_token) == ("buy", "USDC", "ETH")
    assert (order.input_amount, order.min_output) == (Decimal("2.000050"), Decimal("0.001"))


@pytest.mark.parametrize(
    ("changes", "reason", "code"),
    [
        ({"symbol": "BTC-USDC"}, Reason.UNKNOWN_SYMBOL, OrdRejReason.UNKNOWN_SYMBOL),
        ({"side": "5"}, Reason.UNSUPPORTED_SIDE, OrdRejReason.BROKER_OPTION),
        ({"ord_type": "1"}, Reason.UNSUPPORTED_ORD_TYPE, OrdRejReason.BROKER_OPTION),
        ({"time_in_force": "2"}, Reason.UNSUPPORTED_TIME_IN_FORCE, OrdRejReason.BROKER_OPTION),
        ({"order_qty": None}, Reason.MISSING_QUANTITY, OrdRejReason.BROKER_OPTION),
        ({"order_qty": Decimal(0)}, Reason.QUANTITY_NOT_POSITIVE, OrdRejReason.BROKER_OPTION),
        ({"order_qty": Decimal(-1)}, Reason.QUANTITY_NOT_POSITIVE, OrdRejReason.BROKER_OPTION),
        ({"order_qty": Decimal("1000.001")}, Reason.QUANTITY_TOO_LARGE, OrdRejReason.ORDER_EXCEEDS_LIMIT),
        ({"order_qty": Decimal("0.0005")}, Reason.QUANTITY_OFF_LOT, OrdRejReason.BROKER_OPTION),
        ({"price": None}, Reason.MISSING_PRICE, OrdRejReason.BROKER_OPTION),
        ({"price": Decimal(0)}, Reason.PRICE_NOT_POSITIVE, OrdRejReason.BROKER_OPTION),
        ({"price": Decimal(-5)}, Reason.PRICE_NOT_POSITIVE, OrdRejReason.BROKER_OPTION),
        ({"price": Decimal("2000.03")}, Reason.PRICE_OFF_TICK, OrdRejReason.BROKER_OPTION),
        ({"price": Decimal("9" * 28)}, Reason.PRICE_TOO_LARGE, OrdRejReason.ORDER_EXCEEDS_LIMIT),
        ({"time_in_force": "6"}, Reason.MISSING_EXPIRE_TIME, OrdRejReason.BROKER_OPTION),
        ({"time_in_force": "6", "expire_time": NOW}, Reason.EXPIRED, OrdRejReason.TOO_LATE_TO_ENTER),
        ({"cl_ord_id": "c" * 65}, Reason.INVALID_CL_ORD_ID, OrdRejReason.BROKER_OPTION),
    ],
)
def test_an_order_is_refused_by_the_first_rule_it_breaks(
    changes: dict[str, Any], reason: Reason, code: OrdRejReason
) -> None:
    assert refused(**changes) == (reason, code)


INSTRUCTIONS = {
    "ExecInst(18)": {"exec_inst": "G"},
    "MinQty(110)": {"min_qty": Decimal(1)},
    "MaxFloor(111)": {"max_floor": Decimal(1)},
    "MaxShow(210)": {"max_show": Decimal(1)},
    "StopPx(99)": {"stop_px": Decimal(1)},
    "PegDifference(211)": {"peg_difference": Decimal(1)},
    "DiscretionInst(388)": {"discretion_inst": "0"},
    "DiscretionOffset(389)": {"discretion_offset": Decimal(1)},
    "CashOrderQty(152)": {"cash_order_qty": Decimal(1)},
    "OrderQty2(192)": {"order_qty2": Decimal(1)},
    "EffectiveTime(168)": {"effective_time": NOW},
    "ExpireDate(432)": {"expire_date": "20240102"},
    "ExDestination(100)": {"ex_destination": "N"},
    "FutSettDate(64)": {"fut_sett_date": "20240102"},
    "FutSettDate2(193)": {"fut_sett_date2": "20240102"},
    "SymbolSfx(65)": {"symbol_sfx": "WI"},
    "SettlmntTyp(63)": {"settlmnt_typ": "1"},
    "Currency(15)": {"currency": "ETH"},
    "SettlCurrency(120)": {"settl_currency": "EUR"},
    "ForexReq(121)": {"forex_req": True},
}


@pytest.mark.parametrize(("field", "changes"), INSTRUCTIONS.items(), ids=INSTRUCTIONS)
def test_an_instruction_that_the_venue_would_not_carry_out_is_refused_and_named(
    field: str, changes: dict[str, Any]
) -> None:
    known = KnownIds()
    known.open("c1", "O-1")
    request = replace_request("r1", **changes)
    for refusal in (judged(**changes), validate_replace(request, RULES, known, {"O-1": reported()})):
        assert isinstance(refusal, Refusal)
        assert refusal.reason is Reason.UNSUPPORTED_FIELD
        assert refusal.text.startswith(field)


def test_an_instruction_that_asks_for_what_everybody_gets_is_no_fault() -> None:
    assert accepted(settlmnt_typ="0", currency="USDC", settl_currency="USDC", forex_req=False) == accepted()


def test_the_edges_of_every_rule_are_inside() -> None:
    order = accepted(
        cl_ord_id="c" * 64,
        order_qty=Decimal(1000),
        price=Decimal("0.05"),
        time_in_force="6",
        expire_time=NOW + 1,
    )
    assert order.valid_until == NOW + 1


def test_a_buy_worth_less_than_a_unit_of_the_quote_is_refused() -> None:
    pair = replace(ETH_USDC, tick=Decimal("0.0001"))
    rules = Rules({"ETH-USDC": pair}, SECOND)
    message = new_order(side="1", order_qty=Decimal("0.001"), price=Decimal("0.0001"))
    refusal = validate(message, rules, KnownIds(), order_id="O-1", owner="MM1", now=NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is Reason.AMOUNT_TOO_SMALL


@pytest.mark.parametrize(
    ("force", "immediate", "partial"),
    [(None, False, True), ("0", False, True), ("1", False, True), ("3", True, True), ("4", True, False)],
)
def test_time_in_force_says_how_long_an_order_lives(force: str | None, immediate: bool, partial: bool) -> None:
    order = accepted(time_in_force=force)
    assert (order.immediate, order.partially_fillable) == (immediate, partial)
    assert order.valid_until == NOW + 3 * SECOND


def test_a_good_till_date_order_lives_until_its_expire_time() -> None:
    order = accepted(time_in_force="6", expire_time=NOW + 60 * SECOND)
    assert (order.valid_until, order.immediate, order.partially_fillable) == (NOW + 60 * SECOND, False, True)


def test_an_expire_time_without_good_till_date_means_nothing() -> None:
    assert accepted(expire_time=NOW - 1).valid_until == NOW + 3 * SECOND


def test_zeros_that_a_peer_adds_do_not_change_the_order() -> None:
    order = accepted(order_qty=Decimal("2.0000000000000000000000000"), price=Decimal("2000.00000000000000000"))
    assert (str(order.quantity), str(order.limit_price)) == ("2.000", "2000.00")


@pytest.mark.parametrize("digits", range(1, 29))
def test_no_price_however_long_breaks_the_arithmetic(digits: int) -> None:
    for price in (Decimal("9" * digits), Decimal(f"0.{'9' * digits}"), Decimal(f"0.{'0' * (digits - 1)}1")):
        judged(price=price, order_qty=Decimal(1000))
        judged(price=price, order_qty=Decimal("0.001"), side="1")


def test_a_cl_ord_id_in_use_or_just_used_is_a_duplicate() -> None:
    known = KnownIds()
    known.open("c1", "O-9")
    assert refused(known) == (Reason.DUPLICATE_CL_ORD_ID, OrdRejReason.DUPLICATE_ORDER)
    known.end(reported("c1"))
    assert refused(known) == (Reason.DUPLICATE_CL_ORD_ID, OrdRejReason.DUPLICATE_ORDER)


def test_an_owner_has_only_so_many_live_orders() -> None:
    known = KnownIds()
    for n in range(LIVE_ORDERS_MAX):
        known.open(f"d{n}", f"O-{n}")
    assert refused(known) == (Reason.TOO_MANY_ORDERS, OrdRejReason.ORDER_EXCEEDS_LIMIT)


# --- cancels -------------------------------------------------------------------------------------


def with_live_order() -> tuple[KnownIds, dict[str, ReportedOrder]]:
    known = KnownIds()
    known.open("c1", "O-1")
    return known, {"O-1": ReportedOrder(accepted())}


def cancel_refused(verdict: ReportedOrder | Refusal) -> tuple[Reason, int]:
    assert isinstance(verdict, Refusal)
    return verdict.reason, verdict.cxl_rej_reason


def test_a_cancel_finds_its_live_order() -> None:
    known, orders = with_live_order()
    assert validate_cancel(cancel(), known, orders) is orders["O-1"]


def test_a_cancel_of_an_order_nobody_knows_is_refused() -> None:
    known, orders = with_live_order()
    verdict = validate_cancel(cancel(orig="c2"), known, orders)
    assert cancel_refused(verdict) == (Reason.UNKNOWN_ORDER, CxlRejReason.UNKNOWN_ORDER)


def test_a_cancel_of_an_ended_order_is_too_late() -> None:
    known, orders = with_live_order()
    known.end(reported("c1"))
    verdict = validate_cancel(cancel(), known, orders)
    assert cancel_refused(verdict) == (Reason.TOO_LATE, CxlRejReason.TOO_LATE_TO_CANCEL)


def test_a_second_cancel_while_one_is_pending_is_refused() -> None:
    known, orders = with_live_order()
    orders["O-1"].request_cancel("x0")
    verdict = validate_cancel(cancel(), known, orders)
    assert cancel_refused(verdict) == (Reason.CANCEL_PENDING, CxlRejReason.ALREADY_PENDING)


@pytest.mark.parametrize(
    ("cl_ord_id", "reason"), [("c1", Reason.DUPLICATE_CL_ORD_ID), ("x" * 65, Reason.INVALID_CL_ORD_ID)]
)
def test_a_cancel_needs_a_cl_ord_id_of_its_own(cl_ord_id: str, reason: Reason) -> None:
    known, orders = with_live_order()
    assert cancel_refused(validate_cancel(cancel(cl_ord_id), known, orders)) == (reason, CxlRejReason.BROKER_OPTION)
