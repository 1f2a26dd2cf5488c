"""The project's own chain log: what was minted, burned, weighted, invoiced and given into custody, in blocks that
prove it.

It obeys the chain contract of `core.index.chain`, keeps the balances of index tokens, and stands where a real chain
would. Its events say all that balances are made of: who goes through them has the same. The format for others is in
docs/chain.md:

    leaf     the event's canonical encoding: a tagged msgpack map (`core.kernel.codec.encode`)
    header   18  "romer.index.block1"
              8  height, counting from 1
             32  hash of the block before; 32 zero bytes for the first
              8  sealed at, nanoseconds since the Unix epoch
              4  number of events
             32  merkle root of the leaves in block order (`core.merkle`)

    block hash   SHA-256 of the 102 header bytes

All integers are big endian and unsigned. A block is as long as whoever seals it lets it become.
"""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from hashlib import sha256
from struct import Struct
from typing import Final

import msgspec

from core.index.chain import (
    BurnIndex,
    ChainConfirmed,
    ChainDeed,
    ChainRefused,
    ChainRequest,
    DepositIndex,
    MintIndex,
    ReturnIndex,
)
from core.index.records import IndexTokensDeposited
from core.kernel.codec import encode
from core.kernel.record import Record
from core.merkle import HASH_BYTES, prove, root, verify
from core.units import EXACT, Nanos

NO_BLOCK: Final = bytes(HASH_BYTES)
_TAG: Final = b"romer.index.block1"
_HEADER: Final = Struct(">18sQ32sQI32s")
_ZERO: Final = Decimal(0)


class IndexEvent(Record, frozen=True):
    """Something that the chain did when it was asked at `at`."""

    at: Nanos
    did: ChainDeed


class IndexBlock(Record, frozen=True):
    """The header of a block of events."""

    height: int
    previous_hash: bytes
    sealed_at: Nanos
    count: int
    event_root: bytes


class IndexBlockSealed(Record, frozen=True):
    """A block that is sealed, and all its events, as whoever keeps the chain states it."""

    block: IndexBlock
    events: tuple[IndexEvent, ...]


class IndexProof(Record, frozen=True):
    """Everything that shows `event` to be number `index` of a block."""

    block: IndexBlock
    index: int
    event: IndexEvent
    path: bytes


