"""Index tokens that users gave into custody to sell them: free ones, and those that an order has locked."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from core.collateral.seen import SeenNumbers
from core.units import EXACT

_ZERO: Final = Decimal(0)


class Custody(msgspec.Struct):
    """Balances by user and index. Every token that was deposited is free, locked by one order, or has left."""

    free: dict[str, dict[str, Decimal]] = {}
    locked: dict[str, Decimal] = {}
    """By order."""
    deposits: dict[str, SeenNumbers] = {}
    """By chain."""

    def balance(self, user: str, symbol: str) -> Decimal:
        """What a user may still sell."""
        return self.free.get(user, {}).get(symbol, _ZERO)

    def deposit(self, user: str, symbol: str, seq_num: int, amount: Decimal) -> bool:
        """Take tokens in; False if this deposit is known."""
        chain, _, _ = user.partition(":")
        if not self.deposits.setdefault(chain, SeenNumbers()).add(seq_num):
            return False
        self._add(user, symbol, amount)
        return True

    def lock(self, order_id: str, user: str, symbol: str, amount: Decimal) -> bool:
        """Set free tokens aside for an order; False if there are not as many."""
        if self.balance(user, symbol) < amount:
            return False
        self._add(user, symbol, amount.copy_negate())
        self.locked[order_id] = amount
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
