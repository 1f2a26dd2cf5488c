"""What idle visitors of a node's pages cost."""

from __future__ import annotations

import asyncio
import socket

import pytest
from prometheus_client import CollectorRegistry

from live.observe import http
from live.observe.http import CONNECTIONS_MAX, Health, serving


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        return await asyncio.wait_for(reader.read(1), 5) == b""
    except ConnectionError:
        return True


def test_idle_visitors_hold_a_bounded_number_of_connections_and_not_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "REQUEST_SECONDS", 0.3)

    async def visit() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        async with serving(listener, CollectorRegistry(), lambda: Health.READY) as port:
            idle = []
            for _ in range(CONNECTIONS_MAX):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(b"GET /healthz HTTP/1.1\r\n")
                idle.append((reader, writer))
            late, _late = await asyncio.open_connection("127.0.0.1", port)
            assert await _ended(late)
            assert all([await _ended(reader) for reader, _ in idle])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")
            assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
            for _, each in (*idle, (reader, writer), (late, _late)):
                each.close()

    asyncio.run(visit())
