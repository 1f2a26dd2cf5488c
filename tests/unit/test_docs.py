"""The reference documents name what the code has, say the same of it, and their examples work."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from importlib import import_module
from inspect import getmembers, isclass, isfunction
from pathlib import Path
from pkgutil import walk_packages
from typing import Any, Final

import click
import msgspec
import pytest

import core
from core.auction import facts as auction_facts
from core.auction.bids import BIDS_PER_SOLVER_MAX
from core.fix.rejects import RATE_EXCEEDED, Rejection, RejectReason, code_of
from core.fix.settings import EngineConfig, SessionConfig
from core.fix.tags import BusinessRejectReason
from core.kernel.record import Record
from core.maker import OPEN_ORDERS_MAX
from core.sequencer import facts as sequencer_facts
from core.sequencer.known import REMEMBERED
from core.sequencer.reasons import Reason, Refusal
from core.sequencer.validate import LIVE_ORDERS_MAX
from core.solver import facts as solver_facts
from core.solver.agent import AWARDS_MAX, JOBS_MAX
from core.solver.settings import DoorSettings
from core.solver.strategies.registry import STRATEGIES
from core.units import SECOND
from sim.cli import main
from sim.commands.exits import Exit
from sim.results.columns import columns_of
from sim.results.manifest import Manifest, Provenance
from sim.results.metrics import Metrics
from sim.results.plots import Plots
from sim.results.result import RunResult
from sim.results.rows import TABLES
from sim.results.summary import PairSummary, Summary
from sim.runner import run
from sim.scenario.load import load
from sim.scenario.models import Recorded
from sim.scenario.schema import RunSection, Scenario
from sim.scenario.tables import _NAMES
from tests.helpers.markdown import Document, codes, read
from tests.helpers.reference import about, column, documented, table, titled
from tests.helpers.schema import Key, keys, tables

ROOT: Final = Path(__file__).parents[2]
SCENARIOS, RESULTS, REASONS = (read(ROOT / "docs" / f"{name}.md") for name in ("scenarios", "results", "reasons"))
DOCUMENTS: Final = [read(path) for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))]
EXAMPLES: Final = [(document, fence) for document in DOCUMENTS for fence in document.fences()]
COMPLETE: Final = [(document, fence) for document, fence in EXAMPLES if "complete" in fence.words]
TABLES_OF_SCENARIO: Final = {
    kind: [path for each, path in tables(Scenario) if each is kind] for kind, _ in tables(Scenario)
} | {Recorded: ["replay"]}
COMMANDS: Final[dict[str, click.Command]] = {"romer-sim": main, **main.commands}
MODULES: Final = [import_module(module.name) for module in walk_packages(core.__path__, "core.")]
CLASSES: Final = [
    kind for module in MODULES for kind in vars(module).values() if isclass(kind) and kind.__module__ == module.__name__
]
REASON_SETS: Final = [
    kind for kind in CLASSES if issubclass(kind, StrEnum) and kind.__name__.endswith(("Reason", "Refusal"))
]


def reason_codes(kind: type) -> list[dict[str, str]]:
    """The table of the codes of one enumeration or fact."""
    name = f"{kind.__module__}.{kind.__name__}"
    (section,) = (section for section in REASONS.sections() if name in codes(section.body))
    return table(section, "Code")


def by_code(rows: list[dict[str, str]]) -> dict[str, dict[str, str]]:
    return {codes(row["Code"])[0]: row for row in rows}


# --- scenarios.md --------------------------------------------------------------------------------


def expected(kind: type[msgspec.Struct]) -> dict[str, Key]:
    """The keys of a table; what `price` and `arrivals` share has a table of its own."""
    shared = set(Recorded.__struct_fields__) - {"replay"} if issubclass(kind, Recorded) and kind is not Recorded else ()
    return {name: key for name, key in keys(kind).items() if name not in shared}


@pytest.mark.parametrize(("kind", "paths"), TABLES_OF_SCENARIO.items(), ids=lambda it: getattr(it, "__name__", None))
def test_every_key_of_a_scenario_has_its_type_and_default(kind: type[msgspec.Struct], paths: list[str]) -> None:
    assert documented(about(SCENARIOS, *paths)) == expected(kind)


def test_a_key_that_is_added_to_the_schema_and_not_documented_is_found() -> None:
    longer = msgspec.defstruct("Longer", [("extra", int, 1)], bases=(RunSection,), frozen=True, kw_only=True)
    assert expected(longer).keys() - documented(about(SCENARIOS, "run")).keys() == {"extra"}


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_has_its_parameters_and_their_defaults(name: str) -> None:
    params: Any = STRATEGIES[name].params
    assert documented(about(SCENARIOS, name), "Parameter") == keys(params)


def test_the_column_names_that_are_recognised_are_listed() -> None:
    listed = {codes(row["Key"])[0]: codes(row["Recognised names"]) for row in table(about(SCENARIOS, "columns"), "Key")}
    assert listed == {what: list(names) for what, names in _NAMES.items()}


def test_the_paths_that_can_be_set_are_right() -> None:
    overrides = [
        shlex.split(code)[0] for code in column(titled(SCENARIOS, "Changing values on the command line"), "Path")
    ]
    plain = load(ROOT / "scenarios" / "quickstart.toml")
    for override in overrides:
        assert load(ROOT / "scenarios" / "quickstart.toml", overrides=[override]).hash != plain.hash, override


def test_every_command_is_shown_with_its_arguments() -> None:
    def usage(name: str, command: click.Command) -> str:
        arguments = [each for each in command.params if isinstance(each, click.Argument)]
        words = [each.human_readable_name if each.required else f"[{each.human_readable_name}]" for each in arguments]
        return " ".join(["romer-sim", name, *words])

    shown = column(titled(SCENARIOS, "The command line"), "Command")
    assert sorted(shown) == sorted(usage(name, command) for name, command in main.commands.items())


def test_every_option_is_shown_with_the_commands_that_take_it() -> None:
    shown = {
        (name, option)
        for row in table(titled(SCENARIOS, "The command line"), "Option")
        for option in codes(row["Option"])
        for name in [*codes(row["Of"]), *(main.commands if row["Of"].endswith("all commands") else ())]
    }
    with main.make_context("romer-sim", ["list"]) as context:
        taken = {
            (name, option)
            for name, command in COMMANDS.items()
            for parameter in command.get_params(click.Context(command, parent=context))
            if isinstance(parameter, click.Option)
            for option in parameter.opts
        }
    assert shown == taken


def test_every_exit_code_is_listed() -> None:
    rows = table(titled(SCENARIOS, "Exit codes"), "Code")
    assert [(int(row["Code"]), *codes(row["Name"])) for row in rows] == [(code.value, code.name) for code in Exit]


# --- results.md ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TABLES)
def test_every_column_has_its_type_unit_and_meaning(name: str) -> None:
    rows = [
        (*codes(row["Column"]), row["Type"], row["Unit"], row["Meaning"])
        for row in table(about(RESULTS, name), "Column")
    ]
    assert rows == [
        (it.name, f"{it.kind}{'?' if it.optional else ''}", it.unit, it.meaning) for it in columns_of(TABLES[name])
    ]


@pytest.mark.parametrize(
    ("kind", "file", "name"),
    [
        (Manifest, "manifest.json", "Key"),
        (Provenance, "manifest.json", "Key of `provenance`"),
        (Summary, "summary.json", "Key"),
        (PairSummary, "summary.json", "Key of `pairs`"),
    ],
)
def test_every_key_of_the_json_files_is_listed(kind: type[msgspec.Struct], file: str, name: str) -> None:
    assert sorted(column(about(RESULTS, file), name)) == sorted(kind.__struct_fields__)


@pytest.mark.parametrize(("title", "kind"), [("Metrics", Metrics), ("Plots", Plots)])
def test_every_metric_and_plot_is_listed(title: str, kind: type) -> None:
    shown = {code.partition("(")[0] for code in column(titled(RESULTS, title), "Method")}
    assert shown == {name for name, _ in getmembers(kind, isfunction) if not name.startswith("_")}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All files that the documents give as complete."""
    place = tmp_path_factory.mktemp("examples")
    for _, fence in COMPLETE:
        for name in fence.words[2:]:
            assert not (place / name).exists(), f"two examples are called {name}"
            (place / name).write_text(fence.text)
    return place


