"""What a batch is planned from, and what a plan says: the types that every planner shares.

A problem holds everything that a plan may depend on, so planning is a pure function of it: inline, or as a
`Compute`. Money is the quote token; quantities are units of the asset; index quantities are index tokens.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias

from core.index.basket import Basket
from core.index.rounding import LEAST
from core.kernel.record import Record
from core.market.exchange import Instrument
from core.market.orders import Side

Levels: TypeAlias = tuple[tuple[Decimal, Decimal], ...]
"""(price, quantity), best first."""
Amounts: TypeAlias = tuple[tuple[str, Decimal], ...]
"""By asset."""


def key(asset: str, side: Side) -> str:
    """What one side of one asset is called wherever amounts are kept by it: `side:asset`."""
    return f"{side}:{asset}"


class Mode(StrEnum):
    """Which of two behaviours planning and batches have where the reference system's is not the right one."""

    CORRECTED = "corrected"
    REFERENCE = "reference"
    """Exchange orders ignore the batch cap, and an asset of which lots are carried is not bought."""


class AssetOrdering(StrEnum):
    """In which order a batch goes through its assets: that decides whose exchange order is sent first."""

    SYMBOL = "symbol"
    BASKET = "basket"
    """As the baskets name them, first come first."""


class PlanLimits(Record, frozen=True, kw_only=True):
    """The solver's parameters. Money in the quote token; defaults are those of the reference system in production."""

    price_threshold: Decimal = Decimal("0.01")
    """Limits are this share worse than the best price."""
    max_levels: int = 5
    """No limit is worse than the price of the book's level of this number."""
    fee_factor: Decimal = Decimal("1.002")
    """Collateral set aside per value of assets, to pay exchange fees from."""
    max_order_volley_size: Decimal = Decimal(20)
    max_volley_size: Decimal = Decimal(500)
    min_asset_volley_size: Decimal = Decimal(5)
    asset_volley_step_size: Decimal = Decimal("0.1")
    max_total_volley_size: Decimal = Decimal(1000)
    min_total_volley_available: Decimal = Decimal(200)
    house_exposure_max: Decimal = Decimal(1000)
    """What the house may hold in all, valued at limits. Not looked at in reference mode."""
    quantity_tolerance: Decimal = Decimal("1e-18")
    """Prices that differ by no more than this are equal. In reference mode no more of an asset is nothing, and lots are
    taken whole within it."""
    collateral_tolerance: Decimal = Decimal("1e-6")
    """Engagements for no more than this are nothing; so are progress of an order and lots that are worth no more,
    except in reference mode."""
    index_decimals: int = 18
    """Of an index token: orders are for whole units of it, and so is what is engaged, except in reference mode."""
    fairness: Decimal = Decimal("0.5")
    """Of the matrix solver: what giving orders their fair share is worth, each and the one that gets the least part of
    his, against what is engaged."""
    surplus_cost: Decimal = Decimal("0.01")
    """Of the matrix solver: what a unit of money in house inventory costs, against one that is engaged."""
    share_step: Decimal = Decimal("1e-9")
    """Of the matrix solver: shares of what orders wish are whole multiples of this. Finer than floating point is sure
    of, they would differ from machine to machine."""
    mode: Mode = Mode.CORRECTED
    ordering: AssetOrdering = AssetOrdering.SYMBOL

    @property
    def nothing(self) -> Decimal:
        """Of an asset, no more than this is nothing, whatever a unit costs."""
        return self.quantity_tolerance if self.mode is Mode.REFERENCE else LEAST


class AssetView(Record, frozen=True):
    """One asset's market as the planner sees it. Without a best price on a side, or not `fresh`, there is none."""

    asset: str
    best_bid: Decimal | None
    best_ask: Decimal | None
    bids: Levels = ()
    asks: Levels = ()
    fresh: bool = True


class Demand(Record, frozen=True):
    """What is left of one index order. For a buy, collateral; for a sell, index tokens.

    `carried` is what its last batch left over: it is part of no `remaining`, and is engaged first.
    """

    order_id: str
    symbol: str
    side: Side
    remaining: Decimal
    carried: Decimal = Decimal(0)


class HeldLot(Record, frozen=True):
    """Part of a lot that no order owns yet. A unit of it costs `unit_cost` with its fee; of a sell, brings it."""

    asset: str
    side: Side
    quantity: Decimal
    price: Decimal
    unit_cost: Decimal
    house: bool = False
    """Whether it is house inventory, and not just between two batches."""


