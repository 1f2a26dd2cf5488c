"""`--set PATH=VALUE` over a recorded venue: its settings as a scenario file has them, and which of them may change.

A recording does not hold how far away somebody was, only when what they sent arrived. So `solver.ID.latency` and
`market_maker.ID.latency` say how much *later* everything from them arrives.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import field
from msgspec.structs import replace

from core.checks import problems
from core.config import (
    AuctionConfig,
    FixConfig,
    Section,
    SequencerConfig,
    VenueConfig,
    decode_custom,
    encode_custom,
)
from core.errors import InputError
from core.faults import Fault, KeyPath, translate
from core.market.orders import Name
from core.units import Nanos, format_duration
from sim.scenario.errors import IDS, describe, leaves
from sim.scenario.layers import Document, Layer
from sim.scenario.models import LatencyTable
from sim.scenario.overrides import override_layers

BATCHES: Final = (
    ("sequencer", "batch_messages"),
    ("sequencer", "batch_window"),
    ("sequencer", "empty_windows_per_block"),
)
"""What decides which blocks there are, and so which auctions a recorded bid can be for."""
_ADDRESSED: Final = ("fix", "comp_id")
_ARRAYS: Final = {"pairs": "pair", "members": "market_maker", "solvers": "solver"}


class _Participant(Section, frozen=True, kw_only=True):
    id: Name
    latency: LatencyTable | None = None


class _Solver(_Participant, frozen=True, kw_only=True):
    capital: dict[Name, Decimal]
    bond: Decimal


class _Maker(_Participant, frozen=True, kw_only=True):
    balance: dict[Name, Decimal]


class _Pair(Section, frozen=True, kw_only=True):
    symbol: Name
    tick: Decimal
    lot: Decimal
    quantity_max: Decimal


class _Settings(Section, frozen=True, kw_only=True):
    pairs: tuple[_Pair, ...] = field(name="pair")
    sequencer: SequencerConfig
    auction: AuctionConfig
    fix: FixConfig
    makers: tuple[_Maker, ...] = field(name="market_maker")
    solvers: tuple[_Solver, ...] = field(name="solver")


class Change(msgspec.Struct, frozen=True):
    """One setting, as it was recorded and as it is now."""

    path: str
    before: str
    after: str


class Changed(NamedTuple):
    """A venue under other settings. `delays` are what arrives later, by participant."""

    config: VenueConfig
    delays: dict[str, Nanos]
    changes: list[Change]


def change(config: VenueConfig, overrides: Sequence[str], bidders: Sequence[str]) -> Changed:
    """`config` with the overrides applied. `bidders` are the solvers whose bids are the recorded ones.

    Raises InputError for settings that there are not, that do not fit, or that cannot change while recorded bids
    and orders are held fixed: of every override that is wrong by itself, or of what they are together.
    """
    try:
        return _change(config, overrides, bidders)
    except InputError:
        alone = [error for text in overrides if (error := _refusal(config, text, bidders)) is not None]
        if len(overrides) < 2 or not alone:
            raise
        hints = [error.hint for error in alone if error.hint]
        raise InputError("; ".join(error.message for error in alone), "; ".join(dict.fromkeys(hints))) from None


def _refusal(config: VenueConfig, override: str, bidders: Sequence[str]) -> InputError | None:
    try:
        _change(config, [override], bidders)
    except InputError as error:
        return error
    return None


def _change(config: VenueConfig, overrides: Sequence[str], bidders: Sequence[str]) -> Changed:
    base = _as_data(config)
    document = Document([Layer(config.name, base), *override_layers(overrides, base)])
    try:
        settings = msgspec.convert(document.data, _Settings, dec_hook=decode_custom)
    except msgspec.ValidationError as error:
        raise document.error(translate(error, _Settings, document.data, (), decode_custom)) from None
    before = dict(leaves(Document([Layer(config.name, base)]).data))
    differing = [path for path, value in leaves(document.data) if before.get(path) != value]
    for path in differing:
        _check_changeable(document, path, bidders)
    changed = _applied(config, settings)
    known = problems(config)
    for fault in problems(changed):
        if fault not in known:
            raise document.error(_in_scenario_words(fault, config, document.data))
    delays = _delays(document, settings)
    changes = [
        Change(describe(document.data, path), str(before.get(path, "none")), str(_at(document.data, path)))
        for path in differing
        if "latency" not in path
    ]
    changes += [
        Change(f"latency of {name}", "as recorded", f"{format_duration(by)} more") for name, by in delays.items()
    ]
    return Changed(changed, delays, changes)


def _as_data(config: VenueConfig) -> dict[str, Any]:
    def plain(section: Any, *names: str) -> Any:
        data = msgspec.to_builtins(section, enc_hook=encode_custom)
        return {name: data[name] for name in names} if names else data

    return {
        "pair": [plain(pair, "symbol", "tick", "lot", "quantity_max") for pair in config.pairs],
        "sequencer": plain(config.sequencer),
        "auction": plain(config.auction),
        "fix": plain(config.fix),
        "market_maker": [plain(member, "id", "balance") for member in config.members],
        "solver": [plain(solver, "id", "capital", "bond") for solver in config.solvers],
    }


def _check_changeable(document: Document, path: KeyPath, bidders: Sequence[str]) -> None:
    if path == _ADDRESSED:
        problem = "cannot change: every recorded FIX message is addressed to the old name"
        raise document.error(Fault(path, problem))
    if path in BATCHES and bidders:
        who = ", ".join(bidders)
        problem = f"cannot change in open loop: the recorded bids of {who} are for blocks that there would not be"
        hint = f"let them bid anew: {' '.join(f'--replace {name}=cost_plus' for name in bidders)}"
        raise document.error(Fault(path, problem, hint))


def _applied(config: VenueConfig, settings: _Settings) -> VenueConfig:
    pairs = {pair.symbol: pair for pair in settings.pairs}
    makers = {maker.id: maker for maker in settings.makers}
    solvers = {solver.id: solver for solver in settings.solvers}
    return replace(
        config,
        pairs=tuple(
            replace(
                it, tick=pairs[it.symbol].tick, lot=pairs[it.symbol].lot, quantity_max=pairs[it.symbol].quantity_max
            )
            for it in config.pairs
        ),
        sequencer=settings.sequencer,
        auction=settings.auction,
        fix=settings.fix,
        members=tuple(replace(it, balance=makers[it.id].balance) for it in config.members),
        solvers=tuple(replace(it, capital=solvers[it.id].capital, bond=solvers[it.id].bond) for it in config.solvers),
    )


def _delays(document: Document, settings: _Settings) -> dict[str, Nanos]:
    delays = {}
    for array, entries in (("market_maker", settings.makers), ("solver", settings.solvers)):
        for index, entry in enumerate(entries):
            if entry.latency is None:
                continue
            if entry.latency.constant is None:
                problem = 'expected a duration such as "20ms", by which all that arrives is later'
                raise document.error(Fault((array, index, "latency"), problem))
            delays[entry.id] = int(entry.latency.constant)
    return delays


def _in_scenario_words(fault: Fault, config: VenueConfig, data: dict[str, Any]) -> Fault:
    """The fault at its place in `data`, whose arrays have other names and another order than those of `config`."""
    array = _ARRAYS.get(str(fault.path[0]))
    if array is None:
        return fault
    if len(fault.path) == 1:
        return fault._replace(path=(array,))
    entry = getattr(config, str(fault.path[0]))[fault.path[1]]
    name = getattr(entry, IDS[array])
    index = next(index for index, each in enumerate(data[array]) if each[IDS[array]] == name)
    return fault._replace(path=(array, index, *fault.path[2:]))


def _at(data: Any, path: KeyPath) -> Any:
    for key in path:
        data = data[key]
    return data
