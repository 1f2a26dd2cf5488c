"""The life of one index order: collateral, hops, engagement, batches, lots, fills, mint, invoice. And the lives of
batches and exchange orders, which orders share, and of transfers of collateral and withdrawals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec
import pyarrow.compute as pc
from msgspec import structs

from core.collateral.transfers import Purpose
from core.errors import InputError
from core.units import MILLISECOND, Nanos
from sim.results.desk.words import in_digits, in_words
from sim.results.result import RunResult
from sim.results.unknown import unknown

_ON_BATCH: Final = frozenset(
    {"IndexBatchOpened", "AssetOrderPlanned", "OrdersCrossed", "HouseTraded", "StockLeft", "IndexBatchCompleted"}
)
_ON_EXCHANGE: Final = frozenset({"AssetOrderPlaced", "AssetOrderFilled", "AssetOrderEnded"})
_OF_ORDERS: Final = frozenset({"OrderEngaged", "LotAssigned", "IndexOrderFill"})
_IN_BATCH: Final = _ON_BATCH | _OF_ORDERS
_ON_TRANSFER: Final = frozenset({"TransferStarted", "TransferStepped"})
_BY_TRANSFER: Final = frozenset({"BridgeStepped", "HopDisputed"})
"""They name no order."""
_IN_TRANSFER: Final = _ON_TRANSFER | _BY_TRANSFER | {"HopStepped", "CollateralMoved"}


class DeskHappening(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the story; `since` counts from the first."""

    since: Nanos
    time: Nanos
    component: str
    kind: str
    text: str
    fact: dict[str, Any]


class DeskStory(msgspec.Struct, frozen=True):
    """All that happened to its `subject`: an `order`, a `batch`, an `exchange_order`, a `house_task`, a `transfer` or a
    `withdrawal`. `title` says how it ended, and `also` who else is called so."""

    subject: str
    title: str
    happenings: list[DeskHappening]
    also: str = ""

    def rows(self) -> list[dict[str, Any]]:
        """The story as plain data, one row per line."""
        rows: list[dict[str, Any]] = msgspec.to_builtins(self.happenings)
        return rows

    def __str__(self) -> str:
        wide = max(len(line.component) for line in self.happenings)
        body = [
            f"{line.since / MILLISECOND:+16,.3f} ms  {line.component:<{wide}}  {line.text}" for line in self.happenings
        ]
        return "\n".join(map(_printable, [self.title, *([self.also] if self.also else []), "", *body]))


def explain(result: RunResult, name: str) -> DeskStory:
    """The life of an order that is named by its order id, its client id, or `user/client id`; or of the batch, the
    exchange order, the task of the house, the transfer or the withdrawal of that id. The desk's own ids come first, and
    its stories say so if an order is called the same by its owner.

    Raises InputError, with the nearest names and what ids there are, when nothing answers to it, and when more than one
    user's order does.
    """
    story, rows = _story_by_id(result, name), _orders_called(result, name)
    if story is not None:
        return structs.replace(story, also=_also(rows))
    named = _row(result, "index_orders", "order_id", name)
    if named is not None:
        others = [row for row in rows if row["order_id"] != name]
        return structs.replace(_story_of_order(result, named), also=_also(others))
    if not rows:
        ids = {
            "batches": _ids(result, "index_batches", "batch_id"),
            "exchange orders": _ids(result, "exchange_orders", "asset_order_id"),
            "tasks of the house": list(_tasks(result)),
            "transfers": _ids(result, "collateral", "transfer_id"),
            "withdrawals": list(_withdrawals(result)),
        }
        what = "index order, batch, exchange order, task of the house, transfer or withdrawal"
        raise _no_order(result, name, what, ids)
    return _story_of_order(result, _one_of(rows, name))


def _story_of_order(result: RunResult, order: dict[str, Any]) -> DeskStory:
    return _story(result, "order", _order_title(order), _OfOrder(result, order).is_about)


