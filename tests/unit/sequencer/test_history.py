from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from core.kernel.record import Call, Effect, Event, Message, Note, Reply, Start, Stop, TimerFired
from core.market.orders import CancelRefused, OrderExpired
from core.sequencer.chain import ChainBreak, Rebuilt, verify_history
from core.sequencer.facts import BlockSealed
from core.sequencer.history import History
from core.sequencer.ordering import Ordering
from core.sequencer.sequencer import Sequencer
from core.sequencer.signing import BlockSignature, SignBlock
from core.units import MILLISECOND, SECOND, Nanos
from tests.helpers.blocks import KEY_ID, PUBLIC_KEY, toy_check, toy_signature
from tests.helpers.orders import cancel, from_peer, new_order, settings

T0 = 1_000 * SECOND
WINDOW = 500 * MILLISECOND
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


def history(told: list[tuple[Nanos, Event, list[Effect]]]) -> list[Rebuilt]:
    past = History()
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


def misplaced(effect: Effect) -> Effect:
    if isinstance(effect, Note) and is_sealed(effect.fact):
        return Note(replace(effect.fact, sequence=(3, 2, 1)))
    return effect


def is_sealed(fact: object) -> bool:
    return isinstance(fact, BlockSealed)


def is_answer(event: Event, *heights: int) -> bool:
    return isinstance(event, Reply) and event.body.height in heights
