"""A live venue under a flood: its memory stays flat, who floods is throttled, and others trade on."""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path

from tests.helpers.fix_client import FixClient, fix_client
from tests.helpers.venue import changed, served

SECONDS = 6.0
LIMIT = 200
GROWTH_BYTES_MAX = 32 << 20
"""What allocator and caches may take. What is kept for resending has reached its limit before memory is looked at."""
PATIENCE_SECONDS = 1.0
SECOND_MEMBER = '[[venue.members]]\nid = "MM2"\nbalance = { ETH = "100" }\n\n[[venue.solvers]]'


def resident_bytes(pid: int) -> int:
    """The memory that a process has in RAM."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) << 10


class Flooder(threading.Thread):
    """Sends orders as fast as its socket takes them, and reads what it is told."""

    def __init__(self, client: FixClient) -> None:
        super().__init__(daemon=True)
        self.client, self.going, self.sent = client, True, 0
        self.accepted = self.throttled = 0
        self._ears = threading.Thread(target=self._hear, daemon=True)

    def run(self) -> None:
        self._ears.start()
        while self.going:
            self.sent += 1
            try:
                self.client.order(f"f{self.sent}", "0.0001")
            except OSError:
                return

    def _hear(self) -> None:
        while self.going:
            try:
                told = self.client._receive()
            except (OSError, AssertionError):
                return
            self.accepted += told.get(150) == "0"
            self.throttled += told.get(35) == "j"


def test_a_flood_costs_the_flooder_and_nobody_else(tmp_path: Path) -> None:
    text = changed(
        ("[[venue.solvers]]", SECOND_MEMBER),
        (
            "[venue]\n",
            f"[venue]\nfix = {{ session = {{ app_messages_per_second_max = {LIMIT}, kept_messages_max = 500 }} }}\n",
        ),
    )

    waits: list[float] = []
    with (
        served(tmp_path, text) as (venue, listening),
        fix_client(listening["places"]["fix"]) as bad,
        fix_client(listening["places"]["fix"], "MM2") as good,
    ):
        flooder = Flooder(bad)
        flooder.start()
        time.sleep(SECONDS / 3)
        before = resident_bytes(venue.process.pid)
        deadline = time.monotonic() + SECONDS
        while time.monotonic() < deadline:
            began = time.monotonic()
            good.order(name := f"g{len(waits)}", "0.0001")
            good.report("0", name)
            waits.append(time.monotonic() - began)
            time.sleep(0.02)
        grown = resident_bytes(venue.process.pid) - before
        flooder.going = False
    waits.sort()
    print(f"\nsent {flooder.sent}, accepted {flooder.accepted}, throttled {flooder.throttled}; RSS {before} + {grown};")
    print(f"others: {len(waits)} orders, median {waits[len(waits) // 2]:.4f} s, worst {waits[-1]:.4f} s")
    assert flooder.throttled > flooder.accepted
    assert flooder.accepted <= LIMIT * (SECONDS * 4 / 3 + 3)
    assert waits[len(waits) // 2] < PATIENCE_SECONDS
    assert grown < GROWTH_BYTES_MAX
