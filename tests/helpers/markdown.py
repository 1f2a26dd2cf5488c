"""Just enough Markdown for tests to read documents: sections, tables, fenced blocks, links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

_FENCE: Final = re.compile(r"^```(.*)\n((?:.*\n)*?)```$", re.MULTILINE)
_HEADING: Final = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)
_LINK: Final = re.compile(r"\]\(([^()\s]+)\)")
_CODE: Final = re.compile(r"`([^`]+)`")


class Section(NamedTuple):
    """What stands between one heading and the next, whatever their levels, without fenced blocks."""

    title: str
    body: str

    @property
    def mentions(self) -> list[str]:
        """What is set as code in the title."""
        return codes(self.title)

    def tables(self) -> Iterator[list[dict[str, str]]]:
        """Each table as rows, by the names of its columns."""
        for block in self.body.split("\n\n"):
            lines = [line for line in block.splitlines() if line.startswith("|")]
            if len(lines) > 2:
                head, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
                yield [dict(zip(head, row, strict=True)) for row in rows]


class Fence(NamedTuple):
    """A fenced block: the words behind the fence, and what is in it."""

    words: list[str]
    text: str


class Document(NamedTuple):
    """A Markdown file."""

    path: Path
    text: str

    def fences(self) -> list[Fence]:
        """Its fenced blocks in order."""
        return [Fence(match[1].split(), match[2]) for match in _FENCE.finditer(self.text)]

    def sections(self) -> list[Section]:
        """Its sections in order."""
        _, *parts = _HEADING.split(_FENCE.sub("", self.text))
        return [Section(title, body) for title, body in zip(parts[::2], parts[1::2], strict=True)]

    def anchors(self) -> set[str]:
        """What a link into it can name behind the `#`, as GitHub makes it of headings."""
        return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title, _ in self.sections()}

    def links(self) -> list[str]:
        """Where its links lead."""
        return _LINK.findall(_CODE.sub("", _FENCE.sub("", self.text)))


def read(path: Path) -> Document:
    """A document, read."""
    return Document(path, path.read_text(encoding="utf-8"))


def codes(text: str) -> list[str]:
    """What is set as code in a text."""
    return _CODE.findall(text)
