"""What a node is made of, as data. The same structures come from scenario files and from venue files.

Numbers that people write with a unit or a fraction are strings in the file (`"250ms"`, `"100.25"`), so
nothing depends on how a float is parsed. Unknown keys are refused; whether what was read can be run is
judged by `core.checks`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta

from core.market.orders import Name, Pair, Token
from core.solver.problem import Params
from core.units import SECOND, format_duration, parse_duration

Count: TypeAlias = Annotated[int, Meta(ge=1)]


class Duration(int):
    """Nanoseconds, written `"250ms"` in a file."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every configuration table."""


class SequencerConfig(Section, frozen=True, kw_only=True):
    """A batch closes at `batch_messages` or at the end of its window, whichever is first."""

    batch_messages: Count = 500
    batch_window: Duration = Duration(SECOND // 2)
    empty_windows_per_block: Annotated[int, Meta(ge=0)] = 0
    """Seal an empty block after this many empty windows in a row; 0 skips empty windows."""
    order_lifetime: Duration = Duration(3 * SECOND)
    """How long an order lives that does not say so itself (TimeInForce Day or GTC)."""


class AuctionConfig(Section, frozen=True, kw_only=True):
    """Phases and penalties. A winner has `fulfil_window` plus `grace` to pay."""

    rule: str = "first_price"
    bid_window: Duration = Duration(SECOND // 5)
    fulfil_window: Duration = Duration(SECOND // 5)
    grace: Duration = Duration(SECOND // 20)
    bond_token: Name
    default_penalty: Decimal
    """Taken from the solver's bond for each default. A bond that would not cover one more makes bids `unbonded`."""


class FixConfig(Section, frozen=True, kw_only=True):
    """The acceptor's side of every session."""

    comp_id: Name = "ROMER"
    message_bytes_max: Count = 65_536


class MemberConfig(Section, frozen=True, kw_only=True):
    """A market maker known to the venue: `id` is its CompID and its account."""

    id: Name
    balance: dict[Name, Decimal] = {}


class SolverAccountConfig(Section, frozen=True, kw_only=True):
    """A solver known to the venue, with what its accounts hold at the start."""

    id: Name
    token: str
    capital: dict[Name, Decimal]
    bond: Decimal


class PulseConfig(Section, frozen=True, kw_only=True):
    """How a dead peer of a solver connection is found: after `interval` of silence it is asked, and has `timeout` to
    answer. An interval of 0s never asks."""

    interval: Duration = Duration(10 * SECOND)
    timeout: Duration = Duration(5 * SECOND)


NO_PULSE: Final = PulseConfig(interval=Duration(0))
"""For links that do not break silently."""


class DoorsConfig(Section, frozen=True, kw_only=True):
    """How many may stand in the venue's doors, and for how long. Those who have not said who they are yield first."""

    fix_connections_max: Count = 1_000
    logon_timeout: Duration = Duration(10 * SECOND)
    solver_connections_max: Count = 256
    """At all three doors together."""
    hello_timeout: Duration = Duration(5 * SECOND)
    waiting_per_address_max: Count = 16
    """Connections of one address without a logon or a hello; the oldest yields to one more."""
    pulse: PulseConfig = PulseConfig()


class VenueConfig(Section, frozen=True, kw_only=True, tag="venue"):
    """Everything the venue node is made of."""

    name: Name = "venue"
    pairs: tuple[Pair, ...]
    sequencer: SequencerConfig
    auction: AuctionConfig
    fix: FixConfig = FixConfig()
    members: tuple[MemberConfig, ...]
    solvers: tuple[SolverAccountConfig, ...]
    doors: DoorsConfig = DoorsConfig()

    def tokens(self) -> dict[str, Token]:
        """Every token of every pair, by id."""
        return {token.id: token for pair in self.pairs for token in (pair.base, pair.quote)}


class MakerConfig(Section, frozen=True, kw_only=True, tag="market_maker"):
    """A market maker node: a FIX initiator and the component that turns order intents into orders."""

    id: Name
    venue_comp_id: Name
    address: str
    heartbeat_interval: Duration = Duration(30 * SECOND)
    reconnect_interval: Duration = Duration(SECOND)


class SolverConfig(Section, frozen=True, kw_only=True, tag="solver"):
    """A solver node: where its venue is, and its strategy, whose name is the type of `params`.

    `address` is of a door for everything; or of the venue's door for orders, and the other two are given too.
    """

    id: Name
    token: str
    address: str
    bids_address: str = ""
    claims_address: str = ""
    params: Params
    reconnect_interval: Duration = Duration(SECOND)
    pulse: PulseConfig = PulseConfig()


NodeConfig: TypeAlias = VenueConfig | MakerConfig | SolverConfig


def decode_custom(kind: type, value: object) -> Any:
    """msgspec `dec_hook` for the types above. Raises ValueError saying what was expected."""
    if kind is not Duration:
        raise NotImplementedError(f"no decoding for {kind}")
    if isinstance(value, str):
        return Duration(parse_duration(value))
    raise ValueError(f'expected a duration such as "250ms", got {value!r}')


def encode_custom(value: object) -> object:
    """msgspec `enc_hook` for the types above: the text that `decode_custom` reads."""
    if isinstance(value, Duration):
        return format_duration(value)
    raise NotImplementedError(f"no encoding for {type(value)}")


def encode_node(config: NodeConfig) -> bytes:
    """A node's configuration as a journal header holds it."""
    return msgspec.msgpack.encode(config, enc_hook=encode_custom)


def decode_node(data: bytes) -> NodeConfig:
    """Read back `encode_node`. Raises msgspec.ValidationError naming the path of what does not fit."""
    config: NodeConfig = msgspec.msgpack.decode(data, type=NodeConfig, dec_hook=decode_custom)
    return config
