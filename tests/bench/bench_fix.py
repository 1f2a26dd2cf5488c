"""How fast the FIX engine reads and writes, against simplefix and QuickFIX's Python binding in the same run.

    python -m tests.bench.bench_fix

Rates are per CPU-second, the best of five. A NewOrderSingle of 192 bytes is framed, verified, taken apart
and made a typed, validated order, once by its known shape and once field by field; simplefix, which verifies
nothing, parses it and reads the same ten fields. Generic messages have their fields as text; the snapshot of a
book has a group of four entries. An ExecutionReport is built from its typed form; simplefix appends the same fields.
QuickFIX, run where it is installed or after `make interop`, verifies, validates by its dictionary, reads the same ten
fields as texts, and writes the same report.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from decimal import Decimal
from time import process_time
from typing import Final, NamedTuple

from simplefix import FixMessage as SimpleMessage
from simplefix import FixParser

from core.fix.codec import WireMessage, decode, encode
from core.fix.dialect import Dialect, venue_dialect
from core.fix.engine import FixEngine
from core.fix.framer import Framer
from core.fix.generic import GenericMessage
from core.fix.messages import ExecutionReport, Logon, NewOrderSingle
from core.fix.records import FromPeer, ToPeer
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.shapes import Shapes
from core.fix.shipped import dictionary
from core.fix.tags import ExecTransType, ExecType, HandlInst, OrdStatus, OrdType, Side
from core.fix.timestamps import format_timestamp
from core.kernel.record import Bytes, Connected, Message, Send, Start
from core.units import SECOND
from tests.bench.command import run_bench
from tests.bench.peers import run_quickfix

NOW: Final = 1_700_000_000 * SECOND
TAGS_READ: Final = (1, 11, 21, 38, 40, 44, 54, 55, 59, 60)

ORDER: Final = NewOrderSingle(
    cl_ord_id="MM1-20231114-00001",
    handl_inst=HandlInst.AUTOMATED_NO_INTERVENTION,
    symbol="BTC/USDT",
    side=Side.BUY,
    transact_time=NOW,
    ord_type=OrdType.LIMIT,
    order_qty=Decimal("1.5000"),
    price=Decimal("64000.25"),
    time_in_force="0",
    account="ACCOUNT-00001",
)
REPORT: Final = ExecutionReport(
    order_id="O-123456",
    exec_id="E-123456",
    exec_trans_type=ExecTransType.NEW,
    exec_type=ExecType.NEW,
    ord_status=OrdStatus.NEW,
    symbol="BTC/USDT",
    side=Side.BUY,
    leaves_qty=Decimal("1.5000"),
    cum_qty=Decimal(0),
    avg_px=Decimal(0),
    cl_ord_id="MM1-20231114-00001",
    order_qty=Decimal("1.5000"),
    price=Decimal("64000.25"),
    transact_time=NOW,
    global_seq=123_456,
)

SNAPSHOT: Final = (
    (55, "BTC/USDT"),
    (262, "R-1"),
    (268, "4"),
    *(
        field
        for side in "01"
        for level in "12"
        for field in ((269, side), (270, f"6400{level}.25"), (271, "1.5000"), (290, level))
    ),
)
"""The body of a MarketDataSnapshotFullRefresh: two levels of a book."""
TAGS_OF_SNAPSHOT: Final = (55, 262, 268, 269, 270, 271, 290)


class Sizes(NamedTuple):
    """Calls in a measurement, of which the best of `repeats` counts."""

    calls: int = 20_000
    repeats: int = 5


FULL, TINY = Sizes(), Sizes(20, 1)


def content(message: NewOrderSingle | ExecutionReport | Logon, number: int, sender: str, target: str) -> bytes:
    """A message from MsgType to its last body field."""
    kind = str(message.MSG_TYPE)
    head = f"35={kind}\x0134={number}\x0149={sender}\x0152={format_timestamp(NOW)}\x0156={target}\x01"
    return head.encode() + venue_dialect().build(message)


def rate(work: Callable[[int], object], sizes: Sizes) -> float:
    """In calls per CPU-second."""
    rates = []
    for _ in range(sizes.repeats):
        started = process_time()
        for number in range(sizes.calls):
            work(number)
        rates.append(sizes.calls / (process_time() - started))
    return max(rates)


def read_by_shape(raw: bytes, dialect: Dialect) -> Callable[[int], object]:
    """Bytes to a validated message, as from a peer that has sent one before."""
    framer, shapes = Framer(), Shapes(dialect)
    known = decode(raw, 1000)
    assert isinstance(known, WireMessage)
    shapes.learn(known)

    def work(_number: int) -> object:
        (framed,) = framer.feed(raw, 65_536)
        assert isinstance(framed, bytes)
        return shapes.read(framed)

    assert isinstance(work(0), tuple)
    return work


def read_by_field(raw: bytes, dialect: Dialect) -> Callable[[int], object]:
    """Bytes to a validated message, of a shape not seen before."""
    framer = Framer()

    def work(_number: int) -> object:
        (framed,) = framer.feed(raw, 65_536)
        assert isinstance(framed, bytes)
        message = decode(framed, 1000)
        assert isinstance(message, WireMessage)
        return dialect.parse(message)

    assert isinstance(work(0), tuple)
    return work


def read_simplefix(raw: bytes, tags: Sequence[int]) -> Callable[[int], object]:
    """Bytes to values."""
    parser = FixParser()

    def work(_number: int) -> object:
        parser.append_buffer(raw)
        message = parser.get_message()
        return [message.get(tag) for tag in tags]

    return work


def write_typed() -> Callable[[int], object]:
    """A typed report to bytes, with a SendingTime of its own."""

    def work(number: int) -> object:
        return encode(content(REPORT, number, "ROMER", "MM1"))

    return work


def write_simplefix() -> Callable[[int], object]:
    """The same fields to bytes."""
    report = decode(encode(content(REPORT, 1, "ROMER", "MM1")), 1000)
    assert isinstance(report, WireMessage)
    header = (8, 9, 10, 34, 35, 49, 52, 56)
    fields = [(tag, value.decode()) for tag, value in report.values.items() if tag not in header]

    def work(number: int) -> object:
        message = SimpleMessage()
        for tag, value in ((8, "FIX.4.2"), (35, "8"), (34, number), (49, "ROMER"), (52, format_timestamp(NOW))):
            message.append_pair(tag, value, header=True)
        message.append_pair(56, "MM1", header=True)
        for tag, value in fields:
            message.append_pair(tag, value)
        return message.encode()

    return work


def through_engine(calls: int) -> Callable[[int], object]:
    """An order in, a report out, through a logged-on session."""
    session = SessionConfig(target_comp_id="MM1")
    config = EngineConfig(role="acceptor", comp_id="ROMER", sessions=(session,), app="app", app_messages=("D",))

    def start() -> FixEngine:
        engine = FixEngine("fix", config)
        for event in (Start(), Connected("c", "bench"), Bytes("c", encode(content(Logon(0, 30), 1, "MM1", "ROMER")))):
            engine.handle(NOW, event)
        return engine

    orders = [Bytes("c", encode(content(ORDER, number + 2, "MM1", "ROMER"))) for number in range(calls)]
    report = Message("app", ToPeer("MM1", REPORT))
    engines: list[FixEngine] = []

    def work(number: int) -> object:
        if number == 0:
            engines.append(start())
        effects = engines[-1].handle(NOW, orders[number])
        assert isinstance(effects[0], Send)
        assert isinstance(effects[0].body, FromPeer)
        return engines[-1].handle(NOW, report)

    return work


def write_generic() -> Callable[[int], object]:
    """A market data snapshot with a group of entries to bytes, in the dictionary's order."""
    dialect = Dialect(dictionary("FIX.4.2"))
    message = GenericMessage("W", SNAPSHOT)

    def work(number: int) -> object:
        head = f"35=W\x0134={number}\x0149=ROMER\x0152={format_timestamp(NOW)}\x0156=MM1\x01"
        return encode(head.encode() + dialect.build(message))

    return work


