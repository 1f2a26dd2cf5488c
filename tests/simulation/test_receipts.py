"""Receipts of a simulated venue, checked by the verifier that docs/receipts.md gives and that knows nothing of ours."""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from core.errors import InputError
from core.sequencer.block import Block, block_hash, roots
from core.sequencer.chain import Rebuilt, verify_history
from core.sequencer.facts import BlockSealed
from core.sequencer.history import History
from core.sequencer.leaf import Acknowledgement, encode_acknowledgement
from core.sequencer.receipt import decode_receipt, encode_receipt, receipt_of, verify_receipt
from core.wiring import CODEC
from live.block_views import message_view
from live.blocks import read_blocks
from live.cli import main
from sim.keys import public_half
from sim.runner import run
from tests.helpers.blocks import KEY_ID, PUBLIC_KEY, flip, signed, toy_check, toy_signature
from tests.helpers.markdown import read
from tests.simulation.test_market import Ran

ROOT: Final = Path(__file__).parents[2]
(SOURCE,) = (fence.text for fence in read(ROOT / "docs" / "receipts.md").fences() if "verifier" in fence.words)
Verifier = Callable[[str, Any], dict[str, Any]]


@pytest.fixture(scope="module")
def check() -> Verifier:
    namespace: dict[str, Any] = {}
    exec(compile(SOURCE, "docs/receipts.md", "exec"), namespace)
    verifier: Verifier = namespace["check"]
    return verifier


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a short run of quickstart leaves."""
    overrides = ["run.duration=3s"]
    result = run(ROOT / "scenarios" / "quickstart.toml", overrides=overrides, out=tmp_path_factory.mktemp("runs"))
    assert result.dir is not None
    return result.dir


@pytest.fixture(scope="module")
def blocks(folder: Path) -> list[Block]:
    return [rebuilt.block for rebuilt in read_blocks(folder)]


def history(ran: Ran) -> list[Rebuilt]:
    past = History()
    told = [block for each in ran.journal("venue").deliveries() for block in past.take(*CODEC.delivered(each))]
    return [*told, *past.rest()]


def judge(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Stands for the `verify` of a BLS library."""
    return signature == toy_signature(public_key, message)


def with_key(block: Block) -> Block:
    return signed(replace(block, header=replace(block.header, key_id=KEY_ID)))


# --- the documented verifier ---------------------------------------------------------------------


def test_the_verifier_imports_nothing_but_the_standard_library_and_is_short() -> None:
    tree = ast.parse(SOURCE)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= set(sys.stdlib_module_names)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert len([line for line in SOURCE.splitlines() if line.strip()]) <= 60


def test_every_message_of_a_run_has_a_receipt_that_both_verifiers_accept(blocks: list[Block], check: Verifier) -> None:
    assert sum(block.header.message_count for block in blocks) > 300
    for block in blocks:
        known = block_hash(block.header)
        for index in range(0, block.header.message_count, 7):
            receipt = receipt_of(block, index)
            assert verify_receipt(receipt, known_hash=known) == ""
            found = check(encode_receipt(receipt).decode(), known)
            assert (found["height"], found["index"]) == (block.header.height, index)


def test_a_signed_receipt_needs_only_the_public_key(blocks: list[Block], check: Verifier) -> None:
    receipt = receipt_of(with_key(blocks[0]), 3)
    text = encode_receipt(receipt).decode()
    assert verify_receipt(receipt, toy_check) == ""
    assert check(text + "\n", (PUBLIC_KEY, judge))["global_seq"] == 4
    with pytest.raises(ValueError, match="another key"):
        check(text, (bytes(48), judge))
    with pytest.raises(ValueError, match="wrong signature"):
        check(text, (PUBLIC_KEY, lambda *_: False))


@given(st.data())
def test_both_verifiers_refuse_any_changed_bit(blocks: list[Block], check: Verifier, data: st.DataObject) -> None:
    text = encode_receipt(receipt_of(with_key(blocks[1]), 5)).decode()
    whole = json.loads(text)
    member = data.draw(st.sampled_from([name for name in whole if name not in ("format", "index")]))
    old = bytes.fromhex(whole[member])
    changed = whole | {member: flip(old, data.draw(st.integers(0, 8 * len(old) - 1))).hex()}
    refuses(json.dumps(changed, separators=(",", ":")), check)


