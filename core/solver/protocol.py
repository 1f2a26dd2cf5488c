"""What venue and solver say to each other: one JSON object a line, tagged by `type`.

The same records travel inside the venue, so the wire form is their plain JSON encoding. The
conversation: `Hello`, `Welcome`; then for each batch `BatchOpened`, `PlaceBids`; for each award
`Awarded`, `Deposit`, and in the end `Settled` or `Defaulted`. Everything refused says why.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Generic, TypeAlias, TypeVar

from core.kernel.record import Record
from core.market.orders import Side
from core.units import Nanos

VERSION: Final = 1
LINE_BYTES_MAX: Final = 1 << 20


# --- solver to venue -----------------------------------------------------------------------------


class Hello(Record, frozen=True):
    """First line of a connection: who the solver is. The token is the shared secret of that solver."""

    version: int
    solver: str
    token: str


class Bid(Record, frozen=True):
    """An offer for one order of one batch: take up to `max_input`, give `conversion_rate` per input.

    `bid_id` is the solver's own and unique per solver; a second bid for the same order replaces the first.
    """

    bid_id: str
    order_id: str
    max_input: Decimal
    conversion_rate: Decimal
    valid_till: Nanos


class PlaceBids(Record, frozen=True):
    """Bids for orders of batch `height`, each judged on its own."""

    height: int
    bids: tuple[Bid, ...]


class WithdrawBid(Record, frozen=True):
    """Take back the bid for `order_id` in batch `height`; allowed until the bid deadline."""

    height: int
    order_id: str


class Deposit(Record, frozen=True):
    """Pay `amount` of the bought token into the escrow of a commitment. Repeating it changes nothing."""

    commitment_id: str
    amount: Decimal


FromSolver: TypeAlias = PlaceBids | WithdrawBid | Deposit


# --- venue to solver -----------------------------------------------------------------------------


class Welcome(Record, frozen=True):
    """The hello was accepted; `capital` is what the venue's ledger holds for the solver, by token."""

    version: int
    venue: str
    capital: tuple[tuple[str, Decimal], ...]


class Refused(Record, frozen=True):
    """A line was not accepted, for a stable reason code; the connection closes when it was the hello."""

    reason: str
    detail: str


class Offer(Record, frozen=True):
    """An order as solvers see it."""

    order_id: str
    symbol: str
    side: Side
    sell_token: str
    buy_token: str
    input_amount: Decimal
    min_output: Decimal
    partially_fillable: bool


class BatchOpened(Record, frozen=True):
    """Bids for these orders are taken while the venue's clock is before `bid_deadline`."""

    height: int
    opened_at: Nanos
    bid_deadline: Nanos
    orders: tuple[Offer, ...]


class BidRefused(Record, frozen=True):
    """A bid or withdrawal did not count, for a stable reason code."""

    height: int
    bid_id: str
    order_id: str
    reason: str


class Awarded(Record, frozen=True):
    """The bid won: deposit at least `min_output` of `buy_token` before `deadline`."""

    commitment_id: str
    height: int
    order_id: str
    bid_id: str
    sell_token: str
    buy_token: str
    input_amount: Decimal
    min_output: Decimal
    deadline: Nanos


class DepositRefused(Record, frozen=True):
    """A deposit was late, short or for nothing, and went back whole."""

    commitment_id: str
    amount: Decimal
    reason: str


class Settled(Record, frozen=True):
    """The commitment is done: `input_amount` of the sold token is the solver's."""

    commitment_id: str
    input_amount: Decimal
    output_amount: Decimal


class Defaulted(Record, frozen=True):
    """The deadline and its grace passed without the deposit; `penalty` of the bond token is gone."""

    commitment_id: str
    penalty: Decimal


FromVenue: TypeAlias = Welcome | Refused | BatchOpened | BidRefused | Awarded | DepositRefused | Settled | Defaulted

# --- inside the venue: the same, with the address that the connection stands for -------------------

Said = TypeVar("Said")


class SolverSaid(Record, Generic[Said], frozen=True):
    """An authenticated solver sent `said`."""

    solver: str
    said: Said


class TellSolver(Record, Generic[Said], frozen=True):
    """Send `said` to one solver, or to every connected one when `solver` is empty."""

    solver: str
    said: Said
