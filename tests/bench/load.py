"""A FIX client that only measures: orders made beforehand, sent over a bare socket, answers told by their ClOrdID.

It shares no code with the engine, runs as a process of its own, and is the same for every server; one that
echoes is given the same bytes.
"""

from __future__ import annotations

import re
import select
import socket
from datetime import UTC, datetime
from statistics import quantiles
from time import perf_counter
from typing import Final, NamedTuple

WINDOW: Final = 2_000
"""Unanswered orders when the server is given as much as it takes."""
CHUNK: Final = 100
"""Orders in one write then."""
_ANSWERED: Final = re.compile(rb"\x0111=(\d+)\x01")
_ACCEPTED: Final = b"\x01150=0\x01"


class RoundTrip(NamedTuple):
    """Microseconds; and how many of the orders were accepted."""

    p50: float
    p99: float
    p999: float
    accepted: int


class Throughput(NamedTuple):
    """Orders answered per second, from the first that is sent to the last answer; and how many were accepted."""

    rate: float
    accepted: int


def message(kind: str, number: int, fields: str) -> bytes:
    """A message of MM1 to ROMER; `fields` end with SOH."""
    now = datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.000")
    body = f"35={kind}\x0134={number}\x0149=MM1\x0152={now}\x0156=ROMER\x01{fields}".encode()
    framed = b"8=FIX.4.2\x019=%d\x01%b" % (len(body), body)
    return framed + b"10=%03d\x01" % (sum(framed) & 255)


def order(number: int) -> bytes:
    """A NewOrderSingle of some 150 bytes whose ClOrdID is a number."""
    now = datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.000")
    fields = f"11={number}\x0121=1\x0155=ETHUSDC\x0154=2\x0160={now}\x0140=2\x0138=0.0100\x0144=2000.25\x01"
    return message("D", number + 2, fields)


class Client:
    """One connection, logged on."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(message("A", 1, "98=0\x01108=30\x01"))
        self.socket.recv(1 << 12)
        self._rest = b""
        self._came: list[bytes] = []

    def answered(self) -> list[int]:
        """Wait for bytes; the orders that they answer."""
        self._came.append(self.socket.recv(1 << 18))
        assert self._came[-1], "the server has hung up"
        data = self._rest + self._came[-1]
        matches = list(_ANSWERED.finditer(data))
        self._rest = data[matches[-1].end() :] if matches else data
        return [int(match[1]) for match in matches]

    def accepted(self) -> int:
        """How many orders have had a report that they are accepted. For afterwards: it takes its time."""
        return b"".join(self._came).count(_ACCEPTED)


def throughput(port: int, count: int) -> Throughput:
    """Orders sent as fast as they are answered."""
    client = Client(port)
    orders = [order(number) for number in range(count)]
    chunks = [b"".join(orders[start : start + CHUNK]) for start in range(0, count, CHUNK)]
    seen: set[int] = set()
    sent, began = 0, perf_counter()
    with client.socket:
        while len(seen) < count:
            while sent < len(chunks) and sent * CHUNK - len(seen) < WINDOW:
                client.socket.sendall(chunks[sent])
                sent += 1
            seen.update(client.answered())
        took = perf_counter() - began
    return Throughput(count / took, client.accepted())


def round_trips(port: int, rate: int, seconds: float) -> RoundTrip:
    """Orders sent one by one at a steady rate, and how long each waits for its answer."""
    client = Client(port)
    orders = [order(number) for number in range(int(rate * seconds))]
    sent_at = [0.0] * len(orders)
    took: dict[int, float] = {}
    sent, began = 0, perf_counter()
    with client.socket:
        while len(took) < len(orders):
            due = began + sent / rate if sent < len(orders) else perf_counter() + 1
            now = perf_counter()
            if now >= due:
                sent_at[sent] = now
                client.socket.sendall(orders[sent])
                sent += 1
            elif select.select([client.socket], [], [], due - now)[0]:
                numbers, now = client.answered(), perf_counter()
                for number in numbers:
                    took.setdefault(number, (now - sent_at[number]) * 1e6)
    cuts = quantiles(took.values(), n=1000)
    return RoundTrip(cuts[499], cuts[989], cuts[998], client.accepted())
