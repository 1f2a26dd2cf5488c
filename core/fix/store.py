"""What a session remembers, and the messages it can send again, byte for byte.

Kept is the raw message; sent again, only PossDupFlag, SendingTime and OrigSendingTime change, and with
them BodyLength and CheckSum. The session's own messages are not kept: a gap fill stands for them.
"""

from __future__ import annotations

from typing import Final

import msgspec

from core.fix.codec import SOH, encode
from core.fix.field_map import FieldText
from core.fix.states import Status
from core.market.limiter import Window
from core.units import SECOND, Nanos

SENDER_SUB_ID: Final = b"50="
_HEAD_FIELDS: Final = 7
"""8, 9, 35, 34, 49, 52, 56: every message that the engine sends begins so, perhaps with 50 before 52."""
_TRAILER_BYTES: Final = len(b"10=123\x01")
_SECURE_DATA_LEN: Final = b"90="
_BEFORE_122: Final = (b"57=", _SECURE_DATA_LEN, b"91=", b"97=", b"115=", b"116=")


class Pending(msgspec.Struct, frozen=True):
    """A message of the application that waits for a logon, without a number yet."""

    msg_type: str
    body: bytes


class Asked(msgspec.Struct):
    """A peer's ResendRequests: what tells one that makes progress from one that goes round."""

    begin: int = 0
    at: Nanos = 0
    next_out: int = 0
    """The last one: its BeginSeqNo, when it came, and the next number to be sent then."""
    repeats: int = 0
    """How many before it, in a row, asked for no more."""
    messages: int = 0
    since: Nanos = 0
    """How many messages were asked for since then, which is about an hour ago at most."""


class SessionState(msgspec.Struct):
    """Everything of a session that changes. Numbers and kept messages live on from connection to connection."""

    status: Status = Status.CONNECTING
    conn: str = ""
    """The connection, or the one asked for; empty without."""
    dialed: int = 0
    """How many connections were asked for, so that each has a name of its own."""
    failures: int = 0
    """How many of them in a row have come to nothing, or to a gap that did not get smaller."""
    address: int = 0
    """Which of its addresses an initiator connects to."""
    disabled: bool = False
    """An operator keeps the session down."""
    removed: bool = False
    """An operator takes the session away, once its connection has ended."""
    stopping: bool = False
    next_out: int = 1
    next_in: int = 1
    epoch: int = 0
    """Grows whenever numbers of the peer's begin to be given again; nothing of an earlier epoch can be referred to."""
    opened: Nanos = 0
    """When the window of the schedule opened that the numbers belong to; 0 without schedule."""
    boundary: Nanos = 0
    """When the schedule opens or closes next; 0 is never."""
    sent: dict[int, bytes] = {}
    """Application messages by number, as sent."""
    sent_bytes: int = 0
    pending: list[Pending] = []
    pending_bytes: int = 0
    admin_fields: dict[str, tuple[FieldText, ...]] = {}
    """What the application has the session add to its own messages, by their MsgTypes."""
    early: dict[int, bytes] = {}
    """Messages beyond a gap, by number."""
    gap_end: int = 0
    """The last number of the gap that is being filled; 0 without one."""
    asked_end: int = 0
    """The last number that was asked for of it."""
    unfilled_at: int = 0
    """The first number of the gap in which the last connection ended."""
    unfilled: int = 0
    """How often in a row a gap was given up that begins there."""
    resend_next: int = 0
    resend_end: int = 0
    """What the peer is getting again; 0 is nothing."""
    resend_at: Nanos = 0
    """When the next batch of it is due."""
    asked: Asked = msgspec.field(default_factory=Asked)
    """What the peer has asked for again on this connection."""
    heartbeat: Nanos = 0
    """The interval agreed on; 0 is no heartbeats."""
    last_sent: Nanos = 0
    last_received: Nanos = 0
    test_sent: bool = False
    """A TestRequest has not been answered yet."""
    deadline: Nanos = 0
    """When what `status` waits for must have happened, or when to connect again; 0 is never."""
    timer_at: Nanos = 0
    """What the session's timer is set to; 0 is nothing. It may be earlier than needed, never later."""
    reset_sent: bool = False
    """Our Logon, not answered yet, asks for a reset."""
    idle_resets: int = 0
    """How many Logons of the peer's in a row have reset numbers that were new anyway."""
    logout_reason: str = ""
    """Why we sent a Logout; empty before."""
    taken: Window = msgspec.field(default_factory=lambda: Window(0, SECOND))
    """Messages of the application that came in the last second and were not too many."""


def duplicate(raw: bytes, sending_time: bytes) -> bytes:
    """`raw` as it is sent again."""
    begin, _, msg_type, number, sender, sent_at, target, body = raw[:-_TRAILER_BYTES].split(SOH, _HEAD_FIELDS)
    if sent_at.startswith(SENDER_SUB_ID):
        sender, sent_at = sender + SOH + sent_at, target
        target, _, body = body.partition(SOH)
    routing, data_length = b"", 0
    while body.startswith(_BEFORE_122):
        end = body.index(SOH, data_length + len(b"91=") if data_length else 0) + 1
        field, body = body[:end], body[end:]
        data_length = int(field[3:-1]) if field.startswith(_SECURE_DATA_LEN) else 0
        routing += field
    return encode(
        b"%b\x01%b\x0143=Y\x01%b\x0152=%b\x01%b\x01%b122=%b\x01%b"
        % (msg_type, number, sender, sending_time, target, routing, sent_at[3:], body),
        begin[2:],
    )
