"""QuickFIX (C++) opposite our engine, as acceptor and as initiator. `make interop` builds it and runs these."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from core.fix.message import FixMessage
from core.fix.messages import ExecutionReport, NewOrderSingle
from core.fix.settings import EngineConfig, SessionConfig
from core.units import MILLISECOND
from live.fix_application import Application, Place
from live.fix_engine import EmbeddedFixEngine
from live.fix_session import EmbeddedSession
from tests.helpers.fix import order

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-interop" / "bin" / "python"
PEER = Path(__file__).with_name("quickfix_peer.py")
PATIENCE = 90.0
MANY = 10_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="NO QUICKFIX: `make interop` builds it, in some minutes"),
]
both_roles = pytest.mark.parametrize("role", ["acceptor", "initiator"])
"""Which of the two QuickFIX is."""


class QuickFix:
    """A QuickFIX process with some settings of its own, and all that it has told."""

    def __init__(self, role: str, port: int, folder: Path, *settings: str) -> None:
        self.role, self.port, self.folder, self.settings = role, port, folder, settings
        self.told: list[dict[str, Any]] = []
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Run it; it goes on with the store in its folder."""
        self._process = await asyncio.create_subprocess_exec(
            str(PYTHON),
            str(PEER),
            self.role,
            str(self.port),
            str(self.folder),
            *self.settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._reading = asyncio.create_task(self._read())
        await self.until(lambda: self.count(event="up") == 1)

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.told.append(json.loads(line))

    async def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened."""
        await until(happened, lambda: f"QuickFIX has told {self.told[-5:]}")

    def count(self, **wanted: Any) -> int:
        """How many lines say so."""
        return sum(wanted.items() <= line.items() for line in self.told)

    @property
    def is_logged_on(self) -> bool:
        """Whether it says so; it tells of a logout after every attempt that fails, too."""
        turns = [line["event"] for line in self.told if line["event"] in ("logon", "logout")]
        return turns[-1:] == ["logon"]

    def ids(self, kind: str) -> list[str]:
        """The ClOrdIDs of the messages that it was given, in order."""
        return [line["id"] for line in self.told if line["event"] == "app" and line["kind"] == kind]

    async def obey(self, command: str) -> None:
        """Tell it to do something, and wait until it is done."""
        assert self._process is not None
        assert self._process.stdin is not None
        done = self.count(event="done")
        self._process.stdin.write(f"{command}\n".encode())
        await self.until(lambda: self.count(event="done") > done)

    async def kill(self) -> None:
        """End it as a crash does."""
        assert self._process is not None
        assert self._reading is not None
        if self._process.returncode is None:
            self._process.kill()
        await self._process.wait()
        await self._reading
        self.told = [line for line in self.told if line["event"] != "up"]


class Desk(Application):
    """Answers every order with a report, as a venue if asked to, and keeps the ClOrdIDs of what it is told."""

    def __init__(self, *, is_venue: bool = False) -> None:
        self.is_venue = is_venue
        self.orders: list[str] = []
        self.reports: list[str] = []

    def on_message(self, session: EmbeddedSession, message: FixMessage, *, poss_resend: bool) -> None:
        if isinstance(message, NewOrderSingle):
            self.orders.append(message.cl_ord_id)
            place = {"global_seq": 7, "block_height": 3, "leaf_index": 0} if self.is_venue else {}
            session.send(msgspec.structs.replace(accepted(message), **place))
        elif isinstance(message, ExecutionReport):
            self.reports.append(message.cl_ord_id or "")


def accepted(order: NewOrderSingle) -> ExecutionReport:
    """A report."""
    none = Decimal(0)
    return ExecutionReport(
        "O", order.cl_ord_id, "0", "0", "0", order.symbol, order.side, none, none, none, cl_ord_id=order.cl_ord_id
    )


class Meeting:
    """Our engine and theirs, with one session between them; `settings` are theirs, `changes` those of our session."""

    def __init__(self, role: str, folder: Path, *settings: str, is_venue: bool = False, **changes: Any) -> None:
        self.port = free_port()
        self.theirs = QuickFix(role, self.port, folder, *settings)
        self.journal = folder / "journal"
        self.desk = Desk(is_venue=is_venue)
        own = SessionConfig(
            target_comp_id="QF",
            addresses=(f"127.0.0.1:{self.port}",) if role == "acceptor" else (),
            reconnect_interval=100 * MILLISECOND,
            reconnect_interval_max=500 * MILLISECOND,
            **changes,
        )
        self.config = EngineConfig(
            role="initiator" if role == "acceptor" else "acceptor",
            comp_id="ROMER",
            sessions=(own,),
            app="desk",
            app_messages=("D", "8"),
        )
        self.ours = self._engine()

    def _engine(self) -> EmbeddedFixEngine:
        return EmbeddedFixEngine(self.config, self.desk, Place(port=self.port, journal=self.journal))

    @property
    def session(self) -> EmbeddedSession:
        return self.ours.get_session("ROMER->QF")

    async def restart_ours(self) -> None:
        """Kill our engine, and start it again from its journal."""
        self.ours.kill()
        await self.ours.wait()
        self.ours = self._engine()
        await self.ours.start()

    async def stop_ours(self) -> None:
        """Stop whichever of our engines runs now."""
        await self.ours.stop()

    async def send(self, *names: str) -> None:
        """Send orders, as fast as they are taken."""
        for name in names:
            await self.session.until_room()
            self.session.send(order(name))

    async def both_up(self) -> None:
        """Wait until both sides are logged on and nothing is missing."""
        await self.until(lambda: self.session.view.state == "active")
        await self.theirs.until(lambda: self.theirs.is_logged_on)

    async def until(self, happened: Callable[[], bool]) -> None:
        await until(happened, lambda: f"we are at {self.session.view}, QuickFIX has told {self.theirs.told[-5:]}")

    async def go_down(self) -> None:
        """Log out, and stay so."""
        await self.session.log_out()
        await self.until(lambda: self.session.view.state == "connecting")
        await self.theirs.until(lambda: not self.theirs.is_logged_on)


@asynccontextmanager
async def meeting(role: str, folder: Path, *settings: str, **changes: Any) -> AsyncIterator[Meeting]:
    """Both, logged on."""
    both = Meeting(role, folder, *settings, **changes)
    async with AsyncExitStack() as stack:
        stack.push_async_callback(both.theirs.kill)
        await both.ours.start()
        stack.push_async_callback(both.stop_ours)
        await both.theirs.start()
        await both.both_up()
        yield both


async def until(happened: Callable[[], bool], describe: Callable[[], str]) -> None:
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not happened():
        assert asyncio.get_running_loop().time() < deadline, describe()
        await asyncio.sleep(0.01)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def names(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number}" for number in range(1, count + 1)]


def run(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(test)


@both_roles
def test_orders_and_reports_go_both_ways(role: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with meeting(role, tmp_path) as both:
            await both.theirs.obey("order 200 q")
            await both.send(*names("r", 200))
            await both.until(lambda: len(both.desk.reports) == len(both.desk.orders) == 200)
            await both.theirs.until(lambda: len(both.theirs.ids("8")) == 200)
            assert both.desk.orders == both.theirs.ids("8") == names("q", 200)
            assert both.desk.reports == both.theirs.ids("D") == names("r", 200)
            await both.go_down()
            assert both.session.view.reason == "logged_out"
            assert both.theirs.count(event="admin", kind="3") == 0

    run(test())


@pytest.mark.parametrize(
    ("settings", "changes"),
    [(["ValidateUserDefinedFields=N"], {}), ([], {"send_user_defined_fields": False})],
    ids=["as they let them through", "as we leave them out"],
)
@both_roles
def test_reports_of_a_venue_are_taken(role: str, settings: list[str], changes: dict[str, Any], tmp_path: Path) -> None:
    async def test() -> None:
        async with meeting(role, tmp_path, *settings, is_venue=True, **changes) as both:
            await both.theirs.obey("order 20 q")
            await both.theirs.until(lambda: both.theirs.ids("8") == names("q", 20))
            await both.go_down()
            assert [line["kind"] for line in both.theirs.told if line["event"] == "admin"] == ["5"]

    run(test())


@both_roles
def test_a_gap_on_either_side_is_filled(role: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with meeting(role, tmp_path) as both:
            await both.theirs.obey("order 3 a")
            await both.theirs.until(lambda: len(both.theirs.ids("8")) == 3)
            await both.theirs.obey("next_out 15")
            await both.theirs.obey("order 3 b")
            await both.theirs.until(lambda: len(both.theirs.ids("8")) == 6)
            await both.both_up()
            assert both.theirs.count(event="admin", kind="2") == 1
            await both.session.set_numbers(next_out=both.session.view.next_out + 10)
            await both.send("c1", "c2")
            await both.until(lambda: both.desk.reports == ["c1", "c2"])
            assert both.desk.orders == [*names("a", 3), *names("b", 3)]
            assert both.theirs.ids("D") == ["c1", "c2"]

    run(test())


@both_roles
def test_what_was_sent_while_the_other_was_dead_arrives_once(role: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with meeting(role, tmp_path) as both:
            await both.send("a1")
            await both.until(lambda: both.desk.reports == ["a1"])
            await both.theirs.kill()
            await both.until(lambda: not both.session.is_logged_on)
            await both.send(*names("b", 50))
            await both.theirs.start()
            await both.until(lambda: both.desk.reports == ["a1", *names("b", 50)])
            assert both.theirs.ids("D") == both.desk.reports
            await both.theirs.obey("order 50 c")
            await both.until(lambda: bool(both.desk.orders))
            await both.restart_ours()
            await both.theirs.obey("order 50 d")
            await both.until(lambda: "d50" in both.desk.orders)
            await both.theirs.until(lambda: "d50" in both.theirs.ids("8"))
            assert list(dict.fromkeys(both.desk.orders)) == [*names("c", 50), *names("d", 50)]
            assert sorted(both.theirs.ids("8"))[:1] == ["c1"]

    run(test())


@both_roles
def test_ten_thousand_messages_are_sent_again(role: str, tmp_path: Path) -> None:
    async def test() -> None:
        async with meeting(role, tmp_path) as both:
            await both.send(*names("a", MANY))
            await both.until(lambda: len(both.desk.reports) == MANY)
            await both.go_down()
            await both.theirs.obey("next_in 2")
            await both.session.log_on()
            if role == "initiator":
                await both.theirs.obey("logon")
            await both.theirs.until(lambda: both.theirs.count(event="app", kind="D", duplicate=True) == MANY)
            assert both.theirs.ids("D") == names("a", MANY) * 2
            await both.until(lambda: len(both.desk.reports) == 2 * MANY)
            await both.both_up()
            await both.session.set_numbers(next_in=2)
            await both.theirs.obey("order 1 z")
            await both.until(lambda: "z1" in both.desk.orders)
            await both.both_up()
            assert both.desk.reports == names("a", MANY) * 4

    run(test())
