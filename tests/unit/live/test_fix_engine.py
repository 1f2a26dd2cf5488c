"""The engine inside a program: its life, its sessions and their operations, backpressure, and what a crash leaves."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.errors import ComponentFailed, InputError
from core.fix.dialect import Dialect
from core.fix.echo import ECHOED, Echo
from core.fix.generic import GenericMessage
from core.fix.message import FixMessage
from core.fix.messages import Logout, NewOrderSingle
from core.fix.records import MessageRejected, PeerComplained
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.shipped import dictionary
from core.fix.tags import BusinessRejectReason, SessionRejectReason
from core.fix.unsent import Unsendable
from core.kernel.record import Record
from core.units import MILLISECOND, SECOND
from live.fix_application import Application, MessageRefused, Place
from live.fix_engine import ENGINE, EmbeddedFixEngine
from live.fix_session import EmbeddedSession, QueueFull
from tests.helpers.fix import order

PATIENCE = 20.0
VENUE = EngineConfig(
    role="acceptor", comp_id="ROMER", sessions=(SessionConfig(target_comp_id="MM1"),), app="app", app_messages=("D",)
)


def maker_config(port: int, **own: Any) -> EngineConfig:
    session = SessionConfig(
        target_comp_id="ROMER", addresses=(f"127.0.0.1:{port}",), reconnect_interval=20 * MILLISECOND, **own
    )
    return EngineConfig(role="initiator", comp_id="MM1", sessions=(session,), app="app", app_messages=("8", "D"))


class Diary(Application):
    """Writes down what it is told; `fails` when it is told that."""

    def __init__(self, fails: str = "") -> None:
        self.told: list[str] = []
        self.admits = True
        self._fails = fails

    def on_logon(self, session: EmbeddedSession) -> None:
        self._tell(f"logon {session.name}")

    def on_logout(self, session: EmbeddedSession, reason: str, *, cancel_orders: bool) -> None:
        self._tell(f"logout {session.name} {reason}")

    def on_message(self, session: EmbeddedSession, message: FixMessage, *, poss_resend: bool) -> None:
        assert isinstance(message, NewOrderSingle)
        self._tell(message.cl_ord_id)

    def may_log_on(self, session: EmbeddedSession, logon: bytes) -> bool | str:
        self._tell(f"attempt {session.name}")
        return self.admits

    def _tell(self, what: str) -> None:
        self.told.append(what)
        if what == self._fails:
            raise RuntimeError(what)


@asynccontextmanager
async def two(
    venue: Application | None = None, maker: Application | None = None, config: EngineConfig = VENUE, **own: Any
) -> AsyncIterator[tuple[EmbeddedFixEngine, EmbeddedSession]]:
    """A venue's engine, and the session of a maker that is logged on to it."""
    async with (
        EmbeddedFixEngine(config, venue or Application()) as engine,
        EmbeddedFixEngine(maker_config(engine.port, **own), maker or Application()) as other,
    ):
        session = other.get_session("MM1->ROMER")
        await session.until_logged_on()
        yield engine, session


