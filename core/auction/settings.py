"""What an auction is told at construction, in plain numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import TypeAlias

import msgspec

from core.market.orders import Pair
from core.units import Nanos

Balances: TypeAlias = dict[str, Decimal]
"""Amounts by token."""


class AuctionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Rule, phases, penalties, and what the accounts hold at the start."""

    rule: str
    """A name in `core.auction.rules.RULES`."""
    bid_window: Nanos
    fulfil_window: Nanos
    """A winner has this long to deposit ..."""
    grace: Nanos
    """... and this much longer before the commitment is settled or defaulted."""
    bond_token: str
    default_penalty: Decimal
    """What a default takes from the bond, which must cover every unpaid commitment and one more to bid."""
    pairs: tuple[Pair, ...]
    members: dict[str, Balances]
    """By owner of orders."""
    capital: dict[str, Balances]
    """By solver. Who is not here may not bid."""
    bonds: dict[str, Decimal]
    """By solver, in `bond_token`."""
