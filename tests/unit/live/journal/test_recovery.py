"""A journal's directory is taken up wherever it was left, or refused with what to do about it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ComponentFailed, InputError, JournalDamaged, ReplayDiverged
from core.kernel.component import Component
from core.kernel.journal import Header
from core.kernel.reader import frames, read_header
from core.kernel.record import Message
from core.units import SECOND
from live.journal.files import open_reader, segment_header, segment_paths
from live.journal.snapshots import snapshot_paths
from tests.helpers.stores import HEADER, STEP, Toy, replayed, toys, unbroken
from tests.helpers.toys import Answerer, Asker, Ping


def test_a_fresh_directory_is_a_node_about_to_start(tmp_path: Path) -> None:
    toy = Toy(tmp_path / "journal")
    assert (toy.recovered.fresh, toy.recovered.messages, toy.store.boot) == (True, [], 1)
    toy.pump(10)
    assert toy.count > 2
    toy.stop()


@pytest.mark.parametrize("in_order", [True, False])
@pytest.mark.parametrize("snapshots", [30, 1 << 30])
def test_a_restarted_node_goes_on_to_the_digest_of_the_unbroken_run(
    tmp_path: Path, snapshots: int, in_order: bool
) -> None:
    expected = unbroken(tmp_path / "whole", 100)
    for boot in range(1, 6):
        toy = Toy(tmp_path / "parts", snapshot_deliveries=snapshots)
        assert toy.store.boot == boot
        toy.pump(20)
        (Toy.stop if in_order else Toy.kill)(toy)
    again = replayed(tmp_path / "parts")
    assert (again.count, again.digest) == expected
    assert len(segment_paths(tmp_path / "parts")) > 5
    reader = open_reader(segment_paths(tmp_path / "parts"))
    list(reader.deliveries(unfinished=True))
    assert [boot.number for boot in reader.boots] == [1, 2, 3, 4, 5]


def test_with_a_snapshot_only_the_tail_is_handled_again(tmp_path: Path) -> None:
    toy = Toy(tmp_path, snapshot_deliveries=20)
    toy.pump(50)
    toy.kill()
    again = Toy(tmp_path)
    assert 0 <= again.recovered.replayed < 30 < again.count
    assert "handled again since snapshot of delivery" in again.recovered.messages[-1]
    again.stop()
    last = Toy(tmp_path)
    assert last.recovered.replayed == 0
    assert last.digest == toy.digest
    last.stop()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_process_killed_at_any_byte_of_any_segment_is_taken_up_again(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("killed")
    expected = unbroken(folder / "whole", 60)
    toy = Toy(folder / "parts", snapshot_deliveries=data.draw(st.sampled_from([25, 1 << 30])))
    toy.pump(60)
    toy.kill()
    paths = segment_paths(folder / "parts")
    at = data.draw(st.integers(0, len(paths) - 1), "segment")
    first = opening_size(paths[at])  # a segment has its header before it has its name
    first += 500 * (at == 0)
    size = data.draw(st.integers(min(first, paths[at].stat().st_size), paths[at].stat().st_size), "bytes")
    garbage = data.draw(st.binary(max_size=20), "garbage")
    with paths[at].open("r+b") as file:
        file.truncate(size)
        file.seek(size)
        file.write(garbage)
    for later in paths[at + 1 :]:
        later.unlink()
    count = len(list(open_quietly(folder / "parts")))
    for snapshot in snapshot_paths(folder / "parts"):
        if int(snapshot.stem.rpartition("-")[2]) > count:
            snapshot.unlink()  # a snapshot is taken of what is on disk already
    again = Toy(folder / "parts")
    assert again.count == count
    again.kernel.pump(again.now or STEP)
    again.pump(60 - (again.now or STEP) // STEP)
    assert (again.count, again.digest) == expected
    again.kill()


def opening_size(path: Path) -> int:
    """How far the header goes, and with the segment that a boot begins the frame that says so."""
    data = path.read_bytes()
    end = read_header(str(path), data)[1]
    _, after, payload = next(frames(str(path), data, end))
    return after if b"Boot" in payload else end


def open_quietly(folder: Path) -> list[int]:
    seen = []
    try:
        for delivery in open_reader(segment_paths(folder)).deliveries(unfinished=True):
            seen.append(delivery.seq)  # noqa: PERF401  # keeps those before the damage
    except JournalDamaged:
        pass
    return seen


def test_a_torn_tail_is_cut_with_a_message_that_names_file_offset_and_bytes(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(8)
    toy.kill()
    (path,) = segment_paths(tmp_path)
    size = toy.store._segment.size if toy.store._segment else 0
    with path.open("r+b") as file:
        file.seek(size)
        file.write(b"\x21\0\0\0half a fr")
    again = Toy(tmp_path)
    assert f"{path}: torn tail cut at byte {size}: 13 bytes" in again.recovered.messages[0]
    assert path.stat().st_size == size
    assert again.digest == toy.digest
    again.stop()


def test_room_that_was_only_reserved_is_given_back_without_a_word(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(3)
    toy.kill()
    again = Toy(tmp_path)
    assert len(again.recovered.messages) == 1
    again.stop()


def test_damage_in_the_middle_is_refused_with_file_offset_and_the_repair_command(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(8)
    toy.stop()
    (path,) = segment_paths(tmp_path)
    for snapshot in snapshot_paths(tmp_path):
        snapshot.unlink()
    flip(path, path.stat().st_size // 2)
    before = path.read_bytes()
    with pytest.raises(JournalDamaged, match=f"romer-live journal repair {tmp_path}") as caught:
        Toy(tmp_path)
    assert caught.value.name == str(path)
    assert caught.value.offset <= len(before) // 2
    assert path.read_bytes() == before


def flip(path: Path, offset: int) -> None:
    data = bytearray(path.read_bytes())
    data[offset] ^= 0x40
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("bad", [1, 3])
def test_a_bad_snapshot_is_skipped_with_a_message(tmp_path: Path, bad: int) -> None:
    toy = Toy(tmp_path, snapshot_deliveries=20)
    toy.pump(60)
    toy.kill()
    found = snapshot_paths(tmp_path)
    assert len(found) == 3
    for path in found[:bad]:
        flip(path, path.stat().st_size - 5)
    again = Toy(tmp_path)
    assert [f"{path}: damaged at byte 40: checksum mismatch: skipped" for path in found[:bad]] == (
        again.recovered.messages[:bad]
    )
    assert again.digest == toy.digest
    again.stop()


def test_what_a_killed_process_has_left_of_a_snapshot_is_removed(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(5)
    toy.kill()
    rest = tmp_path / "snapshot-000000000007.romer-snapshot.tmp"
    rest.write_bytes(b"ROMERS1")
    Toy(tmp_path).stop()
    assert not rest.exists()


class Forgetful(Asker):
    """Has another state than an Asker's."""

    def restore(self, data: bytes) -> None:
        super().restore(data)
        self.state.asked += 1


