"""Replays journals: one file, or every journal of a run directory, each in fresh components of its node."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from core.config import decode_node
from core.errors import InputError
from core.kernel.journal import JournalReader
from core.kernel.replay import Replayed, replay
from core.wiring import CODEC, components

SUFFIX: Final = ".romer"


def journals(path: Path) -> list[Path]:
    """The journal itself, or those of a directory. Raises InputError when there is none."""
    if path.is_dir():
        found = sorted(path.glob(f"*{SUFFIX}")) or sorted(path.glob(f"journal/*{SUFFIX}"))
        if not found:
            raise InputError(f"{path}: no journals (*{SUFFIX})", "give a journal, or a directory that a run left")
        return found
    if not path.exists():
        raise InputError(f"{path}: no such file or directory")
    return [path]


def replay_all(path: Path) -> Iterator[Replayed]:
    """Replay each journal of `path`, in order of their names.

    Raises JournalDamaged, naming file and offset, for one that is not whole, and ReplayDiverged at
    the first effect that is not as recorded.
    """
    for journal in journals(path):
        yield replay_file(journal)


def replay_file(path: Path) -> Replayed:
    """Replay one journal."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    reader = JournalReader(str(path), data)
    try:
        config = decode_node(reader.header.config)
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: its node cannot be built by this version: {error}") from None
    return replay(reader, components(config, reader.header.seed), CODEC)
