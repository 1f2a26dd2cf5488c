"""Index scenarios as their users run them: the reference's figures, its defects mended, and days that lose nothing."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest

import sim
from core.errors import FactViolated
from core.index.chain_history import redo
from core.index.chain_log import ChainLog, prove_event, verify_event
from core.kernel.journal import Header
from sim.desk_simulation import DeskSimulation
from sim.replay import replay_all
from sim.results.desk.summary import DeskSummary
from sim.results.result import RunResult
from sim.scenario.desk import DeskScenario
from sim.scenario.load import load

SCENARIOS = Path(sim.__file__).parents[1] / "scenarios"
SBE, DAY = SCENARIOS / "index_sbe.toml", SCENARIOS / "index_day.toml"
SHORT_DAY = ("run.duration=90s", "run.drain=4m", "desk.order_expiry=2m")

# Section 9.1, case A: batch, filled, spent, remaining, rate, status.
REFERENCE_FILLS = [
    ("", "0", "70.06824825", "3450.94925175", "0", "collateral ready"),
    ("B-1", "1.15389571", "1265.26224825", "2255.75525175", "0.35934563", "in progress"),
    ("B-1", "1.15430421", "1265.68537022", "2255.33212978", "0.35946580", "in progress"),
    ("B-1", "1.34668825", "1464.95489054", "2056.06260946", "0.41606010", "in progress"),
    ("B-2", "1.68317886", "1814.21650070", "1706.80099930", "0.51525347", "in progress"),
    ("B-3", "1.69226555", "1823.65678734", "1697.36071266", "0.51793460", "in progress"),
    ("B-4", "2.17500000", "2324.88016310", "1196.13733690", "0.66028646", "in progress"),
    ("B-5", "2.86453960", "3039.21744313", "481.80005687", "0.86316454", "in progress"),
    ("B-5", "3.32289261", "3515.40647870", "5.61102130", "0.99840642", "mintable"),
    ("B-6", "3.32423267", "3516.79786450", "4.21963550", "0.99880159", "mintable"),
    ("B-7", "3.32782178", "3520.51542874", "0.50207126", "0.99985741", "mintable"),
    ("B-7", "3.32828614", "3520.99756739", "0.01993261", "0.99999434", "fully mintable"),
]
# Engaged quantity and collateral, and what came over, of each batch.
REFERENCE_BATCHES = [
    ("2002.00000000", "0"),
    ("2002.00000000", "607.11335771"),
    ("1706.80099930", "1652.73838985"),
    ("1697.36071266", "1697.36071266"),
    ("1196.13733690", "1196.13733690"),
    ("5.61102130", "5.61102130"),
    ("4.21963550", "4.21963550"),
]
# External orders: batch, asset, quantity.
REFERENCE_ORDERS = [
    ("B-1", "AX", "20.00000000"),
    ("B-1", "AZ", "1.62838284"),
    ("B-4", "AZ", "1.09834983"),
    ("B-5", "AX", "9.51089109"),
    ("B-6", "AZ", "0.01650165"),
    ("B-7", "AX", "0.04950495"),
]
REFERENCE_INVOICE = {
    "filled_quantity": "3.328286135895",
    "total_amount": "3521.0175",
    "amount_paid": "3521.0175",
    "amount_remaining": "0.019932606106",
    "management_fee": "70.06824825",
    "assets_value": "3447.481837306587",
    "exchange_fee": "3.447481837307",
    "fill_rate": "0.999994224022",
    "execution_price": "1036.848749849396",
}
MODES = ("reference", "corrected")


def ran(scenario: Path, *overrides: str, seed: int = 1) -> RunResult:
    return sim.run(scenario, seed=seed, overrides=overrides)


def near(found: Sequence[Decimal], wanted: Sequence[str], tolerance: str = "0.00000001") -> bool:
    return all(abs(a - Decimal(b)) <= Decimal(tolerance) for a, b in zip(found, wanted, strict=True))


@pytest.fixture(scope="module")
def reference() -> RunResult:
    return ran(SBE)


@pytest.fixture(scope="module")
def corrected() -> RunResult:
    return ran(SBE, "desk.limits.mode=corrected")


@pytest.fixture(scope="module")
def day() -> RunResult:
    return ran(DAY, *SHORT_DAY)


def test_the_reference_mode_reports_the_fills_of_the_reference(reference: RunResult) -> None:
    rows = reference.table("index_fills").to_pylist()
    assert [(row["batch_id"] or "", row["status"]) for row in rows] == [(it[0], it[5]) for it in REFERENCE_FILLS]
    for row, wanted in zip(rows, REFERENCE_FILLS, strict=True):
        amounts = [row[name] for name in ("filled_quantity", "spent", "remaining", "fill_rate")]
        assert near(amounts, wanted[1:5]), (row, wanted)


def test_the_reference_mode_forms_the_batches_of_the_reference(reference: RunResult) -> None:
    rows = reference.table("index_batches").to_pylist()
    for row, wanted in zip(rows, REFERENCE_BATCHES, strict=True):
        assert near([row["engaged"], row["carried"]], wanted), (row, wanted)
    sent = [row for row in reference.table("exchange_orders").to_pylist() if row["placed_quantity"] is not None]
    assert [(row["batch_id"], row["symbol"]) for row in sent] == [(it[0], it[1]) for it in REFERENCE_ORDERS]
    assert near([row["placed_quantity"] for row in sent], [it[2] for it in REFERENCE_ORDERS])


def test_the_reference_mode_makes_out_the_invoice_of_the_reference(reference: RunResult) -> None:
    (invoice,) = reference.table("invoices").to_pylist()
    assert near([invoice[name] for name in REFERENCE_INVOICE], list(REFERENCE_INVOICE.values()), "0.000001")
    assert sum(step == "opened" for step in reference.table("lots")["step"].to_pylist()) == 12


def test_the_quote_is_what_the_reference_quotes(reference: RunResult) -> None:
    (quote,) = [row for row in reference.table("notes").to_pylist() if row["kind"] == "IndexQuoteReady"]
    assert '"quantity_possible":"3.38235680673' in quote["detail"]


def test_the_corrected_mode_orders_no_more_than_it_engaged(corrected: RunResult) -> None:
    # Batch 1 by hand. 2000 is the batch cap and 2513.2253886 what the fitted orders would take, so everything is scaled
    # by 0.7957901452: AX 20 x 101 x 0.79579 = 1607.496, AZ 1.6278 x 303 x 0.79579 = 392.504. In steps of 0.2 that is
    # 1607.6 and 392.6, hence 1607.6 / 101 and 392.6 / 303.
    first, second = (row for row in corrected.table("exchange_orders").to_pylist() if row["batch_id"] == "B-1")
    assert near([first["quantity"], second["quantity"]], ["15.9168316832", "1.2957095710"], "0.0000000001")
    batches = corrected.table("index_batches").to_pylist()
    assert all(row["volley"] <= row["engaged"] for row in batches[:-1])


def test_the_corrected_mode_charges_what_was_spent_and_credits_the_rest(corrected: RunResult) -> None:
    (invoice,), (order,) = (corrected.table(name).to_pylist() for name in ("invoices", "index_orders"))
    assert near([invoice["filled_quantity"], invoice["amount_paid"]], ["3.327955081321", "3520.787027"], "0.000001")
    assert invoice["amount_paid"] + order["credited"] == Decimal("3521.0175")


@pytest.mark.parametrize("mode", MODES)
def test_a_run_is_the_same_again(mode: str) -> None:
    override = f"desk.limits.mode={mode}"
    assert ran(SBE, override).digest == ran(SBE, override).digest


def test_every_order_of_a_day_ends_once(day: RunResult) -> None:
    orders = day.table("index_orders").to_pylist()
    assert len(orders) > 5
    assert "open" not in {row["status"] for row in orders}
    ended = [row["order_id"] for row in day.table("notes").to_pylist() if row["kind"] == "IndexOrderEnded"]
    assert sorted(ended) == sorted(row["order_id"] for row in orders if row["order_id"])


def test_the_shipped_day_shows_what_its_header_promises() -> None:
    whole = ran(DAY)
    orders = whole.table("index_orders").to_pylist()
    assert "open" not in {row["status"] for row in orders}
    assert min(row["amount"] for row in orders if row["amount"] is not None) > Decimal("0.001")
    cancelled = [row for row in orders if row["status"] == "cancelled" and row["filled_quantity"] and row["refund"]]
    assert {row["side"] for row in cancelled} == {"buy", "sell"}
    assert [row for row in orders if row["status"] == "redeemed"]
    sent = [row for row in whole.table("exchange_orders").to_pylist() if row["asset_order_id"]]
    expired = [row for row in sent if row["reason"] == "expired"]
    assert {bool(row["filled_quantity"]) for row in expired} == {True, False}
    assert [row for row in sent if row["reason"].startswith("refused")]
    batches = whole.table("index_batches").to_pylist()
    assert sum(row["orders"] > 1 for row in batches if row["symbol"] is None) > len(batches) / 3
    assert {"MID"} <= {row["symbol"] for row in batches}
    assert [row for row in batches if row["crossed"]]


def test_the_collateral_of_a_day_adds_up(day: RunResult) -> None:
    moves = day.table("collateral").to_pylist()
    held: dict[str, Decimal] = {}
    for move in moves:
        for state, sign in ((move["was"], -1), (move["state"], 1)):
            if state is not None:
                held[state] = held.get(state, Decimal(0)) + sign * move["amount"]
    brought = sum(move["amount"] for move in moves if move["was"] is None)
    assert sum(held.values()) == brought
    assert all(amount >= 0 for amount in held.values())


def test_the_matrix_planner_runs_the_same_day() -> None:
    result = ran(DAY, *SHORT_DAY, "desk.planner=matrix")
    outcome = result.outcome
    assert isinstance(outcome, DeskSummary)
    assert outcome.by_status["minted"] > 0
    assert "matrix" in result.table("index_batches")["planner"].to_pylist()


def simulated(*overrides: str) -> DeskSimulation:
    loaded = load(DAY, overrides=[*SHORT_DAY, *overrides])
    scenario = loaded.scenario
    assert isinstance(scenario, DeskScenario)
    header = Header(node="", seed=1, config=b"", config_hash=loaded.hash)
    return DeskSimulation(scenario, {}, header, lambda _node: None)


def test_prices_of_an_asset_can_be_those_of_a_recording(tmp_path: Path) -> None:
    recording = tmp_path / "btc.csv"
    recording.write_text("time,price\n" + "".join(f"{at},{107000 + 100 * at}\n" for at in range(0, 120, 2)))
    price = f'asset.BTCUSDC.flow.price={{replay="{recording}", tick="1s", speed=2}}'
    result = ran(DAY, *SHORT_DAY, price)
    fills = result.fills
    bought = fills[fills.symbol == "BTCUSDC"]
    opened = bought.time.min().floor("s")
    late = bought[bought.time > opened + pd.Timedelta(seconds=65)]
    assert len(late)
    assert bought.price.max() < 119_400
    assert ((late.price - 118_800).abs() < 600).all()


def test_an_asset_without_a_step_trades_in_parts_that_add_up() -> None:
    result = ran(DAY, "run.duration=60s", "run.drain=5m", "asset.ETHUSDC.step=0", "asset.BTCUSDC.step=0", seed=2)
    assert (result.index_orders.status != "open").all()
    assert not (result.notes.kind == "ExecutionUnexpected").any()
    of_orders = result.fills[result.fills.symbol == "ETHUSDC"].groupby("asset_order_id").size()
    assert of_orders.max() > 1


def test_what_was_minted_is_on_the_chain_with_proofs() -> None:
    run = simulated()
    assert run.run(lambda _progress: True)
    log = run.chain.log
    history = [log.sealed(block.height) for block in log.blocks]
    assert isinstance(redo(history), ChainLog)
    for sealed in history:
        proof = prove_event(sealed, sealed.block.count - 1)
        confirmed = log.done[proof.event.did.key]
        assert confirmed is not None
        assert verify_event(proof, confirmed.block_hash)


def test_money_that_vanishes_stops_the_run() -> None:
    run = simulated()
    broken: list[str] = []

    def vanish(_progress: object) -> bool:
        orders = run.nodes["desk"].kernel.components["desk"].state.orders.live
        for order in orders.values():
            if order.remaining > 1 and not broken:
                order.remaining -= 1
                broken.append(order.order_id)
        return True

    with pytest.raises(FactViolated, match="I1 I-"):
        run.run(vanish)
    assert broken


def test_the_asset_that_comes_first_is_bought_first_and_the_user_hears_it_in_ten_messages() -> None:
    # Section 9.1, case B: AZ before AX.
    result = ran(SBE, "desk.limits.ordering=basket", "index.IX.asset_order=['AZ','AX']")
    first, second = (row for row in result.table("exchange_orders").to_pylist() if row["batch_id"] == "B-1")
    assert [first["symbol"], second["symbol"]] == ["AZ", "AX"]
    assert result.table("index_fills").num_rows == 10


@pytest.mark.parametrize("scenario", [SBE, DAY], ids=lambda path: path.stem)
def test_the_journal_of_a_run_replays_to_its_digest(scenario: Path, tmp_path: Path) -> None:
    overrides = SHORT_DAY if scenario is DAY else ()
    result = sim.run(scenario, overrides=overrides, out=tmp_path)
    assert result.dir is not None
    (replayed,) = replay_all(result.dir)
    assert replayed.digest == result.manifest.digests["desk"]


def reconciled(result: RunResult) -> list[tuple[str, str, Decimal]]:
    """(what, asset, missing) of what was said of single assets."""
    rows = result.table("reconciliations").to_pylist()
    return [(row["what"], row["asset"], row["owned"] - row["at_venue"]) for row in rows if row["asset"]]


def test_what_an_outsider_does_with_the_account_is_found_while_the_desk_trades(day: RunResult) -> None:
    # ETH goes at 30s and is back at 150s; BTC that nobody bought comes at 100s and stays.
    transfers = ", ".join(
        f"{{at='{at}', asset='{asset}', way='{way}', quantity='{quantity}'}}"
        for at, asset, way, quantity in (
            ("30s", "ETHUSDC", "out", "0.5"),
            ("100s", "BTCUSDC", "in", "0.25"),
            ("150s", "ETHUSDC", "in", "0.5"),
        )
    )
    result = ran(DAY, *SHORT_DAY, f"exchange.transfer=[{transfers}]")
    assert reconciled(result) == [
        ("differs", "ETHUSDC", Decimal("0.5")),
        ("differs", "BTCUSDC", Decimal("-0.25")),
        ("agrees", "ETHUSDC", Decimal(0)),
    ]
    outcome = result.outcome
    assert isinstance(outcome, DeskSummary)
    assert outcome.differences == {"BTCUSDC": Decimal("-0.25")}
    assert dict(outcome.lines())["inventory"].endswith(
        "times with the exchange's balances: 0.25000000 BTCUSDC too much"
    )
    assert result.table("index_orders").equals(day.table("index_orders"))


@pytest.mark.parametrize("time_in_force", ["IOC", "GTC"])
def test_a_day_of_lost_answers_and_sessions_gives_no_false_alarm(time_in_force: str) -> None:
    faults = "exchange.faults={rejects=50, lost_requests=50, lost_replies=100, bare_replies=100, lost_messages=100}"
    outage = "exchange.outage=[{at='20s', span='8s'}, {at='60s', span='15s'}]"
    often = ("desk.reconcile_interval=1s", "desk.reconcile_retry=100ms", f"execution.time_in_force={time_in_force}")
    result = ran(DAY, *SHORT_DAY, faults, outage, *often)
    outcome = result.outcome
    assert isinstance(outcome, DeskSummary)
    assert outcome.exchange_fills > 10
    assert outcome.reconciliations > 10
    assert reconciled(result) == []


def test_what_the_account_held_at_the_start_is_a_difference_unless_the_desk_is_told() -> None:
    held = "exchange.balance={AX='5'}"
    assert reconciled(ran(SBE, held)) == [("differs", "AX", Decimal(-5))]
    assert reconciled(ran(SBE, held, "desk.opening_balances={AX='5'}")) == []


@pytest.mark.parametrize("mode", MODES)
def test_commissions_in_what_was_traded_leave_no_difference_with_the_exchange(mode: str) -> None:
    result = ran(DAY, *SHORT_DAY, "exchange.commission=base", f"desk.limits.mode={mode}", "exchange.faults={}")
    rows = result.table("reconciliations").to_pylist()
    assert {row["what"] for row in rows} == {"compared"}
    fills = result.table("fills").to_pylist()
    assert all(row["withheld"] * row["price"] == row["fee"] > 0 for row in fills)
