"""New weights at an exchange that takes its time or has nothing: what waits for the house's trades, and until when."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec

import sim
from sim.results.result import RunResult

D = Decimal

WORLD = """
[run]
name = "weights"
duration = "90s"
drain = "120s"

[desk]
rebalance_window = "30s"
rebalance_interval = "0s"
house_retry = "1s"
house_retry_max = "30s"
target_price = "100"

[desk.limits]
max_order_volley_size = "4000"
max_volley_size = "4000"
min_asset_volley_size = "5"
max_total_volley_size = "8000"
min_total_volley_available = "1"

[desk.books]
stale_after = "60m"

[execution]
reply_timeout = "10s"
live_check = "20s"

[collateral]
token = "USDC"

[exchange]
latency = "{latency}"
{exchange}

[chain_log]
{chain_log}

[[asset]]
symbol = "AUSDC"
book = {{ bids = [["99.9", "1000"]], asks = [["100", "1000"]] }}

[[asset]]
symbol = "BUSDC"
book = {{ bids = [["99.9", "1000"]], asks = [["100", "1000"]] }}

[[index]]
symbol = "I"
weights = {{ AUSDC = "1" }}
destinations = ["X"]

[[chain]]
id = "1"
deposit = "E"
payout = "E"

[[hop]]
name = "in"
source = "E"
destination = "X"

[[hop]]
name = "out"
source = "X"
destination = "E"
"""
BUY = """
[[user]]
id = "{user}"
chain = "1"

[[step]]
at = "{at}"
do = "deposit"
user = "{user}"
amount = "{amount}"

[[step]]
at = "{at}"
do = "buy"
user = "{user}"
order = "O-{user}"
index = "I"
amount = "{amount}"
"""
WEIGHTS = """
[[step]]
at = "{at}"
do = "weights"
index = "I"
weights = {{ BUSDC = "1" }}
"""


def facts(result: RunResult, kind: str) -> list[dict[str, Any]]:
    """Everything of a kind that was stated."""
    rows = result.table("notes").to_pylist()
    return [msgspec.json.decode(row["detail"]) for row in rows if row["kind"] == kind]


def ran(directory: Path, world: str) -> RunResult:
    path = directory / "weights.toml"
    path.write_text(world)
    return sim.run(path)


def test_a_mint_that_is_declined_while_the_house_trades_leaves_its_holders_what_is_theirs(tmp_path: Path) -> None:
    chain = 'latency = "6s"\ndeclined = ["mint"]\ndeclined_per_mille = 500'
    world = WORLD.format(latency="2s", exchange="", chain_log=chain)
    buys = BUY.format(user="a", at="12s", amount="500"), BUY.format(user="b", at="45s", amount="2700")
    result = ran(tmp_path, world + "".join(buys) + WEIGHTS.format(at="66s"))
    orders = {row["client_order_id"]: row for row in result.table("index_orders").to_pylist()}
    assert [orders[f"O-{user}"]["status"] for user in "ab"] == ["minted", "rejected"], (
        "the draws of the run have changed"
    )
    nav = result.table("nav").to_pylist()[-1]
    assert nav["tokens"] == nav["backed"] == orders["O-a"]["filled_quantity"]
    lots = [D(lot["quantity"]) * D(lot["price"]) for lot in facts(result, "LotForgone")]
    (cash,) = facts(result, "CashForgone")
    assert abs(sum(lots) + D(cash["amount"]) - 2700) < 30, "what the house has for what it paid back"


def test_what_the_house_could_not_trade_is_tried_less_and_less_often_in_a_market_that_stands_still(
    tmp_path: Path,
) -> None:
    world = WORLD.format(latency="1ms", exchange='script = [[["1", "1"]], []]', chain_log="")
    result = ran(tmp_path, world + BUY.format(user="a", at="1s", amount="500") + WEIGHTS.format(at="15s"))
    tries = [row["planned_time"] for row in result.table("exchange_orders").to_pylist() if row["side"] == "sell"]
    pauses = [(later - earlier).total_seconds() for earlier, later in pairwise(tries)]
    assert [round(pause) for pause in pauses[:7]] == [1, 2, 4, 8, 16, 30, 30]
