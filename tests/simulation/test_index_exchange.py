"""An index desk at an exchange that has limits, filters and no credit: it spends what it has, and loses no order."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import sim
from core.execution.facts import ExchangeOrderSent, ExchangeOrderUntold
from core.execution.records import AssetOrderEnded, AssetOrderFilled
from core.index.facts import (
    CommissionUnpriced,
    HouseTraded,
    IndexBatchOpened,
    IndexOrderDeferred,
    InventoryDiffered,
    InventoryReconciled,
    OrdersCrossed,
)
from core.index.invoices import MintInvoice
from core.index.planning import PlanReason
from core.index.records import IndexOrderAccepted, IndexOrderEnded, Outcome
from core.kernel.journal import Header
from core.kernel.record import Record
from sim.desk_simulation import DeskSimulation
from sim.results.desk.summary import DeskSummary
from sim.scenario.desk import DeskScenario
from sim.scenario.load import load

SBE = Path(sim.__file__).parents[1] / "scenarios" / "index_sbe.toml"
DAY = SBE.with_name("index_day.toml")
CORRECTED = ("desk.limits.mode=corrected", "exchange.script=[]")


def ran(path: Path, *overrides: str) -> DeskSimulation:
    """The scenario, run to its end under all checkers."""
    loaded = load(path, seed=1, overrides=overrides)
    assert isinstance(loaded.scenario, DeskScenario)
    simulation = DeskSimulation(loaded.scenario, {}, Header("", 1, b"", ""), lambda _node: None)
    simulation.run(lambda _progress: True)
    return simulation


def facts(simulation: DeskSimulation, kind: type[Record]) -> list[Any]:
    """What was noted of that kind."""
    return [noted.fact for noted in simulation.notes if isinstance(noted.fact, kind)]


def changed(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """The scenario with other text."""
    text = SBE.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "changed.toml"
    path.write_text(text)
    return path


WIDE = 12
"""Assets of an index whose batches are larger than the exchange takes at a time."""


def wide(tmp_path: Path, limit: int) -> Path:
    """The scenario with an index of many assets, and three users who want it."""
    names = [f"Q{n}" for n in range(WIDE)]
    book = "book = { bids = [['9', '100000']], asks = [['10', '100000']] }"
    assets = "\n".join(f'[[asset]]\nsymbol = "{name}"\n{book}\n' for name in names)
    weights = ", ".join(f'{name} = "1"' for name in names)
    text = SBE.read_text()
    head = text[: text.index("[exchange]")]
    tail = text[text.index("[[chain]]") :]
    tail = tail[: tail.index("[[user]]")]
    people = "\n".join(
        f'[[user]]\nid = "u{n}"\n[[step]]\nat = "1s"\ndo = "deposit"\nuser = "u{n}"\namount = "1000"\n'
        f'[[step]]\nat = "{2 + n}s"\ndo = "buy"\nuser = "u{n}"\norder = "C"\nindex = "IX"\namount = "1000"\n'
        for n in range(3)
    )
    index = f'[[index]]\nsymbol = "IX"\nweights = {{ {weights} }}\ndestinations = ["T3:D3:C3"]\n'
    limits = f'[exchange]\n[[exchange.limit]]\norders = {limit}\nperiod = "10s"\n'
    path = tmp_path / "wide.toml"
    path.write_text(f"{head}{limits}{assets}{index}{tail}{people}")
    return path


@pytest.mark.parametrize("limit", [WIDE, WIDE + 3, 5])
def test_no_exchange_order_is_lost_to_the_limits_of_the_exchange(tmp_path: Path, limit: int) -> None:
    """5 orders of 81 assets once lost three of four exchange orders to 100 in 10 s."""
    simulation = ran(wide(tmp_path, limit), "desk.limits.mode=corrected", "desk.max_batch_size=1", "run.duration=5m")
    assert set(Counter(each.reason for each in facts(simulation, AssetOrderEnded))) == {"filled"}
    assert [each.outcome for each in facts(simulation, IndexOrderEnded)] == [Outcome.MINTED] * 3
    assert len(facts(simulation, IndexBatchOpened)) >= 3


@pytest.mark.parametrize("coarse", ['quantity_min = "100"', 'step = "1000"'])
def test_a_small_order_cannot_make_the_desk_buy_what_it_may_not_hold(tmp_path: Path, coarse: str) -> None:
    path = changed(tmp_path, ('symbol = "AX"\n', f'symbol = "AX"\n{coarse}\n'), ('["110", "30"]', '["100.5", "9000"]'))
    simulation = ran(path, *CORRECTED, "desk.limits.house_exposure_max=50")
    assert facts(simulation, AssetOrderFilled) == []
    reasons = {(each.reason, each.asset) for each in facts(simulation, IndexOrderDeferred)}
    assert reasons <= {(PlanReason.HOUSE_EXPOSURE, "AX"), (PlanReason.NO_LIQUIDITY, "AX")}
    assert reasons
    assert facts(simulation, HouseTraded) == []


def test_collateral_that_hops_have_brought_is_what_the_account_can_spend() -> None:
    """Without credit, and with nothing in the account at first."""
    simulation = ran(SBE, *CORRECTED, "exchange.credit=false", "desk.limits.fee_factor=1.002")
    ends = Counter(each.reason for each in facts(simulation, AssetOrderEnded))
    assert ends["filled"] >= 4
    too_much = {"refused:-2010", "unsendable:circuit_open"}
    assert ends.keys() <= {"filled", "expired", *too_much}, "padding may ask for more than there is, in the end"
    assert [each.outcome for each in facts(simulation, IndexOrderEnded)] == [Outcome.MINTED]
    spent = -simulation.exchange.account.balances["C1"]
    assert Decimal(3000) < spent < Decimal("3450.949252"), "no more than hops have brought"


def test_what_the_account_cannot_pay_with_its_fee_is_refused() -> None:
    simulation = ran(SBE, *CORRECTED, "exchange.credit=false", "exchange.taker_bps=9000")
    assert "refused:-2010" in {each.reason for each in facts(simulation, AssetOrderEnded)}
    assert simulation.exchange.account.balances.get("C1", Decimal(0)) > Decimal("-3450.949252")


@pytest.mark.parametrize("latency_ms", [1_600, 4_000])
def test_an_exchange_that_answers_later_than_it_is_waited_for_leaves_nothing_open(latency_ms: int) -> None:
    """Answers are waited for 3 s. With a round trip of 3.2 s, what became of an order that was lost was never known:
    its batch went on for ever, and its collateral with it."""
    short = ("run.duration=90s", "run.drain=6m", "desk.order_expiry=2m")
    simulation = ran(DAY, *short, f"exchange.latency={latency_ms}ms", "exchange.faults.lost_requests=100")
    ended = facts(simulation, AssetOrderEnded)
    assert {each.order_id for each in facts(simulation, ExchangeOrderSent)} <= {each.order_id for each in ended}
    assert {"filled", "lost"} <= {each.reason for each in ended}
    users = Counter(each.outcome for each in facts(simulation, IndexOrderEnded))
    assert users.total() == len(facts(simulation, IndexOrderAccepted))
    assert users[Outcome.MINTED] > 2
    asked = Counter(each.order_id for each in facts(simulation, ExchangeOrderUntold))
    assert max(asked.values()) <= 6


NEW_WEIGHTS = """
[[step]]
at = "90s"
do = "weights"
index = "IX"
weights = { AX = "0.2", AZ = "0.8" }
"""


def test_what_the_house_cannot_pay_for_is_in_summary_report_and_notes(tmp_path: Path) -> None:
    """Sold at the bids, what is held does not bring what the new basket costs at the asks."""
    deep = (('["100", "20"]', '["100", "200"]'), ('["90", "10"]', '["90", "100"]'))
    path = changed(tmp_path, *deep)
    path.write_text(path.read_text() + NEW_WEIGHTS)
    given = ("run.duration=300s", "desk.rebalance_interval=0s", "desk.rebalance_window=60s", "exchange.credit=false")
    result = sim.run(path, overrides=[*CORRECTED, *given], out=tmp_path)
    assert isinstance(result.outcome, DeskSummary)
    (blocked,) = result.outcome.blocked
    assert (blocked.side, blocked.asset, blocked.symbol, blocked.reason) == ("buy", "AZ", "IX", "refused:-2010")
    assert blocked.value == blocked.quantity * 303
    assert not blocked.over
    told = f"could not buy {blocked.quantity:,.8f} AZ for IX, worth {blocked.value:,.6f} (refused:-2010)"
    assert told in str(result)
    assert result.dir is not None
    assert told in (result.dir / "report.html").read_text()
    assert result.table("notes")["kind"].to_pylist().count("HouseTaskBlocked") == 1


@pytest.mark.parametrize("mode", ["corrected", "reference"])
@pytest.mark.parametrize("asset", ["AX", "AZ"])
def test_commissions_of_an_asset_that_is_held_are_no_difference(asset: str, mode: str) -> None:
    """Under all checkers: what is owned is accounted for, and nobody's tokens lack anything."""
    given = (f"exchange.commission={asset}", f"desk.limits.mode={mode}", "run.duration=120s")
    simulation = ran(SBE, *CORRECTED, *given)
    other = {"AX": "AZ", "AZ": "AX"}[asset]
    taken = [each for each in facts(simulation, AssetOrderFilled) if each.taken]
    assert {(each.symbol, each.taken_symbol) for each in taken} == {(other, asset)}
    assert facts(simulation, InventoryReconciled)
    assert facts(simulation, InventoryDiffered) == facts(simulation, CommissionUnpriced) == []
    (invoice,) = facts(simulation, MintInvoice)
    assert abs(invoice.exchange_fee / invoice.assets_value - Decimal("0.001")) < Decimal("0.0002")


