"""QuickFIX's settings files: what each setting becomes, and what is said about those that cannot be."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InputError
from core.fix.quickfix_cfg import Given, Imported, read_cfg
from core.fix.quickfix_names import KNOWN, ONLY
from core.fix.schedule import Schedule, Zone
from core.fix.settings import SessionConfig
from core.fix.shipped import dictionary
from core.units import SECOND

HOUR = 3600
BERLIN = Zone("Europe/Berlin", 3600)


def zone(name: str) -> Zone:
    if name != "Europe/Berlin":
        raise InputError(f'no time zone "{name}"')
    return BERLIN


GIVEN = Given("app", ("D",), lambda _path: dictionary("FIX.4.2"), zone)
ACCEPTOR = """\
# the venue
[DEFAULT]
ConnectionType=acceptor
SocketAcceptPort=9878
BeginString=FIX.4.2
SenderCompID=ISLD
{defaults}
[SESSION]
TargetCompID=TW42
{own}
"""


def imported(own: str = "", defaults: str = "") -> Imported:
    return read_cfg(ACCEPTOR.format(own=own, defaults=defaults), GIVEN)


def session(own: str = "", defaults: str = "") -> SessionConfig:
    (engine,) = imported(own, defaults).engines
    (found,) = engine.sessions
    return found


def problems(own: str = "", defaults: str = "") -> list[str]:
    with pytest.raises(InputError) as error:
        imported(own, defaults)
    return error.value.message.splitlines()


def test_an_acceptor_has_its_sessions_and_its_door() -> None:
    found = read_cfg(ACCEPTOR.format(defaults="", own="\n[SESSION]\ntargetcompid=TW44\nSenderCompID=OTHER\n"), GIVEN)
    (engine,) = found.engines
    assert (engine.role, engine.comp_id, engine.app, engine.app_messages) == ("acceptor", "ISLD", "app", ("D",))
    assert [own.name for own in engine.sessions] == ["ISLD->TW42", "OTHER->TW44"]
    assert found.doors == ("0.0.0.0:9878",)
    assert found.remarks == ()


def test_a_session_has_what_the_defaults_say_unless_it_says_otherwise() -> None:
    assert session(defaults="HeartBtInt=20").heartbeat_interval == 20 * SECOND
    assert session("HeartBtInt=10", "HeartBtInt=20").heartbeat_interval == 10 * SECOND


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("ReconnectInterval=5", "reconnect_interval", 5 * SECOND),
        ("ReconnectInterval=5", "reconnect_interval_max", 5 * SECOND),
        ("LogonTimeout=3", "logon_timeout", 3 * SECOND),
        ("LogoutTimeout=4", "logout_timeout", 4 * SECOND),
        ("CheckLatency=N", "check_latency", False),
        ("MaxLatency=60", "latency_max", 60 * SECOND),
        ("CheckCompID=n", "check_comp_id", False),
        ("ResetOnLogon=Y", "reset_on_logon", True),
        ("ResetOnLogout=Y", "reset_on_logout", True),
        ("ResetOnDisconnect=Y", "reset_on_disconnect", True),
        ("ResetOnError=Y", "reset_on_error", True),
        ("ResendRequestChunkSize=500", "resend_request_chunk_size", 500),
        ("ClosedResendInterval=Y", "closed_resend_interval", True),
        ("SendNextExpectedMsgSeqNum=Y", "next_expected_msg_seq_num", True),
        ("EnableNextExpectedMsgSeqNum=Y", "next_expected_msg_seq_num", True),
        ("PersistMessages=N", "kept_messages_max", 0),
        ("SessionQualifier=drop", "session", "ISLD->TW42:drop"),
    ],
)
def test_a_setting_becomes_a_key(line: str, key: str, value: Any) -> None:
    assert getattr(session(line), key) == value


def test_an_initiator_connects_to_its_hosts_in_the_order_of_their_numbers() -> None:
    own = """ConnectionType=initiator
