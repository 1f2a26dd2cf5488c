"""Instructions that FIX has and the venue does not carry out: who gives one must not believe that it holds.

An order is refused that says something here, but for the one value that comes to the same as to say nothing. What
merely informs, such as Account(1), is read over: docs/reasons.md has both lists.
"""

from __future__ import annotations

from typing import Final

from core.fix.messages import NewOrderSingle, OrderCancelReplaceRequest
from core.market.orders import Pair
from core.sequencer.reasons import Reason, Refusal

_REGULAR: Final = "0"
"""SettlmntTyp of whoever wants what everybody gets."""
_UNSUPPORTED: Final = {
    "exec_inst": "ExecInst(18)",
    "min_qty": "MinQty(110)",
    "max_floor": "MaxFloor(111)",
    "max_show": "MaxShow(210)",
    "stop_px": "StopPx(99)",
    "peg_difference": "PegDifference(211)",
    "discretion_inst": "DiscretionInst(388)",
    "discretion_offset": "DiscretionOffset(389)",
    "cash_order_qty": "CashOrderQty(152)",
    "order_qty2": "OrderQty2(192)",
    "effective_time": "EffectiveTime(168)",
    "expire_date": "ExpireDate(432)",
    "ex_destination": "ExDestination(100)",
    "fut_sett_date": "FutSettDate(64)",
    "fut_sett_date2": "FutSettDate2(193)",
    "symbol_sfx": "SymbolSfx(65)",
}
"""By attribute of the message."""


def check_instructions(message: NewOrderSingle | OrderCancelReplaceRequest, pair: Pair) -> Refusal | None:
    """Why the venue cannot do what a message asks for besides its terms, if it cannot; names the first such field."""
    for attribute, field in _UNSUPPORTED.items():
        if getattr(message, attribute) is not None:
            return Refusal(Reason.UNSUPPORTED_FIELD, f"{field} is not honoured here: send the order without it")
    quote = pair.quote.id
    if message.settlmnt_typ not in (None, _REGULAR):
        return Refusal(Reason.UNSUPPORTED_FIELD, "SettlmntTyp(63) must be 0 (Regular) or left out")
    if message.currency not in (None, quote):
        return Refusal(Reason.UNSUPPORTED_FIELD, f"Currency(15), which Price is in, must be {quote} or left out")
    if message.settl_currency not in (None, quote):
        return Refusal(Reason.UNSUPPORTED_FIELD, f"SettlCurrency(120) must be {quote} or left out")
    if message.forex_req:
        return Refusal(Reason.UNSUPPORTED_FIELD, "ForexReq(121) must be N or left out")
    return None
