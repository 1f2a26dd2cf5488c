"""What a block commits to for each of its messages: the leaf, and the acknowledgement that its owner got.

All integers are big endian and unsigned.

    leaf     12  "romer.leaf.1"
              8  global sequence number
              8  received at, nanoseconds since the Unix epoch
              2  length of the owner's CompID in bytes
              n  the owner's CompID, UTF-8
             32  SHA-256 of the exact FIX message received, from `8=` to the SOH after `10=nnn`; 32 zero
                 bytes where the venue acts of its own accord and there was none

    acknow-  11  "romer.ack.1"
    ledge-    8  global sequence number
    ment      1  1 for an order, 2 for a request to cancel one, 3 for a request to replace one,
                 4 for the venue's own cancel of one whose owner's session was lost
              2  length of OrderID in bytes
              n  OrderID, UTF-8: the venue's name of the order
              2  length of ClOrdID in bytes
              n  ClOrdID of the message, UTF-8; nothing where there was none
"""

from __future__ import annotations

from hashlib import sha256
from struct import Struct, error
from typing import Final, Literal, TypeAlias, get_args

from core.errors import InputError
from core.kernel.record import Record
from core.market.orders import CancelOrder, Item, Order
from core.units import Nanos

_LEAF_TAG: Final = b"romer.leaf.1"
_LEAF: Final = Struct(">12sQQH")
_ACK_TAG: Final = b"romer.ack.1"
_ACK: Final = Struct(">11sQB")
_LENGTH: Final = Struct(">H")
_RAW_HASH_BYTES: Final = sha256().digest_size
NO_MESSAGE: Final = bytes(_RAW_HASH_BYTES)
"""Stands for the hash of a message where there was none."""
Kind: TypeAlias = Literal["order", "cancel", "replace", "cancel_on_disconnect"]
_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)


class Leaf(Record, frozen=True):
    """What a block commits to for one message: its place, when it came, from whom, and its exact bytes."""

    global_seq: int
    received_at: Nanos
    owner: str
    raw_hash: bytes


class Acknowledgement(Record, frozen=True):
    """What the owner of a message was told of it: its place, and the order that it is, or that it is about."""

    global_seq: int
    kind: Kind
    order_id: str
    cl_ord_id: str


def acknowledgement(global_seq: int, item: Item) -> Acknowledgement:
    """The acknowledgement of an accepted message."""
    return Acknowledgement(global_seq, kind_of(item), item.order_id, item.cl_ord_id)


def kind_of(item: Item) -> Kind:
    """What has a place in a block, in a word."""
    if isinstance(item, Order):
        return "order"
    if not isinstance(item, CancelOrder):
        return "replace"
    return "cancel_on_disconnect" if item.standing else "cancel"


def encode_leaf(leaf: Leaf) -> bytes:
    """The leaf's bytes, as the module describes them."""
    owner = leaf.owner.encode()
    return _LEAF.pack(_LEAF_TAG, leaf.global_seq, leaf.received_at, len(owner)) + owner + leaf.raw_hash


def decode_leaf(data: bytes) -> Leaf:
    """The leaf of these bytes. Raises InputError for anything that `encode_leaf` does not write."""
    try:
        tag, global_seq, received_at, length = _LEAF.unpack_from(data)
        owner = data[_LEAF.size : _LEAF.size + length].decode()
    except (error, UnicodeDecodeError) as problem:
        raise InputError(f"not a leaf: {problem}") from None
    if tag != _LEAF_TAG or len(data) != _LEAF.size + length + _RAW_HASH_BYTES:
        raise InputError("not a leaf: another tag or length")
    return Leaf(global_seq, received_at, owner, data[-_RAW_HASH_BYTES:])


def encode_acknowledgement(told: Acknowledgement) -> bytes:
    """The acknowledgement's bytes, as the module describes them."""
    kind = _KINDS.index(told.kind) + 1
    return _ACK.pack(_ACK_TAG, told.global_seq, kind) + _sized(told.order_id) + _sized(told.cl_ord_id)


def decode_acknowledgement(data: bytes) -> Acknowledgement:
    """The acknowledgement of these bytes. Raises InputError for what `encode_acknowledgement` does not write."""
    try:
        tag, global_seq, kind = _ACK.unpack_from(data)
        order_id, at = _text(data, _ACK.size)
        cl_ord_id, at = _text(data, at)
    except (error, UnicodeDecodeError) as problem:
        raise InputError(f"not an acknowledgement: {problem}") from None
    if tag != _ACK_TAG or at != len(data) or not 0 < kind <= len(_KINDS):
        raise InputError("not an acknowledgement: another tag, kind or length")
    return Acknowledgement(global_seq, _KINDS[kind - 1], order_id, cl_ord_id)


def _sized(text: str) -> bytes:
    data = text.encode()
    return _LENGTH.pack(len(data)) + data


def _text(data: bytes, at: int) -> tuple[str, int]:
    """A text with its length before it, and where it ends; beyond the end of `data` when that is cut."""
    (length,) = _LENGTH.unpack_from(data, at)
    begin = at + _LENGTH.size
    return data[begin : begin + length].decode(), begin + length
