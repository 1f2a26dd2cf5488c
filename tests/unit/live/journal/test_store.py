"""A store never leaves half a frame, says early that the disk gets full, and syncs when its policy wants it to."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from core.errors import InputError
from core.kernel.record import Message
from live.journal import segment, snapshots
from live.journal.archive import archive
from live.journal.files import open_reader, segment_header, segment_paths, write_all
from live.journal.policy import ALWAYS, SyncPolicy
from live.journal.store import Store
from live.journal.survey import survey
from tests.helpers.stores import HEADER, SEGMENT_BYTES, Toy, replayed, toys
from tests.helpers.toys import Pong

NO_ROOM = f"no room on the disk for another segment of {SEGMENT_BYTES} bytes: No space left on device"
FULL_DISK = """
import sys
from pathlib import Path
from tests.helpers.stores import Toy
from live.journal.survey import survey
folder = Path(sys.argv[1]) / "journal"
toy = Toy(folder, snapshot_deliveries=50)
while not toy.store.short:
    toy.pump()
print(toy.store.trouble)
try:
    while True:
        toy.pump()
except OSError as error:
    print(error)
toy.kill()
found = survey(folder)
print(found.state, found.torn_bytes, found.damage, found.deliveries <= toy.count)
"""


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """A disk without room, as far as one file can tell."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_store_is_short_when_the_next_segment_has_no_room_and_no_longer_when_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Toy(tmp_path)
    with monkeypatch.context() as patched:
        patched.setattr(segment, "reserve", no_space)
        while not toy.store.short:
            assert len(segment_paths(tmp_path)) == 1
            toy.pump()
        assert len(segment_paths(tmp_path)) == 2, "the whole room of a segment is left"
        assert (
            toy.store.trouble
            == f"no room on the disk for another segment of {SEGMENT_BYTES} bytes: {os.strerror(errno.ENOSPC)}"
        )
        toy.pump(60)
        toy.store.tend()
        assert toy.store.trouble != ""
        assert len(segment_paths(tmp_path)) == 2
        assert not (tmp_path / "spare").exists()
    toy.store.tend()
    assert toy.store.trouble == ""
    toy.pump(50)
    assert len(segment_paths(tmp_path)) > 2
    toy.stop()
    assert replayed(tmp_path).digest == toy.digest


