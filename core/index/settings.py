"""What an index desk is told at construction, and what can be wrong with it, in plain numbers. Money is the quote
token, times are nanoseconds."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Final

import msgspec

from core.index.planning import Amounts, PlanLimits
from core.index.records import Weights
from core.market.books import BookSettings
from core.units import MILLISECOND, SECOND, Nanos


class PlannerName(StrEnum):
    """Who plans batches."""

    SIMPLE = "simple"
    """Proportional fitting, inline."""
    MATRIX = "matrix"
    """A linear program, outside. The simple planner stands in when it is late."""


class IndexSettings(msgspec.Struct, frozen=True, kw_only=True):
    """An index that exists when the desk starts. Quantities win over weights, and are used as they are."""

    symbol: str
    weights: Weights = ()
    quantities: Amounts = ()
    target_price: Decimal | None = None


class DeskSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Every parameter of the desk; defaults are those of the reference system in production."""

    planner: PlannerName = PlannerName.SIMPLE
    limits: PlanLimits = PlanLimits()
    """What both planners keep to, with the mode of the desk and its tolerances."""
    indexes: tuple[IndexSettings, ...] = ()
    assets: tuple[str, ...] = ()
    """Assets whose books are built from the start, besides those of baskets."""
    commission_pairs: dict[str, str] = {}
    """By asset that the exchange may take commissions in, the pair whose book says what it is worth"""
    target_price: Decimal = Decimal(1000)
    """What a token costs at first, where nobody says."""
    max_batch_size: int = 16
    """Orders in one batch."""

    fill_threshold: Decimal = Decimal("0.9999")
    """An order that is filled beyond this share is minted at once."""
    mint_threshold: Decimal = Decimal("0.99")
    """One that is filled beyond this share is minted when nothing happens to it for `mint_wait_ns`."""
    mint_wait_ns: Nanos = 10 * SECOND
    collateral_decimals: int = 6
    order_amount_max: Decimal = Decimal(1_000_000_000)

    tick_ns: Nanos = 100 * MILLISECOND
    client_order_wait_ns: Nanos = 5 * SECOND
    client_quote_wait_ns: Nanos = 500 * MILLISECOND
    crossing_wait_ns: Nanos = 0
    """A ready order waits this long for one of the other side that is on its way, to meet it in one batch."""
    custody_wait_ns: Nanos = 60 * SECOND
    """Index tokens in custody that no order wants go back to their user after this."""
    order_expiry_ns: Nanos = 1800 * SECOND
    """An order that has not ended by then trades no more: it is settled with what it has."""
    batch_window_ns: Nanos = 10 * SECOND
    """What a batch of users has not traded so long after its last exchange order could leave is cancelled, and its
    orders go on at new prices."""
    order_retry_ns: Nanos = SECOND
    """An order that a batch got nothing rests until the next whole multiple of this, doubled each time up to
    `order_retry_ns_max`, so that orders which rest meet."""
    order_retry_ns_max: Nanos = 8 * SECOND
    compute_timeout_ns: Nanos = SECOND
    """The matrix planner answers within this, or the simple one plans instead."""
    compute_attempts_max: int = 3
    """So many plans of it in a row may be overtaken by what has changed meanwhile; then the simple one plans."""
    chain_timeout_ns: Nanos = 30 * SECOND
    """A call on the chain without an answer is made again after this, or as long a pause as after a refusal if that is
    longer."""
    chain_retry_ns: Nanos = 2 * SECOND
    """A refused call is made again after this, doubled each time up to `chain_retry_ns_max`."""
    chain_retry_ns_max: Nanos = 30 * SECOND
    """What is asked for is paid, so its user waits no longer than this once the chain takes calls again."""
    rebalance_window_ns: Nanos = 3600 * SECOND
    """Orders wait no longer than this for a rebalance that trades; what it has not traded by then goes on."""
    house_retry_ns: Nanos = SECOND
    """What a house batch has traded nothing of is not tried sooner, doubled each time up to `house_retry_ns_max`."""
    house_retry_ns_max: Nanos = 30 * SECOND
    rebalance_interval_ns: Nanos = 86_400 * SECOND
    """An index takes new weights at most once in this time."""
    nav_interval_ns: Nanos = 60 * SECOND
    """How often NAV is stated while there are orders, tokens or house inventory; 0 never."""
    reconcile_interval_ns: Nanos = 60 * SECOND
    """How often the inventory is compared with what the account holds at the exchange; 0 only when a session comes."""
    reconcile_retry_ns: Nanos = 5 * SECOND
    """What could not be compared is looked at again after this, doubled each time up to the interval."""
    opening_balances: dict[str, Decimal] = {}
    """What the account held at the exchange before the desk's first trade, by asset: it is no difference."""
    books: BookSettings = BookSettings()
    """How order books are kept, and when they are too old."""
    book_levels_max: int = 100
    """Planning looks no deeper into a book than this."""
    house_surplus_max: Decimal = Decimal(1000)
    """The house keeps so much money's worth of an asset, at limits, and sells what it holds beyond. Not looked at in
    reference mode."""
    refund_min: Decimal = Decimal(1)
    """So much money of an ended order is sent back to its user; less stays his, for his next order."""

    orders_per_user_max: int = 1000
    """Open at a time."""
    active_per_user_max: int = 16
    """Served at a time; more wait their turn."""
    quotes_per_user_max: int = 16
    """Waiting at a time."""
    ended_orders_max: int = 1000
    """So many ended orders are kept for views; their ids are remembered for ever."""

    @property
    def token_decimals(self) -> int:
        """Of index tokens: plans and orders are for whole units of them."""
        return self.limits.index_decimals


