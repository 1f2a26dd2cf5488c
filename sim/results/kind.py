"""What differs between results of a venue and of an index desk: which tables, which numbers, which report."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import pyarrow as pa

from sim.results.facts import Noted
from sim.results.rows import Row
from sim.results.wire import Carried

if TYPE_CHECKING:
    from sim.results.pictures.picture import Picture
    from sim.results.result import RunResult


class Outcome(Protocol):
    """A run in a dozen numbers: a msgspec struct that can also say them."""

    def lines(self) -> list[tuple[str, str]]:
        """The numbers, each with its label."""


class Kind(ABC):
    """One kind of run."""

    TABLES: ClassVar[Mapping[str, type[Row]]]

    @abstractmethod
    def build(self, notes: Sequence[Noted], carried: Sequence[Carried]) -> dict[str, pa.Table]:
        """Every table, from the facts of the run and the FIX messages that crossed."""

    @abstractmethod
    def summarise(self, tables: Mapping[str, pa.Table]) -> Outcome:
        """The run in a dozen numbers."""

    @abstractmethod
    def explain(self, result: RunResult, name: str) -> tuple[dict[str, Any], str]:
        """The life of what is called `name`, as plain data and as text. Raises InputError if nothing is."""

    @abstractmethod
    def pictures(self) -> tuple[Picture, ...]:
        """What the report shows, in its order."""

    @abstractmethod
    def report(self, result: RunResult, pictures: Mapping[str, bytes]) -> str:
        """The report as HTML."""
