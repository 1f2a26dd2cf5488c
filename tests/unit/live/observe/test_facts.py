"""Facts have stable names, flat values and a level, whatever they are about."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from core.auction.facts import BatchCreated, CommitmentDefaulted
from core.fix.records import SessionChanged
from core.kernel.record import Record
from core.maker import DropReason, IntentDropped
from core.market.orders import CancelOrder, Order
from core.market.world import CancelWanted, StorageRestored, StorageShort
from core.sequencer.facts import BlockSealed, CancelSequenced, OrderSequenced
from live.observe.facts import Level, event_name, fields_of, level_of
from tests.helpers.blocks import header

ONE = Decimal(1)
ORDER = Order(
    order_id="O-1",
    owner="MM1",
    cl_ord_id="a",
    symbol="ETHUSDC",
    side="sell",
    quantity=ONE,
    limit_price=Decimal("1995.50"),
    sell_token="ETH",
    buy_token="USDC",
    input_amount=ONE,
    min_output=ONE,
    created_at=0,
    valid_until=1,
    partially_fillable=True,
    immediate=False,
)
SEALED = BlockSealed(header(7, message_count=3), b"\xab\xcd", "window", 1_500_000, (3, 1, 2))


@pytest.mark.parametrize(
    ("fact", "name", "level", "some"),
    [
        (
            OrderSequenced(5, ORDER),
            "order_sequenced",
            Level.DEBUG,
            {"order_id": "O-1", "owner": "MM1", "limit_price": "1995.50", "global_seq": 5},
        ),
        (
            CancelSequenced(6, CancelOrder("O-1", "MM1", "b")),
            "cancel_sequenced",
            Level.DEBUG,
            {"order_id": "O-1", "cl_ord_id": "b"},
        ),
        (
            SEALED,
            "block_sealed",
            Level.INFO,
            {"height": 7, "messages": 3, "block_hash": "abcd", "trigger": "window", "lateness": 0.0015},
        ),
        (BatchCreated(7, ("O-1", "O-2"), 9), "batch_created", Level.DEBUG, {"height": 7, "order_ids": ["O-1", "O-2"]}),
        (
            CommitmentDefaulted("C-1", "O-1", "s1", Decimal(100)),
            "commitment_defaulted",
            Level.WARNING,
            {"commitment_id": "C-1", "order_id": "O-1", "solver": "s1", "penalty": "100"},
        ),
        (
            SessionChanged("MM1", "active", "connecting", "peer_logout"),
            "session_changed",
            Level.INFO,
            {"session": "MM1", "reason": "peer_logout"},
        ),
        (
            IntentDropped(CancelWanted(3), DropReason.GONE),
            "intent_dropped",
            Level.WARNING,
            {"intent": {"kind": "cancel_wanted", "nth": 3}, "reason": "gone"},
        ),
        (StorageShort("no room"), "storage_short", Level.WARNING, {}),
        (StorageRestored(), "storage_restored", Level.INFO, {}),
    ],
)
def test_a_fact_becomes_named_values(fact: Record, name: str, level: Level, some: dict[str, Any]) -> None:
    assert (event_name(type(fact)), level_of(type(fact))) == (name, level)
    fields = fields_of(fact)
    assert fields.items() >= some.items()
    assert json.loads(json.dumps(fields)) == fields


def test_a_block_is_logged_without_the_sequence_of_its_messages() -> None:
    assert "sequence" not in fields_of(SEALED)
