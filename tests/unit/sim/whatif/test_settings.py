"""What `--set` and `--replace` may say about a recorded venue, and the one line that anything else gets."""

from __future__ import annotations

import re

import pytest

from core.config import VenueConfig
from core.errors import InputError
from core.solver.problem import CostPlus
from core.units import MILLISECOND
from sim.whatif.recording import Recording
from sim.whatif.replacement import replacements
from sim.whatif.settings import Change, change

BIDDERS = ("s1", "s2", "s3")


@pytest.fixture(scope="module")
def config(recording: Recording) -> VenueConfig:
    return recording.config


def test_settings_change_one_by_one_and_are_listed_with_what_they_were(config: VenueConfig) -> None:
    changed = change(config, ["auction.rule=second_price", "solver.s2.bond=2000", "pair.ETHUSDC.lot=0.01"], BIDDERS)
    assert changed.config.auction.rule == "second_price"
    assert [str(solver.bond) for solver in changed.config.solvers] == ["1000", "2000", "5000"]
    assert changed.config.solvers[1].token == config.solvers[1].token
    assert set(changed.changes) == {
        Change("auction.rule", "first_price", "second_price"),
        Change('solver "s2": bond', "1000", "2000"),
        Change('pair "ETHUSDC": lot', "0.001", "0.01"),
    }
    assert changed.delays == {}


def test_a_setting_that_stays_as_it_is_is_no_change(config: VenueConfig) -> None:
    same = change(config, ["auction.rule=first_price", "auction.bid_window=200ms"], BIDDERS)
    assert (same.config, same.changes) == (config, [])


def test_latency_is_what_is_added(config: VenueConfig) -> None:
    changed = change(config, ["solver.s2.latency=20ms", "market_maker.MM1.latency=1ms"], BIDDERS)
    assert changed.delays == {"s2": 20 * MILLISECOND, "MM1": MILLISECOND}
    assert changed.config == config


def test_the_order_within_blocks_can_change_beside_recorded_bids(config: VenueConfig) -> None:
    assert change(config, ["sequencer.ordering=shuffle"], BIDDERS).config.sequencer.ordering == "shuffle"


def test_who_bids_anew_can_bid_for_other_batches(config: VenueConfig) -> None:
    assert change(config, ["sequencer.batch_messages=7"], ()).config.sequencer.batch_messages == 7


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("auction.rulle=vcg", "--set auction.rulle=vcg: auction: unknown key `rulle` (did you mean `rule`?)"),
        ("auction.rule=third_price", 'there is no auction rule "third_price"'),
        ("solver.s9.latency=1ms", 'there is no solver "s9"'),
        ("solver.s2.strategy=random", "unknown key `strategy`"),
        ("solver.s2.latency=soon", 'expected a duration such as "250ms"'),
        ('solver.s2.latency={uniform=["1ms","2ms"]}', "by which all that arrives is later"),
        ("solver.s3.bond=1", 'solver "s3"'),
        ("fix.comp_id=OTHER", "every recorded FIX message is addressed to the old name"),
        ("sequencer.batch_window=1s", "cannot change in open loop: the recorded bids of s1, s2, s3 are for blocks"),
        ("sequencer.empty_windows_per_block=1", "cannot change in open loop"),
        ("run.seed=2", "unknown section `run`"),
        ("auction.rule", "expected PATH=VALUE"),
    ],
)
def test_what_cannot_change_is_one_clear_line(config: VenueConfig, text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=re.escape(complaint)) as raised:
        change(config, [text], BIDDERS)
    assert raised.value.message.count("\n") == 0


def test_a_replacement_names_strategy_parameters_and_distance(config: VenueConfig) -> None:
    [one, other] = replacements(["s1=cost_plus:margin_bps=2,latency=5ms,compute=2ms", "MM1=intents"], config, [])
    assert (one.name, one.params) == ("s1", CostPlus(margin_bps=2))
    assert (one.latency, one.compute) == (5 * MILLISECOND, 2 * MILLISECOND)
    assert (other.name, other.params, other.latency) == ("MM1", None, MILLISECOND)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("s1", "expected NAME=STRATEGY"),
        ("s1=", "expected NAME=STRATEGY"),
        ("s9=random", 'there is no participant "s9"'),
        ("s1=cost_minus", 'there is no strategy "cost_minus" (did you mean `cost_plus`?)'),
        ("s1=cost_plus:margin=2", "cost_plus: unknown key `margin` (did you mean `margin_bps`?)"),
        ("s1=cost_plus:margin_bps=two", "cost_plus.margin_bps: expected a whole number"),
        ("s1=cost_plus:margin_bps", "expected KEY=VALUE, got margin_bps"),
        ("s1=cost_plus:latency=5", 'latency: expected a duration such as "250ms"'),
        ("MM1=cost_plus", "a market maker is replaced by its recorded intents"),
        ("MM1=intents:compute=1ms", "unknown key `compute`"),
        ("s2=cost_plus", "says how much later its recorded bytes arrive"),
    ],
)
def test_what_cannot_take_a_place_is_one_clear_line(config: VenueConfig, text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=re.escape(complaint)):
        replacements([text], config, ["s2"])


def test_a_place_is_taken_once(config: VenueConfig) -> None:
    with pytest.raises(InputError, match="given twice"):
        replacements(["s1=random", "s1=cost_plus"], config, [])


def test_everything_that_is_wrong_with_several_settings_is_said_under_its_own_name(config: VenueConfig) -> None:
    wrong = ["auction.rule=foo", "auction.bid_window=90ms", "a.b=c", "solver.s1.latency=xx"]
    with pytest.raises(InputError) as raised:
        change(config, wrong, BIDDERS)
    first, second, third = raised.value.message.split("; ")
    assert first.startswith("--set auction.rule=foo: ")
    assert second.startswith("--set a.b=c: ")
    assert third.startswith("--set solver.s1.latency=xx: ")
