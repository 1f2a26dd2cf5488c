"""`romer-live fix echo`: an acceptor that sends orders, Emails and SecurityDefinitions back as they came."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from signal import SIGINT, SIGTERM
from typing import Final, NamedTuple

import msgspec

from core.errors import InputError
from core.fix.dialect import Dialect
from core.fix.echo import ECHOED, Echo
from core.fix.quickfix_cfg import Given, read_cfg
from core.fix.settings import EngineConfig, SessionConfig
from core.units import SECOND
from live.driver import NoteSink
from live.fix_application import Place
from live.fix_engine import ENGINE, EmbeddedFixEngine
from live.fix_files import load_dictionary, near, read_settings
from live.zones import compile_zone

_APP: Final = "echo"
_DIALECT: Final = "echo"
_GOODBYE: Final = SECOND


class EchoOpening(msgspec.Struct, frozen=True, kw_only=True):
    """What the echo says once it listens."""

    listens: str
    comp_id: str
    sessions: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        lines = [f"{self.comp_id} listens on {self.listens}, for {', '.join(self.sessions)}", *self.remarks]
        return "\n".join(lines)


class EchoSettings(NamedTuple):
    """What there is to echo, and what is to be said about the file that it comes from."""

    config: EngineConfig
    remarks: tuple[str, ...] = ()
    door: tuple[str, int] | None = None
    """Host and port that the file names."""


def echo_settings(
    dictionary: str, comp_id: str, counterparties: Sequence[str], *, reset_on_logon: bool = False
) -> EchoSettings:
    """An echo that calls itself `comp_id`. Raises InputError for a dictionary that cannot be used."""
    twice = [name for name in dict.fromkeys(counterparties) if counterparties.count(name) > 1]
    if twice or not counterparties:
        what = f"--session {twice[0]} is given twice" if twice else "nobody may log on"
        raise InputError(what, "give a --session for the CompID of each counterparty, once")
    sessions = [
        SessionConfig(target_comp_id=name, dialect=_DIALECT, reset_on_logon=reset_on_logon) for name in counterparties
    ]
    return EchoSettings(
        EngineConfig(
            role="acceptor",
            comp_id=comp_id,
            sessions=tuple(sessions),
            app=_APP,
            app_messages=ECHOED,
            dialects={_DIALECT: Dialect(load_dictionary(dictionary))},
        )
    )


def read_echo_settings(file: Path) -> EchoSettings:
    """The acceptor of a QuickFIX settings file. Raises InputError naming every problem."""
    given = Given(_APP, ECHOED, lambda name: load_dictionary(near(file, name)), compile_zone)
    imported = read_cfg(read_settings(file), given, str(file))
    acceptors = [engine for engine in imported.engines if engine.role == "acceptor"]
    if not acceptors:
        raise InputError(f"{file}: it has no session with ConnectionType=acceptor", "an echo waits for others")
    if len(imported.doors) > 1:
        what = f"{file}: it has {len(imported.doors)} doors, {', '.join(imported.doors)}"
        raise InputError(what, "an echo has one: give all sessions the same SocketAcceptPort")
    host, _, port = imported.doors[0].rpartition(":") if imported.doors else ("", "", "")
    return EchoSettings(acceptors[0], imported.remarks, (host, int(port)) if port else None)


async def run_echo(
    settings: EchoSettings, host: str, port: int, *, log: NoteSink, up: Callable[[EchoOpening], None]
) -> None:
    """Echo until SIGTERM or SIGINT. Raises InputError for a port that cannot be had."""
    config = settings.config
    engine = EmbeddedFixEngine(config, Echo(_APP, ENGINE), Place(host, port, log=log))
    asked = asyncio.Event()
    for number in (SIGINT, SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, asked.set)
    try:
        await engine.start()
    except OSError as error:
        why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise InputError(f"cannot listen on {host}:{port}: {why}", "port 0 is any free one") from None
    names = tuple(session.session for session in engine.sessions)
    up(EchoOpening(listens=f"{host}:{engine.port}", comp_id=config.comp_id, sessions=names, remarks=settings.remarks))
    waits = [asyncio.create_task(asked.wait()), asyncio.create_task(engine.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
    await engine.stop(_GOODBYE)
