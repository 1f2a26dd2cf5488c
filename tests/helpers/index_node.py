"""A whole index node on the SimPy clock: desk, execution and collateral, with exchange, hops and chain around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal, localcontext
from io import BytesIO
from typing import Any, TypeVar

from simpy import Environment

from core.collateral.collateral import Collateral
from core.collateral.records import CHAIN, DepositSeen
from core.collateral.settings import ChainSettings, CollateralSettings, HopSettings
from core.execution.execution import Execution
from core.execution.settings import ExecutionSettings
from core.index import matrix
from core.index.chain import ChainRequest
from core.index.chain_log import ChainLog
from core.index.desk import IndexDesk
from core.index.invariants import answer_violations, violations
from core.index.records import CuratorWeightsSet, IndexOrderAccepted, IndexOrderEnded, NewIndexOrder
from core.index.settings import DeskSettings
from core.index.token_invariants import token_violations
from core.kernel.journal import Header, Journal
from core.kernel.kernel import Kernel, Snapshot
from core.kernel.reader import JournalReader
from core.kernel.record import Effect, Event, Message, Record
from core.kernel.replay import Replayed, replay
from core.market.exchange import EXCHANGE, Instrument, Levels
from core.market.orders import Side
from core.units import MILLISECOND, MONEY, SECOND, Nanos
from core.wiring import CODEC
from sim.driver import SimNode
from sim.exchange import SimExchange
from sim.exchange_models import ExchangeModel, SimMarket
from sim.hop_models import HopFaults, HopModel
from sim.hops import sim_hops
from sim.latency import Constant
from sim.network import Network
from tests.helpers.index_desk import ALICE, BOOKS, WEIGHTS

D = Decimal
R = TypeVar("R", bound=Record)
T1, T2, T3 = (f"T{n}:D{n}:C{n}" for n in (1, 2, 3))
HOME = "EVM:WALLETS:C1"
PERCENT = D("0.01")


def hops(fee_rate: Decimal = PERCENT) -> tuple[HopSettings, ...]:
    """Two hops forward, each at that fee, and a free way back."""
    forward = [HopSettings(name=name, source=a, destination=b, fee_rate=fee_rate) for name, a, b in _FORWARD]
    return (*forward, *(HopSettings(name=name, source=a, destination=b) for name, a, b in _BACK))


_FORWARD = (("T1-T2", T1, T2), ("T2-T3", T2, T3))
_BACK = (("T3-T2", T3, T2), ("T2-T1", T2, T1), ("T1-EVM", T1, HOME))


def collateral_settings(fee_rate: Decimal = PERCENT, **changed: Any) -> CollateralSettings:
    """Collateral of users on chain 1, brought to T3."""
    return CollateralSettings(
        token="USDC",
        chains={"1": ChainSettings(deposit=T1, payout=HOME)},
        destinations={"IX": (T3,)},
        hops=hops(fee_rate),
        **changed,
    )


def _of(faults: HopFaults | Mapping[str, HopFaults] | None, hop: str) -> HopFaults:
    return faults if isinstance(faults, HopFaults) else (faults or {}).get(hop, HopFaults())


def still_market(symbol: str, bids: Levels, asks: Levels) -> SimMarket:
    """A market in which nobody moves, without any filter."""
    return SimMarket(instrument=Instrument(symbol, symbol, "USDC"), bids=bids, asks=asks)


def still_exchange(**changed: Any) -> ExchangeModel:
    """The end-to-end scenario's markets."""
    markets = tuple(still_market(symbol, *sides) for symbol, sides in BOOKS.items())
    return ExchangeModel(markets=markets, latency=Constant(MILLISECOND), **changed)


