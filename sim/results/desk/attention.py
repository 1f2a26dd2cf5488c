"""What whoever runs the desk has to look at: what the exchange refuses the house, and what cannot be or should not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from textwrap import wrap
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from core.index.facts import HouseTaskBlocked, HouseTaskUnblocked

DISPUTES_KEPT_MAX: Final = 4
_OF_BLOCKED: Final = [kind.__name__ for kind in (HouseTaskBlocked, HouseTaskUnblocked)]
_BLOCKED_SHOWN_MAX: Final = 4
_WIDTH: Final = 86
"""What a label leaves of a terminal of a hundred columns."""


class BlockedTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task of the house, for an index or for itself, that was blocked, and whether it was when the run ended."""

    task_id: str
    symbol: str
    asset: str
    side: str
    quantity: Decimal
    value: Decimal
    reason: str
    over: bool


class DisputeLine(msgspec.Struct, frozen=True, kw_only=True):
    """One dispute, as its table has it; `order_id` is empty where it is about no single order."""

    said_by: str
    about: str
    order_id: str
    what: str


def blocked_tasks(notes: pa.Table) -> list[BlockedTask]:
    """What the exchange has refused the house, each as it was last."""
    kept = notes.filter(pc.is_in(notes["kind"], value_set=pa.array(_OF_BLOCKED)))
    found: dict[str, BlockedTask] = {}
    for kind, detail in zip(kept["kind"].to_pylist(), kept["detail"].to_pylist(), strict=True):
        if kind == HouseTaskBlocked.__name__:
            fact = msgspec.json.decode(detail, type=HouseTaskBlocked)
            amounts = {"quantity": plain(fact.quantity), "value": plain(fact.value)}
            found[fact.task_id] = BlockedTask(**msgspec.structs.asdict(fact) | amounts, over=False)
        else:
            task_id = msgspec.json.decode(detail, type=HouseTaskUnblocked).task_id
            found[task_id] = msgspec.structs.replace(found[task_id], over=True)
    return list(found.values())


def first_disputes(rows: Sequence[Mapping[str, Any]]) -> list[DisputeLine]:
    """The first of the table `disputes`."""
    return [
        DisputeLine(said_by=row["said_by"], about=row["about"], order_id=row["order_id"] or "", what=row["what"])
        for row in rows[:DISPUTES_KEPT_MAX]
    ]


def attention_lines(
    blocked: Sequence[BlockedTask], disputes: Sequence[DisputeLine], disputes_in_all: int
) -> Iterator[tuple[str, str]]:
    """All of it, each kind with its label; nothing where there is nothing."""
    if blocked:
        more = len(blocked) - _BLOCKED_SHOWN_MAX
        rest = [f"and {more:,} more: facts `HouseTaskBlocked` in `notes`"] if more > 0 else []
        yield "house", "\n".join([*map(_blocked_line, blocked[-_BLOCKED_SHOWN_MAX:]), *rest])
    if disputes:
        things = "1 thing" if disputes_in_all == 1 else f"{disputes_in_all:,} things"
        more = disputes_in_all - len(disputes)
        rest = [f"and {more:,} more: table `disputes`"] if more else []
        shown = [line for one in disputes for line in wrap(_dispute_line(one), _WIDTH, subsequent_indent="  ")]
        yield "to look at", "\n".join([f"{things} that cannot be, or should not", *shown, *rest])


def plain(amount: Decimal) -> Decimal:
    """The same number without trailing zeros, and without an exponent."""
    return Decimal(f"{amount.normalize():f}")


def _blocked_line(one: BlockedTask) -> str:
    for_whom = f" for {one.symbol}" if one.symbol else ""
    need = f"{one.side} {one.quantity:,.8f} {one.asset}{for_whom}, worth {one.value:,.6f}"
    return f"could not {need} ({one.reason})" + (", which is over" if one.over else "")


def _dispute_line(one: DisputeLine) -> str:
    for_whom = f" for {one.order_id}" if one.order_id and one.order_id not in one.about else ""
    return f"{one.said_by}, of {one.about}{for_whom}: {one.what}"
