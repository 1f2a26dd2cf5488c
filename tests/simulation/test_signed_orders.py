"""Orders that are signed one by one in a simulated market: culprits are found, and nobody else is the worse for it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

import sim
from core.errors import FactViolated, InputError
from core.fix.records import FromPeer
from core.identity.bls import BLS
from core.identity.checking import BlockChecked, OrdersChecked
from core.identity.orders import order_message
from core.identity.records import MakerAdmitted
from core.kernel.record import Computed, Message
from core.sequencer.block import block_hash
from core.sequencer.chain import verify_history
from core.sequencer.held import HeldBatch
from core.sequencer.receipt import encode_receipt, receipt_of
from core.wiring import CODEC
from live.blocks import read_blocks, venue_reader
from sim.replay import replay_all
from sim.results.result import RunResult
from sim.whatif.whatif import WhatIf
from tests.helpers.markdown import read

ROOT: Final = Path(__file__).parents[2]
SCENARIO: Final = ROOT / "scenarios" / "signed_orders.toml"
(SOURCE,) = (fence.text for fence in read(ROOT / "docs" / "receipts.md").fences() if "verifier" in fence.words)


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """The scenario, run once."""
    return sim.run(SCENARIO, out=tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def folder(result: RunResult) -> Path:
    assert result.dir is not None
    return result.dir


def facts(result: RunResult, kind: str) -> list[dict[str, Any]]:
    """The facts of one kind that the venue has stated, in order."""
    notes = result.notes
    return [json.loads(detail) for detail in notes[(notes.kind == kind) & (notes.node == "venue")].detail]


def heard(folder: Path) -> list[Any]:
    """What the sequencer of a recorded run was given, in order."""
    deliveries = (CODEC.delivered(each) for each in venue_reader(folder).deliveries())
    return [event for _, dst, event, _ in deliveries if dst == "sequencer"]


def singly(folder: Path) -> list[str]:
    """The ClOrdIDs of messages whose signatures do not hold, each verified on its own."""
    keys: dict[str, bytes] = {}
    bad = []
    for event in heard(folder):
        body = event.body if isinstance(event, Message) else None
        if isinstance(body, MakerAdmitted) and body.signing == "order":
            keys[body.session] = body.public_key
        elif isinstance(body, FromPeer) and body.session in keys:
            message = order_message(body.content_hash)
            if not BLS.verify(keys[body.session], message, body.message.order_signature):
                bad.append(body.message.cl_ord_id)
    return bad


def placed(result: RunResult, cl_ord_ids: list[str]) -> list[str]:
    """Those of them that were not refused at the door."""
    refused = facts(result, "OrderRefused") + facts(result, "CancelRequestRefused")
    return [each for each in cl_ord_ids if each not in {it["cl_ord_id"] for it in refused}]


def test_every_message_that_is_signed_wrongly_and_no_other_is_turned_away(result: RunResult, folder: Path) -> None:
    bad = placed(result, singly(folder))
    assert len(bad) > 3
    assert all(cl_ord_id.startswith("MM2-") for cl_ord_id in bad)
    orders = result.orders
    failed = [*orders[orders.reason == "bad_order_signature"].cl_ord_id]
    refused = [it["cl_ord_id"] for it in facts(result, "CancelRefused") if it["reason"] == "bad_order_signature"]
    assert sorted(failed + refused) == sorted(bad)
    assert sum(len(it["refused"]) for it in facts(result, "OrdersVerified")) == len(bad)


def test_the_others_trade_on(result: RunResult) -> None:
    orders = result.orders
    filled = Counter(orders[orders.status == "filled"].owner)
    assert all(filled[maker] > 50 for maker in ("MM1", "MM3", "MM4"))
    assert 0 < filled["MM2"] < 50
    refused = Counter((it["owner"], it["reason"]) for it in facts(result, "OrderRefused"))
    assert list(refused) == [("MM2", "signatures_distrusted")], "and nobody else at the door"


def test_all_that_is_signed_in_a_block_takes_one_check_and_waits_for_nothing_else(
    result: RunResult, folder: Path
) -> None:
    verified = facts(result, "OrdersVerified")
    checks = Counter(type(event.result) for event in heard(folder) if isinstance(event, Computed))
    assert (checks[BlockChecked], checks[OrdersChecked]) == (len(verified), 0)
    assert len({it["height"] for it in verified}) == len(verified) > 20
    assert all(it["waited"] == 3_000_000 + 500_000 * it["signed"] for it in verified)


def test_blocks_and_receipts_are_as_true_of_culprits_as_of_others(result: RunResult, folder: Path) -> None:
    blocks = list(read_blocks(folder))
    assert verify_history(blocks) is None
    namespace: dict[str, Any] = {}
    exec(compile(SOURCE, "docs/receipts.md", "exec"), namespace)
    proven = [
        namespace["check"](encode_receipt(receipt_of(it.block, index)).decode(), block_hash(it.block.header))
        for it in blocks
        for index in range(it.block.header.message_count)
    ]
    assert {it["cl_ord_id"] for it in proven} >= set(placed(result, singly(folder)))


def test_it_is_the_same_every_time_and_replays(result: RunResult, folder: Path) -> None:
    assert sim.run(SCENARIO).digest == result.digest != sim.run(SCENARIO, seed=2).digest
    assert {found.node for found in replay_all(folder)} >= {"venue", "MM1", "MM2", "MM3", "MM4"}


def test_what_was_recorded_runs_again_under_another_clock_of_blocks(folder: Path) -> None:
    replaced = ["s1=cost_plus", "s2=cost_plus"]
    whatif = WhatIf(folder, ["sequencer.batch_window=100ms"], replaced=replaced)
    comparison = whatif.compare(whatif.baseline())
    assert comparison.deliveries > 1_000


def test_checks_that_take_too_long_refuse_those_who_sign_and_hold_up_nobody_for_ever() -> None:
    slow = ["identity.check_order=30s", "identity.check_timeout=200ms", "run.duration=2s"]
    result = sim.run(SCENARIO, overrides=slow)
    verified = facts(result, "OrdersVerified")
    assert {it["reason"] for it in verified} == {"unchecked_signature"}
    assert {it["waited"] for it in verified} == {200_000_000}
    orders = result.orders
    status = {maker: set(orders[orders.owner == maker].status) for maker in ("MM1", "MM2", "MM3", "MM4")}
    assert status["MM1"] == status["MM2"] == {"failed"}
    assert "filled" in status["MM3"] & status["MM4"]


def test_an_auction_that_gets_culprits_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(HeldBatch, "rest", lambda self: self.batch)
    monkeypatch.setattr(HeldBatch, "turned_away", lambda _: [])
    with pytest.raises(FactViolated, match=r"only signed orders trade: O-\d+ is added by MM2-\d+"):
        sim.run(SCENARIO)


@pytest.mark.parametrize(
    ("override", "words"),
    [
        ("identity.check_timeout=0s", "must be above zero"),
        ("market_maker.MM2.key.spoil_every=-1", "expected"),
        ("market_maker.MM3.key.spoil_every=5", "signs no orders"),
    ],
)
def test_what_makes_no_sense_is_a_fault_of_the_scenario(override: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        sim.run(SCENARIO, overrides=[override])


@pytest.mark.parametrize("seed", [1, 8])
def test_who_was_admitted_is_known_also_where_the_logon_is_heard_of_first(seed: int) -> None:
    shuffled = sim.run(SCENARIO, seed=seed, overrides=["run.ties=shuffled"])
    assert any(fact["refused"] for fact in facts(shuffled, "OrdersVerified"))
