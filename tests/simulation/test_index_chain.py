"""The chain of an index desk's run: it has everything that it should, its commands show and prove it, and the verifier
that docs/chain.md gives, which knows nothing of ours, agrees.
"""

from __future__ import annotations

import ast
import json
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import sim
from core.errors import InputError
from core.index.chain import MintIndex
from core.index.chain_history import ChainFlaw
from core.index.chain_log import index_block_hash
from core.index.chain_proof import decode_proof, encode_proof, proof_flaw
from sim.cli import main
from sim.results.desk.chain import VerifiedChain, prove, verify_chain
from sim.results.desk.explain import explain
from sim.results.result import RunResult
from tests.helpers.blocks import flip
from tests.helpers.markdown import read

ROOT: Final = Path(__file__).parents[2]
DAY: Final = ROOT / "scenarios" / "index_day.toml"
SHORT_DAY: Final = ("run.duration=90s", "run.drain=4m", "desk.order_expiry=2m")
SOURCES: Final = [
    fence.text
    for name in ("receipts", "chain")
    for fence in read(ROOT / "docs" / f"{name}.md").fences()
    if "verifier" in fence.words
]
Verifier = Callable[[str, bytes], dict[str, Any]]


@pytest.fixture(scope="module")
def check() -> Verifier:
    namespace: dict[str, Any] = {}
    exec(compile("\n".join(SOURCES), "docs/chain.md", "exec"), namespace)
    verifier: Verifier = namespace["check_event"]
    return verifier


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    """A short day, with buys, sells, cancels and a rebalance."""
    return sim.run(DAY, overrides=SHORT_DAY, out=tmp_path_factory.mktemp("runs"))


def verified(result: RunResult) -> VerifiedChain:
    found = verify_chain(result)
    assert isinstance(found, VerifiedChain)
    return found


def romer_sim(*arguments: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, [str(argument) for argument in arguments])
    return done.exit_code, done.stdout, done.stderr


# --- what is on it -------------------------------------------------------------------------------


@pytest.mark.parametrize("faults", [(), ("chain_log.refused_per_mille=300", "chain_log.lost_per_mille=300")])
def test_every_mint_burn_basket_and_invoice_of_a_run_is_on_its_chain_once(faults: tuple[str, ...]) -> None:
    result = sim.run(DAY, overrides=[*SHORT_DAY, *faults])
    rows = verified(result).events
    keys = [row.key for row in rows]
    assert len(keys) == len(set(keys))
    waiting = set(verified(result).waiting)
    invoices = result.table("invoices").to_pylist()
    assert {row["kind"] for row in invoices} == {"mint", "redemption"}
    wanted = {f"invoice:{row['order_id']}" for row in invoices}
    wanted |= {f"{'mint' if row['kind'] == 'mint' else 'burn'}:{row['order_id']}" for row in invoices}
    assert wanted <= set(keys) | waiting
    assert not any(key.startswith(("mint", "burn")) for key in waiting)
    ended = {row["order_id"] for row in result.table("index_orders").to_pylist() if row["status"] != "open"}
    assert {row.order_id for row in rows if row.kind in ("mint", "burn")} == ended & {
        row["order_id"] for row in invoices
    }
    weights = [key for key in (*keys, *waiting) if key.startswith("weights")]
    assert len(weights) == len(result.notes.query("kind == 'BasketSet'")) >= 3
    assert sum(row.kind == "deposit" for row in rows) >= sum(row.kind == "burn" for row in rows) > 0


def test_tokens_of_the_chain_are_those_of_the_desks_valuation(result: RunResult) -> None:
    supply: dict[str, Any] = {}
    for row in result.table("chain_events").to_pylist():
        if row["kind"] in ("mint", "burn"):
            change = row["quantity"] if row["kind"] == "mint" else -row["quantity"]
            supply[row["symbol"]] = supply.get(row["symbol"], 0) + change
    last = {row["symbol"]: row["tokens"] for row in result.table("nav").to_pylist()}
    assert {symbol: supply.get(symbol, 0) for symbol in last} == last


