"""Who is let in, who is not and what they hear of it, and who has to leave."""

from __future__ import annotations

from typing import Any

import pytest

from core.fix.records import LogonConcluded, LogonJudged, LogonWithdrawn
from core.identity.logon import EARLY_KEPT, Seen
from core.identity.records import (
    ActivateKey,
    ActivateMaker,
    ChangePermissions,
    LogonDenied,
    LogonProven,
    MakerAdmitted,
    MakerBarred,
    Permissions,
    PermissionsChanged,
    ResumeMaker,
    RevokeMaker,
    SuspendMaker,
)
from core.identity.registrar import Registrar
from core.identity.scheme import key_id
from core.kernel.record import Message, Resume, Stop
from core.units import MILLISECOND, SECOND
from tests.helpers.fix import NOW
from tests.helpers.identity import Desk, logon, plain_logon, public, register, stage, step
from tests.unit.identity.test_logon import changed

HOUR = 3_600 * SECOND


@pytest.fixture
def desk() -> Desk:
    """MM1, MM2 and MM3 are active; MM3 has changed its key, and MM4 is pending."""
    desk = Desk()
    desk.register("MM1", "MM2", "MM3")
    desk.rotate("MM3", "MM3-new")
    desk.commands(register("MM4"))
    return desk


def test_a_logon_with_the_right_signature_is_admitted_and_the_application_knows_first(desk: Desk) -> None:
    assert desk.log_on(logon("MM1")) == "admitted"
    assert desk.sent[-2:] == [
        ("sequencer", MakerAdmitted("MM1", "MM1", public("MM1"), Permissions(), "logon", "c1")),
        ("fix", LogonJudged("MM1", "c1", True)),
    ]
    assert desk.notes[-1] == LogonProven("MM1", "c1", key_id(public("MM1")))


def test_permissions_and_signing_mode_come_with_the_admission() -> None:
    desk, permissions = Desk(), Permissions(symbols=("ETHUSDC",))
    desk.commands(register("MM1", permissions=permissions, signing="order"), step(ActivateMaker, "MM1"))
    desk.log_on(logon("MM1"))
    assert [(it.permissions, it.signing) for it in desk.admitted] == [(permissions, "order")]


def test_permissions_that_change_are_told_to_the_application_and_to_every_logon_from_then_on(desk: Desk) -> None:
    fewer = Permissions(symbols=("ETHUSDC",), messages_per_second_max=5)
    desk.log_on(logon("MM1"))
    desk.commands(ChangePermissions("MM1", fewer, "ops", "too many messages"))
    assert desk.sent[-1] == ("sequencer", PermissionsChanged("MM1", fewer))
    assert leavers(desk) == []
    assert desk.log_on(logon("MM1", number=2)) == "admitted"
    assert desk.admitted[-1].permissions == fewer
    assert desk.admitted[0].permissions == Permissions()


@pytest.mark.parametrize("kind", [None, SuspendMaker], ids=["pending", "suspended"])
def test_permissions_also_change_of_who_may_not_log_on_yet(desk: Desk, kind: type[Any] | None) -> None:
    name, back = ("MM4", ActivateMaker) if kind is None else ("MM1", ResumeMaker)
    fewer = Permissions(msg_types=("F",))
    desk.commands(*([step(kind, name)] if kind else []), ChangePermissions(name, fewer, "ops", "why"), step(back, name))
    assert desk.log_on(logon(name, sender=name), name) == "admitted"
    assert desk.admitted[-1].permissions == fewer


REFUSED = {
    "wrong key": (logon("MM2", sender="MM1"), "MM1", "bad_signature"),
    "another's logon": (changed(logon("MM2", sender="MM2"), {49: b"MM1"}), "MM1", "bad_signature"),
    "another target": (changed(logon("MM1", target="OTHER"), {56: b"ROMER"}), "MM1", "bad_signature"),
    "another number": (changed(logon("MM1"), {34: b"2"}), "MM1", "bad_signature"),
    "another time": (changed(logon("MM1"), {52: b"20231114-22:13:20.001"}), "MM1", "bad_signature"),
    "same time, written otherwise": (changed(logon("MM1"), {52: b"20231114-22:13:20"}), "MM1", "bad_signature"),
    "exchanged CompIDs": (logon("MM1", sender="ROMER", target="MM1"), "", "wrong_comp_ids"),
    "no session": (logon("MM1", target="OTHER"), "", "wrong_comp_ids"),
    "unknown": (logon("MM9", sender="MM9"), "", "unknown_comp_id"),
    "unregistered session": (logon("MM9", sender="MM9"), "MM9", "unknown_comp_id"),
    "revoked key": (logon("MM3", sender="MM3"), "MM3", "revoked_key"),
    "pending": (logon("MM4", sender="MM4"), "MM4", "pending"),
}


