"""What a stranger is told whose Logon is not believed: a Logout outside every session.

It says the same, but for the CompIDs that the Logon itself gave, whether these are a session's or nobody's. So it can
have no number of a session. Its number is 0, which is nobody's next: who reads it counts nothing, and logs on
later with the number that is expected then.
"""

from __future__ import annotations

from core.fix.codec import WireMessage, encode, join
from core.fix.tags import (
    BEGIN_STRING_TAG,
    MSG_SEQ_NUM,
    MSG_TYPE,
    SENDER_COMP_ID,
    SENDING_TIME,
    TARGET_COMP_ID,
    TEXT,
    MsgType,
)
from core.fix.timestamps import format_timestamp
from core.fix.values import ENCODING
from core.units import Nanos


def refusal(logon: WireMessage, now: Nanos, text: str) -> bytes:
    """The answer to a Logon that is refused with `text`; what Latin-1 has not got in it is written as in Python."""
    values = logon.values
    fields = (
        (MSG_TYPE, MsgType.LOGOUT.encode(ENCODING)),
        (MSG_SEQ_NUM, b"0"),
        (SENDER_COMP_ID, values.get(TARGET_COMP_ID, b"")),
        (SENDING_TIME, format_timestamp(now).encode(ENCODING)),
        (TARGET_COMP_ID, values.get(SENDER_COMP_ID, b"")),
        (TEXT, text.replace("\x01", "\\x01").encode(ENCODING, "backslashreplace")),
    )
    return encode(join((tag, value) for tag, value in fields if value), values[BEGIN_STRING_TAG])
