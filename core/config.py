"""What a node is made of, as data. The same structures come from scenario files and from venue files.

Numbers that people write with a unit or a fraction are strings in the file (`"250ms"`, `"100.25"`), so
nothing depends on how a float is parsed. Unknown keys are refused; whether what was read can be run is
judged by `core.checks`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Final, Literal, Self, TypeAlias

import msgspec
from msgspec import Meta

from core.collateral.settings import CollateralSettings
from core.execution.settings import ExecutionSettings
from core.faults import shown
from core.fix.quickfix_names import clock
from core.fix.schedule import Zone
from core.identity.records import Permissions, Signing
from core.index.settings import DeskSettings
from core.market.orders import Name, Pair, Token
from core.sequencer.ordering import Policy
from core.solver.problem import Params
from core.units import SECOND, Nanos, format_duration, parse_duration

Count: TypeAlias = Annotated[int, Meta(ge=1)]
Limit: TypeAlias = Annotated[int, Meta(ge=0)]
Weekday: TypeAlias = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


class Duration(int):
    """Nanoseconds, written `"250ms"` in a file. `written` is how it was, for those who wrote it."""

    written: str

    def __new__(cls, span: Nanos = 0, written: str = "") -> Self:
        """A span, as it was written or in its shortest form."""
        duration = super().__new__(cls, span)
        duration.written = written or format_duration(span)
        return duration


class Clock(int):
    """Seconds of the day, written `"08:30:00"` in a file."""


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
    ordering: Policy = "fifo"
    """In which order the messages of a block stand: `core.sequencer.ordering`."""
    head_start: Duration = Duration(0)
    """With ordering `express_lane`: how much earlier what the owners in the lane send seems to arrive."""
    express: tuple[Name, ...] = ()
    """With ordering `express_lane`: the market makers in the lane."""
    receipt_blocks: Annotated[int, Meta(ge=0)] = 64
    """Receipts are given at once from so many of the newest blocks; of older ones they come from the journal."""


class AuctionConfig(Section, frozen=True, kw_only=True):
    """Phases and penalties. A winner has `fulfil_window` plus `grace` to pay."""

    rule: str = "first_price"
    bid_window: Duration = Duration(SECOND // 5)
    fulfil_window: Duration = Duration(SECOND // 5)
    grace: Duration = Duration(SECOND // 20)
    bond_token: Name
    default_penalty: Decimal
    """Taken from the solver's bond for each default. A bond that would not cover one more makes bids `unbonded`."""


class ScheduleConfig(Section, frozen=True, kw_only=True):
    """When a session is up, as `core.fix.schedule.Schedule` has it, by the clocks of `time_zone`."""

    start_time: Clock
    end_time: Clock
    start_day: Weekday | None = None
    end_day: Weekday | None = None
    weekdays: tuple[Weekday, ...] = ()
    time_zone: str = "UTC"


class SessionOptions(Section, frozen=True, kw_only=True, omit_defaults=True):
    """How FIX is spoken with a counterparty: keys of `core.fix.settings.SessionConfig` and of
    `core.fix.validation.Validation`.

    None leaves a key to whoever is asked next: to the venue's table for all its members, and then to the defaults.
    """

    dictionary: str | None = None
    """One of the venue's own, or FIX.4.2, which comes with Romer."""
    schedule: ScheduleConfig | None = None
    heartbeat_interval_min: Duration | None = None
    heartbeat_interval_max: Duration | None = None
    logout_timeout: Duration | None = None
    check_latency: bool | None = None
    latency_max: Duration | None = None
    check_comp_id: bool | None = None
    reset_on_logon: bool | None = None
    reset_on_logout: bool | None = None
    reset_on_disconnect: bool | None = None
    reset_on_error: bool | None = None
    cancel_on_disconnect: bool | None = None
    app_messages_per_second_max: Limit | None = None
    resend_timeout: Duration | None = None
    resend_request_chunk_size: Limit | None = None
    closed_resend_interval: bool | None = None
    next_expected_msg_seq_num: bool | None = None
    resend_batch: Count | None = None
    resend_pause: Duration | None = None
    early_messages_max: Limit | None = None
    kept_messages_max: Limit | None = None
    waiting_messages_max: Count | None = None
    send_user_defined_fields: bool | None = None
    validate_user_defined_fields: bool | None = None
    validate_fields_out_of_order: bool | None = None
    validate_fields_have_values: bool | None = None
    allow_unknown_fields: bool | None = None
    group_entries_max: Count | None = None


class MemberSessionOptions(SessionOptions, frozen=True, kw_only=True, omit_defaults=True):
    """What one member has differently, and the CompIDs of its session if they are not its `id` and the venue's."""

    target_comp_id: str | None = None
    sender_comp_id: str | None = None


