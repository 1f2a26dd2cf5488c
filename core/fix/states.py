"""The states of a FIX session, as one table, and the reason codes that every step carries.

A session outlives its connections. It is named by two CompIDs, and its sequence numbers run on from
one connection to the next; so the table describes one life of a connection, round and round, until
the node stops.

`connecting` is where a session is when nobody is logged on. An acceptor waits here for a connection
whose Logon names it; an initiator has asked for a connection, or waits before asking again, for the
schedule to open, or for an operator. An address that does not answer in time is given up for the next one. What the
application sends now is kept and goes out after the next logon, unless the numbers start over before.

`logon_sent` and `logon_received` are the two ways of authenticating. The initiator has spoken first and
waits for an answer; only a Logon will do, and a Logout or silence leads back to `connecting`. The
acceptor has heard a Logon and judges it at once. A proof of identity is another component's to judge and takes
time, and so it comes before: the connection waits at the engine, the session knows nothing of it and stays
`connecting`, and others who claim to be its counterparty are judged beside it. So nobody keeps the counterparty
out by naming it; the first whom the authenticator believes is let in.

`active` is the state in which the application talks. Numbers arrive in order, or they are too low, which
is harmless for a declared duplicate and fatal otherwise, because then the two sides disagree about the past.

`resync_required` is `active` with a hole: a number came that was too high, everything from the hole on
was asked for again, and what arrives early waits. The session still works in the other direction. The
hole closes by resent messages or a gap fill, and the session is `active` again (`gap_filled`); if
nothing closes it in time, the session logs out rather than wait for ever, and if the peer resets the
numbers, the hole is void. A hole found during the logon leads here by way of `active`. What the peer
misses is no state of ours: it gets it again beside everything else (core/fix/recovery.py).

`logout_sent` means that we have said goodbye and wait, for a short time, for the peer to say so too. What
still arrives is processed, since the peer may not have read our Logout yet. Whether the answer comes
or not, the connection ends.

Any of these ends at once when the connection is lost, or when the peer does something after which
talking makes no sense (a second Logon, a sequence number that is too low, silence): `disconnected`.

`terminated` is the end, after the node was told to stop: no connection is opened or accepted any more,
until the node is up again.

Setting sequence numbers is not a state but a step (`sequence_reset`), so that the question every
user of an engine asks one day, why did it reset, has an answer in the facts. It happens in a logon, when a
session ends, when its schedule opens a new window (core/fix/schedule.py), or by an operator's hand.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.kernel.fsm import Machine


class Status(StrEnum):
    """The states."""

    CONNECTING = "connecting"
    LOGON_SENT = "logon_sent"
    LOGON_RECEIVED = "logon_received"
    ACTIVE = "active"
    RESYNC_REQUIRED = "resync_required"
    LOGOUT_SENT = "logout_sent"
    TERMINATED = "terminated"


class Trigger(StrEnum):
    """What leads from one state to another."""

    LOGON_SENT = "logon_sent"
    LOGON_RECEIVED = "logon_received"
    LOGON_ACCEPTED = "logon_accepted"
    GAP_FOUND = "gap_found"
    GAP_FILLED = "gap_filled"
    SEQUENCE_RESET = "sequence_reset"
    LOGOUT_SENT = "logout_sent"
    DISCONNECTED = "disconnected"
    STOPPED = "stopped"
    RESUMED = "resumed"


class Reason(StrEnum):
    """Why a session changed, or a connection was refused. Stable: facts, metrics and people rely on them."""

    CONNECTED = "connected"
    """The connection is open, so the initiator logged on."""
    LOGON_RECEIVED = "logon_received"
    """A Logon named this session."""
    LOGON_ACCEPTED = "logon_accepted"
    """Both sides have logged on."""
    SEQUENCE_GAP = "sequence_gap"
    """A MsgSeqNum was too high; the missing messages were asked for."""
    GAP_FILLED = "gap_filled"
    """Everything asked for has arrived or was declared unnecessary."""
    RESET_ON_LOGON = "reset_on_logon"
    """Numbers start at 1, because this session is configured so."""
    RESET_ON_LOGOUT = "reset_on_logout"
    """Numbers start at 1 after a Logout, because this session is configured so."""
    RESET_ON_DISCONNECT = "reset_on_disconnect"
    """Numbers start at 1 after a connection, because this session is configured so."""
    RESET_ON_ERROR = "reset_on_error"
    """Numbers start at 1 after an end by a fault of the peer's, because this session is configured so."""
    RESET_BY_SCHEDULE = "reset_by_schedule"
    """Numbers start at 1, because the session's schedule has opened a new window."""
    RESET_BY_OPERATOR = "reset_by_operator"
    """An operator set the numbers."""
    RESET_BY_LOGON = "reset_by_logon"
    """Numbers start at 1, because the peer's Logon carries ResetSeqNumFlag."""
    RESET_BY_SEQUENCE_RESET = "reset_by_sequence_reset"
    """The peer forced its next number with a SequenceReset in reset mode."""
    STOPPING = "stopping"
    """The node is winding down."""
    SCHEDULE_CLOSED = "schedule_closed"
    """The window of the session's schedule has closed."""
    OPERATOR = "operator"
    """An operator asked for it."""
    REMOVED = "removed"
    """The session was taken away while the engine runs."""
    RESUMED = "resumed"
    """The node was stopped, and is up again."""
    PEER_LOGOUT = "peer_logout"
    """The peer logged out."""
    LOGGED_OUT = "logged_out"
    """The peer confirmed our Logout."""
    LOGON_REFUSED = "logon_refused"
    """The peer answered our Logon with a Logout or a Reject."""
    CONNECTION_LOST = "connection_lost"
    """The connection ended, or could not be opened."""
    CONNECT_TIMEOUT = "connect_timeout"
    """The connection asked for did not open in time."""
    LOGON_TIMEOUT = "logon_timeout"
    """No Logon came in time."""
    LOGOUT_TIMEOUT = "logout_timeout"
    """No answer to our Logout came in time."""
    HEARTBEAT_TIMEOUT = "heartbeat_timeout"
    """The peer was silent, and stayed so after a TestRequest."""
    RESEND_TIMEOUT = "resend_timeout"
    """A gap was not filled, nor made smaller, in time."""
    GAP_UNFILLABLE = "gap_unfillable"
    """The same gap was not made smaller several times in a row, so that nobody asks for it any more."""
    RESET_LOOP = "reset_loop"
    """The peer reset the numbers again and again, with nothing in between."""
    RESEND_LOOP = "resend_loop"
    """The peer asked for the same messages again and again."""
    SEQUENCE_TOO_LOW = "sequence_too_low"
    """A MsgSeqNum was used before, and the message is not marked as a duplicate."""
    NEXT_EXPECTED_TOO_HIGH = "next_expected_too_high"
    """The peer's Logon expects a number next that was not used yet."""
    COMP_ID_PROBLEM = "comp_id_problem"
    """A message names other CompIDs than the session's."""
    SENDING_TIME_ACCURACY = "sending_time_accuracy"
    """SendingTime is too far from now, or OrigSendingTime is after it."""
    WRONG_BEGIN_STRING = "wrong_begin_string"
    """A message is of another version of FIX."""
    NOT_LOGON = "not_logon"
    """The first message was not a Logon."""
    INVALID_LOGON = "invalid_logon"
    """A Logon lacks a field, or has a value that cannot be accepted."""
    UNEXPECTED_LOGON = "unexpected_logon"
    """A Logon in a session that is logged on, without ResetSeqNumFlag."""
    GARBLED_LOGON = "garbled_logon"
    """What should have been a Logon is not a message."""
    AUTHENTICATION_FAILED = "authentication_failed"
    """The authenticator says that a Logon is not the counterparty's."""
    AUTHENTICATION_TIMEOUT = "authentication_timeout"
    """The authenticator did not judge a Logon in time."""
    LOGON_WITHDRAWN = "logon_withdrawn"
    """The authenticator believes no more who is logged on."""
    SESSION_DOWN = "session_down"
    """A Logon for a session that an operator or its schedule keeps down."""
    UNKNOWN_COMP_ID = "unknown_comp_id"
    """A Logon names no session of this engine."""
    DUPLICATE_IDENTITY = "duplicate_identity"
    """A Logon for a session that another connection is logged on to."""
    TOO_MANY_CONNECTIONS = "too_many_connections"
    """The engine has as many connections as it may."""
    BUSINESS_REJECTED = "business_rejected"
    """A BusinessMessageReject arrived, and the application takes none."""


