from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.market.orders import CancelOrder, Order, Side
from core.sequencer.leaf import Leaf
from core.sequencer.ordering import Arrival, Ordering, Policy, block_order

SEED = bytes([7] * 32)
POLICIES = [Ordering(policy, 30, ("MM1",)) for policy in get_args(Policy)]


def order(seq: int, owner: str = "MM1", side: Side = "sell", price: int = 100, symbol: str = "ETH-USDC") -> Arrival:
    item = Order(
        order_id=f"O-{seq}",
        owner=owner,
        cl_ord_id=f"c{seq}",
        symbol=symbol,
        side=side,
        quantity=Decimal(1),
        limit_price=Decimal(price),
        sell_token="ETH",
        buy_token="USDC",
        input_amount=Decimal(1),
        min_output=Decimal(1),
        created_at=10 * seq,
        valid_until=1000,
        partially_fillable=True,
        immediate=False,
    )
    return Arrival(Leaf(seq, 10 * seq, owner, bytes(32)), item)


def cancel(seq: int, order_id: str, owner: str = "MM1") -> Arrival:
    return Arrival(Leaf(seq, 10 * seq, owner, bytes(32)), CancelOrder(order_id, owner, f"x{seq}"))


def placed(policy: Policy, *arrivals: Arrival, head_start: int = 0, express: tuple[str, ...] = ()) -> list[int]:
    """Global sequence numbers in block order."""
    order = block_order(Ordering(policy, head_start, express), arrivals, SEED)
    return [arrivals[index].leaf.global_seq for index in order]


@st.composite
def traces(draw: st.DrawFn) -> list[Arrival]:
    """What may come within a block: orders, and cancels of theirs and of orders of earlier blocks."""
    arrivals: list[Arrival] = []
    for seq in range(5, 5 + draw(st.integers(0, 12))):
        owner = draw(st.sampled_from(["MM1", "MM2"]))
        known = ["O-1", *(each.item.order_id for each in arrivals if isinstance(each.item, Order))]
        if draw(st.booleans()):
            side: Side = draw(st.sampled_from(["buy", "sell"]))
            symbol = draw(st.sampled_from(["ETH-USDC", "BTC-USDC"]))
            arrivals.append(order(seq, owner, side, draw(st.integers(1, 3)), symbol))
        else:
            arrivals.append(cancel(seq, draw(st.sampled_from(known)), owner))
    return arrivals


def test_fifo_leaves_all_as_it_came() -> None:
    assert placed("fifo", order(1), cancel(2, "O-9"), order(3)) == [1, 2, 3]


def test_a_shuffle_is_by_the_documented_draw_from_the_block_before() -> None:
    arrivals = [order(seq) for seq in range(1, 20)]
    drawn = {n: sha256(b"romer.shuffle.1" + SEED + n.to_bytes(8, "big")).digest() for n in range(1, 20)}
    assert placed("shuffle", *arrivals) == sorted(drawn, key=drawn.__getitem__) != list(range(1, 20))
    assert block_order(Ordering("shuffle"), arrivals, bytes(32)) != block_order(Ordering("shuffle"), arrivals, SEED)


def test_the_best_price_is_first_on_either_side_and_equal_ones_stay_in_order() -> None:
    assert placed("price_time", order(1, price=3), order(2, price=2), order(3, price=3), order(4, price=1)) == [
        4,
        2,
        1,
        3,
    ]
    bids = [order(seq, side="buy", price=price) for seq, price in ((1, 3), (2, 2), (3, 3), (4, 5))]
    assert placed("price_time", *bids) == [4, 1, 3, 2]


def test_by_price_no_pair_or_side_gains_on_another() -> None:
    arrivals = [
        order(1, price=3),
        order(2, symbol="BTC-USDC", price=9),
        cancel(3, "O-0"),
        order(4, side="buy", price=1),
        order(5, price=2),
    ]
    assert placed("price_time", *arrivals) == [5, 2, 3, 4, 1]


def test_cancels_come_before_orders() -> None:
    assert placed("cancels_first", order(1), cancel(2, "O-0"), order(3), cancel(4, "O-9")) == [2, 4, 1, 3]


def test_a_head_start_counts_as_if_the_lane_had_sent_earlier() -> None:
    arrivals = [order(1, "MM2"), order(2, "MM2"), order(3, "MM1"), order(4, "MM1")]
    assert placed("express_lane", *arrivals, head_start=15, express=("MM1",)) == [1, 3, 2, 4]
    assert placed("express_lane", *arrivals, head_start=10, express=("MM1",)) == [1, 2, 3, 4]
    assert placed("express_lane", *arrivals, head_start=500, express=("MM1",)) == [3, 4, 1, 2]


@pytest.mark.parametrize("policy", ["cancels_first", "express_lane"])
def test_a_cancel_follows_right_behind_an_order_that_it_would_overtake(policy: Policy) -> None:
    arrivals = [order(1, "MM2"), order(2, "MM2"), cancel(3, "O-1", "MM1")]
    assert placed(policy, *arrivals, head_start=500, express=("MM1",)) == [1, 3, 2]


@given(traces(), st.sampled_from(POLICIES))
def test_every_policy_places_each_message_once_and_no_cancel_before_its_order(
    arrivals: list[Arrival], ordering: Ordering
) -> None:
    order = block_order(ordering, arrivals, SEED)
    assert sorted(order) == list(range(len(arrivals)))
    places = {arrivals[index].item.order_id: place for place, index in enumerate(order) if is_order(arrivals[index])}
    for place, index in enumerate(order):
        item = arrivals[index].item
        assert is_order(arrivals[index]) or places.get(item.order_id, -1) < place


@given(traces(), st.sampled_from(POLICIES))
def test_a_policy_is_a_function_of_the_trace(arrivals: list[Arrival], ordering: Ordering) -> None:
    assert block_order(ordering, arrivals, SEED) == block_order(ordering, list(arrivals), SEED)


def is_order(arrival: Arrival) -> bool:
    return isinstance(arrival.item, Order)
