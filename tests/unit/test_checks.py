"""A node that cannot be run as configured: all that is wrong with it, where, what was expected, what was given."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core.checks import problems
from core.config import (
    AuctionConfig,
    DoorsConfig,
    Duration,
    FixConfig,
    MakerConfig,
    MemberConfig,
    PulseConfig,
    SequencerConfig,
    SessionOptions,
    SolverAccountConfig,
    SolverConfig,
    VenueConfig,
)
from core.faults import dotted
from core.market.orders import Pair, Token
from core.solver.problem import CostPlus, Params, Random, Unreliable
from core.units import MILLISECOND, SECOND

USDC = Token("USDC", 6)
ETHUSDC = Pair("ETHUSDC", Token("ETH", 8), USDC, Decimal("0.01"), Decimal("0.001"), Decimal(100))
BTCUSDC = Pair("BTCUSDC", Token("BTC", 8), USDC, Decimal("0.1"), Decimal("0.001"), Decimal(10))
AUCTION = AuctionConfig(bond_token="USDC", default_penalty=Decimal(100))
MEMBERS = tuple(MemberConfig(id=name, balance={"ETH": Decimal(5)}) for name in ("MM1", "MM2"))
SOLVERS = tuple(
    SolverAccountConfig(id=name, token=f"token of {name}", capital={"USDC": Decimal(5)}, bond=Decimal(500))
    for name in ("s1", "s2")
)
VENUE = VenueConfig(
    pairs=(ETHUSDC, BTCUSDC), sequencer=SequencerConfig(), auction=AUCTION, members=MEMBERS, solvers=SOLVERS
)
MAKER = MakerConfig(id="MM1", venue_comp_id="ROMER", address="venue/fix")
SOLVER = SolverConfig(id="s1", token="t", address="venue/solvers", params=CostPlus())


NO_LANE = 'has no meaning with ordering "fifo", only with "express_lane"'


def said(config: Any, *tokens: Token) -> list[str]:
    return [f"{dotted(fault.path)}: {fault.problem}" for fault in problems(config, tokens)]


def pair(**changes: Any) -> VenueConfig:
    return replace(VENUE, pairs=(replace(ETHUSDC, **changes), BTCUSDC))


def auction(**changes: Any) -> VenueConfig:
    return replace(VENUE, auction=replace(AUCTION, **changes))


def sequencer(**changes: Any) -> VenueConfig:
    return replace(VENUE, sequencer=SequencerConfig(**changes))


def express(**changes: Any) -> VenueConfig:
    lane = SequencerConfig(ordering="express_lane", head_start=Duration(1), express=("MM1",))
    return replace(VENUE, sequencer=replace(lane, **changes))


def member(**changes: Any) -> VenueConfig:
    return replace(VENUE, members=(MEMBERS[0], replace(MEMBERS[1], **changes)))


def solver(**changes: Any) -> VenueConfig:
    return replace(VENUE, solvers=(SOLVERS[0], replace(SOLVERS[1], **changes)))


def bidding(params: Params) -> SolverConfig:
    return replace(SOLVER, params=params)


DAYS = Duration(5 * 86_400 * SECOND, "5d")
A_DAY = "expected a duration of at most 1d, got 5d"
AMOUNT = 'expected an amount such as "100.25", zero or more, got'
TOO_LONG = "expected a duration from 0s to 3650d, got"

BAD: list[tuple[Any, str]] = [
    # --- single fields
    (sequencer(batch_messages=0), "sequencer.batch_messages: expected a whole number >= 1, got 0"),
    (
        sequencer(batch_messages=1 << 62),
        f"sequencer.batch_messages: expected a whole number of at most 62 bits, got {1 << 62}",
    ),
    (sequencer(receipt_blocks=-1), "sequencer.receipt_blocks: expected a whole number >= 0, got -1"),
    (sequencer(express=("MM1",)), f"sequencer.express: {NO_LANE}"),
    (sequencer(head_start=Duration(1)), f"sequencer.head_start: {NO_LANE}"),
    (express(head_start=Duration(0)), "sequencer.head_start: must be above zero, got 0s"),
    (express(head_start=DAYS), f"sequencer.head_start: {A_DAY}"),
    (express(express=()), "sequencer.express: nobody is in the express lane: it needs at least one market maker"),
    (express(express=("MM1", "MX")), 'sequencer.express[1]: there is no market maker "MX"'),
    (sequencer(empty_windows_per_block=-1), "sequencer.empty_windows_per_block: expected a whole number >= 0, got -1"),
    (sequencer(batch_window=Duration(0)), "sequencer.batch_window: must be above zero, got 0s"),
    (sequencer(order_lifetime=Duration(0)), "sequencer.order_lifetime: must be above zero, got 0s"),
    (sequencer(order_lifetime=Duration(1 << 62)), f"sequencer.order_lifetime: {TOO_LONG} 4611686018427387.904us"),
    (auction(bid_window=Duration(0)), "auction.bid_window: must be above zero, got 0s"),
    (auction(fulfil_window=Duration(0), grace=Duration(0)), "auction.fulfil_window: must be above zero, got 0s"),
    (auction(default_penalty=Decimal("NaN")), f'auction.default_penalty: {AMOUNT} "NaN"'),
    (auction(default_penalty=Decimal(-1)), f'auction.default_penalty: {AMOUNT} "-1"'),
    (
        auction(default_penalty=Decimal("1E-30")),
        "auction.default_penalty: expected an amount of at most 28 digits, decimals included, got 1E-30",
    ),
    (
        member(balance={"ETH": Decimal(10**18)}),
        f"members[1].balance.ETH: expected an amount below {10**18}, got {10**18}",
    ),
    (member(balance={"ETH": Decimal("Infinity")}), f'members[1].balance.ETH: {AMOUNT} "Infinity"'),
    (solver(bond=Decimal("sNaN")), f'solvers[1].bond: {AMOUNT} "sNaN"'),
    (solver(token=""), "solvers[1].token: expected a secret, got an empty text"),
    (pair(tick=Decimal(0)), "pairs[0].tick: must be above zero, got 0"),
    (pair(lot=Decimal("0.000")), "pairs[0].lot: must be above zero, got 0.000"),
    (
        replace(VENUE, fix=FixConfig(message_bytes_max=100)),
        "fix.message_bytes_max: expected a whole number >= 1024, got 100",
    ),
    (replace(VENUE, fix=FixConfig(fields_max=10)), "fix.fields_max: expected a whole number >= 64, got 10"),
    (
        replace(VENUE, fix=FixConfig(session=SessionOptions(group_entries_max=0))),
        "fix.session.group_entries_max: expected a whole number >= 1, got 0",
    ),
    (solver(token="x" * 257), "solvers[1].token: expected a secret of at most 256 characters, got 257"),
    (
        sequencer(empty_windows_per_block=10**10),
        "sequencer.empty_windows_per_block: 10000000000 windows of 500ms last beyond 3650d",
    ),
    (sequencer(batch_window=DAYS), f"sequencer.batch_window: {A_DAY}"),
    (auction(bid_window=DAYS), f"auction.bid_window: {A_DAY}"),
    (auction(fulfil_window=DAYS), f"auction.fulfil_window: {A_DAY}"),
    (auction(grace=DAYS), f"auction.grace: {A_DAY}"),
    (replace(VENUE, doors=DoorsConfig(logon_timeout=DAYS)), f"doors.logon_timeout: {A_DAY}"),
    (replace(VENUE, doors=DoorsConfig(authentication_timeout=DAYS)), f"doors.authentication_timeout: {A_DAY}"),
    (replace(VENUE, doors=DoorsConfig(pulse=PulseConfig(interval=DAYS))), f"doors.pulse.interval: {A_DAY}"),
    (replace(MAKER, reconnect_interval=DAYS), f"reconnect_interval: {A_DAY}"),
    (replace(SOLVER, pulse=PulseConfig(timeout=DAYS)), f"pulse.timeout: {A_DAY}"),
    (bidding(CostPlus(cost_bps=-(10**18))), f"params.cost_bps: expected a whole number >= -9999, got {-(10**18)}"),
    (bidding(CostPlus(noise_bps=-1)), "params.noise_bps: expected a whole number >= 0, got -1"),
    (bidding(Unreliable(edge_bps=10_000)), "params.edge_bps: expected a whole number <= 9999, got 10000"),
    (bidding(Random(bid_per_mille=1001)), "params.bid_per_mille: expected a whole number <= 1000, got 1001"),
    (bidding(Random(spread_bps=10_000)), "params.spread_bps: expected a whole number <= 9999, got 10000"),
    (
        auction(default_penalty=Decimal("1E-9999999999")),
        "auction.default_penalty: expected an amount of at most 28 digits, decimals included, got 1E-9999999999",
    ),
    (
        member(balance={"ETH": Decimal("1E+9999999999")}),
        "members[1].balance.ETH: expected an amount of at most 28 digits, decimals included, got 1E+9999999999",
    ),
    # --- names
    (auction(rule="first_prize"), 'auction.rule: there is no auction rule "first_prize"'),
    (auction(bond_token="UDSC"), 'auction.bond_token: there is no token "UDSC"'),
    (member(balance={"DOGE": Decimal(1)}), 'members[1].balance.DOGE: there is no token "DOGE"'),
    (solver(capital={"ETH": Decimal(1), "DOGE": Decimal(1)}), 'solvers[1].capital.DOGE: there is no token "DOGE"'),
    (member(id="MM1"), 'members[1].id: "MM1" is also the id of a market maker'),
    (solver(id="s1", token="another"), 'solvers[1].id: "s1" is also the id of a solver'),
    (solver(id="MM1"), 'solvers[1].id: "MM1" is also the id of a market maker'),
    (member(id="ROMER"), 'members[1].id: "ROMER" is also the venue\'s CompID'),
    (solver(id="venue"), 'solvers[1].id: "venue" is also the venue\'s name'),
    (
        solver(token="token of s1"),
        'solvers[1].token: it is the token of "s1" too, so that each could pass for the other',
    ),
    (pair(symbol="BTCUSDC"), 'pairs[1].symbol: "BTCUSDC" is used twice'),
    # --- what depends on several fields
    (
        solver(bond=Decimal("99.9")),
        "solvers[1].bond: 99.9 is below auction.default_penalty, 100, so that none of its bids could count",
    ),
    (
        solver(capital={"ETH": Decimal(0)}),
        "solvers[1].capital: nothing to trade with: it needs some ETH or USDC or BTC",
    ),
    (pair(quote=ETHUSDC.base), "pairs[0]: base and quote are both ETH"),
    (pair(quote=Token("USDC", 2)), "pairs[1].quote.decimals: USDC has 6 decimals here and 2 elsewhere"),
    (pair(lot=Decimal("0.000000001")), "pairs[0].lot: 1E-9 is finer than the 8 decimals of ETH"),
    (
        pair(quantity_max=Decimal("1.000000001")),
        "pairs[0].quantity_max: 1.000000001 is finer than the 8 decimals of ETH",
    ),
    (
        member(balance={"ETH": Decimal("1.000000001")}),
        "members[1].balance.ETH: 1.000000001 is finer than the 8 decimals of ETH",
    ),
    (
        solver(capital={"USDC": Decimal("1.0000001")}),
        "solvers[1].capital.USDC: 1.0000001 is finer than the 6 decimals of USDC",
    ),
    (solver(bond=Decimal("500.0000001")), "solvers[1].bond: 500.0000001 is finer than the 6 decimals of USDC"),
    (
        auction(default_penalty=Decimal("0.0000001")),
        "auction.default_penalty: 1E-7 is finer than the 6 decimals of USDC",
    ),
    (pair(lot=Decimal(101)), "pairs[0].quantity_max: 100 is below the lot of 101"),
    (
        pair(base=Token("ETH", 18), lot=Decimal("1E-18"), quantity_max=Decimal(10**10)),
        "pairs[0].quantity_max: 10000000000 has more than 28 digits down to the lot of 1E-18",
    ),
    # --- those who trade there
    (replace(MAKER, reconnect_interval=Duration(0)), "reconnect_interval: expected a duration of at least 1ms, got 0s"),
    (
        replace(MAKER, heartbeat_interval=Duration(1_500 * MILLISECOND)),
        "heartbeat_interval: expected whole seconds, as FIX has it, and at most 86400, got 1.5s",
    ),
    (
        replace(MAKER, heartbeat_interval=Duration(86_401 * SECOND)),
        "heartbeat_interval: expected whole seconds, as FIX has it, and at most 86400, got 86401s",
    ),
    (
        replace(SOLVER, reconnect_interval=Duration(0)),
        "reconnect_interval: expected a duration of at least 1ms, got 0s",
    ),
]


@pytest.mark.parametrize("config", [VENUE, MAKER, SOLVER])
def test_a_node_that_can_be_run_has_no_problems(config: Any) -> None:
    assert problems(config) == []


@pytest.mark.parametrize(("config", "problem"), BAD, ids=[problem for _, problem in BAD])
def test_a_problem_is_found_once_with_its_place_what_was_expected_and_what_was_given(config: Any, problem: str) -> None:
    assert said(config) == [problem]


def test_everything_is_found_at_once() -> None:
    wrong = replace(
        VENUE,
        sequencer=SequencerConfig(batch_messages=0, batch_window=Duration(0)),
        auction=AuctionConfig(rule="x", bond_token="USDC", default_penalty=Decimal("NaN")),
        solvers=(SOLVERS[0], replace(SOLVERS[0], bond=Decimal(-1))),
    )
    assert said(wrong) == [
        "sequencer.batch_messages: expected a whole number >= 1, got 0",
        f'auction.default_penalty: {AMOUNT} "NaN"',
        f'solvers[1].bond: {AMOUNT} "-1"',
        'solvers[1].id: "s1" is also the id of a solver',
        'auction.rule: there is no auction rule "x"',
        "sequencer.batch_window: must be above zero, got 0s",
    ]


def test_a_venue_without_pairs_is_said_to_have_none_and_nothing_more_than_that_is_known_of_tokens() -> None:
    found = said(replace(VENUE, pairs=()))
    assert found[0] == "pairs: the venue trades nothing: it needs at least one pair"
    assert all("there is no token" in problem for problem in found[1:])


def test_a_token_that_no_pair_trades_may_be_held_when_it_is_known() -> None:
    config = member(balance={"DOGE": Decimal(1)})
    assert said(config) == ['members[1].balance.DOGE: there is no token "DOGE"']
    doge = Token("DOGE", 2)
    assert said(config, doge) == []
    assert said(auction(bond_token="DOGE"), doge) == []
    finer = "0.001 is finer than the 2 decimals of DOGE"
    assert said(member(balance={"DOGE": Decimal("0.001")}), doge) == [f"members[1].balance.DOGE: {finer}"]
    assert said(auction(bond_token="DOGE", default_penalty=Decimal("0.001")), doge) == [
        f"auction.default_penalty: {finer}"
    ]


@pytest.mark.parametrize("days", [-1, 3651])
def test_a_duration_is_neither_negative_nor_beyond_what_instants_can_hold(days: int) -> None:
    span = Duration(days * 86_400 * SECOND)
    for config in (sequencer(batch_window=span), replace(MAKER, reconnect_interval=span)):
        (problem,) = said(config)
        assert "expected a duration" in problem
        assert f"{days * 86_400}s" in problem


numbers = st.one_of(st.sampled_from(["NaN", "sNaN", "-Infinity", "0", "-0"]).map(Decimal), st.decimals())


@given(st.lists(numbers, min_size=6, max_size=6), st.integers(-(2**80), 2**80), st.text(max_size=3))
def test_whatever_a_configuration_holds_is_judged_and_nothing_raises(
    amounts: list[Decimal], number: int, text: str
) -> None:
    tick, lot, most, penalty, bond, held = amounts
    token = Token(text, number)
    config = VenueConfig(
        name=text,
        pairs=(Pair(text, token, USDC, tick, lot, most),),
        sequencer=SequencerConfig(batch_messages=number, batch_window=Duration(number)),
        auction=AuctionConfig(rule=text, grace=Duration(number), bond_token=text, default_penalty=penalty),
        members=(MemberConfig(id=text, balance={text: held}),),
        solvers=(SolverAccountConfig(id=text, token=text, capital={text: held}, bond=bond),),
    )
    assert problems(config)


def test_a_solver_has_one_connection_or_three() -> None:
    config = replace(SOLVER, bids_address="venue:8081")
    assert said(config) == ["claims_address: a solver has one connection for everything, or three"]
    assert said(replace(config, claims_address="venue:8082")) == []


def test_whoever_is_in_a_door_has_some_time() -> None:
    doors = DoorsConfig(hello_timeout=Duration(0), pulse=PulseConfig(timeout=Duration(0)))
    assert said(replace(VENUE, doors=doors)) == [
        "doors.hello_timeout: must be above zero, got 0s",
        "doors.pulse.timeout: must be above zero, got 0s",
    ]