def test_the_life_of_an_order_has_the_places_of_its_mint_and_its_invoice(result: RunResult) -> None:
    rows = [row for row in verified(result).events if row.order_id == "I-1"]
    assert [row.kind for row in rows] == ["mint", "invoice"]
    told = str(explain(result, "I-1"))
    for row in rows:
        assert f"the chain has done {row.key}: event {row.index} of block {row.height} ({row.block_hash})" in told


# --- the commands --------------------------------------------------------------------------------


def test_the_chain_of_a_run_is_listed_and_verified(result: RunResult) -> None:
    code, out, _ = romer_sim("chain", result.dir)
    found = verified(result)
    lines = out.splitlines()
    assert (code, len(lines)) == (0, len(found.events) + 2 + bool(found.waiting))
    assert f"{found.blocks:,} blocks with {len(found.events):,} events are one chain; its head is {found.head}" in lines
    older = found.events[0].block_hash
    code, out, _ = romer_sim("chain", result.dir, "--head", older, "--json")
    told = json.loads(out)
    assert (code, told["since"], told["head"]) == (0, found.blocks - 1, found.head)
    assert [row["key"] for row in told["events"]] == [row.key for row in found.events]
    code, out, _ = romer_sim("chain", result.dir, "--head", "00" * 32)
    assert (code, out) == (
        4,
        f"{result.dir}: block {found.blocks}: neither its hash nor one before is the head's\n",
    )


def test_an_order_is_proved_by_each_of_its_names_and_an_event_by_its_key(result: RunResult, tmp_path: Path) -> None:
    (order,) = (row for row in result.table("index_orders").to_pylist() if row["order_id"] == "I-1")
    names = ("I-1", f"{order['user']}/{order['client_order_id']}", "mint:I-1")
    (text,) = {romer_sim("prove", result.dir, name)[1] for name in names}
    file = tmp_path / "I-1.json"
    file.write_text(text)
    (row,) = (row for row in verified(result).events if row.key == "mint:I-1")
    code, out, _ = romer_sim("verify-proof", file)
    assert (code, out.splitlines()[-1]) == (0, "compare the block's hash yourself")
    assert out.startswith("mint:I-1: ")
    code, out, _ = romer_sim("verify-proof", file, "--block-hash", row.block_hash, "--json")
    told = json.loads(out)
    assert (code, told["known"], told["height"], told["index"]) == (0, True, row.height, row.index)
    did = prove(result, "I-1").proof.event.did
    assert isinstance(did, MintIndex)
    assert (told["event"]["quantity"], row.quantity) == (str(did.quantity), did.quantity)
    assert romer_sim("verify-proof", file, "--block-hash", row.block_hash)[1].endswith("the one that you know\n")


def test_a_sell_is_proved_by_its_burn_and_the_proof_of_an_invoice_has_the_invoice(
    result: RunResult, tmp_path: Path
) -> None:
    burn = next(row for row in verified(result).events if row.kind == "burn")
    assert prove(result, str(burn.order_id)).proof.event.did.key == burn.key
    file = tmp_path / "invoice.json"
    file.write_text(romer_sim("prove", result.dir, f"invoice:{burn.order_id}")[1])
    code, out, _ = romer_sim("verify-proof", file)
    assert (code, "invoice: " in out, "burned for" in out) == (0, True, True)
    private = json.loads(file.read_text()) | {"invoice": ""}
    file.write_text(json.dumps(private, separators=(",", ":")))
    assert romer_sim("verify-proof", file)[0] == 0


