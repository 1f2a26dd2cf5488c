"""Logons under a flood: who waits for whom, when refusals are told, and what is kept of all that."""

from __future__ import annotations

import pytest

from core.fix.records import LogonJudged
from core.identity.logons import ADDRESSES_KEPT
from core.identity.registrar import Registrar
from core.identity.turns import ADDRESS_MAX, LANE_MAX
from core.units import MILLISECOND, SECOND
from tests.helpers.fix import NOW
from tests.helpers.identity import Desk, logon
from tests.unit.identity.test_logon import changed

DELAY = 500 * MILLISECOND


@pytest.fixture
def desk() -> Desk:
    """MM1 and MM2 are active."""
    desk = Desk()
    desk.register("MM1", "MM2")
    return desk


def bogus(sender: str, number: int) -> bytes:
    """A Logon that no key of the registry has signed."""
    return changed(BOGUS, {49: sender.encode(), 34: b"%d" % number})


BOGUS = logon("rogue")


def flood(desk: Desk, sender: str, count: int, *, addresses: int = 1_000) -> list[str]:
    """So many Logons that claim to be `sender`, from so many addresses."""
    return [
        desk.attempt(bogus(sender, n), sender if sender == "MM1" else "", f"10.0.{n % addresses}.1:{n}")
        for n in range(count)
    ]


def checks_until(desk: Desk, conn: str) -> int:
    """How many checks are done until a Logon is let in."""
    done = 0
    while conn not in desk.verdicts:
        desk.solve()
        done += 1
    assert desk.verdicts[conn].accepted
    return done


def prove(desk: Desk, name: str, peer: str, number: int = 1) -> None:
    """Log on once from there."""
    conn = desk.attempt(logon(name, sender=name, number=number), name, peer)
    desk.solve()
    assert desk.verdicts[conn].accepted
    desk.conclude(conn, name)


def test_whoever_claims_to_be_one_keeps_nobody_waiting_who_claims_to_be_another(desk: Desk) -> None:
    flood(desk, "MM1", 300)
    for n in range(300):
        flood(desk, f"X{n}", 1)
    conn = desk.attempt(logon("MM2", sender="MM2"), "MM2", "192.0.2.7:4000")
    assert checks_until(desk, conn) <= 5


def test_whoever_claims_to_be_a_member_does_not_keep_it_out_where_it_was_before(desk: Desk) -> None:
    prove(desk, "MM1", "192.0.2.7:4000")
    flood(desk, "MM1", 600)
    conn = desk.attempt(logon("MM1", number=2), "MM1", "192.0.2.7:4001")
    assert checks_until(desk, conn) <= 4


def test_from_a_new_address_a_member_waits_for_one_check_of_each_other_at_most(desk: Desk) -> None:
    flood(desk, "MM1", 400, addresses=10)
    conn = desk.attempt(logon("MM1", number=2), "MM1", "192.0.2.7:4001")
    assert checks_until(desk, conn) <= 10 + 3


def test_only_so_many_checks_are_asked_for_at_a_time(desk: Desk) -> None:
    flood(desk, "MM1", 20)
    assert len(desk.jobs) == 2
    desk.solve()
    assert len(desk.jobs) == 2


@pytest.mark.parametrize("sender", ["MM1", "X1"])
@pytest.mark.parametrize("others", [0, 3 * LANE_MAX], ids=["alone", "flood"])
def test_every_refusal_comes_at_the_same_time_with_the_same_text(desk: Desk, sender: str, others: int) -> None:
    flood(desk, sender, others)
    claims = [bogus(sender, 999), changed(bogus(sender, 998), {96: bytes(96)})]
    conns = [desk.attempt(raw, "MM1" if sender == "MM1" else "", "192.0.2.7:1") for raw in claims]
    waiting = dict(desk.timers)
    assert {*waiting.values()} == {NOW + DELAY}
    while desk.jobs:
        job = desk.jobs.pop(0)
        desk.answer(job)
    assert not desk.verdicts
    desk.ring(*waiting)
    assert {desk.verdicts[conn].text for conn in conns} == {"Logon refused"}
    assert (desk.registrar.state.logons, desk.registrar.state.checking) == ({}, {})


def test_who_has_no_place_or_is_not_checked_in_time_is_refused_for_that(desk: Desk) -> None:
    conns = flood(desk, "MM1", ADDRESS_MAX + 3, addresses=1)
    desk.ring(*desk.timers)
    refused = [desk.verdicts[conn].detail for conn in conns if conn in desk.verdicts]
    assert refused == ["busy"] * (ADDRESS_MAX + 1), "two are being checked"
    desk.solve()
    desk.solve()
    assert [desk.verdicts[conn].detail for conn in conns[:2]] == ["bad_signature"] * 2
    assert desk.jobs == []


