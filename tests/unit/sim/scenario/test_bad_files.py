"""Every bad scenario is one clear line, perhaps a hint, and exit code 2."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.helpers.bad_scenarios import DURATION, INSTANT, MAKER, Bad, assert_bad, assert_refused
from tests.helpers.scenarios import MINIMAL, changed

SECOND_SOLVER = '\n[[solver]]\nid = "s2"\ncapital = { USDC = "1" }\nbond = "1000"\n'
NAME = "expected a name of letters, digits, dots, dashes or underscores, a letter or digit first, got"

BAD: dict[str, Bad] = {
    # --- files ---
    "empty": Bad("", "bad.toml: the file is empty", "scenarios/quickstart.toml is an example to start from"),
    "only a comment": Bad("# nothing yet\n", "bad.toml: section [run] is missing"),
    "binary": Bad(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "bad.toml: a binary file, not a scenario file"),
    "not utf-8": Bad(b"[run]\nname = '\xff'\n", "bad.toml: not UTF-8 text at byte 14"),
    "too large": Bad(b"#" * (1 << 21), "bad.toml: larger than 1048576 bytes; not a scenario file"),
    "syntax": Bad("[run]\nseed 3\n", "bad.toml: line 2, column 6: Expected '=' after a key in a key/value pair"),
    "unfinished": Bad("[run]\nseed = ", "bad.toml: end of file: Invalid value"),
    "key twice": Bad("[run]\nseed = 1\nseed = 2\n", "bad.toml: line 3, column 9: Cannot overwrite a value"),
    # --- keys ---
    "unknown section": Bad("[rnu]\n" + MINIMAL, "bad.toml: unknown section `rnu`", "did you mean `run`?"),
    "unknown key": Bad(
        changed(("[run]\n", "[run]\nsede = 3\n")), "bad.toml: run: unknown key `sede`", "did you mean `seed`?"
    ),
    "unknown key of an entry": Bad(
        changed(('bond = "1000"', 'bond = "1000"\nlatencey = "1ms"')),
        'bad.toml: solver "s1": unknown key `latencey`',
        "did you mean `latency`?",
    ),
    "unknown key below an entry": Bad(
        changed(('{ constant = "2000" }', '{ gbm = { start = "2000", volatilty_bps = 2 } }')),
        'bad.toml: pair "ETHUSDC": price.gbm: unknown key `volatilty_bps`',
        "did you mean `volatility_bps`?",
    ),
    "unknown key like no other": Bad(
        changed(('{ poisson = "20ms" }', '{ xyz = "20ms" }')),
        'bad.toml: market_maker "MM1": arrivals: unknown key `xyz`',
        "known: replay, speed, limit, columns, digest, poisson, fixed, quantity_scale",
    ),
    "missing section": Bad(
        changed(("[auction]\n", ""), ('bond_token = "USDC"\n', ""), ('default_penalty = "100"\n', "")),
        "bad.toml: section [auction] is missing",
    ),
    "missing key": Bad(changed(('bond_token = "USDC"\n', "")), "bad.toml: auction: `bond_token` is missing"),
    "missing id": Bad(changed(('id = "s1"\n', "")), "bad.toml: solver[0]: `id` is missing"),
    "id is not text": Bad(changed(('"s1"', "1")), "bad.toml: solver[0]: id: expected text in quotes, got 1"),
    "single brackets": Bad(
        changed(("[[solver]]", "[solver]")), "bad.toml: solver: expected tables in double brackets: [[solver]]"
    ),
    # --- values ---
    "text for a number": Bad(
        changed(("[run]\n", '[run]\nseed = "one"\n')), 'bad.toml: run.seed: expected a whole number, got "one"'
    ),
    "negative seed": Bad(
        changed(("[run]\n", "[run]\nseed = -1\n")), "bad.toml: run.seed: expected a whole number >= 0, got -1"
    ),
    "negative duration": Bad(
        changed(('"1s"', '"-5s"')),
        f'bad.toml: run.duration: {DURATION.removesuffix(", got")}, never negative, got "-5s"',
    ),
    "duration without unit": Bad(changed(('"1s"', '"5"')), f'bad.toml: run.duration: {DURATION} "5"'),
    "duration as a number": Bad(
        changed(('"1s"', "5")), 'bad.toml: run.duration: expected a duration such as "250ms", got 5'
    ),
    "no duration at all": Bad(changed(('"1s"', '"0s"')), "bad.toml: run: `duration` must be above zero, got 0s"),
    "unknown ties": Bad(
        changed(("[run]\n", '[run]\nties = "shufled"\n')),
        'bad.toml: run.ties: expected fifo or shuffled, got "shufled"',
    ),
    "start without a zone": Bad(
        changed(("[run]\n", '[run]\nstart = "2024-01-01"\n')),
        f'bad.toml: run.start: {INSTANT} "2024-01-01"',
    ),
    "start as a date": Bad(
        changed(("[run]\n", "[run]\nstart = 2024-01-01\n")),
        "bad.toml: run.start: expected text in quotes, got 2024-01-01",
    ),
    "float money": Bad(
        changed(('tick = "0.01"', "tick = 0.01")),
        'bad.toml: pair "ETHUSDC": tick: 0.01 is a float, which is not exact',
        'write it as a string: "0.01"',
    ),
    "float where a whole number is expected": Bad(
        changed(("[run]\n", "[run]\nseed = 1.0\n")),
        "bad.toml: run.seed: 1.0 is a float, which is not exact",
        "write it as a whole number: 1",
    ),
    "float that is no whole number": Bad(
        changed(("[run]\n", "[run]\nseed = 1.5\n")),
        "bad.toml: run.seed: 1.5 is a float, which is not exact",
        "expected a whole number",
    ),
    "float below the least whole number": Bad(
        changed(("[run]\n", "[run]\nseed = -1.0\n")),
        "bad.toml: run.seed: -1.0 is a float, which is not exact",
        "expected a whole number",
    ),
    "float duration": Bad(
        changed(('"1s"', "1.5")),
        "bad.toml: run.duration: 1.5 is a float, which is not exact",
        DURATION.removesuffix(", got"),
    ),
    "float latency": Bad(
        changed(('bond = "1000"', 'bond = "1000"\nlatency = 20.0')),
        'bad.toml: solver "s1": latency: 20.0 is a float, which is not exact',
        DURATION.removesuffix(", got"),
    ),
    "float parameter": Bad(
        changed(("margin_bps = 3", "margin_bps = 3.0")),
        'bad.toml: solver "s1": params.margin_bps: 3.0 is a float, which is not exact',
        "write it as a whole number: 3",
    ),
    "float of an unknown key": Bad(
        changed(("[run]\n", "[run]\nsede.x = 1.5\n")), "bad.toml: run.sede.x: 1.5 is a float, which is not exact"
    ),
    "endless float": Bad(
        changed(('tick = "0.01"', "tick = inf")), 'bad.toml: pair "ETHUSDC": tick: inf is a float, which is not exact'
    ),
    "money that is no number": Bad(
        changed(('bond = "1000"', 'bond = "much"')),
        'bad.toml: solver "s1": bond: expected an amount such as "100.25", got "much"',
    ),
    "money that is not finite": Bad(
        changed(('bond = "1000"', 'bond = "NaN"')),
        'bad.toml: solver "s1": bond: expected an amount such as "100.25", zero or more, got "NaN"',
    ),
    "negative money": Bad(
        changed(('"100000" }\nbond', '"-1" }\nbond')),
        'bad.toml: solver "s1": capital.USDC: expected an amount such as "100.25", zero or more, got "-1"',
    ),
    "secret money": Bad(
        changed((MAKER, 'arrivals = { poisson = "20ms", quantity_scale = "sNaN" }\n')),
        'bad.toml: market_maker "MM1": arrivals: `quantity_scale` goes with `replay` only',
    ),
    "quantity that is no number": Bad(
        changed((MAKER, f'{MAKER}quantity = {{ min = "NaN" }}\n')),
        'bad.toml: market_maker "MM1": quantity.min: expected an amount such as "100.25", zero or more, got "NaN"',
    ),
    "one bad amount of several": Bad(
        changed(('USDC = "100000" }\narr', 'USDC = "lots" }\narr')),
        'bad.toml: market_maker "MM1": balance.USDC: expected an amount such as "100.25", got "lots"',
    ),
    "bad name": Bad(
        changed(('{ ETH = "100", USDC = "100000" }\narr', '{ "E H" = "1" }\narr')),
        f'bad.toml: market_maker "MM1": balance: {NAME} "E H"',
    ),
    "table for a list": Bad(
        changed((MAKER, f'{MAKER}symbols = "ETHUSDC"\n')),
        'bad.toml: market_maker "MM1": symbols: expected a list, got "ETHUSDC"',
    ),
    "half a range": Bad(
        changed((MAKER, f'{MAKER}latency = {{ uniform = ["1ms"] }}\n')),
        'bad.toml: market_maker "MM1": latency.uniform: expected a list of 2 durations, got a list of 1',
    ),
    "a range of nothing": Bad(
        changed((MAKER, f"{MAKER}latency = {{ uniform = [] }}\n")),
        'bad.toml: market_maker "MM1": latency.uniform: expected a list of 2 durations, got a list of 0',
    ),
    "no range": Bad(
        changed((MAKER, f'{MAKER}latency = {{ uniform = "1ms" }}\n')),
        'bad.toml: market_maker "MM1": latency.uniform: expected a list of 2 durations, got "1ms"',
    ),
    "range backwards": Bad(
        changed((MAKER, f'{MAKER}latency = {{ uniform = ["2ms", "1ms"] }}\n')),
        'bad.toml: market_maker "MM1": latency: `uniform` must be [least, most], got 2ms and 1ms',
    ),
    "bare latency without unit": Bad(
        changed((MAKER, f'{MAKER}latency = "20"\n')), f'bad.toml: market_maker "MM1": latency: {DURATION} "20"'
    ),
    "per mille over a thousand": Bad(
        changed((MAKER, f"{MAKER}buy_per_mille = 1001\n")),
        'bad.toml: market_maker "MM1": buy_per_mille: expected a whole number <= 1000, got 1001',
    ),
    "no model": Bad(
        changed(('{ constant = "2000" }', "{}")),
        'bad.toml: pair "ETHUSDC": price: expected exactly one of constant, gbm, replay; got none',
    ),
    "two models": Bad(
        changed(('{ poisson = "20ms" }', '{ poisson = "20ms", fixed = "1s" }')),
        'bad.toml: market_maker "MM1": arrivals: expected exactly one of poisson, fixed, replay; got poisson and fixed',
    ),
    "replay option without replay": Bad(
        changed(('{ poisson = "20ms" }', '{ poisson = "20ms", speed = 2 }')),
        'bad.toml: market_maker "MM1": arrivals: `speed` goes with `replay` only',
    ),
    # --- what has to fit together ---
    "no pair": Bad(
        '[run]\nduration = "1s"\n[[token]]\nid = "A"\ndecimals = 1\n[auction]\nbond_token = "A"\ndefault_penalty = "1"',
        "bad.toml: the market is empty: it needs at least one [[pair]]",
    ),
    "no solver": Bad(
        MINIMAL.partition("[[solver]]")[0], "bad.toml: the market is empty: it needs at least one [[solver]]"
    ),
    "id twice": Bad(MINIMAL + SECOND_SOLVER.replace("s2", "s1"), 'bad.toml: solver "s1": this id is used twice'),
    "id of another kind": Bad(
        MINIMAL + SECOND_SOLVER.replace("s2", "MM1"),
        'bad.toml: solver "MM1": id: "MM1" is also the id of a market maker',
    ),
    "id of the venue": Bad(
        changed(('"MM1"', '"venue"')), 'bad.toml: market_maker "venue": id: "venue" is also the venue\'s name'
    ),
    "unknown token": Bad(
        changed(('base = "ETH"', 'base = "ETC"')),
        'bad.toml: pair "ETHUSDC": base: there is no token "ETC"',
        "did you mean `ETH`?",
    ),
    "unknown bond token": Bad(
        changed(('bond_token = "USDC"', 'bond_token = "USDT"')),
        'bad.toml: auction.bond_token: there is no token "USDT"',
        "did you mean `USDC`?",
    ),
    "unknown rule": Bad(
        changed(("[auction]\n", '[auction]\nrule = "first_prize"\n')),
        'bad.toml: auction.rule: there is no auction rule "first_prize"',
        "did you mean `first_price`?",
    ),
    "unknown strategy": Bad(
        changed(('bond = "1000"', 'bond = "1000"\nstrategy = "cost_plsu"')),
        'bad.toml: solver "s1": strategy: there is no strategy "cost_plsu"',
        "did you mean `cost_plus`?",
    ),
    "unknown parameter": Bad(
        changed(("margin_bps = 3", "margin_bsp = 3")),
        'bad.toml: solver "s1": params: unknown key `margin_bsp`',
        "did you mean `margin_bps`?",
    ),
    "parameter of the wrong type": Bad(
        changed(("margin_bps = 3", 'margin_bps = "3"')),
        'bad.toml: solver "s1": params.margin_bps: expected a whole number, got "3"',
    ),
    "parameter out of range": Bad(
        changed(("{ margin_bps = 3 }", '{ default_per_mille = 1500 }\nstrategy = "unreliable"')),
        'bad.toml: solver "s1": params.default_per_mille: expected a whole number <= 1000, got 1500',
    ),
    "unknown symbol": Bad(
        changed((MAKER, f'{MAKER}symbols = ["ETHUSD"]\n')),
        'bad.toml: market_maker "MM1": symbols: there is no pair "ETHUSD"',
        "did you mean `ETHUSDC`?",
    ),
    "symbol twice": Bad(
        changed((MAKER, f'{MAKER}symbols = ["ETHUSDC", "ETHUSDC"]\n')),
        'bad.toml: market_maker "MM1": symbols: names a pair twice',
    ),
    "base is quote": Bad(
        changed(('quote = "USDC"', 'quote = "ETH"')), 'bad.toml: pair "ETHUSDC": base and quote are both ETH'
    ),
    "no tick": Bad(
        changed(('tick = "0.01"', 'tick = "0"')), 'bad.toml: pair "ETHUSDC": tick: must be above zero, got 0'
    ),
    "no price": Bad(
        changed(('constant = "2000"', 'constant = "0"')),
        'bad.toml: pair "ETHUSDC": price.constant: must be above zero, got 0',
    ),
    "quantities backwards": Bad(
        changed((MAKER, f'{MAKER}quantity = {{ min = "2", max = "1" }}\n')),
        'bad.toml: market_maker "MM1": quantity: `min` 2 is above `max` 1',
    ),
    "quantity below the lot": Bad(
        changed((MAKER, f'{MAKER}quantity = {{ min = "0.0001" }}\n')),
        'bad.toml: market_maker "MM1": quantity.min: 0.0001 is below the lot of ETHUSDC, 0.001',
    ),
    "offsets backwards": Bad(
        changed((MAKER, f"{MAKER}limit_offset_bps = {{ min = 30 }}\n")),
        'bad.toml: market_maker "MM1": limit_offset_bps: `min` 30 is above `max` 20',
    ),
    "solver without capital": Bad(
        changed(('capital = { ETH = "100", USDC = "100000" }', "capital = {}")),
        'bad.toml: solver "s1": capital: nothing to trade with: it needs some ETH or USDC',
    ),
    "solver with useless capital": Bad(
        changed(
            ('capital = { ETH = "100", USDC = "100000" }', 'capital = { DOGE = "5" }'),
            ("[[pair]]", '[[token]]\nid = "DOGE"\ndecimals = 2\n\n[[pair]]'),
        ),
        'bad.toml: solver "s1": capital: nothing to trade with: it needs some ETH or USDC',
    ),
    "capital in an unknown token": Bad(
        changed(('capital = { ETH = "100"', 'capital = { BTC = "100"')),
        'bad.toml: solver "s1": capital.BTC: there is no token "BTC"',
        "known: ETH, USDC",
    ),
    "bond below the penalty": Bad(
        changed(('bond = "1000"', 'bond = "99.9"')),
        'bad.toml: solver "s1": bond: 99.9 is below auction.default_penalty, 100, so that none of its bids could count',
    ),
    "endless windows": Bad(
        MINIMAL + '[sequencer]\nbatch_window = "0s"\n', "bad.toml: sequencer.batch_window: must be above zero, got 0s"
    ),
    "heartbeat of half a second": Bad(
        changed((MAKER, f'{MAKER}heartbeat_interval = "500ms"\n')),
        'bad.toml: market_maker "MM1": heartbeat_interval: expected whole seconds, as FIX has it, and at most 86400, '
        "got 500ms",
    ),
    "secret of another": Bad(
        changed(('bond = "1000"', 'bond = "1000"\ntoken = "hush"')) + SECOND_SOLVER + 'token = "hush"\n',
        'bad.toml: solver "s2": token: it is the token of "s1" too, so that each could pass for the other',
    ),
    "recording that is not there": Bad(
        changed(('{ constant = "2000" }', '{ replay = "trades.csv" }')),
        'bad.toml: pair "ETHUSDC": price.replay: no such file "trades.csv"',
    ),
    "recording that is a folder": Bad(
        changed(('{ constant = "2000" }', '{ replay = "." }')),
        'bad.toml: pair "ETHUSDC": price.replay: . cannot be read: Is a directory',
    ),
    # --- the command line ---
    "set without a value": Bad(
        MINIMAL, "--set run.seed: expected PATH=VALUE", "as in --set solver.s2.latency=20ms", ("run.seed",)
    ),
    "set with an empty step": Bad(
        MINIMAL, "--set run..seed=1: expected PATH=VALUE", "as in --set solver.s2.latency=20ms", ("run..seed=1",)
    ),
    "set of an unknown section": Bad(
        MINIMAL, "--set actoin.rule=x: unknown section `actoin`", "did you mean `auction`?", ("actoin.rule=x",)
    ),
    "set of an unknown key": Bad(
        MINIMAL,
        '--set solver.s1.params.margin=5: solver "s1": params: unknown key `margin`',
        "did you mean `margin_bps`?",
        ("solver.s1.params.margin=5",),
    ),
    "set of an unknown entry": Bad(
        MINIMAL + SECOND_SOLVER,
        '--set solver.s11.bond=5: there is no solver "s11"',
        "did you mean `s1`?",
        ("solver.s11.bond=5",),
    ),
    "set of a whole array": Bad(
        MINIMAL, "--set solver=5: expected a key to set, as in solver.ID.KEY, other than `id`", "", ("solver=5",)
    ),
    "set of an id": Bad(
        MINIMAL,
        "--set solver.s1.id=s2: expected a key to set, as in solver.ID.KEY, other than `id`",
        "",
        ("solver.s1.id=s2",),
    ),
    "set to a wrong value": Bad(
        MINIMAL, '--set run.seed=x: run.seed: expected a whole number, got "x"', "", ("run.seed=x",)
    ),
    "set to a table with a float": Bad(
        MINIMAL,
        '--set pair.ETHUSDC.price={constant=1.5}: pair "ETHUSDC": price.constant: 1.5 is a float, which is not exact',
        'write it as a string: "1.5"',
        ("pair.ETHUSDC.price={constant=1.5}",),
    ),
    "set of what spans lines": Bad(
        MINIMAL,
        '--set run.ties=a b: run.ties: expected fifo or shuffled, got "a\\nb"',
        "",
        ("run.ties=a\nb",),
    ),
}


@pytest.mark.parametrize("case", BAD.values(), ids=BAD.keys())
def test_a_bad_scenario_is_one_clear_line(case: Bad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert_bad(case)


def test_a_missing_file_names_the_most_similar_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("quickstart.toml").write_text(MINIMAL)
    assert_refused(["quikstart.toml"], 'no such file "quikstart.toml"', "did you mean `quickstart.toml`?")
    assert_refused(["x/quickstart.toml"], 'no such file "x/quickstart.toml"', 'there is no folder "x"')


def test_a_folder_is_not_a_scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    assert_refused(["folder"], "folder: a folder, not a scenario file", "try: romer-sim list folder")


def test_extends_that_cannot_be_followed_names_both_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.toml").write_text(MINIMAL)
    Path("bad.toml").write_text('extends = "bsae.toml"\n')
    assert_refused(["bad.toml"], 'bad.toml: extends: no such file "bsae.toml"', "did you mean `base.toml`?")
    Path("bad.toml").write_text("extends = 3\n")
    assert_refused(["bad.toml"], "bad.toml: extends: expected the name of a file, got 3")
    Path("bad.toml").write_text('extends = ""\n')
    assert_refused(["bad.toml"], 'bad.toml: extends: expected the name of a file, got ""')
    Path("folder").mkdir()
    Path("bad.toml").write_text('extends = "./folder"\n')
    assert_refused(["bad.toml"], "bad.toml: extends: expected the name of a file, got the folder folder")


@pytest.mark.parametrize("name", ["pipe", "/dev/zero"])
def test_a_recording_that_is_not_a_file_is_not_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    Path("bad.toml").write_text(changed(('{ constant = "2000" }', f'{{ replay = "{name}" }}')))
    problem = f"{name} cannot be read: a pipe or a device, not a file"
    assert_refused(["bad.toml"], f'bad.toml: pair "ETHUSDC": price.replay: {problem}')


def test_a_recording_whose_name_no_file_can_have_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.toml").write_text(changed(('{ constant = "2000" }', '{ replay = "a\\u0000b" }')))
    assert_refused(["bad.toml"], 'bad.toml: pair "ETHUSDC": price.replay: no such file "a b"')


def test_extends_in_a_circle_shows_the_circle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("self.toml").write_text('extends = "./self.toml"\n')
    assert_refused(["self.toml"], "self.toml: extends goes in a circle: self.toml -> self.toml")
    Path("a.toml").write_text('extends = "b.toml"\n')
    Path("b.toml").write_text('extends = "sub/c.toml"\n')
    Path("sub").mkdir()
    Path("sub/c.toml").write_text('extends = "../a.toml"\n')
    circle = "a.toml -> b.toml -> sub/c.toml -> a.toml"
    assert_refused(["a.toml"], f"sub/c.toml: extends goes in a circle: {circle}")


def test_the_layer_that_has_the_last_word_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("base.toml").write_text(changed(('bond = "1000"', 'bond = "1"\nlatency = { constant = "1ms" }')))
    Path("bad.toml").write_text('extends = "base.toml"\n[[solver]]\nid = "s1"\nlatency = "1"\n')
    assert_refused(["bad.toml"], f'bad.toml: solver "s1": latency: {DURATION} "1"')
    below = "is below auction.default_penalty, 100, so that none of its bids could count"
    repaired = ["bad.toml", "--set", "solver.s1.latency=1s"]
    assert_refused(repaired, f'base.toml: solver "s1": bond: 1 {below}')
    assert_refused([*repaired, "--set", "solver.s1.bond=2"], f'--set solver.s1.bond=2: solver "s1": bond: 2 {below}')
