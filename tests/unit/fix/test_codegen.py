"""Typed messages from dictionaries: what is written, and that core's own are written so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from core.errors import InputError
from core.fix.codegen import Selected, generate, read_selection, snake_case
from core.fix.dictionary_xml import read_dictionary
from core.fix.shipped import dictionary
from tests.unit.fix.test_dictionary import XML

FIX42 = dictionary("FIX.4.2")


def loaded(text: str) -> dict[str, Any]:
    module = sys.modules["generated"] = ModuleType("generated")
    exec(text, vars(module))
    return vars(module)


@pytest.mark.parametrize(
    ("name", "attribute"),
    [
        ("ClOrdID", "cl_ord_id"),
        ("IOIid", "ioiid"),
        ("NoMDEntries", "no_md_entries"),
        ("NoPartyIDs", "no_party_ids"),
        ("HeartBtInt", "heart_bt_int"),
    ],
)
def test_names_of_fields_become_attributes(name: str, attribute: str) -> None:
    assert snake_case(name) == attribute


def test_fields_have_types_tags_and_meanings() -> None:
    text = generate(FIX42, read_selection("NewOrderSingle(ClOrdID Side OrderQty NoTradingSessions), B"))
    for line in (
        '    """NewOrderSingle, MsgType D: an application\'s message."""',
        "    cl_ord_id: ClOrdID",
        '    """Side(54), CHAR, one of SideValues."""',
        "    order_qty: OrderQty | None = None",
        "OrderQty: TypeAlias = Annotated[Decimal, Field(38, FLOAT)]",
        "RawData: TypeAlias = Annotated[bytes, Field(96, DATA, length_tag=95)]",
        '    BUY = "1"',
        "class TradingSessionEntry(Record, frozen=True, kw_only=True):",
    ):
        assert line in text.splitlines()
    module = loaded(text)
    assert module["MESSAGES"] == (module["NewOrderSingle"], module["News"])
    assert module["NewOrderSingle"]("a", "1").no_trading_sessions == ()


def test_the_same_dictionary_gives_the_same_text_formatted(tmp_path: Path) -> None:
    for at, text in enumerate([generate(FIX42), generate(FIX42), generate(read_dictionary(XML.encode()))]):
        (tmp_path / f"{at}.py").write_text(text)
    assert (tmp_path / "0.py").read_text() == (tmp_path / "1.py").read_text()
    ruff = [sys.executable, "-m", "ruff"]
    settings = ["--config", str(Path(__file__).parents[3] / "pyproject.toml")]
    for command in (["format", "--check"], ["check", "--ignore", "INP001"]):
        done = subprocess.run([*ruff, *command, *settings, str(tmp_path)], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout


def test_a_selection_names_messages_and_fields() -> None:
    assert read_selection("D, NewOrderSingle(ClOrdID 55),\n8") == (
        Selected("D"),
        Selected("NewOrderSingle", ("ClOrdID", "55")),
        Selected("8"),
    )
    assert read_selection("") == ()


@pytest.mark.parametrize(
    ("selection", "message"),
    [
        ("D(ClOrdID", "cannot read the selection at"),
        ("NewOrder", "did you mean 'NewOrderList'"),
        ("D(ClOrdId)", "did you mean 'ClOrdID'"),
        ("D(ExecID)", "NewOrderSingle has no field 'ExecID'"),
    ],
)
def test_a_selection_of_what_is_not_there_is_an_error(selection: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        generate(FIX42, read_selection(selection))
    assert message in str(raised.value)
