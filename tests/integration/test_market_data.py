"""Real recordings drive the market, where there are some.

They are looked for in ROMER_MARKET_DATA, or else where scenarios/replay_*.toml look: in
`shared/data/market` beside the checkout.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

import sim
from sim.cli import main

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("ROMER_MARKET_DATA", ROOT.parent / "shared" / "data" / "market"))
TRADES = FOLDER / "btcusdt-trades.parquet"
BARS = FOLDER / "btc-perp-20211231-20220201_1m.csv"
TRADES_SET = (f"pair.BTCUSDT.price.replay={TRADES}", f"market_maker.tape.arrivals.replay={TRADES}")
BARS_SET = (f"pair.BTCUSD.price.replay={BARS}",)

needs_trades = pytest.mark.skipif(not TRADES.exists(), reason=f"SKIPPED, NO REAL DATA: {TRADES.name} is not there")
needs_bars = pytest.mark.skipif(not BARS.exists(), reason=f"SKIPPED, NO REAL DATA: {BARS.name} is not there")


def check(scenario: str, *overrides: str) -> dict[str, str]:
    sets = [word for override in overrides for word in ("--set", override)]
    result = CliRunner().invoke(main, ["check", str(ROOT / "scenarios" / scenario), *sets, "--json"])
    assert (result.exit_code, result.stderr) == (0, "")
    recordings: dict[str, str] = json.loads(result.stdout)["recordings"]
    return recordings


@needs_trades
def test_recorded_trades_fit_their_scenario() -> None:
    rows = check("replay_trades.toml", *TRADES_SET)
    assert rows == {"pair.BTCUSDT": "2,001 rows, 0 dropped", "market_maker.tape": "1,951 rows, 26 dropped"}


@needs_bars
def test_recorded_bars_fit_their_scenario() -> None:
    assert check("replay_bars.toml", *BARS_SET) == {"pair.BTCUSD": "66 rows, 0 dropped"}


@needs_trades
def test_each_recorded_trade_becomes_an_order_at_its_price_and_size() -> None:
    result = sim.run(ROOT / "scenarios" / "replay_trades.toml", overrides=(*TRADES_SET, "run.duration=10s"))
    tape = result.orders[result.orders["owner"] == "tape"]
    assert len(tape) > 300
    assert tape["limit_price"].between(39_000, 40_500).all()
    assert (tape["status"] == "filled").mean() > 0.5


@needs_bars
def test_a_market_runs_on_recorded_bars() -> None:
    result = sim.run(ROOT / "scenarios" / "replay_bars.toml", overrides=(*BARS_SET, "run.duration=10s"))
    assert len(result.orders) > 100
    assert result.orders["limit_price"].between(45_000, 48_000).all()
    assert (result.orders["status"] == "filled").any()
