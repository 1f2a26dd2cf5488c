"""The file that `romer-live run` reads: a venue, those who trade there, and what they are told to want.

    [venue]            core.config.VenueConfig
    [[market_maker]]   core.config.MakerConfig
    [[solver]]         core.config.SolverConfig
    [[price]]          symbol, price, every: what all solvers are told, again and again
    [[order]]          market_maker, symbol, side, quantity, limit_price, every: what it wants, again and again

An `address` is a door of the venue in this file, such as `venue/fix` or `venue/solvers`, or `host:port`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from core.config import Duration, MakerConfig, Name, NodeConfig, Section, SolverConfig, VenueConfig, decode_custom
from core.errors import InputError
from core.kernel.record import Record
from core.market.orders import Side
from core.market.world import OrderWanted, PriceMoved
from core.units import SECOND, Nanos

DOORS: Final = ("fix", "solvers")
"""The components of a venue that listen."""


class Telling(NamedTuple):
    """What the world tells a component, at the start and then once `every` so long."""

    node: str
    component: str
    body: Record
    every: Nanos


class PriceSection(Section, frozen=True, kw_only=True):
    """A reference price."""

    symbol: Name
    price: Decimal
    every: Duration = Duration(SECOND)


class OrderSection(Section, frozen=True, kw_only=True):
    """An order that a market maker wants."""

    market_maker: Name
    symbol: Name
    side: Side
    quantity: Decimal
    limit_price: Decimal
    every: Duration = Duration(SECOND)


class MarketFile(Section, frozen=True, kw_only=True):
    """The whole file."""

    venue: VenueConfig
    seed: int = 1
    makers: tuple[MakerConfig, ...] = msgspec.field(default=(), name="market_maker")
    solvers: tuple[SolverConfig, ...] = msgspec.field(default=(), name="solver")
    prices: tuple[PriceSection, ...] = msgspec.field(default=(), name="price")
    orders: tuple[OrderSection, ...] = msgspec.field(default=(), name="order")

    def traders(self) -> tuple[MakerConfig | SolverConfig, ...]:
        """Everyone who dials the venue."""
        return (*self.makers, *self.solvers)

    def nodes(self) -> dict[str, NodeConfig]:
        """Every node by name, the venue first: it has to listen before the others dial."""
        return {self.venue.name: self.venue, **{node.id: node for node in self.traders()}}

    def tellings(self) -> Iterator[Telling]:
        """What the world tells whom."""
        for price in self.prices:
            for solver in self.solvers:
                yield Telling(solver.id, "solver", PriceMoved(price.symbol, price.price), price.every)
        for order in self.orders:
            wanted = OrderWanted(order.symbol, order.side, order.quantity, order.limit_price)
            yield Telling(order.market_maker, "maker", wanted, order.every)


def load(path: Path) -> MarketFile:
    """Read and check a file. Raises InputError that names the key which does not fit."""
    try:
        file = msgspec.toml.decode(path.read_bytes(), type=MarketFile, dec_hook=decode_custom)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: {error}") from None
    for problem in _problems(file):
        raise InputError(f"{path}: {problem}")
    return file


def _problems(file: MarketFile) -> Iterator[str]:
    names = [file.venue.name, *(node.id for node in file.traders())]
    for name in names:
        if names.count(name) > 1:
            yield f'two nodes are called "{name}", and each needs a journal of its own'
    doors = [f"{file.venue.name}/{door}" for door in DOORS]
    for node in file.traders():
        _, colon, port = node.address.rpartition(":")
        if node.address not in doors and not (colon and port.isdecimal()):
            yield f'{node.id}: address "{node.address}" is neither {" nor ".join(doors)} nor host:port'
    makers = [maker.id for maker in file.makers]
    for order in file.orders:
        if order.market_maker not in makers:
            yield f'order: there is no market maker "{order.market_maker}"'
    if any(telling.every <= 0 for telling in file.tellings()):
        yield "`every` must be above zero"
