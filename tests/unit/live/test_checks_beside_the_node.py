"""A signature is checked beside the node: whatever else arrives meanwhile is handled meanwhile."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import msgspec

from core.config import VenueConfig, decode_custom
from core.fix.codec import encode
from core.fix.records import SessionChanged
from core.fix.timestamps import format_timestamp
from core.identity.checking import CheckBlock, check
from core.identity.orders import sign_order
from core.identity.records import LogonProven
from core.kernel.kernel import Kernel
from core.kernel.record import Bytes, Compute, Connected, Effect, Event, Message, Note, Record
from core.market.orders import Batch
from core.sequencer.facts import BlockSealed, OrderSequenced
from core.wiring import components
from live.clock import wall_clock
from live.driver import LiveNode
from tests.helpers.fix import wire
from tests.helpers.identity import logon, plain_logon, proof, public, signer

SECONDS: Final = 10.0
VENUE: Final[dict[str, Any]] = {
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


def test_orders_are_taken_and_blocks_sealed_while_the_orders_of_one_are_checked() -> None:
    asyncio.run(_seals_on())


async def _seals_on() -> None:
    released, seen = threading.Event(), Seen()

    def slow(problem: Any) -> Record:
        assert not isinstance(problem, CheckBlock) or released.wait(SECONDS)
        return check(problem)

    signing = {**VENUE["members"][0]["key"], "signing": "order"}
    members = [{"id": "MM1", "key": signing}, {"id": "MM2"}]
    venue = VENUE | {"members": members, "sequencer": {"batch_window": "20ms"}}
    config = msgspec.convert(venue, VenueConfig, dec_hook=decode_custom)
    kernel = Kernel("venue", components(config, 0), observer=seen)
    node = LiveNode(kernel, clock=wall_clock(0), on_note=lambda *_: None, solve=slow, executor=ThreadPoolExecutor(2))
    running = asyncio.create_task(node.run())
    await node.started.wait()
    async with asyncio.timeout(SECONDS):
        await _trade(node, seen, "MM1", logon("MM1", at=time.time_ns()), partial(sign_order, sign=signer("MM1")))
        await seen.until(lambda: seen.facts(BlockSealed))
        await _trade(node, seen, "MM2", plain_logon("MM2", at=time.time_ns()), lambda raw: raw)
        await seen.until(lambda: len(seen.facts(BlockSealed)) == 2)
        assert not seen.batches
        released.set()
        await seen.until(lambda: len(seen.batches) == 2)
    assert [(batch.height, [item.owner for item in batch.items]) for batch in seen.batches] == [
        (1, ["MM1"]),
        (2, ["MM2"]),
    ]
    node.stop()
    await running


class Seen:
    """What a venue has stated and what its auction got; whoever waits for it looks again after each delivery."""

    def __init__(self) -> None:
        self.stated: list[Record] = []
        self.batches: list[Batch] = []
        self._delivered = asyncio.Event()

    def __call__(self, _node: str, _now: int, dst: str, event: Event, effects: list[Effect]) -> None:
        self.stated += [effect.fact for effect in effects if isinstance(effect, Note)]
        if dst == "auction" and isinstance(event, Message) and isinstance(event.body, Batch):
            self.batches.append(event.body)
        self._delivered.set()

    def facts(self, kind: type[Record]) -> list[Any]:
        return [fact for fact in self.stated if isinstance(fact, kind)]

    async def until(self, holds: Callable[[], object]) -> None:
        while not holds():
            self._delivered.clear()
            await self._delivered.wait()


async def _trade(node: LiveNode, seen: Seen, name: str, first: bytes, sign: Callable[[bytes], bytes]) -> None:
    """Log on and send an order, which gets its place."""
    node.post(name, "fix", Connected(name, "10.0.0.1:1"))
    node.post(name, "fix", Bytes(name, first))
    await seen.until(lambda: [it for it in seen.facts(SessionChanged) if (it.session, it.after) == (name, "active")])
    now = format_timestamp(time.time_ns())
    header = f"35=D|34=2|49={name}|52={now}|56=ROMER"
    body = f"11=a|21=1|38=0.5|40=2|44=1990|54=2|55=ETHUSDC|60={now}"
    node.post(name, "fix", Bytes(name, sign(encode(wire(f"{header}|{body}")))))
    await seen.until(lambda: [it for it in seen.facts(OrderSequenced) if it.order.owner == name])
