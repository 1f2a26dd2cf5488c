"""Random lives of collateral: whatever hops, bridges, users and crashes do, nothing is lost or moved twice, and once
the world behaves everybody has an answer."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from core.collateral import facts, hops, records
from core.collateral.facts import (
    CollateralMoved,
    HopDisputed,
    HopStepped,
    PayoutArrived,
    TransferStarted,
    TransferStepped,
    WithdrawalEnded,
)
from core.collateral.graph import fee_of
from core.collateral.moving import DRIFT_MAX
from core.collateral.positions import total
from core.collateral.records import CollateralPreauthorised, CollateralRefused, CollateralRouted, PaidOut
from core.collateral.settings import BridgeSettings, ChainSettings, CollateralSettings, Confirmations
from core.collateral.states import Holding
from core.collateral.transfers import Purpose, Transfer
from core.kernel.codec import Codec, encode, records_of
from core.kernel.rng import Stream, stream
from core.market.ledger import WORLD
from core.units import EXACT, MILLISECOND, SECOND, Nanos
from sim.hop_models import BridgeModel, HopFaults, HopModel
from sim.latency import Constant, Exponential
from tests.helpers.collateral import ALICE, BOB, T1, T2, T3, T4, WALLET, hop
from tests.helpers.hops import World

Step: TypeAlias = Callable[[World], object]

MINUTE = 60 * SECOND
WALLET2 = "EVM:WALLETS:C4"
BLOCKS = BridgeSettings(
    confirmations=(Confirmations(Decimal(100), 1), Confirmations(Decimal(500), 3), Confirmations(None, 6)),
    fill_time_min=30 * SECOND,
)
PERCENT: dict[str, Any] = {"fee_rate": Decimal("0.01")}
HOPS = (
    hop(T1, T2, **PERCENT, capacity=Decimal(1500)),
    hop(T2, T3, fee_flat=Decimal("0.3")),
    hop(T1, T3, "across", fee_rate=Decimal("0.004"), amount_min=Decimal(50), bridge=BLOCKS),
    hop(T4, T2, **PERCENT, amount_max=Decimal(900)),
    hop(T4, T1, fee_rate=Decimal("0.02")),
    hop(T3, T2),
    hop(T2, T1, **PERCENT),
    hop(T2, T4, fee_flat=Decimal(1), amount_min=Decimal(5)),
    hop(T1, WALLET),
    hop(T4, WALLET2, fee_flat=Decimal("0.1")),
)
SETTINGS = CollateralSettings(
    token="USDC",
    chains={"1": ChainSettings(deposit=T1, payout=WALLET), "2": ChainSettings(deposit=T4, payout=WALLET2)},
    destinations={"IX": (T3,), "IY": (T3, T2)},
    hops=HOPS,
    route_deadline=10 * MINUTE,
    closed_lots_max=3,
)
PLACES = (T1, T2, T3, T4, WALLET, WALLET2)


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Hops with faults of their own; each world draws which of them there are at all."""
    chances = st.sampled_from([0, 0, 100, 400, 700])
    models = [
        HopModel(
            settings=each,
            latency=Exponential(100 * MILLISECOND, draw(st.sampled_from([SECOND, 5 * SECOND, 40 * SECOND]))),
            answer=Constant(draw(st.sampled_from([50 * MILLISECOND, 50 * MILLISECOND, 4 * SECOND]))),
            decimals=6,
            faults=HopFaults(
                unheard_per_mille=draw(chances),
                delayed_per_mille=draw(chances),
                lost_per_mille=draw(chances),
                repeated_per_mille=draw(chances),
                unavailable_per_mille=draw(chances),
                no_capacity_per_mille=draw(chances),
                rejected_per_mille=draw(chances),
                returned_per_mille=draw(chances),
                stuck_per_mille=draw(chances),
                impossible_per_mille=draw(chances),
            ),
            bridge=BridgeModel(
                unfilled_per_mille=draw(chances),
                slow_fill_per_mille=500,
                deposit_reorg_per_mille=draw(chances),
                fill_reorg_per_mille=draw(chances),
            ),
        )
        for each in HOPS
    ]
    return World(SETTINGS, models, draw(st.integers(0, 1000)))


