"""Every unit is in exactly one account: the noted transfers, added up on their own, equal the ledger."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar, Final

from core.auction.facts import BatchCreated
from core.kernel.record import Record
from core.market.ledger import WORLD, Ledger, Transferred
from core.units import EXACT
from sim.checkers import Checker

_ZERO: Final = Decimal(0)
_NOTHING: Final[dict[str, Decimal]] = {}


class Conservation(Checker):
    """Keeps a second set of books from `Transferred` facts alone.

    After every event the accounts it touched must agree with the ledger and none but `world` may be
    overdrawn. At each new batch and at the end all accounts must agree, so that a balance which
    changed without a transfer is found too.
    """

    name = "conservation"

    def __init__(self, ledger: Callable[[], Ledger]) -> None:
        self._ledger = ledger
        self._books: dict[str, dict[str, Decimal]] = {}
        self._touched: list[tuple[str, str]] = []
        self._audit_due = False

    def _on_transfer(self, fact: Transferred) -> None:
        if fact.amount < 0:
            self.violated(f"negative transfer {fact!r}")
        self._book(fact.src, fact.token, EXACT.minus(fact.amount))
        self._book(fact.dst, fact.token, fact.amount)

    def _on_batch(self, _fact: BatchCreated) -> None:
        self._audit_due = True

    def delivered(self, dst: str) -> None:
        """Compare what the event touched, and everything when an audit is due."""
        if self._touched:
            ledger = self._ledger()
            for account, token in self._touched:
                self._compare(account, token, ledger)
            self._touched.clear()
        if self._audit_due and dst == "auction":
            self._audit_due = False
            self._audit()

    def finish(self) -> None:
        """Compare all accounts, both ways, and check that each token adds up to zero."""
        self._audit()
        totals: dict[str, Decimal] = {}
        for tokens in self._books.values():
            for token, amount in tokens.items():
                totals[token] = EXACT.add(totals.get(token, _ZERO), amount)
        for token, total in totals.items():
            if total:
                self.violated(f"all accounts of {token} add up to {total}, not 0")

    def _book(self, account: str, token: str, amount: Decimal) -> None:
        tokens = self._books.setdefault(account, {})
        tokens[token] = balance = EXACT.add(tokens.get(token, _ZERO), amount)
        if not balance:  # as the ledger does, so that an audit is one comparison
            del tokens[token]
        if not tokens:
            del self._books[account]
        self._touched.append((account, token))

    def _compare(self, account: str, token: str, ledger: Ledger) -> None:
        booked, held = self._books.get(account, _NOTHING).get(token, _ZERO), ledger.balance(account, token)
        if booked != held:
            self.violated(f"{account} holds {held} {token}, its transfers add up to {booked}")
        if held < 0 and account != WORLD:
            self.violated(f"{account} is overdrawn: {held} {token}")

    def _audit(self) -> None:
        ledger = self._ledger()
        if self._books == ledger.balances:
            return
        for account in sorted(self._books.keys() | ledger.balances.keys()):
            for token in sorted(
                self._books.get(account, _NOTHING).keys() | ledger.balances.get(account, _NOTHING).keys()
            ):
                self._compare(account, token, ledger)

    FACTS: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {
        Transferred: _on_transfer,
        BatchCreated: _on_batch,
    }
