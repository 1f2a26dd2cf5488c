"""Steps of a session through its table, and its ends: Logout, disconnection, and what is reset by them."""

from __future__ import annotations

from typing import Final

from core.fix.messages import Logout
from core.fix.records import SessionChanged, SessionClosed
from core.fix.recovery import Recovery
from core.fix.schedule import window_at
from core.fix.states import LOGGED_ON, SESSION, TALKING, Reason, Status, Trigger
from core.fix.store import Asked
from core.kernel.record import Close, Note, Send

_FAULTS: Final = frozenset(
    [
        Reason.SEQUENCE_TOO_LOW,
        Reason.COMP_ID_PROBLEM,
        Reason.SENDING_TIME_ACCURACY,
        Reason.WRONG_BEGIN_STRING,
        Reason.INVALID_LOGON,
        Reason.UNEXPECTED_LOGON,
        Reason.GARBLED_LOGON,
        Reason.NEXT_EXPECTED_TOO_HIGH,
        Reason.RESEND_TIMEOUT,
        Reason.GAP_UNFILLABLE,
        Reason.RESEND_LOOP,
        Reason.RESET_LOOP,
    ]
)
"""Ends by a fault of the peer's, after which `reset_on_error` starts over."""
_LOGON_FAULTS: Final = frozenset([Reason.SEQUENCE_TOO_LOW, Reason.NEXT_EXPECTED_TOO_HIGH])
"""Those that a Logon shows; other faulty Logons need not be the counterparty's, and change nothing."""
_LOGOUTS: Final = frozenset([Reason.PEER_LOGOUT, Reason.LOGGED_OUT])
UNFILLED_MAX: Final = 3
"""How often in a row a gap may be given up without having become smaller."""


