"""One scenario as nodes on a SimPy clock: builds them, lets the market open, drain and close, and watches.

The venue, every market maker and every solver is a node with its own kernel and journal. Between
nodes only bytes travel. Checkers see every delivery of every node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from core.auction.auction import Auction
from core.config import NodeConfig, SolverConfig, VenueConfig, encode_node
from core.fix.records import LogOut
from core.identity.checking import check
from core.kernel.agenda import Agenda
from core.kernel.journal import Header, Journal, Sink
from core.kernel.kernel import Kernel
from core.kernel.record import Effect, Event
from core.kernel.rng import stream
from core.sequencer.signing import SIGNER
from core.solver.strategies.registry import solve
from core.units import Nanos
from core.wiring import IDENTITY, components, node_name
from sim.checkers.every import every_checker
from sim.course import Course
from sim.driver import NO_SERVICES, Service, SimNode, Solve, no_compute
from sim.keys import BlockSigner, Signer
from sim.latency import Latency, Sampler, sampler
from sim.network import Network
from sim.results.wire import FixTap
from sim.scenario.identity import Step
from sim.scenario.recorded import Recordings
from sim.scenario.schema import VENUE, MarketMaker, Scenario, Solver
from sim.world import Demand, Feed, Prices, registry_steps, start


class Simulation(Course):
    """A scenario, built and ready to run once. `sinks` says where each node's journal goes."""

    def __init__(
        self, scenario: Scenario, recordings: Recordings, header: Header, sinks: Callable[[str], Sink | None]
    ) -> None:
        super().__init__(scenario.run)
        self.scenario, self.seed = scenario, header.seed
        self._recordings, self._header, self._sinks = recordings, header, sinks
        guests: list[MarketMaker | Solver] = [*scenario.makers, *scenario.solvers]
        self._links = {guest.id: scenario.latency_of(guest) for guest in guests}
        self.network = Network(self._latency)
        self.fix = FixTap()
        self._signers = self._make_signers()
        venue, makers, solvers = scenario.node_configs()
        self.checkers = every_checker(venue, self._ledger)
        configs: list[NodeConfig] = [venue, *makers, *solvers]
        self.nodes |= {node_name(config): self._node(config) for config in configs}
        for door in ("fix", "solvers"):
            self.network.listen(f"{VENUE}/{door}", self.nodes[VENUE], door)

    def finish(self) -> None:
        """Let every checker have its last word."""
        self.checkers.finish()

    def _node(self, config: NodeConfig) -> SimNode:
        name = node_name(config)
        journal = Journal(name, self._sinks(name))
        journal.open(msgspec.structs.replace(self._header, node=name, config=encode_node(config)))
        kernel = Kernel(
            name,
            components(config, self.seed),
            agenda=Agenda(self.scenario.run.ties, stream(self.seed, f"ties.{name}").bits64()),
            journal=journal,
            observer=self._observe,
        )
        return SimNode(
            self.env,
            kernel,
            self.network,
            on_note=self._on_note,
            solve=self._solve(config),
            outward=self._signers.get(name),
            services=self._services(config),
        )

    def _services(self, config: NodeConfig) -> Mapping[str, Service]:
        signer = self.scenario.signer
        if signer is None or not isinstance(config, VenueConfig):
            return NO_SERVICES
        return {SIGNER: BlockSigner(self.seed, VENUE, int(signer.sign))}

    def _make_signers(self) -> dict[str, Signer]:
        """One for each market maker, if Logons are signed at all; who has no key does not sign."""
        identity = self.scenario.identity
        if identity is None:
            return {}
        span = int(identity.sign)
        return {
            maker.id: Signer(self.seed, "", span)
            if maker.key is None
            else Signer(self.seed, maker.id, span, maker.key.signing, spoil_every=maker.key.spoil_every)
            for maker in self.scenario.makers
        }

    def _observe(self, node: str, now: Nanos, dst: str, event: Event, effects: list[Effect]) -> None:
        self.checkers(node, now, dst, event, effects)
        self.fix(node, now, dst, event, effects)

    def _solve(self, config: NodeConfig) -> Solve:
        if isinstance(config, VenueConfig) and self.scenario.identity is not None:
            checking = self.scenario.identity.checking
            return lambda problem: (check(problem), checking(problem))
        if not isinstance(config, SolverConfig):
            return no_compute
        thinks = next(solver.compute for solver in self.scenario.solvers if solver.id == config.id)
        span = sampler(thinks.model(), stream(self.seed, f"compute.{config.id}"))
        return lambda problem: (solve(problem), span())

    def _latency(self, src: str, dst: str) -> Sampler:
        model: Latency = self._links[dst if src == VENUE else src]
        return sampler(model, stream(self.seed, f"link.{src}>{dst}"))

    def start_world(self, until: Nanos) -> None:
        """Prices move, market makers want orders until `until`, and steps of keys are taken."""
        feeds = [
            Feed(self.nodes[solver.id], "solver", sampler(self._links[solver.id], self._stream("feed", solver.id)))
            for solver in self.scenario.solvers
        ]
        prices = Prices(self.env, feeds)
        pairs = {pair.symbol: pair for pair in self.scenario.market()}
        for section in self.scenario.pairs:
            pair, model = pairs[section.symbol], section.price
            if model.replay is not None:
                rows = self._recordings[f"pair.{section.symbol}"]
                prices.move(pair, rows[0].price)
                start(self.env, prices.play(pair, rows))
            elif model.gbm is not None:
                prices.move(pair, model.gbm.start)
                start(self.env, prices.diffuse(pair, model.gbm, self._stream("price", section.symbol)))
            elif model.constant is not None:
                prices.move(pair, model.constant)
        for maker in self.scenario.makers:
            traded = [pairs[symbol] for symbol in self.scenario.symbols_of(maker)]
            demand = Demand(self.env, self.nodes[maker.id], maker, traded, self.seed)
            if maker.arrivals.replay is not None:
                start(self.env, demand.play(traded[0], self._recordings[f"market_maker.{maker.id}"], until))
            else:
                start(self.env, demand.arrive(prices, until))

        if self.scenario.identity is not None:
            start(self.env, registry_steps(self.env, self.scenario.identity.steps, self._take_step))

    def _take_step(self, step: Step) -> None:
        command = step.command(self.seed)
        if command is not None:
            self.nodes[VENUE].tell(IDENTITY, command)
        elif step.key is not None:
            self._signers[step.market_maker].key = step.key
            session = self.scenario.fix.comp_id
            self.nodes[step.market_maker].tell("fix", LogOut(session, keep_down=False))

    def _stream(self, *name: str) -> Any:
        return stream(self.seed, ".".join(name))

    def _ledger(self) -> Any:
        auction = self.nodes[VENUE].kernel.components["auction"]
        assert isinstance(auction, Auction)
        return auction.ledger
