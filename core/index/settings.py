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
    token_decimals: int = 18
    collateral_decimals: int = 6
    order_amount_max: Decimal = Decimal(1_000_000_000)

    tick_ns: Nanos = 100 * MILLISECOND
    client_order_wait_ns: Nanos = 5 * SECOND
    client_quote_wait_ns: Nanos = 500 * MILLISECOND
    order_expiry_ns: Nanos = 1800 * SECOND
    """An order that has not ended by then trades no more: it is settled with what it has."""
    compute_timeout_ns: Nanos = SECOND
    """The matrix planner answers within this, or the simple one plans instead."""
    chain_timeout_ns: Nanos = 30 * SECOND
    """A call on the chain without an answer is made again after this."""
    chain_retry_ns: Nanos = 2 * SECOND
    """A refused call is made again after this, doubled each time up to `chain_retry_ns_max`."""
    chain_retry_ns_max: Nanos = 30 * SECOND
    """What is asked for is paid, so its user waits no longer than this once the chain takes calls again."""
    collateral_retry_ns: Nanos = 10 * SECOND
    """A pay-out that was refused is asked for again after this."""
    rebalance_window_ns: Nanos = 3600 * SECOND
    """A rebalance trades no longer than this; then its basket is published as it is."""
    rebalance_interval_ns: Nanos = 86_400 * SECOND
    """An index takes new weights at most once in this time."""
    nav_interval_ns: Nanos = 60 * SECOND
    """How often NAV is stated while orders run; 0 never."""
    books: BookSettings = BookSettings()
    """How order books are kept, and when they are too old."""
    book_levels_max: int = 100
    """Planning looks no deeper into a book than this."""
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


WAIT_MIN_NS: Final = MILLISECOND
"""Whoever does something again sooner than that does nothing else, and at one instant for ever if there is no wait."""


def desk_faults(settings: DeskSettings) -> list[str]:
    """What a desk cannot work with, a line each."""
    return [*_wait_faults(settings, ""), *_wait_faults(settings.books, "books."), *_nav_faults(settings)]


def _wait_faults(settings: DeskSettings | BookSettings, where: str) -> Iterator[str]:
    for name in _WAITS[type(settings)]:
        wait = getattr(settings, name)
        if wait < WAIT_MIN_NS:
            yield f"{where}{name.replace('_ns', '')}: {wait} ns is too short a wait; give it at least {WAIT_MIN_NS} ns"


def _nav_faults(settings: DeskSettings) -> Iterator[str]:
    wait = settings.nav_interval_ns
    if wait and wait < WAIT_MIN_NS:
        yield f"nav_interval: {wait} ns is too short a wait; give it at least {WAIT_MIN_NS} ns, or 0 for never"


_WAITS: Final[dict[type[DeskSettings | BookSettings], tuple[str, ...]]] = {
    DeskSettings: (
        "tick_ns",
        "compute_timeout_ns",
        "chain_timeout_ns",
        "chain_retry_ns",
        "chain_retry_ns_max",
        "collateral_retry_ns",
    ),
    BookSettings: ("stale_after_ns", "snapshot_timeout_ns", "retry_ns", "retry_ns_max"),
}
