"""The FIX engine inside a program of one's own.

    class Desk(Application):
        def on_message(self, session, message):
            session.send(...)

    async with EmbeddedFixEngine(config, Desk(), Place(port=9876, journal=Path("journal"))) as engine:
        session = engine.get_session("ROMER->MM1")

The engine is a node like any other: its components are pure, and what they do is journaled before it shows. With
a journal, sequence numbers, messages to send again and letters not taken outlast a crash; without, they end with
the process.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from importlib.metadata import version
from types import TracebackType
from typing import Any, Final, Self

import msgspec

from core.errors import InputError
from core.faults import did_you_mean
from core.fix.checks import check_engine
from core.fix.dialect import Dialect
from core.fix.engine import FixEngine
from core.fix.mailbox import Letter, Mailbox, Taken, codec_of, messages_of, speaks_as_the_venue
from core.fix.operations import Operation
from core.fix.records import (
    AddSession,
    FromPeer,
    LogonAttempted,
    LogonJudged,
    RemoveSession,
    SessionClosed,
    SessionOpened,
    ToPeer,
)
from core.fix.session import Session
from core.fix.settings import EngineConfig, SessionConfig
from core.kernel.component import Component
from core.kernel.journal import Header
from core.kernel.kernel import Kernel
from core.kernel.record import Effect, Event, Message, Record
from core.units import SECOND, Nanos
from live.clock import wall_clock
from live.driver import LiveNode
from live.fix_application import Application, MessageRefused, Place
from live.fix_desk import Desk
from live.fix_session import EmbeddedSession, SessionView, refused
from live.journal.policy import SyncPolicy
from live.journal.recovery import recover
from live.journal.store import Store
from live.venue_file import parse_address

ENGINE: Final = "fix"
_GOODBYE: Final = 3 * SECOND
_LOOK_SECONDS: Final = 0.01


class EmbeddedFixEngine:
    """An engine with its sessions, on the running loop, for an `Application` or a component named `config.app`.

    Raises InputError for settings that cannot be, naming each.
    """

    def __init__(
        self,
        config: EngineConfig,
        app: Application | Component[Any],
        place: Place = Place(),  # noqa: B008  # immutable
    ) -> None:
        check_engine(config)
        for own in config.sessions:
            _check_addresses(own)
        self.config = config
        self.port = 0
        """Where an acceptor listens, once started."""
        self._app, self._place = app, place
        self._messages = messages_of(config)
        self._node: LiveNode | None = None
        self._running: asyncio.Task[None] | None = None
        self._desk = Desk(ENGINE)
        self._posted = Counter[str]()
        self._moved = asyncio.Event()

    # --- life --------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Go on where the journal ends, open the door, connect what is to be connected.

        Raises InputError, JournalDamaged and ReplayDiverged for a journal that cannot be gone on with, and OSError for
        a door that cannot be opened.
        """
        kernel, store, not_before = self._kernel()
        place = self._place
        self._node = node = LiveNode(
            kernel,
            clock=wall_clock(not_before),
            on_note=self._on_note,
            on_pump=lambda *_: self._moved.set(),
            store=store,
            tls=place.tls,
        )
        if self.config.role == "acceptor":
            try:
                self.port = await node.listen(place.host, place.port, ENGINE, guard=place.guard)
            except BaseException:
                await node.close()
                raise
        self._running = asyncio.create_task(node.run())
        self._tell_again(kernel)
        started = asyncio.create_task(node.started.wait())
        await asyncio.wait((self._running, started), return_when=asyncio.FIRST_COMPLETED)
        started.cancel()
        if self._running.done():
            await self._running

    async def stop(self, goodbye: Nanos = _GOODBYE) -> None:
        """Log out, wait for the answers for so long, and end. Raises whatever stopped the engine before."""
        node, running = self._started()
        if not running.done():
            node.wind_down(ENGINE)
            with suppress(TimeoutError, InputError):
                await asyncio.wait_for(self.until(lambda: not self._is_busy()), goodbye / SECOND)
            node.stop()
        await running

    async def wait(self) -> None:
        """Wait until the engine ends. Raises what stopped it."""
        _, running = self._started()
        await asyncio.shield(running)

    def kill(self) -> None:
        """End at once, without a word to anybody: the journal is closed, connections are cut off."""
        node, _ = self._started()
        node.cut()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    # --- sessions ----------------------------------------------------------------------------------

    @property
    def sessions(self) -> tuple[SessionView, ...]:
        """How all sessions stand."""
        return tuple(EmbeddedSession(self, name).view for name in self._engine.state.sessions)

    def get_session(self, name: str) -> EmbeddedSession:
        """The session of that name, or with these CompIDs: `SENDER->TARGET`. Raises InputError if there is none."""
        sessions = self._engine.hosted
        by_comp_ids = {f"{it.comp_id}->{it.own.target_comp_id}": own for own, it in sessions.items()}
        found = name if name in sessions else by_comp_ids.get(name)
        if found is None:
            raise InputError(f"there is no session {name!r}", did_you_mean(name, (*sessions, *by_comp_ids)))
        return EmbeddedSession(self, found)

    async def add_session(self, config: SessionConfig) -> EmbeddedSession:
        """Have one more. With a journal it is there after the next start, too. Raises InputError if it cannot be."""
        if not config.dialect and not speaks_as_the_venue(self.config):
            raise refused("AddSession", config.name, f"give it one of the dialects {', '.join(self.config.dialects)}")
        _check_addresses(config)
        await self.operate(AddSession(config))
        return EmbeddedSession(self, config.name)

    async def remove_session(self, name: str) -> None:
        """Log a session out, and forget it with its numbers. Raises InputError if there is none."""
        await self.operate(RemoveSession(self.get_session(name).name))

    # --- for its sessions ----------------------------------------------------------------------------

    def hosted(self, name: str) -> Session:
        """The session itself, to look at."""
        found = self._engine.hosted.get(name)
        if found is None:
            raise InputError(f"there is no session {name!r}", "it was removed")
        return found

    def unsent_bytes(self, conn: str) -> int:
        """What the peer on `conn` has not taken yet."""
        node, _ = self._started()
        return node.unsent_bytes(conn)

    def posted(self, name: str) -> int:
        """Messages that were given to a session and that the engine has not seen yet."""
        return self._posted[name]

    def reason(self, name: str) -> str:
        """Why a session is in its state."""
        return self._desk.reason(name)

    def post(self, body: ToPeer[Any]) -> None:
        """Give the engine a message."""
        self._posted[body.session] += 1
        self._tell(body)

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened. Raises InputError when the engine ends before."""
        while not happened():
            _, running = self._started()
            if running.done():
                raise InputError("the engine has ended", "stop() says why")
            self._moved.clear()
            with suppress(TimeoutError):  # what a peer reads moves nothing here
                await asyncio.wait_for(self._moved.wait(), _LOOK_SECONDS)

    async def operate(self, operation: Operation | AddSession | RemoveSession) -> None:
        """Have an operation carried out. Raises InputError saying why it cannot be."""
        _, running = self._started()
        self._tell(operation)
        answer = self._desk.answer_to(operation)
        await asyncio.wait((answer, running), return_when=asyncio.FIRST_COMPLETED)
        detail = answer.result() if answer.done() else "the engine has ended"
        if detail:
            name = operation.config.name if isinstance(operation, AddSession) else operation.session
            raise refused(type(operation).__name__, name, detail)

    # --- its node ------------------------------------------------------------------------------------

    def _kernel(self) -> tuple[Kernel, Store | None, Nanos]:
        if self._place.journal is None:
            return Kernel(self.config.comp_id, self._components(), observer=self._observe), None, 0
        encoded = msgspec.msgpack.encode(self.config, enc_hook=_plain)
        digest = blake2b(encoded, digest_size=16).hexdigest()
        header = Header(self.config.comp_id, 0, encoded, digest, versions=(("romer", version("romer")),))
        store = Store.open(self._place.journal, header, policy=SyncPolicy.parse(self._place.sync))
        try:
            recovered = recover(store, self._components, codec_of(self._messages), observer=self._observe)
        except BaseException:
            store.close()
            raise
        return recovered.kernel, store, recovered.not_before

    def _components(self) -> list[Component[Any]]:
        app = self._app
        own = Mailbox(self.config.app, self._messages) if isinstance(app, Application) else app
        return [FixEngine(ENGINE, self.config), own]

    @property
    def _engine(self) -> FixEngine:
        node, _ = self._started()
        engine = node.kernel.components[ENGINE]
        assert isinstance(engine, FixEngine)
        return engine

    def _started(self) -> tuple[LiveNode, asyncio.Task[None]]:
        if self._node is None or self._running is None:
            raise InputError("the engine is not started", "call start() first")
        return self._node, self._running

    def _tell(self, body: Record) -> None:
        node, running = self._started()
        if running.done():
            raise InputError("the engine has ended", "stop() says why")
        node.tell(ENGINE, body)

    def _is_busy(self) -> bool:
        """Whether somebody is still connected, or something still to be taken."""
        node, _ = self._started()
        mailbox = node.kernel.components[self.config.app]
        waiting = isinstance(mailbox, Mailbox) and bool(mailbox.state.waiting)
        return bool(self._engine.state.links) or waiting

    # --- what happens ----------------------------------------------------------------------------------

    def _observe(self, node: str, now: Nanos, dst: str, event: Event, effects: list[Effect]) -> None:
        self._desk.observe(node, now, dst, event, effects)
        if dst != ENGINE or not isinstance(event, Message):
            return
        if isinstance(event.body, ToPeer):
            self._posted[event.body.session] = max(0, self._posted[event.body.session] - 1)

    def _on_note(self, node: str, now: Nanos, component: str, fact: Record) -> None:
        if isinstance(fact, Letter):
            self._deliver(fact.number, fact.body)
            return
        self._desk.note(fact)
        if self._place.log is not None:
            self._place.log(node, now, component, fact)

    def _tell_again(self, kernel: Kernel) -> None:
        mailbox = kernel.components[self.config.app]
        if isinstance(mailbox, Mailbox):
            for number, body in list(mailbox.state.waiting.items()):
                self._deliver(number, body)

    def _deliver(self, number: int, body: Any) -> None:
        app, session = self._app, EmbeddedSession(self, body.session)
        assert isinstance(app, Application)
        if isinstance(body, FromPeer):
            try:
                app.on_message(session, body.message, poss_resend=body.poss_resend)
            except MessageRefused as refusal:
                self._tell(refusal.of(body))
        elif isinstance(body, SessionOpened):
            app.on_logon(session)
        elif isinstance(body, SessionClosed):
            app.on_logout(session, str(body.reason), cancel_orders=body.cancel_orders)
        elif isinstance(body, LogonAttempted):
            verdict = bool(body.session) and app.may_log_on(session, body.raw)  # who names no session is not believed
            text = "" if isinstance(verdict, bool) else verdict
            self._tell(LogonJudged(body.session, body.conn, verdict is True, text, text))
        assert self._node is not None
        self._node.tell(self.config.app, Taken(number))


def _check_addresses(config: SessionConfig) -> None:
    for address in config.addresses:
        try:
            parse_address(address)
        except ValueError as error:
            raise InputError(f"session {config.name!r}: addresses: {error}") from None


def _plain(value: object) -> Any:
    """A dialect as data: two that are written the same way read the same."""
    if isinstance(value, Dialect):
        dictionary = value.dictionary
        parts = (dictionary.fields, dictionary.header, dictionary.trailer, dictionary.messages)
        digest = blake2b(msgspec.msgpack.encode(parts), digest_size=16).hexdigest()
        return [dictionary.begin_string, digest, value.validator.policy, [kind.__name__ for kind in value.typed]]
    raise NotImplementedError(f"{value!r} is no data")
