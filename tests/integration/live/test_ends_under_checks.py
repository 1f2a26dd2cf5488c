"""A venue that is to end does so in its time, however many signatures wait for their checks."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.fix.codec import encode
from core.identity.orders import sign_order
from sim.cli import main as romer_sim
from tests.helpers.fix_client import FixClient
from tests.helpers.identity import logon, proof, public, signer
from tests.helpers.venue import Running, changed, served
from tests.integration.live.test_serve import until

MEMBER = '[[venue.members]]\nid = "MM1"\nbalance = { ETH = "100" }\n'
NAMES = [f"B{n}" for n in range(8)]
ORDERS = 500
CHECKS_SECONDS = 6.0
"""All checks together take longer than this; those that have begun when the venue ends, not nearly so long."""


def text(*edits: tuple[str, str]) -> str:
    keys = {name: f'{{ public = "{public(name).hex()}", proof = "{proof(name).hex()}"' for name in NAMES}
    balance = 'balance = { ETH = "100000" }'
    members = [
        f'[[venue.members]]\nid = "{name}"\n{balance}\nkey = {keys[name]}, signing = "order" }}\n' for name in NAMES
    ]
    identity = "[venue.identity]\nrequired = true\n\n" + "\n".join(members)
    return changed((MEMBER, identity), *edits)


def badly_signed(name: str, count: int = ORDERS) -> bytes:
    """So many orders, each with a signature of something else."""
    signature, now = signer(name)(b"something else"), f"{datetime.now(UTC):%Y%m%d-%H:%M:%S}"
    orders = []
    for number in range(2, count + 2):
        terms = f"11=c{number}|21=1|38=0.5|40=2|44=1990|54=2|55=ETHUSDC|60={now}|"
        raw = encode(f"35=D|34={number}|49={name}|52={now}|56=ROMER|{terms}".replace("|", "\x01").encode())
        orders.append(sign_order(raw, lambda _: signature))
    return b"".join(orders)


def read_to_the_end(sock: socket.socket) -> None:
    with sock, suppress(OSError):
        while sock.recv(1 << 16):
            pass


@contextmanager
def under_checks(folder: Path) -> Iterator[Running]:
    """A venue that has seconds of checks before it."""
    readers = []
    edits = ('batch_window = "50ms"', 'batch_window = "500ms"'), ('deadline = "10s"', 'deadline = "1s"')
    with served(folder, text(*edits)) as (venue, listening):
        for name in NAMES:
            client = FixClient(listening["places"]["fix"], name)
            client.socket.sendall(logon(name, sender=name, at=time.time_ns()))
            assert client.next("A")
            client.socket.sendall(badly_signed(name))
            readers.append(threading.Thread(target=read_to_the_end, args=(client.socket,)))
            readers[-1].start()
        yield venue
    for reader in readers:
        reader.join()


@pytest.mark.parametrize("signals", [1, 2])
def test_a_venue_ends_by_its_deadline_or_at_once_whatever_waits_to_be_checked(tmp_path: Path, signals: int) -> None:
    with under_checks(tmp_path) as venue:
        began = time.monotonic()
        for _ in range(signals):
            venue.signal(signal.SIGTERM)
            time.sleep(0.1)
        code, _ = venue.ended()
        took = time.monotonic() - began
    assert (code, took < CHECKS_SECONDS) == (130, True), took
    log = venue.log.read_text()
    assert ('"drain_cut_off"' in log, '"stop_at_once"' in log) == (signals == 1, signals == 2)
    assert CliRunner().invoke(romer_sim, ["replay", str(tmp_path / "journal")]).exit_code == 0


def test_a_drain_waits_for_the_checks_of_what_it_finds_in_the_open_batch(tmp_path: Path) -> None:
    edits = ('batch_window = "50ms"', 'batch_window = "60s"'), ('deadline = "10s"', 'deadline = "20ms"')
    with served(tmp_path, text(*edits)) as (venue, listening):
        client = FixClient(listening["places"]["fix"], NAMES[0])
        with client.socket:
            client.socket.sendall(logon(NAMES[0], sender=NAMES[0], at=time.time_ns()))
            assert client.next("A")
            client.socket.sendall(badly_signed(NAMES[0], ORDERS - 50))
            until(listening, "romer_batch_messages", least=ORDERS - 50)
            venue.signal(signal.SIGTERM)
            assert venue.ended()[0] == 130
    (cut,) = [line for line in map(json.loads, venue.log.read_text().splitlines()) if line["event"] == "drain_cut_off"]
    assert cut["open"] == {"checks": 1}
