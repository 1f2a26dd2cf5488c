"""What the pages of the admin door have in common: who may change anything, and how they are answered."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from live.admin.token import is_token

BODY_BYTES_MAX: Final = 4_096
_BEARER: Final = "Bearer "


class Refusal(msgspec.Struct, frozen=True):
    """Why something was not done, and what to do about it."""

    error: str
    hint: str = ""


def stranger(request: Request, token: str) -> Response | None:
    """The answer to whoever may not operate anything; None for those who may."""
    if request.client is None or not ip_address(request.client.host).is_loopback:
        return refused(403, "a venue is operated from its own machine", "run the command there")
    shown = request.headers.get("authorization", "")
    if not (shown.startswith(_BEARER) and is_token(shown.removeprefix(_BEARER), token)):
        return refused(401, "the admin token is missing or another one", "it is in the venue's journal folder")
    return None


async def body(request: Request) -> bytes:
    """At most so much that what is too long is no JSON any more."""
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > BODY_BYTES_MAX:
            return data[:0]
    return data


def as_json(data: object, status: int = 200) -> Response:
    """An answer."""
    return Response(msgspec.json.encode(data), status_code=status, media_type="application/json")


def refused(status: int, error: str, hint: str = "") -> Response:
    """An answer that says no."""
    return as_json(Refusal(error, hint), status)