def test_a_snapshot_from_which_the_tail_comes_out_otherwise_is_skipped(tmp_path: Path) -> None:
    def build() -> list[Component[Any]]:
        return [Forgetful(), Answerer()]

    toy = Toy(tmp_path, snapshot_deliveries=20, build=build)
    toy.pump(20)
    assert toy.count > toy.store.snapshot_count + 4
    toy.kill()
    again = Toy(tmp_path, build=build)
    assert "is of no use: delivery" in again.recovered.messages[0]
    assert again.digest == toy.digest
    again.stop()


def test_code_that_does_something_else_is_refused_with_both_sides(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(10)
    toy.kill()
    with pytest.raises(ReplayDiverged):
        Toy(tmp_path, build=lambda: [Asker(limit=3), Answerer()])


def test_a_second_process_is_refused_and_told_who_has_it(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    with pytest.raises(InputError, match=f"process {os.getpid()} has this journal open"):
        Toy(tmp_path)
    toy.stop()
    Toy(tmp_path).stop()


@pytest.mark.parametrize(
    ("header", "what"),
    [
        (Header("other", 1, b"", ""), "the journal of node toy"),
        (Header("toy", 2, b"", ""), "the journal of seed 1"),
        (Header("toy", 1, b"x", "abc"), "the journal of configuration"),
    ],
)
def test_the_journal_of_something_else_is_refused(tmp_path: Path, header: Header, what: str) -> None:
    Toy(tmp_path, header=HEADER).stop()
    with pytest.raises(InputError, match=what):
        Toy(tmp_path, header=header)
    Toy(tmp_path).stop()


def test_a_journal_from_the_future_keeps_its_time_and_says_so(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.now = 1 << 62
    toy.pump()
    toy.kill()
    again = Toy(tmp_path)
    assert "behind the journal" in again.recovered.messages[-1]
    assert again.recovered.not_before == (1 << 62) + STEP
    again.stop()


class Fragile(Answerer):
    """Breaks on its fifth question."""

    def _on_ping(self, now: int, event: Message[Ping]) -> None:
        self.state.total += 1_000_000
        if event.body.n == 5:
            raise ZeroDivisionError("five")
        self.state.total -= 1_000_000
        super()._on_ping(now, event)

    HANDLERS = {**Answerer.HANDLERS, Ping: _on_ping}  # noqa: RUF012


def fragile() -> list[Component[Any]]:
    return [Asker(), Fragile()]


def test_an_event_that_crashed_the_node_is_refused_with_the_event_and_the_command(tmp_path: Path) -> None:
    toy = Toy(tmp_path, build=fragile)
    with pytest.raises(ComponentFailed):
        toy.pump(20)
    toy.kill()
    with pytest.raises(InputError, match=r"crashed on Message.*Ping\(n=5\).*ZeroDivision") as caught:
        Toy(tmp_path, build=fragile)
    assert f"romer-live journal quarantine {tmp_path}" in caught.value.hint
    with pytest.raises(InputError):  # a mended version must not do what never happened either
        Toy(tmp_path, build=toys)


def test_the_first_segment_may_be_gone_when_a_snapshot_includes_it(tmp_path: Path) -> None:
    toy = Toy(tmp_path, snapshot_deliveries=20)
    toy.pump(100)
    toy.stop()
    first, *rest = segment_paths(tmp_path)
    first.unlink()
    again = Toy(tmp_path)
    assert again.digest == toy.digest
    again.stop()
    for snapshot in snapshot_paths(tmp_path):
        snapshot.unlink()
    with pytest.raises(InputError, match=f"segments before {rest[0].name} are gone"):
        Toy(tmp_path)


def test_every_segment_says_where_it_begins(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(round(SECOND / STEP))
    toy.stop()
    headers = [segment_header(path) for path in segment_paths(tmp_path)]
    assert len(headers) > 3
    assert [header.segment for header in headers] == list(range(1, len(headers) + 1))
    reader = open_reader(segment_paths(tmp_path))
    list(reader.deliveries())
    assert reader.end is not None
    assert (reader.end.count, reader.end.digest) == (toy.count, toy.digest)
