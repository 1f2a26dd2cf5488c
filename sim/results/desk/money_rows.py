"""From facts to rows: movements of collateral, and the hops that it takes."""

from __future__ import annotations

from typing import Any, ClassVar

from core.collateral.facts import CollateralMoved, HopStepped
from sim.results.desk.rows import CollateralRow, HopRow
from sim.results.facts import Noted
from sim.results.fold import Fold, row_of


class Collaterals(Fold[CollateralRow]):
    """Fills `collateral`."""

    def _on_moved(self, noted: Noted, _fact: CollateralMoved) -> None:
        self.rows.append(row_of(CollateralRow, noted))

    HANDLERS: ClassVar[dict[Any, Any]] = {CollateralMoved: _on_moved}


class Hops(Fold[HopRow]):
    """Fills `hops`."""

    def _on_stepped(self, noted: Noted, _fact: HopStepped) -> None:
        self.rows.append(row_of(HopRow, noted))

    HANDLERS: ClassVar[dict[Any, Any]] = {HopStepped: _on_stepped}