def write_generic_simplefix() -> Callable[[int], object]:
    """The same fields to bytes, in the order given."""

    def work(number: int) -> object:
        message = SimpleMessage()
        for tag, value in ((8, "FIX.4.2"), (35, "W"), (34, number), (49, "ROMER"), (52, format_timestamp(NOW))):
            message.append_pair(tag, value, header=True)
        message.append_pair(56, "MM1", header=True)
        for tag, value in SNAPSHOT:
            message.append_pair(tag, value)
        return message.encode()

    return work


def quickfix_rates(sizes: Sizes) -> dict[str, float]:
    """How often QuickFIX does what it is asked for; empty without it."""
    order, report = encode(content(ORDER, 12, "MM1", "ROMER")), encode(content(REPORT, 12, "ROMER", "MM1"))
    text = f"{order.decode()}\n{report.decode()}\n"
    told = run_quickfix("tests.bench.quickfix_codec", text, str(sizes.calls), str(sizes.repeats))
    rates: dict[str, float] = json.loads(told) if told else {}
    return rates


def main(sizes: Sizes = FULL) -> None:
    """Print the rates and the ratios."""
    order, snapshot = encode(content(ORDER, 12, "MM1", "ROMER")), write_generic()(12)
    assert isinstance(snapshot, bytes)
    print(f"NewOrderSingle: {len(order)} bytes; snapshot: {len(snapshot)} bytes, {len(SNAPSHOT)} fields of the body")
    venue, generic = venue_dialect(), Dialect(dictionary("FIX.4.2"))
    order_by_peer, snapshot_by_peer = read_simplefix(order, TAGS_READ), read_simplefix(snapshot, TAGS_OF_SNAPSHOT)
    quickfix = quickfix_rates(sizes)
    for what, own, peer, other in (
        ("read NewOrderSingle, known shape", read_by_shape(order, venue), order_by_peer, "read"),
        ("read NewOrderSingle, new shape", read_by_field(order, venue), order_by_peer, "read"),
        ("read NewOrderSingle, generic, known", read_by_shape(order, generic), order_by_peer, "read"),
        ("read snapshot, generic, known shape", read_by_shape(snapshot, generic), snapshot_by_peer, ""),
        ("read snapshot, generic, new shape", read_by_field(snapshot, generic), snapshot_by_peer, ""),
        ("write ExecutionReport", write_typed(), write_simplefix(), "write"),
        ("write snapshot, generic", write_generic(), write_generic_simplefix(), ""),
    ):
        ours, theirs = rate(own, sizes), rate(peer, sizes)
        line = f"{what:36} {ours:9,.0f}/s   simplefix {theirs:9,.0f}/s   ratio {ours / theirs:5.1f}"
        if other in quickfix:
            line += f"   QuickFIX {quickfix[other]:9,.0f}/s   ratio {ours / quickfix[other]:5.1f}"
        print(line)
    print(f"{'order in, report out, one session':36} {rate(through_engine(sizes.calls), sizes):9,.0f}/s")
    if quickfix:
        print(f"{'QuickFIX, decoding alone':36} {quickfix['decode']:9,.0f}/s")
    else:
        print("QuickFIX is not installed: `make interop` builds it")


if __name__ == "__main__":
    run_bench(main, FULL, TINY)
