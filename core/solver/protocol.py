"""What venue and solver say to each other: one JSON object a line, tagged by `type`.

The same records travel inside the venue, so the wire form is their plain JSON encoding. The
conversation: `Hello`, `Welcome`; then for each batch `BatchOpened`, `PlaceBids`; for each award
`Awarded`, `Deposit`, and in the end `Settled` or `Defaulted`. Everything refused says why. Either side may
ask at any time for a sign of life: `Ping`, `Pong`.

A solver has one connection for all of it, or one to each of three doors: batches and awards come by
`orders`, bids go by `bids`, deposits by `claims`, and refusals by the door of what they refuse. Each
connection begins with a hello of its own, and ends on its own.

Decoding is where a hostile line ends: numbers have bounds that the journal and the ledger can hold,
ids have a length, and unknown fields are refused, so nothing nested is ever skipped over.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, Generic, TypeAlias, TypeVar

from msgspec import Meta

from core.kernel.record import Record
from core.market.orders import Side
from core.units import MONEY, Nanos

VERSION: Final = 1
LINE_BYTES_MAX: Final = 1 << 20
HELLO_BYTES_MAX: Final = 1 << 13

Id: TypeAlias = Annotated[str, Meta(min_length=1, max_length=64)]
Height: TypeAlias = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Instant: TypeAlias = Annotated[Nanos, Meta(ge=0, le=2**63 - 1)]


def check_amounts(*amounts: Decimal) -> None:
    """Refuse NaN, infinities, more digits than money keeps, and absurd magnitudes. Raises ValueError."""
    for amount in amounts:
        if not (amount.is_finite() and abs(amount.adjusted()) <= 2 * MONEY.prec and _is_kept_whole(amount)):
            raise ValueError(f"expected a number of at most {MONEY.prec} digits, got {amount:.3e}")


def _is_kept_whole(amount: Decimal) -> bool:
    """Whether money has all its digits. (A quarter of the time that counting them takes.)"""
    return amount.same_quantum(MONEY.plus(amount))


class Line(Record, frozen=True, forbid_unknown_fields=True):
    """Base of all that is said."""


class Door(StrEnum):
    """What a connection is for."""

    ALL = ""
    """Everything."""
    ORDERS = "orders"
    """The venue tells of batches, awards and what became of them."""
    BIDS = "bids"
    CLAIMS = "claims"
    """Deposits for what was won."""


class Ping(Line, frozen=True):
    """Answered with a `Pong` at once, on the same connection."""


class Pong(Line, frozen=True):
    """Whoever said `Ping` is heard, and heard of."""


# --- solver to venue -----------------------------------------------------------------------------


class Hello(Line, frozen=True):
    """First line of a connection: who the solver is. The token is the shared secret of that solver."""

    version: int
    solver: str
    token: str


class Bid(Line, frozen=True):
    """An offer for one order of one batch: take up to `max_input`, give `conversion_rate` per input.

    Of a sell, `max_input` is all of it or a multiple of the offer's lot; of a buy, as many whole lots are
    traded as it pays for.
    `bid_id` is the solver's own and unique per solver; a second bid for the same order replaces the first.
    """

    bid_id: Id
    order_id: Id
    max_input: Decimal
    conversion_rate: Decimal
    valid_till: Instant

    def __post_init__(self) -> None:
        check_amounts(self.max_input, self.conversion_rate)


class PlaceBids(Line, frozen=True):
    """Bids for orders of batch `height`, each judged on its own."""

    height: Height
    bids: tuple[Bid, ...]


class WithdrawBid(Line, frozen=True):
    """Take back the bid for `order_id` in batch `height`; allowed until the bid deadline."""

    height: Height
    order_id: Id


class Deposit(Line, frozen=True):
    """Pay `amount` of the bought token into the escrow of a commitment. Repeating it changes nothing."""

    commitment_id: Id
    amount: Decimal

    def __post_init__(self) -> None:
        check_amounts(self.amount)


FromSolver: TypeAlias = PlaceBids | WithdrawBid | Deposit


# --- venue to solver -----------------------------------------------------------------------------


class Welcome(Line, frozen=True):
    """The hello was accepted. `capital` is what the solver's account held when the venue began, by token;
    what it holds now follows from the awards since.
    """

    version: int
    venue: str
    capital: tuple[tuple[str, Decimal], ...]

    def __post_init__(self) -> None:
        check_amounts(*(amount for _, amount in self.capital))


class Refused(Line, frozen=True):
    """A line was not accepted, for a stable reason code; the connection closes when it was the hello."""

    reason: str
    detail: str


class Offer(Line, frozen=True):
    """An order as solvers see it: what is left of it. Its limit is the rate `min_output / input_amount`.

    It trades in multiples of `lot`, of what a sell sells and a buy buys, or as a whole.
    """

    order_id: Id
    symbol: str
    side: Side
    sell_token: str
    buy_token: str
    lot: Decimal
    input_amount: Decimal
    min_output: Decimal
    partially_fillable: bool

    def __post_init__(self) -> None:
        check_amounts(self.lot, self.input_amount, self.min_output)
        quantity = self.input_amount if self.side == "sell" else self.min_output
        if self.lot <= 0 or quantity.adjusted() - int(self.lot.as_tuple().exponent) >= MONEY.prec:
            raise ValueError(f"expected a lot that {quantity:.3e} is counted in, got {self.lot:.3e}")


class BatchOpened(Line, frozen=True):
    """Bids for these orders are taken while the venue's clock is before `bid_deadline`."""

    height: Height
    opened_at: Instant
    bid_deadline: Instant
    orders: tuple[Offer, ...]


