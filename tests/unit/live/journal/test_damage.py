"""Whatever happens to a journal's files: `verify` says what a start says, and the command that it names mends it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from core.errors import InputError, JournalDamaged
from core.kernel.journal import HEAD, MAGIC
from core.kernel.reader import frames, read_header
from core.kernel.segments import segment_number, synced_size, whole_frame_after
from live.journal.files import segment_header, segment_paths
from live.journal.repair import repair
from live.journal.snapshots import snapshot_paths
from live.journal.survey import survey
from live.journal.tail import tail_of
from tests.helpers.stores import Toy, replayed
from tests.unit.live.journal.test_recovery import flip
from tests.unit.live.journal.test_store import crowd


def header_end(path: Path) -> int:
    return read_header(str(path), path.read_bytes())[1]


def frame_offsets(path: Path) -> list[int]:
    return [offset for offset, _, _ in frames(str(path), path.read_bytes(), header_end(path))]


def truncate(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


DAMAGES: Final[dict[str, Callable[[Path], None]]] = {
    "magic flipped": lambda path: flip(path, 2),
    "header flipped": lambda path: flip(path, len(MAGIC) + 20),
    "middle flipped": lambda path: flip(path, frame_offsets(path)[len(frame_offsets(path)) // 2] + 12),
    "length flipped": lambda path: flip(path, frame_offsets(path)[len(frame_offsets(path)) // 2]),
    "last frame flipped": lambda path: flip(path, frame_offsets(path)[-1] + 12),
    "emptied": lambda path: truncate(path, 0),
    "cut in magic": lambda path: truncate(path, 4),
    "cut in header": lambda path: truncate(path, len(MAGIC) + 30),
    "cut in a frame": lambda path: truncate(path, frame_offsets(path)[3] + 5),
    "missing": Path.unlink,
}


def refusal(folder: Path) -> str:
    """What a start says, if it is refused."""
    try:
        Toy(folder).kill()
    except (JournalDamaged, InputError) as error:
        return str(error)
    return ""


@pytest.mark.parametrize("covered", [True, False])
@pytest.mark.parametrize("stopped", [True, False])
@pytest.mark.parametrize("which", [0, 2, -1])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_journal_is_judged_alike_by_all_and_mended_by_the_command_that_is_named(
    tmp_path: Path, damage: str, which: int, stopped: bool, covered: bool
) -> None:
    toy = Toy(tmp_path, snapshot_deliveries=100)
    toy.pump(75)
    (Toy.stop if stopped else Toy.kill)(toy)
    if not covered:
        for snapshot in snapshot_paths(tmp_path):
            snapshot.unlink()
    assert len(segment_paths(tmp_path)) > 4
    DAMAGES[damage](segment_paths(tmp_path)[which])
    found = survey(tmp_path)
    assert found.refusal == refusal(tmp_path)
    if not found.refusal:
        return
    if "bring back the archived segments" in found.refusal:
        return
    command = re.search(r"`romer-live journal (\w+) ([^`]+)`", found.refusal)
    assert command is not None
    assert (command[1], command[2]) == ("repair", str(tmp_path))
    before = {path.read_bytes() for path in tmp_path.iterdir() if segment_number(path.name)}
    done = repair(tmp_path)
    assert before <= {path.read_bytes() for path in tmp_path.iterdir()}, "nothing is destroyed"
    again = Toy(tmp_path)
    assert again.count == done.deliveries <= toy.count
    again.pump(10)
    again.stop()
    assert survey(tmp_path).refusal == ""
    if not covered:
        assert replayed(tmp_path).digest == again.digest


def test_what_was_synced_is_never_cut_whatever_bit_of_it_is_flipped(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(6)
    toy.store.tend()
    toy.kill()
    (path,) = segment_paths(tmp_path)
    data = path.read_bytes()
    synced = synced_size(data, segment_header(path).nonce)
    for at in range(header_end(path), synced, 3):
        flip(path, at)
        with pytest.raises(JournalDamaged, match="no unfinished write explains"):
            tail_of(path)
        path.write_bytes(data)
    assert tail_of(path).count == toy.count


def last_write(toy: Toy) -> tuple[Path, int, int]:
    """Where the last write begins and ends; it is several pages in this test's sense."""
    path, begin = toy.store.where
    assert toy.store._segment is not None
    return path, begin, toy.store._segment.size


def test_any_part_of_the_last_write_may_be_missing_and_all_of_it_is_a_tail(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(6)
    synced = toy.count
    crowd(toy, 20)
    toy.kernel.pump(toy.now)
    assert toy.kernel.journal is not None
    toy.kernel.journal.flush()
    path, begin, end = last_write(toy)
    toy.kill()
    data = path.read_bytes()
    assert end - begin > 1_000
    for hole in range(begin, end - 300, 37):
        path.write_bytes(data[:hole] + bytes(60) + data[hole + 60 :])
        assert whole_frame_after(path.read_bytes(), hole) is not None, "whole frames follow the hole"
        assert tail_of(path).count >= synced
    again = Toy(tmp_path)
    assert "torn tail cut at byte" in again.recovered.messages[0]
    assert synced <= again.count < toy.count
    again.stop()


def test_bytes_of_a_peer_that_look_like_a_frame_do_not_make_a_torn_write_damage(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(3)
    path, _, size = last_write(toy)
    toy.kill()
    lookalike = path.read_bytes()[header_end(path) : size]
    with path.open("r+b") as file:
        file.seek(size)
        file.write(HEAD.pack(5000, 1) + b"\x94" + lookalike.replace(segment_header(path).nonce, b"guessed!"))
    again = Toy(tmp_path)
    assert f"torn tail cut at byte {size}" in again.recovered.messages[0]
    assert again.count == toy.count
    again.stop()
