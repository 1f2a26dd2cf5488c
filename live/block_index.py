"""Where a venue's blocks are in its journal: an index by height, hash, order and ClOrdID, kept beside the journal.

Everything in it comes from the journal, and nothing is believed on its word: a block that it finds is read from the
journal, and has to be the one that was asked for. Before it says that there is no such thing, it sees that all of it is
as it was written. An index of another journal, or of more or less of it, or a damaged one, is made anew. It follows the
journal from the last block that it knows, so that a look-up reads what is new and one block. Of a journal whose first
segments were removed it has the blocks from the first on that is whole in what is left.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Final, NamedTuple, Self, TypeVar

from core.errors import InputError, JournalDamaged, RomerError
from core.kernel.codec import encode
from core.kernel.reader import Delivery, JournalReader
from core.kernel.record import Note
from core.kernel.segments import segment_number
from core.sequencer.block import FIRST_HEIGHT, Block, block_hash
from core.sequencer.chain import Rebuilt, content_flaw
from core.sequencer.facts import BlockSealed
from core.sequencer.history import SEQUENCER, History
from core.sequencer.leaf import decode_acknowledgement, decode_leaf
from core.sequencer.receipt import Receipt, receipt_of
from live.blocks import decoded, venue_segments
from live.journal.files import read_from
from live.journal.tail import whole_deliveries

Found = TypeVar("Found")

NAME: Final = "blocks.sqlite"
_VERSION: Final = 3
_PATIENCE_SECONDS: Final = 30.0
"""For another process that brings the same index up to date."""
_TABLES: Final = f"""
PRAGMA user_version = {_VERSION};
CREATE TABLE block (
    height INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, segment INTEGER NOT NULL, seq INTEGER NOT NULL,
    messages INTEGER NOT NULL, digest BLOB NOT NULL
) STRICT;
CREATE TABLE message (
    height INTEGER NOT NULL, place INTEGER NOT NULL, owner TEXT NOT NULL, order_id TEXT NOT NULL,
    cl_ord_id TEXT NOT NULL, PRIMARY KEY (height, place)
) WITHOUT ROWID, STRICT;
CREATE TABLE origin (segment INTEGER NOT NULL, height INTEGER NOT NULL) STRICT;
CREATE INDEX message_order ON message (order_id);
CREATE INDEX message_cl_ord_id ON message (cl_ord_id);
"""
_ELSEWHERE: Final = frozenset(
    {
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_LOCKED,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
    }
)
"""Of what SQLite reports, what a new file in the same place would not mend."""
_CODE: Final = 0xFF
"""What of SQLite's extended codes is the code."""
_DST: Final = b"\xa9" + SEQUENCER.encode()
"""How a delivery says that it is the sequencer's: within its first bytes, behind its time."""
_DST_END: Final = 24


class _Start(NamedTuple):
    """The delivery from which a block can be told: the one that sealed the block before."""

    segment: int
    seq: int


_FIRST_SEGMENT: Final = 1


class Standing(NamedTuple):
    """A block, and which of its messages were asked for, by their indexes."""

    block: Block
    places: tuple[int, ...]


