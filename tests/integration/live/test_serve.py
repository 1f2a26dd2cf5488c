"""A venue as an operator has it: started from a file, traded with over sockets, watched, and stopped by signals."""

from __future__ import annotations

import json
import signal
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from click.testing import CliRunner
from prometheus_client.parser import text_string_to_metric_families

from sim.cli import main as romer_sim
from sim.whatif.whatif import WhatIf
from tests.helpers.fix_client import fix_client
from tests.helpers.venue import PATIENCE, TOKEN, VENUE, Running, changed, python, romer_live, served, solving

SLOW = changed(('bid_window = "100ms", fulfil_window = "100ms"', 'bid_window = "800ms", fulfil_window = "800ms"'))
"""A venue whose auctions last long enough to be caught in the middle."""


def page(listening: Any, path: str) -> tuple[int, str]:
    """Status and body of one of the venue's pages."""
    try:
        with urllib.request.urlopen(f"http://{listening['http']}{path}", timeout=PATIENCE) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def samples(listening: Any) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample on /metrics, by its name and the values of its labels."""
    status, text = page(listening, "/metrics")
    assert status == 200
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def until(listening: Any, name: str, *labels: str, least: float = 1) -> None:
    """Wait until a sample is at least so much."""
    deadline = time.monotonic() + PATIENCE
    while samples(listening).get((name, labels), 0) < least:
        assert time.monotonic() < deadline, f"{name}{labels} stays below {least}"
        time.sleep(0.02)


def replayed(folder: Path) -> dict[str, str]:
    """The digests to which the simulator replays a journal, by node."""
    result = CliRunner().invoke(romer_sim, ["replay", str(folder), "--json"])
    assert result.exit_code == 0, result.output
    return {one["node"]: one["digest"] for one in json.loads(result.stdout)["journals"]}


def stopped(running: Running) -> Any:
    """Stop in order; what the process says at its end."""
    running.signal(signal.SIGTERM)
    code, lines = running.ended()
    assert code == 0, running.log.read_text()
    return json.loads(lines[-1])


def test_a_client_that_shares_no_code_trades_with_a_solver_and_the_journals_replay(tmp_path: Path) -> None:
    with (
        served(tmp_path) as (venue, listening),
        solving(tmp_path, listening["places"]) as solver,
        fix_client(listening["places"]["fix"]) as client,
    ):
        until(listening, "romer_solvers_connected")
        client.order("a")
        assert client.report("0", "a")[39] == "0"
        assert client.report("2", "a")[32] == "0.50000000"
        client.close()
        bidding = stopped(solver)["bidding"]
        assert (bidding["bids"], bidding["paid"]) == (1, 1)
        told = stopped(venue)
    assert told["traded"]["orders"]["filled"] == 1
    assert told["traded"]["settled"] == {"s1": 1}
    assert replayed(tmp_path / "journal") == {"venue": told["ended"]["digest"]}
    assert replayed(tmp_path / "s1").keys() == {"s1"}


def test_three_lines_say_where_it_listens_where_its_journal_is_and_how_to_stop_it(tmp_path: Path) -> None:
    (tmp_path / "venue.toml").write_text(VENUE)
    with romer_live(tmp_path, "serve", "venue.toml") as running:
        lines = [running.line() for _ in range(3)]
        running.signal(signal.SIGINT)
        code, rest = running.ended()
    assert lines[0].startswith("venue listens: fix on 127.0.0.1:")
    assert lines[1] == "journal: journal (sync always, boot 1)"
    assert lines[2].startswith(f"stop: Ctrl-C or `kill {running.process.pid}` drains")
    assert code == 0
    assert rest[0].startswith("venue has stopped: ")


def test_a_drain_refuses_new_orders_and_lets_the_running_auction_end(tmp_path: Path) -> None:
    with (
        served(tmp_path, SLOW) as (venue, listening),
        solving(tmp_path, listening["places"]),
        fix_client(listening["places"]["fix"]) as client,
    ):
        until(listening, "romer_solvers_connected")
        client.order("running")
        until(listening, "romer_auctions", "soliciting")
        venue.signal(signal.SIGTERM)
        until(listening, "romer_facts_total", "solvers", "solver_connected")
        client.order("late")
        assert client.report("8", "late")[58].startswith("closed")
        assert page(listening, "/readyz") == (503, '{"status":"draining"}')
        assert client.report("2", "running")
        assert client.next("5")
        client.close()
        assert venue.ended()[0] == 0


def test_a_second_signal_stops_at_once_and_leaves_a_whole_journal(tmp_path: Path) -> None:
    with served(tmp_path, SLOW) as (venue, listening), fix_client(listening["places"]["fix"]) as client:
        client.order("a")
        until(listening, "romer_auctions", "soliciting")
        venue.signal(signal.SIGTERM)
        until_draining = time.monotonic() + PATIENCE
        while page(listening, "/healthz")[1] != '{"status":"draining"}':
            assert time.monotonic() < until_draining
        began = time.monotonic()
        venue.signal(signal.SIGTERM)
        code, lines = venue.ended()
        assert code == 130
        assert time.monotonic() - began < 5
    ended = json.loads(lines[-1])["ended"]
    assert ended["drained"] is False
    assert replayed(tmp_path / "journal") == {"venue": ended["digest"]}


def test_it_stops_when_whoever_holds_its_stdin_is_gone(tmp_path: Path) -> None:
    (tmp_path / "venue.toml").write_text(VENUE)
    with romer_live(tmp_path, "serve", "venue.toml", "--stop-with-stdin") as running:
        for _ in range(3):
            running.line()
        assert running.process.stdin is not None
        running.process.stdin.close()
        assert running.ended()[0] == 0


GARBAGE = {
    "words": b"hello\n",
    "zeros": b"\x00" * 70_000,
    "a huge length": b"8=FIX.4.2\x019=99999999\x01",
    "empty hellos": b'{"type":"Hello"}\n' * 3,
    "deep nesting": b"[" * 5_000 + b"\n",
    "half a line": b'{"type":"Hello","token":"x',
}


def test_garbage_hurts_nobody_else(tmp_path: Path) -> None:
    with (
        served(tmp_path) as (venue, listening),
        solving(tmp_path, listening["places"]),
        fix_client(listening["places"]["fix"]) as client,
    ):
        until(listening, "romer_solvers_connected")
        for door in listening["places"].values():
            host, _, port = door.rpartition(":")
            for name, garbage in GARBAGE.items():
                with socket.create_connection((host, int(port)), timeout=PATIENCE) as peer:
                    peer.sendall(garbage)
                    peer.shutdown(socket.SHUT_WR)
                    client.order(f"{name} {door}")
                    assert client.report("2", f"{name} {door}")
        assert samples(listening)["romer_facts_total", ("fix", "input_ignored")] >= 4
        client.close()
        assert stopped(venue)["ended"]["drained"] is True


def test_metrics_are_what_a_prometheus_reads(tmp_path: Path) -> None:
    with (
        served(tmp_path) as (_, listening),
        solving(tmp_path, listening["places"]),
        fix_client(listening["places"]["fix"]) as client,
    ):
        until(listening, "romer_solvers_connected")
        client.order("a")
        client.report("2", "a")
        client.order("a")
        client.report("8", "a")
        found = samples(listening)
        assert page(listening, "/healthz") == (200, '{"status":"ready"}')
        assert page(listening, "/readyz") == (200, '{"status":"ready"}')
        assert page(listening, "/nothing")[0] == 404
    assert found["romer_fix_sessions", ("active",)] == 1
    assert (found["romer_connections", ("fix",)], found["romer_connections", ("solvers",)]) == (1, 3)
    assert found["romer_unsent_bytes", ("fix",)] == found["romer_fix_queued_messages", ("early", "MM1")] == 0
    assert found["romer_deliveries_total", ("sequencer", "FromPeer")] == 2
    assert found["romer_facts_total", ("auction", "commitment_settled")] == 1
    assert found["romer_reasons_total", ("order_refused", "duplicate_cl_ord_id")] == 1
    assert found["romer_blocks_total", ("window",)] == 1
    assert found["romer_block_lateness_seconds_count", ()] == 1
    assert found["romer_pump_seconds_count", ()] > found["romer_commit_seconds_count", ()] > 0
    assert found["romer_journal_bytes_total", ()] > 1000
    assert found["romer_journal_sync", ("always",)] == 1
    assert found["romer_storage_short", ()] == 0
    assert found["romer_fix_next_seq_num", ("in", "MM1")] == 4


STEPPED = """\
import time
from pathlib import Path
from live.cli import main

