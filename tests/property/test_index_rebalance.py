"""Random weights, delistings, outages, buys and sells: the desk sells what it holds, and backs all of its tokens."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from core.execution.records import AssetOrder
from core.index.facts import RebalanceEnded, RebalanceSettled
from core.index.invariants import violations
from core.index.records import CuratorWeightsSet, DelistAsset, IndexOrderAccepted
from core.units import SECOND
from tests.helpers.index_desk import ALICE, BOB, DeskRig, golden_settings, levels

Step: TypeAlias = Callable[[DeskRig], object]
D = Decimal

GOLDEN = golden_settings()
SETTINGS = structs.replace(
    GOLDEN,
    limits=structs.replace(
        GOLDEN.limits,
        fee_factor=D("1.002"),
        max_order_volley_size=D(900),
        max_volley_size=D(1500),
        max_total_volley_size=D(4000),
        quantity_tolerance=D("1e-18"),
        collateral_tolerance=D("1e-6"),
    ),
    house_surplus_max=D(50),
    order_expiry_ns=90 * SECOND,
    client_order_wait_ns=SECOND,
    rebalance_interval_ns=0,
    rebalance_window_ns=20 * SECOND,
)
PRICES = {"AX": D(100), "AZ": D(300), "AW": D(10), "AV": D(40)}
ASSETS = list(PRICES)
ONE = D(1)
NOTHING = D("0.0001")
"""Money. Of amounts that are worth less nobody can be held to have all."""
UNTRADED = D(5) / D("0.9")
"""Money, at the middle: what is worth less at a seller's limit is no exchange order."""


def book(rig: DeskRig, asset: str, factor: Decimal = ONE, depth: int = 1000) -> None:
    """Give an asset a book around its price times `factor`; without depth, an empty one."""
    price = (PRICES[asset] * factor).quantize(D("0.01"))
    step = (price / 500).quantize(D("0.01"))
    bids, asks = levels((str(price - step), depth)), levels((str(price + step), depth))
    rig.set_book(asset, bids if depth else (), asks if depth else ())


def weighing(symbol: str, shares: list[int]) -> Step:
    weights = tuple((asset, D(share)) for asset, share in zip(ASSETS, shares, strict=True) if share)
    return lambda rig: rig.tell(CuratorWeightsSet(symbol, weights))


def delisting(asset: str, seconds: int) -> Step:
    return lambda rig: rig.tell(DelistAsset(asset, rig.now + seconds * SECOND))


def moving(asset: str, percent: int, depth: int) -> Step:
    return lambda rig: book(rig, asset, D(percent) / 100, depth)


def trading(shares: list[int]) -> Step:
    """The nth exchange order trades so many percent of what it is for."""

    def step(rig: DeskRig) -> None:
        def script(nth: int, order: AssetOrder) -> list[tuple[Decimal, Decimal]]:
            share = shares[nth % len(shares)]
            return [(order.quantity * share / 100, order.price)] if share else []

        rig.exchange.script = script

    return step


def outage(rig: DeskRig) -> None:
    """The exchange does not answer, or does again."""
    if rig.exchange.paused:
        rig.resume_exchange()
    else:
        rig.exchange.paused = True


def buying(user: str, symbol: str, amount: int) -> Step:
    return lambda rig: rig.order(_name(rig), str(amount), user=user, symbol=symbol)


def selling(user: str, symbol: str, percent: int) -> Step:
    def step(rig: DeskRig) -> None:
        there = rig.chain.balance(symbol, user)
        if there > 0:
            rig.give_tokens(there, user, symbol)
        amount = round(rig.desk.state.custody.balance(user, symbol) * percent / 100 - D("0.00005"), 4)
        if amount > 0:
            rig.order(_name(rig), str(amount), "sell", user=user, symbol=symbol)

    return step


def cancelling(user: str) -> Step:
    return lambda rig: rig.cancel(f"C-{len(rig.facts(IndexOrderAccepted))}", user)


def half_selling(user: str, symbol: str, asset: str, percent: int) -> Step:
    """A sell of which one asset finds no buyer for a while, in a market that moves; then its owner cancels it."""

    def step(rig: DeskRig) -> None:
        script = rig.exchange.script
        rig.exchange.script = lambda _, order: [] if order.symbol == asset else [(order.quantity, order.price)]
        selling(user, symbol, 100)(rig)
        rig.run(1.5)
        for other in ASSETS:
            book(rig, other, D(percent) / 100)
        rig.run(1.5)
        cancelling(user)(rig)
        rig.exchange.script = script

    return step


def refusing(rig: DeskRig) -> None:
    """Payments are refused, or are not any more."""
    rig.collateral.refuse = {} if rig.collateral.refuse else {"spend": "not_enough_funds", "hold": "no_route"}


def _name(rig: DeskRig) -> str:
    return f"C-{len(rig.facts(IndexOrderAccepted)) + 1}"


