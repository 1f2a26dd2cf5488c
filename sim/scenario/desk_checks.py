"""What has to fit together between the tables of an index scenario. The first thing that does not is raised."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Final

from core.checks import number_faults, problems
from core.config import Duration
from core.errors import InputError
from core.faults import Fault, KeyPath, unknown
from core.units import SECOND
from sim.scenario.desk import DeskScenario
from sim.scenario.desk_market import AssetSection
from sim.scenario.users import UserSection, step_faults

_RUN_MAX: Final = Duration(31 * 86_400 * SECOND, "31d")
_STEPS_MAX: Final = 10_000_000
"""Orders and moves of prices in a run."""


def check_desk(scenario: DeskScenario, error: Callable[[Fault], InputError]) -> None:
    """Raises what `error` makes of the first fault found."""
    for faults in (number_faults, _something, _assets, _indexes, _places, _users, _steps, _node, _work):
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
        if asset.flow is not None and asset.flow.price.start <= 0:
            yield Fault((*path, "flow", "price", "start"), "must be above zero")


def _book(path: KeyPath, asset: AssetSection) -> Iterator[Fault]:
    for side, levels, falls in (("bids", asset.book.bids, True), ("asks", asset.book.asks, False)):
        prices = [price for price, _ in levels]
        if any(price <= 0 or quantity <= 0 for price, quantity in levels):
            yield Fault((*path, "book", side), "prices and quantities must be above zero")
        if prices != sorted(set(prices), reverse=falls):
            yield Fault((*path, "book", side), "expected the best price first, and each once")
    if asset.book.bids and asset.book.asks and asset.book.bids[0][0] >= asset.book.asks[0][0]:
        bid, ask = asset.book.bids[0][0], asset.book.asks[0][0]
        yield Fault((*path, "book"), f"crossed: the best bid {bid} is not below the best ask {ask}")


def _indexes(scenario: DeskScenario) -> Iterator[Fault]:
    assets = [asset.symbol for asset in scenario.assets]
    for number, index in enumerate(scenario.indexes):
        path: KeyPath = ("index", number)
        if bool(index.weights) == bool(index.quantities):
            yield Fault(path, "it needs either `weights` or `quantities`")
        for key, amounts in (("weights", index.weights), ("quantities", index.quantities)):
            for asset, amount in amounts.items():
                if asset not in assets:
                    yield unknown((*path, key), "asset", asset, assets)
                if amount <= 0:
                    yield Fault((*path, key, asset), f"must be above zero, got {amount}")


def _places(scenario: DeskScenario) -> Iterator[Fault]:
    """Designations that no hop touches: the mistake that a route is never found for."""
    touched = list(dict.fromkeys(place for hop in scenario.hops for place in (hop.source, hop.destination)))
    for number, chain in enumerate(scenario.chains):
        for key, place in (("deposit", chain.deposit), ("payout", chain.payout)):
            if place not in touched:
                yield unknown(("chain", number, key), "designation of a hop", place, touched)
    for number, index in enumerate(scenario.indexes):
        for place in index.destinations:
            if place not in touched:
                yield unknown(("index", number, "destinations"), "designation of a hop", place, touched)
        if not index.destinations:
            yield Fault(("index", number, "destinations"), "name at least one")


def _users(scenario: DeskScenario) -> Iterator[Fault]:
    chains, indexes = [chain.id for chain in scenario.chains], [index.symbol for index in scenario.indexes]
    seen: dict[str, str] = {}
    for number, user in enumerate(scenario.users):
        path: KeyPath = ("user", number)
        if user.chain not in chains:
            yield unknown((*path, "chain"), "chain", user.chain, chains)
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
