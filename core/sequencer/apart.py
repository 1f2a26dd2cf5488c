"""What is checked apart from the blocks, and whose turn it is.

To find many bad signatures costs many times what a check of good ones does. So the check of a block
(`core.sequencer.checks`) finds few, and of other owners only says that it casts doubt on them: what these have in the
block is checked in turns of a few messages, each owner's alone, one turn at a time. Owners who are trusted are here as
well: with more than the others leave room for while several blocks are under check, and with what is behind that. They
share turns, whose check is that of a block: it costs no more than such a one, and whom it casts doubt on has turns
alone. The trusted and the distrusted have every other turn.

An owner's messages stay in their order: as long as one waits here, so do those behind it.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Container
from typing import Final

import msgspec

from core.identity.checking import CheckBlock, CheckOrders, Signed
from core.market.orders import Item
from core.units import Nanos

TURN_MAX: Final = 32
"""Messages of an owner that are checked in a turn: who waits behind one does not wait long, whoever has signed them."""
TURN_TOGETHER_MAX: Final = 64
"""Messages of all owners in a turn of the trusted. One owner's alone would be too few: while more comes than can be
checked, who is apart then gets less of the checker than who is not, and stays apart."""


class Portion(msgspec.Struct):
    """Some of what an owner has in a block, by place: its items, and what is still to be checked of them."""

    owner: str
    height: int
    closed_at: Nanos
    items: dict[int, Item]
    signed: dict[int, Signed]

    def cut(self, before: int) -> tuple[Portion, Portion]:
        """What stands before that place, and the rest."""
        first = [place for place in self.items if place < before]
        return self._those(first), self._those([place for place in self.items if place >= before])

    def _those(self, places: list[int]) -> Portion:
        items = {place: self.items[place] for place in places}
        signed = {place: self.signed[place] for place in places if place in self.signed}
        return Portion(self.owner, self.height, self.closed_at, items, signed)


class Turn(msgspec.Struct):
    """What is being checked."""

    job: str
    portions: list[Portion]
    is_trusted: bool
    """Whether its owners are, who are several then. Of one who is not every culprit is found."""

    def problem(self) -> CheckBlock | CheckOrders:
        """The check of it."""
        signed = tuple(each for portion in self.portions for each in portion.signed.values())
        return CheckBlock(signed) if self.is_trusted else CheckOrders(signed)

    def places(self) -> list[tuple[int, int]]:
        """Block and place of each signed message,"""
        return [(portion.height, place) for portion in self.portions for place in portion.signed]

    def owners(self) -> list[str]:
        """and whose it is."""
        return [portion.owner for portion in self.portions for _ in portion.signed]


class Turns(msgspec.Struct):
    """By owner what waits, oldest first. Owners are in the order of their turns."""

    waiting: dict[str, list[Portion]] = {}
    turn: Turn | None = None
    was_trusted: bool = False
    """Whether the last turn was of owners who are not distrusted."""

    def __len__(self) -> int:
        """Portions that wait or are being checked."""
        return sum(map(len, self.waiting.values())) + len(self._under_way())

    def has(self, owner: str) -> bool:
        """Whether something of this owner waits or is being checked."""
        return owner in self.waiting or self._is_under_way(owner)

    def before(self, height: int) -> list[str]:
        """The owners of whom something of a block before that one waits or is being checked."""
        waiting = (portions[0] for portions in self.waiting.values())
        return [it.owner for it in (*self._under_way(), *waiting) if it.height < height]

    def add(self, portion: Portion) -> None:
        """Let it wait, behind what its owner has in the blocks before."""
        insort(self.waiting.setdefault(portion.owner, []), portion, key=lambda it: (it.height, min(it.items)))

    def take_checked(self) -> Portion | None:
        """Remove and return an owner's portion of which nothing is to be checked, and nothing before it waits."""
        for owner, portions in self.waiting.items():
            if not portions[0].signed and not self._is_under_way(owner):
                first = portions.pop(0)
                if not portions:
                    del self.waiting[owner]
                return first
        return None

    def take(self, job: str, distrusted: Container[str]) -> Turn:
        """Begin the next turn. Something must wait, and no turn be under way."""
        trusted = [owner for owner in self.waiting if owner not in distrusted]
        others = [owner for owner in self.waiting if owner in distrusted]
        self.was_trusted = bool(trusted) and not (others and self.was_trusted)
        portions: list[Portion] = []
        room = TURN_TOGETHER_MAX
        for owner in trusted if self.was_trusted else others[:1]:
            taken = self._take_of(owner, min(room, TURN_MAX))
            portions += taken
            room -= sum(len(it.signed) for it in taken)
            if not room:
                break
        self.turn = Turn(job, portions, self.was_trusted)
        return self.turn

    def end(self) -> Turn:
        """End the turn that is under way."""
        assert self.turn is not None
        turn, self.turn = self.turn, None
        return turn

    def _take_of(self, owner: str, most: int) -> list[Portion]:
        """The first messages that this owner has to check."""
        rest, taken = self.waiting.pop(owner), []
        while rest and most:
            first = rest.pop(0)
            if len(first.signed) > most:
                first, left = first.cut(list(first.signed)[most])
                rest.insert(0, left)
            most -= len(first.signed)
            taken.append(first)
        if rest:
            self.waiting[owner] = rest
        return taken

    def _under_way(self) -> list[Portion]:
        return self.turn.portions if self.turn is not None else []

    def _is_under_way(self, owner: str) -> bool:
        return any(it.owner == owner for it in self._under_way())
