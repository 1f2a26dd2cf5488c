"""Payments that are paid back and cash that is taken back, in the middle of random lives: the books hold as ever."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from core.collateral.facts import CollateralMoved
from core.collateral.records import (
    CollateralRepaid,
    CollateralSpent,
    ProceedsTakenBack,
    RepayCollateral,
    TakeBackProceeds,
)
from core.kernel.record import Message
from core.market.ledger import WORLD
from core.units import EXACT
from tests.helpers.hops import World
from tests.property.test_collateral import AMOUNTS, COUNTS, MINUTE, PARTS, STEPS, USERS, Step, worlds


def repaying(nth: int, part: str) -> Step:
    """What an order has paid was for nothing: it is paid back, and sent home if that is enough."""

    def step(world: World) -> object:
        spent = [said for said in world.told() if isinstance(said, CollateralSpent)][-4:]
        if not spent:
            return None
        paid = spent[nth % len(spent)]
        user = paid.position.user
        world.deliver(Message("desk", RepayCollateral(paid.order_id, user, "IX", paid.amount)))
        return world.refund(paid.payment_id, paid.order_id, user, least=str(paid.amount * Decimal(part)))

    return step


def taking_back(number: int, amount: str, user: str) -> Step:
    """The cash of a sale is held, if it was not before, and then the sale comes to nothing."""

    def step(world: World) -> object:
        world.hold(amount, f"S-{number}", user)
        return world.deliver(Message("desk", TakeBackProceeds(f"S-{number}", user)))

    return step


UNDONE = st.one_of(
    STEPS,
    STEPS,
    st.builds(repaying, COUNTS, PARTS),
    st.builds(taking_back, COUNTS, AMOUNTS, USERS),
)


def moved(world: World, what: str) -> list[Decimal]:
    return sorted(fact.amount for fact in world.facts(CollateralMoved) if fact.what == what)


def answered(world: World, kind: type[Any]) -> list[Decimal]:
    return sorted(said.amount for said in world.told() if isinstance(said, kind))


@given(worlds(), st.lists(UNDONE, min_size=15, max_size=50))
def test_what_is_paid_back_or_taken_back_is_told_booked_and_stated_once(world: World, steps: list[Step]) -> None:
    for step in steps:
        step(world)
    world.heal()
    world.advance(world.now + 60 * MINUTE)
    assert moved(world, "repaid") == answered(world, CollateralRepaid)
    assert moved(world, "taken_back") == answered(world, ProceedsTakenBack)
    stated: dict[str, Decimal] = {}
    for fact in world.facts(CollateralMoved):
        to = f"{fact.user}/{fact.side}/{fact.state}@{fact.destination}"
        was = f"{fact.user}/{fact.side}/{fact.was}@{fact.source}" if fact.was else WORLD
        stated[to] = EXACT.add(stated.get(to, Decimal(0)), fact.amount)
        stated[was] = EXACT.subtract(stated.get(was, Decimal(0)), fact.amount)
    ledger = {name: tokens["USDC"] for name, tokens in world.collateral.state.books.ledger.balances.items()}
    assert {name: amount for name, amount in stated.items() if amount} == {
        name: amount for name, amount in ledger.items() if amount
    }
