"""A recorded market again: with nothing changed the same in every byte, with something changed no more than that."""

from __future__ import annotations

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from msgspec.structs import replace

from core.errors import InputError, ReplayDiverged
from core.kernel.journal import Journal
from core.kernel.kernel import Kernel
from core.kernel.record import Start
from core.kernel.rng import stream
from core.units import MILLISECOND
from core.wiring import components
from sim.whatif.comparison import CLOSED_LOOP, OPEN_LOOP
from sim.whatif.recording import Recording, read_recording
from sim.whatif.rerun import check_baseline
from sim.whatif.whatif import WhatIf
from tests.unit.sim.whatif.conftest import compare


def test_what_came_from_outside_gives_the_digest_of_the_whole_journal(recorded: Path, recording: Recording) -> None:
    manifest = json.loads((recorded / "manifest.json").read_text())
    assert check_baseline(recording, recording.config) == manifest["digests"]["venue"]
    assert recording.externals < recording.chain.count / 2


def test_the_check_fails_when_a_setting_is_another(recording: Recording) -> None:
    auction = replace(recording.config.auction, rule="second_price")
    with pytest.raises(ReplayDiverged, match="run again from what came from outside"):
        check_baseline(recording, replace(recording.config, auction=auction))


def test_the_check_fails_when_one_message_is_missing(recorded: Path) -> None:
    recording = read_recording(recorded)
    del recording.cues[len(recording.cues) // 2]
    with pytest.raises(ReplayDiverged):
        check_baseline(recording, recording.config)


def test_with_nothing_changed_every_order_comes_out_as_it_did(recorded: Path) -> None:
    comparison = compare(recorded, "auction.rule=first_price")
    assert len(comparison.orders) > 100
    assert comparison.changed == []
    assert comparison.how.mode == OPEN_LOOP
    assert comparison.how.changes == []
    assert comparison.how.limits == []
    assert comparison.before == comparison.after
    assert comparison.digest == comparison.baseline.digest


def test_answers_taken_apart_and_given_anew_are_the_same_answers(recorded: Path) -> None:
    comparison = compare(recorded, "solver.s2.latency=0s")
    assert len(comparison.how.held) == 2
    assert comparison.changed == []
    assert comparison.before == comparison.after
    assert comparison.how.limits == []
    assert comparison.spread.mean_bps == 0


def test_second_price_moves_money_and_nothing_else(recorded: Path) -> None:
    comparison = compare(recorded, "auction.rule=second_price")
    assert {row.cause for row in comparison.changed} == {"payment"}
    for row in comparison.orders:
        assert (row.status_before, row.winners_before) == (row.status_after, row.winners_after)
        assert row.surplus_change <= 0
        assert row.surplus_after >= 0
    assert comparison.spread.mean_bps < 0


def test_a_solver_beyond_the_bid_window_wins_nothing_and_the_report_says_why(recorded: Path) -> None:
    comparison = compare(recorded, "solver.s3.latency=1s")
    won = Counter(name.rstrip("!") for row in comparison.orders for name in row.winners_after.split())
    assert "s3" not in won
    assert won["s1"] + won["s2"] > 0
    lost = [row for row in comparison.changed if row.winners_before.startswith("s3")]
    assert lost
    assert {(row.cause, row.cause_solver, row.cause_reason) for row in lost} == {("bid_refused", "s3", "late")}
    [change] = comparison.how.changes
    assert (change.path, change.after) == ("latency of s3", "1s more")
    untouched = [row for row in comparison.orders if not row.changed]
    assert untouched
    assert all(row.surplus_before == row.surplus_after for row in untouched)


def test_a_latency_that_the_window_forgives_changes_no_outcome(recorded: Path) -> None:
    assert compare(recorded, "solver.s2.latency=20ms").changed == []


def test_a_default_in_the_recording_is_a_default_again(recorded: Path) -> None:
    comparison = compare(recorded, "auction.rule=second_price")
    assert comparison.before.defaulted > 0
    assert comparison.after.defaulted == comparison.before.defaulted


def test_awards_that_were_not_recorded_are_answered_as_the_solver_answers(recorded: Path) -> None:
    comparison = compare(recorded, "solver.s3.latency=1s")
    assert comparison.after.settled > 0
    assert comparison.after.defaulted == 0
    assert any("does not have" in text for text in comparison.how.anew)


def test_a_higher_penalty_than_bonds_cover_makes_bids_unbonded(recorded: Path) -> None:
    comparison = compare(recorded, "auction.default_penalty=999")
    causes = {(row.cause, row.cause_reason) for row in comparison.changed}
    assert ("bid_refused", "unbonded") in causes


def test_a_slower_market_maker_takes_the_bids_for_its_orders_along(recorded: Path) -> None:
    comparison = compare(recorded, "market_maker.MM2.latency=300ms")
    assert any("followed their order" in text for text in comparison.how.anew)
    filled = [row for row in comparison.orders if row.owner == "MM2" and row.status_after == "filled"]
    assert len(filled) > 10


def test_a_solver_replaced_by_what_it_was_changes_nothing(recorded: Path) -> None:
    same = ("s2=cost_plus:latency=5ms,compute=1ms", "s1=cost_plus:margin_bps=3")
    comparison = compare(recorded, replaced=same)
    assert comparison.how.mode == CLOSED_LOOP
    assert comparison.changed == []


def test_a_market_maker_replaced_by_its_intents_sends_the_same_orders(recorded: Path) -> None:
    comparison = compare(recorded, replaced=("MM1=intents",))
    assert comparison.changed == []
    assert {row.cl_ord_id for row in comparison.orders if row.owner == "MM1"} == {""}


def test_a_solver_with_another_strategy_reacts(recorded: Path) -> None:
    comparison = compare(recorded, replaced=("s1=cost_plus:margin_bps=-10",))
    share = {row.solver: (row.share_before, row.share_after) for row in comparison.solvers}
    assert share["s1"][1] > share["s1"][0]
    causes = {(row.cause, row.cause_solver) for row in comparison.changed}
    assert ("other_terms", "s1") in causes


def test_other_batches_need_solvers_that_bid_anew(recorded: Path) -> None:
    with pytest.raises(
        InputError, match=r"sequencer.batch_window: cannot change in open loop.*s1, s2, s3.*--replace s1"
    ):
        WhatIf(recorded, ["sequencer.batch_window=100ms"])
    with pytest.raises(InputError, match="bids of s2, s3"):
        WhatIf(recorded, ["sequencer.batch_window=100ms"], ["s1=cost_plus"])
    everyone = ("s1=cost_plus", "s2=cost_plus", "s3=cost_plus")
    comparison = compare(recorded, "sequencer.batch_window=100ms", replaced=everyone)
    assert comparison.after.blocks > 2 * comparison.before.blocks
    assert comparison.after.fill_rate > Decimal("0.3")


def test_a_guest_without_a_journal_of_its_own_is_told_what_the_venue_s_shows(recorded: Path) -> None:
    venue = recorded / "journal" / "venue.romer"
    comparison = compare(venue, replaced=("MM1=intents:latency=1ms", "s2=cost_plus:latency=5ms"))
    assert [text.partition("told ")[2] for text in comparison.how.replaced] == [
        "what the orders that reached the venue shows",
        "what the median of the bids in each auction shows",
    ]
    sent = [row for row in comparison.orders if row.owner == "MM1"]
    assert all(row.status_before and row.status_after for row in sent)
    assert next(row.bids_after for row in comparison.solvers if row.solver == "s2") > 0


def test_a_venue_that_woke_late_now_and_then_is_run_again_with_the_same_lateness(
    recording: Recording, tmp_path: Path
) -> None:
    """As a live one does: its timers ring when its process gets round to them, with what has arrived meanwhile."""
    header = recording.header
    with (tmp_path / "venue.romer").open("wb") as file:
        journal = Journal("venue", file)
        journal.open(header)
        kernel = Kernel("venue", components(recording.config, header.seed), journal=journal)
        kernel.boot(recording.began)
        naps = stream(1, "naps")
        now, arriving = recording.began, [cue for cue in recording.cues if not isinstance(cue.event, Start)]
        while now < recording.ended:
            now += naps.between(1, 9 * MILLISECOND)
            while arriving and arriving[0].at <= now:
                cue = arriving.pop(0)
                kernel.agenda.post(cue.at, getattr(cue.event, "conn", "world"), cue.dst, cue.event)
            kernel.pump(now)
        journal.close()
    late = read_recording(tmp_path / "venue.romer")
    assert len(late.rang) > 20
    assert check_baseline(late, late.config) == journal.digest()


def test_equal_what_ifs_give_equal_digests(recorded: Path) -> None:
    assert compare(recorded, "solver.s3.latency=1s").digest == compare(recorded, "solver.s3.latency=1s").digest


def test_a_directory_without_a_venue_is_refused(recorded: Path) -> None:
    with pytest.raises(InputError, match="no journal of a venue"):
        WhatIf(recorded / "journal" / "s1.romer")
