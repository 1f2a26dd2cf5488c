"""The listening half of a session: the rules that every message must pass, and the order of numbers.

The checks come in the order that other engines make them, so that a message with two faults is refused
for the same one: CompIDs present, BeginString, MsgType known, form, MsgType taken by the application,
values, then the logon, SendingTime, CompIDs, and last the sequence number.
"""

from __future__ import annotations

from typing import Final

from core.fix.codec import Garbled, GarbledReason, WireMessage, decode, decode_head
from core.fix.compiled import Parsed
from core.fix.dialect import Fields
from core.fix.lifecycle import Lifecycle
from core.fix.message import FixMessage
from core.fix.messages import BusinessMessageReject, Header, Logout, Reject
from core.fix.records import MessageRejected, RejectBusiness, RejectMessage
from core.fix.rejects import Rejection, RejectReason, code_of
from core.fix.states import LOGGED_ON, Reason, Status, Trigger
from core.fix.tags import (
    ADMIN_TYPES,
    BEGIN_STRING_TAG,
    CL_ORD_ID,
    DELIVER_TO_COMP_ID,
    DELIVER_TO_LOCATION_ID,
    DELIVER_TO_SUB_ID,
    MSG_SEQ_NUM,
    ON_BEHALF_OF_COMP_ID,
    ON_BEHALF_OF_LOCATION_ID,
    ON_BEHALF_OF_SUB_ID,
    ORIG_SENDING_TIME,
    SENDER_COMP_ID,
    TARGET_COMP_ID,
    BusinessRejectReason,
    MsgType,
)
from core.fix.unsent import Unsendable, UnsentReason
from core.fix.values import ENCODING, read_int
from core.kernel.record import Note

_REVERSED: Final = (
    (ON_BEHALF_OF_COMP_ID, DELIVER_TO_COMP_ID),
    (ON_BEHALF_OF_SUB_ID, DELIVER_TO_SUB_ID),
    (DELIVER_TO_COMP_ID, ON_BEHALF_OF_COMP_ID),
    (DELIVER_TO_SUB_ID, ON_BEHALF_OF_SUB_ID),
    (ON_BEHALF_OF_LOCATION_ID, DELIVER_TO_LOCATION_ID),
    (DELIVER_TO_LOCATION_ID, ON_BEHALF_OF_LOCATION_ID),
)
"""Routing fields of an answer, ascending, each with the field of the message that its value comes from."""
_ROOM_FOR_REQUESTS: Final = 8
"""For ResendRequests beyond a gap. They were answered and only have to count, but if two sides that both miss something
forgot them, each would ask for the other's, with a request that is missing next, for ever."""
_UNREAD: Final = {
    GarbledReason.TOO_LARGE: RejectReason.TOO_LARGE,
    GarbledReason.TOO_MANY_FIELDS: RejectReason.TOO_MANY_FIELDS,
    GarbledReason.BAD_TAG: RejectReason.INVALID_TAG_NUMBER,
    GarbledReason.DATA_LENGTH: RejectReason.INCORRECT_FORMAT,
}
"""What a message is refused for that has its CheckSum, but cannot be taken apart."""


