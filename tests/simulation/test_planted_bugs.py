"""Wrong lines that leave every single part consistent, and that only a look from outside can see, stop the run."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.auction import fulfil, rules
from core.auction.commitments import Commitment
from core.auction.desk import Desk
from core.auction.escrow import PENALTIES, Escrow
from core.auction.rules import Contest, Ranked
from core.auction.settings import AuctionSettings
from core.errors import FactViolated
from core.fix.message import FixMessage
from core.fix.messages import ExecutionReport
from core.market.ledger import Transferred
from core.market.orders import OrderFilled
from core.sequencer import reports
from core.sequencer.batch import OpenBatch, Sealed
from core.sequencer.block import block_hash
from core.sequencer.reported import ReportedOrder
from core.sequencer.sequencer import Sequencer
from core.sequencer.settings import SequencerSettings
from core.units import Nanos
from tests.simulation.test_market import Ran


@pytest.fixture
def caught(tmp_path: Path) -> Callable[[], str]:
    def run() -> str:
        with pytest.raises(FactViolated) as caught:
            Ran(tmp_path, 1).run()
        return str(caught.value)

    return run


def test_a_bond_that_pays_at_every_settlement(caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    honest = fulfil._settle

    def greedy(desk: Desk, now: Nanos, owed: Commitment) -> None:
        bond = f"bond:{owed.solver}"
        desk.note(desk.ledger.transfer("USDC", Decimal(1), bond, PENALTIES, "penalty"))
        honest(desk, now, owed)

    monkeypatch.setattr(fulfil, "_settle", greedy)
    told = caught()
    assert told.startswith("payments: bond:s")
    assert told.endswith("has paid 1, its defaults cost 0")


def test_a_default_that_costs_nothing(caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Escrow.penalise

    def mild(escrow: Escrow, owed: Commitment, settings: AuctionSettings) -> Transferred:
        return honest(escrow, owed, replace(settings, default_penalty=Decimal(0)))

    monkeypatch.setattr(Escrow, "penalise", mild)
    told = caught()
    assert told.startswith("payments: C-")
    assert told.endswith("costs its solver 0, a default costs 50")


def test_an_order_sealed_in_a_block_but_never_given_to_the_auction(
    caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = OpenBatch.seal

    def lossy(batch: OpenBatch, now: Nanos, settings: SequencerSettings) -> Sealed:
        sealed = honest(batch, now, settings)
        return replace(sealed, batch=replace(sealed.batch, items=sealed.batch.items[1:]))

    monkeypatch.setattr(OpenBatch, "seal", lossy)
    told = caught()
    assert told.startswith("every order ends: O-")
    assert told.endswith("was sequenced and never reached the auction")


def test_a_fill_reported_twice_as_large(caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    honest = reports.filled

    def boastful(live: ReportedOrder, exec_id: str, now: Nanos, fill: OrderFilled) -> ExecutionReport:
        return honest(live, exec_id, now, replace(fill, quantity=fill.quantity * 2))

    monkeypatch.setattr(reports, "filled", boastful)
    assert caught().startswith("fills reported: E-")


def test_fills_that_nobody_is_told_of(caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    honest = Sequencer.tell

    def silent(sequencer: Sequencer, owner: str, message: FixMessage) -> None:
        if not isinstance(message, ExecutionReport) or message.last_shares is None:
            honest(sequencer, owner, message)

    monkeypatch.setattr(Sequencer, "tell", silent)
    told = caught()
    assert told.startswith("fills reported: F-1 of O-")
    assert told.endswith("was never reported to its owner")


def test_the_worst_bid_wins(caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    honest = rules._ranked_as_bid

    def upside_down(contest: Contest, height: int) -> list[Ranked]:
        return honest(contest, height)[::-1]

    monkeypatch.setattr(rules, "_ranked_as_bid", upside_down)
    told = caught()
    assert told.startswith("best bid wins: O-")
    assert told.endswith("is better")


def test_a_block_that_commits_to_nothing(caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
    honest = OpenBatch.seal

    def blank(batch: OpenBatch, now: Nanos, settings: SequencerSettings) -> Sealed:
        sealed = honest(batch, now, settings)
        header = replace(sealed.block.header, message_root=bytes(32))
        batch.head = block_hash(header)
        return replace(sealed, block=replace(sealed.block, header=header), block_hash=batch.head)

    monkeypatch.setattr(OpenBatch, "seal", blank)
    assert caught().startswith("block chain: block 1 has a root that is not that of its ")
