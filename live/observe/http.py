"""`/metrics`, `/healthz` and `/readyz` on one address, served by the loop that the node runs on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import StrEnum

import uvicorn
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_GOODBYE_SECONDS = 1


class Health(StrEnum):
    """How the process stands. Only `ready` takes new work."""

    STARTING = "starting"
    READY = "ready"
    STORAGE_SHORT = "storage_short"
    DRAINING = "draining"


class _Server(uvicorn.Server):
    """Leaves signals to the node."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def serving(
    host: str, port: int, registry: CollectorRegistry, health: Callable[[], Health]
) -> AsyncIterator[int]:
    """Serve within the context, on the port that it gives (0 takes any free one). Raises OSError for one in use."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, port), family=family) as listener:
        config = uvicorn.Config(
            application(registry, health),
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


def application(registry: CollectorRegistry, health: Callable[[], Health]) -> Starlette:
    """The three pages. `/healthz` answers as long as the loop turns; `/readyz` says 503 unless ready."""

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(registry), headers={"content-type": content_type})

    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": health()})

    async def readyz(_request: Request) -> Response:
        status = health()
        return JSONResponse({"status": status}, status_code=200 if status is Health.READY else 503)

    return Starlette(routes=[Route("/metrics", metrics), Route("/healthz", healthz), Route("/readyz", readyz)])
