"""An index scenario as one node on a SimPy clock: the desk, and around it an exchange, routes, a chain and users.

What is outside the node is behind the contracts that real adapters obey, and journaled where it comes in. Checkers look
at the node's state after every delivery.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from core.config import DeskConfig, encode_node
from core.errors import DefectError
from core.execution.records import EXECUTION
from core.index.chain import CHAIN
from core.index.matrix import plan
from core.kernel.agenda import Agenda
from core.kernel.journal import Header, Journal, Sink
from core.kernel.kernel import Kernel
from core.kernel.record import Effect, Event, Record
from core.kernel.rng import stream
from core.market.exchange import EXCHANGE
from core.units import Nanos
from core.wiring import DESK, components
from sim.chain import SimChain
from sim.checkers.desk import DeskChecker
from sim.course import Course
from sim.driver import Service, SimNode
from sim.exchange import SimExchange
from sim.hops import brought, sim_hops
from sim.latency import Sampler, sampler
from sim.network import Network
from sim.scenario.desk import DeskScenario
from sim.scenario.recorded import Recordings
from sim.users import Doors, People, start_users


class DeskSimulation(Course):
    """An index scenario, built and ready to run once. `sinks` says where the node's journal goes."""

    def __init__(
        self, scenario: DeskScenario, recordings: Recordings, header: Header, sinks: Callable[[str], Sink | None]
    ) -> None:
        super().__init__(scenario.run)
        self.scenario, self.seed = scenario, header.seed
        prices = {what: [(row.offset, row.price) for row in rows] for what, rows in recordings.items()}
        self.hops = sim_hops(self.env, (hop.model() for hop in scenario.hops), self.seed)
        self.exchange = SimExchange(self.env, scenario.exchange_model(prices), self.seed, self._brought)
        log = scenario.chain_log
        self.chain = SimChain(
            self.env,
            sampler(log.latency.model(), stream(self.seed, "chain.latency")),
            stream(self.seed, "chain"),
            refused=log.refused_per_mille,
            lost=log.lost_per_mille,
            declined=log.declined_per_mille,
            declinable=log.declined,
            on_sealed=lambda sealed: self._on_note(CHAIN, int(self.env.now), CHAIN, sealed),
        )
        node = self._node(scenario.node_config(), header, sinks)
        self.nodes[node.name] = node
        self.exchange.serve(node, orders=EXECUTION, books=DESK)

    def start_world(self, until: Nanos) -> None:
        """The exchange opens; users order until `until`; steps are taken."""
        self.exchange.start()
        doors = Doors(self.env, self.nodes[DESK], self.chain)
        indexes = [index.symbol for index in self.scenario.indexes]
        start_users(doors, People(self.scenario.users, indexes, self.scenario.steps, self.seed), until)

    def finish(self) -> None:
        """Let the checker have its last word."""
        self._checker.finish(self.chain.log)

    def _node(self, config: DeskConfig, header: Header, sinks: Callable[[str], Sink | None]) -> SimNode:
        journal = Journal(config.name, sinks(config.name))
        journal.open(msgspec.structs.replace(header, node=config.name, config=encode_node(config)))
        kernel = Kernel(
            config.name,
            components(config, self.seed),
            agenda=Agenda(self.scenario.run.ties, stream(self.seed, f"ties.{config.name}").bits64()),
            journal=journal,
            observer=self._observe,
        )
        self._checker = DeskChecker(kernel, config.desk)
        return SimNode(
            self.env,
            kernel,
            Network(_no_links),
            on_note=self._on_note,
            solve=self._solver(),
            services=self._services(),
        )

    def _services(self) -> Mapping[str, Service]:
        return {EXCHANGE: self.exchange, CHAIN: self.chain, **self.hops}

    def _brought(self, now: Nanos) -> Decimal:
        """What hops have brought to where assets are paid: it is in the account at the exchange."""
        places = {place for index in self.scenario.indexes for place in index.destinations}
        return brought((service.hop for service in self.hops.values()), places, now)

    def _solver(self) -> Callable[[Any], tuple[Record, Nanos]]:
        span = sampler(self.scenario.planner.compute.model(), stream(self.seed, "compute.planner"))
        return lambda problem: (plan(problem), span())

    def _observe(self, _node: str, _now: Nanos, dst: str, _event: Event, effects: list[Effect]) -> None:
        self._checker.look(dst, effects)


def _no_links(src: str, dst: str) -> Sampler:
    raise DefectError(f"{src} connects to {dst}, and an index scenario has one node")
