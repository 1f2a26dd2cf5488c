"""The states of a rebalance, and those of a task of the house.

**Rebalances.** An index has at most one, and it is for one basket: its *aim*. `waiting`, batches still run that buy or
sell by the basket in force; nobody is engaged anew, and only what a delisting makes leave is sold already, as far as
those batches do not sell it themselves. When the last of them has ended (`cleared`) the index is `trading`: the house
trades what its tokens need to be made of the aim, and orders of the index wait. It trades for a window that begins
here, however long it has waited, or until the date of a delisting if that is sooner.

What is to be traded is not remembered but counted, again and again: what the backed tokens need by the aim, less what
is held for them. So nothing of it can be forgotten, whatever fills, fails or is given up in between, and an aim may
change at any time (`aimed`): what was traded for the one before is held, and counts. Then batches may run by the basket
in force, and the rebalance waits for them again.

With nothing left to trade a rebalance is `done`, and its aim is in force. At its deadline its aim is in force all the
same (`late`), but the rebalance is not over: what is undone is *owed* to the tokens, and traded whenever it can be, for
as long as it takes. While `owing`, orders of the index trade by the new basket: buys as ever, and sells as far as what
is held covers them, for nobody can be given what is not there. A sale that turns out not to be paid leaves an index
owing, too: its tokens stay, and what was sold of theirs has to be bought back.

**Tasks.** What is to be bought or sold of one asset for one index, or for the house itself, is a task. It is `open`
until a house batch takes it (`engaged`). When the batch ends it is open again (`released`) until counting finds that
nothing is left of it, or nothing that could be traded: it is `done`. If there is something again later, that is another
task.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from core.kernel.fsm import Machine


class RebalanceState(StrEnum):
    """Where a rebalance stands."""

    WAITING = "waiting"
    TRADING = "trading"
    OWING = "owing"
    DONE = "done"


class RebalanceStep(StrEnum):
    """What can happen to a rebalance."""

    CLEARED = "cleared"
    AIMED = "aimed"
    LATE = "late"
    DONE = "done"


_R, _S = RebalanceState, RebalanceStep

REBALANCES: Final = Machine(
    "rebalance",
    {
        _R.WAITING: {
            _S.AIMED: _R.WAITING,
            _S.CLEARED: _R.TRADING,
        },
        _R.TRADING: {
            _S.AIMED: _R.WAITING,
            _S.LATE: _R.OWING,
            _S.DONE: _R.DONE,
        },
        _R.OWING: {
            _S.AIMED: _R.WAITING,
            _S.DONE: _R.DONE,
        },
        _R.DONE: {},
    },
)


class TaskState(StrEnum):
    """Where a task of the house stands."""

    OPEN = "open"
    ENGAGED = "engaged"
    DONE = "done"


class TaskStep(StrEnum):
    """What can happen to a task of the house."""

    ENGAGED = "engaged"
    RELEASED = "released"
    DONE = "done"


TASKS: Final = Machine(
    "house task",
    {
        TaskState.OPEN: {
            TaskStep.ENGAGED: TaskState.ENGAGED,
            TaskStep.DONE: TaskState.DONE,
        },
        TaskState.ENGAGED: {TaskStep.RELEASED: TaskState.OPEN},
        TaskState.DONE: {},
    },
)
