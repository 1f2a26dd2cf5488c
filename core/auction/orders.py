"""The orders that are alive at the auction: where each stands, and what is left of it."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from core.auction.rules import Ranked
from core.auction.states import ORDERS, OrderState, OrderStep
from core.market.orders import Order, Pair
from core.solver.protocol import Offer


class LiveOrder(msgspec.Struct):
    """An order on its way through its states. It is dropped when it reaches the last of them."""

    order: Order
    """Its amounts are those of what is left to trade."""
    filled: Decimal = Decimal(0)
    """The quantity that was traded."""
    state: OrderState = OrderState.NEW
    waiting: bool = False
    """Open between two auctions, with a timer on its validity."""
    fallbacks: list[Ranked] = []
    """The rest of the newest ranking: who takes over after a default, best first."""
    attempts: int = 0
    """Commitments since the newest ranking."""
    leaving: bool = False
    """It is cancelled as soon as nobody has a claim on it."""

    def step(self, step: OrderStep) -> None:
        """Move along the table of orders."""
        self.state = ORDERS.after(self.state, step, self.order.order_id)


def offer_of(order: Order, pair: Pair) -> Offer:
    """The order as solvers see it: no owner, no validity."""
    return Offer(
        order_id=order.order_id,
        symbol=order.symbol,
        side=order.side,
        sell_token=order.sell_token,
        buy_token=order.buy_token,
        lot=pair.lot,
        input_amount=order.input_amount,
        min_output=order.min_output,
        partially_fillable=order.partially_fillable,
    )