system = time.time_ns
time.time_ns = lambda: system() + (5_000_000_000 if Path("step").exists() else 0)
main(["serve", "venue.toml", "--json", "--log", "json"])
"""


def test_a_step_of_the_systems_clock_is_measured_and_said_once(tmp_path: Path) -> None:
    (tmp_path / "venue.toml").write_text(VENUE)
    with python(tmp_path, "-c", STEPPED) as venue:
        listening = venue.told()
        assert abs(samples(listening)["romer_clock_offset_seconds", ()]) < 0.5
        (tmp_path / "step").touch()
        until(listening, "romer_clock_offset_seconds", least=4.5)
        time.sleep(2.5)
        stopped(venue)
        lines = [json.loads(line) for line in venue.log.read_text().splitlines()]
    (line,) = [line for line in lines if line["event"] == "clock_offset"]
    assert (line["level"], round(line["seconds"])) == ("warning", 5)


def test_log_lines_are_json_with_ids_and_the_token_is_nowhere(tmp_path: Path) -> None:
    with (
        served(tmp_path) as (venue, listening),
        solving(tmp_path, listening["places"]) as solver,
        fix_client(listening["places"]["fix"]) as client,
    ):
        until(listening, "romer_solvers_connected")
        client.order("a")
        client.report("2", "a")
        client.close()
        stopped(solver)
        stopped(venue)
        logged = [json.loads(line) for line in venue.log.read_text().splitlines()]
    events = {line["event"]: line for line in logged}
    assert events["session_changed"]["session"] == "MM1"
    assert events["solver_connected"]["solver"] == "s1"
    assert events["block_sealed"]["height"] == 1
    assert events["drain_started"]["why"] == "SIGTERM"
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or TOKEN.encode() not in path.read_bytes(), path


def test_a_venue_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    with served(tmp_path) as (venue, listening), fix_client(listening["places"]["fix"]) as client:
        client.order("a")
        assert client.report("C", "a")
        numbers = client.number
        client.close()
        stopped(venue)
    with served(tmp_path) as (venue, listening), fix_client(listening["places"]["fix"], number=numbers) as client:
        assert listening["boot"] == 2
        client.order("a")
        assert client.report("8", "a")[58].startswith("duplicate_cl_ord_id")
        client.order("b")
        assert client.report("0", "b")[37] == "O-3"
        client.close()
        ended = stopped(venue)["ended"]
    assert replayed(tmp_path / "journal") == {"venue": ended["digest"]}


def test_a_journal_has_one_process(tmp_path: Path) -> None:
    with served(tmp_path) as (venue, _):
        with romer_live(tmp_path, "serve", "venue.toml") as second:
            assert second.ended() == (2, [])
        assert f"process {venue.process.pid}" in second.log.read_text()


def test_a_port_that_is_taken_is_refused_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        (tmp_path / "venue.toml").write_text(changed(('fix = "127.0.0.1:0"', f'fix = "{address}"')))
        with romer_live(tmp_path, "serve", "venue.toml") as running:
            code, lines = running.ended()
    assert (code, lines) == (2, [])
    said = running.log.read_text().splitlines()
    assert said[-2] == f"error: listen.fix: cannot listen on {address}: Address already in use"
    assert said[-1].startswith("hint: ")


PLANTED = """\
from core.fix.records import FromPeer
from core.sequencer.sequencer import Sequencer
from live.cli import main