class FixConfig(Section, frozen=True, kw_only=True):
    """The acceptor's side of every session; `session` is how it is spoken where a member has nothing of its own."""

    comp_id: Name = "ROMER"
    message_bytes_max: Annotated[int, Meta(ge=1_024, le=1 << 24)] = 65_536
    """An order takes some hundreds of bytes; a logon that does not fit would never be heard."""
    fields_max: Annotated[int, Meta(ge=64, le=1 << 20)] = 1_000
    """Of one message, likewise."""
    session: SessionOptions = SessionOptions()


class PermissionsConfig(Section, frozen=True, kw_only=True, omit_defaults=True):
    """What a market maker may do: `core.identity.records.Permissions`. None is no restriction."""

    msg_types: tuple[Annotated[str, Meta(min_length=1)], ...] | None = None
    symbols: tuple[Name, ...] | None = None
    order_quantity_max: Decimal | None = None
    messages_per_second_max: Count | None = None

    def permissions(self) -> Permissions:
        """As the registry has it."""
        return Permissions(self.msg_types, self.symbols, self.order_quantity_max, self.messages_per_second_max)


class KeyConfig(Section, frozen=True, kw_only=True, omit_defaults=True):
    """The key that a market maker logs on with from the first day. `romer-live keys show --json` has both halves."""

    public: str
    proof: str
    """That whoever gave the key has its secret. Both in hexadecimal."""
    signing: Signing = "logon"
    permissions: PermissionsConfig = PermissionsConfig()


class IdentityConfig(Section, frozen=True, kw_only=True):
    """Logons are signed. A market maker without a key needs no signature unless one is `required` of all."""

    required: bool = False
    receive_window: Duration = Duration(5 * SECOND)
    """How far SendingTime of a Logon may be from the venue's clock, either way, and TransactTime of a signed order
    ahead of it."""
    check_timeout: Duration = Duration(10 * SECOND)
    """How long the check of a block of signed orders may take, again after a restart; then these orders are refused."""


class MemberConfig(Section, frozen=True, kw_only=True):
    """A market maker known to the venue: `id` is its CompID and its account."""

    id: Name
    balance: dict[Name, Decimal] = {}
    session: MemberSessionOptions = MemberSessionOptions()
    key: KeyConfig | None = None


class DictionaryText(Section, frozen=True, kw_only=True):
    """A FIX dictionary as `core.fix.dictionary_text` writes it."""

    begin_string: str
    fields: str
    messages: str


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
    authentication_timeout: Duration = Duration(5 * SECOND)
    """How long it may take to judge a Logon, if Logons are signed."""
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
    identity: IdentityConfig | None = None
    """Without it CompIDs suffice, and nobody has a key."""
    signer: str = ""
    """The public key, in hexadecimal, whose owner signs the blocks; empty signs none."""
    dictionaries: dict[str, DictionaryText] = {}
    """FIX dictionaries besides those that come with Romer, by the names that sessions give them."""
    zones: dict[str, Zone] = {}
    """Time zones of schedules besides UTC. Compiled, so that what a session does depends on its configuration alone."""

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


class DeskConfig(Section, frozen=True, kw_only=True, tag="desk"):
    """An index desk node: the desk, and those who place its orders and move its users' collateral."""

    name: Name = "desk"
    desk: DeskSettings
    execution: ExecutionSettings
    collateral: CollateralSettings


NodeConfig: TypeAlias = VenueConfig | MakerConfig | SolverConfig | DeskConfig


def decode_custom(kind: type, value: object) -> Any:
    """msgspec `dec_hook` for the types above. Raises ValueError saying what was expected."""
    if kind is Clock:
        return Clock(clock(str(value)))  # TOML has times of the day of its own
    if kind is not Duration:
        raise NotImplementedError(f"no decoding for {kind}")
    if isinstance(value, str):
        return Duration(parse_duration(value), value)
    raise ValueError(f'expected a duration such as "250ms", got {shown(value)}')


def encode_custom(value: object) -> object:
    """msgspec `enc_hook` for the types above: the text that `decode_custom` reads."""
    if isinstance(value, Duration):
        return format_duration(value)
    if isinstance(value, Clock):
        return f"{value // 3600:02}:{value // 60 % 60:02}:{value % 60:02}"
    raise NotImplementedError(f"no encoding for {type(value)}")


def encode_node(config: NodeConfig) -> bytes:
    """A node's configuration as a journal header holds it."""
    return msgspec.msgpack.encode(config, enc_hook=encode_custom)


def decode_node(data: bytes) -> NodeConfig:
    """Read back `encode_node`. Raises msgspec.ValidationError naming the path of what does not fit."""
    config: NodeConfig = msgspec.msgpack.decode(data, type=NodeConfig, dec_hook=decode_custom)
    return config
