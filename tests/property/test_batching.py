"""Whatever comes, whenever timers get through: every accepted message is in one block, in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from core.fix.records import ToPeer
from core.kernel.record import CancelTimer, Effect, Event, Note, Send, SetTimer, Start, Stop, TimerFired
from core.market.orders import Batch, CancelOrder, Order
from core.merkle import root
from core.sequencer.chain import Rebuilt, verify_history
from core.sequencer.facts import BlockSealed, CancelSequenced, OrderSequenced
from core.sequencer.history import History
from core.sequencer.leaf import Leaf, encode_leaf
from core.sequencer.ordering import Ordering, Policy
from core.sequencer.sequencer import Sequencer
from core.sequencer.settings import SequencerSettings
from core.units import MILLISECOND, Nanos
from tests.helpers import orders as market

T0 = 1_700_000_000_000_000_000
WIDTH = 10 * MILLISECOND

SETTINGS = st.builds(
    market.settings,
    batch_messages=st.integers(1, 5),
    batch_window=st.just(WIDTH),
    empty_windows_per_block=st.integers(0, 3),
    ordering=st.sampled_from([Ordering(policy, 2 * WIDTH, ("MM1",)) for policy in get_args(Policy)]),
)
GAPS = st.one_of(st.just(0), st.just(WIDTH), st.integers(0, 3 * WIDTH))
STEPS = st.lists(st.tuples(GAPS, st.sampled_from(["order", "order", "bad", "cancel"]), st.integers(1, 9)), max_size=40)


@dataclass
class Run:
    """A sequencer under a driver whose timers may be late, and what it sequenced and sealed."""

    sequencer: Sequencer
    armed: Nanos | None = None
    places: list[tuple[int, Order | CancelOrder]] = field(default_factory=list)
    leaves: list[Leaf] = field(default_factory=list)
    blocks: list[BlockSealed] = field(default_factory=list)
    batches: list[Batch] = field(default_factory=list)
    history: History = field(default_factory=History)
    told: list[Rebuilt] = field(default_factory=list)

    def handle(self, now: Nanos, event: Event) -> list[Effect]:
        effects = self.sequencer.handle(now, event)
        self.told += self.history.take(now, "sequencer", event, effects)
        for effect in effects:
            match effect:
                case SetTimer(at=at):
                    self.armed = at
                case CancelTimer():
                    assert self.armed is not None
                    self.armed = None
                case Note(fact=OrderSequenced(global_seq=seq, order=order)):
                    self._place(now, seq, order, event)
                case Note(fact=CancelSequenced(global_seq=seq, cancel=cancel)):
                    self._place(now, seq, cancel, event)
                case Note(fact=BlockSealed() as block):
                    self.blocks.append(block)
                case Send(body=Batch() as batch):
                    self.batches.append(batch)
                case Send(body=ToPeer()) | Note():
                    pass
                case other:
                    raise AssertionError(other)
        return effects

    def _place(self, now: Nanos, seq: int, item: Order | CancelOrder, event: Any) -> None:
        self.places.append((seq, item))
        self.leaves.append(Leaf(seq, now, item.owner, event.body.raw_hash))

    def fire_timers(self, now: Nanos, lateness: Nanos) -> None:
        """Wake up for every timer whose time, with this lateness, has come."""
        while self.armed is not None and self.armed + lateness <= now:
            at, self.armed = self.armed, None
            self.handle(at + lateness, TimerFired("window", at))


def play(config: SequencerSettings, steps: list[tuple[int, str, int]], lateness: Nanos) -> Run:
    run, now = Run(Sequencer("sequencer", config)), T0
    run.handle(now, Start())
    for n, (gap, kind, which) in enumerate(steps):
        run.fire_timers(now + gap, min(lateness, gap))
        now += gap
        if kind == "cancel":
            run.handle(now, market.from_peer(market.cancel(f"x{n}", f"c{which}"), f"MM{which % 2}", n))
        else:
            price = Decimal("0.01") if kind == "bad" else Decimal(2000)
            run.handle(now, market.from_peer(market.new_order(f"c{n}", price=price), f"MM{n % 2}", n))
    run.handle(now, Stop())
    return run


@settings(max_examples=150)
@given(SETTINGS, STEPS, st.sampled_from([0, 1, WIDTH, 5 * WIDTH]))
def test_every_accepted_message_is_in_exactly_one_block_in_the_order_of_the_policy(
    config: SequencerSettings, steps: list[tuple[int, str, int]], lateness: Nanos
) -> None:
    run = play(config, steps, lateness)
    assert [seq for seq, _ in run.places] == list(range(1, len(run.places) + 1))
    items, places = dict(run.places), iter(run.places)
    for block, batch in zip(run.blocks, run.batches, strict=True):
        arrived = [seq for seq, _ in islice(places, block.header.message_count)]
        assert sorted(block.sequence) in (arrived, [])
        assert list(batch.items) == [items[seq] for seq in block.sequence or arrived]
    assert next(places, None) is None


@settings(max_examples=150)
@given(SETTINGS, STEPS, st.sampled_from([0, 1, WIDTH, 5 * WIDTH]))
def test_blocks_are_a_chain_that_commits_to_the_messages(
    config: SequencerSettings, steps: list[tuple[int, str, int]], lateness: Nanos
) -> None:
    run = play(config, steps, lateness)
    headers = [block.header for block in run.blocks]
    assert [batch.height for batch in run.batches] == [header.height for header in headers]
    assert verify_history(run.told, run.sequencer.state.batch.head) is None
    leaves = iter(run.leaves)
    for header, block in zip(headers, run.blocks, strict=True):
        arrived = list(islice(leaves, header.message_count))
        by_seq = {leaf.global_seq: leaf for leaf in arrived}
        of_block = [by_seq[seq] for seq in block.sequence] or arrived
        assert header.message_root == root([encode_leaf(leaf) for leaf in of_block])
        assert all(header.opened_at <= leaf.received_at <= header.closed_at for leaf in of_block)
    assert next(leaves, None) is None


@settings(max_examples=150)
@given(SETTINGS, STEPS, st.sampled_from([0, 1, WIDTH, 5 * WIDTH]))
def test_no_batch_is_larger_than_its_limit_or_spans_two_windows(
    config: SequencerSettings, steps: list[tuple[int, str, int]], lateness: Nanos
) -> None:
    run = play(config, steps, lateness)
    leaves = iter(run.leaves)
    for block in run.blocks:
        of_block = [next(leaves) for _ in range(block.header.message_count)]
        assert len(of_block) <= config.batch_messages
        assert (block.trigger == "full") <= (len(of_block) == config.batch_messages)
        assert (block.trigger == "empty") == (not of_block)
        assert len({(leaf.received_at - T0) // WIDTH for leaf in of_block}) <= 1


@settings(max_examples=100)
@given(SETTINGS, STEPS)
def test_with_punctual_timers_no_block_is_late_and_every_window_end_is_on_the_grid(
    config: SequencerSettings, steps: list[tuple[int, str, int]]
) -> None:
    for block in play(config, steps, lateness=0).blocks:
        assert block.lateness == 0
        if block.trigger in ("window", "empty"):
            assert (block.header.closed_at - T0) % WIDTH == 0