AMOUNTS = st.sampled_from(["3", "40.5", "99.999999", "250", "700.000001", "1200"])
LARGE = st.sampled_from(["250", "1200", "2000", "5000.5"])
USERS = st.sampled_from([ALICE, BOB])
COUNTS = st.integers(0, 11)


def depositing(amount: str, number: int, user: str) -> Step:
    return lambda world: world.deposit(amount, number, user)


def routing(amount: str, symbol: str, user: str) -> Step:
    def step(world: World) -> object:
        return world.route(amount, f"O-{len(world.asked_at)}", user, symbol)

    return step


def routed(world: World, nth: int) -> tuple[str, str, Decimal] | None:
    """The order, the user and the amount of one of the last routes that got through."""
    done = [said for said in world.told() if isinstance(said, CollateralRouted)][-4:]
    if not done:
        return None
    said = done[nth % len(done)]
    user = next(fact.user for fact in world.facts(CollateralMoved) if fact.order_id == said.order_id)
    return said.order_id, user, said.amount


def stopping(nth: int) -> Step:
    def step(world: World) -> object:
        asked = list(world.asked_at)[-4:]
        return asked and world.stop_route(asked[nth % len(asked)])

    return step


def preauthorising(nth: int, part: str) -> Step:
    def step(world: World) -> object:
        found = routed(world, nth)
        return found and world.preauthorise(str(found[2] * Decimal(part)), found[0], found[1])

    return step


def spending(nth: int, part: str, then_release: bool) -> Step:
    def step(world: World) -> object:
        paid = [said for said in world.told() if isinstance(said, CollateralPreauthorised)][-4:]
        if not paid:
            return None
        payment = paid[nth % len(paid)]
        user = next(fact.user for fact in world.facts(CollateralMoved) if fact.payment_id == payment.payment_id)
        world.spend(str(payment.amount * Decimal(part)), payment.payment_id, payment.order_id, user)
        return world.release(payment.payment_id, payment.order_id, user) if then_release else None

    return step


def releasing(nth: int) -> Step:
    def step(world: World) -> object:
        found = routed(world, nth)
        return found and world.release("", found[0], found[1])

    return step


def refunding(nth: int, part: str) -> Step:
    def step(world: World) -> object:
        found = routed(world, nth)
        return found and world.refund("", found[0], found[1], least=str(found[2] * Decimal(part)))

    return step


def paying_out(number: int, amount: str, user: str) -> Step:
    return lambda world: world.pay_out(amount, f"S-{number}", user)


def withdrawing(amount: str, number: int, user: str) -> Step:
    return lambda world: world.withdraw(amount, number, user)


def passing(span: Nanos) -> Step:
    return lambda world: world.advance(world.now + span)


def crashing(mute: bool) -> Step:
    return lambda world: world.crash(mute=mute)


CREDITED = ("earned", "credited")
PARTS = st.sampled_from(["0.25", "0.5", "1", "1.5"])
STEPS = st.one_of(
    st.builds(depositing, LARGE, COUNTS, USERS),
    st.builds(depositing, LARGE, COUNTS, USERS),
    st.builds(routing, AMOUNTS, st.sampled_from(["IX", "IY"]), USERS),
    st.builds(routing, AMOUNTS, st.sampled_from(["IX", "IY"]), USERS),
    st.builds(routing, AMOUNTS, st.sampled_from(["IX", "IY"]), USERS),
    st.builds(stopping, COUNTS),
    st.builds(preauthorising, COUNTS, PARTS),
    st.builds(preauthorising, COUNTS, PARTS),
    st.builds(spending, COUNTS, PARTS, st.booleans()),
    st.builds(spending, COUNTS, PARTS, st.booleans()),
    st.builds(releasing, COUNTS),
    st.builds(refunding, COUNTS, PARTS),
    st.builds(paying_out, COUNTS, AMOUNTS, USERS),
    st.builds(withdrawing, AMOUNTS, COUNTS, USERS),
    st.sampled_from([SECOND, 10 * SECOND, MINUTE, MINUTE, 4 * MINUTE, 11 * MINUTE]).map(passing),
    st.sampled_from([SECOND, 10 * SECOND, MINUTE, MINUTE, 4 * MINUTE, 11 * MINUTE]).map(passing),
    st.builds(crashing, st.booleans()),
)