def test_what_cannot_be_proved_is_said_in_a_line(result: RunResult, tmp_path: Path) -> None:
    def error(*arguments: object) -> str:
        code, out, err = romer_sim(*arguments)
        assert (code, out) == (2, "")
        return err.splitlines()[0]

    assert error("prove", result.dir, "I-9999") == "error: no order `I-9999` in this run"
    assert error("prove", result.dir, "mint:I-9999") == "error: no event `mint:I-9999` on the chain of this run"
    assert error("chain", tmp_path / "nowhere") == f"error: {tmp_path / 'nowhere'}: no such directory"
    assert "expected 64 hexadecimal digits, got 12" in error("chain", result.dir, "--head", "12")
    assert "nope.json' does not exist" in error("verify-proof", tmp_path / "nope.json")
    venue = sim.run(ROOT / "scenarios" / "quickstart.toml", overrides=["run.duration=100ms"], out=tmp_path)
    for arguments in (("chain", venue.dir), ("prove", venue.dir, "O-1")):
        assert error(*arguments) == f"error: {venue.dir}: a venue's run, and index tokens are an index desk's"


def test_an_order_that_never_minted_says_what_became_of_it(tmp_path: Path) -> None:
    scenario = ROOT / "scenarios" / "index_sbe.toml"
    result = sim.run(scenario, overrides=["run.duration=5s", "run.drain=1s"], out=tmp_path)
    code, _, err = romer_sim("prove", result.dir, "C-01")
    assert (code, err.splitlines()) == (
        2,
        [
            "error: nothing was minted, burned or returned for order `C-01`, which is expired (stopped)",
            f"hint: `romer-sim explain {result.dir} C-01` tells why",
        ],
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda whole: whole | {"index": whole["index"] + 1}, "its event is not proven to stand there"),
        (lambda whole: whole | {"path": whole["path"] + "00" * 32}, "its event is not proven to stand there"),
        (lambda whole: whole | {"invoice": "00"}, "not a proof of an event: "),
        (lambda whole: whole | {"header": whole["header"][2:]}, "no header of a block of index events in 101 bytes"),
        (lambda whole: whole | {"format": "romer.receipt.1"}, "a proof of format 'romer.receipt.1'"),
        (lambda _whole: {}, "not a proof of an event: Object missing required field `format`"),
        (lambda _whole: [], "not a proof of an event: Expected `object`, got `array`"),
    ],
)
def test_a_proof_that_proves_nothing_says_why(
    result: RunResult, tmp_path: Path, change: Callable[[Any], Any], reason: str
) -> None:
    file = tmp_path / "proof.json"
    whole = json.loads(encode_proof(prove(result, "I-1")))
    file.write_text(json.dumps(change(whole), separators=(",", ":")))
    code, out, _ = romer_sim("verify-proof", file)
    assert (code, out.count("\n")) == (4, 1)
    assert out.startswith(f"{file}: it proves nothing: ")
    assert reason in out


def test_an_invoice_of_another_order_proves_nothing(result: RunResult, tmp_path: Path) -> None:
    first, second = (json.loads(encode_proof(prove(result, f"invoice:I-{n}"))) for n in (1, 2))
    mint = json.loads(encode_proof(prove(result, "mint:I-1")))
    for whole, reason in (
        (first, "its invoice is not the one that is recorded"),
        (mint, "it has an invoice, and its event is none's"),
    ):
        text = json.dumps(whole | {"invoice": second["invoice"]}, separators=(",", ":"))
        assert proof_flaw(decode_proof(text.encode())) == reason


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        (
            "notes",
            ('"MintIndex","key":"mint:I-1"', '"MintIndex","key":"mint:I-0"'),
            "its root is not that of its events",
        ),
        (
            "notes",
            ('"MintInvoice","order_id":"I-1","user":"', '"MintInvoice","order_id":"I-1","user":"1'),
            "invoice:I-1",
        ),
        (
            "notes",
            (
                '"ChainCallDone","order_id":"I-1","key":"mint:I-1","height":',
                '"ChainCallDone","order_id":"I-1","key":"mint:I-1","height":1',
            ),
            "mint:I-1 is not where the desk was told that it is",
        ),
        ("chain_events", ("mint:I-1", "mint:I-0"), "the table `chain_events` says something else"),
    ],
)
def test_a_run_whose_tables_were_changed_is_found(
    result: RunResult, tmp_path: Path, name: str, change: tuple[str, str], reason: str
) -> None:
    assert result.dir is not None
    folder = tmp_path / "run"
    shutil.copytree(result.dir, folder)
    path = folder / "tables" / f"{name}.parquet"
    column = "detail" if name == "notes" else "key"
    whole = pq.read_table(path)
    at = whole.schema.get_field_index(column)
    texts = [
        text.replace(*change) if text.startswith(change[0]) or name == "notes" else text
        for text in whole[column].to_pylist()
    ]
    assert texts != whole[column].to_pylist()
    pq.write_table(whole.set_column(at, whole.schema.field(at), pa.array(texts)), path)
    code, out, _ = romer_sim("chain", folder)
    assert (code, reason in out, out.count("\n")) == (4, True, 1)
    assert isinstance(verify_chain(sim.load(folder)), ChainFlaw)


