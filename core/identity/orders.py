"""An order as a proof of its own: what is signed of it, by market makers that are registered to sign each order.

OrderSignature(20006) of a NewOrderSingle, OrderCancelRequest or OrderCancelReplaceRequest is the 96 bytes of a
signature, OrderSignatureLength(20005) is 96. What it signs is

    romer.order.1, and behind it the 32 bytes of SHA-256 of the message's content

and the content is every field in the order in which it stands, but for those that change when a message is sent again
(`core.fix.content`). So it binds CompIDs, MsgSeqNum, ClOrdID, TransactTime and every term of the order, and no
signature of an order is one of a Logon, nor of a block. A message that is sent again has the signature that it had.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Final

from core.fix.codec import Garbled, decode, encode, join
from core.fix.content import content
from core.fix.tags import DATA_LENGTHS, ORDER_SIGNATURE, ORDER_SIGNATURE_LENGTH, TRAILER_TAGS, MsgType

SIGNED_TYPES: Final = frozenset(
    (MsgType.NEW_ORDER_SINGLE, MsgType.ORDER_CANCEL_REQUEST, MsgType.ORDER_CANCEL_REPLACE_REQUEST)
)

_TAG: Final = b"romer.order.1"
_FIELDS_MAX: Final = 1_000
_LENGTHS: Final = DATA_LENGTHS | {ORDER_SIGNATURE_LENGTH: ORDER_SIGNATURE}


def order_message(content_hash: bytes) -> bytes:
    """What the signature of an order signs."""
    return _TAG + content_hash


def is_order_message(message: bytes) -> bool:
    """Whether that is what a signature of an order signs."""
    return message.startswith(_TAG) and len(message) == len(_TAG) + sha256().digest_size


def sign_order(raw: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The same order or request, a whole message, with a signature after its body. Raises ValueError for what is none.

    A signature that it had is replaced.
    """
    message = decode(raw, _FIELDS_MAX, _LENGTHS)
    if isinstance(message, Garbled) or message.msg_type not in SIGNED_TYPES:
        raise ValueError(f"no order to sign: {raw!r}")
    signature = sign(order_message(sha256(content(message)).digest()))
    begin_string, _, *fields, _ = message.fields()
    body = [field for field in fields if field[0] not in (ORDER_SIGNATURE_LENGTH, ORDER_SIGNATURE, *TRAILER_TAGS)]
    trailer = [field for field in fields if field[0] in TRAILER_TAGS]
    pair = [(ORDER_SIGNATURE_LENGTH, b"%d" % len(signature)), (ORDER_SIGNATURE, signature)]
    return encode(join([*body, *pair, *trailer]), begin_string[1])
