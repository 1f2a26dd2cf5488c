"""A venue that takes its time to come back says so, and can be stopped meanwhile."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
import urllib.error
from pathlib import Path
from typing import Any

import pytest

from tests.helpers.fix_client import fix_client
from tests.helpers.venue import PATIENCE, changed, python, served
from tests.integration.live.test_serve import page, stopped

SLOW = """\
import time
import core.kernel.recover as recovery
from live.cli import main

def slow(*args, redo=recovery.redo):
    time.sleep(0.1)
    return redo(*args)

recovery.redo = slow
main(["serve", "venue.toml", "--json"])
"""


def killed(folder: Path) -> dict[str, str]:
    """A venue that was killed after some orders; where its pages are."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (
        served(folder, changed(('http = "127.0.0.1:0"', f'http = "{address}"'))) as (venue, listening),
        fix_client(listening["places"]["fix"]) as client,
    ):
        for name in "abc":
            client.order(name)
            client.report("0", name)
        venue.signal(signal.SIGKILL)
        venue.ended()
    return {"http": address}


def asked(listening: dict[str, str], path: str) -> tuple[int, Any]:
    """Status and body of a page, as soon as there is one."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            status, text = page(listening, path)
            return status, json.loads(text)
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_pages_of_a_venue_that_recovers_say_how_far_it_is(tmp_path: Path) -> None:
    listening = killed(tmp_path)
    with python(tmp_path, "-c", SLOW) as running:
        status, told = asked(listening, "/healthz")
        assert (status, told["status"]) == (200, "recovering")
        status, told = asked(listening, "/readyz")
        while told["progress"] == "reading the journal":
            status, told = asked(listening, "/readyz")
        assert (status, told["status"]) == (503, "recovering")
        match = re.fullmatch(r"delivery (\d+) of (\d+)", told["progress"])
        assert match is not None
        assert int(match[1]) < int(match[2])
        opening = running.told()
        assert (opening["boot"], opening["http"]) == (2, listening["http"])
        assert asked(opening, "/readyz") == (200, {"status": "ready"})
        stopped(running)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_venue_that_recovers_at_once_and_costs_nothing(tmp_path: Path, number: signal.Signals) -> None:
    listening = killed(tmp_path)
    with python(tmp_path, "-c", SLOW) as running:
        asked(listening, "/healthz")
        running.signal(number)
        assert running.ended() == (130, [])
        assert running.log.read_text().splitlines()[-1] == "error: interrupted"
    with served(tmp_path) as (venue, opening):
        assert opening["boot"] == 2
        stopped(venue)
