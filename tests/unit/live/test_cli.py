"""The command line: one line for what is wrong, and exit codes that a script can rely on."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from live.cli import main
from tests.unit.live.test_config import DEMO


def test_the_version_is_told() -> None:
    result = CliRunner().invoke(main, ["--version"])
    assert (result.exit_code, result.output.split()[:2]) == (0, ["romer-live,", "version"])


def test_check_says_what_a_file_describes() -> None:
    result = CliRunner().invoke(main, ["check", str(DEMO)])
    assert result.exit_code == 0
    assert "2 market makers and 2 solvers at venue" in result.output


@pytest.mark.parametrize("command", ["check", "run"])
def test_a_file_that_cannot_be_used_ends_with_2(command: str, tmp_path: Path) -> None:
    path = tmp_path / "market.toml"
    path.write_text(DEMO.read_text().replace('"100ms"', '"soon"'))
    result = CliRunner().invoke(main, [command, str(path), *(["--out", str(tmp_path / "out")] * (command == "run"))])
    assert result.exit_code == 2
    assert result.output.startswith("Error: ")
    assert result.output.count("\n") == 1
    assert not (tmp_path / "out").exists()


def test_a_span_needs_a_unit(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["run", str(DEMO), "--for", "5", "--out", str(tmp_path)])
    assert result.exit_code == 2
    assert 'expected a duration such as "250ms"' in result.output
