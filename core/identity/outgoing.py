"""What an initiator writes, with the signatures that its counterparty asks for. Its sessions know nothing of them.

Signing comes last, when a message has its number; a session keeps what it has sent without a signature, so that what
is sent again is signed again, with the key of the day.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from core.fix.framer import Framer
from core.fix.tags import MsgType
from core.identity.logon import sign_logon
from core.identity.orders import SIGNED_TYPES, sign_order
from core.identity.records import Signing

_SIGNED: Final[dict[Signing, frozenset[bytes]]] = {
    "logon": frozenset((b"35=A",)),
    "order": frozenset(b"35=%b" % kind.encode() for kind in (MsgType.LOGON, *SIGNED_TYPES)),
}


def sign_messages(data: bytes, sign: Callable[[bytes], bytes], signing: Signing) -> tuple[bytes, int]:
    """Whole messages with those signed that are to be, and how many these are: Logons, and with `order` orders too."""
    kinds = _SIGNED[signing]
    if not any(b"\x01%b\x01" % kind in data for kind in kinds):
        return data, 0
    count, written = 0, list[bytes]()
    for raw in (item for item in Framer().feed(data, len(data)) if isinstance(item, bytes)):
        kind = raw.split(b"\x01", 3)[2]
        if kind in kinds:
            count += 1
            written.append((sign_logon if kind == b"35=A" else sign_order)(raw, sign))
        else:
            written.append(raw)
    return b"".join(written), count
