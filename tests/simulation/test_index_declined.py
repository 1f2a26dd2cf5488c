"""A day on whose chain some mints, burns, returns, invoices and weights are declined for good: nobody loses by it."""

from __future__ import annotations

import shutil
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import sim
from core.index.chain_history import ChainFlaw
from sim.cli import main
from sim.replay import replay_all
from sim.results.desk.chain import VerifiedChain, verify_chain
from sim.results.desk.explain import explain
from sim.results.desk.summary import DeskSummary
from sim.results.result import RunResult

ROOT: Final = Path(__file__).parents[2]
DAY: Final = ROOT / "scenarios" / "index_day.toml"
HALF_DAY: Final = ("run.duration=5m", "run.drain=4m", "desk.order_expiry=2m")
DECLINED: Final = (*HALF_DAY, "chain_log.declined_per_mille=350", "chain_log.lost_per_mille=100")


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    return sim.run(DAY, overrides=DECLINED, out=tmp_path_factory.mktemp("runs"))


def facts(result: RunResult, kind: str) -> list[dict[str, Any]]:
    """Everything of a kind that was stated."""
    rows = result.table("notes").to_pylist()
    return [msgspec.json.decode(row["detail"]) for row in rows if row["kind"] == kind]


def declined(result: RunResult, kind: str) -> set[str]:
    """The orders of which the chain declined that."""
    keys = (fact["key"].split(":", 1) for fact in facts(result, "ChainCallDeclined"))
    return {of for what, of in keys if what == kind}


def test_every_accepted_order_of_such_a_day_has_one_last_word(result: RunResult) -> None:
    kinds = Counter(fact["key"].partition(":")[0] for fact in facts(result, "ChainCallDeclined"))
    assert all(kinds[kind] for kind in ("mint", "burn", "return", "invoice")), kinds
    accepted = [fact["order_id"] for fact in facts(result, "IndexOrderAccepted")]
    words = Counter(fact["order_id"] for fact in facts(result, "IndexOrderEnded"))
    assert words == Counter(dict.fromkeys(accepted, 1))


def test_whose_mint_or_burn_was_declined_is_rejected_and_has_back_what_he_gave(result: RunResult) -> None:
    ended = {fact["order_id"]: fact for fact in facts(result, "IndexOrderEnded")}
    barred = declined(result, "mint") | declined(result, "burn")
    assert {of for of, fact in ended.items() if fact["reason"].startswith("chain_refused")} == barred
    assert {ended[of]["outcome"] for of in barred} == {"rejected"}
    assert {fact["order_id"] for fact in facts(result, "OrderRepaid")} == declined(result, "mint")
    assert {fact["order_id"] for fact in facts(result, "ProceedsReclaimed")} == declined(result, "burn")
    set_aside = defaultdict[str, Decimal](Decimal)
    for fact in facts(result, "CollateralMoved"):
        if fact["what"] in ("released", "preauthorised"):
            sign = 1 if fact["what"] == "preauthorised" else -1
            set_aside[fact["order_id"]] += sign * Decimal(fact["amount"])
    assert {set_aside[of] for of in declined(result, "mint")} == {0}


def test_what_was_repaid_is_what_was_paid(result: RunResult) -> None:
    moves = facts(result, "CollateralMoved")
    spent = {fact["order_id"]: Decimal(fact["amount"]) for fact in moves if fact["what"] == "repaid"}
    for of, amount in spent.items():
        paid = (Decimal(f["amount"]) for f in moves if (f["what"], f["order_id"]) == ("spent", of))
        assert sum(paid, Decimal(0)) == amount > 0
    assert spent.keys() == declined(result, "mint")


