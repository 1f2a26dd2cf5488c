"""What is mended is never destroyed, and whoever mends is told what it costs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.errors import ComponentFailed, InputError, JournalDamaged
from core.kernel.component import Component
from core.kernel.replay import replay
from live.journal import files
from live.journal.archive import archive
from live.journal.files import open_reader, segment_paths
from live.journal.index import NAME, build_index, read_index
from live.journal.repair import quarantine, repair
from live.journal.show import shown
from live.journal.snapshots import snapshot_paths
from live.journal.survey import survey
from tests.helpers.stores import STEP, Toy, replayed, toys
from tests.helpers.toys import CODEC, Answerer
from tests.unit.live.journal.test_recovery import flip, fragile


def test_a_whole_journal_is_surveyed_without_a_complaint(tmp_path: Path) -> None:
    toy = Toy(tmp_path, snapshot_deliveries=40)
    toy.pump(60)
    running = survey(tmp_path)
    assert (running.state, running.torn_bytes, running.damage, running.bad) == ("open", 0, "", ())
    toy.stop()
    ended = survey(tmp_path)
    assert (ended.state, ended.deliveries, ended.digest) == ("ended", toy.count, toy.digest)
    assert ended.segments == len(segment_paths(tmp_path)) > 2
    assert len(ended.snapshots) == len(snapshot_paths(tmp_path))
    assert toy.digest in str(ended)


def test_what_a_running_node_writes_while_its_journal_is_surveyed_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    toy = Toy(tmp_path, snapshot_deliveries=20)
    toy.pump(30)
    read, times = files.read_segment, []

    def late(path: Path) -> bytes:
        data = read(path)
        times.append(path)
        toy.pump(30)
        return data

    monkeypatch.setattr("live.journal.tail.read_segment", late)
    monkeypatch.setattr(files, "read_segment", late)
    found = survey(tmp_path)
    assert (found.verdict, found.refusal, found.bad) == ("whole", "", ())
    assert len(times) > 3
    monkeypatch.undo()
    toy.stop()
    assert survey(tmp_path).verdict == "whole"


def test_a_directory_without_a_journal_is_bad_input(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no journal"):
        survey(tmp_path)


def test_an_index_can_always_be_made_again(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(60)
    toy.stop()
    index = tmp_path / NAME
    assert read_index(tmp_path) == build_index(tmp_path)
    for wrong in ("[", '[{"segment":1,"boot":1,"first_seq":7,"digest":""}]'):
        index.write_text(wrong)
        assert survey(tmp_path).bad == (f"{index} is wrong: delete it",)
        assert [one.seq for one in shown(tmp_path, CODEC, first=30, last=31)] == [30, 31]
        index.unlink()
        Toy(tmp_path).stop()
        assert read_index(tmp_path) == build_index(tmp_path)
        assert survey(tmp_path).bad == ()


def damaged_in_the_middle(folder: Path) -> Toy:
    """A journal of several segments whose second has a flipped bit, and no snapshots."""
    toy = Toy(folder)
    toy.pump(80)
    toy.stop()
    for snapshot in snapshot_paths(folder):
        snapshot.unlink()
    flip(segment_paths(folder)[1], segment_paths(folder)[1].stat().st_size // 2)
    return toy


def test_a_repair_cuts_at_the_damage_keeps_all_aside_and_counts_what_is_lost(tmp_path: Path) -> None:
    toy = damaged_in_the_middle(tmp_path)
    originals = {path.name: path.read_bytes() for path in segment_paths(tmp_path)[1:]}
    assert survey(tmp_path).state == "damaged"
    done = repair(tmp_path)
    assert done.deliveries + done.lost == toy.count - 1  # the damaged frame itself is in neither
    assert {path.name.removesuffix(".damaged"): path.read_bytes() for path in tmp_path.glob("*.damaged")} == originals
    assert f"{done.lost} whole deliveries after it are left out" in str(done)
    again = Toy(tmp_path)
    assert again.count == done.deliveries
    again.pump(5)
    again.stop()
    assert replayed(tmp_path).digest == again.digest


def test_a_repair_is_refused_when_a_snapshot_makes_it_needless(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(80)
    toy.stop()
    flip(segment_paths(tmp_path)[1], 900)
    with pytest.raises(InputError, match="does not need the damaged part"):
        repair(tmp_path)
    again = Toy(tmp_path)
    assert again.digest == toy.digest
    again.stop()


def test_a_repair_goes_on_from_a_snapshot_that_knows_more_than_what_is_whole(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(80)
    toy.stop()
    last = segment_paths(tmp_path)[-1]
    flip(last, last.stat().st_size // 2)
    done = repair(tmp_path)
    assert (done.deliveries, done.lost) == (toy.count, 0)
    again = Toy(tmp_path)
    assert (again.count, again.digest, again.store.boot) == (toy.count, toy.digest, 2)
    again.pump(20)
    again.stop()
    found = survey(tmp_path)
    assert (found.refusal, found.damage != "") == ("", True), "what is before the gap cannot be reached any more"


def test_a_snapshot_that_is_bad_and_from_after_the_cut_goes_aside_too(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(80)
    toy.stop()
    last = segment_paths(tmp_path)[-1]
    flip(last, last.stat().st_size // 2)
    flip(snapshot_paths(tmp_path)[0], 900)
    done = repair(tmp_path)
    assert [name for name in done.aside if name.startswith("snapshot")]
    assert done.deliveries < toy.count
    Toy(tmp_path).stop()


def test_nothing_is_repaired_that_is_whole_or_in_use(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(5)
    with pytest.raises(InputError, match="has this journal open"):
        repair(tmp_path)
    toy.stop()
    with pytest.raises(InputError, match="nothing is damaged"):
        repair(tmp_path)


def crash(folder: Path) -> Toy:
    toy = Toy(folder, build=fragile, snapshot_deliveries=5)
    with pytest.raises(ComponentFailed):
        toy.pump(20)
    toy.kill()
    return toy


def test_a_quarantined_event_is_passed_over_and_the_node_goes_on(tmp_path: Path) -> None:
    crashed = crash(tmp_path)
    before = {path: path.read_bytes() for path in segment_paths(tmp_path)}
    told = quarantine(tmp_path, CODEC)
    assert told.component == "answerer"
    assert "Ping(n=5)" in told.event
    for path, data in before.items():
        assert data.startswith(path.read_bytes()), "nothing but unused room is cut off"
    again = Toy(tmp_path, build=fragile)
    assert again.count == crashed.count
    answerer = again.kernel.components["answerer"]
    assert answerer.state.total < 1_000_000, "what the event did half-way is gone"
    again.pump(40)
    again.stop()
    assert again.count > crashed.count + 40
    whole = replay(open_reader(segment_paths(tmp_path)), fragile(), CODEC)
    assert (whole.digest, whole.crash) == (again.digest, "")
    for snapshot in snapshot_paths(tmp_path):
        snapshot.unlink()
    last = Toy(tmp_path, build=fragile)
    assert last.digest == again.digest
    last.stop()


def test_there_is_nothing_to_quarantine_in_a_journal_that_ended_otherwise(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(5)
    toy.kill()
    with pytest.raises(InputError, match="does not end with an event that crashed"):
        quarantine(tmp_path, CODEC)


class Dead(Answerer):
    """Breaks as it starts."""

    HANDLERS = {}  # noqa: RUF012


def test_a_node_that_crashed_before_its_first_delivery_can_go_on_too(tmp_path: Path) -> None:
    def build() -> list[Component[Any]]:
        return [Dead(), *toys()[:1]]

    toy = Toy(tmp_path, build=build)
    with pytest.raises(ComponentFailed):
        toy.pump()
    toy.kill()
    quarantine(tmp_path, CODEC)
    again = Toy(tmp_path, build=build)
    assert [entry.dst for entry in again.kernel.agenda.snapshot()[1]] == ["asker"]
    again.stop()


def test_segments_older_than_the_newest_snapshot_are_archived_and_still_replay(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(100)
    toy.stop()
    whole = sum(path.stat().st_size for path in segment_paths(tmp_path)[:-1])
    done = archive(tmp_path)
    assert len(done.compressed) == len(segment_paths(tmp_path)) - 1 > 2
    assert done.bytes_before == whole > done.bytes_after
    assert replayed(tmp_path).digest == toy.digest
    assert survey(tmp_path).archived == len(done.compressed)
    assert archive(tmp_path).compressed == ()
    again = Toy(tmp_path)
    again.pump(20)
    again.stop()
    kept = archive(tmp_path, keep=1)
    assert len(kept.removed) > 2
    last = Toy(tmp_path)
    assert last.digest == again.digest
    last.stop()
    assert survey(tmp_path).digest == ""
    assert survey(tmp_path).damage == ""


def test_without_a_snapshot_nothing_is_archived(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(50)
    toy.kill()
    with pytest.raises(InputError, match="every segment is needed"):
        archive(tmp_path)


def test_an_archive_that_is_not_whole_is_damage(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(50)
    toy.stop()
    archive(tmp_path)
    flip(segment_paths(tmp_path)[0], 100)
    found = survey(tmp_path)
    assert "not a whole archive" in found.damage
    assert found.refusal == ""
    for snapshot in snapshot_paths(tmp_path):
        snapshot.unlink()
    assert "not a whole archive" in survey(tmp_path).refusal
    with pytest.raises(JournalDamaged, match="not a whole archive"):
        Toy(tmp_path)


def test_deliveries_are_shown_by_number_component_and_type(tmp_path: Path) -> None:
    toy = Toy(tmp_path)
    toy.pump(50)
    toy.stop()
    assert [one.seq for one in shown(tmp_path, CODEC, first=30, last=33)] == [30, 31, 32, 33]
    pings = list(shown(tmp_path, CODEC, kind="Ping"))
    assert {one.component for one in pings} == {"answerer"}
    assert str(pings[0]).startswith(f"{pings[0].seq} {2 * STEP} answerer <- Message(src='asker', body=Ping(n=1))")
    assert len(list(shown(tmp_path, CODEC, component="answerer"))) == len(pings) + 1
