"""`romer-live receipt`, `verify-receipt` and `verify-chain`: what blocks prove, from files alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click
import msgspec

from core.errors import InputError, KeyRefused
from core.faults import one_line
from core.sequencer.block import FIRST_HEIGHT, NO_KEY, block_hash
from core.sequencer.chain import Rebuilt, is_unsigned, verify_history
from core.sequencer.leaf import decode_acknowledgement, decode_leaf
from core.sequencer.receipt import Receipt, decode_receipt, encode_receipt, verify_receipt
from core.sequencer.signing import Check, checked_by
from core.units import SECOND
from live.commands.exits import Exit
from live.commands.options import Hash, Text, as_json, show

_KINDS: Final[dict[str, str]] = {
    "order": "order",
    "cancel": "request to cancel order",
    "replace": "request to replace order",
    "cancel_on_disconnect": "the venue's own cancel of order",
}
FOLDER = click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, exists=True, file_okay=False))


class PublicKey(click.ParamType[Check]):
    """A public key in hexadecimal, as the check of signatures made with it."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Check:
        """Raises click.BadParameter for what is no public key."""
        try:
            return value if callable(value) else checked_by(bytes.fromhex(value))
        except (ValueError, KeyRefused) as error:
            return self.fail(f"not a public key: {error}", param, ctx)


BY = click.option("--public-key", "check", type=PublicKey(), help="The venue's key: signatures must be there, and its.")


@click.command()
@FOLDER
@click.argument("order", type=Text())
def receipt(*, folder: Path, order: str) -> Exit:
    """Print the receipt of ORDER, an OrderID, from the venue's journal in DIR or the run in DIR."""
    from live.block_index import find_receipt  # noqa: PLC0415  # the whole market is slow to import

    click.echo(encode_receipt(find_receipt(folder, order)))
    return Exit.OK


@click.command("verify-receipt")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option("--block-hash", "known", type=Hash(), help="The hash of that block, as you know it from elsewhere.")
@BY
@as_json
def check_receipt(*, file: Path, known: bytes | None, check: Check | None, as_json: bool) -> Exit:
    """Say whether the receipt in FILE proves its message, and of what. It takes no venue and no network."""
    with click.open_file(str(file), "rb") as stream:
        text = stream.read()
    found = _read(text)
    flaw = found if isinstance(found, str) else verify_receipt(found, check, known)
    if isinstance(found, str) or flaw:
        show({"broken": str(file), "reason": flaw}, f"{file}: it proves nothing: {flaw}", as_json=as_json)
        return Exit.DAMAGED
    proven = _proven(found, known, is_checked=check is not None)
    show(proven, str(proven), as_json=as_json)
    return Exit.OK


@click.command("verify-chain")
@FOLDER
@click.option("--head", type=Hash(), help="The hash of a block, once the newest, as you know it from elsewhere.")
@BY
@as_json
def check_chain(*, folder: Path, head: bytes | None, check: Check | None, as_json: bool) -> Exit:
    """Verify every block of the venue's journal in DIR, or of the run in DIR, from the first that is there.

    Each must link to the one before and commit to the messages, the acknowledgements and the order book that the
    journal's events give; with a public key, each must have its signature. The node may run meanwhile: the newest
    blocks may wait for their signatures, and how many do is said.
    """
    from live.blocks import blocks_of, venue_reader  # noqa: PLC0415  # the whole market is slow to import

    counted, reader = _Counted(head), venue_reader(folder)
    is_pruned = reader.header.count > 0
    broken = verify_history(counted.of(blocks_of(reader)), head, check, is_pruned=is_pruned)
    if broken:
        show({"broken": broken.height, "reason": broken.reason}, f"{folder}: {broken}", as_json=as_json)
        return Exit.DAMAGED
    counts = {"blocks": counted.blocks, "messages": counted.messages, "signed": counted.signed}
    counts |= {"unsigned": counted.unsigned, "first": counted.first}
    unsigned = f"; the newest {counted.unsigned:,} are not signed yet" if check is not None and counted.unsigned else ""
    since = f"; {counted.since:,} of them follow the one that you know" if counted.since else ""
    text = f"{counted.blocks:,} blocks with {counted.messages:,} messages are one chain; its head is {counted.head}"
    pruned = f"; those before block {counted.first:,} are not in this journal" if counted.first > FIRST_HEIGHT else ""
    show(counts | {"head": counted.head, "since": counted.since}, text + since + unsigned + pruned, as_json=as_json)
    return Exit.OK


