"""A signature is checked beside the node: whatever else arrives meanwhile is handled meanwhile."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import msgspec

from core.config import VenueConfig, decode_custom
from core.identity.checking import check
from core.identity.records import LogonProven
from core.kernel.kernel import Kernel
from core.kernel.record import Bytes, Compute, Connected, Effect, Event, Note, Record
from core.wiring import components
from live.clock import wall_clock
from live.driver import LiveNode
from tests.helpers.identity import logon, proof, public

SECONDS: Final = 10.0
VENUE: Final = {
    "type": "venue",
    "pairs": [
        {
            "symbol": "ETHUSDC",
            "base": {"id": "ETH", "decimals": 8},
            "quote": {"id": "USDC", "decimals": 6},
            "tick": "0.01",
            "lot": "0.0001",
            "quantity_max": "1000",
        }
    ],
    "sequencer": {},
    "auction": {"bond_token": "USDC", "default_penalty": "100"},
    "members": [{"id": "MM1", "key": {"public": public("MM1").hex(), "proof": proof("MM1").hex()}}],
    "solvers": [],
    "identity": {},
}


def test_the_node_goes_on_while_a_check_runs() -> None:
    asyncio.run(_goes_on())


async def _goes_on() -> None:
    released, asked, connected, proven = threading.Event(), asyncio.Event(), asyncio.Event(), asyncio.Event()

    def slow(problem: Any) -> Record:
        assert released.wait(SECONDS)
        return check(problem)

    def watch(_node: str, _now: int, _dst: str, event: Event, effects: list[Effect]) -> None:
        if any(isinstance(effect, Compute) for effect in effects):
            asked.set()
        if isinstance(event, Connected) and event.conn == "d99":
            connected.set()
        if any(isinstance(effect, Note) and isinstance(effect.fact, LogonProven) for effect in effects):
            proven.set()

    config = msgspec.convert(VENUE, VenueConfig, dec_hook=decode_custom)
    kernel = Kernel("venue", components(config, 0), observer=watch)
    clock, executor = wall_clock(0), ThreadPoolExecutor(1)
    node = LiveNode(kernel, clock=clock, on_note=lambda *_: None, solve=slow, executor=executor)
    running = asyncio.create_task(node.run())
    await node.started.wait()
    node.post("c1", "fix", Connected("c1", "10.0.1.1:1"))
    node.post("c1", "fix", Bytes("c1", logon("MM1", at=time.time_ns())))
    async with asyncio.timeout(SECONDS):
        await asked.wait()
        for number in range(100):
            node.post(f"d{number}", "fix", Connected(f"d{number}", f"10.0.0.{number}:1"))
        await connected.wait()
        assert not proven.is_set()
        released.set()
        await proven.wait()
    node.stop()
    await running
