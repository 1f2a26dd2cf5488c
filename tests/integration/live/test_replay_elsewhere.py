"""A live market is recorded, and gives the same elsewhere: in a fresh process, on another Python, in the simulator."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow.parquet as pq
import pytest

from tests.determinism import environment, other_pythons
from tests.helpers.venue import PATIENCE, ROOT, changed, romer_live, served
from tests.integration.live.test_serve import stopped
from tests.recording import replay

SPAN_SECONDS: Final = 3.0
BID_WINDOW: Final = "50ms"
SLOWER: Final = "50ms"
"""Nobody bids in less than no time, so whoever is so much slower is always late."""
RICH: Final = '{ ETH = "10000", USDC = "20000000" }'
SECOND_SOLVER: Final = f"""\
[[venue.solvers]]
id = "s2"
token = {{ file = "s2.token" }}
capital = {RICH}
bond = "10000"
"""
MARKET: Final = changed(
    ('bid_window = "100ms"', f'bid_window = "{BID_WINDOW}"'),
    ('balance = { ETH = "100" }', f"balance = {RICH}"),
    ('capital = { ETH = "100", USDC = "200000" }', f"capital = {RICH}"),
    ("[[venue.solvers]]", f"{SECOND_SOLVER}\n[[venue.solvers]]"),
)
SOLVERS: Final = {
    "s1": ("--token-env", "S1_TOKEN", "--set", "margin_bps=2"),
    "s2": ("--token-file", "s2.token", "--set", "margin_bps=5"),
}
TOLD_AGAIN: Final = """\
import json, sys
from pathlib import Path
from tests.helpers.audit import Audit

