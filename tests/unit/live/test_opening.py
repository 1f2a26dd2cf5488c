"""What a node that is opened knows about what is under way in it."""

from __future__ import annotations

from core.kernel.kernel import Kernel
from core.kernel.record import Start
from core.sequencer.sequencer import Sequencer
from live.opening import _under_way
from tests.helpers.orders import from_peer, new_order, settings


def test_orders_that_are_alive_and_whatever_has_its_time_are_under_way() -> None:
    sequencer = Sequencer("sequencer", settings())
    kernel = Kernel("venue", [sequencer])
    under_way = _under_way(kernel)
    assert under_way() == 0
    sequencer.handle(0, Start())
    for number in range(3):
        sequencer.handle(number, from_peer(new_order(f"c{number}"), "MM1", number))
    kernel.agenda.post(5, "outside", "sequencer", Start())
    assert under_way() == 4
