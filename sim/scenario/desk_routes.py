"""Whether the hops of an index scenario lead where its money has to go: to where assets are paid, and back."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from core.faults import Fault, KeyPath, unknown
from sim.scenario.desk import DeskScenario

_HINT: Final = "hops lead in one direction each: add one, or name another designation"


def route_faults(scenario: DeskScenario) -> Iterator[Fault]:
    """Hops that lead nowhere, designations that no hop touches, those that none leads to: routes that are not found."""
    yield from _hops(scenario)
    yield from _untouched(scenario)
    yield from _unreached(scenario)


def _hops(scenario: DeskScenario) -> Iterator[Fault]:
    for number, hop in enumerate(scenario.hops):
        if hop.source == hop.destination:
            yield Fault(("hop", number, "destination"), f"leads from {hop.source} to itself")
        if hop.amount_max is not None and hop.amount_min > hop.amount_max:
            yield Fault(("hop", number), f"`amount_min` {hop.amount_min} is above `amount_max` {hop.amount_max}")
        if hop.bridge is not None and not hop.relay.relayers:
            yield Fault(("hop", number, "relay", "relayers"), "name at least one")


def _untouched(scenario: DeskScenario) -> Iterator[Fault]:
    touched = list(dict.fromkeys(place for hop in scenario.hops for place in (hop.source, hop.destination)))
    for path, place in _places(scenario):
        if place not in touched:
            yield unknown(path, "designation of a hop", place, touched)
    chains = [chain.id for chain in scenario.chains]
    for number, index in enumerate(scenario.indexes):
        for chain in index.sources:
            if chain not in chains:
                yield unknown(("index", number, "sources"), "chain", chain, chains)
        if not index.destinations:
            yield Fault(("index", number, "destinations"), "name at least one")


def _places(scenario: DeskScenario) -> Iterator[tuple[KeyPath, str]]:
    for number, chain in enumerate(scenario.chains):
        yield ("chain", number, "deposit"), chain.deposit
        yield ("chain", number, "payout"), chain.payout
    for number, index in enumerate(scenario.indexes):
        yield from ((("index", number, "destinations"), place) for place in index.destinations)
        yield from ((("index", number, "sources", chain), place) for chain, place in index.sources.items())


def _unreached(scenario: DeskScenario) -> Iterator[Fault]:
    for number, chain in enumerate(scenario.chains):
        for index in scenario.indexes:
            source = index.sources.get(chain.id, chain.deposit)
            if not _reached(scenario, source) & set(index.destinations):
                problem = (
                    f"no hops lead from {source} to {' or '.join(index.destinations)}, where {index.symbol} is paid"
                )
                yield Fault(("chain", number, "deposit"), problem, _HINT)
            for place in index.destinations:
                if chain.payout not in _reached(scenario, place):
                    problem = f"no hops lead from {place}, where {index.symbol} is paid, to {chain.payout}"
                    yield Fault(("chain", number, "payout"), problem, _HINT)


def _reached(scenario: DeskScenario, start: str) -> set[str]:
    """Where hops lead to from there, step by step; it is there itself."""
    reached = {start}
    while more := {hop.destination for hop in scenario.hops if hop.source in reached} - reached:
        reached |= more
    return reached
