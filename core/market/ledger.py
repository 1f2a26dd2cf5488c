"""Double entry: every unit of every token is in exactly one account, and only transfers move it.

Accounts are named `kind:owner` (`user:MM1`, `order:O-7`, `escrow:C-3`, `solver:s1`, `bond:s1`). The
account `world` stands for everything outside and is the only one that may go below zero, so the sum
over all accounts of a token is always zero. Sums are exact, however many digits they need.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from core.errors import DefectError
from core.kernel.record import Record
from core.units import EXACT

WORLD: Final = "world"
_ZERO: Final = Decimal(0)


class Transferred(Record, frozen=True):
    """`amount` of `token` moved from account `src` to account `dst`, because of `reason`."""

    token: str
    amount: Decimal
    src: str
    dst: str
    reason: str


class Ledger(msgspec.Struct):
    """Balances by account, then token. Part of a component's state."""

    balances: dict[str, dict[str, Decimal]] = {}

    def balance(self, account: str, token: str) -> Decimal:
        """What `account` holds of `token`; zero for an account never used."""
        return self.balances.get(account, {}).get(token, _ZERO)

    def transfer(self, token: str, amount: Decimal, src: str, dst: str, reason: str) -> Transferred:
        """Move `amount` and return the fact to note.

        Raises DefectError for a negative amount or an overdrawn account: callers check funds first.
        """
        held = self.balance(src, token)
        if amount < 0 or (held < amount and src != WORLD):
            raise DefectError(f"transfer of {amount} {token} from {src} (holds {held}) to {dst} for {reason}")
        self._set(src, token, EXACT.subtract(held, amount))
        self._set(dst, token, EXACT.add(self.balance(dst, token), amount))
        return Transferred(token, amount, src, dst, reason)

    def _set(self, account: str, token: str, balance: Decimal) -> None:
        tokens = self.balances.setdefault(account, {})
        if balance:
            tokens[token] = balance
            return
        tokens.pop(token, None)
        if not tokens:
            del self.balances[account]
