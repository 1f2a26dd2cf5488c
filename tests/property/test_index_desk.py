"""Random lives of an index desk: whatever arrives and whenever, its invariants hold and every order ends once."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from core.execution.records import AssetOrder
from core.index.facts import ChainDisputed, OrderRepaid
from core.index.invariants import answer_violations, violations
from core.index.invoices import MintInvoice
from core.index.records import (
    CuratorWeightsSet,
    DelistAsset,
    IndexOrderAccepted,
    IndexOrderEnded,
    Outcome,
    TokensKept,
)
from core.index.settings import DeskSettings, PlannerName
from core.index.token_invariants import token_violations
from core.market.orders import Side
from core.units import SECOND
from tests.helpers.index_desk import ALICE, BOB, BOOKS, DeskRig, golden_settings, levels

Step: TypeAlias = Callable[[DeskRig], object]
D = Decimal

GOLDEN = golden_settings()
SETTINGS = structs.replace(
    GOLDEN,
    limits=structs.replace(
        GOLDEN.limits,
        max_order_volley_size=D(900),
        max_volley_size=D(1500),
        max_total_volley_size=D(2500),
        min_total_volley_available=D(100),
        house_exposure_max=D(60),
        quantity_tolerance=D("1e-18"),
        collateral_tolerance=D("1e-6"),
    ),
    order_expiry_ns=90 * SECOND,
    crossing_wait_ns=2 * SECOND,
    custody_wait_ns=20 * SECOND,
    client_order_wait_ns=SECOND,
    active_per_user_max=3,
    rebalance_interval_ns=5 * SECOND,
    rebalance_window_ns=30 * SECOND,
    chain_timeout_ns=3 * SECOND,
    ended_orders_max=5,
)
USERS = [ALICE, BOB]
MARKETS = [
    ("AX", *BOOKS["AX"]),
    ("AX", levels((99, 1)), levels((100, "0.05"))),
    ("AX", levels(("50.5", 100)), levels((51, 100))),
    ("AX", levels((90, 10)), ()),
    ("AZ", *BOOKS["AZ"]),
    ("AZ", (), ()),
    ("AZ", levels((400, 30), (390, 100)), levels((401, 2), (402, 100))),
    ("AW", levels((9, 1000)), levels((10, 1000))),
]
WEIGHINGS = [
    (("AX", D("0.5")), ("AZ", D("0.5"))),
    (("AX", D(1)), ("AW", D(3))),
    (("AW", D(1)),),
    (("AX", D(0)), ("AW", D(3))),
    (("AX", D(8)), ("AZ", D(2))),
]
TRADES: list[list[tuple[str, str]]] = [
    [("1", "1")],
    [],
    [("0.6", "0.995"), ("0.4", "1")],
    [("0.3", "0.998")],
    [("0.3", "1"), ("0.2", "1")],
]
"""Shares of an order's quantity, and of how far a price may go against it, that trade."""


def ordering(user: str, side: Side, cents: int, symbol: str) -> Step:
    def step(rig: DeskRig) -> None:
        places = "0.01" if side == "buy" else "0.0001"
        name = f"C-{len(rig.facts(IndexOrderAccepted)) + 1}"
        rig.order(name, str(D(cents) * D(places)), side, user=user, symbol=symbol)

    return step


def changing(user: str, number: int, cents: int | None) -> Step:
    def step(rig: DeskRig) -> None:
        accepted = rig.facts(IndexOrderAccepted)
        name = accepted[-1 - number % len(accepted)].client_order_id if accepted else "C-0"
        if cents is None:
            rig.cancel(name, user)
        else:
            rig.amend(name, str(D(cents) / 100), user)

    return step


def trading(choices: list[int]) -> Step:
    def step(rig: DeskRig) -> None:
        def script(nth: int, order: AssetOrder) -> list[tuple[Decimal, Decimal]]:
            trades = TRADES[choices[nth % len(choices)]]
            if order.side == "sell":
                return [(order.quantity * D(share), order.price / D(price)) for share, price in trades]
            return [(order.quantity * D(share), order.price * D(price)) for share, price in trades]

        rig.exchange.script = script

    return step


