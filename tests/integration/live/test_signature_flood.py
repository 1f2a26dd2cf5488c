"""Members of a live venue who send hundreds of badly signed orders, and one who orders and cancels meanwhile."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner

from core.fix.codec import encode
from core.identity.orders import sign_order
from sim.cli import main as romer_sim
from tests.helpers.fix_client import FixClient
from tests.helpers.identity import logon, proof, public, signer
from tests.helpers.venue import changed, served

MEMBER = '[[venue.members]]\nid = "MM1"\nbalance = { ETH = "100" }\n'
BAD = [f"B{n}" for n in range(8)]
ORDERS, SECONDS = 500, 6.0
WAIT_SECONDS_MAX = 5.0
"""Of a busy machine. The checks of all that is signed badly take longer than this on any."""


def text() -> str:
    members = [
        f'[[venue.members]]\nid = "{name}"\nbalance = {{ ETH = "100000" }}\n'
        f'key = {{ public = "{public(name).hex()}", proof = "{proof(name).hex()}", signing = "order" }}\n'
        for name in ("GOOD", *BAD)
    ]
    identity = "[venue.identity]\nrequired = true\n\n" + "\n".join(members)
    window = 'batch_window = "250ms", order_lifetime = "60s"'
    return changed((MEMBER, identity), ('batch_window = "50ms"', window))


class Member(FixClient):
    """It is logged on, and signs what it sends."""

    def __init__(self, address: str, name: str) -> None:
        super().__init__(address, name)
        self.socket.sendall(logon(name, sender=name, at=time.time_ns()))
        assert self.next("A")
        self.number = 1

    def made(self, terms: str, sign: Callable[[bytes], bytes]) -> bytes:
        self.number += 1
        now = f"{datetime.now(UTC):%Y%m%d-%H:%M:%S.%f}"[:-3]
        kind, _, rest = terms.partition("|")
        raw = f"{kind}|34={self.number}|49={self.name}|52={now}|56=ROMER|{rest}|54=2|55=ETHUSDC|60={now}|"
        return sign_order(encode(raw.replace("|", "\x01").encode()), sign)

    def ordered(self, name: str, sign: Callable[[bytes], bytes] | None = None) -> bytes:
        return self.made(f"35=D|11={name}|21=1|38=0.5|40=2|44=1990", sign or signer(self.name))

    def cancelled(self, name: str, orig: str) -> bytes:
        return self.made(f"35=F|11={name}|41={orig}|38=0.5", signer(self.name))

    def answer(self) -> dict[int, str]:
        """The next report, or refusal of a cancel."""
        while (message := self._receive())[35] not in "89":
            pass
        return message

    def flood(self) -> threading.Thread:
        """Send a block of orders whose signatures are of something else, and read what comes."""
        bad = signer(self.name)(b"something else")
        sent = b"".join(self.ordered(f"{self.name}-{n}", lambda _: bad) for n in range(ORDERS))
        thread = threading.Thread(target=send_and_read, args=(self.socket, sent))
        thread.start()
        return thread


def send_and_read(sock: socket.socket, sent: bytes) -> None:
    with sock, suppress(OSError):
        sock.sendall(sent)
        while sock.recv(1 << 16):
            pass


def waits(member: Member) -> list[float]:
    """How long each cancel of a member took that orders and cancels for some seconds."""
    took: list[float] = []
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        order, cancel = f"c{len(took)}", f"x{len(took)}"
        began = time.monotonic()
        member.socket.sendall(member.ordered(order) + member.cancelled(cancel, order))
        while not is_answer(member.answer(), cancel):
            pass
        took.append(time.monotonic() - began)
    return took


def is_answer(said: dict[int, str], cancel: str) -> bool:
    """Whether this is what became of the cancel: done, or the order was in an auction by then. Nothing is refused."""
    assert said[39] != "8", said
    assert said[35] == "8" or said[58].startswith("too_late"), said
    return said[11] == cancel and (said[35] == "9" or said[150] == "4")


def test_no_order_and_no_cancel_of_who_signs_well_is_refused_or_waits_long(tmp_path: Path) -> None:
    with served(tmp_path, text()) as (venue, listening):
        good, *bad = (Member(listening["places"]["fix"], name) for name in ("GOOD", *BAD))
        floods = [member.flood() for member in bad]
        took = waits(good)
        venue.signal(signal.SIGKILL)
        venue.ended()
        good.close()
        for flood in floods:
            flood.join()
    assert len(took) > 3
    assert max(took) < WAIT_SECONDS_MAX, took
    replayed = CliRunner().invoke(romer_sim, ["replay", str(tmp_path / "journal"), "--json"])
    assert replayed.exit_code == 0, replayed.output
