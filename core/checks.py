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
from core.collateral.settings import settings_faults
from core.config import (
    DeskConfig,
    Duration,
    MakerConfig,
    NodeConfig,
    PulseConfig,
    SolverAccountConfig,
    SolverConfig,
    VenueConfig,
    decode_custom,
    encode_custom,
)
from core.faults import Fault, KeyPath, brief, shown, unknown
from core.fix.settings import HEARTBEAT_SECONDS_MAX
from core.founders import identity_faults
from core.index.settings import desk_faults
from core.market.orders import Pair, Token
from core.reading import Reading
from core.sessions import session_faults
from core.units import AMOUNT_LIMIT, INTEGER_BITS_MAX, MILLISECOND, MONEY, SECOND, decimals, fits_ledger

_DAYS_MAX: Final = 3650
"""An instant of this century and several spans of this length are together below 64 bits of nanoseconds."""
_DURATION_MAX: Final = _DAYS_MAX * 86_400 * SECOND
_RETRY_MIN: Final = Duration(MILLISECOND)
"""Whoever tries again sooner than that does little else."""
_DAY: Final = Duration(86_400 * SECOND, "1d")
_SECRET_CHARS_MAX: Final = 256
"""The first line of a solver's connection has to hold it."""


def problems(config: NodeConfig, tokens: Iterable[Token] = ()) -> list[Fault]:
    """All that keeps a node from being run as configured; paths are those of `config`. Empty when it can be.

    A venue knows the tokens that its pairs trade, and may hold others only if they are among `tokens`.
    """
    plain = msgspec.to_builtins(config, builtin_types=(Decimal,), enc_hook=encode_custom)
    reading = Reading(plain, type(config), decode_custom)
    faults = list(number_faults(config))
    if isinstance(config, VenueConfig):
        faults += _venue(config, {token.id: token for token in tokens} | config.tokens())
    elif isinstance(config, DeskConfig):
        faults += [Fault(("desk",), problem) for problem in desk_faults(config.desk)]
        faults += [Fault(("collateral",), problem) for problem in settings_faults(config.collateral)]
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
        yield Fault(path, f"must be above zero, got {value.written if isinstance(value, Duration) else value}")


def at_most_a_day(path: KeyPath, span: Duration) -> Iterator[Fault]:
    """The fault of a span at `path` that somebody would wait in vain; `number_faults` has those of no instant."""
    if _DAY < span <= _DURATION_MAX:
        yield Fault(path, f"expected a duration of at most {_DAY.written}, got {span.written}")


def _wait(path: KeyPath, span: Duration) -> Iterator[Fault]:
    yield from above_zero(path, span)
    yield from at_most_a_day(path, span)


def _retry(path: KeyPath, span: Duration) -> Iterator[Fault]:
    if 0 <= span < _RETRY_MIN:
        yield Fault(path, f"expected a duration of at least {_RETRY_MIN.written}, got {span.written}")
    yield from at_most_a_day(path, span)


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
        return f"expected a duration from 0s to {_DAYS_MAX}d, got {value.written}"
    if isinstance(value, int) and value.bit_length() > INTEGER_BITS_MAX:
        return f"expected a whole number of at most {INTEGER_BITS_MAX} bits, got {shown(value)}"
    if not isinstance(value, Decimal):
        return ""
    if not value.is_finite() or value < 0:
        return f'expected an amount such as "100.25", zero or more, got "{brief(str(value))}"'
    if not fits_ledger(value):
        return f"expected an amount of at most {MONEY.prec} digits, decimals included, got {brief(str(value))}"
    return f"expected an amount below {AMOUNT_LIMIT}, got {value}" if value >= AMOUNT_LIMIT else ""


# --- the venue -----------------------------------------------------------------------------------


def _venue(venue: VenueConfig, tokens: Mapping[str, Token]) -> Iterator[Fault]:
    yield from _names(venue)
    yield from _pairs(venue)
    yield from _auction(venue, tokens)
    yield from _waits(venue)
    yield from _ordering(venue)
    yield from _accounts(venue, tokens)
    yield from session_faults(venue)
    yield from identity_faults(venue)


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
    for key, quantity in (("lot", lot), ("quantity_max", most)):
        yield from _too_fine((*path, key), quantity, pair.base, (*path, "base"))
    if not (_is_amount(lot) and _is_amount(most)):
        return
    if most < lot:
        yield Fault((*path, "quantity_max"), f"{most} is below the lot of {lot}", others=((*path, "lot"),))
    elif most.adjusted() - int(lot.as_tuple().exponent) >= MONEY.prec:
        problem = f"{most} has more than {MONEY.prec} digits down to the lot of {lot}"
        yield Fault((*path, "quantity_max"), problem, others=((*path, "lot"),))


def _too_fine(path: KeyPath, amount: Decimal, token: Token, *others: KeyPath) -> Iterator[Fault]:
    """The fault of an amount that is no whole number of a token's units; `others` say what these are."""
    if _is_amount(amount) and decimals(amount) > token.decimals:
        yield Fault(path, f"{amount} is finer than the {token.decimals} decimals of {token.id}", others=others)


def _auction(venue: VenueConfig, tokens: Collection[str]) -> Iterator[Fault]:
    auction = venue.auction
    if auction.rule not in RULES:
        yield unknown(("auction", "rule"), "auction rule", auction.rule, RULES)
    if auction.bond_token not in tokens:
        yield unknown(("auction", "bond_token"), "token", auction.bond_token, tokens, *_where_tokens_are_named(venue))


