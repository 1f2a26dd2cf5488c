"""`/metrics`, `/healthz`, `/readyz` and whatever else a node shows, on one address, served by the node's loop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum
from typing import Final

import h11
import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS_MAX: Final = 64
"""Half of the descriptors that the doors leave. Whoever comes then is cut off: idle scrapers cost no orders."""
REQUEST_SECONDS: Final = 5.0
"""From the connection, or from an answer, to the end of the next request's head."""
ANSWER_SECONDS: Final = 30.0
"""More for the rest of that request, and for taking the answer."""
_GOODBYE_SECONDS: Final = 1


class Health(StrEnum):
    """How the process stands. Only `ready` takes new work."""

    RECOVERING = "recovering"
    STARTING = "starting"
    READY = "ready"
    STORAGE_SHORT = "storage_short"
    DRAINING = "draining"
    FAILED = "failed"


class _Visit(H11Protocol):
    """One connection, if there is room for it, that has to say what it wants and to take what it gets."""

    _patience: asyncio.TimerHandle

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._patience = self.loop.call_later(REQUEST_SECONDS, self._ask)
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._patience.cancel()
        self._patience = self.loop.call_later(REQUEST_SECONDS, self._ask)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._patience.cancel()

    def _ask(self) -> None:
        if self.conn.their_state is h11.IDLE or self.transport.is_closing():
            self.transport.abort()
        else:
            self._patience = self.loop.call_later(ANSWER_SECONDS, self.transport.abort)


class _Server(uvicorn.Server):
    """Leaves signals to the node."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(
    listener: socket.socket,
    registry: CollectorRegistry,
    health: Callable[[], Health],
    more: Sequence[Route] = (),
    *,
    progress: Callable[[], str] | None = None,
) -> AsyncIterator[int]:
    """Serve within the context on a socket that listens, which it closes, and give its port.

    `progress` is said along with the health.
    """
    with listener:
        config = uvicorn.Config(
            _hanging_up(application(registry, health, more, progress=progress)),
            http=_Visit,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="error",  # what visitors do wrong is answered, and not worth a line each
            timeout_graceful_shutdown=_GOODBYE_SECONDS,
        )
        server = _Server(config)
        running = asyncio.create_task(server.serve([listener]))
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            await running


def application(
    registry: CollectorRegistry,
    health: Callable[[], Health],
    more: Sequence[Route] = (),
    *,
    progress: Callable[[], str] | None = None,
) -> Starlette:
    """The three pages, and `more`. `/healthz` says 503 once the node has failed, `/readyz` unless it is ready."""

    def standing(status: Health, *, good: bool) -> Response:
        told = {"status": status, **({"progress": progress()} if progress is not None else {})}
        return JSONResponse(told, status_code=200 if good else 503)

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    async def healthz(_request: Request) -> Response:
        status = health()
        return standing(status, good=status is not Health.FAILED)

    async def readyz(_request: Request) -> Response:
        status = health()
        return standing(status, good=status is Health.READY)

    pages = [Route("/metrics", metrics), Route("/healthz", healthz), Route("/readyz", readyz)]
    return Starlette(routes=[*pages, *more])


def _hanging_up(app: ASGIApp) -> ASGIApp:
    """The same, but an answer given before a request's body has been read to its end is the last of its connection."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        sent = {name for name, value in scope["headers"] if value != b"0"}
        unread = not sent.isdisjoint((b"content-length", b"transfer-encoding"))

        async def take() -> Message:
            nonlocal unread
            message = await receive()
            unread = unread and message.get("more_body", False)
            return message

        async def say(message: Message) -> None:
            if unread and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"connection", b"close")]
            await send(message)

        await app(scope, take, say)

    return answer