class BidRefused(Line, frozen=True):
    """A bid or withdrawal did not count, for a stable reason code."""

    height: Height
    bid_id: str
    order_id: str
    reason: str


class Awarded(Line, frozen=True):
    """The bid won: deposit at least `min_output` of `buy_token` before `deadline`."""

    commitment_id: Id
    height: Height
    order_id: str
    bid_id: str
    sell_token: str
    buy_token: str
    input_amount: Decimal
    min_output: Decimal
    deadline: Instant

    def __post_init__(self) -> None:
        check_amounts(self.input_amount, self.min_output)


class DepositRefused(Line, frozen=True):
    """A deposit was late, short or for nothing, and went back whole."""

    commitment_id: str
    amount: Decimal
    reason: str


class Settled(Line, frozen=True):
    """The commitment is done: `input_amount` of the sold token is the solver's."""

    commitment_id: str
    input_amount: Decimal
    output_amount: Decimal

    def __post_init__(self) -> None:
        check_amounts(self.input_amount, self.output_amount)


class Defaulted(Line, frozen=True):
    """The deadline and its grace passed without the deposit; `penalty` of the bond token is gone."""

    commitment_id: str
    penalty: Decimal


FromVenue: TypeAlias = Welcome | Refused | BatchOpened | BidRefused | Awarded | DepositRefused | Settled | Defaulted

DOORS: Final[dict[type[Line], Door]] = {
    **dict.fromkeys((PlaceBids, WithdrawBid, BidRefused), Door.BIDS),
    **dict.fromkeys((Deposit, DepositRefused), Door.CLAIMS),
    **dict.fromkeys((BatchOpened, Awarded, Settled, Defaulted), Door.ORDERS),
}
"""By which of three doors a line goes; the rest belongs to every connection."""


# --- inside the venue: the same, with the address that the connection stands for -------------------

Said = TypeVar("Said")


class SolverSaid(Record, Generic[Said], frozen=True):
    """An authenticated solver sent `said`."""

    solver: str
    said: Said


class SolverArrived(Record, frozen=True):
    """A solver has every connection that it needs, again or for the first time."""

    solver: str


class TellSolver(Record, Generic[Said], frozen=True):
    """Send `said` to one solver, or to every connected one when `solver` is empty."""

    solver: str
    said: Said