def storm(seed: int, length: int) -> tuple[World, list[Step]]:
    """A world and a long life in it, of independent draws: what a seed is too long to shrink to, and meets more of."""
    draws = stream(seed, "storm")
    level = draws.choice([0, 50, 200, 500])
    faults: dict[str, Any] = {
        name: draws.choice([0, level]) for name in HopFaults.__struct_fields__ if name.endswith("per_mille")
    }
    reorgs: dict[str, Any] = {
        name: draws.choice([0, level]) for name in BridgeModel.__struct_fields__ if name.endswith("per_mille")
    }
    models = [
        HopModel(
            settings=each,
            latency=Exponential(100 * MILLISECOND, draws.choice([SECOND, 20 * SECOND])),
            decimals=6,
            faults=HopFaults(**faults),
            bridge=BridgeModel(**reorgs),
        )
        for each in HOPS
    ]
    return World(SETTINGS, models, seed), [_drawn(draws) for _ in range(length)]


def _chances(kind: type[HopFaults | BridgeModel], draws: Stream, level: int) -> dict[str, Any]:
    names = (name for name in kind.__struct_fields__ if name.endswith("per_mille"))
    return {name: draws.choice([0, level]) for name in names}


def _drawn(draws: Stream) -> Step:
    user, number, amount = draws.choice([ALICE, BOB]), draws.below(60), str(draws.between(1, 200_000_000_000) / 10**8)
    part, symbol = draws.choice(["0.25", "0.5", "1", "1.5"]), draws.choice(["IX", "IY"])
    return draws.choice(
        [
            depositing(amount, number, user),
            *[routing(amount, symbol, user)] * 2,
            stopping(number),
            *[preauthorising(number, part)] * 2,
            *[spending(number, part, draws.chance(500))] * 2,
            releasing(number),
            refunding(number, part),
            paying_out(number, amount, user),
            withdrawing(amount, number, user),
            *[passing(draws.between(1, 3 * MINUTE))] * 3,
            crashing(draws.chance(500)),
        ]
    )


def live(world: World, steps: list[Step]) -> None:
    """Take the steps, then let the world behave for as long as anything can take."""
    for step in steps:
        step(world)
    world.heal()
    world.advance(world.now + 3 * 60 * MINUTE)


@given(worlds(), st.lists(STEPS, min_size=15, max_size=60))
def test_nothing_is_lost_and_everybody_has_an_answer_once_the_world_behaves(world: World, steps: list[Step]) -> None:
    live(world, steps)
    assert_at_rest(world)


@settings(max_examples=20)
@given(st.integers(0, 10**6))
def test_nothing_is_lost_in_a_long_storm_either(seed: int) -> None:
    world, steps = storm(seed, 150)
    live(world, steps)
    assert_at_rest(world)


def assert_at_rest(world: World) -> None:
    """Nothing is under way, nobody waits, everybody was answered once and in time, and money is where hops left it."""
    state = world.collateral.state
    assert (state.transfers, state.routes, state.withdrawals, state.payouts) == ({}, {}, {}, {})
    assert (state.waiting, world.timers) == ({}, {})
    assert world.answered_at.keys() == world.asked_at.keys()
    for order_id, asked in world.asked_at.items():
        [answered] = world.answered_at[order_id]
        assert answered - asked <= SETTINGS.route_deadline
    for place in PLACES:
        returned = [p.amount for p in world.facts(CollateralMoved) if p.what == "paid_out" and p.source == place]
        assert world.lies_at(place) == world.booked_at(place) + total(returned), place
    expected = ("deposit undone while", "more than it may", "speaks of", "refunds before its deadline")
    assert not [fact for fact in world.facts(HopDisputed) if not any(text in fact.what for text in expected)]


