"""Reads recorded trades or bars as exact prices, quantities and times, to play in a scenario.

Of a bar the opening price and the volume count. A side column says buy or sell, or whether the buyer
was the maker (then the seller crossed the spread). Prices and quantities are rounded to tick and lot.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal, localcontext
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeAlias

import msgspec

from core.errors import InputError
from core.faults import shown
from core.market.orders import Pair, Side
from core.units import MICROSECOND, MILLISECOND, MONEY, SECOND, Nanos, nearest
from sim.exchange_models import FINEST
from sim.scenario.desk import DeskScenario
from sim.scenario.load import Loaded
from sim.scenario.models import PRICE_LIMIT, Arrivals, Recorded
from sim.scenario.tables import Table, open_table

_SIDES: Final[dict[str, Side]] = {
    "buy": "buy",
    "b": "buy",
    "false": "buy",
    "sell": "sell",
    "s": "sell",
    "true": "sell",
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Row(msgspec.Struct):
    """One row, `offset` after the first."""

    offset: Nanos
    price: Decimal
    quantity: Decimal | None
    side: Side | None


Recordings: TypeAlias = dict[str, list[Row]]
"""Rows by what they are for: `pair.ETHUSDC`, `market_maker.MM1`, `asset.BTCUSDC`."""


class Steps(msgspec.Struct, frozen=True, kw_only=True):
    """What prices and quantities are rounded to."""

    tick: Decimal
    lot: Decimal


class Recording(msgspec.Struct, frozen=True):
    """The rows of a recorded file in order, at least one, and how many were `dropped` for being less than a lot."""

    rows: list[Row]
    dropped: int


def recordings(loaded: Loaded) -> Recordings:
    """The rows of every recorded file of a scenario.

    Rows that come too late are not read: orders once the run's duration is over, prices after its drain. Raises
    InputError, naming row and column, for a file that cannot be used.
    """
    return {what: recording.rows for what, recording in read_recordings(loaded)}


def read_recordings(loaded: Loaded) -> Iterator[tuple[str, Recording]]:
    """The same, each with the count of rows dropped."""
    scenario = loaded.scenario
    if isinstance(scenario, DeskScenario):
        yield from _asset_prices(scenario, loaded.folder)
        return
    pairs = {pair.symbol: pair for pair in scenario.market()}
    duration, drain = int(scenario.run.duration), int(scenario.run.drain)
    for section in scenario.pairs:
        if section.price.replay is not None:
            path = loaded.folder / section.price.replay
            yield f"pair.{section.symbol}", read_recording(path, section.price, pairs[section.symbol], duration + drain)
    for maker in scenario.makers:
        if maker.arrivals.replay is not None:
            path, pair = loaded.folder / maker.arrivals.replay, pairs[scenario.symbols_of(maker)[0]]
            yield f"market_maker.{maker.id}", read_recording(path, maker.arrivals, pair, duration - 1)


def _asset_prices(scenario: DeskScenario, folder: Path) -> Iterator[tuple[str, Recording]]:
    until = int(scenario.run.duration) + int(scenario.run.drain)
    for asset in scenario.assets:
        price = asset.flow.price if asset.flow is not None else None
        if price is not None and price.replay is not None:
            steps = Steps(tick=asset.tick or FINEST, lot=asset.step or FINEST)
            yield f"asset.{asset.symbol}", read_recording(folder / price.replay, price, steps, until)


def read_recording(path: Path, options: Recorded, steps: Pair | Steps, until: Nanos) -> Recording:
    """The rows of one file until `until` after its first; for a price without quantities and sides."""
    scale = options.quantity_scale if isinstance(options, Arrivals) else None
    table = open_table(path, options.columns, quantity=scale is not None)
    rows: list[Row] = []
    dropped = 0
    with localcontext(MONEY):
        for row in islice(_Reader(path, table, steps, scale).rows(), options.limit):
            row.offset //= options.speed
            if row.offset > until:
                break
            if row.quantity == 0:
                dropped += 1
            else:
                rows.append(row)
    if not rows:
        raise InputError(f"{path}: no rows of at least one lot" if dropped else f"{path}: no rows below the header")
    return Recording(rows, dropped)


class _Reader:
    """Reads cells; knows where it is when one cannot be used."""

    def __init__(self, path: Path, table: Table, steps: Pair | Steps, scale: Decimal | None) -> None:
        self._path, self._table, self._steps, self._scale = path, table, steps, scale
        self._number = 0

    def rows(self) -> Iterator[Row]:
        first: Nanos | None = None
        last = 0
        for cells in self._table.rows:
            self._number = cells.number
            at = self._time(cells.time)
            first = at if first is None else first
            if at - first < last:
                raise self._error("time", "goes back behind the row before")
            last = at - first
            yield Row(last, self._price(cells.price), self._quantity(cells.quantity), self._side(cells.side))

    def _time(self, cell: Any) -> Nanos:
        if self._table.exact_time and cell is not None:
            return int(cell)
        try:
            return _nanos(cell)
        except (ArithmeticError, ValueError):
            raise self._error("time", f"expected a date and time or seconds since 1970, got {shown(cell)}") from None

    def _price(self, cell: Any) -> Decimal:
        price = self._amount("price", cell, Decimal(1), self._steps.tick)
        if not 0 < price < PRICE_LIMIT:
            raise self._error("price", f"expected at least one tick and less than {PRICE_LIMIT}, got {shown(cell)}")
        return price

    def _quantity(self, cell: Any) -> Decimal | None:
        return None if self._scale is None else self._amount("quantity", cell, self._scale, self._steps.lot)

    def _side(self, cell: Any) -> Side | None:
        if cell is None or self._scale is None:
            return None
        side = _SIDES.get(str(cell).strip().lower())
        if side is None:
            raise self._error(
                "side", f"expected buy or sell, or true or false for the buyer as maker, got {shown(cell)}"
            )
        return side

    def _amount(self, what: str, cell: Any, scale: Decimal, step: Decimal) -> Decimal:
        try:
            amount = nearest(_decimal(cell) * scale, step)
        except ArithmeticError:
            amount = None
        if amount is None or not amount.is_finite() or amount < 0:
            raise self._error(what, f"expected an amount, got {shown(cell)}")
        return amount

    def _error(self, what: str, problem: str) -> InputError:
        return InputError(f"{self._path}: {self._table.unit} {self._number}: {what}: {problem}")


def _nanos(cell: Any) -> Nanos:
    """A date and time (UTC if it does not say), or a number since 1970 in the unit that its size suggests."""
    try:
        number = _decimal(cell)
    except ArithmeticError:
        moment = datetime.fromisoformat(str(cell).strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return (moment - _EPOCH) // timedelta(microseconds=1) * MICROSECOND
    for unit, most in ((SECOND, 10**11), (MILLISECOND, 10**14), (MICROSECOND, 10**17)):
        if number < most:
            return int(number * unit)
    return int(number)


def _decimal(cell: Any) -> Decimal:
    """Exactly what the file says; of a binary float, the shortest number that stands for it."""
    return Decimal(repr(cell) if isinstance(cell, float) else str(cell).strip())
