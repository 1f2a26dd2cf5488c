"""What-ifs of venues that check signatures and sign their blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.identity.checking import CheckBlock
from core.sequencer.facts import BlockSigned, OrdersVerified
from sim.runner import run
from sim.whatif.recording import Recording, read_recording
from tests.helpers.scenarios import changed
from tests.unit.sim.whatif.conftest import compare

SCENARIOS = Path("scenarios")


@pytest.fixture(scope="module")
def signed_orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of some seconds of a market whose orders are signed."""
    folder = tmp_path_factory.mktemp("signed")
    directory = run(SCENARIOS / "signed_orders.toml", overrides=["run.duration=4s"], out=folder).dir
    assert directory is not None
    return directory


@pytest.fixture(scope="module")
def signed_blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a market whose venue signs its blocks."""
    folder = tmp_path_factory.mktemp("blocks")
    (folder / "small.toml").write_text(changed(("[[market_maker]]", "[signer]\n\n[[market_maker]]")))
    directory = run(folder / "small.toml", out=folder).dir
    assert directory is not None
    return directory


def test_checks_take_as_long_as_they_took_so_that_a_change_without_effect_changes_nothing(signed_orders: Path) -> None:
    comparison = compare(signed_orders, "sequencer.receipt_blocks=65")
    assert len(comparison.orders) > 50
    assert comparison.changed == []
    assert comparison.how.limits == []


def test_a_check_that_was_not_recorded_takes_the_median_of_its_kind(signed_orders: Path, recording: Recording) -> None:
    signed = read_recording(signed_orders)
    waits = [note.fact.waited for note in signed.notes if isinstance(note.fact, OrdersVerified)]
    assert 0 < signed.span_of(CheckBlock(())) <= max(waits)
    assert recording.span_of(CheckBlock(())) == 0, "of which there was none"


def test_a_venue_that_signs_its_blocks_is_run_again_and_changed_without_its_key(signed_blocks: Path) -> None:
    assert any(isinstance(noted.fact, BlockSigned) for noted in read_recording(signed_blocks).notes)
    again = compare(signed_blocks)
    assert again.digest == again.baseline.digest
    assert compare(signed_blocks, "sequencer.ordering=shuffle").fairness.after.inversions > 0
