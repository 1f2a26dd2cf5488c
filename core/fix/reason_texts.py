"""What the reason codes of FIX sessions mean, and what to do about them: docs/reasons.md, for programs."""

from __future__ import annotations

from typing import Final

TEXTS: Final = {
    "connected": "The connection is open, so the initiator logged on.",
    "logon_received": "A Logon named this session.",
    "logon_accepted": "Both sides have logged on.",
    "sequence_gap": (
        "A MsgSeqNum was too high; the missing messages were asked for. Remedy: none: the gap closes itself."
    ),
    "gap_filled": "Everything asked for has arrived or was declared unnecessary.",
    "reset_on_logon": "Numbers start at 1, because this session is configured so.",
    "reset_on_logout": "Numbers start at 1 after a Logout, because this session is configured so.",
    "reset_on_disconnect": (
        "Numbers start at 1 after a connection, because this session is configured so. Remedy: none; what "
        "was under way is lost."
    ),
    "reset_on_error": (
        "Numbers start at 1 after an end by a fault of the peer's, because this session is configured so. "
        "Remedy: See the reason of the end beside it; what was under way is lost."
    ),
    "reset_by_schedule": "Numbers start at 1, because the session's schedule has opened a new window.",
    "reset_by_operator": "An operator set the numbers. Remedy: none; the other side must agree.",
    "reset_by_logon": (
        "Numbers start at 1, because the peer's Logon carries ResetSeqNumFlag. Remedy: none; if it was not "
        "meant, turn it off at the peer."
    ),
    "reset_by_sequence_reset": (
        "The peer forced its next number with a SequenceReset in reset mode. Remedy: none; messages in "
        "between are lost."
    ),
    "stopping": "The node is winding down.",
    "schedule_closed": (
        "The window of the session's schedule has closed. Remedy: none: it opens again; `start_time`, `end_time`."
    ),
    "operator": "An operator asked for it. Remedy: none; `LogOn` lets a session that was logged out be up again.",
    "removed": "The session was taken away while the engine runs.",
    "resumed": "The node was stopped, and is up again.",
    "peer_logout": "The peer logged out. Remedy: none; its Text(58) may say why.",
    "logged_out": "The peer confirmed our Logout.",
    "logon_refused": (
        "The peer answered our Logon with a Logout or a Reject. Remedy: See its Text(58): often CompIDs or "
        "sequence numbers."
    ),
    "connection_lost": "The connection ended, or could not be opened. Remedy: none: an initiator tries again.",
    "connect_timeout": (
        "An address did not open the connection in time (5 s). Remedy: Check address and firewalls; the next "
        "address is tried meanwhile."
    ),
    "logon_timeout": "No Logon came in time (10 s). Remedy: Check that the other side speaks FIX 4.2 on this port.",
    "logout_timeout": "No answer to our Logout came in time (2 s).",
    "heartbeat_timeout": (
        "The peer was silent for 2.4 heartbeat intervals, and stayed so after a TestRequest. Remedy: Check "
        "peer and network; a longer `heartbeat_interval` for slow ones."
    ),
    "resend_timeout": (
        "A gap was not filled, nor made smaller, in time (60 s). Remedy: Check that the peer answers ResendRequests."
    ),
    "gap_unfillable": (
        "The same gap was not made smaller 3 times in a row, or the peer logged out instead, and keeps the "
        "session down. Remedy: See what was ignored before it, and correct the peer; then set the number "
        "expected next, or let the session log on."
    ),
    "reset_loop": (
        "The peer reset the numbers (ResetSeqNumFlag) again and again, with nothing in between. Remedy: "
        "Check which side takes the other's answer for a question."
    ),
    "resend_loop": (
        "The peer asked for the same messages again and again, or for too many. Remedy: Check why the peer "
        "does not take them."
    ),
    "sequence_too_low": (
        "A MsgSeqNum was used before, and the message is not marked as a duplicate. Remedy: One side has "
        "lost its numbers: reset both with ResetSeqNumFlag."
    ),
    "next_expected_too_high": (
        "The peer's Logon expects a number next (NextExpectedMsgSeqNum) that was not used yet. Remedy: This "
        "side has lost its numbers: reset both with ResetSeqNumFlag."
    ),
    "comp_id_problem": (
        "A message names other CompIDs than the session's. Remedy: Correct SenderCompID and TargetCompID."
    ),
    "sending_time_accuracy": (
        "SendingTime is over 120 s from now, or OrigSendingTime is after it. Remedy: Set the clocks."
    ),
    "wrong_begin_string": "A message is of another version of FIX. Remedy: Speak FIX.4.2.",
    "not_logon": "The first message was not a Logon. Remedy: Log on first.",
    "invalid_logon": (
        "A Logon lacks a field, or has a value that cannot be accepted. Remedy: EncryptMethod is 0, "
        "HeartBtInt from 0 to 86,400."
    ),
    "unexpected_logon": (
        "A Logon in a session that is logged on, without ResetSeqNumFlag. Remedy: Log on once a connection."
    ),
    "garbled_logon": (
        "What should have been a Logon is not a message. Remedy: See the reason of bytes that are no message beside it."
    ),
    "authentication_failed": (
        "The authenticator says that a Logon is not the counterparty's. Remedy: `LogonRefused` beside it says why."
    ),
    "authentication_timeout": (
        "The authenticator did not judge a Logon in time (5 s). Remedy: Look at the authenticator."
    ),
    "logon_withdrawn": (
        "The authenticator believes no more who is logged on: its key was revoked, or it was suspended or revoked, "
        "as Text(58) of the Logout says. Remedy: Log on with a key that is accepted, once there is one."
    ),
    "session_down": (
        "A Logon for a session that an operator, its schedule or a gap that cannot be filled keeps down. "
        "Remedy: Come back when the schedule is open, or ask the operator."
    ),
    "unknown_comp_id": "A Logon names no session of this engine. Remedy: Correct the CompIDs, or add the market maker.",
    "duplicate_identity": (
        "A Logon for a session that another connection is logged on to. Remedy: One connection for each CompID."
    ),
    "too_many_connections": (
        "The engine has as many connections as it may (1,000), or the address has many (16) without a Logon; "
        "the oldest of them yields. Remedy: Log on at once; close connections that are not used."
    ),
    "business_rejected": (
        "A BusinessMessageReject arrived, and the application takes none. Remedy: Its text says what the "
        "peer did not take."
    ),
    "invalid_tag_number": (
        "The dictionary has no such tag. Remedy: Leave it out, or add it to the session's dictionary."
    ),
    "required_tag_missing": "A required tag is missing. Remedy: Add the tag in RefTagID(371).",
    "tag_not_defined": (
        "The tag is not one of this message. Remedy: Leave it out, or add it to the message in the dictionary."
    ),
    "tag_without_value": "A tag has no value. Remedy: Leave it out, or give it one.",
    "incorrect_value": "A value is not among those that the tag may have. Remedy: Correct it.",
    "incorrect_format": "A value is not of the tag's type. Remedy: Correct it.",
    "invalid_msg_type": "The dictionary has no such MsgType. Remedy: Correct it, or add the message to the dictionary.",
    "repeated_tag": "A tag appears more than once. Remedy: Send it once.",
    "tag_out_of_order": "A tag of header, body or trailer is in another part. Remedy: Order the parts.",
    "too_large": (
        "The message is larger than allowed (65,536 bytes, `message_bytes_max`); the framing alone was read. "
        "Remedy: Send less at once, or allow more."
    ),
    "too_many_fields": (
        "The message has more than 1,000 fields (`fields_max`). Remedy: Send less at once, or allow more."
    ),
    "incorrect_group_count": (
        "A group has not as many entries as its count says, or more than 1,000 (`group_entries_max`). "
        "Remedy: Correct the count, or begin each entry with the group's first field."
    ),
    "rate_exceeded": (
        "More application messages in a second than `app_messages_per_second_max` allows; who gets it states `other`, "
        "for FIX has no number for it. Remedy: Send them again, more slowly."
    ),
    "other": "A reason of an application's for which FIX has no number. Remedy: See its text.",
    "unknown_id": "The application does not know what the message is about. Remedy: Correct the ID that it names.",
    "unknown_security": "The application does not know the instrument. Remedy: Correct Symbol(55) or SecurityID(48).",
    "unsupported_message_type": (
        "A message of FIX 4.2 that this application does not take. Remedy: A venue takes NewOrderSingle, "
        "OrderCancelRequest, OrderCancelReplaceRequest and OrderStatusRequest."
    ),
    "application_not_available": (
        "The application takes nothing at the moment. Remedy: Send it again when its text says so."
    ),
    "conditionally_required_field_missing": (
        "An application message without SenderCompID or TargetCompID. Remedy: Add it."
    ),
    "queue_full": (
        "Too many messages wait for the session to log on, or for a resend to end. Remedy: Send less while it "
        "is down, or a higher `waiting_messages_max`."
    ),
    "reset": (
        "It waited for a logon, and the numbers started over before; or it refuses a message from before that. "
        "Remedy: Send it again if it is still meant; turn off resets that nobody needs."
    ),
    "unsendable": ("It is the session's to send, or no peer could read it; the detail says why. Remedy: Correct it."),
    "not_logged_on": "It refuses a message, and the session is not logged on.",
    "no_start": "The bytes do not begin with `8=FIX`. Remedy: Check that the other side speaks FIX on this port.",
    "first_fields": "BeginString, BodyLength and MsgType are not the first three fields. Remedy: Order them so.",
    "body_length": "BodyLength does not lead to the CheckSum. Remedy: Count from after BodyLength up to CheckSum.",
    "check_sum": "CheckSum is wrong, or not three digits. Remedy: The sum of all bytes before it, modulo 256.",
    "bad_tag": "A field is not a number, an equals sign and a value. Remedy: Correct it.",
    "data_length": "A data field is not as long as its length field says. Remedy: Correct one of them.",
}
