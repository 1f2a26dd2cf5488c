"""The messages that Romer reads and writes, as typed records: order flow first, then the session's own.

Written by `romer-live fix codegen`; edit the dictionary or the selection instead.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, ClassVar, Final, TypeAlias

from core.fix.field_types import CHAR, DATA, DATE, VALUE_LIST
from core.fix.fields import Field
from core.fix.message import FixMessage
from core.fix.values import BOOLEAN, FLOAT, INT, STRING, UTC_TIMESTAMP
from core.kernel.record import Record
from core.units import Nanos

Account: TypeAlias = Annotated[str, Field(1, STRING)]
AvgPx: TypeAlias = Annotated[Decimal, Field(6, FLOAT)]
BeginSeqNo: TypeAlias = Annotated[int, Field(7, INT)]
BlockHeight: TypeAlias = Annotated[int, Field(20002, INT)]
BusinessRejectReason: TypeAlias = Annotated[int, Field(380, INT)]
BusinessRejectRefID: TypeAlias = Annotated[str, Field(379, STRING)]
CashOrderQty: TypeAlias = Annotated[Decimal, Field(152, FLOAT)]
ClOrdID: TypeAlias = Annotated[str, Field(11, STRING)]
CumQty: TypeAlias = Annotated[Decimal, Field(14, FLOAT)]
Currency: TypeAlias = Annotated[str, Field(15, STRING)]
CxlRejReason: TypeAlias = Annotated[int, Field(102, INT)]
CxlRejResponseTo: TypeAlias = Annotated[str, Field(434, CHAR)]
DiscretionInst: TypeAlias = Annotated[str, Field(388, CHAR)]
DiscretionOffset: TypeAlias = Annotated[Decimal, Field(389, FLOAT)]
EffectiveTime: TypeAlias = Annotated[Nanos, Field(168, UTC_TIMESTAMP)]
EncryptMethod: TypeAlias = Annotated[int, Field(98, INT)]
EndSeqNo: TypeAlias = Annotated[int, Field(16, INT)]
ExDestination: TypeAlias = Annotated[str, Field(100, STRING)]
ExecID: TypeAlias = Annotated[str, Field(17, STRING)]
ExecInst: TypeAlias = Annotated[str, Field(18, VALUE_LIST)]
ExecTransType: TypeAlias = Annotated[str, Field(20, CHAR)]
ExecType: TypeAlias = Annotated[str, Field(150, CHAR)]
ExpireDate: TypeAlias = Annotated[str, Field(432, DATE)]
ExpireTime: TypeAlias = Annotated[Nanos, Field(126, UTC_TIMESTAMP)]
ForexReq: TypeAlias = Annotated[bool, Field(121, BOOLEAN)]
FutSettDate: TypeAlias = Annotated[str, Field(64, DATE)]
FutSettDate2: TypeAlias = Annotated[str, Field(193, DATE)]
GapFillFlag: TypeAlias = Annotated[bool, Field(123, BOOLEAN)]
GlobalSeq: TypeAlias = Annotated[int, Field(20001, INT)]
HandlInst: TypeAlias = Annotated[str, Field(21, CHAR)]
HeartBtInt: TypeAlias = Annotated[int, Field(108, INT)]
LastPx: TypeAlias = Annotated[Decimal, Field(31, FLOAT)]
LastShares: TypeAlias = Annotated[Decimal, Field(32, FLOAT)]
LeafIndex: TypeAlias = Annotated[int, Field(20003, INT)]
LeavesQty: TypeAlias = Annotated[Decimal, Field(151, FLOAT)]
MaxFloor: TypeAlias = Annotated[Decimal, Field(111, FLOAT)]
MaxShow: TypeAlias = Annotated[Decimal, Field(210, FLOAT)]
MinQty: TypeAlias = Annotated[Decimal, Field(110, FLOAT)]
MsgSeqNum: TypeAlias = Annotated[int, Field(34, INT)]
NewSeqNo: TypeAlias = Annotated[int, Field(36, INT)]
NextExpectedMsgSeqNum: TypeAlias = Annotated[int, Field(789, INT)]
OrdRejReason: TypeAlias = Annotated[int, Field(103, INT)]
OrdStatus: TypeAlias = Annotated[str, Field(39, CHAR)]
OrdType: TypeAlias = Annotated[str, Field(40, CHAR)]
OrderID: TypeAlias = Annotated[str, Field(37, STRING)]
OrderQty: TypeAlias = Annotated[Decimal, Field(38, FLOAT)]
OrderQty2: TypeAlias = Annotated[Decimal, Field(192, FLOAT)]
OrderSignature: TypeAlias = Annotated[bytes, Field(20006, DATA, length_tag=20005)]
OrigClOrdID: TypeAlias = Annotated[str, Field(41, STRING)]
OrigSendingTime: TypeAlias = Annotated[Nanos, Field(122, UTC_TIMESTAMP)]
PegDifference: TypeAlias = Annotated[Decimal, Field(211, FLOAT)]
PossDupFlag: TypeAlias = Annotated[bool, Field(43, BOOLEAN)]
PossResend: TypeAlias = Annotated[bool, Field(97, BOOLEAN)]
Price: TypeAlias = Annotated[Decimal, Field(44, FLOAT)]
Receipt: TypeAlias = Annotated[str, Field(20004, STRING)]
RefMsgType: TypeAlias = Annotated[str, Field(372, STRING)]
RefSeqNum: TypeAlias = Annotated[int, Field(45, INT)]
RefTagID: TypeAlias = Annotated[int, Field(371, INT)]
ResetSeqNumFlag: TypeAlias = Annotated[bool, Field(141, BOOLEAN)]
SenderCompID: TypeAlias = Annotated[str, Field(49, STRING)]
SendingTime: TypeAlias = Annotated[Nanos, Field(52, UTC_TIMESTAMP)]
SessionRejectReason: TypeAlias = Annotated[int, Field(373, INT)]
SettlCurrency: TypeAlias = Annotated[str, Field(120, STRING)]
SettlmntTyp: TypeAlias = Annotated[str, Field(63, CHAR)]
Side: TypeAlias = Annotated[str, Field(54, CHAR)]
StopPx: TypeAlias = Annotated[Decimal, Field(99, FLOAT)]
Symbol: TypeAlias = Annotated[str, Field(55, STRING)]
SymbolSfx: TypeAlias = Annotated[str, Field(65, STRING)]
TargetCompID: TypeAlias = Annotated[str, Field(56, STRING)]
TestReqID: TypeAlias = Annotated[str, Field(112, STRING)]
Text: TypeAlias = Annotated[str, Field(58, STRING)]
TimeInForce: TypeAlias = Annotated[str, Field(59, CHAR)]
TransactTime: TypeAlias = Annotated[Nanos, Field(60, UTC_TIMESTAMP)]


class NewOrderSingle(FixMessage, frozen=True):
    """NewOrderSingle, MsgType D: an application's message."""

    MSG_TYPE: ClassVar[str] = "D"

    cl_ord_id: ClOrdID
    """ClOrdID(11), STRING."""
    handl_inst: HandlInst
    """HandlInst(21), CHAR."""
    symbol: Symbol
    """Symbol(55), STRING."""
    side: Side
    """Side(54), CHAR."""
    transact_time: TransactTime
    """TransactTime(60), UTCTIMESTAMP."""
    ord_type: OrdType
    """OrdType(40), CHAR."""
    order_qty: OrderQty | None = None
    """OrderQty(38), QTY."""
    price: Price | None = None
    """Price(44), PRICE."""
    time_in_force: TimeInForce | None = None
    """TimeInForce(59), CHAR."""
    expire_time: ExpireTime | None = None
    """ExpireTime(126), UTCTIMESTAMP."""
    account: Account | None = None
    """Account(1), STRING."""
    text: Text | None = None
    """Text(58), STRING."""
    currency: Currency | None = None
    """Currency(15), CURRENCY."""
    exec_inst: ExecInst | None = None
    """ExecInst(18), MULTIPLEVALUESTRING."""
    settlmnt_typ: SettlmntTyp | None = None
    """SettlmntTyp(63), CHAR."""
    fut_sett_date: FutSettDate | None = None
    """FutSettDate(64), LOCALMKTDATE."""
    symbol_sfx: SymbolSfx | None = None
    """SymbolSfx(65), STRING."""
    stop_px: StopPx | None = None
    """StopPx(99), PRICE."""
    ex_destination: ExDestination | None = None
    """ExDestination(100), EXCHANGE."""
    min_qty: MinQty | None = None
    """MinQty(110), QTY."""
    max_floor: MaxFloor | None = None
    """MaxFloor(111), QTY."""
    settl_currency: SettlCurrency | None = None
    """SettlCurrency(120), CURRENCY."""
    forex_req: ForexReq | None = None
    """ForexReq(121), BOOLEAN."""
    cash_order_qty: CashOrderQty | None = None
    """CashOrderQty(152), QTY."""
    effective_time: EffectiveTime | None = None
    """EffectiveTime(168), UTCTIMESTAMP."""
    fut_sett_date2: FutSettDate2 | None = None
    """FutSettDate2(193), LOCALMKTDATE."""
    order_qty2: OrderQty2 | None = None
    """OrderQty2(192), QTY."""
    max_show: MaxShow | None = None
    """MaxShow(210), QTY."""
    peg_difference: PegDifference | None = None
    """PegDifference(211), PRICEOFFSET."""
    discretion_inst: DiscretionInst | None = None
    """DiscretionInst(388), CHAR."""
    discretion_offset: DiscretionOffset | None = None
    """DiscretionOffset(389), PRICEOFFSET."""
    expire_date: ExpireDate | None = None
    """ExpireDate(432), LOCALMKTDATE."""
    order_signature: OrderSignature | None = None
    """OrderSignature(20006), DATA."""