def _story_by_id(result: RunResult, name: str) -> DeskStory | None:
    batch = _row(result, "index_batches", "batch_id", name)
    if batch is not None:
        ours = _asset_orders_of(result, {name})
        return _story(result, "batch", _batch_title(batch), lambda note: _is_of_batch(note, name, ours))
    asset_order = _row(result, "exchange_orders", "asset_order_id", name)
    if asset_order is not None:
        title = _exchange_title(asset_order)
        return _story(result, "exchange_order", title, lambda note: _is_of_exchange(note, {name}))
    task = _tasks(result).get(name)
    if task is not None:
        story = _story(result, "house_task", name, _OfTask(result, task).is_about)
        return structs.replace(story, title=_task_title(task, story))
    if name in _ids(result, "collateral", "transfer_id"):
        story = _story(result, "transfer", name, _OfTransfer(name).is_about)
        return structs.replace(story, title=_transfer_title(story))
    parts = _withdrawals(result).get(name)
    if parts is not None:
        story = _story(result, "withdrawal", name, lambda note: _is_of_withdrawal(note, name, parts))
        return structs.replace(story, title=_withdrawal_title(name, story))
    return None


def _row(result: RunResult, table: str, column: str, name: str) -> dict[str, Any] | None:
    """The row that is called so, if there is one."""
    return next((row for row in result.table(table).to_pylist() if row[column] == name), None)


def _also(orders: list[dict[str, Any]]) -> str:
    """That a name is the client id of orders, too."""
    names = [row["order_id"] or f"{row['user']}/{row['client_order_id']}" for row in orders]
    return f"also the client id of {', '.join(names)}: explain {' or '.join(names)}" if names else ""


def _withdrawals(result: RunResult) -> dict[str, set[str]]:
    """By withdrawal that was taken up and has set out or ended, its transfers."""
    ended = (fact.get("payment_id") for fact in _facts(result, "WithdrawalEnded"))
    found: dict[str, set[str]] = {payment_id: set() for payment_id in ended if payment_id}
    for fact in _facts(result, "TransferStarted"):
        if fact["purpose"] == Purpose.WITHDRAWAL:
            found.setdefault(fact["order_id"], set()).add(fact["transfer_id"])
    return found


def _tasks(result: RunResult) -> dict[str, dict[str, Any]]:
    """What the house has, or had, to trade, by id."""
    return {fact["task_id"]: fact for fact in _facts(result, "HouseTaskSet")}


def _facts(result: RunResult, kind: str) -> list[dict[str, Any]]:
    notes = result.table("notes")
    return [msgspec.json.decode(detail) for detail in notes.filter(pc.equal(notes["kind"], kind))["detail"].to_pylist()]


def _story(result: RunResult, subject: str, title: str, is_about: Callable[[dict[str, Any]], bool]) -> DeskStory:
    found = [note for note in result.table("notes").to_pylist() if is_about(note)]
    began = found[0]["time"].value
    sides = dict(zip(*(result.table("index_orders")[name].to_pylist() for name in ("order_id", "side")), strict=True))
    happenings = []
    for note in found:
        fact, at = msgspec.json.decode(note["detail"]), note["time"].value
        text = _told(note["kind"], fact, sides, subject)
        happenings.append(
            DeskHappening(
                since=at - began, time=at, component=note["component"], kind=note["kind"], text=text, fact=fact
            )
        )
    return DeskStory(subject, title, happenings)


def _told(kind: str, fact: dict[str, Any], sides: dict[str, str], subject: str) -> str:
    """The fact in words; in the story of a batch, which orders share, with whose it is."""
    if kind not in _OF_ORDERS:
        return in_words(kind, fact)
    order_id = fact["order_id"]
    text = in_words(kind, {"side": sides.get(order_id), **fact})
    return f"{order_id}: {text}" if subject == "batch" else text


def _order_title(order: dict[str, Any]) -> str:
    reason = f" ({order['reason']})" if order["reason"] else ""
    return f"{order['order_id'] or 'order'} ({order['client_order_id']} of {order['user']}): {order['status']}{reason}"


def _batch_title(batch: dict[str, Any]) -> str:
    orders = "1 order" if batch["orders"] == 1 else f"{batch['orders']} orders"
    about = f"house batch for {batch['symbol']}" if batch["symbol"] else orders
    return f"{batch['batch_id']} ({about}): {'complete' if batch['completed_time'] else 'running'}"