@given(worlds(), st.lists(STEPS, min_size=15, max_size=50))
def test_what_was_deposited_is_with_its_user_or_spent(world: World, steps: list[Step]) -> None:
    live(world, steps)
    booked = [fact for fact in world.facts(CollateralMoved) if fact.what == "deposited"]
    assert len(booked) == len(world.deposits)
    for user, position in world.collateral.state.books.positions.items():
        came = [f for f in world.facts(CollateralMoved) if not f.was and f.user == user]
        balances = [position.credits.balance(holding) for holding in Holding]
        assert total(balances) == total(f.amount for f in came if f.side == "credit")
        assert not position.credits.balance(Holding.ROUTING)
        debits = [position.debits.balance(holding) for holding in (Holding.RETURNED, Holding.SPENT)]
        assert total(debits) == total(f.amount for f in came if f.side == "debit")
        assert len(position.credits.closed) <= SETTINGS.closed_lots_max


@given(worlds(), st.lists(STEPS, min_size=15, max_size=50))
def test_whoever_asks_to_be_paid_is_paid_or_told_why_not(world: World, steps: list[Step]) -> None:
    live(world, steps)
    asked = [fact for fact in world.facts(CollateralMoved) if fact.what == "earned"]
    paid = [said for said in world.told() if isinstance(said, PaidOut) and said.order_id.startswith("S-")]
    came = [fact for fact in world.facts(CollateralMoved) if fact.side == "credit" and fact.what in CREDITED]
    late = [fact for fact in world.facts(PayoutArrived) if fact.order_id.startswith("S-")]
    assert len(asked) == len(paid)
    credited = (*(said.credited for said in paid), *(fact.credited for fact in late))
    assert total(fact.amount for fact in came) == total(credited)
    assert total(fact.amount for fact in asked) == total(all_of(said) for said in paid)
    assert total(said.under_way for said in paid) == total(all_of(fact) for fact in late)
    for ended in world.facts(WithdrawalEnded):
        assert bool(ended.reason) == bool(ended.refused)
        assert ended.payment_id or ended.reason, "one that was refused at once has no payment"
    reasons = {said.reason for said in world.told() if isinstance(said, CollateralRefused)}
    known = {"no_deposit", "no_route", "route_failed", "timeout", "cancelled", "not_enough_funds", "duplicate"}
    assert reasons <= known


def all_of(said: PaidOut | PayoutArrived) -> Decimal:
    """What a payout was of."""
    under_way = said.under_way if isinstance(said, PaidOut) else Decimal(0)
    return total((said.amount, said.fee, said.credited, under_way))


FOR_EVER = (
    HopFaults(lost_per_mille=1000),
    HopFaults(unheard_per_mille=1000),
    HopFaults(rejected_per_mille=1000),
    HopFaults(unavailable_per_mille=1000),
    HopFaults(impossible_per_mille=1000),
    HopFaults(returned_per_mille=1000),
    HopFaults(stuck_per_mille=1000, stuck=10**6 * SECOND),
)
WRECKED = st.dictionaries(st.sampled_from([each.name for each in HOPS]), st.sampled_from(FOR_EVER), min_size=1)


@given(worlds(), st.lists(STEPS, min_size=15, max_size=50), WRECKED)
def test_every_payout_has_one_last_word_though_hops_are_bad_for_ever(
    world: World, steps: list[Step], wrecked: dict[str, HopFaults]
) -> None:
    for number, step in enumerate(steps):
        if number == len(steps) // 2:
            world.heal(wrecked)
        step(world)
    world.heal(wrecked)
    world.advance(world.now + 3 * 60 * MINUTE)
    state = world.collateral.state
    assert (state.routes, state.withdrawals, state.waiting) == ({}, {}, {})
    paying = {each.transfer_id: each for each in state.transfers.values() if each.purpose is not Purpose.ROUTE}
    for transfer in paying.values():
        assert transfer.is_answered
        assert transfer.leg is not None
        assert transfer.leg.is_under_way
    assert set(state.payouts.values()) <= paying.keys()
    assert_told_once(world, paying)
    assert_fees_are_bounded(world)


