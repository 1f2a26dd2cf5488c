"""Which components a node has, and which records they exchange. Both drivers build every node from here."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from core import maker
from core.auction import facts as auction_facts
from core.auction.auction import Auction
from core.auction.settings import AuctionSettings
from core.collateral import facts as collateral_facts
from core.collateral import hops as collateral_hops
from core.collateral import records as collateral_records
from core.collateral.collateral import Collateral
from core.collateral.records import COLLATERAL
from core.config import DeskConfig, IdentityConfig, MakerConfig, NodeConfig, PulseConfig, SolverConfig, VenueConfig
from core.execution import facts as execution_facts
from core.execution import records as execution_records
from core.execution.execution import Execution
from core.execution.records import EXECUTION
from core.fix import records as fix_records
from core.fix.engine import FixEngine
from core.fix.generic import GenericMessage
from core.fix.mailbox import Letter, Taken
from core.fix.message import FixMessage
from core.fix.messages import BusinessMessageReject, ExecutionReport, OrderCancelReject
from core.fix.records import FromPeer, LogonAttempted, SessionClosed, SessionOpened, ToPeer
from core.fix.settings import EngineConfig, SessionConfig
from core.founders import identity_settings
from core.identity import checking as identity_checks
from core.identity import records as identity_records
from core.identity.registrar import Registrar
from core.identity.scheme import key_id
from core.index import basket
from core.index import chain as index_chain
from core.index import facts as index_facts
from core.index import invoices as index_invoices
from core.index import nav as index_nav
from core.index import planning as index_planning
from core.index import records as index_records
from core.index.desk import IndexDesk
from core.kernel.codec import Codec, records_of
from core.kernel.component import Component
from core.maker import MakerSettings, MarketMaker
from core.market import exchange, ledger, orders, world
from core.sequencer import facts as sequencer_facts
from core.sequencer import receipt, signing
from core.sequencer.block import NO_KEY
from core.sequencer.ordering import Ordering
from core.sequencer.permits import MSG_TYPES, Incoming
from core.sequencer.sequencer import Sequencer
from core.sequencer.settings import SequencerSettings
from core.sessions import dialects_of, session_of
from core.solver import facts as solver_facts
from core.solver import protocol
from core.solver.agent import SolverAgent
from core.solver.door import SolverDoor
from core.solver.problem import Problem, Solution
from core.solver.protocol import Door, FromSolver, FromVenue, SolverSaid, TellSolver
from core.solver.pulse import PulseSettings
from core.solver.settings import DoorSettings, SolverAccount, SolverSettings

IDENTITY: Final = "identity"
"""The registrar of a venue whose Logons are signed."""
DESK: Final = "desk"
"""The component of an index desk that users speak to."""

Components: TypeAlias = list[Component[Any]]
AnyMessage: TypeAlias = Incoming | ExecutionReport | OrderCancelReject | BusinessMessageReject | GenericMessage


def components(config: NodeConfig, seed: int) -> Components:
    """The components of a node, in the order in which they start. `seed` is the run's."""
    if isinstance(config, VenueConfig):
        return _venue(config)
    if isinstance(config, MakerConfig):
        return _maker(config)
    if isinstance(config, DeskConfig):
        return _desk(config)
    return [_solver(config, seed)]


def node_name(config: NodeConfig) -> str:
    """What a node is called in journals and results."""
    return config.name if isinstance(config, VenueConfig | DeskConfig) else config.id


