"""`romer-live keys`: what an operator types and reads."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from core.identity.bls import BLS
from live.cli import main
from tests.helpers.venue import ROOT


def keys(command: str, *args: str | Path, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["keys", command, *map(str, args)], input=typed)


def test_a_new_key_is_shown_as_a_registration_needs_it(tmp_path: Path) -> None:
    made = keys("new", tmp_path / "key", "--json")
    assert made.exit_code == 0, made.output
    public = json.loads(made.stdout)
    assert BLS.verify_possession(bytes.fromhex(public["public_key"]), bytes.fromhex(public["proof"]))
    assert json.loads(keys("show", tmp_path / "key", "--json").stdout) == public
    assert public["proof"] in keys("show", tmp_path / "key").stdout


def test_neither_command_shows_the_secret(tmp_path: Path) -> None:
    made = keys("new", tmp_path / "key")
    secret = json.loads((tmp_path / "key").read_text())["secret_key"]
    assert secret not in made.output + keys("show", tmp_path / "key").output


def test_a_passphrase_comes_from_the_environment_a_file_or_a_prompt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUSH", "hush")
    (tmp_path / "hush").write_text("hush\n")
    (tmp_path / "hush").chmod(0o600)
    assert keys("new", tmp_path / "key", "--passphrase-env", "HUSH").exit_code == 0
    for args, typed in ((["--passphrase-file", tmp_path / "hush"], ""), (["--ask"], "hush\n")):
        shown = keys("show", tmp_path / "key", *args, typed=typed)
        assert shown.exit_code == 0, shown.output
        assert "needs the passphrase" not in shown.stdout
        assert "hush" not in shown.output.replace(str(tmp_path), "")


def test_a_sealed_key_is_shown_without_its_passphrase_but_not_its_proof(tmp_path: Path) -> None:
    assert keys("new", tmp_path / "key", "--ask", typed="hush\nhush\n").exit_code == 0
    shown = keys("show", tmp_path / "key")
    assert shown.exit_code == 0
    assert shown.stdout.splitlines()[-1] == "proof of possession  needs the passphrase"


def test_passphrases_that_differ_are_asked_for_again(tmp_path: Path) -> None:
    made = keys("new", tmp_path / "key", "--ask", typed="hush\nhusk\nhush\nhush\n")
    assert made.exit_code == 0
    assert keys("show", tmp_path / "key", "--ask", typed="hush\n").exit_code == 0


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["--ask", "--passphrase-env", "HUSH"], "a passphrase comes from one place"),
        (["--passphrase-env", "HUSH_NOT"], "environment variable HUSH_NOT is not set"),
        (["--passphrase-file", "none"], "cannot read the secret in none"),
    ],
)
def test_a_passphrase_that_cannot_be_had_is_bad_input_and_nothing_is_written(
    tmp_path: Path, args: list[str], problem: str
) -> None:
    result = keys("new", tmp_path / "key", *args)
    assert result.exit_code == 2
    assert problem in result.stderr
    assert not (tmp_path / "key").exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_passphrase_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    (tmp_path / "hush").write_text("hush\n")
    (tmp_path / "hush").chmod(mode)
    result = keys("new", tmp_path / "key", "--passphrase-file", tmp_path / "hush")
    assert (result.exit_code, (tmp_path / "key").exists()) == (2, False)
    assert result.stderr.startswith(f"error: others may read {tmp_path / 'hush'} (mode {mode:o})\nhint: chmod 600 ")


def test_what_cannot_be_used_is_bad_input_in_one_line(tmp_path: Path) -> None:
    assert keys("new", tmp_path / "key").exit_code == 0
    for result in (
        keys("new", tmp_path / "key"),
        keys("new", tmp_path / "nowhere" / "key"),
        keys("show", tmp_path / "none"),
    ):
        assert result.exit_code == 2
        assert result.stderr.startswith("error: ")


def test_without_a_terminal_nobody_is_asked_for_a_passphrase(tmp_path: Path) -> None:
    """In a session of its own a process has no terminal, and what it is sent on stdin would be shown by one."""
    command = [sys.executable, "-m", "live", "keys", "new", str(tmp_path / "key"), "--ask"]
    done = subprocess.run(
        command,
        cwd=ROOT,
        input="hush\nhush\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )
    assert done.returncode == 2
    assert done.stderr == (
        "error: there is no terminal to ask for a passphrase on\n"
        "hint: --passphrase-file or --passphrase-env says where it is\n"
    )
    assert not (tmp_path / "key").exists()
