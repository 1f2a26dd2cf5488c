"""Blocks as people and programs are shown them: what a block says, and of each of its messages what its leaf says."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec

from core.faults import one_line
from core.sequencer.block import NO_KEY, Block, block_hash
from core.sequencer.leaf import decode_acknowledgement, decode_leaf
from core.units import SECOND


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """A message of a block. Hashes are in hexadecimal, times nanoseconds since 1970."""

    index: int
    global_seq: int
    received_at: int
    owner: str
    kind: str
    order_id: str
    cl_ord_id: str
    message_hash: str

    def __str__(self) -> str:
        name = f" as {one_line(self.cl_ord_id)}" if self.cl_ord_id else ""
        said = f"{self.kind} {self.order_id} of {one_line(self.owner)}{name}"
        return f"{self.index:>6}  {self.global_seq:>10}  {when(self.received_at)}  {said}"


class BlockView(msgspec.Struct, frozen=True, kw_only=True):
    """A block. `key_id` and `signature` are empty when nobody signed it."""

    height: int
    hash: str
    previous_hash: str
    opened_at: int
    closed_at: int
    message_count: int
    message_root: str
    receipt_root: str
    state_root: str
    key_id: str
    signature: str

    def __str__(self) -> str:
        signed = "signed" if self.signature else "not signed"
        return f"{self.height:>8}  {when(self.closed_at)}  {self.message_count:>6}  {self.hash}  {signed}"


class WholeBlock(BlockView, frozen=True, kw_only=True):
    """A block with its messages, in block order."""

    messages: tuple[MessageView, ...]

    def __str__(self) -> str:
        lines = [
            f"block {self.height}, {self.hash}",
            f"  after          {self.previous_hash}",
            f"  opened         {when(self.opened_at)}",
            f"  closed         {when(self.closed_at)}",
            f"  message root   {self.message_root}",
            f"  receipt root   {self.receipt_root}",
            f"  state root     {self.state_root}",
            f"  key            {self.key_id or 'none'}",
            f"  signature      {self.signature or 'none'}",
            f"  messages       {self.message_count}",
        ]
        return "\n".join([*lines, *map(str, self.messages)])


def block_view(block: Block) -> BlockView:
    """A block without its messages."""
    return BlockView(**_said(block))


def whole_block(block: Block) -> WholeBlock:
    """A block with its messages."""
    messages = tuple(message_view(block, index) for index in range(len(block.messages)))
    return WholeBlock(**_said(block), messages=messages)


def message_view(block: Block, index: int) -> MessageView:
    """One message of a block. Raises IndexError when there is none."""
    leaf, told = decode_leaf(block.messages[index]), decode_acknowledgement(block.acknowledgements[index])
    return MessageView(
        index=index,
        global_seq=leaf.global_seq,
        received_at=leaf.received_at,
        owner=leaf.owner,
        kind=told.kind,
        order_id=told.order_id,
        cl_ord_id=told.cl_ord_id,
        message_hash=leaf.raw_hash.hex(),
    )


def when(at: int) -> str:
    """An instant for people, to the microsecond."""
    return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%d %H:%M:%S}.{at % SECOND // 1000:06}"


def _said(block: Block) -> dict[str, Any]:
    header = block.header
    return {
        "height": header.height,
        "hash": block_hash(header).hex(),
        "previous_hash": header.previous_hash.hex(),
        "opened_at": header.opened_at,
        "closed_at": header.closed_at,
        "message_count": header.message_count,
        "message_root": header.message_root.hex(),
        "receipt_root": header.receipt_root.hex(),
        "state_root": header.state_root.hex(),
        "key_id": "" if header.key_id == NO_KEY else header.key_id.hex(),
        "signature": block.signature.hex(),
    }
