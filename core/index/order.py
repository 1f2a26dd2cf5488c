"""Index orders as the desk keeps them: whose they are, where their money is, what they have of which lot.

The money of an order is in exactly one place at a time:

    original = remaining + engaged + carried + spent + removed

`remaining` waits, `engaged` is with a batch, `carried` was left over by the last batch and is first in line for the
next, `spent` paid for routing, assets and exchange fees, `removed` was netted or amended away, or did not come. Of a
buy all of it is collateral, of a sell index tokens, where spent is what was sold.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

import msgspec

from core.collateral.records import CollateralView
from core.index.allocation import OrderFill, Slice
from core.index.invoices import InvoiceLot
from core.index.planning import key
from core.index.records import FillStatus, IndexOrderFill, Outcome
from core.index.states import INDEX_ORDERS, IndexOrderState, IndexOrderStep
from core.market.orders import Side
from core.units import EXACT, Nanos

_ZERO: Final = Decimal(0)
ENGAGEABLE: Final = frozenset({IndexOrderState.READY, IndexOrderState.PARTLY_MINTABLE})
COMING: Final = frozenset({IndexOrderState.OPEN, IndexOrderState.ROUTING, IndexOrderState.PREAUTHORISING})
"""May be engageable later."""
_TRADING: Final = ENGAGEABLE | {IndexOrderState.ENGAGED}


class AssignedLot(msgspec.Struct):
    """All that an order has of one lot, however many slices it came in. Of a sell, the sale of that much."""

    lot_id: str
    asset: str
    price: Decimal
    original_quantity: Decimal
    remaining_quantity: Decimal
    original_fee: Decimal
    quantity: Decimal
    fee: Decimal
    created_at: Nanos
    assigned_at: Nanos

    def add(self, piece: Slice) -> None:
        """One more slice of the same lot."""
        self.quantity = EXACT.add(self.quantity, piece.quantity)
        self.fee += piece.fee
        self.remaining_quantity = min(self.remaining_quantity, piece.remaining_quantity)
        self.assigned_at = max(self.assigned_at, piece.assigned_at)


class IndexOrder(msgspec.Struct):
    """One order on its way through its states."""

    order_id: str
    number: int
    """Of all orders; older ones have lower numbers."""
    user: str
    client_order_id: str
    symbol: str
    side: Side
    original: Decimal
    remaining: Decimal
    created_at: Nanos
    updated_at: Nanos
    state: IndexOrderState = IndexOrderState.OPEN
    engaged: Decimal = _ZERO
    carried: Decimal = _ZERO
    spent: Decimal = _ZERO
    removed: Decimal = _ZERO
    fees: Decimal = _ZERO
    """Of routing; part of spent."""
    filled: Decimal = _ZERO
    """Index tokens that were bought or sold."""
    assets_value: Decimal = _ZERO
    """Price x quantity over its lots."""
    exchange_fee: Decimal = _ZERO
    proceeds: Decimal = _ZERO
    """Of a sell: what the sales brought, fees deducted."""
    cash_settled: Decimal = _ZERO
    """Of a sell: the share of its index's cash that is the house's for it."""
    house_paid: Decimal = _ZERO
    """What its lots cost beyond all of its collateral: the house paid that."""
    batch_id: str = ""
    per_token: Decimal = _ZERO
    """What its last batch locked for an index token: money of a buy, itself of a sell; 0 before its first."""
    deferral: str = ""
    """Why it is in no batch, as its last plan said."""
    misses: int = 0
    """How many batches in a row have got it nothing."""
    routed: Decimal = _ZERO
    """Collateral that arrived."""
    awaits_deposit: bool = False
    """Whether its user's collateral was not there when it was to be brought."""
    payment_id: str = ""
    preauthorised: Decimal = _ZERO
    charged: Decimal = _ZERO
    """What was taken of the payment."""
    refund: Decimal = _ZERO
    """What has gone back: collateral of a buy, index tokens of a sell."""
    refund_fee: Decimal = _ZERO
    """What sending it back has cost."""
    ends_as: Outcome | None = None
    """Set as soon as it is known."""
    end_reason: str = ""
    seq_num: int = 0
    """The newest deposit that was charged."""
    position: CollateralView | None = None
    """The user's collateral when it was charged."""
    held: Decimal = _ZERO
    """Of a sell: cash that is held for it until its tokens are burned."""
    payout_fee: Decimal = _ZERO
    paid_out: Decimal = _ZERO
    """What a sell's user got, credited or sent."""
    credited: Decimal = _ZERO
    """Of that, or of what a buy did not use, what was not sent and is his collateral."""
    under_way: Decimal = _ZERO
    """What was sent to him and has not arrived in time."""
    minted: Decimal = _ZERO
    """Index tokens that the chain minted or burned."""
    filled_at: Nanos = 0
    steps: int = 0
    """In how many parts it was filled."""
    version: int = 0
    """Of the basket that all of it was filled by; 0 if there were several."""
    lots: dict[str, AssignedLot] = {}
    """By `asset:lot`: exchanges number trades within a symbol."""
    assigned: dict[str, Decimal] = {}
    """By asset: the sum of its lots."""

    def step(self, step: IndexOrderStep) -> None:
        """Move along the table of index orders."""
        self.state = INDEX_ORDERS.after(self.state, step, self.order_id)

    @property
    def ended(self) -> bool:
        """Whether nothing can happen to it any more."""
        return INDEX_ORDERS.is_terminal(self.state)

    @property
    def leaving(self) -> bool:
        """Whether it is to be engaged no more, whatever is left of it."""
        return self.ends_as is not None

    @property
    def goes_on(self) -> bool:
        """Whether it was in a batch, and may come to more tokens."""
        return self.state in _TRADING and bool(self.per_token)

    @property
    def kind(self) -> str:
        """Its side and index."""
        return key(self.symbol, self.side)

    @property
    def whole(self) -> Decimal:
        """What the order is for: what it was placed for, without what was removed since."""
        return EXACT.subtract(self.original, self.removed)

    @property
    def idle(self) -> Decimal:
        """What no batch has: it may be netted or amended away."""
        return EXACT.add(self.remaining, self.carried)

    @property
    def open_amount(self) -> Decimal:
        """What may still trade."""
        return self.remaining + self.engaged + self.carried

    @property
    def fill_rate(self) -> Decimal:
        """spent / (spent + what may still trade), as thresholds see it: routing fees count as spent."""
        whole = self.spent + self.open_amount
        return self.spent / whole if whole > 0 else _ZERO

    @property
    def slices_cost(self) -> Decimal:
        """What its lots cost, or brought, exchange fees included."""
        return self.assets_value + self.exchange_fee if self.side == "buy" else self.assets_value - self.exchange_fee

    @property
    def lots_paid(self) -> Decimal:
        """Of a buy: what was paid for its lots, by it or by the house for it."""
        return EXACT.add(EXACT.subtract(self.spent, self.fees), self.house_paid)

    def engage(self, batch_id: str, amount: Decimal, new: Decimal, tokens: Decimal) -> None:
        """Lock `amount` in a batch for so many tokens, of which `new` is from remaining and the rest from carried.

        What the batch before left over and this one does not want goes back to remaining: `new` is negative then.
        """
        self.remaining = EXACT.subtract(self.remaining, new)
        self.engaged, self.carried = amount, EXACT.subtract(self.carried, EXACT.subtract(amount, new))
        self.batch_id, self.per_token = batch_id, amount / tokens

    def disengage(self) -> None:
        """The batch is over: what it did not spend is carried to the next."""
        self.carried = EXACT.add(self.carried, self.engaged)
        self.engaged, self.batch_id = _ZERO, ""

    def pay(self, cost: Decimal) -> None:
        """Take the cost of lots from what is engaged, then from what else is there; the house pays what is not."""
        for place in ("engaged", "carried", "remaining"):
            there = getattr(self, place)
            part = min(cost, there)
            setattr(self, place, EXACT.subtract(there, part))
            self.spent = EXACT.add(self.spent, part)
            cost = EXACT.subtract(cost, part)
        self.house_paid = EXACT.add(self.house_paid, cost)

    def remove(self, amount: Decimal) -> None:
        """Take `amount` of what is idle out of the order, what the last batch left over last."""
        left_over = max(EXACT.subtract(amount, max(self.remaining, _ZERO)), _ZERO)
        self.remaining = EXACT.subtract(self.remaining, EXACT.subtract(amount, left_over))
        self.carried = EXACT.subtract(self.carried, left_over)
        self.removed = EXACT.add(self.removed, amount)

    def charge_routing(self, fee: Decimal) -> None:
        """Book what it cost to bring the collateral; what was removed meanwhile pays if no more is left."""
        from_removed = max(EXACT.subtract(fee, self.remaining), _ZERO)
        self.remaining = EXACT.subtract(self.remaining, EXACT.subtract(fee, from_removed))
        self.removed = EXACT.subtract(self.removed, from_removed)
        self.spent = EXACT.add(self.spent, fee)
        self.fees = EXACT.add(self.fees, fee)

    def take(self, now: Nanos, fill: OrderFill) -> None:
        """Book what a batch has filled: pay for a buy, or count what a sell brought."""
        self.filled = EXACT.add(self.filled, fill.quantity)
        self.filled_at = now
        self.steps += 1
        if self.side == "buy":
            self.pay(fill.cost)
        else:
            self.pay(fill.quantity)
            self.proceeds += fill.cost
        for piece in fill.slices:
            self._assign(piece)

    def status(self, fill_threshold: Decimal, mint_threshold: Decimal) -> FillStatus:
        """What its owner is told of its fill rate."""
        rate = self.fill_rate
        if not self.filled:
            return FillStatus.COLLATERAL_READY
        if rate > fill_threshold:
            return FillStatus.FULLY_MINTABLE
        return FillStatus.MINTABLE if rate > mint_threshold else FillStatus.IN_PROGRESS

    def report(self, status: FillStatus) -> IndexOrderFill:
        """How far the order is. The rate counts from the first fill on."""
        return IndexOrderFill(
            order_id=self.order_id,
            user=self.user,
            client_order_id=self.client_order_id,
            filled_quantity=self.filled,
            collateral_spent=self.spent,
            collateral_remaining=self.open_amount,
            fill_rate=self.fill_rate if self.filled else _ZERO,
            status=status,
            batch_id=self.batch_id,
            proceeds=self.proceeds,
        )

    def invoice_lots(self) -> tuple[InvoiceLot, ...]:
        """Its lots as an invoice lists them: in the order in which it got the last of each."""
        lots = sorted(self.lots.values(), key=lambda lot: lot.assigned_at)
        return tuple(
            InvoiceLot(
                lot_id=lot.lot_id,
                symbol=lot.asset,
                price=lot.price,
                original_quantity=lot.original_quantity,
                remaining_quantity=lot.remaining_quantity,
                original_fee=lot.original_fee,
                assigned_quantity=lot.quantity,
                assigned_fee=lot.fee,
                created_at=lot.created_at,
                assigned_at=lot.assigned_at,
            )
            for lot in lots
        )

    def _assign(self, piece: Slice) -> None:
        self.assets_value += piece.price * piece.quantity
        self.exchange_fee += piece.fee
        self.assigned[piece.asset] = EXACT.add(self.assigned.get(piece.asset, _ZERO), piece.quantity)
        at = f"{piece.asset}:{piece.lot_id}"
        held = self.lots.get(at)
        if held is not None:
            held.add(piece)
            return
        self.lots[at] = AssignedLot(
            lot_id=piece.lot_id,
            asset=piece.asset,
            price=piece.price,
            original_quantity=piece.original_quantity,
            remaining_quantity=piece.remaining_quantity,
            original_fee=piece.original_fee,
            quantity=piece.quantity,
            fee=piece.fee,
            created_at=piece.created_at,
            assigned_at=piece.assigned_at,
        )
