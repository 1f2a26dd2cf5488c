"""What has to fit together between the tables of an index scenario. The first thing that does not is raised."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from core.checks import number_faults, problems
from core.config import Duration
from core.errors import InputError
from core.faults import Fault, KeyPath, shown, unknown
from core.units import SECOND
from sim.exchange_models import BASE, QUOTE
from sim.scenario.desk import DeskScenario
from sim.scenario.desk_bounds import bound_faults
from sim.scenario.desk_market import AssetSection, FlowSection
from sim.scenario.desk_routes import route_faults
from sim.scenario.users import UserSection, step_faults

_RUN_MAX: Final = Duration(31 * 86_400 * SECOND, "31d")
_STEPS_MAX: Final = 10_000_000
"""Orders and moves of prices in a run."""
_BPS_MAX: Final = 10_000
_CHAIN_ID: Final = re.compile(r"[0-9]{1,10}")
_BEFORE: Final = {"amend": ("buy", "sell"), "cancel": ("buy", "sell"), "cancel_quote": ("quote",)}
"""What a step has to follow."""
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40}")


def check_desk(scenario: DeskScenario, error: Callable[[Fault], InputError]) -> None:
    """Raises what `error` makes of the first fault found."""
    tables = (_something, _desk, _exchange, _assets, _indexes, _chains, route_faults, _users, _steps)
    for faults in (number_faults, bound_faults, *tables, _work, _node):
        for fault in faults(scenario):
            raise error(fault)


def _something(scenario: DeskScenario) -> Iterator[Fault]:
    for array, entries in (
        ("asset", scenario.assets),
        ("index", scenario.indexes),
        ("chain", scenario.chains),
        ("hop", scenario.hops),
    ):
        if not entries:
            yield Fault((), f"there is nothing to do: it needs at least one [[{array}]]")


def _assets(scenario: DeskScenario) -> Iterator[Fault]:
    for index, asset in enumerate(scenario.assets):
        path: KeyPath = ("asset", index)
        if asset.flow is None and not (asset.book.bids and asset.book.asks):
            yield Fault(path, "nobody trades it: it needs `flow`, or bids and asks in `book`")
        yield from _book(path, asset)
        yield from _filters(path, asset)
        if asset.flow is not None:
            yield from _flow((*path, "flow"), asset.flow)
    yield from _bases(scenario)


def _bases(scenario: DeskScenario) -> Iterator[Fault]:
    """The account at the exchange keeps each asset, and money, under a name of its own."""
    held = {scenario.collateral.token: "the token that collateral is held in"}
    for index, asset in enumerate(scenario.assets):
        name = asset.base or asset.symbol
        if name in held:
            path: KeyPath = ("asset", index, "base" if asset.base else "symbol")
            yield Fault(path, f"{shown(name)} is {held[name]}", "give each asset a `base` of its own")
        held[name] = f"what {asset.symbol} is called when it is held, too"


def _flow(path: KeyPath, flow: FlowSection) -> Iterator[Fault]:
    if flow.price.start is not None and flow.price.start <= 0:
        yield Fault((*path, "price", "start"), "must be above zero")
    deepest = flow.spread_bps + (flow.levels - 1) * flow.step_bps
    if deepest >= _BPS_MAX:
        problem = f"its last bid would be {deepest} basis points below the price"
        yield Fault(path, problem, f"less of `levels`, `step_bps` or `spread_bps`: expected below {_BPS_MAX}")


def _filters(path: KeyPath, asset: AssetSection) -> Iterator[Fault]:
    for what in ("price", "quantity", "notional"):
        least, most = getattr(asset, f"{what}_min"), getattr(asset, f"{what}_max")
        if most and least > most:
            yield Fault(path, f"`{what}_min` {least} is above `{what}_max` {most}")


def _book(path: KeyPath, asset: AssetSection) -> Iterator[Fault]:
    for side, levels, falls in (("bids", asset.book.bids, True), ("asks", asset.book.asks, False)):
        prices = [price for price, _ in levels]
        if any(price <= 0 or quantity <= 0 for price, quantity in levels):
            yield Fault((*path, "book", side), "prices and quantities must be above zero")
        if prices != sorted(set(prices), reverse=falls):
            yield Fault((*path, "book", side), "expected the best price first, and each once")
    if asset.book.last is not None and min(asset.book.last) <= 0:
        yield Fault((*path, "book", "last"), "prices and quantities must be above zero")
    if asset.book.bids and asset.book.asks and asset.book.bids[0][0] >= asset.book.asks[0][0]:
        bid, ask = asset.book.bids[0][0], asset.book.asks[0][0]
        yield Fault((*path, "book"), f"crossed: the best bid {bid} is not below the best ask {ask}")


def _exchange(scenario: DeskScenario) -> Iterator[Fault]:
    for number, fills in enumerate(scenario.exchange.script):
        path: KeyPath = ("exchange", "script", number)
        if any(share <= 0 or not 0 < factor <= 1 for share, factor in fills):
            yield Fault(
                path, "shares and factors must be above zero, and no trade is beyond the limit: factors up to 1"
            )
        if sum(share for share, _ in fills) > 1:
            yield Fault(path, f"the shares of an order sum to 1 at most, here to {sum(share for share, _ in fills)}")
    free: Duration | None = None
    for number, outage in enumerate(scenario.exchange.outages):
        if free is not None and outage.at < free:
            problem = f"begins at {outage.at.written}, before the end of the one before it, {free.written}"
            yield Fault(("exchange", "outage", number, "at"), problem)
        free = Duration(outage.at + outage.span)
    bases = [asset.base or asset.symbol for asset in scenario.assets]
    if scenario.exchange.commission not in (QUOTE, BASE, *bases):
        yield unknown(("exchange", "commission"), "asset", scenario.exchange.commission, [QUOTE, BASE, *bases])
    yield from _accounts(scenario)


def _accounts(scenario: DeskScenario) -> Iterator[Fault]:
    """Assets by names that the exchange does not have for them: those under which they are held, not traded."""
    held = [asset.base or asset.symbol for asset in scenario.assets]
    named: list[tuple[KeyPath, str]] = [(("desk", "opening_balances"), name) for name in scenario.desk.opening_balances]
    named += [
        (("exchange", "transfer", number, "asset"), transfer.asset)
        for number, transfer in enumerate(scenario.exchange.transfers)
    ]
    named += [
        (("exchange", "balance"), name) for name in scenario.exchange.balance if name != scenario.collateral.token
    ]
    for path, name in named:
        if name not in held:
            yield unknown(path, "asset that the exchange holds", name, held)


def _desk(scenario: DeskScenario) -> Iterator[Fault]:
    desk, assets = scenario.desk, [asset.symbol for asset in scenario.assets]
    for token, pair in desk.commission_pairs.items():
        if pair not in assets:
            yield unknown(("desk", "commission_pairs", token), "asset", pair, assets)
    if not scenario.collateral.token:
        yield Fault(("collateral", "token"), "name what collateral is held in")
    if desk.mint_threshold > desk.fill_threshold:
        problem = f"must not be above `fill_threshold` {desk.fill_threshold}, got {desk.mint_threshold}"
        yield Fault(("desk", "mint_threshold"), problem)


def _indexes(scenario: DeskScenario) -> Iterator[Fault]:
    assets = [asset.symbol for asset in scenario.assets]
    for number, index in enumerate(scenario.indexes):
        path: KeyPath = ("index", number)
        if bool(index.weights) == bool(index.quantities):
            yield Fault(path, "it needs either `weights` or `quantities`")
        named = list(index.weights or index.quantities)
        if index.asset_order and sorted(index.asset_order) != sorted(named):
            yield Fault((*path, "asset_order"), f"expected each of its assets once: {', '.join(named)}")
        for key, amounts in (("weights", index.weights), ("quantities", index.quantities)):
            for asset, amount in amounts.items():
                if asset not in assets:
                    yield unknown((*path, key), "asset", asset, assets)
                if amount <= 0:
                    yield Fault((*path, key, asset), f"must be above zero, got {amount}")


def _chains(scenario: DeskScenario) -> Iterator[Fault]:
    for number, chain in enumerate(scenario.chains):
        if not _CHAIN_ID.fullmatch(chain.id):
            yield Fault(("chain", number, "id"), f"expected a chain id of up to 10 digits, got {shown(chain.id)}")


def _users(scenario: DeskScenario) -> Iterator[Fault]:
    chains, indexes = [chain.id for chain in scenario.chains], [index.symbol for index in scenario.indexes]
    seen: dict[str, str] = {}
    for number, user in enumerate(scenario.users):
        path: KeyPath = ("user", number)
        if user.chain not in chains:
            yield unknown((*path, "chain"), "chain", user.chain, chains)
        if user.address is not None and not _ADDRESS.fullmatch(user.address):
            expected = "expected 0x and 40 digits of hex in lower case"
            yield Fault((*path, "address"), f"{expected}, got {shown(user.address)}")
        for symbol in user.indexes:
            if symbol not in indexes:
                yield unknown((*path, "indexes"), "index", symbol, indexes)
        if seen.setdefault(user.user, user.id) != user.id:
            yield Fault((*path, "address"), f"is the address of {seen[user.user]} as well")
        yield from _amounts(path, user)


def _amounts(path: KeyPath, user: UserSection) -> Iterator[Fault]:
    if user.amount.min > user.amount.max:
        yield Fault((*path, "amount"), f"`min` {user.amount.min} is above `max` {user.amount.max}")
    if user.amount.min <= Decimal(0):
        yield Fault((*path, "amount", "min"), "must be above zero")


def _steps(scenario: DeskScenario) -> Iterator[Fault]:
    known = {
        "user": tuple(user.id for user in scenario.users),
        "index": tuple(index.symbol for index in scenario.indexes),
        "asset": tuple(asset.symbol for asset in scenario.assets),
    }
    yield from step_faults(scenario.steps, known, Duration(scenario.run.duration + scenario.run.drain))
    yield from _unplaced(scenario)


def _unplaced(scenario: DeskScenario) -> Iterator[Fault]:
    """Steps about orders and quotes of a user that nobody asks for: he takes steps alone, and none of them does."""
    busy = {user.id for user in scenario.users if user.arrivals is not None}
    asked = {(do, step.user, step.order) for step in scenario.steps for do in _BEFORE.values() if step.do in do}
    for number, step in enumerate(scenario.steps):
        before = _BEFORE.get(step.do)
        if before is not None and step.user not in busy and (before, step.user, step.order) not in asked:
            problem = f"no step of {step.user} gives {shown(step.order)}"
            yield Fault(("step", number, "order"), problem, f"expected that of a step to {' or '.join(before)}")


def _node(scenario: DeskScenario) -> Iterator[Fault]:
    yield from problems(scenario.node_config())


def _work(scenario: DeskScenario) -> Iterator[Fault]:
    """What nobody would see the end of."""
    run = scenario.run
    for key, span in (("duration", run.duration), ("drain", run.drain)):
        if span > _RUN_MAX:
            yield Fault(("run", key), f"expected a duration of at most {_RUN_MAX.written}, got {span.written}")
    whole = run.duration + run.drain
    intervals = dict(_intervals(scenario))
    if sum(whole // interval for interval in intervals.values()) > _STEPS_MAX:
        path = min(intervals, key=intervals.__getitem__)
        often = f"every {intervals[path].written} is {whole // intervals[path]:,} times in this run"
        hint = "a longer interval, or a shorter run.duration"
        yield Fault(path, f"{often}, which has room for {_STEPS_MAX:,} steps in all", hint)


def _intervals(scenario: DeskScenario) -> Iterator[tuple[KeyPath, Duration]]:
    for number, asset in enumerate(scenario.assets):
        if asset.flow is not None:
            yield ("asset", number, "flow", "price", "tick"), asset.flow.price.tick
    for number, user in enumerate(scenario.users):
        for key in ("poisson", "fixed"):
            interval = getattr(user.arrivals, key, None)
            if interval is not None:
                yield ("user", number, "arrivals", key), interval
    yield ("desk", "tick"), scenario.desk.tick
    for key in ("nav_interval", "reconcile_interval"):
        if interval := getattr(scenario.desk, key):
            yield ("desk", key), interval
