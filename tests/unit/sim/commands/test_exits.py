"""What each kind of failure looks like, and the code that it ends with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from core.errors import ComponentFailed, FactViolated, InputError, JournalDamaged, ReplayDiverged
from sim.cli import main
from sim.commands.exits import Exit, report_failure
from sim.interrupt import StoppedAtOnce
from tests.helpers.scenarios import MINIMAL

IMPATIENT = """
import os, signal, sys

class Impatient:
    def find_spec(self, name, path, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)

module = sys.argv.pop(1)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
sys.meta_path.insert(0, Impatient())
from sim.__main__ import main
main()
"""
"""Presses Ctrl-C when a certain module is imported."""
BUG = "hint: romer-sim --debug ... shows where"


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (InputError("x.toml: bad"), Exit.BAD_INPUT, ["error: x.toml: bad"]),
        (InputError("bad\nnews\x1b[31m", "mend\tit"), Exit.BAD_INPUT, ["error: bad news [31m", "hint: mend it"]),
        (FactViolated("conservation", "10 ETH are gone"), Exit.VIOLATED, ["error: conservation: 10 ETH are gone", BUG]),
        (ComponentFailed("venue/fix failed"), Exit.VIOLATED, ["error: venue/fix failed", BUG]),
        (KeyError("x"), Exit.VIOLATED, ["error: a bug in Romer: KeyError('x')", BUG]),
        (
            ReplayDiverged(7, "venue/fix", "[A]", "[B]"),
            Exit.DIVERGED,
            [
                "error: delivery 7 (venue/fix) diverged",
                "  recorded: [A]",
                "  replayed: [B]",
                "hint: this is not the code that wrote the journal, or it is not deterministic",
            ],
        ),
        (
            JournalDamaged("venue.romer", 80, "checksum mismatch"),
            Exit.DAMAGED,
            [
                "error: venue.romer: damaged at byte 80: checksum mismatch",
                "hint: everything before that byte is whole",
            ],
        ),
        (
            JournalDamaged("README.md", 0, "not a journal"),
            Exit.DAMAGED,
            [
                "error: README.md: damaged at byte 0: not a journal",
                "hint: nothing of it can be read; give a journal",
            ],
        ),
        (OSError(28, "No space left on device", "runs"), Exit.BAD_INPUT, ["error: runs: No space left on device"]),
        (KeyboardInterrupt(), Exit.INTERRUPTED, ["error: interrupted"]),
        (click.Abort(), Exit.INTERRUPTED, ["error: interrupted"]),
        (StoppedAtOnce("x is left"), Exit.INTERRUPTED, ["error: interrupted: stopped at once; x is left"]),
    ],
)
def test_a_failure_is_one_line_and_a_code(
    error: BaseException, code: Exit, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert report_failure(error, debug=False) == code
    captured = capsys.readouterr()
    assert captured.err.splitlines() == lines
    assert captured.out == ""


def test_a_very_long_message_is_cut(capsys: pytest.CaptureFixture[str]) -> None:
    report_failure(InputError("x" * 10_000), debug=False)
    assert len(capsys.readouterr().err) < 500


def test_debug_shows_the_traceback_and_the_same_code() -> None:
    quiet, loud = (CliRunner().invoke(main, [*flags, "check", "none.toml"]) for flags in ([], ["--debug"]))
    assert quiet.exit_code == loud.exit_code == 2
    assert quiet.stderr.count("\n") == 1
    assert "Traceback (most recent call last)" in loud.stderr
    assert loud.stderr.endswith(quiet.stderr)


@pytest.mark.parametrize(
    ("arguments", "error", "hint"),
    [
        (["runn"], "No such command 'runn'.", "romer-sim --help shows how"),
        (["check"], "Missing argument 'FILE'.", "romer-sim check --help shows how"),
        (
            ["run", "x", "--seed", "-1"],
            "Invalid value for '--seed': -1 is not in the range x>=0.",
            "romer-sim run --help",
        ),
        (["--loud"], "No such option", "romer-sim --help shows how"),
    ],
)
def test_a_usage_error_is_bad_input(arguments: list[str], error: str, hint: str) -> None:
    result = CliRunner().invoke(main, arguments, prog_name="romer-sim")
    first, second = result.stderr.splitlines()
    assert first.startswith(f"error: {error}")
    assert second.startswith(f"hint: {hint}")
    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize("arguments", [["run", "x.toml", "--out", "r\udcff"], ["check", "\udcff.toml"]])
def test_what_is_not_utf_8_is_bad_input(arguments: list[str]) -> None:
    result = CliRunner().invoke(main, arguments)
    assert result.stderr.startswith("error: not UTF-8, in which results are written: b'")
    assert "\\xff" in result.stderr
    assert (result.exit_code, result.stderr.count("\n"), result.stdout) == (2, 1, "")


@pytest.mark.parametrize("module", ["click", "simpy", "pyarrow.lib", "msgspec"])
def test_ctrl_c_while_modules_are_imported_is_one_line(module: str, tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(MINIMAL)
    command = ["run", "small.toml", "--out", "runs"]
    done = subprocess.run(
        [sys.executable, "-c", IMPATIENT, module, *command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "error: interrupted\n")
    assert [path.name for path in tmp_path.iterdir()] == ["small.toml"]


def test_no_arguments_at_all_show_the_help() -> None:
    result = CliRunner().invoke(main, [])
    assert result.exit_code == 2
    assert "Commands:" in result.stderr


def test_help_and_version_are_no_failures() -> None:
    for arguments in (["--help"], ["-h"], ["run", "--help"], ["--version"]):
        assert CliRunner().invoke(main, arguments).exit_code == 0