@pytest.fixture(scope="module")
def result(folder: Path) -> RunResult:
    """A run in which a solver does not always pay."""
    return run(folder / "hasty.toml")


def test_every_measure_has_the_columns_that_are_listed(result: RunResult) -> None:
    for row in table(titled(RESULTS, "Metrics"), "Method"):
        frame = getattr(result.metrics, codes(row["Method"])[0].removesuffix("()"))()
        assert set(codes(row["One row per"]) + codes(row["Columns"])) == set(frame.columns), row["Method"]


def test_every_kind_of_fact_is_listed_with_its_component(result: RunResult) -> None:
    listed = {codes(row["Kind"])[0]: row["Component"] for row in table(about(RESULTS, "notes"), "Kind")}
    facts = (auction_facts, sequencer_facts, solver_facts)
    defined = {kind.__name__ for kind in CLASSES if kind.__module__ in {module.__name__ for module in facts}}
    assert defined - {"BlockHeader", "LineRefusal"} <= listed.keys()
    assert listed.keys() <= {kind.__name__ for kind in CLASSES if issubclass(kind, Record)}
    stated = result.notes[["kind", "component"]].drop_duplicates()
    assert len(stated) > 15
    assert dict(zip(stated["kind"], stated["component"], strict=True)).items() <= listed.items()


def test_every_reason_of_a_transfer_is_listed(result: RunResult) -> None:
    assert set(column(about(RESULTS, "escrow"), "Reason")) >= set(result.escrow["reason"])
    assert result.escrow["reason"].nunique() == 6


