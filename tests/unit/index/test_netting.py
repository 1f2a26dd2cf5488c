"""Opposite orders of one user: the newest of those that wait give way first. Numbers of the netting vector."""

from __future__ import annotations

from decimal import Decimal

from core.index.netting import net

D = Decimal


def after(queue: list[tuple[str, Decimal]], removed: tuple[tuple[str, Decimal], ...]) -> list[tuple[str, Decimal]]:
    """What is left of the queue."""
    taken = dict(removed)
    left = [(name, amount - taken.get(name, D(0))) for name, amount in queue]
    return [(name, amount) for name, amount in left if amount]


def test_the_netting_vector() -> None:
    queue = [("first", D(10)), ("second", D(20))]
    small = net(queue, D(5))
    queue = after(queue, small.removed)
    assert (queue, small.left) == ([("first", D(10)), ("second", D(15))], D(0))
    larger = net(queue, D(20))
    queue = after(queue, larger.removed)
    assert (queue, larger.left) == ([("first", D(5))], D(0))
    flipping = net(queue, D(20))
    assert after(queue, flipping.removed) == []
    assert flipping.left == 15


def test_what_is_engaged_is_not_netted() -> None:
    # buys of 10 and 20 with 10 and 15 engaged: only 5 are left to remove
    netted = net([("first", D(0)), ("second", D(5))], D(20))
    assert netted.removed == (("second", D(5)),)
    assert netted.left == 15


def test_nothing_meets_nothing() -> None:
    assert net([], D(3)) == ((), D(3))
