"""The life of one order, from the notes of its run: every decision with its reason, every bid and its fate."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import reduce
from typing import Any, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from core.errors import InputError
from core.units import MILLISECOND, Nanos
from sim.results.explain_session import sessions
from sim.results.result import RunResult
from sim.results.unknown import unknown
from sim.results.words import fate_in_words, in_words

_DEADLINES: Final = ("bid_deadline", "deadline")
_AMOUNTS: Final = frozenset(
    [
        "amount",
        "quantity",
        "leaves_quantity",
        "limit_price",
        "penalty",
        "min_output",
        "max_input",
        "input_amount",
        "output_amount",
    ]
)
_NESTED: Final = ("order", "cancel", "replace", "header")


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the story; `since` counts from the first."""

    since: Nanos
    time: Nanos
    node: str
    component: str
    kind: str
    reason: str | None
    text: str
    fact: dict[str, Any]


class Story(msgspec.Struct, frozen=True):
    """An order, as its row in `orders`, and all that happened to it."""

    order: dict[str, Any]
    happenings: list[Happening]


def explain(result: RunResult, order: str) -> Story:
    """The life of an order that is named by its order id, its ClOrdID, `owner/ClOrdID`, or one of its commitments.

    Raises InputError, with the nearest names, when no order or more than one owner's answers to it.
    """
    row = _find(result, _of_commitment(result, order) or order)
    notes, fates = _notes_about(result, row), _fates(result, row)
    began = notes[0]["time"]
    return Story(row, [_happening(note, row, began, fates) for note in notes])


def as_text(story: Story) -> str:
    """The story as aligned lines: milliseconds since its beginning, where, what."""
    order, lines = story.order, story.happenings
    name = f"{order['order_id'] or 'order'} (ClOrdID {order['cl_ord_id']} of {order['owner']})"
    places = [f"{line.node}/{line.component}" for line in lines]
    wide = max(map(len, places))
    head = f"{name}: {_ending(order)}"
    body = [
        f"{line.since / MILLISECOND:+14,.3f} ms  {place:<{wide}}  {line.text}"
        for line, place in zip(lines, places, strict=True)
    ]
    return "\n".join(_printable(line) for line in (head, "", *body))


def as_rows(story: Story) -> list[dict[str, Any]]:
    """The story as plain data, one row per line, as `--json` prints it."""
    rows: list[dict[str, Any]] = msgspec.to_builtins(story.happenings)
    return rows


def _of_commitment(result: RunResult, name: str) -> str | None:
    """The order that the commitment `name` was made for, if there is such a commitment."""
    made = result.table("commitments")
    found = made.filter(_is(made, "commitment_id", name)).column("order_id").to_pylist()
    return str(found[0]) if found else None


def _find(result: RunResult, name: str) -> dict[str, Any]:
    """The row of the order, with the one that was accepted before any that was refused under the same ClOrdID."""
    columns = ["order_id", "owner", "cl_ord_id"]
    names = result.table("orders").select(columns).to_pylist()
    found = [
        index
        for index, row in enumerate(names)
        if name in {row["order_id"], row["cl_ord_id"], f"{row['owner']}/{row['cl_ord_id']}"}
    ]
    if not found:
        raise _unknown(result, name)
    owners = {names[index]["owner"]: f"{names[index]['owner']}/{names[index]['cl_ord_id']}" for index in found}
    if len(owners) > 1:
        raise InputError(f"`{name}` is an order of {len(owners)} owners", f"say {' or '.join(owners.values())}")
    chosen = min(found, key=lambda index: (names[index]["order_id"] is None, index))
    return _rows(result.table("orders").slice(chosen, 1))[0]


def _unknown(result: RunResult, name: str) -> InputError:
    ids = {
        plural: [one for one in result.table(plural)[column].to_pylist() if one]
        for plural, column in (("orders", "order_id"), ("commitments", "commitment_id"))
    }
    clordids = result.table("orders")["cl_ord_id"].to_pylist()
    return unknown(name, "order, commitment or session", ids | {"sessions": sessions(result)}, also=clordids)


def _notes_about(result: RunResult, order: dict[str, Any]) -> list[dict[str, Any]]:
    """The notes of the order's story, in order, their facts decoded."""
    notes = result.table("notes")
    commitments = [row["commitment_id"] for row in _rows_of_order(result, "commitments", order)]
    sealed = pc.and_kleene(_is(notes, "kind", "BlockSealed"), _is(notes, "height", order["height"]))
    about = [
        _is(notes, "order_id", order["order_id"]),
        _is(notes, "commitment_id", *commitments),
        _is(notes, "kind", *_HEARD),
        sealed,
    ]
    rows = _rows(notes.filter(reduce(pc.or_kleene, about)))
    for row in rows:
        row["fact"] = msgspec.json.decode(row.pop("detail"))
    return [row for row in rows if row["kind"] not in _HEARD or _HEARD[row["kind"]](row["fact"], order)]