@pytest.mark.parametrize("index", [-1, 4, 6, 5 + 256, 5.0, "5", True])
def test_both_verifiers_refuse_any_other_index(blocks: list[Block], check: Verifier, index: object) -> None:
    whole = json.loads(encode_receipt(receipt_of(with_key(blocks[1]), 5)))
    refuses(json.dumps(whole | {"index": index}, separators=(",", ":")), check)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(",", ", ", 1),
        lambda text: text.replace('"index":5', '"index":05'),
        lambda text: text.replace('"index":5', '"index":5,"index":5'),
        lambda text: text.replace('"format"', '"\\u0066ormat"'),
        lambda text: text.replace("romer.receipt.1", "romer.receipt.2"),
        lambda text: json.dumps(dict(reversed(json.loads(text).items())), separators=(",", ":")),
        lambda text: text.replace('_proof":"', '_proof":"00', 1),
        lambda text: text.replace('"header":"', '"header":" '),
        lambda text: text.replace('"acknowledgement":"', '"acknowledgement":"AB'),
        lambda text: text[:-1],
        lambda text: text + "{}",
    ],
)
def test_both_verifiers_refuse_another_way_to_write_it(
    blocks: list[Block], check: Verifier, change: Callable[[str], str]
) -> None:
    text = encode_receipt(receipt_of(with_key(blocks[1]), 5)).decode()
    assert change(text) != text
    refuses(change(text), check)


@pytest.mark.parametrize("signature", ["00", "00" * 95, "00" * 97, "00" * 96], ids=len)
def test_both_verifiers_refuse_a_signature_that_can_be_none_even_where_the_block_is_known(
    blocks: list[Block], check: Verifier, signature: str
) -> None:
    whole = json.loads(encode_receipt(receipt_of(blocks[1], 5)))
    text, known = json.dumps(whole | {"signature": signature}, separators=(",", ":")), block_hash(blocks[1].header)
    with pytest.raises(ValueError, match="signature of "):
        check(text, known)
    assert "signature" in verify_receipt(decode_receipt(text.encode()), known_hash=known)


def test_both_verifiers_say_whether_a_signature_was_checked(
    blocks: list[Block], check: Verifier, tmp_path: Path
) -> None:
    bare, block = blocks[0], with_key(blocks[0])
    file, known = tmp_path / "r.json", block_hash(block.header)
    file.write_bytes(encode_receipt(receipt_of(block, 3)))
    assert check(file.read_text(), known)["signed"] == "its signature was not checked"
    assert check(file.read_text(), (PUBLIC_KEY, judge))["signed"] == "signed with that key"
    assert check(encode_receipt(receipt_of(bare, 3)).decode(), block_hash(bare.header))["signed"] == "not signed"
    _, out, _ = romer_live("verify-receipt", file, "--block-hash", known.hex())
    assert out.splitlines()[-1] == (
        f"the block is the one that you know; its signature, of key {KEY_ID.hex()}, was not checked"
    )


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, '{"format":' + "[" * 100_000])
def test_both_verifiers_refuse_what_is_nested_deeply(check: Verifier, text: str) -> None:
    refuses(text, check)


def refuses(text: str, check: Verifier) -> None:
    with pytest.raises(ValueError, match=r".+"):
        check(text, (PUBLIC_KEY, judge))
    with suppress(InputError):
        assert verify_receipt(decode_receipt(text.encode()), toy_check)


# --- the chain of a run --------------------------------------------------------------------------


@pytest.mark.parametrize("ordering", ["fifo", "shuffle", "price_time", "cancels_first", "express_lane"])
def test_the_chain_of_a_run_is_whole_under_every_policy_and_told_by_its_journal(tmp_path: Path, ordering: str) -> None:
    lane = ["sequencer.head_start=50ms", 'sequencer.express=["MM2"]'] if ordering == "express_lane" else []
    ran = Ran(tmp_path, 2, f"sequencer.ordering={ordering}", *lane).run()
    told = history(ran)
    assert len(told) > 2
    assert verify_history(told) is None
    sequences = [fact.fact.sequence for fact in ran.facts if isinstance(fact.fact, BlockSealed)]
    assert any(sequences) == (ordering != "fifo")


# --- the commands --------------------------------------------------------------------------------


def romer_live(*args: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, [str(arg) for arg in args])
    return result.exit_code, result.stdout, result.stderr


