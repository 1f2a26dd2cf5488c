"""A Logon as a proof of identity: what is signed, and what is asked before and after the signature is checked.

RawData(96) of the Logon is the 96 bytes of a signature, RawDataLength(95) is 96. What it signs is

    romer.logon.1 | MsgType(35) | SenderCompID(49) | TargetCompID(56) | MsgSeqNum(34) | SendingTime(52)

with SOH, which no value can contain, for each ` | `, and each value as its bytes stand in the message. (Binance's FIX
logon is the model, with Ed25519.)

Whoever knocks without a key must not find out who is registered. So every Logon that has the form of one and a
SendingTime in the window costs the same check, against as many keys as ever, those of nobody if need be; only then is
it asked whose it is, and all answers that depend on it are one, and come after one time (`PendingLogon.text`,
`core.identity.logons`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import msgspec

from core.fix.codec import Garbled, WireMessage, decode, encode, join
from core.fix.tags import MSG_SEQ_NUM, MSG_TYPE, SENDER_COMP_ID, SENDING_TIME, TARGET_COMP_ID
from core.fix.timestamps import parse_timestamp
from core.fix.values import ENCODING
from core.identity.checking import CheckSignature, SignatureChecked
from core.identity.reasons import LogonRefusal
from core.identity.registry import Maker
from core.identity.scheme import SIGNATURE_BYTES
from core.identity.states import KeyStatus, MakerStatus
from core.units import Nanos

RAW_DATA_LENGTH: Final = 95
RAW_DATA: Final = 96
EARLY_KEPT: Final = 256
"""Logons of a market maker that came too early and are remembered: as many as one with a wrong clock sends in hours."""
NOBODY: Final = bytes.fromhex(
    "989bce66ba9db6d8f7e8092874896700bc6ab6c80d5cc7b64478d50b6efc1b2bf7ecbd199d20eafb249fcabebed1eba2"
)
"""A public key whose secret nobody has: "romer.nobody.1", hashed to G1 under that same tag."""

_TAG: Final = b"romer.logon.1"
_SIGNED: Final = (MSG_TYPE, SENDER_COMP_ID, TARGET_COMP_ID, MSG_SEQ_NUM, SENDING_TIME)
_FIELDS_MAX: Final = 1_000
_ACTIVE, _STAGED, _RETIRED = range(3)
_STATUSES: Final = {
    MakerStatus.PENDING: LogonRefusal.PENDING,
    MakerStatus.SUSPENDED: LogonRefusal.SUSPENDED,
    MakerStatus.REVOKED: LogonRefusal.REVOKED,
}


class LogonClaim(msgspec.Struct, frozen=True):
    """What a Logon says of itself, before anything of it is believed."""

    sender_comp_id: str
    target_comp_id: str
    sending_time: Nanos
    message: bytes
    signature: bytes


class PendingLogon(msgspec.Struct):
    """A Logon that is not answered yet."""

    session: str
    """Whose CompIDs they are; empty when they are no session's."""
    conn: str
    claim: LogonClaim
    lane: str
    """Where it waits for its check,"""
    address: str
    """and there with whom: those of its peer's address."""
    is_proven: bool
    """Whether the market maker has proven from this address before who it is."""
    is_early: bool = False
    """Whether it is refused in any case, and checked only because it might be brought again when it is not early."""
    refusal: LogonRefusal | None = None
    """Why it is going to be refused, when the time for that comes."""
    is_overdue: bool = False
    """Whether that time has passed."""
    public_keys: tuple[bytes, ...] = ()
    """What it is checked against."""

    @property
    def text(self) -> str:
        """What its peer is told if it is refused, which was certain when it came: so it tells nothing of the registry,
        nor of who else waits.
        """
        return LogonRefusal.EARLY.text if self.is_early else LogonRefusal.BAD_SIGNATURE.text


class Seen(msgspec.Struct):
    """Signatures of Logons that were good ones, each with the end of the time in which its SendingTime would pass."""

    until: dict[bytes, Nanos] = {}
    early: dict[str, dict[bytes, Nanos]] = {}
    """By market maker, of those that came too early."""

    def remember(self, now: Nanos, signature: bytes, until: Nanos) -> bool:
        """Whether this one is new. Forgets what is too old to be replayed, so the window bounds what is kept."""
        self.until = {seen: end for seen, end in self.until.items() if end >= now}
        is_new = signature not in self.until and not any(signature in early for early in self.early.values())
        self.until[signature] = until
        return is_new

    def knows(self, now: Nanos, signature: bytes) -> bool:
        """Whether this one is remembered, as good or as too early."""
        kept = (self.until, *self.early.values())
        return any(seen.get(signature, now - 1) >= now for seen in kept)

    def remember_early(self, now: Nanos, maker: str, signature: bytes, until: Nanos) -> None:
        """This one came too early. Of a market maker that has many of them those are kept that would pass first."""
        early = {seen: end for seen, end in self.early.get(maker, {}).items() if end >= now} | {signature: until}
        if len(early) > EARLY_KEPT:
            del early[max(early, key=lambda seen: early[seen])]
        self.early[maker] = early


