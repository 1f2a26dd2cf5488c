"""The page about the index desk has every key of its scenarios and every column of its results, as they are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from click.testing import CliRunner

import sim
from core.index.settings import DeskSettings
from sim.cli import main
from sim.planners.rows import PLANNER_TABLES
from sim.results.columns import columns_of
from sim.results.desk.attention import DisputeLine
from sim.results.desk.rows import DESK_TABLES
from sim.results.desk.summary import DeskSummary, FillLine, InvoiceLine
from sim.results.result import RunResult
from sim.scenario.desk import DeskScenario
from sim.scenario.mirrored import mirror
from sim.scenario.models import Columns, LatencyTable
from sim.scenario.schema import RunSection
from sim.scenario.users import _NEEDS
from tests.helpers.markdown import Section, codes, read
from tests.helpers.reference import about, column, documented, table, titled
from tests.helpers.schema import keys, tables

ROOT: Final = Path(__file__).parents[2]
INDEX, RESULTS = (read(ROOT / "docs" / f"{name}.md") for name in ("index", "results"))
ELSEWHERE: Final = {RunSection, Columns, *(kind for kind in (LatencyTable, *dict(tables(LatencyTable))))}
"""What docs/scenarios.md documents."""
ALL_TABLES: Final = {name: row for name, row in DESK_TABLES.items() if name != "notes"} | PLANNER_TABLES
TABLES_OF_SCENARIO: Final = {
    kind: [path for each, path in tables(DeskScenario) if each is kind]
    for kind, _ in tables(DeskScenario)
    if kind not in ELSEWHERE
}


def of(name: str, head: str = "Key") -> Section:
    """The section with a table of keys, or of columns, about what is called so and not about a part of it."""
    return next(
        section
        for section in INDEX.sections()
        if [it.strip("[]") for it in section.mentions] == [name] and any(head in rows[0] for rows in section.tables())
    )


@pytest.mark.parametrize(("kind", "paths"), TABLES_OF_SCENARIO.items(), ids=lambda it: getattr(it, "__name__", None))
def test_every_key_of_an_index_scenario_has_its_type_and_default(kind: type[msgspec.Struct], paths: list[str]) -> None:
    (path,) = paths
    assert documented(of(path)) == keys(kind)
    assert [codes(row["Key"]) for row in table(of(path), "Key") if not row["Meaning"]] == []


def test_a_key_that_is_added_to_the_settings_and_not_documented_is_found() -> None:
    longer = msgspec.defstruct("Longer", [("extra", int, 1)], bases=(DeskSettings,), frozen=True, kw_only=True)
    section: Any = mirror(longer, "DeskSection", without=("indexes", "assets"))
    assert keys(section).keys() - documented(of("desk")).keys() == {"extra"}


def test_every_section_of_keys_is_of_a_table_that_there_is() -> None:
    known = {path for paths in TABLES_OF_SCENARIO.values() for path in paths}
    shown = [
        each.mentions[0].strip("[]") for each in INDEX.sections() if any("Key" in rows[0] for rows in each.tables())
    ]
    assert sorted(shown) == sorted(known)


def test_what_each_step_takes_is_listed() -> None:
    rows = table(of("step"), "Takes")
    assert {do: tuple(codes(row["Takes"])) for row in rows for do in codes(row["`do`"])} == _NEEDS


@pytest.mark.parametrize("name", ALL_TABLES)
def test_every_column_has_its_type_unit_and_meaning(name: str) -> None:
    rows = [
        (*codes(row["Column"]), row["Type"], row["Unit"], row["Meaning"]) for row in table(of(name, "Column"), "Column")
    ]
    assert rows == [
        (it.name, f"{it.kind}{'?' if it.optional else ''}", it.unit, it.meaning) for it in columns_of(ALL_TABLES[name])
    ]


def test_every_section_of_columns_is_of_a_table_that_there_is() -> None:
    shown = [each.mentions[0] for each in INDEX.sections() if any("Column" in rows[0] for rows in each.tables())]
    assert shown == list(ALL_TABLES)


@pytest.mark.parametrize(
    ("kind", "head"),
    [
        (DeskSummary, "Key of an index desk"),
        (DisputeLine, "Key of `disputes`"),
        (FillLine, "Key of `fills`"),
        (InvoiceLine, "Key of `invoices`"),
    ],
)
def test_every_key_of_the_summary_is_listed(kind: type[msgspec.Struct], head: str) -> None:
    assert sorted(column(about(RESULTS, "summary.json"), head)) == sorted(kind.__struct_fields__)


def test_every_table_is_a_member_of_a_result() -> None:
    rows = table(titled(RESULTS, "From Python"), "Of a result")
    listed = next(codes(row["Of a result"]) for row in rows if "index_orders" in row["Of a result"])
    assert [code.rpartition(".")[2] for code in listed] == list(DESK_TABLES)
    assert all(hasattr(RunResult, name) for name in DESK_TABLES)


def test_what_the_pages_name_of_the_run_of_the_end_to_end_case_is_in_it(tmp_path: Path) -> None:
    result = sim.run(ROOT / "scenarios" / "index_sbe.toml", out=tmp_path)
    commands = re.findall(r"^    romer-sim ((?:explain|chain|prove) .*?) +[#>]", INDEX.text, re.MULTILINE)
    names = re.findall(r"a transfer, such as (\S+), or an exchange order, such as (\S+)", INDEX.text)[0]
    names += re.findall(
        r"a transfer of collateral \(`(\S+)`\), a batch \(`(\S+)`\) and an exchange order \(`(\S+)`\)", RESULTS.text
    )[0]
    assert (len(commands), len(names)) == (4, 5)
    for command in (*commands, *(f"explain RUN {name}" for name in names)):
        known = {"RUN": str(result.dir), "ORDER": "I-1"}
        done = CliRunner().invoke(main, [known.get(word, word) for word in command.split()])
        assert done.exit_code == 0, f"{command}: {done.stderr}"
