"""Nodes of one process: they find each other's doors, end together, and leave a journal each."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from core.config import MakerConfig, NodeConfig, VenueConfig, decode_node
from core.errors import ComponentFailed, InputError
from core.kernel.codec import Codec
from core.kernel.component import Component
from core.kernel.journal import JournalReader
from core.kernel.record import Message, Record
from core.kernel.replay import replay
from core.market.world import OrderWanted, PriceMoved
from core.units import Nanos
from live import run
from live.config import load
from live.run import Ended, Market
from tests.helpers.actors import Actor, Fragile
from tests.helpers.toys import Client, Seen, Server
from tests.unit.live.test_config import DEMO

CODEC = Codec((Seen, OrderWanted, PriceMoved))
FILE = load(DEMO)


@pytest.fixture(autouse=True)
def brief_goodbyes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "DRAIN_SECONDS", 0.02)
    monkeypatch.setattr(run, "GOODBYE_SECONDS", 0.02)


class Listener(Actor):
    """Notes what the world tells it."""

    def _on_told(self, _now: Nanos, event: Message[OrderWanted | PriceMoved]) -> None:
        self.seen(f"{event.src}: {event.body.symbol}")

    HANDLERS = {**Actor.IGNORED, OrderWanted: _on_told, PriceMoved: _on_told}  # noqa: RUF012


def toys(config: NodeConfig, _seed: int) -> list[Component[Any]]:
    if isinstance(config, VenueConfig):
        return [Server("fix"), Server("solvers")]
    if isinstance(config, MakerConfig):
        return [Client((b"hello", b"bye"), config.address, "fix"), Listener("maker")]
    return [Client((b"hi",), config.address), Listener("solver")]


def broken(config: NodeConfig, seed: int) -> list[Component[Any]]:
    return [Fragile("fix"), Server("solvers")] if isinstance(config, VenueConfig) else toys(config, seed)


class Notes:
    """What was noted, by node."""

    def __init__(self) -> None:
        self.of: dict[str, list[str]] = {}

    def __call__(self, node: str, _now: Nanos, _component: str, fact: Record) -> None:
        assert isinstance(fact, Seen)
        self.of.setdefault(node, []).append(fact.what)


async def played(market: Market, seconds: float) -> list[Ended]:
    await market.open(FILE.nodes())
    return await market.run(seconds, FILE.tellings())


def test_nodes_find_the_doors_and_hear_the_world(tmp_path: Path) -> None:
    notes = Notes()
    asyncio.run(played(Market(toys, seed=1, folder=tmp_path, on_note=notes), 0.1))
    assert set(notes.of["MM1"]) == {"HELLO", "BYE", "gone", "world: ETHUSDC"}
    assert notes.of["MM1"].count("world: ETHUSDC") > 2
    assert notes.of["eager"] == ["world: ETHUSDC", "HI"]
    assert notes.of["venue"].count("connected") == 4


def test_each_journal_says_what_the_node_was_and_replays_to_its_digest(tmp_path: Path) -> None:
    ended = asyncio.run(played(Market(toys, seed=7, folder=tmp_path, on_note=Notes()), 0.05))
    assert [node for node, _, _ in ended] == ["venue", "MM1", "MM2", "near", "eager"]
    for node, deliveries, digest in ended:
        reader = JournalReader(node, (tmp_path / f"{node}.romer").read_bytes())
        assert (reader.header.node, reader.header.seed) == (node, 7)
        replayed = replay(reader, toys(decode_node(reader.header.config), 7), CODEC)
        assert (replayed.count, replayed.digest) == (deliveries, digest)


def test_a_signal_ends_the_market_in_order(tmp_path: Path) -> None:
    async def script() -> list[Ended]:
        asyncio.get_running_loop().call_later(0.05, os.kill, os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):
            return await played(Market(toys, seed=1, folder=tmp_path, on_note=Notes()), 60)

    assert len(asyncio.run(script())) == 5


def test_a_node_that_fails_ends_the_market_and_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ComponentFailed, match="venue/fix failed on Bytes"):
        asyncio.run(played(Market(broken, seed=1, folder=tmp_path, on_note=Notes()), 60))
    for node in FILE.nodes():
        reader = JournalReader(node, (tmp_path / f"{node}.romer").read_bytes())
        list(reader.deliveries())
        assert (reader.crash is not None) == (node == "venue")


def test_a_journal_that_exists_is_refused_and_nothing_stays_open(tmp_path: Path) -> None:
    (tmp_path / "near.romer").touch()
    with pytest.raises(InputError, match=r"near\.romer exists"):
        asyncio.run(played(Market(toys, seed=1, folder=tmp_path, on_note=Notes()), 60))
    assert (tmp_path / "near.romer").read_bytes() == b""
