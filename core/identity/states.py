"""The two state machines of the registry: one per market maker, one per key.

**Market makers.** Whoever is registered has proven that the key is theirs, and nothing else: they are `pending` until
an operator has looked at them and lets them trade. An `active` market maker logs on with any key that is accepted. A
`suspended` one keeps its record and its keys, and may come back as it was; it is logged out at once and its logons are
refused until then. `revoked` is the end: none of its keys is accepted ever again, its SenderCompID stays taken, and no
step leads out, so no command given late or twice brings it back.

**Keys.** Rotation is a workflow and not an edit, because two sides have to change at a time of their own. A new key is
`staged` with a proof of possession, and from then on both keys are accepted: that is the overlap, in which the market
maker changes over whenever it suits them. When it is over, the staged key is made `active`, and in the same event the
old one is `revoked`, so there is exactly one active key before and after. A session that is still logged on with the
revoked key is logged out, and comes back with the new one. A staged key that was a mistake, or that was lost, is
revoked by staging another. Nothing leads out of `revoked`, and no key is registered twice: a key that has been revoked
opens nothing, for nobody, whatever happens later.

The first key is activated in the event that registers it. That is no shortcut: it is accepted only once its market
maker is active.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.kernel.fsm import Machine


class MakerStatus(StrEnum):
    """Where a market maker stands."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


class MakerStep(StrEnum):
    """What can happen to a market maker."""

    ACTIVATED = "activated"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    REVOKED = "revoked"


MAKERS: Final = Machine(
    "market maker",
    {
        MakerStatus.PENDING: {
            MakerStep.ACTIVATED: MakerStatus.ACTIVE,
            MakerStep.REVOKED: MakerStatus.REVOKED,
        },
        MakerStatus.ACTIVE: {
            MakerStep.SUSPENDED: MakerStatus.SUSPENDED,
            MakerStep.REVOKED: MakerStatus.REVOKED,
        },
        MakerStatus.SUSPENDED: {
            MakerStep.RESUMED: MakerStatus.ACTIVE,
            MakerStep.REVOKED: MakerStatus.REVOKED,
        },
        MakerStatus.REVOKED: {},
    },
)


class KeyStatus(StrEnum):
    """Where a key stands."""

    STAGED = "staged"
    ACTIVE = "active"
    REVOKED = "revoked"


class KeyStep(StrEnum):
    """What can happen to a key."""

    ACTIVATED = "activated"
    REVOKED = "revoked"


KEYS: Final = Machine(
    "key",
    {
        KeyStatus.STAGED: {KeyStep.ACTIVATED: KeyStatus.ACTIVE, KeyStep.REVOKED: KeyStatus.REVOKED},
        KeyStatus.ACTIVE: {KeyStep.REVOKED: KeyStatus.REVOKED},
        KeyStatus.REVOKED: {},
    },
)
