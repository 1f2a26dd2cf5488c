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
from live.journal import segment, snapshots
from live.journal.files import segment_paths
from live.journal.policy import ALWAYS, SyncPolicy
from live.journal.store import Store
from live.journal.survey import survey
from tests.helpers.stores import HEADER, SEGMENT_BYTES, Toy, replayed, toys

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
        assert toy.store.trouble == f"no room for another segment: {SEGMENT_BYTES} bytes"
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
    toy.pump(10)
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
        f"no room for another segment: {SEGMENT_BYTES} bytes",
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