audit = Audit(Path(sys.argv[1]))
print(json.dumps(audit.told() | {"digest": audit.digest}))
"""


class Recorded(NamedTuple):
    """A few seconds of a market: its journal, its digest, and what its log said while it ran."""

    folder: Path
    digest: str
    logged: dict[str, list[Any]]
    """As `tests.helpers.audit.Audit.told`."""

    @property
    def journal(self) -> Path:
        """The venue's."""
        return self.folder / "journal"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    """A venue, two solvers and a market maker, each a process, for three seconds."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "s2.token").write_text("the token of s2")
    with served(folder, MARKET, "--log-level", "debug") as (venue, listening), ExitStack() as stack:
        places = listening["places"]
        doors = ("--connect", places["orders"], "--bids", places["bids"], "--claims", places["claims"])
        traders = [
            stack.enter_context(
                romer_live(
                    folder, "solver", "--id", name, *doors, "--price", "ETHUSDC=2000",
                    "--journal", folder / name, "--json", *options, name=name,
                )
            )
            for name, options in SOLVERS.items()
        ]  # fmt: skip
        wants = ("--want", "sell 0.5 ETHUSDC at 1995 every 20ms", "--want", "buy 0.3 ETHUSDC at 2005 every 30ms")
        where = ("--connect", places["fix"], "--journal", folder / "MM1", "--json", "--quiet")
        maker = stack.enter_context(romer_live(folder, "market-maker", "--id", "MM1", *where, *wants, name="MM1"))
        for each in (maker, *traders):
            each.line()
        time.sleep(SPAN_SECONDS)
        for each in (maker, *traders):
            stopped(each)
        digest = stopped(venue)["ended"]["digest"]
        lines = [json.loads(line) for line in venue.log.read_text().splitlines()]
    return Recorded(folder, digest, as_told(lines))


def as_told(lines: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """What log lines say of blocks and awards."""

    def of(event: str) -> Iterator[dict[str, Any]]:
        return (line for line in lines if line["event"] == event)

    return {
        "blocks": [[line["height"], line["block_hash"]] for line in of("block_sealed")],
        "awards": [[line["commitment_id"], line["order_id"], line["solver"]] for line in of("commitment_created")],
        "settled": [line["commitment_id"] for line in of("commitment_settled")],
    }


def told_again(python: Path, journal: Path, hash_seed: str) -> Any:
    """What a fresh process makes of a journal: digest, blocks and awards."""
    environ = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    command = [str(python), "-c", TOLD_AGAIN, str(journal)]
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=4 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def whatif(path: Path, *changes: str) -> Any:
    """What `romer-sim whatif` prints in a fresh process."""
    command = [sys.executable, "-m", "sim", "whatif", str(path), *changes, "--json"]
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environ, timeout=4 * PATIENCE, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_recording_is_worth_comparing(recorded: Recorded) -> None:
    assert len(recorded.logged["blocks"]) > 10
    assert len(recorded.logged["awards"]) > 20
    assert {solver for _, _, solver in recorded.logged["awards"]} >= {"s1"}
    assert len(recorded.logged["settled"]) > 20


@pytest.mark.parametrize("hash_seed", ["0", "1", "random"])
def test_blocks_and_awards_come_again_under_another_hash_seed(recorded: Recorded, hash_seed: str) -> None:
    again = told_again(Path(sys.executable), recorded.journal, hash_seed)
    assert again == {**recorded.logged, "digest": recorded.digest}


def test_blocks_and_awards_come_again_on_every_other_python(recorded: Recorded) -> None:
    others = {version: ROOT / f".venv-{version}" / "bin" / "python" for version in other_pythons()}
    ready = {version: python for version, python in others.items() if python.exists()}
    if not ready:
        pytest.skip("SKIPPED, NO OTHER PYTHON has an environment: `make recording` makes one for each that is here")
    for version, python in ready.items():
        again = told_again(python, recorded.journal, "2")
        assert again == {**recorded.logged, "digest": recorded.digest}, version


@pytest.mark.slow
def test_every_journal_comes_again_on_every_python_there_is(recorded: Recorded) -> None:
    found = other_pythons()
    pythons = {version: own for version, path in found.items() if (own := environment(version, path))}
    if not pythons:
        pytest.skip(f"SKIPPED, NO OTHER PYTHON: found {', '.join(found) or 'none'}, and none can have the lock")
    here, _ = replay(Path(sys.executable), recorded.folder, "0")
    assert here["venue"] == recorded.digest
    assert here.keys() == {"venue", "MM1", *SOLVERS}
    for python in pythons.values():
        assert replay(python, recorded.folder, "1") == (here, "")


@pytest.fixture(scope="module")
def same(recorded: Recorded) -> Any:
    """The what-if with nothing changed."""
    return whatif(recorded.journal)


def test_a_what_if_with_nothing_changed_gives_every_outcome_again(recorded: Recorded, same: Any) -> None:
    assert same["baseline"]["digest"] == same["digest"] == recorded.digest
    assert same["orders"] > 20
    assert (same["changed"], same["changed_orders"], same["causes"]) == (0, [], [])
    assert same["before"] == same["after"]


def test_a_what_if_with_one_solver_slowed_says_what_changed_and_what_was_held_fixed(
    recorded: Recorded, same: Any
) -> None:
    slowed = whatif(recorded.journal, "--set", f"solver.s1.latency={SLOWER}")
    assert slowed["baseline"] == same["baseline"]
    assert (slowed["orders"], slowed["before"]) == (same["orders"], same["before"])
    how = slowed["how"]
    assert how["mode"] == "open loop"
    assert [(change["path"], change["after"]) for change in how["changes"]] == [("latency of s1", f"{SLOWER} more")]
    assert any("of MM1: their FIX bytes, as recorded" in line for line in how["held"])
    assert any("bids of s2, s1" in line or "bids of s1, s2" in line for line in how["held"])
    assert 0 < slowed["changed"] == len(slowed["changed_orders"]) <= slowed["orders"]
    assert {cause["cause"] for cause in slowed["causes"]} >= {"bid_refused"}
    assert ("bid_refused", "s1", "late") in {(one["cause"], one["solver"], one["reason"]) for one in slowed["causes"]}
    shares = {one["solver"]: (one["awards_before"], one["awards_after"]) for one in slowed["solvers"]}
    assert shares["s1"][0] > 0 == shares["s1"][1]
    assert shares["s2"][1] > shares["s2"][0]


def test_a_what_if_with_another_order_in_blocks_leaves_the_fairness_ledgers_of_both(
    recorded: Recorded, same: Any, tmp_path: Path
) -> None:
    out = tmp_path / "shuffled"
    other = whatif(recorded.journal, "--set", "sequencer.ordering=shuffle", "--out", str(out))["fairness"]
    assert same["fairness"]["before"] == same["fairness"]["after"] == other["before"]
    assert (other["before"]["policy"], other["after"]["policy"]) == ("fifo", "shuffle")
    assert other["before"]["blocks"] == other["after"]["blocks"] == len(recorded.logged["blocks"])
    assert other["before"]["messages"] == other["after"]["messages"] > 100
    assert (other["before"]["inversions"], other["before"]["displaced"]) == (0, 0)
    assert other["after"]["inversions"] >= other["after"]["displaced"] / 2 > 10
    assert [one["participant"] for one in other["participants"]] == ["MM1"]
    arrivals: dict[str, list[tuple[int, Any]]] = {"before": [], "after": []}
    for row in pq.read_table(out / "tables" / "placements.parquet").to_pylist():
        arrivals[row["run"]].append((row["global_seq"], row["received_time"]))
    assert arrivals["before"] == sorted(arrivals["after"])
    assert arrivals["before"] != arrivals["after"]
