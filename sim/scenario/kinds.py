"""Which kind of scenario a file is: of a venue, or of an index desk. Its tables tell."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import msgspec

from sim.scenario.desk import DeskScenario
from sim.scenario.schema import Scenario

AnyScenario: TypeAlias = Scenario | DeskScenario


def _names(kind: type[msgspec.Struct]) -> frozenset[str]:
    return frozenset(info.encode_name for info in msgspec.structs.fields(kind))


_OF_DESKS: Final = _names(DeskScenario) - _names(Scenario)


def schema_of(data: dict[str, Any]) -> type[AnyScenario]:
    """The schema for these tables: a desk's if there is one that only desks have."""
    return DeskScenario if _OF_DESKS & data.keys() else Scenario