class _Row(NamedTuple):
    """A message, as the index has it."""

    height: int
    place: int
    owner: str
    order_id: str
    cl_ord_id: str


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
        self._asked(self._follow)

    @property
    def newest(self) -> int:
        """The height of the newest block; 0 if there is none."""
        return self._asked(self._count)[1]

    @property
    def oldest(self) -> int:
        """The height of the first block that can be had; 0 if there is none."""
        return self._asked(self._count)[0]

    @property
    def gone(self) -> str:
        """Which blocks cannot be had because segments of the journal were removed; empty if none were."""
        if self._first_segment == _FIRST_SEGMENT:
            return ""
        before = f"blocks before {self.oldest} are" if self.oldest else "all blocks so far are"
        return f"{before} gone with the segments that were removed; bring those back to have them"

    def find(self, *, order_id: str = "", cl_ord_id: str = "", owner: str = "") -> list[Standing]:
        """The messages about an order, or of that ClOrdID, or of that owner: what is not empty must be so."""
        said = {"order_id": order_id, "cl_ord_id": cl_ord_id, "owner": owner}
        return self._asked(lambda: self._standing({name: text for name, text in said.items() if text}))

    def known_as(self, known: bytes) -> Block | None:
        """The block with that hash, if there is one."""
        return self._asked(lambda: self._known_as(known))

    def blocks(self, first: int) -> Iterator[Block]:
        """The blocks from that height on that can be had, read from the journal. Raises JournalDamaged for one that
        does not hold what it says.
        """
        height, is_new = max(first, self.oldest, 1), False
        while height <= self.newest:
            try:
                for block in self._read(height):
                    height += 1
                    yield block
            except (sqlite3.DatabaseError, _Stale) as error:
                if is_new:
                    raise self._unusable(error) from None
                is_new = True
                self._make_anew(error)

    def block(self, height: int) -> Block | None:
        """The block of that height, if it can be had."""
        found = next(self.blocks(height), None) if height > 0 else None
        return found if found is not None and found.header.height == height else None

    def _asked(self, ask: Callable[[], Found]) -> Found:
        """What `ask` finds: in an index that is made anew, if this one is damaged."""
        try:
            return ask()
        except (sqlite3.DatabaseError, _Stale) as error:
            self._make_anew(error)
        try:
            return ask()
        except (sqlite3.DatabaseError, _Stale) as error:
            raise self._unusable(error) from None

    def _unusable(self, error: sqlite3.DatabaseError | _Stale) -> RomerError:
        """What to say when an index that was just made is of no use either."""
        told = error.told if isinstance(error, _Stale) else None
        return told or InputError(f"{self._place}: {error}", "delete it, and see that nothing else writes it")

    def _make_anew(self, error: sqlite3.DatabaseError | _Stale) -> None:
        """Where the file is, unless that is what is wrong; else in memory."""
        self._db.close()
        if not _is_elsewhere(error):
            with suppress(OSError):
                self._place.unlink(missing_ok=True)
        try:
            self._db = _prepared(":memory:") if _is_elsewhere(error) else _open(self._place)
            self._follow()
        except sqlite3.DatabaseError:
            self._db.close()
            self._db = _prepared(":memory:")
            self._follow()

    @property
    def _first_segment(self) -> int:
        return next(iter(self._segments))

    def _count(self) -> tuple[int, int]:
        """The heights of the oldest and the newest block: all between are there, and the first if none was removed."""
        oldest, newest, blocks = self._db.execute(
            "SELECT coalesce(min(height), 0), coalesce(max(height), 0), count(*) FROM block"
        ).fetchone()
        (origin,) = self._db.execute("SELECT coalesce(max(height), 0) FROM origin").fetchone()
        if blocks and (oldest, newest) != (origin, origin + blocks - 1):
            raise _Stale
        return oldest, newest

    def _standing(self, said: dict[str, str]) -> list[Standing]:
        rules = " AND ".join(f"{name} = :{name}" for name in said)
        rows = self._db.execute(f"SELECT * FROM message WHERE {rules} ORDER BY height, place", said).fetchall()  # noqa: S608  # names of ours
        if rows:
            self._count_messages()
        else:
            self._verify()
        return [
            self._stands(height, [_Row(*row) for row in of_block]) for height, of_block in groupby(rows, itemgetter(0))
        ]

    def _stands(self, height: int, rows: list[_Row]) -> Standing:
        """What the index has of a block, if the block has it too."""
        block = next(self._read(height), None)
        if block is None or not set(rows) <= set(_rows(block)):
            raise _Stale
        return Standing(block, tuple(row.place for row in rows))

    def _known_as(self, known: bytes) -> Block | None:
        row = self._db.execute("SELECT height FROM block WHERE hash = ?", (known,)).fetchone()
        if row is None:
            self._verify()
            return None
        return next(self._read(row[0]), None)

    def _count_messages(self) -> None:
        said, there = self._db.execute(
            "SELECT (SELECT sum(messages) FROM block), (SELECT count(*) FROM message)"
        ).fetchone()
        if self._count()[1] and said != there:
            raise _Stale

    def _verify(self) -> None:
        """See that all of it is what was written."""
        self._count_messages()
        rows = self._db.execute("SELECT * FROM message ORDER BY height, place")
        by_height = groupby(map(_Row._make, rows), itemgetter(0))
        messages = next(by_height, None)
        for height, known, digest in self._db.execute("SELECT height, hash, digest FROM block ORDER BY height"):
            of_block: list[_Row] = []
            if messages is not None and messages[0] == height:
                of_block, messages = list(messages[1]), next(by_height, None)
            if _digest(known, of_block) != digest:
                raise _Stale

    def _read(self, first: int) -> Iterator[Block]:
        """The blocks from that height on, one after the other, each as the index has it."""
        row = self._db.execute("SELECT segment, seq FROM block WHERE height = ?", (first,)).fetchone()
        if row is None:
            raise _Stale
        height, newest = first, self._count()[1]
        for rebuilt in self._told(_Start(*row)):
            if height > newest:
                return
            if rebuilt.block.header.height >= first:
                self._check(rebuilt.block, height)
                yield rebuilt.block
                height += 1
        if height <= newest:
            raise _Stale

    def _check(self, block: Block, height: int) -> None:
        row = self._db.execute("SELECT hash FROM block WHERE height = ?", (height,)).fetchone()
        if flaw := content_flaw(block):
            raise _Stale(
                JournalDamaged(str(self._place.parent), 0, f"block {height}: {flaw}; `verify-chain` says more")
            )
        if block.header.height != height or row is None or block_hash(block.header) != row[0]:
            raise _Stale

    def _told(self, start: _Start) -> Iterator[Rebuilt]:
        history = History()
        for delivery, reader in self._deliveries(start):
            yield from history.take(*decoded(reader, delivery))
        yield from history.rest()

    def _follow(self) -> None:
        """Go on from the last block that is known; it has to be where it was, and the journal to begin as it did."""
        first = self._first_segment
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if self._db.execute("SELECT 1 FROM origin WHERE segment <> ?", (first,)).fetchone():
                raise _Stale
            last_block = "SELECT height, hash, segment, seq FROM block ORDER BY height DESC LIMIT 1"
            row = self._db.execute(last_block).fetchone()
            last, known, *place = row or (0, b"", first, 1)
            start, is_there = _Start(*place), not last
            starts, history = dict[int, _Start](), History(is_pruned=not last and first != _FIRST_SEGMENT)
            for delivery, reader in self._deliveries(start):
                now, dst, event, effects = decoded(reader, delivery)
                for fact in (effect.fact for effect in effects if isinstance(effect, Note)):
                    if isinstance(fact, BlockSealed):
                        starts.setdefault(fact.header.height, start)
                        starts[fact.header.height + 1] = _Start(reader.header.segment, delivery.seq)
                        is_there = is_there or (fact.header.height, fact.block_hash) == (last, known)
                self._add(history.take(now, dst, event, effects), starts, last)
            self._add(history.rest(), starts, last)
            if not is_there:
                raise _Stale
            if not last:
                self._set_origin(first)

    def _set_origin(self, segment: int) -> None:
        """Remember where it begins: with the first block, unless the segments before this one were removed."""
        (oldest,) = self._db.execute("SELECT coalesce(min(height), 0) FROM block").fetchone()
        height = FIRST_HEIGHT if segment == _FIRST_SEGMENT else oldest
        self._db.execute("DELETE FROM origin")
        self._db.execute("INSERT INTO origin VALUES (?, ?)", (segment, height))

    def _add(self, told: Iterable[Rebuilt], starts: dict[int, _Start], last: int) -> None:
        for rebuilt in told:
            header = rebuilt.block.header
            start = starts.pop(header.height, None)
            if header.height > last and start is not None:
                known, rows = block_hash(header), _rows(rebuilt.block)
                block = (header.height, known, *start, len(rows), _digest(known, rows))
                self._db.execute("INSERT INTO block VALUES (?, ?, ?, ?, ?, ?)", block)
                self._db.executemany("INSERT INTO message VALUES (?, ?, ?, ?, ?)", rows)

    def _deliveries(self, start: _Start) -> Iterator[tuple[Delivery, JournalReader]]:
        """Those of the sequencer from `start` on."""
        if start.segment not in self._segments:
            raise _Stale
        reader = read_from([path for number, path in self._segments.items() if number >= start.segment], None)
        for delivery in whole_deliveries(reader):
            if delivery.seq >= start.seq and _DST in delivery.payload[:_DST_END]:
                yield delivery, reader


