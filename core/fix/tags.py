"""Tag numbers and values of FIX 4.2 that the engine and its applications use, under their FIX names."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import Final

BEGIN_STRING: Final = "FIX.4.2"

# --- header and trailer --------------------------------------------------------------------------

BEGIN_STRING_TAG: Final = 8
BODY_LENGTH: Final = 9
CHECK_SUM: Final = 10
MSG_SEQ_NUM: Final = 34
MSG_TYPE: Final = 35
POSS_DUP_FLAG: Final = 43
SENDER_COMP_ID: Final = 49
SENDING_TIME: Final = 52
TARGET_COMP_ID: Final = 56
POSS_RESEND: Final = 97
ON_BEHALF_OF_COMP_ID: Final = 115
ON_BEHALF_OF_SUB_ID: Final = 116
ORIG_SENDING_TIME: Final = 122
DELIVER_TO_COMP_ID: Final = 128
DELIVER_TO_SUB_ID: Final = 129
ON_BEHALF_OF_LOCATION_ID: Final = 144
DELIVER_TO_LOCATION_ID: Final = 145

HEADER_TAGS: Final = frozenset([8, 9, 34, 35, 43, 49, 50, 52, 56, 57, 90, 91, 97, 115, 116, 122, 128, 129]) | frozenset(
    [142, 143, 144, 145, 212, 213, 347, 369, 370]
)
TRAILER_TAGS: Final = frozenset([10, 89, 93])
TAG_MAX: Final = 999_999_999

DATA_LENGTHS: Final = {
    90: 91,
    93: 89,
    95: 96,
    212: 213,
    348: 349,
    350: 351,
    352: 353,
    354: 355,
    356: 357,
    358: 359,
    360: 361,
    362: 363,
    364: 365,
    445: 446,
    618: 619,
    621: 622,
}
"""Fields that give the length of the data field right after them, whose value may contain any byte."""

# --- body ----------------------------------------------------------------------------------------

ACCOUNT: Final = 1
AVG_PX: Final = 6
BEGIN_SEQ_NO: Final = 7
CL_ORD_ID: Final = 11
CUM_QTY: Final = 14
END_SEQ_NO: Final = 16
EXEC_ID: Final = 17
EXEC_TRANS_TYPE: Final = 20
HANDL_INST: Final = 21
LAST_PX: Final = 31
LAST_SHARES: Final = 32
NEW_SEQ_NO: Final = 36
ORDER_ID: Final = 37
ORDER_QTY: Final = 38
ORD_STATUS: Final = 39
ORD_TYPE: Final = 40
ORIG_CL_ORD_ID: Final = 41
PRICE: Final = 44
REF_SEQ_NUM: Final = 45
SIDE: Final = 54
SYMBOL: Final = 55
TEXT: Final = 58
TIME_IN_FORCE: Final = 59
TRANSACT_TIME: Final = 60
ENCRYPT_METHOD: Final = 98
CXL_REJ_REASON: Final = 102
ORD_REJ_REASON: Final = 103
HEART_BT_INT: Final = 108
TEST_REQ_ID: Final = 112
GAP_FILL_FLAG: Final = 123
EXPIRE_TIME: Final = 126
RESET_SEQ_NUM_FLAG: Final = 141
EXEC_TYPE: Final = 150
LEAVES_QTY: Final = 151
REF_TAG_ID: Final = 371
REF_MSG_TYPE: Final = 372
SESSION_REJECT_REASON: Final = 373
BUSINESS_REJECT_REF_ID: Final = 379
BUSINESS_REJECT_REASON: Final = 380
CXL_REJ_RESPONSE_TO: Final = 434
NEXT_EXPECTED_MSG_SEQ_NUM: Final = 789
"""FIX 4.4."""
GLOBAL_SEQ: Final = 20001
"""User-defined, int: the place of an order in the venue's total order of messages."""
BLOCK_HEIGHT: Final = 20002
"""User-defined, int: the sealed block that an order is in."""
LEAF_INDEX: Final = 20003
"""User-defined, int: the order's place there, from 0."""
RECEIPT: Final = 20004
"""User-defined, string: the order's whole receipt, as `core.sequencer.receipt` writes it."""
ORDER_SIGNATURE_LENGTH: Final = 20005
ORDER_SIGNATURE: Final = 20006
"""User-defined, length and data: its owner's signature of an order or a request, as `core.identity.orders` has it."""

# --- values --------------------------------------------------------------------------------------


class MsgType(StrEnum):
    """MsgType(35) of the messages that Romer reads and writes."""

    HEARTBEAT = "0"
    TEST_REQUEST = "1"
    RESEND_REQUEST = "2"
    REJECT = "3"
    SEQUENCE_RESET = "4"
    LOGOUT = "5"
    EXECUTION_REPORT = "8"
    ORDER_CANCEL_REJECT = "9"
    LOGON = "A"
    NEW_ORDER_SINGLE = "D"
    ORDER_CANCEL_REQUEST = "F"
    ORDER_CANCEL_REPLACE_REQUEST = "G"
    ORDER_STATUS_REQUEST = "H"
    BUSINESS_MESSAGE_REJECT = "j"


ADMIN_TYPES: Final = frozenset("012345A")
"""Messages of the session itself: numbered, but never sent again."""

MSG_TYPES: Final = frozenset("0123456789ABCDEFGHJKLMNPQRSTVWXYZabcdefghijklm")
"""Every MsgType of FIX 4.2. User-defined ones begin with `U`."""


class HandlInst(StrEnum):
    """HandlInst(21)."""

    AUTOMATED_NO_INTERVENTION = "1"
    AUTOMATED_INTERVENTION_OK = "2"
    MANUAL = "3"


