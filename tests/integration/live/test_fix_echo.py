"""`romer-live fix echo` over TCP: public acceptance scripts where they are at hand, and FIX 4.4 by its dictionary."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.helpers.fix_client import FixClient
from tests.helpers.venue import PATIENCE, ROOT, romer_live

SHARED = ROOT.parent / "shared"
RUNNER = SHARED / "tools" / "fix_acceptance.py"
SCRIPTS = SHARED / "data" / "fix" / "acceptance" / "fix42"
FIX42 = SHARED / "data" / "fix" / "FIX42.xml"
QUICK = (
    "1a_ValidLogonMsgSeqNumTooHigh",
    "2m_BodyLengthValueNotCorrect",
    "8_OnlyApplicationMessages",
    "10_MsgSeqNumGreater",
    "14e_IncorrectEnumValue",
    "19b_PossResendMessageThatHasNotBeenSent",
    "20_SimultaneousResendRequest",
    "2r_UnregisteredMsgType",
    "RejectResentMessage",
    "ReverseRoute",
)
ORDER_44 = ((11, "A-1"), (55, "ETHUSDC"), (54, 1), (60, "20231114-22:13:20"), (38, "002000.00"), (40, 1))


def accept(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run acceptance scripts against one echo for all of them."""
    if not (RUNNER.exists() and SCRIPTS.exists()):
        pytest.skip(f"NO ACCEPTANCE SCRIPTS at {SCRIPTS}: the echo is only tested in our own words")
    server = f"{sys.executable} -m live fix echo --port {{port}} --dictionary {FIX42} --session TW42 --reset-on-logon"
    command = [sys.executable, str(RUNNER), "--defs", str(SCRIPTS), "--port", "0", "--server-cmd", server]
    return subprocess.run(
        [*command, *arguments, "-q"], cwd=ROOT, capture_output=True, text=True, timeout=600, check=False
    )


def test_the_echo_passes_acceptance_scripts_over_tcp() -> None:
    chosen = [part for name in QUICK for part in ("--glob", f"{name}.def")]
    done = accept("--server-scope", "run", *chosen)
    assert f"{len(QUICK)} tests" in done.stdout, done.stdout + done.stderr
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
@pytest.mark.parametrize("profile", ["strict", "upstream", "semantic"])
def test_the_echo_passes_all_acceptance_scripts(profile: str) -> None:
    done = accept("--server-scope", "run", "--profile", profile)
    assert done.returncode == 0, done.stdout


@contextmanager
def echoing(folder: Path, *arguments: str | Path) -> Iterator[str]:
    """An echo, by its address."""
    with romer_live(folder, "fix", "echo", "--port", "0", "--json", *arguments) as running:
        yield running.told()["listens"]
        running.signal(signal.SIGTERM)
        assert running.ended() == (0, [])


@contextmanager
def customer(address: str, begin: str = "FIX.4.4") -> Iterator[FixClient]:
    """A counterparty that is logged on."""
    client = FixClient(address, "TW", target="ISLD", begin=begin)
    with client.socket:
        client.log_on()
        yield client


def test_fix_44_is_spoken_by_its_dictionary(tmp_path: Path) -> None:
    with echoing(tmp_path, "--dictionary", "FIX.4.4", "--session", "TW") as address, customer(address) as client:
        client.send("D", *ORDER_44, (453, 1), (448, "DEALER"), (447, "D"), (452, 1))
        echoed = client.next("D")
        assert {tag: echoed[tag] for tag in (8, 38, 448)} == {8: "FIX.4.4", 38: "002000.00", 448: "DEALER"}
        client.send("D", *ORDER_44[1:])
        missing = client.next("3")
        assert (missing[371], missing[373]) == ("11", "1")


