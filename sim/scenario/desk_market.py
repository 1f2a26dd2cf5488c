"""The tables of an index scenario about the world that the desk deals with: assets, exchange, hops, chain."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta, field

from core.collateral.settings import BridgeSettings, Confirmations, HopSettings
from core.config import Duration, Section
from core.market.exchange import USUAL_LIMITS, Instrument, RateLimit
from core.market.orders import Name
from core.solver.problem import PerMille
from core.units import MILLISECOND, SECOND, Nanos
from sim.chain_models import Declinable
from sim.exchange_models import (
    QUOTE,
    ExchangeModel,
    Faults,
    Flow,
    Outage,
    Played,
    ScriptedFill,
    SimMarket,
    Transfer,
)
from sim.hop_models import BridgeModel, HopFaults, HopModel
from sim.scenario.mirrored import mirror, settings_of
from sim.scenario.models import FlowPrice, LatencyTable

Distance: TypeAlias = Annotated[int, Meta(ge=0, lt=10_000)]
"""In basis points."""
Level: TypeAlias = tuple[Decimal, Decimal]
Rows: TypeAlias = Sequence[tuple[Nanos, Decimal]]
"""Of a recording: how long after its first row, and the price."""

FaultsSection: Any = mirror(Faults, "FaultsSection")
HopFaultsSection: Any = mirror(HopFaults, "HopFaultsSection")
RelaySection: Any = mirror(BridgeModel, "RelaySection")


class BookSection(Section, frozen=True, kw_only=True):
    """What stands in an asset's book at the start: [price, quantity] of each level, best first."""

    bids: tuple[Level, ...] = ()
    asks: tuple[Level, ...] = ()
    last: Level | None = None
    """A trade at the start."""


class FlowSection(Section, frozen=True, kw_only=True):
    """Everybody else: a ladder of orders around a moving price, drawn anew at every tick of it."""

    price: FlowPrice
    levels: Annotated[int, Meta(ge=1, le=100)] = 5
    spread_bps: Distance = 10
    """From the price to the first level of each side."""
    step_bps: Distance = 10
    """From each level to the next."""
    quantity: Decimal
    """The most that stands at a level."""
    takers_per_mille: PerMille = 100
    """How often a tick brings somebody who takes up to half a level."""

    def model(self, rows: Rows) -> Flow:
        """As the simulator has it, with the rows of its recording."""
        return Flow(
            path=self.price.model() or Played(rows=rows, tick=int(self.price.tick)),
            levels=self.levels,
            spread_bps=self.spread_bps,
            step_bps=self.step_bps,
            quantity=self.quantity,
            takers_per_mille=self.takers_per_mille,
        )


class AssetSection(Section, frozen=True, kw_only=True):
    """Something that the exchange trades, with the filters that its orders must pass; zero is none."""

    symbol: Name
    base: Name | None = None
    """What it is called when it is held; its symbol if not given."""
    tick: Decimal = Decimal(0)
    price_min: Decimal = Decimal(0)
    price_max: Decimal = Decimal(0)
    step: Decimal = Decimal(0)
    quantity_min: Decimal = Decimal(0)
    quantity_max: Decimal = Decimal(0)
    notional_min: Decimal = Decimal(0)
    notional_max: Decimal = Decimal(0)
    book: BookSection = BookSection()
    flow: FlowSection | None = None

    def instrument(self, quote: str) -> Instrument:
        """As the exchange offers it."""
        return Instrument(
            self.symbol,
            self.base or self.symbol,
            quote,
            tick=self.tick,
            price_min=self.price_min,
            price_max=self.price_max,
            step=self.step,
            quantity_min=self.quantity_min,
            quantity_max=self.quantity_max,
            notional_min=self.notional_min,
            notional_max=self.notional_max,
        )

    def market(self, quote: str, rows: Rows = ()) -> SimMarket:
        """As the simulated exchange has it; `rows` are those of the recording that its flow follows, if it does."""
        last = self.book.last
        return SimMarket(
            instrument=self.instrument(quote),
            bids=self.book.bids,
            asks=self.book.asks,
            last=last[0] if last is not None else None,
            last_quantity=last[1] if last is not None else Decimal(1),
            flow=None if self.flow is None else self.flow.model(rows),
        )


class OutageSection(Section, frozen=True, kw_only=True):
    """From `at` after the start, for `span`, there is no session with the exchange."""

    at: Duration
    span: Duration


class LimitSection(Section, frozen=True, kw_only=True):
    """How many orders the exchange takes within any time of that length."""

    orders: Annotated[int, Meta(ge=1)]
    period: Duration


class TransferSection(Section, frozen=True, kw_only=True):
    """Somebody who is not the desk brings an asset to the account at the exchange, or takes it away."""

    at: Duration
    asset: Name
    way: Literal["in", "out"]
    quantity: Decimal

    def model(self) -> Transfer:
        """As the simulator has it."""
        return Transfer(int(self.at), self.asset, self.quantity if self.way == "in" else -self.quantity)