def read_claim(raw: bytes) -> LogonClaim | LogonRefusal:
    """What a Logon, whole and of good form, claims; or why it cannot be a proof."""
    message = decode(raw, _FIELDS_MAX)
    if isinstance(message, Garbled) or message.repeated:
        return LogonRefusal.MALFORMED_SIGNATURE
    values = message.values
    signature = values.get(RAW_DATA, b"")
    if len(signature) != SIGNATURE_BYTES or any(tag not in values for tag in _SIGNED):
        return LogonRefusal.MALFORMED_SIGNATURE
    try:
        sending_time = parse_timestamp(values[SENDING_TIME].decode(ENCODING))
    except ValueError:
        return LogonRefusal.MALFORMED_SIGNATURE
    sender, target = (values[tag].decode(ENCODING) for tag in (SENDER_COMP_ID, TARGET_COMP_ID))
    return LogonClaim(sender, target, sending_time, logon_message(message), signature)


def logon_message(message: WireMessage) -> bytes:
    """What the signature of a Logon signs."""
    return b"\x01".join([_TAG, *(message.values[tag] for tag in _SIGNED)])


def sign_logon(raw: bytes, sign: Callable[[bytes], bytes]) -> bytes:
    """The same Logon, a whole message, with a signature after its other fields. Raises ValueError for what is none."""
    message = decode(raw, _FIELDS_MAX)
    if isinstance(message, Garbled) or any(tag not in message.values for tag in _SIGNED):
        raise ValueError(f"no Logon to sign: {raw!r}")
    signature = sign(logon_message(message))
    begin_string, _, *fields, _ = (each for each in message.fields() if each[0] not in (RAW_DATA_LENGTH, RAW_DATA))
    fields += [(RAW_DATA_LENGTH, b"%d" % len(signature)), (RAW_DATA, signature)]
    return encode(join(fields), begin_string[1])


def untimely(now: Nanos, claim: LogonClaim, window: Nanos) -> LogonRefusal | None:
    """Whether SendingTime is outside the receive window, and on which side."""
    if claim.sending_time < now - window:
        return LogonRefusal.STALE
    return LogonRefusal.EARLY if claim.sending_time > now + window else None


def check_of(claim: LogonClaim, maker: Maker | None) -> CheckSignature:
    """What has to be checked: always the same number of keys, at whose places others stand where there are none."""
    keys = [NOBODY, NOBODY, NOBODY]
    if maker is not None:
        active, staged = maker.key(KeyStatus.ACTIVE), maker.key(KeyStatus.STAGED)
        keys[_ACTIVE] = active.public_key if active else NOBODY
        keys[_STAGED] = staged.public_key if staged else NOBODY
        keys[_RETIRED] = maker.retired or NOBODY
    return CheckSignature(tuple(keys), claim.message, claim.signature)


def judge(pending: PendingLogon, checked: SignatureChecked, maker: Maker | None, venue: str) -> bytes | LogonRefusal:
    """The key that a Logon is proven with, as the registry stands after the check; or why it is refused.

    Whether it is a replay is not asked here. `venue` is the CompID that strangers call.
    """
    if checked.malformed:
        return LogonRefusal.MALFORMED_SIGNATURE
    if not pending.session and (maker is not None or pending.claim.target_comp_id != venue):
        return LogonRefusal.WRONG_COMP_IDS
    if maker is None:
        return LogonRefusal.UNKNOWN_COMP_ID
    if not checked.signers:
        return LogonRefusal.BAD_SIGNATURE
    public_key = pending.public_keys[checked.signers[0]]
    return objection(maker, public_key) or public_key


def objection(maker: Maker, public_key: bytes) -> LogonRefusal | None:
    """Why a market maker that has proven that key is not let in as the registry stands, if it is not."""
    if refusal := _STATUSES.get(maker.status):
        return refusal
    return None if maker.accepts(public_key) else LogonRefusal.REVOKED_KEY
