"""What the desk states, as `Note`s, about its own work: states, batches, lots, the house, chain calls, NAV."""

from __future__ import annotations

from decimal import Decimal

from core.kernel.record import Record
from core.market.orders import Side
from core.units import Nanos


class IndexOrderMoved(Record, frozen=True):
    """The order is in `state`, a `core.index.states.IndexOrderState`, because of `step`."""

    order_id: str
    state: str
    step: str


class IndexOrderDeferred(Record, frozen=True):
    """The order was due for a batch and waits for a later one, for a `PlanReason`, or waits for its funds, for a
    `WaitReason`. Said once until it is engaged, and again when the reason is another."""

    order_id: str
    reason: str
    asset: str = ""


class CrossingAwaited(Record, frozen=True):
    """The order is ready, and waits until then at most for one of the other side that is on its way."""

    order_id: str
    until: Nanos


class IndexPlanPutOff(Record, frozen=True):
    """No batch now, for a `PutOff`; `orders` keep their places. Said once until another batch begins."""

    orders: tuple[str, ...]
    reason: str


class IndexBatchOpened(Record, frozen=True):
    """A batch runs. `volley` is limit times quantity of its exchange orders: what its buys cost at most, and its sells
    bring at least. A house batch trades for `symbol`, and engages no order."""

    batch_id: str
    order_ids: tuple[str, ...]
    volley: Decimal
    asset_orders: int
    planner: str
    symbol: str = ""


class OrderEngaged(Record, frozen=True):
    """A part of an order in a batch: `collateral` is set aside for `quantity` index tokens at up to `price`."""

    order_id: str
    batch_id: str
    quantity: Decimal
    price: Decimal
    collateral: Decimal
    carried: Decimal
    """The part of it that the batch before left over."""


class AssetOrderPlanned(Record, frozen=True):
    """All that a batch wants of an asset, as one exchange order, or none where `asset_order_id` is empty."""

    batch_id: str
    asset_order_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    demand: Decimal
    stock: Decimal
    """Of the demand, what lots that were there cover."""
    crossed: Decimal
    """Of the demand, what users of the batch's other side cover: it needs no market."""
    house: Decimal = Decimal(0)
    """Of the demand of sells, what the house takes over, for it is too little for the market."""


class CommissionUnpriced(Record, frozen=True):
    """The exchange took `commission` of `asset` for a trade, nobody knows what that is worth, and no lot bears it."""

    asset_order_id: str
    trade_id: str
    asset: str
    commission: Decimal


class LotOpened(Record, frozen=True):
    """A fill became a lot in batch and inventory."""

    lot_id: str
    batch_id: str
    asset_order_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal


class LotAssigned(Record, frozen=True):
    """A slice of a lot belongs to an order, or to a task of the house; the fee is the lot's pro rata."""

    lot_id: str
    order_id: str
    batch_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal


class OrdersCrossed(Record, frozen=True):
    """`quantity` of an asset passes from sells to buys of a batch, as lot `lot_id` of both, without market and fee."""

    batch_id: str
    lot_id: str
    symbol: str
    price: Decimal
    quantity: Decimal


class CashForgone(Record, frozen=True):
    """The share of an index's cash that is an order's whose tokens will not be is the house's; below zero, its debt."""

    order_id: str
    symbol: str
    amount: Decimal


class CashSettled(Record, frozen=True):
    """Tokens of an order were sold, and their share of their index's cash is the house's; below zero, its debt. Where
    the tokens stay after all, the index has it again: that is said as the same amount with the other sign."""

    order_id: str
    symbol: str
    amount: Decimal


class CashLeft(Record, frozen=True):
    """There are no tokens of an index any more, and its cash is the house's; below zero, its debt."""

    symbol: str
    amount: Decimal


class LotForgone(Record, frozen=True):
    """What was held for an order's tokens, which will not be minted, is the house's."""

    lot_id: str
    order_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal


class StockLeft(Record, frozen=True):
    """What a batch left of one side of an asset: `carried` for the orders that go on, the rest is the house's."""

    batch_id: str
    symbol: str
    side: Side
    carried: Decimal
    house: Decimal


class StockReleased(Record, frozen=True):
    """`quantity` of one side of an asset was carried for orders that have left, want less, or may not take it at prices
    as they are now: it is the house's."""

    symbol: str
    side: Side
    quantity: Decimal


class HouseTraded(Record, frozen=True):
    """The house took over what a batch sold and no exchange would take. `closed` of it settled a sale of its own."""

    batch_id: str
    lot_id: str
    symbol: str
    price: Decimal
    quantity: Decimal
    closed: Decimal


class LotClosed(Record, frozen=True):
    """A trade closed a part of a lot of the other side. `profit` is realised, fees of both deducted.

    It is (closing - original price) x quantity of a lot that was bought, and the opposite of one that was sold.
    """

    lot_id: str
    closing_lot_id: str
    symbol: str
    side: Side
    """Of the lot."""
    quantity: Decimal
    original_price: Decimal
    closing_price: Decimal
    profit: Decimal


