from __future__ import annotations

from decimal import Decimal
from hashlib import sha256

import pytest

from core.market.orders import CancelRefused, OrderCancelled, OrderExpired, OrderFailed, OrderFilled
from core.sequencer.booklog import EMPTY, Outcome, with_message, with_outcome

FILL = OrderFilled(
    "O-1", "F-1", "C-1", "s1", 1, Decimal("0.50"), Decimal("2E+3"), Decimal(1), Decimal(1), Decimal("1.5")
)


def entry(kind: int, *fields: bytes) -> bytes:
    sized = b"".join(len(field).to_bytes(2, "big") + field for field in fields)
    return sha256(b"romer.log.1" + bytes(32) + bytes([kind]) + sized).digest()


def test_a_message_is_logged_as_documented() -> None:
    assert with_message(EMPTY, b"leaf", b"ack") == entry(1, b"leaf", b"ack")


@pytest.mark.parametrize(
    ("told", "logged"),
    [
        (FILL, entry(2, b"O-1", b"F-1", b"0.50", b"2000", b"1.5")),
        (OrderExpired("O-1", "validity"), entry(3, b"O-1", b"validity")),
        (OrderFailed("O-1", "unfunded"), entry(4, b"O-1", b"unfunded")),
        (OrderCancelled("O-1", "x1"), entry(5, b"O-1", b"x1")),
        (CancelRefused("O-1", "x1", "too_late"), entry(6, b"O-1", b"x1", b"too_late")),
    ],
)
def test_what_became_of_an_order_is_logged_as_documented(told: Outcome, logged: bytes) -> None:
    assert with_outcome(EMPTY, told) == logged


def test_the_order_of_entries_matters_and_fields_cannot_trade_bytes() -> None:
    one, other = OrderExpired("O-1", "validity"), OrderCancelled("O-2", "x")
    assert with_outcome(with_outcome(EMPTY, one), other) != with_outcome(with_outcome(EMPTY, other), one)
    assert with_outcome(EMPTY, OrderExpired("O-1", "1x")) != with_outcome(EMPTY, OrderExpired("O-11", "x"))
