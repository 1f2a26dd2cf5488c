"""A venue's blocks looked up and followed while it runs, after it was killed, and after its journal is another one."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from core.sequencer.block import block_hash
from live.block_index import NAME, BlockIndex
from live.blocks import read_blocks
from live.cli import main
from tests.helpers.fix_client import FixClient, fix_client
from tests.helpers.venue import VENUE, romer_live, served


def romer(*arguments: str | Path | int) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def blocks(*arguments: str | Path | int) -> Any:
    """What `blocks` prints as JSON, line by line."""
    result = romer("blocks", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


def trade(client: FixClient, *names: str) -> list[str]:
    """Send orders, each in a block of its own; returns their OrderIDs."""
    ids = []
    for name in names:
        client.order(name)
        ids.append(client.report("0", name)[37])
        client.report("C", name)
    return ids


SHORT = VENUE.replace('batch_window = "50ms"', 'batch_window = "50ms", order_lifetime = "10ms"')


def test_a_running_venue_s_blocks_are_found_and_followed_and_outlive_it(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    with served(tmp_path, SHORT) as (venue, listening), fix_client(listening["places"]["fix"]) as client:
        assert romer("blocks", "show", journal, "newest").stderr.endswith("no block\nhint: there is none yet\n")
        first, second = trade(client, "c1", "c2")
        with romer_live(tmp_path, "blocks", "stream", journal, "--follow", "--messages", "--json", name="tail") as tail:
            seen = [tail.told(), tail.told()]
            assert [message["order_id"] for block in seen for message in block["messages"]] == [first, second]
            (third,) = trade(client, "c3")
            seen.append(tail.told())
            assert seen[-1]["messages"][0]["cl_ord_id"] == "c3"
            assert [block["height"] for block in seen] == [1, 2, 3]
            tail.signal(signal.SIGINT)
            assert tail.ended() == (0, [])
        (shown,) = blocks("show", journal, 3)
        assert shown == seen[-1]
        (found,) = blocks("find", journal, "--order", third)
        assert (found["block"]["height"], [it["order_id"] for it in found["messages"]]) == (3, [third])
        venue.signal(signal.SIGKILL)
        venue.ended()
        number = client.number
    with served(tmp_path, SHORT) as (venue, listening):
        with fix_client(listening["places"]["fix"], number=number) as client:
            trade(client, "c4")
        venue.signal(signal.SIGTERM)
        venue.ended()
    streamed = blocks("stream", journal, "--messages")
    assert streamed[:3] == seen
    assert [block["height"] for block in streamed] == [1, 2, 3, 4]
    assert [block["hash"] for block in streamed] == [
        block_hash(rebuilt.block.header).hex() for rebuilt in read_blocks(journal)
    ]
    (by_hash,) = blocks("find", journal, "--hash", streamed[3]["hash"])
    assert (by_hash["block"]["height"], by_hash["messages"]) == (4, [])
    (by_name,) = blocks("find", journal, "--cl-ord-id", "c2", "--owner", "MM1")
    assert by_name["block"]["hash"] == streamed[1]["hash"]
    assert [block["height"] for block in blocks("stream", journal, "--from", "3")] == [3, 4]
    assert [block["height"] for block in blocks("stream", journal, "--from", "newest")] == [4]
    assert "is message 1 of 1 in block 1" in _verified(journal, first)


def _verified(journal: Path, order_id: str) -> str:
    receipt = romer("receipt", journal, order_id).stdout
    return CliRunner().invoke(main, ["verify-receipt", "-"], input=receipt).stdout


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of a venue that has sealed four blocks, in two boots."""
    folder = tmp_path_factory.mktemp("recorded")
    number = 1
    for names in (("c1", "c2"), ("c3", "c4")):
        with served(folder, SHORT) as (venue, listening):
            with fix_client(listening["places"]["fix"], number=number) as client:
                trade(client, *names)
                number = client.number
            venue.signal(signal.SIGTERM)
            venue.ended()
    return folder / "journal"


@pytest.fixture
def journal(recorded: Path, tmp_path: Path) -> Path:
    """A copy of it, without an index."""
    shutil.copytree(recorded, tmp_path / "journal")
    (tmp_path / "journal" / NAME).unlink(missing_ok=True)
    return tmp_path / "journal"