class PlanProblem(Record, frozen=True, kw_only=True):
    """Everything that a plan may depend on. Demands are in the order in which they are served where order matters."""

    demands: tuple[Demand, ...]
    baskets: tuple[Basket, ...]
    views: tuple[AssetView, ...]
    limits: PlanLimits
    outstanding_volley: Decimal = Decimal(0)
    """Of the batches that run: `batch.outstanding`."""
    reserved_asks: Amounts = ()
    """What buys of running batches still mean to take from the books: `batch.reserved`."""
    reserved_bids: Amounts = ()
    """The same of sells."""
    held: tuple[HeldLot, ...] = ()
    """`stock.held(stock)`."""
    tied: tuple[HeldLot, ...] = ()
    """What else counts as the house's, and nobody may use: `stock.on_offer` and `batch.left_over`."""
    instruments: tuple[Instrument, ...] = ()
    """Where the exchange has filters, those. Not looked at in reference mode."""


class PlanReason(StrEnum):
    """Why an order is in no batch, or no batch is made."""

    NO_ROOM = "no_room"
    UNKNOWN_INDEX = "unknown_index"
    NO_PRICE = "no_price"
    NO_LIQUIDITY = "no_liquidity"
    TOO_SMALL = "too_small"
    """What it could engage is nothing, within the tolerance."""
    HOUSE_EXPOSURE = "house_exposure"
    """The surplus that its assets' smallest orders leave would be more than the house may hold."""
    NO_VOLLEY = "no_volley"
    """Its assets' smallest orders would exceed what may be outstanding, or what a batch may be worth."""
    NOT_HELD = "not_held"
    """Of a sell: less of an asset is held for the index than its tokens are made of. The house has to buy it first."""
    NOT_TRADED = "not_traded"
    """The exchange has traded nothing for it in its last batch. It rests, longer each time."""


class NotPlanned(Record, frozen=True):
    """An order that the plan does not engage. `asset` is the one that is to blame, if one is."""

    order_id: str
    reason: PlanReason
    asset: str = ""


class Part(Record, frozen=True):
    """One asset of an engagement."""

    asset: str
    per_unit: Decimal
    """In one index token, by the basket that was in force: the batch keeps to it."""
    contribution: Decimal
    """What the engagement wants of the asset: per_unit times its quantity."""
    fraction: Decimal
    """Its share of what the batch gets of the asset. They sum to 1; in reference mode, to less if capped."""


class Engagement(Record, frozen=True):
    """The part of an index order that a batch works on.

    Of a buy, `collateral` = price * quantity * fee_factor is locked, of which `new_collateral` comes from the order's
    remaining; negative says that so much goes back there. Of a sell, both are index tokens.
    """

    order_id: str
    symbol: str
    side: Side
    quantity: Decimal
    price: Decimal
    """The limit price of one index token."""
    collateral: Decimal
    new_collateral: Decimal
    parts: tuple[Part, ...]


class AssetPlan(Record, frozen=True):
    """One side of one asset in a batch: all engagements collapsed into one exchange order of `quantity` at `limit`.

    `quantity` may be 0: then stock and crossing cover all of `demand`.
    """

    asset: str
    side: Side
    limit: Decimal
    liquidity: Decimal
    """What the book has up to the limit, less what running batches mean to take."""
    demand: Decimal
    stock: Decimal
    """How much of the demand lots that are held cover."""
    crossed: Decimal
    """How much of the demand the other side of this batch covers."""
    quantity: Decimal

    @property
    def surplus(self) -> Decimal:
        """What the house will hold on top when all is filled."""
        return max(self.quantity - (self.demand - self.stock - self.crossed), Decimal(0))


class Crossing(Record, frozen=True):
    """`quantity` of an asset passes from this batch's sells to its buys, or to the house: no exchange, no fee.

    `price` is the middle of best bid and ask between users, fair to both; the house pays the best bid, as buyers there
    would.
    """

    asset: str
    quantity: Decimal
    price: Decimal
    to_house: bool = False


class Plan(Record, frozen=True):
    """One batch. Assets are in the order in which their exchange orders are sent, buys before sells."""

    engagements: tuple[Engagement, ...]
    assets: tuple[AssetPlan, ...]
    crossings: tuple[Crossing, ...] = ()
    deferred: tuple[NotPlanned, ...] = ()
    """Come again later."""
    failed: tuple[NotPlanned, ...] = ()
    """Will never be planned: no such index (in reference mode also an illiquid asset)."""
    volley: Decimal = Decimal(0)
    """Sum of limit times quantity over exchange orders: the most that the batch can cost or sell for."""


class NoRoom(Record, frozen=True):
    """Running batches leave `room`, which is less than `needed`. All demands come again."""

    room: Decimal
    needed: Decimal
