"""The blocks of a venue, read from what it left on disk: a live node's journal, or that of a simulated run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from core.config import VenueConfig, decode_node
from core.errors import InputError, JournalDamaged
from core.kernel.journal import Delivered, Header
from core.kernel.reader import Delivery, JournalReader
from core.kernel.segments import SUFFIX
from core.sequencer.chain import Rebuilt
from core.sequencer.history import History
from core.wiring import CODEC
from live.journal.files import open_reader, segment_header, segment_paths
from live.journal.tail import whole_deliveries


def read_blocks(folder: Path) -> Iterator[Rebuilt]:
    """Every block of the one venue whose journal is in `folder` or below, from the first that is whole there.

    The node may run meanwhile. Raises InputError when there is no such journal, or when there are several, and
    JournalDamaged where it cannot be read.
    """
    return blocks_of(venue_reader(folder))


def blocks_of(reader: JournalReader) -> Iterator[Rebuilt]:
    """Every block of a venue's journal, from the first that is whole there. Raises JournalDamaged."""
    history = History(is_pruned=reader.header.count > 0)
    for delivery in whole_deliveries(reader):
        yield from history.take(*decoded(reader, delivery))
    yield from history.rest()


def decoded(reader: JournalReader, delivery: Delivery) -> Delivered:
    """What a delivery says. Raises JournalDamaged when this version cannot tell."""
    try:
        return CODEC.delivered(delivery)
    except msgspec.DecodeError as error:
        raise JournalDamaged(reader.name, delivery.offset, f"this version cannot read it: {error}") from None


def venue_segments(folder: Path) -> list[Path]:
    """The segments of the one venue's journal in `folder` or below, oldest first. Raises InputError for none."""
    found = [paths for paths in _journals(folder) if _is_venue(str(paths[0]), segment_header(paths[0]))]
    if len(found) != 1:
        problem = "no journal of a venue" if not found else f"journals of {len(found)} venues"
        raise InputError(f"{folder}: {problem}", "give the directory of one venue's journal, or of one run")
    return found[0]


def venue_reader(folder: Path) -> JournalReader:
    """The one venue's journal in `folder` or below, as far back as it goes. Raises InputError as `read_blocks` does."""
    return open_reader(venue_segments(folder))


def _journals(folder: Path) -> Iterator[list[Path]]:
    """The segments of each journal in a directory, of those of its nodes, and of a simulated run's."""
    inside = sorted(path for path in folder.iterdir() if path.is_dir())
    for place in (folder, *inside, *(path / "journal" for path in inside if (path / "journal").is_dir())):
        segments = segment_paths(place)
        if segments:
            yield segments
        else:
            yield from ([path] for path in sorted(place.glob(f"*{SUFFIX}")))


def _is_venue(name: str, header: Header) -> bool:
    try:
        return isinstance(decode_node(header.config), VenueConfig)
    except msgspec.DecodeError as error:
        raise InputError(f"{name}: its node cannot be read by this version: {error}") from None
