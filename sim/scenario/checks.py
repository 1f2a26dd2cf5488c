"""What has to fit together between the tables of a scenario. The first thing that does not is raised.

What concerns the nodes that are made of it is judged by `core.checks`; here is the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from core.checks import above_zero, nothing_to_trade, number_faults, problems
from core.config import Duration, NodeConfig
from core.errors import InputError
from core.faults import Fault, KeyPath, translate, unknown
from core.market.orders import Token
from core.solver.strategies.registry import STRATEGIES
from core.units import SECOND, decimals
from sim.scenario.custom import decode_custom
from sim.scenario.identity import step_faults
from sim.scenario.models import PRICE_LIMIT
from sim.scenario.schema import MarketMaker, PairSection, Scenario, Solver

_TICK_DECIMALS_MAX: Final = 12
"""As rates have; a price below `PRICE_LIMIT` then has digits to spare."""
_LOTS_MAX: Final = 10**18
"""A quantity is drawn as a number of lots, from 64 bits."""
_RUN_MAX: Final = Duration(31 * 86_400 * SECOND, "31d")
_STEPS_MAX: Final = 10_000_000
"""Orders, price moves and windows of a run; a full day of a hundred orders a second is fewer."""
_RARER: Final = "a longer interval, or a shorter run.duration"
_ARRAYS: Final = {"pairs": "pair", "members": "market_maker", "solvers": "solver"}
"""Where a scenario has what a venue has in an array; its entries are in the same order."""


def check(scenario: Scenario, error: Callable[[Fault], InputError]) -> None:
    """Raises what `error` makes of the first fault found."""
    for faults in (number_faults, _market, _pairs, _solvers, _nodes, _makers, _identity, _work):
        for fault in faults(scenario):
            raise error(fault)


def _market(scenario: Scenario) -> Iterator[Fault]:
    for array, entries in (
        ("token", scenario.tokens),
        ("pair", scenario.pairs),
        ("market_maker", scenario.makers),
        ("solver", scenario.solvers),
    ):
        if not entries:
            yield Fault((), f"the market is empty: it needs at least one [[{array}]]")


def _pairs(scenario: Scenario) -> Iterator[Fault]:
    tokens = [token.id for token in scenario.tokens]
    for index, pair in enumerate(scenario.pairs):
        path = ("pair", index)
        for key, token in (("base", pair.base), ("quote", pair.quote)):
            if token not in tokens:
                yield unknown((*path, key), "token", token, tokens)
        yield from _price((*path, "price"), pair)
        if decimals(pair.tick) > _TICK_DECIMALS_MAX:
            yield Fault((*path, "tick"), f"{pair.tick} is finer than the {_TICK_DECIMALS_MAX} decimals of rates")
        if pair.tick >= PRICE_LIMIT:
            yield Fault((*path, "tick"), f"expected a price below {PRICE_LIMIT}, got {pair.tick}")


def _price(path: KeyPath, pair: PairSection) -> Iterator[Fault]:
    gbm, constant = pair.price.gbm, pair.price.constant
    start = gbm.start if gbm is not None else constant
    if start is not None and start >= PRICE_LIMIT:
        yield Fault(path, f"expected a price below {PRICE_LIMIT}, got {start}")
    if gbm is not None:
        yield from above_zero((*path, "gbm", "start"), gbm.start)
    if constant is not None:
        yield from above_zero((*path, "constant"), constant)


def _solvers(scenario: Scenario) -> Iterator[Fault]:
    for index, solver in enumerate(scenario.solvers):
        path = ("solver", index)
        if solver.strategy not in STRATEGIES:
            yield unknown((*path, "strategy"), "strategy", solver.strategy, STRATEGIES)
        yield from _params((*path, "params"), solver)


def _params(path: KeyPath, solver: Solver) -> Iterator[Fault]:
    try:
        solver.strategy_params()
    except msgspec.ValidationError as error:
        yield translate(error, STRATEGIES[solver.strategy].params, solver.params, path, decode_custom)


def _nodes(scenario: Scenario) -> Iterator[Fault]:
    """What is wrong with a node, at the place that it has in the scenario."""
    venue, makers, solvers = scenario.node_configs()
    for fault in problems(venue, (Token(token.id, token.decimals) for token in scenario.tokens)):
        array, *rest = fault.path
        yield fault._replace(path=(_ARRAYS.get(str(array), array), *rest))
    guests: Mapping[str, Sequence[NodeConfig]] = {"market_maker": makers, "solver": solvers}
    for array, configs in guests.items():
        for index, config in enumerate(configs):
            for fault in problems(config):
                yield fault._replace(path=(array, index, *fault.path))


def _makers(scenario: Scenario) -> Iterator[Fault]:
    pairs = {pair.symbol: pair for pair in scenario.pairs}
    for index, maker in enumerate(scenario.makers):
        path = ("market_maker", index)
        for symbol in maker.symbols:
            if symbol not in pairs:
                yield unknown((*path, "symbols"), "pair", symbol, pairs)
        if len(set(maker.symbols)) < len(maker.symbols):
            yield Fault((*path, "symbols"), "names a pair twice")
        traded = [pairs[symbol] for symbol in scenario.symbols_of(maker)]
        useful = {token: None for pair in traded for token in (pair.base, pair.quote)}
        yield from nothing_to_trade((*path, "balance"), maker.balance, useful)
        yield from _orders(path, maker, traded)


def _orders(path: KeyPath, maker: MarketMaker, traded: list[PairSection]) -> Iterator[Fault]:
    for key, least, most in (
        ("quantity", maker.quantity.min, maker.quantity.max),
        ("limit_offset_bps", maker.limit_offset_bps.min, maker.limit_offset_bps.max),
    ):
        if least > most:
            yield Fault((*path, key), f"`min` {least} is above `max` {most}")
    for pair in traded:
        if maker.quantity.min < pair.lot:
            yield Fault(
                (*path, "quantity", "min"), f"{maker.quantity.min} is below the lot of {pair.symbol}, {pair.lot}"
            )
        if maker.quantity.max / pair.lot >= _LOTS_MAX:
            problem = f"{maker.quantity.max} has {_LOTS_MAX} lots of {pair.symbol} or more"
            yield Fault((*path, "quantity", "max"), problem)
    if maker.arrivals.replay is not None and len(traded) != 1:
        symbols = ", ".join(pair.symbol for pair in traded)
        problem = f"a recording is of one pair, and this market maker trades {symbols}"
        yield Fault((*path, "symbols"), problem, f'give it one: symbols = ["{traded[0].symbol}"]')


def _identity(scenario: Scenario) -> Iterator[Fault]:
    if scenario.identity is not None:
        end = Duration(scenario.run.duration + scenario.run.drain)
        makers, symbols = [maker.id for maker in scenario.makers], [pair.symbol for pair in scenario.pairs]
        yield from step_faults(scenario.identity, makers, symbols, end)
    for index, maker in enumerate(scenario.makers):
        if maker.key is not None and maker.key.spoil_every and maker.key.signing != "order":
            yield Fault(
                ("makers", index, "key", "spoil_every"), f'{maker.id} signs no orders: `signing` is not "order"'
            )


def _work(scenario: Scenario) -> Iterator[Fault]:
    """What nobody would see the end of."""
    run = scenario.run
    for key, span in (("duration", run.duration), ("drain", run.drain)):
        if span > _RUN_MAX:
            yield Fault(("run", key), f"expected a duration of at most {_RUN_MAX.written}, got {span.written}")
    whole = run.duration + run.drain
    intervals = _intervals(scenario)
    if sum(whole // interval for interval in intervals.values()) > _STEPS_MAX:
        path = min(intervals, key=intervals.__getitem__)
        often = f"every {intervals[path].written} is {whole // intervals[path]:,} times in this run"
        yield Fault(path, f"{often}, which has room for {_STEPS_MAX:,} steps in all", _RARER)


def _intervals(scenario: Scenario) -> dict[KeyPath, Duration]:
    """What happens again and again in a run, whatever else does."""
    intervals: dict[KeyPath, Duration] = {}
    for index, pair in enumerate(scenario.pairs):
        if pair.price.gbm is not None:
            intervals["pair", index, "price", "gbm", "tick"] = pair.price.gbm.tick
    for index, maker in enumerate(scenario.makers):
        for model in ("poisson", "fixed"):
            interval = getattr(maker.arrivals, model)
            if interval is not None:
                intervals["market_maker", index, "arrivals", model] = interval
    if scenario.sequencer.empty_windows_per_block:
        intervals["sequencer", "batch_window"] = scenario.sequencer.batch_window
    return intervals
