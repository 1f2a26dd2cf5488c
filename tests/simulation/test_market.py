"""The whole market in virtual time: same seed, same digest; journals replay; rules hold; planted bugs are caught."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal, localcontext
from io import BytesIO
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.auction import selection
from core.auction.desk import Desk
from core.auction.orders import LiveOrder
from core.auction.reasons import WaitReason
from core.auction.rules import Ranked
from core.auction.states import OrderState, OrderStep
from core.config import decode_node
from core.errors import ComponentFailed, FactViolated
from core.fix import codec, outbound
from core.kernel.journal import Header
from core.kernel.kernel import Snapshot
from core.kernel.reader import JournalReader
from core.kernel.replay import replay
from core.market.ledger import Ledger, Transferred
from core.market.orders import OrderFilled
from core.sequencer.batch import OpenBatch, Sealed
from core.sequencer.settings import SequencerSettings
from core.units import SECOND, Nanos, round_down
from core.wiring import CODEC, components
from sim.course import Progress
from sim.results.facts import Noted
from sim.scenario.load import load
from sim.simulation import Simulation

SCENARIO = """
[run]
duration = "2s"

[auction]
bond_token = "USDC"
default_penalty = "50"

[[token]]
id = "ETH"
decimals = 9
[[token]]
id = "USDC"
decimals = 6

[[pair]]
symbol = "ETHUSDC"
base = "ETH"
quote = "USDC"
tick = "0.01"
lot = "0.001"
quantity_max = "50"
price = {gbm = {start = "2000", volatility_bps = 10}}

[[market_maker]]
id = "MM1"
balance = {ETH = "1000", USDC = "2000000"}
arrivals = {poisson = "20ms"}
cancel_per_mille = 200
immediate_per_mille = 300
whole_per_mille = 300
latency = {uniform = ["1ms", "4ms"]}

[[market_maker]]
id = "MM2"
balance = {ETH = "2", USDC = "4000"}
arrivals = {fixed = "50ms"}

[[solver]]
id = "s1"
strategy = "random"
capital = {ETH = "100", USDC = "200000"}
bond = "1000"

[[solver]]
id = "s2"
strategy = "unreliable"
capital = {ETH = "1000", USDC = "2000000"}
bond = "500"
latency = "5ms"

