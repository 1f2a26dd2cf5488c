"""Which components a node has, and which records they exchange. Both drivers build every node from here."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final, TypeAlias

from core import maker
from core.auction import facts as auction_facts
from core.auction.auction import Auction
from core.auction.settings import AuctionSettings
from core.config import MakerConfig, NodeConfig, SolverConfig, VenueConfig
from core.fix import records as fix_records
from core.fix.engine import FixEngine
from core.fix.messages import (
    BusinessMessageReject,
    ExecutionReport,
    NewOrderSingle,
    OrderCancelReject,
    OrderCancelRequest,
)
from core.fix.records import FixMessage, FromPeer, ToPeer
from core.fix.settings import EngineConfig, SessionConfig
from core.kernel.codec import Codec
from core.kernel.component import Component
from core.kernel.record import Record
from core.maker import MakerSettings, MarketMaker
from core.market import ledger, orders, world
from core.sequencer import facts as sequencer_facts
from core.sequencer.sequencer import Sequencer
from core.sequencer.settings import SequencerSettings
from core.solver import facts as solver_facts
from core.solver import protocol
from core.solver.agent import SolverAgent
from core.solver.door import SolverDoor
from core.solver.problem import Problem, Solution
from core.solver.protocol import FromSolver, FromVenue, SolverSaid, TellSolver
from core.solver.settings import DoorSettings, SolverAccount, SolverSettings

Components: TypeAlias = list[Component[Any]]
AnyMessage: TypeAlias = (
    NewOrderSingle | OrderCancelRequest | ExecutionReport | OrderCancelReject | BusinessMessageReject
)


def components(config: NodeConfig, seed: int) -> Components:
    """The components of a node, in the order in which they start. `seed` is the run's."""
    if isinstance(config, VenueConfig):
        return _venue(config)
    if isinstance(config, MakerConfig):
        return _maker(config)
    return [_solver(config, seed)]


def node_name(config: NodeConfig) -> str:
    """What a node is called in journals and results."""
    return config.name if isinstance(config, VenueConfig) else config.id


def _venue(config: VenueConfig) -> Components:
    solvers = {account.id: account for account in config.solvers}
    door = DoorSettings(
        venue=config.name,
        solvers={name: SolverAccount(token=each.token, capital=each.capital) for name, each in solvers.items()},
    )
    auction = AuctionSettings(
        rule=config.auction.rule,
        bid_window=int(config.auction.bid_window),
        fulfil_window=int(config.auction.fulfil_window),
        grace=int(config.auction.grace),
        bond_token=config.auction.bond_token,
        default_penalty=config.auction.default_penalty,
        pairs=config.pairs,
        members={member.id: member.balance for member in config.members},
        capital={name: account.capital for name, account in solvers.items()},
        bonds={name: account.bond for name, account in solvers.items()},
    )
    sequencer = SequencerSettings(
        pairs=config.pairs,
        batch_messages=config.sequencer.batch_messages,
        batch_window=int(config.sequencer.batch_window),
        empty_windows_per_block=config.sequencer.empty_windows_per_block,
        order_lifetime=int(config.sequencer.order_lifetime),
    )
    return [
        FixEngine("fix", _acceptor(config)),
        Sequencer("sequencer", sequencer),
        Auction("auction", auction),
        SolverDoor("solvers", door),
    ]


def _acceptor(config: VenueConfig) -> EngineConfig:
    return EngineConfig(
        role="acceptor",
        comp_id=config.fix.comp_id,
        sessions=tuple(SessionConfig(target_comp_id=member.id) for member in config.members),
        app="sequencer",
        app_messages=_types(NewOrderSingle, OrderCancelRequest),
        message_bytes_max=config.fix.message_bytes_max,
    )


def _maker(config: MakerConfig) -> Components:
    initiator = EngineConfig(
        role="initiator",
        comp_id=config.id,
        sessions=(SessionConfig(target_comp_id=config.venue_comp_id, address=config.address),),
        app="maker",
        app_messages=_types(ExecutionReport, OrderCancelReject, BusinessMessageReject),
        heartbeat_interval=int(config.heartbeat_interval),
        reconnect_interval=int(config.reconnect_interval),
    )
    settings = MakerSettings(comp_id=config.id, session=config.venue_comp_id)
    return [FixEngine("fix", initiator), MarketMaker("maker", settings)]


def _solver(config: SolverConfig, seed: int) -> Component[Any]:
    settings = SolverSettings(
        solver=config.id,
        token=config.token,
        address=config.address,
        params=config.params,
        seed=seed,
        reconnect_interval=int(config.reconnect_interval),
    )
    return SolverAgent("solver", settings)


def _types(*messages: type[FixMessage]) -> tuple[str, ...]:
    return tuple(message.MSG_TYPE for message in messages)


def _records_of(module: ModuleType) -> list[type[Record]]:
    """The records that a module defines, generic ones left to be named with what they carry."""
    return [
        kind
        for kind in vars(module).values()
        if isinstance(kind, type)
        and issubclass(kind, Record)
        and kind.__module__ == module.__name__
        and not getattr(kind, "__parameters__", ())
    ]


_MODULES: Final = (orders, world, ledger, fix_records, sequencer_facts, auction_facts, solver_facts, protocol, maker)

CODEC: Final = Codec(
    (
        *(kind for module in _MODULES for kind in _records_of(module) if kind is not FixMessage),
        FromPeer[AnyMessage],
        ToPeer[AnyMessage],
        SolverSaid[FromSolver],
        TellSolver[FromVenue],
        Problem,
        Solution,
    )
)
"""Reads every journal and snapshot of every node."""
