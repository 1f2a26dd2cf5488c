"""What the FIX engine and the application on the same node say to each other."""

from __future__ import annotations

from typing import Annotated, Final, Generic, TypeAlias, TypeVar

from msgspec import Meta

from core.fix.field_map import FieldText
from core.fix.message import FixMessage
from core.fix.settings import SessionConfig
from core.kernel.record import Record

SEQ_NUM_MAX: Final = (1 << 53) - 1
"""The largest number that an operator may set; what any JSON reader can hold."""
SeqNum: TypeAlias = Annotated[int, Meta(le=SEQ_NUM_MAX)]
AppMessage = TypeVar("AppMessage", bound=FixMessage)


class FromPeer(Record, Generic[AppMessage], frozen=True):
    """An application message arrived in sequence on `session` and is well formed.

    `raw_hash` is the SHA-256 of the exact bytes received, so that a receipt can bind to them. `poss_resend` is
    the sender's PossResend: the application must find out whether it knows the content already. `content_hash` is what
    an OrderSignature signs (`core.fix.content`); empty for a message without one. `epoch` is what the engine is to be
    told if the message is refused: numbers are given again after a reset, and belong to another epoch then.
    """

    session: str
    msg_seq_num: int
    raw_hash: bytes
    message: AppMessage
    poss_resend: bool = False
    content_hash: bytes = b""
    epoch: int = 0


class ToPeer(Record, Generic[AppMessage], frozen=True):
    """Send `message` on `session`; kept for resending, and sent on the next logon if it is down now.

    `poss_resend` tells the peer that it may have had the same content before, under another number.
    """

    session: str
    message: AppMessage
    poss_resend: bool = False


class RejectMessage(Record, frozen=True):
    """The application refuses what came as `FromPeer`, whose `epoch` it repeats: answer with a Reject.

    `reason` is a SessionRejectReason(373), `ref_tag_id` the tag at fault if it is one tag's. The message itself is done
    with: its number counts.
    """

    session: str
    msg_seq_num: int
    msg_type: str
    reason: int
    ref_tag_id: int | None = None
    text: str = ""
    epoch: int = 0


class RejectBusiness(Record, frozen=True):
    """The same with a BusinessMessageReject, or in versions of FIX that have none a Reject with the same text.

    `reason` is a BusinessRejectReason(380), `ref_id` the application's name for the message (379), such as its ClOrdID.
    """

    session: str
    msg_seq_num: int
    msg_type: str
    reason: int
    ref_id: str = ""
    text: str = ""
    epoch: int = 0


class SessionOpened(Record, frozen=True):
    """`session` is logged on, by a Logon on the connection `conn`."""

    session: str
    conn: str = ""


class SessionClosed(Record, frozen=True):
    """`session` is no longer logged on, for a stable reason code.

    `cancel_orders` is set when the counterparty wants its open orders cancelled in this case.
    """

    session: str
    reason: str
    cancel_orders: bool = False


# --- the proof of identity -----------------------------------------------------------------------


class LogonAttempted(Record, frozen=True):
    """Somebody on the connection `conn` wants to log on as the counterparty of `session`; `raw` is the Logon.

    The engine asks its authenticator, and lets the Logon change nothing until the answer. `session` is empty where
    the CompIDs are those of none: whoever is refused must not learn which there are. `peer` is the other end of the
    connection, as its driver describes it.
    """

    session: str
    conn: str
    raw: bytes
    peer: str = ""


class LogonJudged(Record, frozen=True):
    """The authenticator's answer: whether the Logon on `conn` is the counterparty's, and if not, why, for people.

    `text` is what the peer is told then, in a Logout of no session; without, its connection is closed in silence.
    """

    session: str
    conn: str
    accepted: bool
    detail: str = ""
    text: str = ""


class LogonConcluded(Record, frozen=True):
    """What became of a Logon that the authenticator believed: whether `session` is logged on by it now."""

    session: str
    conn: str
    logged_on: bool


class LogonWithdrawn(Record, frozen=True):
    """The authenticator believes no more who is logged on to `session`: log them out. They may prove themselves anew.

    `text` is for the peer.
    """

    session: str
    text: str


# --- what an operator may ask ----------------------------------------------------------------------


class LogOn(Record, frozen=True):
    """Let `session` be up: connect, or take the peer's Logon again."""

    session: str


class LogOut(Record, frozen=True):
    """Log `session` out, and keep it down until `LogOn` unless the peer may come back. `text` is for the peer."""

    session: str
    text: str = ""
    keep_down: bool = True


class DropConnection(Record, frozen=True):
    """End the connection of `session` without a Logout; it may connect again."""

    session: str


class ResetNumbers(Record, frozen=True):
    """Start from 1 in both directions, after a Logout if `session` is logged on. Both sides must agree."""

    session: str


class SetNumbers(Record, frozen=True):
    """Make the next message sent `next_out`, the next one expected `next_in`; None leaves it as it is."""

    session: str
    next_out: SeqNum | None = None
    next_in: SeqNum | None = None


class SetAdminFields(Record, frozen=True):
    """Put these `fields`, tags and values, into every message of type `msg_type` that `session` itself sends.

    They take the place of those that it had for that type; for Logons, at first, `logon_fields` of its configuration.
    """

    session: str
    msg_type: str
    fields: tuple[FieldText, ...]


class AskForHeartbeat(Record, frozen=True):
    """Send a TestRequest on `session`; a peer that does not answer is given up as if it had been silent."""

    session: str


class AddSession(Record, frozen=True):
    """Have one more session while the engine runs."""

    config: SessionConfig


class RemoveSession(Record, frozen=True):
    """Log `session` out, and forget it with its numbers once its connection has ended."""

    session: str


# --- facts ---------------------------------------------------------------------------------------


class SessionChanged(Record, frozen=True):
    """A session moved between states of its table, for a stable reason code."""

    session: str
    before: str
    after: str
    reason: str


class PeerComplained(Record, frozen=True):
    """A Reject or Logout of the peer's, with its `text`; `ref_seq_num` is the message that it refuses, or 0."""

    session: str
    msg_type: str
    ref_seq_num: int
    text: str


class LogonRefused(Record, frozen=True):
    """The authenticator's no to a Logon on `conn`, with its `detail`."""

    session: str
    conn: str
    detail: str


class OperationDone(Record, frozen=True):
    """What an operator asked for was carried out, or has begun; what follows from it has facts of its own."""

    session: str
    operation: str


class OperationRefused(Record, frozen=True):
    """An operator asked for what cannot be done; `detail` says why."""

    session: str
    operation: str
    detail: str


class InputIgnored(Record, frozen=True):
    """Something from a peer was dropped, for a stable reason code: garbled bytes, a connection, an unwanted message."""

    conn: str
    reason: str
    detail: str


class MessageDropped(Record, frozen=True):
    """A message of the application will not be sent on `session`, for a stable reason code; `detail` is for people."""

    session: str
    msg_type: str
    reason: str
    detail: str = ""


class MessageRejected(Record, frozen=True):
    """A peer's message was refused with a Reject or BusinessMessageReject, for a stable reason code."""

    session: str
    msg_seq_num: int
    msg_type: str
    reason: str
    text: str
