"""Simulated hops and bridges as services of simulated nodes. Each draws from streams of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

from simpy import Environment

from core.collateral.hops import service_of
from core.kernel.record import Call
from core.kernel.rng import stream
from core.units import EXACT, Nanos
from sim.bridges import SimBridge
from sim.driver import Caller
from sim.hop_models import HopModel
from sim.hop_moves import SimHop


class HopService:
    """A simulated hop as a service of simulated nodes."""

    def __init__(self, env: Environment, hop: SimHop) -> None:
        self.hop, self._env = hop, env

    def ask(self, caller: Caller, call: Call[Any]) -> None:
        """Take a call; see `sim.driver.Counterparty`."""
        for after, body, is_news in self.hop.ask(int(self._env.now), call.body):
            if is_news:
                caller.tell(after, body)
            else:
                caller.reply(after, call.call_id, body)


def brought(hops: Iterable[SimHop], places: Collection[str], now: Nanos) -> Decimal:
    """How much money hops have brought to these designations by now, less what they have taken from there."""
    total = Decimal(0)
    for hop in hops:
        settings = hop.model.settings
        if settings.destination in places:
            total = EXACT.add(total, hop.arrived(now))
        if settings.source in places:
            total = EXACT.subtract(total, hop.taken(now))
    return total


def sim_hop(model: HopModel, seed: int) -> SimHop:
    """The hop that a model describes. It draws from `hop.<name>` and `hop.<name>.latency`."""
    name = f"hop.{model.settings.name}"
    draws, latencies = stream(seed, name), stream(seed, f"{name}.latency")
    return SimHop(model, draws, latencies) if model.settings.bridge is None else SimBridge(model, draws, latencies)


def sim_hops(env: Environment, models: Iterable[HopModel], seed: int) -> Mapping[str, HopService]:
    """A service for each hop, by the name that it is called by."""
    return {service_of(model.settings.name): HopService(env, sim_hop(model, seed)) for model in models}