@pytest.mark.parametrize(("raw", "session", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_logon_that_proves_nothing_is_refused_after_the_same_check_and_with_the_same_text(
    desk: Desk, raw: bytes, session: str, reason: str
) -> None:
    conn = desk.attempt(raw, session)
    assert conn not in desk.verdicts
    assert [len(job.problem.public_keys) for job in desk.jobs] == [3]
    desk.solve()
    assert desk.verdicts[conn] == LogonJudged(session, conn, False, reason, "Logon refused")
    assert desk.denied == [reason]
    assert desk.said(LogonDenied)[0].reason.text == "Logon refused"
    assert desk.admitted == []


def test_a_signature_that_is_none_is_refused_with_its_own_reason(desk: Desk) -> None:
    assert desk.log_on(changed(logon("MM1"), {95: b"95", 96: b"x" * 95})) == "malformed_signature"
    for signature in (b"\xff" * 96, b"\xc0" + bytes(95), bytes(96)):
        assert desk.log_on(changed(logon("MM1"), {96: signature})) == "malformed_signature"
        assert desk.log_on(changed(logon("MM9", sender="MM9"), {96: signature}), "") == "malformed_signature"


def test_a_logon_that_is_too_old_is_refused_without_a_check(desk: Desk) -> None:
    conn = desk.attempt(logon("MM1", at=NOW - 6 * SECOND))
    assert desk.verdicts[conn].detail == "stale"
    assert desk.jobs == []


def test_a_logon_that_came_too_early_is_no_use_to_whoever_brings_it_again_in_time(desk: Desk) -> None:
    raw = logon("MM1", at=NOW + 6 * SECOND)
    for _ in range(2):
        assert desk.log_on(raw) == "early"
    desk.now += 2 * SECOND
    assert desk.log_on(raw) == "replayed"
    assert desk.log_on(logon("MM1", at=desk.now)) == "admitted"


def test_whoever_is_too_early_hears_the_same_whether_or_not_the_signature_is_good(desk: Desk) -> None:
    for raw in (logon("MM2", sender="MM1", at=NOW + HOUR), logon("MM9", sender="MM9", at=NOW + HOUR)):
        assert desk.log_on(raw) == "early"
    assert desk.log_on(changed(logon("MM1", at=NOW + HOUR), {96: b"\xff" * 96})) == "early"
    assert desk.registrar.state.seen.early == {}, "what nobody signed is not remembered"


def test_of_logons_that_come_too_early_some_are_remembered_those_that_would_pass_first() -> None:
    seen = Seen()
    for n in range(EARLY_KEPT + 2):
        seen.remember_early(0, "MM1", b"%d" % n, SECOND * (1_000 - n))
    assert len(seen.early["MM1"]) == EARLY_KEPT
    assert not {b"0", b"1"} & set(seen.early["MM1"])
    assert not seen.remember(0, b"2", SECOND)
    seen.remember_early(HOUR, "MM1", b"last", 2 * HOUR)
    assert seen.early == {"MM1": {b"last": 2 * HOUR}}


def test_a_replayed_logon_is_refused_until_it_is_too_old_anyway(desk: Desk) -> None:
    raw = logon("MM1")
    assert desk.log_on(raw) == "admitted"
    desk.now += 5 * SECOND
    assert desk.log_on(raw) == "replayed"
    desk.now += MILLISECOND
    assert desk.log_on(raw) == "stale"
    assert desk.log_on(logon("MM1", at=desk.now)) == "admitted"
    assert len(desk.registrar.state.seen.until) == 1


def test_of_equal_logons_that_are_checked_at_a_time_one_is_a_replay(desk: Desk) -> None:
    conns = [desk.attempt(logon("MM1")) for _ in range(2)]
    desk.solve(1)
    desk.solve()
    assert [desk.verdicts[conn].accepted for conn in conns] == [False, True]
    assert desk.denied == ["replayed"]


def test_a_logon_that_was_refused_is_no_use_to_whoever_replays_it_later(desk: Desk) -> None:
    raw = logon("MM1")
    desk.commands(step(SuspendMaker, "MM1"))
    assert desk.log_on(raw) == "suspended"
    desk.commands(step(ResumeMaker, "MM1"))
    assert desk.log_on(raw) == "replayed"


def test_logons_that_nobody_signed_are_not_remembered(desk: Desk) -> None:
    for number in range(10):
        desk.log_on(logon("MM2", sender="MM1", number=number))
    assert desk.registrar.state.seen.until == {}


def test_both_keys_are_accepted_in_the_overlap_and_only_the_new_one_after_it(desk: Desk) -> None:
    desk.commands(stage("MM1", "new"))
    assert [desk.log_on(logon(key)) for key in ("MM1", "new")] == ["admitted", "admitted"]
    desk.commands(step(ActivateKey, "MM1"))
    assert [desk.log_on(logon(key, number=2)) for key in ("MM1", "new")] == ["revoked_key", "admitted"]


def test_a_key_that_was_revoked_while_its_signature_was_checked_lets_nobody_in(desk: Desk) -> None:
    desk.commands(stage("MM1", "new"))
    desk.attempt(logon("MM1"))
    desk.handle(Message("admin", step(ActivateKey, "MM1")))
    desk.solve()
    assert desk.denied == ["revoked_key"]


def test_a_market_maker_that_was_revoked_while_its_signature_was_checked_is_not_let_in(desk: Desk) -> None:
    desk.attempt(logon("MM1"))
    desk.handle(Message("admin", step(RevokeMaker, "MM1")))
    desk.solve()
    assert desk.denied == ["revoked"]


def leavers(desk: Desk) -> list[tuple[str, str]]:
    return [(it.session, it.text) for it in desk.said(LogonWithdrawn)]


def test_a_session_that_is_logged_on_with_the_old_key_has_to_leave_and_may_come_back(desk: Desk) -> None:
    desk.log_on(logon("MM1"))
    desk.log_on(logon("MM2", sender="MM2"), "MM2")
    desk.commands(stage("MM1", "new"))
    assert leavers(desk) == []
    desk.commands(step(ActivateKey, "MM1"))
    assert desk.sent[-1] == ("fix", LogonWithdrawn("MM1", "This key was revoked"))
    assert leavers(desk) == [("MM1", "This key was revoked")]


def test_a_session_that_has_changed_over_in_the_overlap_stays(desk: Desk) -> None:
    desk.log_on(logon("MM1"))
    desk.commands(stage("MM1", "new"))
    desk.now += SECOND
    assert desk.log_on(logon("new", at=desk.now)) == "admitted"
    desk.commands(step(ActivateKey, "MM1"))
    assert leavers(desk) == []


def test_the_engine_judges_of_one_logon_of_a_session_at_a_time_and_the_next_is_looked_at_again(desk: Desk) -> None:
    desk.commands(stage("MM1", "new"))
    first, second, third = (desk.attempt(logon(key, number=n)) for n, key in enumerate(("MM1", "new", "MM1"), 1))
    for _ in range(3):
        desk.solve()
    assert list(desk.verdicts) == [first]
    assert [it.public_key for it in desk.admitted] == [public("MM1")]
    desk.handle(Message("fix", LogonConcluded("MM1", first, logged_on=False)))
    assert [it.public_key for it in desk.admitted] == [public("MM1"), public("new")]
    desk.commands(step(ActivateKey, "MM1"))
    desk.handle(Message("fix", LogonConcluded("MM1", second, logged_on=True)))
    assert (desk.verdicts[second].accepted, desk.verdicts[third].detail) == (True, "revoked_key")
    assert desk.registrar.state.queued == desk.registrar.state.asked == {}


def test_of_two_that_were_believed_at_a_time_either_may_be_logged_on_so_the_session_has_to_leave(desk: Desk) -> None:
    desk.commands(stage("MM1", "new"))
    desk.attempt(logon("MM1"))
    desk.attempt(logon("new"))
    for _ in range(2):
        desk.solve()
        desk.now += MILLISECOND
    desk.commands(step(ActivateKey, "MM1"))
    assert leavers(desk) == [("MM1", "This key was revoked")]


def test_a_logon_that_came_to_nothing_does_not_hide_who_is_logged_on(desk: Desk) -> None:
    desk.commands(stage("MM1", "new"))
    desk.log_on(logon("MM1"))
    conn = desk.attempt(logon("new"))
    desk.solve()
    desk.handle(Message("fix", LogonConcluded("MM1", conn, logged_on=False)))
    assert [it.public_key for it in desk.admitted] == [public("MM1"), public("new"), public("MM1")]
    desk.commands(step(ActivateKey, "MM1"))
    assert leavers(desk) == [("MM1", "This key was revoked")]


def test_a_strangers_attempt_does_not_hide_who_is_logged_on(desk: Desk) -> None:
    desk.log_on(logon("MM1"))
    desk.log_on(logon("rogue"))
    desk.commands(step(SuspendMaker, "MM1"))
    assert leavers(desk) == [("MM1", "MM1 is suspended")]


def test_whoever_needs_no_signature_is_let_in_until_it_is_registered() -> None:
    desk = Desk(unsigned={"MM1": "MM1"})
    assert desk.log_on(plain_logon()) == "admitted"
    assert (desk.jobs, desk.admitted) == ([], [])
    desk.commands(register("MM1"))
    assert desk.sent[-2:] == [
        ("sequencer", MakerBarred("MM1", "MM1", "pending")),
        ("fix", LogonWithdrawn("MM1", "MM1 is pending")),
    ]
    assert desk.log_on(plain_logon()) == "malformed_signature"
    desk.commands(step(ActivateMaker, "MM1"))
    assert desk.log_on(logon("MM1", at=desk.now)) == "admitted"


def test_a_logon_that_the_engine_is_still_to_hear_of_is_not_forgotten(desk: Desk) -> None:
    desk.log_on(logon("MM1"))
    desk.attempt(logon("MM1", number=2))
    desk.handle(Message("admin", step(SuspendMaker, "MM1")))
    assert leavers(desk) == [("MM1", "MM1 is suspended")]


@pytest.mark.parametrize(
    ("kind", "text"), [(SuspendMaker, "MM1 is suspended"), (RevokeMaker, "MM1 is revoked")], ids=["suspend", "revoke"]
)
def test_who_is_suspended_or_revoked_has_to_leave(desk: Desk, kind: type[Any], text: str) -> None:
    desk.log_on(logon("MM1"))
    desk.commands(step(kind, "MM1"))
    assert leavers(desk) == [("MM1", text)]
    assert desk.log_on(logon("MM1", number=2)) == text.rsplit(maxsplit=1)[-1]


def test_who_is_resumed_logs_on_as_before(desk: Desk) -> None:
    desk.commands(step(SuspendMaker, "MM1"), step(ResumeMaker, "MM1"))
    assert desk.log_on(logon("MM1")) == "admitted"


def test_stopping_and_going_on_change_nothing(desk: Desk) -> None:
    assert desk.handle(Stop()) == []
    assert desk.handle(Resume()) == []
    assert desk.log_on(logon("MM1")) == "admitted"


def test_a_registrar_goes_on_from_its_snapshot_with_checks_under_way(desk: Desk) -> None:
    raw = logon("MM1", number=9)
    desk.log_on(raw)
    desk.attempt(logon("MM1"))
    desk.handle(Message("admin", stage("MM1", "new")))
    snapshot = desk.registrar.snapshot()
    desk.registrar = Registrar("identity", desk.settings)
    desk.registrar.restore(snapshot)
    assert desk.registrar.snapshot() == snapshot
    desk.solve()
    desk.solve()
    assert desk.verdicts["c2"].accepted
    desk.handle(Message("fix", LogonConcluded("MM1", "c2", logged_on=True)))
    assert desk.log_on(raw) == "replayed"
    assert desk.log_on(logon("new")) == "admitted"
