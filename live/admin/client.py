"""Asks a running venue for its sessions, or to operate one: what the command line does."""

from __future__ import annotations

import os
import tomllib
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from core.config import Section, decode_custom
from core.errors import InputError
from core.faults import dotted, one_line
from core.fix.operations import Operation
from core.identity.records import AuditEntry, Command
from core.reading import Reading
from live.admin.answers import Refusal
from live.admin.token import admin_token
from live.credentials import Secret
from live.fix_session import SessionView
from live.opening import JournalSection
from live.venue_file import Address, AdminSection, ObserveSection, parse_address

_PATIENCE_SECONDS: Final = 10.0


class _Told(Section, frozen=True, kw_only=True):
    """What a venue file says about its admin door."""

    observe: ObserveSection = ObserveSection()
    journal: JournalSection = JournalSection()
    admin: AdminSection = AdminSection()


class Remote(NamedTuple):
    """A venue that runs elsewhere: where, and how to find the token that it asks for."""

    address: Address
    token: Secret | None
    folder: Path
    journal: Path

    def sessions(self) -> list[SessionView]:
        """How its sessions stand. Raises InputError when it cannot be asked."""
        return msgspec.json.decode(self._ask("GET", "/sessions"), type=list[SessionView])

    def operate(self, operation: Operation) -> SessionView:
        """Have an operation carried out, and see how the session stands. Raises InputError saying why it cannot be."""
        said = self._ask("POST", "/sessions", msgspec.json.encode(operation), self._shown())
        return msgspec.json.decode(said, type=SessionView)

    def audit(self) -> list[AuditEntry]:
        """The audit log of its registry. Raises InputError when it cannot be had."""
        return msgspec.json.decode(self._ask("GET", "/registry/audit", headers=self._shown()), type=list[AuditEntry])

    def command(self, command: Command) -> AuditEntry:
        """Have a command obeyed by the registry. Raises InputError saying why it is not."""
        said = self._ask("POST", "/registry", msgspec.json.encode(command), self._shown())
        return msgspec.json.decode(said, type=AuditEntry)

    def _shown(self) -> dict[str, str]:
        return {"authorization": f"Bearer {admin_token(self.token, self.folder, self.journal)}"}

    def _ask(self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None) -> bytes:
        connection = HTTPConnection(self.address.host, self.address.port, timeout=_PATIENCE_SECONDS)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, HTTPException) as error:
            why = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error) or repr(error)
            hint = "is it running, and is this its `http` address? `serve` prints it; --connect names another"
            raise InputError(f"no venue answers on {self.address}: {why}", hint) from None
        finally:
            connection.close()
        if answer.status == 200:
            return said
        raise _failure(answer.status, said, self.address)


def remote(file: Path, connect: str | None, token_file: Path | None) -> Remote:
    """The venue that `file` describes, or that is at `connect`. Raises InputError."""
    told = _told(file)
    text = connect or told.observe.http
    if not text:
        raise InputError(f"{file}: observe.http is empty, so the venue has no admin door", "give it an address")
    try:
        address = parse_address(text)
    except ValueError as error:
        raise InputError(f"{'--connect' if connect else f'{file}: observe.http'}: {error}") from None
    if not address.port:
        raise InputError(f"{file}: observe.http is any free port", "--connect says which; `serve` has printed it")
    if token_file is not None:
        return Remote(address, Secret(file=str(token_file.absolute())), Path(), Path())
    return Remote(address, told.admin.token, file.parent, file.parent / told.journal.dir)


def _told(file: Path) -> _Told:
    try:
        data: dict[str, Any] = tomllib.loads(file.read_text("utf-8-sig"))
    except OSError as error:
        raise InputError(f"cannot read {file}: {error.strerror}", "--venue names the venue's file") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{file}: not TOML: {one_line(str(error))}") from None
    known = {name: data[name] for name in _Told.__struct_fields__ if name in data}
    reading = Reading(known, _Told, decode_custom)
    for fault in reading.faults:
        raise InputError(f"{file}: {dotted(fault.path)}: {fault.problem}", "`romer-live check` says everything")
    return reading.value


def _failure(status: int, said: bytes, address: Address) -> InputError:
    try:
        refusal = msgspec.json.decode(said, type=Refusal)
    except msgspec.MsgspecError:
        return InputError(f"{address} answers {status}: that is no venue", "--connect names another")
    return InputError(refusal.error, refusal.hint)
