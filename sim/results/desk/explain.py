"""The life of one index order: collateral, hops, engagement, batches, lots, fills, mint, invoice."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, Final

import msgspec

from core.errors import InputError
from core.units import MILLISECOND, Nanos
from sim.results.desk.words import in_words
from sim.results.result import RunResult

_MATCHES_MAX: Final = 5
_ON_BATCH: Final = frozenset({"IndexBatchOpened", "AssetOrderPlanned", "StockLeft", "IndexBatchCompleted"})
_ON_EXCHANGE: Final = frozenset({"AssetOrderPlaced", "AssetOrderFilled", "AssetOrderEnded"})


class DeskHappening(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the story; `since` counts from the first."""

    since: Nanos
    time: Nanos
    component: str
    kind: str
    text: str
    fact: dict[str, Any]


class DeskStory(msgspec.Struct, frozen=True):
    """An index order, as its row in `index_orders`, and all that happened to it."""

    order: dict[str, Any]
    happenings: list[DeskHappening]

    def rows(self) -> list[dict[str, Any]]:
        """The story as plain data, one row per line."""
        rows: list[dict[str, Any]] = msgspec.to_builtins(self.happenings)
        return rows

    def __str__(self) -> str:
        order = self.order
        name = f"{order['order_id'] or 'order'} ({order['client_order_id']} of {order['user']})"
        reason = f" ({order['reason']})" if order["reason"] else ""
        wide = max(len(line.component) for line in self.happenings)
        body = [
            f"{line.since / MILLISECOND:+16,.3f} ms  {line.component:<{wide}}  {line.text}" for line in self.happenings
        ]
        return "\n".join(map(_printable, [f"{name}: {order['status']}{reason}", "", *body]))


def explain(result: RunResult, name: str) -> DeskStory:
    """The life of an order that is named by its order id, its client id, or `user/client id`.

    Raises InputError, with the nearest names, when no order or more than one user's answers to it.
    """
    order = _find(result, name)
    notes = _Notes(result, order)
    found = [note for note in result.table("notes").to_pylist() if notes.is_about(note)]
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
    return DeskStory(order, happenings)


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


def _find(result: RunResult, name: str) -> dict[str, Any]:
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
