"""What is checked on its own, each owner's apart from all others', and whose turn it is.

To find many bad signatures costs many times what a check of good ones does. So the check of a block
(`core.sequencer.checks`) finds few, and of other owners only says that it casts doubt on them: what these have in the
block is checked in turns of a few messages, one turn at a time. Owners who are trusted are here as well: with more than
the others leave room for while several blocks are under check, and with what is behind that. They and those who are
distrusted have every other turn.

An owner's messages stay in their order: as long as one waits here, so do those behind it.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Container, Mapping
from typing import Any, Final

import msgspec

from core.identity.checking import Signed
from core.market.orders import Item
from core.units import Nanos

TURN_MAX: Final = 32
"""Messages that are checked in a turn: who waits behind one does not wait long, whoever has signed them."""


class Portion(msgspec.Struct):
    """Some of what an owner has in a block, by place: its items, and what is still to be checked of them."""

    height: int
    closed_at: Nanos
    items: dict[int, Item]
    signed: dict[int, Signed]


class Turn(msgspec.Struct):
    """What is being checked of an owner."""

    job: str
    owner: str
    portions: list[Portion]

    def signed(self) -> tuple[Signed, ...]:
        """What is to be checked."""
        return tuple(each for portion in self.portions for each in portion.signed.values())

    def places(self) -> list[tuple[int, int]]:
        """Block and place of each of those."""
        return [(portion.height, place) for portion in self.portions for place in portion.signed]


class Turns(msgspec.Struct):
    """By owner what waits, oldest first. Owners are in the order of their turns."""

    waiting: dict[str, list[Portion]] = {}
    turn: Turn | None = None
    was_trusted: bool = False
    """Whether the last turn was an owner's who is not distrusted."""

    def __len__(self) -> int:
        """Portions that wait or are being checked."""
        return sum(map(len, self.waiting.values())) + (len(self.turn.portions) if self.turn is not None else 0)

    def has(self, owner: str) -> bool:
        """Whether something of this owner waits or is being checked."""
        return owner in self.waiting or (self.turn is not None and self.turn.owner == owner)

    def before(self, height: int) -> list[str]:
        """The owners of whom something of a block before that one waits or is being checked."""
        turn = [(self.turn.owner, self.turn.portions)] if self.turn is not None else []
        return [owner for owner, portions in (*turn, *self.waiting.items()) if portions[0].height < height]

    def add(self, owner: str, portion: Portion) -> None:
        """Let it wait, in portions of a turn each, behind what the owner has in the blocks before."""
        places = list(portion.items)
        for start in range(0, len(places), TURN_MAX):
            some = places[start : start + TURN_MAX]
            insort(self.waiting.setdefault(owner, []), _part(portion, some), key=lambda it: (it.height, min(it.items)))

    def take_checked(self) -> tuple[str, Portion] | None:
        """Remove and return an owner's portion of which nothing is to be checked, and nothing before it waits."""
        for owner, portions in self.waiting.items():
            if not portions[0].signed and (self.turn is None or self.turn.owner != owner):
                first = portions.pop(0)
                if not portions:
                    del self.waiting[owner]
                return owner, first
        return None

    def take(self, job: str, distrusted: Container[str]) -> Turn:
        """Begin the next turn. Something must wait, and no turn be under way."""
        first = {owner not in distrusted: owner for owner in reversed(self.waiting)}
        owner = first.get(not self.was_trusted, next(iter(self.waiting)))
        self.was_trusted = owner not in distrusted
        portions, rest = _at_most(TURN_MAX, self.waiting.pop(owner))
        if rest:
            self.waiting[owner] = rest
        self.turn = Turn(job, owner, portions)
        return self.turn

    def end(self) -> Turn:
        """End the turn that is under way."""
        assert self.turn is not None
        turn, self.turn = self.turn, None
        return turn


def _part(portion: Portion, places: list[int]) -> Portion:
    return Portion(portion.height, portion.closed_at, _those(portion.items, places), _those(portion.signed, places))


def _those(of: Mapping[int, Any], places: list[int]) -> dict[int, Any]:
    return {place: of[place] for place in places if place in of}


def _at_most(most: int, portions: list[Portion]) -> tuple[list[Portion], list[Portion]]:
    """The first ones, with as many messages to check, and the rest."""
    count = total = 0
    for portion in portions:
        total += len(portion.signed)
        if count and total > most:
            break
        count += 1
    return portions[:count], portions[count:]
