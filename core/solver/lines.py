"""Lines of JSON out of bytes cut anywhere, and back. Never holds more than one line of the longest allowed."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from core.kernel.record import Record
from core.solver.protocol import LINE_BYTES_MAX

Said = TypeVar("Said")

_encoder = msgspec.json.Encoder()


class LineBuffer(msgspec.Struct):
    """The unfinished line of one connection."""

    pending: bytearray = msgspec.field(default_factory=bytearray)
    overlong: bool = False

    def feed(self, data: bytes, bytes_max: int | None = None) -> list[bytes | None]:
        """The lines that `data` completes, without their ends; None for one that was too long and dropped."""
        bytes_max = LINE_BYTES_MAX if bytes_max is None else bytes_max
        *ends, rest = data.split(b"\n")
        lines = []
        for end in ends:
            self._extend(end, bytes_max)
            lines.append(None if self.overlong else bytes(self.pending))
            self.pending.clear()
            self.overlong = False
        self._extend(rest, bytes_max)
        return lines

    def _extend(self, part: bytes, bytes_max: int) -> None:
        if self.overlong or len(self.pending) + len(part) > bytes_max:
            self.overlong = True
            self.pending.clear()
        else:
            self.pending += part


def encode_line(said: Record) -> bytes:
    """One record as it goes over the wire."""
    return _encoder.encode(said) + b"\n"


def decode_line(decoder: msgspec.json.Decoder[Said], line: bytes) -> Said | None:
    """What a line says, or None when it is not what the decoder reads.

    Not told apart on purpose: how deep nesting may go before a decoder gives up depends on the stack,
    and a line must have the same effect in a live venue and in its replay.
    """
    try:
        return decoder.decode(line)
    except (ValueError, RecursionError):
        return None
