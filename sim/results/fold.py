"""What every fold from facts to rows has in common, and the definition of price improvement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any, ClassVar, Final, Generic, TypeVar

from msgspec.structs import replace

from core.kernel.record import Record
from core.market.orders import Order, OrderReplaced
from sim.results.columns import columns_of
from sim.results.facts import Noted
from sim.results.rows import Row

R = TypeVar("R", bound=Row)
_TIME: Final = "time"
BPS: Final = Decimal(10_000)


class Fold(Generic[R]):
    """Fills the rows of one table: a handler per fact, all other facts are none of its business.

    `orders` are the accepted orders of the run by id, with the quantity and limit that they have at the time.
    """

    HANDLERS: ClassVar[Mapping[type[Record], Callable[[Any, Noted, Any], None]]] = {}

    def __init__(self, orders: Mapping[str, Order]) -> None:
        self.orders = dict(orders)
        self.rows: list[R] = []

    def fold(self, notes: Iterable[Noted]) -> list[R]:
        """The rows of all these facts, which come in the order of the run."""
        handlers = self.HANDLERS
        for noted in notes:
            if type(noted.fact) is OrderReplaced:
                self._replace(noted.fact)
            handler = handlers.get(type(noted.fact))
            if handler is not None:
                handler(self, noted, noted.fact)
        return self.rows

    def _replace(self, fact: OrderReplaced) -> None:
        terms = {"quantity": fact.quantity, "limit_price": fact.limit_price}
        self.orders[fact.order_id] = replace(self.orders[fact.order_id], **terms)


def row_of(row: type[R], noted: Noted, **given: Any) -> R:
    """A row about a fact: `given`, and each column that the fact has a field of that name for; `time` is when it was
    stated. No text is null in a column that may be null.
    """
    fact, values = noted.fact, dict(given)
    for name, optional in _shared(row, type(fact)):
        if name not in given:
            value = noted.time if name == _TIME else getattr(fact, name)
            values[name] = None if optional and value == "" else value
    return row(**values)


def price_improvement(order: Order, price: Decimal, quantity: Decimal) -> Decimal:
    """What a fill gave the order's owner beyond the limit, in quote."""
    return (order.limit_price - price if order.side == "buy" else price - order.limit_price) * quantity


@cache
def _shared(row: type[Row], fact: type[Record]) -> tuple[tuple[str, bool], ...]:
    """The columns that a fact says, and whether they may be null."""
    said = {_TIME, *fact.__struct_fields__}
    return tuple((column.name, column.optional) for column in columns_of(row) if column.name in said)