USERS, SYMBOLS = st.sampled_from([ALICE, BOB]), st.sampled_from(["IX", "IX", "IY"])
STEPS = st.one_of(
    st.builds(weighing, SYMBOLS, st.lists(st.integers(0, 5), min_size=4, max_size=4)),
    st.builds(delisting, st.sampled_from(ASSETS), st.integers(1, 60)),
    st.builds(moving, st.sampled_from(ASSETS), st.integers(60, 160), st.sampled_from([0, 0, 1, 30, 1000, 1000])),
    st.lists(st.sampled_from([0, 10, 50, 99, 100]), min_size=1, max_size=5).map(trading),
    st.just(outage),
    *[st.builds(buying, USERS, SYMBOLS, st.integers(5, 2000))] * 2,
    *[st.builds(selling, USERS, SYMBOLS, st.integers(10, 100))] * 2,
    st.builds(cancelling, USERS),
    st.builds(half_selling, USERS, SYMBOLS, st.sampled_from(ASSETS), st.sampled_from([70, 97, 100, 104, 150])),
    st.just(refusing),
    *[st.floats(0.05, 20).map(lambda seconds: lambda rig: rig.run(seconds))] * 4,
)


def rig_of() -> DeskRig:
    """A desk of two indexes that both have tokens, watched all the time."""
    rig = DeskRig(SETTINGS)
    for asset in ASSETS:
        book(rig, asset)

    def check() -> None:
        assert violations(rig.desk.state, rig.settings) == []
        for holding in rig.desk.state.inventory.holdings.values():
            assert holding.balance * PRICES[holding.asset] > -NOTHING, f"{holding.balance} {holding.asset} are owned"

    rig.after = check
    rig.weigh("IX", (("AX", D(1)), ("AZ", D(1))))
    rig.weigh("IY", (("AX", D(1)), ("AW", D(2))))
    rig.order("C-1", "1500")
    rig.order("C-2", "800", user=BOB, symbol="IY")
    rig.run(20)
    return rig


def come_to_rest(rig: DeskRig) -> None:
    """Let every outsider be at its best until nothing is left to happen."""
    rig.collateral.refuse = {}
    rig.exchange.script = lambda _, order: [(order.quantity, order.price)]
    rig.resume_exchange()
    for _ in range(6):
        for asset in ASSETS:
            book(rig, asset)
        rig.run(60)


def audit(rig: DeskRig) -> None:
    """What must hold when nothing is left to happen."""
    indexes = rig.desk.state.indexes
    assert (indexes.rebalances, indexes.leaving, indexes.house_batch) == ({}, {}, "")
    assert indexes.tasks == {}
    for index in indexes.live.values():
        needed = {asset: each * index.backed for asset, each in index.basket.quantities().items()}
        for asset in {**needed, **index.held}:
            off = index.held.get(asset, D(0)) - needed.get(asset, D(0))
            assert abs(off) * PRICES[asset] < NOTHING or 0 < off <= SETTINGS.limits.collateral_tolerance, (
                f"{index.symbol}: {off} {asset}"
            )
    for asset, price in PRICES.items():
        holding = rig.desk.state.inventory.holdings.get(asset)
        backing = sum((index.held.get(asset, D(0)) for index in indexes.live.values()), D(0))
        assert holding is None or (backing - holding.balance) * price < UNTRADED, f"{holding.balance} {asset} are owned"
    for asset in indexes.delisted:
        alone = [index for index in indexes.live.values() if list(index.basket.quantities()) == [asset]]
        holding = rig.desk.state.inventory.holdings.get(asset)
        assert alone or holding is None or holding.balance * PRICES[asset] < UNTRADED
        assert alone or not any(index.basket.has(asset) for index in indexes.live.values())


@settings(max_examples=15, deadline=None)
@given(st.lists(STEPS, min_size=5, max_size=25))
def test_tokens_are_backed_whatever_becomes_of_weights_and_assets(steps: list[Step]) -> None:
    rig = rig_of()
    for step in steps:
        step(rig)
    come_to_rest(rig)
    audit(rig)
    late = {fact.version for fact in rig.facts(RebalanceEnded) if fact.missing and fact.symbol == "IX"}
    made_good = {fact.version for fact in rig.facts(RebalanceSettled) if fact.symbol == "IX"}
    ended = {fact.version for fact in rig.facts(RebalanceEnded) if fact.symbol == "IX"}
    assert all(version in made_good or version + 1 in ended for version in late)


@settings(max_examples=5, deadline=None)
@given(st.lists(STEPS, min_size=5, max_size=20))
def test_a_desk_that_is_killed_before_every_event_rebalances_as_if_it_had_not_been(steps: list[Step]) -> None:
    rig, twin = rig_of(), rig_of()
    twin.restarts = True
    for one in (rig, twin):
        for step in steps:
            step(one)
        come_to_rest(one)
    assert twin.effects == rig.effects
    assert twin.desk.snapshot() == rig.desk.snapshot()
