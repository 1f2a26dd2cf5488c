"""A market maker in whose place its intents stand: orders and requests, as a venue's journal alone has them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.fix.messages import NewOrderSingle, OrderCancelReplaceRequest, OrderCancelRequest, OrderStatusRequest
from core.kernel.journal import Journal
from core.market.orders import OrderCancelled, OrderReplaced
from core.market.world import CancelWanted, OrderWanted, ReplaceWanted, StatusWanted
from core.sequencer.facts import OrderRefused, OrderSequenced
from core.units import MILLISECOND, SECOND
from sim.whatif.guests import telling_of
from sim.whatif.recording import Recording, read_recording
from sim.whatif.replacement import replacements
from sim.whatif.whatif import WhatIf
from tests.helpers.front import CANCEL, ORDER, REPLACE, STATUS, Front

GOOD_TILL_LATER = {59: "6", 126: "20231114-22:14:20"}
WINDOW = 600 * MILLISECOND
AUCTION = SECOND
"""An order that nobody bids for is back from its auction by then, and can be replaced or cancelled."""


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a venue where MM1 orders, replaces, asks, cancels, and makes some mistakes."""
    path = tmp_path_factory.mktemp("front") / "venue.romer"
    with path.open("wb") as file:
        front = Front(journal=Journal("venue", file))
        for _ in _trade(front):
            front.wait(WINDOW)
            front.wait(AUCTION)
        assert front.kernel.journal is not None
        front.kernel.journal.close()
    return path


def _trade(front: Front) -> Iterator[None]:
    long = ORDER | GOOD_TILL_LATER
    front.say("D", long | {11: "a"})
    front.say("D", long | {11: "a"})
    front.say("D", long | {11: "market", 40: "1"})
    front.say("D", long | {11: "b", 38: "0.7"})
    front.say("D", long | {11: "zero", 38: "0"})
    front.say("D", long | {11: "c", 38: "0.9"})
    yield
    front.say("H", STATUS | {11: "b"})
    front.say("G", REPLACE | {41: "a", 11: "a2", 38: "0.6", 44: "1980"})
    front.say("G", REPLACE | {41: "b", 11: "b2", 55: "BTCUSDC"})
    front.say("G", REPLACE | {41: "nobody", 11: "x1"})
    yield
    front.say("F", CANCEL | {41: "a2", 11: "a3"})
    front.say("H", STATUS | {11: "whatever", 37: "O-4"})
    yield
    front.say("H", STATUS | {11: "a2"})
    front.say("F", CANCEL | {41: "c", 11: "c2"})
    yield


def stated(notes: Any, *kinds: type) -> list[Any]:
    return [noted.fact for noted in notes if isinstance(noted.fact, kinds)]


def test_the_recording_has_one_of_each(journal: Path) -> None:
    recording = read_recording(journal)
    assert [it.order.cl_ord_id for it in stated(recording.notes, OrderSequenced)] == ["a", "b", "c"]
    assert [it.reason for it in stated(recording.notes, OrderRefused)] == [
        "duplicate_cl_ord_id",
        "unsupported_ord_type",
        "quantity_not_positive",
    ]
    assert [it.cl_ord_id for it in stated(recording.notes, OrderReplaced, OrderCancelled)] == ["a2", "a3", "c2"]


def test_intents_are_numbered_as_the_market_maker_will_number_its_orders(journal: Path) -> None:
    recording = read_recording(journal)
    (guest,) = replacements(["MM1=intents:latency=1ms"], recording.config, [])
    told = [cue.event.body for cue in telling_of(journal, recording, guest).cues if hasattr(cue.event, "body")]
    orders = [it.quantity for it in told if isinstance(it, OrderWanted)]
    assert [str(quantity) for quantity in orders] == ["0.5", "0.7", "0", "0.9"]
    rest = [it for it in told if not isinstance(it, OrderWanted)]
    assert [(type(it), it.nth) for it in rest] == [
        (StatusWanted, 2),
        (ReplaceWanted, 1),
        (ReplaceWanted, 2),
        (CancelWanted, 1),
        (StatusWanted, 2),
        (StatusWanted, 1),
        (CancelWanted, 4),
    ]


def test_a_guest_replaces_cancels_and_asks_as_it_did_and_everything_comes_out_the_same(journal: Path) -> None:
    what = WhatIf(journal, replaced=["MM1=intents:latency=1ms"])
    baseline = what.baseline()
    comparison = what.compare(baseline)
    rows = {row.nth: row for row in comparison.orders if not row.cl_ord_id}
    assert [(nth, row.status_before, row.status_after) for nth, row in rows.items()] == [
        (1, "cancelled", "cancelled"),
        (2, "open", "open"),
        (3, "refused", "refused"),
        (4, "cancelled", "cancelled"),
    ]
    assert not any(row.changed for row in rows.values())
    others = [row for row in comparison.orders if row.cl_ord_id]
    assert [(row.cl_ord_id, row.cause) for row in others] == [("a", "admission"), ("market", "admission")]


def test_the_venue_hears_each_kind_again(journal: Path, tmp_path: Path) -> None:
    what = WhatIf(journal, replaced=["MM1=intents:latency=1ms"])
    with (tmp_path / "again.romer").open("wb") as file:
        what.compare(what.baseline(), file)
    assert _kinds(read_recording(tmp_path / "again.romer")) == {
        NewOrderSingle: 4,
        OrderCancelReplaceRequest: 2,
        OrderCancelRequest: 2,
        OrderStatusRequest: 3,
    }


def _kinds(recording: Recording) -> dict[type, int]:
    kinds = [type(wish.message) for wish in recording.wishes]
    return {kind: kinds.count(kind) for kind in dict.fromkeys(kinds)}