def hashes(folder: Path) -> list[str]:
    with BlockIndex(folder) as index:
        return [block_hash(block.header).hex() for block in index.blocks(1)]


def test_an_index_is_its_owner_s_alone_and_is_used_again(journal: Path) -> None:
    told = hashes(journal)
    assert len(told) == 4
    assert (journal / NAME).stat().st_mode & 0o777 == 0o600
    before = (journal / NAME).read_bytes()
    assert hashes(journal) == told
    assert (journal / NAME).read_bytes() == before


def test_an_index_that_is_none_or_is_of_another_journal_is_made_anew(journal: Path, tmp_path: Path) -> None:
    told = hashes(journal)
    (journal / NAME).write_bytes(b"this is no database, and longer than the header of one" * 20)
    assert hashes(journal) == told
    with sqlite3.connect(journal / NAME) as db:
        db.execute("UPDATE block SET hash = zeroblob(32) WHERE height = 4")
    db.close()
    assert hashes(journal) == told
    with sqlite3.connect(journal / NAME) as db:
        db.execute("INSERT INTO block VALUES (9, zeroblob(32), 7, 5000, 1, zeroblob(32))")
    db.close()
    assert hashes(journal) == told
    with sqlite3.connect(journal / NAME) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    assert hashes(journal) == told
    (journal / "000002.romer").unlink()
    assert hashes(journal) == told[:2]


ASKED: tuple[tuple[str | int, ...], ...] = (
    ("show", 2),
    ("show", "newest"),
    ("stream", "--messages"),
    ("find", "--order", "O-2"),
    ("find", "--cl-ord-id", "c3", "--owner", "MM1"),
)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE block SET hash = zeroblob(32) WHERE height = 2",
        "UPDATE block SET hash = x'00', segment = 77 WHERE height = 2",
        "UPDATE block SET seq = seq + 3",
        "UPDATE block SET seq = 1",
        "UPDATE block SET segment = 2",
        "UPDATE block SET height = height + 1 WHERE height = 4",
        "UPDATE block SET height = 1000 WHERE height = 4",
        "DELETE FROM block WHERE height = 2",
        "DELETE FROM block WHERE height = 4",
        "DELETE FROM block",
        "DROP TABLE block",
        "DROP TABLE message",
        "DELETE FROM message",
        "DELETE FROM message WHERE order_id = 'O-2'",
        "DELETE FROM message WHERE order_id <> 'O-2'",
        "UPDATE message SET order_id = 'O-2' WHERE order_id = 'O-3'",
        "UPDATE message SET order_id = 'O-9' WHERE order_id = 'O-2'",
        "UPDATE message SET cl_ord_id = 'c3' WHERE cl_ord_id = 'c1'",
        "UPDATE message SET cl_ord_id = 'c9' WHERE cl_ord_id = 'c3'",
        "UPDATE message SET owner = 'MM2'",
        "UPDATE message SET place = 999",
        "UPDATE message SET place = -1",
        "UPDATE message SET height = height + 1000",
        "INSERT INTO message VALUES (7, 0, 'MM1', 'O-2', 'c2')",
        "UPDATE origin SET segment = 2",
        "UPDATE origin SET height = 2",
        "DELETE FROM origin",
    ],
)
def test_whatever_an_index_says_the_blocks_are_those_of_the_journal(journal: Path, damage: str) -> None:
    told = [blocks(kind, journal, *rest) for kind, *rest in ASKED]
    hash_of_2 = told[0][0]["hash"]
    by_hash = blocks("find", journal, "--hash", hash_of_2)
    receipt = romer("receipt", journal, "O-2").stdout
    for command in ASKED:
        alter(journal, damage)
        kind, *rest = command
        assert blocks(kind, journal, *rest) == told[ASKED.index(command)]
    alter(journal, damage)
    assert blocks("find", journal, "--hash", hash_of_2) == by_hash
    alter(journal, damage)
    assert romer("receipt", journal, "O-2").stdout == receipt


