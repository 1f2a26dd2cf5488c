"""The token of those who may operate a venue: where it is, and how it is compared."""

from __future__ import annotations

import hmac
import os
from pathlib import Path
from secrets import token_urlsafe
from typing import Final

from core.errors import InputError
from live.credentials import Secret, refuse_open

TOKEN_FILE: Final = "admin.token"  # noqa: S105  # a file's name
"""In the journal's folder, where `serve` writes a token if the venue file names none."""
_OWN_ALONE: Final = 0o600


def admin_token(configured: Secret | None, folder: Path, journal: Path) -> str:
    """The token that the venue file in `folder` names, or that `serve` has left in the folder `journal`.

    Raises InputError for one that is not there, or that others on this machine may read.
    """
    secret = configured or Secret(file=TOKEN_FILE)
    place = folder if configured is not None else journal
    if secret.file is not None:
        refuse_open(place / secret.file)
    return secret.read(place)


def make_token(journal: Path) -> None:
    """Write a new token in the folder of a journal that this process has open, unless there is one."""
    path = journal / TOKEN_FILE
    try:
        if path.exists() and path.stat().st_size:
            return
        new = path.with_suffix(".new")
        new.unlink(missing_ok=True)
        fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _OWN_ALONE)
        with os.fdopen(fd, "w") as file:
            file.write(f"{token_urlsafe()}\n")
        new.replace(path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}") from None


def is_token(shown: str, token: str) -> bool:
    """Whether what was shown is the token, in a time that does not tell how much of it is right."""
    return hmac.compare_digest(shown.encode(errors="replace"), token.encode())