@pytest.mark.parametrize(
    ("fields", "tag", "reason"),
    [
        ((*ORDER_44, (40, 1)), "40", "13"),
        ((*ORDER_44, (57, "DESK")), "57", "14"),
        ((*ORDER_44, (453, 2), (448, "DEALER"), (447, "D"), (452, 1)), "453", "16"),
    ],
    ids=["repeated", "out_of_order", "count"],
)
def test_fix_44_has_its_own_codes_for_faults_of_form(
    tmp_path: Path, fields: tuple[tuple[int, object], ...], tag: str, reason: str
) -> None:
    with echoing(tmp_path, "--dictionary", "FIX.4.4", "--session", "TW") as address, customer(address) as client:
        client.send("D", *fields)
        reject = client.next("3")
        assert (reject[371], reject[372], reject[373]) == (tag, "D", reason)


def test_an_order_that_was_perhaps_sent_before_is_echoed_once(tmp_path: Path) -> None:
    with echoing(tmp_path, "--dictionary", "FIX.4.4", "--session", "TW") as address, customer(address) as client:
        again = ((97, "Y"), *ORDER_44)
        for fields in (again, again, ((97, "Y"), (11, "A-2"), *ORDER_44[1:])):
            client.send("D", *fields)
        echoed = [client.next("D"), client.next("D")]
        assert [(order[11], order[97]) for order in echoed] == [("A-1", "Y"), ("A-2", "Y")]


def test_the_echo_takes_the_settings_of_a_quickfix_file(tmp_path: Path) -> None:
    (tmp_path / "echo.cfg").write_text(
        "[DEFAULT]\nConnectionType=acceptor\nBeginString=FIX.4.2\nSenderCompID=ISLD\nFileStorePath=store\n"
        "[SESSION]\nTargetCompID=TW\n"
    )
    with romer_live(tmp_path, "fix", "echo", "--port", "0", "--config", "echo.cfg", "--json") as running:
        opening = running.told()
        assert (opening["sessions"], opening["comp_id"]) == (["ISLD->TW"], "ISLD")
        assert opening["remarks"] == ["FileStorePath has no effect: the journal is the store"]
        with customer(opening["listens"], "FIX.4.2"):
            pass


def test_the_echo_listens_where_a_quickfix_file_says_unless_told_otherwise(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = (
        "[DEFAULT]\nConnectionType=acceptor\nBeginString=FIX.4.2\nSenderCompID=ISLD\nSocketAcceptHost=127.0.0.1\n"
    )
    (tmp_path / "echo.cfg").write_text(f"{settings}SocketAcceptPort={port}\n[SESSION]\nTargetCompID=TW\n")
    with romer_live(tmp_path, "fix", "echo", "--config", "echo.cfg", "--json") as running:
        assert running.told()["listens"] == f"127.0.0.1:{port}"
    (tmp_path / "two.cfg").write_text(
        f"{settings}[SESSION]\nTargetCompID=A\nSocketAcceptPort=1\n[SESSION]\nTargetCompID=B\nSocketAcceptPort=2\n"
    )
    with romer_live(tmp_path, "fix", "echo", "--config", "two.cfg") as running:
        assert running.process.wait(PATIENCE) == 2
        assert "two.cfg: it has 2 doors, 127.0.0.1:1, 127.0.0.1:2" in running.log.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nobody may log on"),
        (["--session", "TW", "--session", "TW"], "--session TW is given twice"),
        (["--session", "TW", "--dictionary", "FIX.9.9"], "FIX.9.9: cannot be read"),
        (["--config", "nowhere.cfg"], "nowhere.cfg: cannot be read"),
        (["--session", "TW", "--host", "192.0.2.1"], "cannot listen on 192.0.2.1:0"),
    ],
    ids=["nobody", "twice", "dictionary", "file", "host"],
)
def test_what_cannot_be_used_is_said_in_one_line(tmp_path: Path, arguments: list[str], message: str) -> None:
    with romer_live(tmp_path, "fix", "echo", "--port", "0", *arguments) as running:
        assert running.process.wait(PATIENCE) == 2
        assert running.log.read_text().startswith(f"error: {message}")
