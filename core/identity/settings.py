"""What a registrar is told at construction, in plain numbers."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from core.identity.records import RegisterMaker
from core.units import MILLISECOND, SECOND, Nanos


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
    refusal_delay: Nanos = 500 * MILLISECOND
    """How long after a Logon came that might be one it is refused, whatever for."""
    logons_max: int = 1_024
    """Logons that are not answered yet. For one more the oldest is refused that is from an address where nobody has
    proven yet who they are."""
    checks_at_once: int = 2
    """Of them as many are being checked at a time: enough that who checks never waits, few enough that turns count."""
    proofs_max: int = 256
    """Proofs of possession that are being checked at a time; those beyond are refused."""
