"""All the checkers there are, as one observer."""

from __future__ import annotations

from collections.abc import Callable

from core.config import VenueConfig
from core.market.ledger import Ledger
from core.sessions import session_of
from sim.checkers import Checker, Checkers
from sim.checkers.blocks import BlockChain
from sim.checkers.conservation import Conservation
from sim.checkers.ends import EveryOrderEnds
from sim.checkers.fix import FixSequence
from sim.checkers.keys import OnlyAcceptedKeys
from sim.checkers.orders import FillsWithinLimits, NothingAfterTheEnd, OneCommitment
from sim.checkers.payments import Payments
from sim.checkers.reports import FillsReported
from sim.checkers.selection import RANKED_AS_BID, BestBidWins
from sim.checkers.signatures import OnlySignedTrade


def every_checker(config: VenueConfig, ledger: Callable[[], Ledger]) -> Checkers:
    """Watches the venue of that configuration; `ledger` is its own, as it stands.

    A rule of your own for the auction is not ranked again: only it knows what is best.
    """
    auction = config.auction
    checkers: list[Checker] = [
        Conservation(ledger),
        Payments(auction.bond_token, auction.default_penalty),
        OneCommitment(),
        FillsWithinLimits({pair.symbol: pair.lot for pair in config.pairs}),
        NothingAfterTheEnd(),
        EveryOrderEnds(int(auction.grace)),
        FillsReported(),
        FixSequence(),
        BlockChain(),
    ]
    if config.identity is not None:
        timeouts = [session_of(config, member).logout_timeout for member in config.members]
        checkers += [OnlyAcceptedKeys(max(timeouts)), OnlySignedTrade()]
    if auction.rule in RANKED_AS_BID:
        checkers.append(BestBidWins(config.pairs))
    return Checkers(checkers)
