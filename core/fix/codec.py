"""Bytes and messages: decoding one framed message field by field, encoding one, and FIX's checksum.

framed bytes --decode--> WireMessage (raw bytes and values by tag) or Garbled
body fields --join--> body --encode--> bytes ready to send
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from enum import StrEnum
from itertools import islice
from typing import Final
from zlib import adler32

import msgspec

from core.fix.tags import DATA_LENGTHS, MSG_TYPE
from core.fix.values import ENCODING

SOH: Final = b"\x01"
_CHUNK: Final = 256
_SHOWN_BYTES: Final = 64
_HEAD_FIELDS_MAX: Final = 32
_TAG: Final = re.compile(rb"0|-?[1-9]\d{0,8}")
_COMMON_TAGS: Final = {b"%d" % tag: tag for tag in range(1, 6000) if tag not in DATA_LENGTHS}
"""Tags that need no second look. Lengths of data fields are not among them, and lead to the slow path."""
_CHECK_SUMS: Final = tuple(b"%03d" % value for value in range(256))


class GarbledReason(StrEnum):
    """Why bytes are not a message. Stable: facts and metrics rely on them."""

    NO_START = "no_start"
    """The bytes do not begin with `8=FIX`."""
    FIRST_FIELDS = "first_fields"
    """BeginString, BodyLength and MsgType are not the first three fields."""
    TOO_LARGE = "too_large"
    """The message is larger than allowed."""
    BODY_LENGTH = "body_length"
    """BodyLength does not lead to the CheckSum."""
    CHECK_SUM = "check_sum"
    """CheckSum is wrong, or not three digits."""
    TOO_MANY_FIELDS = "too_many_fields"
    """The message has more fields than allowed."""
    BAD_TAG = "bad_tag"
    """A field is not a number, an equals sign and a value."""
    DATA_LENGTH = "data_length"
    """A data field is not as long as its length field says."""


class Garbled(msgspec.Struct, frozen=True):
    """Bytes that were dropped, for `reason`.

    `raw` is the message at fault, where its end could be found; of one that is too large, its head.
    """

    reason: GarbledReason
    raw: bytes = b""


class WireMessage(msgspec.Struct):
    """One message as received, `repeated` if a tag occurs twice. It is taken apart only if somebody looks inside."""

    raw: bytes
    msg_type: str
    taken_apart: dict[int, bytes] = {}
    repeated: bool = False
    in_order: list[tuple[int, bytes]] = []
    """The fields of a `repeated` message, if they have been told apart."""

    @property
    def values(self) -> dict[int, bytes]:
        """Each tag's value (the last one, if `repeated`) in wire order."""
        if not self.taken_apart:
            self.taken_apart = dict(_split(self.raw))
        return self.taken_apart

    def fields(self) -> list[tuple[int, bytes]]:
        """All fields in wire order, repeated tags included."""
        if self.repeated and not self.in_order:
            self.in_order = list(_split(self.raw))
        return self.in_order if self.repeated else list(self.values.items())


def decode(raw: bytes, fields_max: int, lengths: Mapping[int, int] = DATA_LENGTHS) -> WireMessage | Garbled:
    """Take apart one message that a `Framer` has cut out and verified.

    `lengths` are the data fields by the tags of their lengths.
    """
    parts = raw.split(SOH)
    parts.pop()
    if len(parts) > fields_max:  # or some are pieces of data
        return _decode_uncommon(raw, lengths, fields_max)
    values = {}
    try:
        for part in parts:
            tag, value = part.split(b"=", 1)
            values[_COMMON_TAGS[tag]] = value
    except (KeyError, ValueError):
        return _decode_uncommon(raw, lengths, fields_max)
    if lengths is not DATA_LENGTHS and not lengths.keys().isdisjoint(values):
        return _decode_uncommon(raw, lengths, fields_max)
    msg_type = values[MSG_TYPE].decode(ENCODING)
    if len(values) == len(parts):
        return WireMessage(raw, msg_type, values)
    pairs = [part.split(b"=", 1) for part in parts]
    return WireMessage(raw, msg_type, values, True, [(_COMMON_TAGS[tag], value) for tag, value in pairs])