def alter(folder: Path, damage: str) -> None:
    """Damage an index that is new."""
    (folder / NAME).unlink(missing_ok=True)
    hashes(folder)
    with sqlite3.connect(folder / NAME) as db:
        db.execute(damage)
    db.close()


def test_a_malformed_page_of_an_index_is_mended(journal: Path) -> None:
    hashes(journal)
    whole = (journal / NAME).read_bytes()
    told = blocks("find", journal, "--order", "O-2")
    for at in range(4096, len(whole), 4096):
        (journal / NAME).write_bytes(whole[:at] + b"\xff" * 4096 + whole[at + 4096 :])
        assert blocks("find", journal, "--order", "O-2") == told
        assert blocks("find", journal, "--cl-ord-id", "c2") == told
        assert romer("blocks", "find", journal, "--order", "O-99").exit_code == 2
        with BlockIndex(journal) as index:
            assert len(list(index.blocks(1))) == index.newest == 4


def test_a_stream_from_beyond_the_newest_block_says_so(journal: Path) -> None:
    result = romer("blocks", "stream", journal, "--from", 9)
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == f"{journal}: no block 9 yet; the newest is 4\n"


def test_a_height_that_no_block_can_have_has_none(journal: Path) -> None:
    with BlockIndex(journal) as index:
        assert [index.block(height) for height in (-1, 0, 5, 2**63)] == [None] * 4


def test_where_no_index_can_be_kept_blocks_are_found_all_the_same(journal: Path) -> None:
    (journal / NAME).mkdir()
    assert len(hashes(journal)) == 4
    assert list((journal / NAME).iterdir()) == []


