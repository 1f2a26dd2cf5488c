"""What the scenario of an index desk may say: the desk itself, its indexes, its users, and the world around.

The tables of the node's components mirror their settings (`sim.scenario.mirrored`).
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec import field

from core.collateral.settings import ChainSettings, CollateralSettings
from core.config import DeskConfig, Duration, Section
from core.execution.settings import ExecutionSettings
from core.index.settings import DeskSettings, IndexSettings
from core.market.orders import Name
from core.units import MILLISECOND
from sim.exchange_models import ExchangeModel
from sim.scenario.desk_market import AssetSection, ChainLogSection, ExchangeSection, HopSection, Rows
from sim.scenario.mirrored import mirror, settings_of
from sim.scenario.models import LatencyTable
from sim.scenario.schema import RunSection
from sim.scenario.users import DeskStep, UserSection

DESK: Final = "desk"
"""The node."""

DeskSection: Any = mirror(DeskSettings, "DeskSection", without=("indexes", "assets"))
ExecutionSection: Any = mirror(ExecutionSettings, "ExecutionSection", without=("desk",))
CollateralSection: Any = mirror(
    CollateralSettings, "CollateralSection", without=("chains", "destinations", "hops", "sources")
)


class ChainSection(Section, frozen=True, kw_only=True):
    """A chain that users are on: where their deposits lie, and where money is theirs again."""

    id: str
    deposit: str
    payout: str


class PlannerSection(Section, frozen=True, kw_only=True):
    """The worker that plans where `desk.planner` is `matrix`."""

    compute: LatencyTable = LatencyTable(constant=Duration(10 * MILLISECOND))
    """How long it thinks about a batch."""


class IndexSection(Section, frozen=True, kw_only=True):
    """An index: what it is made of from the start, and where its assets are paid."""

    symbol: Name
    weights: dict[Name, Decimal] = {}  # noqa: RUF012  # msgspec copies it
    """Of the value; they need not sum to 1."""
    quantities: dict[Name, Decimal] = {}  # noqa: RUF012  # msgspec copies it
    """In one token, instead of weights."""
    asset_order: tuple[Name, ...] = ()
    """All its assets, in the order in which a batch goes through them with `desk.limits.ordering = "basket"`. Empty: by
    symbol, for the order of a table in a file means nothing."""
    target_price: Decimal | None = None
    """What one token of its first basket costs; `desk.target_price` if not given."""
    destinations: tuple[str, ...]
    sources: dict[str, str] = {}  # noqa: RUF012  # msgspec copies it
    """By chain id: where its orders draw on, if not where deposits lie."""

    def settings(self) -> IndexSettings:
        """As the desk has it."""
        weights, quantities = self._ordered(self.weights), self._ordered(self.quantities)
        return IndexSettings(symbol=self.symbol, weights=weights, quantities=quantities, target_price=self.target_price)

    def _ordered(self, amounts: dict[str, Decimal]) -> tuple[tuple[str, Decimal], ...]:
        return tuple((asset, amounts[asset]) for asset in self.asset_order or amounts if asset in amounts)


class DeskScenario(Section, frozen=True, kw_only=True):
    """A whole scenario of an index desk. Assets, indexes, hops and users are in order of their names."""

    run: RunSection
    desk: DeskSection = DeskSection()
    execution: ExecutionSection = ExecutionSection()
    collateral: CollateralSection
    exchange: ExchangeSection = ExchangeSection()
    chain_log: ChainLogSection = ChainLogSection()
    planner: PlannerSection = PlannerSection()
    chains: tuple[ChainSection, ...] = field(name="chain", default=())
    hops: tuple[HopSection, ...] = field(name="hop", default=())
    assets: tuple[AssetSection, ...] = field(name="asset", default=())
    indexes: tuple[IndexSection, ...] = field(name="index", default=())
    users: tuple[UserSection, ...] = field(name="user", default=())
    steps: tuple[DeskStep, ...] = field(name="step", default=())

    def node_config(self) -> DeskConfig:
        """The configuration of the one node."""
        assets = tuple(asset.symbol for asset in self.assets)
        indexes = tuple(index.settings() for index in self.indexes)
        desk = settings_of(self.desk, DeskSettings, indexes=indexes, assets=assets)
        return DeskConfig(
            name=DESK,
            desk=desk,
            execution=settings_of(self.execution, ExecutionSettings, desk=DESK),
            collateral=self._collateral(),
        )

    def exchange_model(self, recorded: Mapping[str, Rows]) -> ExchangeModel:
        """The exchange as the simulator has it; `recorded` are prices by what they are for, as `asset.BTCUSDC`."""
        token = self.collateral.token
        markets = (asset.market(token, recorded.get(f"asset.{asset.symbol}", ())) for asset in self.assets)
        return self.exchange.model(tuple(markets))

    def _collateral(self) -> CollateralSettings:
        chains = {chain.id: ChainSettings(deposit=chain.deposit, payout=chain.payout) for chain in self.chains}
        sources = {f"{chain}:{index.symbol}": at for index in self.indexes for chain, at in index.sources.items()}
        return settings_of(
            self.collateral,
            CollateralSettings,
            chains=chains,
            destinations={index.symbol: index.destinations for index in self.indexes},
            hops=tuple(hop.settings() for hop in self.hops),
            sources=sources,
        )
