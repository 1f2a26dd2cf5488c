"""What a message says, apart from when and how often it is sent: what its owner's signature of it can bind.

The fields in the order in which they stand, each as `tag=value` with SOH behind it, without those that change when a
message is sent again, and without the signature itself:

    8 BeginString, 9 BodyLength, 43 PossDupFlag, 52 SendingTime, 122 OrigSendingTime, 10 CheckSum,
    20005 OrderSignatureLength, 20006 OrderSignature

Everything else is bound: MsgType, CompIDs and MsgSeqNum, every field of the body, and what nobody has thought of.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from core.fix.codec import WireMessage, join
from core.fix.tags import (
    BEGIN_STRING_TAG,
    BODY_LENGTH,
    CHECK_SUM,
    ORDER_SIGNATURE,
    ORDER_SIGNATURE_LENGTH,
    ORIG_SENDING_TIME,
    POSS_DUP_FLAG,
    SENDING_TIME,
)

_LEFT_OUT: Final = frozenset(
    (
        BEGIN_STRING_TAG,
        BODY_LENGTH,
        POSS_DUP_FLAG,
        SENDING_TIME,
        ORIG_SENDING_TIME,
        CHECK_SUM,
        ORDER_SIGNATURE_LENGTH,
        ORDER_SIGNATURE,
    )
)
_SIGNATURE_FIELD: Final = b"\x01%d=" % ORDER_SIGNATURE


def content(message: WireMessage) -> bytes:
    """The content of a message, as the module describes it."""
    return join(field for field in message.fields() if field[0] not in _LEFT_OUT)


def signed_hash(message: WireMessage) -> bytes:
    """SHA-256 of the content of a message that has an OrderSignature; empty for one that has none."""
    return sha256(content(message)).digest() if _SIGNATURE_FIELD in message.raw else b""
