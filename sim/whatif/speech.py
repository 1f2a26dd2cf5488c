"""What solvers said in a recording, line by line: to which offer each bid belongs, and to which award each deposit."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal
from typing import Final, TypeAlias

import msgspec

from core.auction.facts import BatchCreated, CommitmentCreated, CommitmentDefaulted
from core.kernel.record import Bytes
from core.solver.lines import decode_line
from core.solver.protocol import Bid, Deposit, FromSolver, PlaceBids, WithdrawBid
from core.units import Nanos
from sim.whatif.orders import OrderBook, OrderKey
from sim.whatif.recording import Recording
from sim.whatif.tape import Cue

DOOR: Final = "solvers"
_said: Final[msgspec.json.Decoder[FromSolver]] = msgspec.json.Decoder(FromSolver)
Offered: TypeAlias = Bid | WithdrawBid


class Said(msgspec.Struct, frozen=True):
    """One bid or withdrawal; those of one line have one number."""

    at: Nanos
    line: int
    conn: str
    solver: str
    body: Offered


class Asked(msgspec.Struct):
    """An order up for auction once, with what was left of it, and everything that solvers said to that."""

    opened_at: Nanos
    input_amount: Decimal
    said: list[Said] = []
    used: bool = False


class Paid(msgspec.Struct, frozen=True):
    """A deposit: when it came after the award, on which connection, and how much more than was owed."""

    delay: Nanos
    conn: str
    extra: Decimal


class Award(msgspec.Struct):
    """A commitment and how its solver answered. An award without payment that did not default is not decided yet."""

    solver: str
    at: Nanos
    min_output: Decimal
    paid: list[Paid] = []
    defaulted: bool = False

    @property
    def decided(self) -> bool:
        """Whether the recording shows what the solver did."""
        return self.defaulted or bool(self.paid)


class Speech:
    """`other` are lines that belong to no offer or award (greetings, and what was no line of the protocol at all), as
    cues by the place of the cue that they came with.

    `strays` counts lines that named an offer or award which there was not; the venue had refused them.
    """

    def __init__(self, recording: Recording, renumbered: Collection[str]) -> None:
        self.book = OrderBook(recording.config.pairs, renumbered)
        self.asked: dict[OrderKey, list[Asked]] = {}
        self.awards: dict[tuple[OrderKey, str], list[Award]] = {}
        self.other: dict[int, list[Cue]] = {}
        self.solver_of: dict[str, str] = {}
        self.payers: dict[str, list[str]] = {}
        """By solver, the connections that deposits came on."""
        self.strays = 0
        self.bids: dict[str, int] = {}
        """By solver, how many bids and withdrawals belong to an offer."""
        self._offers: dict[tuple[int, str], Asked] = {}
        self._commitments: dict[str, Award] = {}
        self._lines = 0
        for noted in recording.notes:
            self._hear(noted.time, noted.fact)
        buffers: dict[str, bytes] = {}
        for index, cue in enumerate(recording.cues):
            if cue.dst == DOOR and isinstance(cue.event, Bytes):
                *lines, rest = (buffers.get(cue.event.conn, b"") + cue.event.data).split(b"\n")
                buffers[cue.event.conn] = rest
                for line in lines:
                    if not self._take(cue.at, cue.event.conn, line):
                        said = Bytes(cue.event.conn, line + b"\n")
                        self.other.setdefault(index, []).append(msgspec.structs.replace(cue, event=said))

    def answers_of(self, solver: str) -> list[Award]:
        """The awards of a solver whose answers are known."""
        return [a for (_, who), awards in self.awards.items() if who == solver for a in awards if a.decided]

    def _hear(self, now: Nanos, fact: object) -> None:
        book = self.book
        if isinstance(fact, BatchCreated):
            for order_id in fact.order_ids:
                asked = self._offers[fact.height, order_id] = Asked(now, book.left[order_id].input_amount)
                self.asked.setdefault(book.key_of[order_id], []).append(asked)
        elif isinstance(fact, CommitmentCreated):
            award = self._commitments[fact.commitment_id] = Award(fact.solver, now, fact.min_output)
            self.awards.setdefault((book.key_of[fact.order_id], fact.solver), []).append(award)
        elif isinstance(fact, CommitmentDefaulted):
            self._commitments[fact.commitment_id].defaulted = True
        else:
            book.hear(fact)  # type: ignore[arg-type]  # every fact is a Record

    def _take(self, at: Nanos, conn: str, line: bytes) -> bool:
        """Whether the line is one of bids, withdrawals and deposits."""
        said = decode_line(_said, line) if conn in self.solver_of else None
        if said is None:
            self._greet(conn, line)
            return False
        self._lines += 1
        if isinstance(said, PlaceBids):
            for bid in said.bids:
                self._offer(at, conn, said.height, bid)
        elif isinstance(said, WithdrawBid):
            self._offer(at, conn, said.height, said)
        else:
            self._deposit(at, conn, said)
        return True

    def _greet(self, conn: str, line: bytes) -> None:
        """The first line of a connection names the solver, whatever the version of the protocol."""
        if conn not in self.solver_of:
            hello = decode_line(_anything, line)
            solver = hello.get("solver") if isinstance(hello, dict) else None
            if isinstance(solver, str):
                self.solver_of[conn] = solver

    def _offer(self, at: Nanos, conn: str, height: int, body: Offered) -> None:
        asked = self._offers.get((height, body.order_id))
        if asked is None or at < asked.opened_at:
            self.strays += 1
            return
        solver = self.solver_of[conn]
        self.bids[solver] = self.bids.get(solver, 0) + 1
        asked.said.append(Said(at, self._lines, conn, solver, body))

    def _deposit(self, at: Nanos, conn: str, said: Deposit) -> None:
        award, solver = self._commitments.get(said.commitment_id), self.solver_of[conn]
        if award is None or award.solver != solver:
            self.strays += 1
            return
        award.paid.append(Paid(at - award.at, conn, said.amount - award.min_output))
        if conn not in self.payers.setdefault(solver, []):
            self.payers[solver].append(conn)


_anything: Final[msgspec.json.Decoder[object]] = msgspec.json.Decoder(object)
