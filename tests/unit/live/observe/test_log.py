"""Log lines go to stderr from a level on, as JSON or for people."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from decimal import Decimal

import pytest
import structlog

from core.auction.facts import BatchCreated, CommitmentDefaulted
from core.units import SECOND
from live.doors import ConnectionRefused
from live.observe.log import LINES_PER_SECOND_MAX, FactLog, set_up

FACT = CommitmentDefaulted("C-1", "O-1", "s1", Decimal(100))


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_a_fact_is_one_json_line_with_its_ids(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("json", "info")
    FactLog("venue", "info")("venue", 3 * SECOND // 2, "auction", FACT)
    said = capsys.readouterr()
    line = json.loads(said.err)
    assert said.out == ""
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "commitment_defaulted",
        "level": "warning",
        "node": "venue",
        "component": "auction",
        "at": 1.5,
        "commitment_id": "C-1",
        "order_id": "O-1",
        "solver": "s1",
        "penalty": "100",
    }


def test_a_line_for_people_has_the_same_values(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("console", "info")
    FactLog("venue", "info")("venue", 0, "auction", FACT)
    assert "commitment_defaulted" in (line := capsys.readouterr().err)
    assert "commitment_id=C-1" in line


def test_what_matters_less_than_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    detail = BatchCreated(1, ("O-1",), 2)
    for level, lines in (("debug", 1), ("info", 0), ("warning", 0)):
        set_up("json", level)
        FactLog("venue", level)("venue", 0, "auction", detail)
        assert len(capsys.readouterr().err.splitlines()) == lines


def test_what_a_peer_brings_about_at_will_is_counted_rather_than_written(capsys: pytest.CaptureFixture[str]) -> None:
    set_up("json", "info")
    log = FactLog("venue", "info")
    for number in range(10_000):
        log("venue", SECOND + number, "fix", ConnectionRefused("front", f"peer-{number}", "too_many_connections"))
    log("venue", SECOND, "fix", ConnectionRefused("front", "other", "handshake_failed"))
    log("venue", 5 * SECOND, "fix", ConnectionRefused("front", "last", "too_many_connections"))
    log("venue", 6 * SECOND, "fix", ConnectionRefused("front", "last", "too_many_connections"))
    for _ in range(10):
        log("venue", 6 * SECOND, "auction", FACT)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    refused = [(line["peer"], line.get("unsaid", 0)) for line in lines if line["event"] == "connection_refused"]
    first = [(f"peer-{number}", 0) for number in range(LINES_PER_SECOND_MAX)]
    assert refused == [*first, ("other", 0), ("last", 10_000 - LINES_PER_SECOND_MAX), ("last", 0)]
    assert sum(line["event"] == "commitment_defaulted" for line in lines) == 10
