"""What is told of sells and of crossings, by a run in which a buy and a sell meet."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

import sim
from core.errors import InputError
from core.execution.records import AssetOrderFilled
from core.index.facts import (
    AssetOrderPlanned,
    HouseTaskDone,
    HouseTaskSet,
    IndexBatchCompleted,
    IndexBatchOpened,
    LotAssigned,
)
from sim.results.desk.explain import explain
from sim.results.desk.words import in_digits, in_words
from sim.results.result import RunResult
from tests.unit.results.test_desk_money import accepted, result_of

D = Decimal
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


def test_a_batch_has_the_worth_of_its_exchange_orders_and_apart_from_it_what_went_without_them(
    result: RunResult,
) -> None:
    sent: dict[str, Decimal] = {}
    fees: dict[str, Decimal] = {}
    for row in result.table("exchange_orders").to_pylist():
        sent[row["batch_id"]] = sent.get(row["batch_id"], D(0)) + row["value"]
        fees[row["batch_id"]] = fees.get(row["batch_id"], D(0)) + row["fee"]
    batches = result.table("index_batches").to_pylist()
    assert {row["batch_id"]: (row["value"], row["fee"]) for row in batches} == {
        name: (value, fees[name]) for name, value in sent.items()
    }
    (crossed,) = [row for row in batches if row["crossed"]]
    (lot,) = [row for row in result.table("lots").to_pylist() if row["step"] == "crossed"]
    assert crossed["crossed"] == lot["price"] * lot["quantity"]
    text = str(explain(result, crossed["batch_id"]))
    assert f"worth {in_digits(crossed['value'])}, fees {in_digits(crossed['fee'])}" in text


def test_the_story_of_a_batch_says_whose_a_line_is_and_which_side(result: RunResult) -> None:
    (batch,) = [row["batch_id"] for row in result.table("index_batches").to_pylist() if row["crossed"]]
    story = explain(result, batch)
    of_orders = [line.text for line in story.happenings if line.kind in {"OrderEngaged", "LotAssigned"}]
    assert len(of_orders) == len(set(of_orders))
    assert {text.partition(":")[0] for text in of_orders} == {"I-2", "I-3"}
    assert any(text.startswith("I-3: engaged in") and " to sell 5 " in text for text in of_orders)
    assert any(text.startswith("I-2: gets ") for text in of_orders)
    assert re.search(r"I-3: report: 4\.\d+ sold for 4\d\d\.\d+, ", str(story))
    assert "exchange order A-" in str(story)


def test_the_invoice_of_a_redemption_lists_the_sales(result: RunResult) -> None:
    (row,) = [row for row in result.table("invoices").to_pylist() if row["kind"] == "redemption"]
    sold = [row for row in result.table("lots").to_pylist() if row["step"] == "assigned" and row["order_id"] == "I-3"]
    assert row["lots"] == len({lot["lot_id"] for lot in sold}) > 0


@pytest.mark.parametrize(
    ("side", "said"), [("buy", "B-1 leaves AAA that was bought: 1"), ("sell", "B-1 leaves AAA that was sold: 1")]
)
def test_what_a_batch_leaves_has_a_side(side: str, said: str) -> None:
    fact = {"batch_id": "B-1", "symbol": "AAA", "side": side, "carried": "1", "house": "0"}
    assert in_words("StockLeft", fact).startswith(said)


@pytest.mark.parametrize(
    ("amount", "said"),
    [("0", "0"), ("1E-8", "0.00000001"), ("8.65432E-16", "8.65E-16"), ("-4E-9", "-4E-9"), ("12.3000", "12.3")],
)
def test_an_amount_that_is_not_nothing_is_never_said_to_be_nothing(amount: str, said: str) -> None:
    assert in_digits(D(amount)) == said


def test_what_a_user_calls_like_an_order_of_the_desk_hides_no_order() -> None:
    result = result_of(accepted("I-1", "I-2"), accepted("I-2", "C-2"))
    story = explain(result, "I-2")
    assert story.title.startswith("I-2 (C-2 of ")
    assert story.also == "also the client id of I-1: explain I-1"
    assert explain(result, "I-1").also == ""


def test_a_task_of_the_house_has_a_story_of_its_own() -> None:
    planned = AssetOrderPlanned("B-1", "A-1", "AX", "sell", D(10), D(2), D(2), D(0), D(0))
    result = result_of(
        HouseTaskSet("R-1", "IX", "AX", "sell", D(2), "delisting", 9),
        HouseTaskSet("R-2", "", "AZ", "buy", D(1), "surplus", 9),
        IndexBatchOpened("B-1", ("R-1", "R-2"), D(20), 2, "simple", "IX"),
        planned,
        AssetOrderPlanned("B-1", "A-2", "AZ", "buy", D(10), D(1), D(1), D(0), D(0)),
        AssetOrderFilled("B-1", "A-1", "7", "AX", "sell", D(10), D(2), D("0.01")),
        LotAssigned("7", "R-1", "B-1", "AX", "sell", D(10), D(2), D("0.01")),
        IndexBatchCompleted("B-1", D(1), D(20), D("0.01"), ()),
        HouseTaskDone("R-1", "IX", "AX"),
    )
    story = explain(result, "R-1")
    assert (story.subject, story.title) == ("house_task", "R-1 (delisting: sell AX for IX): done")
    assert [line.kind for line in story.happenings] == [
        "HouseTaskSet",
        "IndexBatchOpened",
        "AssetOrderPlanned",
        "AssetOrderFilled",
        "LotAssigned",
        "IndexBatchCompleted",
        "HouseTaskDone",
    ]
    assert story.happenings[0].text == "the house has to sell 2 AX for IX (delisting)"
    assert explain(result, "R-2").title == "R-2 (surplus: buy AZ for the house): open"
    with pytest.raises(InputError) as caught:
        explain(result, "R-3")
    assert "tasks of the house R-1, R-2" in str(caught.value.hint)
