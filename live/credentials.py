"""Tokens: where they are read from, and how they stay out of the node that they open the door of.

A secret never stands in a file of ours: `{ env = "NAME" }` or `{ file = "path" }` says where it is. Nor
does it enter a node, because whatever a node is given or sends is in its journal. At the edge of the
process the token in a solver's hello becomes its SHA-256 on the way in, and the SHA-256 becomes the
token on the way out; inside, and in the configuration that a journal's header holds, both sides
compare the hash. To show the hash at the door opens nothing: what is shown is hashed.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
from msgspec.structs import replace

from core.config import Section
from core.errors import InputError
from core.solver.lines import decode_line, encode_line
from core.solver.protocol import HELLO_BYTES_MAX, LINE_BYTES_MAX, FromSolver, Hello, Ping, Pong

SECRET_BYTES_MAX: Final = 4096
_FILLING: Final = b"?"
"""What a node is given in place of bytes that may be a secret. No line of JSON begins so."""
_SUSPECT: Final = re.compile(rb"token|\\", re.IGNORECASE)
"""What may be the name of a token in a line of JSON, which may also be written with escapes."""
_hello: Final = msgspec.json.Decoder(Hello)
_said: Final[msgspec.json.Decoder[FromSolver | Ping | Pong]] = msgspec.json.Decoder(FromSolver | Ping | Pong)
_OTHERS: Final = 0o077
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


def refuse_open(path: Path) -> None:
    """Raises InputError for a secret's file that others on this machine may read or change."""
    with suppress(OSError):  # to read it says why
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & _OTHERS:
            raise InputError(f"others may read {path} (mode {mode:03o})", f"chmod 600 {path}")


def proof_of(token: str) -> str:
    """What a node knows of a token: its SHA-256 in hex."""
    return sha256(token.encode()).hexdigest()


class HashToken:
    """The way in of one connection to a solver door: holds each line back until it is whole.

    A hello comes through with the hash of its token, wherever it is said. A first line that is none, a later one that
    may have a token in it and is nothing that a solver says, and what is too long for a line come through as filling,
    which the door refuses for the same reason: what they hold may be a token with a mistake around it.
    """

    __slots__ = ("_greeted", "_held", "_overlong")

    def __init__(self) -> None:
        self._held = bytearray()
        self._greeted = self._overlong = False

    def __call__(self, data: bytes) -> bytes:
        """What the node is given for what has arrived; nothing while no line is complete."""
        is_whole = self._greeted and not self._held and not self._overlong and data.endswith(b"\n")
        if is_whole and not _SUSPECT.search(data):
            return data
        *ends, rest = data.split(b"\n")
        out = bytearray()
        for end in ends:
            out += self._extended(end) if self._grows_too_long(end) else self._whole(end)
            out += b"\n"
            self._held.clear()
            self._greeted, self._overlong = True, False
        out += self._extended(rest)
        return bytes(out)

    def _grows_too_long(self, part: bytes) -> bool:
        return self._overlong or len(self._held) + len(part) > self._bytes_max

    @property
    def _bytes_max(self) -> int:
        return LINE_BYTES_MAX if self._greeted else HELLO_BYTES_MAX

    def _extended(self, part: bytes) -> bytes:
        """Hold a part of a line back; filling, once, for a line that is too long now."""
        if not self._grows_too_long(part):
            self._held += part
            return b""
        filling = b"" if self._overlong else _FILLING * (self._bytes_max + 1)
        self._overlong = True
        self._held.clear()
        return filling

    def _whole(self, end: bytes) -> bytes:
        line = bytes(self._held) + end
        if self._greeted and not _SUSPECT.search(line):
            return line
        hello = decode_line(_hello, line)
        if hello is not None:
            return encode_line(replace(hello, token=proof_of(hello.token)))[:-1]
        return _FILLING if not self._greeted or decode_line(_said, line) is None else line


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