class Lifecycle(Recovery):
    """Changes the state, resets numbers, says goodbye."""

    __slots__ = ()

    def step(self, trigger: Trigger, reason: Reason) -> None:
        """Follow the table, and say so."""
        before = self.state.status
        self.state.status = SESSION.after(before, trigger, self.name)
        self.emit(Note(SessionChanged(self.name, before, self.state.status, reason)))

    def reset(self, reason: Reason) -> None:
        """Start from 1 in both directions. What waits goes with the session that is over, if there was one."""
        state = self.state
        if state.next_in > 1:
            self.drop_pending()
        state.next_in = state.next_out = 1
        state.epoch += 1
        state.sent, state.sent_bytes, state.early = {}, 0, {}
        self.forget_trouble()
        self.forget_gap()
        self.forget_resend()
        self.step(Trigger.SEQUENCE_RESET, reason)

    def forget_trouble(self) -> None:
        """Neither side has asked for anything in vain."""
        self.state.asked, self.state.unfilled = Asked(), 0

    def log_out(self, reason: Reason, text: str | None = None) -> None:
        """Say goodbye, once, and wait for the answer."""
        if self.state.status in TALKING:
            self.answer(Logout(text))
            self.state.logout_reason = reason
            self.state.deadline = self.now + self.own.logout_timeout
            self.step(Trigger.LOGOUT_SENT, reason)

    def give_up_gap(self) -> None:
        """What is missing did not come: log out rather than wait for ever, and stay down rather than try for ever."""
        state = self.state
        self._count_unfilled()
        if state.unfilled < UNFILLED_MAX:
            self.log_out(Reason.RESEND_TIMEOUT, "Resend request was not answered")
        else:
            text = f"Message {state.next_in} was asked for {UNFILLED_MAX} times and did not come"
            self.log_out(Reason.GAP_UNFILLABLE, text)

    def _count_unfilled(self) -> None:
        """The gap is given up as it is."""
        self._has_progressed()
        self.state.unfilled += 1

    def _has_progressed(self) -> bool:
        """Whether something came since a gap was last left open; then what was given up before counts no more."""
        state = self.state
        if state.unfilled_at == state.next_in:
            return False
        state.unfilled_at, state.unfilled = state.next_in, 0
        return True

    def _is_refused_gap(self) -> bool:
        """Whether the peer has said goodbye instead of sending what is missing, for the last time."""
        self._count_unfilled()
        if self.state.unfilled < UNFILLED_MAX:
            return False
        if self.own.reset_on_error:
            self.reset(Reason.RESET_ON_ERROR)
        return True

    def close(self, reason: Reason) -> None:
        """End the connection from this side."""
        self.emit(Close(self.state.conn, reason))
        self.ended(reason)

    def ended(self, reason: Reason) -> None:
        """The connection is gone: forget what belonged to it, reset what is to be reset, and plan the next one."""
        state, was_open = self.state, self.state.status in LOGGED_ON
        why = Reason(state.logout_reason or reason)
        self._reset_at_end(reason, why)
        if reason is Reason.PEER_LOGOUT and state.gap_end and self._is_refused_gap():
            reason = Reason.GAP_UNFILLABLE
        is_stuck = state.gap_end > 0 and not self._has_progressed()
        state.conn, state.logout_reason, state.reset_sent = "", "", False
        state.early = {}
        state.gap_end = state.asked_end = state.deadline = state.idle_resets = 0
        state.asked = Asked()
        self.forget_resend()
        self.step(Trigger.STOPPED if state.stopping else Trigger.DISCONNECTED, reason)
        if was_open:
            cancel_orders = self.own.cancel_on_disconnect and why is not Reason.PEER_LOGOUT
            self.emit(Send(self.config.app, SessionClosed(self.name, why, cancel_orders)))
        self.keep_schedule()
        if was_open:
            state.failures = state.failures + 1 if is_stuck else 0
        else:
            self._after_failure()
        self._plan_next()

    def keep_schedule(self) -> None:
        """Note when the schedule's next boundary is; while nobody is logged on, start over in a new window."""
        state, schedule = self.state, self.own.schedule
        if schedule is None:
            return
        window = window_at(schedule, self.now)
        is_open = window.opens <= self.now
        state.boundary = window.closes if is_open else window.opens
        if is_open and state.status is Status.CONNECTING and state.opened != window.opens:
            if state.opened:
                self.reset(Reason.RESET_BY_SCHEDULE)
            state.opened = window.opens

    @property
    def is_kept_down(self) -> bool:
        """Whether an operator keeps the session down, or a gap does that cannot be filled until one helps."""
        return self.state.disabled or self.state.unfilled >= UNFILLED_MAX

    def may_connect(self) -> bool:
        """Whether nothing keeps the session down, nor its schedule."""
        schedule, state = self.own.schedule, self.state
        if self.is_kept_down or state.stopping:
            return False
        return schedule is None or window_at(schedule, self.now).opens <= self.now

    def _reset_at_end(self, reason: Reason, why: Reason) -> None:
        own, status = self.own, self.state.status
        if own.reset_on_error and why in (_FAULTS if status in LOGGED_ON else _LOGON_FAULTS):
            self.reset(Reason.RESET_ON_ERROR)
        elif own.reset_on_logout and reason in _LOGOUTS:
            self.reset(Reason.RESET_ON_LOGOUT)
        elif own.reset_on_disconnect and (status in LOGGED_ON or status is Status.LOGON_SENT):
            self.reset(Reason.RESET_ON_DISCONNECT)

    def _after_failure(self) -> None:
        """A connection that came to nothing: the next attempt goes to the next address."""
        if self.config.role == "initiator":
            self.state.failures += 1
            self.state.address = (self.state.address + 1) % len(self.own.addresses)

    def _plan_next(self) -> None:
        """An initiator connects again after a pause, which grows with each round of failures."""
        state, own = self.state, self.own
        if self.config.role == "initiator" and self.may_connect():
            rounds = max(0, state.failures - 1) // len(own.addresses)
            pause = own.reconnect_interval << min(rounds, 32)
            state.deadline = self.now + max(own.reconnect_interval, min(pause, own.reconnect_interval_max))
