"""What the account holds is told for each asset, and what cannot be compared is said to be unsettled."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.execution.records import AssetHeld, BalancesReported, BalancesWanted, CommissionRateSet
from core.kernel.record import Message, Reply
from core.market.exchange import (
    EXCHANGE,
    Balance,
    ExchangeBalances,
    ExchangeInstruments,
    ExchangeSessionUp,
    ExchangeStatus,
    QueryBalances,
    RateLimit,
    RefusalKind,
)
from core.units import SECOND
from tests.helpers.execution import SETTINGS, Rig, X, Y, order, refusal, state, trade

FILLED = ExchangeStatus.FILLED
ONE = Decimal(1)


def held(x: str, *, settled: bool = True) -> BalancesReported:
    """What the desk is told of an account that holds so much X, and no Y."""
    assets = (AssetHeld("X", ("XUSDC",), Decimal(x), settled), AssetHeld("Y", ("YUSDC",), Decimal(0), True))
    return BalancesReported(assets)


def says(rig: Rig, x: str, call_id: str = "") -> None:
    """The exchange says what the account holds, half of it free."""
    balances = ExchangeBalances((Balance("X", Decimal(x) / 2, Decimal(x) / 2), Balance("USDC", ONE)))
    rig.deliver(Reply(call_id or rig.call_id("balances"), balances))


def test_balances_are_asked_for_until_the_exchange_says_them() -> None:
    rig = Rig()
    rig.deliver(Message("desk", BalancesWanted()))
    assert rig.calls("balances")[-1].body == QueryBalances()
    rig.advance(SETTINGS.reply_timeout_ns)
    rig.reply("balances", refusal(RefusalKind.SERVER))
    rig.advance(2 * SETTINGS.retry_ns)
    says(rig, "3")
    says(rig, "4")
    assert rig.told(BalancesReported) == [held("0"), held("3")]
    assert len(rig.calls("balances")) == 4
    assert rig.timers == {}


def test_balances_are_asked_for_in_every_session() -> None:
    rig = Rig()
    rig.down()
    rig.deliver(Message("desk", BalancesWanted()))
    assert len(rig.calls("balances")) == 1
    rig.up()
    assert rig.told(BalancesReported) == [held("0"), held("0")]


def test_balances_mean_nothing_before_it_is_known_what_is_traded() -> None:
    rig = Rig(up=False)
    rig.deliver(Message(EXCHANGE, ExchangeSessionUp()))
    says(rig, "1")
    rig.reply("instruments", ExchangeInstruments((X, Y)))
    assert rig.told(BalancesReported) == []
    rig.advance(SETTINGS.reply_timeout_ns)
    says(rig, "1")
    assert rig.told(BalancesReported) == [held("1")]


def test_what_was_said_to_an_older_question_is_not_taken_for_the_answer() -> None:
    rig = Rig()
    rig.deliver(Message("desk", BalancesWanted()))
    old = rig.call_id("balances")
    rig.advance(SETTINGS.reply_timeout_ns)
    says(rig, "1")
    rig.deliver(Message("desk", BalancesWanted()))
    says(rig, "7", old)
    says(rig, "2")
    assert rig.told(BalancesReported) == [held("0"), held("1"), held("2")]


@pytest.mark.parametrize("ends", [True, False])
@pytest.mark.parametrize("asked_first", [True, False])
def test_an_asset_is_not_settled_if_an_order_for_it_was_at_the_exchange_meanwhile(
    asked_first: bool, ends: bool
) -> None:
    rig = Rig()
    if asked_first:
        rig.deliver(Message("desk", BalancesWanted()))
    rig.place(order())
    if not asked_first:
        rig.deliver(Message("desk", BalancesWanted()))
    if ends:
        rig.reply("place", state(FILLED, trade("t1", "2")))
    says(rig, "2")
    assert rig.told(BalancesReported)[-1] == held("2", settled=False)


def test_an_asset_is_settled_when_its_orders_had_ended_before_the_question() -> None:
    rig = Rig()
    rig.place(order())
    rig.reply("place", state(FILLED, trade("t1", "2")))
    rig.deliver(Message("desk", BalancesWanted()))
    says(rig, "2")
    assert rig.told(BalancesReported)[-1] == held("2")


def test_an_order_that_waits_in_line_moves_no_balance() -> None:
    rig = Rig(limits=(RateLimit(1, 60 * SECOND),))
    rig.place(order("O-1", of=Y), order("O-2"))
    rig.deliver(Message("desk", BalancesWanted()))
    says(rig, "0")
    assert [one.settled for one in rig.told(BalancesReported)[-1].assets] == [True, False]


def test_an_asset_that_commissions_are_taken_of_is_not_settled_while_any_order_is_at_the_exchange() -> None:
    """The commission may be in what the account holds, and its trade not told yet."""
    rig = Rig()
    rig.place(order())
    rig.reply("place", state(FILLED, trade("t1", "2", fee="0.5", asset="Y")))
    rig.place(order("O-2"))
    rig.deliver(Message("desk", BalancesWanted()))
    says(rig, "2")
    assert [one.settled for one in rig.told(BalancesReported)[-1].assets] == [False, False]


def test_nor_is_one_that_the_desk_says_commissions_may_be_taken_of() -> None:
    rig = Rig()
    rig.deliver(Message("desk", CommissionRateSet("Y", Decimal(600))))
    rig.place(order())
    rig.deliver(Message("desk", BalancesWanted()))
    says(rig, "0")
    assert [one.settled for one in rig.told(BalancesReported)[-1].assets] == [False, False]
