"""Who is suspended does not trade, whatever else happens at the same moment; who is not, does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from core.config import VenueConfig, decode_custom
from core.fix.codec import encode
from core.fix.timestamps import format_timestamp
from core.identity.checking import CheckSignature, PossessionChecked, SignatureChecked
from core.identity.logon import sign_logon
from core.identity.records import ActivateKey, Command, ResumeMaker, RevokeMaker, SuspendMaker
from core.kernel.kernel import Kernel
from core.kernel.record import Bytes, Close, Compute, Computed, Connected, Disconnected, Event, Message, Note, Transmit
from core.sequencer.facts import OrderSequenced
from core.units import MILLISECOND, SECOND
from core.wiring import components
from tests.helpers.fix import NOW, wire
from tests.helpers.identity import public, stage, step
from tests.unit.live.test_checks_beside_the_node import VENUE

KEYS: Final = {0: public("MM1"), 1: public("new")}
CONFIG: Final = msgspec.convert(VENUE, VenueConfig, dec_hook=decode_custom)


class Race:
    """A venue with MM1, whose signatures need no arithmetic: a signature names its key. `is_active` is the model."""

    def __init__(self) -> None:
        self.kernel = Kernel("venue", components(CONFIG, 0))
        self.kernel.boot(NOW)
        self.now, self.count = NOW, 0
        self.jobs: list[Compute[CheckSignature]] = []
        self.numbers: dict[str, int] = {}
        """By connection, how many messages were sent on it."""
        self.logged_on: dict[str, None] = {}
        self.is_active, self.is_revoked = True, False
        self.allowed: set[str] = set()
        self.barred: set[str] = set()
        """Connections that were logged on when MM1 was suspended."""
        self.taken: set[str] = set()
        self.pump()

    def post(self, dst: str, event: Event) -> None:
        self.kernel.agenda.post(self.now, dst, dst, event)

    def pump(self, wait: int = MILLISECOND) -> None:
        self.now += wait
        for src, effect in self.kernel.pump(self.now):
            if isinstance(effect, Compute) and isinstance(effect.problem, CheckSignature):
                self.jobs.append(effect)
            elif isinstance(effect, Compute):
                self.post(src, Computed(effect.job_id, PossessionChecked(True)))
            elif isinstance(effect, Transmit) and b"\x0135=A\x01" in effect.data:
                self.logged_on[effect.conn] = None
            elif isinstance(effect, Close):
                self.numbers.pop(effect.conn, None)
            elif isinstance(effect, Note) and isinstance(effect.fact, OrderSequenced):
                self.taken.add(effect.fact.order.cl_ord_id)

    def command(self, command: Command) -> None:
        self.post("identity", Message("admin", command))

    def suspend(self, kind: type[Any] = SuspendMaker) -> None:
        self.command(step(kind, "MM1"))
        if self.is_active:
            self.barred |= self.logged_on.keys()
        self.is_active, self.is_revoked = False, self.is_revoked or kind is RevokeMaker

    def resume(self) -> None:
        self.command(step(ResumeMaker, "MM1"))
        self.is_active = not self.is_revoked

    def knock(self, key: int) -> None:
        """Log on with one of the keys."""
        self.count += 1
        conn, at = f"c{self.count}", format_timestamp(self.now)
        self.numbers[conn] = 1
        raw = encode(wire(f"35=A|34=1|49=MM1|52={at}|56=ROMER|98=0|108=30|141=Y"))
        self.post("fix", Connected(conn, "peer:1"))
        self.post("fix", Bytes(conn, sign_logon(raw, lambda _: self.count.to_bytes(95, "big") + bytes([key]))))

    def answer(self) -> None:
        if self.jobs:
            job = self.jobs.pop(0)
            keys, key = job.problem.public_keys, KEYS[job.problem.signature[-1]]
            self.post("identity", Computed(job.job_id, SignatureChecked((keys.index(key),) if key in keys else ())))

    def order(self) -> None:
        """An order on each connection that was logged on and is there."""
        for conn in self.logged_on.keys() & self.numbers.keys():
            self.count += 1
            self.numbers[conn] += 1
            name, at = f"{conn}-{self.count}", format_timestamp(self.now)
            if self.is_active and conn not in self.barred:
                self.allowed.add(name)
            body = f"11={name}|21=1|38=0.5|40=2|44=1990|54=2|55=ETHUSDC|60={at}"
            header = f"35=D|34={self.numbers[conn]}|49=MM1|52={at}|56=ROMER"
            self.post("fix", Bytes(conn, encode(wire(f"{header}|{body}"))))

    def drop(self) -> None:
        """The oldest connection breaks."""
        for conn in list(self.numbers)[:1]:
            del self.numbers[conn]
            self.post("fix", Disconnected(conn, "closed by peer"))


def log_on(race: Race, key: int = 0) -> None:
    """From a knock to its answer, and the next pump is the one that lets it in."""
    race.drop()
    race.pump()
    race.knock(key)
    race.pump()
    while race.jobs:
        race.answer()


def rotate(race: Race) -> None:
    """A new key, and the old one is revoked."""
    race.command(stage("MM1", "new"))
    race.pump()
    race.pump()
    race.command(step(ActivateKey, "MM1"))


ACTIONS: Final[dict[str, Callable[[Race], None]]] = {
    "log on": log_on,
    "log on with the new key": lambda race: log_on(race, 1),
    "rotate": rotate,
    "knock": lambda race: race.knock(0),
    "knock with the new key": lambda race: race.knock(1),
    "answer": Race.answer,
    "stage": lambda race: race.command(stage("MM1", "new")),
    "activate": lambda race: race.command(step(ActivateKey, "MM1")),
    "suspend": Race.suspend,
    "resume": Race.resume,
    "order": Race.order,
    "drop": Race.drop,
    "pump": Race.pump,
    "wait": lambda race: race.pump(3 * SECOND),
}
COMMON: Final = (*["log on"] * 4, *["pump"] * 5, *["order"] * 3, "rotate", *["suspend", "resume"] * 2)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from([*COMMON, *ACTIONS]), max_size=20), st.booleans())
def test_an_order_is_taken_only_if_nobody_has_suspended_its_owner_before_it_came(
    actions: list[str], is_revoked: bool
) -> None:
    race = Race()
    for action in actions:
        ACTIONS[action](race)
    if is_revoked:
        race.suspend(RevokeMaker)
    race.pump()
    race.order()
    race.pump()
    assert race.taken <= race.allowed
    _trades_again(race)


def _trades_again(race: Race) -> None:
    """Whoever is not suspended can log on with one key or the other, and trades."""
    while race.numbers:
        race.drop()
    race.resume()
    race.pump(6 * SECOND)
    while race.jobs:
        race.answer()
        race.pump(SECOND)
    race.logged_on.clear()
    race.taken.clear()
    for key in KEYS:
        race.knock(key)
        race.pump()
        race.answer()
        race.pump()
    race.order()
    race.pump()
    assert bool(race.taken) is not race.is_revoked


def test_who_is_suspended_in_the_pump_in_which_its_logon_is_proven_does_not_trade() -> None:
    race = Race()
    for action in ("log on", "suspend", "pump", "order", "pump"):
        ACTIONS[action](race)
    assert race.logged_on
    assert not race.taken


def test_who_is_suspended_while_it_is_being_logged_out_for_a_revoked_key_trades_no_longer() -> None:
    race = Race()
    for action in ("log on", "pump", "rotate", "pump", "suspend", "pump"):
        ACTIONS[action](race)
    race.order()
    race.pump()
    assert len(race.numbers) == 1, "its peer has not answered the Logout"
    assert not race.taken