def pausing(what: str) -> Step:
    def step(rig: DeskRig) -> None:
        part = rig.exchange if what == "exchange" else rig.collateral
        if not part.paused:
            part.paused = True
        elif what == "exchange":
            rig.resume_exchange()
        else:
            rig.resume_collateral()

    return step


def refusing(stage: str) -> Step:
    def step(rig: DeskRig) -> None:
        rig.collateral.refuse = {} if rig.collateral.refuse or not stage else {stage: "not_enough_funds"}

    return step


def troubling_chain(refused: int, silent: int) -> Step:
    def step(rig: DeskRig) -> None:
        rig.chain_refuses, rig.chain_silent = refused, silent

    return step


def barring(kinds: set[str]) -> Step:
    def step(rig: DeskRig) -> None:
        rig.chain_declines = kinds

    return step


def giving(user: str, percent: int) -> Step:
    def step(rig: DeskRig) -> None:
        held = rig.chain.balance("IX", user)
        amount = (held * percent / 100).quantize(D("0.0001"))
        if 0 < amount <= held:
            rig.give_tokens(amount, user)

    return step


def round_trip(user: str, percent: int) -> Step:
    """Buy, wait for the tokens, and sell a part of them."""

    def step(rig: DeskRig) -> None:
        ordering(user, "buy", 80_000, "IX")(rig)
        rig.run(25)
        giving(user, percent)(rig)
        held = rig.desk.state.custody.balance(user, "IX")
        ordering(user, "sell", int(held * 10_000), "IX")(rig)

    return step


def weighing(choice: int) -> Step:
    return lambda rig: rig.tell(CuratorWeightsSet("IX", WEIGHINGS[choice]))


def delisting(asset: str, seconds: int) -> Step:
    return lambda rig: rig.tell(DelistAsset(asset, rig.now + seconds * SECOND))


def moving(choice: int) -> Step:
    return lambda rig: rig.set_book(*MARKETS[choice])


STEPS = st.one_of(
    *[
        st.builds(
            ordering,
            st.sampled_from(USERS),
            st.sampled_from(["buy", "buy", "sell"]),
            st.integers(0, 200_000),
            st.sampled_from(["IX", "IX", "IX", "IY"]),
        )
    ]
    * 3,
    st.builds(changing, st.sampled_from(USERS), st.integers(0, 5), st.none() | st.integers(1, 100_000)),
    st.floats(0.05, 15).map(lambda seconds: lambda rig: rig.run(seconds)),
    st.floats(0.05, 2).map(lambda seconds: lambda rig: rig.run(seconds)),
    st.lists(st.integers(0, len(TRADES) - 1), min_size=1, max_size=6).map(trading),
    st.sampled_from(["exchange", "collateral"]).map(pausing),
    st.sampled_from(["", "route", "preauthorise", "spend", "hold", "pay_out", "repay", "take_back"]).map(refusing),
    st.builds(troubling_chain, st.integers(0, 2), st.integers(0, 2)),
    st.sets(st.sampled_from(["mint", "burn", "return", "unsold", "invoice", "weights"])).map(barring),
    st.builds(giving, st.sampled_from(USERS), st.integers(1, 100)),
    st.builds(round_trip, st.sampled_from(USERS), st.integers(20, 100)),
    st.builds(round_trip, st.sampled_from(USERS), st.integers(20, 100)),
    st.integers(0, len(WEIGHINGS) - 1).map(weighing),
    st.builds(delisting, st.sampled_from(["AX", "AZ", "AW"]), st.integers(-1, 60)),
    st.integers(0, len(MARKETS) - 1).map(moving),
    st.integers(0, len(MARKETS) - 1).map(moving),
)


def rig_of(desk_settings: DeskSettings = SETTINGS) -> DeskRig:
    """A desk under its invariants, with an index that has a market and one more asset that might be in it."""
    rig = DeskRig(desk_settings, books={"AW": (levels((9, 1000)), levels((10, 1000)))})
    rig.collateral.hop_fees = (D("0.01"),)

    def check() -> None:
        assert violations(rig.desk.state, rig.settings) == []

    rig.after = check
    rig.weigh()
    return rig


