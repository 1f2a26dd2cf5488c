"""What a start that fails leaves behind, and what a process says that could not end in order."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.helpers.fix_client import fix_client
from tests.helpers.venue import PATIENCE, ROOT, changed, python, romer_live, served
from tests.integration.live.test_serve import stopped, until

LIMITED = """\
import resource
from live.cli import main

resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
main(["serve", "venue.toml"])
"""


def test_a_start_that_fails_is_none(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        for _ in range(3):
            (tmp_path / "venue.toml").write_text(
                changed(('[observe]\nhttp = "127.0.0.1:0"', f'[observe]\nhttp = "{address}"'))
            )
            with romer_live(tmp_path, "serve", "venue.toml") as running:
                assert running.ended() == (2, [])
            assert f"error: observe.http: cannot listen on {address}" in running.log.read_text()
    assert list((tmp_path / "journal").glob("*.romer")) == []
    with served(tmp_path) as (venue, listening):
        assert listening["boot"] == 1
        stopped(venue)


def test_a_host_that_is_nowhere_is_named_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "venue.toml").write_text(changed(('fix = "127.0.0.1:0"', 'fix = "venue.invalid:0"')))
    with romer_live(tmp_path, "check", "venue.toml", name="check") as running:
        code, lines = running.ended()
    assert code == 2
    (line,) = lines
    assert line.startswith('venue.toml: listen.fix: cannot find the host "venue.invalid": ')
    with romer_live(tmp_path, "serve", "venue.toml") as running:
        assert running.ended() == (2, [])
    assert not (tmp_path / "journal").exists()


def test_a_venue_whose_doors_do_not_fit_its_descriptors_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "venue.toml").write_text(changed())
    with python(tmp_path, "-c", LIMITED) as running:
        assert running.ended()[0] == 2
    said = running.log.read_text().splitlines()
    assert said[-2] == "error: venue.doors: up to 1,768 connections, and this process may open 256 files"
    assert said[-1].startswith("hint: `ulimit -n 1896`, or lower ")


def test_a_drain_that_its_deadline_cuts_off_is_none(tmp_path: Path) -> None:
    slow = changed(('bid_window = "100ms"', 'bid_window = "60s"'), ('deadline = "10s"', 'deadline = "200ms"'))
    with served(tmp_path, slow) as (venue, listening), fix_client(listening["places"]["fix"]) as client:
        client.order("a")
        until(listening, "romer_auctions", "soliciting")
        venue.signal(signal.SIGTERM)
        code, lines = venue.ended()
    assert code == 130
    assert json.loads(lines[-1])["ended"]["drained"] is False
    (cut,) = [line for line in map(json.loads, venue.log.read_text().splitlines()) if line["event"] == "drain_cut_off"]
    assert (cut["level"], cut["after"], cut["open"]) == ("warning", "200ms", {"auctions": 1})


def test_orders_of_the_open_batch_end_before_their_owners_are_logged_out(tmp_path: Path) -> None:
    with (
        served(tmp_path, changed(('batch_window = "50ms"', 'batch_window = "60s"'))) as (venue, listening),
        fix_client(listening["places"]["fix"]) as client,
    ):
        for name in ("a", "b"):
            client.order(name)
            client.report("0", name)
        venue.signal(signal.SIGTERM)
        assert [client.next("8", "5").get(150) for _ in range(3)] == ["C", "C", None]
        client.close()
        assert json.loads(venue.ended()[1][-1])["ended"]["drained"] is True


def test_a_market_maker_that_is_started_again_dials_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    options = ("market-maker", "--id", "MM1", "--connect", f"127.0.0.1:{port}", "--journal", "mm", "--quiet")
    want = ("--want", "sell 0.01 ETHUSDC at 1990 every 50ms", "--log", "json")
    with romer_live(tmp_path, *options, *want, name="first") as running:
        deadline = time.monotonic() + PATIENCE
        while running.log.read_text().count("connection_lost") < 4:  # the pause is 8 s now
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running.process.kill()
    with served(tmp_path, changed(('fix = "127.0.0.1:0"', f'fix = "127.0.0.1:{port}"'))) as (_, listening):
        began = time.monotonic()
        with romer_live(tmp_path, *options, *want, name="second"):
            until(listening, "romer_fix_sessions", "active")
        assert time.monotonic() - began < 5


def test_whoever_reads_a_journal_may_stop_reading(tmp_path: Path) -> None:
    with served(tmp_path) as (venue, _):
        stopped(venue)
    command = [sys.executable, "-m", "live", "journal", "print", str(tmp_path / "journal"), "--json"]
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            process.stdout.close()
            assert process.stderr.read() == b""
        assert process.returncode == 0


def test_what_is_not_in_a_journal_is_said(tmp_path: Path) -> None:
    with served(tmp_path) as (venue, _):
        stopped(venue)
    for option, hint in (("--component", "did you mean"), ("--type", "types are named")):
        with romer_live(tmp_path, "journal", "print", "journal", option, "auktion") as running:
            assert running.ended() == (2, [])
        said = running.log.read_text()
        assert f"{option} auktion: " in said
        assert hint in said
