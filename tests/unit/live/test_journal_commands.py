"""`romer-live journal`: what an operator types, reads, and may rely on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from live.cli import main
from live.journal.files import segment_paths
from live.journal.policy import ALWAYS
from live.journal.snapshots import snapshot_paths
from tests.helpers.stores import Toy
from tests.unit.live.journal.test_recovery import flip
from tests.unit.live.journal.test_repair import crash


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A journal that was ended in order."""
    toy = Toy(tmp_path / "journal")
    toy.pump(60)
    toy.stop()
    return tmp_path / "journal"


def journal(command: str, *args: str | Path) -> Result:
    return CliRunner().invoke(main, ["journal", command, *map(str, args)])


def test_verify_says_what_is_there_and_ends_with_0(folder: Path) -> None:
    result = journal("verify", folder)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("toy: ")
    assert ", 1 boots, ended\ndigest " in result.stdout
    found = json.loads(journal("verify", folder, "--json").stdout)
    assert (found["node"], found["state"], found["damage"]) == ("toy", "ended", "")


def test_verify_names_damage_and_ends_with_4_where_a_start_is_refused(folder: Path) -> None:
    path = segment_paths(folder)[1]
    flip(path, path.stat().st_size // 2)
    for snapshot in snapshot_paths(folder):
        snapshot.unlink()
    result = journal("verify", folder)
    assert result.exit_code == 4
    assert f"{path}: damaged at byte " in result.stdout
    assert f"the node does not start: {path}: damaged at byte " in result.stdout


def spoil_a_segment(folder: Path) -> str:
    path = segment_paths(folder)[1]
    flip(path, path.stat().st_size // 2)
    return "the node starts: it does not need the damaged part"


def spoil_a_snapshot(folder: Path) -> str:
    path = snapshot_paths(folder)[0]
    flip(path, 900)
    return f"{path}: damaged at byte "


def spoil_the_index(folder: Path) -> str:
    (folder / "index.json").write_text("[")
    return "index.json is wrong: delete it"


def leave_another_nodes_snapshot(folder: Path) -> str:
    toy = Toy(folder.parent / "another")
    toy.now += 1
    toy.pump(40)
    toy.stop()
    (path,) = snapshot_paths(folder.parent / "another")
    snapshot_paths(folder)[0].unlink()
    path.rename(folder / path.name)
    return f"snapshot of delivery {toy.count} is of no use: "


@pytest.mark.parametrize("spoil", [spoil_a_segment, spoil_a_snapshot, spoil_the_index, leave_another_nodes_snapshot])
def test_verify_ends_with_6_where_something_is_wrong_and_a_start_does_without_it(
    folder: Path, spoil: Callable[[Path], str]
) -> None:
    words = spoil(folder)
    result = journal("verify", folder)
    assert result.exit_code == 6
    assert words in result.stdout
    Toy(folder).stop()


def test_verify_ends_with_0_for_a_torn_tail_and_a_start_says_what_is_lost_with_it(folder: Path) -> None:
    path = segment_paths(folder)[-1]
    path.write_bytes(path.read_bytes() + b"half of a write")
    result = journal("verify", folder)
    assert result.exit_code == 0
    assert "torn tail of 15 bytes, a write not finished: the next start cuts it" in result.stdout
    (message, *_) = Toy(folder).recovered.messages
    assert message.endswith("15 bytes of a write that the last process did not finish; " + ALWAYS.lost_with_tail)


def test_verify_ends_with_4_for_an_event_that_crashed_the_node(tmp_path: Path) -> None:
    crash(tmp_path)
    result = journal("verify", tmp_path)
    assert result.exit_code == 4
    assert f"`romer-live journal quarantine {tmp_path}` passes over that event" in result.stdout


def test_repair_tells_what_is_lost_and_where_the_original_is(folder: Path) -> None:
    path = segment_paths(folder)[1]
    flip(path, path.stat().st_size // 2)
    refused = journal("repair", folder)
    assert refused.exit_code == 2
    assert "does not need the damaged part" in refused.stderr
    for snapshot in snapshot_paths(folder):
        snapshot.unlink()
    result = journal("repair", folder)
    assert result.exit_code == 0, result.output
    assert "whole deliveries after it are left out" in result.stdout
    assert f"{path.name}.damaged" in result.stdout
    assert journal("verify", folder).exit_code == 0


def test_archive_tells_what_it_did(folder: Path) -> None:
    result = journal("archive", folder)
    assert result.exit_code == 0
    assert result.stdout.startswith(f"compressed {len(segment_paths(folder)) - 1} segments, ")
    assert len(json.loads(journal("archive", folder, "--keep", "1", "--json").stdout)["removed"]) > 0


def test_nothing_to_quarantine_is_bad_input(folder: Path) -> None:
    result = journal("quarantine", folder)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"error: {folder}: the journal does not end with an event that crashed the node")


@pytest.mark.parametrize("command", ["verify", "print", "repair", "archive", "quarantine"])
def test_a_directory_that_is_no_journal_is_bad_input(command: str, tmp_path: Path) -> None:
    result = journal(command, tmp_path)
    assert result.exit_code == 2
    assert "no journal" in result.stderr


def test_records_of_another_wiring_cannot_be_printed_and_that_is_said(folder: Path) -> None:
    assert journal("print", folder, "--to", "2").stdout.splitlines()[0].endswith("asker <- Start()")
    result = journal("print", folder)
    assert result.exit_code == 4
    assert "this version cannot read it" in result.stderr
