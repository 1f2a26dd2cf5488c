"""The sequencer's checks: what was sealed waits here until its signatures are checked, and then goes to the auction.

The signed messages of a block take one aggregate check, whose time is bounded whatever is wrong with them. In turns,
apart from that, are checked those of the owners whom it casts doubt on, what these have behind that, and, only while
checks of several blocks are under way together, those of who has more than its share. A block waits for these for
`APART_WAIT`; what comes later goes with a later batch. So who signs badly delays others by that, a turn and the time of
some checks together at most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final

from msgspec.structs import replace

from core.identity.checking import BlockChecked, CheckBlock, OrdersChecked
from core.kernel.record import CancelTimer, Compute, Computed, Note, Restarted, Send, SetTimer
from core.market.orders import Batch
from core.sequencer.apart import Portion
from core.sequencer.facts import CulpritsFound, OrdersVerified
from core.sequencer.held import GIVEN_UP_MAX, GivenUp, HeldBatch, TurnedAway, turned_away
from core.sequencer.reasons import Reason
from core.sequencer.sealing import Sealing, Trigger
from core.units import MILLISECOND, Nanos

AUCTION: Final = "auction"
TOGETHER_MAX: Final = 500
"""Messages of all blocks that are under check together, or as many as a block holds where that is more. Owners share
this alike, and what those leave who need less; who has more than its share is checked apart. So n owners who take all
they can, one after the other, have this times 1 + 1/2 + ... + 1/n at most."""
APART_WAIT: Final = 250 * MILLISECOND
"""How long a block waits for what is checked apart."""
TURN: Final = "turn"
"""The timer of the turn that is under way."""
APART: Final = "apart"
"""The timer of the oldest batch, which waits for what is checked apart. All others but the window's are checks', by the
heights of their blocks."""


class Checks(Sealing):
    """A sequencer without peers, which hears nothing from the auction."""

    __slots__ = ()

    def close_full(self, now: Nanos) -> None:
        """Seal the batch if it has room for no more."""
        if len(self.state.batch.leaves) >= self.settings.batch_messages:
            self.close(now, "full", 0)

    def close_overdue(self, now: Nanos) -> None:
        """Seal the batch if its window is over."""
        batch = self.state.batch
        if batch.due is not None and now >= batch.due:
            self.close(now, "window" if batch.leaves else "empty", now - batch.due)

    def close(self, now: Nanos, trigger: Trigger, lateness: Nanos) -> None:
        """Seal the batch, have its messages checked, and hand these to the auction."""
        sealed = self.seal(now, trigger, lateness)
        self._hold(now, HeldBatch(sealed.batch, sealed.signed, now + APART_WAIT))
        self.arm()

    def check_overdue(self, now: Nanos, timer: str) -> None:
        """The check that this timer belongs to takes too long."""
        if timer == TURN:
            turn = self.state.turns.turn
            assert turn is not None
            self._remember(turn.job, GivenUp(tuple(turn.places()), tuple(turn.owners()), now))
            self._end_turn(now, turn.places(), Reason.UNCHECKED_SIGNATURE)
        elif timer != APART:
            self._give_up(now, next(it for it in self.state.held if it.batch.height == int(timer)))
        self._go_on(now)

    def _on_restarted(self, now: Nanos, _event: Restarted) -> None:
        """Checks that ended with a process have begun anew, and have as long again."""
        for held in self.state.held:
            if held.job:
                self._await(now, str(held.batch.height))
        if self.state.turns.turn is not None:
            self._await(now, TURN)

    def _hold(self, now: Nanos, held: HeldBatch) -> None:
        """Queue a batch, and hand over what need not wait."""
        if held.signed or len(self.state.turns):
            for owner in self._not_together(held):
                self._set_apart(held, owner)
        self.state.held.append(held)
        if held.signed:
            held.job = self.state.ids.next("C")
            self.emit(Compute(held.job, CheckBlock(tuple(held.signed.values()))))
            self._await(now, str(held.batch.height))
        self._go_on(now)

    def _not_together(self, held: HeldBatch) -> list[str]:
        """Whose messages are not checked with the others' of their block: who has some that wait apart already, or has
        more than its share. While no other block is under check nobody has.
        """
        state = self.state
        signed = Counter(held.owners(held.signed))
        apart = [owner for owner in dict.fromkeys(it.owner for it in held.batch.items) if state.turns.has(owner)]
        if not signed:
            return apart
        under_way = Counter(owner for it in state.held if it.signed for owner in it.owners(it.signed))
        wanted = under_way + Counter({owner: count for owner, count in signed.items() if owner not in apart})
        room = max(TOGETHER_MAX, self.settings.batch_messages)
        for sharers, owner in zip(range(len(wanted), 0, -1), sorted(wanted, key=wanted.__getitem__), strict=True):
            share = room // sharers
            room -= min(share, wanted[owner])
            if wanted[owner] > share and owner in signed and owner not in apart:
                apart.append(owner)
        return apart

    def _set_apart(self, held: HeldBatch, owner: str) -> None:
        if (portion := held.part(owner)) is not None:
            self.state.turns.add(portion)

    def _await(self, now: Nanos, timer: str) -> None:
        self.emit(SetTimer(timer, now + self.settings.check_timeout))

    # --- what is checked at once ---------------------------------------------------------------------

    def _on_block_checked(self, now: Nanos, event: Computed[BlockChecked]) -> None:
        """An answer that was waited for no longer changes nothing of its block, whose orders are refused already."""
        if self._is_turn(event.job_id):
            self._on_turn_checked(now, event.result)
            return
        held = next((it for it in self.state.held if event.job_id == it.job), None)
        if held is None:
            self._hear_late(now, event.job_id, event.result)
            return
        places = list(held.signed)
        culprits = tuple(places[each] for each in event.result.culprits)
        suspects = dict.fromkeys(held.owners(places[each] for each in event.result.suspects))
        self.state.trust.distrust(now, [*held.owners(culprits), *suspects])
        held.refused.update(dict.fromkeys(culprits, Reason.BAD_ORDER_SIGNATURE))
        for owner in suspects:
            self._set_apart(held, owner)
        self._settle(now, held, culprits, Reason.BAD_ORDER_SIGNATURE)
        self._go_on(now)

    def _give_up(self, now: Nanos, held: HeldBatch) -> None:
        """Wait for the check of a block no longer."""
        places = tuple(held.signed)
        at = tuple((held.batch.height, place) for place in places)
        self._remember(held.job, GivenUp(at, tuple(held.owners(places)), now))
        held.refused.update(dict.fromkeys(places, Reason.UNCHECKED_SIGNATURE))
        self._settle(now, held, places, Reason.UNCHECKED_SIGNATURE)

    def _settle(self, now: Nanos, held: HeldBatch, refused: tuple[int, ...], reason: Reason) -> None:
        self.emit(CancelTimer(str(held.batch.height)))
        owners = held.owners(held.signed)
        held.job, held.signed = "", {}
        self._verified(now, held.batch, owners, refused, reason)

    def _verified(
        self, now: Nanos, of: Batch | Portion, owners: list[str], refused: tuple[int, ...], reason: Reason
    ) -> None:
        """So many messages, each of the owner named, wait no longer."""
        self.state.trust.settle(owners)
        if owners:
            why = reason if refused else None
            self.emit(Note(OrdersVerified(of.height, len(owners), refused, now - of.closed_at, why)))

    # --- what is checked apart -----------------------------------------------------------------------

    def _on_orders_checked(self, now: Nanos, event: Computed[OrdersChecked]) -> None:
        result = BlockChecked(event.result.culprits)
        if self._is_turn(event.job_id):
            self._on_turn_checked(now, result)
        else:
            self._hear_late(now, event.job_id, result)

    def _is_turn(self, job: str) -> bool:
        turn = self.state.turns.turn
        return turn is not None and turn.job == job

    def _on_turn_checked(self, now: Nanos, result: BlockChecked) -> None:
        """Owners whom it casts doubt on wait for turns of their own, with all that they had in this one."""
        turn = self.state.turns.turn
        assert turn is not None
        places, owners = turn.places(), turn.owners()
        suspects = dict.fromkeys(owners[each] for each in result.suspects)
        self.state.trust.distrust(now, [*(owners[each] for each in result.culprits), *suspects])
        self._end_turn(now, [places[each] for each in result.culprits], Reason.BAD_ORDER_SIGNATURE, suspects)
        self._go_on(now)

    def _end_turn(
        self, now: Nanos, refused: Collection[tuple[int, int]], reason: Reason, suspects: Collection[str] = ()
    ) -> None:
        portions = self.state.turns.end().portions
        self.emit(CancelTimer(TURN))
        for portion in portions:
            if portion.owner in suspects:
                self.state.turns.add(portion)
                continue
            bad = tuple(place for place in portion.signed if (portion.height, place) in refused)
            self._verified(now, portion, [portion.owner] * len(portion.signed), bad, reason)
            portion.signed = {}
            self._bring(now, portion, dict.fromkeys(bad, reason))

    def _bring(self, now: Nanos, portion: Portion, refused: dict[int, Reason]) -> None:
        """A portion is checked: it goes with its own batch, or with the next one if that is gone; but not before what
        its owner has in earlier blocks, where doubt may have arisen later.
        """
        held = next((it for it in self.state.held if it.batch.height == portion.height), None)
        if held is not None:
            held.take_back(portion, refused)
            return
        for place, reason in refused.items():
            self._turn_away(turned_away(portion.items.pop(place), reason))
        if portion.items and portion.owner in self.state.turns.before(portion.height):
            self.state.turns.add(portion)
            return
        self.state.late += portion.items.values()
        if self.state.late and not self.state.held and not self.state.stopping:
            self.state.batch.expect(now, self.settings)
            self.arm()

    # --- and then ------------------------------------------------------------------------------------

    def _go_on(self, now: Nanos) -> None:
        """Have checked what has its turn, and hand over what waits for nothing any more."""
        turns = self.state.turns
        while checked := turns.take_checked():
            self._bring(now, checked, {})
        self._release(now)
        if turns.turn is None and turns.waiting:
            turn = turns.take(self.state.ids.next("C"), self.state.trust.distrusted)
            self.emit(Compute(turn.job, turn.problem()))
            self._await(now, TURN)
        if self.state.stopping:
            self._close_late(now)

    def _close_late(self, now: Nanos) -> None:
        """Seal one block for all that came too late for its own, unless a batch is held that takes it along."""
        if self.state.late and not self.state.held and not len(self.state.turns):
            self.close(now, "stop", 0)

    def _release(self, now: Nanos) -> None:
        """Hand over what waits for nothing any more. Who is turned away is told as if the auction had."""
        held, turns = self.state.held, self.state.turns
        while held and not held[0].job and (not held[0].apart or now >= held[0].until):
            for owner in turns.before(held[0].batch.height):
                self._set_apart(held[0], owner)
            ready = held.pop(0)
            for answer in ready.turned_away():
                self._turn_away(answer)
            batch = ready.rest()
            self.emit(
                Send(AUCTION, replace(batch, items=(*self.state.late, *batch.items)) if self.state.late else batch)
            )
            self.state.late = []
        if held and not held[0].job:
            self.emit(SetTimer(APART, held[0].until))

    def _turn_away(self, answer: TurnedAway) -> None:
        self.emit(Note(answer))
        self.emit(Send(self.name, answer))

    def _remember(self, job: str, check: GivenUp) -> None:
        given_up = self.state.given_up
        given_up[job] = check
        if len(given_up) > GIVEN_UP_MAX:
            del given_up[next(iter(given_up))]

    def _hear_late(self, now: Nanos, job: str, checked: BlockChecked) -> None:
        """To have made the venue late is no way of not being found out."""
        late = self.state.given_up.pop(job, None)
        if late is None or not (checked.culprits or checked.suspects):
            return
        suspects = dict.fromkeys(late.owners[each] for each in checked.suspects)
        self.state.trust.distrust(now, [*(late.owners[each] for each in checked.culprits), *suspects])
        for height in dict.fromkeys(height for height, _ in late.places):
            found, suspected = (
                tuple(late.places[each][1] for each in those if late.places[each][0] == height)
                for those in (checked.culprits, checked.suspects)
            )
            if found or suspected:
                self.emit(Note(CulpritsFound(height, found, now - late.since, suspected)))
