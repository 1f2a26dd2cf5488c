"""Index tokens that users gave into custody to sell them: free ones, and those that an order has locked.

Free tokens wait for an order that sells them. What no order has asked for by a time goes back to its user
(`core.index.returning`), so nothing stays here for good but what the chain will not give back. That is kept: it is its
user's, and the first to be locked for what he sells.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from core.collateral.seen import SeenNumbers
from core.units import EXACT, Nanos

_ZERO: Final = Decimal(0)


class Idle(msgspec.Struct, frozen=True):
    """Free tokens that no order may want: at `until` those that none does go back."""

    user: str
    symbol: str
    until: Nanos


class Custody(msgspec.Struct):
    """Balances by user and index. Every token that was deposited is free, locked by one order, or has left. Kept ones
    are free."""

    free: dict[str, dict[str, Decimal]] = {}
    locked: dict[str, Decimal] = {}
    """By order."""
    idle: dict[str, Idle] = {}
    """By index and user, the first to be due first."""
    kept: dict[str, Decimal] = {}
    """By index and user, what of the free tokens is not given back."""
    deposits: SeenNumbers = msgspec.field(default_factory=SeenNumbers)
    """Numbers of deposits: they are numbered over all users."""

    def balance(self, user: str, symbol: str) -> Decimal:
        """What is free of a user's tokens: no order has locked it."""
        return self.free.get(user, {}).get(symbol, _ZERO)

    def is_new(self, seq_num: int) -> bool:
        """Take down the number of a deposit; False if it is known."""
        return self.deposits.add(seq_num)

    def has_seen(self, seq_num: int) -> bool:
        """Whether that deposit is known."""
        return seq_num in self.deposits

    def deposit(self, user: str, symbol: str, amount: Decimal) -> None:
        """Take tokens in."""
        self._add(user, symbol, amount)

    def keep(self, user: str, symbol: str, amount: Decimal) -> None:
        """Take tokens in again that the chain will not give back."""
        self._add(user, symbol, amount)
        self.kept[_key(user, symbol)] = EXACT.add(self.kept_of(user, symbol), amount)

    def kept_of(self, user: str, symbol: str) -> Decimal:
        """What of a user's free tokens is not given back."""
        return self.kept.get(_key(user, symbol), _ZERO)

    def set_idle(self, user: str, symbol: str, until: Nanos) -> None:
        """Look at a user's free tokens at `until`, and not before. Times never go back from call to call."""
        self.idle.pop(_key(user, symbol), None)
        self.idle[_key(user, symbol)] = Idle(user, symbol, until)

    def is_idle(self, user: str, symbol: str) -> bool:
        """Whether a user's free tokens are looked at some time."""
        return _key(user, symbol) in self.idle

    def hurry(self, now: Nanos) -> None:
        """Look at all free tokens now."""
        for key, idle in self.idle.items():
            self.idle[key] = msgspec.structs.replace(idle, until=min(idle.until, now))

    def take_idle(self, now: Nanos) -> list[Idle]:
        """All that is due."""
        due = [idle for idle in self.idle.values() if idle.until <= now]
        for idle in due:
            del self.idle[_key(idle.user, idle.symbol)]
        return due

    def idle_due(self) -> Nanos | None:
        """When `take_idle` has something; None if never."""
        return next((idle.until for idle in self.idle.values()), None)

    def lock(self, order_id: str, user: str, symbol: str, amount: Decimal) -> bool:
        """Set free tokens aside for an order; False if there are not as many."""
        if self.balance(user, symbol) < amount:
            return False
        self._add(user, symbol, amount.copy_negate())
        self.locked[order_id] = amount
        left = EXACT.subtract(self.kept.pop(_key(user, symbol), _ZERO), amount)
        if left > 0:
            self.kept[_key(user, symbol)] = left
        return True

    def burn(self, order_id: str, amount: Decimal) -> None:
        """Tokens of an order leave."""
        self.locked[order_id] = EXACT.subtract(self.locked[order_id], amount)

    def unlock(self, order_id: str, user: str, symbol: str) -> Decimal:
        """What an order still has locked is free again, and returned."""
        left = self.locked.pop(order_id, _ZERO)
        if left:
            self._add(user, symbol, left)
        return left

    def withdraw(self, user: str, symbol: str, amount: Decimal) -> None:
        """Free tokens leave."""
        self._add(user, symbol, amount.copy_negate())

    def _add(self, user: str, symbol: str, amount: Decimal) -> None:
        tokens = self.free.setdefault(user, {})
        tokens[symbol] = EXACT.add(tokens.get(symbol, _ZERO), amount)
        if not tokens[symbol]:
            del tokens[symbol]
        if not tokens:
            del self.free[user]


def _key(user: str, symbol: str) -> str:
    return f"{symbol} of {user}"
