"""What a program gives to the FIX engine that it embeds: an application, and a place on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from core.errors import RomerError
from core.fix.message import FixMessage
from core.fix.records import FromPeer, RejectBusiness, RejectMessage
from core.fix.tags import BusinessRejectReason, SessionRejectReason
from live.doors import EVERYBODY, Guard
from live.driver import NoteSink
from live.fix_session import EmbeddedSession
from live.tls import ClientTls


class MessageRefused(RomerError):
    """Raised by `on_message`: the counterparty gets a Reject, or a BusinessMessageReject, and the engine goes on.

    `reason` says which of both: it is a SessionRejectReason(373) or a BusinessRejectReason(380). `ref_tag_id` is for
    the first, the tag at fault if it is one tag's; `ref_id` for the second, such as the message's ClOrdID.
    """

    def __init__(
        self,
        reason: SessionRejectReason | BusinessRejectReason,
        text: str = "",
        *,
        ref_tag_id: int | None = None,
        ref_id: str = "",
    ) -> None:
        super().__init__(reason, text)
        self.reason, self.text, self.ref_tag_id, self.ref_id = reason, text, ref_tag_id, ref_id

    def of(self, message: FromPeer[Any]) -> RejectMessage | RejectBusiness:
        """What the engine is told about `message`."""
        of = message.session, message.msg_seq_num, message.message.msg_type
        if isinstance(self.reason, BusinessRejectReason):
            return RejectBusiness(*of, self.reason.value, self.ref_id, self.text, message.epoch)
        return RejectMessage(*of, self.reason.value, self.ref_tag_id, self.text, message.epoch)


class Application:
    """What an engine tells the program around it. Every method may be overridden; none may block.

    A message that has come in is done with when `on_message` returns. With a journal, what was under way in a crash
    is told again after the next start; an exception stops the engine, and `stop` raises it.
    """

    def on_logon(self, session: EmbeddedSession) -> None:
        """Both sides have logged on."""

    def on_logout(self, session: EmbeddedSession, reason: str, *, cancel_orders: bool) -> None:
        """No longer, for a reason of docs/reasons.md; `cancel_orders` as its configuration says."""

    def on_message(self, session: EmbeddedSession, message: FixMessage, *, poss_resend: bool) -> None:
        """A message has arrived in sequence and is well formed. Raises MessageRefused if it cannot be taken."""

    def may_log_on(self, session: EmbeddedSession, logon: bytes) -> bool | str:  # noqa: ARG002  # for others to override
        """Whether a Logon is the counterparty's; asked if the engine's `authenticator` is its `app`.

        True lets it in. A text is why not, which the peer is told in a Logout; False closes its connection in silence.
        The session has no name if the CompIDs are nobody's.
        """
        return True


class Place(NamedTuple):
    """Where an engine stands on this machine. The door is opened by an acceptor only; port 0 is any free one.

    `sync` is `always`, a duration, or `off`; `log` is told every fact.
    """

    host: str = "127.0.0.1"
    port: int = 0
    guard: Guard = EVERYBODY
    tls: ClientTls | None = None
    journal: Path | None = None
    sync: str = "always"
    log: NoteSink | None = None
