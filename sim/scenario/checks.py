"""What has to fit together between the tables of a scenario. The first thing that does not is raised."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final

import msgspec

from core.auction.rules import RULES
from core.errors import InputError
from core.solver.strategies.registry import STRATEGIES
from core.units import MONEY, SECOND
from sim.scenario.errors import Fault, KeyPath, did_you_mean, leaves, translate
from sim.scenario.schema import VENUE, MarketMaker, PairSection, Scenario, Solver

_AMOUNT_LIMIT: Final = 10**18
"""What a money column of the results can hold, with room for sums."""
_PRICE_LIMIT: Final = 10**12
"""Beyond it the inverse has too few digits left to be a rate."""
_EXPONENT_MAX: Final = 24
_INTEGER_MAX: Final = 1 << 62


def check(scenario: Scenario, error: Callable[[Fault], InputError]) -> None:
    """Raises what `error` makes of the first fault found."""
    for faults in (_numbers, _market, _auction, _pairs, _makers, _solvers, _nodes):
        for fault in faults(scenario):
            raise error(fault)


def _numbers(scenario: Scenario) -> Iterator[Fault]:
    """Every amount is one that a ledger can hold, and every integer one that a journal can."""
    for path, number in leaves(msgspec.to_builtins(scenario, builtin_types=(Decimal,), enc_hook=int)):
        if isinstance(number, int) and abs(number) > _INTEGER_MAX:
            yield Fault(path, "too large")
        elif isinstance(number, Decimal) and not (number.is_finite() and number >= 0):
            yield Fault(path, f'expected an amount such as "100.25", zero or more, got "{number}"')
        elif isinstance(number, Decimal) and not _fits_ledger(number):
            yield Fault(path, f"expected an amount of at most {MONEY.prec} digits, decimals included, got {number}")
        elif isinstance(number, Decimal) and number >= _AMOUNT_LIMIT:
            yield Fault(path, f"expected an amount below {_AMOUNT_LIMIT}, got {number}")


def _market(scenario: Scenario) -> Iterator[Fault]:
    for array, entries in (
        ("token", scenario.tokens),
        ("pair", scenario.pairs),
        ("market_maker", scenario.makers),
        ("solver", scenario.solvers),
    ):
        if not entries:
            yield Fault((), f"the market is empty: it needs at least one [[{array}]]")


def _auction(scenario: Scenario) -> Iterator[Fault]:
    auction, sequencer = scenario.auction, scenario.sequencer
    if auction.rule not in RULES:
        yield _unknown(("auction", "rule"), "auction rule", auction.rule, RULES)
    tokens = [token.id for token in scenario.tokens]
    if auction.bond_token not in tokens:
        yield _unknown(("auction", "bond_token"), "token", auction.bond_token, tokens)
    spans = {
        ("sequencer", "batch_window"): sequencer.batch_window,
        ("sequencer", "order_lifetime"): sequencer.order_lifetime,
        ("auction", "bid_window"): auction.bid_window,
        ("auction", "fulfil_window"): auction.fulfil_window,
    }
    for path, span in spans.items():
        if span <= 0:
            yield Fault(path, "must be above zero")


def _pairs(scenario: Scenario) -> Iterator[Fault]:
    decimals = {token.id: token.decimals for token in scenario.tokens}
    for index, pair in enumerate(scenario.pairs):
        path = ("pair", index)
        for key, token in (("base", pair.base), ("quote", pair.quote)):
            if token not in decimals:
                yield _unknown((*path, key), "token", token, decimals)
        if pair.base == pair.quote:
            yield Fault(path, f"base and quote are both {pair.base}")
        yield from _grid(path, pair)
        if _decimals(pair.lot) > decimals[pair.base]:
            yield Fault((*path, "lot"), f"{pair.lot} is finer than the {decimals[pair.base]} decimals of {pair.base}")
        if pair.quantity_max < pair.lot:
            yield Fault((*path, "quantity_max"), f"{pair.quantity_max} is below the lot of {pair.lot}")


def _grid(path: KeyPath, pair: PairSection) -> Iterator[Fault]:
    price = pair.price
    for key, amount in (("tick", pair.tick), ("lot", pair.lot), ("price.constant", price.constant)):
        if amount == 0:
            yield Fault((*path, *key.split(".")), "must be above zero")
    start = price.gbm.start if price.gbm is not None else price.constant
    if start is not None and start >= _PRICE_LIMIT:
        yield Fault((*path, "price"), f"expected a price below {_PRICE_LIMIT}, got {start}")
    if price.gbm is not None and price.gbm.start == 0:
        yield Fault((*path, "price", "gbm", "start"), "must be above zero")


def _makers(scenario: Scenario) -> Iterator[Fault]:
    pairs = {pair.symbol: pair for pair in scenario.pairs}
    for index, maker in enumerate(scenario.makers):
        path = ("market_maker", index)
        for symbol in maker.symbols:
            if symbol not in pairs:
                yield _unknown((*path, "symbols"), "pair", symbol, pairs)
        if len(set(maker.symbols)) < len(maker.symbols):
            yield Fault((*path, "symbols"), "names a pair twice")
        traded = [pairs[symbol] for symbol in scenario.symbols_of(maker)]
        yield from _holdings(scenario, (*path, "balance"), maker.balance, traded)
        yield from _orders(path, maker, traded)


def _orders(path: KeyPath, maker: MarketMaker, traded: list[PairSection]) -> Iterator[Fault]:
    for pair in traded:
        if maker.quantity.min < pair.lot:
            yield Fault(
                (*path, "quantity", "min"), f"{maker.quantity.min} is below the lot of {pair.symbol}, {pair.lot}"
            )
    if maker.arrivals.replay is not None and len(traded) != 1:
        symbols = ", ".join(pair.symbol for pair in traded)
        problem = f"a recording is of one pair, and this market maker trades {symbols}"
        yield Fault((*path, "symbols"), problem, f'give it one: symbols = ["{traded[0].symbol}"]')
    if maker.heartbeat_interval % SECOND:
        yield Fault((*path, "heartbeat_interval"), "must be whole seconds, as FIX has it")


def _solvers(scenario: Scenario) -> Iterator[Fault]:
    penalty = scenario.auction.default_penalty
    for index, solver in enumerate(scenario.solvers):
        path = ("solver", index)
        if solver.strategy not in STRATEGIES:
            yield _unknown((*path, "strategy"), "strategy", solver.strategy, STRATEGIES)
        yield from _params((*path, "params"), solver)
        yield from _holdings(scenario, (*path, "capital"), solver.capital, scenario.pairs)
        if solver.bond < penalty:
            problem = f"{solver.bond} is below auction.default_penalty, {penalty}, so that none of its bids could count"
            yield Fault((*path, "bond"), problem)


def _params(path: KeyPath, solver: Solver) -> Iterator[Fault]:
    try:
        solver.strategy_params()
    except msgspec.ValidationError as error:
        yield translate(error, STRATEGIES[solver.strategy].params, solver.params, path)


def _holdings(
    scenario: Scenario, path: KeyPath, held: Mapping[str, Decimal], traded: Iterable[PairSection]
) -> Iterator[Fault]:
    tokens = [token.id for token in scenario.tokens]
    for token in held:
        if token not in tokens:
            yield _unknown((*path, token), "token", token, tokens)
    useful = {token: None for pair in traded for token in (pair.base, pair.quote)}
    if not any(held.get(token) for token in useful):
        yield Fault(path, f"nothing to trade with: it needs some {' or '.join(useful)}")


def _nodes(scenario: Scenario) -> Iterator[Fault]:
    taken = {VENUE: "the venue's name", scenario.fix.comp_id: "the venue's CompID"}
    ids = {
        "market_maker": [maker.id for maker in scenario.makers],
        "solver": [solver.id for solver in scenario.solvers],
    }
    for array, names in ids.items():
        for index, name in enumerate(names):
            if name in taken:
                yield Fault((array, index, "id"), f'"{name}" is also {taken[name]}')
            taken[name] = f"the id of a {array}"


def _unknown(path: KeyPath, what: str, name: str, known: Iterable[str]) -> Fault:
    return Fault(path, f'there is no {what} "{name}"', did_you_mean(name, known))


def _fits_ledger(amount: Decimal) -> bool:
    return len(amount.as_tuple().digits) <= MONEY.prec and max(amount.adjusted(), _decimals(amount)) <= _EXPONENT_MAX


def _decimals(amount: Decimal) -> int:
    return max(-int(amount.normalize().as_tuple().exponent), 0)