class OrderCancelRequest(FixMessage, frozen=True):
    """OrderCancelRequest, MsgType F: an application's message."""

    MSG_TYPE: ClassVar[str] = "F"

    orig_cl_ord_id: OrigClOrdID
    """OrigClOrdID(41), STRING."""
    cl_ord_id: ClOrdID
    """ClOrdID(11), STRING."""
    symbol: Symbol
    """Symbol(55), STRING."""
    side: Side
    """Side(54), CHAR."""
    transact_time: TransactTime
    """TransactTime(60), UTCTIMESTAMP."""
    order_id: OrderID | None = None
    """OrderID(37), STRING."""
    order_signature: OrderSignature | None = None
    """OrderSignature(20006), DATA."""


class OrderCancelReplaceRequest(FixMessage, frozen=True):
    """OrderCancelReplaceRequest, MsgType G: an application's message."""

    MSG_TYPE: ClassVar[str] = "G"

    orig_cl_ord_id: OrigClOrdID
    """OrigClOrdID(41), STRING."""
    cl_ord_id: ClOrdID
    """ClOrdID(11), STRING."""
    handl_inst: HandlInst
    """HandlInst(21), CHAR."""
    symbol: Symbol
    """Symbol(55), STRING."""
    side: Side
    """Side(54), CHAR."""
    transact_time: TransactTime
    """TransactTime(60), UTCTIMESTAMP."""
    ord_type: OrdType
    """OrdType(40), CHAR."""
    order_qty: OrderQty | None = None
    """OrderQty(38), QTY."""
    price: Price | None = None
    """Price(44), PRICE."""
    time_in_force: TimeInForce | None = None
    """TimeInForce(59), CHAR."""
    expire_time: ExpireTime | None = None
    """ExpireTime(126), UTCTIMESTAMP."""
    order_id: OrderID | None = None
    """OrderID(37), STRING."""
    currency: Currency | None = None
    """Currency(15), CURRENCY."""
    exec_inst: ExecInst | None = None
    """ExecInst(18), MULTIPLEVALUESTRING."""
    settlmnt_typ: SettlmntTyp | None = None
    """SettlmntTyp(63), CHAR."""
    fut_sett_date: FutSettDate | None = None
    """FutSettDate(64), LOCALMKTDATE."""
    symbol_sfx: SymbolSfx | None = None
    """SymbolSfx(65), STRING."""
    stop_px: StopPx | None = None
    """StopPx(99), PRICE."""
    ex_destination: ExDestination | None = None
    """ExDestination(100), EXCHANGE."""
    min_qty: MinQty | None = None
    """MinQty(110), QTY."""
    max_floor: MaxFloor | None = None
    """MaxFloor(111), QTY."""
    settl_currency: SettlCurrency | None = None
    """SettlCurrency(120), CURRENCY."""
    forex_req: ForexReq | None = None
    """ForexReq(121), BOOLEAN."""
    cash_order_qty: CashOrderQty | None = None
    """CashOrderQty(152), QTY."""
    effective_time: EffectiveTime | None = None
    """EffectiveTime(168), UTCTIMESTAMP."""
    fut_sett_date2: FutSettDate2 | None = None
    """FutSettDate2(193), LOCALMKTDATE."""
    order_qty2: OrderQty2 | None = None
    """OrderQty2(192), QTY."""
    max_show: MaxShow | None = None
    """MaxShow(210), QTY."""
    peg_difference: PegDifference | None = None
    """PegDifference(211), PRICEOFFSET."""
    discretion_inst: DiscretionInst | None = None
    """DiscretionInst(388), CHAR."""
    discretion_offset: DiscretionOffset | None = None
    """DiscretionOffset(389), PRICEOFFSET."""
    expire_date: ExpireDate | None = None
    """ExpireDate(432), LOCALMKTDATE."""
    order_signature: OrderSignature | None = None
    """OrderSignature(20006), DATA."""


