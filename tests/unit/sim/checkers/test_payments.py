"""Payments: who may pay whom, whole, and what a default costs."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.auction.facts import CommitmentDefaulted, OrderAdded
from core.errors import FactViolated
from core.kernel.record import Effect, Note, Record, Start
from core.market.ledger import Transferred
from core.market.orders import OrderExpired
from sim.checkers import Checkers
from sim.checkers.payments import Payments
from tests.helpers.checkers import ORDER, commitment, violation

RESERVED = Transferred("ETH", Decimal(2), "user:MM1", "order:O-1", "reserve")
DEFAULT = CommitmentDefaulted("C-1", "O-1", "s1", Decimal(50))


def penalty(amount: int, token: str = "USDC") -> Transferred:
    return Transferred(token, Decimal(amount), "bond:s1", "venue:penalties", "penalty")


def promised() -> Payments:
    checker = Payments("USDC", Decimal(50))
    at_once(checker, RESERVED, OrderAdded(1, ORDER), commitment("C-1"))
    return checker


def at_once(checker: Payments, *facts: Record) -> None:
    """All in one delivery."""
    effects: list[Effect] = [Note(fact) for fact in facts]
    Checkers([checker])("venue", 0, "auction", Start(), effects)


def test_a_default_that_costs_its_penalty_is_accepted() -> None:
    at_once(promised(), penalty(50), DEFAULT)


@pytest.mark.parametrize(
    ("facts", "told"),
    [
        ([penalty(1)], "bond:s1 has paid 1, its defaults cost 0"),
        ([DEFAULT], "bond:s1 has paid 0, its defaults cost 50"),
        ([penalty(50), penalty(1), DEFAULT], "bond:s1 has paid 51, its defaults cost 50"),
        ([penalty(50), DEFAULT, penalty(50)], "bond:s1 has paid 100, its defaults cost 50"),
        (
            [penalty(0), CommitmentDefaulted("C-1", "O-1", "s1", Decimal(0))],
            "C-1 costs its solver 0, a default costs 50",
        ),
        ([penalty(50, "ETH"), DEFAULT], "bond:s1 pays in ETH, bonds are in USDC"),
    ],
)
def test_a_bond_that_pays_anything_but_its_penalties_is_caught(facts: list[Record], told: str) -> None:
    checker = promised()
    with pytest.raises(FactViolated, match=told):
        at_once(checker, *facts)


def test_an_order_without_its_owners_input_is_caught() -> None:
    told = violation(Payments("USDC", Decimal(50)), OrderAdded(1, ORDER))
    assert told == "O-1 of MM1 is open without its owner's input"


def test_an_ended_order_that_still_holds_something_is_caught() -> None:
    assert violation(promised(), OrderExpired("O-1", "late")) == "order:O-1 has ended and still holds 2"
