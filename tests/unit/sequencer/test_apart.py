"""Whose turn it is: the trusted share turns, others have theirs alone, by turns, each owner's messages in order."""

from __future__ import annotations

from typing import Any

from core.identity.checking import CheckBlock, CheckOrders
from core.market.orders import CancelOrder
from core.sequencer.apart import TURN_MAX, TURN_TOGETHER_MAX, Portion, Turns

DISTRUSTED = ("BAD1", "BAD2", "BAD3")


def portion(owner: str, height: int, *places: int, signed: bool = True) -> Portion:
    """What somebody has at these places of a block."""
    items: dict[int, Any] = {place: CancelOrder(f"O-{place}", "", f"x{place}") for place in places}
    return Portion(owner, height, height, items, dict.fromkeys(places, (b"", b"", b"")) if signed else {})


def taken(turns: Turns, count: int) -> list[dict[str, int]]:
    """How many messages of whom are checked in so many turns."""
    those = []
    for _ in range(count):
        owners = turns.take("job", DISTRUSTED).owners()
        those.append({owner: owners.count(owner) for owner in owners})
        turns.end()
    return those


def test_owners_who_are_distrusted_have_turns_of_a_few_messages_however_many_one_has() -> None:
    turns = Turns()
    most = TURN_MAX
    turns.add(portion("BAD1", 1, *range(3 * most)))
    turns.add(portion("BAD2", 1, 96))
    turns.add(portion("BAD3", 2, *range(most + 1)))
    of_each = [{"BAD1": most}, {"BAD2": 1}, {"BAD3": most}, {"BAD1": most}, {"BAD3": 1}, {"BAD1": most}]
    assert taken(turns, 6) == of_each
    assert turns == Turns()


def test_owners_who_are_trusted_share_turns_one_after_the_other() -> None:
    turns = Turns()
    most = TURN_MAX
    assert 2 * most == TURN_TOGETHER_MAX
    turns.add(portion("MM1", 1, *range(3 * most)))
    turns.add(portion("MM2", 1, 96, 97))
    turns.add(portion("MM3", 2, *range(most + 1)))
    of_each = [{"MM1": most, "MM2": 2, "MM3": most - 2}, {"MM1": most, "MM3": 3}, {"MM1": most}]
    assert taken(turns, 3) == of_each
    assert turns == Turns(was_trusted=True)


def test_owners_who_are_trusted_and_the_others_have_every_other_turn() -> None:
    turns = Turns()
    for owner in DISTRUSTED:
        turns.add(portion(owner, 1, 0))
    for owner in ("MM1", "MM2", "MM3"):
        turns.add(portion(owner, 1, *range(TURN_MAX)))
    owners = [list(it) for it in taken(turns, 5)]
    assert owners == [["MM1", "MM2"], ["BAD1"], ["MM3"], ["BAD2"], ["BAD3"]]


def test_a_turn_of_the_trusted_is_checked_as_a_block_is_and_one_of_another_to_the_last_culprit() -> None:
    turns = Turns()
    turns.add(portion("MM1", 1, 0))
    turns.add(portion("BAD1", 1, 1))
    problems = []
    for _ in range(2):
        problems.append(type(turns.take("job", DISTRUSTED).problem()))
        turns.end()
    assert problems == [CheckBlock, CheckOrders]


def test_a_turn_takes_what_an_owner_has_in_several_blocks_as_far_as_it_goes() -> None:
    turns = Turns()
    for height in range(1, 5):
        turns.add(portion("MM1", height, *range(10)))
    turn = turns.take("job", DISTRUSTED)
    assert [(it.height, len(it.items)) for it in turn.portions] == [(1, 10), (2, 10), (3, 10), (4, TURN_MAX - 30)]
    assert turn.places() == [(height, place) for height in range(1, 5) for place in range(10)][:TURN_MAX]
    assert len(turns) == 5
    assert turns.before(4) == ["MM1"] * 3
    turns.end()
    assert turns.take("job", DISTRUSTED).places() == [(4, place) for place in range(TURN_MAX - 30, 10)]


def test_a_turn_takes_along_what_needs_no_check_as_far_as_it_goes() -> None:
    turns = Turns()
    mixed = portion("MM1", 1, *range(2 * TURN_MAX))
    mixed.signed = {place: it for place, it in mixed.signed.items() if place % 3}
    turns.add(mixed)
    turn = turns.take("job", DISTRUSTED)
    ((_, last_place),) = turn.places()[-1:]
    assert len(turn.places()) == TURN_MAX
    assert list(turn.portions[0].items) == list(range(last_place + 1 + (last_place % 3 == 2)))


def test_what_needs_no_check_waits_for_what_is_before_it_and_for_no_more() -> None:
    turns = Turns()
    turns.add(portion("MM1", 3, 5, signed=False))
    turns.add(portion("MM1", 2, 7))
    turns.add(portion("MM1", 4, 1, signed=False))
    assert turns.take_checked() is None
    assert turns.before(2) == []
    assert turns.before(3) == ["MM1"]
    turns.take("job", DISTRUSTED)
    turns.add(portion("MM1", 5, 1, signed=False))
    assert turns.take_checked() is None, "it is still being checked"
    assert turns.has("MM1")
    turns.end()
    checked = turns.take_checked()
    assert checked is not None
    assert checked.height == 5
    assert not turns.has("MM1")