class OrderStatusRequest(FixMessage, frozen=True):
    """OrderStatusRequest, MsgType H: an application's message."""

    MSG_TYPE: ClassVar[str] = "H"

    cl_ord_id: ClOrdID
    """ClOrdID(11), STRING."""
    symbol: Symbol
    """Symbol(55), STRING."""
    side: Side
    """Side(54), CHAR."""
    order_id: OrderID | None = None
    """OrderID(37), STRING."""


class ExecutionReport(FixMessage, frozen=True):
    """ExecutionReport, MsgType 8: an application's message."""

    MSG_TYPE: ClassVar[str] = "8"

    order_id: OrderID
    """OrderID(37), STRING."""
    exec_id: ExecID
    """ExecID(17), STRING."""
    exec_trans_type: ExecTransType
    """ExecTransType(20), CHAR."""
    exec_type: ExecType
    """ExecType(150), CHAR."""
    ord_status: OrdStatus
    """OrdStatus(39), CHAR."""
    symbol: Symbol
    """Symbol(55), STRING."""
    side: Side
    """Side(54), CHAR."""
    leaves_qty: LeavesQty
    """LeavesQty(151), QTY."""
    cum_qty: CumQty
    """CumQty(14), QTY."""
    avg_px: AvgPx
    """AvgPx(6), PRICE."""
    cl_ord_id: ClOrdID | None = None
    """ClOrdID(11), STRING."""
    orig_cl_ord_id: OrigClOrdID | None = None
    """OrigClOrdID(41), STRING."""
    order_qty: OrderQty | None = None
    """OrderQty(38), QTY."""
    price: Price | None = None
    """Price(44), PRICE."""
    last_shares: LastShares | None = None
    """LastShares(32), QTY."""
    last_px: LastPx | None = None
    """LastPx(31), PRICE."""
    ord_rej_reason: OrdRejReason | None = None
    """OrdRejReason(103), INT."""
    text: Text | None = None
    """Text(58), STRING."""
    transact_time: TransactTime | None = None
    """TransactTime(60), UTCTIMESTAMP."""
    global_seq: GlobalSeq | None = None
    """GlobalSeq(20001), INT."""
    block_height: BlockHeight | None = None
    """BlockHeight(20002), INT."""
    leaf_index: LeafIndex | None = None
    """LeafIndex(20003), INT."""
    receipt: Receipt | None = None
    """Receipt(20004), STRING."""


