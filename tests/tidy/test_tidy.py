"""The repository keeps its own rules, and each rule finds what breaks it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import live.cli
import sim.cli
from tests.tidy import checks

ROOT = Path(__file__).parents[2]
CODE = checks.modules(ROOT, "core", "sim", "live")
CORE = checks.modules(ROOT, "core")
TESTS = checks.modules(ROOT, "tests")


def planted(folder: Path, text: str, name: str = "core/planted.py") -> list[checks.Module]:
    """A tree of one file."""
    path = folder / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    return checks.modules(folder, path.relative_to(folder).parts[0])


def accept(findings: list[str]) -> None:
    """Show all findings, one line each, or pass."""
    assert not findings, "\n" + "\n".join(findings)


def function(lines: int) -> str:
    """A function of that many lines, under a docstring that does not count."""
    return 'def long() -> None:\n    """Two\n    lines."""\n' + "    pass\n" * (lines - 1)


def test_files_are_short() -> None:
    accept(checks.long_files(CODE + TESTS))
    accept(checks.typical_file(CODE))


def test_a_file_of_501_lines_is_found(tmp_path: Path) -> None:
    files = planted(tmp_path, "pass\n" * 501)
    assert checks.long_files(files) == ["core/planted.py: 501 lines"]
    assert checks.typical_file(files) == ["the median file has 501 lines"]


def test_functions_are_short() -> None:
    accept(checks.long_functions(CODE))
    accept(checks.typical_function(CODE))


def test_a_function_of_61_lines_is_found(tmp_path: Path) -> None:
    assert checks.long_functions(planted(tmp_path, function(61))) == ["core/planted.py:1: long has 61 lines"]


def test_a_function_of_60_lines_and_a_docstring_is_none(tmp_path: Path) -> None:
    assert checks.long_functions(planted(tmp_path, function(60))) == []


def test_long_functions_in_general_are_found(tmp_path: Path) -> None:
    files = planted(tmp_path, function(11) * 8 + function(31) * 2)
    assert checks.typical_function(files) == [
        "the median function has 11.0 lines",
        "the 90th percentile of functions has 31.0 lines",
    ]


def test_signatures_are_readable() -> None:
    accept(checks.crowded_signatures(CODE))


def test_a_sixth_positional_parameter_is_found(tmp_path: Path) -> None:
    text = "class A:\n    def fits(self, a, b, c, /, d, e, *, f, g): ...\n\ndef crowded(a, b, /, c, d, e, f): ...\n"
    assert checks.crowded_signatures(planted(tmp_path, text)) == [
        "core/planted.py:4: crowded takes 6 positional parameters"
    ]


def test_what_is_public_says_what_it_is() -> None:
    accept(checks.undocumented(CODE))


def test_a_missing_docstring_is_found(tmp_path: Path) -> None:
    text = 'class Public: ...\n\ndef public(): ...\n\ndef _private(): ...\n\ndef told():\n    """Does."""\n'
    assert checks.undocumented(planted(tmp_path, text)) == [
        "core/planted.py: no docstring",
        "core/planted.py:1: Public has no docstring",
        "core/planted.py:3: public has no docstring",
    ]


def test_only_the_command_line_prints() -> None:
    accept(checks.prints(CODE))


def test_a_print_is_found_except_in_commands(tmp_path: Path) -> None:
    assert checks.prints(planted(tmp_path / "a", "print(1)\n")) == ["core/planted.py:1: print"]
    assert checks.prints(planted(tmp_path / "b", "print(1)\n", "sim/commands/run.py")) == []


def test_core_is_pure() -> None:
    accept(checks.impurities(CORE, checks.banned_in_core(ROOT)))


@pytest.mark.parametrize("module", ["simpy", "asyncio", "time", "datetime", "os", "random", "socket", "uuid", "sim"])
def test_core_may_not_import_it(module: str) -> None:
    assert module in checks.banned_in_core(ROOT)


@pytest.mark.parametrize(
    "text",
    [
        "import time\n",
        "from os.path import join\n",
        "import json, time as clock\n",
        "def hidden() -> None:\n    import time\n",
        "hash('x')\n",
        "open('x')\n",
    ],
)
def test_what_lets_the_machine_in_is_found(text: str, tmp_path: Path) -> None:
    assert len(checks.impurities(planted(tmp_path, text), {"os", "time"})) == 1


def test_a_relative_import_is_no_module_of_that_name(tmp_path: Path) -> None:
    assert checks.impurities(planted(tmp_path, "from .time import x\nfrom core.time import x\n"), {"time"}) == []


def test_the_repository_belongs_on_any_machine() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a checkout, so nothing says which files belong")
    command = [
        "git",
        "-C",
        str(ROOT),
        "-c",
        "safe.directory=*",
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    paths = [Path(name) for name in listed if name and (ROOT / name).is_file()]
    assert len(paths) > 100
    accept(checks.forbidden_text(ROOT, paths))


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("see /ho", "me/someone/notes"), "a path of one machine"),
        (("files.python", "hosted.org"), "a package registry"),
        (("https:", "//example.com/romer-1.0-py3-none-any.whl"), "a download address"),
    ],
)
def test_what_ties_the_repository_to_a_machine_is_found(words: tuple[str, str], what: str, tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("fine: sim/home/run, ~/work, https://example.com/page\n" + "".join(words))
    assert checks.forbidden_text(tmp_path, [Path("notes.md")]) == [f"notes.md:2: {what}"]


def test_every_dependency_has_its_decision() -> None:
    accept(checks.undecided_dependencies(ROOT))


def test_a_dependency_without_a_decision_is_found(tmp_path: Path) -> None:
    project = '[project]\ndependencies = ["click>=8", "left-pad"]\noptional-dependencies.dev = ["pytest>=8"]\n'
    (tmp_path / "pyproject.toml").write_text(project)
    decisions = tmp_path / "docs" / "decisions"
    decisions.mkdir(parents=True)
    (decisions / "0001-tools.md").write_text("We take click, and pytest-xdist.\n")
    assert checks.undecided_dependencies(tmp_path) == ["left-pad is in no decision", "pytest is in no decision"]


def test_every_scenario_without_recordings_is_pinned() -> None:
    paths = [path for path in (ROOT / "scenarios").glob("*.toml") if path.name != "golden.toml"]
    pinned = tomllib.loads((ROOT / "scenarios" / "golden.toml").read_text())
    assert {path.stem for path in paths if "replay =" not in path.read_text()} == pinned.keys()


def test_the_commands_that_the_readme_shows_exist() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    accept(checks.unknown_commands(ROOT, "make", targets))
    accept(checks.unknown_commands(ROOT, "romer-sim", sim.cli.main.commands))
    accept(checks.unknown_commands(ROOT, "romer-live", live.cli.main.commands))


def test_a_command_that_does_not_exist_is_found(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("It can make sense.\n\n    make demo\n\nThen `make nothing`.\n")
    assert checks.unknown_commands(tmp_path, "make", ["demo"]) == ["README.md: make nothing"]