def test_when_even_the_reserve_is_used_up_the_journal_ends_with_a_whole_frame(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    with files_no_longer_than(SEGMENT_BYTES // 2):
        with pytest.raises(InputError, match="no room on the disk for another segment"):
            Toy(tmp_path / "other")
        with pytest.raises(OSError, match="the journal cannot be written") as caught:
            toy.pump(100)
    assert caught.value.errno == errno.EFBIG
    assert caught.value.filename == str(tmp_path / "000001.romer")
    toy.kill()
    found = survey(tmp_path)
    assert (found.state, found.torn_bytes, found.damage) == ("open", 0, "")
    again = Toy(tmp_path)
    again.pump(5)
    again.stop()


def test_a_snapshot_that_cannot_be_written_is_a_shortage_and_leaves_no_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Toy(tmp_path, snapshot_deliveries=10)
    with monkeypatch.context() as patched:
        patched.setattr(snapshots, "write_whole", no_space)
        toy.pump(10)
        assert toy.store.trouble == "a snapshot cannot be written: No space left on device"
        toy.store.tend()
        assert toy.store.trouble != ""
    toy.pump()
    assert toy.store.trouble != "", "not tried again with every pump"
    monkeypatch.setattr("live.journal.store._RETRY_SECONDS", 0)
    toy.pump()
    assert toy.store.trouble == ""
    toy.stop()
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".tmp") == []


@pytest.mark.skipif(not shutil.which("unshare"), reason="NO unshare HERE: a full disk is only simulated")
def test_on_a_disk_that_is_really_full(tmp_path: Path) -> None:
    inside = f"mount -t tmpfs -o size=120k tmpfs '{tmp_path}' && '{sys.executable}' -c '{FULL_DISK}' '{tmp_path}'"
    root = Path(__file__).parents[4]
    run = subprocess.run(
        ["unshare", "-rm", "sh", "-c", inside],
        capture_output=True,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        check=False,
        timeout=60,
    )
    if "unshare" in run.stderr or "mount" in run.stderr:
        pytest.skip(f"NO TMPFS WITHOUT ROOT HERE: a full disk is only simulated ({run.stderr.strip()})")
    assert run.stderr == ""
    trouble, last, found = run.stdout.splitlines()
    assert trouble in (
        NO_ROOM,
        "a snapshot cannot be written: No space left on device",
    )
    assert "the journal cannot be written: No space left on device" in last
    assert found == "open 0  True"


def test_old_snapshots_go_when_newer_ones_are_there(tmp_path: Path) -> None:
    toy = Toy(tmp_path, snapshot_deliveries=5)
    toy.pump(60)
    assert len(snapshots.snapshot_paths(tmp_path)) == snapshots.KEPT
    toy.stop()


class Clock:
    """A monotonic clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return 0


@pytest.mark.parametrize(("policy", "syncs"), [("always", [1, 2, 3, 4]), ("off", [0, 0, 0, 0]), ("50ms", [0, 0, 1, 1])])
def test_a_sync_happens_when_the_policy_wants_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, syncs: list[int]
) -> None:
    clock = Clock()
    monkeypatch.setattr("live.journal.store.time", clock)
    toy = Toy(tmp_path, policy=SyncPolicy.parse(policy))
    synced: list[int] = []
    monkeypatch.setattr(segment, "data_sync", synced.append)
    counts = []
    for _ in range(4):
        toy.pump()
        clock.now += 0.03
        counts.append(len(synced))
    assert counts == syncs
    clock.now += 1
    toy.pump()
    toy.store.tend()
    assert len(synced) == {"always": 5, "off": 0, "50ms": 2}[policy]
    toy.stop()


@pytest.mark.parametrize("text", ["always", "off", "50ms", "1s"])
def test_a_policy_is_written_as_it_is_read(text: str) -> None:
    assert str(SyncPolicy.parse(text)) == text


@pytest.mark.parametrize("text", ["", "sometimes", "0s", "-1s"])
def test_another_policy_is_bad_input(text: str) -> None:
    with pytest.raises(InputError, match="`always`, `off`, or a duration"):
        SyncPolicy.parse(text)


def test_a_write_that_the_system_cuts_short_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = Toy(tmp_path)
    whole = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, data, at: whole(fd, bytes(data)[:3], at))
    toy.pump(5)
    monkeypatch.undo()
    toy.kill()
    assert replayed(tmp_path).digest == toy.digest


def test_a_folder_that_cannot_be_made_is_bad_input(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot make"):
        Store.open(tmp_path / "file" / "journal", HEADER, policy=ALWAYS)


def test_a_snapshot_is_taken_when_time_has_passed_and_something_has_happened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr("live.journal.store.time", clock)
    toy = Toy(tmp_path, build=toys)
    toy.pump(3)
    assert toy.store.snapshot_count == 0
    clock.now += 61
    toy.pump()
    assert toy.store.snapshot_count == toy.count
    toy.stop()


def crowd(toy: Toy, size: int) -> None:
    """So many events for the next pump, each of about a hundred bytes."""
    for n in range(size):
        toy.kernel.agenda.post(toy.now, "world", "asker", Message("world", Pong(n)))


@pytest.mark.parametrize("size", [0, 20])
def test_every_write_finds_its_room_reserved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    toy = Toy(tmp_path)
    beyond = []

    def watched(fd: int, data: bytes, offset: int) -> None:
        if offset + len(data) > SEGMENT_BYTES:
            beyond.append((offset, len(data)))
        write_all(fd, data, offset)

    monkeypatch.setattr(segment, "write_all", watched)
    for _ in range(60):
        crowd(toy, size)
        toy.pump()
    assert beyond == []
    assert len(segment_paths(tmp_path)) > 3
    toy.stop()
    assert replayed(tmp_path).digest == toy.digest


def test_the_spare_is_used_before_the_disk_is_asked_for_more_and_then_the_store_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Toy(tmp_path)
    monkeypatch.setattr(segment, "reserve", no_space)
    with files_no_longer_than(SEGMENT_BYTES):
        while not toy.store.short:
            toy.pump()
        assert len(segment_paths(tmp_path)) == 2
        pumps = 0
        while not toy.store.nearly_full:
            toy.pump()
            pumps += 1
        assert pumps > 3
        toy.pump()
    monkeypatch.undo()
    toy.store.tend()
    assert [toy.store.short, toy.store.nearly_full] == [False, False]
    toy.pump(50)
    toy.stop()
    assert replayed(tmp_path).digest == toy.digest


def test_there_is_room_for_the_end_of_all_that_is_under_way_or_the_store_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy, segment_needs = Toy(tmp_path), SEGMENT_BYTES // 2048
    toy.store.under_way = lambda: 3 * segment_needs
    toy.pump()
    assert (tmp_path / "spare").stat().st_size == 3 * SEGMENT_BYTES
    toy.store.under_way = lambda: 5 * segment_needs + 1
    with files_no_longer_than(5 * SEGMENT_BYTES):
        toy.pump()
        assert toy.store.trouble.startswith(f"no room on the disk for another segment of {6 * SEGMENT_BYTES} bytes")
        assert (tmp_path / "spare").stat().st_size == 3 * SEGMENT_BYTES
        assert not toy.store.nearly_full
        toy.store.under_way = lambda: 3 * segment_needs
        toy.store.tend()
        assert toy.store.trouble == ""
    monkeypatch.setattr(segment, "reserve", no_space)
    while len(segment_paths(tmp_path)) == 1:
        toy.pump()
    held = toy.store.short, toy.store.nearly_full
    assert held == (True, True), "all of the room that was taken is for what is under way"
    with files_no_longer_than(3 * SEGMENT_BYTES):
        while toy.store.where[1] < 3 * SEGMENT_BYTES - 1_000:
            toy.pump()
    monkeypatch.undo()
    toy.store.tend()
    assert [toy.store.short, toy.store.nearly_full] == [False, False]
    toy.stop()
    assert replayed(tmp_path).digest == toy.digest


def test_a_write_larger_than_a_segment_is_kept_whole(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(3)
    for _ in range(3):
        crowd(toy, 100)
        toy.pump()
    toy.pump(3)
    toy.kill()
    assert sum(path.stat().st_size > SEGMENT_BYTES for path in segment_paths(tmp_path)) >= 3
    again = Toy(tmp_path)
    assert again.digest == toy.digest
    again.stop()


def test_a_turn_that_fails_leaves_the_segment_before_and_its_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Toy(tmp_path)

    def fails(*_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OSError, match="Input/output error"):
        toy.pump(50)
    monkeypatch.undo()
    assert toy.kernel.journal is not None
    toy.kernel.journal.close()
    toy.store.close()
    found = survey(tmp_path)
    assert (found.segments, found.state, found.refusal) == (1, "open", "")
    Toy(tmp_path).stop()


def test_a_disk_that_is_full_in_the_middle_of_a_pump_is_no_fault_of_a_component(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Toy(tmp_path)
    monkeypatch.setattr(segment, "write_all", no_space)
    crowd(toy, 600)
    with pytest.raises(OSError, match="the journal cannot be written") as caught:
        toy.kernel.pump(toy.now)
    assert caught.value.errno == errno.ENOSPC
    toy.kill()


def test_a_rotation_reads_no_other_segment_and_heeds_no_damage_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Toy(tmp_path, snapshot_deliveries=10)
    toy.pump(60)
    first = segment_paths(tmp_path)[0]
    data = bytearray(first.read_bytes())
    data[30] ^= 1
    first.write_bytes(bytes(data))
    read: list[Path] = []
    monkeypatch.setattr("live.journal.index.segment_header", read.append)
    before = len(segment_paths(tmp_path))
    toy.pump(60)
    assert len(segment_paths(tmp_path)) > before
    assert read == []
    monkeypatch.undo()
    toy.kill()
    again = Toy(tmp_path)
    assert again.digest == toy.digest
    again.stop()


def test_archiving_and_removing_never_disturb_the_node_that_runs(tmp_path: Path) -> None:
    toy = Toy(tmp_path, snapshot_deliveries=15)
    toy.pump(40)
    for keep in (3, 2, 1, 0) * 5:
        archive(tmp_path, keep)
        toy.pump(10)
    toy.stop()
    assert survey(tmp_path).refusal == ""
    again = Toy(tmp_path)
    assert again.digest == toy.digest
    again.stop()


def test_a_segment_that_is_archived_after_it_was_listed_is_still_read(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(60)
    toy.stop()
    paths = segment_paths(tmp_path)
    archive(tmp_path)
    assert [segment_header(path).segment for path in paths] == list(range(1, len(paths) + 1))
    reader = open_reader(paths)
    list(reader.deliveries())
    assert reader.digest() == toy.digest


def test_what_a_killed_process_had_not_synced_is_on_disk_before_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Toy(tmp_path, policy=SyncPolicy.parse("off"))
    toy.pump(5)
    toy.kill()
    (path,) = segment_paths(tmp_path)
    order: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def watched_sync(fd: int) -> None:
        order.append(f"{Path(f'/proc/self/fd/{fd}').readlink().name} {os.fstat(fd).st_size}")
        fsync(fd)

    def watched_rename(self: Path, target: Path) -> Path:
        order.append(f"begin {target.name}")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(Path, "rename", watched_rename)
    Toy(tmp_path).stop()
    assert order.index(f"{path.name} {path.stat().st_size}") < order.index("begin 000002.romer")
