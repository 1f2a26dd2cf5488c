"""A venue as a process: its doors, its journal, its pages, and what it tells the person who started it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from starlette.routing import Route

from core.auction.auction import Auction
from core.faults import dotted
from core.kernel.record import Effect, Event, Record
from core.sequencer.sequencer import Sequencer
from core.sequencer.signing import SIGNER
from core.units import Nanos
from core.wiring import IDENTITY
from live.admin.registry import Registrations
from live.admin.routes import Sessions
from live.admin.token import admin_token, make_token
from live.credentials import HashToken
from live.descriptors import raise_limit, shares
from live.doors import Guard
from live.driver import NO_SERVICES, LiveNode, NoteSink, Solve
from live.fix_desk import Desk
from live.journal.recovery import Progress
from live.observe.http import serving
from live.observe.meanwhile import pages_meanwhile
from live.opening import Opened, Watch, open_node
from live.ports import Ports
from live.registry_desk import RegistryDesk
from live.run import Drain, Ended, Life, OnUp, ending_at_once
from live.score import Score, Traded
from live.signing import SignBlocks
from live.venue_file import DOORS, Address, VenueFile, addresses, guard_of, parse_address

FIX: Final = "fix"
SEED: Final = 0
"""A venue draws nothing."""


async def serve(
    file: VenueFile, folder: Path, *, log: NoteSink, up: OnUp, with_stdin: bool = False
) -> tuple[Ended, Traded]:
    """Serve the venue of a file in `folder` until it is asked to stop; `up` is told when its doors are open.

    Raises InputError for a port or a journal that cannot be had, and whatever stopped the venue otherwise.
    """
    score = Score()

    desk, registry = Desk(FIX), RegistryDesk(IDENTITY)

    def note(node: str, now: Nanos, component: str, fact: Record) -> None:
        score.note(fact)
        desk.note(fact)
        registry.note(fact)
        log(node, now, component, fact)

    def observe(node: str, now: Nanos, dst: str, event: Event, effects: list[Effect]) -> None:
        desk.observe(node, now, dst, event, effects)
        registry.observe(node, now, dst, event, effects)

    guards = _guards(file, folder)
    async with AsyncExitStack() as stack:
        ports = stack.enter_context(Ports())
        opened = _open(file, folder, Watch(note, observe), ports)
        try:
            life = Life(opened, _drain(file, opened.node))
            doors = {door: _listen(opened.node, door, file, guards[door], ports) for door in DOORS}
            token = _token(file, folder, opened)
            routes = Sessions(opened.node, FIX, desk, token).routes()
            routes += Registrations(
                opened.node, FIX, IDENTITY, desk=registry, token=token, symbols=_symbols(file)
            ).routes()
            http = await stack.enter_async_context(_pages(file, opened, life, routes, ports))
        except BaseException:
            await opened.node.close()
            raise
        ends = [life.until_stdin_ends()] if with_stdin else []
        ended = await life.run(life.when_up(up, doors, http=http), *ends)
    return ended, score.traded()


def _open(file: VenueFile, folder: Path, watch: Watch, ports: Ports) -> Opened:
    """The venue's node, once it has recovered; until then its pages say how far it is, and a signal ends it at once."""
    progress, wanted = Progress(), {dotted(path): parse_address(text) for path, text in addresses(file).items()}
    with ending_at_once(), ExitStack() as pages:

        def prepare() -> None:
            ports.bind(wanted)
            if file.observe.http:
                pages.enter_context(pages_meanwhile(ports.lend("observe.http"), lambda: str(progress)))

        return open_node(
            file.venue,
            file.journal,
            folder,
            watch,
            seed=SEED,
            services=_services(file, folder),
            prepare=prepare,
            progress=progress,
        )


def _symbols(file: VenueFile) -> list[str]:
    return [pair.symbol for pair in file.venue.pairs]


def _services(file: VenueFile, folder: Path) -> Mapping[str, Solve]:
    return {SIGNER: SignBlocks(file.signer.load(folder))} if file.signer is not None else NO_SERVICES


def _drain(file: VenueFile, node: LiveNode) -> Drain:
    """New orders and connections end first; sessions stay until what runs has ended, to hear of it."""
    sequencer, auction = (node.kernel.components[name] for name in ("sequencer", "auction"))
    assert isinstance(sequencer, Sequencer)
    assert isinstance(auction, Auction)

    def left() -> dict[str, int]:
        return {
            "checks": sequencer.state.checks,
            "auctions": len(auction.state.books),
            "commitments": len(auction.state.commitments.live),
        }

    return Drain(("sequencer", "auction", "solvers"), left, file.drain.deadline, goodbye=file.drain.goodbye)


def _guards(file: VenueFile, folder: Path) -> dict[str, Guard]:
    """Who may come in by each door, and how many may."""
    sockets_max = shares(raise_limit(), file.venue.doors)
    return {door: guard_of(file, door, folder, sockets_max[door]) for door in DOORS}


def _listen(node: LiveNode, name: str, file: VenueFile, guard: Guard, ports: Ports) -> str:
    component, door = DOORS[name]
    inward = HashToken if component == "solvers" else None
    port = node.listen_on(ports.take(f"listen.{name}"), component, door=door, guard=guard, inward=inward)
    return str(Address(parse_address(getattr(file.listen, name)).host, port))


def _token(file: VenueFile, folder: Path, opened: Opened) -> str:
    """The admin token, made if there is none."""
    if file.admin.token is None:
        make_token(opened.store.folder)
    return admin_token(file.admin.token, folder, opened.store.folder)


@asynccontextmanager
async def _pages(
    file: VenueFile, opened: Opened, life: Life, routes: Sequence[Route], ports: Ports
) -> AsyncIterator[str]:
    if not file.observe.http:
        yield ""
        return
    listener = ports.take("observe.http")
    async with serving(listener, opened.metrics.registry, life.health, routes) as port:
        yield str(Address(parse_address(file.observe.http).host, port))