def decode_head(raw: bytes) -> WireMessage:
    """The first fields of a framed message that cannot be taken apart as a whole, as far as they are fields."""
    fields = []
    with suppress(ValueError):
        for field in islice(_split(raw), _HEAD_FIELDS_MAX):
            fields.append(field)  # noqa: PERF402  # what came before a fault is wanted
    values = dict(fields)
    return WireMessage(raw, values[MSG_TYPE].decode(ENCODING), values, True, fields)


def split(raw: bytes, lengths: Mapping[int, int]) -> list[tuple[int, bytes]]:
    """Fields as they stand in a message, as a peer tells them apart. Raises ValueError if one could not."""
    return list(_split(raw, lengths))


def join(fields: Iterable[tuple[int, bytes]]) -> bytes:
    """Fields as they stand in a message, each with its SOH."""
    return b"".join([b"%d=%b\x01" % field for field in fields])


def encode(content: bytes, begin_string: bytes = b"FIX.4.2") -> bytes:
    """The whole message around `content`, which runs from MsgType to the last field before CheckSum."""
    message = b"8=%b\x019=%d\x01%b" % (begin_string, len(content), content)
    return b"%b10=%b\x01" % (message, _CHECK_SUMS[checksum(message)])


def checksum(data: bytes) -> int:
    """The sum of all bytes modulo 256.

    Adler-32 begun at 0 has the plain sum modulo 65,521 in its low half, which is exact as long as the
    sum cannot reach that: up to 256 bytes at a time.
    """
    if len(data) <= _CHUNK:
        return adler32(data, 0) & 255
    return sum([adler32(data[at : at + _CHUNK], 0) for at in range(0, len(data), _CHUNK)]) & 255


def is_checksum(data: bytes, digits: bytes) -> bool:
    """Whether `digits` are the CheckSum of `data`."""
    return is_sum(checksum(data), digits)


def is_sum(total: int, digits: bytes) -> bool:
    """Whether `digits` are the CheckSum of bytes whose sum is `total`."""
    return _CHECK_SUMS[total] == digits


def _decode_uncommon(raw: bytes, lengths: Mapping[int, int], fields_max: int) -> WireMessage | Garbled:
    try:
        fields = list(islice(_split(raw, lengths), fields_max + 1))
    except _DataLength:
        return Garbled(GarbledReason.DATA_LENGTH, raw)
    except ValueError:
        return Garbled(GarbledReason.BAD_TAG, raw)
    if len(fields) > fields_max:
        return Garbled(GarbledReason.TOO_MANY_FIELDS, raw)
    values = dict(fields)
    repeated = len(values) != len(fields)
    return WireMessage(raw, values[MSG_TYPE].decode(ENCODING), values, repeated, fields if repeated else [])


class _DataLength(ValueError):
    """A data field without SOH where its length field says that it ends."""


def _split(raw: bytes, lengths: Mapping[int, int] = DATA_LENGTHS) -> Iterator[tuple[int, bytes]]:
    """Fields in wire order, data fields cut by their lengths. Raises ValueError."""
    start, data_length = 0, 0
    data_tag: int | None = None
    while start < len(raw):
        equals = raw.index(b"=", start)
        if not _TAG.fullmatch(raw, start, equals):
            raise ValueError(f"no tag: {raw[start:equals]!r}")
        tag = int(raw[start:equals])
        end = equals + 1 + data_length if tag == data_tag else raw.index(SOH, equals)
        if raw[end : end + 1] != SOH:
            raise _DataLength
        value = raw[equals + 1 : end]
        yield tag, value
        data_tag, data_length = _announced(tag, value, lengths)
        start = end + 1


def _announced(tag: int, value: bytes, lengths: Mapping[int, int]) -> tuple[int | None, int]:
    """The data field that must come next and its length, if `tag` is a usable length field."""
    if tag in lengths and value.isdigit() and len(value) <= 9:
        return lengths[tag], int(value)
    return None, 0


def show(raw: bytes) -> str:
    """The beginning of a message, for people."""
    return raw[:_SHOWN_BYTES].replace(SOH, b"|").decode(ENCODING)
