"""Tokens: where they are read from, and how they stay out of the node that they open the door of.

A secret never stands in a file of ours: `{ env = "NAME" }` or `{ file = "path" }` says where it is. Nor
does it enter a node, because whatever a node is given or sends is in its journal. At the edge of the
process the token in a solver's hello becomes its SHA-256 on the way in, and the SHA-256 becomes the
token on the way out; inside, and in the configuration that a journal's header holds, both sides
compare the hash. To show the hash at the door opens nothing: what is shown is hashed.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from core.config import Section
from core.errors import InputError
from core.solver.protocol import HELLO_BYTES_MAX

SECRET_BYTES_MAX: Final = 4096
HOW: Final = 'say where it is: { env = "NAME" } or { file = "path" }'


class Secret(Section, frozen=True, kw_only=True):
    """Where a secret is: an environment variable, or a file relative to the file that names it."""

    env: str | None = None
    file: str | None = None

    def read(self, folder: Path = Path()) -> str:
        """The secret, white space around it cut off. Raises InputError that names the place and never the secret."""
        if self.env is not None and self.file is None:
            text, place = os.environ.get(self.env), f"environment variable {self.env}"
            if text is None:
                raise InputError(f"{place} is not set", f"export {self.env}=...")
        elif self.file is not None and self.env is None:
            path = folder / self.file
            text, place = _contents(path), str(path)
        else:
            raise InputError("a secret is in one place", HOW)
        if not text.strip():
            raise InputError(f"{place} is empty", "it should hold the secret")
        return text.strip()


def proof_of(token: str) -> str:
    """What a node knows of a token: its SHA-256 in hex."""
    return sha256(token.encode()).hexdigest()


class HashToken:
    """The way in of one connection to a solver door: holds the first line back until it is whole."""

    __slots__ = ("_held", "_passed")

    def __init__(self) -> None:
        self._held = bytearray()
        self._passed = False

    def __call__(self, data: bytes) -> bytes:
        """What the node is given for what has arrived; nothing while the hello is not complete."""
        if self._passed:
            return data
        self._held += data
        end = self._held.find(b"\n")
        if end < 0 and len(self._held) <= HELLO_BYTES_MAX:
            return b""
        self._passed = True
        line, rest = bytes(self._held[:end]), bytes(self._held[end:])
        self._held.clear()
        return (_hashed(line) if end >= 0 else line) + rest


class ShowToken:
    """The way out of a solver's connections: its hello names the hash, and the venue is shown the token."""

    __slots__ = ("_proof", "_token")

    def __init__(self, token: str) -> None:
        self._proof = proof_of(token).encode()
        self._token = msgspec.json.encode(token)[1:-1]

    def __call__(self, data: bytes) -> bytes:
        """What goes over the wire."""
        return data.replace(self._proof, self._token, 1) if b'"Hello"' in data else data


def _contents(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(SECRET_BYTES_MAX + 1)
        if len(data) > SECRET_BYTES_MAX:
            raise InputError(f"{path} is too long for a secret", f"at most {SECRET_BYTES_MAX} bytes")
        return data.decode()
    except UnicodeDecodeError:
        raise InputError(f"{path} is not text", "it should hold the secret") from None
    except OSError as error:
        raise InputError(f"cannot read the secret in {path}: {error.strerror}") from None


def _hashed(line: bytes) -> bytes:
    """The hello with its token hashed; a line that is no hello with a token as it is, for the door to refuse."""
    try:
        said: Any = msgspec.json.decode(line)
        if isinstance(said, dict) and isinstance(said.get("token"), str):
            return msgspec.json.encode({**said, "token": proof_of(said["token"])})
    except (ValueError, RecursionError):
        pass
    return line
