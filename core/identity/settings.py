"""What a registrar is told at construction, in plain numbers."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from core.identity.records import RegisterMaker
from core.units import SECOND, Nanos


class IdentitySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the registrar works for, and its limits."""

    comp_id: str
    """The venue's CompID."""
    engine: str = "fix"
    """The component that has the sessions, and asks whether a Logon is who it says it is."""
    app: str = "sequencer"
    """The component that is told who is logged on as which session, with which key and permissions."""
    founders: tuple[RegisterMaker, ...] = ()
    """Market makers that are registered and active from the start. Their proofs were checked with the configuration."""
    unsigned: Mapping[str, str] = {}
    """By session, the SenderCompIDs that need no signature as long as they are not registered."""
    receive_window: Nanos = 5 * SECOND
    """How far the SendingTime of a Logon may be from the venue's clock, either way."""
    checks_max: int = 256
    """Logons, and proofs of possession, that are being checked at a time; those beyond are refused."""
