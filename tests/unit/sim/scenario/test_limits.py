"""What is too large, too fine, too deep or too often is refused at once, and what is shown of it is short."""

from __future__ import annotations

from pathlib import Path

import pytest

import sim
from sim.commands.scenarios import scenarios_in
from sim.scenario.load import load
from tests.helpers.bad_scenarios import DURATION, INSTANT, MAKER, Bad, assert_bad
from tests.helpers.scenarios import MINIMAL, changed

TOO_DEEP = "bad.toml: nested too deeply: more than 16 levels"
ROOM = "which has room for 10,000,000 steps in all"
RARER = "a longer interval, or a shorter run.duration"

BAD: dict[str, Bad] = {
    "key of many dots": Bad(f"[run]\na{'.a' * 30_000} = 1\n", TOO_DEEP),
    "quoted key of many dots": Bad("x = {a" + '."a"' * 30_000 + " = 1}", TOO_DEEP),
    "deep all the same": Bad("a = " + "[" * 17 + "]" * 17, TOO_DEEP),
    "huge seed": Bad(
        changed(("[run]\n", f"[run]\nseed = {1 << 64}\n")),
        f"bad.toml: run.seed: expected a whole number of at most 62 bits, got {1 << 64}",
    ),
    "endless duration": Bad(
        changed(('"1s"', '"99999999999d"')),
        "bad.toml: run.duration: expected a duration from 0s to 3650d, got 99999999999d",
    ),
    "duration of many digits": Bad(
        changed(('"1s"', f'"{"9" * 5000}s"')), f"bad.toml: run.duration: {DURATION} a text of 5001 characters"
    ),
    "duration of months": Bad(
        changed(('"1s"', '"32d"')), "bad.toml: run.duration: expected a duration of at most 31d, got 32d"
    ),
    "start in another century": Bad(
        changed(("[run]\n", '[run]\nstart = "2100-01-01T00:00:00Z"\n')),
        f'bad.toml: run.start: {INSTANT} "2100-01-01T00:00:00Z"',
    ),
    "money beyond all exponents": Bad(
        changed(('bond = "1000"', 'bond = "1E+999999999999999999"')),
        'bad.toml: solver "s1": bond: expected an amount of at most 28 digits, decimals included, '
        "got 1E+999999999999999999",
    ),
    "whole number of thousands of digits": Bad(
        changed(("[run]\n", f"[run]\nseed = 0x{'f' * 20_000}\n")),
        "bad.toml: run.seed: expected a whole number of at most 62 bits, got a whole number of 80000 bits",
    ),
    "text of thousands of letters": Bad(
        changed(("[run]\n", f'[run]\nseed = "{"x" * 5000}"\n')),
        f'bad.toml: run.seed: expected a whole number, got "{"x" * 79}...',
    ),
    "key of thousands of letters": Bad(
        changed(("[run]\n", f"[run]\n{'x' * 5000} = 1\n")),
        f"bad.toml: run: unknown key `{'x' * 80}...`",
        "known: name, description, seed, duration, drain, ties, start",
    ),
    "money with too many digits": Bad(
        changed(('bond = "1000"', 'bond = "1E+40"')),
        'bad.toml: solver "s1": bond: expected an amount of at most 28 digits, decimals included, got 1E+40',
    ),
    "endless latency": Bad(
        changed((MAKER, f'{MAKER}latency = "3650d"\n')),
        'bad.toml: market_maker "MM1": latency: expected at most 1h, got 3650d',
    ),
    "endless latency at times": Bad(
        changed((MAKER, f'{MAKER}latency = {{ exponential = {{ mean = "2h" }} }}\n')),
        'bad.toml: market_maker "MM1": latency: expected at most 1h, got 2h',
    ),
    "endless thought": Bad(
        changed(('bond = "1000"', 'bond = "1000"\ncompute = "61m"')),
        'bad.toml: solver "s1": compute: expected at most 1h, got 61m',
    ),
    "parameter beyond all prices": Bad(
        changed(("margin_bps = 3", f"margin_bps = -{4 * 10**18}")),
        f'bad.toml: solver "s1": params.margin_bps: expected a whole number >= -9999, got -{4 * 10**18}',
    ),
    "tick too fine": Bad(
        changed(('tick = "0.01"', 'tick = "0.0000000000001"')),
        'bad.toml: pair "ETHUSDC": tick: 1E-13 is finer than the 12 decimals of rates',
    ),
    "tick beyond all prices": Bad(
        changed(('tick = "0.01"', f"tick = {10**12}")),
        f'bad.toml: pair "ETHUSDC": tick: expected a price below {10**12}, got {10**12}',
    ),
    "lot too fine": Bad(
        changed(('lot = "0.001"', 'lot = "0.0000000001"')),
        'bad.toml: pair "ETHUSDC": lot: 1E-10 is finer than the 8 decimals of ETH',
    ),
    "quantity of too many lots": Bad(
        changed((MAKER, f'{MAKER}quantity = {{ max = "999999999999999999" }}\n')),
        f'bad.toml: market_maker "MM1": quantity.max: 999999999999999999 has {10**18} lots of ETHUSDC or more',
    ),
    "bond too fine": Bad(
        changed(('bond = "1000"', 'bond = "1000.0000001"')),
        'bad.toml: solver "s1": bond: 1000.0000001 is finer than the 6 decimals of USDC',
    ),
    "penalty too fine": Bad(
        changed(('default_penalty = "100"', 'default_penalty = "0.0000001"')),
        "bad.toml: auction.default_penalty: 1E-7 is finer than the 6 decimals of USDC",
    ),
    "balance too fine": Bad(
        changed(('balance = { ETH = "100"', 'balance = { ETH = "0.000000001"')),
        'bad.toml: market_maker "MM1": balance.ETH: 1E-9 is finer than the 8 decimals of ETH',
    ),
    "orders without end": Bad(
        changed(('{ poisson = "20ms" }', '{ poisson = "1ns" }')),
        f'bad.toml: market_maker "MM1": arrivals.poisson: every 1ns is 6,000,000,000 times in this run, {ROOM}',
        RARER,
    ),
    "price moves without end": Bad(
        changed(('{ constant = "2000" }', '{ gbm = { start = "2000", tick = "500ns" } }')),
        f'bad.toml: pair "ETHUSDC": price.gbm.tick: every 500ns is 12,000,000 times in this run, {ROOM}',
        RARER,
    ),
    "blocks without end": Bad(
        MINIMAL + '[sequencer]\nbatch_window = "1ns"\nempty_windows_per_block = 1\n',
        f"bad.toml: sequencer.batch_window: every 1ns is 6,000,000,000 times in this run, {ROOM}",
        RARER,
    ),
    "set of what is too deep": Bad(
        MINIMAL,
        f"--set run{'.a' * 38}....: a path of 3001 keys; no scenario is that deep",
        "",
        (f"run{'.a' * 3000}=1",),
    ),
    "too deep": Bad("a = " + "[" * 20_000, TOO_DEEP),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_what_is_beyond_a_limit_is_one_short_line(case: Bad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert_bad(case)


def test_a_folder_with_a_file_of_endless_depth_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("deep.toml").write_text(f"[run]\na{'.a' * 30_000} = 1\n")
    Path("good.toml").write_text(MINIMAL)
    deep, good = scenarios_in(tmp_path)
    assert deep.problem == f"{tmp_path}/deep.toml: nested too deeply: more than 16 levels"
    assert good.problem is None


def test_a_price_that_could_go_anywhere_stays_below_its_limit(tmp_path: Path) -> None:
    path = tmp_path / "wild.toml"
    walk = '{ gbm = { start = "999999999999", volatility_bps = 9999, tick = "10ms" } }'
    path.write_text(changed(('{ constant = "2000" }', walk)))
    limits = sim.run(path).orders["limit_price"]
    assert limits.max() > 5 * 10**11
    assert limits.max() < 2 * 10**12


def test_a_scenario_at_its_limits_is_good(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text(
        changed(
            ('"1s"', '"31d"\ndrain = "31d"'),
            ('{ poisson = "20ms" }', '{ poisson = "1h" }\nlatency = "1h"\nreconnect_interval = "1d"'),
            ('tick = "0.01"', 'tick = "0.000000000001"'),
            ("{ margin_bps = 3 }", "{ margin_bps = -9999, cost_bps = 9999, noise_bps = 9999 }"),
            ('"1000"', '"1000.000001"'),
        )
        + '[sequencer]\nbatch_window = "1d"\n'
    )
    assert load(path).name == "limits"
