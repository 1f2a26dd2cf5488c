"""A FIX engine under a hand-moved clock, opposite a hand-written peer or a second engine. No driver, no kernel."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from core.fix.codec import WireMessage, decode, encode
from core.fix.engine import FixEngine
from core.fix.framer import Framer
from core.fix.message import FixMessage
from core.fix.messages import ExecutionReport, NewOrderSingle
from core.fix.records import FromPeer, SessionChanged, ToPeer
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.timestamps import format_timestamp
from core.kernel.record import (
    Bytes,
    CancelTimer,
    Close,
    Connect,
    Connected,
    Disconnected,
    Effect,
    Event,
    Message,
    Note,
    Send,
    SetTimer,
    Start,
    Stop,
    TimerFired,
    Transmit,
)
from core.units import SECOND, Nanos

NOW = 1_700_000_000 * SECOND
LOGON = "98=0|108=30"


def wire(text: str) -> bytes:
    """A body as people write it, `|` for SOH, as bytes; nothing for nothing."""
    return (text + "|").replace("|", "\x01").encode("latin-1") if text else b""


def order(cl_ord_id: str, **changes: Any) -> NewOrderSingle:
    """A valid limit order."""
    fields: dict[str, Any] = {
        "cl_ord_id": cl_ord_id,
        "handl_inst": "1",
        "symbol": "BTC/USDT",
        "side": "1",
        "transact_time": NOW,
        "ord_type": "2",
        "order_qty": Decimal("1.5"),
        "price": Decimal("64000.25"),
    }
    return NewOrderSingle(**(fields | changes))


def report(exec_id: str) -> ExecutionReport:
    """The acceptance of an order."""
    none = Decimal(0)
    return ExecutionReport("O-1", exec_id, "0", "0", "0", "BTC/USDT", "1", none, none, none, transact_time=NOW)


ORDER = "11=a|21=1|55=BTC/USDT|54=1|60=20231114-22:13:20|40=2|38=1.5|44=64000.25"
"""The body of an order that the acceptor's application takes."""


def acceptor_config(*names: str, **changes: Any) -> EngineConfig:
    """A venue `ROMER` with a session for each name."""
    own, engine = _parted(changes)
    fields: dict[str, Any] = {
        "role": "acceptor",
        "comp_id": "ROMER",
        "sessions": tuple(SessionConfig(target_comp_id=name, **own) for name in names or ("MM1",)),
        "app": "app",
        "app_messages": ("D", "F"),
    }
    return EngineConfig(**(fields | engine))


def initiator_config(**changes: Any) -> EngineConfig:
    """A market maker `MM1` with a session with `ROMER`."""
    own, engine = _parted({"addresses": ("venue/fix",)} | changes)
    fields: dict[str, Any] = {
        "role": "initiator",
        "comp_id": "MM1",
        "sessions": (SessionConfig(target_comp_id="ROMER", **own),),
        "app": "app",
        "app_messages": ("8", "9", "j"),
    }
    return EngineConfig(**(fields | engine))


