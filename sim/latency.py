"""How long things take: latency models as data, and samplers that draw from a named stream."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal
from typing import Final, TypeAlias

import msgspec

from core.kernel.rng import Stream
from core.units import SECOND, Nanos

Sampler: TypeAlias = Callable[[], Nanos]

_MATH: Final = Context(prec=18)
_LONGEST: Final = 86_400 * SECOND
"""A draw that is longer still ends here, so that every instant has its 64 bits."""


class Constant(msgspec.Struct, frozen=True):
    """Always `span`."""

    span: Nanos


class Uniform(msgspec.Struct, frozen=True):
    """Every span in [low, high] equally likely."""

    low: Nanos
    high: Nanos


class Exponential(msgspec.Struct, frozen=True):
    """A floor that physics sets, plus an exponential queueing delay of that mean."""

    floor: Nanos
    mean: Nanos


class Lognormal(msgspec.Struct, frozen=True):
    """Half the spans are below `median`, none above a day; the logarithm's standard deviation is
    `sigma_per_mille` / 1000."""

    median: Nanos
    sigma_per_mille: int


Latency: TypeAlias = Constant | Uniform | Exponential | Lognormal


def sampler(model: Latency, draws: Stream) -> Sampler:
    """A function that gives the next span of `model`, drawing from `draws` alone."""
    match model:
        case Constant(span):
            return lambda: span
        case Uniform(low, high):
            return lambda: draws.between(low, high)
        case Exponential(floor, mean):
            return lambda: floor + draws.exponential(mean)
        case Lognormal(median, sigma_per_mille):
            return lambda: _lognormal(median, sigma_per_mille, draws)


def _lognormal(median: Nanos, sigma_per_mille: int, draws: Stream) -> Nanos:
    exponent = _MATH.divide(_MATH.multiply(draws.normal(), Decimal(sigma_per_mille)), Decimal(1000))
    return min(int(_MATH.multiply(Decimal(median), _MATH.exp(exponent))), _LONGEST)
