"""`/sessions` of a node: GET lists its FIX sessions, POST carries out an operation on one of them.

    GET  /sessions                                             [{"session": "MM1", "state": "active", ...}]
    POST /sessions  {"type": "SetNumbers", "session": "MM1", "next_in": 5}      {"session": "MM1", ...}

An operation is a record of core/fix/records.py. It needs the token, `Authorization: Bearer ...`, and is for this
machine alone. It enters the node as any event does, so that the journal has it and a replay does it again.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.faults import did_you_mean
from core.fix.engine import FixEngine
from core.fix.operations import Operation
from live.admin.answers import as_json, read_record, refused, stranger
from live.driver import LiveNode
from live.fix_desk import Desk
from live.fix_session import SessionView, view_of


class Sessions:
    """The sessions of the component `engine` of a node, for operators."""

    def __init__(self, node: LiveNode, engine: str, desk: Desk, token: str) -> None:
        self._node, self._name, self._desk, self._token = node, engine, desk, token

    def routes(self) -> list[Route]:
        """What to serve."""
        return [
            Route("/sessions", self._list, methods=["GET"]),
            Route("/sessions", self._operate, methods=["POST"]),
        ]

    def views(self) -> list[SessionView]:
        """How all of them stand, by name."""
        return [self._view(name) for name in sorted(self._engine.hosted)]

    @property
    def _engine(self) -> FixEngine:
        engine = self._node.kernel.components[self._name]
        assert isinstance(engine, FixEngine)
        return engine

    def _view(self, name: str) -> SessionView:
        session = self._engine.hosted[name]
        unsent = self._node.unsent_bytes(session.state.conn)
        return view_of(session, reason=self._desk.reason(name), posted=0, unsent_bytes=unsent)

    async def _list(self, _request: Request) -> Response:
        return as_json(self.views())

    async def _operate(self, request: Request) -> Response:
        refusal = stranger(request, self._token)
        if refusal is not None:
            return refusal
        operation: Any = await read_record(request, Operation, "operation", "core/fix/records.py")
        if isinstance(operation, Response):
            return operation
        name = operation.session
        if name not in self._engine.hosted:
            return refused(404, f'there is no session "{name}"', did_you_mean(name, sorted(self._engine.hosted)))
        self._node.tell(self._name, operation)
        detail = await self._desk.answer_to(operation)
        return refused(409, detail) if detail else as_json(self._view(name))
