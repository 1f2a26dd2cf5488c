"""Runs a venue again on a tape, with simulated nodes beside it if some participants are replaced."""

from __future__ import annotations

from collections.abc import Callable
from decimal import localcontext
from typing import Any

from msgspec.structs import replace
from simpy import Environment

from core.auction.auction import Auction
from core.config import VenueConfig, encode_node
from core.errors import ReplayDiverged
from core.identity.checking import check
from core.kernel.journal import Journal, Sink
from core.kernel.kernel import Kernel, Observer
from core.kernel.record import Call, Record
from core.sequencer.signing import SIGNER
from core.units import MONEY, Nanos
from core.wiring import components
from sim.checkers.every import every_checker
from sim.driver import Caller, SimNode
from sim.latency import Sampler
from sim.network import Network
from sim.results.facts import Noted
from sim.whatif.recording import Recording
from sim.whatif.tape import Tape

Heard = Callable[[Nanos, Record], None]
"""Is told every fact of the venue, as it is stated."""


class Rerun:
    """A fresh venue under `config`, on `tape`. `latency` gives the delay between it and nodes that dial it; `hear` is
    told what the venue states.

    Checkers of the market's rules watch it, unless it is not to be `watched`.
    """

    def __init__(
        self,
        recording: Recording,
        config: VenueConfig,
        tape: Tape,
        *,
        sink: Sink | None = None,
        latency: Callable[[str, str], Sampler] | None = None,
        watched: bool = True,
    ) -> None:
        self.recording, self.config, self.tape = recording, config, tape
        self.env = Environment(recording.began)
        self.network = Network(latency or (lambda _src, _dst: lambda: 0))
        self.notes: list[Noted] = []
        self.journal = Journal(config.name, sink)
        self.journal.open(replace(recording.header, config=encode_node(config)))
        self.hear: Heard = _nobody
        watch = every_checker(config, self._ledger) if watched else None
        self.venue = SimNode(
            self.env,
            self._kernel(watch),
            self.network,
            on_note=self._on_note,
            solve=self._solve,
            services={SIGNER: _Silent()},
        )
        for component in self.venue.kernel.components:
            self.network.listen(f"{config.name}/{component}", self.venue, component)

    def run(self, until: Nanos) -> None:
        """Start the venue and go on up to and including `until`. Raises FactViolated when a checker objects."""
        self.venue.boot()
        with localcontext(MONEY):
            self.env.run(until=until + 1)
        self.journal.close()

    def _kernel(self, observer: Observer | None) -> Kernel:
        parts = components(self.config, self.recording.header.seed)
        return Kernel(self.config.name, parts, agenda=self.tape, journal=self.journal, observer=observer)

    def _on_note(self, node: str, now: Nanos, component: str, fact: Record) -> None:
        if node == self.config.name:
            self.notes.append(Noted(len(self.notes) + 1, now, node, component, fact))
            self.hear(now, fact)

    def _solve(self, problem: Any) -> tuple[Record, Nanos]:
        """What a venue has computed is what it is told of signatures, after as long as it took when it was recorded."""
        return check(problem), self.recording.span_of(problem)

    def _ledger(self) -> Any:
        auction = self.venue.kernel.components["auction"]
        assert isinstance(auction, Auction)
        return auction.ledger


def check_baseline(recording: Recording, config: VenueConfig) -> str:
    """Run the recording again with nothing changed; its digest, if everything came again.

    `config` is what the rerun is built from: the recording's own. Raises ReplayDiverged, with the counts and digests
    of both sides, if not.
    """
    rerun = Rerun(recording, config, recording.tape(recording.cues), watched=False)
    rerun.run(recording.ended)
    if rerun.journal.chain() == recording.chain:
        return rerun.journal.digest()
    recorded = Journal(recording.header.node)
    recorded.resume(recording.chain)
    raise ReplayDiverged(
        min(recorded.count, rerun.journal.count),
        f"{recording.source}: baseline, run again from what came from outside",
        f"{recorded.count} deliveries, digest {recorded.digest()}",
        f"{rerun.journal.count} deliveries, digest {rerun.journal.digest()}",
    )


class _Silent:
    """The venue's signer, whose key is in no recording: its answers are recorded, or there are none."""

    def ask(self, caller: Caller, call: Call[Any]) -> None:
        """Say nothing."""


def _nobody(_now: Nanos, _fact: Record) -> None:
    """Until somebody wants to hear."""
