"""Whether a node can be run as configured, in one place: scenario files and venue files get the same answer.

What a single field may be is said by its type in `core.config`, and holds for a configuration that was built
by hand, too; what depends on several fields, and how large a number may be, is said here. Nothing here raises.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

import msgspec

from core.auction.rules import RULES
from core.config import (
    Duration,
    MakerConfig,
    NodeConfig,
    SolverAccountConfig,
    SolverConfig,
    VenueConfig,
    decode_custom,
    encode_custom,
)
from core.faults import Fault, KeyPath, unknown
from core.fix.logon import HEARTBEAT_SECONDS_MAX
from core.market.orders import Pair, Token
from core.reading import Reading
from core.units import MONEY, SECOND, format_duration

_AMOUNT_LIMIT: Final = 10**18
"""What a money column of the results can hold, with room for sums."""
_EXPONENT_MAX: Final = 24
_INTEGER_BITS_MAX: Final = 62
"""A journal holds 64, and sums need room."""
_DAYS_MAX: Final = 3650
"""An instant of this century and several spans of this length are together below 64 bits of nanoseconds."""
_DURATION_MAX: Final = _DAYS_MAX * 86_400 * SECOND


def problems(config: NodeConfig, tokens: Iterable[str] = ()) -> list[Fault]:
    """All that keeps a node from being run as configured; paths are those of `config`. Empty when it can be.

    A venue knows the tokens that its pairs trade, and may hold others only if they are among `tokens`.
    """
    plain = msgspec.to_builtins(config, builtin_types=(Decimal,), enc_hook=encode_custom)
    reading = Reading(plain, type(config), decode_custom)
    faults = list(number_faults(config))
    if isinstance(config, VenueConfig):
        known = tuple(dict.fromkeys((*config.tokens(), *tokens)))
        faults += [*_names(config), *_pairs(config), *_auction(config, known), *_accounts(config, known)]
    else:
        faults += _maker(config) if isinstance(config, MakerConfig) else _solver(config)
    return reading.faults + [fault for fault in faults if reading.is_news(fault)]


def number_faults(section: msgspec.Struct) -> Iterator[Fault]:
    """Every amount in a configuration that no ledger can hold, and every integer or duration that no journal can."""
    for path, value in _leaves(section, ()):
        problem = _number_problem(value)
        if problem:
            yield Fault(path, problem)


def above_zero(path: KeyPath, value: Decimal | Duration) -> Iterator[Fault]:
    """The fault of zero at `path`; `number_faults` has those of less."""
    if not value:
        yield Fault(path, f"must be above zero, got {format_duration(value) if isinstance(value, int) else value}")


def nothing_to_trade(
    path: KeyPath, held: Mapping[str, Decimal], useful: Collection[str], *others: KeyPath
) -> Iterator[Fault]:
    """The fault of what is held at `path` when none of it is `useful`: a token of a traded pair, as `others` say."""
    if useful and not any(held.get(token) for token in useful):
        yield Fault(path, f"nothing to trade with: it needs some {' or '.join(useful)}", others=others)


def _leaves(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, msgspec.Struct):
        for info in msgspec.structs.fields(value):
            yield from _leaves(getattr(value, info.name), (*path, info.encode_name))
    elif isinstance(value, dict | list | tuple):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(item, (*path, key))
    else:
        yield path, value


def _number_problem(value: object) -> str:
    if isinstance(value, Duration) and not 0 <= value <= _DURATION_MAX:
        return f"expected a duration from 0s to {_DAYS_MAX}d, got {format_duration(value)}"
    if isinstance(value, int) and value.bit_length() > _INTEGER_BITS_MAX:
        return f"expected a whole number of at most {_INTEGER_BITS_MAX} bits, got {value}"
    if not isinstance(value, Decimal):
        return ""
    if not _is_amount(value):
        return f'expected an amount such as "100.25", zero or more, got "{value}"'
    if not _fits_ledger(value):
        return f"expected an amount of at most {MONEY.prec} digits, decimals included, got {value}"
    return f"expected an amount below {_AMOUNT_LIMIT}, got {value}" if value >= _AMOUNT_LIMIT else ""


# --- the venue -----------------------------------------------------------------------------------


def _pairs(venue: VenueConfig) -> Iterator[Fault]:
    if not venue.pairs:
        yield Fault(("pairs",), "the venue trades nothing: it needs at least one pair")
    symbols: set[str] = set()
    for index, pair in enumerate(venue.pairs):
        path: KeyPath = ("pairs", index)
        if pair.symbol in symbols:
            yield Fault((*path, "symbol"), f'"{pair.symbol}" is used twice')
        symbols.add(pair.symbol)
        if pair.base.id == pair.quote.id:
            yield Fault(path, f"base and quote are both {pair.base.id}")
        yield from _grid(path, pair)
    yield from _decimals_of_tokens(venue)


def _decimals_of_tokens(venue: VenueConfig) -> Iterator[Fault]:
    """A token that several pairs trade is the same in all of them."""
    first: dict[str, tuple[KeyPath, Token]] = {}
    for path, token in _token_places(venue):
        place, same = first.setdefault(token.id, (path, token))
        if same.decimals != token.decimals:
            problem = f"{token.id} has {token.decimals} decimals here and {same.decimals} elsewhere"
            yield Fault((*path, "decimals"), problem, others=((*path, "id"), place))


def _token_places(venue: VenueConfig) -> Iterator[tuple[KeyPath, Token]]:
    for index, pair in enumerate(venue.pairs):
        yield ("pairs", index, "base"), pair.base
        yield ("pairs", index, "quote"), pair.quote


def _where_tokens_are_named(venue: VenueConfig) -> tuple[KeyPath, ...]:
    return tuple((*path, "id") for path, _ in _token_places(venue)) or (("pairs",),)


def _grid(path: KeyPath, pair: Pair) -> Iterator[Fault]:
    yield from above_zero((*path, "tick"), pair.tick)
    yield from above_zero((*path, "lot"), pair.lot)
    lot, most = pair.lot, pair.quantity_max
    if not (_is_amount(lot) and _is_amount(most)):
        return
    if _decimals(lot) > pair.base.decimals:
        problem = f"{lot} is finer than the {pair.base.decimals} decimals of {pair.base.id}"
        yield Fault((*path, "lot"), problem, others=((*path, "base"),))
    if most < lot:
        yield Fault((*path, "quantity_max"), f"{most} is below the lot of {lot}", others=((*path, "lot"),))
    elif most.adjusted() - int(lot.as_tuple().exponent) >= MONEY.prec:
        problem = f"{most} has more than {MONEY.prec} digits down to the lot of {lot}"
        yield Fault((*path, "quantity_max"), problem, others=((*path, "lot"),))


def _auction(venue: VenueConfig, tokens: Collection[str]) -> Iterator[Fault]:
    auction, sequencer = venue.auction, venue.sequencer
    if auction.rule not in RULES:
        yield unknown(("auction", "rule"), "auction rule", auction.rule, RULES)
    if auction.bond_token not in tokens:
        yield unknown(("auction", "bond_token"), "token", auction.bond_token, tokens, *_where_tokens_are_named(venue))
    yield from above_zero(("sequencer", "batch_window"), sequencer.batch_window)
    yield from above_zero(("sequencer", "order_lifetime"), sequencer.order_lifetime)
    yield from above_zero(("auction", "bid_window"), auction.bid_window)
    yield from above_zero(("doors", "logon_timeout"), venue.doors.logon_timeout)
    yield from above_zero(("doors", "hello_timeout"), venue.doors.hello_timeout)
    yield from above_zero(("doors", "pulse", "timeout"), venue.doors.pulse.timeout)
    yield from above_zero(("auction", "fulfil_window"), auction.fulfil_window)


def _accounts(venue: VenueConfig, tokens: Collection[str]) -> Iterator[Fault]:
    named = _where_tokens_are_named(venue)
    held = [(("members", index, "balance"), member.balance) for index, member in enumerate(venue.members)]
    held += [(("solvers", index, "capital"), solver.capital) for index, solver in enumerate(venue.solvers)]
    for place, amounts in held:
        for token in amounts:
            if token not in tokens:
                yield unknown((*place, token), "token", token, tokens, *named)
    for index, solver in enumerate(venue.solvers):
        path: KeyPath = ("solvers", index)
        yield from nothing_to_trade((*path, "capital"), solver.capital, venue.tokens(), *named)
        yield from _bond(path, solver, venue.auction.default_penalty)
    yield from _secrets(venue)


def _bond(path: KeyPath, solver: SolverAccountConfig, penalty: Decimal) -> Iterator[Fault]:
    if _is_amount(solver.bond) and _is_amount(penalty) and solver.bond < penalty:
        below = f"{solver.bond} is below auction.default_penalty, {penalty}"
        others: tuple[KeyPath, ...] = (("auction", "default_penalty"),)
        yield Fault((*path, "bond"), f"{below}, so that none of its bids could count", others=others)


def _secrets(venue: VenueConfig) -> Iterator[Fault]:
    """A fault never shows the secret itself."""
    owners: dict[str, str] = {}
    for index, solver in enumerate(venue.solvers):
        path: KeyPath = ("solvers", index, "token")
        owner = owners.setdefault(solver.token, solver.id)
        if not solver.token:
            yield Fault(path, "expected a secret, got an empty text")
        elif owner != solver.id:
            yield Fault(path, f'it is the token of "{owner}" too, so that each could pass for the other')


def _names(venue: VenueConfig) -> Iterator[Fault]:
    """Journals, accounts and results go by name, so a name is one participant's."""
    taken = {venue.name: "the venue's name", venue.fix.comp_id: "the venue's CompID"}
    members, solvers = ([each.id for each in entries] for entries in (venue.members, venue.solvers))
    for array, kind, names in (("members", "market maker", members), ("solvers", "solver", solvers)):
        for index, name in enumerate(names):
            if name in taken:
                yield Fault((array, index, "id"), f'"{name}" is also {taken[name]}')
            taken[name] = f"the id of a {kind}"


