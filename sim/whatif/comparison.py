"""What came of a what-if, as data: the two runs side by side, and how much of the second is the recording's doing."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, NamedTuple

import msgspec
import pyarrow as pa

from sim.results.columns import to_table
from sim.results.summary import Summary
from sim.whatif.fairness import Fairness
from sim.whatif.pairing import Spread
from sim.whatif.rows import PairedOrder, PairedSolver
from sim.whatif.settings import Change

OPEN_LOOP: Final = "open loop"
CLOSED_LOOP: Final = "closed loop"


class Baseline(msgspec.Struct, frozen=True):
    """The proof that a recording is understood: so many deliveries came again from so many that came from outside."""

    source: str
    deliveries: int
    externals: int
    digest: str


class How(msgspec.Struct, frozen=True, kw_only=True):
    """In which mode, what was changed, what was held fixed, and what was made anew; all but the mode in sentences.

    `limits` says where the recording had no answer to what happened.
    """

    mode: str
    changes: list[Change]
    replaced: list[str]
    held: list[str]
    anew: list[str]
    limits: list[str]


class Comparison(NamedTuple):
    """The recording (`before`) and the rerun (`after`), in total, by order, by solver and by place in blocks.

    `digest` is the rerun's.
    """

    baseline: Baseline
    how: How
    digest: str
    deliveries: int
    before: Summary
    after: Summary
    orders: list[PairedOrder]
    solvers: list[PairedSolver]
    spread: Spread
    fairness: Fairness

    @property
    def changed(self) -> list[PairedOrder]:
        """The orders that came out otherwise."""
        return [row for row in self.orders if row.changed]

    def causes(self) -> list[tuple[str, str, str, int]]:
        """Cause, solver, the venue's reason code, and how many orders; the most frequent first."""
        counts = Counter((row.cause or "", row.cause_solver or "", row.cause_reason or "") for row in self.changed)
        return [(*cause, count) for cause, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]

    def tables(self) -> dict[str, pa.Table]:
        """Every table that `TABLES` names, as an Arrow table, money exact."""
        return {
            "orders": to_table(PairedOrder, self.orders),
            "solvers": to_table(PairedSolver, self.solvers),
            **self.fairness.tables(),
        }

    def data(self) -> dict[str, Any]:
        """What `--json` prints. Of the orders only those that came out otherwise."""
        return {
            "baseline": self.baseline,
            "how": self.how,
            "digest": self.digest,
            "deliveries": self.deliveries,
            "orders": len(self.orders),
            "changed": len(self.changed),
            "causes": [
                {"cause": cause, "solver": solver, "reason": reason, "orders": count}
                for cause, solver, reason, count in self.causes()
            ],
            "surplus_change": self.spread,
            "before": self.before,
            "after": self.after,
            "solvers": self.solvers,
            "fairness": {
                "before": self.fairness.before,
                "after": self.fairness.after,
                "participants": self.fairness.participants,
            },
            "changed_orders": self.changed,
        }
