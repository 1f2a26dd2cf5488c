"""The tables that choose a model: prices, arrivals, latencies. Each has exactly one key that names its model."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final

import msgspec
from msgspec import Meta, to_builtins

from core.config import Count, Duration, Section
from core.units import MILLISECOND, SECOND
from sim.latency import Constant, Exponential, Latency, Lognormal, Uniform

_LATENCIES: Final = ("constant", "uniform", "lognormal", "exponential")
_PRICES: Final = ("constant", "gbm", "replay")
_MOVING: Final = ("start", "replay")
MODELS: Final = {
    "price": (*_PRICES, "start"),
    "arrivals": ("poisson", "fixed", "replay"),
    "latency": _LATENCIES,
    "compute": _LATENCIES,
}
"""The tables that choose a model, and the keys that name one."""
PRICE_LIMIT: Final = 10**12
"""Beyond it the inverse has too few digits left to be a rate."""
LATENCY_MAX: Final = Duration(3_600 * SECOND, "1h")


class Columns(Section, frozen=True, kw_only=True):
    """What the columns of a recorded file are called, where the reader does not recognise them."""

    time: str | None = None
    price: str | None = None
    quantity: str | None = None
    side: str | None = None


class Recorded(Section, frozen=True, kw_only=True):
    """A recorded file (Parquet or CSV) to play, its path relative to the scenario file."""

    replay: str | None = None
    speed: Count = 1
    """60 plays an hour in a minute."""
    limit: Count | None = None
    """Read at most this many rows."""
    columns: Columns = Columns()
    digest: str | None = None
    """BLAKE2b of the file, filled in when a scenario is loaded. A file that differs from one given is refused."""

    def _choose(self, models: tuple[str, ...], *shared: str) -> None:
        """ValueError unless one model is chosen, and all keys go with it; `shared` ones go with any."""
        _exactly_one(self, models)
        if self.replay is None:
            for info in msgspec.structs.fields(self):
                value = getattr(self, info.name)
                if info.name not in (*models, *shared) and to_builtins(value) != to_builtins(info.default):
                    raise ValueError(f"`{info.name}` goes with `replay` only")


class Gbm(Section, frozen=True, kw_only=True):
    """Geometric Brownian motion without drift, stepping every `tick`."""

    start: Decimal
    volatility_bps: Annotated[int, Meta(ge=0, lt=10_000)] = 2
    """Standard deviation of the return over one second."""
    tick: Duration = Duration(100 * MILLISECOND)

    def __post_init__(self) -> None:
        above_zero(tick=self.tick)


class Price(Recorded, frozen=True, kw_only=True):
    """The reference price of a pair over time."""

    constant: Decimal | None = None
    gbm: Gbm | None = None

    def __post_init__(self) -> None:
        self._choose(_PRICES)


class FlowPrice(Recorded, frozen=True, kw_only=True):
    """The price that a flow of orders follows: a `Gbm` from `start`, or a recording."""

    start: Decimal | None = None
    volatility_bps: Annotated[int, Meta(ge=0, lt=10_000)] | None = None
    """Of `Gbm`; as there if not given."""
    tick: Duration = Duration(100 * MILLISECOND)
    """Between two looks at the price."""

    def __post_init__(self) -> None:
        self._choose(_MOVING, "volatility_bps", "tick")
        if self.replay is not None and self.volatility_bps is not None:
            raise ValueError("`volatility_bps` goes with `start` only")
        above_zero(tick=self.tick)

    def model(self) -> Gbm | None:
        """As the simulator has it, unless it is a recording."""
        if self.start is None:
            return None
        if self.volatility_bps is None:
            return Gbm(start=self.start, tick=self.tick)
        return Gbm(start=self.start, volatility_bps=self.volatility_bps, tick=self.tick)


class Arrivals(Recorded, frozen=True, kw_only=True):
    """When a market maker's orders arrive: random with a mean interval, evenly, or as recorded.

    A recording with a price and a quantity in each row also decides those, and the side if it has one.
    """

    poisson: Duration | None = None
    fixed: Duration | None = None
    quantity_scale: Decimal = Decimal(1)
    """Recorded quantities are multiplied by this, before they are rounded to the lot."""

    def __post_init__(self) -> None:
        self._choose(MODELS["arrivals"])
        above_zero(poisson=self.poisson, fixed=self.fixed)


class LognormalTable(Section, frozen=True, kw_only=True):
    """`sim.latency.Lognormal` as a file has it."""

    median: Duration
    sigma_per_mille: Annotated[int, Meta(ge=0, le=5000)]


class ExponentialTable(Section, frozen=True, kw_only=True):
    """`sim.latency.Exponential` as a file has it."""

    floor: Duration = Duration(0)
    mean: Duration


class LatencyTable(Section, frozen=True, kw_only=True):
    """How long something takes: always the same, or drawn anew each time."""

    constant: Duration | None = None
    uniform: tuple[Duration, Duration] | None = None
    lognormal: LognormalTable | None = None
    exponential: ExponentialTable | None = None

    def __post_init__(self) -> None:
        _exactly_one(self, _LATENCIES)
        if self.uniform is not None and self.uniform[0] > self.uniform[1]:
            raise ValueError(f"`uniform` must be [least, most], got {' and '.join(it.written for it in self.uniform)}")
        for span in self._spans():
            if span > LATENCY_MAX:
                raise ValueError(f"expected at most {LATENCY_MAX.written}, got {span.written}")

    def model(self) -> Latency:
        """The model, as the simulator samples it."""
        if self.uniform is not None:
            return Uniform(*self.uniform)
        if self.lognormal is not None:
            return Lognormal(self.lognormal.median, self.lognormal.sigma_per_mille)
        if self.exponential is not None:
            return Exponential(self.exponential.floor, self.exponential.mean)
        assert self.constant is not None
        return Constant(self.constant)

    def _spans(self) -> tuple[Duration, ...]:
        if self.uniform is not None:
            return self.uniform
        if self.lognormal is not None:
            return (self.lognormal.median,)
        if self.exponential is not None:
            return self.exponential.floor, self.exponential.mean
        return () if self.constant is None else (self.constant,)


def above_zero(**spans: Duration | None) -> None:
    """For `__post_init__`: ValueError, naming the key, unless every span given is positive."""
    for name, span in spans.items():
        if span is not None and span <= 0:
            raise ValueError(f"`{name}` must be above zero, got {span.written}")


def _exactly_one(table: Section, models: tuple[str, ...]) -> None:
    given = [name for name in models if getattr(table, name) is not None]
    if len(given) != 1:
        raise ValueError(f"expected exactly one of {', '.join(models)}; got {' and '.join(given) or 'none'}")
