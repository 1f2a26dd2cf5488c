"""The messages that Romer reads and writes, as typed records: order flow first, then the session's own.

Attributes are the FIX field names in snake case; required fields have no default. Prices and
quantities are Decimal, timestamps are nanoseconds. On the wire a body is written in ascending order of tags.
"""

from __future__ import annotations

from typing import ClassVar

from core.fix import fields as f
from core.fix.records import FixMessage
from core.fix.tags import MsgType
from core.kernel.record import Record


class NewOrderSingle(FixMessage, frozen=True):
    """A new order."""

    MSG_TYPE: ClassVar[str] = MsgType.NEW_ORDER_SINGLE

    cl_ord_id: f.ClOrdID
    handl_inst: f.HandlInst
    symbol: f.Symbol
    side: f.Side
    transact_time: f.TransactTime
    ord_type: f.OrdType
    order_qty: f.OrderQty | None = None
    price: f.Price | None = None
    time_in_force: f.TimeInForce | None = None
    expire_time: f.ExpireTime | None = None
    account: f.Account | None = None
    text: f.Text | None = None


class OrderCancelRequest(FixMessage, frozen=True):
    """Cancel all that is left of the order `orig_cl_ord_id`."""

    MSG_TYPE: ClassVar[str] = MsgType.ORDER_CANCEL_REQUEST

    orig_cl_ord_id: f.OrigClOrdID
    cl_ord_id: f.ClOrdID
    symbol: f.Symbol
    side: f.Side
    transact_time: f.TransactTime
    order_id: f.OrderID | None = None


class ExecutionReport(FixMessage, frozen=True):
    """What became of an order: accepted, refused, filled, cancelled, expired."""

    MSG_TYPE: ClassVar[str] = MsgType.EXECUTION_REPORT

    order_id: f.OrderID
    exec_id: f.ExecID
    exec_trans_type: f.ExecTransType
    exec_type: f.ExecType
    ord_status: f.OrdStatus
    symbol: f.Symbol
    side: f.Side
    leaves_qty: f.LeavesQty
    cum_qty: f.CumQty
    avg_px: f.AvgPx
    cl_ord_id: f.ClOrdID | None = None
    orig_cl_ord_id: f.OrigClOrdID | None = None
    order_qty: f.OrderQty | None = None
    price: f.Price | None = None
    last_shares: f.LastShares | None = None
    last_px: f.LastPx | None = None
    ord_rej_reason: f.OrdRejReason | None = None
    text: f.Text | None = None
    transact_time: f.TransactTime | None = None
    global_seq: f.GlobalSeq | None = None


class OrderCancelReject(FixMessage, frozen=True):
    """A cancel request came too late or for nothing."""

    MSG_TYPE: ClassVar[str] = MsgType.ORDER_CANCEL_REJECT

    order_id: f.OrderID
    cl_ord_id: f.ClOrdID
    orig_cl_ord_id: f.OrigClOrdID
    ord_status: f.OrdStatus
    cxl_rej_response_to: f.CxlRejResponseTo
    cxl_rej_reason: f.CxlRejReason | None = None
    text: f.Text | None = None
    transact_time: f.TransactTime | None = None


class BusinessMessageReject(FixMessage, frozen=True):
    """A well-formed message that the application cannot take."""

    MSG_TYPE: ClassVar[str] = MsgType.BUSINESS_MESSAGE_REJECT

    ref_msg_type: f.RefMsgType
    business_reject_reason: f.BusinessRejectReason
    ref_seq_num: f.RefSeqNum | None = None
    business_reject_ref_id: f.BusinessRejectRefID | None = None
    text: f.Text | None = None


# --- the session's own ---------------------------------------------------------------------------


class Header(Record, frozen=True):
    """What the session reads of every message's header."""

    sender_comp_id: f.SenderCompID
    target_comp_id: f.TargetCompID
    msg_seq_num: f.MsgSeqNum
    sending_time: f.SendingTime
    poss_dup_flag: f.PossDupFlag | None = None
    poss_resend: f.PossResend | None = None
    orig_sending_time: f.OrigSendingTime | None = None


class Logon(FixMessage, frozen=True):
    """Opens a session, both ways."""

    MSG_TYPE: ClassVar[str] = MsgType.LOGON

    encrypt_method: f.EncryptMethod
    heart_bt_int: f.HeartBtInt
    reset_seq_num_flag: f.ResetSeqNumFlag | None = None


class Heartbeat(FixMessage, frozen=True):
    """The sender is alive; with `test_req_id`, the answer to a TestRequest."""

    MSG_TYPE: ClassVar[str] = MsgType.HEARTBEAT

    test_req_id: f.TestReqID | None = None


class TestRequest(FixMessage, frozen=True):
    """Asks for a Heartbeat with the same `test_req_id`."""

    __test__ = False  # not a pytest class
    MSG_TYPE: ClassVar[str] = MsgType.TEST_REQUEST

    test_req_id: f.TestReqID


class ResendRequest(FixMessage, frozen=True):
    """Asks for messages again; `end_seq_no` 0 is up to the last one sent."""

    MSG_TYPE: ClassVar[str] = MsgType.RESEND_REQUEST

    begin_seq_no: f.BeginSeqNo
    end_seq_no: f.EndSeqNo


class Reject(FixMessage, frozen=True):
    """A message that breaks the rules of the session layer."""

    MSG_TYPE: ClassVar[str] = MsgType.REJECT

    ref_seq_num: f.RefSeqNum
    ref_tag_id: f.RefTagID | None = None
    ref_msg_type: f.RefMsgType | None = None
    session_reject_reason: f.SessionRejectReason | None = None
    text: f.Text | None = None


class SequenceReset(FixMessage, frozen=True):
    """The next message is `new_seq_no`: because the ones before need no resending (gap fill), or by force."""

    MSG_TYPE: ClassVar[str] = MsgType.SEQUENCE_RESET

    new_seq_no: f.NewSeqNo
    gap_fill_flag: f.GapFillFlag | None = None


class Logout(FixMessage, frozen=True):
    """Ends a session, or confirms its end."""

    MSG_TYPE: ClassVar[str] = MsgType.LOGOUT

    text: f.Text | None = None
