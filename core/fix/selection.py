"""Which messages of FIX 4.2, with which of their fields, Romer has typed records for: `core/fix/messages.py`."""

from __future__ import annotations

from typing import Final

from core.fix.codegen import generate, read_selection
from core.fix.shipped import venue_dictionary

TITLE: Final = "The messages that Romer reads and writes, as typed records: order flow first, then the session's own."
SELECTION: Final = """
NewOrderSingle(ClOrdID HandlInst Symbol Side TransactTime OrdType OrderQty Price TimeInForce ExpireTime Account Text),
OrderCancelRequest(OrigClOrdID ClOrdID Symbol Side TransactTime OrderID),
ExecutionReport(OrderID ExecID ExecTransType ExecType OrdStatus Symbol Side LeavesQty CumQty AvgPx ClOrdID OrigClOrdID
    OrderQty Price LastShares LastPx OrdRejReason Text TransactTime GlobalSeq),
OrderCancelReject(OrderID ClOrdID OrigClOrdID OrdStatus CxlRejResponseTo CxlRejReason Text TransactTime),
BusinessMessageReject(RefMsgType BusinessRejectReason RefSeqNum BusinessRejectRefID Text),
Logon(EncryptMethod HeartBtInt ResetSeqNumFlag NextExpectedMsgSeqNum),
Heartbeat(TestReqID),
TestRequest(TestReqID),
ResendRequest(BeginSeqNo EndSeqNo),
Reject(RefSeqNum RefTagID RefMsgType SessionRejectReason Text),
SequenceReset(NewSeqNo GapFillFlag),
Logout(Text)
"""


def messages_module() -> str:
    """The text of `core/fix/messages.py`; the enumerations have names of their own in `core.fix.tags`."""
    return generate(venue_dictionary(), read_selection(SELECTION), title=TITLE, enumerations=False)