class IndexNode:
    """One node under all invariants, on a clock of its own."""

    def __init__(
        self,
        settings: DeskSettings,
        exchange: ExchangeModel,
        *,
        collateral: CollateralSettings | None = None,
        execution: ExecutionSettings | None = None,
        faults: HopFaults | Mapping[str, HopFaults] | None = None,
        seed: int = 1,
        watched: bool = True,
    ) -> None:
        """One that is not `watched` keeps nothing of what it does, and nobody looks at it. `faults` are of all hops, or
        of each that is named."""
        self.env, self.settings = Environment(0), settings
        self.desk = IndexDesk("desk", settings)
        self.execution = Execution("execution", execution or ExecutionSettings())
        self.collateral = Collateral("collateral", collateral or collateral_settings())
        self.notes: list[Record] = []
        self.journal = BytesIO()
        journal = Journal("index", self.journal if watched else None)
        journal.open(Header("index", seed, b"", ""))
        self.chain, self.exchange = ChainLog(), SimExchange(self.env, exchange, seed)
        self.restarts = False
        """Whether every component is killed, and taken up again, before every event."""
        self.before_restart: Callable[[], None] = lambda: None
        self.told = 0
        models = [HopModel(settings=hop, faults=_of(faults, hop.name)) for hop in self.collateral.settings.hops]
        self.node = SimNode(
            self.env,
            Kernel(
                "index",
                [self.desk, self.execution, self.collateral],
                journal=journal,
                observer=self._observe if watched else None,
            ),
            Network(lambda _a, _b: lambda: 0),
            on_note=lambda _node, _now, _component, fact: self.notes.append(fact) if watched else None,
            solve=lambda problem: (matrix.plan(problem), MILLISECOND),
            services={EXCHANGE: self.exchange, CHAIN: self._confirm, **sim_hops(self.env, models, seed)},
        )
        self.effects: list[tuple[Nanos, str, list[Effect]]] = []
        self.deposits = 0
        self.exchange.serve(self.node, orders="execution", books="desk")
        self.node.boot()
        self.exchange.start()

    def weigh(self, at: Nanos = 0) -> None:
        """Make the index IX."""
        self.tell(at, "desk", CuratorWeightsSet("IX", WEIGHTS))

    def deposit(self, at: Nanos, amount: str, user: str = ALICE) -> None:
        """Bring collateral to the user's chain."""
        self.tell(at, "collateral", DepositSeen(user, self.deposits, D(amount)), CHAIN)
        self.deposits += 1

    def order(self, at: Nanos, client_id: str, amount: str, side: Side = "buy", *, user: str = ALICE) -> None:
        """Order the index IX."""
        self.tell(at, "desk", NewIndexOrder(user, client_id, "IX", side, D(amount)))

    def tell(self, at: Nanos, dst: str, body: Record, src: str = "world") -> None:
        """Say something to a component then."""
        self.node.post(at, src, dst, Message(src, body))

    def run(self, seconds: float) -> None:
        """Let time pass, up to there."""
        with localcontext(MONEY):
            self.env.run(until=int(seconds * SECOND))

    def facts(self, kind: type[R]) -> list[R]:
        """What was noted of that kind."""
        return [fact for fact in self.notes if isinstance(fact, kind)]

    def snapshot(self) -> Snapshot:
        """The node as it stands."""
        return self.node.kernel.snapshot()

    def replayed(self, since: Snapshot | None = None) -> Replayed:
        """What its journal makes of fresh components, from the start or from a snapshot on."""
        self.node.kernel.snapshot()
        components = (
            IndexDesk("desk", self.settings),
            Execution("execution", self.execution.settings),
            Collateral("collateral", self.collateral.settings),
        )
        reader = JournalReader("index", self.journal.getvalue(), since=since.chain if since is not None else None)
        return replay(reader, components, CODEC, since=since, unfinished=True)

    def audit(self) -> None:
        """Every order has ended once, and nothing is left to do."""
        accepted = [fact.order_id for fact in self.facts(IndexOrderAccepted)]
        ended = [fact.order_id for fact in self.facts(IndexOrderEnded)]
        assert list(answer_violations(accepted, ended, over=True)) == []
        assert not self.desk.state.batches.running
        assert not self.execution.state.orders
        assert token_violations(self.desk.state, self.chain) == []
        assert not any(self.chain.custody.values())

    def _observe(self, _node: str, now: Nanos, dst: str, _event: Event, effects: list[Effect]) -> None:
        states = (self.desk.state, self.settings, self.execution.state, self.collateral.state)
        found = violations(*states)
        assert found == [], found
        self.effects.append((now, dst, effects))
        if self.restarts:
            self.before_restart()
            for component in (self.desk, self.execution, self.collateral):
                component.restore(component.snapshot())

    def _confirm(self, request: ChainRequest) -> tuple[Record, Nanos]:
        now = self.node.now
        return self.chain.submit(now, request) or self.chain.seal(now)[request.key], 2 * SECOND
