"""Every example in docs/examples/fix runs, and does what it says."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from core.fix.messages import ExecutionReport
from tests.helpers.fix_client import FixClient
from tests.helpers.venue import ROOT, Running, python

EXAMPLES = ROOT / "docs" / "examples" / "fix"


def example(name: str) -> ModuleType:
    """An example, imported."""
    spec = spec_from_file_location(f"fix_example_{name}", EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[spec.name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def listening(folder: Path, name: str) -> Iterator[tuple[Running, str]]:
    """An example that serves, in a process of its own on any free port, and its address."""
    code = f"import asyncio; from runpy import run_path; asyncio.run(run_path({str(EXAMPLES / name)!r})['main'](0))"
    with python(folder, "-u", "-c", code, name=name) as running:
        port = running.line().rpartition(" ")[2]
        yield running, f"127.0.0.1:{port}"
        running.signal(signal.SIGINT)
        running.ended()


def test_the_initiator_trades_with_the_acceptor(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with listening(tmp_path, "acceptor.py") as (acceptor, address):
        report: ExecutionReport = asyncio.run(example("initiator").main(address, tmp_path / "journal"))
        assert (report.cl_ord_id, report.order_id, str(report.leaves_qty)) == ("A-1", "O-1", "1.5")
        assert acceptor.line() == "MM1 is logged on"
        assert acceptor.line() == "MM1 is gone: peer_logout"
    assert capsys.readouterr().out.startswith("A-1 is O-1: SessionView(session='DESK'")


def test_credentials_are_asked_for_said_and_refused_by_reasons(capsys: pytest.CaptureFixture[str]) -> None:
    assert asyncio.run(example("credentials").main()) == "There is nothing to trade"
    assert capsys.readouterr().out == "j: There is nothing to trade\n"


def test_the_echo_answers_in_fix_44(tmp_path: Path) -> None:
    with listening(tmp_path, "echo.py") as (_, address):
        client = FixClient(address, "TW44", target="ECHO", begin="FIX.4.4")
        with client.socket:
            client.log_on()
            order = ((11, "A"), (55, "X"), (54, 1), (60, "20231114-22:13:20"), (38, 1), (40, 1), (9001, "of our own"))
            client.send("D", *order)
            assert client.next("D")[9001] == "of our own"


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        (
            "order_flow",
            [
                "A-1: NEW, 3 left",
                "A-1: PARTIAL_FILL, 1.5 left",
                "C-1: CANCELED, 0 left",
                "C-2: refused, TOO_LATE_TO_CANCEL",
                "C-3: refused, UNKNOWN_ORDER",
                "MsgType H: refused, Unsupported Message Type",
            ],
        ),
        (
            "market_data",
            [
                "W ETHUSDC 3 1994.80",
                "W ETHUSDC 6 1995.25",
                "X ETHUSDC 3 1995.10",
                "X ETHUSDC 6 1996.00",
                "Y R-2: refused, 0",
            ],
        ),
    ],
    ids=["order_flow", "market_data"],
)
def test_both_sides_in_one_process_come_to_their_end(name: str, lines: list[str]) -> None:
    assert sorted(asyncio.run(example(name).main())) == lines