# --- those who trade there -----------------------------------------------------------------------


def _maker(maker: MakerConfig) -> Iterator[Fault]:
    interval = maker.heartbeat_interval
    if interval % SECOND or interval > HEARTBEAT_SECONDS_MAX * SECOND:
        problem = f"expected whole seconds, as FIX has it, and at most {HEARTBEAT_SECONDS_MAX}"
        yield Fault(("heartbeat_interval",), f"{problem}, got {format_duration(interval)}")
    yield from above_zero(("reconnect_interval",), maker.reconnect_interval)


def _solver(solver: SolverConfig) -> Iterator[Fault]:
    if bool(solver.bids_address) != bool(solver.claims_address):
        missing = "claims_address" if solver.bids_address else "bids_address"
        yield Fault((missing,), "a solver has one connection for everything, or three")
    yield from above_zero(("pulse", "timeout"), solver.pulse.timeout)
    yield from above_zero(("reconnect_interval",), solver.reconnect_interval)


def _is_amount(number: Decimal) -> bool:
    return number.is_finite() and number >= 0


def _fits_ledger(amount: Decimal) -> bool:
    return len(amount.as_tuple().digits) <= MONEY.prec and max(amount.adjusted(), _decimals(amount)) <= _EXPONENT_MAX


def _decimals(amount: Decimal) -> int:
    return max(-int(amount.normalize().as_tuple().exponent), 0)
