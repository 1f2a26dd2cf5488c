"""Every unit is in exactly one account: the noted transfers, added up on their own, equal the ledger."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from core.auction.facts import BatchCreated
from core.kernel.record import Record
from core.market.ledger import WORLD, Ledger, Transferred
from sim.checkers import Checker

_ZERO = Decimal(0)


class Conservation(Checker):
    """Keeps a second set of books from `Transferred` facts alone.

    After every event the accounts it touched must agree with the ledger and none but `world` may be
    overdrawn. At each new batch and at the end all accounts must agree, so that a balance which
    changed without a transfer is found too.
    """

    name = "conservation"

    def __init__(self, ledger: Callable[[], Ledger]) -> None:
        self._ledger = ledger
        self._books: dict[tuple[str, str], Decimal] = {}
        self._touched: list[tuple[str, str]] = []
        self._audit_due = False

    def _on_transfer(self, fact: Transferred) -> None:
        for account, amount in ((fact.src, -fact.amount), (fact.dst, fact.amount)):
            key = (account, fact.token)
            self._books[key] = self._books.get(key, _ZERO) + amount
            self._touched.append(key)
        self.demand(fact.amount >= 0, f"negative transfer {fact!r}")

    def _on_batch(self, _fact: BatchCreated) -> None:
        self._audit_due = True

    def delivered(self, dst: str) -> None:
        """Compare what the event touched, and everything when an audit is due."""
        if self._touched:
            ledger = self._ledger()
            for key in self._touched:
                self._agree(key, ledger)
            self._touched.clear()
        if self._audit_due and dst == "auction":
            self._audit_due = False
            self.finish()

    def finish(self) -> None:
        """Compare all accounts, both ways, and check that each token adds up to zero."""
        ledger = self._ledger()
        held = {(account, token) for account, tokens in ledger.balances.items() for token in tokens}
        for key in sorted(held | self._books.keys()):
            self._agree(key, ledger)
        totals: dict[str, Decimal] = {}
        for (_, token), amount in self._books.items():
            totals[token] = totals.get(token, _ZERO) + amount
        for token, total in totals.items():
            self.demand(total == 0, f"all accounts of {token} add up to {total}, not 0")

    def _agree(self, key: tuple[str, str], ledger: Ledger) -> None:
        account, token = key
        booked, held = self._books.get(key, _ZERO), ledger.balance(account, token)
        self.demand(booked == held, f"{account} holds {held} {token}, its transfers add up to {booked}")
        self.demand(held >= 0 or account == WORLD, f"{account} is overdrawn: {held} {token}")

    FACTS: ClassVar[dict[type[Record], Callable[[Any, Any], None]]] = {
        Transferred: _on_transfer,
        BatchCreated: _on_batch,
    }
