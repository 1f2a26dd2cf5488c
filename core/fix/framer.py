"""Cuts messages out of a byte stream, whatever its fragmentation, and verifies BodyLength and CheckSum.

A message runs from `8=FIX` to the first CheckSum at or after the place that BodyLength points to. So a
BodyLength that is too large swallows what follows, as other engines do: the bytes it claims cannot be
told from a message. Everything else that is not a message is skipped up to the next `8=FIX`. Each
stretch of bytes dropped is reported once, and the memory used is bounded by the largest message allowed.

A message larger than that is read to its end, up to a further limit, and its CheckSum is verified, but only its head
is kept: who sent it has to be told, or would send it again whenever it is asked for.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from core.fix.codec import SOH, Garbled, GarbledReason, checksum, is_checksum, is_sum

_START: Final = b"8=FIX"
_HEAD: Final = re.compile(rb"8=FIX[^\x01]{1,8}\x019=(\d{1,9})\x0135=")
_HEAD_BYTES_MAX: Final = 29
_TRAILER: Final = b"\x0110="
_TRAILER_BYTES: Final = len(b"10=123\x01")
OVERSIZE_TIMES: Final = 16
"""How much larger than allowed a message may be to be read to its end; beyond, its BodyLength is taken for nonsense."""
_OVERSIZE_HEAD_BYTES: Final = 1_024

Cut = tuple[int, bytes | Garbled | None]
"""Where to go on, and what lies before; the place unchanged means that more bytes are needed."""


class Oversize(msgspec.Struct):
    """A message too large to keep, of which bytes are still to come before its CheckSum."""

    head: bytes
    left: int
    total: int = 0
    """The sum of the bytes so far, modulo 256."""
    last: bytes = b""
    """The last one of them."""


class Framer(msgspec.Struct):
    """One direction of one connection. `buffer` is the beginning of a message whose end has not arrived."""

    buffer: bytes = b""
    skipping: bool = False
    """The last bytes were dropped, and reported."""
    oversize: Oversize | None = None

    def feed(self, data: bytes, bytes_max: int, *, is_known: bool = False) -> list[bytes | Garbled]:
        """What `data` completes, in order. Messages of more than `bytes_max` bytes are garbled.

        Of a peer that `is_known` they are read to their end, and those that are whole are garbled with their heads.
        """
        data = self.buffer + data if self.buffer else data
        found = []
        start = 0
        while start < len(data):
            before = start
            if self.oversize:
                start, item = self._pass(data, start)
            else:
                start, item = self._cut(data, start, bytes_max, is_known=is_known)
            if item is not None:
                found.append(item)
            elif start == before:
                break
        self.buffer = data[start:]
        return found

    def _cut(self, data: bytes, start: int, bytes_max: int, *, is_known: bool) -> Cut:
        head = _HEAD.match(data, start)
        if head is None:
            return self._skip(data, start)
        self.skipping = False
        trailer = head.end() - 3 + int(head[1])
        end = trailer + _TRAILER_BYTES
        if end - start > bytes_max:
            if is_known and end - start <= bytes_max * OVERSIZE_TIMES:
                self.oversize = Oversize(b"", trailer - start)
                return self._pass(data, start)
            self.skipping = True
            return start + 1, Garbled(GarbledReason.TOO_LARGE)
        if data[trailer - 1 : trailer + 3] != _TRAILER or data[end - 1 : end] != SOH:
            return self._misplaced_end(data, start, trailer - 1, bytes_max)
        raw = data[start:end]
        if is_checksum(raw[:-_TRAILER_BYTES], raw[-4:-1]):
            return end, raw
        return end, Garbled(GarbledReason.CHECK_SUM, raw)

    def _pass(self, data: bytes, start: int) -> Cut:
        """Go over an oversize message, as far as it has arrived."""
        assert self.oversize is not None
        over = self.oversize
        body = data[start : start + over.left]
        over.head += body[: max(0, _OVERSIZE_HEAD_BYTES - len(over.head))]
        over.left -= len(body)
        over.total, over.last = (over.total + checksum(body)) & 255, body[-1:] or over.last
        start += len(body)
        trailer, found, _ = data[start : start + _TRAILER_BYTES].partition(SOH)
        if over.left or not (found or len(trailer) == _TRAILER_BYTES):
            return start, None
        self.oversize = None
        if over.last + trailer[:3] != _TRAILER or not found:
            self.skipping = True
            return start, Garbled(GarbledReason.BODY_LENGTH)
        end = start + len(trailer) + len(SOH)
        is_whole = is_sum(over.total, trailer[3:])
        return end, Garbled(GarbledReason.TOO_LARGE, over.head) if is_whole else Garbled(GarbledReason.CHECK_SUM)

    def _misplaced_end(self, data: bytes, start: int, trailer: int, bytes_max: int) -> Cut:
        """The CheckSum is not where BodyLength says: not there yet, or elsewhere."""
        limit = start + bytes_max
        found = data.find(_TRAILER, trailer, limit)
        end = data.find(SOH, found + len(_TRAILER), limit) + 1 if found >= 0 else 0
        if end:
            reason = GarbledReason.CHECK_SUM if found == trailer else GarbledReason.BODY_LENGTH
            return end, Garbled(reason, data[start:end])
        if len(data) < limit:
            return start, None
        self.skipping = True
        return limit, Garbled(GarbledReason.TOO_LARGE)

    def _skip(self, data: bytes, start: int) -> Cut:
        """No message begins at `start`, unless the rest of its first fields has yet to arrive."""
        head = data[start : start + _HEAD_BYTES_MAX]
        begins = _START.startswith(head[: len(_START)])
        if begins and len(head) < _HEAD_BYTES_MAX and head.count(SOH) < 3:
            return start, None
        reason = GarbledReason.FIRST_FIELDS if begins else GarbledReason.NO_START
        report = None if self.skipping else Garbled(reason)
        self.skipping = True
        following = data.find(_START, start + 1)
        return (following if following >= 0 else _beginning_of_start(data, start + 1)), report


def _beginning_of_start(data: bytes, start: int) -> int:
    """Where, at the end of `data`, a cut-off `8=FIX` may begin; the end if nowhere."""
    for at in range(max(start, len(data) - len(_START) + 1), len(data)):
        if _START.startswith(data[at:]):
            return at
    return len(data)
