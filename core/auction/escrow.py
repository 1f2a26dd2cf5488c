"""Who holds what, and who owes what: every move of value that the auction makes.

    user:X            an owner's free balance
    order:ID          the reserved input of a live order
    solver:S          a solver's capital, from which it deposits
    escrow:C          what a winner has paid for commitment C
    bond:S            what a solver's defaults are taken from
    venue:penalties   what they have cost
    world             everything outside

Every method that moves something returns the `Transferred` facts for the caller to note. A deposit that
does not count is never debited, so there is nothing to refund.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from core.auction.commitments import Commitment
from core.auction.settings import AuctionSettings
from core.market.ledger import WORLD, Ledger, Transferred
from core.market.orders import Order
from core.units import EXACT

PENALTIES: Final = "venue:penalties"
_ZERO: Final = Decimal(0)


class Escrow(msgspec.Struct):
    """The ledger, and the part of each solver's capital that its unpaid commitments have claimed."""

    ledger: Ledger = msgspec.field(default_factory=Ledger)
    unpaid: dict[str, int] = {}
    """How many commitments each solver has not paid for yet."""
    owed: dict[str, dict[str, Decimal]] = {}
    """By solver and token: the sum of `min_output` over commitments that are awarded and not yet paid."""

    def fund(self, settings: AuctionSettings) -> list[Transferred]:
        """Bring the starting balances in from the world."""
        deposits = [(f"user:{member}", held) for member, held in settings.members.items()]
        deposits += [(f"solver:{solver}", held) for solver, held in settings.capital.items()]
        deposits += [(f"bond:{solver}", {settings.bond_token: bond}) for solver, bond in settings.bonds.items()]
        return [
            self.ledger.transfer(token, amount, WORLD, account, "funding")
            for account, held in deposits
            for token, amount in held.items()
            if amount
        ]

    def reserve(self, order: Order) -> Transferred | None:
        """Set the order's input aside, or return None when its owner does not hold it."""
        token, amount, owner = order.sell_token, order.input_amount, f"user:{order.owner}"
        if self.ledger.balance(owner, token) < amount:
            return None
        return self.ledger.transfer(token, amount, owner, f"order:{order.order_id}", "reserve")

    def adjust(self, order: Order, amount: Decimal) -> list[Transferred] | None:
        """Set `amount` aside for what is left of a live order, or return None when its owner does not hold what it
        takes on top."""
        token, owner, account = order.sell_token, f"user:{order.owner}", f"order:{order.order_id}"
        more = EXACT.subtract(amount, self.ledger.balance(account, token))
        if self.ledger.balance(owner, token) < more:
            return None
        if more > 0:
            return [self.ledger.transfer(token, more, owner, account, "reserve")]
        return [self.ledger.transfer(token, -more, account, owner, "release")] if more else []

    def release(self, order: Order) -> list[Transferred]:
        """Give back what is left of an ended order's input."""
        account = f"order:{order.order_id}"
        left = self.ledger.balance(account, order.sell_token)
        return [self.ledger.transfer(order.sell_token, left, account, f"user:{order.owner}", "release")] if left else []

    def free(self, solver: str, token: str) -> Decimal:
        """What a solver may still promise."""
        return EXACT.subtract(
            self.ledger.balance(f"solver:{solver}", token), self.owed.get(solver, {}).get(token, _ZERO)
        )

    def bond(self, solver: str, token: str) -> Decimal:
        """What is left of a solver's bond."""
        return self.ledger.balance(f"bond:{solver}", token)

    def covers_default(self, solver: str, settings: AuctionSettings) -> bool:
        """Whether the bond pays for one more default, should every unpaid commitment default as well."""
        at_risk = settings.default_penalty * (self.unpaid.get(solver, 0) + 1)
        return self.bond(solver, settings.bond_token) >= at_risk

    def owe(self, commitment: Commitment) -> None:
        """Claim the solver's capital for an awarded commitment."""
        self.unpaid[commitment.solver] = self.unpaid.get(commitment.solver, 0) + 1
        tokens = self.owed.setdefault(commitment.solver, {})
        tokens[commitment.buy_token] = EXACT.add(tokens.get(commitment.buy_token, _ZERO), commitment.min_output)

    def deposit(self, commitment: Commitment) -> Transferred:
        """Take what the commitment owes, no more, into its escrow account."""
        self._unclaim(commitment)
        return self.ledger.transfer(
            commitment.buy_token,
            commitment.min_output,
            f"solver:{commitment.solver}",
            f"escrow:{commitment.commitment_id}",
            "deposit",
        )

    def settle(self, commitment: Commitment, owner: str) -> list[Transferred]:
        """Both sides of a paid commitment change hands."""
        escrow, order = f"escrow:{commitment.commitment_id}", f"order:{commitment.order_id}"
        bought, sold = commitment.buy_token, commitment.sell_token
        return [
            self.ledger.transfer(bought, commitment.min_output, escrow, f"user:{owner}", "settle"),
            self.ledger.transfer(sold, commitment.input_amount, order, f"solver:{commitment.solver}", "settle"),
        ]

    def penalise(self, commitment: Commitment, settings: AuctionSettings) -> Transferred:
        """Free the claim of an unpaid commitment and take the penalty, which the bond covers."""
        self._unclaim(commitment)
        bond = f"bond:{commitment.solver}"
        return self.ledger.transfer(settings.bond_token, settings.default_penalty, bond, PENALTIES, "penalty")

    def _unclaim(self, commitment: Commitment) -> None:
        self.unpaid[commitment.solver] -= 1
        tokens = self.owed[commitment.solver]
        tokens[commitment.buy_token] = EXACT.subtract(tokens[commitment.buy_token], commitment.min_output)
