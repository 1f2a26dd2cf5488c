"""Whether blocks are a chain from the first one on; names the first that is not, and why."""

from __future__ import annotations

from collections.abc import Iterable

from core.kernel.record import Record
from core.sequencer.block import FIRST_HEIGHT, NO_BLOCK, NO_KEY, VERSION, Block, block_hash, roots
from core.sequencer.facts import BlockHeader
from core.sequencer.signing import Check, signature_flaw
from core.units import Nanos


class ChainBreak(Record, frozen=True):
    """The first header that does not continue the chain, and why."""

    height: int
    reason: str

    def __str__(self) -> str:
        return f"block {self.height}: {self.reason}"


class Rebuilt(Record, frozen=True):
    """A block as a journal tells it, and the state root that the journal's events give."""

    block: Block
    state_root: bytes
    flaw: str = ""
    """What the journal says of its messages that cannot be; empty if nothing."""


def verify_history(
    history: Iterable[Rebuilt], head: bytes | None = None, check: Check | None = None, *, is_pruned: bool = False
) -> ChainBreak | None:
    """Whether blocks are a whole chain, each with the messages, acknowledgements and state that it commits to.

    A header is vouched for by the hash in the next one, so the last one is vouched for only by `head`, its hash as
    known from elsewhere. A chain may have grown since: then `head` is the hash of one of its blocks, and vouches for
    those before it too. Where the beginning `is_pruned` the chain begins with any block, whose word is taken for what
    was before; `head` may also be the hash of the one that it follows.

    With `check` each must be signed, and so that it agrees, but for the newest ones: a venue goes on while its signer
    signs, and one that was killed has them signed when it starts again. So a block that names a key and has no
    signature yet is broken only if one behind it has.
    """
    links, first_unsigned = _Links(head, is_pruned=is_pruned), 0
    for rebuilt in history:
        block, height = rebuilt.block, rebuilt.block.header.height
        if reason := links.broken(block.header):
            return ChainBreak(links.height, reason)
        is_awaited = is_unsigned(block)
        reason = (
            rebuilt.flaw
            or content_flaw(block)
            or signature_flaw(block.header, block.signature, None if is_awaited else check)
        )
        if not reason and block.header.state_root != rebuilt.state_root:
            reason = "state root is not that of what happened before it"
        if reason:
            return ChainBreak(height, reason)
        if check is not None and first_unsigned and not is_awaited:
            return ChainBreak(first_unsigned, f"it is not signed, and block {height} is")
        first_unsigned = first_unsigned or (height if is_awaited else 0)
    return links.short()


def is_unsigned(block: Block) -> bool:
    """Whether a block is to be signed, and is not yet."""
    return block.header.key_id != NO_KEY and not block.signature


def content_flaw(block: Block) -> str:
    """What is wrong between a header and what its block holds; empty if nothing is."""
    header = block.header
    message_root, receipt_root = roots(block.messages, block.acknowledgements)
    rules = (
        (
            header.message_count == len(block.messages),
            f"it holds {len(block.messages)} messages, not as many as it says",
        ),
        (header.message_root == message_root, "message root is not that of its messages"),
        (header.receipt_root == receipt_root, "receipt root is not that of its acknowledgements"),
    )
    return next((broken for holds, broken in rules if not holds), "")


def header_flaw(header: BlockHeader) -> str:
    """What keeps a header from having an encoding at all; empty if nothing does."""
    if not _encodable(header):
        return "a field is longer or larger than its place in the header"
    return "" if header.version == VERSION else f"version {header.version} is unknown"


class _Links:
    """The chain up to some block. `height` is that of the next one; `head` is the hash that one of them must have."""

    def __init__(self, head: bytes | None, *, is_pruned: bool = False) -> None:
        self.height = FIRST_HEIGHT
        self._previous = NO_BLOCK
        self._is_pruned = is_pruned
        self._head = head
        self._has_head = head in (None, NO_BLOCK)
        self._closed_at: Nanos | None = None

    def broken(self, header: BlockHeader) -> str:
        """Why `header` is not the next one, or nothing: then it is now the last."""
        if self._is_pruned:
            self._begin(header)
        reason = header_flaw(header) or next((broken for holds, broken in self._rules(header) if not holds), "")
        if not reason:
            self.height, self._previous, self._closed_at = self.height + 1, block_hash(header), header.closed_at
            self._has_head = self._head in (None, self._previous) or (self._has_head and self._head != NO_BLOCK)
        return reason

    def short(self) -> ChainBreak | None:
        """The break between the last header and the one that is known to be there."""
        if self._has_head:
            return None
        return ChainBreak(max(self.height - 1, FIRST_HEIGHT), "neither its hash nor one before is the head's")

    def _begin(self, header: BlockHeader) -> None:
        """Take the word of the first header that is there for those before it."""
        self._is_pruned = False
        if header.height > FIRST_HEIGHT:
            self.height, self._previous = header.height, header.previous_hash
            self._has_head = self._has_head or self._head == self._previous

    def _rules(self, header: BlockHeader) -> tuple[tuple[bool, str], ...]:
        return (
            (header.height == self.height, f"height {header.height} stands where {self.height} belongs"),
            (header.previous_hash == self._previous, "previous hash is not the hash of the block before"),
            (self._closed_at in (None, header.opened_at), "it did not open when the block before closed"),
            (header.opened_at <= header.closed_at, "it closed before it opened"),
        )


def _encodable(header: BlockHeader) -> bool:
    """`struct` would cut or pad a hash of another length, and two headers would share one encoding."""
    numbers = (
        (header.version, 16),
        (header.height, 64),
        (header.opened_at, 64),
        (header.closed_at, 64),
        (header.message_count, 32),
    )
    hashes = (header.previous_hash, header.message_root, header.receipt_root, header.state_root, header.key_id)
    sized = all(0 <= number < 1 << bits for number, bits in numbers)
    return sized and all(len(each) == len(NO_BLOCK) for each in hashes)
