"""Quotes: requests wait their time like orders, and are answered by best prices alone.

What one costs is O(assets), whatever number of orders is open and of levels is in the books.
"""

from __future__ import annotations

from typing import Final

from core.index.base import DeskBase
from core.index.basket import Unpriced
from core.index.fitting import quote
from core.index.reasons import QuoteRefusal
from core.index.records import (
    CancelQuoteRequest,
    IndexQuoteCancelled,
    IndexQuoteReady,
    IndexQuoteRejected,
    NewQuoteRequest,
)
from core.index.validation import amount_flaw, is_id, is_user
from core.market.orders import Side
from core.market.prices import PriceType
from core.units import Nanos, as_text

_BEST: Final[dict[Side, PriceType]] = {"buy": PriceType.BEST_ASK, "sell": PriceType.BEST_BID}


def take_quote_request(desk: DeskBase, now: Nanos, request: NewQuoteRequest) -> None:
    """Let a request wait, or refuse it."""
    flaw = _flaw(desk, request)
    if flaw is not None:
        desk.note(IndexQuoteRejected(as_text(request.user), as_text(request.client_quote_id), flaw))
        return
    desk.state.quotes.add(desk.state.ids.next("Q"), now, request)


def cancel_quote_request(desk: DeskBase, request: CancelQuoteRequest) -> None:
    """Forget a request that has no answer yet."""
    quote_id = desk.state.quotes.client_ids.get(request.user, {}).get(request.client_quote_id)
    if quote_id is None:
        named = (as_text(request.user), as_text(request.client_quote_id))
        desk.note(IndexQuoteRejected(*named, QuoteRefusal.UNKNOWN_QUOTE))
        return
    desk.state.quotes.drop(quote_id)
    desk.note(IndexQuoteCancelled(request.user, request.client_quote_id))


def answer_quotes(desk: DeskBase, now: Nanos) -> None:
    """Answer every request that has waited its time."""
    quotes = desk.state.quotes
    for quote_id in quotes.line.take(now):
        one = quotes.drop(quote_id)
        basket = desk.state.indexes.basket(one.symbol)
        if basket is None:
            desk.note(IndexQuoteRejected(one.user, one.client_quote_id, QuoteRefusal.INVALID_SYMBOL))
            continue
        best = desk.prices(now, (part.asset for part in basket.assets), _BEST[one.side])
        try:
            found = quote(basket, best, desk.settings.limits, side=one.side, amount=one.amount)
        except Unpriced:
            desk.note(IndexQuoteRejected(one.user, one.client_quote_id, QuoteRefusal.SERVICE_UNAVAILABLE))
            continue
        said = (one.user, one.client_quote_id, one.symbol, one.side, one.amount)
        desk.note(IndexQuoteReady(*said, found.quantity_possible, found.price))


def refuse_quotes(desk: DeskBase) -> None:
    """The desk winds down: nobody waits in vain."""
    for quote_id in list(desk.state.quotes.waiting):
        one = desk.state.quotes.drop(quote_id)
        desk.note(IndexQuoteRejected(one.user, one.client_quote_id, QuoteRefusal.STOPPING))


def _flaw(desk: DeskBase, request: NewQuoteRequest) -> QuoteRefusal | None:
    theirs = desk.state.quotes.client_ids.get(request.user, {})
    if desk.state.stopping:
        return QuoteRefusal.STOPPING
    if not (is_id(request.client_quote_id) and is_user(request.user)):
        return QuoteRefusal.INVALID_ID
    if desk.state.indexes.basket(request.symbol) is None:
        return QuoteRefusal.INVALID_SYMBOL
    if request.client_quote_id in theirs:
        return QuoteRefusal.DUPLICATE_ID
    if len(theirs) >= desk.settings.quotes_per_user_max:
        return QuoteRefusal.TOO_MANY_QUOTES
    flaw = amount_flaw(request.amount, request.side, desk.settings)
    return None if flaw is None else QuoteRefusal(flaw)
