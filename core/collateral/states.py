"""The four machines of collateral: what money is held as, a transfer, one leg of it, and a bridge's deposit.

**Holdings.** Every part of a deposit is held as one thing. It is `unconfirmed` where it was deposited: nobody has
brought it to where it is of use. `routing` is money under way, wherever it is, in either direction. `ready` lies at a
destination, claimed by an order or free. `preauth` is promised to one payment. `spent` has paid for assets, or for
a hop. `returned` is with its user again.

Routing ends where the money is: at a destination it is ready, at its source it is unconfirmed again, at its user's it
is returned. So a transfer that fails leaves nothing between states. What a payment did not need is `released`, and
is ready as if it had just arrived. Cash that was held for a sale that came to nothing is `taken_back` to the account
that it came from, and spent as far as its user is concerned. Cash that could not be sent is `credited`: it is spent on
as much collateral of its user. Nothing leads out of `spent` and `returned`: what was paid for nothing is paid back as
money of its own, and so is what was credited.

**Transfers.** A transfer goes `forward` to one of its targets, hop by hop, and plans its way anew at each stop, with
what the hops have cost so far and without those that have refused it. When no way is left, or its order's time is
over, it turns `back` to where it came from; one that pays a user has nowhere to turn to. With no way in either
direction it is `held` at a named designation, and tries again, all hops forgiven what they have refused. What they have
kept is not: once that is too much, all together, it goes on only where that costs nothing. It has
`arrived` at a target or `reversed` at its source, and is then forgotten: its money is accounted for there. One of which
hops have kept all is `consumed`.

Nobody waits for ever. Once the wait of an order, or of whoever is to be paid, is over, a transfer for it is held no
more: it is `left` where it is, and its money is its user's collateral there, as any deposit. What a hop has then is not
given up, because the hop may still deliver it: he is told that it is under way, and the transfer goes on until it
arrives or is left.

**Legs.** A leg is one attempt at one hop, with a number that is never given again. It is `waiting` until its hop has
room or its pause is over; a leg at a bridge is `quoting` until terms are known: it asks for them at growing pauses, and
takes the first that come, however late. Up to here no money has moved and the leg can be abandoned. Once it is `sent`
it is the hop's to say what happens: `moving` when it has said that it is at it, `unclear` when it was silent for too
long and is asked. An unclear leg is neither repeated nor given up. Only a hop that knows of nothing is sent the same
leg again. `moved`, `refused` (the money never left) and `returned` (it left and came back) are the hop's last word;
another attempt is another leg.

**Bridge deposits.** A deposit that was accepted is `submitted`. Enough blocks on top make it `secured`; how many is a
matter of its value. A relayer, or the bridge itself, makes it `filled`, and enough blocks on the other chain make it
`final`. Before that a reorg can undo either: a fill that is gone leaves the deposit as it was, a deposit that is gone
is `dropped`, and the bridge is asked whether it is to be made again. That a fill is undone whose news never came
changes nothing. After enough blocks a reorg is not believed, and disputed: what was booked stays booked, and somebody
has to look whether the money is there. Past its deadline a deposit has `expired`, and is `refunded` where it came from;
a fill whose news comes after that of the expiry was in time. Whatever news was lost, the answer to a query may settle a
deposit either way.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.kernel.fsm import Machine


class Holding(StrEnum):
    """What a part of a deposit is held as."""

    UNCONFIRMED = "unconfirmed"
    ROUTING = "routing"
    READY = "ready"
    PREAUTH = "preauth"
    SPENT = "spent"
    RETURNED = "returned"


class HoldingStep(StrEnum):
    """What can happen to it."""

    DEPARTED = "departed"
    CARRIED = "carried"
    CHARGED = "charged"
    ARRIVED = "arrived"
    REVERSED = "reversed"
    PAID_OUT = "paid_out"
    CLAIMED = "claimed"
    PREAUTHORISED = "preauthorised"
    SPENT = "spent"
    RELEASED = "released"
    TAKEN_BACK = "taken_back"
    CREDITED = "credited"


HOLDINGS: Final = Machine(
    "collateral",
    {
        Holding.UNCONFIRMED: {HoldingStep.DEPARTED: Holding.ROUTING},
        Holding.ROUTING: {
            HoldingStep.CARRIED: Holding.ROUTING,
            HoldingStep.CHARGED: Holding.SPENT,
            HoldingStep.ARRIVED: Holding.READY,
            HoldingStep.REVERSED: Holding.UNCONFIRMED,
            HoldingStep.PAID_OUT: Holding.RETURNED,
            HoldingStep.CREDITED: Holding.SPENT,
        },
        Holding.READY: {
            HoldingStep.DEPARTED: Holding.ROUTING,
            HoldingStep.CLAIMED: Holding.READY,
            HoldingStep.PREAUTHORISED: Holding.PREAUTH,
            HoldingStep.RELEASED: Holding.READY,
            HoldingStep.TAKEN_BACK: Holding.SPENT,
        },
        Holding.PREAUTH: {
            HoldingStep.SPENT: Holding.SPENT,
            HoldingStep.RELEASED: Holding.READY,
        },
        Holding.SPENT: {},
        Holding.RETURNED: {},
    },
)


class TransferState(StrEnum):
    """Which way a transfer goes."""

    FORWARD = "forward"
    BACK = "back"
    HELD = "held"
    ARRIVED = "arrived"
    REVERSED = "reversed"
    LEFT = "left"
    CONSUMED = "consumed"


class TransferStep(StrEnum):
    """What can happen to a transfer."""

    TURNED = "turned"
    STOPPED = "stopped"
    RESUMED = "resumed"
    ARRIVED = "arrived"
    REVERSED = "reversed"
    LEFT = "left"
    CONSUMED = "consumed"


TRANSFERS: Final = Machine(
    "transfer",
    {
        TransferState.FORWARD: {
            TransferStep.ARRIVED: TransferState.ARRIVED,
            TransferStep.TURNED: TransferState.BACK,
            TransferStep.STOPPED: TransferState.HELD,
            TransferStep.LEFT: TransferState.LEFT,
            TransferStep.CONSUMED: TransferState.CONSUMED,
        },
        TransferState.BACK: {
            TransferStep.REVERSED: TransferState.REVERSED,
            TransferStep.STOPPED: TransferState.HELD,
            TransferStep.LEFT: TransferState.LEFT,
            TransferStep.CONSUMED: TransferState.CONSUMED,
        },
        TransferState.HELD: {TransferStep.RESUMED: TransferState.FORWARD, TransferStep.LEFT: TransferState.LEFT},
        TransferState.ARRIVED: {},
        TransferState.REVERSED: {},
        TransferState.LEFT: {},
        TransferState.CONSUMED: {},
    },
)


class LegState(StrEnum):
    """Where a leg stands."""

    WAITING = "waiting"
    QUOTING = "quoting"
    SENT = "sent"
    MOVING = "moving"
    UNCLEAR = "unclear"
    MOVED = "moved"
    REFUSED = "refused"
    RETURNED = "returned"


class LegStep(StrEnum):
    """What can happen to a leg."""

    QUOTED_FOR = "quoted_for"
    SENT = "sent"
    ACCEPTED = "accepted"
    OVERDUE = "overdue"
    MOVED = "moved"
    REFUSED = "refused"
    RETURNED = "returned"
    ABANDONED = "abandoned"


_OUTCOMES: Final = {
    LegStep.ACCEPTED: LegState.MOVING,
    LegStep.OVERDUE: LegState.UNCLEAR,
    LegStep.MOVED: LegState.MOVED,
    LegStep.REFUSED: LegState.REFUSED,
    LegStep.RETURNED: LegState.RETURNED,
}

LEGS: Final = Machine(
    "leg",
    {
        LegState.WAITING: {
            LegStep.QUOTED_FOR: LegState.QUOTING,
            LegStep.SENT: LegState.SENT,
            LegStep.ABANDONED: LegState.REFUSED,
        },
        LegState.QUOTING: {
            LegStep.SENT: LegState.SENT,
            LegStep.REFUSED: LegState.REFUSED,
            LegStep.ABANDONED: LegState.REFUSED,
        },
        LegState.SENT: _OUTCOMES,
        LegState.MOVING: _OUTCOMES,
        LegState.UNCLEAR: {**_OUTCOMES, LegStep.SENT: LegState.SENT},
        LegState.MOVED: {},
        LegState.REFUSED: {},
        LegState.RETURNED: {},
    },
)


class BridgeState(StrEnum):
    """Where a deposit to a bridge stands."""

    SUBMITTED = "submitted"
    SECURED = "secured"
    FILLED = "filled"
    EXPIRED = "expired"
    DROPPED = "dropped"
    FINAL = "final"
    REFUNDED = "refunded"


class BridgeStep(StrEnum):
    """What can happen to it."""

    SECURED = "secured"
    FILLED = "filled"
    DEPOSIT_UNDONE = "deposit_undone"
    FILL_UNDONE = "fill_undone"
    EXPIRED = "expired"
    SUBMITTED = "submitted"
    FINAL = "final"
    REFUNDED = "refunded"


_SETTLED: Final = {BridgeStep.FINAL: BridgeState.FINAL, BridgeStep.REFUNDED: BridgeState.REFUNDED}

BRIDGES: Final = Machine(
    "bridge deposit",
    {
        BridgeState.SUBMITTED: {
            BridgeStep.SECURED: BridgeState.SECURED,
            BridgeStep.FILLED: BridgeState.FILLED,
            BridgeStep.DEPOSIT_UNDONE: BridgeState.DROPPED,
            BridgeStep.EXPIRED: BridgeState.EXPIRED,
            **_SETTLED,
        },
        BridgeState.SECURED: {
            BridgeStep.FILLED: BridgeState.FILLED,
            BridgeStep.EXPIRED: BridgeState.EXPIRED,
            **_SETTLED,
        },
        BridgeState.FILLED: {BridgeStep.FILL_UNDONE: BridgeState.SUBMITTED, **_SETTLED},
        BridgeState.EXPIRED: {BridgeStep.FILLED: BridgeState.FILLED, **_SETTLED},
        BridgeState.DROPPED: {
            BridgeStep.SUBMITTED: BridgeState.SUBMITTED,
            BridgeStep.FILLED: BridgeState.FILLED,
            **_SETTLED,
        },
        BridgeState.FINAL: {},
        BridgeState.REFUNDED: {},
    },
)
