"""Every component of every node takes new work again after it was stopped and is told to go on."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config import NodeConfig, VenueConfig
from core.kernel.kernel import Kernel
from core.kernel.record import Connect, Resume
from core.units import SECOND
from core.wiring import components
from sim.scenario.load import load

QUICKSTART = Path(__file__).parents[2] / "scenarios" / "quickstart.toml"
VENUE, MAKERS, SOLVERS = load(QUICKSTART).venue.node_configs()


def stopped(config: NodeConfig) -> Kernel:
    kernel = Kernel("node", components(config, 1))
    kernel.boot(SECOND)
    kernel.pump(SECOND)
    kernel.stop(2 * SECOND)
    kernel.pump(2 * SECOND)
    assert list(kernel.outside.stopped) == list(kernel.components)
    return kernel


@pytest.mark.parametrize("config", [VENUE, MAKERS[0], SOLVERS[0]], ids=["venue", "market maker", "solver"])
def test_what_was_stopped_goes_on(config: NodeConfig) -> None:
    kernel = stopped(config)
    assert all(Resume in component.HANDLERS for component in kernel.components.values())
    kernel.resume()
    outgoing = kernel.pump(10 * SECOND)
    assert not kernel.outside.stopped
    assert not any(getattr(component.state, "stopping", False) for component in kernel.components.values())
    dialled = [effect for _, effect in outgoing if isinstance(effect, Connect)]
    assert len(dialled) == (0 if isinstance(config, VenueConfig) else 1)