def test_every_file_of_a_run_is_listed(folder: Path, tmp_path: Path) -> None:
    directory = run(folder / "market.toml", out=tmp_path).dir
    assert directory is not None
    files = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}
    listed = column(titled(RESULTS, "The run directory"), "Path")
    assert {re.sub(r"/\w+\.", "/<name>.", file) for file in files} == {
        re.sub("<node>", "<name>", path) for path in listed
    }


# --- reasons.md ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", REASON_SETS, ids=lambda kind: f"{kind.__module__}.{kind.__name__}")
def test_every_reason_code_has_a_meaning_and_a_remedy(kind: type[StrEnum]) -> None:
    rows = reason_codes(kind)
    assert [codes(row["Code"])[0] for row in rows] == [member.value for member in kind]
    assert all(row["Meaning"] and row["Remedy"] for row in rows)


@pytest.mark.parametrize(
    "fact", [solver_facts.SolverDisconnected, solver_facts.BatchSkipped, solver_facts.VenueLineIgnored]
)
def test_reasons_that_a_fact_itself_names_are_listed(fact: type[Record]) -> None:
    assert list(by_code(reason_codes(fact))) == codes(fact.__doc__ or "")


def test_reasons_of_business_rejects_are_listed() -> None:
    listed = {code: int(row["380"]) for code, row in by_code(reason_codes(BusinessRejectReason)).items()}
    numbered = {code_of(reason, is_business=True): reason.value for reason in BusinessRejectReason}
    assert listed == {RATE_EXCEEDED: 0} | numbered


def test_reasons_have_their_numbers_in_fix() -> None:
    for code, row in by_code(reason_codes(Reason)).items():
        refusal = Refusal(Reason(code), "")
        assert row["103"] in {"", str(refusal.ord_rej_reason.value)}, code
        assert row["102"] in {"", str(refusal.cxl_rej_reason.value)}, code
    for code, row in by_code(reason_codes(RejectReason)).items():
        number = Rejection(RejectReason(code)).session_reject_reason("FIX.4.2")
        assert row["373"] == ("" if number is None else str(number)), code


def test_limits_are_those_of_the_code() -> None:
    door = DoorSettings(venue="", solvers={})
    fix = {it.name: it.default for kind in (EngineConfig, SessionConfig) for it in msgspec.structs.fields(kind)}
    limits = {
        "too_many_orders": LIVE_ORDERS_MAX,
        "duplicate_cl_ord_id": REMEMBERED,
        "too_many_bids": BIDS_PER_SOLVER_MAX,
        "busy": JOBS_MAX,
        "too_many_awards": AWARDS_MAX,
        "too_many_open": OPEN_ORDERS_MAX,
        "hello_timeout": door.hello_timeout // SECOND,
        "logon_timeout": fix["logon_timeout"] // SECOND,
        "logout_timeout": fix["logout_timeout"] // SECOND,
        "resend_timeout": fix["resend_timeout"] // SECOND,
        "authentication_timeout": fix["authentication_timeout"] // SECOND,
        "sending_time_accuracy": fix["latency_max"] // SECOND,
        "too_many_fields": fix["fields_max"],
    }
    for code, limit in limits.items():
        assert re.search(rf"\| `{code}` \|.*\b{limit:,}\b", REASONS.text), f"{code}: {limit:,}"


# --- examples and links --------------------------------------------------------------------------


@pytest.mark.parametrize("name", [fence.words[2] for _, fence in COMPLETE if fence.words[0] == "toml"])
def test_a_complete_scenario_loads(name: str, folder: Path) -> None:
    assert load(folder / name).name == name.removesuffix(".toml")


def test_other_toml_is_valid() -> None:
    for _, fence in EXAMPLES:
        if fence.words[:1] == ["toml"]:
            assert tomllib.loads(fence.text)


@pytest.mark.parametrize(
    "document", dict.fromkeys(it for it, fence in COMPLETE if fence.words[0] == "python"), ids=lambda it: it.path.name
)
def test_complete_python_runs(document: Document, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    for fence in document.fences():
        if fence.words == ["python", "complete"]:
            exec(compile(fence.text, str(document.path), "exec"), names)


def broken(document: Document) -> Iterator[str]:
    for link in document.links():
        path, _, anchor = link.partition("#")
        target = document.path.parent / path if path else document.path
        if "://" in link:
            continue
        if not target.exists() or (anchor and anchor not in read(target).anchors()):
            yield link


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda it: it.path.relative_to(ROOT).as_posix())
def test_every_link_leads_somewhere(document: Document) -> None:
    assert list(broken(document)) == []


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# One two\n[a](#one-two) [b](b.md) [c](a.md#three) [d](https://x.org/y) `[e](e)`\n")
    assert list(broken(read(tmp_path / "a.md"))) == ["b.md", "a.md#three"]