[[solver]]
id = "s3"
capital = {ETH = "1000", USDC = "2000000"}
bond = "500"
"""


class Ran:
    """A finished simulation, with the journal of every node."""

    def __init__(self, folder: Path, seed: int, *overrides: str) -> None:
        file = folder / "small.toml"
        file.write_text(SCENARIO)
        loaded = load(file, seed=seed, overrides=overrides)
        self.sinks: dict[str, BytesIO] = {}
        header = Header("", loaded.scenario.run.seed, b"", loaded.hash)
        self.simulation = Simulation(loaded.venue, {}, header, self.open)

    def open(self, node: str) -> BytesIO:
        return self.sinks.setdefault(node, BytesIO())

    def run(self, watch: Callable[[Progress], bool] = lambda _progress: True) -> Ran:
        self.whole = self.simulation.run(watch)
        return self

    @property
    def facts(self) -> list[Noted]:
        return self.simulation.notes

    def journal(self, node: str) -> JournalReader:
        return JournalReader(f"{node}.romer", self.sinks[node].getvalue())


def statuses(ran: Ran) -> dict[str, int]:
    """How many facts of each kind were stated."""
    counts: dict[str, int] = {}
    for noted in ran.facts:
        kind = type(noted.fact).__name__
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def test_everything_that_can_happen_to_an_order_happens_and_every_order_ends(tmp_path: Path) -> None:
    ran = Ran(tmp_path, 1).run()
    counts = statuses(ran)
    for kind in ("OrderFilled", "OrderExpired", "OrderFailed", "OrderCancelled", "CommitmentDefaulted"):
        assert counts.get(kind, 0) > 0, f"no {kind} in {counts}"
    assert counts["OrderReassigned"] > 0
    fills = [noted.fact for noted in ran.facts if isinstance(noted.fact, OrderFilled)]
    filled = sum(1 for fill in fills if not fill.leaves_quantity)
    ended = filled + counts["OrderExpired"] + counts["OrderFailed"] + counts["OrderCancelled"]
    assert ended == counts["OrderSequenced"]


def test_the_same_seed_gives_the_same_digest_and_another_seed_another(tmp_path: Path) -> None:
    digests = [Ran(tmp_path, seed).run().simulation.digest() for seed in (1, 1, 2)]
    assert digests[0] == digests[1] != digests[2]


def test_results_do_not_depend_on_how_often_progress_is_asked(tmp_path: Path) -> None:
    seen: list[Progress] = []

    def watch(progress: Progress) -> bool:
        seen.append(progress)
        return True

    ran = Ran(tmp_path, 1).run(watch)
    assert ran.simulation.digest() == Ran(tmp_path, 1).run().simulation.digest()
    assert [p.elapsed for p in seen] == sorted(p.elapsed for p in seen)
    assert seen[-1].elapsed == seen[-1].whole


def test_the_callers_decimal_context_changes_nothing(tmp_path: Path) -> None:
    expected = Ran(tmp_path, 1).run().simulation.digest()
    with localcontext(prec=6):
        assert Ran(tmp_path, 1).run().simulation.digest() == expected


@pytest.mark.parametrize("seed", range(4))
def test_shuffled_ties_change_the_schedule_but_not_what_must_hold(tmp_path: Path, seed: int) -> None:
    shuffled = Ran(tmp_path, seed, "run.ties=shuffled").run()
    fifo = Ran(tmp_path, seed).run()
    assert shuffled.whole
    assert shuffled.simulation.digest() != fifo.simulation.digest()
    assert statuses(shuffled)["OrderSequenced"] == statuses(fifo)["OrderSequenced"] > 100


CHANGES = st.fixed_dictionaries(
    {
        "run.duration": st.integers(50, 500).map("{}ms".format),
        "run.ties": st.sampled_from(["fifo", "shuffled"]),
        "market_maker.MM1.cancel_per_mille": st.integers(0, 1000),
        "solver.s2.latency": st.integers(0, 300).map("{}ms".format),
    }
)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), changes=CHANGES)
def test_every_journal_replays_to_its_digest(
    tmp_path_factory: pytest.TempPathFactory, seed: int, changes: dict[str, object]
) -> None:
    overrides = [f"{path}={value}" for path, value in changes.items()]
    ran = Ran(tmp_path_factory.mktemp("run"), seed, *overrides).run()
    digests = ran.simulation.digests()
    assert list(digests) == ["venue", "MM1", "MM2", "s1", "s2", "s3"]
    for node, digest in digests.items():
        reader = ran.journal(node)
        replayed = replay(reader, components(decode_node(reader.header.config), reader.header.seed), CODEC)
        assert replayed.digest == digest


@pytest.mark.parametrize("node", ["venue", "MM1", "s2"])
def test_a_snapshot_and_the_rest_of_the_journal_give_the_digest_of_the_whole_run(tmp_path: Path, node: str) -> None:
    ran = Ran(tmp_path, 3)
    kept: list[Snapshot] = []

    def watch(progress: Progress) -> bool:
        if not kept and progress.elapsed > SECOND:
            kept.append(ran.simulation.nodes[node].kernel.snapshot())
        return True

    ran.run(watch)
    reader = ran.journal(node)
    fresh = components(decode_node(reader.header.config), reader.header.seed)
    assert kept[0].chain.count > 0
    assert replay(reader, fresh, CODEC, since=kept[0]).digest == ran.simulation.digests()[node]


def test_a_stopped_run_is_partial_and_its_journals_are_whole(tmp_path: Path) -> None:
    ran = Ran(tmp_path, 1).run(lambda progress: progress.elapsed < SECOND)
    assert not ran.whole
    for node, digest in ran.simulation.digests().items():
        reader = ran.journal(node)
        assert len(list(reader.deliveries())) > 0
        assert reader.end is not None
        assert reader.end.digest == digest


class TestPlantedBugs:
    """A wrong line in the market's own code stops the run, with the rule and the evidence."""

    @pytest.fixture
    def caught(self, tmp_path: Path) -> Callable[[], str]:
        def run() -> str:
            with pytest.raises((FactViolated, ComponentFailed)) as caught:
                Ran(tmp_path, 1).run()
            return str(caught.value)

        return run

    def test_money_made_of_nothing(self, caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
        honest = Ledger._set

        def generous(ledger: Ledger, account: str, token: str, balance: Decimal) -> None:
            honest(ledger, account, token, balance + 1 if account == "user:MM1" and balance else balance)

        monkeypatch.setattr(Ledger, "_set", generous)
        assert caught().startswith("conservation: user:MM1 holds ")

    @pytest.mark.parametrize(
        ("rule", "wrong", "told"),
        [
            ("release", "user:MM1", "go to user:MM1 (release)"),
            ("settle", "solver:s1", "go to solver:s1 (settle)"),
            ("deposit", "user:MM1", "go to user:MM1 (deposit)"),
            ("penalty", "solver:s3", "go to solver:s3 (penalty)"),
        ],
    )
    def test_money_that_goes_to_somebody_else(
        self, caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch, rule: str, wrong: str, told: str
    ) -> None:
        honest = Ledger.transfer

        def crooked(ledger: Ledger, token: str, amount: Decimal, *way: str) -> Transferred:
            src, dst, reason = way
            return honest(ledger, token, amount, src, wrong if reason == rule else dst, reason)

        monkeypatch.setattr(Ledger, "transfer", crooked)
        assert caught().startswith("payments: ")
        assert told in caught()

    def test_a_settlement_that_pays_half(self, caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
        honest = Ledger.transfer

        def stingy(ledger: Ledger, token: str, amount: Decimal, *way: str) -> Transferred:
            part = round_down(amount / 2, 6) if way[0].startswith("escrow:") else amount
            return honest(ledger, token, part, *way)

        monkeypatch.setattr(Ledger, "transfer", stingy)
        assert caught().startswith("payments: C-")

    def test_a_second_commitment_beside_a_live_one(
        self, caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        honest = selection._commit

        def twice(desk: Desk, now: Nanos, live: LiveOrder, height: int, ranked: Ranked) -> None:
            honest(desk, now, live, height, ranked)
            live.state = OrderState.IN_AUCTION
            honest(desk, now, live, height, ranked)

        monkeypatch.setattr(selection, "_commit", twice)
        assert caught().startswith("one live commitment per order: O-")

    def test_a_fill_below_the_limit(self, caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> None:
        honest = selection._commit

        def stingy(desk: Desk, now: Nanos, live: LiveOrder, height: int, ranked: Ranked) -> None:
            short = msgspec.structs.replace(ranked, output_amount=round_down(ranked.output_amount / 2, 6))
            honest(desk, now, live, height, short)

        monkeypatch.setattr(selection, "_commit", stingy)
        assert "fills within limits: F-1 of O-" in caught()

    def test_an_order_that_lives_on_after_its_end(
        self, caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def forgetful(live: LiveOrder, _step: OrderStep) -> None:
            live.state = OrderState.OPEN

        honest = Desk.expire

        def expire(desk: Desk, live: LiveOrder, reason: WaitReason) -> None:
            honest(desk, live, reason)
            desk.state.orders[live.order.order_id] = live
            forgetful(live, OrderStep.REOPENED)

        monkeypatch.setattr(Desk, "expire", expire)
        assert caught().startswith("no effect after a terminal state: O-")

    def test_a_fix_message_without_a_number_of_its_own(
        self, caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        honest = codec.encode

        def stuck(body: bytes, begin_string: bytes) -> bytes:
            return honest(body.replace(b"\x0134=7\x01", b"\x0134=6\x01"), begin_string)

        monkeypatch.setattr(outbound, "encode", stuck)
        assert "FIX sequence: " in caught()

    def test_a_block_that_does_not_link_to_the_one_before(
        self, caught: Callable[[], str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        honest = OpenBatch.seal

        def seal(batch: OpenBatch, now: Nanos, settings: SequencerSettings) -> Sealed:
            sealed = honest(batch, now, settings)
            batch.head = bytes(32)
            return sealed

        monkeypatch.setattr(OpenBatch, "seal", seal)
        assert caught() == "block chain: block 2 does not link to the hash of block 1"