def _task_title(task: dict[str, Any], story: DeskStory) -> str:
    about = f"{task['priority']}: {task['side']} {task['asset']} for {task['symbol'] or 'the house'}"
    last = [line.kind for line in story.happenings if line.kind.startswith("HouseTask")][-1]
    ends = {"HouseTaskDone": "done", "HouseTaskBlocked": "refused by the exchange"}
    return f"{task['task_id']} ({about}): {ends.get(last, 'open')}"


def _exchange_title(order: dict[str, Any]) -> str:
    about = f"{order['batch_id']}: {order['side']} {in_digits(order['quantity'])} {order['symbol']}"
    return f"{order['asset_order_id']} ({about}): {order['reason'] or 'open'}"


def _transfer_title(story: DeskStory) -> str:
    steps = [line.fact for line in story.happenings if line.kind in _ON_TRANSFER]
    last = steps[-1]
    whose = f"for {last['order_id']} of {last['user']}" if last["order_id"] else f"of {last['user']}"
    return f"{last['transfer_id']} ({whose}): {last.get('what', 'under way')}"


def _withdrawal_title(name: str, story: DeskStory) -> str:
    steps = [line.fact for line in story.happenings if line.kind in _ON_TRANSFER]
    parts = {fact["transfer_id"]: fact.get("what", "under way") for fact in steps}
    last = [line.fact for line in story.happenings if "user" in line.fact][-1]
    outcome = ", ".join(dict.fromkeys(parts.values())) or f"nothing was sent ({last.get('reason')})"
    return f"{name} (withdrawal of {last['user']}): {outcome}"


class _OfTask:
    """Tells which notes are about a task of the house: its own, and those of its asset in batches that trade for it."""

    def __init__(self, result: RunResult, task: dict[str, Any]) -> None:
        self._task_id = task["task_id"]
        opened = _facts(result, "IndexBatchOpened")
        self._batches = {fact["batch_id"] for fact in opened if self._task_id in fact["order_ids"]}
        rows = result.table("exchange_orders").to_pylist()
        ours = (row for row in rows if row["batch_id"] in self._batches and row["symbol"] == task["asset"])
        self._asset_orders = {row["asset_order_id"] for row in ours}
        self._asset = task["asset"]

    def is_about(self, note: dict[str, Any]) -> bool:
        """Whether the note belongs into the story."""
        kind = note["kind"]
        if kind in _ON_EXCHANGE or kind == "ExecutionUnexpected":
            return _is_of_exchange(note, self._asset_orders)
        if kind not in _IN_BATCH and not kind.startswith("HouseTask"):
            return False
        fact = msgspec.json.decode(note["detail"])
        if fact.get("batch_id") in self._batches and kind in _ON_BATCH:
            return bool(kind.startswith("IndexBatch") or fact.get("symbol") == self._asset)
        return self._task_id in {fact.get("task_id"), fact.get("order_id")}


class _OfTransfer:
    """Tells, of notes in their order, which are about a transfer. A payout that has arrived after all is of the one
    that stepped last for its order or withdrawal."""

    def __init__(self, transfer_id: str) -> None:
        self._transfer_id = transfer_id
        self._last: dict[str, str] = {}

    def is_about(self, note: dict[str, Any]) -> bool:
        """Whether the note belongs into the story."""
        if note["kind"] == "PayoutArrived":
            return self._last.get(note["order_id"]) == self._transfer_id
        if note["kind"] not in _IN_TRANSFER:
            return False
        transfer_id = msgspec.json.decode(note["detail"]).get("transfer_id", "")
        if note["kind"] == "TransferStepped":
            self._last[note["order_id"]] = transfer_id
        return bool(transfer_id == self._transfer_id)


def _is_of_withdrawal(note: dict[str, Any], payment_id: str, transfers: set[str]) -> bool:
    if note["kind"] == "WithdrawalEnded":
        return bool(msgspec.json.decode(note["detail"]).get("payment_id") == payment_id)
    return note["order_id"] == payment_id or _is_by(note, transfers)


def _is_by(note: dict[str, Any], transfers: set[str]) -> bool:
    return note["kind"] in _BY_TRANSFER and msgspec.json.decode(note["detail"])["transfer_id"] in transfers


