"""Real recordings, where there are some: ROMER_MARKET_DATA names a directory that has them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from sim.cli import main

ROOT = Path(__file__).parents[2]


def recording(name: str) -> Path:
    folder = os.environ.get("ROMER_MARKET_DATA")
    if not folder:
        pytest.skip("ROMER_MARKET_DATA is not set: no real recordings to read")
    path = Path(folder, name)
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


def check(scenario: str, *overrides: str) -> dict[str, str]:
    sets = [word for override in overrides for word in ("--set", override)]
    result = CliRunner().invoke(main, ["check", str(ROOT / "scenarios" / scenario), *sets, "--json"])
    assert (result.exit_code, result.stderr) == (0, "")
    recordings: dict[str, str] = json.loads(result.stdout)["recordings"]
    return recordings


def test_recorded_trades_fit_their_scenario() -> None:
    path = recording("btcusdt-trades.parquet")
    rows = check(
        "replay_trades.toml",
        f"pair.BTCUSDT.price.replay={path}",
        f"market_maker.tape.arrivals.replay={path}",
    )
    assert rows == {"pair.BTCUSDT": "2,001 rows, 0 dropped", "market_maker.tape": "1,974 rows, 27 dropped"}


def test_recorded_bars_fit_their_scenario() -> None:
    path = recording("btc-perp-20211231-20220201_1m.csv")
    assert check("replay_bars.toml", f"pair.BTCUSD.price.replay={path}") == {"pair.BTCUSD": "66 rows, 0 dropped"}