MOVING = """
[[exchange.outage]]
at = "24s"
span = "20s"

[[asset]]
symbol = "A"
flow = { price = { start = "100", volatility_bps = 1500, tick = "25s" }, quantity = "1000", spread_bps = 2 }

[[index]]
symbol = "IX"
weights = { A = "1" }
destinations = ["T3:D3:C3"]

"""
"""A market that moves every 25 s, and an outage when it does for the first time."""


@pytest.mark.parametrize("span", ["3s", "20s"])
def test_users_do_not_meet_at_a_price_from_before_an_outage(tmp_path: Path, span: str) -> None:
    """Neither while it lasts nor when it is over, however long the market is quiet then."""
    text = SBE.read_text()
    head, way = text[: text.index("[exchange]")], text[text.index("[[chain]]") : text.index("[[user]]")]
    people = "".join(f'[[user]]\nid = "{user}"\nchain = "1"\n' for user in ("u0", "u1"))
    steps = [
        ("2s", "deposit", 'user = "u0"\namount = "400"'),
        ("2s", "buy", 'user = "u0"\norder = "B0"\nindex = "IX"\namount = "400"'),
        ("26s", "deposit", 'user = "u1"\namount = "400"'),
        ("26s", "buy", 'user = "u1"\norder = "B1"\nindex = "IX"\namount = "400"'),
        ("26s", "sell", 'user = "u0"\norder = "S0"\nindex = "IX"\namount = "0.3"'),
    ]
    world = "".join(f'[[step]]\nat = "{at}"\ndo = "{what}"\n{of}\n' for at, what, of in steps)
    path = tmp_path / "outage.toml"
    path.write_text(head + f"[exchange]{MOVING.replace('20s', span)}" + way + people + world)
    waits = ("desk.client_order_wait=100ms", "desk.crossing_wait=10s", "desk.mint_wait=0s", "run.duration=60s")
    simulation = ran(path, "desk.limits.mode=corrected", "desk.target_price=1000", *waits)
    before, after = (fill.price for fill in facts(simulation, AssetOrderFilled))
    (crossed,) = facts(simulation, OrdersCrossed)
    assert abs(after / before - 1) > Decimal("0.1"), "what the market did meanwhile"
    assert abs(crossed.price / after - 1) < Decimal("0.001")
