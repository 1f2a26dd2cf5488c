"""What `Collateral` is told at construction, in plain numbers, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

import msgspec

from core.collateral.hops import HopTrouble
from core.units import SECOND, Nanos

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)
_ATTEMPTS: Final = (1 * SECOND, 2 * SECOND, 3 * SECOND, 5 * SECOND, 8 * SECOND, 13 * SECOND)

RETRIES: Final[dict[str, tuple[Nanos, ...]]] = {
    HopTrouble.UNAVAILABLE: _ATTEMPTS,
    HopTrouble.RATE_LIMITED: (10 * SECOND, 20 * SECOND, 40 * SECOND),
    HopTrouble.NO_CAPACITY: (30 * SECOND,),
    HopTrouble.FEE_TOO_HIGH: (30 * SECOND,),
    HopTrouble.EXPIRED: (0,),
}
"""Pauses before each further attempt at the same hop, by what was wrong. What is not here is not tried again."""


class Confirmations(msgspec.Struct, frozen=True):
    """How many blocks, its own included, make a deposit of up to `value` certain; None is any value."""

    value: Decimal | None
    blocks: int


class BridgeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What makes a hop a bridge."""

    confirmations: tuple[Confirmations, ...]
    """By rising value; the last has none."""
    fill_time_min: Nanos
    """A suggestion whose deadline is nearer is not taken."""


class HopSettings(msgspec.Struct, frozen=True, kw_only=True):
    """One hop, in one direction. Fees and latency are estimates for planning; what a hop charges, it says."""

    name: str
    source: str
    destination: str
    fee_flat: Decimal = _ZERO
    fee_rate: Decimal = _ZERO
    """Of the amount."""
    fee_share_max: Decimal = Decimal("0.1")
    """Nothing is sent over a hop that is expected to keep more, and a bridge that suggests more is not used. What a hop
    keeps beyond it nevertheless is noted."""
    latency: Nanos = 0
    amount_min: Decimal = _ZERO
    amount_max: Decimal | None = None
    capacity: Decimal | None = None
    """How much may be under way at once. It never takes more."""
    reply_timeout: Nanos = 3 * SECOND
    """So long after a request without an answer, the hop is asked what became of it, or for its terms again."""
    poll: Nanos = 30 * SECOND
    """How often a hop that has money under way is asked how it is going."""
    bridge: BridgeSettings | None = None


class ChainSettings(msgspec.Struct, frozen=True, kw_only=True):
    """A chain that users are on."""

    deposit: str
    """The designation where deposits lie."""
    payout: str
    """The designation where money is its user's again."""


class CollateralSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Where collateral comes from and goes to, by which hops, and for how long which wait is borne."""

    token: str
    """What collateral is held in, for its ledger."""
    chains: dict[str, ChainSettings]
    """By chain id."""
    destinations: dict[str, tuple[str, ...]]
    """By index symbol: designations of the account where its assets are bought, each as good as another. Cash of sales
    leaves by the one with the best way home, and lies at the first if there is none."""
    hops: tuple[HopSettings, ...]
    sources: dict[str, str] = {}
    """By `chain_id:symbol`: the designation that orders for that index draw on, where it is not where deposits lie."""
    tolerance: Decimal = Decimal("1e-6")
    """In the token: who lacks no more than that has enough, and gets what is there."""
    route_deadline: Nanos = 30 * 60 * SECOND
    """Within this time after `RouteCollateral` the desk has its answer. No way is taken that is expected to take
    longer."""
    withdrawal_wait: Nanos = 60 * SECOND
    """So long a request for withdrawal waits for money that is not there or not free, or for parts of it to arrive."""
    payout_wait: Nanos = 30 * 60 * SECOND
    """So long an order waits for its refund, or its cash, to be with its user, and a withdrawal for what was sent
    within `withdrawal_wait`. Then what no hop has stays with the collateral, and what one has is said to be under
    way."""
    latency_cost_bps: int = 100
    """What an hour under way is worth, of the amount: by so much a way may be dearer that is an hour faster. It is
    about as much as a basket moves in that time."""
    capacity_wait: Nanos = 60 * SECOND
    """So long a leg waits for room on its hop before the hop counts as refusing it. Ways are planned as if it had to
    wait as long wherever there is no room at present."""
    held_retry: Nanos = 60 * SECOND
    """How often a transfer that is held tries again."""
    transfer_fee_share_max: Decimal = Decimal("0.1")
    """Of what a transfer sets out with: no way is taken on which hops are expected to keep more of it, with what they
    have kept so far, or on the way a tenth more than that. One whose hops have done so nevertheless goes on only where
    that costs nothing."""
    queries: tuple[Nanos, ...] = _ATTEMPTS
    """Pauses between questions about an unclear leg, the last of which repeats, and between those for a bridge's terms,
    which is not used if it has suggested none after the last."""
    retries: dict[str, tuple[Nanos, ...]] = msgspec.field(default_factory=lambda: dict(RETRIES))
    closed_lots_max: int = 16
    """So many closed lots of each user are kept to be shown. Their sums are kept in any case."""

    def is_source(self, place: str, chain: str) -> bool:
        """Whether orders of that chain draw on what lies there."""
        drawn_on = (at for key, at in self.sources.items() if key.partition(":")[0] == chain)
        return place == self.chains[chain].deposit or place in drawn_on

    def source(self, chain: str, symbol: str) -> str:
        """The designation that an order of that chain draws on."""
        return self.sources.get(f"{chain}:{symbol}", self.chains[chain].deposit)


def chain_of(user: str) -> str:
    """The chain id of a user `chain_id:address`."""
    return user.partition(":")[0]


def settings_faults(settings: CollateralSettings) -> list[str]:
    """What is wrong with settings, one line each: names what, where and how to mend it. Empty when nothing is."""
    return [*_hop_faults(settings), *_place_faults(settings), *_time_faults(settings)]


def _hop_faults(settings: CollateralSettings) -> Iterator[str]:
    names: list[str] = []
    for hop in settings.hops:
        if hop.name in names:
            yield f"hop `{hop.name}`: the name is taken; give each hop a name of its own"
        names.append(hop.name)
        if hop.source == hop.destination:
            yield f"hop `{hop.name}`: leads from {hop.source} to itself; name two designations"
        if not 0 <= hop.fee_rate < 1 or hop.fee_flat < 0:
            yield f"hop `{hop.name}`: fee_rate must be in [0, 1) and fee_flat not negative"
        if not 0 <= hop.fee_share_max <= _ONE:
            yield f"hop `{hop.name}`: fee_share_max must be in [0, 1], got {hop.fee_share_max}"
        if hop.amount_max is not None and hop.amount_max < hop.amount_min:
            yield f"hop `{hop.name}`: amount_max {hop.amount_max} is below amount_min {hop.amount_min}"
        if hop.capacity is not None and hop.capacity < max(hop.amount_min, hop.amount_max or _ZERO):
            yield f"hop `{hop.name}`: capacity {hop.capacity} is below what one movement may be; raise it"
        if hop.reply_timeout <= 0 or hop.poll <= 0:
            yield f"hop `{hop.name}`: reply_timeout and poll must be positive"
        if hop.bridge is not None:
            yield from _bridge_faults(hop.name, hop.bridge)


def _bridge_faults(name: str, bridge: BridgeSettings) -> Iterator[str]:
    values = [step.value for step in bridge.confirmations]
    if not values or values[-1] is not None or None in values[:-1]:
        yield f"hop `{name}`: confirmations must end with one step, and only one, without a value"
    bounds = [value for value in values if value is not None]
    if bounds != sorted(bounds) or any(step.blocks < 1 for step in bridge.confirmations):
        yield f"hop `{name}`: confirmations must have rising values and at least one block each"


def _place_faults(settings: CollateralSettings) -> Iterator[str]:
    known = dict.fromkeys(place for hop in settings.hops for place in (hop.source, hop.destination))
    for what, place in _named_places(settings):
        if place not in known:
            yield f"{what}: no hop touches {place}; give it one, or name another designation"
    for key in settings.sources:
        chain, _, symbol = key.partition(":")
        if chain not in settings.chains or symbol not in settings.destinations:
            yield f"source `{key}`: name it `chain_id:symbol`, of a chain and an index that the settings have"
    for symbol, places in settings.destinations.items():
        if not places:
            yield f"index {symbol}: name at least one destination"


def _named_places(settings: CollateralSettings) -> Iterator[tuple[str, str]]:
    for chain, at in settings.chains.items():
        yield f"deposits of chain {chain}", at.deposit
        yield f"payouts of chain {chain}", at.payout
    for key, place in settings.sources.items():
        yield f"source `{key}`", place
    for symbol, places in settings.destinations.items():
        yield from ((f"index {symbol}", place) for place in places)


def _time_faults(settings: CollateralSettings) -> Iterator[str]:
    if settings.tolerance < 0:
        yield f"tolerance must not be negative, got {settings.tolerance}"
    if not 0 <= settings.transfer_fee_share_max <= _ONE:
        yield f"transfer_fee_share_max must be in [0, 1], got {settings.transfer_fee_share_max}"
    if settings.latency_cost_bps < 0:
        yield f"latency_cost_bps must not be negative, got {settings.latency_cost_bps}"
    waits = (settings.route_deadline, settings.payout_wait, settings.capacity_wait, settings.held_retry)
    if min(waits) <= 0:
        yield "route_deadline, payout_wait, capacity_wait and held_retry must be positive"
    if not settings.queries or min(settings.queries) <= 0:
        yield "queries must name at least one positive pause"
    for kind in settings.retries:
        if kind not in set(HopTrouble):
            yield f"retries: there is no trouble `{kind}`; known: {', '.join(HopTrouble)}"