SESSION: Final = Machine(
    "FIX session",
    {
        Status.CONNECTING: {
            Trigger.LOGON_SENT: Status.LOGON_SENT,
            Trigger.LOGON_RECEIVED: Status.LOGON_RECEIVED,
            Trigger.SEQUENCE_RESET: Status.CONNECTING,
            Trigger.DISCONNECTED: Status.CONNECTING,
            Trigger.STOPPED: Status.TERMINATED,
        },
        Status.LOGON_SENT: {
            Trigger.LOGON_ACCEPTED: Status.ACTIVE,
            Trigger.SEQUENCE_RESET: Status.LOGON_SENT,
            Trigger.DISCONNECTED: Status.CONNECTING,
            Trigger.STOPPED: Status.TERMINATED,
        },
        Status.LOGON_RECEIVED: {
            Trigger.LOGON_ACCEPTED: Status.ACTIVE,
            Trigger.SEQUENCE_RESET: Status.LOGON_RECEIVED,
            Trigger.DISCONNECTED: Status.CONNECTING,
            Trigger.STOPPED: Status.TERMINATED,
        },
        Status.ACTIVE: {
            Trigger.GAP_FOUND: Status.RESYNC_REQUIRED,
            Trigger.SEQUENCE_RESET: Status.ACTIVE,
            Trigger.LOGOUT_SENT: Status.LOGOUT_SENT,
            Trigger.DISCONNECTED: Status.CONNECTING,
        },
        Status.RESYNC_REQUIRED: {
            Trigger.GAP_FILLED: Status.ACTIVE,
            Trigger.SEQUENCE_RESET: Status.ACTIVE,
            Trigger.LOGOUT_SENT: Status.LOGOUT_SENT,
            Trigger.DISCONNECTED: Status.CONNECTING,
        },
        Status.LOGOUT_SENT: {
            Trigger.SEQUENCE_RESET: Status.LOGOUT_SENT,
            Trigger.DISCONNECTED: Status.CONNECTING,
            Trigger.STOPPED: Status.TERMINATED,
        },
        Status.TERMINATED: {
            Trigger.RESUMED: Status.CONNECTING,
        },
    },
)

TALKING: Final = frozenset([Status.ACTIVE, Status.RESYNC_REQUIRED])
"""The application's messages go out."""
LOGGED_ON: Final = TALKING | {Status.LOGOUT_SENT}
"""The peer's messages come in."""
