"""`romer-live fix`: logs and journals for people, typed messages for programs."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.fix import messages
from core.fix.codec import encode
from core.fix.shipped import source
from core.kernel.journal import Header, Journal
from core.kernel.record import Bytes, Transmit
from live.cli import main
from tests.helpers.fix import ORDER, wire

HEAD = "34=2|49=MM1|52=20231114-22:13:20.000|56=ROMER"
ORDERS = encode(wire(f"35=D|{HEAD}|{ORDER}|386=2|336=A|336=B"))
NEWS = encode(wire(f"35=B|{HEAD.replace('34=2', '34=3')}|148=h|33=1|58=l|95=3") + b"96=a\x01b\x01")
LOGOUT = encode(wire("35=5|34=9|49=ROMER|52=20231115-00:00:00|56=MM1"))


OWN_DICTIONARY = """\
<fix major='4' minor='2'>
 <header><field name='BeginString' required='Y'/><field name='BodyLength' required='Y'/>
  <field name='MsgType' required='Y'/></header>
 <messages><message name='Blobs' msgtype='UB' msgcat='app'>
  <field name='BlobLen' required='N'/><field name='Blob' required='N'/></message></messages>
 <trailer><field name='CheckSum' required='Y'/></trailer>
 <fields>
  <field number='8' name='BeginString' type='STRING'/><field number='9' name='BodyLength' type='INT'/>
  <field number='35' name='MsgType' type='STRING'/><field number='10' name='CheckSum' type='STRING'/>
  <field number='58' name='Text' type='STRING'/>
  <field number='9001' name='BlobLen' type='LENGTH'/><field number='9002' name='Blob' type='DATA'/>
 </fields>