def _waits(venue: VenueConfig) -> Iterator[Fault]:
    sequencer, auction, doors = venue.sequencer, venue.auction, venue.doors
    yield from _wait(("sequencer", "batch_window"), sequencer.batch_window)
    if sequencer.empty_windows_per_block * sequencer.batch_window > _DURATION_MAX >= sequencer.batch_window > 0:
        problem = (
            f"{sequencer.empty_windows_per_block} windows of {sequencer.batch_window.written} last beyond {_DAYS_MAX}d"
        )
        yield Fault(("sequencer", "empty_windows_per_block"), problem, others=(("sequencer", "batch_window"),))
    yield from above_zero(("sequencer", "order_lifetime"), sequencer.order_lifetime)
    yield from _wait(("auction", "bid_window"), auction.bid_window)
    yield from _wait(("auction", "fulfil_window"), auction.fulfil_window)
    yield from at_most_a_day(("auction", "grace"), auction.grace)
    yield from _wait(("doors", "logon_timeout"), doors.logon_timeout)
    yield from _wait(("doors", "authentication_timeout"), doors.authentication_timeout)
    yield from _wait(("doors", "hello_timeout"), doors.hello_timeout)
    yield from _pulse(("doors", "pulse"), doors.pulse)
    if venue.identity is not None:
        for name in ("receive_window", "check_timeout"):
            yield from _wait(("identity", name), getattr(venue.identity, name))


def _pulse(path: KeyPath, pulse: PulseConfig) -> Iterator[Fault]:
    yield from at_most_a_day((*path, "interval"), pulse.interval)
    yield from _wait((*path, "timeout"), pulse.timeout)


def _ordering(venue: VenueConfig) -> Iterator[Fault]:
    sequencer, members = venue.sequencer, [member.id for member in venue.members]
    if sequencer.ordering != "express_lane":
        for key, given in (("head_start", sequencer.head_start), ("express", sequencer.express)):
            if given:
                problem = f'has no meaning with ordering "{sequencer.ordering}", only with "express_lane"'
                yield Fault(("sequencer", key), problem, others=(("sequencer", "ordering"),))
        return
    yield from _wait(("sequencer", "head_start"), sequencer.head_start)
    if not sequencer.express:
        yield Fault(("sequencer", "express"), "nobody is in the express lane: it needs at least one market maker")
    for index, name in enumerate(sequencer.express):
        if name not in members:
            yield unknown(("sequencer", "express", index), "market maker", name, members)


def _accounts(venue: VenueConfig, tokens: Mapping[str, Token]) -> Iterator[Fault]:
    named = _where_tokens_are_named(venue)
    held = [(("members", index, "balance"), member.balance) for index, member in enumerate(venue.members)]
    held += [(("solvers", index, "capital"), solver.capital) for index, solver in enumerate(venue.solvers)]
    for place, amounts in held:
        for token, amount in amounts.items():
            if token in tokens:
                yield from _too_fine((*place, token), amount, tokens[token], *named)
            else:
                yield unknown((*place, token), "token", token, tokens, *named)
    for index, solver in enumerate(venue.solvers):
        path: KeyPath = ("solvers", index)
        yield from nothing_to_trade((*path, "capital"), solver.capital, venue.tokens(), *named)
        yield from _bond(path, solver, venue.auction.default_penalty)
    yield from _fine_bonds(venue, tokens)
    yield from _secrets(venue)


def _bond(path: KeyPath, solver: SolverAccountConfig, penalty: Decimal) -> Iterator[Fault]:
    if _is_amount(solver.bond) and _is_amount(penalty) and solver.bond < penalty:
        below = f"{solver.bond} is below auction.default_penalty, {penalty}"
        others: tuple[KeyPath, ...] = (("auction", "default_penalty"),)
        yield Fault((*path, "bond"), f"{below}, so that none of its bids could count", others=others)


def _fine_bonds(venue: VenueConfig, tokens: Mapping[str, Token]) -> Iterator[Fault]:
    token = tokens.get(venue.auction.bond_token)
    if token is None:
        return
    others: tuple[KeyPath, ...] = (("auction", "bond_token"), *_where_tokens_are_named(venue))
    yield from _too_fine(("auction", "default_penalty"), venue.auction.default_penalty, token, *others)
    for index, solver in enumerate(venue.solvers):
        yield from _too_fine(("solvers", index, "bond"), solver.bond, token, *others)


def _secrets(venue: VenueConfig) -> Iterator[Fault]:
    """A fault never shows the secret itself."""
    owners: dict[str, str] = {}
    for index, solver in enumerate(venue.solvers):
        path: KeyPath = ("solvers", index, "token")
        owner = owners.setdefault(solver.token, solver.id)
        if not solver.token:
            yield Fault(path, "expected a secret, got an empty text")
        elif len(solver.token) > _SECRET_CHARS_MAX:
            yield Fault(path, f"expected a secret of at most {_SECRET_CHARS_MAX} characters, got {len(solver.token)}")
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
        yield Fault(("heartbeat_interval",), f"{problem}, got {interval.written}")
    yield from _retry(("reconnect_interval",), maker.reconnect_interval)


def _solver(solver: SolverConfig) -> Iterator[Fault]:
    if bool(solver.bids_address) != bool(solver.claims_address):
        missing = "claims_address" if solver.bids_address else "bids_address"
        yield Fault((missing,), "a solver has one connection for everything, or three")
    yield from _pulse(("pulse",), solver.pulse)
    yield from _retry(("reconnect_interval",), solver.reconnect_interval)


def _is_amount(number: Decimal) -> bool:
    return number.is_finite() and number >= 0 and fits_ledger(number)
