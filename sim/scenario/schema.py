"""What a scenario file may say, table by table. Unknown keys are refused; money is a string, never a float.

A table that chooses a model has exactly one of the keys that name models: `{constant = "2000"}`,
`{poisson = "20ms"}`. A latency may also be written as a bare duration. Arrays of tables have singular
names in the file (`[[market_maker]]`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, field

from core.config import (
    NO_PULSE,
    AuctionConfig,
    DoorsConfig,
    Duration,
    FixConfig,
    MakerConfig,
    MemberConfig,
    Section,
    SequencerConfig,
    SolverAccountConfig,
    SolverConfig,
    VenueConfig,
)
from core.kernel.agenda import Ties
from core.market.orders import Name, Pair, Token
from core.solver.problem import Bps, Params, PerMille
from core.solver.strategies.registry import STRATEGIES
from core.units import MILLISECOND, SECOND
from sim.keys import public_half
from sim.latency import Latency
from sim.scenario.custom import Instant
from sim.scenario.identity import IdentitySection, KeySection
from sim.scenario.models import Arrivals, LatencyTable, Price, above_zero

VENUE: Final = "venue"
DEFAULT_STRATEGY: Final = "cost_plus"


class RunSection(Section, frozen=True, kw_only=True):
    """How long the market is open, and what fixes the run."""

    name: Name | None = None
    description: str = ""
    seed: Annotated[int, Meta(ge=0)] = 1
    duration: Duration
    """Market time during which orders arrive."""
    drain: Duration = Duration(5 * SECOND)
    """Market time after the last arrival and before `Stop`, in which open orders come to their end."""
    ties: Ties = "fifo"
    start: Instant = Instant(1_704_067_200 * SECOND)

    def __post_init__(self) -> None:
        above_zero(duration=self.duration)


class TokenSection(Section, frozen=True, kw_only=True):
    """Something that is traded; its amounts are multiples of 10**-decimals."""

    id: Name
    decimals: Annotated[int, Meta(ge=0, le=18)]


class PairSection(Section, frozen=True, kw_only=True):
    """Two tokens under one symbol; prices are quote per base on `tick`, quantities are base on `lot`."""

    symbol: Name
    base: Name
    quote: Name
    tick: Decimal
    lot: Decimal
    quantity_max: Decimal
    price: Price


class NetworkSection(Section, frozen=True, kw_only=True):
    """One-way delay of every link that does not have its own."""

    latency: LatencyTable = LatencyTable(constant=Duration(MILLISECOND))


class Quantity(Section, frozen=True, kw_only=True):
    """Order sizes, uniform between two amounts of the base token and rounded to the lot."""

    min: Decimal = Decimal("0.01")
    max: Decimal = Decimal(1)


class Offset(Section, frozen=True, kw_only=True):
    """How far past the reference price a limit is, uniform, positive in the direction that makes it fillable."""

    min: Bps = -5
    max: Bps = 20


class MarketMaker(Section, frozen=True, kw_only=True):
    """A FIX client of the venue and the orders that it sends, each for a pair chosen evenly from `symbols`."""

    id: Name
    balance: dict[Name, Decimal]
    arrivals: Arrivals
    symbols: tuple[Name, ...] = ()
    """Empty: every pair."""
    quantity: Quantity = Quantity()
    limit_offset_bps: Offset = Offset()
    buy_per_mille: PerMille = 500
    cancel_per_mille: PerMille = 0
    """The chance after each order that an earlier one is cancelled."""
    immediate_per_mille: PerMille = 0
    """The share of orders that live for one auction only (IOC)."""
    whole_per_mille: PerMille = 0
    """The share of those that are filled as a whole or not at all (FOK)."""
    order_lifetime: Duration | None = None
    """Left to the venue if not given."""
    latency: LatencyTable | None = None
    heartbeat_interval: Duration = Duration(30 * SECOND)
    reconnect_interval: Duration = Duration(SECOND)
    key: KeySection | None = None
    """Without it, it has none from the start."""

    def __post_init__(self) -> None:
        above_zero(order_lifetime=self.order_lifetime)


class Solver(Section, frozen=True, kw_only=True):
    """A solver, what it can spend, and how fast it is."""

    id: Name
    token: str | None = None
    """The secret it shows the venue; made from its id if not given."""
    strategy: str = DEFAULT_STRATEGY
    params: dict[str, Any] = {}  # noqa: RUF012  # msgspec copies it
    capital: dict[Name, Decimal]
    bond: Decimal
    latency: LatencyTable | None = None
    compute: LatencyTable = LatencyTable(constant=Duration(MILLISECOND))
    """How long it thinks about a batch."""
    reconnect_interval: Duration = Duration(SECOND)

    def strategy_params(self) -> Params:
        """`params` as its strategy takes them. Raises msgspec.ValidationError for what it does not take."""
        kind: Any = STRATEGIES[self.strategy].params
        params: Params = msgspec.convert(self.params, kind)
        return params


class SignerSection(Section, frozen=True, kw_only=True):
    """The venue signs its blocks, with a key that follows from the seed."""

    sign: Duration = Duration(MILLISECOND)
    """How long a signature takes. Blocks do not wait for it."""


class Scenario(Section, frozen=True, kw_only=True):
    """A whole scenario. Tokens, pairs, makers and solvers are in order of their ids, so that the order in
    which a file lists them means nothing."""

    run: RunSection
    tokens: tuple[TokenSection, ...] = field(name="token", default=())
    pairs: tuple[PairSection, ...] = field(name="pair", default=())
    sequencer: SequencerConfig = SequencerConfig()
    auction: AuctionConfig
    fix: FixConfig = FixConfig()
    network: NetworkSection = NetworkSection()
    identity: IdentitySection | None = None
    signer: SignerSection | None = None
    makers: tuple[MarketMaker, ...] = field(name="market_maker", default=())
    solvers: tuple[Solver, ...] = field(name="solver", default=())

    def market(self) -> tuple[Pair, ...]:
        """The pairs as core knows them."""
        tokens = {token.id: Token(token.id, token.decimals) for token in self.tokens}
        return tuple(
            Pair(pair.symbol, tokens[pair.base], tokens[pair.quote], pair.tick, pair.lot, pair.quantity_max)
            for pair in self.pairs
        )

    def symbols_of(self, maker: MarketMaker) -> tuple[str, ...]:
        """The pairs that a market maker trades."""
        return maker.symbols or tuple(pair.symbol for pair in self.pairs)

    def latency_of(self, node: MarketMaker | Solver) -> Latency:
        """The latency of a node's link to the venue, each way."""
        return (node.latency or self.network.latency).model()

    def node_configs(self) -> tuple[VenueConfig, list[MakerConfig], list[SolverConfig]]:
        """The configuration of every node: the venue, then makers and solvers in order of their ids."""
        members = tuple(_member(maker, self.run.seed) for maker in self.makers)
        accounts = tuple(
            SolverAccountConfig(id=solver.id, token=_token(solver), capital=solver.capital, bond=solver.bond)
            for solver in self.solvers
        )
        venue = VenueConfig(
            name=VENUE,
            pairs=self.market(),
            sequencer=self.sequencer,
            auction=self.auction,
            fix=self.fix,
            members=members,
            solvers=accounts,
            doors=DoorsConfig(pulse=NO_PULSE),
            identity=self.identity.config() if self.identity is not None else None,
            signer=public_half(self.run.seed, VENUE)[0].hex() if self.signer is not None else "",
        )
        makers = [_maker_config(maker, self.fix.comp_id) for maker in self.makers]
        return venue, makers, [_solver_config(solver) for solver in self.solvers]


def _member(maker: MarketMaker, seed: int) -> MemberConfig:
    key = maker.key.config(seed, maker.id) if maker.key is not None else None
    return MemberConfig(id=maker.id, balance=maker.balance, key=key)


def _maker_config(maker: MarketMaker, venue_comp_id: str) -> MakerConfig:
    return MakerConfig(
        id=maker.id,
        venue_comp_id=venue_comp_id,
        address=f"{VENUE}/fix",
        heartbeat_interval=maker.heartbeat_interval,
        reconnect_interval=maker.reconnect_interval,
    )


def _solver_config(solver: Solver) -> SolverConfig:
    return SolverConfig(
        id=solver.id,
        token=_token(solver),
        address=f"{VENUE}/solvers",
        params=solver.strategy_params(),
        reconnect_interval=solver.reconnect_interval,
        pulse=NO_PULSE,
    )


def _token(solver: Solver) -> str:
    return solver.token or f"token of {solver.id}"
