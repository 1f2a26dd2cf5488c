"""What a program gives to the FIX engine that it embeds: an application, and a place on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from core.fix.message import FixMessage
from live.doors import EVERYBODY, Guard
from live.driver import NoteSink
from live.fix_session import EmbeddedSession
from live.tls import ClientTls


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
        """A message has arrived in sequence and is well formed."""

    def may_log_on(self, session: EmbeddedSession, logon: bytes) -> bool:  # noqa: ARG002  # for others to override
        """Whether a Logon is the counterparty's; asked if the engine's `authenticator` is its `app`."""
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
