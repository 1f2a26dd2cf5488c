from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from core.kernel.record import Call, Effect, Event, Message, Note, Reply, Start, Stop, TimerFired
from core.market.orders import CancelOrder, CancelRefused, OrderExpired
from core.sequencer.block import block_hash
from core.sequencer.chain import ChainBreak, Rebuilt, verify_history
from core.sequencer.facts import BlockSealed, CancelSequenced, OrderSequenced
from core.sequencer.history import History
from core.sequencer.ordering import Ordering
from core.sequencer.sequencer import Sequencer
from core.sequencer.signing import BlockSignature, SignBlock
from core.units import MILLISECOND, SECOND, Nanos
from tests.helpers.blocks import KEY_ID, PUBLIC_KEY, toy_check, toy_signature
from tests.helpers.orders import cancel, from_peer, new_order, settings

T0 = 1_000 * SECOND
WINDOW = 500 * MILLISECOND
NO_HEAD = "neither its hash nor one before is the head's"
EVENTS: list[tuple[Nanos, Event]] = [
    (T0, Start()),
    (T0 + 1, from_peer(new_order("c1"))),
    (T0 + 2, from_peer(new_order("c2"), "MM2")),
    (T0 + 3, from_peer(cancel("x1", "c1"))),
    (T0 + 4, from_peer(new_order("c4"))),
    (T0 + 5, Message("auction", OrderExpired("O-2", "validity"))),
    (T0 + WINDOW, TimerFired("window", T0 + WINDOW)),
    (T0 + WINDOW + 1, Message("auction", CancelRefused("O-1", "x1", "too_late"))),
    (T0 + WINDOW + 2, from_peer(new_order("c5"), "MM2")),
    (T0 + WINDOW + 3, Stop()),
]


def deliveries(**changes: Any) -> list[tuple[Nanos, Event, list[Effect]]]:
    """What a sequencer was given and did; its signer answers two deliveries later."""
    sequencer = Sequencer("sequencer", settings(**changes))
    events, told, answers = list(EVENTS), [], dict[int, list[Event]]()
    for number, (now, event) in enumerate(events):
        for each in (event, *answers.pop(number, [])):
            effects = sequencer.handle(now, each)
            told.append((now, each, effects))
            wanted = [effect for effect in effects if isinstance(effect, Call)]
            answers.setdefault(min(number + 2, len(events)), []).extend(map(answer, wanted))
    late = [each for some in answers.values() for each in some]
    return told + [(T0 + SECOND, each, sequencer.handle(T0 + SECOND, each)) for each in late]


def answer(wanted: Call[SignBlock]) -> Reply[BlockSignature]:
    assert (wanted.service, wanted.body.key_id) == ("signer", KEY_ID)
    signature = BlockSignature(wanted.body.height, toy_signature(PUBLIC_KEY, wanted.body.message))
    return Reply(wanted.call_id, signature)


def history(told: list[tuple[Nanos, Event, list[Effect]]], *, is_pruned: bool = False) -> list[Rebuilt]:
    past = History(is_pruned=is_pruned)
    blocks = [block for now, event, effects in told for block in past.take(now, "sequencer", event, effects)]
    return [*blocks, *past.rest()]


def test_the_blocks_of_a_journal_are_those_that_were_sealed() -> None:
    blocks = history(deliveries(batch_messages=3))
    assert [block.block.header.message_count for block in blocks] == [3, 1, 1]
    assert verify_history(blocks) is None


def test_blocks_in_another_order_than_messages_came_are_told_in_theirs() -> None:
    told = deliveries(batch_messages=4, ordering=Ordering("shuffle"))
    (first, *_) = [e.fact for _, _, effects in told for e in effects if isinstance(e, Note) and is_sealed(e.fact)]
    assert sorted(first.sequence) == [1, 2, 3, 4]
    assert verify_history(history(told)) is None


def test_signatures_that_come_later_are_with_their_blocks() -> None:
    told = deliveries(batch_messages=2, key_id=KEY_ID)
    assert verify_history(history(told), check=toy_check) is None


def test_a_block_whose_signature_never_came_is_the_first_that_is_named() -> None:
    told = [each for each in deliveries(batch_messages=2, key_id=KEY_ID) if not is_answer(each[1], 2)]
    assert verify_history(history(told)) is None
    assert verify_history(history(told), check=toy_check) == ChainBreak(2, "it is not signed, and block 3 is")


