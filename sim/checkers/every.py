"""All the checkers there are, as one observer."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from core.market.ledger import Ledger
from core.market.orders import Pair
from sim.checkers import Checkers
from sim.checkers.blocks import BlockChain
from sim.checkers.conservation import Conservation
from sim.checkers.fix import FixSequence
from sim.checkers.orders import FillsWithinLimits, NothingAfterTheEnd, OneCommitment
from sim.checkers.payments import Payments


def every_checker(pairs: Iterable[Pair], ledger: Callable[[], Ledger]) -> Checkers:
    """Watches a market that trades `pairs`; `ledger` is the venue's, as it stands."""
    return Checkers(
        [
            Conservation(ledger),
            Payments(),
            OneCommitment(),
            FillsWithinLimits({pair.symbol: pair.lot for pair in pairs}),
            NothingAfterTheEnd(),
            FixSequence(),
            BlockChain(),
        ]
    )
