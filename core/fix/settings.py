"""What a FIX engine is told: who it is, who its counterparties are, and its limits. Spans are nanoseconds.

docs/fix.md says what each setting is called in QuickFIX, and where its meaning differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import msgspec

from core.fix.dialect import Dialect
from core.fix.field_map import FieldText
from core.fix.schedule import Schedule
from core.units import MILLISECOND, SECOND, Nanos

HEARTBEAT_SECONDS_MAX: Final = 86_400
MESSAGE_BYTES_MAX: Final = 65_536


class SessionConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One session: who the counterparty is, and how to deal with it."""

    target_comp_id: str
    sender_comp_id: str = ""
    """Who we are to this counterparty; empty is the engine's own CompID."""
    session: str = ""
    """What the application calls the session; empty is the counterparty's CompID."""
    addresses: tuple[str, ...] = ()
    """Where an initiator connects to: the next one whenever one fails."""
    schedule: Schedule | None = None
    """When the session may be up; its numbers start over whenever it opens. None is always, and numbers go on."""

    heartbeat_interval: Nanos = 30 * SECOND
    """What an initiator asks for, in whole seconds; an acceptor takes the peer's. 0 is no heartbeats."""
    heartbeat_interval_min: Nanos = 0
    heartbeat_interval_max: Nanos = HEARTBEAT_SECONDS_MAX * SECOND
    """What an acceptor takes; with a minimum above 0, no peer may do without heartbeats."""
    connect_timeout: Nanos = 5 * SECOND
    """How long an initiator waits for a connection to open, before it goes to the next address."""
    reconnect_interval: Nanos = SECOND
    reconnect_interval_max: Nanos = 60 * SECOND
    """The pause before connecting again doubles up to this, each time that all addresses have failed."""
    logon_timeout: Nanos = 10 * SECOND
    """How long an initiator waits for the answer to its Logon."""
    logout_timeout: Nanos = 2 * SECOND
    check_latency: bool = True
    latency_max: Nanos = 120 * SECOND
    """How far SendingTime may be from now, either way, if it is checked."""
    check_comp_id: bool = True
    """Whether every message must carry the CompIDs of the session, and not only the Logon."""

    dialect: str = ""
    """Which of the engine's dialects is spoken; empty is FIX 4.2 as the venue has it."""

    logon_fields: tuple[FieldText, ...] = ()
    """Tags and values that our Logons have besides: Username(553), RawData(96) after its length, SenderSubID(50)."""
    header_fields: tuple[FieldText, ...] = ()
    """What the header of every message of ours has besides, such as SenderSubID(50) or TargetSubID(57)."""

    reset_on_logon: bool = False
    """Start from 1 at every logon, and as an initiator ask the peer to do so too. Both sides must agree."""
    reset_on_logout: bool = False
    reset_on_disconnect: bool = False
    reset_on_error: bool = False
    """Start from 1 after a Logout of either side, after any end, after an end by a fault of the peer's."""
    cancel_on_disconnect: bool = False
    """Tell the application, when the session ends without the peer's Logout, that its orders shall be cancelled."""
    app_messages_per_second_max: int = 0
    """What a peer may send; more is answered with a BusinessMessageReject. 0 is no limit."""

    resend_timeout: Nanos = 60 * SECOND
    """How long a gap may stay as it is."""
    resend_request_chunk_size: int = 0
    """How many messages to ask for at once; 0 is all."""
    closed_resend_interval: bool = False
    """Ask for messages up to the last one missing, instead of up to whatever was sent last."""
    next_expected_msg_seq_num: bool = False
    """Say in the Logon which number is expected next, so that neither side needs to ask. FIX 4.4."""
    resend_batch: int = 100
    resend_pause: Nanos = MILLISECOND
    """A peer gets what it asks for again in batches of so many messages, with such a pause in between."""

    early_messages_max: int = 1_000
    """Messages that wait for a gap to be filled; those beyond are dropped, and come again with the resend."""
    kept_messages_max: int = 65_536
    """The latest sent messages that can be sent again; older ones are declared unnecessary. 0 keeps none."""
    waiting_messages_max: int = 65_536
    """Messages of the application that wait for a logon, or for a resend to end; those beyond are dropped.

    A reset drops those that wait from the session before it.
    """
    send_user_defined_fields: bool = True
    """Whether messages of the application go out with their fields from tag 5000 on, which not every peer takes."""

    @property
    def name(self) -> str:
        """What the application calls the session."""
        return self.session or self.target_comp_id


class EngineConfig(msgspec.Struct, frozen=True, kw_only=True):
    """One engine: all its sessions are accepted, or all are initiated."""

    role: Literal["acceptor", "initiator"]
    comp_id: str
    sessions: tuple[SessionConfig, ...]
    app: str
    """The component that application messages go to and come from."""
    app_messages: tuple[str, ...]
    """The MsgTypes that the application takes; others are answered with a BusinessMessageReject."""
    authenticator: str = ""
    """The component that says whether a Logon is who it says it is; empty is nobody, and CompIDs suffice."""
    authentication_timeout: Nanos = 5 * SECOND
    logon_timeout: Nanos = 10 * SECOND
    """How long a connection may be open without a message."""
    dialects: Mapping[str, Dialect] = {}
    """Versions of FIX, dictionaries, strictness and typed messages, by names that sessions refer to."""
    connections_max: int = 1_000
    waiting_per_address_max: int = 16
    """Connections of one address without a Logon; the oldest yields to one more."""
    message_bytes_max: int = MESSAGE_BYTES_MAX
    fields_max: int = 1_000
