"""The states of an index order, of a batch, and of a call on the chain that has to be heeded once.

**Index orders.** An `open` order waits its time in the client queue: nothing has been moved for it. Served, it is
`routing`: a buy's collateral is awaited and brought to where assets are paid; a sell's tokens are looked for in
custody, and if they are not there it goes back to the queue (`awaited`). Collateral that has arrived is set aside for
the order alone while it is `preauthorising`; tokens that were found are locked at once. Then it is `ready`, and may be
engaged.

An `engaged` order is in exactly one running batch. When every exchange order of that batch has ended, the order's fill
rate says where it goes: on to the next batch as `ready`, or as `partly_mintable` beyond the mint threshold, which is
ready as well but will be minted when nothing happens to it for the mint wait, or beyond the fill threshold it is
`fully_mintable` and trades no more. No fill moves an order: only the end of a batch does, so an order is never minted
while a lot may still come.

An order that has to go (its owner cancels, it is too old, its collateral was refused) is not engaged any more. When
something of it is with others, money between hops or an engagement in a batch, it is `leaving` until they are done:
hops are told at once, and the money turns back or stays its owner's; what is left of the batch's exchange orders is
cancelled, and the batch ends when each of them has.
Then what it has is minted like that of any other order: `fully_mintable` means that it is time to mint, not that all
was filled. With nothing filled it settles at once.

`minting` is money, then the chain: spend and mint for a buy; have the cash held and burn for a sell. Both can be asked
for again and are done once. Money that is refused for good ends the order: no tokens are minted, or they are given
back and not burned, and its lots go to the house. So does a chain that declines: the order stays `minting` until what
it had paid is its user's again, or the cash that was held for it is back where it came from, and is `refused` then.
In `settling` what was not spent or sold goes back to the user, and the cash of a sell is paid out. The end that the
order was heading for is decided when it starts to leave, and the last step only states it: `minted`, `redeemed`,
`cancelled`, `expired`, `rejected`. Their rows are empty, so nothing that arrives later can change such an order, and it
ends once.

**Batches.** An `opened` batch has its orders, and hands out what stock and crossings have for them. If that `covered`
all, it is `settling` at once; otherwise its exchange orders are `placed`, and it is `trading`. Only then, and while it
is `cancelling`, does it take trades: who is asked to cancel may have traded before. Cancelling begins when one of its
index orders has to go, or the time of a rebalance is over, and may be asked for by several. Neither state is left
before the last of the exchange orders has ended; nothing can come in then, so what is left of lots goes to stock, its
orders go on, and the batch is `completed`, once and for ever.

**Calls on the chain.** A `due` call is made (`asked`); confirmed it is `done`. Refused or unanswered it is due again
after a wait. Every attempt carries the same key, by which the chain knows that it has obeyed already. A call that is
`declined` will never be done, whichever of its attempts that is said of, and whether or not another is due: a key is
heeded once, so what holds for one attempt holds for all. Both ends are for good. What the chain says of a key after
its end changes nothing; if it says the opposite, that is stated, for somebody to look at.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.kernel.fsm import Machine


class IndexOrderState(StrEnum):
    """Where an index order stands."""

    OPEN = "open"
    ROUTING = "routing"
    PREAUTHORISING = "preauthorising"
    READY = "ready"
    ENGAGED = "engaged"
    PARTLY_MINTABLE = "partly_mintable"
    FULLY_MINTABLE = "fully_mintable"
    LEAVING = "leaving"
    MINTING = "minting"
    SETTLING = "settling"
    MINTED = "minted"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class IndexOrderStep(StrEnum):
    """What can happen to an index order."""

    SERVED = "served"
    ROUTED = "routed"
    SECURED = "secured"
    PREAUTHORISED = "preauthorised"
    ENGAGED = "engaged"
    CONTINUED = "continued"
    MATURED = "matured"
    FILLED = "filled"
    LEFT = "left"
    EMPTY = "empty"
    MINTING = "minting"
    SETTLED = "settled"
    REFUSED = "refused"
    MINTED = "minted"
    REDEEMED = "redeemed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


_S, _T = IndexOrderState, IndexOrderStep

INDEX_ORDERS: Final = Machine(
    "index order",
    {
        _S.OPEN: {
            _T.SERVED: _S.ROUTING,
            _T.EMPTY: _S.SETTLING,
        },
        _S.ROUTING: {
            _T.ROUTED: _S.PREAUTHORISING,
            _T.SECURED: _S.READY,
            _T.REFUSED: _S.SETTLING,
            _T.EMPTY: _S.SETTLING,
            _T.LEFT: _S.LEAVING,
        },
        _S.PREAUTHORISING: {
            _T.PREAUTHORISED: _S.READY,
            _T.REFUSED: _S.SETTLING,
            _T.LEFT: _S.LEAVING,
        },
        _S.READY: {
            _T.ENGAGED: _S.ENGAGED,
            _T.FILLED: _S.FULLY_MINTABLE,
            _T.EMPTY: _S.SETTLING,
        },
        _S.ENGAGED: {
            _T.CONTINUED: _S.READY,
            _T.MATURED: _S.PARTLY_MINTABLE,
            _T.FILLED: _S.FULLY_MINTABLE,
            _T.LEFT: _S.LEAVING,
        },
        _S.PARTLY_MINTABLE: {
            _T.ENGAGED: _S.ENGAGED,
            _T.FILLED: _S.FULLY_MINTABLE,
        },
        _S.LEAVING: {
            _T.FILLED: _S.FULLY_MINTABLE,
            _T.EMPTY: _S.SETTLING,
        },
        _S.FULLY_MINTABLE: {_T.MINTING: _S.MINTING},
        _S.MINTING: {
            _T.SETTLED: _S.SETTLING,
            _T.REFUSED: _S.SETTLING,
        },
        _S.SETTLING: {
            _T.MINTED: _S.MINTED,
            _T.REDEEMED: _S.REDEEMED,
            _T.CANCELLED: _S.CANCELLED,
            _T.EXPIRED: _S.EXPIRED,
            _T.REJECTED: _S.REJECTED,
        },
        _S.MINTED: {},
        _S.REDEEMED: {},
        _S.CANCELLED: {},
        _S.EXPIRED: {},
        _S.REJECTED: {},
    },
)


class IndexBatchState(StrEnum):
    """Where a batch stands."""

    OPENED = "opened"
    TRADING = "trading"
    CANCELLING = "cancelling"
    SETTLING = "settling"
    COMPLETED = "completed"


class IndexBatchStep(StrEnum):
    """What can happen to a batch."""

    PLACED = "placed"
    COVERED = "covered"
    TRADED = "traded"
    CANCELLED = "cancelled"
    ENDED = "ended"
    COMPLETED = "completed"


_B, _C = IndexBatchState, IndexBatchStep

INDEX_BATCHES: Final = Machine(
    "index batch",
    {
        _B.OPENED: {
            _C.PLACED: _B.TRADING,
            _C.COVERED: _B.SETTLING,
        },
        _B.TRADING: {
            _C.TRADED: _B.TRADING,
            _C.CANCELLED: _B.CANCELLING,
            _C.ENDED: _B.SETTLING,
        },
        _B.CANCELLING: {
            _C.TRADED: _B.CANCELLING,
            _C.CANCELLED: _B.CANCELLING,
            _C.ENDED: _B.SETTLING,
        },
        _B.SETTLING: {_C.COMPLETED: _B.COMPLETED},
        _B.COMPLETED: {},
    },
)


class ChainCallState(StrEnum):
    """Where a call on the chain stands."""

    DUE = "due"
    ASKED = "asked"
    DONE = "done"
    DECLINED = "declined"


class ChainCallStep(StrEnum):
    """What can happen to a call on the chain."""

    ASKED = "asked"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    CONFIRMED = "confirmed"
    DECLINED = "declined"


_LAST_WORDS: Final = {
    ChainCallStep.CONFIRMED: ChainCallState.DONE,
    ChainCallStep.DECLINED: ChainCallState.DECLINED,
}

CHAIN_CALLS: Final = Machine(
    "chain call",
    {
        ChainCallState.DUE: {
            ChainCallStep.ASKED: ChainCallState.ASKED,
            **_LAST_WORDS,
        },
        ChainCallState.ASKED: {
            ChainCallStep.REFUSED: ChainCallState.DUE,
            ChainCallStep.UNANSWERED: ChainCallState.DUE,
            **_LAST_WORDS,
        },
        ChainCallState.DONE: {},
        ChainCallState.DECLINED: {},
    },
)