class _Counted:
    """What goes by."""

    def __init__(self, known: bytes | None) -> None:
        self.first = self.blocks = self.messages = self.signed = 0
        self.unsigned = 0
        """The newest blocks, as far as they wait for their signatures."""
        self.head = NO_KEY.hex()
        self.since: int | None = None
        """Blocks behind the one whose hash is `known`."""
        self._known = known

    def of(self, history: Iterable[Rebuilt]) -> Iterator[Rebuilt]:
        for rebuilt in history:
            yield rebuilt
            if not self.first:
                self.first = rebuilt.block.header.height
                self.since = 0 if self._known == rebuilt.block.header.previous_hash else None
            self.blocks += 1
            self.messages += len(rebuilt.block.messages)
            self.signed += bool(rebuilt.block.signature)
            self.unsigned = self.unsigned + 1 if is_unsigned(rebuilt.block) else 0
            newest = block_hash(rebuilt.block.header)
            self.head = newest.hex()
            if newest == self._known:
                self.since = 0
            elif self.since is not None:
                self.since += 1


class _Proven(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt that holds says."""

    order_id: str
    kind: str
    owner: str
    cl_ord_id: str
    global_seq: int
    received_at: int
    message_hash: str
    height: int
    index: int
    messages: int
    block_hash: str
    signed_by: str
    """Key id; empty if nobody signed it."""
    known: bool
    """The block was compared with a hash from elsewhere."""
    checked: bool
    """Its signature was checked with a key from elsewhere."""

    def __str__(self) -> str:
        received = datetime.fromtimestamp(self.received_at // SECOND, UTC).strftime("%Y-%m-%d %H:%M:%S")
        what = _KINDS[self.kind]
        order_id, owner, cl_ord_id = map(one_line, (self.order_id, self.owner, self.cl_ord_id))
        lines = [
            f"{what} {order_id} of {owner}, ClOrdID {cl_ord_id}, number {self.global_seq} in sequence",
            f"received {received}.{self.received_at % SECOND:09} UTC, SHA-256 of the message {self.message_hash}",
            f"is message {self.index + 1} of {self.messages} in block {self.height}, {self.block_hash}",
        ]
        signed = f"its signature, of key {self.signed_by}, was not checked" if self.signed_by else "not signed"
        if self.checked:
            signed = f"signed with that key, {self.signed_by}"
        if self.known:
            signed = f"the block is the one that you know; {signed}"
        elif not self.checked:
            signed = f"{signed}: compare the block's hash yourself"
        return "\n".join([*lines, signed])


def _read(text: bytes) -> Receipt | str:
    """A receipt, or why it is none."""
    try:
        return decode_receipt(text)
    except InputError as error:
        return error.message


def _proven(found: Receipt, known: bytes | None, *, is_checked: bool) -> _Proven:
    leaf, told = decode_leaf(found.message), decode_acknowledgement(found.acknowledgement)
    return _Proven(
        order_id=told.order_id,
        kind=told.kind,
        owner=leaf.owner,
        cl_ord_id=told.cl_ord_id,
        global_seq=leaf.global_seq,
        received_at=leaf.received_at,
        message_hash=leaf.raw_hash.hex(),
        height=found.header.height,
        index=found.index,
        messages=found.header.message_count,
        block_hash=block_hash(found.header).hex(),
        signed_by=found.header.key_id.hex() if found.signature else "",
        known=known is not None,
        checked=is_checked,
    )
