"""Looks things up in a reference document: a section by what it is about, its tables, a column of them."""

from __future__ import annotations

from tests.helpers.markdown import Document, Section, codes
from tests.helpers.schema import Key


def about(document: Document, *names: str) -> Section:
    """The one section whose title mentions one of the names, or the end of one."""
    found = [
        section
        for section in document.sections()
        if any(f".{name}".endswith(f".{each.strip('[]')}") for each in section.mentions for name in names)
    ]
    assert len(found) == 1, f"{document.path.name} has {len(found)} sections about {' or '.join(names)}"
    return found[0]


def titled(document: Document, title: str) -> Section:
    """The section with this title."""
    return next(section for section in document.sections() if section.title == title)


def table(section: Section, column: str) -> list[dict[str, str]]:
    """The one table of the section that has the column."""
    (rows,) = (rows for rows in section.tables() if column in rows[0])
    return rows


def column(section: Section, name: str) -> list[str]:
    """All that is set as code in one column."""
    return [code for row in table(section, name) for code in codes(row[name])]


def documented(section: Section, name: str = "Key") -> dict[str, Key]:
    """The keys of a table as the document has them; a unit may follow the type."""
    return {codes(row[name])[0]: Key(row["Type"].split(",")[0], row["Default"]) for row in table(section, name)}
