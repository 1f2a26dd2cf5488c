"""QuickFIX (C++), with its own store on disk, trades with a venue that is killed again and again under load."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import pytest

from tests.helpers.audit import Audit, orders_of
from tests.helpers.crash import QUICKFIX, Death, Storm
from tests.interop.test_quickfix import PATIENCE, PEER, PYTHON, names

KILLS = 12
ORDERS = 50
"""For each life of the venue."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON.exists(), reason="NO QUICKFIX: `make interop` builds it, in some minutes"),
]


class Initiator:
    """A QuickFIX process that dials the venue, and all that it has told."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.told: list[dict[str, Any]] = []
        self._process = process
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.told.append(json.loads(line))

    def obey(self, command: str) -> None:
        """Tell it to do something."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{command}\n")
        self._process.stdin.flush()

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait until something has happened."""
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < deadline, self.told[-5:]
            time.sleep(0.05)

    def of(self, **wanted: Any) -> list[dict[str, Any]]:
        """The lines that say so."""
        return [line for line in list(self.told) if wanted.items() <= line.items()]


@contextmanager
def initiator(address: str, folder: Path) -> Iterator[Initiator]:
    """One, up and dialling; ended at the end."""
    folder.mkdir()
    command = [str(PYTHON), str(PEER), "initiator", address.rpartition(":")[2], str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            peer = Initiator(process)
            peer.until(lambda: bool(peer.of(event="up")))
            yield peer
        finally:
            process.kill()


def test_quickfix_and_a_venue_that_is_killed_under_load_agree_on_every_order(tmp_path: Path) -> None:
    draws = Random(7)
    sent = [name for number in range(KILLS) for name in names(f"q{number}-", ORDERS)]
    with Storm(tmp_path, draws) as storm, initiator(storm.places["fix"], tmp_path / "quickfix") as peer:
        for number in range(KILLS):
            peer.obey(f"order {ORDERS} q{number}-")
            storm.live_and_die(Death.draw(draws))
        with storm.venue() as running:
            peer.until(lambda: {line["id"] for line in peer.of(event="app", kind="8")} == set(sent))
            time.sleep(1)  # for what should not come
            peer.obey("stop")
            storm.wind_up(running)
            running.signal(signal.SIGTERM)
            digest = storm.ended(running)["ended"]["digest"]
    audit = Audit(tmp_path / "journal")
    assert audit.digest == digest
    accepted, refused = orders_of(audit, QUICKFIX)
    assert accepted + refused == Counter(sent)
    numbers = Counter(line["number"] for line in peer.of(event="app"))
    assert set(numbers.values()) == {1}
    assert peer.of(event="admin", kind="3") == peer.of(event="app", kind="j") == []
