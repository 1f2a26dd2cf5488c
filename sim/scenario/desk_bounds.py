"""How large and how small the numbers of an index scenario may be, key by key. What is not here is zero or more."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeAlias

import msgspec

from core.config import Duration
from core.faults import Fault, KeyPath
from core.units import MILLISECOND
from sim.scenario.desk import DeskScenario

Number: TypeAlias = Decimal | int


class Bound(NamedTuple):
    """What a number must be, in words, and the test of it."""

    words: str
    least: Number
    most: Number | None = None
    above: bool = False
    """Whether it must be above `least`, which is then no value of its own."""

    def holds(self, value: Number) -> bool:
        """Whether the value is one."""
        enough = value > self.least if self.above else value >= self.least
        return enough and (self.most is None or value <= self.most)


_ABOVE_ZERO: Final = Bound("an amount above zero", 0, above=True)
_COUNT: Final = Bound("a whole number of at least 1", 1)
_WAIT: Final = Bound("a duration of at least 1ms", MILLISECOND)
_SHARE: Final = Bound("a share from 0 to 1", 0, 1)
_PART: Final = Bound("a share above 0, up to 1", 0, 1, above=True)
_DECIMALS: Final = Bound("a whole number from 0 to 18", 0, 18)
_PER_MILLE: Final = Bound("a whole number from 0 to 1000", 0, 1000)
_BPS: Final = Bound("basis points from 0 to 10000", 0, 10_000)
_INTEGER: Final = Bound("a whole number of at least 0", 0)

_BOUNDS: Final[dict[Bound, tuple[str, ...]]] = {
    _ABOVE_ZERO: (
        "desk.target_price",
        "desk.order_amount_max",
        "desk.limits.max_order_volley_size",
        "desk.limits.max_volley_size",
        "desk.limits.max_total_volley_size",
        "asset.flow.quantity",
        "exchange.transfer.quantity",
        "index.target_price",
        "hop.amount_max",
        "hop.capacity",
    ),
    _COUNT: (
        "desk.max_batch_size",
        "desk.limits.max_levels",
        "desk.book_levels_max",
        "desk.orders_per_user_max",
        "desk.active_per_user_max",
        "desk.quotes_per_user_max",
        "desk.books.pending_max",
        "desk.books.snapshots_max",
        "execution.unknown_answers_max",
        "execution.refusals_max",
        "execution.ended_kept_max",
    ),
    _WAIT: (
        "exchange.limit.period",
        "exchange.outage.span",
        "desk.tick",
        "desk.order_expiry",
        "desk.batch_window",
        "desk.order_retry",
        "desk.order_retry_max",
        "desk.compute_timeout",
        "desk.chain_timeout",
        "desk.chain_retry",
        "desk.chain_retry_max",
        "desk.reconcile_retry",
        "desk.house_retry",
        "desk.house_retry_max",
        "desk.rebalance_window",
        "desk.books.stale_after",
        "desk.books.snapshot_timeout",
        "desk.books.retry",
        "desk.books.retry_max",
        "execution.wait_max",
        "execution.receive_window",
        "execution.reply_timeout",
        "execution.live_check",
        "execution.retry",
        "execution.retry_max",
        "execution.rate_pause",
        "execution.cooldown",
        "collateral.route_deadline",
        "collateral.payout_wait",
        "collateral.capacity_wait",
        "collateral.held_retry",
        "collateral.queries",
        "hop.reply_timeout",
        "hop.poll",
        "hop.relay.block",
        "hop.relay.fill_window",
        "asset.flow.price.tick",
        "user.arrivals.poisson",
        "user.arrivals.fixed",
    ),
    _SHARE: ("desk.limits.fairness", "hop.fee_share_max", "collateral.transfer_fee_share_max"),
    _PART: ("desk.fill_threshold", "desk.mint_threshold"),
    Bound("a share from 1E-12 to 0.01", Decimal("1e-12"), Decimal("0.01")): ("desk.limits.share_step",),
    Bound("a share from 0 up to 0.5", 0, Decimal("0.5")): ("desk.limits.price_threshold",),
    Bound("a factor from 1 to 2", 1, 2): ("desk.limits.fee_factor",),
    Bound("a share from 0 up to 0.99", 0, Decimal("0.99")): ("hop.fee_rate",),
    Bound("a tolerance from 0 to 1", 0, 1): (
        "desk.limits.quantity_tolerance",
        "desk.limits.collateral_tolerance",
        "desk.books.tolerance",
        "collateral.tolerance",
    ),
    _DECIMALS: ("desk.collateral_decimals", "desk.limits.index_decimals"),
    _BPS: ("exchange.maker_bps", "exchange.taker_bps", "collateral.latency_cost_bps"),
}
_OF: Final = {path: bound for bound, paths in _BOUNDS.items() for path in paths}


def bound_faults(scenario: DeskScenario) -> Iterator[Fault]:
    """Every number that is out of its bounds."""
    for path, value in _numbers(scenario, ()):
        bound = _bound(path, value)
        if bound is not None and not bound.holds(value):
            yield Fault(path, f"expected {bound.words}, got {_shown(value)}")


def _bound(path: KeyPath, value: Number) -> Bound | None:
    keys = [key for key in path if isinstance(key, str)]
    if ".".join(keys) in _OF:
        return _OF[".".join(keys)]
    if keys[-2:-1] == ["faults"] or keys[-1].endswith("_per_mille"):
        return None if isinstance(value, Duration) else _PER_MILLE
    return _INTEGER if type(value) is int else None


def _numbers(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Number]]:
    if isinstance(value, msgspec.Struct):
        for info in msgspec.structs.fields(value):
            yield from _numbers(getattr(value, info.name), (*path, info.encode_name))
    elif isinstance(value, dict | list | tuple):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _numbers(item, (*path, key))
    elif isinstance(value, Decimal | int) and not isinstance(value, bool):
        yield path, value


def _shown(value: Number) -> str:
    return value.written if isinstance(value, Duration) else str(value)
