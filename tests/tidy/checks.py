"""The rules of this repository that no linter has. Each check returns its findings, one line each."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from statistics import median, quantiles
from typing import Final, NamedTuple, TypeAlias

Function: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef
Definition: TypeAlias = Function | ast.ClassDef

FILE_LINES_MAX: Final = 500
FILE_MEDIAN_MAX: Final = 200
FUNCTION_LINES_MAX: Final = 60
FUNCTION_MEDIAN_MAX: Final = 10
FUNCTION_P90_MAX: Final = 30
POSITIONAL_MAX: Final = 5

IMPURE_MODULES: Final = frozenset(
    "asyncio datetime io live logging matplotlib multiprocessing numpy os pandas pathlib pyarrow random secrets select"
    " selectors sim simpy socket ssl subprocess sys tempfile threading time uuid".split()
)
IMPURE_CALLS: Final = frozenset("breakpoint eval exec hash id input open print".split())
FORBIDDEN_TEXT: Final = {
    "a path of one machine": re.compile(r"(?<![\w.}/-])/(?:home|root|Users|work|mnt)/\w|\b[A-Z]:\\Users\\"),
    "a package registry": re.compile(r"\b(?:pypi\.org|pythonhosted\.org|npmjs\.(?:com|org)|crates\.io|anaconda\.org)\b"),
    "a download address": re.compile(r"\w://\S+\.(?:whl|tar\.gz|tgz|zip)\b"),
    "an index in a lock": re.compile(r"^--(?:extra-)?index-url|^--find-links", re.MULTILINE),
}


class Module(NamedTuple):
    """A Python file, read and parsed."""

    path: Path
    text: str
    tree: ast.Module

    def at(self, node: ast.expr | ast.stmt, finding: str) -> str:
        """A finding with its place."""
        return f"{self.path}:{node.lineno}: {finding}"


def modules(root: Path, *packages: str) -> list[Module]:
    """Every Python file of the packages below `root`."""
    paths = sorted(path for package in packages for path in (root / package).rglob("*.py"))
    texts = [path.read_text() for path in paths]
    return [Module(path.relative_to(root), text, ast.parse(text)) for path, text in zip(paths, texts, strict=True)]


def long_files(files: Iterable[Module]) -> list[str]:
    """Files that should be two."""
    lengths = {file.path: file.text.count("\n") for file in files}
    return [f"{path}: {lines} lines, of {FILE_LINES_MAX}" for path, lines in lengths.items() if lines > FILE_LINES_MAX]


def typical_file(files: Iterable[Module]) -> list[str]:
    """Whether files are too long in general. Packages' empty-handed `__init__.py` do not count."""
    lengths = [file.text.count("\n") for file in files if file.path.name != "__init__.py"]
    return [f"median file: {median(lengths)} lines, of {FILE_MEDIAN_MAX}"] if median(lengths) > FILE_MEDIAN_MAX else []


def long_functions(files: Iterable[Module]) -> list[str]:
    """Functions that should be two."""
    found = ((file, node, code_lines(node)) for file in files for node in functions(file.tree))
    return [
        file.at(node, f"{node.name} has {lines} lines, of {FUNCTION_LINES_MAX}")
        for file, node, lines in found
        if lines > FUNCTION_LINES_MAX
    ]


def typical_function(files: Iterable[Module]) -> list[str]:
    """Whether functions are too long in general."""
    lengths = [code_lines(node) for file in files for node in functions(file.tree)]
    middle, p90 = median(lengths), quantiles(lengths, n=10)[-1]
    findings = [f"median function: {middle} lines, of {FUNCTION_MEDIAN_MAX}"] if middle > FUNCTION_MEDIAN_MAX else []
    return findings + ([f"p90 of functions: {p90} lines, of {FUNCTION_P90_MAX}"] if p90 > FUNCTION_P90_MAX else [])


def crowded_signatures(files: Iterable[Module]) -> list[str]:
    """Functions with too many parameters that a caller may give by position alone."""
    return [
        file.at(node, f"{node.name} takes {count} positional parameters, of {POSITIONAL_MAX}")
        for file in files
        for node in functions(file.tree)
        if (count := positional(node)) > POSITIONAL_MAX
    ]


def undocumented(files: Iterable[Module]) -> list[str]:
    """Modules, and public classes, functions and methods, without a docstring."""
    findings = []
    for file in files:
        if file.text and not ast.get_docstring(file.tree):
            findings.append(f"{file.path}: no docstring")
        findings += [
            file.at(node, f"{node.name} has no docstring")
            for node in public(file.tree)
            if not ast.get_docstring(node)
        ]
    return findings


def prints(files: Iterable[Module]) -> list[str]:
    """Calls of `print` outside the command line."""
    return [
        file.at(call, "print")
        for file in files
        if not {"cli", "cli.py", "commands", "__main__.py"} & set(file.path.parts)
        for call in calls(file.tree)
        if call == "print"
    ]


def impurities(files: Iterable[Module]) -> list[str]:
    """Imports and built-ins that let the machine into core: a clock, a file, a socket, an address in memory."""
    return []
