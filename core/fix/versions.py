"""What the versions of FIX do differently on the session layer. Everything else is their dictionaries'."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from core.errors import InputError
from core.fix.timestamps import format_seconds, format_timestamp
from core.units import Nanos


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """One version of FIX."""

    reject_reason_max: int
    """The last SessionRejectReason(373) that a Reject may have; -1 is none, and then the Text names the tag."""
    has_business_rejects: bool = True
    """Whether there is a BusinessMessageReject; without, a Reject says as much in its Text."""
    open_end: int = 0
    """EndSeqNo(16) of a ResendRequest for everything that there is."""
    write_time: Callable[[Nanos], str] = format_timestamp
    """How SendingTime and OrigSendingTime are written."""

    @property
    def has_reject_details(self) -> bool:
        """Whether a Reject names tag, MsgType and reason in fields of their own."""
        return self.reject_reason_max >= 0

    def reject_reason(self, number: int) -> int | None:
        """`number` as SessionRejectReason(373), if this version has it."""
        return number if number <= self.reject_reason_max else None


_FIRST: Final = Version(reject_reason_max=-1, has_business_rejects=False, open_end=999_999, write_time=format_seconds)
VERSIONS: Final = {
    "FIX.4.0": _FIRST,
    "FIX.4.1": _FIRST,
    "FIX.4.2": Version(reject_reason_max=11),
    "FIX.4.3": Version(reject_reason_max=17),
    "FIX.4.4": Version(reject_reason_max=99),
}
"""Those that are spoken, by BeginString."""


def version_of(begin_string: str) -> Version:
    """How `begin_string` is spoken. Raises InputError if it is not."""
    if begin_string not in VERSIONS:
        why = "its sessions are FIXT.1.1, which is not spoken" if begin_string.startswith(("FIX.5", "FIXT")) else ""
        raise InputError(f"{begin_string} is not spoken{f': {why}' if why else ''}", f"there are {', '.join(VERSIONS)}")
    return VERSIONS[begin_string]
