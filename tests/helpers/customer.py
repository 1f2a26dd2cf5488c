"""A market maker that trades as fast as it is told to, over and over again with whatever venue is there.

It is `tests.helpers.fix_peer` with a demand: orders that fill, orders that are refused, cancels of both. Its store
says at the end what it was told of each.
"""

from __future__ import annotations

import time
from collections import Counter
from decimal import Decimal
from pathlib import Path
from random import Random
from threading import Event, Thread
from typing import Final

from tests.helpers.fix_peer import FixPeer, FixStore, fix_peer

RETRY_SECONDS: Final = 0.02
IDLE_SECONDS: Final = 0.05
_ENDED: Final = frozenset("248C")
"""OrdStatus of what nothing more happens to: filled, cancelled, rejected, expired."""


class Told:
    """What a store says: the reports about each order, by its ClOrdID, and each cancel's answers."""

    def __init__(self, path: Path) -> None:
        store = FixStore(path)
        store.close()
        fields = [(sent.kind, dict(sent.fields)) for sent in store.sent]
        self.orders = {str(sent[11]): sent for kind, sent in fields if kind == "D"}
        self.cancels = {str(sent[11]): sent for kind, sent in fields if kind == "F"}
        reports = [taken for taken in store.taken if taken[35] == "8"]
        self.exec_ids = Counter(report[17] for report in reports)
        self.accepted = Counter(report[11] for report in reports if report[150] == "0")
        self.refused = Counter(report[11] for report in reports if report[150] == "8")
        self.fills = [report for report in reports if report[150] in "12"]
        self.ended = Counter(report.get(41, report[11]) for report in reports if report[39] in _ENDED)
        self.pending = Counter(report[11] for report in reports if report[150] == "6")
        self.kept = Counter(taken[11] for taken in store.taken if taken[35] == "9")
        """Orders that go on in spite of a cancel, by the cancel's ClOrdID: at once, or after it was pending."""
        self.others = [taken for taken in store.taken if taken[35] not in "89"]

    @property
    def settled(self) -> bool:
        """Whether every order has ended, as far as its owner knows, and every cancel has an answer."""
        return self.orders.keys() == self.ended.keys() and self.cancels.keys() <= self.pending.keys() | self.kept.keys()

    def base_change(self) -> Decimal:
        """How much base its fills have brought, less what they took."""
        signs = {"1": 1, "2": -1}
        return sum((signs[report[54]] * Decimal(report[32]) for report in self.fills), Decimal(0))


class Customer(Thread):
    """Dials until it is told to leave. `logons` counts the sessions that the venue has answered."""

    def __init__(self, path: Path, address: str, name: str, rng: Random, orders_per_second: float) -> None:
        super().__init__(daemon=True)
        self.path, self.logons, self.faults = path, 0, list[str]()
        self.error: BaseException | None = None
        self.trading = True
        self._address, self._customer, self._rng, self._pause = address, name, rng, 1 / orders_per_second
        self._leaving, self._crash = Event(), Event()

    def crash(self) -> None:
        """Let it lose its connection and all that it has in memory."""
        self._crash.set()

    def leave(self, seconds: float) -> None:
        """Log out, and wait for that. Raises whatever went wrong in it."""
        self._leaving.set()
        self.join(seconds)
        if self.error is not None:
            raise self.error
        assert not self.is_alive(), "the venue did not answer the Logout"

    def run(self) -> None:
        """The thread."""
        try:
            while not self._trade_once():
                time.sleep(RETRY_SECONDS)
        except BaseException as error:
            self.error = error

    def _trade_once(self) -> bool:
        """One connection; whether it ended with a goodbye."""
        try:
            with fix_peer(self.path, self._address, self._customer) as peer:
                try:
                    return self._trade(peer)
                finally:
                    self.faults += peer.faults
        except OSError:
            return False

    def _trade(self, peer: FixPeer) -> bool:
        due, known, asked = time.monotonic(), False, False
        while not peer.goodbye:
            if self._crash.is_set():
                self._crash.clear()
                return False
            busy = peer.active and self.trading
            peer.wait(max(0.0, min(IDLE_SECONDS, due - time.monotonic())) if busy else IDLE_SECONDS)
            if peer.active and not known:
                known = True
                self.logons += 1
            if busy and time.monotonic() >= due:
                due = max(due, time.monotonic() - IDLE_SECONDS) + self._pause
                self._order(peer)
            if peer.active and self._leaving.is_set() and not asked:
                asked = True
                peer.send("5")
        return asked

    def _order(self, peer: FixPeer) -> None:
        draw, number = self._rng.random(), peer.store.next_out
        side, price = ("2", "1990") if draw < 0.6 else ("1", "2010")
        off_tick = "5" if self._rng.random() < 0.05 else ""
        now = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
        instrument = ((55, "ETHUSDC"), (54, side), (60, now))
        peer.send(
            "D", (11, f"c{number}"), (21, "1"), *instrument, (40, "2"), (38, "0.01"), (44, f"{price}.00{off_tick}")
        )
        if self._rng.random() < 0.2:
            peer.send("F", (41, f"c{number}"), (11, f"x{number}"), *instrument)
