"""A FIX client that shares no code with the engine: simplefix's messages over a plain socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import simplefix

from tests.helpers.venue import PATIENCE


class FixClient:
    """One session; numbers go on from `number`."""

    def __init__(
        self, address: str, name: str = "MM1", number: int = 1, *, target: str = "ROMER", begin: str = "FIX.4.2"
    ) -> None:
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=PATIENCE)
        self.name, self.number, self.target, self.begin = name, number, target, begin
        self._parser = simplefix.FixParser()

    def send(self, kind: str, *fields: tuple[int, object]) -> None:
        """Send a message with the next number."""
        message = simplefix.FixMessage()
        message.append_pair(8, self.begin)
        message.append_pair(35, kind)
        message.append_pair(49, self.name)
        message.append_pair(56, self.target)
        message.append_pair(34, self.number)
        message.append_utc_timestamp(52, datetime.now(UTC), precision=3)
        for tag, value in fields:
            message.append_pair(tag, value)
        self.number += 1
        self.socket.sendall(message.encode())

    def log_on(self) -> None:
        """Log on, and wait for the answer."""
        self.send("A", (98, 0), (108, 30))
        assert self.next("A")

    def order(self, cl_ord_id: str, quantity: str = "0.5", price: str = "1990") -> None:
        """Send an order to sell."""
        now = datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S")
        self.send(
            "D", (11, cl_ord_id), (21, 1), (55, "ETHUSDC"), (54, 2), (60, now), (40, 2), (38, quantity), (44, price)
        )

    def next(self, *kinds: str) -> dict[int, str]:
        """The next message of one of these kinds; whatever comes before it is passed over."""
        while (message := self._receive()).get(35) not in kinds:
            pass
        return message

    def report(self, exec_type: str, cl_ord_id: str) -> dict[int, str]:
        """The next ExecutionReport of that type for that order."""
        while (report := self.next("8")).get(150) != exec_type or report.get(11) != cl_ord_id:
            pass
        return report

    def close(self) -> None:
        """End the connection without a word."""
        self.socket.close()

    def _receive(self) -> dict[int, str]:
        while (message := self._parser.get_message()) is None:
            data = self.socket.recv(1 << 16)
            assert data, "the venue has closed the connection"
            self._parser.append_buffer(data)
        pairs: list[tuple[bytes, Any]] = message.pairs
        return {int(tag): value.decode() for tag, value in pairs}


@contextmanager
def fix_client(address: str, name: str = "MM1", number: int = 1) -> Iterator[FixClient]:
    """A client that is logged on; its connection is closed at the end."""
    client = FixClient(address, name, number)
    with client.socket:
        client.log_on()
        yield client
