"""Registrar and FIX engine on one node: nobody is in without a proof, and a key is changed without losing a number."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from core.fix.codec import encode
from core.fix.engine import FixEngine
from core.fix.records import FromPeer, SessionClosed, SessionOpened
from core.fix.timestamps import format_timestamp
from core.identity.checking import check
from core.identity.records import ActivateKey, Command, MakerAdmitted, MakerBarred, SuspendMaker
from core.identity.registrar import Registrar
from core.identity.settings import IdentitySettings
from core.kernel.component import Component, Handler
from core.kernel.kernel import Kernel
from core.kernel.record import Bytes, Close, Compute, Computed, Connected, Message, Record, Start, Transmit
from core.units import SECOND
from tests.helpers.fix import NOW, ORDER, acceptor_config, wire
from tests.helpers.identity import logon, public, register, stage, step


class Heard(msgspec.Struct):
    names: list[str] = []


class App(Component[Heard]):
    """Remembers what it is told, by name."""

    def __init__(self) -> None:
        super().__init__("app", Heard())

    def _on_any(self, _now: int, event: Message[Record]) -> None:
        self.state.names.append(type(event.body).__name__)

    def _ignore(self, _now: int, _event: Start) -> None: ...

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        Start: _ignore,
        MakerAdmitted: _on_any,
        MakerBarred: _on_any,
        SessionOpened: _on_any,
        SessionClosed: _on_any,
        FromPeer: _on_any,
    }


class Venue:
    """A node whose checks are solved when a test says so, and a peer that writes by hand."""

    def __init__(self) -> None:
        settings = IdentitySettings(comp_id="ROMER", app="app", founders=(register("MM1"),))
        self.app, self.registrar = App(), Registrar("identity", settings)
        engine = FixEngine("fix", acceptor_config("MM1", authenticator="identity"))
        self.kernel = Kernel("venue", [engine, self.registrar, self.app])
        self.now, self.conns = NOW, 0
        self.jobs: list[Compute[Any]] = []
        self.said: list[str] = []
        self.kernel.boot(self.now)
        self.pump()

    def pump(self) -> None:
        for _, effect in self.kernel.pump(self.now):
            if isinstance(effect, Compute):
                self.jobs.append(effect)
            elif isinstance(effect, Transmit):
                fields = effect.data.decode("latin-1").split("\x01")
                self.said.append("|".join(it for it in fields if it.split("=")[0] in {"35", "34", "58", "36", "7"}))
            elif isinstance(effect, Close):
                self.said.append(f"close {effect.reason}")

    def hear(self, raw: bytes) -> list[str]:
        self.said = []
        self.kernel.agenda.post(self.now, "net", "fix", Bytes(f"c{self.conns}", raw))
        self.pump()
        return self.said

    def solve(self) -> list[str]:
        self.said = []
        while self.jobs:
            job = self.jobs.pop(0)
            self.kernel.agenda.post(self.now, "compute", "identity", Computed(job.job_id, check(job.problem)))
            self.pump()
        return self.said

    def command(self, command: Command) -> list[str]:
        self.said = []
        self.kernel.agenda.post(self.now, "admin", "identity", Message("admin", command))
        self.pump()
        return self.said + self.solve()

    def log_on(self, key: str, number: int) -> list[str]:
        self.conns += 1
        self.now += SECOND
        self.kernel.agenda.post(self.now, "net", "fix", Connected(f"c{self.conns}", "peer:1"))
        assert self.hear(logon(key, number=number, at=self.now)) == []
        self.solve()
        self.now += SECOND // 2
        self.pump()
        return self.said

    def say(self, msg_type: str, number: int, body: str = "") -> list[str]:
        head = f"35={msg_type}|34={number}|49=MM1|52={format_timestamp(self.now)}|56=ROMER"
        return self.hear(encode(wire(head) + wire(body)))


def test_a_session_opens_when_its_logon_is_proven_and_the_application_knows_whose_it_is_before() -> None:
    venue = Venue()
    assert venue.log_on("MM1", 1) == ["35=A|34=1"]
    assert venue.app.state.names == ["MakerAdmitted", "SessionOpened"]
    assert venue.say("D", 2, ORDER) == []
    assert venue.app.state.names[-1] == "FromPeer"


def test_a_logon_without_a_proof_is_told_nothing_and_counts_for_nothing() -> None:
    venue = Venue()
    assert venue.log_on("MM2", 1) == ["35=5|34=0|58=Logon refused", "close authentication_failed"]
    assert venue.app.state.names == []
    assert venue.log_on("MM1", 1)[-1].startswith("35=A")


def test_a_key_is_changed_under_a_session_that_is_logged_on_and_comes_back_where_it_was() -> None:
    venue = Venue()
    venue.log_on("MM1", 1)
    assert venue.command(stage("MM1", "new")) == []
    assert venue.say("D", 2, ORDER) == []
    assert venue.command(step(ActivateKey, "MM1")) == ["35=5|34=2|58=This key was revoked"]
    assert venue.say("D", 3, ORDER) == []
    assert venue.say("5", 4) == ["close logged_out"]
    assert "close authentication_failed" in venue.log_on("MM1", 5)
    assert venue.log_on("new", 5)[-1].startswith("35=A|34=3")
    assert venue.app.state.names.count("FromPeer") == 2
    assert venue.registrar.state.logged_on["MM1"].public_key == public("new")


def test_who_is_suspended_is_logged_out_and_stays_out() -> None:
    venue = Venue()
    venue.log_on("MM1", 1)
    assert venue.command(step(SuspendMaker, "MM1")) == ["35=5|34=2|58=MM1 is suspended"]
    assert venue.say("5", 2) == ["close logged_out"]
    assert "close authentication_failed" in venue.log_on("MM1", 3)
