"""What a what-if held fixed, what it made anew, and where the recording had no answer: in sentences, with numbers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from sim.whatif.answers import Tally
from sim.whatif.comparison import CLOSED_LOOP, OPEN_LOOP, How

if TYPE_CHECKING:
    from sim.whatif.whatif import WhatIf

_VENUE: Final = "all that the venue does: blocks, auctions, awards, settlement, reports"


def describe(what: WhatIf, tally: Tally) -> How:
    """The account of a finished rerun."""
    if what.unchanged:
        everything = f"all {what.recording.externals:,} external events, byte for byte"
        return How(mode=OPEN_LOOP, changes=[], replaced=[], held=[everything], anew=[_VENUE], limits=[])
    return How(
        mode=CLOSED_LOOP if what.guests else OPEN_LOOP,
        changes=what.changed.changes,
        replaced=[f"{guest}; told what {what.tellings[guest.name].source} shows" for guest in what.guests],
        held=list(_held(what, tally)),
        anew=list(_anew(what, tally)),
        limits=list(_limits(what, tally)),
    )


def _held(what: WhatIf, tally: Tally) -> Iterator[str]:
    makers = [member.id for member in what.recording.config.members if member.id not in what.replaced]
    orders = sum(wish.owner in makers for wish in what.recording.wishes)
    if makers:
        yield f"{orders:,} orders and cancel requests of {_names(makers)}: their FIX bytes, as recorded"
    if what.held:
        yield f"{tally.bids_placed:,} bids of {_names(what.held)}: their terms, and how long after an auction opens"


def _anew(what: WhatIf, tally: Tally) -> Iterator[str]:
    yield _VENUE
    if what.held:
        kept = tally.paid_as_recorded + tally.defaulted_as_recorded
        yield (
            f"answers to awards: {kept:,} as the solver answered this award in the recording "
            f"({tally.defaulted_as_recorded:,} of them by default), with the amount that is owed now"
        )
        habit = tally.paid_by_habit + tally.defaulted_by_habit
        if habit:
            yield (
                f"answers to awards: {habit:,} that the recording does not have, as the solver answers on the whole "
                f"({tally.defaulted_by_habit:,} of them by default)"
            )
    if tally.bids_moved:
        yield f"{tally.bids_moved:,} of the bids followed their order into another auction"
    if tally.bids_resized:
        yield f"{tally.bids_resized:,} of the bids are for what was left of their order now"


def _limits(what: WhatIf, tally: Tally) -> Iterator[str]:
    unused = sum(
        said.solver in what.held
        for offers in what.speech.asked.values()
        for asked in offers
        if not asked.used
        for said in asked.said
    )
    if what.held and tally.unasked:
        yield (
            f"{tally.unasked:,} offers of an order in an auction had no recorded bids, since by then it had not been "
            "offered, or was not any more; nobody bid there, though somebody might have"
        )
    if unused:
        yield f"{unused:,} recorded bids were for auctions that did not come about"
    if what.held and what.speech.strays:
        yield f"{what.speech.strays:,} recorded lines named no offer or award, were refused then, and are left out"
    if tally.unsaid:
        yield f"{tally.unsaid:,} lines had no open connection to come on"
    undecided = sum(not award.decided for awards in what.speech.awards.values() for award in awards)
    if what.held and undecided:
        yield f"{undecided:,} recorded awards were not answered before the recording ended, and show no habit"


def _names(names: Iterable[str]) -> str:
    return ", ".join(names)
