"""The flow of everybody else's orders around a price path: it refills the books, and it takes from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import ROUND_DOWN, ROUND_UP, Decimal
from typing import Final

from core.kernel.ids import Ids
from core.kernel.rng import Stream
from core.market.exchange import BookDelta, Instrument, TimeInForce
from core.market.matching import Market, Outcome, merged
from core.market.orders import Side
from core.units import MONEY, whole_steps
from sim.exchange_models import FINEST, Flow, Played
from sim.world import path

_BPS: Final = Decimal(10_000)


class Crowd:
    """Everybody else in one market. What they do goes through the market like any other order."""

    def __init__(
        self, market: Market, instrument: Instrument, flow: Flow, draws: Stream, *, on_trade: Callable[[Outcome], None]
    ) -> None:
        self._market, self._flow, self._draws, self._on_trade = market, flow, draws, on_trade
        self._tick, self._step = instrument.tick or FINEST, instrument.step or FINEST
        self._path = played(flow.path) if isinstance(flow.path, Played) else path(flow.path, draws)
        self._standing: list[str] = []
        self._ids = Ids()

    def act(self) -> BookDelta | None:
        """One tick of the path: what it changes in the book, as one delta."""
        price = next(self._path)
        deltas = [self._market.cancel(order_id)[1] for order_id in self._standing]
        self._standing.clear()
        for level in range(self._flow.levels):
            away = self._flow.spread_bps + level * self._flow.step_bps
            deltas += [self._quote("buy", price, -away), self._quote("sell", price, away)]
        if self._draws.chance(self._flow.takers_per_mille):
            deltas.append(self._take(price))
        changed = [delta for delta in deltas if delta is not None]
        return merged(changed) if changed else None

    def _quote(self, side: Side, price: Decimal, bps: int) -> BookDelta | None:
        quantity = self._draw(25, 100)
        at = self._on_tick(price * (1 + Decimal(bps) / _BPS), side)
        if at <= 0 or quantity <= 0:
            return None
        order_id = self._ids.next("crowd")
        outcome = self._market.submit(order_id, side, at, quantity, TimeInForce.GTC)
        if not outcome.status.is_final:
            self._standing.append(order_id)
        self._on_trade(outcome)
        return outcome.delta

    def _take(self, price: Decimal) -> BookDelta | None:
        side: Side = "buy" if self._draws.chance(500) else "sell"
        quantity = self._draw(1, 50)
        reach = self._flow.spread_bps + self._flow.levels * self._flow.step_bps
        at = self._on_tick(price * (1 + Decimal(reach if side == "buy" else -reach) / _BPS), side)
        if at <= 0 or quantity <= 0:
            return None
        outcome = self._market.submit(self._ids.next("crowd"), side, at, quantity, TimeInForce.IOC)
        self._on_trade(outcome)
        return outcome.delta

    def _draw(self, low: int, high: int) -> Decimal:
        return whole_steps(self._flow.quantity * self._draws.between(low, high) / 100, self._step)

    def _on_tick(self, price: Decimal, side: Side) -> Decimal:
        rounding = ROUND_DOWN if side == "buy" else ROUND_UP
        ticks = MONEY.divide(price, self._tick).quantize(Decimal(1), rounding=rounding)
        return ticks * self._tick


def played(recorded: Played) -> Iterator[Decimal]:
    """The price at each tick, from the start on."""
    price, now = recorded.rows[0][1], 0
    for at, following in recorded.rows:
        while now < at:
            yield price
            now += recorded.tick
        price = following
    while True:
        yield price
