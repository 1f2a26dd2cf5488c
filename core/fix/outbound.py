"""The speaking half of a session: numbers messages, writes them, and keeps what may be asked for again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from msgspec.structs import replace

from core.fix.codec import SOH, encode
from core.fix.dialect import Dialect, venue_dialect
from core.fix.generic import GenericMessage
from core.fix.message import FixMessage
from core.fix.records import MessageDropped
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.shapes import Shapes
from core.fix.states import TALKING
from core.fix.store import SENDER_SUB_ID, Pending, SessionState
from core.fix.tags import ADMIN_TYPES, POSS_RESEND
from core.fix.timestamps import format_timestamp
from core.fix.values import ENCODING
from core.kernel.record import Effect, Note, Transmit
from core.units import Nanos

_POSS_RESEND: Final = b"%d=Y\x01" % POSS_RESEND


class Outbound:
    """One session: configuration, state, the time of the current event, and where effects go.

    `name` is what the application calls it; `comp_id` and `own.target_comp_id` are its CompIDs.
    """

    __slots__ = (
        "_begin_string",
        "_between",
        "comp_id",
        "config",
        "dialect",
        "emit",
        "name",
        "now",
        "own",
        "shapes",
        "state",
    )

    def __init__(
        self, config: EngineConfig, own: SessionConfig, state: SessionState, emit: Callable[[Effect], None]
    ) -> None:
        self.config, self.own, self.state, self.emit = config, own, state, emit
        self.name = own.name
        self.comp_id = own.sender_comp_id or config.comp_id
        self.now: Nanos = 0
        self.dialect: Dialect = config.dialects[own.dialect] if own.dialect else venue_dialect()
        self.shapes = Shapes(self.dialect)
        self._begin_string = self.dialect.begin_string.encode(ENCODING)
        self._between = f"\x0149={self.comp_id}\x0152=", f"\x0156={own.target_comp_id}\x01"

    def send(self, message: FixMessage, *, poss_resend: bool = False) -> None:
        """Send a message of the application now, or after the next logon or the resend that is going on.

        Those beyond the limit are lost. `poss_resend` marks what may have been sent before under another number.
        """
        state, body = self.state, self._marked(message) if poss_resend else self.dialect.build(message)
        if state.status in TALKING and not state.resend_end:
            self.transmit(message.msg_type, body)
        elif len(state.pending) < self.own.waiting_messages_max:
            state.pending.append(Pending(message.msg_type, body))
        else:
            self.emit(Note(MessageDropped(self.name, message.msg_type)))

    def _marked(self, message: FixMessage) -> bytes:
        """The fields of `message`, with PossResend."""
        if not isinstance(message, GenericMessage):
            return _POSS_RESEND + self.dialect.build(message)
        header = dict(message.header) | {POSS_RESEND: "Y"}
        return self.dialect.build(replace(message, header=tuple(header.items())))

    def send_pending(self) -> None:
        """Send what has waited, unless it has to go on waiting."""
        if self.state.status in TALKING and not self.state.resend_end:
            pending, self.state.pending = self.state.pending, []
            for waiting in pending:
                self.transmit(waiting.msg_type, waiting.body)

    def answer(self, message: FixMessage, routing: bytes = b"") -> None:
        """Send a message of the session's own. `routing` are further header fields."""
        self.transmit(message.MSG_TYPE, routing + self.dialect.build(message))

    def transmit(self, msg_type: str, rest: bytes) -> None:
        """Give the message that ends in `rest` the next number, and send it."""
        state, kept = self.state, self.own.kept_messages_max
        number, state.next_out = state.next_out, state.next_out + 1
        raw = self.compose(msg_type, number, rest)
        state.sent.pop(number - kept, None)
        if msg_type not in ADMIN_TYPES and kept:
            state.sent[number] = raw
        self.write(raw)

    def compose(self, msg_type: str, number: int, rest: bytes) -> bytes:
        """The whole message `number` that ends in `rest`, as of now."""
        own, peer = self._between
        if rest.startswith(SENDER_SUB_ID):  # the one field of the application's between those of the session
            field, _, rest = rest.partition(SOH)
            own = own.replace("\x0152=", f"\x01{field.decode(ENCODING)}\x0152=")
        head = f"35={msg_type}\x0134={number}{own}{format_timestamp(self.now)}{peer}"
        return encode(head.encode(ENCODING) + rest, self._begin_string)

    def write(self, raw: bytes) -> None:
        """Hand a whole message to the connection."""
        self.state.last_sent = self.now
        self.emit(Transmit(self.state.conn, raw))