def live(rig: DeskRig, steps: list[Step]) -> None:
    """Take all steps, then let every outsider be at its best until nothing is left to happen."""
    for step in steps:
        step(rig)
    rig.collateral.refuse, rig.chain_refuses, rig.chain_silent = {}, 0, 0
    rig.chain_declines = set()
    rig.resume_exchange()
    rig.resume_collateral()
    rig.run(400)


def kept_tokens(rig: DeskRig) -> dict[tuple[str, str], Decimal]:
    """What is in custody, if that is only what the chain has declined to give back."""
    custody, returns = rig.desk.state.custody, [key for key in rig.declined if key.startswith(("return", "unsold"))]
    free = {(user, symbol): amount for user, tokens in custody.free.items() for symbol, amount in tokens.items()}
    assert all(custody.kept_of(*whose) == amount for whose, amount in free.items())
    assert len(rig.facts(TokensKept)) == len(returns)
    return free


def audit_end(rig: DeskRig) -> None:
    """What must hold when nothing is left to happen."""
    state, ended = rig.desk.state, rig.facts(IndexOrderEnded)
    accepted = [fact.order_id for fact in rig.facts(IndexOrderAccepted)]
    assert list(answer_violations(accepted, [fact.order_id for fact in ended], over=True)) == []
    assert (state.orders.live, state.batches.running, state.batches.of_order, state.chain.calls) == ({}, {}, {}, {})
    assert state.stock.carried == {}
    assert (state.line.line, state.line.active, state.line.aside, state.custody.locked) == ({}, {}, {}, {})
    assert set(rig.timers) <= {"books", "value"}
    assert token_violations(state, rig.chain) == []
    assert kept_tokens(rig) == {
        (user, symbol): held for symbol, holders in rig.chain.custody.items() for user, held in holders.items()
    }
    assert rig.facts(ChainDisputed) == []
    minted = sum((fact.filled_quantity for fact in rig.facts(MintInvoice)), D(0))
    assert minted == sum((fact.filled_quantity for fact in ended if fact.side == "buy"), D(0))
    assert sum((index.supply for index in state.indexes.live.values()), D(0)) >= 0
    repaid = {fact.order_id for fact in rig.facts(OrderRepaid)}
    assert repaid == rig.collateral.repaid.keys()
    assert repaid.isdisjoint(fact.order_id for fact in rig.facts(MintInvoice))
    for fact in ended:
        if fact.outcome is Outcome.MINTED:
            assert fact.filled_quantity > 0


@settings(max_examples=12, deadline=None)
@given(st.lists(STEPS, min_size=8, max_size=25))
def test_invariants_hold_after_every_event_and_every_order_ends_once(steps: list[Step]) -> None:
    rig = rig_of()
    live(rig, steps)
    audit_end(rig)


@settings(max_examples=8, deadline=None)
@given(st.lists(STEPS, min_size=8, max_size=25))
def test_a_desk_that_plans_by_linear_program_keeps_them_too(steps: list[Step]) -> None:
    rig = rig_of(structs.replace(SETTINGS, planner=PlannerName.MATRIX))
    live(rig, steps)
    audit_end(rig)


@settings(max_examples=8, deadline=None)
@given(st.lists(STEPS, min_size=8, max_size=25))
def test_a_desk_that_is_asked_to_stop_ends_every_order(steps: list[Step]) -> None:
    rig = rig_of()
    for step in steps:
        step(rig)
    rig.stop()
    live(rig, [])
    audit_end(rig)


@settings(max_examples=8, deadline=None)
@given(st.lists(STEPS, min_size=8, max_size=25))
def test_a_desk_that_is_killed_before_every_event_goes_on_as_if_it_had_not_been(steps: list[Step]) -> None:
    rig, twin = rig_of(), rig_of()
    twin.restarts = True
    live(rig, steps)
    live(twin, steps)
    assert twin.effects == rig.effects
    assert twin.desk.snapshot() == rig.desk.snapshot()