def fail(*_):
    raise ZeroDivisionError("a planted bug")

Sequencer.HANDLERS = {**Sequencer.HANDLERS, FromPeer: fail}
main(["serve", "venue.toml", "--json"])
"""


def test_a_bug_stops_the_venue_with_a_last_line_that_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "venue.toml").write_text(VENUE)
    with python(tmp_path, "-c", PLANTED) as running:
        with fix_client(running.told()["places"]["fix"]) as client:
            client.order("a")
            code, _ = running.ended()
        lines = running.log.read_text().splitlines()
    assert code == 1
    assert lines[-1].startswith("error: the event at byte ")
    assert " of journal/000001.romer crashed the node; `romer-live journal quarantine journal` lets " in lines[-1]
    assert "a planted bug" in lines[-1]
    with romer_live(tmp_path, "serve", "venue.toml") as running:
        assert running.ended()[0] == 2
        assert "romer-live journal quarantine" in running.log.read_text()
    with romer_live(tmp_path, "journal", "quarantine", "journal") as running:
        assert running.ended()[0] == 0
    with served(tmp_path) as (venue, listening):
        assert listening["boot"] == 2
        stopped(venue)


PICKY = PLANTED.replace(
    "def fail(*_):\n",
    "handle = Sequencer.HANDLERS[FromPeer]\n\ndef fail(self, now, event):\n"
    '    if event.body.message.cl_ord_id != "bad":\n        return handle(self, now, event)\n',
)


def test_what_a_quarantined_event_came_to_is_known_to_a_what_if(tmp_path: Path) -> None:
    (tmp_path / "venue.toml").write_text(VENUE)
    with python(tmp_path, "-c", PICKY) as running, fix_client(running.told()["places"]["fix"]) as client:
        for name in ("a", "bad", "c"):
            client.order(name)
        assert running.ended()[0] == 1
    crashed = WhatIf(tmp_path / "journal")
    assert crashed.compare(crashed.baseline()).changed == []
    with romer_live(tmp_path, "journal", "quarantine", "journal") as running:
        assert running.ended()[0] == 0
    with served(tmp_path) as (venue, listening):
        with fix_client(listening["places"]["fix"], number=client.number) as again:
            again.order("d")
            assert again.report("0", "d")
        ended = stopped(venue)["ended"]
    what = WhatIf(tmp_path / "journal")
    assert what.baseline().digest == ended["digest"]
    assert what.compare(what.baseline()).digest == ended["digest"]
    other = WhatIf(tmp_path / "journal", ["auction.rule=second_price"])
    assert {order.cl_ord_id for order in other.compare(other.baseline()).orders} >= {"a", "d"}
