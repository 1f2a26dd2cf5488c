"""What visitors of a node's pages cost that are idle, slow, or say too much."""

from __future__ import annotations

import asyncio
import socket
from contextlib import suppress

import pytest
from prometheus_client import CollectorRegistry, Gauge

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


def test_a_visitor_that_was_answered_has_no_more_time_for_its_next_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "REQUEST_SECONDS", 0.3)

    async def visit() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        async with serving(listener, CollectorRegistry(), lambda: Health.READY) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for _ in range(3):
                writer.write(b"GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n")
                assert (await reader.readuntil(b"}")).startswith(b"HTTP/1.1 200 ")
                await asyncio.sleep(0.2)
            writer.write(b"GET /healthz HTTP/1.1\r\n")
            assert await _ended(reader)
            writer.close()

    asyncio.run(visit())


def test_a_visitor_that_does_not_take_its_answers_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "REQUEST_SECONDS", 0.2)
    monkeypatch.setattr(http, "ANSWER_SECONDS", 0.2)
    registry = CollectorRegistry()
    Gauge("long", "x" * 100_000, registry=registry)

    async def visit() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        async with serving(listener, registry, lambda: Health.READY) as port:
            with socket.create_connection(("127.0.0.1", port)) as deaf:
                deaf.sendall(b"GET /metrics HTTP/1.1\r\nhost: a\r\n\r\n" * 200)
                await asyncio.sleep(1)
                deaf.settimeout(5)
                taken = 0
                with suppress(ConnectionError):
                    while data := await asyncio.to_thread(deaf.recv, 1 << 20):
                        taken += len(data)
                assert taken < 200 * 100_000

    asyncio.run(visit())


def test_what_a_visitor_does_wrong_is_answered_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def visit() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        async with serving(listener, CollectorRegistry(), lambda: Health.READY) as port:
            upgrade = b"GET /healthz HTTP/1.1\r\nhost: a\r\nconnection: upgrade, close\r\nupgrade: websocket\r\n\r\n"
            for asked, status in ((b"\x16\x03\x01\r\n\r\n", b"400"), (upgrade, b"200")):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(asked)
                assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 " + status)
                writer.close()

    asyncio.run(visit())
    assert caplog.records == []


@pytest.mark.parametrize("length", [b"content-length: 200000000", b"transfer-encoding: chunked"])
def test_a_body_that_nobody_asked_for_ends_its_connection_with_the_answer(length: bytes) -> None:
    async def visit() -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        async with serving(listener, CollectorRegistry(), lambda: Health.READY) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: a\r\n" + length + b"\r\n\r\n")
            answer = await asyncio.wait_for(reader.read(), 5)
            assert answer.startswith(b"HTTP/1.1 200 ")
            assert b"connection: close" in answer
            writer.close()

    asyncio.run(visit())
