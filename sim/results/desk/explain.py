"""The life of one index order: collateral, hops, engagement, batches, lots, fills, mint, invoice. And the lives of
batches and exchange orders, which orders share.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any, Final

import msgspec

from core.errors import InputError
from core.units import MILLISECOND, Nanos
from sim.results.desk.words import in_digits, in_words
from sim.results.result import RunResult

_MATCHES_MAX: Final = 5
_ON_BATCH: Final = frozenset(
    {"IndexBatchOpened", "AssetOrderPlanned", "OrdersCrossed", "HouseTraded", "StockLeft", "IndexBatchCompleted"}
)
_ON_EXCHANGE: Final = frozenset({"AssetOrderPlaced", "AssetOrderFilled", "AssetOrderEnded"})
_IN_BATCH: Final = _ON_BATCH | {"OrderEngaged", "LotAssigned", "IndexOrderFill"}


class DeskHappening(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the story; `since` counts from the first."""

    since: Nanos
    time: Nanos
    component: str
    kind: str
    text: str
    fact: dict[str, Any]


class DeskStory(msgspec.Struct, frozen=True):
    """All that happened to an `order`, a `batch` or an `exchange_order`, its `subject`. `title` says how it ended."""

    subject: str
    title: str
    happenings: list[DeskHappening]

    def rows(self) -> list[dict[str, Any]]:
        """The story as plain data, one row per line."""
        rows: list[dict[str, Any]] = msgspec.to_builtins(self.happenings)
        return rows

    def __str__(self) -> str:
        wide = max(len(line.component) for line in self.happenings)
        body = [
            f"{line.since / MILLISECOND:+16,.3f} ms  {line.component:<{wide}}  {line.text}" for line in self.happenings
        ]
        return "\n".join(map(_printable, [self.title, "", *body]))


def explain(result: RunResult, name: str) -> DeskStory:
    """The life of an order that is named by its order id, its client id, or `user/client id`; or of the batch or the
    exchange order of that id.

    Raises InputError, with the nearest names, when nothing or more than one user's order answers to it.
    """
    for row in result.table("index_batches").to_pylist():
        if row["batch_id"] == name:
            return _story(result, "batch", _batch_title(row), lambda note: _is_of_batch(note, name))
    for row in result.table("exchange_orders").to_pylist():
        if row["asset_order_id"] == name:
            return _story(result, "exchange_order", _exchange_title(row), lambda note: note["order_id"] == name)
    order = find_order(result, name)
    return _story(result, "order", _order_title(order), _Notes(result, order).is_about)


def _story(result: RunResult, subject: str, title: str, is_about: Callable[[dict[str, Any]], bool]) -> DeskStory:
    found = [note for note in result.table("notes").to_pylist() if is_about(note)]
    began = found[0]["time"].value
    happenings = []
    for note in found:
        fact, at = msgspec.json.decode(note["detail"]), note["time"].value
        text = in_words(note["kind"], fact)
        happenings.append(
            DeskHappening(
                since=at - began, time=at, component=note["component"], kind=note["kind"], text=text, fact=fact
            )
        )
    return DeskStory(subject, title, happenings)


def _order_title(order: dict[str, Any]) -> str:
    reason = f" ({order['reason']})" if order["reason"] else ""
    return f"{order['order_id'] or 'order'} ({order['client_order_id']} of {order['user']}): {order['status']}{reason}"


def _batch_title(batch: dict[str, Any]) -> str:
    orders = "1 order" if batch["orders"] == 1 else f"{batch['orders']} orders"
    about = f"house batch for {batch['symbol']}" if batch["symbol"] else orders
    return f"{batch['batch_id']} ({about}): {'complete' if batch['completed_time'] else 'running'}"


def _exchange_title(order: dict[str, Any]) -> str:
    about = f"{order['batch_id']}: {order['side']} {in_digits(order['quantity'])} {order['symbol']}"
    return f"{order['asset_order_id']} ({about}): {order['reason'] or 'open'}"


def _is_of_batch(note: dict[str, Any], batch_id: str) -> bool:
    ours = note["kind"] in _IN_BATCH | _ON_EXCHANGE
    return ours and msgspec.json.decode(note["detail"]).get("batch_id") == batch_id


class _Notes:
    """Tells which notes are about an order: by its id, by a batch that engaged it, by exchange orders of that batch."""

    def __init__(self, result: RunResult, order: dict[str, Any]) -> None:
        self._order = order
        notes = result.table("notes").to_pylist()
        engaged = (note for note in notes if note["kind"] == "OrderEngaged" and note["order_id"] == order["order_id"])
        self._batches = {msgspec.json.decode(note["detail"])["batch_id"] for note in engaged}
        rows = result.table("exchange_orders").to_pylist()
        self._asset_orders = {row["asset_order_id"] for row in rows if row["batch_id"] in self._batches}

    def is_about(self, note: dict[str, Any]) -> bool:
        """Whether the note belongs into the story."""
        kind = note["kind"]
        if kind in _ON_EXCHANGE:
            return note["order_id"] in self._asset_orders
        if kind in _ON_BATCH:
            return msgspec.json.decode(note["detail"])["batch_id"] in self._batches
        if note["order_id"]:
            return bool(note["order_id"] == self._order["order_id"])
        return kind in {"IndexOrderRejected", "IndexRequestRefused"} and self._names(note)

    def _names(self, note: dict[str, Any]) -> bool:
        fact = msgspec.json.decode(note["detail"])
        ids = (self._order["user"], self._order["client_order_id"])
        return (fact["user"], fact["client_order_id"]) == ids


def find_order(result: RunResult, name: str) -> dict[str, Any]:
    """The row of an order, by its order id, its client id or `user/client id`. Raises InputError as `explain` does."""
    rows: list[dict[str, Any]] = result.table("index_orders").to_pylist()
    found = [row for row in rows if name in _names_of(row)]
    if not found:
        known = [known for row in rows for known in (row["order_id"], row["client_order_id"]) if known]
        near = get_close_matches(name, dict.fromkeys(known), _MATCHES_MAX)
        raise InputError(f"no order `{name}` in this run", f"did you mean {', '.join(near)}?" if near else "")
    users = dict.fromkeys(f"{row['user']}/{row['client_order_id']}" for row in found)
    if len(users) > 1:
        raise InputError(f"`{name}` is an order of {len(users)} users", f"say {' or '.join(users)}")
    accepted = [row for row in found if row["order_id"]]
    return (accepted or found)[0]


def _names_of(row: dict[str, Any]) -> set[str | None]:
    return {row["order_id"], row["client_order_id"], f"{row['user']}/{row['client_order_id']}"}


def _printable(line: str) -> str:
    """Without what a peer could put into an id to play tricks on a terminal."""
    return "".join(char if char.isprintable() else "?" for char in line)