def test_an_index_that_another_process_holds_does_not_keep_anybody_waiting_for_ever(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = hashes(journal)
    monkeypatch.setattr("live.block_index._PATIENCE_SECONDS", 0.1)
    with sqlite3.connect(journal / NAME) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert hashes(journal) == told
        other.rollback()
    other.close()


GONE = "blocks before 3 are gone with the segments that were removed; bring those back to have them\n"


@pytest.fixture
def pruned(journal: Path) -> list[str]:
    """The hashes of all blocks of a journal of which the first segment, with the first two blocks, was removed."""
    told = hashes(journal)
    assert romer("journal", "archive", journal, "--keep", 0).stdout == "compressed 0 segments; removed 000001.romer\n"
    return told


@pytest.mark.parametrize("has_index", [True, False])
def test_of_a_journal_without_its_beginning_whole_blocks_are_found(
    journal: Path, pruned: list[str], *, has_index: bool
) -> None:
    if not has_index:
        (journal / NAME).unlink()
    assert hashes(journal) == pruned[2:]
    assert [block["height"] for block in blocks("stream", journal)] == [3, 4]
    assert romer("blocks", "stream", journal).stderr == f"{journal}: {GONE}"
    assert [it["block"]["height"] for it in blocks("find", journal, "--cl-ord-id", "c3")] == [3]
    assert "is message 1 of 1 in block 4" in _verified(journal, "O-4")
    for nothing in (("show", 2), ("find", "--hash", pruned[0]), ("find", "--order", "O-1")):
        command, *rest = nothing
        result = romer("blocks", command, journal, *rest)
        assert (result.exit_code, result.stderr.endswith(f"\nhint: {GONE}")) == (2, True), result.stderr
    assert romer("receipt", journal, "O-1").stderr.endswith(f"\nhint: {GONE}")
    assert romer("blocks", "show", journal, 5).stderr.endswith(": no block 5\nhint: the newest is 4\n")


def test_an_index_has_the_blocks_of_segments_that_were_brought_back(journal: Path, recorded: Path) -> None:
    told = hashes(journal)
    (journal / "000001.romer").unlink()
    assert hashes(journal) == told[2:]
    shutil.copy(recorded / "000001.romer", journal)
    assert hashes(journal) == told


def test_an_index_that_has_lost_the_first_of_its_blocks_is_made_anew(journal: Path, pruned: list[str]) -> None:
    assert hashes(journal) == pruned[2:]
    with sqlite3.connect(journal / NAME) as db:
        db.executescript("DELETE FROM block WHERE height = 3; DELETE FROM message WHERE height = 3")
    db.close()
    assert [it["block"]["height"] for it in blocks("find", journal, "--order", "O-3")] == [3]


def test_the_chain_of_a_journal_without_its_beginning_is_verified_from_its_first_block_on(
    journal: Path, pruned: list[str]
) -> None:
    told = json.loads(romer("verify-chain", journal, "--json").stdout)
    assert (told["first"], told["blocks"], told["head"]) == (3, 2, pruned[3])
    assert romer("verify-chain", journal).stdout.endswith("; those before block 3 are not in this journal\n")
    for height, since in ((2, 2), (3, 1), (4, 0)):
        result = romer("verify-chain", journal, "--head", pruned[height - 1], "--json")
        assert (result.exit_code, json.loads(result.stdout)["since"]) == (0, since)
    assert romer("verify-chain", journal, "--head", pruned[0]).exit_code == 4


def test_a_registry_without_its_beginning_is_that_of_the_running_venue(journal: Path, pruned: list[str]) -> None:
    assert len(pruned) == 4
    for command in ("list", "audit"):
        result = romer("registry", command, "--journal", journal)
        assert result.exit_code == 2
        assert result.stderr.endswith(
            ": the log began in segments that were removed\n"
            "hint: bring them back; or ask the venue while it runs, which has all of it: --connect\n"
        )


def test_a_write_that_was_not_finished_is_no_damage_and_damage_is(journal: Path) -> None:
    told = hashes(journal)
    (journal / NAME).unlink()
    last = journal / "000002.romer"
    whole = last.read_bytes().rstrip(b"\0")
    last.write_bytes(whole + b"\x40\x00\x00\x00half a frame")
    assert hashes(journal) == told
    assert romer("verify-chain", journal).exit_code == 0
    (journal / NAME).unlink()
    last.write_bytes(whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:])
    result = romer("blocks", "show", journal, 4)
    assert (result.exit_code, "damaged at byte" in result.stderr) == (4, True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "0"), "error: Invalid value for 'HEIGHT': expected a whole number from 1, or \"newest\", got 0\n"),
        (("show", "9" * 30), "error: Invalid value for 'HEIGHT': expected a whole number"),
        (("show", "5"), ": no block 5\nhint: the newest is 4\n"),
        (("find",), "error: say what to find, one thing\n"),
        (("find", "--order", ""), "error: Invalid value for '--order': expected a text, got an empty one\n"),
        (("find", "--order", "O-1", "--owner", ""), "error: Invalid value for '--owner': expected a text"),
        (("find", "--cl-ord-id", "\udcff"), "error: not UTF-8, in which everything is written: b'\\xff'\n"),
        (("find", "--order", "O-1", "--cl-ord-id", "c1"), "error: say what to find, one thing\n"),
        (("find", "--hash", "12"), "error: Invalid value for '--hash': expected 64 hexadecimal digits, got 12\n"),
        (("find", "--hash", "12" * 32), f": no block has the hash {'12' * 32}\n"),
        (("find", "--hash", "12" * 32, "--owner", "MM1"), "error: --owner: a block has many owners\n"),
        (("find", "--order", "O-99"), ": no sealed block has an order O-99\n"),
        (("find", "--cl-ord-id", "c1", "--owner", "MM2"), ": no sealed block has a ClOrdID c1 of MM2\n"),
        (("stream", "--from", "-3"), "error: Invalid value for '--from': expected a whole number"),
    ],
    ids=" ".join,
)
def test_what_is_not_there_or_cannot_be_is_said_in_a_line(
    recorded: Path, arguments: tuple[str, ...], words: str
) -> None:
    command, *rest = arguments
    result = romer("blocks", command, recorded, *rest)
    assert (result.exit_code, words in result.stderr) == (2, True), result.stderr


@pytest.mark.parametrize("order", ["", " "])
def test_an_order_without_a_name_has_no_receipt(recorded: Path, order: str) -> None:
    result = romer("receipt", recorded, order)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("error: Invalid value for 'ORDER': expected a text, got an empty one\n")


def test_a_folder_without_a_venue_s_journal_is_said_in_a_line(tmp_path: Path) -> None:
    result = romer("blocks", "stream", tmp_path)
    assert (result.exit_code, "no journal of a venue" in result.stderr) == (2, True)
