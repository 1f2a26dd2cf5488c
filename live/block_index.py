"""Where a venue's blocks are in its journal: an index by height, hash, order and ClOrdID, kept beside the journal.

Everything in it comes from the journal, and nothing is believed on its word: a block that it finds is read from the
journal, and has to have the hash that the index says. An index of another journal, or a damaged one, is made anew. It
follows the journal from the last block that it knows, so that a look-up reads what is new and one block.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple, Self

from core.errors import InputError, JournalDamaged
from core.kernel.reader import Delivery, JournalReader
from core.kernel.record import Note
from core.kernel.segments import segment_number
from core.sequencer.block import Block, block_hash
from core.sequencer.chain import Rebuilt, content_flaw
from core.sequencer.facts import BlockSealed
from core.sequencer.history import SEQUENCER, History
from core.sequencer.leaf import decode_acknowledgement, decode_leaf
from core.sequencer.receipt import Receipt, receipt_of
from live.blocks import decoded, venue_segments
from live.journal.files import read_from
from live.journal.tail import whole_deliveries

NAME: Final = "blocks.sqlite"
_VERSION: Final = 1
_PATIENCE_SECONDS: Final = 30.0
"""For another process that brings the same index up to date."""
_TABLES: Final = f"""
PRAGMA user_version = {_VERSION};
CREATE TABLE block (
    height INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, segment INTEGER NOT NULL, seq INTEGER NOT NULL
);
CREATE TABLE message (
    height INTEGER NOT NULL, place INTEGER NOT NULL, owner TEXT NOT NULL, order_id TEXT NOT NULL,
    cl_ord_id TEXT NOT NULL, PRIMARY KEY (height, place)
) WITHOUT ROWID;
CREATE INDEX message_order ON message (order_id);
CREATE INDEX message_cl_ord_id ON message (cl_ord_id);
"""
_DST: Final = b"\xa9" + SEQUENCER.encode()
"""How a delivery says that it is the sequencer's: within its first bytes, behind its time."""
_DST_END: Final = 24


class Place(NamedTuple):
    """Where a message stands: the height of its block, and its index there."""

    height: int
    place: int


class _Start(NamedTuple):
    """The delivery from which a block can be told: the one that sealed the block before."""

    segment: int
    seq: int


_FIRST_SEGMENT: Final = 1
_BEGINNING: Final = _Start(_FIRST_SEGMENT, 1)


