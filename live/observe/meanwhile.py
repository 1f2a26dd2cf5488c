"""`/healthz` and `/readyz` of a node that recovers, which keeps its loop busy: another thread serves them meanwhile."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from prometheus_client import CollectorRegistry

from live.observe.http import Health, serving

_SOON_SECONDS: Final = 0.5
"""Most recoveries are over by then, and need no pages."""


@contextmanager
def pages_meanwhile(listener: socket.socket, progress: Callable[[], str]) -> Iterator[None]:
    """Serve within the context on a socket that listens, which it closes. Other handles of it may serve afterwards."""
    done = threading.Event()
    thread = threading.Thread(target=_serve, args=(listener, progress, done), name="recovery pages", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _serve(listener: socket.socket, progress: Callable[[], str], done: threading.Event) -> None:
    with listener:
        if not done.wait(_SOON_SECONDS):
            asyncio.run(_until(done, listener, progress))


async def _until(done: threading.Event, listener: socket.socket, progress: Callable[[], str]) -> None:
    async with serving(listener, CollectorRegistry(), lambda: Health.RECOVERING, progress=progress):
        await asyncio.to_thread(done.wait)
