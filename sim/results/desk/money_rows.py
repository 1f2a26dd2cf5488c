"""From facts to rows: movements of collateral, and the hops that it takes."""

from __future__ import annotations

from typing import Any, ClassVar

from core.collateral.facts import CollateralMoved, HopStepped
from sim.results.desk.rows import CollateralRow, HopRow
from sim.results.facts import Noted
from sim.results.fold import Fold


class Collaterals(Fold[CollateralRow]):
    """Fills `collateral`."""

    def _on_moved(self, noted: Noted, fact: CollateralMoved) -> None:
        self.rows.append(
            CollateralRow(
                time=noted.time,
                user=fact.user,
                side=fact.side,
                what=fact.what,
                order_id=fact.order_id or None,
                amount=fact.amount,
                was=fact.was or None,
                source=fact.source or None,
                state=fact.state or None,
                destination=fact.destination or None,
                transfer_id=fact.transfer_id or None,
                payment_id=fact.payment_id or None,
            )
        )

    HANDLERS: ClassVar[dict[Any, Any]] = {CollateralMoved: _on_moved}


class Hops(Fold[HopRow]):
    """Fills `hops`."""

    def _on_stepped(self, noted: Noted, fact: HopStepped) -> None:
        self.rows.append(
            HopRow(
                time=noted.time,
                transfer_id=fact.transfer_id,
                order_id=fact.order_id or None,
                user=fact.user,
                leg=fact.leg,
                hop=fact.hop,
                source=fact.source,
                destination=fact.destination,
                amount=fact.amount,
                fee=fact.fee,
                what=fact.what,
                state=fact.state,
                reason=fact.reason or None,
            )
        )

    HANDLERS: ClassVar[dict[Any, Any]] = {HopStepped: _on_stepped}
