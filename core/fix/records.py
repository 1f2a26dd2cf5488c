"""What the FIX engine and the application on the same node say to each other."""

from __future__ import annotations

from typing import ClassVar, Generic, TypeVar

from core.kernel.record import Record


class FixMessage(Record, frozen=True):
    """Base of all typed messages: body fields only; header and trailer are the session's."""

    MSG_TYPE: ClassVar[str] = ""


AppMessage = TypeVar("AppMessage", bound=FixMessage)


class FromPeer(Record, Generic[AppMessage], frozen=True):
    """An application message arrived in sequence on `session` and is well formed.

    `raw_hash` is the SHA-256 of the exact bytes received, so that a receipt can bind to them. `poss_resend` is
    the sender's PossResend: the application must find out whether it knows the content already.
    """

    session: str
    msg_seq_num: int
    raw_hash: bytes
    message: AppMessage
    poss_resend: bool = False


class ToPeer(Record, Generic[AppMessage], frozen=True):
    """Send `message` on `session`; kept for resending, and sent on the next logon if it is down now."""

    session: str
    message: AppMessage


class SessionOpened(Record, frozen=True):
    """`session` is logged on."""

    session: str


class SessionClosed(Record, frozen=True):
    """`session` is no longer logged on, for a stable reason code."""

    session: str
    reason: str


# --- facts ---------------------------------------------------------------------------------------


class SessionChanged(Record, frozen=True):
    """A session moved between states of its table, for a stable reason code."""

    session: str
    before: str
    after: str
    reason: str


class InputIgnored(Record, frozen=True):
    """Something from a peer was dropped, for a stable reason code: garbled bytes, a connection, an unwanted message."""

    conn: str
    reason: str
    detail: str


class MessageDropped(Record, frozen=True):
    """A message of the application was not kept: too many wait for `session` to log on."""

    session: str
    msg_type: str


class MessageRejected(Record, frozen=True):
    """A peer's message was refused with a Reject or BusinessMessageReject, for a stable reason code."""

    session: str
    msg_seq_num: int
    msg_type: str
    reason: str
    text: str