class IndexBatchCompleted(Record, frozen=True):
    """Every exchange order of the batch has ended. `fill` is the filled share of its volley, `value` what they have
    traded for, and `fee` what that cost."""

    batch_id: str
    fill: Decimal
    value: Decimal
    fee: Decimal
    continued: tuple[str, ...]


class BasketSet(Record, frozen=True):
    """What one token of the index is made of from now on, and what that costs at the prices used."""

    symbol: str
    quantities: tuple[tuple[str, Decimal], ...]
    price: Decimal
    version: int


class WeightsRefused(Record, frozen=True):
    """Weights or a delisting that cannot be used, for `reason`; `text` names what is wrong."""

    symbol: str
    reason: str
    text: str


class RebalanceStarted(Record, frozen=True):
    """The house trades from one basket to the next for `outstanding` tokens before `deadline`."""

    symbol: str
    version: int
    outstanding: Decimal
    deadline: Nanos


class RebalanceEnded(Record, frozen=True):
    """The basket is published. What could not be bought or sold in time is `missing`, by asset, and goes on."""

    symbol: str
    version: int
    missing: tuple[tuple[str, Decimal], ...]


class RebalanceSettled(Record, frozen=True):
    """Nothing is missing any more: what is held for the index is what its basket asks for."""

    symbol: str
    version: int


class HouseTaskSet(Record, frozen=True):
    """There is `quantity` of an asset to trade for index `symbol`, or for the house itself where that is empty.

    `priority` is `delisting`, `rebalance` or `surplus`. The quantity changes with what is held; that is not said again.
    """

    task_id: str
    symbol: str
    asset: str
    side: Side
    quantity: Decimal
    priority: str
    deadline: Nanos


class HouseTaskDone(Record, frozen=True):
    """Nothing is left to trade of a task, or nothing that could be traded."""

    task_id: str
    symbol: str
    asset: str


class HouseTaskBlocked(Record, frozen=True):
    """The exchange has refused an order for a task, for `reason`: somebody may have to look at it. It is still tried.

    `quantity` is left to trade, which is worth `value` at the order's limit. Said once, until `HouseTaskUnblocked`.
    """

    task_id: str
    symbol: str
    asset: str
    side: Side
    quantity: Decimal
    value: Decimal
    reason: str


class HouseTaskUnblocked(Record, frozen=True):
    """The exchange takes orders for a task again, or nothing is left of it."""

    task_id: str
    symbol: str
    asset: str


class ChainCallRetried(Record, frozen=True):
    """A call on the chain was refused or not answered in time and is made again under the same id."""

    key: str
    attempt: int
    reason: str


class ChainCallDone(Record, frozen=True):
    """The chain has done what it was asked: it is event `index` of block `height`, whose hash is `block_hash`, in hex.

    `order_id` is empty where it was asked for no order.
    """

    order_id: str
    key: str
    height: int
    index: int
    block_hash: str


class ChainCallDeclined(Record, frozen=True):
    """The chain will never do what it was asked, for `reason`: it is not asked again. `order_id` as in
    `ChainCallDone`."""

    order_id: str
    key: str
    reason: str


class ChainDisputed(Record, frozen=True):
    """The chain said the opposite of its last word on a key: somebody has to look at it. Nothing is booked by it."""

    key: str
    what: str


class OrderRepaid(Record, frozen=True):
    """The house has paid `amount` to the order's user, and keeps what was bought for it: the order had paid that for
    tokens that the chain will not mint."""

    order_id: str
    user: str
    symbol: str
    amount: Decimal


class ProceedsReclaimed(Record, frozen=True):
    """The cash that was held for an order is its index's again, for the chain will not burn the order's tokens."""

    order_id: str
    user: str
    symbol: str
    amount: Decimal


class CollateralShort(Record, frozen=True):
    """What was brought for an order is `amount` less than it wanted, fees aside, which the settings tolerate: the order
    is for so much less."""

    order_id: str
    amount: Decimal


class TokensHeld(Record, frozen=True):
    """Index tokens in custody of a user: `free` of them may be sold."""

    user: str
    symbol: str
    seq_num: int
    amount: Decimal
    free: Decimal


class InventoryReconciled(Record, frozen=True):
    """What the account holds was compared with what is owned, for so many `assets`, `differing` of which differ now."""

    assets: int
    differing: int


class InventoryDiffered(Record, frozen=True):
    """The exchange says that the account holds `at_venue` of an asset, and it should be `owned`.

    Said once, and again when the difference changes.
    """

    asset: str
    owned: Decimal
    at_venue: Decimal


class InventoryAgreed(Record, frozen=True):
    """What differed of an asset does not any more, beyond the tolerance."""

    asset: str
    owned: Decimal
    at_venue: Decimal


class MarketDataReached(Record, frozen=True):
    """The exchange's market data runs from here on, and every book is asked for."""


class MarketDataLost(Record, frozen=True):
    """The exchange's market data is interrupted: none of its prices is used until there is a new book."""

    reason: str


class HouseValued(Record, frozen=True):
    """What the house holds of an asset, as the desk values it."""

    symbol: str
    quantity: Decimal
    value: Decimal
