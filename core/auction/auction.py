"""The auction: takes sealed batches, sells their orders to solvers, and sees that both sides are paid.

Three phases, each ended by a timer of its own, so several batches and many commitments run at once:

1. *Solicit* (`bid_window`). A batch's orders are admitted and its requests obeyed, in block order; then
   the open orders are offered to all solvers, those first that have waited longest since they were last
   in an auction. When there are more than one auction takes, each owner has the same share of it, so
   that nobody is kept out for ever, nor by whoever sends most.
2. *Select*. The rule ranks the closed book. Order by order, in that same order, the first ranked bid
   whose solver can still pay is committed to.
3. *Fulfil* (`fulfil_window` plus `grace`, per commitment). A paid commitment settles. An unpaid one
   costs a penalty, and the order falls to the next ranked bid that still stands.

A carried-over order has a timer on its validity, so it ends even if no batch ever comes again. After
`Stop` no auction opens and open orders expire; what was opened or awarded runs to its deadlines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from core.auction.desk import Desk
from core.auction.fulfil import fall_due, take_deposit
from core.auction.reasons import WaitReason
from core.auction.selection import select
from core.auction.solicit import place_bids, take_batch, tell_again, withdraw_bid
from core.kernel.component import Handler
from core.kernel.record import Message, Record, Resume, Start, Stop, TimerFired
from core.market.orders import Batch
from core.solver.protocol import Deposit, FromSolver, PlaceBids, SolverArrived, SolverSaid, WithdrawBid
from core.units import Nanos


class Auction(Desk):
    """One order has at most one live commitment, and every unit is in exactly one account throughout."""

    __slots__ = ()

    def _on_start(self, _now: Nanos, _event: Start) -> None:
        self.note(*self.state.escrow.fund(self.settings))

    def _on_stop(self, _now: Nanos, _event: Stop) -> None:
        self.state.stopping = True
        for live in self.open_orders():
            self.expire(live, WaitReason.STOPPED)

    def _on_resume(self, _now: Nanos, _event: Resume) -> None:
        self.state.stopping = False

    def _on_timer(self, now: Nanos, event: TimerFired) -> None:
        kind, _, of = event.key.partition(":")
        if kind == "bids":
            select(self, now, int(of))
        elif kind == "commitment":
            fall_due(self, now, of)
        elif kind == "again":
            tell_again(self, now, of)
        else:
            self.expire(self.state.orders[of], WaitReason.VALIDITY)

    def _on_batch(self, now: Nanos, event: Message[Batch]) -> None:
        take_batch(self, now, event.body)

    def _on_said(self, now: Nanos, event: Message[SolverSaid[FromSolver]]) -> None:
        solver, said = event.body.solver, event.body.said
        _SAID[type(said)](self, now, solver, said)

    def _on_arrived(self, now: Nanos, event: Message[SolverArrived]) -> None:
        tell_again(self, now, event.body.solver)

    HANDLERS: ClassVar[dict[type[Record], Handler]] = {
        Start: _on_start,
        Stop: _on_stop,
        Resume: _on_resume,
        TimerFired: _on_timer,
        Batch: _on_batch,
        SolverSaid: _on_said,
        SolverArrived: _on_arrived,
    }


_SAID: dict[type[Record], Callable[[Desk, Nanos, str, Any], None]] = {
    PlaceBids: place_bids,
    WithdrawBid: withdraw_bid,
    Deposit: take_deposit,
}