def test_tables_and_summary_do_not_count_as_spent_or_earned_what_was_undone(result: RunResult) -> None:
    rows = {row["order_id"]: row for row in result.table("index_orders").to_pylist()}
    for of in declined(result, "mint"):
        row = rows[of]
        back = row["refund"] + row["refund_fee"] + row["credited"] + row["under_way"]
        assert row["repaid"] > 0
        assert row["spent"] + back == pytest.approx(row["amount"], abs=Decimal("1e-6"))
    assert {(rows[of]["spent"], rows[of]["proceeds"]) for of in declined(result, "burn")} == {(0, 0)}
    outcome = result.outcome
    assert isinstance(outcome, DeskSummary)
    assert outcome.repaid == sum(Decimal(fact["amount"]) for fact in facts(result, "OrderRepaid"))
    assert f"{outcome.repaid:,.6f} repaid, and not spent" in str(result)


def test_tokens_that_are_not_given_back_are_their_users_and_he_hears_of_it(result: RunResult) -> None:
    kept = [fact.get("order_id", "") for fact in facts(result, "TokensKept")]
    assert {of for of in kept if of} == declined(result, "return")
    assert len(kept) == len(declined(result, "return")) + len(declined(result, "unsold"))


def test_the_chain_of_such_a_run_is_whole_and_lists_what_it_has_declined(result: RunResult) -> None:
    found = verify_chain(result)
    assert isinstance(found, VerifiedChain)
    assert set(found.declined) == {fact["key"] for fact in facts(result, "ChainCallDeclined")}
    assert set(found.declined).isdisjoint({*found.waiting, *(row.key for row in found.events)})


def test_what_was_declined_is_listed_with_the_chain(result: RunResult) -> None:
    done = CliRunner().invoke(main, ["chain", str(result.dir)])
    keys = [fact["key"] for fact in facts(result, "ChainCallDeclined")]
    assert (done.exit_code, done.stdout.splitlines()[-1]) == (0, f"declined, and in no block ever: {', '.join(keys)}")


def test_a_chain_that_has_what_it_had_declined_is_broken(result: RunResult, tmp_path: Path) -> None:
    assert result.dir is not None
    shutil.copytree(result.dir, tmp_path / "run")
    path = tmp_path / "run" / "tables" / "notes.parquet"
    whole = pq.read_table(path)
    row = next(row for row in result.table("chain_events").to_pylist() if row["kind"] == "mint")
    of = min(declined(result, "mint"))
    stated = f'{{"type":"ChainCallDeclined","order_id":"{of}","key":"mint:'
    texts = [text.replace(f"{stated}{of}", stated + row["order_id"]) for text in whole["detail"].to_pylist()]
    at = whole.schema.get_field_index("detail")
    pq.write_table(whole.set_column(at, whole.schema.field(at), pa.array(texts)), path)
    reason = f"{row['key']} is there, and the desk was told that it never would be"
    assert verify_chain(sim.load(tmp_path / "run")) == ChainFlaw(row["height"], reason)


def test_the_story_of_such_an_order_says_who_paid_what_back(result: RunResult) -> None:
    of = min(declined(result, "mint"))
    told = str(explain(result, of))
    assert "rejected (chain_refused: barred)" in told.splitlines()[0]
    assert f"the chain will never do mint:{of}: barred" in told
    assert "the house has paid " in told


def test_such_a_run_is_the_same_when_it_is_run_again(result: RunResult) -> None:
    assert sim.run(DAY, overrides=DECLINED).manifest.digests == result.manifest.digests


def test_the_journal_of_such_a_run_replays_to_its_digest(result: RunResult) -> None:
    assert result.dir is not None
    (replayed,) = replay_all(result.dir)
    assert replayed.digest == result.manifest.digests["desk"]


def test_a_chain_that_declines_nothing_by_any_chance_declines_nothing() -> None:
    short = ("run.duration=60s", "run.drain=5m", "desk.order_expiry=2m")
    plain = sim.run(DAY, overrides=short)
    listed = sim.run(DAY, overrides=[*short, 'chain_log.declined=["mint"]'])
    assert plain.manifest.digests == listed.manifest.digests
    assert facts(plain, "ChainCallDeclined") == []
