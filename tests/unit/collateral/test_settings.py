"""Settings that cannot work say what, where and how to mend it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from core.collateral.settings import BridgeSettings, ChainSettings, Confirmations, settings_faults
from tests.helpers.collateral import REVERSE, SETTINGS, T1, T3, WALLET, hop, with_settings


def bridge(*steps: tuple[int | None, int]) -> BridgeSettings:
    confirmations = tuple(Confirmations(None if value is None else Decimal(value), blocks) for value, blocks in steps)
    return BridgeSettings(confirmations=confirmations, fill_time_min=0)


def test_settings_that_work_have_no_faults() -> None:
    assert settings_faults(SETTINGS) == []


@pytest.mark.parametrize(
    ("hop_settings", "fault"),
    [
        ({"fee_rate": Decimal(1)}, "hop `x`: fee_rate must be in [0, 1) and fee_flat not negative"),
        ({"fee_share_max": Decimal(2)}, "hop `x`: fee_share_max must be in [0, 1], got 2"),
        ({"amount_min": Decimal(5), "amount_max": Decimal(4)}, "hop `x`: amount_max 4 is below amount_min 5"),
        ({"capacity": Decimal(1), "amount_max": Decimal(4)}, "hop `x`: capacity 1 is below what one movement may be"),
        ({"poll": 0}, "hop `x`: reply_timeout and poll must be positive"),
        ({"bridge": bridge((100, 1))}, "hop `x`: confirmations must end with one step, and only one, without a value"),
        ({"bridge": bridge((9, 1), (5, 2), (None, 3))}, "hop `x`: confirmations must have rising values"),
    ],
)
def test_a_hop_that_cannot_work_is_named(hop_settings: dict[str, Any], fault: str) -> None:
    [found] = settings_faults(with_settings(hops=(*SETTINGS.hops, hop(T1, T3, "x", **hop_settings))))
    assert found.startswith(fault)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"hops": (*SETTINGS.hops, hop(T3, T3, "x"))}, "hop `x`: leads from T3:D3:C3 to itself"),
        ({"hops": (*SETTINGS.hops, REVERSE[0])}, "hop `T3-T2`: the name is taken"),
        ({"chains": {"1": ChainSettings(deposit="X", payout=WALLET)}}, "deposits of chain 1: no hop touches X"),
        ({"destinations": {"IX": ("X",)}}, "index IX: no hop touches X"),
        ({"destinations": {"IX": ()}}, "index IX: name at least one destination"),
        ({"sources": {"7:IX": T1}}, "source `7:IX`: name it `chain_id:symbol`"),
        ({"tolerance": Decimal(-1)}, "tolerance must not be negative, got -1"),
        ({"transfer_fee_share_max": Decimal(2)}, "transfer_fee_share_max must be in [0, 1], got 2"),
        ({"latency_cost_bps": -1}, "latency_cost_bps must not be negative, got -1"),
        ({"route_deadline": 0}, "route_deadline, payout_wait, capacity_wait and held_retry must be positive"),
        ({"queries": ()}, "queries must name at least one positive pause"),
        ({"retries": {"flu": (1,)}}, "retries: there is no trouble `flu`; known: unavailable, rate_limited,"),
    ],
)
def test_what_cannot_work_is_named(changed: dict[str, Any], fault: str) -> None:
    [found] = settings_faults(with_settings(**changed))
    assert found.startswith(fault)