SocketConnectHost2=c
SocketConnectPort2=3
SocketConnectHost=a
SocketConnectPort=1
SocketConnectHost1=b
SocketConnectPort1=2"""
    found = imported(own)
    assert found.engines[0].role == "initiator"
    assert found.engines[0].sessions[0].addresses == ("a:1", "b:2", "c:3")
    assert found.doors == ()


def test_a_file_may_have_sessions_of_both_roles() -> None:
    own = "[SESSION]\nConnectionType=initiator\nTargetCompID=X\nSocketConnectHost=a\nSocketConnectPort=1"
    assert [engine.role for engine in imported(own).engines] == ["acceptor", "initiator"]


@pytest.mark.parametrize(
    ("lines", "schedule"),
    [
        ("StartTime=00:00:00\nEndTime=00:00:00\nNonStopSession=Y", None),
        ("StartTime=08:00:00\nEndTime=17:30:15", Schedule(start_time=8 * HOUR, end_time=17 * HOUR + 1815)),
        (
            "StartTime=17:00:00\nEndTime=16:00:00\nStartDay=sunday\nEndDay=Fri\nTimeZone=Europe/Berlin",
            Schedule(start_time=17 * HOUR, end_time=16 * HOUR, start_day=6, end_day=4, zone=BERLIN),
        ),
        (
            "StartTime=08:00:00 Europe/Berlin\nEndTime=09:00:00 Europe/Berlin\nWeekdays=Mon,We",
            Schedule(start_time=8 * HOUR, end_time=9 * HOUR, weekdays=(0, 2), zone=BERLIN),
        ),
    ],
)
def test_times_become_a_schedule(lines: str, schedule: Schedule | None) -> None:
    assert session(lines).schedule == schedule


def test_sessions_that_speak_alike_share_a_dialect_and_others_do_not() -> None:
    own = "[SESSION]\nTargetCompID=A\n[SESSION]\nTargetCompID=B\nValidateUserDefinedFields=N"
    (engine,) = imported(own).engines
    assert [it.dialect for it in engine.sessions] == [
        "FIX.4.2",
        "FIX.4.2",
        "FIX.4.2 validate_user_defined_fields=False",
    ]
    assert len(engine.dialects) == 2


def test_a_time_zone_without_times_is_remarked_upon() -> None:
    remark = "TimeZone has no effect: there is no StartTime, so the session is always up"
    assert imported("TimeZone=Europe/Berlin").remarks == (remark,)
    assert imported("TimeZone=Europe/Berlin\nWeekdays=Mon\nNonStopSession=Y").remarks == ()


def test_settings_without_effect_are_remarked_upon() -> None:
    assert imported("FileStorePath=store\nRefreshOnLogon=Y").remarks == (
        "FileStorePath has no effect: the journal is the store",
        "RefreshOnLogon has no effect: nobody but the session's own process writes its journal",
    )


def test_settings_of_initiators_are_remarked_upon_where_they_change_nothing() -> None:
    assert imported("HeartBtInt=30\nReconnectInterval=5").remarks == (
        "HeartBtInt has no effect: an acceptor takes the peer's",
        "ReconnectInterval has no effect: an acceptor waits for others",
    )
    initiator = "ConnectionType=initiator\nHeartBtInt=30\nSocketConnectHost=a\nSocketConnectPort=1"
    assert imported(initiator).remarks == ()


def test_an_acceptor_waits_for_a_logon_as_long_as_its_most_patient_session() -> None:
    own = "LogonTimeout=3\n[SESSION]\nTargetCompID=A\nLogonTimeout=7"
    assert imported(own).engines[0].logon_timeout == 7 * SECOND


def test_whoever_reads_may_know_some_roles_and_versions_only() -> None:
    narrow = GIVEN._replace(roles=("acceptor",), versions=("FIX.4.4",), why_not="this is a test")
    with pytest.raises(InputError) as error:
        read_cfg(ACCEPTOR.format(defaults="", own="ConnectionType=initiator"), narrow)
    assert [line.split(": ", 1)[1] for line in error.value.message.splitlines()] == [
        "line 10: ConnectionType: expected acceptor: this is a test, got 'initiator'",
        "line 5: BeginString: expected FIX.4.4: this is a test, got 'FIX.4.2'",
    ]


def test_every_problem_is_named_at_once_with_its_line() -> None:
    found = problems(
        "HeartBtInt=soon\nResetOnLogin=Y\nCheckLatency=maybe\nStartTime=25:00:00\nSendRedundantResendRequests=Y"
    )
    assert [line.split(": ", 1)[1] for line in found] == [
        "line 11: there is no setting 'ResetOnLogin': did you mean ResetOnLogon or ResetOnLogout or RefreshOnLogon?",
        "line 14: SendRedundantResendRequests: expected N: a gap is asked for once, got 'Y'",
        "line 10: HeartBtInt: expected a whole number, got 'soon'",
        "line 12: CheckLatency: expected Y or N, got 'maybe'",
        "line 13: StartTime: there is no EndTime, got '25:00:00'",
    ]


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ("ConnectionType=both", "line 10: ConnectionType: expected acceptor or initiator, got 'both'"),
        ("TargetCompID=", "line 10: TargetCompID: every session needs one"),
        ("ConnectionType=initiator", "SocketConnectHost: an initiator needs it, and SocketConnectPort"),
        (
            "[SESSION]\nTargetCompID=TW42\nSessionQualifier=B",
            "line 11: TargetCompID: the session of line 8 has these CompIDs too",
        ),
        ("SocketConnectHost1=a", "line 10: SocketConnectHost1: there is no SocketConnectPort1, got 'a'"),
        ("StartTime=8\nEndTime=09:00:00", "line 10: StartTime: expected a time such as 08:30:00, got '8'"),
        ("SocketAcceptPort=0", "line 10: SocketAcceptPort: expected a port from 1 to 65535, got '0'"),
        ("StartTime=08:00:00\nEndTime=09:00:00\nStartDay=Mon", "line 12: StartDay: there is no EndDay, got 'Mon'"),
        ("StartTime=08:00:00\nEndTime=09:00:00\nTimeZone=Mars", 'line 12: TimeZone: no time zone "Mars", got'),
        ("StartTime=08:00:00 Europe/Berlin\nEndTime=09:00:00", "must be in one time zone"),
        ("Weekdays=Mon,Noday", "line 10: Weekdays: expected a day of the week such as Mon, got 'Mon,Noday'"),
        ("Weekdays=Mon", "line 10: Weekdays: there is no StartTime and no EndTime, got 'Mon'"),
        ("StartDay=Mon\nEndDay=Fri", "line 11: EndDay: there is no StartTime and no EndTime, got 'Fri'"),
        ("BeginString=FIX.4.4", "line 10: BeginString: the dictionary is of FIX.4.2, got 'FIX.4.4'"),
        ("HeartBtInt", "line 10: expected [DEFAULT], [SESSION] or a setting below it, got 'HeartBtInt'"),
        ("[SESSIONS]", "line 10: expected [DEFAULT], [SESSION] or a setting below it, got '[SESSIONS]'"),
    ],
)
def test_what_cannot_be_is_said_with_its_line(own: str, problem: str) -> None:
    assert any(problem in line for line in problems(own)), problems(own)


def test_a_file_without_a_session_is_said_to_have_none() -> None:
    with pytest.raises(InputError, match=r"line 1: there is no \[SESSION\]"):
        read_cfg("[DEFAULT]\nHeartBtInt=3\n", GIVEN)


@pytest.mark.parametrize("name", ONLY)
def test_what_is_always_so_may_be_said_and_nothing_else(name: str) -> None:
    for value in ONLY[name][0]:
        assert imported(f"{name}={value}").remarks == ()
    assert any(f"{name}: expected" in line for line in problems(f"{name}=other"))


def test_what_has_no_place_here_is_not_passed_over_in_silence() -> None:
    (line,) = problems("LogonTime=08:00:00")
    assert line.endswith(
        "there is no such thing here: a session logs on as soon as its schedule is open, got '08:00:00'"
    )


def test_fields_of_logons_and_headers_are_those_of_the_session() -> None:
    own = "LogonTag1=554=pw\nLogonTag=553=me=you\nTargetSubID=desk\nSenderSubID=ann\nSocketConnectTimeout=3"
    ((engine,), _, _) = imported(own)
    (session,) = engine.sessions
    assert session.logon_fields == ((553, "me=you"), (554, "pw"))
    assert session.header_fields == ((50, "ann"), (57, "desk"))
    assert session.connect_timeout == 3 * SECOND


@pytest.mark.parametrize(
    ("own", "problem"),
    [
        ("LogonTag=me", "LogonTag: expected a tag and a value such as 553=me"),
        ("LogonTag=108=5", "LogonTag: field 108 is not one that can be added"),
        ("LogonTag=553=a\nLogonTag2=553=b", "LogonTag2: field 553 is there twice"),
        ("SocketConnectTimeout=0", "SocketConnectTimeout: expected a whole number above 0"),
        ("ReconnectInterval=0", "ReconnectInterval: expected a whole number above 0"),
    ],
)
def test_fields_that_cannot_be_added_are_a_problem(own: str, problem: str) -> None:
    assert any(problem in line for line in problems(own)), problems(own)


def test_no_name_has_two_meanings() -> None:
    assert len({name.lower() for name in KNOWN}) == len(KNOWN)


@given(st.lists(st.sampled_from(KNOWN) | st.text(max_size=8), max_size=6), st.text(max_size=12))
def test_whatever_a_file_says_it_is_read_or_refused(names: list[str], value: str) -> None:
    found: list[str] = []
    try:
        imported("\n".join(f"{name}={value}" for name in names))
    except InputError as error:
        found = error.message.splitlines()
    assert all(line.startswith("settings: line ") for line in found)


def test_a_name_like_no_other_gets_no_long_list() -> None:
    (problem,) = problems("FooBarBaz=1")
    assert problem.endswith("there is no setting 'FooBarBaz': docs/fix.md lists QuickFIX's names")


@pytest.mark.parametrize("line", ["SSLProtocol=all", "ProxyHost=gate", "SocketLocalHost=10.0.0.1", "DynamicSession=Y"])
def test_what_would_be_another_session_than_was_meant_is_a_problem(line: str) -> None:
    (problem,) = problems(line)
    assert "there is no setting" not in problem


@pytest.mark.parametrize("line", ["MySQLStoreHost=db", "JdbcURL=x", "SLF4JLogHeartbeats=Y", "SocketLinger=1"])
def test_what_surrounds_a_session_elsewhere_is_remarked_upon(line: str) -> None:
    assert [remark.partition(" ")[0] for remark in imported(line).remarks] == [line.partition("=")[0]]