class ExchangeSection(Section, frozen=True, kw_only=True):
    """The exchange that the desk trades at."""

    latency: LatencyTable = LatencyTable(constant=Duration(MILLISECOND))
    """Each way, of requests, replies and messages."""
    maker_bps: Decimal = Decimal(0)
    taker_bps: Decimal = Decimal(10)
    commission: Name = QUOTE
    """What fees are taken in: `quote`, `base`, or what an asset is called when it is held."""
    balance: dict[Name, Decimal] = {}  # noqa: RUF012  # msgspec copies it
    credit: bool = True
    """Whether no order is refused for want of a balance. What hops bring to where assets are paid is in the account."""
    limits: tuple[LimitSection, ...] = field(name="limit", default=())
    """How many orders it takes; if none is given, 100 in 10 s and 200,000 in a day."""
    faults: FaultsSection = FaultsSection()
    outages: tuple[OutageSection, ...] = field(name="outage", default=())
    transfers: tuple[TransferSection, ...] = field(name="transfer", default=())
    script: tuple[tuple[Level, ...], ...] = ()
    """If given, orders do not meet the book: by order, [share of the quantity, factor of the limit price] of each of
    its trades; the last entry serves all orders that follow, and what is left expires."""
    script_gap: Duration = Duration(MILLISECOND)

    def model(self, markets: tuple[SimMarket, ...]) -> ExchangeModel:
        """As the simulator has it."""
        return ExchangeModel(
            markets=markets,
            latency=self.latency.model(),
            maker_bps=self.maker_bps,
            taker_bps=self.taker_bps,
            commission=self.commission,
            balances=self.balance,
            credit=self.credit,
            limits=tuple(RateLimit(each.orders, int(each.period)) for each in self.limits) or USUAL_LIMITS,
            faults=settings_of(self.faults, Faults),
            outages=tuple(Outage(int(outage.at), int(outage.span)) for outage in self.outages),
            transfers=tuple(transfer.model() for transfer in self.transfers),
            script=tuple(tuple(ScriptedFill(*fill) for fill in fills) for fills in self.script),
            script_gap_ns=int(self.script_gap),
        )


class ChainLogSection(Section, frozen=True, kw_only=True):
    """The chain that index tokens live on."""

    latency: LatencyTable = LatencyTable(constant=Duration(SECOND))
    """From a request to its confirmation."""
    refused_per_mille: PerMille = 0
    """The chance that it refuses, for the moment,"""
    lost_per_mille: PerMille = 0
    """and that an answer is lost."""
    declined_per_mille: PerMille = 0
    """The chance that it declines a request, for good,"""
    declined: tuple[Declinable, ...] = ("mint", "burn", "return", "weights", "invoice")
    """if it is one of these."""


class ConfirmationSection(Section, frozen=True, kw_only=True):
    """How many blocks make a deposit of up to `value` certain; without a value, any deposit."""

    value: Decimal | None = None
    blocks: Annotated[int, Meta(ge=1)]


class BridgeSection(Section, frozen=True, kw_only=True):
    """What makes a hop a bridge, for the desk."""

    confirmations: tuple[ConfirmationSection, ...]
    """By rising value; the last has none."""
    fill_time_min: Duration = Duration(30 * SECOND)
    """A suggestion whose deadline is nearer is not taken."""

    def settings(self) -> BridgeSettings:
        """As the desk has it."""
        steps = tuple(Confirmations(step.value, step.blocks) for step in self.confirmations)
        return BridgeSettings(confirmations=steps, fill_time_min=int(self.fill_time_min))


class HopSection(Section, frozen=True, kw_only=True):
    """A hop in one direction: as the desk plans with it, and how it behaves."""

    name: Name
    source: str
    destination: str
    fee_flat: Decimal = Decimal(0)
    fee_rate: Decimal = Decimal(0)
    """Of the amount."""
    fee_share_max: Decimal = Decimal("0.1")
    """Of the amount. Nothing is sent over a hop that is expected to keep more, a bridge that suggests more is not used,
    and a hop that charges more is noted."""
    latency: LatencyTable = LatencyTable(constant=Duration(SECOND))
    """How long money is under way,"""
    latency_expected: Duration = Duration(SECOND)
    """and how long the desk thinks it is."""
    amount_min: Decimal = Decimal(0)
    amount_max: Decimal | None = None
    capacity: Decimal | None = None
    """How much may be under way at once."""
    reply_timeout: Duration = Duration(3 * SECOND)
    """So long after a request without an answer, the hop is asked what became of it, or for its terms again."""
    poll: Duration = Duration(30 * SECOND)
    """How often a hop that has money under way is asked how it is going."""
    faults: HopFaultsSection = HopFaultsSection()
    bridge: BridgeSection | None = None
    """What makes it a bridge, for the desk."""
    relay: RelaySection = RelaySection()
    """How the bridge behaves, if it is one."""

    def model(self) -> HopModel:
        """As the simulator has it."""
        return HopModel(
            settings=self.settings(),
            latency=self.latency.model(),
            faults=settings_of(self.faults, HopFaults),
            bridge=settings_of(self.relay, BridgeModel),
        )

    def settings(self) -> HopSettings:
        """As the desk has it."""
        return HopSettings(
            name=self.name,
            source=self.source,
            destination=self.destination,
            fee_flat=self.fee_flat,
            fee_rate=self.fee_rate,
            fee_share_max=self.fee_share_max,
            latency=int(self.latency_expected),
            amount_min=self.amount_min,
            amount_max=self.amount_max,
            capacity=self.capacity,
            reply_timeout=int(self.reply_timeout),
            poll=int(self.poll),
            bridge=None if self.bridge is None else self.bridge.settings(),
        )
