"""What an operator may do to a session, whatever state it is in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from core.fix.messages import Logout, TestRequest
from core.fix.records import (
    SEQ_NUM_MAX,
    AskForHeartbeat,
    DropConnection,
    LogOn,
    LogOut,
    ResetNumbers,
    SetAdminFields,
    SetNumbers,
)
from core.fix.session import TEST_REQ_ID, Session
from core.fix.states import TALKING, Reason, Status, Trigger
from core.fix.tags import ADMIN_TYPES, MsgType
from core.fix.unsent import Unsendable

Operation: TypeAlias = LogOn | LogOut | DropConnection | ResetNumbers | SetNumbers | SetAdminFields | AskForHeartbeat


def operate(session: Session, operation: Operation) -> str:
    """Do what is asked. Returns why it cannot be done; empty if it can."""
    refusal = _OPERATIONS[type(operation)](session, operation)
    session.arm()
    return refusal


def _log_on(session: Session, _operation: LogOn) -> str:
    state = session.state
    state.disabled, state.failures, state.unfilled = False, 0, 0
    if not session.may_connect():
        return "the session is outside its schedule, or its node is stopping"
    if session.config.role == "initiator" and not state.conn:
        session.dial()
    return ""


def _come_up(session: Session) -> None:
    """An initiator that nothing keeps down any more connects, unless it is about to."""
    state = session.state
    if session.config.role == "initiator" and not (state.conn or state.deadline) and session.may_connect():
        session.dial()


def _log_out(session: Session, operation: LogOut) -> str:
    try:
        session.worded(Logout(operation.text))
    except Unsendable as error:
        return f"its text cannot be sent: {error}"
    session.state.disabled = session.state.disabled or operation.keep_down
    if session.state.conn:
        session.leave(Reason.OPERATOR, operation.text or None)
    elif operation.keep_down and session.state.status is Status.CONNECTING:
        session.state.deadline = 0
    return ""


def _drop_connection(session: Session, _operation: DropConnection) -> str:
    if not session.state.conn:
        return "the session has no connection"
    session.close(Reason.OPERATOR)
    return ""


def _reset_numbers(session: Session, _operation: ResetNumbers) -> str:
    if session.state.stopping:
        return "the node is stopping"
    session.log_out(Reason.OPERATOR)
    if session.state.conn:
        session.close(Reason.OPERATOR)
    session.reset(Reason.RESET_BY_OPERATOR)
    _come_up(session)
    return ""


def _set_numbers(session: Session, operation: SetNumbers) -> str:
    state = session.state
    next_out = state.next_out if operation.next_out is None else operation.next_out
    next_in = state.next_in if operation.next_in is None else operation.next_in
    if operation.next_out is None and operation.next_in is None:
        return "no number is given"
    if not 1 <= min(next_out, next_in) <= max(next_out, next_in) <= SEQ_NUM_MAX:
        return f"numbers are from 1 to {SEQ_NUM_MAX}"
    if state.stopping:
        return "the node is stopping"
    if next_in < state.next_in:
        state.epoch += 1
        session.drop_pending(MsgType.BUSINESS_MESSAGE_REJECT)
    oldest = next_out - session.own.kept_messages_max
    state.sent = {number: raw for number, raw in state.sent.items() if oldest <= number < next_out}
    state.sent_bytes = sum(map(len, state.sent.values()))
    state.next_out, state.next_in, state.early = next_out, next_in, {}
    session.forget_trouble()
    session.forget_gap()
    session.forget_resend()
    session.step(Trigger.SEQUENCE_RESET, Reason.RESET_BY_OPERATOR)
    session.send_pending()
    _come_up(session)
    return ""


def _set_admin_fields(session: Session, operation: SetAdminFields) -> str:
    if operation.msg_type not in ADMIN_TYPES:
        return f"{operation.msg_type!r} is no message of the session's: those are {' '.join(sorted(ADMIN_TYPES))}"
    fault = session.dialect.fault_of_added(operation.msg_type, operation.fields, session.config.message_bytes_max)
    if not fault:
        session.state.admin_fields[operation.msg_type] = operation.fields
    return fault


def _ask_for_heartbeat(session: Session, _operation: AskForHeartbeat) -> str:
    if session.state.status not in TALKING:
        return "the session is not logged on"
    session.answer(TestRequest(TEST_REQ_ID))
    session.state.test_sent = True
    return ""


_OPERATIONS: Final[dict[type[Any], Callable[[Session, Any], str]]] = {
    LogOn: _log_on,
    LogOut: _log_out,
    DropConnection: _drop_connection,
    ResetNumbers: _reset_numbers,
    SetNumbers: _set_numbers,
    SetAdminFields: _set_admin_fields,
    AskForHeartbeat: _ask_for_heartbeat,
}