class ChainLog(msgspec.Struct):
    """Blocks, the events that wait for the next one, and who holds how many tokens."""

    blocks: list[IndexBlock] = []
    events: list[list[IndexEvent]] = []
    """By block."""
    pending: list[IndexEvent] = []
    done: dict[str, ChainConfirmed | None] = {}
    """By key; None while its block is not sealed."""
    balances: dict[str, dict[str, Decimal]] = {}
    """By index and user."""
    custody: dict[str, dict[str, Decimal]] = {}
    """By index and user, what the desk holds for him."""
    deposits: int = 0

    def submit(self, now: Nanos, request: ChainRequest) -> ChainConfirmed | ChainRefused | None:
        """Do what is asked, once for each key. None says that the answer comes when the block is sealed."""
        if request.key in self.done:
            return self.done[request.key]
        trouble = self._trouble(request)
        if trouble:
            return ChainRefused(trouble)
        self._apply(request)
        self.done[request.key] = None
        self.pending.append(IndexEvent(now, request))
        return None

    def seal(self, now: Nanos) -> dict[str, ChainConfirmed]:
        """Make a block of what is pending, if something is; return what that confirms, by key."""
        if not self.pending:
            return {}
        leaves = [encode(event) for event in self.pending]
        previous = index_block_hash(self.blocks[-1]) if self.blocks else NO_BLOCK
        block = IndexBlock(len(self.blocks) + 1, previous, now, len(leaves), root(leaves))
        self.blocks.append(block)
        self.events.append(self.pending)
        sealed = index_block_hash(block)
        confirmed = {
            event.did.key: ChainConfirmed(block.height, index, sealed) for index, event in enumerate(self.pending)
        }
        self.done.update(confirmed)
        self.pending = []
        return confirmed

    def sealed(self, height: int) -> IndexBlockSealed:
        """A block with its events. Raises IndexError when there is no such one."""
        if not 0 < height <= len(self.blocks):
            raise IndexError(f"no block {height} among {len(self.blocks)}")
        return IndexBlockSealed(self.blocks[height - 1], tuple(self.events[height - 1]))

    def balance(self, symbol: str, user: str) -> Decimal:
        """The index tokens that a user holds himself."""
        return self.balances.get(symbol, {}).get(user, _ZERO)

    def supply(self, symbol: str) -> Decimal:
        """All tokens of an index, those in custody too."""
        held = (amount for book in (self.balances, self.custody) for amount in book.get(symbol, {}).values())
        return reduce(EXACT.add, held, _ZERO)

    def give(self, now: Nanos, symbol: str, user: str, amount: Decimal) -> IndexTokensDeposited | None:
        """A user gives tokens into custody, which is an event of the next block; None if he has not as many."""
        if amount <= 0 or self.balance(symbol, user) < amount:
            return None
        _move(self.balances, symbol, user, amount.copy_negate())
        _move(self.custody, symbol, user, amount)
        given = DepositIndex(f"deposit:{self.deposits}", symbol, user, amount, self.deposits)
        self.deposits += 1
        self.done[given.key] = None
        self.pending.append(IndexEvent(now, given))
        return IndexTokensDeposited(user, symbol, given.seq_num, amount)

    def _trouble(self, request: ChainRequest) -> str:
        if isinstance(request, MintIndex | BurnIndex | ReturnIndex):
            if request.quantity <= 0:
                return "quantity is not positive"
            held = self.custody.get(request.symbol, {}).get(request.user, _ZERO)
            if not isinstance(request, MintIndex) and held < request.quantity:
                return f"custody holds {held} {request.symbol} for {request.user}"
        return ""

    def _apply(self, request: ChainRequest) -> None:
        if isinstance(request, MintIndex):
            _move(self.balances, request.symbol, request.user, request.quantity)
        elif isinstance(request, BurnIndex | ReturnIndex):
            _move(self.custody, request.symbol, request.user, request.quantity.copy_negate())
            if isinstance(request, ReturnIndex):
                _move(self.balances, request.symbol, request.user, request.quantity)


def prove_event(sealed: IndexBlockSealed, index: int) -> IndexProof:
    """The proof of one event of a block. Raises IndexError when there is no such one."""
    path = prove([encode(event) for event in sealed.events], index)
    return IndexProof(sealed.block, index, sealed.events[index], path)


def encode_index_block(block: IndexBlock) -> bytes:
    """The header's bytes, as the module describes them."""
    return _HEADER.pack(_TAG, block.height, block.previous_hash, block.sealed_at, block.count, block.event_root)


def index_block_hash(block: IndexBlock) -> bytes:
    """The 32 bytes that name a block and, through its predecessor's, everything before it."""
    return sha256(encode_index_block(block)).digest()


def verify_event(proof: IndexProof, block_hash: bytes) -> bool:
    """Whether the block of that hash has this event at this place. False for anything malformed."""
    block = proof.block
    if not _has_encoding(block) or index_block_hash(block) != block_hash:
        return False
    return verify(block.event_root, block.count, proof.index, encode(proof.event), proof.path)


def decode_index_block(data: bytes) -> IndexBlock:
    """The header of its bytes. Raises ValueError for anything that `encode_index_block` does not write."""
    if len(data) != _HEADER.size or not data.startswith(_TAG):
        raise ValueError(f"no header of a block of index events in {len(data)} bytes")
    return IndexBlock(*_HEADER.unpack(data)[1:])


def _has_encoding(block: IndexBlock) -> bool:
    sized = len(block.previous_hash) == len(block.event_root) == HASH_BYTES
    numbers = ((block.height, 64), (block.sealed_at, 64), (block.count, 32))
    return sized and all(0 <= number < 1 << bits for number, bits in numbers)


def _move(book: dict[str, dict[str, Decimal]], symbol: str, user: str, amount: Decimal) -> None:
    holders = book.setdefault(symbol, {})
    holders[user] = EXACT.add(holders.get(user, _ZERO), amount)
    if not holders[user]:
        del holders[user]
