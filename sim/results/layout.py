"""Texts in columns, as commands print them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def labelled(lines: Iterable[tuple[str, str]], width: int) -> str:
    """Labels and their texts in two columns, the first `width` wide; a text may have several lines."""
    indent = "\n" + " " * width
    return "\n".join(f"{label:<{width}}{text.replace(chr(10), indent)}" for label, text in lines)


def grid(rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines of a table, each column as wide as it has to be and flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
