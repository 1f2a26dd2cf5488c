"""Settings that would have the desk do one thing for ever say which, and what to give instead."""

from __future__ import annotations

from decimal import Decimal

import pytest
from msgspec import structs

from core.checks import problems
from core.collateral.settings import CollateralSettings
from core.config import DeskConfig
from core.execution.settings import ExecutionSettings
from core.index.settings import WAIT_MIN_NS, DeskSettings, desk_faults
from core.market.books import BookSettings
from core.units import Nanos

WAITS = ("tick", "compute_timeout", "chain_timeout", "chain_retry", "reconcile_retry")
BOOK_WAITS = ("stale_after", "snapshot_timeout", "retry")


def test_settings_that_work_have_no_faults() -> None:
    assert desk_faults(DeskSettings()) == []


@pytest.mark.parametrize("wait", [0, 1, WAIT_MIN_NS - 1])
@pytest.mark.parametrize("name", WAITS)
def test_a_desk_that_would_not_wait_is_refused(name: str, wait: Nanos) -> None:
    [fault] = desk_faults(structs.replace(DeskSettings(), **{f"{name}_ns": wait}))
    assert fault == f"{name}: {wait} ns is too short a wait; give it at least 1000000 ns"


@pytest.mark.parametrize("name", BOOK_WAITS)
def test_books_that_would_not_wait_are_refused(name: str) -> None:
    [fault] = desk_faults(DeskSettings(books=structs.replace(BookSettings(), **{f"{name}_ns": 0})))
    assert fault.startswith(f"books.{name}: 0 ns is too short")


def test_the_longest_waits_are_waits_too() -> None:
    [fault] = desk_faults(DeskSettings(chain_retry_ns_max=0))
    assert fault.startswith("chain_retry_max: 0 ns is too short")


def test_nav_is_stated_never_or_not_all_the_time() -> None:
    assert desk_faults(DeskSettings(nav_interval_ns=0)) == []
    [fault] = desk_faults(DeskSettings(nav_interval_ns=1))
    assert fault == "nav_interval: 1 ns is too short a wait; give it at least 1000000 ns, or 0 for never"


def test_balances_are_compared_in_new_sessions_alone_or_not_all_the_time() -> None:
    assert desk_faults(DeskSettings(reconcile_interval_ns=0)) == []
    [fault] = desk_faults(DeskSettings(reconcile_interval_ns=1))
    assert fault == "reconcile_interval: 1 ns is too short a wait; give it at least 1000000 ns, or 0 for never"


def test_orders_and_quotes_may_be_served_at_once() -> None:
    settings = DeskSettings(client_order_wait_ns=0, client_quote_wait_ns=0, order_expiry_ns=0, mint_wait_ns=0)
    assert desk_faults(settings) == []


def test_limits_that_no_batch_could_keep_to_are_refused() -> None:
    limits = DeskSettings().limits
    [fault] = desk_faults(DeskSettings(limits=structs.replace(limits, min_total_volley_available=Decimal(1001))))
    assert fault == (
        "limits.min_total_volley_available: 1001 is more than there can be, so no batch could begin; "
        "give it at most 1000"
    )
    [fault] = desk_faults(DeskSettings(limits=structs.replace(limits, min_asset_volley_size=Decimal(501))))
    assert fault == (
        "limits.min_asset_volley_size: 501 is more than a batch may cost, so no batch could begin; give it at most 500"
    )
    assert desk_faults(DeskSettings(limits=structs.replace(limits, min_total_volley_available=Decimal(1000)))) == []


def test_a_node_is_not_run_with_such_a_desk() -> None:
    desk = structs.replace(DeskSettings(), chain_timeout_ns=0)
    collateral = CollateralSettings(token="C", chains={}, destinations={}, hops=())
    config = DeskConfig(desk=desk, execution=ExecutionSettings(), collateral=collateral)
    assert [fault.path for fault in problems(config)] == [("desk",)]