class BlockIndex:
    """The blocks of the venue whose journal is in `folder` or below, which may run meanwhile.

    Raises InputError and JournalDamaged as `live.blocks.read_blocks` does.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._segments = _segments(folder)
        self._place = next(iter(self._segments.values())).parent / NAME
        self._db = _open(self._place)
        self.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def update(self) -> None:
        """Take in what the journal has had since."""
        self._segments = _segments(self._folder)
        try:
            self._follow()
        except sqlite3.OperationalError:
            self._begin_anew(":memory:")
        except (sqlite3.DatabaseError, _Stale):
            self._place.unlink(missing_ok=True)
            self._begin_anew(str(self._place))

    @property
    def newest(self) -> int:
        """The height of the newest block; 0 if there is none."""
        (height,) = self._db.execute("SELECT coalesce(max(height), 0) FROM block").fetchone()
        return int(height)

    def height_of(self, known: bytes) -> int | None:
        """The height of the block with that hash."""
        row = self._db.execute("SELECT height FROM block WHERE hash = ?", (known,)).fetchone()
        return None if row is None else int(row[0])

    def places(self, *, order_id: str = "", cl_ord_id: str = "", owner: str = "") -> list[Place]:
        """Of the messages about an order, or of that ClOrdID, or of that owner: what is not empty must be so."""
        said = {"order_id": order_id, "cl_ord_id": cl_ord_id, "owner": owner}
        rules = " AND ".join(f"(:{name} = '' OR {name} = :{name})" for name in said)
        found = self._db.execute(f"SELECT height, place FROM message WHERE {rules} ORDER BY height, place", said)  # noqa: S608  # names of ours
        return [Place(*row) for row in found]

    def blocks(self, first: int) -> Iterator[Block]:
        """The blocks from that height on, read from the journal. Raises JournalDamaged for one that does not hold what
        it says, and InputError for one that is not what the index says.
        """
        row = self._db.execute("SELECT segment, seq FROM block WHERE height = ?", (first,)).fetchone()
        newest = self.newest
        for rebuilt in self._told(_Start(*row)) if row is not None else ():
            height = rebuilt.block.header.height
            if height > newest:
                return
            if height >= first:
                self._check(rebuilt.block)
                yield rebuilt.block

    def block(self, height: int) -> Block | None:
        """The block of that height, if there is one."""
        return next(self.blocks(height), None)

    def _check(self, block: Block) -> None:
        height = block.header.height
        (known,) = self._db.execute("SELECT hash FROM block WHERE height = ?", (height,)).fetchone()
        if flaw := content_flaw(block):
            raise JournalDamaged(str(self._place.parent), 0, f"block {height}: {flaw}; `verify-chain` says more")
        if block_hash(block.header) != known:
            raise InputError(f"{self._place}: block {height} has another hash in the journal", "delete the index")

    def _told(self, start: _Start) -> Iterator[Rebuilt]:
        history = History()
        for delivery, reader in self._deliveries(start):
            yield from history.take(*decoded(reader, delivery))
        yield from history.rest()

    def _begin_anew(self, name: str) -> None:
        self._db.close()
        self._db = _prepared(name)
        self._follow()

    def _follow(self) -> None:
        """Go on from the last block that is known; it has to be where it was."""
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            row = self._db.execute("SELECT * FROM block ORDER BY height DESC LIMIT 1").fetchone()
            last, known, *place = row or (0, b"", *_BEGINNING)
            start, is_there = _Start(*place), not last
            starts, history = {last or 1: start}, History()
            for delivery, reader in self._deliveries(start):
                now, dst, event, effects = decoded(reader, delivery)
                for fact in (effect.fact for effect in effects if isinstance(effect, Note)):
                    if isinstance(fact, BlockSealed):
                        starts[fact.header.height + 1] = _Start(reader.header.segment, delivery.seq)
                        is_there = is_there or (fact.header.height, fact.block_hash) == (last, known)
                self._add(history.take(now, dst, event, effects), starts, last)
            self._add(history.rest(), starts, last)
            if not is_there:
                raise _Stale

    def _add(self, told: Iterable[Rebuilt], starts: dict[int, _Start], last: int) -> None:
        for rebuilt in told:
            header = rebuilt.block.header
            start = starts.pop(header.height, None)
            if header.height > last and start is not None:
                self._db.execute("INSERT INTO block VALUES (?, ?, ?, ?)", (header.height, block_hash(header), *start))
                self._db.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?)", _rows(rebuilt.block))

    def _deliveries(self, start: _Start) -> Iterator[tuple[Delivery, JournalReader]]:
        """Those of the sequencer from `start` on."""
        if start.segment not in self._segments:
            if _FIRST_SEGMENT in self._segments:
                raise _Stale
            problem = f"{self._place.parent}: segment {start.segment} of the journal is gone"
            raise InputError(problem, "bring it back: the block is told from there")
        reader = read_from([path for number, path in self._segments.items() if number >= start.segment], None)
        for delivery in whole_deliveries(reader):
            if delivery.seq >= start.seq and _DST in delivery.payload[:_DST_END]:
                yield delivery, reader


class _Stale(Exception):
    """The journal is another than the one that the index was made of."""


def find_receipt(folder: Path, order_id: str) -> Receipt:
    """The receipt of an order. Raises InputError when it is in no sealed block, and as `BlockIndex` does."""
    with BlockIndex(folder) as index:
        for height, place in index.places(order_id=order_id):
            block = index.block(height)
            if block is not None and decode_acknowledgement(block.acknowledgements[place]).kind == "order":
                return receipt_of(block, place)
    raise InputError(f"{folder}: no sealed block has an order {order_id}", "OrderID, tag 37 of its reports, names it")


def _segments(folder: Path) -> dict[int, Path]:
    """By number; what a simulation writes is one segment."""
    return {segment_number(path.name) or _FIRST_SEGMENT: path for path in venue_segments(folder)}


def _open(place: Path) -> sqlite3.Connection:
    """The index at `place`, empty if there is none; in memory where nobody may write."""
    try:
        with suppress(FileExistsError):
            os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        return _prepared(str(place))
    except (OSError, sqlite3.OperationalError):
        return _prepared(":memory:")
    except sqlite3.DatabaseError:
        place.unlink(missing_ok=True)
        return _prepared(str(place))


def _prepared(name: str) -> sqlite3.Connection:
    """An index with its tables. Raises sqlite3.DatabaseError for a file that is none, or of another version."""
    db = sqlite3.connect(name, timeout=_PATIENCE_SECONDS)
    try:
        _prepare(db)
    except BaseException:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if not version:
        db.executescript(_TABLES)
    elif version != _VERSION:
        raise sqlite3.DatabaseError(f"version {version}")


def _rows(block: Block) -> Iterator[tuple[int, int, str, str, str]]:
    for place, (message, told) in enumerate(zip(block.messages, block.acknowledgements, strict=True)):
        acknowledged = decode_acknowledgement(told)
        yield block.header.height, place, decode_leaf(message).owner, acknowledged.order_id, acknowledged.cl_ord_id
