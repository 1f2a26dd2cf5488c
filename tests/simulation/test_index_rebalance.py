"""Days with weights, delistings and outages, as scenarios: no more is sold than is held, and what leaves is sold."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import sim
from sim.results.result import RunResult

D = Decimal
DAY = """
[run]
name = "rebalances"
duration = "3m"
drain = "6m"

[desk]
client_order_wait = "1s"
mint_wait = "5s"
order_expiry = "4m"
rebalance_window = "40s"
rebalance_interval = "1s"
target_price = "100"
books = { stale_after = "5s" }

[desk.limits]
max_order_volley_size = "2000"
max_volley_size = "8000"
max_total_volley_size = "20000"
min_total_volley_available = "10"
house_exposure_max = "2000"

[collateral]
token = "USDC"

[execution]

[exchange]
taker_bps = "10"

[[exchange.outage]]
at = "95s"
span = "20s"

[[index]]
symbol = "IDX"
weights = { AAA = "50", BBB = "50" }
destinations = ["EX"]

[[index]]
symbol = "TWO"
weights = { BBB = "20", CCC = "80" }
destinations = ["EX"]

[[chain]]
id = "1"
deposit = "SRC"
payout = "SRC"

[[hop]]
name = "in"
source = "SRC"
destination = "EX"
fee_flat = "0.1"

[[hop]]
name = "out"
source = "EX"
destination = "SRC"
fee_flat = "0.1"

[[step]]
at = "50s"
do = "weights"
index = "IDX"
weights = { BBB = "30", CCC = "70" }

[[step]]
at = "52s"
do = "weights"
index = "TWO"
weights = { AAA = "10", BBB = "60", CCC = "30" }

[[step]]
at = "100s"
do = "delist"
asset = "BBB"
deadline = "150s"

[[step]]
at = "120s"
do = "weights"
index = "IDX"
weights = { BBB = "50", CCC = "50" }
"""
ASSET = """
[[asset]]
symbol = "{}"
tick = "0.01"
step = "0.001"
flow = {{ price = {{ start = "{}", volatility_bps = 20, tick = "2s" }}, quantity = "{}" }}
"""
USER = """
[[user]]
id = "u{}"
arrivals = {{ poisson = "12s" }}
amount = {{ min = "20", max = "900" }}
deposit_lead = "1s"
sell_per_mille = 350
cancel_per_mille = 200
"""
SMALLEST = D(5)
"""Money, the least that an exchange order is worth."""


def ran(directory: Path, *overrides: str, seed: int) -> RunResult:
    """The day, under all checkers."""
    assets = [ASSET.format(*one) for one in (("AAA", 10, 30), ("BBB", 20, 20), ("CCC", 5, 60))]
    path = directory / "rebalances.toml"
    path.write_text(DAY + "".join(assets) + "".join(USER.format(number) for number in range(4)))
    return sim.run(path, seed=seed, overrides=overrides)


@pytest.mark.parametrize("padding", ["never", "up"])
@pytest.mark.parametrize("time_in_force", ["IOC", "GTC"])
def test_no_more_is_sold_than_is_held_and_what_leaves_is_sold_in_time(
    tmp_path: Path, time_in_force: str, padding: str
) -> None:
    result = ran(tmp_path, f"execution.time_in_force={time_in_force}", f"execution.padding={padding}", seed=3)
    owned, last = dict.fromkeys(("AAA", "BBB", "CCC"), D(0)), {}
    for fill in result.table("fills").to_pylist():
        owned[fill["symbol"]] += fill["quantity"] if fill["side"] == "buy" else -fill["quantity"]
        last[fill["symbol"]] = fill["price"]
        assert owned[fill["symbol"]] >= 0, fill
    assert owned["BBB"] * last["BBB"] < SMALLEST / D("0.98")
    kinds = [row["kind"] for row in result.table("notes").to_pylist()]
    assert kinds.count("RebalanceEnded") >= 4
    assert any(
        row["reason"] == "delisted" for row in result.table("notes").to_pylist() if row["kind"] == "WeightsRefused"
    )
    assert "ExecutionUnexpected" not in kinds
