"""A FIX counterparty of its own: simplefix's codec, its own session logic, and a store on disk that survives it.

It shares no code with the engine. Everything it sends is in its store before it is on the wire, and everything it
has taken in is there before it goes on; each connection begins with what the store says. So numbers go on in both
directions, whoever dies in between, and it gives again what the other side asks for.
"""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias

import simplefix

Fields: TypeAlias = Sequence[tuple[int, object]]
ADMIN: Final = frozenset("0A12345")
HEARTBEAT_SECONDS: Final = 30
CONNECT_SECONDS: Final = 2.0
SEND_SECONDS: Final = 20.0


class Sent(NamedTuple):
    """A message as it was sent first."""

    kind: str
    time: str
    fields: Fields


class FixStore:
    """Numbers, what was sent, and what was taken in, in a file of lines. What a lost process left is read back."""

    def __init__(self, path: Path) -> None:
        self.sent: list[Sent] = []
        self.taken: list[dict[int, str]] = []
        """Messages of the application, in the order of their numbers."""
        self.next_in = 1
        if path.exists():
            for line in path.read_text().splitlines():
                self._apply(*json.loads(line))
        self._file = path.open("a")

    @property
    def next_out(self) -> int:
        """The number of the next message to be sent."""
        return len(self.sent) + 1

    def send(self, message: Sent) -> int:
        """Keep a message that is about to be sent; its number."""
        self._put("sent", message)
        return len(self.sent)

    def take(self, next_in: int, message: dict[int, str] | None = None) -> None:
        """All up to `next_in` is taken in; `message` is the last of it, if it is for the application."""
        self._put("taken", (next_in, message))

    def close(self) -> None:
        """End."""
        self._file.close()

    def _put(self, what: str, record: Any) -> None:
        self._file.write(json.dumps((what, record)) + "\n")
        self._file.flush()
        self._apply(what, record)

    def _apply(self, what: str, record: Any) -> None:
        if what == "sent":
            kind, time, fields = record
            self.sent.append(Sent(kind, time, fields))
            return
        self.next_in, message = record
        if message is not None:
            self.taken.append({int(tag): value for tag, value in message.items()})


class FixPeer:
    """One connection of the session `name` with the venue. Raises OSError, at any time, when the connection ends."""

    def __init__(self, store: FixStore, address: str, name: str) -> None:
        host, _, port = address.rpartition(":")
        self.store, self.name = store, name
        self.active = False
        """Whether the venue has answered the Logon."""
        self.goodbye = False
        """Whether it has answered a Logout, or said one itself."""
        self.faults: list[str] = []
        """What the venue did that no venue may do."""
        self._parser = simplefix.FixParser()
        self._gap_to = 0
        self._socket = socket.create_connection((host, int(port)), CONNECT_SECONDS)
        self._socket.settimeout(SEND_SECONDS)
        try:
            self.send("A", (98, 0), (108, HEARTBEAT_SECONDS))
        except OSError:
            self.close()
            raise

    def send(self, kind: str, *fields: tuple[int, object]) -> None:
        """Send a message with the next number, which it has from then on, whatever happens."""
        message = Sent(kind, _utc_now(), fields)
        self._write(self.store.send(message), message)

    def wait(self, seconds: float) -> None:
        """Take in what comes within so many seconds; returns after the first of it."""
        if not select.select([self._socket], [], [], seconds)[0]:
            return
        data = self._socket.recv(1 << 16)
        if not data:
            raise ConnectionResetError("the venue has closed the connection")
        self._parser.append_buffer(data)
        while (message := self._parser.get_message()) is not None:
            self._take({int(tag): value.decode() for tag, value in message.pairs})

    def close(self) -> None:
        """End the connection without a word."""
        self._socket.close()

    def _take(self, message: dict[int, str]) -> None:
        kind, number, expected = message[35], int(message[34]), self.store.next_in
        self.active |= kind == "A"
        if kind == "2" and number >= expected:
            self._give_again(int(message[7]), int(message[16]))
        if number > expected:
            self._ask(expected, number)
        elif number < expected:
            if message.get(43) != "Y":
                self.faults.append(f"{message} came when {expected} was next")
        else:
            self._take_in_order(kind, number, message)

    def _take_in_order(self, kind: str, number: int, message: dict[int, str]) -> None:
        if kind == "4":
            if message.get(123) != "Y":
                self.faults.append(f"the venue starts over: {message}")
            self.store.take(int(message[36]))
            return
        self.store.take(number + 1, None if kind in ADMIN else message)
        if kind == "3":
            self.faults.append(f"the venue rejects: {message}")
        elif kind == "1":
            self.send("0", (112, message[112]))
        elif kind == "5":
            self.goodbye = True

    def _ask(self, expected: int, number: int) -> None:
        """Ask for what is missing, once; whatever follows it will come again."""
        if expected > self._gap_to:
            self._gap_to = number
            self.send("2", (7, expected), (16, 0))

    def _give_again(self, first: int, last: int) -> None:
        numbers = range(first, (last or self.store.next_out - 1) + 1)
        for is_admin, run in groupby(numbers, lambda number: self.store.sent[number - 1].kind in ADMIN):
            run_of = list(run)
            if is_admin:
                self._write(run_of[0], Sent("4", _utc_now(), ((123, "Y"), (36, run_of[-1] + 1))), again=True)
                continue
            for number in run_of:
                self._write(number, self.store.sent[number - 1], again=True)

    def _write(self, number: int, message: Sent, *, again: bool = False) -> None:
        frame = simplefix.FixMessage()
        frame.append_pair(8, "FIX.4.2")
        frame.append_pair(35, message.kind)
        frame.append_pair(49, self.name)
        frame.append_pair(56, "ROMER")
        frame.append_pair(34, number)
        if again:
            frame.append_pair(43, "Y")
        frame.append_pair(52, _utc_now() if again else message.time)
        if again:
            frame.append_pair(122, message.time)
        for tag, value in message.fields:
            frame.append_pair(tag, value)
        self._socket.sendall(frame.encode())


@contextmanager
def fix_peer(path: Path, address: str, name: str) -> Iterator[FixPeer]:
    """A connection of the session whose store is at `path`; closed at the end. Raises OSError without one."""
    store = FixStore(path)
    try:
        peer = FixPeer(store, address, name)
        try:
            yield peer
        finally:
            peer.close()
    finally:
        store.close()


def _utc_now() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]