def _is_request_of(fact: dict[str, Any], order: dict[str, Any]) -> bool:
    named = fact.get("orig_cl_ord_id", fact["cl_ord_id"])
    return bool(fact["owner"] == order["owner"] and named == order["cl_ord_id"])


def _is_batch_of(fact: dict[str, Any], order: dict[str, Any]) -> bool:
    return order["order_id"] in fact["order_ids"]


_HEARD: Final[dict[str, Callable[[dict[str, Any], dict[str, Any]], bool]]] = {
    "OrderRefused": _is_request_of,
    "CancelRequestRefused": _is_request_of,
    "ReplaceRequestRefused": _is_request_of,
    "BatchCreated": _is_batch_of,
}
"""Facts that name an order otherwise than by its id, and whether they are about a given one."""


def _fates(result: RunResult, order: dict[str, Any]) -> dict[tuple[Any, ...], str]:
    """What became of each bid for the order that counted."""
    made = _rows_of_order(result, "commitments", order)
    by_bid = {_bid_of(commitment): commitment for commitment in made}
    by_attempt = {(commitment["height"], commitment["attempt"]): commitment["solver"] for commitment in made}
    fates = {}
    for bid in _rows_of_order(result, "bids", order):
        if bid["status"] != "rejected":
            commitment = by_bid.get(_bid_of(bid))
            before = by_attempt.get((commitment["height"], commitment["attempt"] - 1)) if commitment else None
            fates[_bid_of(bid)] = fate_in_words(bid["status"], commitment, before)
    return fates


def _bid_of(row: dict[str, Any]) -> tuple[Any, ...]:
    """Names a bid; fact, bid and commitment do."""
    return row["height"], row["solver"], row["bid_id"]


def _happening(
    note: dict[str, Any], order: dict[str, Any], began: Nanos, fates: dict[tuple[Any, ...], str]
) -> Happening:
    kind, fact = note["kind"], note["fact"]
    text = in_words(kind, fact, _context(fact, order, began))
    if kind == "BidReceived":
        text += f" and {fates[_bid_of(fact)]}"
    return Happening(
        since=note["time"] - began,
        time=note["time"],
        node=note["node"],
        component=note["component"],
        kind=kind,
        reason=note["reason"],
        text=text,
        fact=fact,
    )


def _context(fact: dict[str, Any], order: dict[str, Any], began: Nanos) -> dict[str, Any]:
    """What a template may name besides the fact's own fields, or instead of them to be readable."""
    context = {"sell_token": order["sell_token"], "buy_token": order["buy_token"]}
    for name in _NESTED:
        if isinstance(fact.get(name), dict):
            context |= fact[name]
    context["orders"] = len(fact.get("order_ids", ()))
    if fact.get("conversion_rate") is not None:
        context["bid_price"] = f"{_price(Decimal(fact['conversion_rate']), order['side']):.10g}"
    for name, value in (context | fact).items():
        if name in _AMOUNTS and value is not None:
            context[name] = f"{Decimal(value).normalize():f}"
        elif name in _DEADLINES:
            context[name] = f"{(value - began) / MILLISECOND:+,.3f} ms"
        elif name == "price":
            context[name] = f"{Decimal(value):.10g}"
        elif isinstance(value, bool):
            context[name] = "yes" if value else "no"
    return context


def _price(rate: Decimal, side: str) -> Decimal:
    """A bid's rate, output for input, as the price that an order's limit is."""
    return rate if side == "sell" or not rate else 1 / rate


def _ending(order: dict[str, Any]) -> str:
    reason = f" ({order['reason']})" if order["reason"] else ""
    ending = f"{order['status']}{reason}"
    if order["time_to_end_ns"]:
        ending += f" after {order['time_to_end_ns'] / MILLISECOND:,.3f} ms"
    if order["filled_quantity"]:
        ending += f"; {_number(order['filled_quantity'])} of {_number(order['quantity'])} traded"
        ending += (
            f" at {_number(order['average_price'])} on average, {order['surplus_bps']:.2f} bps better than the limit"
        )
    return ending


def _rows_of_order(result: RunResult, name: str, order: dict[str, Any]) -> list[dict[str, Any]]:
    table = result.table(name)
    return _rows(table.filter(_is(table, "order_id", order["order_id"])))


def _is(table: pa.Table, column: str, *values: object) -> pa.ChunkedArray:
    """Where the column has one of these values; never where it is null."""
    given = [value for value in values if value is not None]
    return pc.is_in(table[column], value_set=pa.array(given, table.schema.field(column).type))


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    """Plain data, instants in nanoseconds."""
    fields = [
        pa.field(field.name, pa.int64()) if pa.types.is_timestamp(field.type) else field for field in table.schema
    ]
    rows: list[dict[str, Any]] = table.cast(pa.schema(fields)).to_pylist()
    return rows


def _number(amount: Decimal) -> str:
    return f"{float(amount):,.10g}"


def _printable(line: str) -> str:
    """Without what a peer could put into a ClOrdID to play tricks on a terminal."""
    return "".join(char if char.isprintable() else "?" for char in line)
