"""Strategies are pure: equal problems get equal answers, and each keeps the promises of its name."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_UP, Decimal

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st
from msgspec.structs import replace

from core.market.orders import Side
from core.solver.problem import CostPlus, Params, Problem, Random, Unreliable
from core.solver.protocol import Bid, Offer
from core.solver.strategies.registry import STRATEGIES, pays, solve

PRICE = Decimal(2000)
LOT = Decimal("0.001")
DEADLINE = 10**9
ALL: list[Params] = [Random(), CostPlus(), Unreliable()]


def offer(
    order_id: str = "O-1",
    side: Side = "sell",
    quantity: str = "2",
    limit: str = "1990",
    *,
    lot: Decimal = LOT,
    partial: bool = True,
) -> Offer:
    base, quote = Decimal(quantity), (Decimal(quantity) * Decimal(limit)).quantize(Decimal("0.01"))
    given, taken = (base, quote) if side == "sell" else (quote, base)
    tokens = ("ETH", "USDC") if side == "sell" else ("USDC", "ETH")
    return Offer(order_id, "ETHUSDC", side, *tokens, lot, given, taken, partial)


def problem(params: Params, *orders: Offer, usdc: str = "1000000", eth: str = "1000") -> Problem:
    return Problem(
        solver="s1",
        seed=1,
        height=5,
        opened_at=0,
        bid_deadline=DEADLINE,
        orders=orders,
        prices=(("ETHUSDC", PRICE),),
        capital=(("USDC", Decimal(usdc)), ("ETH", Decimal(eth))),
        params=params,
    )


MANY = tuple(offer(f"O-{n}", "sell" if n % 2 else "buy", "0.5", "1990" if n % 2 else "2010") for n in range(1, 201))


def owner_bps(bid: Bid, of: Offer) -> Decimal:
    """By how much the owner does worse than the reference price, in basis points."""
    fair = PRICE if of.side == "sell" else 1 / PRICE
    return (1 - bid.conversion_rate / fair) * 10_000


def test_every_strategy_has_a_name_which_is_the_type_of_its_parameters() -> None:
    assert {name: strategy.params.__struct_config__.tag for name, strategy in STRATEGIES.items()} == {
        name: name for name in ("random", "cost_plus", "unreliable")
    }


@pytest.mark.parametrize("params", ALL)
def test_an_answer_depends_on_nothing_but_the_problem(params: Params) -> None:
    asked = problem(params, *MANY)
    assert solve(asked) == solve(asked)
    for other in (replace(asked, solver="s2"), replace(asked, seed=2), replace(asked, height=6)):
        assert solve(other).bids != solve(asked).bids


@pytest.mark.parametrize("params", ALL)
def test_bids_are_unique_valid_beyond_the_deadline_and_on_the_grid_of_rates(params: Params) -> None:
    bids = solve(problem(params, *MANY)).bids
    assert len({bid.bid_id for bid in bids}) == len({bid.order_id for bid in bids}) == len(bids) > 100
    for bid in bids:
        assert bid.valid_till > DEADLINE
        assert bid.conversion_rate == bid.conversion_rate.quantize(Decimal("1e-12"))


@pytest.mark.parametrize("params", ALL)
@pytest.mark.parametrize("capital", ["0", "100", "5000"])
def test_bids_of_one_batch_never_promise_more_than_the_capital(params: Params, capital: str) -> None:
    asked = problem(params, *MANY, usdc=capital, eth="3")
    offers = {of.order_id: of for of in asked.orders}
    promised = {"USDC": Decimal(0), "ETH": Decimal(0)}
    for bid in solve(asked).bids:
        of = offers[bid.order_id]
        output = bid.max_input * bid.conversion_rate
        promised[of.buy_token] += min(output, of.min_output) if of.side == "buy" else output
    assert promised["USDC"] <= Decimal(capital)
    assert promised["ETH"] <= 3


@pytest.mark.parametrize("params", ALL)
def test_without_a_price_there_is_no_bid(params: Params) -> None:
    assert solve(replace(problem(params, *MANY), prices=())).bids == ()


def test_random_bids_on_seven_orders_of_ten_within_its_spread() -> None:
    bids = solve(problem(Random(), *MANY)).bids
    assert 115 < len(bids) < 165
    offers = {of.order_id: of for of in MANY}
    worse = [owner_bps(bid, offers[bid.order_id]) for bid in bids]
    assert all(-50 <= bps <= 51 for bps in worse)
    assert min(worse) < -30
    assert max(worse) > 30
    assert len({bid.valid_till for bid in bids}) > 100


def test_random_takes_the_same_draws_for_an_order_whatever_it_does_about_the_one_before() -> None:
    always = problem(Random(bid_per_mille=1000), *MANY)
    sometimes = replace(always, params=Random(bid_per_mille=500))
    rates = {bid.order_id: bid.conversion_rate for bid in solve(always).bids}
    assert all(rates[bid.order_id] == bid.conversion_rate for bid in solve(sometimes).bids)


def test_cost_plus_is_worse_than_the_price_by_cost_margin_and_noise() -> None:
    bids = solve(problem(CostPlus(cost_bps=3, noise_bps=4, margin_bps=2), *MANY)).bids
    offers = {of.order_id: of for of in MANY}
    assert len(bids) == len(MANY)
    assert all(5 <= owner_bps(bid, offers[bid.order_id]) < Decimal("9.001") for bid in bids)


@pytest.mark.parametrize("side", ["sell", "buy"])
def test_cost_plus_does_not_bid_below_the_limit(side: Side) -> None:
    assert solve(problem(CostPlus(), offer(side=side, limit="2000"))).bids == ()
    out_of_the_money = "1998.9" if side == "sell" else "2001.1"
    exact = CostPlus(cost_bps=5, noise_bps=0, margin_bps=0)
    assert len(solve(problem(exact, offer(side=side, limit=out_of_the_money))).bids) == 1


def test_unreliable_bids_as_cost_plus_but_better_by_its_edge() -> None:
    honest = solve(problem(CostPlus(cost_bps=3, noise_bps=4, margin_bps=2), *MANY)).bids
    tempting = solve(problem(Unreliable(edge_bps=3, cost_bps=3, noise_bps=4, margin_bps=2), *MANY)).bids
    offers = {of.order_id: of for of in MANY}
    for one, other in zip(honest, tempting, strict=True):
        gain = owner_bps(one, offers[one.order_id]) - owner_bps(other, offers[other.order_id])
        assert abs(gain - 3) < Decimal("0.001")


def test_unreliable_leaves_its_share_unpaid_and_always_the_same_ones() -> None:
    decided = [pays(Unreliable(default_per_mille=300), 1, "s1", f"C-{n}") for n in range(1000)]
    assert 640 < sum(decided) < 760
    assert decided == [pays(Unreliable(default_per_mille=300), 1, "s1", f"C-{n}") for n in range(1000)]
    assert decided != [pays(Unreliable(default_per_mille=300), 1, "s2", f"C-{n}") for n in range(1000)]


@pytest.mark.parametrize("params", [Random(), CostPlus(), Unreliable(default_per_mille=0)])
def test_the_others_always_pay(params: Params) -> None:
    assert all(pays(params, 1, "s1", f"C-{n}") for n in range(100))


def test_part_of_a_sell_is_as_many_lots_as_the_capital_pays_for() -> None:
    [bid] = solve(problem(CostPlus(), offer(), usdc="1000")).bids
    assert bid.max_input == Decimal("0.500")
    [bid] = solve(problem(CostPlus(), offer(lot=Decimal("0.3")), usdc="3000")).bids
    assert bid.max_input == Decimal("1.5")


def test_part_of_a_buy_is_what_as_many_lots_as_the_capital_holds_cost() -> None:
    exact = CostPlus(cost_bps=0, noise_bps=0, margin_bps=0)
    [bid] = solve(problem(exact, offer(side="buy", limit="2010"), eth="0.50077")).bids
    assert (bid.max_input, bid.conversion_rate) == (Decimal("1000.00"), Decimal("0.0005"))
    [bid] = solve(problem(exact, offer(side="buy", limit="2010", lot=Decimal("0.3")), eth="0.8")).bids
    assert bid.max_input == Decimal("1200.00")


def test_part_of_a_buy_whose_costs_are_too_coarse_for_one_lot_is_less_rather_than_more_than_the_capital() -> None:
    dear = Offer("O-1", "ETHUSDC", "buy", "USDC", "ETH", LOT, Decimal(40_100), Decimal(20), True)
    cheap = replace(problem(CostPlus(cost_bps=0, noise_bps=0, margin_bps=0), dear), prices=(("ETHUSDC", Decimal(1)),))
    [bid] = solve(replace(cheap, capital=(("ETH", Decimal("10.5")),))).bids
    assert bid.max_input == 10
    assert solve(replace(cheap, capital=(("ETH", Decimal("0.5")),))).bids == ()


@pytest.mark.parametrize("params", ALL)
@pytest.mark.parametrize("side", ["sell", "buy"])
def test_less_capital_than_one_lot_needs_makes_no_bid(params: Params, side: Side) -> None:
    dust = replace(problem(params, *(offer(f"O-{n}", side, limit="2000") for n in range(20))), seed=3)
    for free in (("USDC", Decimal("1.9")), ("ETH", Decimal("0.00099"))):
        assert solve(replace(dust, capital=(free,))).bids == ()


@given(
    st.sampled_from(["sell", "buy"]),
    st.integers(1, 10**6),
    st.integers(1, 10**10),
    st.integers(0, 4),
    st.sampled_from(["0.001", "0.025", "0.3", "7"]),
)
def test_what_the_venue_makes_of_a_bid_for_a_part_is_whole_lots_within_the_capital(
    side: Side, lots: int, capital: int, decimals: int, lot: str
) -> None:
    quantity = lots * Decimal(lot)
    limit, rounding = (1990, ROUND_DOWN) if side == "sell" else (2010, ROUND_UP)
    quote = (quantity * limit).quantize(Decimal(1).scaleb(-decimals), rounding)
    tokens, amounts = (("ETH", "USDC"), (quantity, quote)) if side == "sell" else (("USDC", "ETH"), (quote, quantity))
    of = Offer("O-1", "ETHUSDC", side, *tokens, Decimal(lot), *amounts, True)
    free = Decimal(capital) / 10_000
    bids = solve(replace(problem(CostPlus(), of), capital=((of.buy_token, free),))).bids
    for bid in bids:
        output = bid.max_input * bid.conversion_rate
        traded = bid.max_input if side == "sell" else min(output, quantity) // of.lot * of.lot
        assert 0 < traded <= quantity
        assert not traded % of.lot
        assert (output if side == "sell" else traded) <= free
        assert bid.max_input <= of.input_amount
    assert bids or free < of.lot * (2000 if side == "sell" else 1) + Decimal(1).scaleb(-decimals)


def test_a_buy_is_bid_for_in_full_by_who_holds_just_its_quantity() -> None:
    [bid] = solve(problem(CostPlus(), offer(side="buy", limit="2010"), eth="2")).bids
    assert bid.max_input == 4020


def test_an_all_or_nothing_order_beyond_the_capital_gets_no_bid() -> None:
    assert solve(problem(CostPlus(), offer(partial=False), usdc="1000")).bids == ()


amounts = st.builds(lambda n, e: Decimal(n).scaleb(e), st.integers(-(10**28) + 1, 10**28 - 1), st.integers(-56, 27))


@given(st.tuples(amounts, amounts, amounts), st.sampled_from(["sell", "buy"]), st.booleans(), st.sampled_from(ALL))
def test_no_offer_that_the_protocol_lets_through_raises(
    terms: tuple[Decimal, Decimal, Decimal], side: Side, partial: bool, params: Params
) -> None:
    try:
        of = Offer("O-1", "ETHUSDC", side, "ETH", "USDC", *terms, partial)
    except ValueError:
        reject()
    assert all(bid.max_input > 0 for bid in solve(problem(params, of)).bids)
