"""What becomes of a message of the application that is not sent."""

from __future__ import annotations

from enum import StrEnum

from core.errors import RomerError


class Unsendable(RomerError):
    """A message that an application may not send, or that no peer could read; says why."""


class UnsentReason(StrEnum):
    """Why a message of the application was not sent, and will not be. Stable: facts and metrics rely on them."""

    QUEUE_FULL = "queue_full"
    """Too many messages wait for the session to log on, or for a resend to end."""
    RESET = "reset"
    """It waited for a logon, or refuses a message, and the numbers started over before: its session is over."""
    UNSENDABLE = "unsendable"
    """It is the session's to send, or no peer could read it."""
    NOT_LOGGED_ON = "not_logged_on"
    """It refuses a message, and the session is not logged on."""
    REMOVED = "removed"
    """The session was taken away."""
