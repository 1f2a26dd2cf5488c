"""`romer-sim chain`, `prove` and `verify-proof`: the chain of index tokens of a desk's run, and what it proves."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from core.errors import InputError
from core.faults import one_line
from core.index.chain_log import index_block_hash
from core.index.chain_proof import ChainProof, decode_proof, encode_proof, proof_flaw
from core.kernel.record import Record
from core.units import SECOND, Nanos
from sim.commands.exits import Exit
from sim.commands.options import DIRECTORY, Hash, as_json, show

if TYPE_CHECKING:
    from sim.results.desk.chain import VerifiedChain
    from sim.results.desk.rows import ChainEventRow


@click.command()
@click.argument("directory", type=DIRECTORY)
@click.option("--head", type=Hash(), help="The hash of a block, once the newest, as you know it from elsewhere.")
@as_json
def chain(*, directory: Path, head: bytes | None, as_json: bool) -> Exit:
    """List the events of the chain that index tokens live on, and verify every block, from the first one on.

    DIRECTORY is what `romer-sim run` made of an index desk's scenario. Each block must link to the one before, commit
    to its events, and do nothing impossible; and what the desk has stated must be on the chain as it was stated.
    """
    from core.index.chain_history import ChainFlaw  # noqa: PLC0415
    from sim.results.desk.chain import verify_chain  # noqa: PLC0415  # tables are slow to import
    from sim.results.result import load  # noqa: PLC0415

    found = verify_chain(load(directory), head)
    if isinstance(found, ChainFlaw):
        show({"broken": found.height, "reason": found.reason}, f"{directory}: {found}", as_json=as_json)
        return Exit.DAMAGED
    show(found, _told(found), as_json=as_json)
    return Exit.OK


@click.command()
@click.argument("directory", type=DIRECTORY)
@click.argument("name")
def prove(*, directory: Path, name: str) -> Exit:
    """Print the proof of one event of the chain that index tokens live on, for anyone to verify.

    DIRECTORY is what `romer-sim run` made of an index desk's scenario. NAME is an event as `romer-sim chain` calls it,
    such as mint:I-1, invoice:I-1 or weights:IX:1; or an order, as `explain` takes it: then it is its mint or burn.
    """
    from sim.results.desk.chain import prove as prove_event  # noqa: PLC0415  # tables are slow to import
    from sim.results.result import load  # noqa: PLC0415

    click.echo(encode_proof(prove_event(load(directory), name)))
    return Exit.OK


@click.command("verify-proof")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False, allow_dash=True))
@click.option("--block-hash", "known", type=Hash(), help="The hash of that block, as you know it from elsewhere.")
@as_json
def verify_proof(*, file: Path, known: bytes | None, as_json: bool) -> Exit:
    """Say whether the proof in FILE proves its event, and which. It takes no run, and FILE may be - for stdin."""
    with click.open_file(str(file), "rb") as stream:
        text = stream.read()
    found = _read(text)
    flaw = found if isinstance(found, str) else proof_flaw(found, known)
    if isinstance(found, str) or flaw:
        show({"broken": str(file), "reason": flaw}, f"{file}: it proves nothing: {flaw}", as_json=as_json)
        return Exit.DAMAGED
    show(_proven(found, known), _proven_text(found, known), as_json=as_json)
    return Exit.OK


def _read(text: bytes) -> ChainProof | str:
    """A proof, or why it is none."""
    try:
        return decode_proof(text)
    except InputError as error:
        return error.message


def _told(found: VerifiedChain) -> str:
    lines = [f"{'block':>6}  {'place':>5}  {'sealed (UTC)':<23}  {'event':<16}  what", *map(_line, found.events)]
    since = f"; {found.since:,} of them follow the one that you know" if found.since else ""
    events = f"{found.blocks:,} blocks with {len(found.events):,} events"
    lines.append(f"{events} are one chain; its head is {found.head}{since}")
    if found.waiting:
        lines.append(f"in no block yet when the run ended: {one_line(', '.join(found.waiting))}")
    if found.declined:
        lines.append(f"declined, and in no block ever: {one_line(', '.join(found.declined))}")
    return "\n".join(lines)


def _line(row: ChainEventRow) -> str:
    from sim.results.desk.words import in_digits  # noqa: PLC0415

    what = [row.symbol if row.quantity is None else f"{row.quantity.normalize():f} {row.symbol}"]
    if row.user is not None:
        what.append(row.user)
    if row.amount_paid is not None:
        what.append(f"paid {row.amount_paid.normalize():f}")
    elif row.price is not None:
        what.append(f"version {row.version}, worth {in_digits(row.price)}")
    told = one_line(" ".join(what))
    return f"{row.height:>6}  {row.index:>5}  {_instant(row.time)[:-6]}  {one_line(row.key):<16}  {told}"


def _proven(found: ChainProof, known: bytes | None) -> dict[str, Any]:
    """What a proof that holds says; `known` is whether its block was compared with a hash from elsewhere."""
    proof = found.proof
    return {
        "key": proof.event.did.key,
        "event": proof.event.did,
        "asked_at": proof.event.at,
        "sealed_at": proof.block.sealed_at,
        "height": proof.block.height,
        "index": proof.index,
        "events": proof.block.count,
        "block_hash": index_block_hash(proof.block).hex(),
        "invoice": found.invoice,
        "known": known is not None,
    }


def _proven_text(found: ChainProof, known: bytes | None) -> str:
    proof, block = found.proof, found.proof.block
    lines = [
        f"{proof.event.did.key}: {_in_words(proof.event.did)}",
        f"asked for {_instant(proof.event.at)} UTC",
        f"is event {proof.index + 1} of {block.count} in block {block.height}, {index_block_hash(block).hex()}",
        f"sealed {_instant(block.sealed_at)} UTC",
    ]
    if found.invoice is not None:
        lines.append(_in_words(found.invoice))
    lines.append("compare the block's hash yourself" if known is None else "the block is the one that you know")
    return "\n".join(map(one_line, lines))


def _in_words(fact: Record) -> str:
    from sim.results.desk.words import in_words  # noqa: PLC0415

    return in_words(type(fact).__name__, msgspec.to_builtins(fact, builtin_types=(bytes,)))


def _instant(at: Nanos) -> str:
    return f"{datetime.fromtimestamp(at // SECOND, UTC):%Y-%m-%d %H:%M:%S}.{at % SECOND:09}"
