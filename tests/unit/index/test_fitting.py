"""How a batch is fitted to books and caps: the reference's own vectors, and what must not happen any more."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest
from msgspec import structs

from core.index.basket import Basket, BasketAsset, Unpriced
from core.index.fitting import plan, quote
from core.index.planning import (
    Amounts,
    AssetView,
    Demand,
    HeldLot,
    Mode,
    NoRoom,
    NotPlanned,
    Plan,
    PlanLimits,
    PlanProblem,
    PlanReason,
)
from core.index.sizing import whole_steps_up
from core.index.validate import violations
from core.index.wishes import wished_quantity
from core.market.orders import Side
from core.units import EXACT, MONEY
from tests.unit.index.scripted import levels, view

D = Decimal
NONE = D(0)
BOTH = pytest.mark.parametrize("mode", list(Mode))


def basket(symbol: str, **quantities: int | str) -> Basket:
    """A basket of these quantities."""
    return Basket(symbol, tuple(BasketAsset(asset, D(0), D(quantity)) for asset, quantity in quantities.items()))


IX, IZ = basket("IX", AX=8, AZ=1), basket("IZ", AX=5, AW=50)
VIEWS = (
    view("AX", levels((99, 100)), levels((100, 100))),
    view("AZ", levels((198, 200)), levels((200, 200))),
    view("AW", levels((9, 500)), levels((10, 500))),
)
ASKS = {view.asset: view.best_ask or D(0) for view in VIEWS}
LIMITS = PlanLimits(
    price_threshold=D(0),
    max_levels=3,
    fee_factor=D(1),
    max_order_volley_size=D(10**6),
    max_volley_size=D(10**6),
    min_asset_volley_size=D(5),
    asset_volley_step_size=D("0.2"),
    max_total_volley_size=D(10**6),
    min_total_volley_available=D(1),
    house_exposure_max=D(10**6),
)


def buy(number: int, symbol: str, remaining: int | str, carried: int | str = 0) -> Demand:
    """A buy for collateral."""
    return Demand(f"I-{number}", symbol, "buy", D(remaining), D(carried))


def sell(number: int, symbol: str, tokens: int | str) -> Demand:
    """A sell of tokens."""
    return Demand(f"I-{number}", symbol, "sell", D(tokens))


def problem(
    *demands: Demand,
    limits: PlanLimits = LIMITS,
    views: tuple[AssetView, ...] = VIEWS,
    outstanding: Decimal = NONE,
    reserved: Amounts = (),
    held: tuple[HeldLot, ...] = (),
) -> PlanProblem:
    """A problem of these orders, with both baskets."""
    return PlanProblem(
        demands=demands,
        baskets=(IX, IZ),
        views=views,
        limits=limits,
        outstanding_volley=outstanding,
        reserved_asks=reserved,
        held=held,
    )


def planned(of: PlanProblem) -> Plan:
    """Its plan, which is valid."""
    made = plan(of)
    assert isinstance(made, Plan)
    if of.limits.mode is Mode.CORRECTED:
        assert violations(of, made) == []
    return made


def engaged(made: Plan) -> dict[str, Decimal]:
    """Index tokens by order."""
    return {one.order_id: one.quantity for one in made.engagements}


def ordered(made: Plan, side: Side = "buy") -> dict[str, Decimal]:
    """What goes to the exchange, by asset."""
    return {row.asset: row.quantity for row in made.assets if row.side == side and row.quantity}


def held(
    asset: str,
    quantity: int | str,
    price: int | str | Decimal,
    *,
    house: bool = False,
    side: Side = "buy",
    cost: int | str | None = None,
) -> HeldLot:
    """A lot in stock. There was no fee, unless a unit cost something else, or brought it."""
    return HeldLot(asset, side, D(quantity), D(price), D(price if cost is None else cost), house)


@BOTH
@pytest.mark.parametrize(
    ("changes", "quotes", "engagements"),
    [
        ({}, ("1", "5"), (("1", "1000", "1000"), ("5", "1000", "5000"))),
        ({"max_order_volley_size": D(1000)}, ("1", "5"), (("1", "1000", "1000"), ("1", "1000", "1000"))),
        (
            {"max_volley_size": D(1000)},
            ("1", "5"),
            (("0.16666", "1000", "166.66666"), ("0.83333", "1000", "833.33333")),
        ),
        (
            {"fee_factor": D("1.01")},
            ("0.990099", "4.950495"),
            (("0.99009", "1000", "1000"), ("4.95049", "1000", "5000")),
        ),
        (
            {"price_threshold": D("0.01")},
            ("0.990099", "4.950495"),
            (("0.99009", "1010", "1000"), ("4.95049", "1010", "5000")),
        ),
    ],
    ids=["unlimited", "order cap", "batch cap", "fee 1 %", "threshold 1 %"],
)
def test_the_vectors_of_the_reference(
    mode: Mode, changes: dict[str, Decimal], quotes: tuple[str, ...], engagements: tuple[tuple[str, str, str], ...]
) -> None:
    limits = structs.replace(LIMITS, mode=mode, **changes)
    made = planned(problem(buy(1, "IX", 1000), buy(2, "IZ", 5000), limits=limits, outstanding=D(1000)))
    for one, printed in zip(made.engagements, engagements, strict=True):
        for figure, shown in zip((one.quantity, one.price, one.collateral), printed, strict=True):
            assert 0 <= figure + D("1e-12") - D(shown) < D("1e-5")
    for index, amount, shown in zip((IX, IZ), (1000, 5000), quotes, strict=True):
        got = quote(index, ASKS, limits, side="buy", amount=D(amount))
        assert abs(got.quantity_possible - D(shown)) < D("1e-6")


@BOTH
def test_no_room_says_how_much_there_is_and_drops_nobody(mode: Mode) -> None:
    limits = structs.replace(LIMITS, mode=mode, max_total_volley_size=D(1000))
    assert plan(problem(buy(1, "IX", 1000), limits=limits, outstanding=D(1000))) == NoRoom(D(0), D(1))


def test_liquidity_that_one_order_cannot_use_goes_to_the_others() -> None:
    # IZ is stopped by AW: 500 of 50 a unit allow 10 units of its 20. Each wishes 160 and 100 of the 200 AX there are
    views = (view("AX", (), levels((100, 200))), view("AZ", (), levels((200, 200))), VIEWS[2])
    orders = (buy(1, "IX", 20_000), buy(2, "IZ", 20_000))
    simple = planned(problem(*orders, views=views, limits=structs.replace(LIMITS, mode=Mode.REFERENCE)))
    assert engaged(simple) == {"I-1": pytest.approx(D(20) * 200 / 260), "I-2": D(10)}
    better = engaged(planned(problem(*orders, views=views)))
    # 200 AX less the 50 of IZ's ten units are for IX: 150 / 8 = 18.75 units
    assert better == {"I-1": D("18.75"), "I-2": D(10)}


def test_an_asset_without_a_price_stops_only_the_orders_that_need_it() -> None:
    views = (*VIEWS[:2], structs.replace(VIEWS[2], fresh=False))
    orders = (buy(1, "IX", 1000), buy(2, "IZ", 5000))
    made = planned(problem(*orders, views=views))
    assert engaged(made) == {"I-1": D(1)}
    assert made.deferred == (NotPlanned("I-2", PlanReason.NO_PRICE, "AW"),)
    assert made.failed == ()
    reference = planned(problem(*orders, views=views, limits=structs.replace(LIMITS, mode=Mode.REFERENCE)))
    assert [one.order_id for one in reference.deferred] == ["I-1", "I-2"]


def test_an_illiquid_asset_defers_the_orders_that_need_it_and_fails_none() -> None:
    views = (*VIEWS[:2], view("AW", (), levels((10, "0.4"))))
    orders = (buy(1, "IX", 1000), buy(2, "IZ", 5000))
    made = planned(problem(*orders, views=views))
    assert engaged(made) == {"I-1": D(1)}
    assert made.deferred == (NotPlanned("I-2", PlanReason.NO_LIQUIDITY, "AW"),)
    reference = planned(problem(*orders, views=views, limits=structs.replace(LIMITS, mode=Mode.REFERENCE)))
    assert reference.failed == (NotPlanned("I-2", PlanReason.NO_LIQUIDITY, "AW"),)


@BOTH
def test_an_unknown_index_fails_its_order_alone(mode: Mode) -> None:
    made = planned(problem(buy(1, "NO", 10), buy(2, "IX", 1000), limits=structs.replace(LIMITS, mode=mode)))
    assert made.failed == (NotPlanned("I-1", PlanReason.UNKNOWN_INDEX),)
    assert engaged(made) == {"I-2": D(1)}


@BOTH
def test_an_order_for_next_to_nothing_waits(mode: Mode) -> None:
    made = planned(problem(buy(1, "IX", "0.0000001"), limits=structs.replace(LIMITS, mode=mode)))
    assert made.deferred == (NotPlanned("I-1", PlanReason.TOO_SMALL),)
    assert not made.engagements
    assert not made.assets


def test_liquidity_that_running_batches_mean_to_take_is_not_there() -> None:
    made = planned(problem(buy(1, "IX", 10_000), reserved=(("AX", D(60)),)))
    assert engaged(made) == {"I-1": D(5)}
    limits = structs.replace(LIMITS, mode=Mode.REFERENCE)
    assert engaged(planned(problem(buy(1, "IX", 10_000), reserved=(("AX", D(60)),), limits=limits))) == {"I-1": D(10)}


def test_stock_is_used_and_the_shortfall_bought_in_the_same_batch() -> None:
    stock = (held("AX", 3, 100), held("AX", 1, 99, house=True))
    made = planned(problem(buy(1, "IX", 1000), held=stock))
    ax = made.assets[0]
    assert (ax.demand, ax.stock, ax.quantity) == (D(8), D(4), D(4))
    reference = planned(problem(buy(1, "IX", 1000), held=stock, limits=structs.replace(LIMITS, mode=Mode.REFERENCE)))
    assert ordered(reference) == {"AZ": D(1)}


def test_stock_that_costs_more_than_the_market_is_left_where_it_is() -> None:
    made = planned(problem(buy(1, "IX", 1000), held=(held("AX", 3, "100.01"),)))
    assert made.assets[0].stock == 0
    assert ordered(made)["AX"] == 8


def test_a_sale_of_stock_at_the_limit_is_taken_and_none_below_it() -> None:
    made = planned(problem(sell(1, "IX", 1), held=(held("AX", 3, 99, side="sell", cost=90),)))
    assert made.assets[0].stock == 3
    made = planned(problem(sell(1, "IX", 1), held=(held("AX", 3, "98.9999", side="sell"),)))
    assert made.assets[0].stock == 0


def test_fees_beyond_the_factor_do_not_make_stock_unusable() -> None:
    """Bought anew it would cost the same fee: the order would buy again and again, and the house hold all of it."""
    limits = structs.replace(LIMITS, fee_factor=D("1.001"))
    made = planned(problem(buy(1, "IX", 1000), held=(held("AX", 3, 100, cost="100.3"),), limits=limits))
    assert made.assets[0].stock == 3


def test_what_is_carried_and_no_order_may_take_counts_as_the_houses() -> None:
    limits = structs.replace(LIMITS, house_exposure_max=D(300))
    dear, padding = held("AX", "2.999", "100.01", cost=101), buy(1, "IX", "10.1")
    made = planned(problem(padding, held=(dear,), limits=limits))
    assert made.deferred == (NotPlanned("I-1", PlanReason.HOUSE_EXPOSURE, "AZ"),)
    assert engaged(planned(problem(padding, held=(held("AX", "2.999", 100, cost=101),), limits=limits)))


def test_few_tokens_are_sold_if_they_are_worth_something() -> None:
    """The tolerance is one of money: of what costs 990 a millionth is no dust."""
    assert engaged(planned(problem(sell(1, "IX", "0.0000005")))) == {"I-1": D("0.0000005")}
    made = planned(problem(sell(1, "IX", "0.000000001")))
    assert made.deferred == (NotPlanned("I-1", PlanReason.TOO_SMALL),)


def test_stock_makes_up_for_a_book_that_is_empty() -> None:
    views = (view("AX", (), ((D(100), D("0.01")),)), *VIEWS[1:])
    made = planned(problem(buy(1, "IX", 1000), views=views, held=(held("AX", 4, 100),)))
    assert engaged(made) == {"I-1": D("0.5")}
    assert "AX" not in ordered(made)


def test_small_orders_are_padded_up_and_steps_are_whole() -> None:
    made = planned(problem(buy(1, "IX", "10.1")))
    # AX is worth 8.08 and padded to 8.2; AZ 2.02, less than the smallest order of 5
    assert ordered(made) == {"AX": D("0.082"), "AZ": D("0.025")}
    assert made.volley == D("13.2")
    assert [row.surplus for row in made.assets] == [D("0.0012"), D("0.0149")]


@pytest.mark.parametrize(
    ("steps", "whole"),
    [
        ("10100", "10100"),
        ("10100.00000000000000000000001", "10100"),
        ("10099.9999999999999999999999", "10100"),
        ("10100.000000000000001", "10101"),
        ("0.3", "1"),
        ("0", "0"),
    ],
)
def test_rounding_makes_no_step_of_its_own(steps: str, whole: str) -> None:
    assert whole_steps_up(D(steps)) == D(whole)


def test_padding_never_goes_beyond_the_book() -> None:
    views = (view("AX", (), levels((100, "8.0005"))), *VIEWS[1:])
    assert ordered(planned(problem(buy(1, "IX", 1000 + 1), views=views)))["AX"] == D("8.0005")


def test_what_the_house_may_hold_limits_padding_and_the_last_order_waits() -> None:
    orders = (buy(1, "IX", 1000), buy(2, "IZ", "1.1"))
    # AW is worth 0.55 and would be padded by 4.45
    tight = structs.replace(LIMITS, house_exposure_max=D(4))
    made = planned(problem(*orders, limits=tight))
    assert engaged(made) == {"I-1": D(1)}
    assert made.deferred == (NotPlanned("I-2", PlanReason.HOUSE_EXPOSURE, "AW"),)
    full = problem(
        *orders, limits=structs.replace(tight, house_exposure_max=D(100)), held=(held("AZ", 1, 200, house=True),)
    )
    # House lots are used, which makes room for more surplus
    assert set(engaged(planned(full))) == {"I-1", "I-2"}


def test_what_the_house_will_get_leaves_no_more_room_than_what_it_has() -> None:
    order, tight = buy(1, "IZ", "1.1"), structs.replace(LIMITS, house_exposure_max=D(100))
    # AX and AW are padded by 4.45 each
    coming = (held("AX", 1, 100, house=True),)
    assert set(engaged(planned(problem(order, limits=tight)))) == {"I-1"}
    for of in (problem(order, limits=tight, held=coming), structs.replace(problem(order, limits=tight), tied=coming)):
        made = planned(of)
        assert [one.reason for one in made.deferred] == [PlanReason.HOUSE_EXPOSURE]


def test_steps_are_given_up_before_orders_are() -> None:
    limits = structs.replace(LIMITS, house_exposure_max=D(0))
    made = planned(problem(buy(1, "IX", "1000.1"), limits=limits))
    assert ordered(made) == {"AX": D("8.0008"), "AZ": D("1.0001")}


def test_exchange_orders_never_exceed_what_may_be_outstanding() -> None:
    limits = structs.replace(LIMITS, max_total_volley_size=D(1006))
    made = planned(problem(buy(1, "IX", 1000), buy(2, "IZ", 4), limits=limits))
    # 802 of AX, 200 of AZ and the smallest order of AW make 1007, though 1004 are wished
    assert engaged(made) == {"I-1": D(1)}
    assert made.deferred == (NotPlanned("I-2", PlanReason.NO_VOLLEY),)


def test_engaging_less_than_was_carried_gives_the_difference_back() -> None:
    views = (view("AX", (), levels((100, 4))), *VIEWS[1:])
    (one,) = planned(problem(buy(1, "IX", 100, 900), views=views)).engagements
    assert (one.collateral, one.new_collateral) == (D(500), D(-400))


def test_fractions_sum_to_one_to_the_last_digit() -> None:
    made = planned(problem(buy(1, "IX", 100), buy(2, "IX", 100), buy(3, "IZ", 100)))
    assert sum((part.fraction for one in made.engagements for part in one.parts if part.asset == "AX"), D(0)) == 1


def test_a_sell_is_engaged_by_quantity_at_the_bid() -> None:
    limits = structs.replace(LIMITS, price_threshold=D("0.01"))
    made = planned(problem(sell(1, "IX", 2), limits=limits))
    (one,) = made.engagements
    # 99 percent of 8 times 99 and 198
    assert (one.quantity, one.price, one.collateral) == (D(2), D("980.10"), D(2))
    assert ordered(made, "sell") == {"AX": D(16), "AZ": D(2)}
    assert {row.limit for row in made.assets} == {D("98.01"), D("196.02")}


def test_a_sell_is_limited_by_the_bids() -> None:
    made = planned(problem(sell(1, "IX", 20)))
    assert engaged(made) == {"I-1": D("12.5")}


def test_buys_and_sells_are_crossed_in_the_middle_before_they_go_to_market() -> None:
    made = planned(problem(buy(1, "IX", 1000), sell(2, "IZ", 1)))
    assert ordered(made) == {"AX": D(3), "AZ": D(1)}
    assert ordered(made, "sell") == {"AW": D(50)}
    (crossing,) = made.crossings
    assert (crossing.asset, crossing.quantity, crossing.price) == ("AX", D(5), D("99.5"))


def test_a_sell_too_small_for_the_market_goes_to_the_house_at_the_bid() -> None:
    made = planned(problem(sell(1, "IX", "0.01")))
    assert ordered(made, "sell") == {"AX": D("0.08")}
    (crossing,) = made.crossings
    assert (crossing.asset, crossing.quantity, crossing.price, crossing.to_house) == ("AZ", D("0.01"), D(198), True)
    none = planned(problem(sell(1, "IX", "0.01"), limits=structs.replace(LIMITS, house_exposure_max=D(1))))
    assert none.deferred == (NotPlanned("I-1", PlanReason.HOUSE_EXPOSURE, "AZ"),)


def test_levels_limit_the_price_unless_they_are_worth_too_little() -> None:
    views = (view("AX", (), levels((100, 1), (101, 1), (102, 1), (103, 1))), *VIEWS[1:])
    limits = structs.replace(LIMITS, price_threshold=D("0.05"), max_levels=2)
    ax = planned(problem(buy(1, "IX", 1000), views=views, limits=limits)).assets[0]
    assert (ax.limit, ax.liquidity) == (D(101), D(2))
    ax = planned(
        problem(buy(1, "IX", 1000), views=views, limits=structs.replace(limits, min_asset_volley_size=D(210)))
    ).assets[0]
    assert (ax.limit, ax.liquidity) == (D(105), D(4))


def test_padding_of_many_assets_is_used_up_by_the_batches_that_follow() -> None:
    names = [f"A{number:02}" for number in range(81)]
    limits = PlanLimits(max_total_volley_size=D(10_000), house_exposure_max=D(400))
    of = PlanProblem(
        demands=(Demand("I-1", "SY100", "buy", D(20)),),
        baskets=(Basket("SY100", tuple(BasketAsset(name, D(0), D(1)) for name in names)),),
        views=tuple(view(name, levels((1, 900)), levels((1, 1000))) for name in names),
        limits=limits,
    )
    first = planned(of)
    # The smallest orders make 405 of some 20; the house keeps the rest, which is less than the 400 it may hold
    assert first.volley == 81 * 5
    surplus = sum((row.surplus * row.limit for row in first.assets), D(0))
    assert D(385) < surplus < D(386)
    stock = tuple(held(row.asset, str(row.surplus), 1, house=True) for row in first.assets)
    second = planned(structs.replace(of, held=stock))
    assert second.volley == 0
    assert sum((row.stock for row in second.assets), D(0)) > 19
    strict = structs.replace(of, limits=structs.replace(limits, house_exposure_max=D(300)))
    assert [one.reason for one in planned(strict).deferred] == [PlanReason.HOUSE_EXPOSURE]


def test_a_quote_looks_at_prices_alone() -> None:
    assert quote(IX, ASKS, LIMITS, side="buy", amount=D(5000)).quantity_possible == 5
    bids = {one.asset: one.best_bid or D(0) for one in VIEWS}
    got = quote(IX, bids, structs.replace(LIMITS, fee_factor=D("1.1")), side="sell", amount=D(2))
    assert (got.quantity_possible, got.price) == (D(1800), D(990))


def test_a_quote_names_every_asset_without_a_price() -> None:
    with pytest.raises(Unpriced, match="AX, AZ"):
        quote(IX, {"AW": D(10), "AZ": D(0)}, LIMITS, side="buy", amount=D(1))


@BOTH
def test_the_smallest_orders_of_a_live_run_are_padded_as_they_were(mode: Mode) -> None:
    # Section 9.4: 12 EUR for SO2. Its quantities are printed cut to five decimals, so figures agree to 3e-5.
    so2 = basket("SO2", BNBEUR="1.06318", ETHEUR="0.17878")
    tops = {"BNBEUR": D("564.326427"), "ETHEUR": D("2238.063784")}
    asks = {asset: levels((str(limit / D("1.0001")), 100)) for asset, limit in tops.items()}
    limits = PlanLimits(price_threshold=D("0.0001"), fee_factor=D("1.001"), min_asset_volley_size=D(5), mode=mode)
    made = plan(
        PlanProblem(
            demands=(buy(1, "SO2", 12),),
            baskets=(so2,),
            views=tuple(view(asset, (), side) for asset, side in asks.items()),
            limits=structs.replace(limits, asset_volley_step_size=D("0.2")),
        )
    )
    assert isinstance(made, Plan)
    (one,) = made.engagements
    assert one.price == pytest.approx(D("1000.12554847"), rel=D("3e-5"))
    assert one.quantity == pytest.approx(D("0.01198650710"), rel=D("3e-5"))
    assert {row.asset: row.limit for row in made.assets} == pytest.approx(tops, rel=D("1e-20"))
    assert [row.demand * row.limit for row in made.assets] == pytest.approx([D("7.19172"), D("4.79629")], rel=D("3e-5"))
    # 7.19172 up to a step of 0.2, and 4.79629 up to the smallest order
    assert [row.quantity * row.limit for row in made.assets] == pytest.approx([D("7.2"), D(5)], rel=D("1e-20"))


def test_a_sell_wishes_no_more_than_what_is_left_of_it_however_many_digits_that_has() -> None:
    left, carried = D("12345678901234.123456789012345678"), D("9876543210.987654321098774000")
    with localcontext(MONEY):
        wished = wished_quantity(Demand("I-1", "IX", "sell", left, carried), D("1E-12"), LIMITS)
    short = EXACT.subtract(EXACT.add(left, carried), wished)
    assert 0 <= short < D("1E-13")


def test_a_whole_token_that_there_is_enough_for_is_engaged_whatever_its_share_of_the_wish() -> None:
    limits = structs.replace(LIMITS, index_decimals=0)
    views = (view("AX", (), levels((100, 8))), *VIEWS[1:])
    of = problem(buy(1, "IX", 3000), limits=limits, views=views)
    assert engaged(planned(of)) == {"I-1": D(1)}
