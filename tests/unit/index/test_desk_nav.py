"""NAV as a series: stated as long as there is something to value, of tokens as they are on the chain."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from msgspec import structs

from core.index.basket import basket_from_quantities
from core.index.facts import HouseValued
from core.index.nav import NavPoint, nav_point
from core.index.records import IndexOrderEnded
from core.index.stock import has_worth, house_quantities
from core.units import SECOND
from tests.helpers.index_desk import ALICE, DeskRig, golden_settings, ready_rig

D = Decimal
INTERVAL = 5


@pytest.fixture
def rig() -> DeskRig:
    """A desk that values every five seconds."""
    return ready_rig(structs.replace(golden_settings(), nav_interval_ns=INTERVAL * SECOND))


def sold(rig: DeskRig) -> None:
    """Let Alice sell all tokens that she has."""
    tokens = rig.chain.balance("IX", ALICE)
    rig.give_tokens(tokens)
    rig.order("S-1", str(tokens), "sell")
    rig.run(60)


def test_nothing_is_stated_while_there_is_nothing_to_value(rig: DeskRig) -> None:
    rig.run(60)
    assert rig.facts(NavPoint) == []
    assert "value" not in rig.timers


def test_a_point_is_stated_of_a_basket_at_mid_prices(rig: DeskRig) -> None:
    rig.order("C-1", "2000")
    rig.run(11)
    rig.order("C-2", "2000")
    rig.run(10)
    first, last = rig.facts(NavPoint)[0], rig.facts(NavPoint)[-1]
    assert first.tokens == 0
    assert last.tokens == pytest.approx(rig.chain.balance("IX", ALICE))
    assert last.nav == pytest.approx(D("8.275862068965517") * 95 + D("0.673575129533678") * D("297.5"))
    assert last.premium is not None
    assert last.premium > 0


def test_nav_goes_on_while_tokens_are_outstanding_and_no_order_is_alive(rig: DeskRig) -> None:
    rig.order("C-1", "2000")
    rig.run(30)
    assert len(rig.facts(IndexOrderEnded)) == 1
    before = len(rig.facts(NavPoint))
    rig.run(20 * INTERVAL)
    assert len(rig.facts(NavPoint)) - before == 20
    times = [point.at for point in rig.facts(NavPoint)]
    assert {later - earlier for earlier, later in pairwise(times)} == {INTERVAL * SECOND}


def test_tokens_are_those_that_the_chain_has_minted_and_what_is_held_is_for_the_backed_ones(rig: DeskRig) -> None:
    rig.chain_silent = 1000
    rig.settings = structs.replace(rig.settings, chain_timeout_ns=20 * SECOND)
    rig.desk.settings = rig.settings
    rig.order("C-1", "2000")
    rig.run(20)
    waiting = rig.facts(NavPoint)[-1]
    assert waiting.tokens == 0
    assert waiting.backed > D("1.8")
    assert waiting.held_value == pytest.approx(waiting.backed * waiting.nav)
    assert waiting.tracking_difference == pytest.approx(0)
    rig.chain_silent = 0
    rig.run(60)
    minted = rig.facts(NavPoint)[-1]
    assert minted.tokens == minted.backed == rig.chain.balance("IX", ALICE)


def test_the_series_ends_when_nothing_is_left_and_begins_again_with_the_next_order() -> None:
    settings = golden_settings()
    limits = structs.replace(settings.limits, min_asset_volley_size=D(0), asset_volley_step_size=D(0))
    rig = ready_rig(structs.replace(settings, limits=limits, nav_interval_ns=INTERVAL * SECOND))
    rig.order("C-1", "2000")
    rig.run(30)
    sold(rig)
    assert not has_worth(rig.desk.state.stock, limits.collateral_tolerance)
    before = len(rig.facts(NavPoint))
    rig.run(60)
    assert len(rig.facts(NavPoint)) == before
    assert "value" not in rig.timers
    rig.order("C-2", "2000")
    rig.run(6)
    assert len(rig.facts(NavPoint)) == before + 1


def test_what_the_house_holds_is_valued_when_no_order_or_token_is_left() -> None:
    settings = golden_settings()
    limits = structs.replace(settings.limits, min_asset_volley_size=D(50))
    rig = ready_rig(structs.replace(settings, limits=limits, nav_interval_ns=INTERVAL * SECOND))
    rig.order("C-1", "100")
    rig.run(30)
    sold(rig)
    assert rig.desk.state.indexes.live["IX"].supply == 0
    before, holdings = len(rig.facts(HouseValued)), len(house_quantities(rig.desk.state.stock))
    assert holdings > 0
    rig.run(2 * INTERVAL)
    assert len(rig.facts(HouseValued)) - before == 2 * holdings


def test_of_tokens_that_are_worth_next_to_nothing_no_difference_is_stated() -> None:
    basket, prices = basket_from_quantities("IX", (("AX", D(1)),)), {"AX": D(100)}

    def point(backed: Decimal) -> NavPoint:
        held = {"AX": D("6e-16")}
        return nav_point(basket, prices, at=1, tokens=D(0), backed=backed, held=held, nothing=D("1e-6"))

    assert point(D("1e-15")).tracking_difference is None
    assert point(D("2e-8")).tracking_difference is not None
    assert point(D("1e-15")).held_value == D("6e-14")