class Side(StrEnum):
    """Side(54)."""

    BUY = "1"
    SELL = "2"
    BUY_MINUS = "3"
    SELL_PLUS = "4"
    SELL_SHORT = "5"
    SELL_SHORT_EXEMPT = "6"
    UNDISCLOSED = "7"
    CROSS = "8"
    CROSS_SHORT = "9"


class OrdType(StrEnum):
    """OrdType(40)."""

    MARKET = "1"
    LIMIT = "2"
    STOP = "3"
    STOP_LIMIT = "4"
    MARKET_ON_CLOSE = "5"
    WITH_OR_WITHOUT = "6"
    LIMIT_OR_BETTER = "7"
    LIMIT_WITH_OR_WITHOUT = "8"
    ON_BASIS = "9"
    ON_CLOSE = "A"
    LIMIT_ON_CLOSE = "B"
    FOREX_MARKET = "C"
    PREVIOUSLY_QUOTED = "D"
    PREVIOUSLY_INDICATED = "E"
    FOREX_LIMIT = "F"
    FOREX_SWAP = "G"
    FOREX_PREVIOUSLY_QUOTED = "H"
    FUNARI = "I"
    PEGGED = "P"


class TimeInForce(StrEnum):
    """TimeInForce(59)."""

    DAY = "0"
    GOOD_TILL_CANCEL = "1"
    AT_THE_OPENING = "2"
    IMMEDIATE_OR_CANCEL = "3"
    FILL_OR_KILL = "4"
    GOOD_TILL_CROSSING = "5"
    GOOD_TILL_DATE = "6"


class ExecTransType(StrEnum):
    """ExecTransType(20)."""

    NEW = "0"
    CANCEL = "1"
    CORRECT = "2"
    STATUS = "3"


class OrdStatus(StrEnum):
    """OrdStatus(39)."""

    NEW = "0"
    PARTIALLY_FILLED = "1"
    FILLED = "2"
    DONE_FOR_DAY = "3"
    CANCELED = "4"
    REPLACED = "5"
    PENDING_CANCEL = "6"
    STOPPED = "7"
    REJECTED = "8"
    SUSPENDED = "9"
    PENDING_NEW = "A"
    CALCULATED = "B"
    EXPIRED = "C"
    ACCEPTED_FOR_BIDDING = "D"
    PENDING_REPLACE = "E"


class ExecType(StrEnum):
    """ExecType(150)."""

    NEW = "0"
    PARTIAL_FILL = "1"
    FILL = "2"
    DONE_FOR_DAY = "3"
    CANCELED = "4"
    REPLACED = "5"
    PENDING_CANCEL = "6"
    STOPPED = "7"
    REJECTED = "8"
    SUSPENDED = "9"
    PENDING_NEW = "A"
    CALCULATED = "B"
    EXPIRED = "C"
    RESTATED = "D"
    PENDING_REPLACE = "E"


class OrdRejReason(IntEnum):
    """OrdRejReason(103)."""

    BROKER_OPTION = 0
    UNKNOWN_SYMBOL = 1
    EXCHANGE_CLOSED = 2
    ORDER_EXCEEDS_LIMIT = 3
    TOO_LATE_TO_ENTER = 4
    UNKNOWN_ORDER = 5
    DUPLICATE_ORDER = 6
    DUPLICATE_OF_A_VERBALLY_COMMUNICATED_ORDER = 7
    STALE_ORDER = 8


class CxlRejReason(IntEnum):
    """CxlRejReason(102)."""

    TOO_LATE_TO_CANCEL = 0
    UNKNOWN_ORDER = 1
    BROKER_OPTION = 2
    ALREADY_PENDING = 3


class CxlRejResponseTo(StrEnum):
    """CxlRejResponseTo(434)."""

    ORDER_CANCEL_REQUEST = "1"
    ORDER_CANCEL_REPLACE_REQUEST = "2"


class EncryptMethod(IntEnum):
    """EncryptMethod(98)."""

    NONE = 0
    PKCS = 1
    DES = 2
    PKCS_DES = 3
    PGP_DES = 4
    PGP_DES_MD5 = 5
    PEM = 6


class BusinessRejectReason(IntEnum):
    """BusinessRejectReason(380)."""

    OTHER = 0
    UNKNOWN_ID = 1
    UNKNOWN_SECURITY = 2
    UNSUPPORTED_MESSAGE_TYPE = 3
    APPLICATION_NOT_AVAILABLE = 4
    CONDITIONALLY_REQUIRED_FIELD_MISSING = 5


class SessionRejectReason(IntEnum):
    """SessionRejectReason(373). FIX 4.2 ends with 11."""

    INVALID_TAG_NUMBER = 0
    REQUIRED_TAG_MISSING = 1
    TAG_NOT_DEFINED_FOR_THIS_MESSAGE_TYPE = 2
    UNDEFINED_TAG = 3
    TAG_SPECIFIED_WITHOUT_A_VALUE = 4
    VALUE_IS_INCORRECT = 5
    INCORRECT_DATA_FORMAT = 6
    DECRYPTION_PROBLEM = 7
    SIGNATURE_PROBLEM = 8
    COMP_ID_PROBLEM = 9
    SENDING_TIME_ACCURACY_PROBLEM = 10
    INVALID_MSG_TYPE = 11
    TAG_APPEARS_MORE_THAN_ONCE = 13
    TAG_SPECIFIED_OUT_OF_REQUIRED_ORDER = 14
    INCORRECT_NUM_IN_GROUP_COUNT = 16
    OTHER = 99