def test_blocks_whose_signatures_have_not_come_yet_are_no_break() -> None:
    told = [each for each in deliveries(batch_messages=2, key_id=KEY_ID) if not is_answer(each[1], 2, 3)]
    assert [bool(it.block.signature) for it in history(told)] == [True, False, False]
    assert verify_history(history(told), check=toy_check) is None


def test_a_message_that_came_otherwise_than_the_block_says_is_found_out() -> None:
    told = deliveries(batch_messages=3)
    now, _, effects = told[2]
    told[2] = now, from_peer(new_order("c2", price=None), "MM2"), effects
    assert verify_history(history(told)) == ChainBreak(1, "message root is not that of its messages")


def test_an_outcome_that_the_block_does_not_know_of_is_found_out() -> None:
    told = deliveries(batch_messages=3)
    told = [each for each in told if not (isinstance(each[1], Message) and isinstance(each[1].body, OrderExpired))]
    assert verify_history(history(told)) == ChainBreak(2, "state root is not that of what happened before it")


def test_a_sequence_that_is_not_of_the_block_is_found_out() -> None:
    told = deliveries(batch_messages=3)
    for at, (now, event, effects) in enumerate(told):
        told[at] = now, event, [misplaced(effect) for effect in effects]
    broken = verify_history(history(told))
    assert broken == ChainBreak(1, "message root is not that of its messages")


@pytest.mark.parametrize(("gone", "first"), [(1, 1), (2, 2), (4, 2), (5, 3), (8, 3)])
def test_blocks_of_which_no_message_is_gone_are_a_chain_on_their_own(gone: int, first: int) -> None:
    told = deliveries(batch_messages=3, key_id=KEY_ID)
    blocks = history(told[gone:], is_pruned=True)
    assert [it.block.header.height for it in blocks] == list(range(first, 4))
    assert verify_history(blocks, check=toy_check, is_pruned=True) is None
    whole = history(told)
    known = [block_hash(it.block.header) for it in whole]
    for height in range(max(1, first - 1), 4):
        assert verify_history(blocks, known[height - 1], is_pruned=True) is None
    assert (verify_history(blocks) is None) == (first == 1)


def test_a_chain_without_its_beginning_is_held_to_what_its_first_block_says() -> None:
    blocks = history(deliveries(batch_messages=3)[5:], is_pruned=True)
    assert verify_history(blocks, bytes([1] * 32), is_pruned=True) == ChainBreak(3, NO_HEAD)
    assert verify_history([], bytes([1] * 32), is_pruned=True) == ChainBreak(1, NO_HEAD)
    without = [each for each in deliveries(batch_messages=3)[2:] if not is_outcome(each[1])]
    broken = verify_history(history(without, is_pruned=True), is_pruned=True)
    assert broken == ChainBreak(3, "state root is not that of what happened before it")


def test_a_place_that_nobody_has_asked_for_is_found_out() -> None:
    told, forged = deliveries(batch_messages=3), CancelSequenced(3, CancelOrder("O-1", "MM1", "x9"))
    others: list[Event] = [TimerFired("window", T0), Message("auction", OrderExpired("O-2", "validity"))]
    for place in (2, 6):
        for event in others:
            at: tuple[Nanos, Event, list[Effect]] = (told[place][0], event, [Note(forged)])
            broken = verify_history(history([*told[:place], at, *told[place:]]))
            assert broken is not None
            assert broken.reason == "number 3 in sequence is of no message that came"


@pytest.mark.parametrize("number", [-1, 1 << 64])
def test_a_number_that_none_can_be_is_found_out(number: int) -> None:
    told = deliveries(batch_messages=3)
    now, event, effects = told[1]
    told[1] = now, event, [renumbered(effect, number) for effect in effects]
    assert verify_history(history(told)) == ChainBreak(
        1, f"number {number} in sequence, or what it names, has no place in a block"
    )


def renumbered(effect: Effect, number: int) -> Effect:
    if isinstance(effect, Note) and isinstance(effect.fact, OrderSequenced):
        return Note(replace(effect.fact, global_seq=number))
    return effect


def is_outcome(event: Event) -> bool:
    return isinstance(event, Message) and isinstance(event.body, CancelRefused)


def misplaced(effect: Effect) -> Effect:
    if isinstance(effect, Note) and is_sealed(effect.fact):
        return Note(replace(effect.fact, sequence=(3, 2, 1)))
    return effect


def is_sealed(fact: object) -> bool:
    return isinstance(fact, BlockSealed)


def is_answer(event: Event, *heights: int) -> bool:
    return isinstance(event, Reply) and event.body.height in heights