class _Stale(Exception):
    """The journal is another than the one that the index was made of, or the index is damaged.

    `told` is what is wrong if an index that is made anew says the same.
    """

    def __init__(self, told: RomerError | None = None) -> None:
        super().__init__("it does not agree with its journal")
        self.told = told


def find_receipt(folder: Path, order_id: str) -> Receipt:
    """The receipt of an order. Raises InputError when it is in no sealed block, and as `BlockIndex` does."""
    with BlockIndex(folder) as index:
        for block, places in index.find(order_id=order_id):
            for place in places:
                if decode_acknowledgement(block.acknowledgements[place]).kind == "order":
                    return receipt_of(block, place)
        hint = index.gone or "OrderID, tag 37 of its reports, names it"
    raise InputError(f"{folder}: no sealed block has an order {order_id}", hint)


def _segments(folder: Path) -> dict[int, Path]:
    """By number; what a simulation writes is one segment."""
    return {segment_number(path.name) or _FIRST_SEGMENT: path for path in venue_segments(folder)}


def _open(place: Path) -> sqlite3.Connection:
    """The index at `place`, empty if there is none; in memory where nobody may write."""
    try:
        try:
            return _kept(place)
        except sqlite3.DatabaseError as error:
            if _is_elsewhere(error):
                raise
            place.unlink(missing_ok=True)
            return _kept(place)
    except (OSError, sqlite3.DatabaseError):
        return _prepared(":memory:")


def _kept(place: Path) -> sqlite3.Connection:
    with suppress(FileExistsError):
        os.close(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
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


def _is_elsewhere(error: sqlite3.DatabaseError | _Stale) -> bool:
    """Whether the file may well be in order, but cannot be had, or not be written."""
    return getattr(error, "sqlite_errorcode", 0) & _CODE in _ELSEWHERE


def _rows(block: Block) -> list[_Row]:
    rows = []
    for place, (message, told) in enumerate(zip(block.messages, block.acknowledgements, strict=True)):
        said = decode_acknowledgement(told)
        rows.append(_Row(block.header.height, place, decode_leaf(message).owner, said.order_id, said.cl_ord_id))
    return rows


def _digest(known: bytes, rows: list[_Row]) -> bytes:
    """Of what the index has of the block with that hash."""
    return sha256(encode((known, rows))).digest()
