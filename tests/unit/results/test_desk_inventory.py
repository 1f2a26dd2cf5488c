"""What the table of lots says that nobody's orders own is what the desk has, whatever became of lots."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.execution.records import AssetOrderFilled
from core.index.facts import HouseTraded, LotForgone
from core.index.stock import Stock
from core.kernel.journal import Header
from core.units import EXACT
from sim.desk_simulation import DeskSimulation
from sim.results.desk.pictures import unowned
from sim.results.desk.tables import build_tables
from sim.results.facts import Noted
from sim.scenario.desk import DeskScenario
from sim.scenario.load import load
from tests.helpers.index_desk import ALICE, BOB, DeskRig, golden_settings, ready_rig
from tests.simulation.test_index_scenarios import DAY, SHORT_DAY

D = Decimal
_DIGITS = D("1e-17")
"""Tables have eighteen decimals."""


def on_shelves(stock: Stock) -> dict[str, Decimal]:
    """What the desk has for no order, by asset: what was bought less what was sold."""
    total: dict[str, Decimal] = {}
    for shelf in (stock.carried, stock.house, stock.offered):
        for lots in shelf.values():
            for lot in lots:
                signed = lot.remaining if lot.side == "buy" else -lot.remaining
                total[lot.asset] = EXACT.add(total.get(lot.asset, D(0)), signed)
    return total


def in_tables(notes: list[Noted]) -> dict[str, Decimal]:
    """The same, as the picture has it at its end."""
    held = unowned(build_tables(notes)["lots"].to_pandas())
    return {str(asset): sum(of_asset["change"], D(0)) for asset, of_asset in held.groupby("symbol")}


def agree(notes: list[Noted], stock: Stock) -> None:
    """Both say the same of every asset."""
    said, there = in_tables(notes), on_shelves(stock)
    assert {asset: said.get(asset, D(0)) for asset in {**said, **there}} == {
        asset: pytest.approx(there.get(asset, D(0)), abs=_DIGITS) for asset in {**said, **there}
    }


def noted(rig: DeskRig) -> list[Noted]:
    """What the desk has stated."""
    return [Noted(number, rig.now, "desk", "desk", fact) for number, fact in enumerate(rig.said, 1)]


@pytest.fixture
def rig() -> DeskRig:
    """A desk that has minted tokens for Alice, who has given them into custody."""
    one = ready_rig()
    one.order("C-1", "2000")
    one.run(30)
    one.give_tokens(one.chain.balance("IX", ALICE))
    return one


def test_after_buys_and_sells_of_one_index(rig: DeskRig) -> None:
    rig.order("S-1", "1", "sell")
    rig.order("C-1", "300", user=BOB)
    rig.run(60)
    assert on_shelves(rig.desk.state.stock)
    agree(noted(rig), rig.desk.state.stock)


def test_when_the_house_takes_over_what_no_exchange_would_buy(rig: DeskRig) -> None:
    rig.order("S-1", "0.01", "sell")
    rig.run(60)
    assert rig.facts(HouseTraded)
    agree(noted(rig), rig.desk.state.stock)


def test_when_tokens_are_never_minted_and_their_assets_stay_with_the_house() -> None:
    rig = ready_rig()
    rig.collateral.refuse["spend"] = "unknown"
    rig.order("C-1", "1000")
    rig.run(60)
    assert {fact.symbol for fact in rig.facts(LotForgone)} == {"AX", "AZ"}
    agree(noted(rig), rig.desk.state.stock)


def test_when_the_house_sells_what_it_has_too_much_of() -> None:
    rig = ready_rig(structs.replace(golden_settings(), house_surplus_max=D(1)))
    rig.tell(AssetOrderFilled("B-9", "A-9", "L-99", "AX", "buy", D(100), D(8), D(0)), "execution")
    rig.run(60)
    assert "kept" in {row["step"] for row in build_tables(noted(rig))["lots"].to_pylist()}
    agree(noted(rig), rig.desk.state.stock)


def test_at_the_end_of_a_day() -> None:
    loaded = load(DAY, overrides=SHORT_DAY)
    assert isinstance(loaded.scenario, DeskScenario)
    day = DeskSimulation(loaded.scenario, {}, Header("", 1, b"", ""), lambda _node: None)
    assert day.run(lambda _progress: True)
    state = day.nodes["desk"].kernel.components["desk"].state
    assert state.batches.running == {}
    assert any(on_shelves(state.stock).values())
    agree(day.notes, state.stock)
