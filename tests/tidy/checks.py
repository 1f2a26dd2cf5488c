"""The rules of this repository that no linter has. Each check returns its findings, one line each."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Final, NamedTuple, TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef

FILE_LINES_MAX: Final = 500
FILE_MEDIAN_MAX: Final = 200
FUNCTION_LINES_MAX: Final = 60
FUNCTION_MEDIAN_MAX: Final = 10
FUNCTION_P90_MAX: Final = 30
POSITIONAL_MAX: Final = 5

COMMAND_LINE: Final = frozenset({"cli", "cli.py", "commands", "__main__.py"})
IMPURE_CALLS: Final = frozenset({"breakpoint", "eval", "exec", "hash", "id", "input", "open", "print"})
COMPILER: Final = Path("core/fix/compiled.py")
"""The one file of core that may `eval`: what it has written itself from the field annotations of our records."""
FORBIDDEN_TEXT: Final = {
    "a path of one machine": re.compile(r"(?<![\w.}/-])/(?:home|root|Users|work|mnt)/\w"),
    "a package registry": re.compile(r"\b(?:pypi|python[h]osted|npmjs|crates|anaconda|debian)\.(?:com|io|org)\b"),
    "a download address": re.compile(r"\w://\S+\.(?:whl|tar\.gz|tgz|zip)\b"),
}


class Module(NamedTuple):
    """A Python file, read and parsed. `path` is relative to the repository."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def lines(self) -> int:
        """The length of the file."""
        return self.text.count("\n")

    def functions(self) -> Iterator[Function]:
        """Every function and method, nested ones too."""
        return (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def calls(self, names: Collection[str]) -> Iterator[tuple[str, str]]:
        """Where the built-ins among `names` are called."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield self.at(node), node.func.id

    def at(self, node: ast.expr | ast.stmt) -> str:
        """A place, as a terminal makes it a link."""
        return f"{self.path}:{node.lineno}"


def modules(root: Path, *packages: str) -> list[Module]:
    """Every Python file of the packages below `root`."""
    paths = sorted(path for package in packages for path in (root / package).rglob("*.py"))
    texts = [path.read_text() for path in paths]
    return [Module(path.relative_to(root), text, ast.parse(text)) for path, text in zip(paths, texts, strict=True)]


def long_files(files: Iterable[Module]) -> list[str]:
    """Files that should be two."""
    return [f"{file.path}: {file.lines} lines" for file in files if file.lines > FILE_LINES_MAX]


def typical_file(files: Iterable[Module]) -> list[str]:
    """Whether files are too long in general; a package's `__init__.py` does not count."""
    middle = median(file.lines for file in files if file.path.name != "__init__.py")
    return [f"the median file has {middle} lines"] if middle > FILE_MEDIAN_MAX else []


def long_functions(files: Iterable[Module]) -> list[str]:
    """Functions that should be two."""
    return [
        f"{file.at(node)}: {node.name} has {lines} lines"
        for file in files
        for node in file.functions()
        if (lines := code_lines(node)) > FUNCTION_LINES_MAX
    ]


def typical_function(files: Iterable[Module]) -> list[str]:
    """Whether functions are too long in general."""
    lengths = [code_lines(node) for file in files for node in file.functions()]
    middle, p90 = median(lengths), quantiles(lengths, n=10)[-1]
    findings = [f"the median function has {middle} lines"] if middle > FUNCTION_MEDIAN_MAX else []
    return findings + ([f"the 90th percentile of functions has {p90} lines"] if p90 > FUNCTION_P90_MAX else [])


def crowded_signatures(files: Iterable[Module]) -> list[str]:
    """Functions with more parameters than a caller can give by position and a reader can tell apart."""
    return [
        f"{file.at(node)}: {node.name} takes {count} positional parameters"
        for file in files
        for node in file.functions()
        if (count := positional(node)) > POSITIONAL_MAX
    ]


def undocumented(files: Iterable[Module]) -> list[str]:
    """Modules and their public classes and functions that do not say what they are."""
    findings = []
    for file in files:
        if not ast.get_docstring(file.tree):
            findings.append(f"{file.path}: no docstring")
        public = (node for node in file.tree.body if isinstance(node, Function | ast.ClassDef) and node.name[0] != "_")
        findings += [f"{file.at(node)}: {node.name} has no docstring" for node in public if not ast.get_docstring(node)]
    return findings


def prints(files: Iterable[Module]) -> list[str]:
    """Calls of `print` outside the command line."""
    silent = (file for file in files if not COMMAND_LINE & set(file.path.parts))
    return [f"{where}: print" for file in silent for where, _ in file.calls({"print"})]


def impurities(files: Iterable[Module], banned: Collection[str]) -> list[str]:
    """Imports and built-ins that let the machine into pure code: its clock, its files, its memory addresses."""
    findings = []
    for file in files:
        impure = IMPURE_CALLS - {"eval"} if file.path == COMPILER else IMPURE_CALLS
        findings += [f"{where}: {name}()" for where, name in file.calls(impure)]
        findings += [f"{where}: imports {name}" for where, name in imports(file) if name.partition(".")[0] in banned]
    return findings


def banned_in_core(root: Path) -> list[str]:
    """What the import rules in pyproject.toml forbid to core."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [
        name for contract in contracts if contract["name"] == "core is pure" for name in contract["forbidden_modules"]
    ]


def forbidden_text(root: Path, paths: Iterable[Path]) -> list[str]:
    """Text that would tie the repository to one machine or one registry."""
    findings = []
    for path in paths:
        text = (root / path).read_text(errors="replace")
        for what, pattern in FORBIDDEN_TEXT.items():
            findings += [f"{path}:{text.count(chr(10), 0, hit.start()) + 1}: {what}" for hit in pattern.finditer(text)]
    return findings


def undecided_dependencies(root: Path) -> list[str]:
    """Dependencies that no record in docs/decisions names."""
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project.get("optional-dependencies", {})
    names = {re.split(r"[^\w-]", line)[0] for group in (project["dependencies"], *extras.values()) for line in group}
    records = "\n".join(path.read_text() for path in (root / "docs" / "decisions").glob("[0-9]*.md"))
    return [
        f"{name} is in no decision"
        for name in sorted(names)
        if not re.search(rf"(?i)(?<![\w-]){name}(?![\w-])", records)
    ]


def unknown_commands(root: Path, program: str, known: Collection[str]) -> list[str]:
    """Commands of `program` that README.md shows and that do not exist."""
    shown = re.findall(rf"(?:^ {{4}}|`){program} ([a-z][a-z-]*)", (root / "README.md").read_text(), re.MULTILINE)
    return [f"README.md: {program} {command}" for command in shown if command not in known]


def code_lines(node: Function) -> int:
    """The length of a function without its docstring."""
    return span(node) - (span(node.body[0]) if ast.get_docstring(node) is not None else 0)


def span(node: ast.stmt) -> int:
    """From a statement's first line to its last."""
    assert node.end_lineno is not None
    return node.end_lineno - node.lineno + 1


def positional(node: Function) -> int:
    """How many parameters can be given by position, `self` and `cls` aside."""
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def imports(file: Module) -> Iterator[tuple[str, str]]:
    """Every absolute import, wherever it hides, with its place."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            yield from ((file.at(node), alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield file.at(node), node.module