def _parted(changes: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of a session, and of the engine."""
    of_session = {name: value for name, value in changes.items() if name in SessionConfig.__struct_fields__}
    return of_session, {name: value for name, value in changes.items() if name not in of_session}


class Bench:
    """One engine: its clock, its timers, and everything it did."""

    def __init__(self, config: EngineConfig) -> None:
        self.engine = FixEngine("fix", config)
        self.now: Nanos = NOW
        self.timers: dict[str, Nanos] = {}
        self.transmitted: list[tuple[str, bytes]] = []
        self.connects: list[str] = []
        self.closed: list[tuple[str, str]] = []
        self.told: list[Any] = []
        self.notes: list[Any] = []
        self.handle(Start())

    def handle(self, event: Event) -> list[Effect]:
        """Hand over an event and file its effects."""
        effects = self.engine.handle(self.now, event)
        for effect in effects:
            if isinstance(effect, SetTimer):
                self.timers[effect.key] = effect.at
            elif isinstance(effect, CancelTimer):
                self.timers.pop(effect.key, None)
            elif isinstance(effect, Transmit):
                self.transmitted.append((effect.conn, effect.data))
            elif isinstance(effect, Connect):
                self.connects.append(effect.conn)
            elif isinstance(effect, Close):
                self.closed.append((effect.conn, str(effect.reason)))
            elif isinstance(effect, Send):
                assert effect.dst == "app"
                self.told.append(effect.body)
            else:
                assert isinstance(effect, Note)
                self.notes.append(effect.fact)
        return effects

    def tell(self, session: str, message: FixMessage, *, poss_resend: bool = False) -> None:
        """The application sends `message`."""
        self.handle(Message("app", ToPeer(session, message, poss_resend)))

    def wait(self, seconds: float) -> None:
        """Let time pass, timer by timer."""
        until = self.now + round(seconds * SECOND)
        while self.timers and min(self.timers.values()) <= until:
            at, key = min((at, key) for key, at in self.timers.items())
            assert at >= self.now, "a timer in the past would ring for ever"
            del self.timers[key]
            self.now = at
            self.handle(TimerFired(key, at))
        self.now = until

    def restart(self) -> None:
        """Continue on a new engine from the old one's snapshot."""
        snapshot = self.engine.snapshot()
        self.engine = FixEngine(self.engine.name, self.engine.config)
        self.engine.restore(snapshot)
        assert self.engine.snapshot() == snapshot

    @property
    def received(self) -> list[FixMessage]:
        """The application messages that the engine delivered."""
        return [body.message for body in self.told if isinstance(body, FromPeer)]

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """The session's steps: before, after, reason."""
        return [(str(n.before), str(n.after), str(n.reason)) for n in self.notes if isinstance(n, SessionChanged)]


class Hand(Bench):
    """An engine opposite a peer that says exactly what a test writes, and reads what the engine answers."""

    def __init__(self, config: EngineConfig, peer: str = "MM1", conn: str = "c1") -> None:
        self.peer, self.conn, self.number = peer, conn, 0
        super().__init__(config)

    @classmethod
    def logged_on(cls, body: str = LOGON, **changes: Any) -> Hand:
        """An acceptor with which the peer has logged on."""
        hand = cls(acceptor_config(**changes))
        hand.connect()
        assert hand.say("A", body)[0].startswith("35=A|34=1")
        return hand

    def connect(self, conn: str | None = None) -> None:
        """Open a connection to the acceptor."""
        self.conn = conn or self.conn
        self.handle(Connected(self.conn, "peer"))
        self.number = self.number or 1

    def reconnect(self, conn: str) -> None:
        """Lose the connection and open another."""
        self.handle(Disconnected(self.conn, "reset"))
        self.connect(conn)

    def compose(self, msg_type: str, body: str = "", **header: Any) -> bytes:
        """The next message; `n` gives another number, `at` another SendingTime in seconds from now.

        Further header arguments: `sender`, `target`, `begin`, `extra` fields, and the tag to leave out, `without`.
        """
        number = header.get("n", self.number)
        if "n" not in header:
            self.number += 1
        time = format_timestamp(self.now + header.get("at", 0) * SECOND)
        sender, target = header.get("sender", self.peer), header.get("target", self.engine.config.comp_id)
        fields = [f"35={msg_type}", f"34={number}", f"49={sender}", f"52={time}", f"56={target}"]
        fields = [field for field in fields if not field.startswith(header.get("without", "none"))]
        fields += [part for part in (header.get("extra"), body) if part]
        raw = encode(wire("|".join(fields)))[: -len("10=123|")]
        return seal(raw.replace(b"FIX.4.2", header.get("begin", "FIX.4.2").encode()))

    def say(self, msg_type: str, body: str = "", **header: Any) -> list[str]:
        """Send what `compose` makes; return the answers."""
        return self.say_raw(self.compose(msg_type, body, **header))

    def say_raw(self, raw: bytes) -> list[str]:
        """Send bytes; return the engine's answers, each without what every message has, 34 and 35 aside."""
        done = len(self.transmitted)
        self.handle(Bytes(self.conn, raw))
        return self.sent(done)

    def sent(self, since: int = 0) -> list[str]:
        """What the engine wrote after its first `since` writes, in short form."""
        return [short(raw) for _, raw in self.transmitted[since:]]

    def waited(self, seconds: float) -> list[str]:
        """What the engine writes while time passes."""
        done = len(self.transmitted)
        self.wait(seconds)
        return self.sent(done)

    @property
    def is_closed(self) -> bool:
        """Whether the engine has closed the connection."""
        return any(conn == self.conn for conn, _ in self.closed)


def seal(raw: bytes) -> bytes:
    """`raw` with its CheckSum."""
    return raw + b"10=%03d\x01" % (sum(raw) % 256)


def parsed(raw: bytes) -> WireMessage:
    """A whole message, verified."""
    (framed,) = Framer().feed(raw, 1 << 20)
    assert isinstance(framed, bytes), framed
    message = decode(framed, 1000)
    assert isinstance(message, WireMessage), message
    return message


def short(raw: bytes) -> str:
    """A message for comparing: no 8, 9, 49, 52, 56, 10 and no time of day."""
    fields = [(tag, value) for tag, value in parsed(raw).fields() if tag not in (8, 9, 49, 52, 56, 10)]
    return "|".join(f"{tag}={value.decode('latin-1')}" for tag, value in fields)


class Pair:
    """Initiator `MM1` and acceptor `ROMER`, with lists for wires."""

    def __init__(self, maker: EngineConfig | None = None, venue: EngineConfig | None = None) -> None:
        self.maker, self.venue = Bench(maker or initiator_config()), Bench(venue or acceptor_config())
        self.up = ""
        self.accepted = 0
        self.settle()

    def settle(self, rounds: int = 1_000) -> None:
        """Carry connections, bytes and ends to and fro until nothing moves."""
        for _ in range(rounds):
            if not (self._connect() or self._carry() or self._close()):
                return
        raise AssertionError("the two engines talk for ever")

    def cut(self) -> None:
        """Lose the connection, with everything that is under way."""
        self.maker.transmitted.clear()
        self.venue.transmitted.clear()
        if self.up:
            maker_conn, self.up = self.up, ""
            self.maker.handle(Disconnected(maker_conn, "cut"))
            self.venue.handle(Disconnected(self.venue_conn, "cut"))

    def wait(self, seconds: float) -> None:
        """Let time pass for both, a second at a time."""
        while seconds > 0:
            for bench in (self.maker, self.venue):
                bench.wait(min(1.0, seconds))
            self.settle()
            seconds -= 1

    @property
    def venue_conn(self) -> str:
        """The acceptor's name of the newest connection."""
        return f"fix-{self.accepted}"

    def _connect(self) -> bool:
        if not self.maker.connects or self.up:
            return False
        self.up = self.maker.connects.pop()
        self.accepted += 1
        self.venue.handle(Connected(self.venue_conn, "MM1"))
        self.maker.handle(Connected(self.up, "venue"))
        return True

    def _carry(self) -> bool:
        moved = False
        for source, target in ((self.maker, self.venue), (self.venue, self.maker)):
            writes, source.transmitted = source.transmitted, []
            for _, data in writes:
                target.handle(Bytes(self.venue_conn if target is self.venue else self.up, data))
                moved = True
        return moved

    def _close(self) -> bool:
        ended = [bench for bench in (self.maker, self.venue) if bench.closed]
        if not ended or not self.up:
            return False
        for bench, conn in ((self.maker, self.up), (self.venue, self.venue_conn)):
            if not bench.closed:
                bench.handle(Disconnected(conn, "closed by peer"))
            bench.closed.clear()
        self.up = ""
        return True


def stop(bench: Bench) -> None:
    """The node winds down."""
    bench.handle(Stop())
