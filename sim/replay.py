"""Replays journals: one, or all of a run directory, each in fresh components of its node.

A simulation leaves a file for each node, a live node a directory of segments; either is a journal.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from core.config import decode_node
from core.errors import InputError, JournalError
from core.kernel.reader import JournalReader
from core.kernel.replay import Replayed, replay
from core.kernel.segments import SUFFIX, segments, unpacked
from core.wiring import CODEC, components
from sim.natural import natural
from sim.results.astray import nearest_run
from sim.results.manifest import MANIFEST

_RUN_AGAIN: Final = "bring it back, or run the scenario again"


class _Run(msgspec.Struct, frozen=True):
    digests: dict[str, str] = {}


def journals(path: Path) -> list[Path]:
    """The journal itself, or those of a directory, by name. Raises InputError when there is none."""
    if path.is_dir():
        for folder in (path, path / "journal"):
            if found := _journals_in(folder):
                return found
        give = nearest_run(path) or "give a journal, or a directory that a run left"
        raise InputError(f"{path}: no journals (*{SUFFIX})", give)
    if not path.exists():
        raise InputError(f"{path}: no such file or directory")
    if not path.is_file():
        raise InputError(f"{path}: a pipe or a device, not a file")
    return [path]


def open_journal(path: Path) -> JournalReader:
    """A reader of one journal, a file or a directory of segments.

    Raises InputError when it cannot be read, and JournalDamaged for a first header that is not whole.
    """
    parts = [path / name for name in segments(each.name for each in path.iterdir())] if path.is_dir() else [path]
    first, *later = parts
    reader = JournalReader(str(first), _read(first), later=[(str(part), partial(_read, part)) for part in later])
    if reader.header.count:
        problem = f"begins after delivery {reader.header.count}; the segments before {first.name} are gone"
        raise InputError(f"{path}: {problem}", "bring them back: a replay starts at the beginning")
    return reader


def replay_all(path: Path) -> Iterator[Replayed]:
    """Replay each journal of `path`, in order of their names.

    Raises JournalDamaged, naming file and offset, for one that is not whole, and ReplayDiverged at
    the first effect that is not as recorded.
    """
    for _, found in replay_each(path):
        if not isinstance(found, Replayed):
            raise found
        yield found


def replay_each(path: Path) -> Iterator[tuple[Path, Replayed | InputError | JournalError]]:
    """Replay each journal of `path`, in order of their names, and go on after one that cannot be.

    Where a run's manifest is, each must have the digest that it says, and none may be missing. Raises InputError when
    there is no journal at all.
    """
    found = journals(path)
    digests = _digests_of_run(path)
    for journal in found:
        try:
            replayed = replay_journal(journal)
        except (InputError, JournalError) as error:
            yield journal, error
            continue
        expected = digests.get(replayed.node, replayed.digest)
        foreign = f"{journal}: the journal of another run: {replayed.digest}, not {expected}"
        yield journal, replayed if replayed.digest == expected else InputError(foreign, _RUN_AGAIN)
    there = {journal.stem for journal in found}
    for node in digests:
        if node not in there:
            yield path / node, InputError(f"{path}: the journal of {node} is missing", _RUN_AGAIN)


def replay_journal(path: Path) -> Replayed:
    """Replay one journal. A live node's may still be open, or its process may have been killed."""
    reader = open_journal(path)
    try:
        config = decode_node(reader.header.config)
    except msgspec.DecodeError as error:
        raise InputError(f"{path}: its node cannot be built by this version: {error}") from None
    return replay(reader, components(config, reader.header.seed), CODEC, unfinished=path.is_dir())


def _digests_of_run(path: Path) -> dict[str, str]:
    """What the manifest of a run directory says of its nodes; nothing where there is none that can be read."""
    try:
        return msgspec.json.decode((path / MANIFEST).read_bytes(), type=_Run).digests
    except (OSError, msgspec.DecodeError):
        return {}


def _journals_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    inside = list(folder.iterdir())
    if segments(path.name for path in inside):
        return [folder]
    found = [path for path in inside if path.suffix == SUFFIX and path.is_file()]
    found += [each for path in inside if path.is_dir() for each in _segments_of(path)]
    return sorted(found, key=lambda journal: natural(str(journal)))


def _segments_of(folder: Path) -> list[Path]:
    """The journal of a node that has a directory, in it or beside its other things."""
    return [at for at in (folder, folder / "journal") if at.is_dir() and segments(each.name for each in at.iterdir())]


def _read(path: Path) -> bytes:
    try:
        return unpacked(str(path), path.read_bytes())
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
