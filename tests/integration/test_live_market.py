"""The demonstration market on real sockets: orders fill, and every journal replays to the digest that was printed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from core.config import decode_node
from core.kernel.journal import JournalReader
from core.kernel.replay import replay
from core.wiring import CODEC, components
from live import run
from live.cli import main

DEMO = Path(__file__).parents[2] / "live" / "demo.toml"


def test_the_demo_trades_and_replays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "GOODBYE_SECONDS", 0.2)
    result = CliRunner().invoke(main, ["run", str(DEMO), "--for", "600ms", "--out", str(tmp_path / "journals")])
    assert result.exit_code == 0, result.output
    printed = dict(re.findall(r"^(\w+) .* ([0-9a-f]{64})$", result.output, re.MULTILINE))
    assert list(printed) == ["venue", "MM1", "MM2", "near", "eager"]
    for node, digest in printed.items():
        reader = JournalReader(node, (tmp_path / "journals" / f"{node}.romer").read_bytes())
        assert replay(reader, components(decode_node(reader.header.config), reader.header.seed), CODEC).digest == digest
    traded = re.search(r"^(\d+) orders accepted, (\d+) fills", result.output, re.MULTILINE)
    assert traded is not None
    assert all(int(count) > 0 for count in traded.groups())
