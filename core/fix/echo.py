"""An application that answers every order, Email and SecurityDefinition with itself.

The smallest application there is, written as a component: what a counterparty sends comes back as it was, value by
value. `romer-live fix echo` puts it behind a door, for counterparties to test their engines against.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final

import msgspec

from core.fix.generic import GenericMessage
from core.fix.records import FromPeer, SessionClosed, SessionOpened, ToPeer
from core.fix.tags import CL_ORD_ID
from core.kernel.component import Component, Handler
from core.kernel.record import Message, Record, Resume, Send, Start, Stop
from core.units import Nanos

ECHOED: Final = ("C", "D", "d")
"""The MsgTypes that it takes; the engine refuses others as unsupported."""


class EchoState(msgspec.Struct):
    """The ClOrdIDs of each open session, as keys."""

    cl_ord_ids: dict[str, dict[str, None]] = {}


class Echo(Component[EchoState]):
    """Sends messages back through the component `engine`.

    A message that is marked as perhaps sent before (PossResend), and whose ClOrdID is known since the logon, is
    passed over.
    """

    __slots__ = ("_engine",)

    def __init__(self, name: str, engine: str) -> None:
        super().__init__(name, EchoState())
        self._engine = engine

    def _on_nothing(self, _now: Nanos, _event: Start | Stop | Resume) -> None:
        pass

    def _on_session(self, _now: Nanos, event: Message[SessionOpened | SessionClosed]) -> None:
        self.state.cl_ord_ids.pop(event.body.session, None)

    def _on_message(self, _now: Nanos, event: Message[FromPeer[GenericMessage]]) -> None:
        arrived = event.body
        cl_ord_id = arrived.message.get(CL_ORD_ID)
        if cl_ord_id is not None:
            known = self.state.cl_ord_ids.setdefault(arrived.session, {})
            if arrived.poss_resend and cl_ord_id in known:
                return
            known[cl_ord_id] = None
        self.emit(Send(self._engine, ToPeer(arrived.session, arrived.message)))

    HANDLERS: ClassVar[Mapping[type[Record], Handler]] = {
        Start: _on_nothing,
        Stop: _on_nothing,
        Resume: _on_nothing,
        SessionOpened: _on_session,
        SessionClosed: _on_session,
        FromPeer: _on_message,
    }
