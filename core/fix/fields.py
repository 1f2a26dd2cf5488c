"""Every field of the typed messages: its tag, its type and the values it allows, in one place.

A message annotates its attributes with these names; `core.fix.layout` reads the annotations back.
"""

from __future__ import annotations

from decimal import Decimal
from enum import Enum
from typing import Annotated, TypeAlias, get_args, get_type_hints

import msgspec

from core.fix import tags
from core.fix.values import BOOLEAN, FLOAT, INT, STRING, UTC_TIMESTAMP, ValueType
from core.kernel.record import Record
from core.units import Nanos


class Field(msgspec.Struct, frozen=True):
    """A tag, how its value is read and written, and the enumeration of what it allows, if there is one."""

    tag: int
    kind: ValueType
    values: type[Enum] | None = None


class Entry(msgspec.Struct, frozen=True):
    """One attribute of a record: its name, its field, and whether a message must have it."""

    attribute: str
    field: Field
    required: bool


def entries_of(record: type[Record]) -> list[Entry]:
    """The fields of `record`, in the order of its attributes."""
    hints = get_type_hints(record, include_extras=True)
    return [
        Entry(info.encode_name, _field_of(hints[info.name]), info.required) for info in msgspec.structs.fields(record)
    ]


def _field_of(hint: object) -> Field:
    """The `Field` in `Annotated[...]` or `Annotated[...] | None`."""
    for part in get_args(hint):
        if isinstance(part, Field):
            return part
        if get_args(part):
            return _field_of(part)
    raise TypeError(f"{hint} names no field")


Account: TypeAlias = Annotated[str, Field(tags.ACCOUNT, STRING)]
AvgPx: TypeAlias = Annotated[Decimal, Field(tags.AVG_PX, FLOAT)]
BeginSeqNo: TypeAlias = Annotated[int, Field(tags.BEGIN_SEQ_NO, INT)]
BusinessRejectReason: TypeAlias = Annotated[int, Field(tags.BUSINESS_REJECT_REASON, INT, tags.BusinessRejectReason)]
BusinessRejectRefID: TypeAlias = Annotated[str, Field(tags.BUSINESS_REJECT_REF_ID, STRING)]
ClOrdID: TypeAlias = Annotated[str, Field(tags.CL_ORD_ID, STRING)]
CumQty: TypeAlias = Annotated[Decimal, Field(tags.CUM_QTY, FLOAT)]
CxlRejReason: TypeAlias = Annotated[int, Field(tags.CXL_REJ_REASON, INT, tags.CxlRejReason)]
CxlRejResponseTo: TypeAlias = Annotated[str, Field(tags.CXL_REJ_RESPONSE_TO, STRING, tags.CxlRejResponseTo)]
EncryptMethod: TypeAlias = Annotated[int, Field(tags.ENCRYPT_METHOD, INT, tags.EncryptMethod)]
EndSeqNo: TypeAlias = Annotated[int, Field(tags.END_SEQ_NO, INT)]
ExecID: TypeAlias = Annotated[str, Field(tags.EXEC_ID, STRING)]
ExecTransType: TypeAlias = Annotated[str, Field(tags.EXEC_TRANS_TYPE, STRING, tags.ExecTransType)]
ExecType: TypeAlias = Annotated[str, Field(tags.EXEC_TYPE, STRING, tags.ExecType)]
ExpireTime: TypeAlias = Annotated[Nanos, Field(tags.EXPIRE_TIME, UTC_TIMESTAMP)]
GapFillFlag: TypeAlias = Annotated[bool, Field(tags.GAP_FILL_FLAG, BOOLEAN)]
GlobalSeq: TypeAlias = Annotated[int, Field(tags.GLOBAL_SEQ, INT)]
HandlInst: TypeAlias = Annotated[str, Field(tags.HANDL_INST, STRING, tags.HandlInst)]
HeartBtInt: TypeAlias = Annotated[int, Field(tags.HEART_BT_INT, INT)]
LastPx: TypeAlias = Annotated[Decimal, Field(tags.LAST_PX, FLOAT)]
LastShares: TypeAlias = Annotated[Decimal, Field(tags.LAST_SHARES, FLOAT)]
LeavesQty: TypeAlias = Annotated[Decimal, Field(tags.LEAVES_QTY, FLOAT)]
MsgSeqNum: TypeAlias = Annotated[int, Field(tags.MSG_SEQ_NUM, INT)]
NewSeqNo: TypeAlias = Annotated[int, Field(tags.NEW_SEQ_NO, INT)]
OrdRejReason: TypeAlias = Annotated[int, Field(tags.ORD_REJ_REASON, INT, tags.OrdRejReason)]
OrdStatus: TypeAlias = Annotated[str, Field(tags.ORD_STATUS, STRING, tags.OrdStatus)]
OrdType: TypeAlias = Annotated[str, Field(tags.ORD_TYPE, STRING, tags.OrdType)]
OrderID: TypeAlias = Annotated[str, Field(tags.ORDER_ID, STRING)]
OrderQty: TypeAlias = Annotated[Decimal, Field(tags.ORDER_QTY, FLOAT)]
OrigClOrdID: TypeAlias = Annotated[str, Field(tags.ORIG_CL_ORD_ID, STRING)]
OrigSendingTime: TypeAlias = Annotated[Nanos, Field(tags.ORIG_SENDING_TIME, UTC_TIMESTAMP)]
PossDupFlag: TypeAlias = Annotated[bool, Field(tags.POSS_DUP_FLAG, BOOLEAN)]
PossResend: TypeAlias = Annotated[bool, Field(tags.POSS_RESEND, BOOLEAN)]
Price: TypeAlias = Annotated[Decimal, Field(tags.PRICE, FLOAT)]
RefMsgType: TypeAlias = Annotated[str, Field(tags.REF_MSG_TYPE, STRING)]
RefSeqNum: TypeAlias = Annotated[int, Field(tags.REF_SEQ_NUM, INT)]
RefTagID: TypeAlias = Annotated[int, Field(tags.REF_TAG_ID, INT)]
ResetSeqNumFlag: TypeAlias = Annotated[bool, Field(tags.RESET_SEQ_NUM_FLAG, BOOLEAN)]
SenderCompID: TypeAlias = Annotated[str, Field(tags.SENDER_COMP_ID, STRING)]
SendingTime: TypeAlias = Annotated[Nanos, Field(tags.SENDING_TIME, UTC_TIMESTAMP)]
SessionRejectReason: TypeAlias = Annotated[int, Field(tags.SESSION_REJECT_REASON, INT)]
Side: TypeAlias = Annotated[str, Field(tags.SIDE, STRING, tags.Side)]
Symbol: TypeAlias = Annotated[str, Field(tags.SYMBOL, STRING)]
TargetCompID: TypeAlias = Annotated[str, Field(tags.TARGET_COMP_ID, STRING)]
TestReqID: TypeAlias = Annotated[str, Field(tags.TEST_REQ_ID, STRING)]
Text: TypeAlias = Annotated[str, Field(tags.TEXT, STRING)]
TimeInForce: TypeAlias = Annotated[str, Field(tags.TIME_IN_FORCE, STRING, tags.TimeInForce)]
TransactTime: TypeAlias = Annotated[Nanos, Field(tags.TRANSACT_TIME, UTC_TIMESTAMP)]
