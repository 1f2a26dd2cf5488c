"""Logons: who may in, where the numbers start, and what each side has missed.

A Logon is judged first (`on_logon`); it takes effect afterwards (`_welcome`): resets, the answer, the gaps of both
directions. If there is an authenticator, the two lie apart: a Logon without `objection` waits at the engine, beside
others for the same session, and the one that the authenticator believes is let in (`let_in`).
"""

from __future__ import annotations

from typing import Final

from core.fix.codec import WireMessage
from core.fix.inbound import Inbound
from core.fix.messages import Header, Logon, Logout
from core.fix.records import SessionOpened
from core.fix.rejects import Rejection
from core.fix.states import LOGGED_ON, TALKING, Reason, Status, Trigger
from core.fix.tags import EncryptMethod
from core.kernel.record import Send
from core.units import SECOND

IDLE_RESETS_MAX: Final = 3
"""How often in a row a peer may reset numbers, with nothing in between, before it is logged out."""
_NEXT_AFTER_LOGON: Final = 2


class Admission(Inbound):
    """Asks to be let in, and lets in."""

    __slots__ = ()

    def log_on(self) -> None:
        """The connection asked for is open: say who we are."""
        state = self.state
        state.heartbeat = -(-self.own.heartbeat_interval // SECOND) * SECOND
        self.step(Trigger.LOGON_SENT, Reason.CONNECTED)
        if self.own.reset_on_logon:
            self.reset(Reason.RESET_ON_LOGON)
            state.reset_sent = self.dialect.has_reset_flag
        self._say_logon(reset=state.reset_sent, next_in=state.next_in)
        state.deadline = self.now + self.own.logon_timeout

    def on_logon(self, message: WireMessage, header: Header, logon: Logon) -> None:
        """A Logon in any state; it may be the answer to ours."""
        status = self.state.status
        if status in LOGGED_ON and not (logon.reset_seq_num_flag and status in TALKING):
            self.close(Reason.UNEXPECTED_LOGON)
        elif not self._is_acceptable(logon):
            self.close(Reason.INVALID_LOGON)
        elif status in LOGGED_ON and self._goes_round():
            self.log_out(Reason.RESET_LOOP, "ResetSeqNumFlag repeated too often")
        else:
            self._welcome(message, header, logon)

    def _goes_round(self) -> bool:
        """Whether resets come one upon the other: two sides that take answers for questions would do so for ever."""
        state = self.state
        state.idle_resets = state.idle_resets + 1 if state.next_in <= _NEXT_AFTER_LOGON else 0
        return state.idle_resets > IDLE_RESETS_MAX

    def objection(self, message: WireMessage) -> Reason | None:
        """The rule that a Logon for this session breaks; None if it is worth asking whose it is. Changes nothing."""
        parsed = self.dialect.parse(message)
        if isinstance(parsed, Rejection):
            return Reason.INVALID_LOGON
        header, logon = parsed
        assert isinstance(logon, Logon)
        if self.is_untimely(header):
            return Reason.SENDING_TIME_ACCURACY
        return None if self._is_acceptable(logon) else Reason.INVALID_LOGON

    def let_in(self, raw: bytes) -> None:
        """A Logon without objection is the counterparty's."""
        message, header, logon = self.read_again(raw)
        assert isinstance(logon, Logon)
        self._welcome(message, header, logon)

    def _is_acceptable(self, logon: Logon) -> bool:
        interval, own = logon.heart_bt_int * SECOND, self.own
        in_bounds = own.heartbeat_interval_min <= interval <= own.heartbeat_interval_max
        expected = logon.next_expected_msg_seq_num
        is_number = not own.next_expected_msg_seq_num or expected is None or expected >= 1
        return logon.encrypt_method == EncryptMethod.NONE and in_bounds and is_number

    def _welcome(self, message: WireMessage, header: Header, logon: Logon) -> None:
        state, number, is_answer = self.state, header.msg_seq_num, self.state.status is Status.LOGON_SENT
        if logon.reset_seq_num_flag and not state.reset_sent:
            self.reset(Reason.RESET_BY_LOGON)
            is_answer = False
        elif self.own.reset_on_logon and state.status is Status.LOGON_RECEIVED:
            self.reset(Reason.RESET_ON_LOGON)
        expected = logon.next_expected_msg_seq_num if self.own.next_expected_msg_seq_num else None
        if number < state.next_in:
            self.leave_too_low(number)
            return
        if expected is not None and expected > state.next_out:
            self.answer(Logout(f"NextExpectedMsgSeqNum too high, next is {state.next_out} but received {expected}"))
            self.close(Reason.NEXT_EXPECTED_TOO_HIGH)
            return
        own_logon = state.next_out - 1 if is_answer else state.next_out
        if not is_answer:
            self._answer_logon(logon, number)
        self._logged_on()
        if number > state.next_in:
            self._miss(message, number, is_coming=expected is not None)
        self.consume(number)
        if expected is not None:
            self.resend(expected, own_logon - 1)
        self.send_pending()

    def _answer_logon(self, logon: Logon, number: int) -> None:
        """An acceptor takes the peer's HeartBtInt."""
        state = self.state
        if self.config.role == "acceptor":
            state.heartbeat = logon.heart_bt_int * SECOND
        next_in = state.next_in + 1 if number == state.next_in else state.next_in
        self._say_logon(reset=bool(logon.reset_seq_num_flag), next_in=next_in)

    def _say_logon(self, *, reset: bool, next_in: int) -> None:
        expected = next_in if self.own.next_expected_msg_seq_num else None
        self.answer(Logon(EncryptMethod.NONE, self.state.heartbeat // SECOND, reset or None, expected))

    def _logged_on(self) -> None:
        state = self.state
        state.reset_sent = False
        if state.status not in LOGGED_ON:
            state.deadline = 0
            self.step(Trigger.LOGON_ACCEPTED, Reason.LOGON_ACCEPTED)
            self.emit(Send(self.config.app, SessionOpened(self.name, self.state.conn)))

    def _miss(self, message: WireMessage, number: int, *, is_coming: bool) -> None:
        """The Logon shows a gap. A peer that has read in ours what we expect sends it unasked."""
        if not is_coming or self.state.gap_end:
            self.wait_for_gap(message, number)
            return
        self.put_aside(message, number)
        self.await_resend(number - 1)
        self.enter_gap()
