from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from core.sequencer.block import NO_BLOCK, Block, block_hash
from core.sequencer.chain import ChainBreak, Rebuilt, verify_history
from core.sequencer.facts import BlockHeader
from tests.helpers.blocks import KEY_ID, blocks, flip, headers, rebuilt, toy_check

HASHES = ["previous_hash", "message_root", "receipt_root", "state_root", "key_id"]
NUMBERS = ["height", "opened_at", "closed_at", "message_count"]


def verified(chain: list[BlockHeader], head: bytes | None = None) -> ChainBreak | None:
    """What there is to say of headers alone."""
    return verify_history(rebuilt([Block(each, (), ()) for each in chain]), head)


def changed(block: Block, **changes: Any) -> Block:
    return replace(block, header=replace(block.header, **changes))


# --- headers alone -------------------------------------------------------------------------------


def test_a_whole_chain_verifies() -> None:
    chain = headers(4)
    assert verified(chain) is None
    assert verified(chain, block_hash(chain[-1])) is None
    assert verified([], NO_BLOCK) is None


@pytest.mark.parametrize("field", [*NUMBERS, *HASHES])
@pytest.mark.parametrize("height", [1, 2, 4])
def test_any_changed_field_breaks_the_chain_at_once_or_at_the_next_block(field: str, height: int) -> None:
    chain = headers(4)
    old = getattr(chain[height - 1], field)
    chain[height - 1] = replace(chain[height - 1], **{field: old + 1 if isinstance(old, int) else flip(old, 9)})
    broken = verified(chain, block_hash(headers(4)[-1]))
    assert broken is not None
    assert broken.height in (height, height + 1)


def test_a_missing_block_is_named_by_its_height() -> None:
    chain = headers(4)
    del chain[1]
    assert verified(chain) == ChainBreak(2, "height 3 stands where 2 belongs")
    assert str(verified(chain)) == "block 2: height 3 stands where 2 belongs"


def test_a_head_is_kept_while_the_chain_grows() -> None:
    chain = headers(3)
    assert [verified(chain, block_hash(header)) for header in chain] == [None] * 3
    broken = ChainBreak(3, "neither its hash nor one before is the head's")
    assert verified(chain, NO_BLOCK) == broken
    assert verified([], NO_BLOCK) is None


def test_a_chain_that_does_not_reach_the_head_is_broken_at_its_end() -> None:
    chain = headers(3)
    assert verified(chain[:2], block_hash(chain[2])) == ChainBreak(2, "neither its hash nor one before is the head's")
    assert verified([], block_hash(chain[2])) == ChainBreak(1, "neither its hash nor one before is the head's")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((name, bytes(length)) for name in HASHES for length in (31, 33)),
        ("opened_at", -1),
        ("message_count", 1 << 32),
        ("height", 1 << 64),
        ("version", 1 << 16),
    ],
)
def test_a_field_that_does_not_fit_its_place_breaks_the_chain(field: str, value: object) -> None:
    chain = [replace(headers(1)[0], **{field: value})]
    assert verified(chain) == ChainBreak(1, "a field is longer or larger than its place in the header")


def test_an_unknown_version_breaks_the_chain() -> None:
    assert verified([replace(headers(1)[0], version=1)]) == ChainBreak(1, "version 1 is unknown")


def test_time_does_not_run_backwards_along_a_chain() -> None:
    first, second = headers(2)
    early = replace(second, opened_at=first.closed_at - 1)
    assert verified([first, early]) == ChainBreak(2, "it did not open when the block before closed")
    backwards = replace(second, closed_at=second.opened_at - 1)
    assert verified([first, backwards]) == ChainBreak(2, "it closed before it opened")


# --- whole blocks --------------------------------------------------------------------------------


@pytest.mark.parametrize("key_id", [NO_BLOCK, KEY_ID])
def test_whole_blocks_verify(key_id: bytes) -> None:
    chain = blocks([3, 0, 1], key_id)
    assert verify_history(rebuilt(chain), block_hash(chain[-1].header)) is None
    assert verify_history([]) is None


def test_signed_blocks_verify_with_their_key() -> None:
    assert verify_history(rebuilt(blocks([1, 2], KEY_ID)), check=toy_check) is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"messages": ()}, "it holds 0 messages, not as many as it says"),
        ({"messages": (b"a", b"b")}, "message root is not that of its messages"),
        ({"acknowledgements": (b"a", b"b")}, "receipt root is not that of its acknowledgements"),
        ({"signature": bytes(96)}, "its signature is not that of its key"),
        ({"signature": bytes(95)}, "its signature has 95 bytes instead of 96"),
        ({"signature": b""}, "it is not signed, and block 3 is"),
    ],
)
def test_a_block_with_something_else_in_it_is_named(changes: dict[str, Any], reason: str) -> None:
    chain = blocks([1, 2, 1], KEY_ID)
    chain[1] = replace(chain[1], **changes)
    assert verify_history(rebuilt(chain), check=toy_check) == ChainBreak(2, reason)


def test_a_state_root_that_the_journal_does_not_give_is_named() -> None:
    first, second = rebuilt(blocks([1, 1]))
    told = "state root is not that of what happened before it"
    assert verify_history([first, Rebuilt(second.block, bytes([1] * 32))]) == ChainBreak(2, told)


def test_a_signature_without_a_key_is_refused() -> None:
    (block,) = blocks([1])
    signed = rebuilt([replace(block, signature=bytes(96))])
    assert verify_history(signed) == ChainBreak(1, "it has a signature and names no key")


def test_a_key_that_is_not_known_signs_nothing() -> None:
    (block,) = blocks([1], KEY_ID)
    other = changed(block, key_id=flip(KEY_ID, 0))
    assert verify_history(rebuilt([other]), check=toy_check) == ChainBreak(1, "its signature is not that of its key")


@pytest.mark.parametrize("signed", range(4))
def test_the_newest_blocks_may_wait_for_their_signatures_and_must_hold_otherwise(signed: int) -> None:
    chain = blocks([1, 2, 1], KEY_ID)
    chain = [block if nth < signed else replace(block, signature=b"") for nth, block in enumerate(chain)]
    assert verify_history(rebuilt(chain), check=toy_check) is None
    chain[2] = replace(chain[2], messages=(b"a", b"b"))
    assert verify_history(rebuilt(chain), check=toy_check) == ChainBreak(
        3, "it holds 2 messages, not as many as it says"
    )


def test_an_unsigned_chain_does_not_pass_where_signatures_are_wanted() -> None:
    assert verify_history(rebuilt(blocks([1])), check=toy_check) == ChainBreak(1, "it is not signed")
