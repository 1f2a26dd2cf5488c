"""`romer-live fix import`: a QuickFIX settings file becomes a venue file, or every reason why it cannot is said."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st

from core.config import VenueConfig
from core.errors import InputError
from core.fix.engine import FixEngine
from core.fix.settings import SessionConfig
from core.units import SECOND
from core.wiring import components
from live.cli import main
from live.fix_import import import_cfg
from live.venue_file import load

CFG = """\
[DEFAULT]
ConnectionType=acceptor
SocketAcceptHost=127.0.0.1
SocketAcceptPort=9878
SenderCompID=ISLD
BeginString=FIX.4.2
ResetOnLogon=Y
StartTime=08:00:00
EndTime=17:00:00
Weekdays=Mon,Fri
LogonTimeout=20
FileStorePath=store
HeartBtInt=30
[SESSION]
TargetCompID=TW 42
MaxLatency=60
[SESSION]
TargetCompID=ISLD
SenderCompID=OTHER "1"
ValidateUserDefinedFields=N
ResendRequestChunkSize=100
"""


def romer_live(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def imported(folder: Path, text: str = CFG) -> VenueConfig:
    (folder / "a.cfg").write_text(text)
    (folder / "venue.toml").unlink(missing_ok=True)
    result = romer_live("fix", "import", folder / "a.cfg", "-o", folder / "venue.toml")
    assert result.exit_code == 0, result.output
    assert romer_live("check", folder / "venue.toml").exit_code == 0
    return load(folder / "venue.toml").venue


def sessions(venue: VenueConfig) -> list[SessionConfig]:
    engine = components(venue, 0)[0]
    assert isinstance(engine, FixEngine)
    return [session.own for session in engine.hosted.values()]


def test_each_session_is_a_member_and_what_all_have_is_the_venues(tmp_path: Path) -> None:
    venue = imported(tmp_path)
    assert (venue.fix.comp_id, venue.fix.session.reset_on_logon) == ("ISLD", True)
    assert venue.doors.logon_timeout == 20 * SECOND
    assert [member.id for member in venue.members] == ["TW-42", "ISLD-2"]
    one, two = sessions(venue)
    assert (one.target_comp_id, one.sender_comp_id, one.latency_max) == ("TW 42", "", 60 * SECOND)
    assert (two.target_comp_id, two.sender_comp_id, two.resend_request_chunk_size) == ("ISLD", 'OTHER "1"', 100)
    assert two.dialect == "FIX.4.2 validate_user_defined_fields=False"
    for session in (one, two):
        assert session.reset_on_logon
        assert session.schedule is not None
        assert (session.schedule.start_time, session.schedule.weekdays) == (8 * 3600, (0, 4))
    assert load(tmp_path / "venue.toml").listen.fix == "127.0.0.1:9878"


def test_what_has_no_effect_is_remarked_upon(tmp_path: Path) -> None:
    (tmp_path / "a.cfg").write_text(CFG)
    result = romer_live("fix", "import", tmp_path / "a.cfg")
    assert result.exit_code == 0
    assert result.stdout.startswith('# Made of "a.cfg"')
    assert [line.split(": ", 1)[1] for line in result.stderr.splitlines()] == [
        "FileStorePath has no effect: the journal is the store",
        "HeartBtInt has no effect: an acceptor takes the peer's",
    ]


def test_everything_that_cannot_be_kept_is_said_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    why = "a venue waits for its members, and its orders and reports are those of FIX.4.2"
    own = "ConnectionType=initiator\nBeginString=FIX.4.4\nResetOnLogin=Y\nSenderSubID=desk\nUseDataDictionary=N\n"
    (tmp_path / "a.cfg").write_text(CFG + own)
    result = romer_live("fix", "import", tmp_path / "a.cfg", "-o", tmp_path / "venue.toml")
    assert result.exit_code == 2
    assert [line.split(": ", 2)[2].split(", got")[0] for line in result.stderr.splitlines()] == [
        "line 24: there is no setting 'ResetOnLogin': did you mean ResetOnLogon or ResetOnLogout or RefreshOnLogon?",
        "UseDataDictionary: expected Y: messages are always validated",
        f"ConnectionType: expected acceptor: {why}",
        f"BeginString: expected FIX.4.2: {why}",
        f"SenderSubID: there is no such thing here: {why}",
    ]
    assert not (tmp_path / "venue.toml").exists()


@pytest.mark.parametrize(
    ("edit", "problem"),
    [
        (("MaxLatency=60", "MaxLatency=0"), "as a venue: venue.members[0].session.latency_max: must be above zero"),
        (("MaxLatency=60", "SocketAcceptPort=1"), "127.0.0.1:1 and 127.0.0.1:9878, and a venue has one FIX door"),
        (("MaxLatency=60", "DataDictionary=own.xml"), "own.xml: cannot be read"),
    ],
)
def test_what_a_venue_cannot_be_is_said(tmp_path: Path, edit: tuple[str, str], problem: str) -> None:
    (tmp_path / "a.cfg").write_text(CFG.replace(*edit))
    with pytest.raises(InputError) as caught:
        import_cfg(tmp_path / "a.cfg", tmp_path)
    assert problem in str(caught.value)


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.cfg").write_text(CFG)
    (tmp_path / "venue.toml").write_text("mine")
    result = romer_live("fix", "import", tmp_path / "a.cfg", "-o", tmp_path / "venue.toml")
    assert (result.exit_code, (tmp_path / "venue.toml").read_text()) == (2, "mine")


@pytest.mark.parametrize(
    ("line", "key", "value"),
    [
        ("LogoutTimeout=4", "logout_timeout", 4 * SECOND),
        ("CheckLatency=N", "check_latency", False),
        ("CheckCompID=N", "check_comp_id", False),
        ("ResetOnLogout=Y", "reset_on_logout", True),
        ("ResetOnDisconnect=Y", "reset_on_disconnect", True),
        ("ResetOnError=Y", "reset_on_error", True),
        ("ClosedResendInterval=Y", "closed_resend_interval", True),
        ("EnableNextExpectedMsgSeqNum=Y", "next_expected_msg_seq_num", True),
        ("PersistMessages=N", "kept_messages_max", 0),
    ],
)
def test_a_setting_is_kept(tmp_path: Path, line: str, key: str, value: object) -> None:
    (session, _) = sessions(imported(tmp_path, CFG.replace("MaxLatency=60", line)))
    assert getattr(session, key) == value


@given(st.lists(st.text(st.characters(max_codepoint=255, exclude_categories=["Cc", "Zs"]), min_size=1), max_size=4))
def test_whatever_the_comp_ids_are_the_outcome_is_a_venue(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("cfg")
    texts = [text for text in dict.fromkeys(text.strip() for text in ids) if text]
    own = "".join(f"[SESSION]\nTargetCompID={text}\n" for text in texts)
    (folder / "a.cfg").write_text(CFG + own)
    (folder / "venue.toml").write_text(import_cfg(folder / "a.cfg", folder).text)
    found = sessions(load(folder / "venue.toml").venue)
    assert [session.target_comp_id for session in found[2:]] == texts
