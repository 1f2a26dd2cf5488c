"""What the auction makes of orders and requests, and how their owners hear of it."""

from __future__ import annotations

from typing import Final

from core.kernel.record import Message
from core.market.orders import (
    CancelRefused,
    OrderCancelled,
    OrderExpired,
    OrderFailed,
    OrderFilled,
    OrderReplaced,
    ReplaceRefused,
)
from core.sequencer import reports
from core.sequencer.booklog import Outcome
from core.sequencer.checks import Checks
from core.sequencer.reasons import Reason, Refusal
from core.sequencer.reported import REPORTED, ReportedOrder, ReportedState, ReportedTrigger
from core.units import Nanos

_SESSION_LOST: Final = "the session was lost"
_SIGNATURES: Final = {
    Reason.BAD_ORDER_SIGNATURE: "the signature is not the key's, of this message",
    Reason.UNCHECKED_SIGNATURE: "the signature was not checked in time",
}


class Outcomes(Checks):
    """A sequencer without peers."""

    __slots__ = ()

    def _on_outcome(self, now: Nanos, event: Message[Outcome]) -> None:
        """Every one of them is logged, also when there is nobody left to be told."""
        told = event.body
        self.state.batch.hear(told)
        if isinstance(told, OrderFilled):
            self._fill(now, told)
        elif isinstance(told, OrderExpired):
            self._end(now, told.order_id, ReportedTrigger.EXPIRED, told.reason)
        elif isinstance(told, OrderFailed):
            self._end(now, told.order_id, ReportedTrigger.FAILED, _text(told.reason))
        elif isinstance(told, OrderCancelled):
            self._end(now, told.order_id, ReportedTrigger.CANCELLED, None if told.cl_ord_id else _SESSION_LOST)
        elif isinstance(told, OrderReplaced):
            self._replace(now, told)
        else:
            self._refuse(now, told)

    def _fill(self, now: Nanos, fill: OrderFilled) -> None:
        live, exec_id = self.state.live[fill.order_id], self.state.ids.next("E")
        live.fill(fill)
        self.tell(live.order.owner, reports.filled(live, exec_id, now, fill))
        if REPORTED.is_terminal(live.state):
            self._forget(now, live)

    def _replace(self, now: Nanos, replaced: OrderReplaced) -> None:
        live, exec_id = self.state.live[replaced.order_id], self.state.ids.next("E")
        orig_cl_ord_id = live.order.cl_ord_id
        live.answer_replace(replaced)
        self.known(live.order.owner).rename(orig_cl_ord_id, replaced.cl_ord_id)
        self.tell(live.order.owner, reports.replaced(live, exec_id, now, orig_cl_ord_id))

    def _refuse(self, now: Nanos, refused: CancelRefused | ReplaceRefused) -> None:
        live = self.state.live.get(refused.order_id)
        if live is None:
            return  # the order ended before the request's turn, and `_forget` answered the request
        refusal = _refusal(refused.reason)
        if isinstance(refused, CancelRefused):
            live.refuse_cancel()
            answer = reports.cancel_in_vain(live, refused.cl_ord_id, now, refusal)
        else:
            live.answer_replace(None)
            answer = reports.replace_in_vain(live, refused.cl_ord_id, now, refusal)
        self.tell(live.order.owner, answer)

    def _end(self, now: Nanos, order_id: str, trigger: ReportedTrigger, reason: str | None) -> None:
        live, exec_id = self.state.live[order_id], self.state.ids.next("E")
        live.step(trigger)
        self.tell(live.order.owner, reports.ended(live, exec_id, now, reason))
        self._forget(now, live)

    def _forget(self, now: Nanos, live: ReportedOrder) -> None:
        """Keep of an ended order what may be asked for; a request still waiting learns that it is too late."""
        order, refusal = live.order, Refusal(Reason.TOO_LATE, "the order has ended")
        del self.state.live[order.order_id]
        self.state.known[order.owner].end(live)
        if live.cancel_cl_ord_id and live.state is not ReportedState.CANCELLED:
            self.tell(order.owner, reports.cancel_in_vain(live, live.cancel_cl_ord_id, now, refusal))
        if live.replace_cl_ord_id:
            self.tell(order.owner, reports.replace_in_vain(live, live.replace_cl_ord_id, now, refusal))


def _text(reason: str) -> str:
    """What the owner of an order that failed is told: the auction's code, or of a signature what any refusal says."""
    return reports.sentence(_refusal(reason)) if reason in _SIGNATURES else reason


def _refusal(reason: str) -> Refusal:
    """Why a request that had its place came to nothing, as its owner is told: by its signature, or at the auction."""
    if reason in _SIGNATURES:
        return Refusal(Reason(reason), _SIGNATURES[Reason(reason)])
    return Refusal(Reason.TOO_LATE, f"the auction answered {reason}")
