"""A venue as a process: its doors, its journal, its pages, and what it tells the person who started it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Final

from core.auction.auction import Auction
from core.errors import InputError
from core.kernel.record import Record
from core.units import Nanos
from live.credentials import HashToken
from live.driver import LiveNode, NoteSink
from live.observe.http import serving
from live.opening import Opened, Watch, open_node
from live.run import Drain, Ended, Life, OnUp
from live.score import Score, Traded
from live.venue_file import DOORS, Address, ListenSection, VenueFile, guard_of, parse_address

SEED: Final = 0
"""A venue draws nothing."""


async def serve(
    file: VenueFile, folder: Path, *, log: NoteSink, up: OnUp, with_stdin: bool = False
) -> tuple[Ended, Traded]:
    """Serve the venue of a file in `folder` until it is asked to stop; `up` is told when its doors are open.

    Raises InputError for a port or a journal that cannot be had, and whatever stopped the venue otherwise.
    """
    score = Score()

    def note(node: str, now: Nanos, component: str, fact: Record) -> None:
        score.note(fact)
        log(node, now, component, fact)

    opened = open_node(file.venue, file.journal, folder, Watch(note), seed=SEED)
    life = Life(opened, _drain(file, opened.node))
    async with AsyncExitStack() as stack:
        try:
            doors = {door: await _listen(opened.node, door, file.listen, folder) for door in DOORS}
            http = await _pages(file, opened, life, stack)
        except BaseException:
            await opened.node.close()
            raise
        watch = [life.until_stdin_ends()] if with_stdin else []
        ended = await life.run(life.when_up(up, doors, http=http), *watch)
    return ended, score.traded()


def _drain(file: VenueFile, node: LiveNode) -> Drain:
    """New orders and connections end first; sessions stay until what runs has ended, to hear of it."""
    auction = node.kernel.components["auction"]
    assert isinstance(auction, Auction)

    def busy() -> bool:
        return bool(auction.state.books or auction.state.commitments.live)

    return Drain(("sequencer", "auction", "solvers"), busy, file.drain.deadline, file.drain.goodbye)


async def _listen(node: LiveNode, name: str, listen: ListenSection, folder: Path) -> str:
    text, (component, door) = getattr(listen, name), DOORS[name]
    host, port = parse_address(text)
    guard, inward = guard_of(listen, name, folder), HashToken if component == "solvers" else None
    with _port_of(f"listen.{name}", text):
        port = await node.listen(host, port, component, door=door, guard=guard, inward=inward)
    return str(Address(host, port))


async def _pages(file: VenueFile, opened: Opened, life: Life, stack: AsyncExitStack) -> str:
    if not file.observe.http:
        return ""
    host, port = parse_address(file.observe.http)
    with _port_of("observe.http", file.observe.http):
        port = await stack.enter_async_context(serving(host, port, opened.metrics.registry, life.health))
    return str(Address(host, port))


@contextmanager
def _port_of(key: str, text: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL):
            hint = "another process has it; name another, or port 0 for any free one"
            if error.errno != errno.EADDRINUSE:
                hint = "name an address of this machine, and a port that you may use"
            raise InputError(f"{key}: cannot listen on {text}: {os.strerror(error.errno)}", hint) from None
        raise