WAIT_MIN_NS: Final = MILLISECOND
"""Whoever does something again sooner than that does nothing else, and at one instant for ever if there is no wait."""


def desk_faults(settings: DeskSettings) -> list[str]:
    """What a desk cannot work with, a line each."""
    return [
        *_wait_faults(settings, ""),
        *_wait_faults(settings.books, "books."),
        *_interval_faults(settings),
        *_room_faults(settings.limits),
    ]


def _wait_faults(settings: DeskSettings | BookSettings, where: str) -> Iterator[str]:
    for name in _WAITS[type(settings)]:
        wait = getattr(settings, name)
        if wait < WAIT_MIN_NS:
            yield f"{where}{name.replace('_ns', '')}: {wait} ns is too short a wait; give it at least {WAIT_MIN_NS} ns"


def _interval_faults(settings: DeskSettings) -> Iterator[str]:
    for name, wait in (
        ("nav_interval", settings.nav_interval_ns),
        ("reconcile_interval", settings.reconcile_interval_ns),
    ):
        if wait and wait < WAIT_MIN_NS:
            yield f"{name}: {wait} ns is too short a wait; give it at least {WAIT_MIN_NS} ns, or 0 for never"


def _room_faults(limits: PlanLimits) -> Iterator[str]:
    """With these no batch could ever begin, and every order would wait until it is too old."""
    batch = min(limits.max_volley_size, limits.max_total_volley_size)
    for name, least, most, what in (
        ("min_total_volley_available", limits.min_total_volley_available, limits.max_total_volley_size, "there can be"),
        ("min_asset_volley_size", limits.min_asset_volley_size, batch, "a batch may cost"),
    ):
        if least > most:
            yield f"limits.{name}: {least} is more than {what}, so no batch could begin; give it at most {most}"


_WAITS: Final[dict[type[DeskSettings | BookSettings], tuple[str, ...]]] = {
    DeskSettings: (
        "tick_ns",
        "batch_window_ns",
        "order_retry_ns",
        "order_retry_ns_max",
        "compute_timeout_ns",
        "chain_timeout_ns",
        "chain_retry_ns",
        "chain_retry_ns_max",
        "house_retry_ns",
        "house_retry_ns_max",
        "reconcile_retry_ns",
    ),
    BookSettings: ("stale_after_ns", "snapshot_timeout_ns", "retry_ns", "retry_ns_max"),
}