class OrderCancelReject(FixMessage, frozen=True):
    """OrderCancelReject, MsgType 9: an application's message."""

    MSG_TYPE: ClassVar[str] = "9"

    order_id: OrderID
    """OrderID(37), STRING."""
    cl_ord_id: ClOrdID
    """ClOrdID(11), STRING."""
    orig_cl_ord_id: OrigClOrdID
    """OrigClOrdID(41), STRING."""
    ord_status: OrdStatus
    """OrdStatus(39), CHAR."""
    cxl_rej_response_to: CxlRejResponseTo
    """CxlRejResponseTo(434), CHAR."""
    cxl_rej_reason: CxlRejReason | None = None
    """CxlRejReason(102), INT."""
    text: Text | None = None
    """Text(58), STRING."""
    transact_time: TransactTime | None = None
    """TransactTime(60), UTCTIMESTAMP."""


class BusinessMessageReject(FixMessage, frozen=True):
    """BusinessMessageReject, MsgType j: an application's message."""

    MSG_TYPE: ClassVar[str] = "j"

    ref_msg_type: RefMsgType
    """RefMsgType(372), STRING."""
    business_reject_reason: BusinessRejectReason
    """BusinessRejectReason(380), INT."""
    ref_seq_num: RefSeqNum | None = None
    """RefSeqNum(45), INT."""
    business_reject_ref_id: BusinessRejectRefID | None = None
    """BusinessRejectRefID(379), STRING."""
    text: Text | None = None
    """Text(58), STRING."""


