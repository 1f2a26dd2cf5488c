"""Whose turn it is: owners one after the other, the trusted and the others by turns, each owner's messages in order."""

from __future__ import annotations

from typing import Any

from core.market.orders import CancelOrder
from core.sequencer.apart import TURN_MAX, Portion, Turns

DISTRUSTED = ("BAD1", "BAD2", "BAD3")


def portion(height: int, *places: int, signed: bool = True) -> Portion:
    """What somebody has at these places of a block."""
    items: dict[int, Any] = {place: CancelOrder(f"O-{place}", "", f"x{place}") for place in places}
    return Portion(height, height, items, dict.fromkeys(places, (b"", b"", b"")) if signed else {})


def taken(turns: Turns, count: int) -> list[tuple[str, int]]:
    """Whose so many turns are, and how many messages of each are checked."""
    those = []
    for _ in range(count):
        turn = turns.take("job", DISTRUSTED)
        those.append((turn.owner, len(turn.signed())))
        turns.end()
    return those


def test_owners_take_turns_of_a_few_messages_however_many_one_has() -> None:
    turns = Turns()
    turns.add("MM1", portion(1, *range(3 * TURN_MAX)))
    turns.add("MM2", portion(1, 96))
    turns.add("MM3", portion(2, *range(TURN_MAX + 1)))
    most = TURN_MAX
    assert taken(turns, 6) == [("MM1", most), ("MM2", 1), ("MM3", most), ("MM1", most), ("MM3", 1), ("MM1", most)]
    assert turns == Turns(was_trusted=True)


def test_owners_who_are_trusted_and_the_others_have_every_other_turn() -> None:
    turns = Turns()
    for owner in (*DISTRUSTED, "MM1", "MM2"):
        turns.add(owner, portion(1, 0))
    assert [owner for owner, _ in taken(turns, 5)] == ["MM1", "BAD1", "MM2", "BAD2", "BAD3"]


def test_a_turn_takes_what_an_owner_has_in_several_blocks_as_far_as_it_goes() -> None:
    turns = Turns()
    for height in range(1, 5):
        turns.add("MM1", portion(height, *range(10)))
    turn = turns.take("job", DISTRUSTED)
    assert [it.height for it in turn.portions] == [1, 2, 3]
    assert turn.places() == [(height, place) for height in (1, 2, 3) for place in range(10)]
    assert len(turns) == 4


def test_what_needs_no_check_waits_for_what_is_before_it_and_for_no_more() -> None:
    turns = Turns()
    turns.add("MM1", portion(3, 5, signed=False))
    turns.add("MM1", portion(2, 7))
    turns.add("MM1", portion(4, 1, signed=False))
    assert turns.take_checked() is None
    assert turns.before(2) == []
    assert turns.before(3) == ["MM1"]
    turns.take("job", DISTRUSTED)
    turns.add("MM1", portion(5, 1, signed=False))
    assert turns.take_checked() is None, "it is still being checked"
    assert turns.has("MM1")
    turns.end()
    checked = turns.take_checked()
    assert checked is not None
    assert checked[1].height == 5
    assert not turns.has("MM1")
