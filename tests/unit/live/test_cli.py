"""The command line: one line for what is wrong, and exit codes that a script can rely on."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from core.errors import ComponentFailed, InputError, JournalDamaged, ReplayDiverged
from live.cli import main
from live.commands.exits import Exit, report_failure
from tests.helpers.venue import TOKEN, VENUE, changed


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S1_TOKEN", TOKEN)


def romer_live(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_the_version_is_told() -> None:
    result = romer_live("--version")
    assert (result.exit_code, result.output.split()[:2]) == (0, ["romer-live,", "version"])


def test_check_says_what_a_file_describes(tmp_path: Path) -> None:
    (tmp_path / "venue.toml").write_text(VENUE)
    result = romer_live("check", tmp_path / "venue.toml")
    assert result.exit_code == 0
    assert "is good; pairs: 1, members: 1, solvers: 1" in result.output
    assert json.loads(romer_live("check", tmp_path / "venue.toml", "--json").stdout)["problems"] == []


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_file_that_cannot_be_used_ends_with_2_and_all_problems(command: str, tmp_path: Path) -> None:
    path = tmp_path / "venue.toml"
    path.write_text(changed(('"50ms"', '"soon"'), ('bond = "10000"', 'bond = "much"')))
    result = romer_live(command, path)
    assert result.exit_code == 2
    said = result.stdout if command == "check" else result.stderr
    assert ["batch_window" in said, "bond" in said] == [True, True]
    assert not (tmp_path / "journal").exists()


def test_check_gives_its_problems_as_json(tmp_path: Path) -> None:
    path = tmp_path / "venue.toml"
    path.write_text(changed(('bond = "10000"', 'bond = "much"')))
    result = romer_live("check", path, "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["problems"] == [
        'venue.solvers[0].bond: expected an amount such as "100.25", got "much"'
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("serve", "nowhere.toml"),
        ("solver", "--id", "s1", "--connect", "127.0.0.1"),
        ("solver", "--id", "s1", "--connect", "127.0.0.1", "--token-env", "S1_TOKEN", "--price", "ETHUSDC"),
        ("market-maker", "--id", "MM1", "--connect", "127.0.0.1", "--want", "everything"),
        ("demo", "--for", "5"),
        ("demo", "--nonsense"),
    ],
)
def test_bad_input_is_one_line_and_perhaps_a_hint(arguments: tuple[str, ...]) -> None:
    result = romer_live(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("error: ")
    assert [line.partition(":")[0] for line in result.stderr.splitlines()[1:]] in ([], ["hint"])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (InputError("no", "mend it"), Exit.BAD_INPUT),
        (click.UsageError("no"), Exit.BAD_INPUT),
        (FileNotFoundError(errno.ENOENT, "No such file", "x"), Exit.BAD_INPUT),
        (OSError(errno.ENOSPC, "No space left on device"), Exit.STORAGE),
        (OSError(errno.EIO, "Input/output error"), Exit.STORAGE),
        (ReplayDiverged(1, "venue", "this", "that"), Exit.DIVERGED),
        (JournalDamaged("venue", 7, "checksum"), Exit.DAMAGED),
        (ComponentFailed("venue/fix failed"), Exit.FAILED),
        (ZeroDivisionError("a bug"), Exit.FAILED),
        (KeyboardInterrupt(), Exit.INTERRUPTED),
    ],
)
def test_every_end_has_its_code_and_a_line(
    error: BaseException, code: Exit, capsys: pytest.CaptureFixture[str]
) -> None:
    assert report_failure(error, debug=False) is code
    said = capsys.readouterr().err
    assert said.startswith("error: ")
    assert "Traceback" not in said


@pytest.mark.parametrize(("reason", "brings"), [("segment 3 after segment 1", True), ("checksum of a frame", False)])
def test_where_a_segment_is_missing_it_is_to_be_brought_back_first(
    reason: str, brings: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    report_failure(JournalDamaged("j/000003.romer", 8, reason), debug=False)
    said = capsys.readouterr().err
    assert "`romer-live journal repair j` goes on from there" in said
    assert ("bring a segment that is missing back, or" in said) is brings


def test_debug_shows_the_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    report_failure(ZeroDivisionError("a bug"), debug=True)
    assert capsys.readouterr().err.startswith("ZeroDivisionError: a bug")
