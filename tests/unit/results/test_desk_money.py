"""What results say of money that was paid back, is under way, or is disputed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

import pytest

from core.collateral.facts import (
    BridgeStepped,
    CollateralMoved,
    HopDisputed,
    PayoutArrived,
    TransferStarted,
    TransferStepped,
    WithdrawalEnded,
)
from core.collateral.records import CollateralRefused
from core.errors import InputError
from core.execution.facts import ExecutionUnexpected
from core.execution.records import AssetOrderFilled
from core.index.facts import (
    AssetOrderPlanned,
    ChainDisputed,
    IndexBatchOpened,
    IndexOrderDeferred,
    LotOpened,
    OrderEngaged,
)
from core.index.records import IndexOrderAccepted, IndexOrderRejected
from core.kernel.record import Record
from sim.results.desk.explain import explain
from sim.results.desk.summary import DeskSummary, summarise
from sim.results.desk.tables import build_tables
from sim.results.facts import Noted
from sim.results.result import RunResult
from tests.helpers.index_desk import ALICE, DeskRig, ready_rig
from tests.unit.results.stories import manifest

D = Decimal
WITHDRAWN: Final = ("T-1", "withdrawal", "P-1", ALICE, D(50), "A", "B")


def result_of(*facts: Record) -> RunResult:
    """The result of a run that stated these."""
    notes = [Noted(number, number, "desk", "desk", fact) for number, fact in enumerate(facts, 1)]
    return RunResult(manifest(scenario={"desk": {}}), build_tables(notes))


def outcome(result: RunResult) -> DeskSummary:
    found = result.outcome
    assert isinstance(found, DeskSummary)
    return found


def labelled(result: RunResult) -> dict[str, str]:
    return dict(outcome(result).lines())


def only(result: RunResult, table: str = "index_orders") -> dict[str, Any]:
    (row,) = result.table(table).to_pylist()
    return dict(row)


@pytest.fixture
def rig() -> DeskRig:
    one = ready_rig()
    one.collateral.hop_fees = (D("0.01"),)
    return one


def accepted(order_id: str, client_id: str) -> IndexOrderAccepted:
    return IndexOrderAccepted(order_id, ALICE, client_id, "IX", "buy", D(100))


def test_a_buy_that_was_paid_back_has_cost_what_hops_have_kept(rig: DeskRig) -> None:
    rig.chain_declines = {"mint"}
    rig.order("C-1", "1000")
    rig.run(60)
    result = result_of(*rig.said)
    row = only(result)
    assert (row["spent"], row["repaid"], row["filled_quantity"]) == (10, rig.collateral.spent["I-1"], 0)
    assert row["spent"] + row["remaining"] == row["amount"]
    assert row["spent"] + row["refund"] + row["refund_fee"] + row["credited"] == row["amount"]
    assert (outcome(result).collateral_spent, outcome(result).repaid) == (D(10), row["repaid"])
    assert labelled(result)["collateral"].splitlines() == [
        f"10.000000 spent, {row['refund']:,.6f} given back, {row['credited']:,.6f} credited",
        f"{row['repaid']:,.6f} repaid, and not spent",
    ]


def test_a_buy_that_could_not_be_paid_has_cost_what_hops_have_kept(rig: DeskRig) -> None:
    rig.collateral.refuse["spend"] = "unknown"
    rig.order("C-1", "1000")
    rig.run(60)
    row = only(result_of(*rig.said))
    assert (row["spent"], row["remaining"], row["repaid"]) == (10, 990, 0)


def test_a_sell_whose_tokens_are_not_burned_has_sold_and_brought_nothing() -> None:
    rig = ready_rig()
    rig.order("C-1", "2000")
    rig.run(60)
    rig.chain_declines = {"burn"}
    rig.give_tokens(D("0.5"))
    rig.order("S-1", "0.5", "sell")
    rig.run(60)
    _, row = result_of(*rig.said).table("index_orders").to_pylist()
    assert (row["spent"], row["proceeds"], row["remaining"], row["refund"]) == (0, 0, D("0.5"), D("0.5"))


def test_an_order_that_waits_has_the_reason_until_a_batch_has_it() -> None:
    said = [
        accepted("I-1", "C-1"),
        IndexOrderDeferred("I-1", "no_price", "AX"),
        IndexOrderDeferred("I-1", "not_held", "AX"),
    ]
    result = result_of(*said)
    assert only(result)["deferred"] == "not_held"
    assert "waits (not_held) AX" in str(explain(result, "I-1"))
    opened = IndexBatchOpened("B-1", ("I-1",), D(10), 1, "simple")
    engaged = OrderEngaged("I-1", "B-1", D(1), D(10), D(10), D(0))
    assert only(result_of(*said, opened, engaged))["deferred"] is None


def test_what_is_under_way_is_what_has_not_arrived_when_the_run_ends() -> None:
    ended = WithdrawalEnded(ALICE, 0, D(10), D(0), D(0), "", under_way=D(40), payment_id="P-1")
    result = result_of(TransferStarted(*WITHDRAWN, ("h",)), ended)
    assert outcome(result).under_way == 40
    assert labelled(result)["collateral"].endswith("\n40.000000 still under way")
    result = result_of(ended, PayoutArrived("P-1", ALICE, D(30), D("0.5"), D("9.5")))
    assert outcome(result).under_way == 0
    assert "\n" not in labelled(result)["collateral"]


def test_an_order_that_ends_while_its_collateral_is_on_the_way_has_what_became_of_it(rig: DeskRig) -> None:
    rig.collateral.paused = True
    rig.order("C-1", "1000")
    rig.run(11)
    refused = CollateralRefused("I-1", "route", "timeout", D(3), credited=D(7), under_way=D(990))
    rig.tell(refused, "collateral")
    row = only(result_of(*rig.said))
    assert (row["status"], row["spent"], row["routing_fee"], row["late_fee"]) == ("rejected", 3, 3, 0)
    assert (row["credited"], row["under_way"]) == (7, 990)
    about = ("charged", "I-1", ALICE, "credit")
    charged = [CollateralMoved(*about, D(fee), "routing", "h", "spent", "") for fee in (3, 2)]
    result = result_of(*rig.said, *charged, PayoutArrived("I-1", ALICE, D(0), D(2), D(988)))
    assert (only(result)["spent"], only(result)["late_fee"]) == (3, 2)
    assert [outcome(result).routing_fees, outcome(result).under_way] == [5, 0]
    assert "; 7 is credited, 990 under way; 3 was kept on the way" in str(explain(result, "I-1"))
    assert "0 arrived, 2 in fees, 988 credited" in str(explain(result, "I-1"))


def test_what_the_tolerance_forgives_an_order_is_a_column_and_in_its_story(rig: DeskRig) -> None:
    rig.collateral.short = D("0.0000004")
    rig.order("C-1", "1000")
    rig.run(11)
    result = result_of(*rig.said)
    row = only(result)
    assert row["short"] == D("0.0000004")
    assert row["amount"] == row["spent"] + row["remaining"] + row["short"]
    assert "its collateral is 0.0000004 short of it" in str(explain(result, "I-1"))


def test_a_withdrawal_that_sent_nothing_has_a_story() -> None:
    ended = WithdrawalEnded(ALICE, 0, D(0), D(0), D(50), "not_enough_funds", payment_id="P-1")
    story = explain(result_of(ended), "P-1")
    assert story.title == f"P-1 (withdrawal of {ALICE}): nothing was sent (not_enough_funds)"
    assert [line.kind for line in story.happenings] == ["WithdrawalEnded"]


def test_what_somebody_has_to_look_at_is_a_table_and_in_the_summary() -> None:
    result = result_of(
        accepted("I-1", "C-1"),
        TransferStarted("T-1", "route", "I-1", ALICE, D(50), "A", "B", ("h",)),
        HopDisputed("T-1", 1, "h", "speaks of 51, and was given 50"),
        HopDisputed("T-1", 1, "", "the fill was undone"),
        ChainDisputed("mint:I-1", "declined after it was confirmed: x"),
        ChainDisputed("unsold:R-1", "declined after it was confirmed: x"),
        ExecutionUnexpected("A-1", "AX", "buy", "7", D(10), D(2), "no such order"),
    )
    rows = [
        (row["said_by"], row["about"], row["order_id"], row["what"]) for row in result.table("disputes").to_pylist()
    ]
    assert rows == [
        ("hop", "T-1", "I-1", "h: speaks of 51, and was given 50"),
        ("hop", "T-1", "I-1", "the fill was undone"),
        ("chain", "mint:I-1", "I-1", "declined after it was confirmed: x"),
        ("chain", "unsold:R-1", None, "declined after it was confirmed: x"),
        ("exchange", "A-1", None, "2 AX at 10 (trade 7): no such order"),
    ]
    assert (len(outcome(result).disputes), outcome(result).disputes_in_all) == (4, 5)
    assert labelled(result)["to look at"].splitlines() == [
        "5 things that cannot be, or should not",
        "hop, of T-1 for I-1: h: speaks of 51, and was given 50",
        "hop, of T-1 for I-1: the fill was undone",
        "chain, of mint:I-1: declined after it was confirmed: x",
        "chain, of unsold:R-1: declined after it was confirmed: x",
        "and 1 more: table `disputes`",
    ]


def test_nothing_to_look_at_is_no_line() -> None:
    assert "to look at" not in dict(summarise(build_tables([])).lines())


def test_a_long_dispute_is_wrapped_in_a_terminal() -> None:
    result = result_of(ChainDisputed("mint:I-1", f"confirmed after it was declined, in block 7 ({'ab' * 32})"))
    head, *lines = labelled(result)["to look at"].splitlines()
    assert head == "1 thing that cannot be, or should not"
    assert max(map(len, lines)) <= 86
    assert len(lines) == 2


def test_stories_have_what_is_disputed_of_their_transfers_chain_calls_and_exchange_orders() -> None:
    planned = AssetOrderPlanned("B-1", "A-1", "AX", "buy", D(10), D(2), D(2), D(0), D(0))
    result = result_of(
        accepted("I-1", "C-1"),
        TransferStarted("T-1", "route", "I-1", ALICE, D(50), "A", "B", ("h",)),
        CollateralMoved("departed", "I-1", ALICE, "credit", D(50), "ready", "A", "routing", "A", transfer_id="T-1"),
        BridgeStepped("T-1", 1, "h", "deposited", "deposited", 0),
        HopDisputed("T-1", 1, "h", "speaks of 51"),
        HopDisputed("T-2", 1, "h", "speaks of 52"),
        IndexBatchOpened("B-1", ("I-1",), D(20), 1, "simple"),
        OrderEngaged("I-1", "B-1", D(1), D(50), D(50), D(0)),
        planned,
        ExecutionUnexpected("A-1", "AX", "buy", "7", D(10), D(2), "no such order"),
        ExecutionUnexpected("A-2", "AX", "buy", "8", D(10), D(2), "no such order"),
        ChainDisputed("mint:I-1", "x"),
        ChainDisputed("mint:I-2", "x"),
    )
    disputed = {"HopDisputed", "ExecutionUnexpected", "ChainDisputed"}
    of_order = [line for line in explain(result, "I-1").happenings if line.kind in {*disputed, "BridgeStepped"}]
    assert [line.kind for line in of_order] == ["BridgeStepped", "HopDisputed", "ExecutionUnexpected", "ChainDisputed"]
    assert all(line.text.startswith("to be looked at") for line in of_order if line.kind in disputed)
    for name, kinds in {"T-1": ["HopDisputed"], "A-1": ["ExecutionUnexpected"], "B-1": ["ExecutionUnexpected"]}.items():
        assert [line.kind for line in explain(result, name).happenings if line.kind in disputed] == kinds, name


def withdrawal(part: str) -> list[Record]:
    """One part of P-1 sets out, and arrives after it was waited for."""
    moved = CollateralMoved("departed", "P-1", ALICE, "credit", D(25), "ready", "A", "routing", "A", transfer_id=part)
    stepped = TransferStepped(part, "P-1", ALICE, "arrived", "arrived", "B", D(25), D(0))
    arrived = PayoutArrived("P-1", ALICE, D(25), D(0), D(0))
    return [TransferStarted(part, "withdrawal", "P-1", ALICE, D(25), "A", "B", ()), moved, stepped, arrived]


def test_a_withdrawal_has_a_story_of_its_own_and_its_transfers_what_arrived_of_them() -> None:
    ended = WithdrawalEnded(ALICE, 0, D(0), D(0), D(0), "", under_way=D(50), payment_id="P-1")
    dispute, other = HopDisputed("T-2", 1, "h", "speaks of 51"), HopDisputed("T-3", 1, "h", "speaks of 52")
    result = result_of(*withdrawal("T-1"), ended, dispute, other, *withdrawal("T-2"))
    story = explain(result, "P-1")
    assert (story.subject, story.title) == ("withdrawal", f"P-1 (withdrawal of {ALICE}): arrived")
    part = ["TransferStarted", "CollateralMoved", "TransferStepped", "PayoutArrived"]
    assert [line.kind for line in story.happenings] == [*part, "WithdrawalEnded", "HopDisputed", *part]
    assert [line.kind for line in explain(result, "T-1").happenings] == part
    assert [line.kind for line in explain(result, "T-2").happenings] == ["HopDisputed", *part]
    with pytest.raises(InputError, match=r"transfer or withdrawal `P-9` in this run .*withdrawals P-1"):
        explain(result, "P-9")


def test_an_order_that_is_called_like_something_of_the_desk_is_named_with_that() -> None:
    door = IndexOrderRejected(ALICE, "P-1", "unknown_symbol")
    result = result_of(accepted("I-1", "T-1"), *withdrawal("T-1"), door)
    assert str(explain(result, "T-1")).splitlines()[1] == "also the client id of I-1: explain I-1"
    assert str(explain(result, "P-1")).splitlines()[1] == f"also the client id of {ALICE}/P-1: explain {ALICE}/P-1"
    assert str(explain(result, "I-1")).splitlines()[1] == ""


def test_a_way_without_hops_a_single_order_and_the_world_outside_are_said_in_words() -> None:
    opened = IndexBatchOpened("B-1", ("I-1",), D(20), 2, "simple")
    moved = CollateralMoved("repaid", "I-1", ALICE, "credit", D(5), "", "", "ready", "EX", transfer_id="T-1")
    paid = CollateralMoved("paid_out", "I-1", ALICE, "credit", D(5), "routing", "EX", "", "", transfer_id="T-1")
    result = result_of(opened, TransferStarted("T-1", "refund", "I-1", ALICE, D(5), "EX", "EX", ()), moved, paid)
    (line,) = explain(result, "B-1").happenings
    assert line.text == "batch B-1 opens with 1 order and 2 exchange orders; these are for 20 at their limits (simple)"
    assert [line.text for line in explain(result, "T-1").happenings] == [
        "T-1 sets out with 5 from EX to EX without a hop",
        "5 repaid: from outside -> ready EX",
        "5 paid_out: routing EX -> to outside",
    ]


def test_a_fee_that_was_known_only_when_the_lot_was_booked_is_the_fee_of_the_trade() -> None:
    planned = AssetOrderPlanned("B-1", "A-1", "AX", "buy", D(10), D(4), D(4), D(0), D(0))
    trades = [AssetOrderFilled("B-1", "A-1", number, "AX", "buy", D(10), D(2), D("0.01")) for number in ("7", "8")]
    booked = LotOpened("7", "B-1", "A-1", "AX", "buy", D(10), D(2), D("0.61"))
    paid = LotOpened("commission-AX:buy:7", "B-1", "A-1", "BNB", "sell", D(600), D("0.001"), D("0.6"))
    opened = IndexBatchOpened("B-1", ("I-1",), D(40), 1, "simple")
    result = result_of(opened, planned, trades[0], booked, paid, trades[1])
    [batch] = result.table("index_batches").to_pylist()
    assert (batch["value"], batch["fee"]) == (40, D("0.62"))
    assert [row["fee"] for row in result.table("fills").to_pylist()] == [D("0.61"), D("0.01")]
    assert only(result, "exchange_orders")["fee"] == D("0.62")
    assert outcome(result).exchange_fees == D("0.62")
