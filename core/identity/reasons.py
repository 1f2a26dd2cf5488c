"""Why a key, a command or a logon was refused. The codes are stable: facts, metrics and people use them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class KeyRefusal(StrEnum):
    """Why bytes are no key, no signature and no proof of possession."""

    WRONG_SIZE = "wrong_size"
    """A secret key has 32 bytes, a public key 48, a signature or proof 96; key material has 32 at least."""
    MALFORMED = "malformed"
    """The bytes are not the encoding of a point of the curve, or of a number in range."""
    NOT_IN_SUBGROUP = "not_in_subgroup"
    """They are a point of the curve, but not of the group that keys or signatures are from."""
    IDENTITY = "identity"
    """They are the point at infinity, the key and the signature of anything."""
    NONE_GIVEN = "none_given"
    """There is nothing to aggregate."""


class RegistryRefusal(StrEnum):
    """Why a command changed nothing in the registry."""

    UNKNOWN_MAKER = "unknown_maker"
    """No market maker of that SenderCompID is registered."""
    ALREADY_REGISTERED = "already_registered"
    """The SenderCompID is taken, for good: that of a revoked market maker, too."""
    WRONG_STATUS = "wrong_status"
    """The market maker's status does not allow this step."""
    NO_STAGED_KEY = "no_staged_key"
    """No new key waits to be activated."""
    KEY_IN_USE = "key_in_use"
    """The key is somebody's, or was: a key is registered once, and never after it was revoked."""
    INVALID_KEY = "invalid_key"
    """The public key or its proof is none; the detail says which, and what is wrong with it."""
    UNPROVEN_KEY = "unproven_key"
    """The proof of possession is not that key's: whoever offers the key may not have its secret."""
    INVALID_PERMISSIONS = "invalid_permissions"
    """A limit among the permissions is no number, zero or less, or too large, or a list permits nothing; the detail
    says which.
    """
    BUSY = "busy"
    """As many proofs are being checked as may be at a time."""


class LogonRefusal(StrEnum):
    """Why a Logon was not believed."""

    MALFORMED_SIGNATURE = "malformed_signature"
    """RawData is not there, or not a signature: truncated, no point of the group, or the identity."""
    STALE = "stale"
    """SendingTime is older than the receive window."""
    EARLY = "early"
    """SendingTime is further ahead of the venue's clock than the receive window."""
    WRONG_COMP_IDS = "wrong_comp_ids"
    """SenderCompID and TargetCompID are together no session of the venue: they were exchanged, for instance."""
    UNKNOWN_COMP_ID = "unknown_comp_id"
    """No market maker of that SenderCompID is registered."""
    BAD_SIGNATURE = "bad_signature"
    """The signature is not by a key of this market maker, or not of this Logon."""
    REVOKED_KEY = "revoked_key"
    """The signature is by the market maker's last key, which was revoked."""
    REPLAYED = "replayed"
    """This very Logon was seen before."""
    PENDING = "pending"
    """The market maker is registered and not yet active."""
    SUSPENDED = "suspended"
    """The market maker is suspended."""
    REVOKED = "revoked"
    """The market maker was revoked."""
    BUSY = "busy"
    """It was not checked in time, because so many others waited."""

    @property
    def text(self) -> str:
        """What the peer is told. All that depends on who is registered, and with which keys, has one text."""
        return _TEXTS.get(self, "Logon refused")


_TEXTS: Final = {
    LogonRefusal.MALFORMED_SIGNATURE: "RawData is not a signature",
    LogonRefusal.STALE: "SendingTime is too old",
    LogonRefusal.EARLY: "SendingTime is in the future",
}