class Inbound(Lifecycle):
    """Judges what arrives, and answers what does not pass."""

    __slots__ = ()

    def admit(self, message: WireMessage, parsed: Parsed | None) -> Parsed | None:
        """Header and body of `message`. None if it broke a rule; that has then been dealt with."""
        parsed = parsed or self._judge(message)
        if parsed is None:
            return None
        header, own = parsed[0], self.own
        if self.is_untimely(header):
            self.refuse_and_leave(message, Reason.SENDING_TIME_ACCURACY)
            return None
        is_ours = header.sender_comp_id == own.target_comp_id and header.target_comp_id == self.comp_id
        if not is_ours and own.check_comp_id:
            self.refuse_and_leave(message, Reason.COMP_ID_PROBLEM)
            return None
        return parsed

    def is_untimely(self, header: Header) -> bool:
        """Whether SendingTime is too far from now, if that is checked."""
        return abs(self.now - header.sending_time) > self.own.latency_max and self.own.check_latency

    def _judge(self, message: WireMessage) -> Parsed | None:
        """Header and body of a `message` whose shape is new; None if it has a fault, which has then been dealt with."""
        values = message.values
        for tag in (SENDER_COMP_ID, TARGET_COMP_ID):
            if tag not in values:
                self._refuse_anonymous(message, tag)
                return None
        if values[BEGIN_STRING_TAG] != self.dialect.begin_string.encode() and message.msg_type != MsgType.LOGOUT:
            self._refuse_version(message)
            return None
        parsed = self.dialect.parse(message)
        if isinstance(parsed, Rejection):
            if self._is_moot(message.msg_type, parsed):
                self.refuse_unsupported(message)
            else:
                self.refuse(message, parsed)
            return None
        self.shapes.learn(message)
        return parsed

    def read_again(self, raw: bytes) -> tuple[WireMessage, Header, FixMessage]:
        """A message that was judged on arrival, and has waited."""
        message = decode(raw, self.config.fields_max, self.dialect.data_lengths)
        assert isinstance(message, WireMessage)
        parsed = self.dialect.parse(message)
        assert isinstance(parsed, tuple)
        return message, *parsed

    def is_in_order(self, message: WireMessage, header: Header) -> bool:
        """Whether `message` is the one expected. One that is too high waits, one that is too low is dealt with."""
        number, expected = header.msg_seq_num, self.state.next_in
        if number > expected:
            self.wait_for_gap(message, number)
        elif number < expected:
            self._refuse_low(message, header)
        return number == expected

    def wait_for_gap(self, message: WireMessage, number: int) -> None:
        """Put `message` aside, and ask for what is missing before it, once per gap."""
        has_room = self.put_aside(message, number)
        if not self.state.gap_end:
            self.request_resend(number - 1 if has_room else number)
            self.enter_gap()
        elif self.asks_up_to_an_end and not has_room:
            self.state.gap_end = max(self.state.gap_end, number)

    def put_aside(self, message: WireMessage, number: int) -> bool:
        """Keep a message beyond a gap until its turn comes, if there is room; whether there is."""
        early, is_answered = self.state.early, message.msg_type == MsgType.RESEND_REQUEST
        if len(early) < self.own.early_messages_max + is_answered * _ROOM_FOR_REQUESTS:
            early.setdefault(number, message.raw)
        return number in early

    def enter_gap(self) -> None:
        """Something is missing, and is on its way."""
        if self.state.status is Status.ACTIVE:
            self.step(Trigger.GAP_FOUND, Reason.SEQUENCE_GAP)

    def consume(self, number: int) -> None:
        """The message `number` is done with; it counts if it was the expected one."""
        if number == self.state.next_in:
            self.advance(number + 1)

    def advance(self, next_in: int) -> None:
        """Expect `next_in` next; a gap that lies before it is closed."""
        state = self.state
        state.next_in = next_in
        if state.gap_end and self.gap_shrunk() and state.status is Status.RESYNC_REQUIRED:
            self.step(Trigger.GAP_FILLED, Reason.GAP_FILLED)

    def leave_too_low(self, number: int) -> None:
        """The two sides disagree about the past: say so, and do not wait for an answer."""
        self.answer(Logout(f"MsgSeqNum too low, expecting {self.state.next_in} but received {number}"))
        self.close(Reason.SEQUENCE_TOO_LOW)

    def refuse(self, message: WireMessage, fault: Rejection) -> None:
        """Answer with a Reject; a Reject itself gets none, so that two engines cannot reject each other for ever."""
        if self.state.status not in LOGGED_ON:
            self.close(Reason.INVALID_LOGON)
            return
        number = _sequence_number(message)
        if message.msg_type != MsgType.REJECT:
            kind, tag = message.msg_type, fault.ref_tag_id
            reject = self._reject_of(RejectMessage(self.name, number, kind, fault.number, tag, fault.text))
            self.answer(reject, self._reversed_route(message.values))
        self._rejected(message, number, fault.reason, fault.text)
        if message.msg_type not in (MsgType.LOGON, MsgType.SEQUENCE_RESET):
            self.consume(number)

    def refuse_unread(self, garbled: Garbled) -> bool:
        """Refuse a message that cannot be taken apart, so that it is not asked for again and again; whether it was one.

        One beyond a limit is refused at once. One that is malformed is ignored at first, as other engines do, and
        refused when it was asked for and has come again as it was.
        """
        reason, config = _UNREAD.get(garbled.reason), self.config
        if reason is None or not garbled.raw or self.state.status not in LOGGED_ON:
            return False
        head = decode_head(garbled.raw)
        number = _sequence_number(head)
        is_beyond = garbled.reason in (GarbledReason.TOO_LARGE, GarbledReason.TOO_MANY_FIELDS)
        is_again = number == self.state.next_in and self.state.gap_end > 0
        if not (is_beyond or is_again) or not number or not self._is_own(head):
            return False
        limit = config.message_bytes_max if reason is RejectReason.TOO_LARGE else config.fields_max
        self.refuse(head, Rejection(reason, limit=limit))
        return True

    def _is_own(self, head: WireMessage) -> bool:
        """Whether the first fields of a message say that it is one of this session's, and no Logon."""
        values, own = head.values, self.own
        if values[BEGIN_STRING_TAG] != self.dialect.begin_string.encode() or head.msg_type == MsgType.LOGON:
            return False
        names = values.get(SENDER_COMP_ID), values.get(TARGET_COMP_ID)
        is_named = names == (own.target_comp_id.encode(ENCODING), self.comp_id.encode(ENCODING))
        return is_named or (None not in names and not own.check_comp_id)

    def refuse_and_leave(self, message: WireMessage, reason: Reason) -> None:
        """Reject, then log out; during the logon, just close."""
        if self.state.status not in LOGGED_ON:
            self.close(reason)
            return
        self.refuse(message, Rejection(RejectReason(reason)))
        self.log_out(reason)

    def refuse_business(self, message: WireMessage, reason: BusinessRejectReason, text: str, code: str = "") -> None:
        """Answer a message that is no fault of the session's with a BusinessMessageReject, which names its ClOrdID.

        `code` is what the refusal is recorded under, if not the reason's name.
        """
        number = _sequence_number(message)
        cl_ord_id = message.values.get(CL_ORD_ID, b"").decode(ENCODING)
        reject = self._reject_of(RejectBusiness(self.name, number, message.msg_type, reason, cl_ord_id, text))
        self.answer(reject, self._reversed_route(message.values))
        self._rejected(message, number, code or reason.name.lower(), text)
        self.consume(number)

    def refuse_unsupported(self, message: WireMessage) -> None:
        """Answer a message that the version of FIX has, and the application does not take."""
        words = f"Unsupported {'Message Type' if self.dialect.version.has_business_rejects else 'message type'}"
        self.refuse_business(message, BusinessRejectReason.UNSUPPORTED_MESSAGE_TYPE, words)

    def _is_moot(self, msg_type: str, fault: Rejection) -> bool:
        """Whether a value in the body is at fault in a message whose type nobody would have taken."""
        known, tag = self.dialect.dictionary, fault.ref_tag_id
        is_taken = msg_type in self.config.app_messages or msg_type == MsgType.BUSINESS_MESSAGE_REJECT
        if is_taken or msg_type in ADMIN_TYPES or self.state.status not in LOGGED_ON:
            return False
        is_ahead = fault.reason in (RejectReason.INVALID_MSG_TYPE, RejectReason.REQUIRED_TAG_MISSING)
        return not is_ahead and tag not in known.header_tags and tag not in known.trailer_tags

    def reject(self, refusal: RejectMessage | RejectBusiness) -> None:
        """The application refuses a message that it was given. A Reject is of no use without a connection."""
        message = self._reject_of(refusal)
        if fault := self._refusal_fault(refusal, message):
            self.drop(message.msg_type, UnsentReason.UNSENDABLE, fault)
            return
        if refusal.epoch != self.state.epoch or refusal.msg_seq_num >= self.state.next_in:
            self.drop(message.msg_type, UnsentReason.RESET, f"it refuses message {refusal.msg_seq_num} of before")
            return
        if message.msg_type not in ADMIN_TYPES:
            self.send(message)
        elif self.state.status in LOGGED_ON:
            self.answer(message)
        else:
            self.drop(message.msg_type, UnsentReason.NOT_LOGGED_ON, f"it refuses message {refusal.msg_seq_num}")
            return
        code = code_of(refusal.reason, is_business=isinstance(refusal, RejectBusiness))
        self.emit(Note(MessageRejected(self.name, refusal.msg_seq_num, refusal.msg_type, code, refusal.text)))

    def _refusal_fault(self, refusal: RejectMessage | RejectBusiness, message: FixMessage) -> str:
        """Why `message`, which says so, cannot be sent; empty if it can."""
        tag = refusal.ref_tag_id if isinstance(refusal, RejectMessage) else None
        numbers = (
            ("RefSeqNum(45)", refusal.msg_seq_num, 1),
            ("the reason", refusal.reason, 0),
            ("RefTagID(371)", tag, 1),
        )
        for name, number, least in numbers:
            if number is not None and number < least:
                return f"{name} is {least} or more, got {number}"
        try:
            self.worded(message)
        except Unsendable as error:
            return str(error)
        return ""

    def _reject_of(self, refusal: RejectMessage | RejectBusiness) -> FixMessage:
        """The message that says so, as far as this version of FIX has messages and fields for it."""
        version, number, text = self.dialect.version, refusal.msg_seq_num, refusal.text or None
        if isinstance(refusal, RejectBusiness):
            if not version.has_business_rejects:
                return Reject(number, text=text)
            return BusinessMessageReject(refusal.msg_type, refusal.reason, number, refusal.ref_id or None, text)
        tag = refusal.ref_tag_id
        if version.has_reject_details:
            return Reject(number, tag, refusal.msg_type, version.reject_reason(refusal.reason), text)
        return Reject(number, text=refusal.text if tag is None else f"{refusal.text} ({tag})")

    def _refuse_anonymous(self, message: WireMessage, tag: int) -> None:
        is_refusal = message.msg_type == MsgType.BUSINESS_MESSAGE_REJECT  # two of them would answer each other for ever
        is_own = message.msg_type in ADMIN_TYPES or not self.dialect.version.has_business_rejects
        if is_own or is_refusal or self.state.status not in LOGGED_ON:
            self.refuse(message, Rejection(RejectReason.REQUIRED_TAG_MISSING, tag))
        else:
            reason = BusinessRejectReason.CONDITIONALLY_REQUIRED_FIELD_MISSING
            self.refuse_business(message, reason, f"Conditionally Required Field Missing ({tag})")

    def _refuse_version(self, message: WireMessage) -> None:
        if self.state.status not in LOGGED_ON:
            self.close(Reason.WRONG_BEGIN_STRING)
            return
        self.log_out(Reason.WRONG_BEGIN_STRING, "Incorrect BeginString")
        self.consume(_sequence_number(message))

    def _refuse_low(self, message: WireMessage, header: Header) -> None:
        """A low number is a duplicate if it says so and proves it by its OrigSendingTime."""
        original = header.orig_sending_time
        if not header.poss_dup_flag:
            self.leave_too_low(header.msg_seq_num)
        elif message.msg_type == MsgType.SEQUENCE_RESET:
            return
        elif original is None:
            self.refuse(message, Rejection(RejectReason.REQUIRED_TAG_MISSING, ORIG_SENDING_TIME))
        elif original > header.sending_time:
            self.refuse_and_leave(message, Reason.SENDING_TIME_ACCURACY)

    def _reversed_route(self, values: dict[int, bytes]) -> Fields:
        """The way back, by those fields that this version of FIX has."""
        known = self.dialect.dictionary.header.members
        pairs = [(tag, values.get(source)) for tag, source in _REVERSED if tag in known and source in known]
        return tuple([(tag, value.decode(ENCODING)) for tag, value in pairs if value])

    def _rejected(self, message: WireMessage, number: int, reason: str, text: str) -> None:
        self.emit(Note(MessageRejected(self.name, number, message.msg_type, reason, text)))


def _sequence_number(message: WireMessage) -> int:
    """MsgSeqNum, the first one if there are several, or 0 if there is none to speak of."""
    try:
        return read_int(next(value for tag, value in message.fields() if tag == MSG_SEQ_NUM))
    except (StopIteration, ValueError):
        return 0
