"""What is told of sells and of crossings, by a run in which a buy and a sell meet."""

from __future__ import annotations

from pathlib import Path

import pytest

import sim
from sim.results.desk.explain import explain
from sim.results.desk.words import in_words
from sim.results.result import RunResult

SCENARIO = """
[run]
name = "meeting"
duration = "60s"
drain = "60s"
[desk]
client_order_wait = "1s"
crossing_wait = "20s"
target_price = "100"
[desk.limits]
max_order_volley_size = "2000"
max_volley_size = "8000"
max_total_volley_size = "20000"
[collateral]
token = "USDC"
[[asset]]
symbol = "AAA"
tick = "0.01"
step = "0.001"
notional_min = "5"
book = { bids = [["9.99", "500"]], asks = [["10.01", "500"]] }
[[index]]
symbol = "IDX"
weights = { AAA = "1" }
destinations = ["EX"]
[[chain]]
id = "1"
deposit = "SRC"
payout = "SRC"
[[hop]]
name = "in"
source = "SRC"
destination = "EX"
latency = "5s"
[[hop]]
name = "out"
source = "EX"
destination = "SRC"
[[user]]
id = "a"
[[user]]
id = "b"
[[step]]
at = "1s"
do = "deposit"
user = "a"
amount = "1000"
[[step]]
at = "2s"
do = "buy"
user = "a"
order = "C-1"
index = "IDX"
amount = "1000"
[[step]]
at = "29s"
do = "deposit"
user = "b"
amount = "500"
[[step]]
at = "30s"
do = "buy"
user = "b"
order = "C-2"
index = "IDX"
amount = "500"
[[step]]
at = "30s"
do = "sell"
user = "a"
order = "S-1"
index = "IDX"
amount = "5"
"""


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    path = tmp_path_factory.mktemp("scenario") / "meeting.toml"
    path.write_text(SCENARIO)
    return sim.run(Path(path), seed=1)


def test_a_buy_and_a_sell_given_at_one_instant_meet(result: RunResult) -> None:
    rows = [row for row in result.table("exchange_orders").to_pylist() if row["crossed"]]
    assert {row["side"] for row in rows} == {"buy", "sell"}
    assert len({row["batch_id"] for row in rows}) == 1
    (lot,) = [row for row in result.table("lots").to_pylist() if row["step"] == "crossed"]
    assert lot["quantity"] == rows[0]["crossed"] == rows[1]["crossed"]
    assert str(lot["price"].normalize()) == "1E+1"


def test_the_story_of_a_sell_says_what_was_sold_to_whom(result: RunResult) -> None:
    story = str(explain(result, "S-1"))
    assert "bought" not in story
    assert "waits for an order of the other side that is on its way" in story
    assert "AAA to users, at 10 and without a fee (lot X-" in story
    assert "sells " in story


def test_what_the_house_takes_over_is_told_in_words() -> None:
    fact = {"batch_id": "B-1", "symbol": "AAA", "quantity": "0.25", "price": "9.99", "lot_id": "X-B-1-AAA-house"}
    assert in_words("HouseTraded", fact).startswith("in B-1 the house takes over 0.25 AAA at 9.99, too little")


def test_the_story_of_a_buy_says_what_was_bought_of_whom(result: RunResult) -> None:
    story = str(explain(result, "C-2"))
    assert "from users who sell" in story
    assert "AAA to users, at 10 and without a fee" in story
    assert "(buy at 10)" in story


def test_a_sell_is_burned_before_it_is_paid_out(result: RunResult) -> None:
    kinds = [(line.kind, line.fact) for line in explain(result, "S-1").happenings]
    held = next(at for at, (kind, fact) in enumerate(kinds) if kind == "CollateralMoved" and fact["what"] == "earned")
    burned = next(at for at, (kind, fact) in enumerate(kinds) if kind == "ChainCallDone" and fact["key"][:5] == "burn:")
    left = next(at for at, (kind, fact) in enumerate(kinds) if kind == "CollateralMoved" and fact["what"] == "departed")
    ended = next(at for at, (kind, _) in enumerate(kinds) if kind == "IndexOrderEnded")
    assert held < burned < left < ended
