"""The rows of `fix_messages` and `latency`."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import ClassVar, Final

from core.auction.facts import BatchCreated, BidReceived, BidRejected, CommitmentCreated, EscrowDeposited
from core.fix.tags import ExecType, MsgType
from core.fix.values import ENCODING
from core.market.orders import Order, OrderFilled
from core.units import Nanos
from sim.results.facts import Noted
from sim.results.fold import Fold
from sim.results.rows import FixMessageRow, LatencyKind, LatencyRow
from sim.results.wire import Carried

_FIELD: Final = re.compile(rb"\x01(11|17|34|35|37|43|49|56|150)=([^\x01]*)")
_ANSWERS: Final = (ExecType.NEW, ExecType.REJECTED)
_FILLS: Final = (ExecType.PARTIAL_FILL, ExecType.FILL)


def fix_rows(carried: Iterable[Carried]) -> list[FixMessageRow]:
    """One row per message."""
    return [_fix_row(message) for message in carried]


def latency_rows(
    orders: Mapping[str, Order], notes: Sequence[Noted], messages: Sequence[FixMessageRow]
) -> list[LatencyRow]:
    """One row per wait that facts and messages measure, in the order in which they ended."""
    waits = Waits(orders)
    waits.fold(notes)
    rows = [*waits.rows, *_acknowledgements(messages), *_reports_of_fills(waits.filled, messages)]
    return sorted(rows, key=attrgetter("ended_time"))


class Waits(Fold[LatencyRow]):
    """What the venue waited for of its solvers; `filled` is when each order traded, in turn."""

    def __init__(self, orders: Mapping[str, Order]) -> None:
        super().__init__(orders)
        self.filled: dict[str | None, deque[Nanos]] = {}
        self._opened: dict[int, Nanos] = {}
        self._answered: set[tuple[int, str]] = set()
        self._awarded: dict[str, tuple[Nanos, str]] = {}

    def _on_batch(self, noted: Noted, fact: BatchCreated) -> None:
        self._opened[fact.height] = noted.time

    def _on_bid(self, noted: Noted, fact: BidReceived | BidRejected) -> None:
        answer = (fact.height, fact.solver)
        if fact.height in self._opened and fact.bid_id and answer not in self._answered:
            self._answered.add(answer)
            row = _row("bid", fact.solver, self._opened[fact.height], noted.time)
            row.height = fact.height
            self.rows.append(row)

    def _on_awarded(self, noted: Noted, fact: CommitmentCreated) -> None:
        self._awarded[fact.commitment_id] = (noted.time, fact.order_id)

    def _on_deposited(self, noted: Noted, fact: EscrowDeposited) -> None:
        awarded, order_id = self._awarded[fact.commitment_id]
        row = _row("deposit", fact.solver, awarded, noted.time)
        row.order_id, row.commitment_id = order_id, fact.commitment_id
        self.rows.append(row)

    def _on_filled(self, noted: Noted, fact: OrderFilled) -> None:
        self.filled.setdefault(fact.order_id, deque()).append(noted.time)

    HANDLERS: ClassVar = {
        BatchCreated: _on_batch,
        BidReceived: _on_bid,
        BidRejected: _on_bid,
        CommitmentCreated: _on_awarded,
        EscrowDeposited: _on_deposited,
        OrderFilled: _on_filled,
    }


def _acknowledgements(messages: Iterable[FixMessageRow]) -> Iterator[LatencyRow]:
    """From an order's first leaving until the answer to it is back."""
    sent: dict[tuple[str, str | None], Nanos] = {}
    for message in messages:
        if message.msg_type == MsgType.NEW_ORDER_SINGLE:
            sent.setdefault((message.sender, message.cl_ord_id), message.sent_time)
        elif message.exec_type in _ANSWERS and message.received_time is not None:
            began = sent.pop((message.target, message.cl_ord_id), None)
            if began is not None:
                row = _row("acknowledgement", message.target, began, message.received_time)
                row.order_id = message.order_id
                yield row


def _reports_of_fills(
    filled: Mapping[str | None, deque[Nanos]], messages: Iterable[FixMessageRow]
) -> Iterator[LatencyRow]:
    """From each fill until its owner knows, however often it was told."""
    told: dict[str | None, Nanos] = {}
    known: set[str | None] = set()
    for message in messages:
        if message.exec_type in _FILLS and message.order_id in filled and message.exec_id not in known:
            if message.exec_id not in told:
                told[message.exec_id] = filled[message.order_id].popleft()
            if message.received_time is not None:
                known.add(message.exec_id)
                row = _row("fill", message.target, told[message.exec_id], message.received_time)
                row.order_id = message.order_id
                yield row


def _row(kind: LatencyKind, participant: str, began: Nanos, ended: Nanos) -> LatencyRow:
    return LatencyRow(kind=kind, participant=participant, began_time=began, ended_time=ended, latency_ns=ended - began)


def _fix_row(message: Carried) -> FixMessageRow:
    fields = {tag: value.decode(ENCODING) for tag, value in _FIELD.findall(message.data)}
    arrived = message.received_at
    return FixMessageRow(
        sent_time=message.sent_at,
        received_time=arrived,
        latency_ns=None if arrived is None else arrived - message.sent_at,
        sender=fields[b"49"],
        target=fields[b"56"],
        msg_type=fields[b"35"],
        msg_seq_num=int(fields[b"34"]),
        poss_dup=fields.get(b"43") == "Y",
        cl_ord_id=fields.get(b"11"),
        order_id=fields.get(b"37"),
        exec_id=fields.get(b"17"),
        exec_type=fields.get(b"150"),
        size_bytes=len(message.data),
    )
