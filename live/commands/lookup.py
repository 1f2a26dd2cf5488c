"""`romer-live blocks`: a venue's blocks looked up in its journal, and followed while it runs."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from core.errors import InputError
from live.commands.blocks import FOLDER
from live.commands.exits import Exit
from live.commands.options import Hash, Text, as_json, show

if TYPE_CHECKING:
    from core.sequencer.block import Block
    from live.block_index import BlockIndex, Standing

_PAUSE_SECONDS: Final = 0.25
"""Between two looks at a journal that is followed, and at least"""
_PAUSE_SHARE: Final = 9
"""so many times what a look takes: the last segment is gone over each time, and others need the processor too."""
_NEWEST: Final = "newest"


class Height(click.ParamType[int]):
    """A height, or `newest` as 0."""

    name = "height"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Raises click.BadParameter for what is neither."""
        if value == _NEWEST:
            return 0
        if isinstance(value, int) or (value.isascii() and value.isdigit() and 0 < int(value) < 1 << 63):
            return int(value)
        return self.fail(f'expected a whole number from 1, or "{_NEWEST}", got {value}', param, ctx)


@click.group()
def blocks() -> None:
    """Look up the blocks of the venue whose journal is in DIR, or of the run in DIR. The node may run meanwhile.

    What was found once is found fast: where blocks are is kept beside the journal, in `blocks.sqlite`.
    """


@blocks.command("show")
@FOLDER
@click.argument("height", type=Height())
@as_json
def show_block(*, folder: Path, height: int, as_json: bool) -> Exit:
    """Print the block of that HEIGHT, or the `newest`: what its header says, and its messages."""
    from live.block_index import BlockIndex  # noqa: PLC0415  # the whole market is slow to import
    from live.block_views import whole_block  # noqa: PLC0415

    with BlockIndex(folder) as index:
        found = whole_block(_block(index, folder, height or index.newest))
    show(found, str(found), as_json=as_json)
    return Exit.OK


@blocks.command()
@FOLDER
@click.option("--hash", "known", type=Hash(), help="Of a block.")
@click.option("--order", "order_id", type=Text(), help="OrderID: the order, and every request about it.")
@click.option("--cl-ord-id", type=Text(), help="ClOrdID of an order or a request.")
@click.option("--owner", type=Text(), help="Only what this market maker has sent.")
@as_json
def find(
    *, folder: Path, known: bytes | None, order_id: str | None, cl_ord_id: str | None, owner: str | None, as_json: bool
) -> Exit:
    """Say in which block something stands: a line for the block, and one for each message that was asked for."""
    from live.block_index import BlockIndex  # noqa: PLC0415  # the whole market is slow to import
    from live.block_views import block_view, message_view  # noqa: PLC0415

    if sum(given is not None for given in (known, order_id, cl_ord_id)) != 1:
        raise InputError("say what to find, one thing", "--hash HASH, --order O-17 or --cl-ord-id NAME")
    if known is not None and owner:
        raise InputError("--owner: a block has many owners", "leave it out, or find an order")
    with BlockIndex(folder) as index:
        if known is not None:
            found = [_known_as(index, folder, known)]
        else:
            found = _standing(index, folder, order_id or "", cl_ord_id or "", owner or "")
    for block, places in found:
        view, messages = block_view(block), [message_view(block, place) for place in places]
        text = "\n".join(map(str, [view, *messages]))
        show({"block": view, "messages": messages}, text, as_json=as_json)
    return Exit.OK


@blocks.command()
@FOLDER
@click.option("--from", "first", type=Height(), default="1", show_default=True, help="The first height, or `newest`.")
@click.option("--follow", is_flag=True, help="Go on with blocks as they are sealed, until Ctrl-C.")
@click.option("--messages", "whole", is_flag=True, help="With the messages of each.")
@as_json
def stream(*, folder: Path, first: int, follow: bool, whole: bool, as_json: bool) -> Exit:
    """Print blocks in order, a line for each; with --json a JSON object in each line.

    A block that the venue signs comes with its signature: with --follow it is waited for.
    """
    from live.block_index import BlockIndex  # noqa: PLC0415  # the whole market is slow to import
    from live.block_views import block_view, whole_block  # noqa: PLC0415

    with suppress(KeyboardInterrupt) if follow else nullcontext(), BlockIndex(folder) as index:
        if first > index.newest:
            click.echo(f"{folder}: no block {first} yet; the newest is {index.newest}", err=True)
        elif first and index.gone and first < index.oldest:
            click.echo(f"{folder}: {index.gone}", err=True)
        for block in _stream(index, first or max(1, index.newest), follow=follow):
            view = whole_block(block) if whole else block_view(block)
            show(view, str(view), as_json=as_json)
            sys.stdout.flush()
    return Exit.OK


def _stream(index: BlockIndex, height: int, *, follow: bool) -> Iterator[Block]:
    while True:
        for block in index.blocks(height):
            if follow and not _is_settled(block):
                break
            yield block
            height = block.header.height + 1
        if not follow:
            return
        began = time.monotonic()
        index.update()
        time.sleep(max(_PAUSE_SECONDS, _PAUSE_SHARE * (time.monotonic() - began)))


def _is_settled(block: Block) -> bool:
    """Whether nothing of it is still to come."""
    from core.sequencer.block import NO_KEY  # noqa: PLC0415

    return bool(block.signature) or block.header.key_id == NO_KEY


def _block(index: BlockIndex, folder: Path, height: int) -> Block:
    block = index.block(height)
    if block is None:
        newest = f"the newest is {index.newest}" if index.newest else "there is none yet"
        hint = index.gone if height <= index.newest else newest
        raise InputError(f"{folder}: no block {height}" if height else f"{folder}: no block", hint or newest)
    return block


def _known_as(index: BlockIndex, folder: Path, known: bytes) -> Standing:
    """The block with that hash, without any message."""
    from live.block_index import Standing  # noqa: PLC0415  # the whole market is slow to import

    block = index.known_as(known)
    if block is None:
        raise InputError(f"{folder}: no block has the hash {known.hex()}", index.gone)
    return Standing(block, ())


def _standing(index: BlockIndex, folder: Path, order_id: str, cl_ord_id: str, owner: str) -> list[Standing]:
    """The blocks with such messages, and where these stand."""
    found = index.find(order_id=order_id, cl_ord_id=cl_ord_id, owner=owner)
    if not found:
        what = f"an order {order_id}" if order_id else f"a ClOrdID {cl_ord_id}"
        of = f" of {owner}" if owner else ""
        hint = index.gone or "OrderID is tag 37 of reports, ClOrdID tag 11"
        raise InputError(f"{folder}: no sealed block has {what}{of}", hint)
    return found
