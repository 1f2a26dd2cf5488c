"""How simulated hops and bridges behave, as data: how long they take, and what goes wrong how often."""

from __future__ import annotations

import msgspec

from core.collateral.settings import HopSettings
from core.units import MILLISECOND, SECOND, Nanos
from sim.latency import Constant, Latency


class HopFaults(msgspec.Struct, frozen=True, kw_only=True):
    """How often, in a thousand, a hop does what. Each request, answer or piece of news draws for itself."""

    unheard_per_mille: int = 0
    """A request does not reach it."""
    delayed_per_mille: int = 0
    """It does, `delay` later than it should, and what the hop then says is not heard."""
    delay: Nanos = 20 * SECOND
    lost_per_mille: int = 0
    """An answer, or a piece of news, does not come back."""
    repeated_per_mille: int = 0
    """It comes twice."""
    impossible_per_mille: int = 0
    """An answer that money has arrived speaks of more than there was."""
    unavailable_per_mille: int = 0
    rate_limited_per_mille: int = 0
    no_capacity_per_mille: int = 0
    rejected_per_mille: int = 0
    """A movement is refused for this reason."""
    returned_per_mille: int = 0
    """The money leaves, and comes back after the fee."""
    stuck_per_mille: int = 0
    """The money is under way for `stuck` longer than it should be."""
    stuck: Nanos = 3600 * SECOND


class BridgeModel(msgspec.Struct, frozen=True, kw_only=True):
    """Two chains and the relayers between them."""

    block: Nanos = 2 * SECOND
    """From one block to the next, on both chains."""
    relayers: tuple[str, ...] = ("relayer-1", "relayer-2", "relayer-3")
    exclusivity: Nanos = 10 * SECOND
    """The relayer that was suggested has this long alone; none is suggested if it is zero."""
    fill_window: Nanos = 600 * SECOND
    """From a suggestion to the deadline of its fill."""
    refund: Nanos = 60 * SECOND
    """From the deadline to the refund of what nobody filled."""
    unfilled_per_mille: int = 0
    """No relayer takes the deposit."""
    slow_fill_per_mille: int = 0
    """The bridge itself then pays, half way to the deadline."""
    deposit_reorg_per_mille: int = 0
    """The block with the deposit is replaced,"""
    dropped_per_mille: int = 500
    """and the deposit is in none of those that follow."""
    fill_reorg_per_mille: int = 0
    """The block with the fill is replaced, and the fill comes again later."""


class HopModel(msgspec.Struct, frozen=True, kw_only=True):
    """A hop as the world has it. Its fee, limits and ends are those that the node was told."""

    settings: HopSettings
    latency: Latency = Constant(SECOND)
    """How long money is under way; at a bridge, until a relayer fills."""
    answer: Latency = Constant(50 * MILLISECOND)
    """How long it takes to say something."""
    decimals: int = 18
    """Fees that have more are rounded up to so many."""
    faults: HopFaults = HopFaults()
    bridge: BridgeModel = BridgeModel()
    """Where the settings make it a bridge."""