def run(test: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine to its end, which comes soon."""

    async def bounded() -> None:
        await asyncio.wait_for(test(), PATIENCE)

    asyncio.run(bounded())


async def until(happened: Callable[[], bool]) -> None:
    while not happened():  # noqa: ASYNC110  # what happens has no event of its own
        await asyncio.sleep(0.002)


def test_the_application_is_told_of_logons_messages_and_logouts() -> None:
    diary = Diary()

    async def test() -> None:
        async with two(diary) as (engine, session):
            session.send(order("A"))
            session.send(order("B"))
            await until(lambda: "B" in diary.told)
            view = engine.get_session("ROMER->MM1").view
            assert (view.state, view.reason, view.next_in, view.next_out) == ("active", "logon_accepted", 4, 2)
            assert [own.session for own in engine.sessions] == ["MM1"]

    run(test)
    assert diary.told == ["logon MM1", "A", "B", "logout MM1 peer_logout"]


def test_operations_are_carried_out_before_they_return() -> None:
    async def test() -> None:
        async with two() as (engine, session):
            await session.test_request()
            await session.set_numbers(next_out=10)
            assert session.view.next_out == 10
            await session.log_out("lunch")
            await until(lambda: not session.is_logged_on)
            assert session.view.reason == "logged_out"
            await session.reset_numbers()
            await engine.get_session("MM1").reset_numbers()
            assert (session.view.next_out, session.view.reason) == (1, "reset_by_operator")
            await session.log_on()
            await session.until_logged_on()
            await session.disconnect()
            assert session.view.reason == "operator"
            await session.until_logged_on()

    run(test)


def test_what_cannot_be_done_is_an_error_that_says_why() -> None:
    async def test() -> None:
        async with two() as (engine, session):
            await session.log_out()
            await until(lambda: session.view.state == "connecting")
            with pytest.raises(
                InputError, match="AskForHeartbeat of session 'ROMER' cannot be done: the session is not logged on"
            ):
                await session.test_request()
            with pytest.raises(InputError, match="numbers are from 1 to"):
                await session.set_numbers(next_in=0)
            with pytest.raises(InputError, match="session of that name"):
                await engine.add_session(SessionConfig(target_comp_id="MM1"))
            with pytest.raises(InputError, match="there is no session 'MM2'"):
                engine.get_session("MM2")

    run(test)


def test_sessions_come_and_go_while_the_engine_runs() -> None:
    async def test() -> None:
        async with EmbeddedFixEngine(VENUE, Application()) as engine:
            added = await engine.add_session(SessionConfig(target_comp_id="MM2"))
            assert [own.target_comp_id for own in engine.sessions] == ["MM1", "MM2"]
            await engine.remove_session("ROMER->MM2")
            assert [own.target_comp_id for own in engine.sessions] == ["MM1"]
            with pytest.raises(InputError, match="there is no session 'MM2'"):
                added.send(order("A"))

    run(test)


def test_an_engine_with_dialects_asks_an_added_session_for_one() -> None:
    config = EngineConfig(
        role="acceptor",
        comp_id="ROMER",
        sessions=(SessionConfig(target_comp_id="MM1", dialect="44"),),
        app="app",
        app_messages=("D",),
        dialects={"44": Dialect(dictionary("FIX.4.4"))},
    )

    async def test() -> None:
        async with EmbeddedFixEngine(config, Application()) as engine:
            with pytest.raises(InputError, match="give it one of the dialects 44"):
                await engine.add_session(SessionConfig(target_comp_id="MM2"))
            await engine.add_session(SessionConfig(target_comp_id="MM2", dialect="44"))

    run(test)


def test_a_full_queue_says_so_and_has_room_again_after_the_logon() -> None:
    diary = Diary()

    async def test() -> None:
        async with two(diary, waiting_messages_max=2) as (_engine, session):
            await session.log_out()
            await until(lambda: session.view.state == "connecting")
            session.send(order("A"))
            session.send(order("B"))
            assert (session.room, session.view.waiting) == (0, 2)
            with pytest.raises(QueueFull, match="ROMER: 2 messages wait"):
                session.send(order("C"))
            await session.log_on()
            await session.until_room()
            session.send(order("C"))
            await until(lambda: "C" in diary.told)

    run(test)
    assert [told for told in diary.told if len(told) == 1] == ["A", "B", "C"]


def test_the_application_may_judge_logons() -> None:
    diary = Diary()
    diary.admits = False
    config = EngineConfig(
        role="acceptor",
        comp_id="ROMER",
        sessions=(SessionConfig(target_comp_id="MM1"),),
        app="app",
        app_messages=("D",),
        authenticator="app",
    )

    async def test() -> None:
        async with (
            EmbeddedFixEngine(config, diary) as engine,
            EmbeddedFixEngine(maker_config(engine.port), Application()) as other,
        ):
            await until(lambda: "attempt MM1" in diary.told)
            assert "logon MM1" not in diary.told
            diary.admits = True
            await other.get_session("ROMER").until_logged_on()

    run(test)


def test_numbers_outlast_a_kill(tmp_path: Path) -> None:
    diary = Diary()

    async def visit(port: int, name: str, next_out: int) -> None:
        engine = EmbeddedFixEngine(maker_config(port), Application(), Place(journal=tmp_path))
        await engine.start()
        session = engine.get_session("ROMER")
        await session.until_logged_on()
        session.send(order(name))
        await until(lambda: name in diary.told)
        assert session.view.next_out == next_out
        engine.kill()
        await engine.wait()

    async def test() -> None:
        async with EmbeddedFixEngine(VENUE, diary) as engine:
            await visit(engine.port, "A", 3)
            await visit(engine.port, "B", 5)

    run(test)
    assert [told for told in diary.told if len(told) == 1] == ["A", "B"]


def test_a_message_that_was_not_done_with_comes_again_after_the_next_start(tmp_path: Path) -> None:
    first, second = Diary(fails="B"), Diary()

    async def test() -> None:
        engine = EmbeddedFixEngine(VENUE, first, Place(journal=tmp_path))
        await engine.start()
        async with EmbeddedFixEngine(maker_config(engine.port), Application()) as other:
            session = other.get_session("ROMER")
            await session.until_logged_on()
            for name in ("A", "B", "C"):
                session.send(order(name))
            with pytest.raises(RuntimeError, match="B"):
                await engine.wait()
            with pytest.raises(RuntimeError, match="B"):
                await engine.stop()
            async with EmbeddedFixEngine(VENUE, second, Place(journal=tmp_path)):
                await until(lambda: "C" in second.told)

    run(test)
    assert [told for told in first.told if len(told) == 1] == ["A", "B"]
    assert [told for told in second.told if len(told) == 1][-2:] == ["B", "C"]


def test_a_journal_belongs_to_one_configuration(tmp_path: Path) -> None:
    async def test() -> None:
        async with EmbeddedFixEngine(VENUE, Application(), Place(journal=tmp_path)):
            pass
        other = EngineConfig(role="acceptor", comp_id="ROMER", sessions=(), app="app", app_messages=())
        with pytest.raises(InputError, match="configuration"):
            await EmbeddedFixEngine(other, Application(), Place(journal=tmp_path)).start()

    run(test)


def test_a_component_with_a_journal_goes_on_where_it_was(tmp_path: Path) -> None:
    config = EngineConfig(
        role="acceptor",
        comp_id="ROMER",
        sessions=(SessionConfig(target_comp_id="MM1", dialect="42"),),
        app="echo",
        app_messages=ECHOED,
        dialects={"42": Dialect(dictionary("FIX.4.2"))},
    )
    diary = Diary()

    async def test() -> None:
        async with (
            EmbeddedFixEngine(config, Echo("echo", ENGINE), Place(journal=tmp_path)) as engine,
            EmbeddedFixEngine(maker_config(engine.port), diary) as maker,
        ):
            session = maker.get_session("ROMER")
            await session.until_logged_on()
            session.send(order("A"))
            await until(lambda: "A" in diary.told)
        before = engine.sessions[0]
        async with EmbeddedFixEngine(config, Echo("echo", ENGINE), Place(journal=tmp_path)) as engine:
            view = engine.sessions[0]
            assert (view.next_in, view.next_out) == (before.next_in, before.next_out) == (4, 4)

    run(test)


def test_what_no_peer_could_read_is_refused_where_it_is_sent() -> None:
    async def test() -> None:
        async with two() as (_engine, session):
            for message in (Logout("bye"), GenericMessage("D", ((95, "9"), (96, "x"))), order("a", text="a\x01b")):
                with pytest.raises(Unsendable):
                    session.send(message)
            assert session.view.next_out == 2
            assert session.is_logged_on

    run(test)


def test_an_application_refuses_messages_by_raising() -> None:
    class Refusing(Application):
        def on_message(self, session: EmbeddedSession, message: FixMessage, *, poss_resend: bool) -> None:
            assert isinstance(message, NewOrderSingle)
            if message.cl_ord_id == "A":
                raise MessageRefused(BusinessRejectReason.UNKNOWN_SECURITY, "No such pair", ref_id="A")
            raise MessageRefused(SessionRejectReason.VALUE_IS_INCORRECT, "Too cheap", ref_tag_id=44)

    facts: list[Record] = []

    async def test() -> None:
        venue = EmbeddedFixEngine(VENUE, Refusing(), Place(log=lambda *fact: facts.append(fact[3])))
        async with venue, EmbeddedFixEngine(maker_config(venue.port), Application()) as maker:
            session = maker.get_session("ROMER")
            await session.until_logged_on()
            session.send(order("A"))
            session.send(order("B"))
            await until(lambda: len([fact for fact in facts if isinstance(fact, MessageRejected)]) == 2)
            assert session.is_logged_on

    run(test)
    rejected = [fact for fact in facts if isinstance(fact, MessageRejected)]
    assert [(fact.msg_seq_num, fact.reason) for fact in rejected] == [(2, "unknown_security"), (3, "incorrect_value")]


def test_a_peer_that_may_not_log_on_is_told_why_and_may_come_back_with_other_fields() -> None:
    class Doorkeeper(Application):
        def may_log_on(self, session: EmbeddedSession, logon: bytes) -> bool | str:
            return True if b"\x0157=DESK\x01" in logon else "For whom?"

    config = msgspec.structs.replace(VENUE, authenticator="app")
    facts: list[Record] = []

    async def test() -> None:
        async with EmbeddedFixEngine(config, Doorkeeper()) as engine:
            maker = EmbeddedFixEngine(
                maker_config(engine.port), Application(), Place(log=lambda *fact: facts.append(fact[3]))
            )
            async with maker:
                session = maker.get_session("ROMER")
                await until(lambda: any(isinstance(fact, PeerComplained) for fact in facts))
                await session.set_admin_fields("A", [(57, "DESK")])
                await session.until_logged_on()
                with pytest.raises(InputError, match="field 108 is not one that can be added"):
                    await session.set_admin_fields("A", [(108, "1")])

    run(test)
    assert next(fact.text for fact in facts if isinstance(fact, PeerComplained)) == "For whom?"


@pytest.mark.parametrize("address", ["nonsense", "host:0x1", ":1", "host:70000"])
def test_an_address_that_is_none_is_said_before_anything_starts(address: str) -> None:
    own = msgspec.structs.replace(maker_config(1).sessions[0], addresses=(address,))
    with pytest.raises(InputError, match="session 'ROMER': addresses: expected an address"):
        EmbeddedFixEngine(msgspec.structs.replace(maker_config(1), sessions=(own,)), Application())


def test_settings_that_cannot_be_are_said_before_anything_starts() -> None:
    own = SessionConfig(target_comp_id="MM1", resend_batch=0)
    with pytest.raises(InputError, match="session 'MM1': resend_batch: must be above 0, got 0"):
        EmbeddedFixEngine(msgspec.structs.replace(VENUE, sessions=(own,)), Application())


def test_an_address_that_swallows_everything_is_left_for_the_next_one_in_time() -> None:
    async def test() -> None:
        with socket.socket() as deaf, contextlib.ExitStack() as stack:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(0)
            for _ in range(4):  # more than its queue takes
                waiting = stack.enter_context(socket.socket())
                waiting.setblocking(False)
                waiting.connect_ex(deaf.getsockname())
            async with EmbeddedFixEngine(VENUE, Application()) as engine:
                addresses = (f"127.0.0.1:{deaf.getsockname()[1]}", f"127.0.0.1:{engine.port}")
                own = msgspec.structs.replace(
                    maker_config(1).sessions[0], addresses=addresses, connect_timeout=300 * MILLISECOND
                )
                config = msgspec.structs.replace(maker_config(1), sessions=(own,))
                async with EmbeddedFixEngine(config, Application()) as other:
                    await asyncio.wait_for(other.get_session("ROMER").until_logged_on(), 5)

    run(test)


def test_an_engine_that_is_not_running_says_so() -> None:
    async def test() -> None:
        engine = EmbeddedFixEngine(VENUE, Application())
        with pytest.raises(InputError, match="not started"):
            engine.get_session("MM1")
        await engine.start()
        session = engine.get_session("MM1")
        await engine.stop(SECOND)
        with pytest.raises(InputError, match="has ended"):
            session.send(order("A"))
        with pytest.raises(InputError, match="has ended"):
            await session.until_logged_on()

    run(test)


def test_a_message_that_the_dialect_cannot_write_stops_nobody_else() -> None:
    async def test() -> None:
        async with two() as (_engine, session):
            session.send(GenericMessage("D", ((11, "A"),)))
            await until(lambda: session.view.next_in == 3)
            assert session.is_logged_on

    run(test)


def test_a_bug_in_a_component_is_raised_where_the_engine_is_awaited() -> None:
    class Broken(Echo):
        def handle(self, now: int, event: Any) -> Any:
            raise RuntimeError("broken")

    async def test() -> None:
        engine = EmbeddedFixEngine(VENUE, Broken("app", ENGINE))
        with pytest.raises(ComponentFailed, match="broken"):
            await engine.start()
        with pytest.raises(ComponentFailed, match="broken"):
            await engine.stop()

    run(test)
