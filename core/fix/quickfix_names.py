"""QuickFIX's setting names, and what they mean here: a key of ours, a value that is the only one, or nothing.

The names are those of QuickFIX (C++) and QuickFIX/J; docs/fix.md has the table for people.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, Final, NamedTuple

from core.fix.quickfix_surroundings import FIXED, IGNORED, REFUSED
from core.units import SECOND

_DAYS: Final = ("mo", "tu", "we", "th", "fr", "sa", "su")
_CLOCK: Final = re.compile(r"(\d\d?):(\d\d)(?::(\d\d))?")


def yes_or_no(text: str) -> bool:
    """Y or N, as QuickFIX writes it. Raises ValueError, like all of these, saying what was expected."""
    if text.upper() not in ("Y", "N", "YES", "NO", "TRUE", "FALSE"):
        raise ValueError("expected Y or N")
    return text[0].upper() in "YT"


def whole(text: str) -> int:
    """A whole number, not negative."""
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise ValueError("expected a whole number")
    return int(text)


def at_least_one(text: str) -> int:
    """A whole number above 0."""
    if whole(text) == 0:
        raise ValueError("expected a whole number above 0")
    return int(text)


def seconds(text: str) -> int:
    """Whole seconds, as nanoseconds."""
    return whole(text) * SECOND


def some_seconds(text: str) -> int:
    """Whole seconds above 0, as nanoseconds."""
    return at_least_one(text) * SECOND


def field(text: str) -> tuple[int, str]:
    """A tag and a value, as in 553=me."""
    tag, _, value = text.partition("=")
    if not (tag.isascii() and tag.isdigit() and int(tag) and value):
        raise ValueError("expected a tag and a value such as 553=me")
    return int(tag), value


def port(text: str) -> int:
    """A TCP port."""
    if not 0 < whole(text) < 65_536:
        raise ValueError("expected a port from 1 to 65535")
    return int(text)


def clock(text: str) -> int:
    """HH:MM:SS, as seconds of the day."""
    match = _CLOCK.fullmatch(text)
    hours, minutes, rest = (int(part or 0) for part in match.groups()) if match else (24, 0, 0)
    if hours > 23 or minutes > 59 or rest > 59:
        raise ValueError("expected a time such as 08:30:00")
    return hours * 3600 + minutes * 60 + rest


def weekday(text: str) -> int:
    """A day of the week, by its first two letters or more; Monday is 0."""
    if text.lower()[:2] not in _DAYS:
        raise ValueError("expected a day of the week such as Mon")
    return _DAYS.index(text.lower()[:2])


def weekdays(text: str) -> tuple[int, ...]:
    """Several of them, with commas."""
    return tuple(sorted({weekday(day.strip()) for day in text.split(",")}))


class Key(NamedTuple):
    """A setting that is the key `name` here; its value is read by `read`."""

    name: str
    read: Callable[[str], Any]


SESSION_KEYS: Final[dict[str, Key]] = {
    "TargetCompID": Key("target_comp_id", str),
    "SenderCompID": Key("sender_comp_id", str),
    "HeartBtInt": Key("heartbeat_interval", seconds),
    "SocketConnectTimeout": Key("connect_timeout", some_seconds),
    "ReconnectInterval": Key("reconnect_interval", some_seconds),
    "LogonTimeout": Key("logon_timeout", some_seconds),
    "LogoutTimeout": Key("logout_timeout", some_seconds),
    "CheckLatency": Key("check_latency", yes_or_no),
    "MaxLatency": Key("latency_max", seconds),
    "CheckCompID": Key("check_comp_id", yes_or_no),
    "ResetOnLogon": Key("reset_on_logon", yes_or_no),
    "ResetOnLogout": Key("reset_on_logout", yes_or_no),
    "ResetOnDisconnect": Key("reset_on_disconnect", yes_or_no),
    "ResetOnError": Key("reset_on_error", yes_or_no),
    "ResendRequestChunkSize": Key("resend_request_chunk_size", whole),
    "ClosedResendInterval": Key("closed_resend_interval", yes_or_no),
    "SendNextExpectedMsgSeqNum": Key("next_expected_msg_seq_num", yes_or_no),
    "EnableNextExpectedMsgSeqNum": Key("next_expected_msg_seq_num", yes_or_no),
}
"""Of `SessionConfig`."""

VALIDATION_KEYS: Final[dict[str, Key]] = {
    "ValidateUserDefinedFields": Key("validate_user_defined_fields", yes_or_no),
    "ValidateFieldsOutOfOrder": Key("validate_fields_out_of_order", yes_or_no),
    "ValidateFieldsHaveValues": Key("validate_fields_have_values", yes_or_no),
    "AllowUnknownMsgFields": Key("allow_unknown_fields", yes_or_no),
}
"""Of `Validation`."""

HEADER_KEYS: Final = {"SenderSubID": 50, "TargetSubID": 57, "SenderLocationID": 142, "TargetLocationID": 143}
"""Header fields of every message of a session, by their tags. Sessions are told apart by CompIDs alone."""

OTHER_KEYS: Final[dict[str, Callable[[str], Any]]] = {
    **dict.fromkeys(HEADER_KEYS, str),
    "LogonTag": field,
    "BeginString": str,
    "ConnectionType": str,
    "SessionQualifier": str,
    "DataDictionary": str,
    "SocketConnectHost": str,
    "SocketConnectPort": port,
    "SocketAcceptHost": str,
    "SocketAcceptAddress": str,
    "SocketAcceptPort": port,
    "PersistMessages": yes_or_no,
    "NonStopSession": yes_or_no,
    "StartTime": str,
    "EndTime": str,
    "StartDay": weekday,
    "EndDay": weekday,
    "Weekdays": weekdays,
    "TimeZone": str,
}
"""Settings that several keys here are made of. SocketConnectHost and -Port and LogonTag may end in a number."""

ONLY: Final[dict[str, tuple[frozenset[str], str]]] = {
    "UseDataDictionary": (frozenset("Y"), "messages are always validated"),
    "ValidateLengthAndChecksum": (frozenset("Y"), "BodyLength and CheckSum are always verified"),
    "ValidateChecksum": (frozenset("Y"), "CheckSum is always verified"),
    "ValidateIncomingMessage": (frozenset("Y"), "messages are always validated"),
    "ValidateSequenceNumbers": (frozenset("Y"), "sequence numbers are always checked"),
    "RejectInvalidMessage": (frozenset("Y"), "an invalid message is always rejected"),
    "RequiresOrigSendingTime": (frozenset("Y"), "a duplicate always needs OrigSendingTime"),
    "SendRedundantResendRequests": (frozenset("N"), "a gap is asked for once"),
    "UseLocalTime": (frozenset("N"), "give a TimeZone instead"),
    "EnableLastMsgSeqNumProcessed": (frozenset("N"), "LastMsgSeqNumProcessed is not sent"),
    "RejectGarbledMessage": (frozenset("N"), "garbled bytes are never answered"),
    "DisableHeartBeatCheck": (frozenset("N"), "a silent peer is always given up; HeartBtInt=0 is no heartbeats"),
    "MillisecondsInTimeStamp": (frozenset("Y"), "times are sent with milliseconds"),
    "TimestampPrecision": (frozenset(["3", "MILLIS"]), "times are sent with milliseconds"),
    "TestRequestDelayMultiplier": (frozenset(["0.2"]), "a silent peer is asked after 1.2 intervals"),
    "HeartBeatTimeoutMultiplier": (frozenset(["1.4"]), "a silent peer is given up after 2.4 intervals"),
    "AllowPosDup": (frozenset("N"), "PossDupFlag is the session's to set"),
    "SocketUseSSL": (frozenset("N"), "TLS is set where the door is opened"),
    **FIXED,
}
"""Settings of which one value is how it is here, and why another has no place."""

WITHOUT_PLACE: Final[dict[str, str]] = {
    "SendResetSeqNumFlag": "use ResetOnLogon, which sends ResetSeqNumFlag",
    "LogonTime": "a session logs on as soon as its schedule is open",
    "LogoutTime": "a session logs out when its schedule closes",
    "LogonDay": "a session logs on as soon as its schedule is open",
    "LogoutDay": "a session logs out when its schedule closes",
    "DefaultApplVerID": "FIXT.1.1 is not spoken",
    "TransportDataDictionary": "FIXT.1.1 is not spoken",
    "AppDataDictionary": "FIXT.1.1 is not spoken",
    "AllowedRemoteAddresses": "addresses are the firewall's; connections are told apart by their Logon",
    "HttpAcceptPort": "`romer-live` has an admin door of its own",
    **REFUSED,
}
"""Settings that change what a session does, and that have nothing here to become."""

WITHOUT_EFFECT: Final[dict[str, str]] = {
    "RefreshOnLogon": "nobody but the session's own process writes its journal",
    "FileStorePath": "the journal is the store",
    "FileLogPath": "the journal is the log",
    "FileLogBackupPath": "the journal is the log",
    "ScreenLogShowIncoming": "`romer-live fix print` shows messages",
    "ScreenLogShowOutgoing": "`romer-live fix print` shows messages",
    "ScreenLogShowEvents": "the node's log shows events",
    "ScreenLogEvents": "the node's log shows events",
    "ScreenLogShowHeartBeats": "`romer-live fix print` shows messages",
    "FileLogHeartbeats": "the journal is the log",
    "FileIncludeMilliseconds": "the journal is the log",
    "FileIncludeTimeStampForMessages": "the journal is the log",
    "FileStoreSync": "the journal is always synced",
    "FileStoreMaxCachedMsgs": "the journal is the store",
    "SocketTcpNoDelay": "Nagle's algorithm is always off",
    "SocketKeepAlive": "heartbeats tell whether a peer lives",
    "SocketNodelay": "Nagle's algorithm is always off",
    "SocketReuseAddress": "a door is always opened so that it can be opened again",
    "SendBufferSize": "the system's choice",
    "ReceiveBufferSize": "the system's choice",
    "Description": "the file itself is the place for it",
    "ForceResendWhenCorruptedStore": "a damaged journal is reported when it is opened",
    "RejectMessageOnUnhandledException": "an exception is a bug, and stops the node",
    "DisconnectOnError": "an error that a session cannot go on after always ends the connection",
    "LogMessageWhenSessionNotFound": "the first bytes of such a message are always noted",
    "MaxScheduledWriteRequests": "what a slow reader may leave unread is a limit of the door",
    **IGNORED,
}
"""Settings that may stay in a file, and why they change nothing."""

OF_INITIATORS: Final[dict[str, str]] = {
    "HeartBtInt": "an acceptor takes the peer's",
    "ReconnectInterval": "an acceptor waits for others",
    "SocketConnectTimeout": "an acceptor waits for others",
    "SocketConnectHost": "an acceptor waits for others",
    "SocketConnectPort": "an acceptor waits for others",
}
"""Settings that change nothing in a session that is accepted."""

KNOWN: Final = (*SESSION_KEYS, *VALIDATION_KEYS, *OTHER_KEYS, *ONLY, *WITHOUT_PLACE, *WITHOUT_EFFECT)
_NEAREST_MAX: Final = 3


def nearest(name: str) -> str:
    """A hint for a name that QuickFIX does not have."""
    spelling = {known.lower(): known for known in KNOWN}
    near = [spelling[known] for known in get_close_matches(name.lower(), spelling, _NEAREST_MAX)]
    return f"did you mean {' or '.join(near)}?" if near else "docs/fix.md lists QuickFIX's names"
