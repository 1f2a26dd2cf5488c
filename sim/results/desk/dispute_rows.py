"""From facts to rows: what was said from outside that cannot be, or should not, and that somebody has to look at."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from core.collateral.facts import HopDisputed, TransferStarted
from core.execution.facts import ExecutionUnexpected
from core.index.facts import ChainDisputed
from core.index.records import IndexOrderAccepted
from sim.results.facts import Noted
from sim.results.fold import Fold
from sim.results.rows import Doc, Row, Text, Time


class DisputeRow(Row, kw_only=True):
    """One row per thing that was said from outside and cannot be, or should not: somebody has to look at it."""

    time: Annotated[Time, Doc("When it was stated")]
    said_by: Annotated[Text, Doc("Who said it: `hop`, which may be a bridge, `chain` or `exchange`")]
    about: Annotated[Text, Doc("Transfer, chain call or exchange order that it is about")]
    order_id: Annotated[
        Text | None,
        Doc("Index order, or payment of a withdrawal, that this is for; null for trades, which orders share"),
    ] = None
    what: Annotated[Text, Doc("What is wrong")]


class Disputes(Fold[DisputeRow]):
    """Fills `disputes`."""

    def __init__(self) -> None:
        super().__init__({})
        self._accepted: set[str] = set()
        self._of_transfer: dict[str, str] = {}

    def _on_accepted(self, _noted: Noted, fact: IndexOrderAccepted) -> None:
        self._accepted.add(fact.order_id)

    def _on_started(self, _noted: Noted, fact: TransferStarted) -> None:
        self._of_transfer[fact.transfer_id] = fact.order_id

    def _on_hop(self, noted: Noted, fact: HopDisputed) -> None:
        what = f"{fact.hop}: {fact.what}" if fact.hop else fact.what
        self._add(noted, "hop", fact.transfer_id, what, order_id=self._of_transfer.get(fact.transfer_id))

    def _on_chain(self, noted: Noted, fact: ChainDisputed) -> None:
        subject = fact.key.partition(":")[2]
        self._add(noted, "chain", fact.key, fact.what, order_id=subject if subject in self._accepted else None)

    def _on_unexpected(self, noted: Noted, fact: ExecutionUnexpected) -> None:
        trade = f" (trade {fact.trade_id})" if fact.trade_id else ""
        what = f"{fact.quantity} {fact.symbol} at {fact.price}{trade}: {fact.why}"
        self._add(noted, "exchange", fact.client_id, what)

    def _add(self, noted: Noted, said_by: str, about: str, what: str, order_id: str | None = None) -> None:
        self.rows.append(DisputeRow(time=noted.time, said_by=said_by, about=about, order_id=order_id, what=what))

    HANDLERS: ClassVar[dict[Any, Any]] = {
        IndexOrderAccepted: _on_accepted,
        TransferStarted: _on_started,
        HopDisputed: _on_hop,
        ChainDisputed: _on_chain,
        ExecutionUnexpected: _on_unexpected,
    }
