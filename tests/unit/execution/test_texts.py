"""What an exchange calls so that nobody can write it, or without end, is not kept: trades so called are disputed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec.structs import replace

from core.execution.facts import ExecutionUnexpected
from core.execution.records import AssetOrderFilled, ExchangeRulesReported
from core.kernel.codec import encode
from core.kernel.record import Message
from core.market.exchange import (
    EXCHANGE,
    ExchangeExecution,
    ExchangeInstruments,
    ExchangeSessionDown,
    ExchangeStatus,
    RefusalKind,
)
from tests.helpers.execution import Rig, X, order, refusal, trade

BAD = ["\ud800", "t\udfff", "x" * 257]
ONE, TWO = Decimal(1), Decimal(2)


def written(rig: Rig) -> None:
    """All that there is, and all that was said, can be written down."""
    rig.execution.snapshot()
    encode(rig.effects)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("ended", [False, True])
def test_a_trade_of_such_an_id_or_commission_is_disputed_and_not_booked(bad: str, ended: bool) -> None:
    rig = Rig()
    rig.place(order())
    if ended:
        rig.execution_report(ExchangeStatus.EXPIRED, None, "0")
    for each in (trade(bad, "1"), trade("t2", "1", fee="0.1", asset=bad)):
        for _ in range(2):
            rig.execution_report(ExchangeStatus.PARTIALLY_FILLED, each, "1")
    assert rig.told(AssetOrderFilled) == []
    whys = [fact.why for fact in rig.facts(ExecutionUnexpected) if fact.trade_id]
    assert whys == ["its id, or what its commission was taken in, is no name that could be kept"] * 2
    written(rig)


@pytest.mark.parametrize("bad", BAD)
def test_what_is_said_of_an_order_of_such_a_name_is_stated_as_far_as_it_can_be(bad: str) -> None:
    rig = Rig()
    said = ExchangeExecution(bad, bad, "buy", ExchangeStatus.FILLED, bad, ONE, ONE, ONE, ONE)
    rig.deliver(Message(EXCHANGE, said))
    assert len(rig.facts(ExecutionUnexpected)) == 1
    written(rig)


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("field", ["symbol", "base", "quote"])
def test_an_instrument_of_such_a_name_is_not_traded(bad: str, field: str) -> None:
    rig = Rig()
    rig.reply("instruments", ExchangeInstruments((X, replace(X, **{field: bad}))))
    assert rig.execution.state.instruments == {X.symbol: X}
    assert rig.told(ExchangeRulesReported)[-1].instruments == (X,)
    written(rig)


@pytest.mark.parametrize("bad", BAD)
def test_reasons_are_stated_as_far_as_they_can_be(bad: str) -> None:
    rig = Rig()
    rig.place(order())
    rig.reply("place", refusal(RefusalKind.ORDER_VALIDATION, bad))
    [(_, reason, left)] = rig.ends()
    assert (reason.startswith("refused:"), left) == (True, TWO)
    rig.deliver(Message(EXCHANGE, ExchangeSessionDown(bad)))
    written(rig)
