"""What a crash cannot lose and a second run cannot change: defects 14 and 16 of the reference system, by number."""

from __future__ import annotations

import os
import subprocess
import sys
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from core.collateral.collateral import Collateral
from core.execution.execution import Execution
from core.index.desk import IndexDesk
from core.index.facts import IndexBatchOpened, IndexOrderDeferred
from core.index.records import CancelIndexOrder, IndexOrderEnded, Outcome
from core.index.settings import PlannerName
from core.index.states import IndexOrderState
from core.kernel.codec import encode
from core.kernel.journal import Journal
from core.kernel.kernel import Kernel, Snapshot
from core.kernel.reader import JournalReader
from core.kernel.recover import recover
from core.units import MILLISECOND, SECOND
from core.wiring import CODEC
from sim.exchange_models import ScriptedFill
from tests.helpers.index_desk import ALICE, BOB, golden_script, golden_settings, levels, ready_rig
from tests.helpers.index_node import IndexNode, collateral_settings, still_exchange

D = Decimal
ROOT = Path(__file__).parents[3]
PARTS = tuple((ScriptedFill(D(first), D("0.995")), ScriptedFill(D("0.3"), D("0.998"))) for first in ("0.6", "0.7"))
"""Exchange orders trade in two parts, and every other one not to its end."""
ASSETS, THIN = tuple("UVWXYZ"), tuple("OPQR")


# --- 14: a crash ---------------------------------------------------------------------------------


def trading() -> IndexNode:
    """A node that brings collateral over hops, buys in batches, has one order cancelled meanwhile, and mints."""
    node = IndexNode(
        structs.replace(golden_settings(), client_order_wait_ns=2 * SECOND, mint_wait_ns=2 * SECOND),
        still_exchange(script=PARTS, script_gap_ns=500 * MILLISECOND),
        collateral=collateral_settings(D("0.001")),
    )
    node.weigh(SECOND)
    for user, amount in ((ALICE, "900"), (BOB, "2900")):
        node.deposit(2 * SECOND, amount, user)
        node.order(2 * SECOND, "C-1", amount, user=user)
    node.tell(7 * SECOND + 200 * MILLISECOND, "desk", CancelIndexOrder(BOB, "C-1"))
    return node


def recovered(node: IndexNode, since: Snapshot | None) -> Kernel:
    """What a process makes of the journal as it is on disk now: of all of it, or of what came after a snapshot."""
    running = node.node.kernel
    assert running.journal is not None
    running.journal.flush()
    components = (
        IndexDesk("desk", node.settings),
        Execution("execution", node.execution.settings),
        Collateral("collateral", node.collateral.settings),
    )
    fresh = Kernel("index", components, journal=Journal("index"))
    reader = JournalReader("index", node.journal.getvalue(), since=since.chain if since else None)
    recover(fresh, reader, CODEC, since)
    return fresh


def pending(kernel: Kernel) -> list[tuple[Any, ...]]:
    """What arose within a node and is still to be delivered there: its timers, and what its components said."""
    _, entries = kernel.agenda.snapshot()
    return [
        (entry.at, entry.dst, entry.key, bytes(entry.event))
        for entry in entries
        if entry.key is not None or kernel.is_own(CODEC.events.decode(entry.event))
    ]


def crash_after_every_event(node: IndexNode, *, seconds: int, with_snapshots: bool) -> set[IndexOrderState]:
    """Run a node that goes on, after each event, with what was recovered; return the states that orders were in."""
    since: list[Snapshot | None] = [None]
    seen: set[IndexOrderState] = set()

    def crash() -> None:
        running, fresh = node.node.kernel, recovered(node, since[-1])
        assert fresh.journal is not None
        assert running.journal is not None
        assert fresh.journal.digest() == running.journal.digest()
        assert pending(fresh) == pending(running)
        assert fresh.outside.unanswered() == running.outside.unanswered()
        seen.update(order.state for order in node.desk.state.orders.live.values())
        for name, component in fresh.components.items():
            running.components[name].restore(component.snapshot())

    node.restarts, node.before_restart = True, crash
    for second in range(1, seconds + 1):
        node.run(second)
        if with_snapshots:
            since.append(node.snapshot())
    return seen


@pytest.mark.parametrize("with_snapshots", [False, True], ids=["from the start", "from the last snapshot"])
def test_14_no_crash_after_any_event_loses_anything_that_the_journal_has(with_snapshots: bool) -> None:
    killed, other = trading(), trading()
    seen = crash_after_every_event(killed, seconds=30, with_snapshots=with_snapshots)
    other.run(30)
    assert killed.effects == other.effects
    assert killed.replayed().digest == other.replayed().digest
    assert {fact.user: fact.outcome for fact in killed.facts(IndexOrderEnded)} == {
        ALICE: Outcome.MINTED,
        BOB: Outcome.CANCELLED,
    }
    under_way = ("OPEN", "ROUTING", "ENGAGED", "LEAVING", "FULLY_MINTABLE", "MINTING", "SETTLING")
    assert {IndexOrderState[name] for name in under_way} <= seen
    killed.audit()


def test_14_a_desk_that_is_killed_in_the_middle_of_a_batch_loses_nothing() -> None:
    rig = ready_rig()
    rig.exchange.paused = True
    rig.order("C-1", "800")
    rig.run(11)
    rig.restart()
    rig.resume_exchange()
    rig.run(30)
    assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.MINTED]


# --- 16: hash order ------------------------------------------------------------------------------


def digest_of_runs() -> str:
    """Of everything that a desk does, with each planner, for two users of four indexes with twelve assets."""
    effects = []
    for planner in PlannerName:
        rig = ready_rig(structs.replace(golden_settings(), planner=planner))
        rig.exchange.script = golden_script
        for number, asset in enumerate((*ASSETS, *THIN), start=1):
            rig.set_book(asset, levels((9 * number, 1000)), levels((10 * number, 1000)))
        rig.weigh("IW", tuple((asset, D(1) / len(ASSETS)) for asset in ASSETS))
        rig.weigh("IV", (("X", D("0.5")), ("V", D("0.5"))))
        rig.weigh("IU", tuple((asset, D(1) / len(THIN)) for asset in THIN))
        for asset in THIN:
            rig.set_book(asset, levels((9, 1000)), levels((10, "0.001")))
        for number, symbol in enumerate(("IW", "IV", "IX", "IW", "IU")):
            rig.order(f"C-{number}", "900", symbol=symbol, user=(ALICE, BOB)[number % 2])
        rig.run(60)
        assert [fact.outcome for fact in rig.facts(IndexOrderEnded)] == [Outcome.MINTED] * 4
        assert len(rig.facts(IndexBatchOpened)) > 1
        assert [fact.reason for fact in rig.facts(IndexOrderDeferred)] == ["no_liquidity"]
        effects.append(rig.effects)
    return sha256(encode(effects)).hexdigest()


def test_16_the_order_of_hashes_changes_nothing() -> None:
    """Hashes of strings differ from process to process, so each run has one of its own."""
    command = [sys.executable, "-c", f"import {__name__} as it; print(it.digest_of_runs())"]
    runs = [
        subprocess.Popen(command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": seed}, stdout=subprocess.PIPE)
        for seed in ("1", "2", "3")
    ]
    digests = {run.communicate()[0] for run in runs}
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert len(digests) == 1
