"""Damaged FIX for as long as you like: the codec by every dictionary, and an acceptor that must not fall over.

    python -m tests.fuzz_fix --seconds 600 --seed 7

Streams of messages, good ones and damaged ones, are cut anywhere and read. Nothing may raise, hang, grow without
bound, or be read differently because its shape is known. A failure prints the seed that finds it again at once.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from time import monotonic
from typing import Final

from core.fix.codec import WireMessage, decode, encode, join
from core.fix.dialect import Dialect, venue_dialect
from core.fix.engine import FixEngine
from core.fix.framer import Framer
from core.fix.rejects import Rejection
from core.fix.shapes import Shapes
from core.fix.shipped import SHIPPED, dictionary
from core.kernel.record import Bytes, Close, Connected, Start
from core.units import SECOND
from tests.helpers.fix import NOW, ORDER, acceptor_config, wire

BYTES_MAX: Final = 65_536
SLOW_SECONDS: Final = 2.0
HEAD: Final = "34={number}|49=MM1|52=20231114-22:13:20|56=ROMER"
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
    return b"".join(_damaged(draw, _message(draw, number)) for number in range(1, draw.randint(2, 8)))


def _message(draw: random.Random, number: int) -> bytes:
    msg_type, body = ("A", BODIES[0][1]) if number == 1 else draw.choice(BODIES)
    fields = [field.partition("=") for field in f"{HEAD.format(number=number)}|{body}".split("|")]
    pairs = [(int(tag), value.encode("latin-1")) for tag, _, value in fields]
    for _ in range(draw.choice((0, 0, 1, 2))):
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
    return encode(wire(f"35={msg_type}") + join(pairs))


def _damaged(draw: random.Random, raw: bytes) -> bytes:
    for _ in range(draw.choice((0, 0, 0, 1, 3))):
        at, length = draw.randrange(len(raw) + 1), draw.choice((0, 1, 1, 7))
        raw = raw[:at] + draw.choice((*ODD, draw.randbytes(2))) + raw[at + length :]
    return raw


def read(draw: random.Random, data: bytes, dialects: list[Dialect]) -> None:
    """Cut `data` anywhere, read it by every dialect, twice."""
    framer, memories = Framer(), [Shapes(dialect) for dialect in dialects]
    while data:
        size = draw.choice((1, 7, 100, 1000))
        piece, data = data[:size], data[size:]
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


def serve(data: bytes) -> None:
    """Have an acceptor hear `data` on one connection."""
    engine = FixEngine("fix", acceptor_config())
    engine.handle(NOW, Start())
    engine.handle(NOW, Connected("c", "peer"))
    for at in range(0, len(data), 97):
        effects = engine.handle(NOW + at * SECOND // 1000, Bytes("c", data[at : at + 97]))
        if any(isinstance(effect, Close) for effect in effects):
            return


def once(seed: int, dialects: list[Dialect]) -> None:
    """One stream, read and served."""
    draw = random.Random(seed)
    data = stream(draw)
    started = monotonic()
    read(draw, data, dialects)
    serve(data)
    assert monotonic() - started < SLOW_SECONDS, "too slow"


def main() -> None:
    """Go on until time is up or something is found."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz_fix", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0, help="the first; each stream has the next")
    options = parser.parse_args()
    dialects = [venue_dialect(), *(Dialect(dictionary(version)) for version in SHIPPED)]
    seed, until = options.seed, monotonic() + options.seconds
    while monotonic() < until:
        try:
            once(seed, dialects)
        except Exception as error:
            print(f"python -m tests.fuzz_fix --seconds 1 --seed {seed} finds: {error!r}")
            raise
        seed += 1
    pages = Path("/proc/self/statm")
    grown = f", {int(pages.read_text().split()[1]) * 4 // 1024} MB" if pages.exists() else ""
    print(f"{seed - options.seed:,} streams, nothing found{grown}")


if __name__ == "__main__":
    main()
