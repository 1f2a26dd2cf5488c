"""The recorded solvers in a rerun: each offer and each award gets the answer that belongs to it.

The rules are in the docstring of `sim.whatif`; here they are carried out, one fact of the rerun at a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from statistics import median_low
from typing import Final, Protocol

import msgspec
from msgspec.structs import replace

from core.auction.facts import BatchCreated, CommitmentCreated
from core.kernel.record import Bytes, Event, Record
from core.kernel.rng import stream
from core.solver.lines import encode_line
from core.solver.protocol import Bid, Deposit, PlaceBids, WithdrawBid
from core.units import Nanos
from sim.whatif.orders import OrderBook, OrderKey
from sim.whatif.speech import DOOR, Asked, Paid, Speech
from sim.whatif.tape import Tape

RECORDED: Final = "recorded."
"""What recorded connections are called in a rerun, so that no new one has the name of an old one."""
Line = tuple[Nanos, str, int]
"""When it arrives, on which connection, and its number in the recording."""


class Post(Protocol):
    """Queues what arrives at the venue."""

    def __call__(self, at: Nanos, src: str, dst: str, event: Event, /) -> None: ...


class Tally(msgspec.Struct):
    """How far the recording went. Counts bids with withdrawals, and awards."""

    bids_placed: int = 0
    bids_moved: int = 0
    """Of these, in a block that closed at another time than recorded."""
    bids_resized: int = 0
    """Of these, for what is left of the order now."""
    unasked: int = 0
    """Offers, of one order in one auction, for which there were no recorded bids by then: nobody could be asked."""
    paid_as_recorded: int = 0
    paid_by_habit: int = 0
    defaulted_as_recorded: int = 0
    defaulted_by_habit: int = 0
    unsaid: int = 0
    """Lines that had no open connection to come on."""


class Answers:
    """Follows a rerun and posts what the solvers of `held` say to it, each later by what `held` adds."""

    def __init__(
        self, speech: Speech, book: OrderBook, tape: Tape, *, post: Post, held: Mapping[str, Nanos], seed: int
    ) -> None:
        self.tally = Tally()
        self._speech, self._book, self._tape, self._post, self._held = speech, book, tape, post, held
        self._seed = seed
        self._given: dict[tuple[OrderKey, str], int] = {}
        self._habits = {solver: Habit.of(speech, solver) for solver in held}

    def hear(self, now: Nanos, fact: Record) -> None:
        """Take the next fact of the rerun."""
        self._book.hear(fact)
        if isinstance(fact, BatchCreated):
            self._bid(now, fact)
        elif isinstance(fact, CommitmentCreated) and fact.solver in self._held:
            self._answer(now, fact)

    # --- bids ------------------------------------------------------------------------------------

    def _bid(self, now: Nanos, opened: BatchCreated) -> None:
        lines: dict[Line, list[Bid]] = {}
        for order_id in opened.order_ids:
            asked = self._find(now, self._book.key_of[order_id])
            if asked is None:
                self.tally.unasked += 1
                continue
            asked.used = True
            for said in asked.said:
                if said.solver not in self._held:
                    continue
                later = now - asked.opened_at
                line = said.at + later + self._held[said.solver], said.conn, said.line
                self.tally.bids_placed += 1
                self.tally.bids_moved += bool(later)
                if isinstance(said.body, Bid):
                    lines.setdefault(line, []).append(self._fitted(said.body, order_id, asked, later))
                else:
                    self._say(line[0], said.solver, said.conn, WithdrawBid(opened.height, order_id))
        for (at, conn, _), bids in sorted(lines.items(), key=lambda item: item[0]):
            self._say(at, self._speech.solver_of[conn], conn, PlaceBids(opened.height, tuple(bids)))

    def _find(self, now: Nanos, key: OrderKey) -> Asked | None:
        """What was said to this offer, or else to the earliest one before now that has not come up again."""
        known = [asked for asked in self._speech.asked.get(key, ()) if not asked.used and asked.opened_at <= now]
        return next((asked for asked in known if asked.opened_at == now), known[0] if known else None)

    def _fitted(self, bid: Bid, order_id: str, asked: Asked, later: Nanos) -> Bid:
        left = self._book.left[order_id].input_amount
        if left == asked.input_amount or bid.max_input > asked.input_amount:
            taken = bid.max_input
        else:
            self.tally.bids_resized += 1
            taken = left if bid.max_input == asked.input_amount else min(bid.max_input, left)
        return replace(bid, order_id=order_id, max_input=taken, valid_till=bid.valid_till + later)

    # --- deposits --------------------------------------------------------------------------------

    def _answer(self, now: Nanos, made: CommitmentCreated) -> None:
        key, solver, tally = self._book.key_of[made.order_id], made.solver, self.tally
        number = self._given[key, solver] = self._given.get((key, solver), 0) + 1
        recorded = self._speech.awards.get((key, solver), [])
        award = recorded[number - 1] if number <= len(recorded) and recorded[number - 1].decided else None
        if award is not None:
            for paid in award.paid:
                self._pay(now, made, paid)
            tally.paid_as_recorded += bool(award.paid)
            tally.defaulted_as_recorded += not award.paid
        elif any(each.defaulted for each in recorded):
            tally.defaulted_as_recorded += 1
        elif self._defaults(key, solver, number):
            tally.defaulted_by_habit += 1
        else:
            tally.paid_by_habit += 1
            self._pay(now, made, Paid(self._habits[solver].delay, "", Decimal(0)))

    def _defaults(self, key: OrderKey, solver: str, number: int) -> bool:
        habit = self._habits[solver]
        if not habit.defaults:
            return False
        draws = stream(self._seed, f"whatif.{solver}.{key.owner}.{key.cl_ord_id}.{key.nth}.{number}")
        return draws.below(habit.awards) < habit.defaults

    def _pay(self, now: Nanos, made: CommitmentCreated, paid: Paid) -> None:
        at = now + paid.delay + self._held[made.solver]
        self._say(at, made.solver, paid.conn, Deposit(made.commitment_id, made.min_output + paid.extra))

    # --- lines -----------------------------------------------------------------------------------

    def _say(self, at: Nanos, solver: str, conn: str, line: Record) -> None:
        """Say it on the recorded connection, or if that has ended or there is none on another of the solver's."""
        recorded = RECORDED + conn
        name = recorded if self._tape.can_carry(recorded, at) else self._open_to(solver, line)
        if name is None:
            self.tally.unsaid += 1
        else:
            self._post(at, name, DOOR, Bytes(name, encode_line(line)))

    def _open_to(self, solver: str, line: Record) -> str | None:
        """The solver's newest open connection, for deposits one that deposits come on."""
        own = [conn for conn, who in self._speech.solver_of.items() if who == solver]
        wanted = self._speech.payers.get(solver, own) if isinstance(line, Deposit) else own
        names = {RECORDED + conn for conn in wanted}
        return next((conn for conn in reversed(self._tape.open) if conn in names), None)


class Habit(msgspec.Struct, frozen=True):
    """How a solver answers awards: how many it had, how many it let lapse, and after how long it pays."""

    awards: int
    defaults: int
    delay: Nanos

    @classmethod
    def of(cls, speech: Speech, solver: str) -> Habit:
        """From its awards. A solver that never paid is as quick with a deposit as with a bid."""
        known = speech.answers_of(solver)
        delays = [award.paid[0].delay for award in known if award.paid]
        if not delays:
            delays = [
                said.at - asked.opened_at
                for offers in speech.asked.values()
                for asked in offers
                for said in asked.said
                if said.solver == solver
            ]
        return cls(len(known), sum(not award.paid for award in known), median_low(delays) if delays else 0)
