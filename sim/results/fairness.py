"""Whom a policy puts back in their blocks, and how far: measures of the fairness ledger, the table `placements`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa

from sim.natural import natural

_QUANTILES: Final = (0.05, 0.5, 0.95)


class Displacement(NamedTuple):
    """How far so many messages were put from their order of arrival, in places lost; negative for places gained.

    5 % of them lost less than `p5`, or gained more; `max` is the worst. Quantiles are interpolated between messages.
    """

    messages: int
    mean: float
    p5: float
    median: float
    p95: float
    max: int

    @classmethod
    def of(cls, places: Iterable[int]) -> Displacement:
        """Of these displacements, of which there is at least one."""
        lost = np.fromiter(places, np.int64)
        p5, median, p95 = map(float, np.quantile(lost, _QUANTILES))
        return cls(len(lost), float(lost.mean()), p5, median, p95, int(lost.max()))


def displacement_by_participant(placements: pa.Table) -> dict[str, Displacement]:
    """Of everybody who has a message in a block, in natural order of their names."""
    lost: dict[str, list[int]] = {}
    names, places = (placements[column].to_pylist() for column in ("participant", "displacement"))
    for name, place in zip(names, places, strict=True):
        lost.setdefault(name, []).append(place)
    return {name: Displacement.of(lost[name]) for name in sorted(lost, key=natural)}
