"""A venue is killed with SIGKILL under load, again and again: nothing that it acknowledged is lost or done twice.

Its counterparty is a FIX client with a session and a store of its own; a market maker and two solvers, one of which
often does not pay, are `romer-live` processes that are killed now and then as well. The venue dies at random
moments, or in a chosen system call on its journal: before it, after it, or with half of a write done.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random, SystemRandom
from tempfile import mkdtemp
from typing import Any

import pytest

from core.auction.facts import BidReceived, CommitmentCreated, CommitmentDefaulted, CommitmentSettled
from core.fix.tags import ExecType
from core.market.orders import OrderFilled
from core.units import SECOND
from sim.whatif.whatif import WhatIf
from tests.helpers.audit import Audit, orders_of, reports_to, traded_by
from tests.helpers.crash import BALANCE, BOND, CUSTOMER, MAKER, PENALTY, Death, Storm
from tests.helpers.customer import Told
from tests.helpers.fix_client import fix_client
from tests.helpers.venue import PATIENCE, ROOT, changed, served, solving
from tests.integration.live.test_serve import stopped, until

DEATHS = (
    Death("pwrite", 60, "half"),
    Death("replace", 4, "before"),
    Death(seconds=0.4),
    Death("rename", 1, "after"),
)
"""In a write under load, in a snapshot or the index, anywhere, and at the beginning of a segment."""
SEED = "ROMER_CRASH_SEED"
"""The environment variable that says how the long form kills; without it nobody knows before."""
LATE_SECONDS_MAX = 5
"""For a timer of a machine that is busy with tests."""


def weather(folder: Path, deaths: Sequence[Death], seed: int) -> tuple[Storm, dict[str, Any]]:
    """Kill the venue again and again, let everything end, and stop it; what it says at its end."""
    with Storm(folder, Random(seed)) as storm:
        for death in deaths:
            storm.live_and_die(death)
        with storm.venue() as running:
            storm.wind_up(running)
            running.signal(signal.SIGTERM)
            told: dict[str, Any] = storm.ended(running)["ended"]
    assert sum(storm.deaths.values()) == len(deaths)
    return storm, told


def check_the_customer(told: Told, audit: Audit) -> None:
    """Every order exists once, at both ends; nothing was reported twice, and what was reported is what happened."""
    accepted, refused = orders_of(audit, CUSTOMER)
    assert told.accepted == accepted
    assert told.refused == refused
    assert set((accepted + refused).values()) == {1}
    assert (accepted + refused).keys() == told.orders.keys() == told.ended.keys()
    assert set(told.exec_ids.values()) == {1}
    assert told.pending.keys() | told.kept.keys() == told.cancels.keys()
    assert set(told.pending.values()) == set(told.kept.values()) == {1}
    assert not told.others


def check_the_books(told: Told, audit: Audit) -> None:
    """Balances are what the fills say, to the unit; bonds are what defaults have left; nothing is held for nobody."""
    change = traded_by(audit, CUSTOMER)
    assert change["ETH"] == told.base_change()
    for token, amount in BALANCE.items():
        assert audit.balance(f"user:{CUSTOMER}", token) == amount + change[token]
    penalties = audit.penalties()
    assert penalties["s2"] > 0
    for solver in ("s1", "s2"):
        assert audit.balance(f"bond:{solver}", "USDC") == BOND - PENALTY * penalties[solver]
    assert audit.balance("venue:penalties", "USDC") == PENALTY * penalties.total()
    assert audit.accounts("order", "escrow") == []


def check_the_auctions(audit: Audit) -> int:
    """Each was decided once, not before its deadline and not long after; how many were open across a death."""
    assert audit.opened.keys() == audit.ranked.keys()
    started = {boot.number: boot.at for boot in audit.reader.boots}
    for height, (deadline, _) in audit.opened.items():
        (ranked,) = audit.ranked[height]
        assert ranked.at >= deadline
        assert ranked.at - max(deadline, started[ranked.boot]) < LATE_SECONDS_MAX * SECOND
    ends = Counter(
        fact.commitment_id for kind in (CommitmentSettled, CommitmentDefaulted) for fact in audit.facts(kind)
    )
    assert ends == Counter(fact.commitment_id for fact in audit.facts(CommitmentCreated))
    assert set(Counter(fill.fill_id for fill in audit.facts(OrderFilled)).values()) == {1}
    return sum(audit.ranked[height][0].boot > boot for height, (_, boot) in audit.opened.items())


def check_the_maker(folder: Path, counts: dict[str, int], audit: Audit) -> None:
    """What the market maker sent is what the venue has, once, and it was told so once."""
    accepted, refused = orders_of(audit, MAKER)
    assert set((accepted + refused).values()) == {1}
    assert counts["sent"] == (accepted + refused).total()
    assert counts["acked"] == accepted.total()
    reports = reports_to(folder)
    assert set(Counter(report.exec_id for report in reports).values()) == {1}
    assert Counter(report.cl_ord_id for report in reports if report.exec_type == ExecType.NEW) == accepted


def replayed(path: Path) -> dict[str, str]:
    """The digests to which a fresh process replays journals."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "3"}
    command = [sys.executable, "-m", "sim", "replay", str(path), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=10 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return {one["node"]: one["digest"] for one in json.loads(done.stdout)["journals"]}


def rest_in(folder: Path) -> list[str]:
    """What a journal's directory has beside segments and snapshots."""
    return sorted(path.name for path in folder.iterdir() if path.suffix not in (".romer", ".romer-snapshot"))


def survive(folder: Path, deaths: Sequence[Death], seed: int) -> Storm:
    """Kill, and check all that must hold."""
    storm, ended = weather(folder, deaths, seed)
    told, audit = Told(storm.customer.path), Audit(folder / "journal")
    assert storm.customer.faults == []
    check_the_customer(told, audit)
    check_the_books(told, audit)
    check_the_maker(folder / MAKER, storm.said[MAKER]["orders"], audit)
    across = check_the_auctions(audit)
    assert across > 0
    assert audit.digest == ended["digest"]
    assert replayed(folder / "journal") == {"venue": ended["digest"]}
    assert rest_in(folder / "journal") == ["admin.token", "index.json", "lock"]
    assert WhatIf(folder / "journal").baseline().digest == ended["digest"]
    for name in (MAKER, "s1", "s2"):
        assert replayed(folder / name) == {name: storm.said[name]["ended"]["digest"]}
    print(
        f"seed {seed}: {len(told.orders)} orders, {len(told.fills)} fills, {across} of {len(audit.opened)} auctions",
        f"across a death; died {dict(storm.deaths)}; killed too {dict(storm.killed)}",
    )
    return storm


def test_a_venue_that_is_killed_under_load_forgets_nothing_and_does_nothing_twice(tmp_path: Path) -> None:
    storm = survive(tmp_path, DEATHS, seed=1)
    assert storm.deaths["half pwrite"] == storm.deaths["busy"] == 1


@pytest.mark.slow
def test_a_venue_that_is_killed_sixty_times_forgets_nothing_and_does_nothing_twice(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seed = int(os.environ.get(SEED) or SystemRandom().getrandbits(32))
    folder = Path(mkdtemp(prefix="romer-crash-"))
    with capsys.disabled():
        print(f"\nsixty deaths, {SEED}={seed}, in {folder}", flush=True)
    draws = Random(seed)
    try:
        storm = survive(folder, [Death.draw(draws) for _ in range(60)], seed)
        assert len(storm.deaths) > 10
    except BaseException as error:
        error.add_note(f"{SEED}={seed} kills it in the same ways again; all that it left is in {folder}")
        raise
    shutil.rmtree(folder)


def test_an_auction_that_was_open_when_the_venue_was_killed_ends_at_its_deadline_with_the_bids_it_had(
    tmp_path: Path,
) -> None:
    slow = changed(
        ('batch_window = "50ms"', 'batch_window = "50ms", order_lifetime = "60s"'),
        ('bid_window = "100ms", fulfil_window = "100ms"', 'bid_window = "5s", fulfil_window = "10s"'),
    )
    again = tmp_path / "again"
    again.mkdir()
    with served(tmp_path, slow) as (venue, listening), solving(tmp_path, listening["places"]):
        until(listening, "romer_solvers_connected")
        with fix_client(listening["places"]["fix"]) as client:
            client.order("a")
            assert client.report("0", "a")
            numbers = client.number
            until(listening, "romer_facts_total", "auction", "bid_received")
        venue.process.kill()
        venue.process.wait()
    with served(tmp_path, slow) as (venue, listening), solving(again, listening["places"]):
        with fix_client(listening["places"]["fix"], number=numbers) as client:
            assert client.report("2", "a")[32] == "0.50000000"
        ended = stopped(venue)["ended"]
    audit = Audit(tmp_path / "journal")
    assert audit.digest == ended["digest"]
    assert check_the_auctions(audit) == 1
    assert len(audit.facts(BidReceived)) == len(audit.facts(CommitmentCreated)) == len(audit.facts(OrderFilled)) == 1
