"""Who is put before whom in their blocks, in the recording and in the rerun: two policies on one trace of arrivals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import pyarrow as pa

from core.sequencer.ordering import Policy
from sim.natural import natural
from sim.results.columns import schema_of, to_table
from sim.results.fairness import displacement_by_participant
from sim.whatif.rows import TABLES, PairedParticipant


class Ledger(msgspec.Struct, frozen=True, kw_only=True):
    """The blocks of one run under `policy`. `inversions` are pairs of messages of one block that stand the other way
    round than they arrived. `displaced` messages are not in their place by arrival; all messages together are
    `places_mean` places from theirs, forward or back, and none is more than `places_max`.
    """

    policy: Policy
    blocks: int
    messages: int
    inversions: int
    displaced: int
    places_mean: float
    places_max: int

    @classmethod
    def of(cls, policy: Policy, tables: Mapping[str, pa.Table]) -> Ledger:
        """From the tables of a run."""
        places = [abs(lost) for lost in tables["placements"]["displacement"].to_pylist()]
        return cls(
            policy=policy,
            blocks=tables["blocks"].num_rows,
            messages=len(places),
            inversions=sum(tables["blocks"]["inversions"].to_pylist()),
            displaced=sum(map(bool, places)),
            places_mean=sum(places) / len(places) if places else 0.0,
            places_max=max(places, default=0),
        )


class Fairness(NamedTuple):
    """Both ledgers in sum, what they mean for each market maker, and the blocks and places that they are of."""

    before: Ledger
    after: Ledger
    participants: list[PairedParticipant]
    blocks: pa.Table
    placements: pa.Table

    def tables(self) -> dict[str, pa.Table]:
        """The ledgers as Arrow tables."""
        participants = to_table(PairedParticipant, self.participants)
        return {"fairness": participants, "blocks": self.blocks, "placements": self.placements}


def compare_fairness(
    policies: tuple[Policy, Policy], before: Mapping[str, pa.Table], after: Mapping[str, pa.Table]
) -> Fairness:
    """Of the tables of both runs, each under its policy."""
    return Fairness(
        before=Ledger.of(policies[0], before),
        after=Ledger.of(policies[1], after),
        participants=_paired(before["placements"], after["placements"]),
        blocks=_both("blocks", before, after),
        placements=_both("placements", before, after),
    )


def _paired(before: pa.Table, after: pa.Table) -> list[PairedParticipant]:
    then, now = displacement_by_participant(before), displacement_by_participant(after)
    rows = {name: PairedParticipant(participant=name) for name in sorted({*then, *now}, key=natural)}
    for side, found in (("before", then), ("after", now)):
        for name, displacement in found.items():
            for measure, value in displacement._asdict().items():
                setattr(rows[name], f"{measure}_{side}", value)
    return list(rows.values())


def _both(name: str, before: Mapping[str, pa.Table], after: Mapping[str, pa.Table]) -> pa.Table:
    """The table of that name of both runs in one, by the column `run`."""
    run = schema_of(TABLES[name]).field("run")
    sides = [
        tables[name].append_column(run, pa.repeat(pa.scalar(side, run.type), tables[name].num_rows))
        for side, tables in (("before", before), ("after", after))
    ]
    return pa.concat_tables(sides)
