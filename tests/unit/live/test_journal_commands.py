"""`romer-live journal`: what an operator types, reads, and may rely on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from live.cli import main
from live.journal.files import segment_paths
from live.journal.snapshots import snapshot_paths
from tests.helpers.stores import Toy
from tests.unit.live.journal.test_recovery import flip


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


def test_verify_names_damage_and_ends_with_4(folder: Path) -> None:
    path = segment_paths(folder)[1]
    flip(path, path.stat().st_size // 2)
    result = journal("verify", folder)
    assert result.exit_code == 4
    assert f"{path}: damaged at byte " in result.stdout


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