# --- the documented verifier ---------------------------------------------------------------------


def test_the_verifier_imports_nothing_but_the_standard_library_and_is_short() -> None:
    tree = ast.parse("\n".join(SOURCES))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= set(sys.stdlib_module_names)
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert len([line for line in SOURCES[1].splitlines() if line.strip()]) <= 60


def test_every_event_of_a_run_has_a_proof_that_both_verifiers_accept(result: RunResult, check: Verifier) -> None:
    kinds = set()
    for row in verified(result).events[::3]:
        proof = prove(result, row.key)
        known = bytes.fromhex(row.block_hash)
        assert proof_flaw(proof, known) == ""
        found = check(encode_proof(proof).decode(), known)
        assert (found["height"], found["index"], found["event"]["key"]) == (row.height, row.index, row.key)
        assert (found["invoice"] is not None) == (row.kind == "invoice")
        if found["invoice"]:
            assert found["invoice"]["order_id"] == row.order_id
        kinds.add(row.kind)
    assert kinds >= {"mint", "invoice"}


@given(st.data())
def test_both_verifiers_refuse_any_changed_bit(result: RunResult, check: Verifier, data: st.DataObject) -> None:
    proof = prove(result, "invoice:I-1")
    known = index_block_hash(proof.proof.block)
    whole = json.loads(encode_proof(proof))
    member = data.draw(st.sampled_from([name for name in whole if name not in ("format", "index") and whole[name]]))
    old = bytes.fromhex(whole[member])
    whole[member] = flip(old, data.draw(st.integers(0, 8 * len(old) - 1))).hex()
    refuses(json.dumps(whole, separators=(",", ":")), known, check)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(",", ", ", 1),
        lambda text: text.replace('"index":', '"index":0'),
        lambda text: text.replace('"index":', '"index":-'),
        lambda text: text.replace('"format"', '"\\u0066ormat"'),
        lambda text: text.replace("romer.index.proof.1", "romer.index.proof.2"),
        lambda text: text.replace('"event":"', '"event":"AB'),
        lambda text: text.replace('"event":"', '"event":" '),
        lambda text: text.replace('"path":"', '"path":"00'),
        lambda text: text.replace('"invoice":"', '"invoice":null,"x":"'),
        lambda text: json.dumps(dict(reversed(json.loads(text).items())), separators=(",", ":")),
        lambda text: text[:-1],
        lambda text: text + "{}",
        lambda text: "[" * 100_000,
    ],
)
def test_both_verifiers_refuse_another_way_to_write_it(
    result: RunResult, check: Verifier, change: Callable[[str], str]
) -> None:
    proof = prove(result, "mint:I-1")
    text = encode_proof(proof).decode()
    assert change(text) != text
    refuses(change(text), index_block_hash(proof.proof.block), check)


def refuses(text: str, known: bytes, check: Verifier) -> None:
    with pytest.raises(ValueError, match=r".+"):
        check(text, known)
    with suppress(InputError):
        assert proof_flaw(decode_proof(text.encode()), known)
