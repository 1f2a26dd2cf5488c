"""The base of all messages that an application and its session exchange."""

from __future__ import annotations

from typing import ClassVar

from core.kernel.record import Record


class FixMessage(Record, frozen=True):
    """Body fields only; header and trailer are the session's."""

    MSG_TYPE: ClassVar[str] = ""

    @property
    def msg_type(self) -> str:
        """MsgType(35)."""
        return self.MSG_TYPE