def _venue(config: VenueConfig) -> Components:
    solvers = {account.id: account for account in config.solvers}
    door = DoorSettings(
        venue=config.name,
        solvers={name: SolverAccount(token=each.token, capital=each.capital) for name, each in solvers.items()},
        hello_timeout=int(config.doors.hello_timeout),
        connections_max=config.doors.solver_connections_max,
        waiting_per_address_max=config.doors.waiting_per_address_max,
        pulse=_pulse(config.doors.pulse),
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
    signed = config.identity or IdentityConfig()
    sequencer = SequencerSettings(
        pairs=config.pairs,
        batch_messages=config.sequencer.batch_messages,
        batch_window=int(config.sequencer.batch_window),
        empty_windows_per_block=config.sequencer.empty_windows_per_block,
        order_lifetime=int(config.sequencer.order_lifetime),
        ordering=Ordering(config.sequencer.ordering, int(config.sequencer.head_start), config.sequencer.express),
        receipt_blocks=config.sequencer.receipt_blocks,
        key_id=key_id(bytes.fromhex(config.signer)) if config.signer else NO_KEY,
        check_timeout=int(signed.check_timeout),
        transact_time_ahead_max=int(signed.receive_window),
    )
    identity = identity_settings(config)
    return [
        FixEngine("fix", _acceptor(config)),
        Sequencer("sequencer", sequencer),
        Auction("auction", auction),
        SolverDoor("solvers", door),
        *([Registrar(IDENTITY, identity)] if identity is not None else []),
    ]


def _acceptor(config: VenueConfig) -> EngineConfig:
    return EngineConfig(
        role="acceptor",
        comp_id=config.fix.comp_id,
        sessions=tuple(session_of(config, member) for member in config.members),
        app="sequencer",
        app_messages=MSG_TYPES,
        authenticator="" if config.identity is None else IDENTITY,
        authentication_timeout=int(config.doors.authentication_timeout),
        message_bytes_max=config.fix.message_bytes_max,
        fields_max=config.fix.fields_max,
        logon_timeout=int(config.doors.logon_timeout),
        connections_max=config.doors.fix_connections_max,
        waiting_per_address_max=config.doors.waiting_per_address_max,
        dialects=dialects_of(config),
    )


def _maker(config: MakerConfig) -> Components:
    session = SessionConfig(
        target_comp_id=config.venue_comp_id,
        addresses=(config.address,),
        heartbeat_interval=int(config.heartbeat_interval),
        reconnect_interval=int(config.reconnect_interval),
    )
    initiator = EngineConfig(
        role="initiator",
        comp_id=config.id,
        sessions=(session,),
        app="maker",
        app_messages=_types(ExecutionReport, OrderCancelReject, BusinessMessageReject),
    )
    settings = MakerSettings(comp_id=config.id, session=config.venue_comp_id)
    return [FixEngine("fix", initiator), MarketMaker("maker", settings)]


def _solver(config: SolverConfig, seed: int) -> Component[Any]:
    settings = SolverSettings(
        solver=config.id,
        token=config.token,
        addresses=_addresses(config),
        params=config.params,
        seed=seed,
        reconnect_interval=int(config.reconnect_interval),
        pulse=_pulse(config.pulse),
    )
    return SolverAgent("solver", settings)


def _desk(config: DeskConfig) -> Components:
    return [
        IndexDesk(DESK, config.desk),
        Execution(EXECUTION, config.execution),
        Collateral(COLLATERAL, config.collateral),
    ]


def _addresses(config: SolverConfig) -> dict[Door, str]:
    if not config.bids_address:
        return {Door.ALL: config.address}
    return {Door.ORDERS: config.address, Door.BIDS: config.bids_address, Door.CLAIMS: config.claims_address}


def _pulse(config: PulseConfig) -> PulseSettings:
    return PulseSettings(interval=int(config.interval), timeout=int(config.timeout))


def _types(*messages: type[FixMessage]) -> tuple[str, ...]:
    return tuple(message.MSG_TYPE for message in messages)


_IDENTITY: Final = (identity_records, identity_checks)
_SEQUENCER: Final = (sequencer_facts, receipt, signing)
_DESK: Final = (
    exchange,
    execution_facts,
    execution_records,
    collateral_facts,
    collateral_hops,
    collateral_records,
    index_chain,
    index_facts,
    index_invoices,
    index_nav,
    index_planning,
    index_records,
    basket,
)
_MODULES: Final = (
    orders,
    world,
    ledger,
    fix_records,
    *_IDENTITY,
    *_SEQUENCER,
    auction_facts,
    solver_facts,
    protocol,
    maker,
    *_DESK,
)

CODEC: Final = Codec(
    (
        *(kind for module in _MODULES for kind in records_of(module) if kind is not FixMessage),
        FromPeer[AnyMessage],
        ToPeer[AnyMessage],
        Letter[FromPeer[AnyMessage] | SessionOpened | SessionClosed | LogonAttempted],
        Taken,
        SolverSaid[FromSolver],
        TellSolver[FromVenue],
        Problem,
        Solution,
    )
)
"""Reads every journal and snapshot of every node, and journals of engines in other programs."""
