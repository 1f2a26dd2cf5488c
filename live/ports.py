"""The sockets that a venue listens on, taken all together before its journal is touched.

So a port that cannot be had leaves no trace of a start that never was.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Mapping
from typing import Final, Self

from core.errors import InputError
from live.doors import bound

_REFUSALS: Final = (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL)


class Ports:
    """Listening sockets by the key of the file that names their address. As a context, closes what nobody has taken."""

    def __init__(self) -> None:
        self._sockets: dict[str, socket.socket] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for sock in self._sockets.values():
            sock.close()

    def bind(self, addresses: Mapping[str, tuple[str, int]]) -> None:
        """Listen on all of them. Raises InputError that names the key of one that cannot be had."""
        for key, (host, port) in addresses.items():
            try:
                self._sockets[key] = bound(host, port)
            except OSError as error:
                raise _refused(key, f"{host}:{port}", error) from None

    def lend(self, key: str) -> socket.socket:
        """Another handle of the socket of a key, which is the caller's to close."""
        return self._sockets[key].dup()

    def take(self, key: str) -> socket.socket:
        """The socket of a key, which is the caller's to close from now on."""
        return self._sockets.pop(key)


def unresolved(host: str) -> str:
    """Why a host cannot be listened on, if its name leads nowhere from here; empty otherwise."""
    try:
        socket.getaddrinfo(host, 0, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return f'cannot find the host "{host}": {getattr(error, "strerror", None) or error}'
    return ""


def _refused(key: str, text: str, error: OSError) -> Exception:
    if isinstance(error, socket.gaierror):
        return InputError(f"{key}: cannot listen on {text}: {error.strerror}", "name an address of this machine")
    if error.errno not in _REFUSALS:
        return error
    hint = "another process has it; name another, or port 0 for any free one"
    if error.errno != errno.EADDRINUSE:
        hint = "name an address of this machine, and a port that you may use"
    return InputError(f"{key}: cannot listen on {text}: {os.strerror(error.errno)}", hint)
