"""What a FIX engine is told: who it is, who its counterparties are, and its limits. Spans are nanoseconds."""

from __future__ import annotations

from typing import Literal

import msgspec

from core.units import SECOND, Nanos


class SessionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One session, named by the counterparty's CompID."""

    target_comp_id: str
    address: str = ""
    """Where an initiator connects to."""
    reset_on_logon: bool = False
    """Start from 1 at every logon, and as an initiator ask the peer to do so too. Both sides must agree."""


class EngineConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One engine: all its sessions are accepted, or all are initiated."""

    role: Literal["acceptor", "initiator"]
    comp_id: str
    sessions: tuple[SessionConfig, ...]
    app: str
    """The component that application messages go to and come from."""
    app_messages: tuple[str, ...]
    """The MsgTypes that the application takes; others are answered with a BusinessMessageReject."""
    heartbeat_interval: Nanos = 30 * SECOND
    """What an initiator asks for, in whole seconds; an acceptor takes the peer's. 0 is no heartbeats."""
    reconnect_interval: Nanos = SECOND
    logon_timeout: Nanos = 10 * SECOND
    logout_timeout: Nanos = 2 * SECOND
    resend_timeout: Nanos = 60 * SECOND
    """How long a gap may stay as it is."""
    latency_max: Nanos = 120 * SECOND
    """How far SendingTime may be from now, either way."""
    connections_max: int = 1_000
    message_bytes_max: int = 65_536
    fields_max: int = 1_000
    early_messages_max: int = 1_000
    """Messages that wait for a gap to be filled; those beyond are dropped, and come again with the resend."""
    kept_messages_max: int = 65_536
    """The latest sent messages that can be sent again, and the messages that wait for a logon; per session."""
