from __future__ import annotations

import json
from decimal import Decimal

from sim.results.result import RunResult
from sim.results.summary import Summary, as_data, as_text, money, summarise
from sim.results.tables import build_tables
from tests.unit.results.markets import large_market
from tests.unit.results.stories import manifest


def test_counts_are_those_of_the_market(small: RunResult) -> None:
    outcome = small.outcome
    assert isinstance(outcome, Summary)
    assert outcome.by_status == {"filled": 1, "expired": 1, "cancelled": 1, "failed": 0, "refused": 1, "open": 2}
    assert (outcome.orders, outcome.fill_rate) == (6, 1 / 5)
    assert (outcome.bids, outcome.bids_rejected, outcome.bids_per_order) == (6, 1, 6 / 5)
    assert (outcome.commitments, outcome.settled, outcome.defaulted, outcome.reassigned) == (3, 2, 1, 1)
    assert (outcome.blocks, outcome.blocks_full, outcome.batch_mean, outcome.batch_max) == (2, 0, 2.0, 4)
    assert outcome.lateness_max == 2_000_000


def test_surplus_is_exact_and_by_pair(small: RunResult) -> None:
    assert isinstance(small.outcome, Summary)
    (pair,) = small.outcome.pairs
    assert (pair.symbol, pair.quote_token, pair.orders, pair.traded) == ("ETH-USD", "USD", 5, 2)
    assert (pair.surplus, pair.volume) == (Decimal(18), Decimal(4006 + 12048))
    assert str(pair.surplus) == "18"
    assert pair.surplus_bps == float(10_000 * Decimal(18) / (4000 + 12060))


def test_sums_have_no_more_digits_than_the_amounts_they_add() -> None:
    (pair,) = summarise(build_tables(large_market(300))).pairs
    assert pair.volume == round(pair.volume, 2)
    assert pair.surplus == round(pair.surplus, 4)


def test_data_is_json_with_exact_money_as_text(small: RunResult) -> None:
    data = json.loads(json.dumps(small.summary))
    assert data["summary"]["pairs"][0]["surplus"] == "18"
    assert (data["scenario"], data["seed"], data["digest"]) == ("quickstart", 1, small.digest)
    assert data["interrupted"] is False


def test_text_is_aligned_and_complete(small: RunResult) -> None:
    lines = as_text(manifest(), small.outcome, "runs/x/report.html").splitlines()
    assert all(line[11:13] == "  " and line[13] != " " for line in lines)
    text = "\n".join(lines)
    for part in (
        "seed 1",
        "20.0%",
        "18.00 USD",
        "1 defaulted, 1 reassigned",
        "2ms late",
        "26,667/s",
        "runs/x/report.html",
    ):
        assert part in text
    assert "INTERRUPTED" not in text


def test_an_interrupted_run_says_so(small: RunResult) -> None:
    assert "INTERRUPTED" in as_text(manifest(interrupted=True), small.outcome)
    assert as_data(manifest(interrupted=True), small.outcome)["interrupted"] is True


def test_an_empty_run_has_a_summary() -> None:
    outcome = summarise(build_tables([]))
    assert (outcome.orders, outcome.fill_rate, outcome.pairs) == (0, 0.0, [])
    assert "no orders" in as_text(manifest(wall_time=0), outcome)


def test_money_is_written_for_people() -> None:
    assert [money(Decimal(x)) for x in ("0", "1234.567", "-2", "0.000123456")] == [
        "0.00",
        "1,234.57",
        "-2.00",
        "0.0001235",
    ]
