"""The blocks of a venue, read from what it left on disk: a live node's journal, or that of a simulated run."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec

from core.config import VenueConfig, decode_node
from core.errors import InputError, JournalDamaged
from core.kernel.reader import JournalReader
from core.kernel.segments import SUFFIX
from core.sequencer.chain import Rebuilt
from core.sequencer.history import History
from core.sequencer.leaf import decode_acknowledgement
from core.sequencer.receipt import Receipt, receipt_of
from core.wiring import CODEC
from live.journal.files import open_reader, segment_paths


def read_blocks(folder: Path) -> Iterator[Rebuilt]:
    """Every block of the one venue whose journal is in `folder` or below, from the first one on.

    The node may run meanwhile. Raises InputError when there is no such journal, when there are several, or when its
    beginning is gone, and JournalDamaged where it cannot be read.
    """
    reader, history = venue_reader(folder), History()
    for delivery in reader.deliveries(unfinished=True):
        try:
            told = CODEC.delivered(delivery)
        except msgspec.DecodeError as error:
            raise JournalDamaged(reader.name, delivery.offset, f"this version cannot read it: {error}") from None
        yield from history.take(*told)
    yield from history.rest()


def find_receipt(folder: Path, order_id: str) -> Receipt:
    """The receipt of an order. Raises InputError when it is in no sealed block, and as `read_blocks` does."""
    for rebuilt in read_blocks(folder):
        for index, told in enumerate(rebuilt.block.acknowledgements):
            acknowledged = decode_acknowledgement(told)
            if acknowledged.kind == "order" and acknowledged.order_id == order_id:
                return receipt_of(rebuilt.block, index)
    raise InputError(f"{folder}: no sealed block has an order {order_id}", "OrderID, tag 37 of its reports, names it")


def venue_reader(folder: Path) -> JournalReader:
    """The one venue's journal in `folder` or below, from its beginning. Raises InputError as `read_blocks` does."""
    readers = [open_reader(paths) for paths in _journals(folder)]
    found = [reader for reader in readers if _is_venue(reader)]
    if len(found) != 1:
        problem = "no journal of a venue" if not found else f"journals of {len(found)} venues"
        raise InputError(f"{folder}: {problem}", "give the directory of one venue's journal, or of one run")
    (reader,) = found
    if reader.header.count:
        problem = f"begins after delivery {reader.header.count}; the segments before are gone"
        raise InputError(f"{reader.name}: {problem}", "bring them back: a chain is verified from its beginning")
    return reader


def _journals(folder: Path) -> Iterator[list[Path]]:
    """The segments of each journal in a directory, of those of its nodes, and of a simulated run's."""
    inside = sorted(path for path in folder.iterdir() if path.is_dir())
    for place in (folder, *inside, *(path / "journal" for path in inside if (path / "journal").is_dir())):
        segments = segment_paths(place)
        if segments:
            yield segments
        else:
            yield from ([path] for path in sorted(place.glob(f"*{SUFFIX}")))


def _is_venue(reader: JournalReader) -> bool:
    try:
        return isinstance(decode_node(reader.header.config), VenueConfig)
    except msgspec.DecodeError as error:
        raise InputError(f"{reader.name}: its node cannot be read by this version: {error}") from None
