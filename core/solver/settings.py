"""What a solver's agent and the venue's door for solvers are told at construction, in plain numbers."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from core.solver.problem import Params
from core.solver.protocol import Door
from core.solver.pulse import PulseSettings
from core.units import SECOND, Nanos


class SolverSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who the solver is, where its venue is, and how it bids."""

    solver: str
    token: str
    """The secret that it shows the venue."""
    addresses: dict[Door, str]
    """Of one door for everything, or of all three."""
    params: Params
    seed: int
    reconnect_interval: Nanos
    pulse: PulseSettings = PulseSettings()


class SolverAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A solver that the door lets in, and the capital that it is told it has."""

    token: str
    capital: dict[str, Decimal]


class DoorSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Who may come in, and how long and how many may stand in the doorway."""

    venue: str
    solvers: dict[str, SolverAccount]
    hello_timeout: Nanos = 5 * SECOND
    connections_max: int = 256
    waiting_per_address_max: int = 16
    """Connections of one address that have not said hello; the oldest yields to one more."""
    pulse: PulseSettings = PulseSettings()