def test_the_commands_write_and_verify_receipts_and_chains(folder: Path, tmp_path: Path, blocks: list[Block]) -> None:
    code, out, _ = romer_live("verify-chain", folder)
    count, head = sum(block.header.message_count for block in blocks), block_hash(blocks[-1].header).hex()
    assert (code, out) == (0, f"{len(blocks)} blocks with {count:,} messages are one chain; its head is {head}\n")
    assert json.loads(romer_live("verify-chain", folder, "--head", head, "--json")[1])["head"] == head
    older = block_hash(blocks[1].header).hex()
    code, out, _ = romer_live("verify-chain", folder, "--head", older)
    assert (code, out.partition("; ")[2]) == (
        0,
        f"its head is {head}; {len(blocks) - 2} of them follow the one that you know\n",
    )

    code, text, _ = romer_live("receipt", folder, "O-17")
    file = tmp_path / "O-17.json"
    file.write_text(text)
    code, out, _ = romer_live("verify-receipt", file)
    assert (code, out.partition(" of ")[0]) == (0, "order O-17")
    assert out.endswith("not signed: compare the block's hash yourself\n")
    known = block_hash(blocks[0].header).hex()
    code, out, _ = romer_live("verify-receipt", file, "--block-hash", known, "--json")
    assert (code, json.loads(out)["block_hash"], json.loads(out)["known"]) == (0, known, True)


def test_the_commands_name_what_is_wrong(folder: Path, tmp_path: Path, blocks: list[Block]) -> None:
    code, out, _ = romer_live("verify-chain", folder, "--head", "00" * 32)
    assert (code, out) == (4, f"{folder}: block {len(blocks)}: neither its hash nor one before is the head's\n")
    code, _, err = romer_live("receipt", folder, "O-0")
    assert (code, err.splitlines()[0]) == (2, f"error: {folder}: no sealed block has an order O-0")
    code, _, err = romer_live("verify-chain", tmp_path)
    assert (code, err.splitlines()[0]) == (2, f"error: {tmp_path}: no journal of a venue")
    file = tmp_path / "r.json"
    file.write_bytes(encode_receipt(replace(receipt_of(blocks[0], 1), index=2)))
    code, out, _ = romer_live("verify-receipt", file)
    assert (code, out) == (4, f"{file}: it proves nothing: its message is not proven to stand there\n")
    file.write_text("{}")
    code, out, _ = romer_live("verify-receipt", file, "--json")
    reason = "not a receipt: Object missing required field `format`"
    assert (code, json.loads(out)) == (4, {"broken": str(file), "reason": reason})
    code, _, err = romer_live("verify-receipt", file, "--block-hash", "12")
    assert (code, "expected 64 hexadecimal digits, got 12" in err) == (2, True)


def test_names_that_a_market_maker_chose_do_nothing_to_a_terminal(tmp_path: Path, blocks: list[Block]) -> None:
    block = blocks[0]
    nasty = Acknowledgement(1, "order", "O-1", "c\x1b[2J\n\r1")
    told = (encode_acknowledgement(nasty), *block.acknowledgements[1:])
    message_root, receipt_root = roots(block.messages, told)
    header = replace(block.header, message_root=message_root, receipt_root=receipt_root)
    file = tmp_path / "r.json"
    file.write_bytes(encode_receipt(receipt_of(Block(header, block.messages, told), 0)))
    code, out, _ = romer_live("verify-receipt", file)
    assert (code, out.splitlines()[0].split(", ")[1]) == (0, "ClOrdID c [2J 1")
    assert str(message_view(Block(header, block.messages, told), 0)).endswith(" as c [2J 1")


def test_a_simulated_venue_signs_its_blocks_if_it_is_told_to(tmp_path: Path) -> None:
    overrides = ["run.duration=1s", "signer.sign=3ms"]
    result = run(ROOT / "scenarios" / "quickstart.toml", overrides=overrides, out=tmp_path)
    assert result.dir is not None
    public_key, _ = public_half(1, "venue")
    arguments = ["verify-chain", str(result.dir), "--json", "--public-key"]
    told = CliRunner().invoke(main, [*arguments, public_key.hex()])
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["signed"] == json.loads(told.stdout)["blocks"] > 1
    other, _ = public_half(2, "venue")
    assert "its signature is not that of its key" in CliRunner().invoke(main, [*arguments, other.hex()]).output
