"""A registrar under a hand-moved clock, the keys of a few market makers, and their Logons."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from core.fix.codec import encode
from core.fix.records import LogonAttempted, LogonConcluded, LogonJudged
from core.fix.timestamps import format_timestamp
from core.identity.bls import BLS
from core.identity.checking import check
from core.identity.logon import sign_logon
from core.identity.records import (
    ActivateKey,
    ActivateMaker,
    AuditEntry,
    Command,
    CommandRefused,
    LogonDenied,
    MakerAdmitted,
    RegisterMaker,
    RegistryChanged,
    StageKey,
)
from core.identity.registrar import Registrar
from core.identity.scheme import key_gen
from core.identity.settings import IdentitySettings
from core.kernel.record import (
    CancelTimer,
    Compute,
    Computed,
    Effect,
    Event,
    Message,
    Note,
    Record,
    Send,
    SetTimer,
    Start,
    TimerFired,
)
from core.units import Nanos
from tests.helpers.fix import LOGON, NOW, wire


def secret(name: str) -> bytes:
    """A secret key of that name."""
    return key_gen(name.encode().ljust(32, b"."))


def public(name: str) -> bytes:
    """The public key of the secret key of that name."""
    return BLS.public_key(secret(name))


def proof(name: str) -> bytes:
    """The proof that somebody has the secret key of that name."""
    return BLS.prove_possession(secret(name))


def signer(name: str) -> Callable[[bytes], bytes]:
    """What signs with the secret key of that name."""
    return partial(BLS.sign, secret(name))


def register(maker: str, key: str = "", **changes: Any) -> RegisterMaker:
    """The registration of a market maker with the key of that name, by default its own."""
    fields = {"proof": proof(key or maker), "who": "ops", "why": "onboarding"} | changes
    return RegisterMaker(maker, public(key or maker), **fields)


def stage(maker: str, key: str) -> StageKey:
    """A new key for a market maker."""
    return StageKey(maker, public(key), proof(key), "ops", "yearly")


def step(kind: type[Any], maker: str) -> Any:
    """Any command that names only a market maker."""
    return kind(maker, "ops", "because")


def plain_logon(sender: str = "MM1", target: str = "ROMER", number: int = 1, at: Nanos = NOW) -> bytes:
    """A Logon without a signature."""
    head = wire(f"35=A|34={number}|49={sender}|52={format_timestamp(at)}|56={target}")
    return encode(head + wire(LOGON))


def logon(key: str, **header: Any) -> bytes:
    """A Logon that is signed with the key of that name."""
    return sign_logon(plain_logon(**header), signer(key))


class Desk:
    """A registrar whose checks are done at once, or when they are asked for."""

    def __init__(self, **settings: Any) -> None:
        self.settings = IdentitySettings(comp_id="ROMER", **settings)
        self.registrar = Registrar("identity", self.settings)
        self.now = NOW
        self.notes: list[Record] = []
        self.sent: list[tuple[str, Record]] = []
        self.jobs: list[Compute[Any]] = []
        self.timers: dict[str, Nanos] = {}
        self.attempts = 0

    def handle(self, event: Event) -> list[Effect]:
        """Hand it one event, and sort what it wants."""
        effects = self.registrar.handle(self.now, event)
        for effect in effects:
            if isinstance(effect, Note):
                self.notes.append(effect.fact)
            elif isinstance(effect, Send):
                self.sent.append((effect.dst, effect.body))
            elif isinstance(effect, SetTimer):
                self.timers[effect.key] = effect.at
            elif isinstance(effect, CancelTimer):
                self.timers.pop(effect.key, None)
            else:
                assert isinstance(effect, Compute)
                self.jobs.append(effect)
        return effects

    def begin(self) -> None:
        """Start it."""
        self.handle(Start())

    def solve(self, job: int = 0) -> None:
        """Do one of the checks that wait, by default the oldest, and let it be time for its answer."""
        asked = self.jobs.pop(job)
        self.answer(asked)
        self.ring(asked.job_id)

    def answer(self, asked: Compute[Any]) -> None:
        """Do a check."""
        self.handle(Computed(asked.job_id, check(asked.problem)))

    def ring(self, *timers: str) -> None:
        """It is time for these, as far as they wait."""
        for key in timers:
            if key in self.timers:
                self.handle(TimerFired(key, self.timers.pop(key)))

    def command(self, command: Command) -> Record:
        """Give a command, and see what became of it."""
        self.handle(Message("admin", command))
        while self.jobs:
            self.solve()
        return self.notes[-1]

    def commands(self, *commands: Command) -> None:
        """Give commands that are obeyed."""
        for command in commands:
            assert isinstance(self.command(command), RegistryChanged), self.notes[-1]

    def register(self, *makers: str) -> None:
        """Have active market makers, each with its own key."""
        for maker in makers:
            self.commands(register(maker), step(ActivateMaker, maker))

    def rotate(self, maker: str, key: str) -> None:
        """Change a market maker's key."""
        self.commands(stage(maker, key), step(ActivateKey, maker))

    def attempt(self, raw: bytes, session: str = "MM1", peer: str = "") -> str:
        """The engine asks about a Logon on a new connection from `peer`. Returns the connection."""
        self.attempts += 1
        conn = f"c{self.attempts}"
        self.handle(Message("fix", LogonAttempted(session, conn, raw, peer)))
        return conn

    def log_on(self, raw: bytes, session: str = "MM1") -> str:
        """The same to the end: `admitted`, or why not."""
        conn = self.attempt(raw, session)
        while self.jobs:
            self.solve()
        self.ring(*self.timers)
        verdict = self.verdicts[conn]
        assert verdict.session == session
        if verdict.accepted:
            self.conclude(conn, session)
        return "admitted" if verdict.accepted else verdict.detail

    def conclude(self, conn: str, session: str) -> None:
        """The engine has let in who was believed."""
        self.handle(Message("fix", LogonConcluded(session, conn, logged_on=True)))

    def said(self, *kinds: type[Record]) -> list[Any]:
        """What was sent or stated of those kinds."""
        return [it for it in (*(body for _, body in self.sent), *self.notes) if isinstance(it, kinds)]

    @property
    def verdicts(self) -> dict[str, LogonJudged]:
        """What the engine was told about each connection."""
        return {it.conn: it for it in self.said(LogonJudged)}

    @property
    def refused(self) -> list[str]:
        """The reasons of commands that were refused."""
        return [it.reason for it in self.said(CommandRefused)]

    @property
    def denied(self) -> list[str]:
        """The reasons of logons that were refused."""
        return [it.reason for it in self.said(LogonDenied)]

    @property
    def admitted(self) -> list[MakerAdmitted]:
        """What the application was told."""
        return self.said(MakerAdmitted)

    @property
    def audit(self) -> list[AuditEntry]:
        """The registry's audit log."""
        return self.registrar.state.registry.audit
