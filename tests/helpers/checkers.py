"""Stories for checkers: facts that the market could state, shown as a kernel would."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.auction.facts import CommitmentCreated
from core.errors import FactViolated
from core.kernel.record import Note, Record, Start
from core.market.orders import Order, OrderFilled
from sim.checkers import Checker, Checkers

ORDER = Order(
    order_id="O-1",
    owner="MM1",
    cl_ord_id="MM1-1",
    symbol="ETHUSDC",
    side="sell",
    quantity=Decimal(2),
    limit_price=Decimal(100),
    sell_token="ETH",
    buy_token="USDC",
    input_amount=Decimal(2),
    min_output=Decimal(200),
    created_at=0,
    valid_until=10,
    partially_fillable=True,
    immediate=False,
)


def show(checker: Checker, *facts: Record) -> None:
    """Let the checker watch one delivery per fact, as a kernel would."""
    watch = Checkers([checker])
    for fact in facts:
        watch("venue", 0, "auction", Start(), [Note(fact)])


def violation(checker: Checker, *facts: Record) -> str:
    with pytest.raises(FactViolated) as caught:
        show(checker, *facts)
    assert caught.value.checker == checker.name
    return caught.value.detail


def filled(quantity: str, output: str, leaves: str) -> OrderFilled:
    amount = Decimal(quantity)
    price = Decimal(output) / amount
    return OrderFilled("O-1", "F-1", "C-1", "s1", 1, amount, price, amount, Decimal(output), Decimal(leaves))


def commitment(commitment_id: str) -> CommitmentCreated:
    return CommitmentCreated(commitment_id, 1, "O-1", "s1", "b1", Decimal(2), Decimal(200), 5, 1)
