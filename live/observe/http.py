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
from uvicorn.protocols.http.h11_impl import H11Protocol

CONNECTIONS_MAX: Final = 64
"""Half of the descriptors that the doors leave. Whoever comes then is cut off: idle scrapers cost no orders."""
REQUEST_SECONDS: Final = 5.0
"""From the connection to its first request's end."""
_GOODBYE_SECONDS: Final = 1


class Health(StrEnum):
    """How the process stands. Only `ready` takes new work."""

    STARTING = "starting"
    READY = "ready"
    STORAGE_SHORT = "storage_short"
    DRAINING = "draining"
    FAILED = "failed"


class _Visit(H11Protocol):
    """One connection, if there is room for it, that has to say what it wants."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS_MAX:
            transport.abort()
        else:
            self.loop.call_later(REQUEST_SECONDS, self._ask)

    def _ask(self) -> None:
        if self.conn.their_state is h11.IDLE:
            self.transport.close()


class _Server(uvicorn.Server):
    """Leaves signals to the node."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(
    listener: socket.socket, registry: CollectorRegistry, health: Callable[[], Health], more: Sequence[Route] = ()
) -> AsyncIterator[int]:
    """Serve within the context on a socket that listens, which it closes, and give its port."""
    with listener:
        config = uvicorn.Config(
            application(registry, health, more),
            http=_Visit,
            lifespan="off",
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=_GOODBYE_SECONDS,
        )
        server = _Server(config)
        running = asyncio.create_task(server.serve([listener]))
        try:
            yield int(listener.getsockname()[1])
        finally:
            server.should_exit = True
            await running


def application(registry: CollectorRegistry, health: Callable[[], Health], more: Sequence[Route] = ()) -> Starlette:
    """The three pages, and `more`. `/healthz` says 503 once the node has failed, `/readyz` unless it is ready."""

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    async def healthz(_request: Request) -> Response:
        status = health()
        return JSONResponse({"status": status}, status_code=503 if status is Health.FAILED else 200)

    async def readyz(_request: Request) -> Response:
        status = health()
        return JSONResponse({"status": status}, status_code=200 if status is Health.READY else 503)

    pages = [Route("/metrics", metrics), Route("/healthz", healthz), Route("/readyz", readyz)]
    return Starlette(routes=[*pages, *more])
