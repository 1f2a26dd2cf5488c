"""What an order waits for before it can be engaged is said once, and is in its row of `index_orders`."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

from msgspec import structs

from core.collateral.records import COLLATERAL, CollateralAwaited
from core.index.facts import IndexOrderDeferred, IndexOrderMoved
from core.index.reasons import WaitReason
from core.index.records import IndexOrderEnded, IndexOrderFill, Outcome
from core.units import SECOND
from tests.helpers.index_desk import DeskRig, golden_settings, ready_rig

D = Decimal


def waiting(rig: DeskRig) -> list[tuple[str, str]]:
    return [(fact.order_id, fact.reason) for fact in rig.facts(IndexOrderDeferred)]


def test_a_sell_without_tokens_says_so_once_and_stays_open_until_they_come() -> None:
    rig = ready_rig(structs.replace(golden_settings(), client_order_wait_ns=2 * SECOND))
    rig.order("C-1", "2000")
    rig.run(60)
    rig.order("C-2", "1.5", "sell")
    rig.run(90)
    assert waiting(rig) == [("I-2", WaitReason.NO_TOKENS)]
    assert not [fact for fact in rig.facts(IndexOrderMoved) if fact.order_id == "I-2"]
    rig.give_tokens(D("1.5"))
    rig.run(150)
    assert rig.facts(IndexOrderEnded)[-1].outcome is Outcome.REDEEMED
    moves = [(fact.state, fact.step) for fact in rig.facts(IndexOrderMoved) if fact.order_id == "I-2"]
    assert all(one != other for one, other in pairwise(moves))


def test_a_buy_without_a_deposit_says_so_once() -> None:
    rig = ready_rig()
    rig.collateral.paused = True
    rig.order("C-1", "1500")
    rig.run(11)
    for _ in range(2):
        rig.tell(CollateralAwaited("I-1"), COLLATERAL)
    assert waiting(rig) == [("I-1", WaitReason.NO_DEPOSIT)]
    assert not rig.facts(IndexOrderFill)
