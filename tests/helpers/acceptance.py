"""Runs acceptance scripts against one acceptor node in the simulator: same session, virtual time.

A script is a list of lines: `iCONNECT`, `iDISCONNECT` and `I<message>` are done to the acceptor, `E<message>` and
`eDISCONNECT` are what it must do next, within `PATIENCE`. A digit and a comma choose the connection. `<TIME+n>`
is the current second, n seconds later.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

from simpy import Environment

from core.fix.codec import SOH
from core.fix.engine import FixEngine
from core.fix.settings import EngineConfig
from core.fix.timestamps import format_timestamp
from core.kernel.component import Component
from core.kernel.kernel import Kernel
from core.kernel.record import Bytes, Connected, Disconnected, Event
from core.units import MILLISECOND, SECOND, Nanos
from sim.driver import SimNode
from sim.network import Network
from tests.helpers.fix import NOW, parsed, seal

PATIENCE: Final = 12 * SECOND
LATENCY: Final = MILLISECOND
_LINE: Final = re.compile(rb"([IE])(?:(\d),)?(.*)|([ie])(?:(\d),)?((?:DIS)?CONNECT)", re.DOTALL)
_TIME: Final = re.compile(rb"<TIME(?:([+-]\d+))?>")
_TIMESTAMP: Final = re.compile(rb"\d{8}-\d{2}:\d{2}:\d{2}(\.\d{3,12})?")
_TIME_TAGS: Final = frozenset([42, 52, 60, 122])


class Line(NamedTuple):
    """One step: `what` is I, E, iCONNECT, iDISCONNECT or eDISCONNECT."""

    number: int
    what: str
    conn: str
    text: bytes


def read_script(path: Path) -> Iterator[Line]:
    """The steps of the script at `path`. Raises ValueError naming a line that is none."""
    for number, line in enumerate(path.read_bytes().replace(b"\r\n", b"\n").split(b"\n"), start=1):
        if not line.strip() or line.startswith(b"#"):
            continue
        match = _LINE.fullmatch(line.strip(b" \t"))
        if match is None:
            raise ValueError(f"{path.name}:{number}: not a step: {line!r}")
        message, message_conn, text, door, door_conn, what = match.groups()
        name = (message or door + what).decode()
        yield Line(number, name, (message_conn or door_conn or b"1").decode(), text or b"")


class Stranger:
    """The counterparty: connections of its own to the acceptor, and what came back on each."""

    name = "stranger"

    def __init__(self) -> None:
        self.received: dict[str, bytes] = {}
        self.ended: set[str] = set()

    def post(self, _at: Nanos, _src: str, _dst: str, event: Event) -> None:
        """What arrives; the latency has been paid on the way out."""
        if isinstance(event, Connected):
            self.received[event.conn] = b""
        elif isinstance(event, Bytes):
            self.received[event.conn] += event.data
        elif isinstance(event, Disconnected):
            self.ended.add(event.conn)


class Stage:
    """An acceptor node with its application, and a stranger who plays scripts to it."""

    def __init__(self, config: EngineConfig, app: Component[Any]) -> None:
        self.env = Environment(NOW)
        self.network = Network(lambda _src, _dst: lambda: LATENCY)
        self.node = SimNode(
            self.env, Kernel("venue", [FixEngine("fix", config), app]), self.network, on_note=lambda *_: None
        )
        self.network.listen("venue/fix", self.node, "fix")
        self.node.boot()
        self.stranger = Stranger()
        self.conns: dict[str, str] = {}
        self.opened = 0

    def play(self, path: Path) -> None:
        """Take every step of a script. Raises AssertionError naming the line that the acceptor failed."""
        for line in read_script(path):
            self.pass_time(5 * LATENCY)
            try:
                self.take(line)
            except AssertionError as error:
                raise AssertionError(f"{path.name}:{line.number}: {error}") from error

    def take(self, line: Line) -> None:
        """One step."""
        conn = self.conns.get(line.conn, "")
        if line.what == "iCONNECT":
            self.opened += 1
            self.conns[line.conn] = conn = f"s{self.opened}"
            self.network.connect(self.node.now, self.stranger, "", conn, "venue/fix")
        elif line.what == "iDISCONNECT":
            self.network.close(self.node.now, self.stranger, conn, "script")
        elif line.what == "eDISCONNECT":
            assert self.wait_for(lambda: conn in self.stranger.ended), "the acceptor keeps the connection open"
            assert not self.stranger.received[conn], f"before the end: {show(self.stranger.received[conn])}"
        elif line.what == "I":
            self.network.transmit(self.node.now, self.stranger, conn, outgoing(self.with_time(line.text)))
        else:
            self.expect(conn, line.text)

    def expect(self, conn: str, text: bytes) -> None:
        """The next message on `conn` is `text`."""
        assert self.wait_for(lambda: bool(self.stranger.received[conn])), f"nothing came, expected {show(text)}"
        raw, self.stranger.received[conn] = first_of(self.stranger.received[conn])
        differences = compare(self.with_time(text), raw)
        assert not differences, f"{differences}\n  expected {show(text)}\n  received {show(raw)}"

    def with_time(self, text: bytes) -> bytes:
        """`text` with the current time in it."""

        def moment(match: re.Match[bytes]) -> bytes:
            return format_timestamp(self.env.now + int(match[1] or 0) * SECOND)[:17].encode()

        return _TIME.sub(moment, text)

    def pass_time(self, span: Nanos) -> None:
        """Let `span` pass."""
        self.env.run(until=self.env.now + span)

    def wait_for(self, happened: Callable[[], bool]) -> bool:
        """Let time pass until something has happened, but not for ever; whether it has."""
        until = self.env.now + PATIENCE
        while not happened() and self.env.peek() <= until:
            self.env.step()
        return happened()


def outgoing(text: bytes) -> bytes:
    """A script's message as it is sent: with BodyLength and CheckSum, unless it has its own or is no message."""
    begin, body = text.split(SOH, 1)
    if not begin.startswith(b"8="):
        return text
    own_check_sum = re.search(rb"(?<=\x01)10=[^\x01]*\x01$", body)
    if own_check_sum:
        body = body[: own_check_sum.start()]
    if b"\x019=" not in text:
        body = b"9=%d\x01" % len(body) + body
    raw = begin + SOH + body
    return raw + own_check_sum[0] if own_check_sum else seal(raw)


def first_of(data: bytes) -> tuple[bytes, bytes]:
    """The first message of `data`, and the rest."""
    end = data.index(SOH, data.index(b"\x0110=") + 1) + 1
    return data[:end], data[end:]


def compare(expected: bytes, received: bytes) -> list[str]:
    """How two messages differ: same fields in the same order, times by form, BodyLength and CheckSum by themselves."""
    parsed(received)
    wanted, found = ([field for field in _fields(raw) if field[0] not in (9, 10)] for raw in (expected, received))
    if [tag for tag, _ in wanted] != [tag for tag, _ in found]:
        return [f"tags {[tag for tag, _ in found]} instead of {[tag for tag, _ in wanted]}"]
    return [
        f"{tag}={have!r} instead of {want!r}"
        for (tag, want), (_, have) in zip(wanted, found, strict=True)
        if not (_TIMESTAMP.fullmatch(have) if tag in _TIME_TAGS else want == have)
    ]


def _fields(raw: bytes) -> list[tuple[int, bytes]]:
    pairs = [field.split(b"=", 1) for field in raw.split(SOH) if field]
    return [(int(tag), value) for tag, value in pairs]


def show(raw: bytes) -> str:
    """Bytes for people."""
    return raw.replace(SOH, b"|").decode("latin-1")
