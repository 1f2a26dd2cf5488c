"""`--replace NAME=STRATEGY[:KEY=VALUE,...]`: who takes a participant's place in closed loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from core.config import VenueConfig
from core.errors import InputError
from core.faults import did_you_mean, dotted, one_line, translate
from core.solver.problem import Params
from core.solver.strategies.registry import STRATEGIES
from core.units import MILLISECOND, Nanos, format_duration, parse_duration
from sim.scenario.custom import decode_custom
from sim.scenario.models import LATENCY_MAX

INTENTS: Final = "intents"
"""What a market maker is replaced by: its recorded intents, sent anew."""
_SHAPE: Final = "as in --replace s1=cost_plus:margin_bps=2,latency=5ms"


class Replacement(msgspec.Struct, frozen=True, kw_only=True):
    """A simulated node in the place of a participant. `params` are None for a market maker."""

    name: str
    strategy: str
    params: Params | None
    latency: Nanos = MILLISECOND
    """Of its link to the venue, each way."""
    compute: Nanos = MILLISECOND
    """How long a solver thinks about a batch."""

    def __str__(self) -> str:
        link = f"{format_duration(self.latency)} from the venue"
        if self.params is None:
            return f"{self.name}: its recorded intents, {link}"
        values = ", ".join(f"{key} {value}" for key, value in msgspec.structs.asdict(self.params).items())
        return f"{self.name}: {self.strategy} ({values}), {link}, thinks {format_duration(self.compute)}"


def replacements(texts: Sequence[str], config: VenueConfig, delayed: Sequence[str]) -> list[Replacement]:
    """What the texts mean for this venue; `delayed` are participants whose latency is set elsewhere.

    Raises InputError for one that cannot be.
    """
    found: dict[str, Replacement] = {}
    for text in texts:
        one = _parsed(text, config)
        if one.name in found:
            raise InputError(f"--replace {one.name}: given twice")
        if one.name in delayed:
            problem = f"--set latency of {one.name}: says how much later its recorded bytes arrive, and it is replaced"
            raise InputError(problem, f"give its distance instead: --replace {one.name}={one.strategy}:latency=20ms")
        found[one.name] = one
    return list(found.values())


def _parsed(text: str, config: VenueConfig) -> Replacement:
    source = one_line(f"--replace {text}")
    name, equals, rest = text.partition("=")
    strategy, _, pairs = rest.partition(":")
    if not (name and equals and strategy):
        raise InputError(f"{source}: expected NAME=STRATEGY", _SHAPE)
    values = dict(_value(source, pair) for pair in pairs.split(",") if pair)
    makers, solvers = [member.id for member in config.members], [solver.id for solver in config.solvers]
    if name in makers:
        known = {"latency"}
        if strategy != INTENTS:
            raise InputError(f"{source}: a market maker is replaced by its recorded intents", f"{name}={INTENTS}")
    elif name in solvers:
        known = {"latency", "compute"}
        if strategy not in STRATEGIES:
            raise InputError(f'{source}: there is no strategy "{strategy}"', did_you_mean(strategy, STRATEGIES))
    else:
        raise InputError(f'{source}: there is no participant "{name}"', did_you_mean(name, [*solvers, *makers]))
    spans = {key: _span(source, key, values.pop(key)) for key in sorted(known & values.keys())}
    return Replacement(name=name, strategy=strategy, params=_params(source, name in makers, strategy, values), **spans)


def _value(source: str, pair: str) -> tuple[str, str]:
    key, equals, value = pair.partition("=")
    if not (key and equals and value):
        raise InputError(f"{source}: expected KEY=VALUE, got {one_line(pair)}", _SHAPE)
    return key, value


def _span(source: str, key: str, text: str) -> Nanos:
    try:
        span = parse_duration(text)
    except ValueError as error:
        raise InputError(f"{source}: {key}: {error}") from None
    if span > LATENCY_MAX:
        raise InputError(f"{source}: {key}: expected at most {LATENCY_MAX.written}, got {text}")
    return span


def _params(source: str, is_maker: bool, strategy: str, values: dict[str, str]) -> Params | None:
    if is_maker:
        if values:
            raise InputError(f"{source}: unknown key `{next(iter(values))}`", "known: latency")
        return None
    kind: Any = STRATEGIES[strategy].params
    try:
        params: Params = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as error:
        fault = translate(error, kind, values, (strategy,), decode_custom)
        raise InputError(f"{source}: {dotted(fault.path)}: {fault.problem}", fault.hint) from None
    return params
