"""What the house may hold, at an exchange that takes its time: plans that overlap do not fill it beyond that."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from pathlib import Path

import pytest

from core.index.facts import HouseValued
from core.index.records import IndexOrderEnded, Outcome
from core.kernel.journal import Header
from sim.desk_simulation import DeskSimulation
from sim.scenario.desk import DeskScenario
from sim.scenario.load import load

DAY = """
[run]
name = "house"
duration = "60s"
drain = "120s"

[desk]
client_order_wait = "1s"
mint_wait = "1s"
order_expiry = "100s"
nav_interval = "100ms"
max_batch_size = 1

[desk.limits]
max_order_volley_size = "500"
max_volley_size = "500"
max_total_volley_size = "5000"
min_total_volley_available = "1"
min_asset_volley_size = "50"
house_exposure_max = "60"

[desk.books]
stale_after = "10m"

[collateral]
token = "USDC"

[exchange]
taker_bps = "10"

[[chain]]
id = "1"
deposit = "SRC"
payout = "SRC"

[[hop]]
name = "in"
source = "SRC"
destination = "EX"

[[hop]]
name = "out"
source = "EX"
destination = "SRC"
"""
INDEX = """
[[asset]]
symbol = "{0}"
book = {{ bids = [["99.9", "500"]], asks = [["100", "500"]] }}

[[index]]
symbol = "I{0}"
weights = {{ {0} = "1" }}
destinations = ["EX"]
"""
ORDER = """
[[user]]
id = "u{0}"

[[step]]
at = "1s"
do = "deposit"
user = "u{0}"
amount = "10"

[[step]]
at = "1s"
do = "buy"
user = "u{0}"
order = "C-1"
index = "I{1}"
amount = "10"
"""


def ran(directory: Path, assets: str, latency: str) -> DeskSimulation:
    """A day on which eight users order at once, each for a fifth of what the smallest exchange orders are for."""
    orders = [ORDER.format(number, assets[number % len(assets)]) for number in range(8)]
    path = directory / "house.toml"
    path.write_text(DAY + "".join(INDEX.format(asset) for asset in assets) + "".join(orders))
    scenario = load(path, seed=1, overrides=(f"exchange.latency={latency}",)).scenario
    assert isinstance(scenario, DeskScenario)
    simulation = DeskSimulation(scenario, {}, Header("", 1, b"", ""), lambda _node: None)
    simulation.run(lambda _progress: True)
    return simulation


@pytest.mark.parametrize("latency", ["1ms", "300ms", "500ms"])
@pytest.mark.parametrize("assets", ["A", "AB", "ABC"])
def test_the_house_never_holds_more_than_it_may_and_every_order_is_served(
    tmp_path: Path, assets: str, latency: str
) -> None:
    simulation, worth = ran(tmp_path, assets, latency), defaultdict[int, Decimal](Decimal)
    for noted in simulation.notes:
        if isinstance(noted.fact, HouseValued):
            worth[noted.time] += noted.fact.value
    assert 0 < max(worth.values()) <= 60
    ended = [noted.fact for noted in simulation.notes if isinstance(noted.fact, IndexOrderEnded)]
    assert [fact.outcome for fact in ended] == [Outcome.MINTED] * 8