def _is_of_batch(note: dict[str, Any], batch_id: str, asset_orders: set[str]) -> bool:
    if note["kind"] == "ExecutionUnexpected" or note["kind"] in _ON_EXCHANGE:
        return _is_of_exchange(note, asset_orders)
    return note["kind"] in _IN_BATCH and msgspec.json.decode(note["detail"]).get("batch_id") == batch_id


def _is_of_exchange(note: dict[str, Any], asset_orders: set[str]) -> bool:
    if note["kind"] == "ExecutionUnexpected":
        return msgspec.json.decode(note["detail"])["client_id"] in asset_orders
    return note["order_id"] in asset_orders


def _asset_orders_of(result: RunResult, batches: set[str]) -> set[str]:
    rows = result.table("exchange_orders").to_pylist()
    return {row["asset_order_id"] for row in rows if row["asset_order_id"] and row["batch_id"] in batches}


class _OfOrder:
    """Tells which notes are about an order: by its id, by a batch that engaged it, by exchange orders of that batch, by
    its transfers, by what the chain is asked for it."""

    def __init__(self, result: RunResult, order: dict[str, Any]) -> None:
        self._order = order
        order_id = order["order_id"]
        engaged = _facts(result, "OrderEngaged")
        self._batches = {fact["batch_id"] for fact in engaged if fact["order_id"] == order_id}
        self._asset_orders = _asset_orders_of(result, self._batches)
        started = _facts(result, "TransferStarted")
        self._transfers = {fact["transfer_id"] for fact in started if fact["order_id"] == order_id}

    def is_about(self, note: dict[str, Any]) -> bool:
        """Whether the note belongs into the story."""
        kind = note["kind"]
        if kind in _ON_EXCHANGE or kind == "ExecutionUnexpected":
            return _is_of_exchange(note, self._asset_orders)
        if kind in _ON_BATCH:
            return msgspec.json.decode(note["detail"])["batch_id"] in self._batches
        if kind == "ChainDisputed":
            key = msgspec.json.decode(note["detail"])["key"]
            return bool(key.partition(":")[2] == self._order["order_id"])
        if note["order_id"]:
            return bool(note["order_id"] == self._order["order_id"])
        return _is_by(note, self._transfers) or (
            kind in {"IndexOrderRejected", "IndexRequestRefused"} and self._names(note)
        )

    def _names(self, note: dict[str, Any]) -> bool:
        fact = msgspec.json.decode(note["detail"])
        ids = (self._order["user"], self._order["client_order_id"])
        return (fact["user"], fact["client_order_id"]) == ids


def find_order(result: RunResult, name: str) -> dict[str, Any]:
    """The row of an order, by its order id, its client id or `user/client id`. Raises InputError as `explain` does."""
    rows = _orders_called(result, name)
    if not rows:
        raise _no_order(result, name, "order", {})
    return _one_of(rows, name)


def _orders_called(result: RunResult, name: str) -> list[dict[str, Any]]:
    return [row for row in result.table("index_orders").to_pylist() if name in _names_of(row)]


def _one_of(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """That which the desk calls so, or which was accepted, of orders of one user that answer to a name."""
    own = [row for row in rows if row["order_id"] == name]
    if own:
        return own[0]
    users = dict.fromkeys(f"{row['user']}/{row['client_order_id']}" for row in rows)
    if len(users) > 1:
        raise InputError(f"`{name}` is an order of {len(users)} users", f"say {' or '.join(users)}")
    accepted = [row for row in rows if row["order_id"]]
    return (accepted or rows)[0]


def _no_order(result: RunResult, name: str, what: str, others: dict[str, list[str]]) -> InputError:
    ids = {"index orders": _ids(result, "index_orders", "order_id"), **others}
    return unknown(name, what, ids, also=_ids(result, "index_orders", "client_order_id"))


def _ids(result: RunResult, table: str, column: str) -> list[str]:
    return [name for name in result.table(table)[column].to_pylist() if name]


def _names_of(row: dict[str, Any]) -> set[str | None]:
    return {row["order_id"], row["client_order_id"], f"{row['user']}/{row['client_order_id']}"}


def _printable(line: str) -> str:
    """Without what a peer could put into an id to play tricks on a terminal."""
    return "".join(char if char.isprintable() else "?" for char in line)
