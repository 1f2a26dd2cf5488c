"""Quote requests that wait for their answer."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from core.index.queue import WaitingLine
from core.index.records import NewQuoteRequest
from core.market.orders import Side
from core.units import Nanos


class WaitingQuote(msgspec.Struct):
    """A request that has no answer yet."""

    user: str
    client_quote_id: str
    symbol: str
    side: Side
    amount: Decimal


class Quotes(msgspec.Struct):
    """Requests by the desk's ids for them, in line, and by user and his id."""

    line: WaitingLine
    waiting: dict[str, WaitingQuote] = {}
    client_ids: dict[str, dict[str, str]] = {}

    def add(self, quote_id: str, now: Nanos, request: NewQuoteRequest) -> None:
        """Let a request wait."""
        self.waiting[quote_id] = WaitingQuote(
            request.user, request.client_quote_id, request.symbol, request.side, request.amount
        )
        self.client_ids.setdefault(request.user, {})[request.client_quote_id] = quote_id
        self.line.add(quote_id, request.user, now)

    def drop(self, quote_id: str) -> WaitingQuote:
        """Forget a request."""
        one = self.waiting.pop(quote_id)
        theirs = self.client_ids[one.user]
        del theirs[one.client_quote_id]
        if not theirs:
            del self.client_ids[one.user]
        self.line.remove(quote_id)
        return one
