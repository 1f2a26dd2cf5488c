"""Whether sealed blocks are a chain from the first one on, on which nothing happened that could not."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from core.index.chain import ChainRefused, DepositIndex
from core.index.chain_log import ChainLog, IndexBlock, IndexBlockSealed, IndexEvent, index_block_hash
from core.kernel.record import Record

_FIELDS: Final = {
    "height": "its height is not one more than that of the block before",
    "previous_hash": "it does not follow the block before",
    "count": "it does not hold as many events as it says",
    "event_root": "its root is not that of its events",
}


class ChainFlaw(Record, frozen=True):
    """The first block that does not continue the chain, and why."""

    height: int
    reason: str

    def __str__(self) -> str:
        return f"block {self.height}: {self.reason}"


def redo(history: Iterable[IndexBlockSealed], head: bytes | None = None) -> ChainLog | ChainFlaw:
    """Do again all that a chain says was done; the log that comes of it, with its balances, or the first flaw.

    Each block must follow the one before and commit to its events; each event must have been possible: tokens are
    burned out of custody alone, and under one key something is done once. A block is vouched for by the hash in the
    next one, so the last one is vouched for only by `head`, its hash as known from elsewhere. A chain may have grown
    since: then `head` is the hash of one of its blocks.
    """
    log, has_head = ChainLog(), head is None
    for height, sealed in enumerate(history, 1):
        reason = _flaw(log, sealed)
        if reason:
            return ChainFlaw(height, reason)
        has_head = has_head or index_block_hash(sealed.block) == head
    return log if has_head else ChainFlaw(len(log.blocks), "neither its hash nor one before is the head's")


def _flaw(log: ChainLog, sealed: IndexBlockSealed) -> str:
    """What keeps a block from being the next one; empty if nothing does, and then the log has it."""
    since = log.blocks[-1].sealed_at if log.blocks else 0
    for index, event in enumerate(sealed.events):
        if not since <= event.at <= sealed.block.sealed_at:
            return f"event {index} is out of its time"
        since = event.at
        if reason := _done_again(log, event):
            return f"event {index}, {event.did.key}, could not be: {reason}"
    if not sealed.events:
        return "it has no events"
    log.seal(sealed.block.sealed_at)
    return _difference(sealed.block, log.blocks[-1])


def _done_again(log: ChainLog, event: IndexEvent) -> str:
    did = event.did
    if did.key in log.done:
        return "it was done before"
    if not isinstance(did, DepositIndex):
        answer = log.submit(event.at, did)
        return answer.reason if isinstance(answer, ChainRefused) else ""
    given = log.give(event.at, did.symbol, did.user, did.quantity)
    if given is None:
        return f"{did.user} holds {log.balance(did.symbol, did.user)} {did.symbol}"
    return "" if log.pending[-1] == event else f"it is deposit {given.seq_num}"


def _difference(block: IndexBlock, ours: IndexBlock) -> str:
    return next((reason for name, reason in _FIELDS.items() if getattr(block, name) != getattr(ours, name)), "")