def assert_fees_are_bounded(world: World) -> None:
    """No hop was sent money of which hops were expected to keep more than they may, with what they had kept already."""
    set_out = {each.transfer_id: each.amount for each in world.facts(TransferStarted)}
    kept = dict.fromkeys(set_out, Decimal(0))
    for step in world.facts(HopStepped):
        expected = fee_of(world.collateral.graph.hops[step.hop], step.amount)
        if step.what == "sent" and expected:
            assert kept[step.transfer_id] + expected <= set_out[step.transfer_id] * SETTINGS.transfer_fee_share_max * (
                1 + DRIFT_MAX
            )
        kept[step.transfer_id] += step.fee


def assert_told_once(world: World, paying: dict[str, Transfer]) -> None:
    """Each refund, and all cash, has one word of all of it, and what was under way then has one more, or goes on."""
    started = [each for each in world.facts(TransferStarted) if each.purpose is Purpose.PAY_OUT]
    at_once = [each for each in world.facts(CollateralMoved) if each.what == "earned" and each.side == "credit"]
    said = [each for each in world.told() if isinstance(each, PaidOut)]
    asked = [(each.order_id, each.amount) for each in started] + [(each.order_id, each.amount) for each in at_once]
    assert sorted(asked + world.refunds_asked) == sorted((each.order_id, all_of(each)) for each in said)
    ends = world.facts(WithdrawalEnded)
    withdrawn = [each for each in ends if each.reason not in ("duplicate", "unknown_chain")]
    assert len({(each.user, each.seq_num) for each in withdrawn}) == len(withdrawn)
    sent = total(each.amount for each in world.facts(TransferStarted) if each.purpose is Purpose.WITHDRAWAL)
    told = total(EXACT.add(EXACT.add(each.paid, each.fee), each.under_way) for each in withdrawn)
    left = [each.amount for each in world.facts(TransferStepped) if each.what == "left" and is_withdrawal(each)]
    assert told <= sent <= total((told, *left))
    late = world.facts(PayoutArrived)
    refused = [each for each in world.told() if isinstance(each, CollateralRefused)]
    told_of = [*(each.under_way for each in said), *(each.under_way for each in withdrawn)]
    under_way = total((*told_of, *(each.under_way for each in refused)))
    going = [each.under_way for each in world.collateral.state.transfers.values()]
    assert under_way == total((*map(all_of, late), *going))


def is_withdrawal(stepped: TransferStepped) -> bool:
    return stepped.order_id.startswith("P-")


@given(worlds(), st.lists(STEPS, min_size=15, max_size=50), st.integers(0, 40))
def test_one_that_was_put_down_and_taken_up_goes_on_as_if_it_had_not(world: World, steps: list[Step], at: int) -> None:
    twin = World(SETTINGS, [each.model for each in world.hops.values()], 7)
    first = World(SETTINGS, [each.model for each in world.hops.values()], 7)
    for number, step in enumerate(steps):
        step(first)
        if number == at % len(steps):
            twin.crash(mute=False)
        step(twin)
    assert twin.effects == first.effects
    assert twin.collateral.snapshot() == first.collateral.snapshot()


@given(worlds(), st.lists(STEPS, min_size=15, max_size=30))
def test_whatever_is_said_reads_back_from_a_journal(world: World, steps: list[Step]) -> None:
    live(world, steps)
    bodies = [kind for module in (records, hops, facts) for kind in records_of(module)]
    codec = Codec(tuple(bodies))
    assert codec.effects.decode(encode(world.effects)) == world.effects


@given(worlds(), st.lists(STEPS, min_size=15, max_size=30))
def test_the_facts_alone_add_up_to_the_ledger(world: World, steps: list[Step]) -> None:
    live(world, steps)
    books: dict[str, Decimal] = {}
    for fact in world.facts(CollateralMoved):
        origin = f"{fact.user}/{fact.side}/{fact.was}@{fact.source}" if fact.was else WORLD
        for account, amount in ((origin, -fact.amount), (_account(fact), fact.amount)):
            books[account] = books.get(account, Decimal(0)) + amount
    ledger = world.collateral.state.books.ledger.balances
    assert {name: held for name, held in books.items() if held} == {name: each["USDC"] for name, each in ledger.items()}


def _account(fact: CollateralMoved) -> str:
    return f"{fact.user}/{fact.side}/{fact.state}@{fact.destination}"
