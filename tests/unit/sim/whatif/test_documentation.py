"""docs/whatif.md lists every column and every cause, in the words of the code."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim.results.columns import columns_of
from sim.whatif.rows import TABLES, Cause
from sim.whatif.settings import BATCHES
from tests.helpers.markdown import Section, codes, read

DOCUMENT = read(Path(__file__).parents[4] / "docs" / "whatif.md")


def titled(title: str) -> Section:
    return next(section for section in DOCUMENT.sections() if section.title == title)


@pytest.mark.parametrize("name", TABLES)
def test_every_column_has_its_type_unit_and_meaning(name: str) -> None:
    [rows] = titled(f"`{name}`").tables()
    assert [(codes(row["Column"])[0], row["Type"], row["Unit"], row["Meaning"]) for row in rows] == [
        (it.name, f"{it.kind}{'?' if it.optional else ''}", it.unit, it.meaning) for it in columns_of(TABLES[name])
    ]


def test_every_cause_is_listed() -> None:
    [rows] = titled("Causes").tables()
    assert [codes(row["Code"])[0] for row in rows] == [cause.value for cause in Cause]
    assert all(row["Meaning"] for row in rows)


def test_the_settings_that_recorded_bids_forbid_are_listed() -> None:
    [rows] = titled("What can change").tables()
    forbidden = {code for row in rows if row["Open loop"] == "no" for code in codes(row["Path"])}
    assert forbidden == {".".join(path) for path in BATCHES} | {"fix.comp_id"}