class Logon(FixMessage, frozen=True):
    """Logon, MsgType A: the session's own message."""

    MSG_TYPE: ClassVar[str] = "A"

    encrypt_method: EncryptMethod
    """EncryptMethod(98), INT."""
    heart_bt_int: HeartBtInt
    """HeartBtInt(108), INT."""
    reset_seq_num_flag: ResetSeqNumFlag | None = None
    """ResetSeqNumFlag(141), BOOLEAN."""
    next_expected_msg_seq_num: NextExpectedMsgSeqNum | None = None
    """NextExpectedMsgSeqNum(789), INT."""


class Heartbeat(FixMessage, frozen=True):
    """Heartbeat, MsgType 0: the session's own message."""

    MSG_TYPE: ClassVar[str] = "0"

    test_req_id: TestReqID | None = None
    """TestReqID(112), STRING."""


class TestRequest(FixMessage, frozen=True):
    """TestRequest, MsgType 1: the session's own message."""

    __test__ = False  # not a pytest class
    MSG_TYPE: ClassVar[str] = "1"

    test_req_id: TestReqID
    """TestReqID(112), STRING."""


class ResendRequest(FixMessage, frozen=True):
    """ResendRequest, MsgType 2: the session's own message."""

    MSG_TYPE: ClassVar[str] = "2"

    begin_seq_no: BeginSeqNo
    """BeginSeqNo(7), INT."""
    end_seq_no: EndSeqNo
    """EndSeqNo(16), INT."""


class Reject(FixMessage, frozen=True):
    """Reject, MsgType 3: the session's own message."""

    MSG_TYPE: ClassVar[str] = "3"

    ref_seq_num: RefSeqNum
    """RefSeqNum(45), INT."""
    ref_tag_id: RefTagID | None = None
    """RefTagID(371), INT."""
    ref_msg_type: RefMsgType | None = None
    """RefMsgType(372), STRING."""
    session_reject_reason: SessionRejectReason | None = None
    """SessionRejectReason(373), INT."""
    text: Text | None = None
    """Text(58), STRING."""


class SequenceReset(FixMessage, frozen=True):
    """SequenceReset, MsgType 4: the session's own message."""

    MSG_TYPE: ClassVar[str] = "4"

    new_seq_no: NewSeqNo
    """NewSeqNo(36), INT."""
    gap_fill_flag: GapFillFlag | None = None
    """GapFillFlag(123), BOOLEAN."""


class Logout(FixMessage, frozen=True):
    """Logout, MsgType 5: the session's own message."""

    MSG_TYPE: ClassVar[str] = "5"

    text: Text | None = None
    """Text(58), STRING."""


class Header(Record, frozen=True):
    """What the session reads of every message's header."""

    sender_comp_id: SenderCompID
    """SenderCompID(49), STRING."""
    target_comp_id: TargetCompID
    """TargetCompID(56), STRING."""
    msg_seq_num: MsgSeqNum
    """MsgSeqNum(34), INT."""
    sending_time: SendingTime
    """SendingTime(52), UTCTIMESTAMP."""
    poss_dup_flag: PossDupFlag | None = None
    """PossDupFlag(43), BOOLEAN."""
    poss_resend: PossResend | None = None
    """PossResend(97), BOOLEAN."""
    orig_sending_time: OrigSendingTime | None = None
    """OrigSendingTime(122), UTCTIMESTAMP."""


ADMIN_MESSAGES: Final[tuple[type[FixMessage], ...]] = (
    Logon,
    Heartbeat,
    TestRequest,
    ResendRequest,
    Reject,
    SequenceReset,
    Logout,
)
MESSAGES: Final[tuple[type[FixMessage], ...]] = (
    NewOrderSingle,
    OrderCancelRequest,
    OrderCancelReplaceRequest,
    OrderStatusRequest,
    ExecutionReport,
    OrderCancelReject,
    BusinessMessageReject,
)
