"""What the pages of the admin door have in common: who may change anything, and how they are answered."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any, Final

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from core.faults import brief, one_line
from live.admin.token import is_token

BODY_BYTES_MAX: Final = 4_096
"""No operation or command needs half of it."""
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


async def read_record(request: Request, kind: Any, what: str, source: str) -> Any:
    """The record that the body is, one of the union `kind`; or the answer to a body that is none.

    `what` is the word for such a record, `source` where its fields are described. A body that is too long is not
    read to its end.
    """
    try:
        data = await _body(request)
        if data is None:
            return refused(413, f"the body has more than {BODY_BYTES_MAX} bytes, so it is no {what}", f"see {source}")
        record = msgspec.json.decode(data, type=kind)
        found = _unknown_key(msgspec.json.decode(data), record)
    except ClientDisconnect:
        return refused(400, "the connection has ended before the body did")
    except RecursionError:
        return refused(400, f"no {what}: it is nested too deeply", f"see {source}")
    except (msgspec.MsgspecError, UnicodeError) as error:
        return refused(400, f"no {what}: {one_line(str(error))}", f"see {source}")
    return record if found is None else refused(400, f"no {what}: {found[0]}", found[1])


async def _body(request: Request) -> bytes | None:
    """None when it is too long: by what its header says, or by what has come."""
    if int(request.headers.get("content-length", 0)) > BODY_BYTES_MAX:
        return None
    data = b""
    async for chunk in request.stream():
        data += chunk
        if len(data) > BODY_BYTES_MAX:
            return None
    return data


def _unknown_key(data: Any, record: Any) -> tuple[str, str] | None:
    """What is wrong, and a hint, if `data` has a key that the record made of it has not: a slip that changes nothing
    would look as if it had been obeyed.
    """
    if not isinstance(record, msgspec.Struct):
        return None
    known = {info.encode_name: info.name for info in msgspec.structs.fields(record)}
    for key, value in data.items():
        if key in known:
            if (found := _unknown_key(value, getattr(record, known[key]))) is not None:
                return found
        elif key != record.__struct_config__.tag_field:
            return f"{type(record).__name__} has no `{one_line(brief(key))}`", f"known: {', '.join(known)}"
    return None


def as_json(data: object, status: int = 200) -> Response:
    """An answer."""
    return Response(msgspec.json.encode(data), status_code=status, media_type="application/json")


def refused(status: int, error: str, hint: str = "") -> Response:
    """An answer that says no."""
    return as_json(Refusal(error, hint), status)