def test_who_comes_from_where_it_was_before_waits_on_when_the_time_is_over(desk: Desk) -> None:
    prove(desk, "MM1", "192.0.2.7:4000")
    flood(desk, "MM1", 10)
    good = desk.attempt(logon("MM1", number=2), "MM1", "192.0.2.7:4001")
    bad = desk.attempt(bogus("MM1", 3), "MM1", "192.0.2.7:4002")
    desk.ring(*desk.timers)
    assert good not in desk.verdicts
    while desk.jobs:
        desk.solve()
    assert desk.verdicts[good].accepted
    assert desk.verdicts[bad] == LogonJudged("MM1", bad, False, "bad_signature", "Logon refused")


def test_who_waits_on_and_loses_its_place_is_told_at_once(desk: Desk) -> None:
    addresses = [f"192.0.2.{n}" for n in range(1, 6)]
    for number, address in enumerate(addresses):
        prove(desk, "MM1", f"{address}:1", number + 1)
    flood(desk, "X", 2)
    conns = [
        desk.attempt(bogus("MM1", 100 * nth + n), "MM1", f"{address}:{n + 2}")
        for nth, address in enumerate(addresses[:4])
        for n in range(ADDRESS_MAX)
    ]
    desk.ring(*desk.timers)
    last = desk.attempt(logon("MM1", number=999), "MM1", f"{addresses[4]}:9")
    assert [desk.verdicts[conn].detail for conn in conns if conn in desk.verdicts] == ["busy"]
    while desk.jobs:
        desk.solve()
    assert desk.verdicts[last].accepted
    assert {*conns} <= {*desk.verdicts}
    assert desk.registrar.state.logons == {}


def test_a_logon_that_was_answered_before_its_check_is_done_is_no_use_later(desk: Desk) -> None:
    desk.settings = desk.registrar.settings = type(desk.settings)(comp_id="ROMER", logons_max=1)
    raw = logon("MM1")
    first = desk.attempt(raw)
    desk.attempt(bogus("X1", 1), "")
    assert desk.verdicts[first].detail == "busy"
    desk.solve()
    assert desk.denied == ["busy"]
    desk.solve()
    assert desk.log_on(raw) == "replayed"


def test_a_replay_costs_no_check(desk: Desk) -> None:
    raw = logon("MM1")
    desk.log_on(raw)
    conn = desk.attempt(raw)
    assert (desk.jobs, conn in desk.verdicts) == ([], False)
    desk.ring(*desk.timers)
    assert desk.verdicts[conn].detail == "replayed"


def test_the_oldest_yields_when_too_many_wait_but_not_who_was_here_before() -> None:
    desk = Desk(logons_max=3)
    desk.register("MM1")
    prove(desk, "MM1", "192.0.2.7:4000")
    mine = desk.attempt(logon("MM1", number=2), "MM1", "192.0.2.7:4001")
    conns = flood(desk, "X", 4)
    assert [*desk.verdicts][1:] == conns[:2]
    while desk.jobs:
        desk.solve()
    assert desk.verdicts[mine].accepted


def test_of_each_member_the_last_addresses_are_remembered(desk: Desk) -> None:
    for n in range(ADDRESSES_KEPT + 2):
        conn = desk.attempt(logon("MM1", number=n), "MM1", f"192.0.2.{n}:1")
        desk.solve()
        desk.conclude(conn, "MM1")
    conn = desk.attempt(logon("MM1", number=99), "MM1", "192.0.2.5:1")
    desk.solve()
    desk.conclude(conn, "MM1")
    kept = [*range(2, 5), *range(6, ADDRESSES_KEPT + 2), 5]
    assert desk.registrar.state.proven_from == {"MM1": [f"192.0.2.{n}" for n in kept]}


def test_a_registrar_goes_on_from_its_snapshot_in_the_middle_of_a_flood(desk: Desk) -> None:
    flood(desk, "MM1", 100)
    conn = desk.attempt(logon("MM2", sender="MM2"), "MM2", "192.0.2.7:1")
    snapshot = desk.registrar.snapshot()
    desk.registrar = Registrar("identity", desk.settings)
    desk.registrar.restore(snapshot)
    assert desk.registrar.snapshot() == snapshot
    assert checks_until(desk, conn) <= 4
    while desk.jobs:
        desk.solve()
    desk.ring(*desk.timers)
    state = desk.registrar.state
    assert (state.logons, state.checking, state.turns.lanes) == ({}, {}, {})


def test_a_logon_that_is_early_is_told_so_whether_or_not_it_was_checked(desk: Desk) -> None:
    flood(desk, "MM1", 10)
    conn = desk.attempt(logon("MM1", at=NOW + 60 * SECOND), "MM1", "192.0.2.7:1")
    desk.ring(*desk.timers)
    assert desk.verdicts[conn] == LogonJudged("MM1", conn, False, "early", "SendingTime is in the future")