</fix>
"""


def romer_live(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, ["fix", *map(str, arguments)])


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "messages.log"
    path.write_bytes(b"20231114-22:13:20.001 : " + b"\n20231114-22:13:20.002 : ".join([ORDERS, NEWS, LOGOUT]) + b"\n")
    return path


def printed(result: Result) -> list[str]:
    assert (result.exit_code, result.stderr) == (0, "")
    return [line for line in result.stdout.splitlines() if line and line[0] != " "]


def test_a_log_is_printed_with_names_and_meanings_and_groups_indented(log: Path) -> None:
    lines = romer_live("print", log).stdout.splitlines()
    assert lines[0] == "20231114-22:13:20.000 MM1->ROMER #2 NewOrderSingle(D)"
    assert "    Side(54)                       1  BUY" in lines
    assert "        TradingSessionID(336)          B" in lines
    assert r"    RawData(96)                    a\x01b" in lines


@pytest.mark.parametrize(
    ("arguments", "numbers"),
    [
        ([], "239"),
        (["--type", "NewOrderSingle"], "2"),
        (["--type", "5"], "9"),
        (["--session", "MM1"], "239"),
        (["--session", "MM1->ROMER"], "23"),
        (["--session", "NOBODY"], ""),
        (["--tag", "ClOrdID"], "2"),
        (["--tag", "336=B", "--tag", "Side=1"], "2"),
        (["--tag", "336=C"], ""),
        (["--since", "20231115"], "9"),
        (["--until", "20231115"], "23"),
    ],
)
def test_messages_are_chosen_by_session_type_time_and_tag(log: Path, arguments: list[str], numbers: str) -> None:
    assert "".join(line.partition("#")[2][0] for line in printed(romer_live("print", log, *arguments))) == numbers


def test_data_fields_of_a_dictionary_of_ones_own_are_told_apart_by_their_lengths(tmp_path: Path) -> None:
    own, path = tmp_path / "own.xml", tmp_path / "own.log"
    own.write_text(OWN_DICTIONARY)
    path.write_bytes(encode(wire(f"35=UB|{HEAD}|9001=5") + b"9002=a\x0158=\x01"))
    lines = romer_live("print", path, "--dictionary", own).stdout.splitlines()
    assert r"    Blob(9002)                     a\x0158=" in lines
    assert not any("(58)" in line for line in lines)


@pytest.mark.parametrize("separator", [b"|", b"^A", b"<SOH>"])
def test_a_log_that_was_made_readable_is_read_too(tmp_path: Path, separator: bytes) -> None:
    path = tmp_path / "pasted.log"
    path.write_bytes(b"in  " + (ORDERS + b"\nout " + LOGOUT).replace(b"\x01", separator) + b"\n")
    assert len(printed(romer_live("print", path))) == 2


@pytest.mark.parametrize("separator", [b"|", b"^A", b"\x01"])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_message_may_end_at_a_lines_end_without_a_separator(tmp_path: Path, separator: bytes, end: bytes) -> None:
    path = tmp_path / "pasted.log"
    lines = [raw[:-1].replace(b"\x01", separator) for raw in (ORDERS, LOGOUT, LOGOUT)]
    path.write_bytes(end.join(lines))
    assert len(printed(romer_live("print", path))) == 3


def test_a_log_may_come_from_standard_input() -> None:
    text = ORDERS.replace(b"\x01", b"|") + b"\n" + LOGOUT.replace(b"\x01", b"|")
    assert len(printed(CliRunner().invoke(main, ["fix", "print", "-"], input=text))) == 2


def test_a_file_without_a_message_is_said_to_have_none(tmp_path: Path) -> None:
    path = tmp_path / "empty.log"
    path.write_bytes(b"nothing of the kind\n")
    result = romer_live("print", path)
    assert result.exit_code != 0
    assert f"no FIX message found in {path}" in result.stderr


def test_garbled_messages_are_shown_with_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "garbled.log"
    path.write_bytes(ORDERS.replace(b"38=1.5", b"38=1.6") + LOGOUT + NEWS[:60])
    first, second, third = printed(romer_live("print", path))
    assert first.startswith("[garbled: check_sum] 20231114-22:13:20.000 MM1->ROMER #2 NewOrderSingle(D)")
    assert second.startswith("20231115")
    assert third.startswith("[garbled: cut_off]")


def test_a_journal_shows_what_came_and_what_went(tmp_path: Path) -> None:
    path = tmp_path / "venue.journal"
    with path.open("wb") as file:
        journal = Journal("venue", file)
        journal.open(Header("venue", 0, b"", ""))
        journal.append(1, "fix", Bytes("c1", ORDERS[:50]), [])
        journal.append(2, "fix", Bytes("c1", ORDERS[50:]), [Transmit("c1", LOGOUT)])
        journal.close()
    assert printed(romer_live("print", path)) == [
        "[in fix c1] 20231114-22:13:20.000 MM1->ROMER #2 NewOrderSingle(D)",
        "[out fix c1] 20231115-00:00:00 ROMER->MM1 #9 Logout(5)",
    ]


def test_json_has_every_field(log: Path) -> None:
    lines = romer_live("print", log, "--json").stdout.splitlines()
    first = json.loads(lines[0])
    assert first["message"]["name"] == "NewOrderSingle"
    assert {"depth": 1, "tag": 336, "name": "TradingSessionID", "value": "A", "meaning": ""} in first["message"][
        "fields"
    ]


def test_typed_messages_are_written_once(tmp_path: Path) -> None:
    out = tmp_path / "messages.py"
    assert romer_live("codegen", "FIX.4.4", "-o", out, "--messages", "D(ClOrdID Side)").stdout == f"{out} written\n"
    assert romer_live("codegen", "FIX.4.4", "-o", out, "--messages", "D(ClOrdID Side)").stdout.endswith("should be\n")
    assert "class NewOrderSingle(FixMessage, frozen=True):" in out.read_text()


def test_the_messages_of_core_are_what_the_documented_command_writes(tmp_path: Path) -> None:
    root, own = Path(__file__).parents[3], Path(messages.__file__)
    recipe = (root / "Makefile").read_text().partition("\nmessages: ")[2].partition("\n\n")[0]
    words = shlex.split(recipe.replace("\\\n", "").partition("romer-live fix ")[2])
    out = tmp_path / "messages.py"
    arguments = [str(out) if word == "core/fix/messages.py" else word.replace("@", f"@{root}/") for word in words]
    assert romer_live(*arguments).stdout == f"{out} written\n"
    assert out.read_text() == own.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--type", "NewOrderSinge"],
            "--type NewOrderSinge: there is no such message\nhint: did you mean NewOrderSingle?",
        ),
        (["--tag", "ClOrdId=A-1"], "--tag ClOrdId=A-1: there is no field 'ClOrdId'\nhint: did you mean ClOrdID?"),
        (["--since", "garbage"], "--since garbage: no time"),
        (["--until", "2024-02-29"], "--until 2024-02-29: no time"),
    ],
    ids=["type", "tag", "since", "until"],
)
def test_what_no_message_can_have_is_said(tmp_path: Path, arguments: list[str], message: str) -> None:
    (tmp_path / "log").write_bytes(b"")
    result = romer_live("print", tmp_path / "log", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_dictionary_is_packed(tmp_path: Path) -> None:
    assert romer_live("pack", "FIX.4.2", "-o", tmp_path).exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"fix42_fields.py", "fix42_messages.py"}
    assert "1:Account:STRING" in (tmp_path / "fix42_fields.py").read_text()
    assert source("FIX.4.2").begin_string == "FIX.4.2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "own.xml: not well-formed XML: no element found: line 1, column 0"),
        ("<fix major='4' minor='2'/>", "own.xml: fix: there is no <fields>"),
    ],
)
def test_a_wrong_dictionary_is_one_line_and_exit_code_2(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "own.xml"
    path.write_text(text)
    result = romer_live("codegen", path, "-o", tmp_path / "out.py")
    assert result.exit_code == 2
    assert message in result.stderr
    assert not (tmp_path / "out.py").exists()


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    out = str(tmp_path / "out.py")
    for arguments in (["print", str(tmp_path / "no.log")], ["codegen", "FIX.9.9", "-o", out]):
        result = romer_live(*arguments)
        assert result.exit_code == 2
        assert "cannot be read: No such file or directory" in result.stderr
