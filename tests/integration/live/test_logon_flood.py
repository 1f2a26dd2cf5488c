"""A live venue at which strangers knock without end: who has a key gets in nearly as fast as ever."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

from tests.helpers.identity import logon, proof, public
from tests.helpers.venue import PATIENCE, changed, served

SECONDS = 6.0
ADDRESSES = 64
WAIT_SECONDS_MAX = 3.0
"""On a machine that others keep busy, too."""
MEMBER = '[[venue.members]]\nid = "MM1"\nbalance = { ETH = "100" }\n'


def venue_text() -> str:
    """The small venue with keys for MM1 and MM2."""
    members = "".join(
        f'[[venue.members]]\nid = "{name}"\nbalance = {{ ETH = "100" }}\n'
        f'key = {{ public = "{public(name).hex()}", proof = "{proof(name).hex()}" }}\n\n'
        for name in ("MM1", "MM2")
    )
    return changed((MEMBER, f"[venue.identity]\nrequired = true\n\n{members}"))


def knock(place: str, raw: bytes, source: str) -> bytes:
    """The first bytes of the answer to a Logon that comes from that address."""
    host, _, port = place.rpartition(":")
    with socket.create_connection((host, int(port)), PATIENCE, (source, 0)) as peer:
        peer.sendall(raw)
        return peer.recv(1 << 12)


class Stranger(threading.Thread):
    """Claims to be somebody, again and again, from many addresses, and never waits for an answer."""

    def __init__(self, place: str, number: int, claimed: str) -> None:
        super().__init__(daemon=True)
        self.place, self.number, self.claimed, self.going, self.knocks = place, number, claimed, True, 0

    def run(self) -> None:
        host, _, port = self.place.rpartition(":")
        open_ones: list[socket.socket] = []
        raw, at = b"", 0.0
        while self.going:
            if time.monotonic() - at > 1:
                raw, at = logon("rogue", sender=self.claimed, at=time.time_ns()), time.monotonic()
            self.knocks += 1
            source = f"127.1.{self.number}.{1 + self.knocks % ADDRESSES}"
            with suppress(OSError):
                peer = socket.create_connection((host, int(port)), 1, (source, 0))
                peer.sendall(raw)
                open_ones.append(peer)
            if len(open_ones) > 2 * ADDRESSES:
                open_ones.pop(0).close()
            time.sleep(0.002)
        for peer in open_ones:
            peer.close()


def test_strangers_who_knock_from_many_addresses_keep_nobody_out(tmp_path: Path) -> None:
    waits = dict[str, list[float]](MM1=[], MM2=[])
    with served(tmp_path, venue_text()) as (_, listening):
        place, number = listening["places"]["fix"], 0
        assert b"\x0135=A\x01" in knock(place, logon("MM1", number=1, at=time.time_ns()), "127.0.0.2")
        strangers = [Stranger(place, n, claimed) for n, claimed in enumerate(("MM1", "X1", "X2", "MM1"))]
        for stranger in strangers:
            stranger.start()
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            number += 1
            for name in ("MM1", "MM2"):
                raw = logon(name, sender=name, number=number + 1, at=time.time_ns())
                began = time.monotonic()
                answer = knock(place, raw, "127.0.0.2")
                waits[name].append(time.monotonic() - began)
                assert b"\x0135=A\x01" in answer, (name, answer)
            time.sleep(0.1)
        for stranger in strangers:
            stranger.going = False
        print({name: [f"{wait:.3f}" for wait in sorted(found)] for name, found in waits.items()})  # with -s
        print([stranger.knocks for stranger in strangers])
    assert min(len(found) for found in waits.values()) >= 3
    assert max(max(found) for found in waits.values()) < WAIT_SECONDS_MAX
