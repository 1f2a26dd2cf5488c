"""The speaking half of a session: numbers messages, writes them, and keeps what may be asked for again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from core.fix.codec import SOH, encode, join, split
from core.fix.dialect import Dialect, Fields, venue_dialect
from core.fix.dictionary import USER_DEFINED_MIN
from core.fix.message import FixMessage
from core.fix.records import MessageDropped
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.shapes import Shapes
from core.fix.states import TALKING
from core.fix.store import SENDER_SUB_ID, Pending, SessionState
from core.fix.tags import ADMIN_TYPES, POSS_RESEND, MsgType
from core.fix.unsent import Unsendable, UnsentReason
from core.fix.values import ENCODING
from core.kernel.record import Effect, Note, Transmit
from core.units import Nanos

_POSS_RESEND: Final = (POSS_RESEND, "Y")
BYTES_MAX: Final = 1 << 26
"""Of one session: what can be sent again, of which the oldest goes, and what waits to be sent. Each for itself."""
_ENVELOPE_BYTES: Final = 256
_ENVELOPE_FIELDS: Final = 10
"""Room for the header and trailer of a message, and for what is added to them when it is sent again."""


class Outbound:
    """One session: configuration, state, the time of the current event, and where effects go.

    `name` is what the application calls it; `comp_id` and `own.target_comp_id` are its CompIDs.
    """

    __slots__ = (
        "_begin_string",
        "_between",
        "_write_time",
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
        self._write_time = self.dialect.version.write_time
        self._between = f"\x0149={self.comp_id}\x0152=", f"\x0156={own.target_comp_id}\x01"

    def send(self, message: FixMessage, *, poss_resend: bool = False) -> None:
        """Send a message of the application now, or after the next logon or the resend that is going on.

        Those beyond the limit are lost, and so is what cannot be sent. `poss_resend` marks what may have been sent
        before under another number.
        """
        state, msg_type = self.state, message.msg_type
        try:
            body = self.outgoing(message, poss_resend=poss_resend)
        except Unsendable as error:
            self.drop(msg_type, UnsentReason.UNSENDABLE, str(error))
            return
        if state.status in TALKING and not state.resend_end:
            self.transmit(msg_type, body)
        elif len(state.pending) < self.own.waiting_messages_max and state.pending_bytes + len(body) <= BYTES_MAX:
            state.pending.append(Pending(msg_type, body))
            state.pending_bytes += len(body)
        else:
            self.drop(msg_type, UnsentReason.QUEUE_FULL)

    def outgoing(self, message: FixMessage, *, poss_resend: bool = False) -> bytes:
        """A message of the application as it is sent, from what follows the session's own header fields on.

        Raises Unsendable for what is not the application's to send, and what no peer could read.
        """
        header = self.own.header_fields
        body = self.dialect.outgoing(message, (*header, _POSS_RESEND) if poss_resend else header)
        if not self.own.send_user_defined_fields:
            fields = split(body, self.dialect.data_lengths)
            body = join(field for field in fields if field[0] < USER_DEFINED_MIN)
        return self._fitting(body)

    def worded(self, message: FixMessage) -> bytes:
        """The same of a message of the session's own with words of somebody else's. Raises Unsendable."""
        return self._fitting(self.dressed(message))

    def _fitting(self, body: bytes) -> bytes:
        if len(body) > self.config.message_bytes_max - _ENVELOPE_BYTES:
            raise Unsendable(f"it has {len(body)} bytes, and message_bytes_max is {self.config.message_bytes_max}")
        fields_max = self.config.fields_max
        if body.count(SOH) > fields_max - _ENVELOPE_FIELDS:  # or some are in data
            fields = len(split(body, self.dialect.data_lengths))
            if fields > fields_max - _ENVELOPE_FIELDS:
                raise Unsendable(f"it has {fields} fields, and fields_max is {fields_max}")
        return body

    def drop(self, msg_type: str, reason: UnsentReason, detail: str = "") -> None:
        """A message of the application will not be sent: say so."""
        self.emit(Note(MessageDropped(self.name, msg_type, reason, detail)))

    def drop_pending(self, msg_type: str = "") -> None:
        """What waits, or what of it is of this type, belongs to a session that is over."""
        pending = self._take_pending()
        for waiting in pending:
            if msg_type in ("", waiting.msg_type):
                self.drop(waiting.msg_type, UnsentReason.RESET)
            else:
                self.state.pending.append(waiting)
                self.state.pending_bytes += len(waiting.body)

    def send_pending(self) -> None:
        """Send what has waited, unless it has to go on waiting."""
        if self.state.status in TALKING and not self.state.resend_end:
            for waiting in self._take_pending():
                self.transmit(waiting.msg_type, waiting.body)

    def _take_pending(self) -> list[Pending]:
        pending, self.state.pending, self.state.pending_bytes = self.state.pending, [], 0
        return pending

    def answer(self, message: FixMessage, routing: Fields = (), more: Fields = ()) -> None:
        """Send a message of the session's own. `routing` are further fields of the header, `more` of the body."""
        self.transmit(message.MSG_TYPE, self.dressed(message, routing, more))

    def dressed(self, message: FixMessage, routing: Fields = (), more: Fields = ()) -> bytes:
        """A message of the session's own with the fields that it has besides by configuration or the application."""
        header, kind = tuple((dict(self.own.header_fields) | dict(routing)).items()), message.MSG_TYPE
        added = self.state.admin_fields.get(kind, self.own.logon_fields if kind == MsgType.LOGON else ())
        if added:
            is_header = self.dialect.dictionary.header_tags.__contains__
            header = tuple((dict(header) | {tag: value for tag, value in added if is_header(tag)}).items())
            more = (*more, *[field for field in added if not is_header(field[0])])
        return self.dialect.build(message, header, more)

    def transmit(self, msg_type: str, rest: bytes) -> None:
        """Give the message that ends in `rest` the next number, and send it."""
        state, kept = self.state, self.own.kept_messages_max
        number, state.next_out = state.next_out, state.next_out + 1
        raw = self.compose(msg_type, number, rest)
        state.sent_bytes -= len(state.sent.pop(number - kept, b""))
        if msg_type not in ADMIN_TYPES and kept:
            state.sent[number] = raw
            state.sent_bytes += len(raw)
            while state.sent_bytes > BYTES_MAX:
                state.sent_bytes -= len(state.sent.pop(next(iter(state.sent))))
        self.write(raw)

    def compose(self, msg_type: str, number: int, rest: bytes) -> bytes:
        """The whole message `number` that ends in `rest`, as of now."""
        own, peer = self._between
        if rest.startswith(SENDER_SUB_ID):  # the one field of the application's between those of the session
            field, _, rest = rest.partition(SOH)
            own = own.replace("\x0152=", f"\x01{field.decode(ENCODING)}\x0152=")
        head = f"35={msg_type}\x0134={number}{own}{self._write_time(self.now)}{peer}"
        return encode(head.encode(ENCODING) + rest, self._begin_string)

    def write(self, raw: bytes) -> None:
        """Hand a whole message to the connection."""
        self.state.last_sent = self.now
        self.emit(Transmit(self.state.conn, raw))
