"""`/registry` of a venue whose Logons are signed: who is registered, the audit log, and commands.

    GET  /registry                                                     [{"maker": "MM1", "status": "active", ...}]
    GET  /registry/audit                                               [{"number": 1, "command": {...}, ...}]
    POST /registry  {"type": "SuspendMaker", "maker": "MM1", "who": "ops", "why": "..."}      its entry in the log

A command is a record of core/identity/records.py, whose bytes are base64. All three need the token, and are for this
machine alone. A command enters the node as any event does, and is answered once what became of it is in the journal.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.faults import brief, did_you_mean
from core.fix.engine import FixEngine
from core.identity.reasons import RegistryRefusal
from core.identity.records import ChangePermissions, Command, CommandRefused, Permissions, RegisterMaker
from core.identity.registrar import Registrar
from core.sequencer.permits import MSG_TYPES
from live.admin.answers import as_json, read_record, refused, stranger
from live.driver import LiveNode
from live.registry import registered
from live.registry_desk import RegistryDesk

_WORDS: Final = {
    RegistryRefusal.UNKNOWN_MAKER: "nobody of that name is registered",
    RegistryRefusal.ALREADY_REGISTERED: "that name is taken, for good",
    RegistryRefusal.WRONG_STATUS: "its status does not allow that",
    RegistryRefusal.NO_STAGED_KEY: "no new key waits to be activated",
    RegistryRefusal.KEY_IN_USE: "the key is or was somebody's",
    RegistryRefusal.INVALID_KEY: "key or proof of possession is none",
    RegistryRefusal.UNPROVEN_KEY: "the proof of possession is not that key's",
    RegistryRefusal.INVALID_PERMISSIONS: "nobody can be held to these permissions",
    RegistryRefusal.BUSY: "too many proofs are being checked; try again",
}


class Registrations:
    """The registry of a node that trades `symbols`, for operators. `engine` and `registrar` are components of it."""

    def __init__(
        self, node: LiveNode, engine: str, registrar: str, *, desk: RegistryDesk, token: str, symbols: Collection[str]
    ) -> None:
        components = node.kernel.components
        hosts, keeper = components[engine], components.get(registrar)
        assert isinstance(hosts, FixEngine)
        assert keeper is None or isinstance(keeper, Registrar)
        self._node, self._engine, self._registrar, self._desk, self._token = node, hosts, keeper, desk, token
        self._symbols = symbols

    def routes(self) -> list[Route]:
        """What to serve."""
        return [
            Route("/registry", self._list, methods=["GET"]),
            Route("/registry/audit", self._audit, methods=["GET"]),
            Route("/registry", self._command, methods=["POST"]),
        ]

    async def _list(self, request: Request) -> Response:
        registrar = self._asked(request)
        return registrar if isinstance(registrar, Response) else as_json(registered(registrar.state.registry.audit))

    async def _audit(self, request: Request) -> Response:
        registrar = self._asked(request)
        return registrar if isinstance(registrar, Response) else as_json(registrar.state.registry.audit)

    async def _command(self, request: Request) -> Response:
        registrar = self._asked(request)
        if isinstance(registrar, Response):
            return registrar
        command: Any = await read_record(request, Command, "command", "core/identity/records.py")
        if isinstance(command, Response):
            return command
        if (refusal := self._objection(command)) is not None:
            return refusal
        self._node.tell(registrar.name, command)
        answer = await self._desk.answer_to(command)
        if not isinstance(answer, CommandRefused):
            return as_json(answer)
        words = _WORDS[RegistryRefusal(answer.reason)] + (f": {answer.detail}" if answer.detail else "")
        return refused(409, f"{answer.maker}: {words} ({answer.reason})")

    def _objection(self, command: Command) -> Response | None:
        """The answer to a command that the registrar is not to be bothered with."""
        members = [session.own.target_comp_id for session in self._engine.hosted.values()]
        if isinstance(command, RegisterMaker) and command.maker not in members:
            hint = did_you_mean(command.maker, members) or "members have their accounts in the venue file"
            return refused(404, f'the venue has no member "{command.maker}"', hint)
        if not isinstance(command, RegisterMaker | ChangePermissions):
            return None
        if flaw := command.flaw:
            return refused(400, f"{_WORDS[RegistryRefusal.INVALID_PERMISSIONS]}: {flaw}")
        slip = self._slip(command.permissions)
        return None if slip is None else refused(404, *slip)

    def _slip(self, permissions: Permissions) -> tuple[str, str] | None:
        """What they name that the venue has not, and a hint: such a slip would keep out who should be let in."""
        symbols, kinds = permissions.symbols, permissions.msg_types
        for what, names, known in (("pair", symbols, self._symbols), ("MsgType", kinds, MSG_TYPES)):
            for name in names or ():
                if name not in known:
                    return f'the venue has no {what} "{brief(name)}"', did_you_mean(name, known)
        return None

    def _asked(self, request: Request) -> Registrar | Response:
        """The registrar, or the answer to whoever may not ask it anything."""
        if (refusal := stranger(request, self._token)) is not None:
            return refusal
        return self._registrar or refused(
            404, "this venue has no registry", "[venue.identity] in its file gives it one"
        )
