"""A journal file is new, complete, and never somebody else's."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import InputError
from live.journal_file import JournalFile


def test_what_was_written_is_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "node.romer"
    file = JournalFile(path)
    file.write(b"one")
    file.write(b"two")
    assert path.read_bytes() == b"onetwo"
    file.sync()
    file.close()


def test_a_write_that_the_system_cuts_short_is_continued(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "node.romer"
    file = JournalFile(path)
    whole = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: whole(fd, bytes(data)[:3]))
    file.write(b"in several pieces")
    monkeypatch.undo()
    file.close()
    assert path.read_bytes() == b"in several pieces"


def test_an_existing_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "node.romer"
    path.write_bytes(b"precious")
    with pytest.raises(InputError, match=r"node\.romer exists \(a journal is never overwritten"):
        JournalFile(path)
    assert path.read_bytes() == b"precious"


def test_a_file_that_cannot_be_made_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot create .*No such file"):
        JournalFile(tmp_path / "nowhere" / "node.romer")
