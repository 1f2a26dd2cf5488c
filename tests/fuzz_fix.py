"""Damaged FIX for as long as you like: the codec by every dictionary, and engines that must not fall over.

    python -m tests.fuzz_fix --seconds 600 --seed 7

Streams of messages, good ones and damaged ones, are cut anywhere and read. Then an acceptor or an initiator, of the
venue's dialect or of one with any message and group of a dictionary, is logged on to and hears messages whose
length and CheckSum are right, whose numbers mostly are, and whose fields may be wrong; its timers fire, its
application sends. Nothing may raise, hang, grow beyond its limit, or be read differently because its shape is
known. A failure prints the seed that finds it again at once.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any, Final

from core.fix.codec import WireMessage, decode, encode, join
from core.fix.dialect import Dialect, venue_dialect
from core.fix.framer import Framer
from core.fix.rejects import Rejection
from core.fix.settings import EngineConfig
from core.fix.shapes import Shapes
from core.fix.shipped import SHIPPED, dictionary
from core.fix.states import LOGGED_ON
from core.fix.store import SessionState
from core.fix.timestamps import format_timestamp
from core.kernel.record import Bytes, Connected
from tests.helpers.fix import NOW, ORDER, Bench, acceptor_config, initiator_config, order, wire

BYTES_MAX: Final = 65_536
SLOW_SECONDS: Final = 2.0
HEAD: Final = "34={number}|49={sender}|52={time}|56={target}"
EARLY_MAX: Final = 4
KEPT_MAX: Final = 8
WAITING_MAX: Final = 8
SNAPSHOT_BYTES_MAX: Final = 200_000
BODIES: Final = (
    ("A", "98=0|108=30"),
    ("0", "112=x"),
    ("1", "112=x"),
    ("2", "7=1|16=0"),
    ("3", "45=1"),
    ("4", "123=Y|36=9"),
    ("5", "58=bye"),
    ("D", f"{ORDER}|386=2|336=A|336=B"),
    ("E", "66=L|394=1|68=1|73=1|11=a|67=1|386=2|336=A|336=B|55=S|54=1"),
    ("V", "262=r|263=1|264=0|265=1|267=2|269=0|269=1|146=2|55=A|65=x|55=B"),
    ("B", "148=h|33=1|58=l|354=3|355=abc|95=2|96=xy"),
)
ODD: Final = (b"\x01", b"=", b"", b"8=FIX.4.2\x01", b"10=000\x01", b"9=99999\x01", b"386=", b"0", b"-", b"\xff" * 9)


def stream(draw: random.Random) -> bytes:
    """A few messages, most of them damaged in one way or another."""
    messages = range(1, draw.randint(2, 8))
    return b"".join(_damaged(draw, _message(draw, number, logon=number == 1)) for number in messages)


def _message(
    draw: random.Random,
    number: int,
    peer: tuple[str, str] = ("MM1", "ROMER"),
    begin_string: str = "FIX.4.2",
    *,
    logon: bool = False,
    now: int = NOW,
) -> bytes:
    """A message of that number with a right length and CheckSum; its fields may be wrong. A Logon seldom is."""
    msg_type, body = BODIES[0] if logon else draw.choice(BODIES)
    head = HEAD.format(number=number, sender=peer[0], target=peer[1], time=format_timestamp(now))
    fields = [field.partition("=") for field in f"{head}|{body}".split("|")]
    pairs = [(int(tag), value.encode("latin-1")) for tag, _, value in fields]
    for _ in range(draw.choice((0, 0, 0, 0, 0, 0, 0, 1) if logon else (0, 0, 1, 2))):
        at = draw.randrange(len(pairs))
        change = draw.randrange(4)
        if change == 0:
            pairs[at] = pairs[at][0], draw.choice(ODD[1:3]) + draw.randbytes(draw.randint(0, 4)).replace(b"\x01", b"")
        elif change == 1:
            pairs.insert(draw.randrange(len(pairs)), pairs[at])
        elif change == 2:
            pairs[at] = draw.randint(-1, 1000), pairs[at][1]
        else:
            del pairs[at]
    return encode(wire(f"35={msg_type}") + join(pairs), begin_string.encode())


def _cut(draw: random.Random, data: bytes) -> Iterator[bytes]:
    """`data` in pieces."""
    while data:
        size = draw.choice((1, 7, 100, 1000))
        yield data[:size]
        data = data[size:]


def _damaged(draw: random.Random, raw: bytes) -> bytes:
    for _ in range(draw.choice((0, 0, 0, 1, 3))):
        at, length = draw.randrange(len(raw) + 1), draw.choice((0, 1, 1, 7))
        raw = raw[:at] + draw.choice((*ODD, draw.randbytes(2))) + raw[at + length :]
    return raw


def read(draw: random.Random, data: bytes, dialects: list[Dialect]) -> None:
    """Cut `data` anywhere, read it by every dialect, twice."""
    framer, memories = Framer(), [Shapes(dialect) for dialect in dialects]
    for piece in _cut(draw, data):
        for item in framer.feed(piece, BYTES_MAX):
            message = decode(item, 1000) if isinstance(item, bytes) else item
            if isinstance(message, WireMessage):
                for dialect, shapes in zip(dialects, memories, strict=True):
                    _both_ways(message, dialect, shapes)
        assert len(framer.buffer) <= BYTES_MAX


def _both_ways(message: WireMessage, dialect: Dialect, shapes: Shapes) -> None:
    parsed = dialect.parse(message)
    if not isinstance(parsed, Rejection):
        shapes.learn(message)
        dialect.build(parsed[1])
    fast = shapes.read(message.raw)
    assert fast is None or fast == parsed, (fast, parsed)


class Listening:
    """An engine that hears a stream; its timers fire, its connections are opened again, what it keeps is bounded."""

    def __init__(self, draw: random.Random, config: EngineConfig, peer: tuple[str, str]) -> None:
        self.draw, self.bench, self.peer = draw, Bench(config), peer
        self.begin_string = config.dialects["own"].begin_string if config.dialects else "FIX.4.2"
        self.number, self.conn, self.opened = 1, "", 0
        self.reached = 0
        """How often the session was logged on after a message."""

    def hear(self, messages: int) -> None:
        """Hear so many messages, most of them good or nearly so, and let time pass."""
        for _ in range(messages):
            if not self._is_up():
                self._connect()
                if not self._is_up():
                    return
            state = self._state()
            logged_on = state.status in LOGGED_ON
            self.reached += logged_on
            number = state.next_in + self.draw.choice((0, 0, 0, 0, 0, 1, 3, -1)) if logged_on else state.next_in
            raw = _message(self.draw, number, self.peer, self.begin_string, logon=not logged_on, now=self.bench.now)
            raw = _damaged(self.draw, raw) if self.draw.random() < 0.1 else raw
            for piece in _cut(self.draw, raw):
                self.bench.handle(Bytes(self.conn, piece))
            if self.draw.random() < 0.2:
                self.bench.wait(self.draw.choice((0.1, 7, 40, 100)))
            if self.draw.random() < 0.2:
                self.bench.tell(next(iter(self.bench.engine.hosted)), order("x"))
            self._check()

    def _is_up(self) -> bool:
        return bool(self.conn) and self.conn in self.bench.engine.state.links

    def _connect(self) -> None:
        if self.bench.engine.config.role == "initiator":
            if not self.bench.connects:
                self.bench.wait(100)
            self.conn = self.bench.connects[-1] if self.bench.connects else ""
            self.bench.connects.clear()
        else:
            self.opened += 1
            self.conn = f"c{self.opened}"
        self.bench.handle(Connected(self.conn, "peer"))

    def _state(self) -> SessionState:
        return next(iter(self.bench.engine.state.sessions.values()))

    def _check(self) -> None:
        """Nothing grows beyond its limit, and what was written can be read."""
        state, engine = self._state(), self.bench.engine
        assert len(state.early) <= EARLY_MAX
        assert len(state.sent) <= KEPT_MAX
        assert len(state.pending) <= WAITING_MAX
        assert len(engine.state.links) <= 2
        assert len(self.bench.timers) <= 3
        assert all(len(link.framer.buffer) <= BYTES_MAX for link in engine.state.links.values())
        assert len(engine.snapshot()) <= SNAPSHOT_BYTES_MAX
        for _, raw in self.bench.transmitted:
            (framed,) = Framer().feed(raw, BYTES_MAX)
            assert isinstance(framed, bytes), raw
        self.bench.transmitted.clear()


def serve(draw: random.Random, dialects: list[Dialect]) -> int:
    """Have an acceptor or an initiator of any dialect hear a stream; how often it was logged on."""
    limits = {"early_messages_max": EARLY_MAX, "kept_messages_max": KEPT_MAX, "waiting_messages_max": WAITING_MAX}
    dialect = draw.choice([None, *dialects])
    own: dict[str, Any] = {"dialect": "own", "dialects": {"own": dialect}} if dialect else {}
    extra: dict[str, Any] = {"resend_request_chunk_size": draw.choice((0, 2)), "resend_batch": draw.choice((1, 100))}
    if draw.random() < 0.5:
        listening = Listening(draw, acceptor_config(**limits, **own, **extra), ("MM1", "ROMER"))
    else:
        listening = Listening(draw, initiator_config(**limits, **own, **extra), ("ROMER", "MM1"))
    listening.hear(draw.randint(2, 12))
    return listening.reached


def once(seed: int, dialects: list[Dialect]) -> int:
    """One stream, read and served; how often the session was logged on after one of its messages."""
    draw = random.Random(seed)
    data = stream(draw)
    started = monotonic()
    read(draw, data, dialects)
    reached = serve(draw, dialects)
    assert monotonic() - started < SLOW_SECONDS, "too slow"
    return reached


def main() -> None:
    """Go on until time is up or something is found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_fix", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="the first; each stream has the next")
    options = parser.parse_args()
    dialects = [venue_dialect(), *(Dialect(dictionary(version)) for version in SHIPPED)]
    seed, until, reached = options.seed, monotonic() + options.seconds, 0
    while monotonic() < until:
        try:
            reached += once(seed, dialects)
        except Exception as error:
            print(f"python -m tests.fuzz_fix --seconds 1 --seed {seed} finds: {error!r}")
            raise
        seed += 1
    pages = Path("/proc/self/statm")
    grown = f", {int(pages.read_text().split()[1]) * 4 // 1024} MB" if pages.exists() else ""
    print(f"{seed - options.seed:,} streams, {reached:,} messages while logged on, nothing found{grown}")


if __name__ == "__main__":
    main()
