"""A replay finds the journals of a directory, whoever left them, and reads segments as one."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

import pytest

from core.config import MakerConfig, encode_node
from core.errors import InputError, JournalDamaged
from core.kernel.journal import Header
from core.units import SECOND
from core.wiring import CODEC, components
from live.journal.archive import archive
from live.journal.files import segment_paths
from live.journal.recovery import recover
from live.journal.store import Store
from sim.replay import journals, replay_all
from sim.results.result import RunResult
from tests.unit.results.stories import manifest

CONFIG = MakerConfig(id="MM1", venue_comp_id="ROMER", address="127.0.0.1:1")
ENCODED = encode_node(CONFIG)
HEADER = Header("MM1", 1, ENCODED, blake2b(ENCODED, digest_size=16).hexdigest())


def start(folder: Path, at: int, *, in_order: bool = True) -> str:
    """One life of a market maker without a venue: dials, and is started and stopped."""
    store = Store.open(folder, HEADER, segment_bytes=1 << 12)
    kernel = recover(store, lambda: components(CONFIG, 1), CODEC).kernel
    kernel.pump(at * SECOND)
    if in_order:
        kernel.stop(at * SECOND)
        kernel.pump((at + 1) * SECOND)
        store.snapshot(kernel)
    assert kernel.journal is not None
    kernel.journal.flush()
    digest = kernel.journal.digest()
    if in_order:
        kernel.journal.close()
    store.close()
    return digest


@pytest.mark.parametrize("in_order", [True, False])
def test_a_live_journal_replays_over_its_restarts_to_the_digest_that_was_last(tmp_path: Path, in_order: bool) -> None:
    *_, digest = [start(tmp_path / "MM1", at, in_order=in_order) for at in (10, 20, 30)]
    (replayed,) = replay_all(tmp_path / "MM1")
    assert replayed.digest == digest
    (again,) = replay_all(tmp_path)
    assert again.digest == digest


def test_archived_segments_are_replayed_too_and_missing_ones_are_said_to_be(tmp_path: Path) -> None:
    start(tmp_path, 10)
    digest = start(tmp_path, 20)
    assert archive(tmp_path).compressed == ("000001.romer",)
    assert [one.digest for one in replay_all(tmp_path)] == [digest]
    segment_paths(tmp_path)[0].unlink()
    with pytest.raises(InputError, match=r"begins after delivery .* the segments before 000002\.romer are gone"):
        list(replay_all(tmp_path))


def test_journals_of_many_kinds_are_found_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("s10", "s2"):
        start(tmp_path / name / "journal", 10)
    start(tmp_path / "s1", 10)
    (tmp_path / "venue.romer").write_bytes(b"")
    (tmp_path / "notes").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in journals(tmp_path)]
    assert found == ["s1", "s2/journal", "s10/journal", "venue.romer"]


def test_a_single_file_that_simply_stops_is_damage_as_ever(tmp_path: Path) -> None:
    start(tmp_path, 10, in_order=False)
    with pytest.raises(JournalDamaged, match="no end frame"):
        list(replay_all(tmp_path / "000001.romer"))


def test_a_directory_of_runs_is_answered_by_one_of_them(tmp_path: Path) -> None:
    told = manifest()
    RunResult.of(told, []).write(tmp_path / told.run_name)
    with pytest.raises(InputError, match=rf"no journals \(\*\.romer\) \(did you mean {tmp_path / told.run_name}\?\)"):
        journals(tmp_path)
