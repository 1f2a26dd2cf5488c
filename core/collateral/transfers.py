"""What is under way: transfers, and the leg that each of them is at."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from core.collateral.books import Owner, SideName
from core.collateral.bridge import BridgeDeposit
from core.collateral.hops import service_of
from core.collateral.positions import ZERO, Key
from core.collateral.states import LEGS, TRANSFERS, Holding, LegState, LegStep, TransferState, TransferStep
from core.units import EXACT, Nanos

UNDER_WAY: Final = frozenset({LegState.SENT, LegState.MOVING, LegState.UNCLEAR})
"""A leg's money is with its hop."""
UNSENT: Final = frozenset({LegState.WAITING, LegState.QUOTING})
"""A leg can still be abandoned."""
_TERMS: Final = "terms"


class Purpose(StrEnum):
    """What a transfer is for."""

    ROUTE = "route"
    REFUND = "refund"
    PAY_OUT = "pay_out"
    WITHDRAWAL = "withdrawal"


class Leg(msgspec.Struct):
    """One attempt at one hop."""

    number: int
    hop: str
    source: str
    destination: str
    amount: Decimal
    state: LegState = LegState.WAITING
    queued: bool = False
    """It waits for room on its hop, not for the end of a pause."""
    calls: int = 0
    """How often the hop was asked anything about it."""
    queries: int = 0
    """How often, since it was last heard of, the hop was asked for terms, or what has become of it."""
    bridge: BridgeDeposit | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether the hop has the money, or may have it."""
        return self.state in UNDER_WAY


class Transfer(msgspec.Struct):
    """Money on its way. `amount` and `fee` add up to `requested` at any time (I4)."""

    transfer_id: str
    purpose: Purpose
    order_id: str
    """The order's, or the payment's of a withdrawal."""
    user: str
    side: SideName
    requested: Decimal
    amount: Decimal
    at: str
    """The designation where it is, or that its leg started from."""
    targets: tuple[str, ...]
    home: str
    """Where it turns back to; empty where there is nothing to turn to."""
    fee: Decimal = ZERO
    state: TransferState = TransferState.FORWARD
    leg: Leg | None = None
    legs: int = 0
    """How many there were. The number of a leg is never given again."""
    outcomes: dict[str, LegState] = {}
    """By number, how the last legs have ended."""
    used: list[str] = []
    """Hops taken in this direction since it was held. None is taken twice, so that no error of planning keeps it going
    round."""
    charged: dict[str, Decimal] = {}
    """By hop, the most that it has kept of it at once, whatever was expected."""
    refused_by: list[str] = []
    """Hops that are out of the question until the transfer is held."""
    attempts: dict[str, int] = {}
    """By hop and trouble, how often it was tried again."""
    is_answered: bool = False
    """Nobody waits for it any more."""
    deadline: Nanos | None = None
    """Whoever it pays waits for it until then. An order waits for its collateral by a deadline of its own."""
    under_way: Decimal = ZERO
    """What he was told is under way, when his wait was over."""
    told: list[str] = []
    """What was stated of it at this stop."""
    disputes: list[str] = []
    """What was disputed last, each with the number of its leg."""

    @property
    def owner(self) -> Owner:
        """Whose money it is."""
        return Owner(self.user, self.side)

    @property
    def place(self) -> str:
        """Where the money is: a designation, or the hop that has it."""
        return service_of(self.leg.hop) if self.leg is not None and self.leg.is_under_way else self.at

    @property
    def key(self) -> Key:
        """How its money is held."""
        return Key(Holding.ROUTING, self.place, order_id=self.order_id, transfer_id=self.transfer_id)

    def is_overdue(self, now: Nanos) -> bool:
        """Whether it pays somebody who has waited for it long enough."""
        return self.deadline is not None and now >= self.deadline

    def step(self, step: TransferStep) -> None:
        """Move along the table of transfers."""
        self.state = TRANSFERS.after(self.state, step, self.transfer_id)

    def step_leg(self, step: LegStep) -> Leg:
        """Move the leg along the table of legs, and return it."""
        assert self.leg is not None
        self.leg.state = LEGS.after(self.leg.state, step, f"{self.transfer_id}.{self.leg.number}")
        return self.leg

    def pay(self, hop: str, fee: Decimal) -> None:
        """Let a hop keep a part."""
        self.amount = EXACT.subtract(self.amount, fee)
        self.fee = EXACT.add(self.fee, fee)
        self.charged[hop] = max(fee, self.charged.get(hop, ZERO))

    def forgive(self) -> None:
        """Forget what hops have refused and which were taken, not what they have kept."""
        self.used, self.refused_by, self.attempts = [], [], {}


class Subject(NamedTuple):
    """What a call to a hop was about."""

    transfer_id: str
    number: int
    """Of the leg."""
    is_terms: bool
    """It asked for terms, so that no answer to it says anything of money."""


def call_id_of(transfer: Transfer, leg: Leg, *, is_terms: bool = False) -> str:
    """A name for the next call about a leg, from which an answer finds back however late it is."""
    leg.calls += 1
    return f"{transfer.transfer_id}.{leg.number}.{_TERMS if is_terms else ''}{leg.calls}"


def subject_of(call_id: str) -> Subject:
    """Read what `call_id_of` has made."""
    transfer_id, number, call = call_id.split(".")
    return Subject(transfer_id, int(number), call.startswith(_TERMS))
