"""Blocks that a venue has sealed, and that nobody has signed yet: while it runs, and after it was killed over that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from threading import Event
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from core.config import VenueConfig, decode_custom
from core.kernel.record import Record
from core.sequencer.facts import BlockSealed, BlockSigned
from core.sequencer.signing import SIGNER, BlockSignature, SignBlock
from live.cli import main
from live.keys import SecretKey, new_key
from live.opening import JournalSection, Watch, open_node
from live.signing import SignBlocks
from tests.unit.live.test_checks_beside_the_node import VENUE

SECONDS = 10.0


@pytest.fixture
def key(tmp_path: Path) -> SecretKey:
    return new_key(tmp_path / "venue.key")


def verify_chain(folder: Path, key: SecretKey, *options: str) -> Result:
    arguments = ["verify-chain", str(folder / "journal"), "--public-key", key.public_key.hex(), *options]
    return CliRunner().invoke(main, arguments)


async def killed(
    folder: Path, key: SecretKey, sign: Callable[[SignBlock], BlockSignature], *, sealed: int, signed: int
) -> Path:
    """Run a venue that seals an empty block every 10 ms until there are so many; returns what its death then leaves."""
    sequencer = {"batch_window": "10ms", "empty_windows_per_block": 1}
    data = VENUE | {"sequencer": sequencer, "signer": key.public_key.hex()}
    config = msgspec.convert(data, VenueConfig, dec_hook=decode_custom)
    heights: dict[type[Record], int] = {BlockSealed: 0, BlockSigned: 0}
    left, reached = folder.with_name(f"{folder.name} after the kill"), asyncio.Event()

    def hear(_node: str, _now: int, _component: str, fact: Any) -> None:
        if type(fact) in heights:
            heights[type(fact)] += 1
        if not reached.is_set() and heights[BlockSealed] >= sealed and heights[BlockSigned] >= signed:
            copytree(folder, left)
            reached.set()

    opened = open_node(config, JournalSection(), folder, Watch(hear), seed=0, services={SIGNER: sign})
    task = asyncio.create_task(opened.node.run())
    async with asyncio.timeout(SECONDS):
        await reached.wait()
    opened.node.cut()
    await task
    return left


def test_a_venue_that_waits_for_signatures_is_whole_and_gets_them_when_it_starts_again(
    tmp_path: Path, key: SecretKey
) -> None:
    signer, released = SignBlocks(key), Event()

    def slow(wanted: SignBlock) -> BlockSignature:
        if wanted.height > 3:
            released.wait(SECONDS)
        return signer(wanted)

    try:
        left = asyncio.run(killed(tmp_path / "venue", key, slow, sealed=6, signed=3))
    finally:
        released.set()
    told = json.loads(verify_chain(left, key, "--json").stdout)
    unsigned = told["unsigned"]
    assert (told["signed"], told["blocks"] - unsigned) == (3, 3)
    assert unsigned >= 3
    result = verify_chain(left, key)
    assert result.exit_code == 0
    assert result.stdout.endswith(f"; the newest {unsigned} are not signed yet\n")

    again = asyncio.run(killed(left, key, signer, sealed=3, signed=unsigned + 3))
    told = json.loads(verify_chain(again, key, "--json").stdout)
    assert told["signed"] == told["blocks"] - told["unsigned"] >= unsigned + 6
    other = new_key(tmp_path / "other.key")
    result = verify_chain(again, other)
    assert (result.exit_code, result.stdout.rpartition("block 1: ")[2]) == (4, "its signature is not that of its key\n")
